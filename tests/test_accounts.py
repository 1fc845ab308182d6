"""The account master and the units that decisions are taken for."""

import math
from datetime import date

import pandas as pd
import pytest

from kamlab.accounts import decision_units, read_accounts
from kamlab.errors import DataError

MASTER = pd.DataFrame(
    {
        "id": ["A1", "A2", "B", "C", "P"],
        "name": ["Alpha North", "Alpha South", "Beta", None, "Prospect"],
        "group": ["ALPHA", "ALPHA", None, None, None],
        "group_name": ["Alpha Group", "Alpha Group", None, None, None],
        "channel": ["end user", "end user", "distributor", None, None],
        "owner": ["Ann", "Bob", "Ann", None, None],
        "wallet": ["30", "20", "7", "", "12.5"],
        "wallet_date": ["2025-01-01", "2025-01-01", "2025-07-01", "", ""],
        "strategic": ["no", "yes", "yes", "", "No"],
        "until": ["", "2025-12-31", "2025-03-01", "", ""],
    }
)
COLUMNS = {
    "account": "id",
    "name": "name",
    "parent": "group",
    "parent_name": "group_name",
    "channel": "channel",
    "owner": "owner",
    "declared_potential": "wallet",
    "declared_potential_date": "wallet_date",
    "strategic": "strategic",
    "strategic_until": "until",
}
AS_OF = date(2025, 6, 30)


def units(level, as_of=AS_OF, ledger=("A1", "B", "Z")):
    table, membership = decision_units(read_accounts(MASTER, columns=COLUMNS).rows, ledger, level=level, as_of=as_of)
    return table.set_index("account"), membership.set_index("member")["account"]


def test_groups_are_the_default_where_parents_are_given():
    table, membership = units("auto")
    assert list(table.index) == ["ALPHA", "B", "C", "P", "Z"]
    alpha = table.loc["ALPHA"]
    assert (alpha["name"], alpha["members"], alpha["member_ids"]) == ("Alpha Group", 2, "A1, A2")
    assert alpha["declared_potential"] == 50
    assert alpha["strategic"]
    assert alpha["channel"] == "end user"
    assert alpha["owner"] == "Ann"  # the members disagree; the one with the lowest id decides
    assert membership.to_dict() == {"A1": "ALPHA", "A2": "ALPHA", "B": "B", "C": "C", "P": "P", "Z": "Z"}


def test_account_level_leaves_members_alone():
    table, _ = units("account")
    assert list(table.index) == ["A1", "A2", "B", "C", "P", "Z"]
    assert table.loc["A1", "name"] == "Alpha North"


def test_an_account_without_a_name_or_outside_the_master_goes_by_its_id():
    table, _ = units("auto")
    assert table.loc["C", "name"] == "C"
    assert table.loc["Z", "name"] == "Z"
    assert math.isnan(table.loc["Z", "declared_potential"])


def test_nothing_dated_after_the_as_of_date_counts():
    table, _ = units("auto")
    assert math.isnan(table.loc["B", "declared_potential"])  # declared on 1 July
    assert not table.loc["B", "strategic"]  # ended on 1 March
    later, _ = units("auto", as_of=date(2025, 7, 1))
    assert later.loc["B", "declared_potential"] == 7
    earlier, _ = units("auto", as_of=date(2025, 3, 1))
    assert earlier.loc["B", "strategic"]


def test_what_is_declared_for_some_members_of_a_group_is_kept():
    master = read_accounts(MASTER.assign(wallet=["30", "", "7", "", ""]), columns=COLUMNS).rows
    table, _ = decision_units(master, [], level="group", as_of=AS_OF)
    alpha = table.set_index("account").loc["ALPHA"]
    assert (alpha["declared_potential"], alpha["declared_members"], alpha["members"]) == (30, 1, 2)


def test_parents_are_followed_to_the_top():
    frame = pd.DataFrame(
        {
            "id": ["A", "B", "C", "D", "E"],
            "name": ["a", "b", "c", "d", "e"],
            "parent": ["B", "C", "TOP", None, "E"],
            "parent_name": ["not this", "nor this", "Top Ltd", None, "nor that"],
            "owner": ["Ann", None, "Bob", None, None],
        }
    )
    columns = {"account": "id", "name": "name", "parent": "parent", "parent_name": "parent_name", "owner": "owner"}
    table, membership = decision_units(read_accounts(frame, columns=columns).rows, [], level="auto", as_of=AS_OF)
    assert membership.set_index("member")["account"].to_dict() == {
        **{"A": "TOP", "B": "TOP", "C": "TOP"},
        **{"D": "D", "E": "E"},  # E names itself: it is a top
    }
    top = table.set_index("account").loc["TOP"]
    assert (top["name"], top["members"], top["member_ids"], top["owner"]) == ("Top Ltd", 3, "A, B, C", "Ann")


def test_a_group_headed_by_one_of_its_accounts_takes_that_ones_facts_where_members_disagree():
    frame = pd.DataFrame(
        {
            "id": ["A", "B", "H"],
            "name": ["a", "b", "Head"],
            "parent": ["H", "H", None],
            "owner": ["Ann", "Bob", "Cid"],
            "region": ["North", "South", None],
            "industry": [None, "feed", None],
        }
    )
    master = read_accounts(frame, columns={"account": "id"} | {c: c for c in frame.columns[1:]}).rows
    table, _ = decision_units(master, [], level="group", as_of=AS_OF)
    assert table[["account", "name", "owner", "region", "industry"]].to_numpy().tolist() == [
        ["H", "Head", "Cid", "North", "feed"]
    ]


def test_parents_in_a_circle_are_quarantined_and_what_hangs_on_them_is_kept():
    frame = pd.DataFrame({"id": ["A", "B", "C", "D", "E", "F"], "parent": ["B", "C", "A", "A", "F", "E"]})
    found = read_accounts(frame, columns={"account": "id", "parent": "parent"})
    assert found.quarantine[["line", "reason"]].to_numpy().tolist() == [
        [line, "parent runs in a circle"] for line in (1, 2, 3, 5, 6)
    ]
    units, membership = decision_units(found.rows, ["A", "E"], level="auto", as_of=AS_OF)
    assert membership.set_index("member")["account"].to_dict() == {"A": "A", "D": "A", "E": "E"}
    assert units["name"].tolist() == ["A", "E"]


def test_a_strategic_flag_needs_an_end_where_ends_are_recorded():
    frame = pd.DataFrame({"id": ["A", "B"], "strategic": ["yes", "yes"], "until": ["", "2025-06-30"]})
    columns = {"account": "id", "strategic": "strategic"}
    without, _ = decision_units(read_accounts(frame, columns=columns).rows, [], level="auto", as_of=AS_OF)
    assert without["strategic"].tolist() == [True, True]
    columns["strategic_until"] = "until"
    dated, _ = decision_units(read_accounts(frame, columns=columns).rows, [], level="auto", as_of=AS_OF)
    assert dated["strategic"].tolist() == [False, True]


def test_without_a_master_every_account_stands_for_itself():
    table, membership = decision_units(None, ["2", "1"], level="auto", as_of=AS_OF)
    assert table["account"].tolist() == ["1", "2"]
    assert membership["account"].tolist() == ["1", "2"]


def test_each_row_with_a_fault_is_quarantined_with_all_its_reasons():
    broken = MASTER.assign(
        wallet=["x", "-1", "7", "", ""], strategic=["maybe", "", "", "", ""], id=["A", "A", "B", "", "P"]
    )
    found = read_accounts(broken, columns=COLUMNS)
    assert dict(zip(found.quarantine["line"], found.quarantine["reason"], strict=True)) == {
        1: "declared_potential is not a number; strategic is not yes or no",
        2: "account is repeated; declared_potential is below 0",
        4: "account is missing",
    }
    assert found.rows["account"].tolist() == ["B", "P"]
    assert (found.n_read, found.money, found.quarantine["amount"].sum()) == (5, 8, -1)


def test_what_is_declared_later_can_be_no_fault_yet():
    wrong = MASTER.assign(wallet=["30", "20", "a lot", "", "12.5"])
    assert read_accounts(wrong, columns=COLUMNS, as_of=date(2025, 7, 1)).quarantine["line"].tolist() == [3]
    earlier = read_accounts(wrong, columns=COLUMNS, as_of=AS_OF)
    assert earlier.quarantine.empty
    assert earlier.rows.set_index("account").loc["B", "declared_potential_date"] is pd.NaT


def test_a_wrong_mapping_is_named():
    with pytest.raises(DataError, match=r'table accounts: "nam" is no column of this table. Did you mean "name"'):
        read_accounts(MASTER, columns={"account": "id", "nam": "name"})


def test_an_owner_and_a_flag_count_from_their_first_day_on():
    frame = pd.DataFrame(
        {
            "id": ["A", "B"],
            "owner": ["Ann", "Bob"],
            "before": ["Cid", None],
            "since": ["2025-07-01", "2025-07-01"],
            "strategic": ["yes", "no"],
            "flagged": ["2025-07-01", ""],
        }
    )
    columns = {"account": "id", "owner": "owner", "previous_owner": "before", "owner_since": "since"}
    columns |= {"strategic": "strategic", "strategic_since": "flagged"}
    master = read_accounts(frame, columns=columns).rows
    early, _ = decision_units(master, [], level="auto", as_of=date(2025, 6, 30))
    assert (early["owner"][0], early["owner"].isna().tolist()) == ("Cid", [False, True])
    assert early["strategic"].tolist() == [False, False]
    late, _ = decision_units(master, [], level="auto", as_of=date(2025, 7, 1))
    assert late[["owner", "strategic"]].to_numpy().tolist() == [["Ann", True], ["Bob", False]]
