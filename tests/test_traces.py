"""Traces name sentences and columns that exist; that each gives its number again is tested on a finished run."""

import re
import string

import pytest
from traced_numbers import NUMBER, Numbers, catalogue, same

from kamlab.i18n import Translator
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
    own = {"as_of", "year", "before", "low", "high", "account", "mine", "place"}
    yield ("variable", variables - own - placeholders)
    tables = trace.table.split(", ") if re.fullmatch(r"[\w, ]+", trace.table) and " join " not in trace.table else []
    yield ("table", set(tables) - TABLES.keys() - FACTS)


def test_traces_speak_of_what_reports_print_and_runs_hold():
    found = {trace.said: [f"{what} {names}" for what, names in faults(trace) if names] for trace in TRACES}
    assert {said: faults for said, faults in found.items() if faults} == {}


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
