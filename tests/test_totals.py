import numpy as np
import pandas as pd
import pytest

from kamlab import totals
from kamlab.errors import ModelError
from kamlab.terms import TABLES

ACCOUNTS = ["A", "B", "C", "D"]


@pytest.fixture
def draws():
    table = pd.DataFrame([[1.0, 2.0, 3.0], [10.0, 10.0, 40.0], [5.0, 1.0, 0.0], [0.0, 0.0, 7.0]])
    table.columns = ["d0", "d1", "d2"]
    table.insert(0, "account", ACCOUNTS)
    return table


EXPECTED = pd.Series([2.0, 20.0, 2.0, 2.0], index=ACCOUNTS)
OWNER = pd.Series({"A": "Ann", "B": "Ann", "C": "Bob"})


def test_sums_by_hand(draws):
    summed = totals.sums(draws, OWNER)
    assert summed.index.tolist() == ["Ann", "Bob"]
    assert summed.to_numpy().tolist() == [[11.0, 12.0, 43.0], [5.0, 1.0, 0.0]]
    assert totals.sums(draws).to_numpy().tolist() == [[16.0, 13.0, 50.0]]


def test_table_by_hand(draws):
    table = totals.totals(EXPECTED, draws, {"owner": OWNER}, measure="contribution", basis="revenue", level=0.8)
    assert list(table.columns) == [column.name for column in TABLES["totals"]]
    assert table["kind"].tolist() == ["company", "owner", "owner"]
    assert table["group"].tolist() == ["company", "Ann", "Bob"]
    assert table["accounts"].tolist() == [4, 2, 1]
    assert table["expected"].tolist() == [26.0, 22.0, 2.0]
    # Quantiles of three values at 10 and 90 %: a fifth of the way from an end to the middle one.
    assert table["lower"].to_numpy() == pytest.approx([13 + 0.2 * 3, 11 + 0.2 * 1, 0.2])
    assert table["upper"].to_numpy() == pytest.approx([50 - 0.2 * 34, 43 - 0.2 * 31, 5 - 0.2 * 4])


def test_a_total_is_surer_than_the_sum_of_its_bounds_and_no_surer_than_independence_allows():
    rng = np.random.default_rng(3)
    level = np.exp(0.2 * rng.standard_normal(4000))
    drawn = pd.DataFrame(rng.gamma(2.0, 50.0, (200, 4000)) * level)
    drawn.insert(0, "account", [f"A{i:03d}" for i in range(200)])
    expected = pd.Series(100.0, index=drawn["account"])
    row = totals.totals(expected, drawn, measure="revenue", basis="revenue").iloc[0]
    own = np.quantile(drawn.drop(columns="account"), [0.05, 0.95], axis=1).sum(axis=1)
    assert own[0] < row["lower"] < 20_000 < row["upper"] < own[1]
    independent = 1.645 * np.sqrt(200 * 2) * 50
    assert row["upper"] - 20_000 > 3 * independent


def test_accounts_without_draws_are_named(draws):
    with pytest.raises(ModelError, match=r"1 of 4 accounts have no draws \(first: D\)"):
        totals.totals(EXPECTED, draws.iloc[:3], measure="revenue", basis="revenue")
