"""The prior of shapes of gamma distributions: even in how far what they describe differs."""

import numpy as np
import pytest
from clv_models import any_company, new
from scipy.stats import multivariate_t

from kamlab.clv.pareto_nbd import log_likelihood
from kamlab.clv.posterior import WEAK_PRIOR_SD, Density


def knows_nothing(log_params):
    return 0.0, np.zeros(2), np.zeros((2, 2))


def test_equal_steps_of_the_coefficient_of_variation_have_equal_weight():
    density = Density(knows_nothing, np.array([1.0, -2.0]), ((-50.0, 50.0),) * 2, 200.0).even_in_spread([0])
    spread = np.array([0.1, 0.5, 1.0, 2.0])
    log_shape = -2 * np.log(spread)
    logs = np.array([density.log(np.array([one, 0.3])) for one in log_shape])
    # By hand: what is even in c = 1 / √s has the density c / 2 of ln(s) = −2 ln(c); a normal prior of ln(s) is beside.
    left = logs - np.log(spread / 2) + (log_shape - 1.0) ** 2 / (2 * WEAK_PRIOR_SD**2)
    assert left == pytest.approx(np.full(4, left[0]))


def test_lifetimes_that_seem_not_to_differ_are_drawn_from_a_prior_even_in_how_they_differ():
    rows = any_company("pareto_nbd", 200, np.random.default_rng([20261122, 200, 5, 7]))
    model = new("pareto_nbd").fit(rows)
    drawn = model.log_draws()
    # Likelihood times prior, account by account, at points of a wider distribution that is weighed out.
    wider = multivariate_t(drawn.mean(axis=0), 2 * np.cov(drawn.T), df=4, seed=1)
    at = wider.rvs(3000)
    x, t_x, age = (rows[column].to_numpy(dtype=float) for column in ("frequency", "recency", "T"))
    likelihood = np.array([log_likelihood(one, x, t_x, age)[0].sum() for one in at])
    # The fit's prior is centred at times scaled to a longest T of 1.
    longest = np.array([0.0, np.log(age.max()), 0.0, np.log(age.max())])
    off = at - longest - model.starts[0]
    bounds = np.array(model.bounds)
    inside = ((at - longest >= bounds[:, 0]) & (at - longest <= bounds[:, 1])).all(axis=1)
    even_in_logs = np.where(
        inside, likelihood - (off**2).sum(axis=1) / (2 * WEAK_PRIOR_SD**2) - wider.logpdf(at), -np.inf
    )

    def furthest(log_weights):
        """Kolmogorov's distance of the draws of ln(s) from the weighted points."""
        weights, order = np.exp(log_weights - log_weights.max()), np.argsort(at[:, 2])
        below = np.cumsum(weights[order]) / weights.sum()
        return np.abs(np.searchsorted(np.sort(drawn[:, 2]), at[order, 2], side="right") / len(drawn) - below).max()

    assert model.params_["s"] > 1000
    # Of 400 independent draws it exceeds 0.0815 once in 100; weights cost some of them.
    assert furthest(even_in_logs - (at[:, 0] + at[:, 2]) / 2) < 0.1
    assert furthest(even_in_logs) > 0.15
