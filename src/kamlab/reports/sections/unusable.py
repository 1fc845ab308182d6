"""What cannot be used of the log and of the other tables: each rule with rows, money, places and what to do."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from kamlab import reasons
from kamlab.i18n import COMMAS, SEMICOLONS, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source

MAX_REASONS = 12
MAX_LINES = 10


def of_the_log(run: Source, t: Translator) -> list[Block]:
    """Table of the reasons why lines of the log cannot be used."""
    lines = run.read("quarantine")
    if lines.empty:
        return [text(t("Every line of the log could be used."))]
    caption = t.plural("{n} line cannot be used.", "{n} lines cannot be used.", len(lines))
    return _table(lines, ["reason"], t, caption, t("Their text is in the table quarantine."))


def of_other_tables(run: Source, t: Translator) -> list[Block]:
    """Table of the reasons why rows of the optional tables cannot be used; nothing where all can."""
    rows = run.read("table_quarantine")
    if rows.empty:
        return []
    caption = t.plural(
        "{n} row of the other tables cannot be used.", "{n} rows of the other tables cannot be used.", len(rows)
    )
    return _table(rows, ["table", "reason"], t, caption, t("Their text is in the table table_quarantine."))


def _table(rows: pd.DataFrame, by: list[str], t: Translator, caption: str, note: str) -> list[Block]:
    groups = sorted(rows.groupby(by), key=lambda group: (-len(group[1]), group[0]))
    found = [(dict(zip(by, key, strict=True)), group) for key, group in groups]
    money = rows["amount"].notna().any()
    printed = pd.DataFrame(
        {
            "table": [key.get("table", "") for key, _ in found],
            "reason": [reasons.printed(key["reason"], t) for key, _ in found],
            "lines": [t.number(len(group)) for _, group in found],
            "money": [_money(group, t) for _, group in found],
            "where": [_places(group["line"], t) for _, group in found],
            "remedy": [t.join(SEMICOLONS, map(t, reasons.remedies(key["reason"]))) for key, _ in found],
        }
    )
    columns = [TableColumn("table", t("Table"))] if "table" in by else []
    columns += [TableColumn("reason", t("Why")), TableColumn("lines", t("Lines"), "right")]
    columns += [TableColumn("money", t("Money"), "right")] if money else []
    columns += [TableColumn("where", t("Line numbers in the file")), TableColumn("remedy", t("What to do"))]
    if len(printed) > MAX_REASONS:
        note = t("The {n} most frequent reasons. {more}", n=t.number(MAX_REASONS), more=note)
    return [table(printed.head(MAX_REASONS), columns=columns, caption=caption, note=note)]


def _money(rows: pd.DataFrame, t: Translator) -> str | None:
    """Write the money of some rows; what no rate converts, in its own currency."""
    known = rows[rows["amount"].notna()]
    if known.empty:
        return None
    currencies = known["currency"] if "currency" in known else pd.Series("", known.index)
    sums = known["amount"].groupby(currencies).agg(sum)
    return t.join(COMMAS, (replace(t, currency=name or t.currency).money_exact(sums[name], 2) for name in sums.index))


def unconverted(run: Source, t: Translator) -> list[str]:
    """Say how much money stands in lines whose currency no rate converts; nothing where there is none."""
    lines = run.read("quarantine")
    foreign = lines[lines["currency"] != ""]
    money = _money(foreign, t)
    return [t("Not in these sums is money that no rate converts: {money}.", money=money)] if money else []


def _places(lines: pd.Series, t: Translator) -> str:
    first = t.join(COMMAS, map(str, lines.head(MAX_LINES)))
    return t("{list} …", list=first) if len(lines) > MAX_LINES else first
