"""Where the columns of the management report's tables come from: for each the run's table, column, filter and way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from kamlab.backtest import RECORDS
from kamlab.gains import SILENT_RULES
from kamlab.i18n import MISSING, N_, Translator
from kamlab.reports.blocks import Block, TableColumn, table
from kamlab.reports.sections.owners import CAUSES, DIMENSIONS, dividing
from kamlab.reports.sections.source import Source, is_contribution, value_word

WAYS = {
    "value": N_("the value itself"),
    "sum": N_("sum"),
    "count": N_("number of rows"),
    "distinct": N_("number of different values"),
}
"""How the rows of one line give its cell."""

BOTH = "account_table, strategies"
WATCHED = "(strategy == 'win_back' or flags.str.contains('watch', na=False))"
SILENT = f"strategy_rule in {sorted(SILENT_RULES)}"


@dataclass(frozen=True)
class Trace:
    """A column of a table of the management report and where it comes from.

    Attributes
    ----------
    shown : str
        What the table lists, translated.
    label : str
        Head of the column, translated.
    table, column : str
        Of the run; the column may be a difference of two. `BOTH` names two tables, joined by account.
    line : str
        Column of the run's table that a line of the report stands for, such as name.
    where : str
        Filter of rows as `pandas.DataFrame.query` takes it; empty = all rows.
    how : str
        Key of `WAYS`.
    """

    shown: str
    label: str
    table: str
    column: str
    line: str
    where: str = ""
    how: str = "value"


def traces(run: Source, t: Translator) -> list[Trace]:
    """Return the columns of the management report's tables, in the order of the report."""
    return [
        *_groups(run, t),
        *_accounts(run, t),
        *_owners(run, t),
        *_changes(run, t),
        *_record(run, t),
        *_ahead(run, t),
    ]


def table_of_traces(run: Source, t: Translator) -> list[Block]:
    """Table of the columns of the management report's tables: table, column, filter, and how these give a cell."""
    found = traces(run, t)
    printed = pd.DataFrame(
        {
            "shown": [trace.shown for trace in found],
            "label": [trace.label for trace in found],
            "table": [trace.table for trace in found],
            "column": [trace.column for trace in found],
            "line": [trace.line for trace in found],
            "where": [trace.where or MISSING for trace in found],
            "how": [t(WAYS[trace.how]) for trace in found],
        }
    )
    columns = [
        TableColumn("shown", t("Report"), width=12),
        TableColumn("label", t("Heading"), width=16),
        TableColumn("table", t("Table"), width=14),
        TableColumn("column", t("Column"), width=16),
        TableColumn("line", t("Line"), width=10),
        TableColumn("where", t("Filter"), width=24),
        TableColumn("how", t("How"), width=10),
    ]
    caption = t(
        "The columns of the management report's tables, and what gives each cell again for the line it stands in."
    )
    return [table(printed, columns=columns, caption=caption)]


def _groups(run: Source, t: Translator) -> Iterator[Trace]:
    """Strategies and types."""
    value = t("{value}, next 12 months", value=value_word(run, t))
    shown = t("Strategy")
    yield Trace(shown, t("Accounts"), "strategies", "account", "strategy", how="count")
    if run.read("accounts")["owner"].notna().any():
        yield Trace(shown, t("People"), BOTH, "owner", "strategy", "not owner_left", "distinct")
    yield Trace(shown, t("Revenue, last 12 months"), BOTH, "trailing_revenue", "strategy", how="sum")
    yield Trace(shown, value, BOTH, "expected_contribution", "strategy", how="sum")
    yield Trace(shown, t("Headroom a year"), BOTH, "headroom", "strategy", how="sum")
    shown = t("Type")
    yield Trace(shown, t("Accounts"), "strategies", "account", "type_000", how="count")
    yield Trace(shown, t("of them provisional"), "strategies", "provisional", "type_000", how="sum")
    yield Trace(shown, value_word(run, t), BOTH, "expected_contribution", "type_000", how="sum")


def _accounts(run: Source, t: Translator) -> Iterator[Trace]:
    """The lists of accounts to act on."""
    value = value_word(run, t)
    lists = {
        t("Protect"): (
            f"{WATCHED} and not {SILENT}",
            {
                t("Slipping away a year"): "prior_peak_revenue - expected_revenue",
                t("Expected revenue"): "expected_revenue",
            },
        ),
        t("Win back"): (
            f"{WATCHED} and {SILENT}",
            {t("Revenue of best 12 months"): "peak_revenue", t("Still buys with probability"): "p_alive"},
        ),
        t("Promote"): (
            "strategy == 'promote' and headroom > 0",
            {t("Headroom a year"): "headroom", value: "expected_contribution"},
        ),
        t("Acquire"): ("strategy == 'acquire'", {t("Potential a year"): "potential_revenue"}),
        t("Repair"): (
            "flags.str.contains('repair', na=False)",
            {t("Margin, last 12 months"): "trailing_margin", t("Margin rate, 3 years"): "margin / costed_revenue"},
        ),
        t("Retain"): (
            "strategy == 'retain' and not flags.str.contains('watch', na=False)",
            {value: "expected_contribution", t("Still buys with probability"): "p_alive"},
        ),
    }
    for shown, (where, columns) in lists.items():
        for label, column in columns.items():
            yield Trace(shown, label, BOTH, column, "name", where)


def _owners(run: Source, t: Translator) -> Iterator[Trace]:
    if len(run.read("coverage")):
        names = {
            "accounts": t("Accounts"),
            "key_accounts": t("With a plan"),
            "load": t("Load by the ratio"),
            "expected_contribution": value_word(run, t),
        }
        for column, label in names.items():
            yield Trace(t("Owner"), label, "coverage", column, "owner")


def _changes(run: Source, t: Translator) -> Iterator[Trace]:
    rows = run.read("dimensions")
    name = dividing(rows)
    if run.read_facts("revenue")["previous"] is None or not name:
        return
    where = f"dimension == '{name}'"
    causes = [cause for cause in CAUSES if run.read("changes")[cause].abs().sum() > 0]
    for column, label in {"change": N_("Change of revenue"), **{cause: CAUSES[cause] for cause in causes}}.items():
        yield Trace(t(DIMENSIONS[name]), t(label), "dimensions", column, "value", where)


def _record(run: Source, t: Translator) -> Iterator[Trace]:
    rows = run.read("backtest")
    if rows.empty:
        return
    target = "revenue" if (rows["target"] == "revenue").any() else "purchases"
    where = f"target == '{target}' and role in {list(RECORDS)}"
    for column, label in {"forecast": t("All accounts"), "bias": t("Off by"), "mae": t("Off by, each account")}.items():
        yield Trace(t("Forecast by"), label, "backtest", column, "forecaster", where)


def _ahead(run: Source, t: Translator) -> Iterator[Trace]:
    if len(run.read("lifetime_totals")):
        label = t("Discounted contribution") if is_contribution(run) else t("Discounted revenue")
        yield Trace(t("The next"), label, "lifetime_totals", "expected", "measure", "kind == 'company'")
