"""Where the numbers come from: for each sentence, figure and table the query on the run's tables that gives it again."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from kamlab.i18n import SEMICOLONS, SENTENCES, Translator
from kamlab.period import DAYS_PER_YEAR
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source
from kamlab.reports.traces import APPENDIX, COMMON, DRAWN, MANAGEMENT, PLANS, REVIEW, VALUE, Trace
from kamlab.terms import TABLES

OPTIONAL = (
    "actions_result",
    "actions_review",
    "backtest",
    "books",
    "cadence",
    "coverage",
    "credit",
    "dimensions",
    "effort",
    "evidence",
    "held_against",
    "lifetime_totals",
    "pipeline",
    "plan",
    "plan_competitors",
    "plan_projects",
    "plans",
    "prospect_segments",
    "reassignment",
    "record_groups",
    "targets",
    "transitions",
)
"""Tables that have no rows where a company does not give what they rest on; nothing is printed of them then."""


def table_of_traces(run: Source, t: Translator) -> list[Block]:
    """Tables of all numbers, one for each document: what is printed, and the query that gives its numbers again."""
    heading = t(
        "Each number is given again by a query in SQL on the run's tables, which names table, column and filter. A word in "
        "braces stands for the number that a sentence prints. Two tables after each other are joined by account; of a table "
        "of draws each account and draw is a row."
    )
    absent = {name for name in OPTIONAL if run.read(name, columns=[TABLES[name][0].name]).empty}
    documents: dict[str, Sequence[Trace]] = {
        t("All documents"): COMMON,
        t("Key-account report"): MANAGEMENT,
        t("Period review"): REVIEW,
        t("Account plans"): () if "plans" in absent else PLANS,
        t("Appendix"): APPENDIX,
    }
    blocks: list[Block] = [text(t("## Where the numbers come from") + "\n\n" + heading)]
    for document, traces in documents.items():
        shown = [trace for trace in traces if not _tables(trace) & absent]
        if shown:
            blocks.append(_listed(document, shown, run, t))
    return blocks


def _tables(trace: Trace) -> set[str]:
    """Return the tables that a trace's query reads; a step's facts go by the step's table."""
    words = re.findall(r"\w+", " ".join((trace.table, *trace.numbers.values())))
    return {word.removesuffix("_facts").removesuffix("_total") for word in words} & TABLES.keys()


def _listed(document: str, traces: Sequence[Trace], run: Source, t: Translator) -> Block:
    """Table of the traces of a document; those of one sentence or table stand in one line."""
    end, share = run.period.calibration_end, (1 - run.config.value.level) / 2
    days = {"as_of": end, "year": end - timedelta(DAYS_PER_YEAR), "before": end - timedelta(2 * DAYS_PER_YEAR)}
    known = {name: f"date '{day}'" for name, day in days.items()} | {"low": f"{share:g}", "high": f"{1 - share:g}"}
    queries: dict[str, list[str]] = {}
    for trace in traces:
        filled = string.Template(query(trace, t)).safe_substitute(known)
        queries.setdefault(_shown(trace, t), []).append(filled)
    printed = pd.DataFrame(
        {"shown": list(queries), "query": [t.join(SEMICOLONS, dict.fromkeys(found)) for found in queries.values()]}
    )
    columns = [TableColumn("shown", t("What is printed"), width=32), TableColumn("query", t("Query"), width=68)]
    return table(printed, columns=columns, caption=t("{document}: where its numbers come from.", document=document))


def _shown(trace: Trace, t: Translator) -> str:
    """Return the message as the reader's language has it, with what is fixed in its place and no marks of Markdown."""
    said = t(trace.text).replace("**", "")
    for name, words in trace.fixed.items():
        said = said.replace(f"{{{name}}}", t(words))
    return t.join(SENTENCES, [said, t("Line: {line}.", line=trace.filled(t(trace.row)))]) if trace.row else said


def query(trace: Trace, t: Translator) -> str:
    """Return the query of a trace, each number under the name of its placeholder or under its column's heading."""
    names = {VALUE: "value", DRAWN: "drawn"}
    # What has one heading or another, by what a company's data allow, is one query.
    selected: dict[str, list[str]] = {}
    for name, number in trace.numbers.items():
        selected.setdefault(number, []).append(names.get(name) or t(name.removeprefix("*")))
    columns = [
        number if found == [number] else f"{number} as {_quoted(' / '.join(found))}"
        for number, found in selected.items()
    ]
    lines = [f"{column} = …" for column in filter(None, trace.line.split(", "))]
    where = " and ".join([*filter(None, [trace.where]), *lines])
    grouped = f" group by {trace.by}" if trace.by else ""
    return f"select {', '.join(columns)} from {trace.table}" + (f" where {where}" if where else "") + grouped


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'
