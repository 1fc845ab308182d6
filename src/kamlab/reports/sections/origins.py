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
    Source,
    is_contribution,
    labelled,
    past_contribution,
    record,
    total,
    total_revenue,
)
from kamlab.reports.sections.traces import BOTH, SILENT, WATCHED
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


@dataclass(frozen=True)
class Origin:
    """A printed number and where it comes from.

    Attributes
    ----------
    label : str
        What it is, as printed.
    value : float
    table, column : str
        Of the run; the column may be a difference of two. Two tables are joined by account.
    where : str
        Filter of rows as `pandas.DataFrame.query` takes it; empty = all rows.
    how : str
        Key of `WAYS`.
    unit : str
        money or number.
    """

    label: str
    value: float
    table: str
    column: str
    where: str = ""
    how: str = "sum"
    unit: str = "money"


def origins(run: Source, t: Translator) -> list[Origin]:
    """Return the numbers of the first pages with their origins, in the order of the report."""
    parts = (_revenue, _expected, _changed, _decisions, _people, _strategies, _record, _lines)
    return [origin for part in parts for origin in part(run, t)]


def table_of_origins(run: Source, t: Translator) -> list[Block]:
    """Table of the numbers of the first pages: value, table, column, filter, and how these give it."""
    found = origins(run, t)
    printed = pd.DataFrame(
        {
            "label": [origin.label for origin in found],
            "value": [t.number(o.value) if o.unit == "number" else t.money_exact(o.value) for o in found],
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
    if facts["trailing_contribution"] is not None:
        where = f"{kinds} and date > '{first}' and date <= '{end}'"
        yield Origin(past_contribution(run, t), facts["trailing_contribution"], "ledger", "amount - cost", where)
    plan = run.read("plan")
    where = f"kind == 'company' and end > '{first}' and end <= '{end}'"
    if len(plan) and len(rows := plan.query(where)) and rows["plan"].notna().all():
        yield Origin(t("Plan"), float(rows["plan"].sum()), "plan", "plan", where)


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


def _changed(run: Source, t: Translator) -> Iterator[Origin]:
    """What became of the revenue of the year before."""
    if run.read_facts("revenue")["previous"] is None:
        return
    had, has = "revenue_before > 0", "revenue_now > 0"
    parts = {
        N_("Lost"): f"{had} and not {has}",
        N_("Shrunk"): f"{had} and {has} and change < 0",
        N_("Grown"): f"{had} and {has} and change > 0",
        N_("New or back"): f"not {had} and {has}",
    }
    changes = run.read("changes")
    for name, where in parts.items():
        rows = changes.query(where)
        if len(rows):
            counted = t("{name}, {detail}", name=t(name), detail=t("accounts"))
            yield Origin(counted, float(len(rows)), "changes", "account", where, "count", "number")
            yield Origin(t(name), float(rows["change"].sum()), "changes", "change", where)


def _people(run: Source, t: Translator) -> Iterator[Origin]:
    """People who look after accounts, and what key accounts owe."""
    had = run.read_facts("headcount")["had"]
    if had:
        yield Origin(t("People"), float(had), "coverage", "owner", "active and accounts > 0", "count", "number")
    paying = run.read("credit")
    if len(paying):
        strategies = run.read("strategies", columns=["account", "plan_required"])
        rows = paying[paying["account"].isin(strategies.loc[strategies["plan_required"], "account"])]
        for column, label in {"overdue": N_("Overdue"), "overdue_90": N_("Overdue over 90 days")}.items():
            yield Origin(t(label), float(rows[column].sum()), "credit, strategies", column, "plan_required")
        yield Origin(t("Disputed"), float(rows["disputed"].sum()), "credit, strategies", "disputed", "plan_required")


def _decisions(run: Source, t: Translator) -> Iterator[Origin]:
    """Accounts and money of each decision requested."""
    ways = {
        "protect": (
            t("Slipping away a year"),
            f"{WATCHED} and not {SILENT}",
            "prior_peak_revenue - expected_revenue",
            "floored",
        ),
        "win_back": (t("Silent accounts"), f"{WATCHED} and {SILENT}", "peak_revenue - expected_revenue", "floored"),
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
        yield Origin(accounts, float(len(rows)), BOTH, "account", where, "count", "number")
        yield Origin(label, money, BOTH, column, where, how)


def _strategies(run: Source, t: Translator) -> Iterator[Origin]:
    """Accounts of each strategy and their revenue."""
    accounts = labelled(run)
    for strategy in STRATEGIES:
        rows = accounts[accounts["strategy"] == strategy]
        if len(rows):
            name, where = t(texts.STRATEGIES[strategy].name), f"strategy == '{strategy}'"
            counted = t("{name}, {detail}", name=name, detail=t("accounts"))
            yield Origin(counted, float(len(rows)), "strategies", "account", where, "count", "number")
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


def _lines(run: Source, t: Translator) -> Iterator[Origin]:
    """Lines that were read, and those that could not be used."""
    read = run.read("reconciliation").set_index("part").loc["read", "rows"]
    yield Origin(t("Lines"), float(read), "reconciliation", "rows", "part == 'read'", "value", "number")
    lines = run.read("quarantine")
    yield Origin(t("Lines that cannot be used"), float(len(lines)), "quarantine", "line", "", "count", "number")
