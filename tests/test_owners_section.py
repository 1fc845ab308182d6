"""What a reader sees of owners, loads and the causes of change."""

import pandas as pd

from kamlab import dimensions
from kamlab.i18n import Translator
from kamlab.reports.sections import owners

T = Translator("en", currency="CNY")
COLUMNS = ["account", "product", "revenue_before", "revenue_now", "quantity_before", "quantity_now"]


class FakeRun:
    def __init__(self, tables, facts=None):
        self._tables, self._facts = tables, facts or {}

    def read(self, name):
        return self._tables[name]

    def read_facts(self, name):
        return self._facts[name]


def plain(block):
    return str(block.to_json()).replace("\\xa0", " ").replace("\xa0", " ")


def test_the_ratio_is_not_called_a_need():
    moves = pd.DataFrame({"reason": ["unassigned", "overload", "overload"]})
    run = FakeRun({"reassignment": moves}, {"headcount": {"had": 3, "least": 4.2, "most": 5.0}})
    (said,) = owners.people(run, T)
    for part in (
        "3 people look after accounts.",
        "4.2 to 5.0 people. That is a ratio, not a need",
        "1 account that takes work has no owner.",
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
    assert "CNY 90.0" in said, "north: 50 more pieces' worth and 40 won"
    assert "CNY 20.0" in said, "all: 50 + 40 − 70"
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
    assert [row[1].replace("\xa0", " ") for row in table.rows][-2:] == ["CNY 30.0", "CNY 130"]
    few = accounts.assign(region=["north", "south"] + [None] * 11)
    (table,) = owners.changes(FakeRun({"changes": changes, "dimensions": dimensions.table(few, changes)}, facts), T)
    assert [row[0] for row in table.rows] == ["Ann", "Bob", "All accounts"]


def test_a_log_that_does_not_hold_both_years_explains_no_change():
    windows = pd.DataFrame([("a", "p", 0.0, 40.0, 0, 4)], columns=COLUMNS)
    tables = {"changes": dimensions.change_by_account(windows), "dimensions": pd.DataFrame()}
    facts = {"revenue": {"previous": None}, "freshness": {"first_line": "2009-12-01"}}
    (said,) = owners.changes(FakeRun(tables, facts), T)
    assert "the log, which runs from 1 Dec 2009, is too short" in plain(said)
