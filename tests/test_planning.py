"""Targets by the day, quarters of the fiscal year, assumed gains and proposed targets: against numbers made by hand."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamlab import gains, planning, targets
from kamlab.buying import sold_between
from kamlab.config import Planning
from kamlab.figures import quarters
from kamlab.i18n import Translator
from kamlab.ledger import read_ledger
from kamlab.period import StudyPeriod, fiscal_quarters
from kamlab.totals import COMPANY

EVEN = np.full(12, 1 / 12)
YEAR = (date(2025, 1, 1), date(2025, 12, 31))


def rows(*found):
    columns = ["start", "end", "amount", "owner", "product_line", "account", "region", "set_on"]
    table = pd.DataFrame([{**dict.fromkeys(columns), **row} for row in found], columns=columns)
    return table.astype(
        {"start": "datetime64[s]", "end": "datetime64[s]", "set_on": "datetime64[s]", "amount": "float64"}
    )


def of_2025(amount, **keys):
    return {"start": "2025-01-01", "end": "2025-12-31", "amount": amount, **keys}


def plan_of(table, windows, shares=EVEN, **options):
    return planned_as_dict(planning.planned(table, windows, shares, **options))


def planned_as_dict(found):
    return {(row.kind, row.group, row.window): row.plan for row in found.itertuples()}


@pytest.mark.parametrize(
    ("as_of", "first_month", "first", "last"),
    [
        (date(2025, 12, 31), 1, (date(2025, 1, 1), date(2025, 3, 31)), (date(2025, 10, 1), date(2025, 12, 31))),
        (date(2025, 3, 31), 4, (date(2024, 4, 1), date(2024, 6, 30)), (date(2025, 1, 1), date(2025, 3, 31))),
        (date(2025, 4, 1), 4, (date(2025, 4, 1), date(2025, 6, 30)), (date(2026, 1, 1), date(2026, 3, 31))),
        (date(2024, 2, 29), 12, (date(2023, 12, 1), date(2024, 2, 29)), (date(2024, 9, 1), date(2024, 11, 30))),
    ],
)
def test_fiscal_quarters_begin_in_the_configured_month(as_of, first_month, first, last):
    quarters = fiscal_quarters(as_of, first_month)
    assert (quarters[0], quarters[-1], len(quarters)) == (first, last, 4)
    assert fiscal_quarters(as_of, first_month, years=2)[4:] == quarters


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 12))
def test_fiscal_quarters_hold_the_day_and_join_without_a_gap(as_of, first_month):
    quarters = fiscal_quarters(as_of, first_month)
    assert quarters[0][0].month == first_month
    assert quarters[0][0] <= as_of <= quarters[-1][1]
    assert all((b[0] - a[1]).days == 1 for a, b in pairwise(quarters))


def test_a_year_is_spread_by_the_season():
    shares = np.array([3.0, *[1.0] * 11]) / 14
    january, year = (date(2025, 1, 1), date(2025, 1, 31)), YEAR
    found = plan_of(rows(of_2025(1400)), [january, year], shares)
    assert found == {(COMPANY, COMPANY, 0): pytest.approx(300), (COMPANY, COMPANY, 1): pytest.approx(1400)}


def test_seasons_come_from_the_years_before():
    months = pd.DataFrame({"month": pd.date_range("2023-01-01", "2025-12-01", freq="MS"), "revenue": 10.0})
    months.loc[months["month"].dt.year == 2025, "revenue"] = 1e9  # what came later must not spread the plan
    months.loc[months["month"].dt.month == 6, "revenue"] = 40.0
    shares = planning.seasons(months, before=date(2025, 1, 1))
    assert shares[5] == pytest.approx(40 / 150)
    assert shares[0] == pytest.approx(10 / 150)
    assert planning.seasons(months, before=date(2023, 12, 1)).tolist() == EVEN.tolist()
    assert planning.seasons(months.iloc[:0], before=date(2023, 12, 1)).tolist() == EVEN.tolist()


def test_a_shorter_and_then_a_later_target_counts():
    half = {"start": "2025-07-01", "end": "2025-12-31", "amount": 100, "owner": "Li"}
    revised = of_2025(2400, owner="Li", set_on="2025-02-01")
    table = rows(half, revised, of_2025(1200, owner="Li", set_on="2024-12-01"))
    halves = [(date(2025, 1, 1), date(2025, 6, 30)), (date(2025, 7, 1), date(2025, 12, 31))]
    assert plan_of(table, halves) == {("owner", "Li", 0): pytest.approx(1200), ("owner", "Li", 1): pytest.approx(100)}


def test_a_target_of_an_owner_in_a_line_counts_for_both_unless_one_has_its_own():
    table = rows(
        of_2025(60, owner="Li", product_line="Food"),
        of_2025(40, owner="Li", product_line="Feed"),
        of_2025(70, owner="Wu", product_line="Food"),
        of_2025(90, owner="Wu"),
    )
    assert plan_of(table, [YEAR]) == {
        ("owner", "Li", 0): pytest.approx(100),
        ("owner", "Wu", 0): pytest.approx(90),
        ("product_line", "Feed", 0): pytest.approx(40),
        ("product_line", "Food", 0): pytest.approx(130),
    }


def test_targets_of_a_groups_members_are_added_up():
    units = pd.Series({"a": "G", "b": "G", "c": "c"})
    table = rows(of_2025(10, account="a"), of_2025(5, account="b"), of_2025(1, account="c"))
    assert plan_of(table, [YEAR], units=units) == {("account", "G", 0): 15.0, ("account", "c", 0): 1.0}


def test_the_company_s_own_target_stands_before_the_sum_of_the_owners():
    table = rows(of_2025(60, owner="Li"), of_2025(40, owner="Wu"))
    assert planning.company_plan(planning.planned(table, [YEAR], EVEN), 0) == (pytest.approx(100), "owner")
    both = pd.concat([table, rows(of_2025(150))])
    plan = planning.planned(both, [YEAR], EVEN)
    assert planning.company_plan(plan, 0) == (pytest.approx(150), COMPANY)
    assert planning.set_sums(plan, 0) == {COMPANY: pytest.approx(150), "owner": pytest.approx(100)}


def test_a_plan_of_half_the_days_is_held_against_nothing():
    table = rows({"start": "2025-07-01", "end": "2025-12-31", "amount": 100})
    assert planning.company_plan(planning.planned(table, [YEAR], EVEN), 0) is None
    assert planning.planned(rows(), [YEAR], EVEN).empty


LOG = pd.DataFrame(
    [
        ("a", "2024-02-29", "p", "Food", 10, 100.0),
        ("a", "2025-02-10", "p", "Food", 8, 120.0),
        ("a", "2025-02-11", "q", "Feed", 2, 30.0),
        ("b", "2025-05-01", "q", None, None, 7.0),
        (None, "2025-06-30", "q", "Feed", 1, 5.0),
        ("a", "2025-07-02", "p", "Food", 1, 999.0),
    ],
    columns=["account", "date", "product", "product_line", "quantity", "amount"],
)
QUARTERS = [(date(2025, 1, 1), date(2025, 3, 31)), (date(2025, 4, 1), date(2025, 6, 30))]


@pytest.fixture(scope="module")
def ledger():
    return read_ledger(LOG, columns={name: name for name in LOG})


def test_what_was_sold_between_two_days(ledger):
    period = StudyPeriod(date(2025, 6, 30))
    found = sold_between(ledger, period, [*QUARTERS, (date(2025, 2, 11), date(2025, 12, 31))])
    found = found.astype(object).where(found.notna(), None)
    assert found.values.tolist() == [
        [0, "a", "Feed", 30.0, 2.0],
        [0, "a", "Food", 120.0, 8.0],
        [1, "b", None, 7.0, None],
        [1, None, "Feed", 5.0, 1.0],
        # Nothing after the as-of date is read, whatever the window.
        [2, "a", "Feed", 30.0, 2.0],
        [2, "b", None, 7.0, None],
        [2, None, "Feed", 5.0, 1.0],
    ]


def test_quarters_against_plan_and_last_year(ledger):
    before = [planning.year_before(*quarter) for quarter in QUARTERS]
    assert before == [(date(2024, 1, 1), date(2024, 3, 31)), (date(2024, 4, 1), date(2024, 6, 30))]
    sold = sold_between(ledger, StudyPeriod(date(2025, 6, 30)), [*QUARTERS, *before])
    plan = planning.planned(rows(of_2025(365 * 2), of_2025(365, owner="Li")), QUARTERS, EVEN)
    owner = pd.Series({"a": "Li", "b": "Wu"})
    table = planning.quarterly(plan, sold, QUARTERS, {"owner": owner}, first_day=date(2024, 1, 10))
    company = table[table["kind"] == COMPANY]
    assert company["actual"].tolist() == [150.0, 12.0]
    assert company["plan"].tolist() == pytest.approx([182.5, 182.5])
    assert company["difference"].tolist() == pytest.approx([-32.5, -170.5])
    assert company["last_year"].tolist() == [100.0, 0.0]
    wu = table[table["group"] == "Wu"]
    assert wu["actual"].tolist() == [0.0, 7.0]
    assert wu["plan"].isna().all()
    assert table[(table["kind"] == "product_line") & (table["group"] == planning.OTHER)]["actual"].tolist() == [
        0.0,
        7.0,
    ]
    late = planning.quarterly(plan, sold, QUARTERS, {}, first_day=date(2024, 2, 29))
    assert late[late["kind"] == COMPANY]["last_year"].isna().tolist() == [True, False]


def test_nothing_sold_in_two_years_is_drawn_and_said(ledger):
    late = [(date(2028, 1, 1), date(2028, 3, 31))]
    windows = [*late, planning.year_before(*late[0])]
    sold = sold_between(ledger, StudyPeriod(date(2028, 3, 31)), windows)
    plan = planning.planned(rows(), windows, EVEN)
    groups = {"owner": pd.Series({"a": "Li"})}
    table = planning.quarterly(plan, sold, late, groups, first_day=date(2024, 2, 29))
    assert table[["kind", "actual", "last_year"]].values.tolist() == [[COMPANY, 0.0, 0.0]]
    t = Translator("en")
    assert quarters.draw(table, t) is not None
    assert quarters.title(table, t) == "Revenue by fiscal quarter; no plan is given"
    future = pd.DataFrame({"account": ["a"], "expected_revenue": [0.0]})
    draws = pd.DataFrame({"account": ["a"], "d0": [0.0]})
    rooms = gains.room(ACCOUNTS.head(1))
    found = targets.propose(future, draws, rooms, sold[sold["window"] == 0], groups, shares={}, plan=plan)
    assert found.loc[found["kind"] == COMPANY, ["trailing", "forecast", "target"]].values.tolist() == [[0, 0, 0]]


def test_the_year_before_the_end_of_february():
    assert planning.year_before(date(2024, 1, 1), date(2024, 2, 29)) == (date(2023, 1, 1), date(2023, 2, 28))
    assert planning.year_before(date(2025, 1, 1), date(2025, 2, 28)) == (date(2024, 1, 1), date(2024, 2, 29))


ACCOUNTS = pd.DataFrame(
    {
        "account": list("abcde"),
        "strategy": ["promote", "win_back", "win_back", "acquire", "retain"],
        "strategy_rule": ["promote", "win_back.silent", "win_back.shrinking", "acquire", "retain"],
        "potential_revenue": [500.0, np.nan, np.nan, 80.0, np.nan],
        "expected_revenue": [200.0, 10.0, 60.0, np.nan, 90.0],
        "peak_revenue": [250.0, 110.0, 130.0, np.nan, 100.0],
        "prior_peak_revenue": [240.0, 105.0, 120.0, np.nan, 95.0],
        "p_alive": [1.0, 0.1, 0.9, np.nan, 0.9],
        "margin_rate": [0.5, 0.2, -0.1, np.nan, 0.4],
    }
)


def test_the_room_of_each_strategy():
    found = gains.room(ACCOUNTS).set_index("account")
    # promote 500 − 200; silent: best of 36 months 110 − 10; shrinking: best before 120 − 60; retain: 100 × (1 − 0.9)
    assert found["room"].to_dict() == pytest.approx({"a": 300, "b": 100, "c": 60, "d": 80, "e": 10})
    usual = (0.5 * 200 + 0.2 * 10 - 0.1 * 60 + 0.4 * 90) / 360
    expected = {"a": 150, "b": 20, "c": 0, "d": 80 * usual, "e": 4}
    assert found["room_contribution"].to_dict() == pytest.approx(expected)


def test_gains_lie_between_least_and_most_and_one_error_is_everybodys():
    shares = {"promote": (0.1, 0.2, 0.6), "win_back": (0.5, 0.5, 0.5)}
    rooms = gains.room(ACCOUNTS)
    assert gains.likely(rooms, shares).tolist() == pytest.approx([300 * 0.3, 50, 30, 0, 0])
    drawn = gains.share_draws(shares, n_draws=20_000, seed=1)
    groups = pd.Series(["x", "x", "y", "y", "y"])
    found = gains.gain_draws(rooms, groups, drawn)
    assert (found.loc["y"] == 30).all()
    x = found.loc["x"] - 50
    assert 30 <= x.min() <= x.max() <= 180
    assert x.mean() == pytest.approx(90, rel=0.01)
    # Variance of a triangular distribution: (a² + b² + c² − ab − ac − bc) / 18.
    assert (x / 300).var() == pytest.approx((0.01 + 0.04 + 0.36 - 0.02 - 0.06 - 0.12) / 18, rel=0.03)
    table = gains.by_strategy(rooms, drawn, shares).set_index("strategy")
    assert table.loc["all", "gain"] == pytest.approx(150 * 0.3 + 20 * 0.5)
    assert table.loc["win_back", ["lower", "upper"]].tolist() == [10, 10]


def proposed(plan=None, **options):
    draws = pd.DataFrame({"account": ["a", "b"], "d0": [0.0, 100.0], "d1": [100.0, 0.0], "d2": [200.0, 200.0]})
    # Draws of an account that is not forecast count nowhere.
    draws.loc[2] = ["z", 1e9, 1e9, 1e9]
    future = pd.DataFrame({"account": ["a", "b"], "expected_revenue": [100.0, 100.0]})
    rooms = gains.room(ACCOUNTS[ACCOUNTS["account"].isin(["a", "d"])])
    sold = pd.DataFrame(
        {
            "account": ["a", "a", "b", None],
            "product_line": ["Food", "Feed", "Food", "Feed"],
            "revenue": [75.0, 25.0, 40.0, 9.0],
            "quantity": [15.0, np.nan, 10.0, 1.0],
        }
    )
    groups = {"owner": pd.Series({"a": "Li", "b": "Li", "d": "Wu"})}
    empty = planning.planned(rows(), [YEAR], EVEN)
    shares = {"promote": (0.1, 0.1, 0.1), "acquire": (0.5, 0.5, 0.5)}
    plan = empty if plan is None else plan
    return targets.propose(future, draws, rooms, sold, groups, shares=shares, plan=plan, **options)


def test_quantiles_are_those_of_sums_of_draws():
    table = proposed().set_index(["kind", "group"])
    # Draws of the two together: 100, 100, 400; of a alone 0, 100, 200.
    li = table.loc[("owner", "Li")]
    assert (li["forecast"], li["p50"], li["accounts"]) == (200, 100, 2)
    assert li["p80"] == pytest.approx(np.quantile([100, 100, 400], 0.8))
    assert table.loc[("account", "a"), "p50"] == 100
    company = table.loc[(COMPANY, COMPANY)]
    # a: a tenth of 300; d, a prospect: half of 80.
    assert company[["gain", "gain_lower", "gain_upper"]].tolist() == pytest.approx([70, 70, 70])
    assert company["target"] == pytest.approx(270)
    assert company["stretch"] == pytest.approx(company["p80"] + 70)
    wu = table.loc[("owner", "Wu")]
    assert (wu["forecast"], wu["p80"], wu["gain"], wu["trailing"]) == (0, 0, 40, 0)


def test_product_lines_share_the_forecast_as_they_shared_the_last_year():
    table = proposed()
    lines = table[table["kind"] == "product_line"].set_index("group")
    assert lines["forecast"].to_dict() == pytest.approx({"Feed": 25, "Food": 175, planning.OTHER: 0})
    assert lines["forecast"].sum() == pytest.approx(200)
    assert lines["gain"].sum() == pytest.approx(70)
    # Food: 115 for 25 units; Feed has a line without a quantity.
    assert lines.loc["Food", "price"] == pytest.approx(4.6)
    assert lines.loc["Food", "quantity"] == pytest.approx(lines.loc["Food", "target"] / 4.6)
    assert np.isnan(lines.loc["Feed", "price"])


def test_the_chance_of_a_target_with_and_without_the_gain():
    plan = planning.planned(rows(of_2025(150, owner="Li"), of_2025(20, owner="Gone")), [YEAR], EVEN)
    table = proposed(plan).set_index(["kind", "group"])
    li = table.loc[("owner", "Li")]
    assert li["chance"] == pytest.approx(1 / 3)
    assert li["chance_with_gain"] == pytest.approx(1 / 3)
    easier = planning.planned(rows(of_2025(130, owner="Li")), [YEAR], EVEN)
    li = proposed(easier).set_index(["kind", "group"]).loc[("owner", "Li")]
    assert (li["chance"], li["chance_with_gain"]) == (pytest.approx(1 / 3), 1.0)
    # A target of somebody who has no accounts is shown, not dropped.
    gone = table.loc[("owner", "Gone")]
    assert (gone["plan"], gone["accounts"], gone["chance"]) == (pytest.approx(20), 0, 0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gain": {"promot": (0, 0.1, 0.2)}}, 'no strategy "promot". Did you mean "promote"'),
        ({"gain": {"retain": (0.3, 0.1, 0.2)}}, "must rise"),
        ({"effort_elasticity": (0.3, 0.5, 1.0)}, "stay under 1"),
    ],
)
def test_impossible_assumptions_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Planning(**settings)
