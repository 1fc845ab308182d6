import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kamlab import schemes, terms, tiers
from kamlab.schemes import rfm
from kamlab.schemes.registry import by_cumulative_share

FIXED = dict.fromkeys(schemes.AXES, (5e6, 10e6))
DOCUMENTED = [c.name for c in terms.TABLES["schemes"] if c.name != "…"]
FITTED = {"contribution": tiers.by_hand((1e6, 4e6)), "potential": tiers.by_hand((2e6, 30e6))}
TABLE = pd.DataFrame(
    {
        "account": ["d", "a", "b", "c", "p"],
        "expected_contribution": [-1e6, 10e6, 5e6, 1.5e6, np.nan],
        "trailing_revenue": [4e6, 10e6, 5e6, 1.5e6, np.nan],
        "potential_revenue": [np.nan, 50e6, 20e6, 10e6, 8e6],
    }
)


def test_both_schemes_class_every_account_side_by_side():
    table = schemes.assign(TABLE, FITTED, FIXED)
    assert list(table.columns) == DOCUMENTED
    table = table.set_index("account").astype(object).where(lambda t: t.notna(), None)
    assert list(table.index) == ["a", "b", "c", "d", "p"]
    assert list(table["contribution_class_fixed"]) == [
        "High",
        "Mid",
        "Low",
        "Low",
        None,
    ]  # exactly 10 M is High
    assert list(table["contribution_class"]) == ["High", "High", "Mid", "Low", None]
    assert list(table["potential_class_fixed"]) == ["High", "High", "High", None, "Mid"]
    assert list(table["potential_class"]) == ["High", "Mid", "Mid", None, "Mid"]


def test_an_axis_without_borders_has_no_classes():
    table = schemes.assign(TABLE, {"contribution": FITTED["contribution"]}, FIXED)
    assert table["potential_class"].isna().all()
    assert table["potential_class_fixed"].notna().sum() == 4


def test_the_cross_table_counts_every_classed_account_once_with_its_money():
    table = schemes.assign(TABLE, FITTED, FIXED)
    money = TABLE.set_index("account")["expected_contribution"]
    cells = schemes.crosstab(table, "contribution", money=money)
    assert list(zip(cells["fixed"], cells["fitted"], strict=True))[:4] == [
        ("Low", "Low"),
        ("Low", "Mid"),
        ("Low", "High"),
        ("Mid", "Low"),
    ]
    filled = cells[cells["accounts"] > 0].set_index(["fixed", "fitted"])
    assert filled["accounts"].to_dict() == {
        ("Low", "Low"): 1,
        ("Low", "Mid"): 1,
        ("Mid", "High"): 1,
        ("High", "High"): 1,
    }
    assert filled["money"].to_dict() == {
        ("Low", "Low"): -1e6,
        ("Low", "Mid"): 1.5e6,
        ("Mid", "High"): 5e6,
        ("High", "High"): 10e6,
    }
    assert filled["moves"].tolist() == ["stays", "up", "up", "stays"]
    assert cells["moves"].value_counts().to_dict() == {"stays": 3, "up": 3, "down": 3}
    assert schemes.crosstab(table, "potential", money=money)["accounts"].sum() == 4


def test_a_scheme_without_its_columns_is_left_out_and_named():
    lacking = schemes.left_out(TABLE)
    assert "fitted_000" not in lacking
    assert lacking["territory_002"] == ("territory",)
    assert lacking["attitude_004"] == ("attitude_score",)
    assert lacking["credit_performance_004"] == ("credit_002",)
    assert lacking["abc_002"] == ("p_buys_90", "expected_purchases", "expected_quantity")
    # a column in which nobody holds a value is no data either
    assert schemes.left_out(TABLE.assign(territory=None))["territory_002"] == ("territory",)
    applied = schemes.apply(TABLE, FITTED, FIXED)
    left_out = applied.listing[applied.listing["lacks"] != ""].set_index("column")
    assert not left_out["applied"].any()
    assert applied.table[list(left_out.index)].isna().all().all()
    assert list(applied.table.columns) == DOCUMENTED
    assert list(applied.listing.columns) == [c.name for c in terms.TABLES["scheme_list"]]


def test_a_potential_that_is_unknown_leaves_the_contribution_classed():
    table = schemes.assign(TABLE.drop(columns="potential_revenue"), FITTED, FIXED)
    assert table["contribution_class"].notna().sum() == 4
    assert table["potential_class"].isna().all()


def test_each_scheme_is_registered_under_the_name_of_its_file():
    files = {p.stem for p in Path(schemes.__file__).parent.glob("*.py")} - {"__init__", "registry"}
    assert set(schemes.SCHEMES) == files
    assert sorted(schemes.CLASSES) == sorted(DOCUMENTED[1:])


def classes(name, table, **options):
    """Class column of a scheme, by account."""
    found = schemes.apply(pd.DataFrame(table), {}, FIXED, **options).table.set_index("account")[name]
    return found.astype(object).where(found.notna(), None)


def test_abc_of_revenue_by_hand():
    # 50 + 30 bring 80 %; with 10 and 5 they bring 95 %; a loss or nothing is C; who never bought has no class
    revenue = [50.0, 30.0, 10.0, 5.0, 3.0, 2.0, 0.0, -9.0, np.nan]
    found = classes("abc_revenue", {"account": list("abcdefghi"), "trailing_revenue": revenue})
    assert list(found) == ["A", "A", "B", "B", "C", "C", "C", "C", None]
    # the account that reaches the share is above it: 70 + 20 pass 80 %
    assert list(classes("abc_revenue", {"account": list("abc"), "trailing_revenue": [70.0, 20.0, 10.0]})) == list("AAB")
    # equal values share a class, all equal ones are A
    assert set(classes("abc_revenue", {"account": list("abcd"), "trailing_revenue": [5.0] * 4})) == {"A"}


@settings(deadline=None, max_examples=50)
@given(
    values=hnp.arrays(float, st.integers(1, 40), elements=st.floats(-1e6, 1e9)),
    factor=st.sampled_from([0.01, 24_000.0]),
)
def test_shares_rise_with_the_value_whatever_the_currency(values, factor):
    found = by_cumulative_share(pd.Series(values), (0.8, 0.95), ("C", "B", "A"))
    codes = found.map({"C": 0, "B": 1, "A": 2}).to_numpy()
    assert not np.isnan(codes).any()
    order = np.argsort(values, kind="stable")
    assert (np.diff(codes[order]) >= 0).all()
    assert (codes[values <= 0] == 0).all()
    scaled = by_cumulative_share(pd.Series(values * factor), (0.8, 0.95), ("C", "B", "A"))
    # shares that meet 80 % to the last digit may fall on either side after scaling
    assert (found != scaled).sum() <= 1


def test_rfm_by_hand():
    table = {
        "account": list("abcde"),
        "days_since_last": [1, 400, 2, 50, 100],
        "purchase_days": [50, 40, 1, 10, 2],
        "revenue": [900.0, 800.0, 10.0, 300.0, 20.0],
    }
    # fifths of five accounts are their ranks: a is best in all three, b bought much, long ago
    assert list(classes("rfm_score", table)) == ["555", "144", "411", "333", "222"]
    assert list(classes("rfm_sum", table)) == ["15", "9", "6", "9", "6"]
    assert list(classes("rfm_segment", table)) == [
        *("Champions", "At risk", "Promising", "Need attention", "Hibernating"),
    ]
    assert {name for names in rfm.GRID.values() for name in names} == set(rfm.LABELS)


def test_tenths_hold_ties_together():
    revenue = [100.0, 90.0, 90.0, *[1.0] * 17, np.nan]
    found = classes("revenue_tenth", {"account": [f"{i:02d}" for i in range(21)], "trailing_revenue": revenue})
    assert list(found[:3]) == ["1", "1", "1"]
    assert set(found[3:20]) == {"2"}
    assert found.iloc[20] is None


def four_groups():
    rng = np.random.default_rng(1)
    value = np.concatenate([rng.lognormal(m, 0.2, n) for m, n in ((8, 60), (10, 40), (12, 20), (14, 10))])
    return np.append(value, [0.0, -500.0]), np.repeat(["small", "medium", "large", "VIP", "small"], [60, 40, 20, 10, 2])


def test_four_tiers_of_lifetime_value_are_found():
    value, truth = four_groups()
    table = pd.DataFrame({"account": [f"{i:03d}" for i in range(len(value))], "clv": value})
    applied = schemes.apply(table, {}, FIXED, n_boot=30)
    assert list(applied.table["tiers_004"]) == list(truth)
    row = applied.listing.set_index("column").loc["tiers_004"]
    assert row["applied"]
    assert len(json.loads(row["cuts"])) == 3


def test_what_cannot_be_divided_is_left_out_with_a_reason():
    table = pd.DataFrame({"account": list("abc"), "clv": [5.0, 5.0, 5.0]})
    row = schemes.apply(table, {}, FIXED, n_boot=10).listing.set_index("column").loc["tiers_004"]
    assert not row["applied"]
    assert row["reason"] == "No borders give classes that are large enough and stable."


def test_abc_002_does_not_depend_on_the_unit_of_quantity_and_needs_all_three():
    rng = np.random.default_rng(2)
    size = np.repeat([1.0, 30.0, 900.0], [60, 30, 15]) * rng.lognormal(0, 0.2, 105)
    table = pd.DataFrame(
        {
            "account": [f"{i:03d}" for i in range(105)],
            "p_buys_90": np.repeat([0.1, 0.5, 0.9], [60, 30, 15]),
            "expected_purchases": np.repeat([1.0, 4.0, 12.0], [60, 30, 15]),
            "expected_quantity": size,
        }
    )
    found = classes("abc_002", table, n_boot=30)
    assert list(found) == list(np.repeat(["C", "B", "A"], [60, 30, 15]))
    table["expected_quantity"] *= 1000
    assert (classes("abc_002", table, n_boot=30) == found).all()
    # who will not buy is C, however large its orders
    table.loc[104, "p_buys_90"] = 0.0
    assert classes("abc_002", table, n_boot=30)["104"] == "C"


def test_territories_are_ranked_by_contribution_and_headroom():
    table = {
        "account": list("abcde"),
        "territory": ["N", "N", "S", "W", None],
        "expected_contribution": [400.0, 200.0, 100.0, 40.0, 900.0],
        "headroom": [100.0, 100.0, 50.0, 10.0, 0.0],
    }
    # N 800, S 150, W 50 of 1,000: N brings 80 %, with S 95 %
    assert list(classes("territory_002", table)) == ["A", "A", "B", "C", None]


def test_attitude_follows_the_limits_of_the_net_promoter_score():
    table = {"account": list("abcdef"), "attitude_score": [0, 6, 7, 8, 9, 10]}
    assert list(classes("attitude_004", table)) == [*["detractor"] * 2, *["passive"] * 2, *["promoter"] * 2]


def test_credit_and_performance_are_crossed():
    table = pd.DataFrame(
        {
            "account": list("abcde"),
            "expected_contribution": [2e6, 2e6, 1e5, 1e5, 2e6],
            "credit_002": ["AAA", "none", "A", "none", None],
        }
    )
    cuts = {"contribution": tiers.by_hand((1e6, 4e6))}
    found = schemes.assign(table, cuts, FIXED)["credit_performance_004"]
    assert list(found[:4]) == [
        *("high value, good credit", "high value, weak credit"),
        *("low value, good credit", "low value, weak credit"),
    ]
    assert found.isna().tolist() == [False] * 4 + [True]


def test_loyalty_is_the_share_of_wallet_where_it_is_known():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "account": [f"{i:02d}" for i in range(40)],
            "expected_revenue": np.concatenate([rng.uniform(90, 110, 30), rng.uniform(9_000, 11_000, 10)]),
            "p_alive": 0.9,
            "wallet_share": np.nan,
        }
    )
    table.loc[[0, 39], "wallet_share"] = 0.2
    table.loc[1, "p_alive"] = 0.1
    found = classes("performance_loyalty_004", table, n_boot=30)
    assert [found["00"], found["01"], found["02"]] == [*["low sales, not loyal"] * 2, "low sales, loyal"]
    assert [found["38"], found["39"]] == ["high sales, loyal", "high sales, not loyal"]


def test_probabilities_are_the_shares_of_draws_in_each_class():
    draws = pd.DataFrame(
        {"account": ["b", "a"], "d0": [5.0, -1.0], "d1": [10.0, 0.0], "d2": [20.0, 9.0], "d3": [99, 50.0]}
    )
    accounts = pd.DataFrame({"account": ["a", "b"], "expected_contribution": [10.0, 10.0], "clv": [5.0, 9.0]})
    abc = tiers.by_hand((10.0, 20.0), labels=("C", "B", "A"))
    four = tiers.by_hand((4.5, 9.0, 45.0), labels=("small", "medium", "large", "VIP"))
    cuts = {"contribution_class": tiers.by_hand((10.0, 20.0)), "abc_004": abc, "tiers_004": four}
    found = schemes.probabilities(draws, accounts, cuts)
    assert list(found.columns) == [c.name for c in terms.TABLES["class_probabilities"]]
    assert list(found["account"]) == ["a", "b"]
    # on a border counts as above it: of b's draws one is Low, one Mid, two High
    assert found.loc[1, ["Low", "Mid", "High"]].tolist() == [0.25, 0.25, 0.5]
    assert found.loc[0, ["Low", "Mid", "High"]].tolist() == [0.75, 0.0, 0.25]
    # discounted like the expected contribution: a's draws are −0.5, 0, 4.5, 25, b's 4.5, 9, 18, 89.1
    tiers_004 = [c for c in found if c.startswith("tiers")]
    assert found.loc[0, tiers_004].tolist() == [0.5, 0.25, 0.25, 0.0]
    assert found.loc[1, tiers_004].tolist() == [0.0, 0.25, 0.5, 0.25]
    assert schemes.probabilities(draws, accounts, {})["Low"].isna().all()


VALUES = {
    "few": [3.0, 5.0, 900.0],
    "few but several": list(np.linspace(1, 4000, 14)),
    "equal": [100.0] * 40,
    "one has 99 %": [*np.linspace(90, 110, 39), 400_000.0],
    "zeros and losses": [*[0.0] * 20, *np.linspace(-50, -1, 10), *np.linspace(5, 500, 15)],
    "nothing above zero": [0.0, -5.0, -7.0] * 12,
    "two values": [10.0, 1000.0] * 20,
}


@pytest.mark.parametrize("name", VALUES)
def test_hard_companies_get_a_class_for_everybody_or_a_scheme_left_out_with_its_reason(name):
    value = np.array(VALUES[name])
    table = pd.DataFrame(
        {
            "account": [f"A{i:03d}" for i in range(len(value))],
            **dict.fromkeys(("expected_contribution", "expected_revenue", "clv", "trailing_revenue", "revenue"), value),
            **dict.fromkeys(
                ("headroom", "potential_revenue", "expected_quantity", "expected_purchases"), value.clip(0)
            ),
            **{"p_buys_90": 0.5, "p_alive": 0.9, "days_since_last": 10, "purchase_days": 3, "territory": "N"},
        }
    )
    cuts = {"contribution": tiers.fit(value, configured=(100.0, 1000.0), n_boot=20)}
    applied = schemes.apply(table, cuts, FIXED, n_boot=20)
    listing = applied.listing.set_index("column")
    for column in applied.table.columns[1:]:
        found = applied.table[column]
        if listing.at[column, "applied"]:
            assert found.notna().all(), column
            assert set(found) <= set(schemes.CLASSES[column].labels) or column == "rfm_score", column
        else:
            assert found.isna().all(), column
            assert listing.at[column, "lacks"] or listing.at[column, "reason"], column
    assert (applied.table.loc[value <= 0, "contribution_class"] == "Low").all()
    assert (applied.table.loc[value <= 0, "abc_revenue"] == "C").all()
