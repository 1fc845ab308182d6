import pickle

import mpmath
import numpy as np
import pandas as pd
import pytest
from clv_models import contracts_company
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.base import clone

from kamlab import clv
from kamlab.clv import base, contracts_from_survivors
from kamlab.clv.sbg import log_likelihood

# Fader and Hardie 2007: contracts left of 1,000 after 0 … 7 renewals.
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]

positive = st.floats(-7, 7).map(np.exp)


@pytest.fixture(scope="module")
def high_end():
    return clv.SBG().fit(contracts_from_survivors(HIGH_END))


def with_params(alpha, beta, spread=1e-12):
    model = clv.SBG()
    model.params_ = {"alpha": alpha, "beta": beta}
    model.covariance_ = pd.DataFrame(np.eye(2) * spread)
    return model


def contract(renewals, active=True):
    return pd.DataFrame({"renewals": np.atleast_1d(renewals), "active": active})


# The papers' numbers


@pytest.mark.parametrize(
    ("survivors", "params", "likelihood"),
    [(REGULAR, (0.704, 1.182), -1680.2652), (HIGH_END, (0.668, 3.806), -1611.1581)],
)
def test_parameters_and_likelihood_are_those_of_fader_and_hardie_2007(survivors, params, likelihood):
    model = clv.SBG().fit(contracts_from_survivors(survivors))
    assert list(model.params_) == ["alpha", "beta"]
    # Printed with three decimals.
    assert list(model.params_.values()) == pytest.approx(params, abs=0.0005)
    assert model.log_likelihood_ == pytest.approx(likelihood, abs=1e-3)
    assert model.converged_
    assert model.notes_ == ()
    assert model.n_accounts_ == 1000


def test_projection_and_residual_lifetime_are_those_of_shifted_beta_geometric_py(high_end):
    # The package's own example: the five renewals after the seven of the data, and the survivors' DERL at 10 %.
    curve = high_end.curve(12)
    assert curve["survival"].iloc[7:].to_numpy() == pytest.approx([0.460, 0.436, 0.414, 0.395, 0.378], abs=0.0006)
    derl = high_end.residual_lifetime(contract(7), 0.10)["derl"].item()
    assert derl == pytest.approx(7.530, abs=0.0006)


def test_standard_errors_are_those_of_the_likelihood_by_mpmath(high_end):
    lost = -np.diff(HIGH_END)

    def total(a, b):
        a, b = mpmath.exp(a), mpmath.exp(b)
        ends = sum(int(w) * mpmath.log(mpmath.beta(a + 1, b + t)) for t, w in enumerate(lost))
        return ends + HIGH_END[-1] * mpmath.log(mpmath.beta(a, b + 7)) - 1000 * mpmath.log(mpmath.beta(a, b))

    at = [float(np.log(v)) for v in high_end.params_.values()]
    with mpmath.workdps(30):
        orders = [[(2, 0), (1, 1)], [(1, 1), (0, 2)]]
        curvature = np.array([[float(mpmath.diff(total, at, order)) for order in row] for row in orders])
    assert high_end.covariance_.to_numpy() == pytest.approx(np.linalg.inv(-curvature), rel=1e-5)


# Numerics against mpmath


@settings(max_examples=30, deadline=None)
@given(positive, positive, st.integers(0, 3000), st.booleans())
def test_likelihood_against_mpmath_and_its_gradient(alpha, beta, renewals, active):
    logs = np.log([alpha, beta])
    data = np.array([renewals]), np.array([active])
    value, gradient = log_likelihood(logs, *data)
    with mpmath.workdps(40):
        expected = mpmath.log(mpmath.beta(mpmath.mpf(alpha) + (not active), mpmath.mpf(beta) + renewals))
        expected = float(expected - mpmath.log(mpmath.beta(alpha, beta)))
    # 3,000 logarithms are summed.
    assert value[0] == pytest.approx(expected, rel=1e-11, abs=1e-10)
    numeric = approx_fprime(logs, lambda p: log_likelihood(p, *data)[0][0], 1e-6)
    # One-sided differences err by step × curvature and by rounding / step.
    assert gradient[:, 0] == pytest.approx(numeric, rel=1e-4, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(positive, positive, st.integers(0, 500), st.floats(-9, 1).map(np.exp))
def test_residual_lifetime_against_mpmath(alpha, beta, renewals, rate):
    # With 60 digits mpmath's function itself is off by 2e-10 at alpha = 403, beta = 337; the plain series is not.
    with mpmath.workdps(120):
        a, b, z = mpmath.mpf(alpha), mpmath.mpf(beta) + renewals, 1 / (1 + mpmath.mpf(rate))
        expected = float(b / (a + b) * mpmath.hyp2f1(1, b + 1, a + b + 1, z))
    got = with_params(alpha, beta).residual_lifetime(contract(renewals), rate, n_draws=2)["derl"].item()
    assert got == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("rate", [0.1, 0.02])
def test_residual_lifetime_sums_the_discounted_chances_of_still_being_there(high_end, rate):
    # With k renewals behind it, each further one has the chance S(k + j) / S(k) and is discounted by j − 1 periods.
    survival = high_end.curve(2003, n_draws=2)["survival"].to_numpy()
    later = survival[3:] / survival[2]
    by_hand = (later * (1 + rate) ** -np.arange(0.0, len(later))).sum()
    assert high_end.residual_lifetime(contract(3), rate)["derl"].item() == pytest.approx(by_hand, rel=1e-9)


def test_expected_renewals_are_the_closed_form(high_end):
    alpha, beta = high_end.params_.values()
    with mpmath.workdps(30):
        expected = sum(mpmath.beta(alpha, beta + 4 + j) for j in range(1, 11)) / mpmath.beta(alpha, beta + 4)
    got = high_end.predict(contract(4), 10)["expected_purchases"].item()
    assert got == pytest.approx(float(expected), rel=1e-12)


def test_curve_is_consistent_and_inside_its_intervals(high_end):
    curve = high_end.curve(30)
    assert curve["survival"].to_numpy() == pytest.approx(curve["retention"].cumprod().to_numpy())
    assert (curve["retention"].diff().dropna() > 0).all()
    for name in ("retention", "survival"):
        assert (curve[f"{name}_lower"] < curve[name]).all()
        assert (curve[name] < curve[f"{name}_upper"]).all()
    # The first renewal is seen 1,000 times: 90 % of a binomial share of .85 is ± 1.645 · √(.85 · .15 / 1000) = .0186;
    # the other renewals tell more about it.
    width = curve["survival_upper"].iloc[0] - curve["survival_lower"].iloc[0]
    assert 0.02 < width < 2 * 0.0186


# Simulated truth


@pytest.fixture(scope="module")
def company():
    rng = np.random.default_rng(2)
    return contracts_company(5000, 1.2, 6.0, rng.integers(1, 13, 5000), 6, rng)


def test_parameters_are_recovered_from_cohorts_of_different_age(company):
    model = clv.SBG().fit(company)
    off = np.log(list(model.params_.values())) - np.log([1.2, 6.0])
    # Mahalanobis distance of two parameters: 9.2 is the 99 % quantile of chi-squared(2).
    assert off @ np.linalg.solve(model.covariance_.to_numpy(), off) < 9.2
    assert (np.sqrt(np.diag(model.covariance_)) < 0.2).all()


def test_predictions_meet_what_comes(company):
    model = clv.SBG().fit(company)
    predicted = model.predict(company, 6)
    active = company["active"]
    assert (predicted.loc[~active, ["p_alive", "expected_purchases", "lower", "upper"]] == 0).all(axis=None)
    came = company["came"]
    assert ((came >= predicted["lower"]) & (came <= predicted["upper"]))[active].mean() >= 0.88
    params = model.parameter_draws(400, np.random.default_rng(1))
    drawn = model.sample_purchases(company, 6, params, rng=np.random.default_rng(7))
    # Draws scatter around the expectation at the fitted parameters by the parameters' uncertainty.
    assert drawn.sum(axis=0).mean() == pytest.approx(predicted["expected_purchases"].sum(), rel=0.01)
    lower, upper = np.quantile(drawn.sum(axis=0), [0.005, 0.995])
    assert lower <= came.sum() <= upper


def test_intervals_cover_the_true_curve_and_lifetime():
    rng = np.random.default_rng(9)
    truth = with_params(1.2, 6.0)
    survival = truth.curve(8, n_draws=2)["survival"].iloc[-1]
    derl = truth.residual_lifetime(contract(2), 0.1, n_draws=2)["derl"].item()
    inside = []
    for _ in range(40):
        model = clv.SBG().fit(contracts_company(400, 1.2, 6.0, np.full(400, 6), 0, rng))
        last = model.curve(8, n_draws=200).iloc[-1]
        life = model.residual_lifetime(contract(2), 0.1, n_draws=200).iloc[0]
        inside += [
            (last["survival_lower"] <= survival <= last["survival_upper"], life["lower"] <= derl <= life["upper"])
        ]
    # 40 companies: three binomial standard errors below 90 %.
    assert (np.mean(inside, axis=0) >= 0.90 - 0.142).all()


# Properties


@settings(max_examples=30, deadline=None)
@given(st.floats(-8, 8).map(np.exp), st.floats(-8, 8).map(np.exp), st.integers(0, 10_000), st.integers(1, 500))
def test_nothing_impossible_leaves_predict(alpha, beta, renewals, periods):
    model = with_params(alpha, beta, spread=0.01)
    row = model.predict(contract(renewals), periods).iloc[0]
    assert 0 <= row["expected_purchases"] <= periods
    assert 0 <= row["lower"] <= row["upper"] <= periods
    life = model.residual_lifetime(contract(renewals), 0.05, n_draws=20).iloc[0]
    # Never more than a contract without end: 1 / (1 − 1 / 1.05) = 21 renewals.
    assert 0 <= life["derl"] <= 21 + 1e-9
    assert 0 <= life["lower"] <= life["upper"] <= 21 + 1e-9


def test_follows_scikit_learn(high_end):
    assert clv.MODELS["sbg"] is clv.SBG
    assert clone(high_end).get_params() == {"penalizer": 0.0}
    again = pickle.loads(pickle.dumps(high_end))
    pd.testing.assert_frame_equal(again.curve(5), high_end.curve(5))
    table = clv.parameter_table([high_end])
    assert table[["model", "parameter"]].to_numpy().tolist() == [["sbg", "alpha"], ["sbg", "beta"]]


def test_rows_with_weights_are_as_good_as_rows_of_accounts(high_end):
    table = contracts_from_survivors(HIGH_END)
    single = table.loc[table.index.repeat(table["weight"].astype(int))].drop(columns=["weight", "account"])
    model = clv.SBG().fit(single.reset_index(drop=True))
    assert list(model.params_.values()) == pytest.approx(list(high_end.params_.values()), rel=1e-6)
    assert model.n_accounts_ == 1000


def test_survivors_become_rows_of_the_lost_and_the_active():
    table = contracts_from_survivors([100, 60, 60, 45])
    assert table[["renewals", "active", "weight"]].to_numpy().tolist() == [
        [0, False, 40],
        [2, False, 15],
        [3, True, 45],
    ]


# Borders


def test_contracts_that_are_all_alike_are_found_at_the_border_and_said_so():
    survivors = 1000 * 0.8 ** np.arange(8)
    model = clv.SBG().fit(contracts_from_survivors(survivors))
    assert base.NOTE_BOUNDARY in model.notes_ or base.NOTE_OPEN in model.notes_
    assert model.curve(3)["retention"].to_numpy() == pytest.approx(0.8, rel=1e-3)
    # A geometric lifetime: Σ 0.8^j / 1.1^(j−1) = 0.8 / (1 − 0.8 / 1.1).
    assert model.residual_lifetime(contract(0), 0.1)["derl"].item() == pytest.approx(0.8 / (1 - 0.8 / 1.1), rel=1e-2)
