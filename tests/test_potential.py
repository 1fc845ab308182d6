import numpy as np
import pandas as pd
import pytest

from kamlab import potential, terms
from kamlab.errors import DataError

SUMMARY = pd.DataFrame(
    {
        "account": ["declared", "low", "own", "returned"],
        "peak_revenue": [19.0, 30.0, 35.0, -2.0],
        "trailing_revenue": [19.0, 24.0, 20.0, -5.0],
    }
)
ACCOUNTS = pd.DataFrame(
    {
        "account": ["declared", "low", "own", "prospect", "returned", "stranger", "zero"],
        "declared_potential": [20.0, 25.0, np.nan, 50.0, np.nan, np.nan, 0.0],
    }
)


def estimated() -> pd.DataFrame:
    return potential.estimate(SUMMARY, ACCOUNTS).set_index("account")


def test_declared_comes_before_own_peak_and_unknown_stays_unknown():
    table = estimated()
    assert table["potential_source"].to_dict() == {
        "declared": "declared",
        "low": "declared",
        "own": "own_peak",
        "prospect": "declared",
        "returned": "unknown",
        "stranger": "unknown",
        "zero": "declared",
    }
    assert table["potential_revenue"].fillna(-1).to_dict() == {
        "declared": 20.0,
        "low": 30.0,  # it has bought 30 in a year, so it can
        "own": 35.0,
        "prospect": 50.0,
        "returned": -1,
        "stranger": -1,
        "zero": 0.0,
    }
    assert list(table.index[table["below_own_peak"]]) == ["low"]


def test_an_own_peak_gives_no_wallet_share():
    share = estimated()["wallet_share"]
    assert share["declared"] == pytest.approx(0.95)  # 19 of a declared 20
    assert share["low"] == pytest.approx(24 / 30)
    assert share["prospect"] == 0
    assert share[["own", "returned", "stranger", "zero"]].isna().all()


def test_the_documents_example_has_a_wallet_share_of_one_fifth():
    summary = pd.DataFrame({"account": ["a"], "peak_revenue": [10e6], "trailing_revenue": [10e6]})
    accounts = pd.DataFrame({"account": ["a"], "declared_potential": [50e6]})
    assert potential.estimate(summary, accounts)["wallet_share"].tolist() == [0.2]


def test_headroom_is_what_lies_above_the_expected_revenue_at_the_accounts_margin():
    forecast = pd.DataFrame(
        {
            "account": ["declared", "low", "own", "returned"],
            "expected_revenue": [18.0, 32.0, 20.0, 0.0],
            "margin_rate": [0.5, 0.25, -0.1, 0.3],
        }
    )
    table = potential.with_headroom(potential.estimate(SUMMARY, ACCOUNTS), forecast).set_index("account")
    company = (18 * 0.5 + 32 * 0.25 - 20 * 0.1) / 70
    assert table["headroom"][["declared", "low", "own"]].tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert table["headroom"]["prospect"] == pytest.approx(50 * company)
    assert table["headroom"][["returned", "stranger"]].isna().all()
    assert list(table.reset_index().columns) == [c.name for c in terms.TABLES["potential"]]


def test_headroom_is_revenue_where_no_cost_is_known():
    forecast = pd.DataFrame({"account": ["own"], "expected_revenue": [20.0], "margin_rate": [np.nan]})
    table = potential.with_headroom(potential.estimate(SUMMARY, ACCOUNTS), forecast).set_index("account")
    assert table["headroom"][["own", "prospect"]].tolist() == [15.0, 50.0]


def test_impossible_declarations_are_all_named():
    accounts = pd.DataFrame({"account": ["a", "b", "c"], "declared_potential": [-1.0, 5.0, np.inf]})
    with pytest.raises(DataError, match=r"2 of 3 accounts .* \(first: a, c\)"):
        potential.estimate(SUMMARY, accounts)


def test_what_some_members_of_a_group_declare_is_a_floor():
    summary = pd.DataFrame({"account": ["room", "full"], "peak_revenue": [10.0, 10.0], "trailing_revenue": [6.0, 9.0]})
    accounts = pd.DataFrame(
        {
            "account": ["room", "full", "whole"],
            "declared_potential": [20.0, 12.0, 5.0],
            "members": [3, 3, 2],
            "declared_members": [1, 2, 2],
        }
    )
    table = potential.estimate(summary, accounts).set_index("account")
    assert table["partly_declared"].to_dict() == {"full": True, "room": True, "whole": False}
    # 6 of at least 20 shows room; 9 of at least 12 may be nearly all or little.
    assert table.loc["room", "wallet_share"] == pytest.approx(0.3)
    assert np.isnan(table.loc["full", "wallet_share"])


def test_what_is_fitted_stands_between_declared_and_own_peak():
    fitted = {"declared": 500.0, "own": 50.0, "returned": 12.0, "stranger": 9.0, "low": 1.0}
    table = potential.estimate(SUMMARY, ACCOUNTS, fitted=fitted).set_index("account")
    assert table["potential_source"].to_dict() == {
        "declared": "declared",
        "low": "declared",
        "own": "fitted",
        "prospect": "declared",
        "returned": "fitted",
        "stranger": "fitted",
        "zero": "declared",
    }
    assert table.loc[["own", "returned", "stranger"], "potential_revenue"].tolist() == [50.0, 12.0, 9.0]
    # it bought 20 of a fitted 50; one took more back than it bought, the other has never bought
    assert table.loc[["own", "returned", "stranger"], "wallet_share"].tolist() == [0.4, 0.0, 0.0]


def test_an_account_above_its_look_alikes_stands_at_its_own_peak_without_a_share():
    table = potential.estimate(SUMMARY, ACCOUNTS, fitted={"own": 34.9}).set_index("account")
    assert table.loc["own", ["potential_revenue", "potential_source"]].tolist() == [35.0, "own_peak"]
    assert np.isnan(table.loc["own", "wallet_share"])
    assert set(table["potential_source"]) <= set(terms.POTENTIAL_SOURCES)


def test_open_deals_are_a_floor_and_name_themselves_where_they_are_more_than_anything_else():
    deals = {"declared": 22.0, "own": 40.0, "returned": 3.0, "stranger": 5.0, "low": -1.0, "prospect": 80.0}
    table = potential.estimate(SUMMARY, ACCOUNTS, fitted={"own": 36.0, "stranger": 6.0}, pipeline=deals)
    table = table.set_index("account")
    assert table.loc[list(deals), "potential_revenue"].tolist() == [22.0, 40.0, 3.0, 6.0, 30.0, 80.0]
    assert table.loc[list(deals), "potential_source"].tolist() == [
        *("declared", "pipeline", "pipeline", "fitted", "declared", "declared"),
    ]
    assert table.loc["declared", "wallet_share"] == pytest.approx(19 / 22)
    assert table.loc[["own", "returned"], "wallet_share"].isna().all()


def test_a_forecast_at_its_limit_leaves_no_room():
    forecast = pd.DataFrame({"account": ["own"], "expected_revenue": [20.0 - 4e-15], "margin_rate": [0.4]})
    worth = pd.DataFrame({"account": ["own"], "potential_revenue": [20.0]})
    assert potential.with_headroom(worth, forecast)["headroom"].tolist() == [0.0]
