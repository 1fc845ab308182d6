"""What the documents name: every entry has its row, every reference leads somewhere, and readers can see it."""

import csv
import os
import re
import sys
from pathlib import Path

import pytest

from kamlab.strategies import guide
from kamlab.strategies.catalogue import rows

ROOT = Path(__file__).parents[1]
CATALOGUE = Path(os.environ.get("KAMLAB_CASES", ROOT), "..", "domain", "catalogue.csv")
ENTRIES = {"000": 28, "001": 27, "002": 24, "003": 41, "004": 26}
"""Entries of each document's catalogue."""


@pytest.fixture(scope="module")
def page():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import coverage_page
    finally:
        sys.path.pop(0)
    return coverage_page


def test_each_of_the_146_entries_has_one_row():
    wanted = [f"{document}-{number:02}" for document, count in ENTRIES.items() for number in range(1, count + 1)]
    assert len(wanted) == 146
    assert [row.id for row in rows()] == wanted


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="beside the folder that KAMLAB_CASES names there is no catalogue")
def test_the_entries_are_those_of_the_catalogue_in_our_own_words():
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        catalogue = list(csv.DictReader(file))
    assert [row.id for row in rows()] == [entry["id"] for entry in catalogue]
    written = {entry[column].strip().lower() for entry in catalogue for column in ("quote", "meaning")}
    assert written & {row.meaning.lower() for row in rows()} == set()


def test_every_reference_leads_somewhere(page):
    assert page.unresolved() == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("code", "tiers.nothing"),
        ("code", "nothing.fit"),
        ("table", "tiers.nothing"),
        ("table", "nothing.value"),
        ("section", "actions.nothing"),
        ("guide", "nothing"),
        ("scheme", "nothing"),
        ("rule", "nothing.at_all"),
        ("flag", "nothing"),
        ("setting", "plans.nothing"),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(page, kind, name):
    assert not page._exists(kind, name)


def test_the_page_is_what_the_code_says(page):
    assert (ROOT / "docs" / "coverage.md").read_text("utf-8") == page.text()


def test_what_is_computed_names_code_or_data_and_what_is_text_names_words():
    for row in rows():
        kinds = {place.split(":")[0] for place in row.where}
        assert row.where, row.id
        if row.kind == "text":
            assert "guide" in kinds, row.id
            assert row.needs == (), row.id
        else:
            assert row.needs or row.kind == "carried", row.id
            assert kinds & {"code", "table", "scheme", "rule", "flag", "section", "setting"}, row.id


def test_sections_that_it_names_are_called_by_a_notebook():
    called = " ".join(path.read_text("utf-8") for path in sorted((ROOT / "notebooks").glob("*.ipynb")))
    named = {place.split(":")[1] for row in rows() for place in row.where if place.startswith("section:")}
    assert sorted(name for name in named if not re.search(rf"\b{re.escape(name)}\(", called)) == []


def test_every_text_of_the_guide_rests_on_an_entry_and_every_principle_is_one():
    known = {row.id for row in rows()}
    assert {source for sources in guide.SOURCES.values() for source in sources} <= known
    assert set(guide.PRINCIPLES) <= set(guide.SOURCES)


ONLY_WITH = {
    "table:credit.": {"invoices", "payments"},
    "table:forecast.receivables_cost": {"invoices", "payments"},
    "table:forecast.cost_to_serve": {"costs"},
    "table:pipeline.": {"prospects"},
    "table:prospects.": {"prospects"},
    "table:effort.": {"effort"},
    "table:plan.": {"targets"},
    "table:plan_competitors.": {"competitors"},
    "table:position.incumbent_rival": {"competitors"},
    "table:position.joint_project": {"projects"},
    "table:plans.satisfaction": {"complaints"},
    "table:actions_result.": {"actions"},
    "table:changes.price": {"quantity"},
    "table:schemes.tiers_004": {"amount"},
}
"""Tables and columns that are empty without some data."""


def test_who_looks_for_an_entry_in_a_table_is_told_which_data_fills_it():
    untold = {
        (row.id, place): sorted(data - set(row.needs))
        for row in rows()
        for place in row.where
        for prefix, data in ONLY_WITH.items()
        if row.kind != "text" and place.startswith(prefix) and not data <= set(row.needs)
    }
    assert untold == {}
