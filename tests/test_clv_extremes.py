"""Finite and right wherever a user can get to.

Up to 5,000 purchases, 10,000 units of time, alpha from 1e-3 to 1e4, money from cents to billions. The likelihoods,
P(alive) and expectations of each model meet mpmath in the model's own tests.
"""

import mpmath
import numpy as np
import pandas as pd
import pytest
from clv_models import TRANSACTIONS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from kamlab import clv
from kamlab.clv.beta_geometric import expected_new, expected_regular, survival

FAMILY = {"bg_nbd": (1, 0), "mbg_nbd": (1, 1), "bg_cnbd": (3, 0), "mbg_cnbd": (4, 1)}
"""k and the chances of leaving at entry."""

histories = st.tuples(st.integers(0, 5000), st.floats(0.001, 1), st.floats(1, 10_000)).map(
    lambda h: (float(h[0]), h[1] * h[2] if h[0] else 0.0, h[2])
)
positive = st.floats(-5, 4).map(np.exp)
times = st.floats(np.log(1e-3), np.log(1e4)).map(np.exp)
bg_params = st.tuples(positive, times, positive, positive).map(np.array)


def known(name, params, sd=0.1, k=1):
    model = clv.MODELS[name]()
    model.params_ = dict(zip(model.parameters, map(float, params), strict=True))
    model.covariance_ = pd.DataFrame(np.eye(len(params)) * sd**2)
    model.k_ = k
    return model


def one_row(one):
    return pd.DataFrame({"frequency": [one[0]], "recency": [one[1]], "T": [one[2]]})


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_all_that_a_model_of_purchases_says_is_possible(name):
    cls = clv.MODELS[name]
    params = st.tuples(*(times if p in cls.times else positive for p in cls.parameters))

    @settings(max_examples=12, deadline=None)
    @given(params, histories, st.floats(1, 3650), st.integers(0, 5000))
    def check(params, one, days, count):
        model, row = known(name, params, k=FAMILY.get(name, (1, 0))[0]), one_row(one)
        predicted = model.predict(row, days).iloc[0]
        lower, upper = predicted["lower"], predicted["upper"]
        # The bounds are the quantiles: P(X ≤ n) reaches 5 % and 95 % there and not before.
        at_most = [model.probability_at_most(row, n, days)[0] for n in (lower - 1, lower, upper - 1, upper, count)]
        assert np.isfinite(at_most).all()
        assert min(at_most) >= -1e-12
        assert max(at_most) <= 1 + 1e-12
        assert at_most[0] < 0.05 <= at_most[1] + 1e-12
        assert at_most[2] < 0.95 <= at_most[3] + 1e-12
        assert model.expected_purchases(row, days)[0] == predicted["expected_purchases"]
        new = model.expected_purchases_new(np.array([days, 2 * days]))
        assert np.isfinite(new).all()
        assert 0 <= new[0] <= new[1] * (1 + 1e-9)
        rng = np.random.default_rng(0)
        drawn = model.sample_purchases(row, days, model.parameter_draws(50, rng), rng=rng)
        assert (np.isfinite(drawn) & (drawn >= 0) & (drawn == np.floor(drawn))).all()

    check()


@settings(max_examples=8, deadline=None)
@given(bg_params, histories, st.sampled_from([1, 2, 7, 50, 1000]), times)
def test_chances_of_many_purchases_against_mpmath(params, one, n, t):
    account = [np.array([v]) for v in one]
    for k, first in FAMILY.values():
        got = survival(params, *account, t, np.array([float(n)]), k=k, first=first)[0]
        with mpmath.workdps(40):
            r, alpha, a, b = map(mpmath.mpf, params)
            x, t_x, age = map(mpmath.mpf, one)
            shape, z = r + k * x, (age - t_x) / (alpha + age)
            # Stages: how many events the silence holds, of an account that is alive.
            stages = [mpmath.rf(shape, j) / mpmath.factorial(j) * z**j for j in range(k)]
            stay = mpmath.beta(a, b + x + first) * sum(stages)
            left = mpmath.beta(a + 1, b + x + first - 1) * ((alpha + age) / (alpha + t_x)) ** shape if x + first else 0
            alive = stay / (stay + left)
            reach = mpmath.mpf(t) / (alpha + age + t)
            events = [mpmath.betainc(n * k - j, shape + j, 0, reach, regularized=True) for j in range(k)]
            bought = sum(w * p for w, p in zip(stages, events, strict=True)) / sum(stages)
            expected = float(alive * bought * mpmath.beta(a, b + x + first + n - 1) / mpmath.beta(a, b + x + first))
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(bg_params, histories, times)
def test_the_expectation_of_regular_buyers_at_k_1_is_the_closed_form(params, one, t):
    # The sum over roots of unity and its quadrature, where the other side is known exactly.
    r, alpha, a, b = params
    account = [np.array([v]) for v in one]
    got = expected_regular(params, *account, t, k=1, first=0)[0]
    assert got == pytest.approx(float(expected_new(r + one[0], alpha + one[2], a, b + one[0], t)), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.tuples(positive, times), histories, st.integers(1, 3000), times)
def test_chances_of_the_nbd_are_those_of_scipy(params, one, n, t):
    r, alpha = params
    at_most = known("nbd", params, sd=1e-12).probability_at_most(one_row(one), n - 1, 7 * t)[0]
    expected = nbinom(r + one[0], (alpha + one[2]) / (alpha + one[2] + t)).cdf(n - 1)
    assert at_most == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.floats(-3, 5), st.floats(0.01, 5), st.floats(-5, 25)).map(np.exp),
    st.integers(1, 5000),
    st.floats(np.log(1e-2), np.log(1e10)).map(np.exp),
)
def test_expected_spend_lies_between_the_own_mean_and_the_companys(params, x, value):
    model = clv.GammaGamma()
    p, q, gamma = map(float, params)
    model.params_, model.mean_value_ = {"p": p, "q": q, "gamma": gamma}, 1.0
    row = pd.DataFrame({"frequency": [x], "monetary_value": [value]})
    spend = model.expected_spend(row)["expected_spend"][0]
    # The mean of all accounts is p·gamma / (q − 1), and the own mean's weight x·p / (x·p + q − 1).
    company, weight = p * gamma / (q - 1), x * p / (x * p + q - 1)
    assert spend == pytest.approx(weight * value + (1 - weight) * company, rel=1e-9)
    drawn = model.sample_revenue(
        np.full((1, 20), 3.0),
        np.array([float(x)]),
        np.array([value]),
        np.array([False]),
        np.tile(params, (20, 1)),
        rng=np.random.default_rng(1),
    )
    assert (np.isfinite(drawn) & (drawn >= 0)).all()


@pytest.mark.parametrize("unit", [0.01, 1.0, 1e9])
def test_spend_is_fitted_in_cents_and_in_billions(unit):
    rng = np.random.default_rng(3)
    x, level = rng.poisson(4, 500) + 1, 1 / rng.gamma(3.0, 1.0, 500)
    means = np.array([rng.gamma(4.0, m / 4.0, k).mean() for m, k in zip(level, x, strict=True)])
    model = clv.GammaGamma(engine="kamlab").fit(pd.DataFrame({"frequency": x, "monetary_value": means * unit}))
    one = clv.GammaGamma(engine="kamlab").fit(pd.DataFrame({"frequency": x, "monetary_value": means}))
    assert model.params_["gamma"] == pytest.approx(one.params_["gamma"] * unit, rel=1e-5)
    assert model.params_["p"] == pytest.approx(one.params_["p"], rel=1e-5)


weights = st.floats(-8, 8).map(np.exp)


@settings(max_examples=10, deadline=None)
@given(st.tuples(weights, weights, weights, weights), st.integers(0, 1000), st.floats(0, 1), st.integers(1, 100))
def test_all_that_bg_bb_says_is_possible(params, n, share, periods):
    t_x = round(share * n)
    row = pd.DataFrame({"frequency": [min(t_x, 1 + t_x // 2)], "recency": [t_x], "n_periods": [n]})
    model = known("bg_bb", params)
    predicted = model.predict(row, periods).iloc[0]
    at_most = [model.probability_at_most(row, predicted[bound], periods)[0] for bound in ("lower", "upper")]
    assert at_most[0] + 1e-9 >= 0.05
    assert at_most[1] + 1e-9 >= 0.95
    assert max(at_most) <= 1 + 1e-9
    assert 0 <= predicted["expected_purchases"] <= periods
    forever = model.discounted_purchases(row, 0.01)[0]
    # Never more than a purchase in each period, discounted: 1 / 0.01.
    assert 0 <= forever <= 100 + 1e-6
    rng = np.random.default_rng(0)
    drawn = model.sample_purchases(row, periods, model.parameter_draws(50, rng), rng=rng)
    assert ((drawn >= 0) & (drawn <= periods)).all()


@settings(max_examples=25, deadline=None)
@given(st.tuples(weights, weights), st.integers(0, 10_000), st.integers(1, 500))
def test_all_that_sbg_says_is_possible(params, renewals, periods):
    model, row = known("sbg", params), pd.DataFrame({"renewals": [renewals], "active": [True]})
    curve = model.curve(periods, n_draws=50)
    assert curve.drop(columns="renewal").stack().between(0, 1).all()
    assert (curve["survival"].diff().dropna() <= 0).all()
    rng = np.random.default_rng(0)
    drawn = model.sample_purchases(row, periods, model.parameter_draws(50, rng), rng=rng)
    assert ((drawn >= 0) & (drawn <= periods)).all()
