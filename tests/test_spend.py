"""Order values that go with frequency: the test for it, and the model that does not need independence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import lognorm, norm, pearsonr

import kamlab as kl
from kamlab import backtest, clv, forecast
from kamlab.clv.log_normal_spend import Orders, log_likelihood, mean_variance
from kamlab.clv.spend import NOTE_LARGER, NOTE_SMALLER, company_trends, fit_spend, independence
from kamlab.errors import ModelError


def company(n, slope, seed, *, p=4.0, within=None):
    """Accounts whose mean order value goes with rate^slope; orders gamma with shape p, or log-normal with `within`."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.0, 6.0, n)
    x = rng.poisson(rate)
    mean = 100 * np.exp(slope * (np.log(rate + 0.5) - 1.5)) / rng.gamma(4.0, 1 / 3, n)

    def orders(i, size):
        if within is None:
            return mean[i] * rng.gamma(p, 1 / p, size)
        return mean[i] * np.exp(rng.normal(-(within**2) / 2, within, size))

    later = [orders(i, count).mean() if count else 0.0 for i, count in enumerate(x)]
    table = pd.DataFrame({"frequency": x, "monetary_value": later, "first_value": [orders(i, 1)[0] for i in range(n)]})
    table.insert(0, "account", [f"A{i:04d}" for i in range(n)])
    return table, mean


def rmse(model, table, mean):
    return np.sqrt(((model.expected_spend(table)["expected_spend"] - mean) ** 2).mean())


# The model


def test_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    orders = Orders(rng.integers(1, 9, 6).astype(float), rng.normal(size=6), np.arange(6.0), rng.normal(size=6))
    at = np.array([0.1, -0.3, -0.2, 0.3])
    numeric = approx_fprime(at, lambda params: log_likelihood(params, orders)[0].sum(), 1e-7)
    assert log_likelihood(at, orders)[1].sum(axis=1) == pytest.approx(numeric, rel=1e-5)


def test_parameters_are_recovered():
    rng = np.random.default_rng(3)
    n, level, per_doubling, between, within = 1500, 80.0, 0.8, 0.5, 0.6
    x = rng.poisson(rng.gamma(1.5, 4.0, n))
    mean = level * per_doubling ** np.log2(x + 1) * np.exp(rng.normal(0, between, n))
    values = [m * np.exp(rng.normal(-(within**2) / 2, within, k + 1)) for m, k in zip(mean, x, strict=True)]
    later = [v[1:].mean() if len(v) > 1 else 0.0 for v in values]
    table = pd.DataFrame({"frequency": x, "monetary_value": later, "first_value": [v[0] for v in values]})
    model = clv.LogNormalSpend().fit(table)
    assert model.converged_
    assert model.notes_ == ()
    for name, truth in zip(model.params_, (level, per_doubling, between, within), strict=True):
        error = np.sqrt(model.covariance_.loc[name, name])
        assert abs(np.log(model.params_[name] / truth)) < 3 * error, name
    assert model.smearing_ == pytest.approx(1.0, abs=0.05)  # three standard errors of 1,500 accounts


def test_expected_value_is_the_posterior_mean_by_quadrature():
    table, _ = company(300, -0.3, 5, within=0.5)
    model = clv.LogNormalSpend().fit(table)
    level, per_doubling, between, within = model.params_.values()
    row = pd.DataFrame({"frequency": [4], "monetary_value": [70.0], "first_value": [150.0]})
    mean_value, n = (4 * 70 + 150) / 5, 5
    spread = np.sqrt(mean_variance(within, n))
    prior = norm(np.log(level * per_doubling ** np.log2(n)), between)

    def posterior(mu):
        return prior.pdf(mu) * lognorm(spread, scale=np.exp(mu - spread**2 / 2)).pdf(mean_value)

    ends = (np.log(mean_value) - 4, np.log(mean_value) + 4)
    whole = quad(posterior, *ends)[0]
    expected = quad(lambda mu: np.exp(mu) * posterior(mu), *ends)[0] / whole
    got = model.expected_spend(row)["expected_spend"][0]
    assert got == pytest.approx(model.smearing_ * expected, rel=1e-6)


def test_draws_have_the_expected_value_as_mean_and_cover_what_comes():
    table, mean = company(400, -0.4, 8, within=0.6)
    model = clv.LogNormalSpend().fit(table)
    rng = np.random.default_rng(0)
    params = model.parameter_draws(400, rng)
    orders = model.orders(table)
    counts = np.full((len(table), 400), 3.0)
    drawn = model.sample_revenue(
        counts,
        orders["orders"].to_numpy(),
        orders["mean_value"].to_numpy(),
        np.zeros(len(table), dtype=bool),
        params,
        rng=rng,
    )
    expected = 3 * model.expected_spend(table)["expected_spend"]
    assert drawn.sum() / 400 == pytest.approx(expected.sum(), rel=0.03)  # two standard errors of the draws
    came = mean * np.exp(rng.normal(-0.18, 0.6, (3, len(table)))).sum(axis=0)
    lower, upper = np.quantile(drawn, [0.05, 0.95], axis=1)
    # Three binomial standard errors of 400 accounts.
    assert ((came >= lower) & (came <= upper)).mean() == pytest.approx(0.90, abs=0.045)


def test_own_orders_alone_are_expected_again_and_nothing_bought_is_worth_nothing():
    table, _ = company(200, -0.3, 2)
    model = clv.LogNormalSpend().fit(table)
    rng = np.random.default_rng(4)
    params = model.parameter_draws(20_000, rng)
    counts = np.stack([np.full(20_000, 2.0), np.zeros(20_000)])
    drawn = model.sample_revenue(
        counts, np.array([9.0, 9.0]), np.array([70.0, 70.0]), np.array([True, False]), params, rng=rng
    )
    assert drawn[0].mean() == pytest.approx(140.0, rel=0.01)
    assert (drawn[1] == 0).all()


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-2, 1e9))
def test_money_may_be_cents_or_billions(unit):
    table, _ = company(60, 0.3, 6)
    scaled = table.assign(monetary_value=table["monetary_value"] * unit, first_value=table["first_value"] * unit)
    plain, large = (clv.LogNormalSpend().fit(t).expected_spend(t)["expected_spend"] for t in (table, scaled))
    assert large.to_numpy() == pytest.approx(plain.to_numpy() * unit, rel=1e-4)


def test_one_order_stands_for_the_mean_and_free_ones_for_nothing():
    model = clv.LogNormalSpend().fit(company(200, -0.3, 2)[0])
    rows = pd.DataFrame({"frequency": [0, 0, 2], "monetary_value": 0.0, "first_value": [400.0, 0.0, 0.0]})
    spend = model.expected_spend(rows)
    assert spend["spend_basis"].tolist() == ["first_order", "model", "model"]
    assert spend["expected_spend"][0] > spend["expected_spend"][1] == spend["expected_spend"][2] > 0


def test_it_stands_in_the_table_of_parameters():
    model = clv.LogNormalSpend().fit(company(100, -0.3, 2)[0])
    table = clv.parameter_table([model])
    assert table["model"].unique().tolist() == ["log_normal_spend"]
    assert table["parameter"].tolist() == ["level", "per_doubling", "between", "within"]


def test_too_few_repeat_buyers_are_refused():
    with pytest.raises(ModelError, match="at least 10"):
        clv.LogNormalSpend().fit(company(200, 0.0, 2)[0].head(5))


# The test of independence


def test_correlation_and_interval_are_those_of_scipy():
    table, _ = company(300, -0.3, 11)
    within = clv.LogNormalSpend().fit(table).params_["within"]
    repeat = table[table["frequency"] > 0]
    log_value = np.log(repeat["monetary_value"]) + mean_variance(within, repeat["frequency"]) / 2
    reference = pearsonr(np.log(repeat["frequency"]), log_value)
    interval = reference.confidence_interval(0.95)
    found = independence(table)
    assert found.accounts == len(repeat)
    assert (found.correlation, found.lower, found.upper) == pytest.approx((reference.statistic, *interval))
    assert found.p_value == pytest.approx(reference.pvalue, abs=1e-4)


def test_independent_companies_are_rarely_called_dependent():
    # One in a hundred by design; two standard errors of 25 companies above that.
    assert sum(independence(company(250, 0.0, seed)[0]).dependent for seed in range(25)) <= 2


def test_equal_counts_say_nothing():
    table = pd.DataFrame({"frequency": [2] * 20, "monetary_value": np.arange(1.0, 21.0), "first_value": 5.0})
    assert not independence(table).dependent


# The choice between the models


@pytest.mark.parametrize(("slope", "note"), [(-0.4, NOTE_SMALLER), (0.4, NOTE_LARGER)])
def test_dependence_is_met_by_the_model_that_knows_it(slope, note):
    table, mean = company(600, slope, 21)
    model = fit_spend(table)
    assert isinstance(model, clv.LogNormalSpend)
    assert model.notes_ == (note,)
    assert rmse(model, table, mean) < 0.9 * rmse(clv.GammaGamma().fit(table), table, mean)


@pytest.mark.parametrize("seed", range(21, 24))
def test_independent_order_values_keep_the_published_model_and_the_other_ties(seed):
    table, mean = company(600, 0.0, seed)
    model = fit_spend(table)
    assert isinstance(model, clv.GammaGamma)
    # It sees each account's first order too, so that it may even win.
    assert rmse(clv.LogNormalSpend().fit(table), table, mean) < 1.02 * rmse(model, table, mean)


def test_cdnow_buyers_spend_more_the_more_often_they_buy():
    found = independence(cdnow_summary())
    assert found.accounts == 946
    assert 0.05 < found.lower < found.correlation < found.upper
    assert fit_spend(cdnow_summary()).notes_ == (NOTE_LARGER,)


# Order values that trend in the company as a whole


def slopes(mean, spread, error, n=40):
    rng = np.random.default_rng(3)
    own = rng.normal(mean, spread, n) + rng.normal(0, error, n)
    return pd.DataFrame({"order_value_trend": own, "order_value_trend_se": error})


@pytest.mark.parametrize(
    ("mean", "spread", "error", "trends"),
    [
        (-0.5, 0.2, 0.2, True),
        (0.3, 0.1, 0.3, True),
        (0.05, 0.0, 0.05, False),  # clear, but small
        (0.0, 0.5, 0.05, False),  # each account its own way
        (-0.3, 2.0, 0.1, False),  # hidden by how much accounts differ
    ],
)
def test_a_company_trends_where_its_accounts_do_together(mean, spread, error, trends):
    assert company_trends(slopes(mean, spread, error)) is trends


def test_few_accounts_show_no_trend_of_the_company():
    assert not company_trends(slopes(-0.5, 0.1, 0.1, n=9))


def falling_log(seed, yearly=0.6):
    """Four years of orders at each account's own constant rate, whose values vary and fall by 40 % a year."""
    rng = np.random.default_rng(seed)
    end, rows = pd.Timestamp("2024-12-31"), []
    for i in range(80):
        gap, level, year = 1 / (10 * rng.gamma(4.0, 0.25)), 1000 * np.exp(rng.normal(0, 0.8)), rng.uniform(0, 2)
        while year < 4:
            amount = round(level * yearly**year * np.exp(rng.normal(0, 0.4)), 2)
            rows.append((f"A{i:03d}", end - pd.Timedelta(days=int((4 - year) * 365)), amount))
            year += rng.exponential(gap)
    return pd.DataFrame(rows, columns=["account", "date", "amount"])


def test_falling_order_values_are_not_forecast_above_the_trailing_year_even_of_who_orders_seldom():
    frame = falling_log(1)
    ledger = kl.read_ledger(frame, columns={name: name for name in frame})
    period = kl.StudyPeriod("2024-12-31")
    summary = kl.summarize(ledger, period)
    table = forecast.value(summary, backtest.choose(ledger, period, origins=1), n_draws=100)
    assert table["expected_revenue"].sum() <= summary["trailing_revenue"].sum()
    few = (summary["purchase_days"] < 8).to_numpy()
    assert few.any()
    assert table["expected_spend"][few].to_numpy() == pytest.approx(summary["trailing_order_value"][few].to_numpy())
