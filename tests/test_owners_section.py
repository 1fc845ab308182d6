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
    run = FakeRun({"changes": changes, "dimensions": dimensions.table(accounts, changes)})
    (table,) = owners.changes(run, T)
    said = plain(table)
    assert "Region" in said
    assert "\\\\*south\\\\*" in said or "\\*south\\*" in said, "a name is no Markdown"
    assert "CNY 90.0" in said, "north: 50 more pieces' worth and 40 won"
    assert "CNY 20.0" in said, "all: 50 + 40 − 70"
    assert "No quantities" not in said, "a cause that explains nothing has no column"
