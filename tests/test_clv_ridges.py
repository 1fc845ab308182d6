"""Draws of parameters where the likelihood rises without end: accounts whose lifetimes seem not to differ."""

import numpy as np
from clv_models import any_company, new
from scipy.stats import multivariate_t

from kamlab.clv.pareto_nbd import log_likelihood
from kamlab.clv.posterior import WEAK_PRIOR_SD


def test_where_no_difference_between_lifetimes_shows_draws_are_those_of_the_posterior():
    rows = any_company("pareto_nbd", 200, np.random.default_rng([20261122, 200, 5, 80]))
    model = new("pareto_nbd").fit(rows)
    drawn = model.log_draws()
    # Likelihood times prior, account by account, at points of a wider distribution that is weighed out.
    wider = multivariate_t(drawn.mean(axis=0), 2 * np.cov(drawn.T), df=4, seed=1)
    at = wider.rvs(2500)
    x, t_x, age = (rows[column].to_numpy(dtype=float) for column in ("frequency", "recency", "T"))
    likelihood = np.array([log_likelihood(one, x, t_x, age)[0].sum() for one in at])
    # The prior is that of times scaled to a longest T of 1.
    scaled = at - np.log([1.0, age.max(), 1.0, age.max()])
    lower, upper = np.array(model.bounds).T
    possible = ((scaled >= lower) & (scaled <= upper)).all(axis=1)
    prior = -((scaled - model.starts[0]) ** 2).sum(axis=1) / (2 * WEAK_PRIOR_SD**2)
    logs = np.where(possible, likelihood + prior - wider.logpdf(at), -np.inf)
    weights = np.exp(logs - logs.max())

    assert model.params_["s"] > 2000
    for own, points in zip(drawn.T, at.T, strict=True):
        order = np.argsort(points)
        below = np.cumsum(weights[order]) / weights.sum()
        got = np.searchsorted(np.sort(own), points[order], side="right") / len(own)
        # Kolmogorov's distance of 400 independent draws exceeds 0.0815 once in 100; weights cost some of them.
        assert np.abs(got - below).max() < 0.1
