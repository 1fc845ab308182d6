"""What the sections say: warnings first, empty lists in one line, names as they are."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kamlab.config import Company, Config, Source, Transactions
from kamlab.freshness import ENDS_EARLY
from kamlab.i18n import Translator
from kamlab.ledger import read_ledger
from kamlab.period import StudyPeriod
from kamlab.reports.sections import actions, answers, data, forecast
from kamlab.reports.sections.source import total

T = Translator("en", currency="EUR")
CONFIG = Config(
    company=Company(name="Acme", currency="EUR"),
    source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
)


@dataclass
class FakeRun:
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    config: Config = CONFIG
    period: StudyPeriod = field(default_factory=lambda: StudyPeriod(date(2025, 12, 31)))

    def read(self, name):
        return self.tables[name]

    def read_facts(self, name):
        return self.facts[name]


RECORD = pd.DataFrame(
    {
        "forecaster": ["bg_nbd", "last_horizon", "rate"],
        "target": "revenue",
        "role": "record",
        "rmse": [250.0, 200.0, 100.0],
        "bias": [0.1, 0.0, 0.3],
        "origin": pd.Timestamp("2024-12-31"),
    }
)


FRESH = {"findings": []}


def choice(beaten, chosen_by="earlier"):
    return {"beaten_by": beaten, "forecaster": "bg_nbd", "chosen_by": chosen_by}


def test_a_stale_log_that_was_accepted_is_the_first_thing_said():
    values = {"as_of": "2025-12-31", "last_line": "2025-11-01", "lag_days": 60, "max_lag_days": 7}
    stale = {"findings": [[ENDS_EARLY, values]]}
    run = FakeRun({"backtest": RECORD}, {"freshness": stale, "choice": choice([])})
    (warning,) = answers.warnings(run, T)
    assert warning.tone == "danger"
    assert warning.title == "The log is stale or unfinished"
    assert "1 Nov 2025, 60 days before" in warning.markdown.replace("\u00a0", " ")


def test_a_simple_rule_that_was_better_is_named_with_both_errors():
    facts = {"freshness": FRESH, "choice": choice(["last_horizon", "rate"])}
    (warning,) = answers.warnings(FakeRun({"backtest": RECORD}, facts), T)
    assert warning.tone == "warning"
    said = warning.markdown.replace("\u00a0", " ")
    assert said.startswith(
        "“Rate so far, carried on” had an error of EUR 100 per account, this report's forecast EUR 250."
    )


def test_nothing_is_warned_of_where_nothing_is_wrong():
    assert answers.warnings(FakeRun({"backtest": RECORD}, {"freshness": FRESH, "choice": choice([])}), T) == []


def test_a_choice_that_cannot_be_supported_is_said_first():
    facts = {"freshness": FRESH, "choice": choice([], chosen_by="short")}
    (warning,) = answers.warnings(FakeRun({"backtest": RECORD}, facts), T)
    assert warning.title == "The choice of the forecast cannot be supported"
    assert "less than two horizons" in warning.markdown


def test_a_total_that_was_far_off_is_said_first():
    record = RECORD.assign(bias=[-0.49, 0.0, 0.3])
    (warning,) = answers.warnings(FakeRun({"backtest": record}, {"freshness": FRESH, "choice": choice([])}), T)
    assert warning.title == "The last forecast of the whole was far off"
    assert "\u221249%" in warning.markdown.replace("\u00a0", "")


def test_the_reason_of_the_forecast_says_what_it_was_chosen_on():
    said = {by: forecast.reason(FakeRun({}, {"choice": choice([], chosen_by=by)}), T) for by in ("earlier", "only")}
    assert said["earlier"].startswith(
        "The forecast rests on **BG/NBD**: on earlier dates nothing was clearly more accurate"
    )
    assert said["only"].endswith("That date is no independent proof.")
    untested = forecast.reason(FakeRun({}, {"choice": choice([], chosen_by="nothing")}), T)
    assert untested == "The forecast rests on **BG/NBD**; it could not be tested."


def test_how_wrong_it_was_is_told_by_group():
    groups = pd.DataFrame(
        {
            "dimension": ["age", "age"],
            "group": ["new", "known"],
            "accounts": [3, 40],
            "actual": [500.0, 950.0],
            "forecast": [25.0, 1045.0],
            "naive": [10.0, 950.0],
            "bias": [-0.5, 0.1],
            "naive_bias": [-0.8, 0.0],
            "rmse": [200.0, 300.0],
            "naive_rmse": [250.0, 280.0],
            "coverage": [0.5, 0.9],
        }
    )
    (table,) = forecast.for_whom(FakeRun({"backtest": RECORD, "record_groups": groups}), T)
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in table.rows] == [
        ["Known for less than a period", "3", "EUR 500", "\u221250%", "\u221280%", "EUR 200", "EUR 250", "50%"],
        ["Known for longer", "40", "EUR 950", "+10%", "0%", "EUR 300", "EUR 280", "90%"],
    ]


def test_a_total_is_the_quantiles_of_the_summed_draws():
    draws = pd.DataFrame({"account": ["A", "B"]} | {f"d{i}": [float(i), float(100 - i)] for i in range(101)})
    forecast = pd.DataFrame({"account": ["A", "B"], "expected_contribution": [50.0, 49.0]})
    run = FakeRun({"forecast": forecast, "draws": draws})
    whole = total(run)
    # Every draw of A has its complement in B: the sum is always 100, though each alone ranges from 5 to 95.
    assert (whole.value, whole.lower, whole.upper) == (99.0, 100.0, 100.0)
    assert (total(run, ["A"]).lower, total(run, ["A"]).upper) == pytest.approx((5, 95))
    assert np.isnan(total(run, []).value)


def test_reasons_of_the_quarantine_are_printed_by_number_of_lines():
    lines = pd.DataFrame(
        {
            "reason": ["line id is repeated", "5 fields where the header has 4", "line id is repeated"],
            "line": [7, 3, 9],
        }
    )
    (table,) = data.quarantine(FakeRun({"quarantine": lines}), T)
    assert table.rows == [["line id is repeated", "2", "7, 9"], ["5 fields where the header has 4", "1", "3"]]
    assert table.caption == "3 lines cannot be used."


def accounts(**columns):
    base = {
        "account": ["A"],
        "name": ["*Star* & Sons"],
        "owner": [None],
        "type_000": ["B"],
        "strategy": ["retain"],
        "strategy_rule": ["retain.value"],
        "strategy_inputs": [""],
        "flags": [""],
        "plan_required": [False],
        "trailing_revenue": [10.0],
        "peak_revenue": [20.0],
        "prior_peak_revenue": [5.0],
        "expected_revenue": [8.0],
        "expected_contribution": [2.0],
        "headroom": [1.0],
        "margin_rate": [0.25],
        "potential_revenue": [20.0],
        "potential_source": ["own_peak"],
        "wallet_share": [np.nan],
        "p_alive": [0.9],
        "days_since_last": [3.0],
        "days_known": [900.0],
        "margin": [1.0],
        "trailing_margin": [1.0],
        "costed_revenue": [10.0],
    }
    return pd.DataFrame(base | columns)


def run_of(table):
    labels = ["type_000", "strategy", "strategy_rule", "strategy_inputs", "flags", "plan_required"]
    return FakeRun(
        {
            "account_table": table.drop(columns=labels),
            "strategies": table[["account", "name", "owner", *labels]],
            "accounts": table[["account", "owner"]],
            "forecast": pd.DataFrame({"basis": ["contribution"]}),
        },
        {"freshness": {"has_cost": True}},
    )


def test_a_strategy_without_accounts_says_so_in_one_line():
    run = run_of(accounts())
    for section in (actions.protect, actions.win_back, actions.promote, actions.acquire, actions.repair):
        (block,) = section(run, T)
        heading, _, sentence = block.markdown.partition("\n\n")
        assert heading.startswith("### ")
        assert sentence.endswith(".")


def test_an_account_is_listed_with_its_reason_and_without_an_owner_column_where_nobody_owns():
    _, table = actions.retain(run_of(accounts()), T)
    assert [c.key for c in table.columns] == ["name", "type", "expected_contribution", "p_alive", "reason"]
    row = [cell.replace("\u00a0", " ") for cell in table.rows[0]]
    assert row[:4] == ["*Star* & Sons", "B", "EUR 2.00", "90%"]
    assert row[4].startswith("Expected to bring EUR 2.00")


def test_names_in_sentences_are_not_read_as_markdown():
    run = run_of(accounts(flags=["returning"]))
    (block,) = actions.urgent(run, T)
    assert "1 account has come back after more than a year: \\*Star\\* \\& Sons." in block.markdown


def test_a_young_log_does_not_claim_that_nobody_leaves():
    young = run_of(accounts(days_known=[300.0]))
    for section in (actions.protect, actions.win_back):
        (block,) = section(young, T)
        assert "Cannot be judged from this log" in block.markdown


def test_every_reason_of_the_ledger_has_its_words():
    raw = pd.DataFrame(
        {
            "who": ["A"] * 7,
            "day": ["2025-01-01"] * 6 + ["never"],
            "sum": ["1", "many", "1", "1", "1", "1", "1"],
            "cost": ["1", "1", "dear", "1", "1", "1", "1"],
            "pieces": ["1", "1", "1", "few", "1", "1", "1"],
            "sort": ["sale"] * 4 + ["gift", "return", "sale"],
            "number": ["1", "2", "3", "4", "5", "6", "1"],
        }
    )
    names = ("account", "date", "amount", "cost", "quantity", "kind", "line_id")
    columns = dict(zip(names, raw.columns, strict=True))
    bad = read_ledger(raw, columns=columns, max_quarantined_share=1).quarantine
    assert len(bad) == 6
    assert set(bad["reason"]) <= set(data.REASONS)


def test_chinese_sections_hold_no_latin_words_but_names():
    t = Translator("zh", currency="EUR")
    everything = pd.concat([accounts()] * 5, ignore_index=True).assign(
        account=list("ABCDE"),
        owner=["Wu Fang", None, None, None, None],
        type_000=list("BCBDA"),
        strategy=["retain", "win_back", "promote", "static", "acquire"],
        strategy_rule=["retain.value", "win_back.silent", "promote.mid", "negative.repair", "prospect.acquire"],
        flags=["returning", "override", "no_owner, review", "repair", "check_margin"],
        plan_required=True,
    )
    run = run_of(everything)
    names = ("protect", "win_back", "promote", "acquire", "repair", "retain", "urgent")
    sections = [getattr(actions, name) for name in names]
    printed = [block.to_json() for section in sections for block in section(run, t)]
    reasons = pd.DataFrame({"reason": [*data.REASONS, "5 fields where the header has 4; cost is not a number"]})
    lines = reasons.assign(line=range(2, 2 + len(reasons)))
    printed += [block.to_json() for block in data.quarantine(FakeRun({"quarantine": lines}), t)]
    said = []

    def collect(node, key=""):
        if isinstance(node, dict):
            for name, value in node.items():
                collect(value, name)
        elif isinstance(node, (list, tuple)):
            for value in node:
                collect(value, key)
        elif isinstance(node, str) and key not in ("kind", "key", "align"):
            said.append(node)

    collect(printed)
    words = set(re.findall("[A-Za-z]{2,}", " ".join(said)))
    assert words == {"EUR", "Star", "Sons", "Wu", "Fang", "quarantine"}
