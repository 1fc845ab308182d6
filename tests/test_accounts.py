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
    table, membership = decision_units(read_accounts(MASTER, columns=COLUMNS), ledger, level=level, as_of=as_of)
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


def test_a_group_with_a_member_of_unknown_potential_has_none():
    master = read_accounts(MASTER.assign(wallet=["30", "", "7", "", ""]), columns=COLUMNS)
    table, _ = decision_units(master, [], level="group", as_of=AS_OF)
    assert math.isnan(table.set_index("account").loc["ALPHA", "declared_potential"])


def test_without_a_master_every_account_stands_for_itself():
    table, membership = decision_units(None, ["2", "1"], level="auto", as_of=AS_OF)
    assert table["account"].tolist() == ["1", "2"]
    assert membership["account"].tolist() == ["1", "2"]


def test_all_faults_come_in_one_message():
    broken = MASTER.assign(
        wallet=["x", "-1", "7", "", ""], strategic=["maybe", "", "", "", ""], id=["A", "A", "B", "", "P"]
    )
    with pytest.raises(DataError) as caught:
        read_accounts(broken, columns=COLUMNS)
    message = str(caught.value)
    assert 'declared_potential is not a number of at least 0 in 2 line(s) ("x", "-1"; lines 1, 2)' in message
    assert 'strategic is not yes or no in 1 line(s) ("maybe"; lines 1)' in message
    assert "1 line(s) have no account id (lines 4)" in message
    assert "1 account id(s) stand there more than once (A)" in message


def test_a_wrong_mapping_is_named():
    with pytest.raises(DataError, match=r'"nam" is no account column. Did you mean "name"'):
        read_accounts(MASTER, columns={"account": "id", "nam": "name"})
