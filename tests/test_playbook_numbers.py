"""The playbook's numbers: what counts with them changes with them, and numbers out of order are refused."""

from datetime import date
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from test_coverage import accounts
from test_credit import AS_OF, monthly
from test_prospects import simulated

from kamlab import coverage, credit, handling, prospects
from kamlab.errors import ConfigError
from kamlab.strategies import load_playbook
from kamlab.strategies.model import Numbers
from kamlab.strategies.playbook import parse

TEXT = resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8")


def changed(old, new):
    assert TEXT.count(old) == 1, old
    return parse(TEXT.replace(old, new), name="mine.toml").numbers


def test_the_shipped_file_holds_what_the_code_counts_with_and_one_without_numbers_does_too():
    assert load_playbook().numbers == Numbers() == coverage.DEFAULT
    assert (Numbers().credit_scores, Numbers().credit_least_invoices) == (credit.BORDERS, credit.MIN_INVOICES)
    assert Numbers().credit_limit_months == credit.LIMIT_MONTHS
    assert (Numbers().prospect_days, Numbers().prospect_chance) == (prospects.GRADE_DAYS, prospects.GRADE_CHANCE)
    without = TEXT[: TEXT.index("[numbers]\n")] + TEXT[TEXT.index("# ----", TEXT.index("[numbers]\n")) :]
    assert parse(without, name="old.toml").numbers == Numbers()


def test_people_of_the_pool_and_loads():
    few = changed("accounts_per_pooled_person = 60", "accounts_per_pooled_person = 30")
    labels = pd.Series(["pooled"] * 60, index=[f"a{i}" for i in range(60)])
    assert coverage.headcount(labels, pd.Series(["Li"] * 60), numbers=few).least == 2
    assert coverage.work(labels, numbers=few).sum() == pytest.approx(2)
    nobody = pd.DataFrame(columns=["account", "uplift", "handling_cost", "people_share"])
    assert handling.affordable(nobody, labels, numbers=few) == 2
    table = accounts(*((f"a{i}", "Li", "two", 1.0, "n") for i in range(4)))  # the work of two people
    patient = changed("load = [0.75, 1.25]", "load = [0.5, 2.0]")
    assert coverage.load(table)["state"].tolist() == ["over"]
    assert coverage.load(table, numbers=patient)["state"].tolist() == ["right"]
    assert len(coverage.reassign(table)) == 2
    assert coverage.reassign(table, numbers=patient).empty


def test_floors_of_contacts():
    often = changed("14 = 7, 30", "14 = 3, 30")
    row = pd.DataFrame([{"account": "a", "owner": "Li", "cadence_002": "14", "median_gap": 8.0}])
    as_of = date(2025, 12, 31)
    assert coverage.cadence(row, as_of=as_of)["interval_days"].tolist() == [7]
    assert coverage.cadence(row, as_of=as_of, numbers=often)["interval_days"].tolist() == [4]


def test_classes_of_credit():
    paid = monthly("a", 0, n=4)
    assert credit.assess(*paid, as_of=AS_OF)["credit_002"].tolist() == ["AAA"]
    assert credit.assess(*paid, as_of=AS_OF, least_invoices=5)["credit_002"].tolist() == ["A"]
    assert credit.assess(*paid, as_of=AS_OF, borders={"AAA": 100, "AA": 80, "A": 70})["credit_002"].tolist() == ["AA"]


def test_grades_of_prospects():
    deals = simulated()
    as_of = deals["opened"].max().date()
    usual = prospects.assess(deals, as_of=as_of).deals
    early = prospects.assess(deals, as_of=as_of, grade_days={"A": 91, "B": 182, "C": 365}, grade_chance=0.1).deals
    assert (early["prospect_004"] == "A").equals(early["p_win_91"] >= 0.1)
    chances = ["p_win_30", "p_win_91", "p_win_182"]
    assert np.array_equal(usual[chances], early[chances], equal_nan=True), "chances are those of the same days"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "AAA = 90, AA = 80",
            "AAA = 80, AA = 90",
            "numbers: credit_scores must fall from AAA to A, between 100 and 0.",
        ),
        ("A = 30, B = 91", "A = 91, B = 30", "numbers: prospect_days must rise from A to C."),
        ("A = 30, B = 91, C", "A = 30, C", "numbers: prospect_days needs A, B, C, and has A, C."),
        ("load = [0.75, 1.25]", "load = [1.25, 0.75]", "numbers: load must rise from above 0."),
        (
            "14 = 7, 30",
            "14 = 15, 30",
            "numbers: cadence_floor_days must be above 0, and at most the days of their label.",
        ),
        ("prospect_chance", "prospect_chanse", 'unknown key "prospect_chanse". Did you mean "prospect_chance"?'),
        ("prospect_chance = 0.5", "prospect_chance = 50", "numbers: prospect_chance: Input should be less than 1."),
        ("[numbers]\n", "[[numbers]]\n", "numbers: write them under [numbers], one a line."),
    ],
)
def test_numbers_out_of_order_are_refused(old, new, said):
    with pytest.raises(ConfigError) as told:
        parse(
            TEXT.replace(old, new, 1) if old != "prospect_chance" else TEXT.replace("\nprospect_chance", "\n" + new),
            name="m",
        )
    assert said in str(told.value)
