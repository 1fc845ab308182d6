"""What the pages on borders say: movement, accounts near a border, schemes left out."""

import numpy as np
import pandas as pd
import pytest

from kamlab import schemes
from kamlab.config import Company, Config, Levels, Source, Transactions
from kamlab.i18n import MISSING, Translator
from kamlab.period import StudyPeriod
from kamlab.reports.sections import evidence, levels, nine_box

T = Translator("en", currency="EUR")
ACCOUNTS = pd.DataFrame(
    {
        "account": ["a", "b", "c", "d"],
        "expected_contribution": [900.0, 120.0, 80.0, 5.0],
        "contribution_class_fixed": ["Mid", "Low", "Low", "Low"],
        "contribution_class": ["High", "Mid", "Mid", "Low"],
    }
)
CHANCES = pd.DataFrame(
    {
        "account": list("abcd"),
        "Low": [0.0, 0.17, 0.55, 1.0],
        "Mid": [0.1, 0.83, 0.45, 0.0],
        "High": [0.9, 0.0, 0.0, 0.0],
    }
)
TRANSITIONS = pd.DataFrame(
    {
        "column": "contribution_class",
        "account": list("abcd"),
        "value": ACCOUNTS["expected_contribution"],
        "before": ["Mid", "Mid", "Mid", None],
        "now": ["High", "Mid", "Low", "Low"],
        "held": ["High", "Mid", "Mid", "Low"],
        "why": ["cleared", "stays", "waits", "first_seen"],
    }
)


class Run:
    config = Config(
        company=Company(name="Acme", currency="EUR"),
        source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
        levels=Levels(contribution=(5e6, 10e6)),
    )
    period = StudyPeriod("2025-12-31")

    def __init__(self, **tables):
        forecast = ACCOUNTS[["account", "expected_contribution"]].assign(basis="contribution", expected_revenue=2000.0)
        self.tables = {
            "schemes": ACCOUNTS.drop(columns="expected_contribution"),
            "forecast": forecast,
            "class_probabilities": CHANCES,
            "transitions": TRANSITIONS,
            "accounts": pd.DataFrame({"account": list("abcd"), "name": ["Ann", "Ben", None, "Dan"]}),
            **tables,
        }

    def read(self, name, *, columns=(), where=None):
        return self.tables[name]


def plain(text):
    return text.replace("\u00a0", " ")


def test_probabilities_are_written_with_the_likeliest_first():
    assert levels.probabilities(CHANCES.set_index("account").loc["b"], T) == "Mid 83%, Low 17%"
    assert levels.probabilities(CHANCES.set_index("account").loc["d"], T) == "Low 100%"


def test_accounts_near_a_border_are_listed_with_their_probabilities():
    (table,) = levels.near_borders(Run(), T)
    assert [[plain(cell) for cell in row] for row in table.rows] == [["c", "EUR 80.0", "Mid", "Low 55%, Mid 45%"]]
    assert table.caption == "1 account is in its class with less than 60%; those of most value."
    sure = CHANCES.assign(Low=[0.0, 0.0, 0.0, 1.0], Mid=[0.0, 1.0, 1.0, 0.0], High=[1.0, 0.0, 0.0, 0.0])
    (said,) = levels.near_borders(Run(class_probabilities=sure), T)
    assert said.markdown == "No account stands near a border: each keeps its class with at least 60%."


def test_movement_is_told_with_who_waits():
    figure, said = levels.flows(Run(), T)
    assert plain(said.markdown) == (
        "Movement since 1 Oct 2025, recomputed from the same log: 1 accounts rose in class, 0 fell, 1 were not yet "
        "known. An account changes class only if its interval clears the border, or at the second quarter in a row; 1 "
        "are waiting for that."
    )
    assert "from not yet known to Low: accounts 1" in figure.alt
    worth = TRANSITIONS.assign(column="potential_class", before=["Low", "Mid", "High", "Low"])
    _, said = levels.flows(Run(transitions=pd.concat([TRANSITIONS, worth])), T)
    assert said.markdown.endswith(
        "In class of potential 1 rose, 1 fell and 1 are waiting; what sales has declared counts at once."
    )
    _, said = levels.flows(Run(transitions=TRANSITIONS.assign(before=None)), T)
    assert said.markdown.startswith("The log is too short to recompute the quarter before")


def test_of_very_many_accounts_it_is_said_that_the_quarters_before_rest_on_a_sample(monkeypatch):
    monkeypatch.setattr(levels.names, "LOOKED_BACK_ON", 4)
    assert "drawn at random" not in levels.flows(Run(), T)[1].markdown
    monkeypatch.setattr(levels.names, "LOOKED_BACK_ON", 3)
    said = plain(levels.flows(Run(), T)[1].markdown)
    assert said.endswith("the models of the quarters before are fitted to 3 of them, drawn at random.")


def test_how_unequal_accounts_are_is_measured_by_what_they_brought():
    # the forecast says that the largest one brings 81 %; what came in the last 12 months is spread otherwise
    summary = pd.DataFrame(
        {
            "account": list("abcd"),
            "trailing_revenue": [400.0, 100.0, 600.0, 0.0],
            "trailing_margin": [50.0, np.nan, 30.0, 0],
        }
    )
    forecast = ACCOUNTS[["account", "expected_contribution"]].assign(
        basis="contribution", expected_revenue=2000.0, margin_rate=[0.1, 0.2, 0.1, 0.1]
    )
    (drawn,) = levels.concentration(Run(summary=summary, forecast=forecast), T)
    # 50 and 30 of 50 + 30 + 100 × 20 %; the account that brought nothing does not count
    assert "Margin of the last 12 months: 67% of the accounts bring 80%" in plain(drawn.alt)
    (drawn,) = levels.concentration(Run(summary=summary, forecast=forecast.assign(basis="revenue")), T)
    assert "Revenue of the last 12 months: 67% of the accounts bring 80%" in plain(drawn.alt)


def test_schemes_left_out_say_what_they_lack():
    table = ACCOUNTS.assign(trailing_revenue=[3000.0, 400.0, 300.0, 20.0])
    listing = schemes.apply(table, {}, {"contribution": (500.0, 1000.0)}, n_boot=5).listing
    (printed,) = levels.all_schemes(Run(scheme_list=listing), T)
    by_column = {row[1]: row for row in printed.rows}
    assert by_column["territory_002"][-1] == "left out, no data: territory"
    assert by_column["abc_revenue"][-2:] == ["4", ""]


@pytest.mark.parametrize(("basis", "fixed"), [("contribution", (500_000.0, 1_000_000.0)), ("revenue", (5e6, 10e6))])
def test_fixed_thresholds_are_drawn_on_the_axis_of_contribution_at_the_margin_rate(basis, fixed):
    forecast = pd.DataFrame({"expected_revenue": [100.0, 300.0], "expected_contribution": [10.0, 30.0], "basis": basis})
    rate = nine_box._margin_rate(Run(forecast=forecast))
    assert tuple(c * rate for c in Run.config.levels.contribution) == pytest.approx(fixed)


def test_thresholds_that_nobody_set_or_that_part_nobody_are_not_compared():
    unset = Run()
    unset.config = Config(company=Run.config.company, source=Run.config.source)
    one_class = Run(schemes=ACCOUNTS.drop(columns="expected_contribution").assign(contribution_class_fixed="Low"))
    for run, why in ((unset, "No fixed thresholds are set"), (one_class, "put all accounts into one class")):
        assert levels.movement(run, T) == []
        (heading,) = levels.heading(run, T)
        assert why in heading.markdown
        figure, _ = levels.flows(run, T)
        assert "fixed" not in figure.alt
        assert "fixed" not in figure.caption


@pytest.mark.parametrize(
    ("fitted", "said"),
    [
        (
            ["High", "Low"],
            "put higher than the fixed thresholds: 1, with EUR 70.0 an account in the 365 days after; lower: none.",
        ),
        (["Mid", "Low"], "nobody higher or lower than the fixed thresholds."),
        (
            ["Low", "Low"],
            "put lower than the fixed thresholds: 1, with EUR 70.0 an account in the 365 days after; higher: none.",
        ),
        (["High", "Mid"], "put higher than the fixed thresholds: 2, with EUR 70.0 an account"),
    ],
)
def test_who_moves_is_said_with_the_money_and_never_of_nobody(fitted, said):
    past = pd.DataFrame({"contribution_class": fitted, "contribution_class_fixed": ["Mid", "Low"], "next_value": 70.0})
    past = past.assign(back=1, origin=pd.Timestamp("2024-12-31"))
    (block,) = evidence.movers(Run(earlier=past), T)
    assert said in plain(block.markdown)
    assert MISSING not in block.markdown
