import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from kamlab import margins
from kamlab.errors import DataError, ModelError
from kamlab.period import StudyPeriod

ON_CREDIT = ["receivables_rate", "loss_rate"]


def summary(rows):
    """(costed_revenue, margin, margin_rate_var, costed_lines) by row; every account bought last year."""
    table = pd.DataFrame(rows, columns=["costed_revenue", "margin", "margin_rate_var", "costed_lines"], dtype=float)
    table.insert(0, "account", [f"A{i:03d}" for i in range(len(table))])
    return table.assign(trailing_purchase_days=3)


def alike(n, rate=0.3, lines=50, var=0.01):
    return [(1000.0, 1000.0 * rate, var, lines)] * n


def test_hand_computed_credibility():
    # Two accounts of 100 lines, rates 20 % and 40 %, variance of lines 0.0099 → unbiased 0.01.
    # Σw(m − m̄)² = 100·.1²·2 = 2; less 0.01 · 1; over W − Σw²/W = 100: τ² = 0.0199. k = .01/.0199 → the floor of 5.
    table = margins.rates(summary([(1000, 200, 0.0099, 100), (1000, 400, 0.0099, 100)]))
    z = 100 / 105
    assert table["margin_rate"].to_numpy() == pytest.approx([z * 0.2 + (1 - z) * 0.3, z * 0.4 + (1 - z) * 0.3])
    own_variance = (100 * 0.0099 + 5 * 0.01) / 105
    error = np.sqrt(z**2 * own_variance / 100 + (1 - z) ** 2 * 0.0199)
    assert table["margin_rate_se"].to_numpy() == pytest.approx([error, error])
    assert table["p_negative"].to_numpy() == pytest.approx(norm.cdf(-table["margin_rate"] / error))


def test_two_bad_lines_make_no_minus_80_percent():
    table = margins.rates(summary([*alike(40), (100.0, -80.0, 0.01, 2)]))
    bad = table.iloc[-1]
    assert bad["margin_rate"] > -0.1
    assert bad["margin_rate_se"] > 2 * table["margin_rate_se"].iloc[0]


def test_many_bad_lines_are_believed():
    table = margins.rates(summary([*alike(40), (5000.0, -1000.0, 0.01, 200)]))
    assert table["margin_rate"].iloc[-1] == pytest.approx(-0.19, abs=0.02)  # −20 %, a little shrunk
    assert table["p_negative"].iloc[-1] > 0.99
    assert (table["p_negative"].iloc[:-1] < 0.01).all()


def test_silence_is_no_loss():
    table = summary([*alike(40), (5000.0, -1000.0, 0.01, 200)])
    table.loc[40, "trailing_purchase_days"] = 0
    rates = margins.rates(table)
    assert rates["margin_rate"].iloc[-1] < 0
    assert rates["p_negative"].iloc[-1] == 0.0


# Selling on credit


def test_what_selling_on_credit_takes_makes_a_thin_margin_a_loss():
    table = summary(alike(12, rate=0.05, lines=50, var=0.01))
    plain = margins.rates(table)
    owed = pd.DataFrame(
        {"account": table["account"][:2], "receivables_rate": [0.02, 0.02], "loss_rate": [0.04, np.nan]}
    )
    rates = margins.rates(table, receivables=owed)
    pd.testing.assert_frame_equal(rates[["margin_rate", "margin_rate_se"]], plain[["margin_rate", "margin_rate_se"]])
    error = rates["margin_rate_se"].iloc[0]
    # 5 % less 6 % for the first; less 2 %, as the loss is not known, for the second; nothing is known of the others.
    assert rates["p_negative"].iloc[:3].to_numpy() == pytest.approx(
        norm.cdf(np.array([0.06, 0.02, 0.0]) / error - 0.05 / error)
    )
    assert rates.loc[0, ON_CREDIT].tolist() == [0.02, 0.04]
    assert rates[ON_CREDIT].iloc[2:].isna().all(axis=None)
    assert plain[ON_CREDIT].isna().all(axis=None)


def test_credit_costs_come_on_top_of_service():
    table = summary(alike(12, rate=0.05)).assign(trailing_revenue=200.0)
    owed = pd.DataFrame({"account": table["account"], "receivables_rate": 0.01, "loss_rate": 0.01})
    served = pd.Series(4.0, index=table["account"])
    row = margins.rates(table, costs=served, receivables=owed).iloc[0]
    # 4 of 200 are 2 %, and 1 % and 1 % more.
    assert row["p_negative"] == pytest.approx(norm.cdf((0.04 - 0.05) / row["margin_rate_se"]))


# Cost to serve

COSTS = pd.DataFrame(
    {
        "account": ["B", "A", "B", "C", "A"],
        "date": ["2024-01-01", "2024-12-31", "2024-06-30", "2023-12-31", "2025-01-01"],
        "amount": [10.0, 5.5, 20.0, 99.0, 77.0],
    }
)


def test_cost_to_serve_of_the_last_12_months_by_hand():
    # 2024 is a leap year: its first day lies 366 days back.
    found = margins.cost_to_serve(COSTS, StudyPeriod("2024-12-31"))
    assert found.to_dict() == {"A": 5.5, "B": 20.0}
    groups = pd.DataFrame({"member": ["A", "B"], "account": ["G", "G"]})
    assert margins.cost_to_serve(COSTS, StudyPeriod("2024-12-30"), accounts=groups).to_dict() == {"G": 30.0}


def test_costs_that_cannot_be_counted_are_named():
    wrong = COSTS.assign(amount=["10", "x", "20", "1", "2"], account=["B", "A", None, "C", "A"])
    with pytest.raises(DataError, match=r"2 of 5 costs .* \(first, counted from 0: 1, 2\)"):
        margins.cost_to_serve(wrong, StudyPeriod("2024-12-31"))


def test_loss_is_margin_less_cost_to_serve():
    table = summary(alike(40)).assign(trailing_revenue=1000.0)
    plain = margins.rates(table).iloc[0]
    costs = pd.Series({"A001": 100.0, "A002": 1000 * plain["margin_rate"], "A003": 600.0})
    rates = margins.rates(table, costs=costs)
    assert rates["cost_to_serve"].tolist()[:5] == [0.0, 100.0, costs["A002"], 600.0, 0.0]
    expected = norm.cdf((rates["cost_to_serve"] / 1000 - plain["margin_rate"]) / plain["margin_rate_se"])
    assert rates["p_negative"].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert rates["p_negative"].iloc[2] == pytest.approx(0.5)
    assert rates[["margin_rate", "margin_rate_se"]].equals(margins.rates(table)[["margin_rate", "margin_rate_se"]])


def test_service_without_net_revenue_is_a_loss_but_silence_is_none():
    table = summary(alike(40)).assign(trailing_revenue=[-50.0, 0.0, *[1000.0] * 38])
    table.loc[1, "trailing_purchase_days"] = 0
    rates = margins.rates(table, costs=pd.Series({"A000": 10.0, "A001": 10.0}))
    assert rates["p_negative"].tolist()[:2] == [1.0, 0.0]


def test_without_costs_everything_is_missing():
    rates = margins.rates(summary([(0.0, 0.0, np.nan, 0)] * 3))
    assert rates["account"].tolist() == ["A000", "A001", "A002"]
    assert rates[["margin_rate", "margin_rate_se", "p_negative"]].isna().all(axis=None)


def test_an_account_without_costs_takes_its_groups_rate():
    rows = [*alike(10, rate=0.1), *alike(10, rate=0.5), (0.0, 0.0, np.nan, 0), (0.0, 0.0, np.nan, 0)]
    table = summary(rows)
    channel = ["dealer"] * 10 + ["factory"] * 10 + ["factory", None]
    rates = margins.rates(table, groups=pd.Series(channel, index=table["account"]))
    assert rates["margin_rate"].iloc[-2:].to_numpy() == pytest.approx([0.5, 0.3])
    assert margins.rates(table)["margin_rate"].iloc[-2:].to_numpy() == pytest.approx([0.3, 0.3])
    assert rates.drop(columns=ON_CREDIT).notna().all(axis=None)


def test_a_small_group_takes_the_company_rate():
    table = summary([*alike(40, rate=0.3), *alike(2, rate=0.9, lines=1)])
    groups = pd.Series(["dealer"] * 40 + ["rare"] * 2, index=table["account"])
    rates = margins.rates(table, groups=groups)
    company = (40 * 300 + 2 * 900) / 42_000
    # One line against a prior of at least five: at most a sixth of the way to its own rate.
    assert rates["margin_rate"].iloc[-1] <= company + (0.9 - company) / 6 + 1e-12


def test_equal_margins_everywhere_leave_no_doubt():
    gains, losses = margins.rates(summary(alike(5, var=0.0))), margins.rates(summary(alike(5, rate=-0.1, var=0.0)))
    assert gains["p_negative"].tolist() == [0.0] * 5
    assert losses["p_negative"].tolist() == [1.0] * 5


def test_rates_are_recovered_and_their_errors_are_honest():
    rng = np.random.default_rng(6)
    truth = rng.normal(0.2, 0.08, 600)
    lines = rng.integers(1, 60, 600)
    rows = []
    for rate, n in zip(truth, lines, strict=True):
        sample = rng.normal(rate, 0.15, n)
        rows.append((100.0 * n, 100.0 * sample.sum(), sample.var(), n))
    rates = margins.rates(summary(rows))
    off = (rates["margin_rate"] - truth) / rates["margin_rate_se"]
    # Three binomial standard errors of 600 accounts.
    assert (off.abs() < 1.645).mean() == pytest.approx(0.90, abs=0.037)
    own = np.array([row[1] / row[0] for row in rows])
    assert ((rates["margin_rate"] - truth) ** 2).mean() < 0.8 * ((own - truth) ** 2).mean()


def money(lowest, highest):
    """Amounts as the ledger holds them, with four decimals."""
    return st.floats(lowest, highest).map(lambda amount: round(amount, 4))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(money(-1e6, 1e9), money(-1e9, 1e9), st.floats(0, 4), st.integers(0, 500)),
        min_size=1,
        max_size=12,
    )
)
def test_rates_are_finite_and_within_bounds(rows):
    rates = margins.rates(summary(rows))
    if rates["margin_rate"].notna().any():
        assert rates.drop(columns=ON_CREDIT).notna().all(axis=None)
        assert (rates["margin_rate_se"] >= 0).all()
        assert rates["p_negative"].between(0, 1).all()


def test_missing_columns_are_named():
    with pytest.raises(ModelError, match='"costed_lines"'):
        margins.rates(summary(alike(3)).drop(columns="costed_lines"))
