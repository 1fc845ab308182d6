"""What a reader sees of owners, loads and the causes of change."""

import pandas as pd

from kamlab import dimensions
from kamlab.i18n import Translator
from kamlab.reports.sections import coverage, owners

T = Translator("en", currency="CNY")
COLUMNS = ["account", "product", "revenue_before", "revenue_now", "quantity_before", "quantity_now"]


class FakeRun:
    def __init__(self, tables, facts=None):
        self._tables, self._facts = tables, facts or {}

    def read(self, name, *, columns=(), where=None):
        return self._tables[name]

    def read_facts(self, name):
        return self._facts[name]


def plain(block):
    return str(block.to_json()).replace("\\xa0", " ").replace("\xa0", " ")


def test_the_ratio_is_not_called_a_need():
    moves = pd.DataFrame({"reason": ["unassigned", "overload", "overload", "absent", "absent", "absent"]})
    run = FakeRun({"reassignment": moves}, {"headcount": {"had": 3, "least": 4.2, "most": 5.0, "key": 0}})
    (said,) = owners.people(run, T)
    for part in (
        "3 people look after accounts.",
        "4.2 to 5.0 people. That is a ratio, not a need",
        "1 account that takes work has no owner.",
        "3 accounts that take work have an owner who has left.",
        "2 accounts lie beyond",
    ):
        assert part in plain(said)


def test_without_owners_one_line_says_so():
    run = FakeRun({"reassignment": pd.DataFrame({"reason": []})}, {"headcount": {"had": 0, "least": 1, "most": 1}})
    (said,) = owners.people(run, T)
    assert "Nobody is named as responsible" in plain(said)
    assert owners.loads(FakeRun({"coverage": pd.DataFrame()}), T) == []


def test_causes_of_change_by_region_and_in_all():
    rows = [("a", "p", 100.0, 150.0, 10, 15), ("b", "p", 0.0, 40.0, 0, 4), ("c", "p", 70.0, 0.0, 7, 0)]
    changes = dimensions.change_by_account(pd.DataFrame(rows, columns=COLUMNS))
    accounts = pd.DataFrame(
        {
            "account": list("abc"),
            "has_bought": True,
            "p_alive": 0.9,
            "expected_contribution": 1.0,
            "clv": 1.0,
            "region": ["north", "north", "*south*"],
        }
    )
    tables = {"changes": changes, "dimensions": dimensions.table(accounts, changes)}
    (table,) = owners.changes(FakeRun(tables, {"revenue": {"previous": 170.0}}), T)
    said = plain(table)
    assert "Region" in said
    assert "'*south*'" in said, "cells are plain text already"
    assert "All others" not in said, "the regions add up"
    assert "Change of revenue (CNY)" in said
    assert "'90.0'" in said, "north: 50 more pieces' worth and 40 won"
    assert "'20.0'" in said, "all: 50 + 40 − 70"
    assert "No quantities" not in said, "a cause that explains nothing has no column"


def test_regions_that_are_not_shown_stand_together_and_a_region_known_of_few_divides_nothing():
    names = [f"A{i:02}" for i in range(13)]
    windows = pd.DataFrame([(name, "p", 100.0, 110.0, 10, 11) for name in names], columns=COLUMNS)
    changes = dimensions.change_by_account(windows)
    accounts = pd.DataFrame({"account": names, "has_bought": True, "p_alive": 0.9, "region": names})
    accounts = accounts.assign(expected_contribution=1.0, clv=1.0, owner=["Ann", "Bob"] * 6 + ["Ann"])
    facts = {"revenue": {"previous": 1300.0}}
    tables = {"changes": changes, "dimensions": dimensions.table(accounts, changes)}
    (table,) = owners.changes(FakeRun(tables, facts), T)
    assert [row[0] for row in table.rows][-2:] == ["All others", "All accounts"]
    assert [row[1].replace("\xa0", " ") for row in table.rows][-2:] == ["30.0", "130"]
    few = accounts.assign(region=["north", "south"] + [None] * 11)
    (table,) = owners.changes(FakeRun({"changes": changes, "dimensions": dimensions.table(few, changes)}, facts), T)
    assert [row[0] for row in table.rows] == ["Ann", "Bob", "All accounts"]


def test_a_log_that_does_not_hold_both_years_explains_no_change():
    windows = pd.DataFrame([("a", "p", 0.0, 40.0, 0, 4)], columns=COLUMNS)
    tables = {"changes": dimensions.change_by_account(windows), "dimensions": pd.DataFrame()}
    facts = {"revenue": {"previous": None}, "freshness": {"first_line": "2009-12-01"}}
    (said,) = owners.changes(FakeRun(tables, facts), T)
    assert "the log, which runs from 1 Dec 2009, is too short" in plain(said)


def detail(facts_of=None, **tables):
    facts = pd.DataFrame(
        {"account": list("abc"), "name": ["*Ace*", "Bee", "Cee"], "expected_contribution": [5e6, 9e6, None]}
    )
    return FakeRun({"account_table": facts, "forecast": pd.DataFrame({"basis": ["revenue"]}), **tables}, facts_of)


def test_moves_name_who_should_take_over_and_why():
    rows = [("a", "", "Li", "unassigned"), ("b", "Gone", "", "absent"), ("c", "Wu", "Li", "overload")]
    moves = pd.DataFrame(rows, columns=["account", "owner", "proposed", "reason"])
    (block,) = coverage.moves(detail(reassignment=moves), T)
    assert [[plain_text(cell) for cell in row] for row in block.rows] == [
        ["Bee", "CNY 9.00 M", "Gone", "its owner has left", "–"],
        ["*Ace*", "CNY 5.00 M", "–", "has no owner", "Li"],
        ["Cee", "–", "Wu", "its owner has too many", "Li"],
    ]
    assert "3 accounts lack an active owner" in plain(block)
    (said,) = coverage.moves(detail(reassignment=moves.iloc[:0]), T)
    assert "has an owner with room" in plain(said)


def test_overdue_contacts_are_listed_and_their_absence_is_said():
    last = pd.to_datetime(["2025-11-01", "2025-12-30", None])
    cadence = pd.DataFrame({"account": list("abc"), "owner": "Li", "interval_days": 30, "last_contact": last})
    cadence["overdue_days"] = [30, 0, 12]
    (block,) = coverage.overdue(detail(cadence=cadence), T)
    assert [plain_text(row[0]) for row in block.rows] == ["*Ace*", "Cee"]
    assert plain_text(block.rows[0][3]) == "1 Nov 2025"
    (none_late,) = coverage.overdue(detail(cadence=cadence.assign(overdue_days=0)), T)
    assert "No contact is overdue." in plain(none_late)
    (unknown,) = coverage.overdue(detail(cadence=cadence.assign(last_contact=pd.NaT)), T)
    assert "No contacts are given" in plain(unknown)


def test_the_service_centre_has_a_roster():
    names = [f"a{i:02}" for i in range(90)]
    rows = pd.DataFrame({"account": names, "name": names, "owner": "", "expected_contribution": 1e6})
    rows["key_account"] = rows["account"] < "a03"
    weighed = pd.DataFrame({"account": ["a00", "a01"], "uplift": [9.0, 30.0], "handling_cost": 20.0})
    weighed = weighed.assign(handling_place=[None, 5.0], handling_places=4.0)
    (block,) = coverage.roster(detail({"headcount": {"pooled_people": 1.5}}, roster=rows, handling=weighed), T)
    # The third key account has no class by amount: nothing is known of what it would cost.
    reasons = ["the gain does not pay for it", "nobody is left for it", "–"]
    assert [row[-1] for row in block.rows][:4] == [*reasons, "–"]
    assert "90 accounts, the work of 1.5 people at 60 accounts each" in plain(block)
    assert len(block.rows) == coverage.TOP


def plain_text(cell):
    return cell.replace("\u00a0", " ")
