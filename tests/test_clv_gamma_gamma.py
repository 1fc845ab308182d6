import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary
from scipy.optimize import approx_fprime

from kamlab import clv
from kamlab.clv import base, lifetimes_engine
from kamlab.clv.gamma_gamma import NOTE_HEAVY_TAIL, NOTE_ZERO_VALUES, log_likelihood
from kamlab.clv.spend import LARGEST_FACTOR, NOTE_P_FROM_ORDERS, fit_spend
from kamlab.errors import ModelError

positive = st.floats(-3, 5).map(np.exp)


@pytest.fixture(scope="module")
def cdnow():
    return clv.GammaGamma().fit(cdnow_summary())


def simulate(n, p, q, gamma, rng):
    """Play the story: a rate for each account, then its orders."""
    x = rng.poisson(4, n)
    nu = rng.gamma(q, 1 / gamma, n)
    means = [rng.gamma(p, 1 / rate, k).mean() if k else 0.0 for k, rate in zip(x, nu, strict=True)]
    return pd.DataFrame({"account": [f"A{i:04d}" for i in range(n)], "frequency": x, "monetary_value": means}), p / nu


def test_params_and_likelihood_on_cdnow_are_those_of_fader_and_hardie(cdnow):
    assert cdnow.log_likelihood_ == pytest.approx(-4055.91769, abs=1e-3)
    assert list(cdnow.params_) == ["p", "q", "gamma"]
    assert list(cdnow.params_.values()) == pytest.approx([6.249575, 3.744224, 15.443512], rel=1e-3)
    assert cdnow.n_accounts_ == 946
    assert cdnow.converged_
    assert cdnow.notes_ == ()


def test_expected_spend_is_that_of_lifetimes(cdnow):
    summary = cdnow_summary()
    repeat = summary[summary["frequency"] > 0]
    fitter = lifetimes_engine.GammaGammaFitter()
    fitter.params_ = pd.Series(list(cdnow.params_.values()), index=["p", "q", "v"])
    expected = fitter.conditional_expected_average_profit(repeat["frequency"], repeat["monetary_value"])
    got = cdnow.expected_spend(repeat)
    assert got["expected_spend"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)
    assert (got["spend_basis"] == "model").all()


def test_a_one_order_account_is_taken_at_that_order(cdnow):
    one = pd.DataFrame({"account": ["A"], "frequency": [0], "monetary_value": [0.0], "first_value": [100.0]})
    p, q, gamma = cdnow.params_.values()
    row = cdnow.expected_spend(one).iloc[0]
    # Bayes' rule with one order of 100: (gamma + 100) · p / (p + q − 1) = 80.2, between the order and the mean of 35.
    assert row["expected_spend"] == pytest.approx((gamma + 100) * p / (p + q - 1))
    assert row["expected_spend"] == pytest.approx(80.2, abs=0.1)
    assert row["spend_basis"] == "first_order"


def test_without_any_value_the_company_mean_stands_in(cdnow):
    free = pd.DataFrame({"account": ["A"], "frequency": [3], "monetary_value": [0.0], "first_value": [0.0]})
    summary = cdnow_summary()
    mean = (summary["frequency"] * summary["monetary_value"]).sum() / summary["frequency"].sum()
    assert cdnow.mean_value_ == pytest.approx(mean, rel=0.01)  # CDNOW has a few repeat purchases of 0
    row = cdnow.expected_spend(free).iloc[0]
    p, q, gamma = cdnow.params_.values()
    assert row["expected_spend"] == pytest.approx((gamma + cdnow.mean_value_) * p / (p + q - 1))


@settings(max_examples=40, deadline=None)
@given(positive, positive, positive, st.integers(1, 5000), positive)
def test_likelihood_against_mpmath_and_its_gradient(p, q, gamma, x, mean):
    logs = np.log([p, q, gamma])
    data = np.array([float(x)]), np.array([mean])
    value, gradient = log_likelihood(logs, *data)
    with mpmath.workdps(40):
        p, q, gamma, m = map(mpmath.mpf, (p, q, gamma, mean))
        expected = mpmath.loggamma(p * x + q) - mpmath.loggamma(p * x) - mpmath.loggamma(q)
        expected += q * mpmath.log(gamma) + (p * x - 1) * mpmath.log(m) + p * x * mpmath.log(x)
        expected = float(expected - (p * x + q) * mpmath.log(gamma + m * x))
    # Log gammas of up to 1e7 leave 1e-9 in their difference.
    assert value[0] == pytest.approx(expected, rel=1e-8, abs=1e-7)
    numeric = approx_fprime(logs, lambda v: log_likelihood(v, *data)[0][0], 1e-5)
    scale = 1 + abs(expected) + float(p * x)
    assert gradient[:, 0] / scale == pytest.approx(numeric / scale, abs=1e-3)


@pytest.mark.parametrize("factor", [1e-4, 1e7])
def test_cents_and_billions_give_the_same_model(cdnow, factor):
    summary = cdnow_summary()
    scaled = summary.assign(monetary_value=summary["monetary_value"] * factor)
    model = clv.GammaGamma().fit(scaled)
    p, q, gamma = cdnow.params_.values()
    assert list(model.params_.values()) == pytest.approx([p, q, gamma * factor], rel=1e-4)
    assert model.log_likelihood_ == pytest.approx(cdnow.log_likelihood_ - 946 * np.log(factor), abs=1e-4)


def test_parameters_are_recovered():
    table, _ = simulate(3000, 4.0, 3.0, 200.0, np.random.default_rng(8))
    model = clv.GammaGamma().fit(table)
    off = np.log(list(model.params_.values())) - np.log([4.0, 3.0, 200.0])
    # Mahalanobis distance of three parameters: 11.3 is the 99 % quantile of chi-squared(3).
    assert off @ np.linalg.solve(model.covariance_.to_numpy(), off) < 11.3
    assert (np.sqrt(np.diag(model.covariance_)) < 0.2).all()


def test_expected_spend_beats_the_own_mean_and_the_company_mean():
    table, truth = simulate(3000, 2.0, 3.0, 200.0, np.random.default_rng(9))
    repeat = table["frequency"] > 0
    model = clv.GammaGamma().fit(table)
    expected = model.expected_spend(table)["expected_spend"]
    own = table["monetary_value"]

    def error(forecast):
        return ((forecast - truth)[repeat] ** 2).mean()

    assert error(expected) < 0.8 * error(own)
    assert error(expected) < 0.8 * error(np.full(len(own), truth.mean()))


def test_draws_have_the_expected_spend_as_mean_and_cover_what_comes():
    rng = np.random.default_rng(10)
    table, truth = simulate(1500, 3.0, 4.0, 300.0, rng)
    model = clv.GammaGamma().fit(table)
    orders = model.orders(table)
    n = np.full((len(table), 400), 3.0)
    params = model.parameter_draws(400, rng)
    alone = np.zeros(len(table), dtype=bool)
    drawn = model.sample_revenue(
        n, orders["orders"].to_numpy(), orders["mean_value"].to_numpy(), alone, params, rng=rng
    )
    repeat = (table["frequency"] > 0).to_numpy()
    expected = 3 * model.expected_spend(table)["expected_spend"].to_numpy()
    assert drawn[repeat].mean() == pytest.approx(expected[repeat].mean(), rel=0.02)  # 400 shared parameter draws
    came = rng.gamma(3.0 * 3, truth / 3.0)
    lower, upper = np.quantile(drawn, [0.05, 0.95], axis=1)
    inside = ((came >= lower) & (came <= upper))[repeat].mean()
    # Three binomial standard errors of 1,470 accounts.
    assert inside == pytest.approx(0.90, abs=0.025)


def test_own_orders_alone_are_expected_again():
    model = clv.GammaGamma().fit(cdnow_summary())
    rng = np.random.default_rng(1)
    params = np.repeat([list(model.params_.values())], 40_000, axis=0)
    one = np.array([12.0]), np.array([50.0]), np.array([True])
    drawn = model.sample_revenue(np.full((1, 40_000), 2.0), *one, params, rng=rng)
    assert drawn.mean() == pytest.approx(100.0, rel=0.01)  # four standard errors of 40,000 draws
    assert model.sample_revenue(np.zeros((1, 5)), *one, params[:5], rng=rng) == pytest.approx(np.zeros((1, 5)))


def wide_company(n, p, spread, rng):
    """Accounts whose levels are lognormal and far apart, while their own orders vary little."""
    x = rng.poisson(5, n) + 1
    level = 50_000 * np.exp(spread * rng.standard_normal(n))
    orders = [rng.gamma(p, value / p, k + 1) for k, value in zip(x, level, strict=True)]
    table = pd.DataFrame(
        {
            "account": [f"A{i:04d}" for i in range(n)],
            "frequency": x,
            "monetary_value": [values[1:].mean() for values in orders],
            "first_value": [values[0] for values in orders],
        }
    )
    return table, level


def test_p_from_orders_is_recovered_whatever_the_accounts_levels():
    table, _ = wide_company(800, 5.0, 1.8, np.random.default_rng(12))
    model = clv.GammaGamma(p_from="orders").fit(table)
    error = np.sqrt(model.covariance_.loc["p", "p"])
    assert error < 0.1
    assert abs(np.log(model.params_["p"] / 5.0)) < 3 * error


def test_wide_differences_between_accounts_are_not_taken_for_variation_within_them():
    table, level = wide_company(600, 5.0, 1.8, np.random.default_rng(13))
    published, model = clv.GammaGamma().fit(table), fit_spend(table)
    assert published.params_["p"] < 5.0 / LARGEST_FACTOR
    assert NOTE_P_FROM_ORDERS in model.notes_
    small = level < np.quantile(level, 0.25)

    def error(fitted):
        off = np.log(fitted.expected_spend(table)["expected_spend"] / level)[small]
        return np.sqrt((off**2).mean())

    # Some five orders with a variation of 0.45 leave an error of 0.2; trusting the others' level adds to it.
    assert error(model) < 0.25 < error(published)


def test_where_means_and_orders_agree_the_published_model_stays():
    rng = np.random.default_rng(13)
    table, level = simulate(600, 4.0, 3.0, 200.0, rng)
    model = fit_spend(table.assign(first_value=level * rng.gamma(4.0, 1 / 4.0, len(table))))
    assert model.get_params()["p_from"] == "means"
    assert model.params_ == clv.GammaGamma().fit(table).params_
    assert model.notes_ == ()


def test_without_first_orders_the_published_model_stays():
    model = fit_spend(cdnow_summary().assign(first_value=0.0))
    assert model.get_params()["p_from"] == "means"
    with pytest.raises(ModelError, match="There are 0 accounts with a first and a repeat purchase above 0"):
        clv.GammaGamma(p_from="orders").fit(cdnow_summary().assign(first_value=0.0))


def test_an_unknown_source_of_p_is_refused():
    with pytest.raises(ModelError, match="guess"):
        clv.GammaGamma(p_from="guess").fit(cdnow_summary())


def test_no_mean_over_accounts_is_said_and_forecasts_stay_finite():
    rng = np.random.default_rng(2)
    x = rng.poisson(5, 300) + 1
    table = pd.DataFrame({"frequency": x, "monetary_value": 100 * (1 - rng.random(300)) ** -2.5})
    model = clv.GammaGamma().fit(table)
    assert NOTE_HEAVY_TAIL in model.notes_
    assert base.NOTE_BOUNDARY in model.notes_
    expected = model.expected_spend(table)["expected_spend"]
    assert (np.isfinite(expected) & (expected > 0)).all()


def test_equal_order_values_are_expected_again():
    model = clv.GammaGamma().fit(pd.DataFrame({"frequency": [2] * 20, "monetary_value": [80.0] * 20}))
    spend = model.expected_spend(pd.DataFrame({"frequency": [2], "monetary_value": [80.0]}))["expected_spend"]
    assert spend[0] == pytest.approx(80.0, rel=1e-3)


def test_free_repeat_purchases_are_left_out_and_said():
    summary = cdnow_summary().copy()
    summary.loc[summary.index[summary["frequency"] > 0][:3], "monetary_value"] = 0.0
    model = clv.GammaGamma().fit(summary)
    assert model.n_accounts_ == 943
    assert model.notes_ == (NOTE_ZERO_VALUES,)


def test_where_lifetimes_fails_the_same_optimum_is_found_and_said(monkeypatch):
    monkeypatch.setattr(lifetimes_engine, "fit_gamma_gamma", lambda *data, penalizer: None)
    model = clv.GammaGamma().fit(cdnow_summary())
    assert model.log_likelihood_ == pytest.approx(-4055.91769, abs=1e-3)
    assert model.notes_ == (base.NOTE_OWN_OPTIMISER,)


def test_both_engines_end_at_the_same_optimum(cdnow):
    own = clv.GammaGamma(engine="kamlab").fit(cdnow_summary())
    assert own.log_likelihood_ == pytest.approx(-4055.91769, abs=1e-3)
    assert list(own.params_.values()) == pytest.approx(list(cdnow.params_.values()), rel=1e-4)
    assert own.notes_ == ()
