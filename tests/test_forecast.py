from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from known_data import cdnow_summary

import kamlab as kl
from kamlab import backtest, clv, forecast
from kamlab.backtest.distribution import level_error
from kamlab.clv.spend import order_values
from kamlab.errors import ModelError
from kamlab.terms import TABLES

COLUMNS = [column.name for column in TABLES["forecast"]]


def full(table):
    """Give a plain summary the other columns that a forecast reads: no trend, no returns."""
    bought = table["first_value"] + table["frequency"] * table["monetary_value"]
    return table.assign(
        purchase_days=table["frequency"] + 1,
        revenue=bought,
        order_value_trend=np.nan,
        order_value_trend_se=np.nan,
        trailing_order_value=table["first_value"],
        trailing_purchase_days=table["frequency"] + 1,
        trailing_largest_order=table["first_value"],
        first_purchase=pd.Timestamp("2023-01-01"),
        last_purchase=pd.Timestamp("2024-12-31"),
    )


@pytest.fixture(scope="module")
def summary():
    return full(cdnow_summary())


@pytest.fixture(scope="module")
def few(summary):
    """Every eighth account."""
    return summary.iloc[::8].reset_index(drop=True)


@pytest.fixture(scope="module")
def choice(summary):
    transactions, spend = clv.BGNBD().fit(summary), clv.GammaGamma().fit(summary)
    record = pd.DataFrame(columns=[column.name for column in TABLES["backtest"]])
    return backtest.Choice("bg_nbd", transactions, spend, record, "revenue", 0.2, ())


@pytest.fixture(scope="module")
def both(summary, choice):
    return forecast.value_and_draws(summary, choice, n_draws=400)


def rates(summary, rate=0.3, error=0.02, p_negative=0.0):
    return pd.DataFrame(
        {"account": summary["account"], "margin_rate": rate, "margin_rate_se": error, "p_negative": p_negative}
    )


def test_tables_have_their_documented_columns(summary, both):
    table, draws, _ = both
    assert list(table.columns) == COLUMNS
    assert list(draws.columns) == ["account", *(f"d{i}" for i in range(400))]
    assert table["account"].tolist() == draws["account"].tolist() == sorted(summary["account"])
    assert (table["basis"] == "revenue").all()
    assert (table["level"] == 0.9).all()


def test_revenue_is_purchases_times_spend(summary, choice, both):
    table = both[0].set_index("account")
    purchases = choice.transactions.predict(summary, 365).set_index("account")
    spend = choice.spend.expected_spend(summary).set_index("account")
    assert table["p_alive"].to_numpy() == pytest.approx(purchases["p_alive"][table.index])
    assert table["expected_purchases"].to_numpy() == pytest.approx(purchases["expected_purchases"][table.index])
    assert table["expected_spend"].to_numpy() == pytest.approx(spend["expected_spend"][table.index])
    assert table["expected_revenue"].to_numpy() == pytest.approx(
        (purchases["expected_purchases"] * spend["expected_spend"])[table.index]
    )
    assert (table["expected_contribution"] == table["expected_revenue"]).all()


def test_the_probability_of_buying_soon(summary, choice, both):
    # P(no purchase within t) = 1 − P(alive) · {1 − ((alpha + T) / (alpha + T + t))^(r + x)}, at the estimates.
    r, alpha, _, _ = choice.transactions.params_.values()
    alive = choice.transactions.predict(summary, 365)["p_alive"]
    age, x, t = summary["T"], summary["frequency"], 90 / 7
    expected = alive * (1 - ((alpha + age) / (alpha + age + t)) ** (r + x))
    # Averaging over the parameters' uncertainty moves single accounts by up to a point.
    assert both[0]["p_buys_90"].to_numpy() == pytest.approx(expected, abs=0.01)


# Lifetime value


def test_undiscounted_value_is_the_contribution(few, choice):
    table = forecast.value(few, choice, discount_rate_annual=0.0, n_draws=2)
    assert table["clv"].to_numpy() == pytest.approx(table["expected_contribution"])


def test_steady_purchases_are_discounted_like_an_annuity(choice):
    # Large x and T: purchases come at x/T without an end, 1/12 of the year's value in the middle of each month.
    model = clv.BGNBD()
    model.params_ = {"r": 1.0, "alpha": 10.0, "a": 1e-6, "b": 10.0}
    model.covariance_ = pd.DataFrame(np.eye(4) * 1e-8)
    one = full(
        pd.DataFrame(
            {
                "account": ["A"],
                "frequency": [500],
                "recency": [999.0],
                "T": [1000.0],
                "monetary_value": 10.0,
                "first_value": 10.0,
            }
        )
    )
    steady = replace(choice, transactions=model)
    table = forecast.value(one, steady, discount_rate_annual=0.1, n_draws=2)
    factor = np.mean([1.1 ** -((m - 0.5) / 12) for m in range(1, 13)])
    assert table["clv"][0] / table["expected_contribution"][0] == pytest.approx(factor, rel=1e-5)
    three_years = forecast.value(one, steady, horizon_days=3 * 365, discount_rate_annual=0.1, n_draws=2)
    factor = np.mean([1.1 ** -((m - 0.5) / 12) for m in range(1, 37)])
    assert three_years["clv"][0] / three_years["expected_contribution"][0] == pytest.approx(factor, rel=1e-5)


def test_the_equation_of_the_lifetime_value(summary, choice, both):
    busy = summary.nlargest(1, "frequency")
    ends = [0, 30, 61, 91, 122, 152, 182, 213, 243, 274, 304, 335, 365]
    curve = [0.0, *(float(choice.transactions.expected_purchases(busy, end)[0]) for end in ends[1:])]
    spend = choice.spend.expected_spend(busy)["expected_spend"].iloc[0]
    expected = sum(
        (curve[m] - curve[m - 1]) * spend * 1.1 ** -((ends[m] + ends[m - 1]) / 2 / 365) for m in range(1, 13)
    )
    row = both[0].set_index("account").loc[busy["account"].iloc[0]]
    assert row["clv"] == pytest.approx(expected, rel=1e-9)


# Margins


def test_contribution_is_revenue_times_margin(few, choice):
    table = forecast.value(few, choice, margins=rates(few), n_draws=200)
    assert table["expected_contribution"].to_numpy() == pytest.approx(0.3 * table["expected_revenue"])
    assert (table["basis"] == "contribution").all()
    assert (table["margin_rate_se"] == 0.02).all()


def test_a_loss_is_a_negative_value(few, choice):
    margins = rates(few, rate=-0.2, p_negative=0.99)
    table, draws, _ = forecast.value_and_draws(few, choice, margins=margins, n_draws=200)
    assert (table["clv"] < 0).all()
    assert (table["lower"] <= table["upper"]).all()
    assert (table["expected_revenue"] > 0).all()
    assert (table["p_negative"] == 0.99).all()
    assert draws.drop(columns="account").sum().mean() < 0


def test_margins_of_other_accounts_are_refused(summary, choice):
    with pytest.raises(ModelError, match=r"1 of 2357 accounts have no margin \(first: 0001\)"):
        forecast.value(summary, choice, margins=rates(summary.iloc[1:]), n_draws=2)


# Draws


def test_cost_to_serve_is_spent_where_the_account_buys(few, choice):
    margins = rates(few).assign(cost_to_serve=40.0)
    table, draws, revenue = forecast.value_and_draws(few, choice, margins=margins, horizon_days=730, n_draws=400)
    buys = 1 - choice.transactions.probability_at_most(few.sort_values("account"), 0, 730)
    assert table["cost_to_serve"].to_numpy() == pytest.approx(80 * buys, abs=10)  # five standard errors of 400 draws
    margin = table["expected_revenue"] * 0.3
    assert table["expected_contribution"].to_numpy() == pytest.approx((margin - table["cost_to_serve"]).to_numpy())
    drawn, sold = draws.drop(columns="account").to_numpy(), revenue.drop(columns="account").to_numpy()
    assert (drawn[sold == 0] == 0).all()
    # Three standard errors of the company's mean over 400 draws.
    error = 3 * drawn.sum(axis=0).std() / 20
    assert drawn.sum(axis=0).mean() == pytest.approx(table["expected_contribution"].sum(), abs=error)


def test_cost_to_serve_is_not_taken_off_revenue(few, choice):
    margins = rates(few, rate=np.nan, error=np.nan, p_negative=np.nan).assign(cost_to_serve=40.0)
    table = forecast.value(few, choice, margins=margins, n_draws=100)
    assert (table["basis"] == "revenue").all()
    assert (table["cost_to_serve"] == 0).all()
    assert (table["expected_contribution"] == table["expected_revenue"]).all()


def test_what_selling_on_credit_takes_is_a_share_of_revenue(few, choice):
    owed = {"receivables_rate": 0.02, "loss_rate": [0.03] * (len(few) - 1) + [np.nan]}
    plain, net = (
        forecast.value_and_draws(few, choice, margins=m, n_draws=50) for m in (rates(few), rates(few).assign(**owed))
    )
    revenue = net[0]["expected_revenue"]
    loss = rates(few).assign(**owed).sort_values("account")["loss_rate"].to_numpy()
    assert net[0]["receivables_cost"].to_numpy() == pytest.approx(0.02 * revenue)
    assert net[0]["credit_loss"].to_numpy() == pytest.approx(loss * revenue, nan_ok=True)
    rate = 0.3 - 0.02 - np.nan_to_num(loss)
    assert net[0]["expected_contribution"].to_numpy() == pytest.approx(rate * revenue)
    # Draw by draw the same revenue brings so much less.
    sold = net[2].drop(columns="account").to_numpy()
    taken = plain[1].drop(columns="account").to_numpy() - net[1].drop(columns="account").to_numpy()
    assert taken == pytest.approx(sold * (0.02 + np.nan_to_num(loss))[:, None])
    assert plain[0][["receivables_cost", "credit_loss"]].isna().all(axis=None), "nobody knows, so nothing is claimed"


def test_draws_have_the_expected_contribution_as_mean(summary, choice):
    certain = replace(choice, level_sd=0.0)
    table, draws, _ = forecast.value_and_draws(summary, certain, margins=rates(summary), n_draws=400)
    totals = draws.drop(columns="account").sum()
    # Revenue's is exact; what is left is the luck of the margins' draws.
    assert totals.mean() == pytest.approx(table["expected_contribution"].sum(), rel=0.005)


def test_intervals_of_accounts_come_from_the_same_draws(few, choice):
    table, draws, _ = forecast.value_and_draws(few, choice, margins=rates(few), n_draws=200, level=0.8)
    values = draws.drop(columns="account").to_numpy()
    lower, upper = np.quantile(values, [0.1, 0.9], axis=1)
    assert table["contribution_lower"].to_numpy() == pytest.approx(lower)
    assert table["contribution_upper"].to_numpy() == pytest.approx(upper)


def test_the_totals_interval_holds_the_error_of_level(summary, choice):
    summary = summary.iloc[::3]
    spreads = {}
    for sd in (0.0, 0.2, 0.4):
        _, draws, _ = forecast.value_and_draws(summary, replace(choice, level_sd=sd), n_draws=500)
        spreads[sd] = np.log(draws.drop(columns="account").sum()).std()
    assert spreads[0.0] < 0.15  # what parameters and luck alone do to the total of 786 accounts
    # 500 draws give a standard deviation within 10 %.
    assert spreads[0.2] == pytest.approx(np.hypot(0.2, spreads[0.0]), rel=0.1)
    assert spreads[0.4] == pytest.approx(np.hypot(0.4, spreads[0.0]), rel=0.1)


def test_the_level_factor_has_mean_1():
    factor = level_error(0.5, 200_000, np.random.default_rng(0))
    assert factor.mean() == pytest.approx(1.0, abs=0.005)  # four standard errors
    assert np.log(factor).std() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("wanted", "accounts", "kept"),
    [
        (500, 0, 500),
        (500, 200_000, 500),
        (500, 250_000, 400),
        (500, 1_000_000, 100),
        (500, 5_000_000, 100),
        (30, 5, 30),
    ],
)
def test_of_many_accounts_fewer_draws_are_kept(wanted, accounts, kept):
    assert forecast.affordable_draws(wanted, accounts) == kept


def test_the_same_seed_gives_the_same_table(few, choice):
    first, second, other = (forecast.value_and_draws(few, choice, n_draws=50, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first[0], second[0])
    pd.testing.assert_frame_equal(first[1], second[1])
    assert not first[1].equals(other[1])


def test_rows_may_come_in_any_order(few, choice):
    shuffled = few.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(forecast.value(few, choice, n_draws=20), forecast.value(shuffled, choice, n_draws=20))


# Order values


def trending(slope, error, days=8, trailing_days=4, largest=30.0, last="2024-12-31"):
    table = full(
        pd.DataFrame(
            {
                "account": ["A"],
                "frequency": [days - 1],
                "recency": [90.0],
                "T": [100.0],
                "monetary_value": 50.0,
                "first_value": 50.0,
            }
        )
    )
    return table.assign(
        order_value_trend=slope,
        order_value_trend_se=error,
        trailing_order_value=20.0,
        trailing_purchase_days=trailing_days,
        trailing_largest_order=largest,
        last_purchase=pd.Timestamp(last),
    )


def test_order_values_that_trend_are_taken_from_the_trailing_year(choice):
    row = order_values(trending(-0.5, 0.1), choice.spend).iloc[0]
    assert row["spend_basis"] == "trailing"
    assert row["expected_spend"] == pytest.approx(20.0)
    assert row["orders"] == 4


@pytest.mark.parametrize(
    "table",
    [
        trending(-0.5, 0.3),
        trending(-0.5, 0.1, days=5),
        trending(-0.5, 0.1, trailing_days=0),
        trending(-0.5, 0.1, largest=41.0),  # more than half of 4 × 20
        trending(-0.5, 0.1, last="2023-12-31"),  # all within a year
    ],
)
def test_a_weak_lumpy_or_short_trend_or_a_silent_year_leaves_the_model(choice, table):
    row = order_values(table, choice.spend).iloc[0]
    assert row["spend_basis"] == "model"
    assert row["expected_spend"] == pytest.approx(choice.spend.expected_spend(table)["expected_spend"].iloc[0])


def test_a_one_order_account_uses_that_order(both, summary):
    one = both[0][(summary.sort_values("account")["frequency"] == 0).to_numpy()]
    paid = one["expected_spend"] > 0
    assert set(one.loc[paid, "spend_basis"]) == {"first_order", "model"}
    assert (one["spend_basis"] == "first_order").mean() > 0.99  # the rest got their first order free


def test_returns_on_other_days_lower_spend_towards_the_companys(choice):
    table = pd.concat([trending(0.0, 1.0).assign(account=a) for a in ("A", "B")], ignore_index=True)
    table.loc[0, "revenue"] = 200.0  # of 400 bought half came back; the company keeps 600 of 800
    kept = order_values(table, choice.spend)["kept_share"]
    assert kept.to_numpy() == pytest.approx([(8 * 0.5 + 10 * 0.75) / 18, (8 * 1.0 + 10 * 0.75) / 18])
    without = order_values(table.assign(revenue=400.0), choice.spend)
    spend = order_values(table, choice.spend)["expected_spend"]
    assert spend.to_numpy() == pytest.approx(without["expected_spend"] * kept)


def falling_log(n=35, yearly=0.6):
    """Four years of an order every 30 days, whose value falls by 40 % a year."""
    rng = np.random.default_rng(17)
    end = pd.Timestamp("2024-12-31")
    rows = []
    for i in range(n):
        day = int(rng.integers(0, 30))
        level = 1000 * rng.gamma(4.0, 0.25)
        while day < 4 * 365:
            value = level * yearly ** (day / 365) * rng.gamma(25.0, 1 / 25)
            rows.append((f"A{i:03d}", end - pd.Timedelta(days=4 * 365 - 1 - day), round(value, 2)))
            day += 30
    return pd.DataFrame(rows, columns=["account", "date", "amount"])


def test_falling_order_values_are_not_forecast_above_the_trailing_year():
    frame = falling_log()
    ledger = kl.read_ledger(frame, columns={name: name for name in frame.columns})
    period = kl.StudyPeriod("2024-12-31")
    summary = kl.summarize(ledger, period)
    fitted = backtest.choose(ledger, period, origins=0, forecaster="bg_nbd")
    table = forecast.value(summary, fitted, n_draws=100)
    assert (table["spend_basis"] == "trailing").all()
    # A year holds 12 or 13 of these orders, and the model expects 12.2 of everybody.
    assert (table["expected_revenue"] <= 1.1 * summary["trailing_revenue"]).all()
    assert table["expected_revenue"].sum() <= 1.03 * summary["trailing_revenue"].sum()
    # Taken at the mean of all its orders, the company would be promised more than half as much again.
    usual = fitted.spend.expected_spend(summary)["expected_spend"] * table["expected_purchases"]
    assert usual.sum() > 1.5 * summary["trailing_revenue"].sum()


# Without money


def test_without_money_purchases_are_forecast_and_value_columns_are_missing(few, choice):
    table, draws, _ = forecast.value_and_draws(few, replace(choice, spend=None, level_sd=0.0), n_draws=400)
    assert list(table.columns) == COLUMNS
    assert (table["basis"] == "purchases").all()
    money = ["expected_spend", "expected_revenue", "expected_contribution", "clv", "lower", "upper", "margin_rate"]
    assert table[money].isna().all(axis=None)
    totals = draws.drop(columns="account").sum()
    assert totals.mean() == pytest.approx(table["expected_purchases"].sum())


@pytest.mark.parametrize(
    "options",
    [{"horizon_days": 0}, {"discount_rate_annual": -1.0}, {"level": 1.0}, {"n_draws": 0}],
)
def test_impossible_options_are_refused(few, choice, options):
    with pytest.raises(ModelError, match=next(iter(options))):
        forecast.value(few, choice, **options)
