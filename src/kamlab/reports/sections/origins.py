"""Where the numbers come from: for each number of the first pages the table, column and filter that give it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from kamlab.i18n import MISSING, N_, Translator
from kamlab.period import DAYS_PER_YEAR
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.decisions import asked_for
from kamlab.reports.sections.source import (
    SILENT_RULES,
    Source,
    is_contribution,
    labelled,
    record,
    total,
    total_revenue,
)
from kamlab.strategies import texts
from kamlab.terms import REVENUE_KINDS, STRATEGIES

WAYS = {
    "sum": N_("sum"),
    "floored": N_("sum; each at least 0"),
    "negative": N_("sum, its sign turned"),
    "count": N_("number of rows"),
    "value": N_("the value itself"),
    "lower": N_("lower quantile of the columns' sums"),
    "upper": N_("upper quantile of the columns' sums"),
}
"""How the rows give the number."""

BOTH = "account_table, strategies"
"""The two tables, joined by account."""

_WATCHED = "(strategy == 'win_back' or flags.str.contains('watch', na=False))"
_SILENT = f"strategy_rule in {list(SILENT_RULES)}"


@dataclass(frozen=True)
class Origin:
    """A printed number and where it comes from.

    Attributes
    ----------
    label : str
        What it is, as printed.
    value : float
    table, column : str
        Of the run; the column may be a difference of two. `BOTH` names two tables.
    where : str
        Filter of rows as `pandas.DataFrame.query` takes it; empty = all rows.
    how : str
        Key of `WAYS`.
    """

    label: str
    value: float
    table: str
    column: str
    where: str = ""
    how: str = "sum"


def origins(run: Source, t: Translator) -> list[Origin]:
    """Return the numbers of the first pages with their origins, in the order of the report."""
    return [*_revenue(run, t), *_expected(run, t), *_decisions(run, t), *_strategies(run, t), *_record(run, t)]


def table_of_origins(run: Source, t: Translator) -> list[Block]:
    """Table of the numbers of the first pages: value, table, column, filter, and how these give it."""
    found = origins(run, t)
    counts = ("count",)
    printed = pd.DataFrame(
        {
            "label": [origin.label for origin in found],
            "value": [t.number(o.value) if o.how in counts else t.money_exact(o.value) for o in found],
            "table": [origin.table for origin in found],
            "column": [origin.column for origin in found],
            "where": [origin.where or MISSING for origin in found],
            "how": [t(WAYS[origin.how]) for origin in found],
        }
    )
    columns = [
        TableColumn("label", t("Number")),
        TableColumn("value", t("Value"), "right"),
        TableColumn("table", t("Table"), width=16),
        TableColumn("column", t("Column"), width=18),
        TableColumn("where", t("Filter"), width=30),
        TableColumn("how", t("How"), width=14),
    ]
    caption = t("The numbers of the first pages, and what gives them again from the run's tables.")
    return [text(t("## Where the numbers come from")), table(printed, columns=columns, caption=caption)]


def _revenue(run: Source, t: Translator) -> Iterator[Origin]:
    facts, end = run.read_facts("revenue"), run.period.calibration_end
    kinds = f"kind in {list(REVENUE_KINDS)}"
    first, earlier = end - timedelta(days=DAYS_PER_YEAR), end - timedelta(days=2 * DAYS_PER_YEAR)
    where = f"{kinds} and date > '{first}' and date <= '{end}'"
    yield Origin(t("Revenue, last 12 months"), facts["trailing"], "ledger", "amount", where)
    if facts["previous"] is not None:
        where = f"{kinds} and date > '{earlier}' and date <= '{first}'"
        yield Origin(t("Revenue, 12 months before"), facts["previous"], "ledger", "amount", where)


def _expected(run: Source, t: Translator) -> Iterator[Origin]:
    found = [(t("Expected revenue"), total_revenue(run), "expected_revenue", "revenue_draws")]
    if is_contribution(run):
        found.append((t("Expected contribution"), total(run), "expected_contribution", "draws"))
    for label, sums, column, draws in found:
        yield Origin(label, sums.value, "forecast", column)
        names = run.read(draws).columns.drop("account")
        drawn = f"{names[0]} … {names[-1]}"
        for bound, value, detail in (("lower", sums.lower, t("lower bound")), ("upper", sums.upper, t("upper bound"))):
            yield Origin(t("{name}, {detail}", name=label, detail=detail), value, draws, drawn, "", bound)


def _decisions(run: Source, t: Translator) -> Iterator[Origin]:
    """Accounts and money of each decision requested."""
    ways = {
        "protect": (
            t("Slipping away a year"),
            f"{_WATCHED} and not {_SILENT}",
            "prior_peak_revenue - expected_revenue",
            "floored",
        ),
        "win_back": (t("Silent accounts"), f"{_WATCHED} and {_SILENT}", "peak_revenue - expected_revenue", "floored"),
        "promote": (t("Headroom a year"), "strategy == 'promote' and headroom > 0", "headroom", "sum"),
        "acquire": (t("Potential of prospects"), "strategy == 'acquire'", "potential_revenue", "sum"),
        "repair": (
            t("Losses of the last 12 months"),
            "flags.str.contains('repair', na=False)",
            "trailing_margin",
            "negative",
        ),
    }
    for name, (rows, money) in asked_for(run).items():
        label, where, column, how = ways[name]
        accounts = t("{name}, {detail}", name=label, detail=t("accounts"))
        yield Origin(accounts, float(len(rows)), BOTH, "account", where, "count")
        yield Origin(label, money, BOTH, column, where, how)


def _strategies(run: Source, t: Translator) -> Iterator[Origin]:
    """Accounts of each strategy and their revenue."""
    accounts = labelled(run)
    for strategy in STRATEGIES:
        rows = accounts[accounts["strategy"] == strategy]
        if len(rows):
            name, where = t(texts.STRATEGIES[strategy].name), f"strategy == '{strategy}'"
            counted = t("{name}, {detail}", name=name, detail=t("accounts"))
            yield Origin(counted, float(len(rows)), "strategies", "account", where, "count")
            earned = t("{name}, {detail}", name=name, detail=t("revenue of the last 12 months"))
            yield Origin(earned, float(rows["trailing_revenue"].sum()), BOTH, "trailing_revenue", where)


def _record(run: Source, t: Translator) -> Iterator[Origin]:
    """The forecast made a horizon ago, what came of it, and the lines that could not be used."""
    rows, forecaster = record(run), run.read_facts("choice")["forecaster"]
    if forecaster in rows.index and rows.loc[forecaster, "target"] == "revenue":
        row: pd.Series = rows.loc[forecaster]
        where = f"forecaster == '{forecaster}' and target == 'revenue' and role == '{row['role']}'"
        yield Origin(t("Forecast a horizon ago"), float(row["forecast"]), "backtest", "forecast", where, "value")
        yield Origin(t("What came of it"), float(row["actual"]), "backtest", "actual", where, "value")
    lines = run.read("quarantine")
    yield Origin(t("Lines that cannot be used"), float(len(lines)), "quarantine", "line", "", "count")
