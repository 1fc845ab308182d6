"""Value, growth, churn and risk by region, country, size, industry, salesperson and product line; why each changed."""

from __future__ import annotations

import pandas as pd

from kamlab.dimensions import EFFECTS, LEAST_ACCOUNTS, UNKNOWN
from kamlab.figures.words import with_currency, without_currency
from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.names import signed
from kamlab.reports.sections.owners import CAUSES, DIMENSIONS
from kamlab.reports.sections.source import Source, value_word

TOP = 10
"""Values printed of a dimension."""


def section(run: Source, t: Translator) -> list[Block]:
    """Two tables a dimension: what it is worth, and why its revenue changed; one line where there is none."""
    rows = run.read("dimensions")
    blocks: list[Block] = [text(t("## By region, size, industry, salesperson and product line"))]
    for name in DIMENSIONS:
        own = rows[rows["dimension"] == name]
        if len(own) > 1:
            blocks += [worth(run, own, t(DIMENSIONS[name]), t), *causes(run, own, t(DIMENSIONS[name]), t)]
    if len(blocks) == 1:
        blocks.append(
            text(t("The data names neither regions nor sizes, owners or product lines to divide accounts by."))
        )
    return blocks


def _named(rows: pd.DataFrame, t: Translator) -> list[str]:
    return [t("unknown") if value == UNKNOWN else value for value in rows["value"]]


def worth(run: Source, own: pd.DataFrame, word: str, t: Translator) -> Block:
    """Table of what each value of a dimension is worth, and how it grows and stands to lose."""
    shown, plain = own.head(TOP), without_currency(t)
    printed = pd.DataFrame(
        {
            "value": _named(shown, t),
            "accounts": [t.number(n) for n in shown["accounts"]],
            "revenue": [plain.money(v) for v in shown["revenue_now"]],
            "growth": [None if pd.isna(v) else signed(v, t) for v in shown["growth"]],
            "churn": [t.percent(v) for v in shown["churn"]],
            "expected": [plain.money(v) for v in shown["expected_contribution"]],
            "risk": [plain.money(v) for v in shown["value_at_risk"]],
        }
    )
    columns = [
        TableColumn("value", word),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("revenue", t("Revenue, last 12 months"), "right"),
        TableColumn("growth", t("Growth"), "right"),
        TableColumn("churn", t("Lost customers"), "right"),
        TableColumn("expected", value_word(run, t), "right"),
        TableColumn("risk", t("Value at risk"), "right"),
    ]
    notes = [
        t("Under {n} accounts no rates are given.", n=t.number(LEAST_ACCOUNTS)),
        t("Value at risk: what is expected of accounts probably alive, if they are, × the chance that they are not."),
        *_beyond(own, t),
    ]
    caption = with_currency(t("{dimension}: value, growth, lost customers and risk", dimension=word), t)
    return table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, notes))


def _beyond(own: pd.DataFrame, t: Translator) -> list[str]:
    more = len(own) - TOP
    if more <= 0:
        return []
    return [t.plural("{n} more is in the table dimensions.", "{n} more are in the table dimensions.", more)]


def causes(run: Source, own: pd.DataFrame, word: str, t: Translator) -> list[Block]:
    """Table of why the revenue of each value of a dimension changed; nothing where there is no year to compare with."""
    if run.read_facts("revenue")["previous"] is None:
        return []
    plain, parts = without_currency(t), [cause for cause in EFFECTS if own[cause].abs().sum() > 0]
    sums = own[["change", *parts]].sum()
    shown = pd.concat([own.head(TOP), pd.DataFrame([{"value": t("All accounts"), **sums}])], ignore_index=True)
    printed = pd.DataFrame(
        {"value": _named(shown, t), **{name: [plain.money(v) for v in shown[name]] for name in ("change", *parts)}}
    )
    columns = [
        TableColumn("value", word),
        TableColumn("change", t("Change of revenue"), "right"),
        *(TableColumn(cause, t(CAUSES[cause]), "right") for cause in parts),
    ]
    caption = with_currency(t("{dimension}: change of revenue and its causes, which add up to it", dimension=word), t)
    of_lines = own["dimension"].iloc[0] == "product_line"
    note = t("Here a customer is new or lost that begins or ceases to buy the product line.") if of_lines else ""
    return [table(printed, columns=columns, caption=caption, note=note, total_rows=1)]
