"""Draws of the parameters: those of the exact posterior where the data are few, the normal approximation elsewhere."""

import pickle

import numpy as np
import pandas as pd
import pytest
from clv_models import TRUTH, any_company, contracts_company, new
from scipy.stats import binom, norm

from kamlab import clv
from kamlab.clv.base import NOTE_THIN
from kamlab.clv.gamma_gamma import log_likelihood as gamma_gamma_likelihood
from kamlab.clv.posterior import FEW_ACCOUNTS, MOST_ACCOUNTS, WEAK_PRIOR_SD, Density, Posterior, draw, is_normal
from kamlab.clv.sbg import log_likelihood

WIDE = ((-50.0, 50.0),) * 2
COVARIANCE = np.array([[0.04, 0.03], [0.03, 0.09]])


@pytest.fixture(scope="module")
def contracts():
    rng = np.random.default_rng(4)
    return contracts_company(80, *TRUTH["sbg"], rng.integers(1, 7, 80), 1, rng)


@pytest.fixture(scope="module")
def open_model(contracts):
    return clv.SBG().fit(contracts)


def bell(log_params, accounts=100):
    """Mean objective of accounts whose log-likelihood is a normal density around 0."""
    precision = np.linalg.inv(COVARIANCE) / accounts
    return log_params @ precision @ log_params / 2, precision @ log_params, precision


def test_a_normal_density_is_told_from_others():
    density = Density(bell, np.zeros(2), WIDE, 100.0)
    assert is_normal(density, np.zeros(2), COVARIANCE)
    assert not is_normal(density, np.zeros(2), 1.5 * COVARIANCE)
    assert not is_normal(density._replace(bounds=((-0.2, 50.0), (-50.0, 50.0))), np.zeros(2), COVARIANCE)


def test_draws_find_a_normal_density_from_a_poor_guess():
    drawn = draw(Density(bell, np.zeros(2), WIDE, 100.0), np.array([0.2, -0.2]))
    # 400 draws: three standard errors; the weak prior narrows by 1 % at most.
    assert np.abs(drawn.mean(axis=0)) == pytest.approx([0.0, 0.0], abs=3 * 0.3 / 20)
    assert np.cov(drawn.T) == pytest.approx(COVARIANCE, abs=0.025)


def test_draws_are_those_of_the_posterior_summed_over_a_grid(contracts, open_model):
    drawn = open_model.log_draws()
    assert drawn.shape == (400, 2)
    # Likelihood times prior on a grid, up to the bounds of the fit.
    grid = np.linspace(-8, 8, 161)
    cells = contracts.value_counts(["renewals", "active"]).reset_index()
    renewals, active, count = (cells[column].to_numpy() for column in cells)
    logs = np.array([[count @ log_likelihood(np.array([a, b]), renewals, active)[0] for b in grid] for a in grid])
    prior = -((grid[:, None] - 0.0) ** 2 + (grid - 1.0) ** 2) / (2 * WEAK_PRIOR_SD**2)
    mass = np.exp(logs + prior - (logs + prior).max())
    for axis, own in enumerate(drawn.T):
        share = mass.sum(axis=1 - axis) / mass.sum()
        below = np.cumsum(share)
        # Kolmogorov's distance of 400 independent draws exceeds 0.0815 once in 100; weights cost some of them.
        got = np.searchsorted(np.sort(own), grid, side="right") / len(own)
        assert np.abs(got - below).max() < 0.1


def test_orders_that_seem_never_to_vary_are_drawn_from_a_prior_even_in_how_they_vary():
    rows = any_company("gamma_gamma", 200, np.random.default_rng([777001, 4]))
    rows = rows[rows["frequency"] > 0]
    model = new("gamma_gamma").fit(rows)
    x, value = rows["frequency"].to_numpy(), rows["monetary_value"].to_numpy()
    scale = np.exp(np.log(value).mean())
    logs, weights = np.linspace(0, 9, 46), []
    for p in logs:
        # The accounts' mean, some p · gamma / (q − 1), is known well.
        grid = [(p, q, level - p) for q in np.linspace(0.2, 1.8, 17) for level in np.linspace(-0.6, 2.2, 21)]
        likelihood = [gamma_gamma_likelihood(np.array(at), x, value / scale)[0].sum() for at in grid]
        off = np.array(grid) - (1.0, 1.0, 0.5)
        # Even in 1 / sqrt(p): the density of ln(p) has the factor p^(-1/2).
        weights.append(np.array(likelihood) - (off**2).sum(axis=1) / (2 * WEAK_PRIOR_SD**2) - p / 2)
    mass = np.exp(np.array(weights) - np.max(weights)).sum(axis=1)
    got = (model.log_draws()[:, :1] <= logs + (logs[1] - logs[0]) / 2).mean(axis=0)
    assert model.params_["p"] > 20_000
    assert np.abs(got - np.cumsum(mass) / mass.sum()).max() < 0.1


def test_intervals_are_quantiles_of_the_draws(open_model):
    table = open_model.parameter_intervals(level=0.8)
    assert table["parameter"].tolist() == ["alpha", "beta"]
    inside = (np.exp(open_model.log_draws()) >= table["lower"].to_numpy()) & (
        np.exp(open_model.log_draws()) <= table["upper"].to_numpy()
    )
    assert inside.mean(axis=0) == pytest.approx([0.8, 0.8], abs=0.01)
    with pytest.raises(clv.base.ModelError, match="level is 1; it must lie between 0 and 1"):
        open_model.parameter_intervals(level=1)


def test_drawn_parameters_and_nodes_stand_for_the_draws(open_model):
    logs = open_model.log_draws()
    some = np.log(open_model.parameter_draws(1000, np.random.default_rng(1)))
    assert some.mean(axis=0) == pytest.approx(logs.mean(axis=0), abs=0.1 * logs.std(axis=0).max())
    nodes = np.log(open_model.parameter_nodes())
    assert nodes.shape == (16, 2)
    # The mean of 16 spread out along the first axis lies closer than that of 16 at random, a quarter of a deviation.
    assert np.abs(nodes.mean(axis=0) - logs.mean(axis=0)).max() < 0.25 * logs.std(axis=0).max()


def test_many_accounts_keep_the_normal_approximation(contracts):
    weight = MOST_ACCOUNTS / len(contracts) + 1
    model = clv.SBG().fit(contracts.assign(weight=weight))
    assert model.log_draws() is None
    error = np.sqrt(model.covariance_.loc["alpha", "alpha"])
    lower, upper = model.parameter_intervals().loc[0, ["lower", "upper"]]
    reach = norm.ppf(0.95) * error
    assert (lower, upper) == pytest.approx(tuple(model.params_["alpha"] * np.exp([-reach, reach])))


@pytest.mark.parametrize(("accounts", "drawn"), [(FEW_ACCOUNTS, True), (FEW_ACCOUNTS + 1, False)])
def test_a_normal_density_stands_in_for_none_of_few_accounts(accounts, drawn):
    density = Density(lambda at: bell(at, accounts), np.zeros(2), WIDE, float(accounts))
    assert (Posterior(density, np.zeros(2), COVARIANCE, np.zeros(2)).draws() is not None) == drawn


def test_files_and_pickles_carry_the_draws(open_model, contracts, tmp_path):
    open_model.save(tmp_path / "model.json")
    copies = clv.load(tmp_path / "model.json"), pickle.loads(pickle.dumps(clv.SBG().fit(contracts)))
    for again in copies:
        assert np.array_equal(again.log_draws(), open_model.log_draws())
        pd.testing.assert_frame_equal(again.predict(contracts, 6), open_model.predict(contracts, 6))


def test_too_few_draws_are_noted(contracts):
    model = clv.SBG().fit(contracts)
    level = np.zeros(2), np.eye(2)
    density = Density(lambda at: (0.0 if np.abs(at).max() < 1e-6 else np.nan, *level), np.zeros(2), WIDE, 1.0)
    model.posterior_ = clv.base.Posterior(density, np.zeros(2), COVARIANCE, np.zeros(2))
    assert len(model.parameter_draws(5, np.random.default_rng(1))) == 5
    assert model.parameter_nodes().shape == (4, 2)
    assert model.notes_.count(NOTE_THIN) == 1


@pytest.mark.parametrize("name", ["mbg_nbd", "gamma_gamma"])
def test_parameters_of_200_accounts_are_covered(name):
    rng, truth = np.random.default_rng(14), np.array(TRUTH[name])
    inside = []
    for _ in range(30):
        ends = new(name).fit(any_company(name, 200, rng)).parameter_intervals()
        inside.append(ends["lower"].le(truth) & ends["upper"].ge(truth))
    # No more misses than 30 companies have by chance at 90 %, at a level of 1 % over the seven parameters.
    for misses in (~np.array(inside)).sum(axis=0):
        assert binom.sf(misses - 1, len(inside), 0.1) > 0.01 / 7
