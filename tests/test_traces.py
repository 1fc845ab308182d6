"""Traces name sentences and columns that exist; that each gives its number again is tested on a finished run."""

import re
import string
from types import SimpleNamespace

import pandas as pd
import pytest
from traced_numbers import NUMBER, Numbers, catalogue, same

from kamlab.i18n import Translator
from kamlab.period import StudyPeriod
from kamlab.reports.sections.traces import query, table_of_traces
from kamlab.reports.traces import DRAWN, TRACES, VALUE, Trace
from kamlab.terms import TABLES

T = Translator("en")


FACTS = {
    "choice",
    "configuration",
    "effort_facts",
    "freshness",
    "headcount",
    "pipeline_total",
    "plan_facts",
    "prospect_segments_facts",
    "segmentation",
    "signals",
    "spend",
}


def faults(trace):
    """What a trace names that there is not."""
    known = catalogue().keys()
    placeholders = {name for _, name, _, _ in string.Formatter().parse(trace.text) if name}
    messages = {text for text in (trace.text, trace.row, *trace.fixed.values()) if text and not text.isdigit()}
    yield ("message", messages - known)
    yield ("number", {n.removeprefix("*") for n in trace.numbers} - {VALUE, DRAWN} - placeholders - known)
    yield ("fixed", {n for n in trace.fixed if f"{{{n}}}" not in " ".join((trace.text, trace.row, *trace.numbers))})
    variables = set(re.findall(r"\$(\w+)", " ".join((trace.table, trace.where, *trace.numbers.values()))))
    own = {"as_of", "year", "before", "low", "high", "account", "mine", "place", "heading"}
    yield ("variable", variables - own - placeholders)
    tables = trace.table.split(", ") if re.fullmatch(r"[\w, ]+", trace.table) and " join " not in trace.table else []
    yield ("table", set(tables) - TABLES.keys() - FACTS)


def test_traces_speak_of_what_reports_print_and_runs_hold():
    found = {trace.said: [f"{what} {names}" for what, names in faults(trace) if names] for trace in TRACES}
    assert {said: faults for said, faults in found.items() if faults} == {}


class FakeRun:
    """A run in which nothing has rows but what is named."""

    config = SimpleNamespace(value=SimpleNamespace(level=0.8))
    period = StudyPeriod(calibration_end="2025-12-31", horizon_days=365)

    def __init__(self, *filled):
        self._filled = filled

    def read(self, name, *, columns=(), where=None):
        return pd.DataFrame({column: ["x"] if name in self._filled else [] for column in columns})


def test_the_appendix_prints_each_query_with_the_days_of_the_run_and_none_on_what_is_not_there():
    [_, *blocks] = table_of_traces(FakeRun("coverage"), T)
    rows = [row for block in blocks for row in block.rows]
    [shown] = [row for row in rows if row[0] == "Revenue held at {now}"]
    assert shown[1] == (
        "select sum(amount) filter (date > date '2024-12-31' and date <= date '2025-12-31') as now from ledger "
        "where kind in ('sale', 'return', 'rebate')"
    )
    [interval] = [row for row in rows if row[0] == "{level} interval: {interval}; from today's customers"]
    assert "quantile_cont(total, 0.1), quantile_cont(total, 0.9) as interval from (select draw" in interval[1]
    [load] = [row for row in rows if row[0].startswith("Owners by what")]
    assert load[1].startswith('select accounts as Accounts, key_accounts as "With a plan", load as "Load by the ratio"')
    assert load[1].endswith(" from coverage where owner = …")
    assert not [row for row in rows if "from pipeline" in row[1] or "from plans" in row[1]]
    filled = table_of_traces(FakeRun("coverage", "pipeline"), T)
    assert [row for block in filled[1:] for row in block.rows if "from pipeline" in row[1]]


def test_a_query_with_two_headings_stands_once():
    trace = Trace("x", {"Expected contribution": "sum(a)", "Expected revenue": "sum(a)", "n": "n"}, "t")
    assert query(trace, T) == 'select sum(a) as "Expected contribution / Expected revenue", n from t'


@pytest.mark.parametrize(
    ("printed", "value", "other"),
    [
        ("CNY 1.09 bn", 1_093_192_820.3, 1_096_000_000),
        ("−99.8 M", -99_805_000, 99_805_000),
        ("+232 M", 232_000_000, 232_600_000),
        ("63 M", 63_000_000, 63_000),
        ("5%", 0.0509, 0.0551),
        ("39.3", 39.3166, 39.36),
        ("under 5%", 0.0499, 0.051),
        ("over 95%", 0.951, 0.949),
        ("–", float("nan"), 0.0),
        ("0", 0.4, 1.4),
    ],
)
def test_a_number_is_the_same_as_its_value_written_in_its_own_form(printed, value, other):
    assert re.fullmatch(f"{NUMBER}|–", printed)
    assert same(printed, value, T)
    assert not same(printed, other, T)


def test_a_number_without_a_trace_and_a_wrong_one_are_both_found(tmp_path):
    numbers = Numbers(tmp_path, (Trace("{n} account has come back after more than a year: {names}.", {"n": "7"}, "t"),))
    numbers.__dict__ |= {"variables": {}, "names": {}, "rows": lambda sql: [(7,)], "source": lambda table: table}
    numbers.cover("7 accounts have come back after more than a year: Ito, Lê.", {})
    assert (numbers.counted, numbers.findings) == (1, [])
    numbers.cover("8 accounts have come back after more than a year: Ito, Lê. 3 more fell silent on 1 Jan 2025.", {})
    assert [finding.said[:22] for finding in numbers.findings] == ["n prints ['8'], not ['", "no trace for 3"]
