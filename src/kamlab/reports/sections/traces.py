"""Where the numbers come from: for each sentence, figure and table the query on the run's tables that gives it again."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from datetime import timedelta

import pandas as pd

from kamlab.i18n import MISSING, SEMICOLONS, SENTENCES, Translator
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
    """Tables of all numbers, one for each document: what is printed, and table, column and filter of each number."""
    heading = t(
        "Each number is a query in SQL on the run's tables: select column from table where filter. A word in braces stands "
        "for the number that a sentence prints; of a table of draws each account and draw is a row."
    )
    documents = {
        t("All documents"): COMMON,
        t("Key-account report"): MANAGEMENT,
        t("Period review"): REVIEW,
        t("Account plans"): PLANS,
        t("Appendix"): APPENDIX,
    }
    absent = {name for name in OPTIONAL if run.read(name, columns=[TABLES[name][0].name]).empty}
    blocks: list[Block] = [text(t("## Where the numbers come from") + "\n\n" + heading)]
    for document, traces in documents.items():
        shown = [trace for trace in traces if not _tables(trace) & absent]
        if shown:
            blocks.append(_listed(document, shown, run, t))
    return blocks


def _tables(trace: Trace) -> set[str]:
    return set(re.findall(r"\w+", trace.table)) & TABLES.keys()


def _listed(document: str, traces: Sequence[Trace], run: Source, t: Translator) -> Block:
    """Table of the traces of a document."""
    end, share = run.period.calibration_end, (1 - run.config.value.level) / 2
    days = {"as_of": end, "year": end - timedelta(DAYS_PER_YEAR), "before": end - timedelta(2 * DAYS_PER_YEAR)}
    known = {name: f"date '{day}'" for name, day in days.items()} | {"low": f"{share:g}", "high": f"{1 - share:g}"}

    def written(query: str) -> str:
        return string.Template(query).safe_substitute(known)

    printed = pd.DataFrame(
        {
            "shown": [_shown(trace, t) for trace in traces],
            "numbers": [
                t.join(
                    SEMICOLONS,
                    [
                        t("{field}: {value}", field=_number(name, t), value=written(query))
                        for name, query in trace.numbers.items()
                    ],
                )
                for trace in traces
            ],
            "table": [written(trace.table) for trace in traces],
            "where": [_filter(trace, written) or MISSING for trace in traces],
        }
    )
    columns = [
        TableColumn("shown", t("What is printed"), width=30),
        TableColumn("numbers", t("Number and column"), width=30),
        TableColumn("table", t("Table"), width=18),
        TableColumn("where", t("Filter"), width=22),
    ]
    return table(printed, columns=columns, caption=t("{document}: where its numbers come from.", document=document))


def _shown(trace: Trace, t: Translator) -> str:
    """Return the message as the reader's language has it, with what is fixed in its place and no marks of Markdown."""
    said = t(trace.text).replace("**", "")
    for name, words in trace.fixed.items():
        said = said.replace(f"{{{name}}}", t(words))
    return t.join(SENTENCES, [said, t("Line: {line}.", line=t(trace.row))]) if trace.row else said


def _number(name: str, t: Translator) -> str:
    """Return what a number is called: the placeholder of its sentence, or the heading of its column."""
    return {VALUE: t("Value"), DRAWN: t("in the picture")}.get(name) or t(name.removeprefix("*"))


def _filter(trace: Trace, written: Callable[[str], str]) -> str:
    """Return the filter of rows, with the column that a line names and what a picture's numbers are grouped by."""
    parts = [written(trace.where)] if trace.where else []
    parts += [f"{column} = …" for column in filter(None, trace.line.split(", "))]
    return " and ".join(parts) + (f" group by {trace.by}" if trace.by else "")
