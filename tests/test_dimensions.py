"""Why revenue changed, worked out by hand; and that every division adds up to the company."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamlab import dimensions, terms
from kamlab.errors import DataError

COLUMNS = ["account", "product", "revenue_before", "revenue_now", "quantity_before", "quantity_now"]


def effects(*rows):
    got = dimensions.change_by_account(pd.DataFrame(rows, columns=COLUMNS)).set_index("account")
    return got[list(dimensions.EFFECTS)]


def nonzero(row):
    return {name: value for name, value in row.items() if abs(value) > 1e-9}


def test_each_cause_alone():
    got = effects(
        ("new", "p", 0, 50, 0, 5),
        ("lost", "p", 70, 0, 7, 0),
        ("more", "p", 100, 150, 10, 15),
        ("dearer", "p", 100, 120, 10, 10),
        # Ten pieces before and now: five cheap ones for 1 became dear ones for 3.
        ("mix", "cheap", 10, 5, 10, 5),
        ("mix", "dear", 0, 15, 0, 5),
        ("service", "p", 100, 130, 0, 0),
        ("returns", "p", 0, -20, 0, -2),
    )
    assert {account: nonzero(row) for account, row in got.iterrows()} == {
        "new": {"new": 50},
        "lost": {"lost": -70},
        "more": {"volume": 50},
        "dearer": {"price": 20},
        "mix": {"mix": 10},
        "service": {"unexplained": 30},
        "returns": {"lost": -20},
    }


def test_volume_and_price_together():
    # 10 at 10 → 20 at 12: volume 10·10 = 100; price half-way 15·2 = 30; the rest of +140 is 10.
    row = effects(("a", "p", 100, 240, 10, 20)).loc["a"]
    assert nonzero(row) == pytest.approx({"volume": 100, "price": 30, "mix": 10})


pieces = st.integers(0, 50)
amounts = st.floats(0, 1e6).map(lambda x: round(x, 2))


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.sampled_from("pqr"), amounts, amounts, st.integers(0, 50), st.integers(0, 50)
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[:2],
    )
)
def test_the_parts_add_up_to_the_change(rows):
    got = dimensions.change_by_account(pd.DataFrame(rows, columns=COLUMNS))
    np.testing.assert_allclose(got[list(dimensions.EFFECTS)].sum(axis=1), got["change"], atol=1e-6)
    assert got["change"].sum() == pytest.approx(sum(row[3] - row[2] for row in rows), abs=1e-6)


def accounts(n=12):
    return pd.DataFrame(
        {
            "account": [f"A{i:02}" for i in range(n)],
            "has_bought": True,
            "p_alive": np.where(np.arange(n) < 2, 0.2, 0.8),
            "expected_contribution": 80.0,
            "clv": 75.0,
            "region": ["north"] * 6 + ["south"] * 4 + [None] * 2,
            "owner": "",
        }
    )


def changes(n=12):
    rows = [(f"A{i:02}", "p", 100.0, 0.0 if i < 3 else 110.0, 10, 0 if i < 3 else 11) for i in range(n)]
    return dimensions.change_by_account(pd.DataFrame(rows, columns=COLUMNS))


def test_a_dimension_adds_up_and_small_groups_get_no_rates():
    got = dimensions.table(accounts(), changes())
    assert list(got) == [column.name for column in terms.TABLES["dimensions"]]
    assert set(got["dimension"]) == {"region"}, "an empty column is no dimension"
    rows = got.set_index("value")
    assert rows["accounts"].to_dict() == {"south": 4, "north": 6, "unknown": 2}
    assert rows["revenue_now"].sum() == changes()["revenue_now"].sum()
    assert rows.loc["north", "churn"] == pytest.approx(3 / 6)
    assert rows.loc["north", "growth"] == pytest.approx((3 * 110 - 600) / 600)
    assert rows.loc[["south", "unknown"], ["growth", "churn"]].isna().all(axis=None)
    assert rows["few"].to_dict() == {"south": True, "north": False, "unknown": True}


def test_value_at_risk_is_what_a_living_account_would_bring_times_the_chance_that_it_is_gone():
    rows = dimensions.table(accounts(), changes()).set_index("value")
    # 80 expected at P(alive) 0.8: 100 if alive, 20 at risk; the two that are probably gone have nothing left to lose.
    assert rows.loc["north", "value_at_risk"] == pytest.approx(4 * 20)
    assert rows.loc["south", "value_at_risk"] == pytest.approx(4 * 20)


LINES = pd.DataFrame(
    [
        ("A00", "Food", "p", 100.0, 50.0, 10, 5),
        ("A00", "Feed", "q", 0.0, 150.0, 0, 15),
        ("A01", "Food", "p", 80.0, 0.0, 8, 0),
        ("A01", "", "r", 20.0, 0.0, 2, 0),
        ("A02", "Food", "p", 10.0, -5.0, 1, -1),
    ],
    columns=["account", "product_line", *COLUMNS[1:]],
)


def by_line():
    by = dimensions.change_by_account(LINES, by=("account", "product_line"))
    got = dimensions.table(accounts().head(4), dimensions.change_by_account(LINES), by_line=by)
    return got[got["dimension"] == "product_line"].set_index("value")


def test_product_lines_divide_revenue_and_its_change_by_what_was_bought():
    got = by_line()
    assert got["revenue_before"].to_dict() == {"Feed": 0, "Food": 190, "unknown": 20}
    assert got["revenue_now"].to_dict() == {"Feed": 150, "Food": 45, "unknown": 0}
    assert got.loc["Feed", "new"] == 150
    assert got.loc["Food", ["lost", "volume"]].tolist() == [-95, -50]
    assert got["accounts"].to_dict() == {"Feed": 1, "Food": 3, "unknown": 2}
    assert (got["active_before"].to_dict(), got["churned"].to_dict()) == (
        {"Feed": 0, "Food": 3, "unknown": 1},
        {"Feed": 0, "Food": 2, "unknown": 1},
    )


def test_an_accounts_value_falls_to_its_lines_and_adds_up():
    got = by_line()
    # A00 by this year's 50 : 150, A01 by last year's 80 : 20, A02 whole, A03 bought nothing in either year.
    assert got["expected_contribution"].to_dict() == pytest.approx(
        {"Feed": 80 * 0.75, "Food": 80 * (0.25 + 0.8 + 1), "unknown": 80 * (0.2 + 1)}
    )
    assert got["clv"].sum() == pytest.approx(4 * 75)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            *(st.sampled_from(("A00", "A01", "A02")), st.sampled_from(("Food", "Feed", "")), st.sampled_from("pqr")),
            *(amounts, amounts, pieces, pieces),
        ),
        min_size=1,
        max_size=10,
        unique_by=lambda row: row[:3],
    )
)
def test_every_dimension_adds_up_to_the_company(rows):
    windows = pd.DataFrame(rows, columns=LINES.columns)
    changes, by = (dimensions.change_by_account(windows, by=by) for by in (("account",), ("account", "product_line")))
    got = dimensions.table(accounts().head(3), changes, by_line=by)
    for _, own in got.groupby("dimension"):
        assert own["change"].sum() == pytest.approx(changes["change"].sum(), abs=1e-6)
        assert own[list(dimensions.EFFECTS)].sum().sum() == pytest.approx(changes["change"].sum(), abs=1e-6)
        assert own["expected_contribution"].sum() == pytest.approx(240)


def test_missing_columns_are_named():
    with pytest.raises(DataError, match="lack quantity_now"):
        dimensions.change_by_account(pd.DataFrame(columns=COLUMNS[:-1]))


def test_the_bridge_leads_from_one_year_to_the_next():
    rows = [
        ("kept", "p", 100, 80, 0, 0),
        ("more", "p", 50, 65, 0, 0),
        ("lost", "p", 30, 0, 0, 0),
        ("new", "p", 0, 12, 0, 0),
        ("same", "p", 7, 7, 0, 0),
        ("returns", "p", 0, -3, 0, 0),
    ]
    changes = dimensions.change_by_account(pd.DataFrame(rows, columns=COLUMNS))
    # 10 of revenue before and 4 now have no account; with the 3 sent back that is −9 under "other".
    steps = dimensions.bridge(changes, previous=197.0, trailing=165.0).set_index("part")
    assert steps["money"].to_dict() == {
        "previous": 197.0, "lost": -30.0, "shrunk": -20.0, "grown": 15.0, "new": 12.0, "other": -9.0, "trailing": 165.0,
    }  # fmt: skip
    assert steps["accounts"].to_dict() == {
        "previous": 4, "lost": 1, "shrunk": 1, "grown": 1, "new": 1, "other": 0, "trailing": 4,
    }  # fmt: skip


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=12), amounts, amounts)
def test_the_bridge_adds_up(years, previous, trailing):
    rows = [(f"a{i}", "p", before, now, 0, 0) for i, (before, now) in enumerate(years)]
    changes = dimensions.change_by_account(pd.DataFrame(rows, columns=COLUMNS))
    money = dimensions.bridge(changes, previous=previous, trailing=trailing).set_index("part")["money"]
    assert money.iloc[:-1].sum() == pytest.approx(money["trailing"], abs=1e-6)
    assert (money[["lost", "shrunk"]] <= 0).all()
    assert (money[["grown", "new"]] >= 0).all()
