"""The first lines of the report name a simple rule that forecast the total better."""

import json
from pathlib import Path

import pandas as pd
import pytest
from fake_run import FakeRun, T

from kamlab.reports.sections import answers, caveats

COLUMNS = ["forecaster", "role", "forecast", "rmse"]
CAME = 1000.0


def run_of(*rows, forecaster="blend", target="revenue"):
    """A run whose forecasters said so much of what was to be 1,000, and erred so much per account."""
    record = pd.DataFrame(rows, columns=COLUMNS).assign(
        target=target, actual=CAME, origin=pd.Timestamp("2024-12-31"), level=0.9, coverage_recalibrated=0.9
    )
    record["bias"] = record["forecast"] / CAME - 1
    choice = {"forecaster": forecaster, "chosen_by": "earlier", "few": False, "beaten_by": []}
    tables = {
        "backtest": record,
        "potential": pd.DataFrame({"potential_source": ["best"]}),
        "reconciliation": pd.DataFrame({"part": ["read", "quarantined", "unattributed"], "rows": 1, "money": 0.0}),
    }
    return FakeRun(tables, {"choice": choice})


def said(run):
    return [block.markdown.replace("\u00a0", " ") for block in caveats.nearer_total(run, T)]


BLEND = ("blend", "record", 900.0, 5.0)


def test_a_rule_that_was_nearer_in_total_is_named_with_both_errors_and_the_date():
    run = run_of(BLEND, ("last_horizon", "record", 1300.0, 9.0), ("rate", "record", 1040.0, 9.0))
    assert said(run) == [
        "The simple rule “Rate so far, carried on” forecast the total better: from 31 Dec 2024 on it missed what came "
        "by +4%, this report's forecast by −10%."
    ]


def test_of_several_nearer_rules_the_nearest_is_named():
    rules = {"last_horizon": 1050.0, "seasonal": 981.0, "rate": 1020.0}
    (sentence,) = said(run_of(BLEND, *((name, "record", forecast, 9.0) for name, forecast in rules.items())))
    assert (
        "“Same days a year ago” forecast the total better: from 31 Dec 2024 on it missed what came by −2%" in sentence
    )


@pytest.mark.parametrize(
    "others",
    [
        [("last_horizon", "record", 1300.0, 9.0)],
        # Printed, both miss by 10%.
        [("last_horizon", "record", 1098.0, 9.0)],
        # Of a model, of nothing forecast, and of a date that the choice looked at.
        [("pareto_nbd", "record", 1000.0, 4.0), ("always_0", "record", 0.0, 9.0), ("rate", "choice", 1000.0, 1.0)],
        [],
    ],
)
def test_nothing_is_said_where_no_rule_was_nearer(others):
    assert said(run_of(BLEND, *others)) == []


def test_the_forecast_of_nothing_is_no_rule_even_where_little_came():
    assert said(run_of(("blend", "only", 2500.0, 5.0), ("always_0", "only", 0.0, 9.0))) == []


def test_nothing_is_said_without_a_record():
    assert said(run_of()) == []


def test_a_rule_in_force_is_held_against_the_others_too():
    rows = [("last_horizon", "only", 900.0, 5.0), ("trailing", "only", 1010.0, 6.0)]
    assert "missed what came by +1%" in said(run_of(*rows, forecaster="last_horizon"))[0]
    assert said(run_of(*rows, forecaster="trailing")) == []


def test_companies_without_money_are_told_of_purchases():
    run = run_of(BLEND, ("rate", "record", 1040.0, 9.0), target="purchases")
    assert "missed what came by +4%" in said(run)[0]


@pytest.mark.parametrize(("rule", "twice"), [("last_horizon", False), ("rate", True)])
def test_what_the_page_begins_with_is_not_said_again_at_its_end(rule, twice, monkeypatch):
    monkeypatch.setattr(answers.review, "actions_in_short", lambda *_: [])
    monkeypatch.setattr(answers, "left_out", lambda *_: [])
    monkeypatch.setattr(answers.books, "sentence", lambda *_: "")
    far = "rate" if rule == "last_horizon" else "last_horizon"
    run = run_of(BLEND, (rule, "record", 1040.0, 9.0), (far, "record", 1600.0, 9.0))
    (block,) = answers.how_sure(run, T)
    lines = block.markdown.replace("\u00a0", " ")
    assert "said EUR 900 for the period after it" in lines
    assert ("“Same as in the last period” said EUR 1.60 k (+60%)" in lines) is twice


def test_the_management_report_says_it_before_its_first_figure():
    book = json.loads((Path(__file__).parents[1] / "notebooks" / "05_management_report.ipynb").read_text())
    code = "\n".join("".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code")
    opening, said_here, figures = (code.index(f"{name}(") for name in ("opening", "nearer_total", "key_figures"))
    assert opening < said_here < figures
