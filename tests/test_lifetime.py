"""Lifetime value of 1, 3 and 5 years, and all purchases to come, discounted."""

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import play

from kamlab import backtest, clv, forecast, lifetime, totals
from kamlab.errors import ModelError
from kamlab.terms import TABLES

# The continuous rate of 0.0027 a week at which CDNOW's customers were valued: 15 % a year.
WEEKLY = 0.0027
ANNUAL = np.exp(WEEKLY * 365 / 7) - 1
CDNOW_PARETO = {"r": 0.5629966, "alpha": 12.5590370, "s": 0.4081095, "beta": 10.5148048}
"""As the documentation of the R package BTYD states them for `pnbd.DERT`."""


def fitted(model, params):
    model.params_ = dict(params)
    return model


def histories(*rows):
    table = pd.DataFrame(rows, columns=["frequency", "recency", "T"], dtype=float)
    table.insert(0, "account", [f"A{i:03d}" for i in range(len(table))])
    return table


# Discounted expected residual transactions


def fader_hardie_lee(params, x, t_x, age, delta):
    """DERT of the Pareto/NBD: the closed form of Fader, Hardie and Lee (2005), eq. (2)."""
    r, alpha, s, beta, x, t_x, age, delta = (mpmath.mpf(repr(v)) for v in (*params.values(), x, t_x, age, delta))
    with mpmath.workdps(30):
        left = mpmath.quad(lambda t: s * (alpha + t) ** -(r + x) * (beta + t) ** -(s + 1), [t_x, age])
    staying = (alpha + age) ** -(r + x) * (beta + age) ** -s
    likelihood = mpmath.gamma(r + x) / mpmath.gamma(r) * alpha**r * beta**s * (staying + left)
    top = alpha**r * beta**s * delta ** (s - 1) * mpmath.gamma(r + x + 1) * mpmath.hyperu(s, s, delta * (beta + age))
    return float(top / (mpmath.gamma(r) * (alpha + age) ** (r + x + 1) * likelihood))


@pytest.mark.parametrize(
    ("x", "t_x", "age"),
    [(0, 0, 77.86), (1, 35, 77.86), (7, 35, 77.86), (14, 35, 77.86), (7, 77, 77.86), (26, 30.86, 31)],
)
def test_pareto_nbd_has_the_published_closed_form(x, t_x, age):
    model = fitted(clv.ParetoNBD(), CDNOW_PARETO)
    got = lifetime.residual_purchases(model, histories((x, t_x, age)), ANNUAL)[0]
    assert got == pytest.approx(fader_hardie_lee(CDNOW_PARETO, x, t_x, age, WEEKLY), rel=1e-9)


def test_among_the_long_silent_the_more_frequent_are_worth_less():
    # The "increasing frequency paradox" of the iso-value curves in Fader, Hardie and Lee (2005).
    rows = histories((1, 35, 77.86), (7, 35, 77.86), (14, 35, 77.86))
    once, often, most = lifetime.residual_purchases(fitted(clv.ParetoNBD(), CDNOW_PARETO), rows, ANNUAL)
    assert once > often > most


def test_bg_nbd_is_the_integral_of_its_discounted_flow():
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    model = fitted(clv.BGNBD(), {"r": r, "alpha": alpha, "a": a, "b": b})
    x, t_x, age = 2, 30.43, 38.86

    def expected(t):
        """Fader, Hardie and Lee (2005), "Counting your customers" the easy way, eq. (10)."""
        shape, rate, stay = r + x, alpha + age, b + x
        c = a + stay - 1
        grown = mpmath.hyp2f1(shape, stay, c, t / (rate + t)) * (rate / (rate + t)) ** shape
        alive = 1 + a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x)
        return c / (a - 1) * (1 - grown) / alive

    integral = mpmath.quad(lambda t: WEEKLY * mpmath.exp(-WEEKLY * t) * expected(t), [0, 50, 500, 2000, mpmath.inf])
    got = lifetime.residual_purchases(model, histories((x, t_x, age)), ANNUAL)[0]
    assert got == pytest.approx(float(integral), rel=1e-7)


def test_who_never_leaves_is_worth_its_rate_over_the_interest():
    model = fitted(clv.NBD(), {"r": 0.8, "alpha": 10.0})
    got = lifetime.residual_purchases(model, histories((3, 20, 40), (0, 0, 5)), ANNUAL)
    assert got == pytest.approx([3.8 / 50 / WEEKLY, 0.8 / 15 / WEEKLY], rel=1e-9)


@settings(max_examples=8, deadline=None)
@given(
    st.tuples(*[st.floats(-2, 2).map(lambda v: 10**v)] * 4),
    st.integers(0, 300),
    st.floats(0.05, 1),
    st.floats(1, 2000),
    st.floats(0.001, 0.9),
)
def test_it_is_finite_and_below_that_of_an_account_that_never_leaves(params, x, share, age, rate):
    r, alpha, a, b = params
    model = fitted(clv.BGNBD(), {"r": r, "alpha": alpha, "a": a, "b": b})
    rows = histories((x, age * share if x else 0.0, age))
    got = lifetime.residual_purchases(model, rows, rate)[0]
    most = (r + x) / (alpha + age) / (np.log1p(rate) * 7 / 365)
    assert 0 <= got <= most * (1 + 1e-9)
    assert got >= model.expected_purchases(rows, 365)[0] / (1 + rate) - 1e-9


@pytest.mark.parametrize("rate", [0.0, -0.1, float("nan")])
def test_without_discounting_there_need_be_no_sum(rate):
    with pytest.raises(ModelError, match="must be above 0"):
        lifetime.residual_purchases(fitted(clv.NBD(), {"r": 1.0, "alpha": 1.0}), histories((1, 1, 2)), rate)


# Lifetime value


def company(n=300, seed=1):
    """A summary with order values that neither trend nor come back, and accounts that leave."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(60, 150, n)
    played = play(rng.gamma(2.0, 0.04, n), age, 3 * 365 / 7, rng, leaving=rng.beta(0.6, 6.0, n))
    mean = 100 / rng.gamma(5.0, 1 / 4, n)
    x = played["frequency"].to_numpy()
    value = np.where(x > 0, mean * rng.gamma(np.maximum(4 * x, 1)) / np.maximum(4 * x, 1), 0.0)
    return played.assign(
        monetary_value=value,
        first_value=mean * rng.gamma(4.0, 1 / 4, n),
        purchase_days=x + 1,
        revenue=lambda t: t["first_value"] + x * t["monetary_value"],
        order_value_trend=np.nan,
        order_value_trend_se=np.nan,
        trailing_order_value=100.0,
        trailing_purchase_days=x + 1,
        trailing_largest_order=100.0,
        first_purchase=pd.Timestamp("2023-01-01"),
        last_purchase=pd.Timestamp("2024-12-31"),
        paid=mean * rng.gamma(np.maximum(4 * played["came"], 1e-9), 1 / 4),
    )


@pytest.fixture(scope="module")
def summary():
    return company()


def choice_of(summary, level_sd=0.1, model=clv.BGNBD):
    record = pd.DataFrame(columns=[column.name for column in TABLES["backtest"]])
    spend = clv.GammaGamma().fit(summary)
    return backtest.Choice("bg_nbd", model().fit(summary), spend, record, "revenue", level_sd, ())


def rates(summary, rate, error):
    return pd.DataFrame(
        {"account": summary["account"], "margin_rate": rate, "margin_rate_se": error, "p_negative": 0.0}
    )


@pytest.fixture(scope="module")
def choice(summary):
    return choice_of(summary)


@pytest.fixture(scope="module")
def forecast_of(summary, choice):
    return forecast.value_and_draws(summary, choice, n_draws=400)


@pytest.fixture(scope="module")
def table(summary, choice, forecast_of):
    return lifetime.value(summary, choice, *forecast_of[:2])[0]


def test_columns_are_the_documented_ones(table, summary):
    assert list(table.columns) == [column.name for column in TABLES["lifetime"]]
    assert table["account"].tolist() == sorted(summary["account"])
    assert table.drop(columns=["p_negative_1y", "p_negative_3y", "p_negative_5y"]).notna().all(axis=None)
    assert table["p_negative_5y"].isna().all()  # no costs are known


def test_the_first_year_is_the_forecast(table, forecast_of):
    future = forecast_of[0]
    for mine, theirs in (("clv_1y", "clv"), ("clv_1y_lower", "lower"), ("clv_1y_upper", "upper")):
        assert table[mine].to_numpy() == pytest.approx(future[theirs].to_numpy()), mine
    assert table["purchases_1y"].to_numpy() == pytest.approx(future["expected_purchases"].to_numpy())


def test_longer_horizons_hold_the_shorter_ones(table):
    for name in ("purchases", "clv"):
        assert (table[f"{name}_3y"] >= table[f"{name}_1y"]).all()
        assert (table[f"{name}_5y"] >= table[f"{name}_3y"]).all()
    assert (table["dert"] >= table["purchases_1y"] / 1.1).all()


def test_lifetime_value_by_hand(summary):
    # Nobody leaves, so every month brings its days' share of the year.
    choice = choice_of(summary, model=clv.NBD)
    future, draws, _ = forecast.value_and_draws(summary, choice, n_draws=100)
    table, *_ = lifetime.value(summary, choice, future, draws, discount_rate_annual=0.2)
    ends = np.round(np.arange(37) * 365 / 12)
    factors = np.diff(ends) / 365 * 1.2 ** -((ends[1:] + ends[:-1]) / 2 / 365)
    assert table["clv_3y"].to_numpy() == pytest.approx(future["expected_contribution"].to_numpy() * factors.sum())
    assert table["purchases_5y"].to_numpy() == pytest.approx(5 * future["expected_purchases"].to_numpy())


def test_the_forecaster_in_force_sets_the_level(summary, choice, forecast_of, table):
    future, draws, _ = forecast_of
    doubled = future.assign(
        expected_purchases=2 * future["expected_purchases"],
        expected_revenue=2 * future["expected_revenue"],
        expected_contribution=2 * future["expected_contribution"],
    )
    twice, sums, _ = lifetime.value(summary, choice, doubled, draws)
    for name in ("clv_3y", "purchases_5y", "dert"):
        assert twice[name].to_numpy() == pytest.approx(2 * table[name].to_numpy()), name
    whole = sums[sums["measure"] == "clv_5y"].iloc[0]
    assert whole["expected"] == pytest.approx(2 * table["clv_5y"].sum())
    assert whole["lower"] < whole["expected"] < whole["upper"]


def test_draws_agree_with_the_expected_value(summary, choice, forecast_of):
    sure = choice_of(summary, level_sd=0.0)
    _, sums, _ = lifetime.value(summary, sure, *forecast_of[:2])
    row = sums.set_index("measure").loc["clv_5y"]
    # Parameters' uncertainty is skew, so the middle of the interval may lie a little off the expectation.
    assert (row["lower"] + row["upper"]) / 2 == pytest.approx(row["expected"], rel=0.1)
    assert row["lower"] < row["expected"] < row["upper"]


def test_the_error_of_level_grows_from_year_to_year():
    summary = company(100)
    choice = choice_of(summary, level_sd=0.5, model=clv.NBD)
    future, draws, _ = forecast.value_and_draws(summary, choice, n_draws=3000)
    _, sums, _ = lifetime.value(summary, choice, future, draws)
    width = np.log(sums["upper"] / sums["lower"]).to_numpy()
    assert width[0] < width[1] < width[2]
    # A walk whose three years count almost alike: variance (1 + 4 + 9) / 9 of one step's, not 1 / 3 as if independent.
    assert 1.1 < width[1] / width[0] < 1.4


def test_intervals_of_three_years_cover_what_comes():
    summary = company(400, seed=5)
    choice = choice_of(summary, level_sd=0.05)
    future, draws, _ = forecast.value_and_draws(summary, choice, n_draws=400, discount_rate_annual=1e-9)
    table, sums, _ = lifetime.value(summary, choice, future, draws, discount_rate_annual=1e-9)
    came = summary.set_index("account")["paid"].reindex(table["account"]).to_numpy()
    inside = (came >= table["clv_3y_lower"] - 1e-6) & (came <= table["clv_3y_upper"] + 1e-6)
    assert inside.mean() >= 0.88
    whole = sums[sums["measure"] == "clv_3y"].iloc[0]
    assert whole["lower"] < came.sum() < whole["upper"]


def test_probability_of_a_loss_follows_the_margin(summary, choice):
    rate = np.where(np.arange(len(summary)) % 2, -0.2, 0.3)
    future, draws, _ = forecast.value_and_draws(summary, choice, margins=rates(summary, rate, 0.05), n_draws=400)
    table, *_ = lifetime.value(summary, choice, future, draws)
    gains, losses = table[rate > 0], table[rate < 0]
    assert (gains["p_negative_5y"] < 0.01).all()
    assert (losses["clv_5y"] < 0).all()
    # Only who buys can lose money: with a rate surely below 0 the probability is that of a purchase.
    buys = 1 - choice.transactions.probability_at_most(summary.sort_values("account"), 0, 365)
    # Five binomial standard errors of 400 draws.
    assert losses["p_negative_1y"].to_numpy() == pytest.approx(buys[rate < 0], abs=0.125)
    assert (losses["p_negative_5y"] >= losses["p_negative_1y"] - 0.125).all()


def test_groups_are_added_up_from_the_same_draws(summary, choice, forecast_of):
    owner = pd.Series(np.where(np.arange(len(summary)) % 3, "Ann", "Bob"), index=sorted(summary["account"]))
    table, sums, _ = lifetime.value(summary, choice, *forecast_of[:2], groups={"owner": owner})
    assert sums["kind"].tolist() == ["company", "owner", "owner"] * 3
    by = sums.set_index(["measure", "group"])
    for measure in ("clv_1y", "clv_3y", "clv_5y"):
        of_owner = table.groupby(owner.to_numpy())[measure].sum()
        assert by.loc[(measure, "Ann"), "expected"] == pytest.approx(of_owner["Ann"])
        assert by.loc[(measure, "company"), "expected"] == pytest.approx(of_owner.sum())
        # Not all go wrong together, so the whole is surer than the sum of its accounts' bounds.
        assert by.loc[(measure, "company"), "upper"] < table[f"{measure}_upper"].sum()


def test_kept_draws_give_the_totals_of_groups_found_later(summary, choice, forecast_of):
    owner = pd.Series(np.where(np.arange(len(summary)) % 3, "Ann", "Bob"), index=sorted(summary["account"]))
    table, sums, kept = lifetime.value(summary, choice, *forecast_of[:2], groups={"owner": owner})
    assert sorted(kept["years"].unique()) == [3, 5]
    by = sums.set_index(["measure", "group"])
    for years in (3, 5):
        name = f"clv_{years}y"
        drawn = kept[kept["years"] == years].drop(columns="years")
        later = totals.totals(table.set_index("account")[name], drawn, {"owner": owner}, measure=name, basis="revenue")
        for group in ("company", "Ann", "Bob"):
            found = later.set_index("group").loc[group, ["expected", "lower", "upper"]].to_numpy(dtype=float)
            # The draws are kept in single precision.
            assert found == pytest.approx(
                by.loc[(name, group), ["expected", "lower", "upper"]].to_numpy(float), rel=1e-5
            )


def test_same_seed_same_bytes(summary, choice, forecast_of, table):
    again, *_ = lifetime.value(summary, choice, *forecast_of[:2])
    pd.testing.assert_frame_equal(again, table)


def test_without_discounting_all_the_future_is_missing(summary, choice, forecast_of):
    table, *_ = lifetime.value(summary, choice, *forecast_of[:2], discount_rate_annual=0.0)
    assert table["dert"].isna().all()
    assert table["clv_5y"].notna().all()


def test_without_money_purchases_alone(summary, choice):
    bare = backtest.Choice("bg_nbd", choice.transactions, None, choice.record, "purchases", 0.1, ())
    future, draws, _ = forecast.value_and_draws(summary, bare, n_draws=100)
    table, sums, _ = lifetime.value(summary, bare, future, draws)
    assert table[["clv_1y", "clv_5y_lower"]].isna().all(axis=None)
    assert table[["dert", "purchases_5y"]].notna().all(axis=None)
    assert sums.empty
    assert list(sums.columns) == [column.name for column in TABLES["totals"]]


def test_accounts_without_a_forecast_are_named(summary, choice, forecast_of):
    future, draws, _ = forecast_of
    with pytest.raises(ModelError, match=r"2 of 300 accounts have no forecast \(first: A000000, A000001\)"):
        lifetime.value(summary, choice, future.iloc[2:], draws)
