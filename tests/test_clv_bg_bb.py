from importlib.util import find_spec
from pathlib import Path

import mpmath
import numpy as np
import pandas as pd
import pytest
from clv_models import TRUTH, periods_company
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import kstest

from kamlab import clv
from kamlab.clv import base
from kamlab.clv.bg_bb import Outcomes, log_likelihood, probability_alive, purchase_law

DONATIONS = Path(find_spec("lifetimes").submodule_search_locations[0], "datasets", "donations.csv")
PUBLISHED = [1.2035, 0.7497, 0.6568, 2.784]  # Fader, Hardie and Shang 2010

params_strategy = st.tuples(*[st.floats(-6, 6).map(np.exp)] * 4).map(np.array)


def donations():
    return pd.read_csv(DONATIONS).rename(columns={"periods": "n_periods", "weights": "weight"})


@pytest.fixture(scope="module")
def fitted():
    return clv.BGBB().fit(donations())


def with_params(params, spread=0.01):
    model = clv.BGBB()
    model.params_ = dict(zip(("alpha", "beta", "gamma", "delta"), params, strict=True))
    model.covariance_ = pd.DataFrame(np.eye(4) * spread)
    return model


def history(x, t_x, n):
    return pd.DataFrame({"frequency": np.atleast_1d(x), "recency": t_x, "n_periods": n})


def outcomes(x, t_x, n):
    return Outcomes.of(*(np.atleast_1d(v) for v in (x, t_x, n)))


# The paper's numbers


def test_donations_give_the_papers_parameters_and_likelihood(fitted):
    assert list(fitted.params_) == ["alpha", "beta", "gamma", "delta"]
    assert list(fitted.params_.values()) == pytest.approx(PUBLISHED, rel=1e-3)
    # Published with two decimals.
    assert fitted.log_likelihood_ == pytest.approx(-33225.58, abs=0.005)
    assert fitted.converged_
    assert fitted.notes_ == ()
    assert fitted.n_accounts_ == 11_104


def test_donations_give_the_papers_total_of_the_next_five_periods(fitted):
    table = donations()
    total = table["weight"] @ fitted.predict(table, 5)["expected_purchases"]
    assert total == pytest.approx(12_884.2, abs=0.05)


def test_expectations_are_those_of_the_btyd_walkthrough(fitted):
    # The vignette's optimum is 1e-4 short of ours in delta.
    expected = fitted.expected_purchases(history([0, 4], [0, 5], 6), 10)
    assert expected == pytest.approx([0.1302169, 3.627858], rel=1e-4)


def test_standard_errors_are_those_of_the_paper_formula_by_finite_differences(fitted):
    table = donations()
    logs = np.log(list(fitted.params_.values()))

    def total(at):
        with mpmath.workdps(40):
            rows = zip(*(table[c].tolist() for c in ("frequency", "recency", "n_periods", "weight")), strict=True)
            values = [(w, mp_likelihood([mpmath.exp(v) for v in at], x, t_x, n)) for x, t_x, n, w in rows]
            return sum(w * mpmath.log(value) for w, value in values)

    step = mpmath.mpf("1e-8")
    with mpmath.workdps(40):
        units = [[step if i == j else 0 for j in range(4)] for i in range(4)]

        def at(*moves):
            return total([mpmath.mpf(v) + sum(m[i] for m in moves) for i, v in enumerate(logs)])

        here, ahead = at(), [at(u) for u in units]
        curvature = [
            [(at(u, v) - ahead[i] - ahead[j] + here) / step**2 for j, v in enumerate(units)]
            for i, u in enumerate(units)
        ]
        covariance = np.linalg.inv(-np.array(curvature, dtype=float))
    assert fitted.covariance_.to_numpy() == pytest.approx(covariance, rel=1e-4)
    errors = np.exp(logs) * np.sqrt(np.diag(covariance))
    assert list(fitted.standard_errors_.values()) == pytest.approx(errors, rel=1e-4)


# Numerics against mpmath


def mp_likelihood(params, x, t_x, n):
    """The likelihood of one account as printed in the paper."""
    alpha, beta, gamma, delta = map(mpmath.mpf, params)
    stay = mpmath.beta(alpha + x, beta + n - x) * mpmath.beta(gamma, delta + n)
    left = sum(
        mpmath.beta(alpha + x, beta + t_x - x + i) * mpmath.beta(gamma + 1, delta + t_x + i) for i in range(n - t_x)
    )
    return (stay + left) / mpmath.beta(alpha, beta) / mpmath.beta(gamma, delta)


def mp_alive(params, x, t_x, n, at):
    alpha, beta, gamma, delta = map(mpmath.mpf, params)
    stay = mpmath.beta(alpha + x, beta + n - x) / mpmath.beta(alpha, beta)
    stay *= mpmath.beta(gamma, delta + at) / mpmath.beta(gamma, delta)
    return stay / mp_likelihood(params, x, t_x, n)


def mp_expectation(params, x, t_x, n, periods):
    """Equation (13) of the paper as printed."""
    alpha, beta, gamma, delta = map(mpmath.mpf, params)
    top = mpmath.beta(alpha + x + 1, beta + n - x) / mpmath.beta(alpha, beta) * delta / (gamma - 1)
    top *= mpmath.gamma(gamma + delta) / mpmath.gamma(1 + delta)
    a = mpmath.gammaprod([1 + delta + n], [gamma + delta + n])
    b = mpmath.gammaprod([1 + delta + n + periods], [gamma + delta + n + periods])
    return top * (a - b) / mp_likelihood(params, x, t_x, n)


@st.composite
def histories(draw, longest):
    n = draw(st.integers(0, longest))
    t_x = draw(st.integers(0, n))
    return draw(st.integers(min(1, t_x), t_x)), t_x, n


@settings(max_examples=30, deadline=None)
@given(params_strategy, histories(60))
def test_likelihood_against_mpmath_and_its_gradient(params, cell):
    logs = np.log(params)
    value, gradient = log_likelihood(logs, outcomes(*cell))
    with mpmath.workdps(40):
        expected = float(mpmath.log(mp_likelihood(params, *cell)))
    assert value[0] == pytest.approx(expected, rel=1e-11, abs=1e-11)
    numeric = approx_fprime(logs, lambda p: log_likelihood(p, outcomes(*cell))[0][0], 1e-6)
    # One-sided differences err by about step × curvature, which grows with the number of periods.
    assert gradient[:, 0] == pytest.approx(numeric, abs=1e-5 * (1 + cell[2]))


@settings(max_examples=30, deadline=None)
@given(params_strategy, histories(60), st.integers(1, 400))
def test_p_alive_and_expectation_against_mpmath(params, cell, periods):
    params = np.where(np.abs(params - 1) < 1e-9, 1 + 1e-9, params)  # the printed formula has a pole at gamma = 1
    with mpmath.workdps(60):
        alive = float(mp_alive(params, *cell, cell[2] + 1))
        expected = float(mp_expectation(params, *cell, periods))
    row = with_params(params).predict(history(*cell), min(periods, 3)).iloc[0]
    assert row["p_alive"] == pytest.approx(alive, rel=1e-10)
    assert with_params(params).expected_purchases(history(*cell), periods)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("cell", [(0, 0, 10_000), (5000, 5000, 10_000), (5000, 9999, 10_000), (3, 9000, 10_000)])
@pytest.mark.parametrize("params", [(1e-3, 1e3, 1e-3, 1e3), (1e3, 1e-3, 1e3, 1e-3), (0.5, 0.5, 1.0, 50.0)])
def test_ten_thousand_periods_against_mpmath(params, cell):
    x, t_x, n = cell
    # The sum over the outcomes by the ratio of neighbouring terms, which needs no special function.
    with mpmath.workdps(40):
        alpha, beta, gamma, delta = map(mpmath.mpf, params)
        left, stay = mpmath.mpf(0), mpmath.mpf(1)
        for s in range(t_x, n):
            left += stay * gamma / (gamma + delta + s)
            stay *= (beta + s - x) / (alpha + beta + s) * (delta + s) / (gamma + delta + s)
        alive = float(stay / (stay + left))
    got = probability_alive(np.array(params), outcomes(*cell))[0]
    assert got == pytest.approx(alive, rel=1e-9, abs=1e-300)
    value, gradient = log_likelihood(np.log(params), outcomes(*cell))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@settings(max_examples=30, deadline=None)
@given(params_strategy, histories(60), st.floats(-7, 0).map(np.exp))
def test_discounted_purchases_against_mpmath(params, cell, rate):
    x, t_x, n = cell
    with mpmath.workdps(40):
        # Equation (14) of the paper as printed.
        alpha, beta, gamma, delta = map(mpmath.mpf, params)
        z = 1 / (1 + mpmath.mpf(rate))
        value = mpmath.beta(alpha + x + 1, beta + n - x) / mpmath.beta(alpha, beta)
        value *= mpmath.beta(gamma, delta + n + 1) / mpmath.beta(gamma, delta) * z
        value *= mpmath.hyp2f1(1, delta + n + 1, gamma + delta + n + 1, z) / mp_likelihood(params, x, t_x, n)
    got = with_params(params).discounted_purchases(history(*cell), rate)[0]
    assert got == pytest.approx(float(value), rel=1e-9)


@pytest.mark.parametrize("params", [PUBLISHED, (0.02, 3.0, 1.0, 0.1), (300.0, 20.0, 5.0, 400.0)])
def test_the_purchase_law_is_the_papers_for_updated_parameters(params):
    # Equation (7) of the paper, with alpha + x, beta + n − x and delta + n.
    x, n, periods = 3, 7, 12
    with mpmath.workdps(30):
        a, b, gamma, delta = map(mpmath.mpf, (params[0] + x, params[1] + n - x, params[2], params[3] + n))

        def bought(k, i):
            return mpmath.binomial(i, k) * mpmath.beta(a + k, b + i - k) / mpmath.beta(a, b)

        def pmf(k):
            stay = bought(k, periods) * mpmath.beta(gamma, delta + periods)
            left = sum(bought(k, i) * mpmath.beta(gamma + 1, delta + i) for i in range(k, periods))
            return float((stay + left) / mpmath.beta(gamma, delta))

        expected = [pmf(k) for k in range(periods + 1)]
    got = purchase_law(np.array(params), np.array([x]), np.array([n]), periods)[0]
    assert got == pytest.approx(expected, rel=1e-11)


@settings(max_examples=30, deadline=None)
@given(params_strategy, histories(40), st.integers(1, 60))
def test_the_law_has_the_expectation_as_mean(params, cell, periods):
    model = with_params(params, spread=1e-16)
    x, t_x, n = cell
    at_most = model.probability_at_most(history([x] * periods, t_x, n), np.arange(periods), periods)
    # 1 − P(X ≤ k) keeps 1e-16 of each term.
    expected = model.expected_purchases(history(*cell), periods)[0]
    assert (1 - at_most).sum() == pytest.approx(expected, rel=1e-6, abs=1e-13 * periods)


# Simulated truth


@pytest.fixture(scope="module")
def company():
    rng = np.random.default_rng(5)
    return periods_company(6000, TRUTH["bg_bb"], rng.integers(6, 25, 6000), 12, rng)


@pytest.fixture(scope="module")
def recovered(company):
    return clv.BGBB().fit(company)


def test_parameters_are_recovered(recovered):
    off = np.log(list(recovered.params_.values())) - np.log(TRUTH["bg_bb"])
    # Mahalanobis distance of four parameters: 13.3 is the 99 % quantile of chi-squared(4).
    assert off @ np.linalg.solve(recovered.covariance_.to_numpy(), off) < 13.3
    assert (np.sqrt(np.diag(recovered.covariance_)) < 0.2).all()


def test_the_future_of_equal_histories_follows_the_law():
    rng = np.random.default_rng(6)
    played = periods_company(400_000, TRUTH["bg_bb"], np.full(400_000, 5), 4, rng)
    model = with_params(np.array(TRUTH["bg_bb"]), spread=1e-12)
    for (x, t_x), group in played.groupby(["frequency", "recency"]):
        cell = history(x, t_x, 5)
        for count in range(4):
            share = (group["came"] <= count).mean()
            expected = model.probability_at_most(cell, count, 4)[0]
            # Four standard errors; 64 comparisons exceed that once in 250 runs.
            assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(group)) + 1e-9)


def test_intervals_cover_and_the_randomised_pit_is_uniform(company, recovered):
    predicted = recovered.predict(company, 12)
    came = company["came"].to_numpy()
    inside = (came >= predicted["lower"]) & (came <= predicted["upper"])
    # Whole numbers cannot cover 90 % exactly; central intervals of counts cover more.
    assert 0.88 <= inside.mean() <= 0.99
    upper, below = (recovered.probability_at_most(company, came - k, 12) for k in (0, 1))
    pit = below + np.random.default_rng(3).random(len(came)) * (upper - below)
    assert kstest(pit, "uniform").pvalue > 0.01


def test_bounds_are_the_quantiles_of_the_distribution(company, recovered):
    some = company.head(300)
    predicted = recovered.predict(some, 12, level=0.8)
    for column, probability in (("lower", 0.1), ("upper", 0.9)):
        bound = predicted[column].to_numpy()
        assert (recovered.probability_at_most(some, bound, 12) >= probability - 1e-12).all()
        assert (recovered.probability_at_most(some, bound - 1, 12) < probability).all()


def test_draws_follow_the_same_distribution(company, recovered):
    some = company.iloc[::800]
    n = 4000
    params = np.repeat(recovered.parameter_nodes(), n // 8, axis=0)
    drawn = recovered.sample_purchases(some, 12, params, rng=np.random.default_rng(5))
    for count in (0, 1, 4, 8):
        share = (drawn <= count).mean(axis=1)
        # Four standard errors of a share of 4,000 draws.
        assert share == pytest.approx(recovered.probability_at_most(some, count, 12), abs=4 * 0.5 / n**0.5)


def test_intervals_of_totals_cover():
    rng = np.random.default_rng(21)
    inside = []
    for _ in range(20):
        played = periods_company(300, TRUTH["bg_bb"], rng.integers(6, 25, 300), 12, rng)
        model = clv.BGBB().fit(played)
        totals = model.sample_purchases(played, 12, model.parameter_draws(100, rng), rng=rng).sum(axis=0)
        lower, upper = np.quantile(totals, [0.05, 0.95])
        inside.append(lower <= played["came"].sum() <= upper)
    # 20 companies: three binomial standard errors below 90 %.
    assert np.mean(inside) >= 0.90 - 0.201


# Properties


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-8, 8).map(np.exp)] * 4), histories(2000), st.integers(1, 300))
def test_nothing_impossible_leaves_predict(params, cell, periods):
    row = with_params(params).predict(history(*cell), periods).iloc[0]
    assert np.isfinite(row.drop("account").to_numpy(dtype=float)).all()
    assert 0 <= row["p_alive"] <= 1
    assert 0 <= row["expected_purchases"] <= periods
    assert 0 <= row["lower"] <= row["upper"] <= periods


def test_rows_with_weights_are_as_good_as_rows_of_accounts(fitted):
    table = donations()
    single = table.loc[table.index.repeat(table["weight"])].drop(columns="weight").reset_index(drop=True)
    model = clv.BGBB().fit(single)
    assert list(model.params_.values()) == pytest.approx(list(fitted.params_.values()), rel=1e-6)
    assert model.standard_errors_ == pytest.approx(fitted.standard_errors_, rel=1e-4)
    assert model.n_accounts_ == 11_104


def test_a_new_account_is_one_without_periods(fitted):
    assert fitted.expected_purchases_new(10) == pytest.approx(
        fitted.expected_purchases(history(0, 0, 0), 10)[0], rel=1e-12
    )
    # One period ahead: alpha / (alpha + beta) · delta / (gamma + delta).
    alpha, beta, gamma, delta = fitted.params_.values()
    assert fitted.expected_purchases_new(1) == pytest.approx(alpha / (alpha + beta) * delta / (gamma + delta))


def test_parameter_table(fitted):
    table = clv.parameter_table([fitted])
    assert table["parameter"].tolist() == ["alpha", "beta", "gamma", "delta"]
    assert (table["model"] == "bg_bb").all()


def test_a_penalty_pulls_the_parameters_down(fitted):
    model = clv.BGBB(penalizer=0.01).fit(donations())
    assert sum(v**2 for v in model.params_.values()) < sum(v**2 for v in fitted.params_.values())
    assert model.log_likelihood_ < fitted.log_likelihood_


# Borders of the parameter range


def test_accounts_that_never_leave_get_the_beta_binomial():
    rng = np.random.default_rng(4)
    n = rng.integers(5, 30, 500)
    coins = rng.random((500, 30)) < rng.beta(2.0, 3.0, 500)[:, None]
    coins &= np.arange(30) < n[:, None]
    last = np.where(coins.any(axis=1), 30 - coins[:, ::-1].argmax(axis=1), 0)
    table = history(coins.sum(axis=1), last, n)
    model = clv.BGBB().fit(table)
    assert model.converged_
    assert base.NOTE_BOUNDARY in model.notes_ or base.NOTE_OPEN in model.notes_
    alpha, beta, *_ = model.params_.values()
    assert [alpha, beta] == pytest.approx([2.0, 3.0], rel=0.25)  # three standard errors at 500 accounts
    forever = 10 * (alpha + table["frequency"]) / (alpha + beta + n)
    bought_last = last == n
    assert model.expected_purchases(table, 10)[bought_last] == pytest.approx(forever[bought_last], rel=0.02)


def test_equal_accounts_give_a_finite_forecast():
    model = clv.BGBB().fit(history([4] * 40, [8] * 40, [10] * 40))
    assert base.NOTE_BOUNDARY in model.notes_ or base.NOTE_OPEN in model.notes_
    assert model.predict(history(4, 8, 10), 10)["expected_purchases"].between(1, 6).all()
