"""What cannot be used of the log and of the other tables: each rule with rows, money, places and what to do."""

from __future__ import annotations

import re

import pandas as pd

from kamlab.i18n import COMMAS, N_, SEMICOLONS, Translator
from kamlab.remedies import remedies
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source

REASONS = {
    "date is missing or impossible": N_("date is missing or impossible"),
    "amount is missing or not a number": N_("amount is missing or not a number"),
    "quantity is not a number": N_("quantity is not a number"),
    "cost is not a number": N_("cost is not a number"),
    "line id is repeated": N_("line id is repeated"),
    "a return above 0": N_("a return above 0"),
    "kind is none of sale, return, rebate, free, freight, tax, intercompany": N_("kind is not known"),
}
"""Rules of the log as the ledger tells them, as they are printed."""

RULES = (
    (
        r"(?P<fields>\d+) fields where the header has (?P<expected>\d+)",
        N_("{fields} fields where the header has {expected}"),
    ),
    (r"no row in (?P<file>.+) for its (?P<column>.+)", N_("no row in {file} for its {column}")),
    (r"no rate for (?P<currency>.+) on or before its date", N_("no rate for {currency} on or before its date")),
    (r"(?P<column>.+) is missing", N_("{column} is missing")),
    (r"(?P<column>.+) is not a number", N_("{column} is not a number")),
    (r"(?P<column>.+) is not a date", N_("{column} is not a date")),
    (r"(?P<column>.+) is not a month", N_("{column} is not a month")),
    (r"(?P<column>.+) is not yes or no", N_("{column} is not yes or no")),
    (r"(?P<column>.+) is below (?P<limit>.+)", N_("{column} is below {limit}")),
    (r"(?P<column>.+) is above (?P<limit>.+)", N_("{column} is above {limit}")),
    (r"(?P<column>.+) (?:is|are) repeated", N_("{column} stands there more than once")),
    (r"(?P<column>.+) is before (?P<other>.+)", N_("{column} is before {other}")),
)
"""Rules that name files and columns: how the reason is written, and how it is printed."""

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
            "reason": [reason(key["reason"], t) for key, _ in found],
            "lines": [t.number(len(group)) for _, group in found],
            "money": [_money(group["amount"], t) for _, group in found],
            "where": [_places(group["line"], t) for _, group in found],
            "remedy": [t.join(SEMICOLONS, map(t, remedies(key["reason"]))) for key, _ in found],
        }
    )
    columns = [TableColumn("table", t("Table"))] if "table" in by else []
    columns += [TableColumn("reason", t("Why")), TableColumn("lines", t("Lines"), "right")]
    columns += [TableColumn("money", t("Money"), "right")] if money else []
    columns += [TableColumn("where", t("Line numbers in the file")), TableColumn("remedy", t("What to do"))]
    if len(printed) > MAX_REASONS:
        note = t("The {n} most frequent reasons. {more}", n=t.number(MAX_REASONS), more=note)
    return [table(printed.head(MAX_REASONS), columns=columns, caption=caption, note=note)]


def _money(amounts: pd.Series, t: Translator) -> str | None:
    known = amounts.dropna()
    return t.money_exact(sum(known), 2) if len(known) else None


def _places(lines: pd.Series, t: Translator) -> str:
    first = t.join(COMMAS, map(str, lines.head(MAX_LINES)))
    return t("{list} …", list=first) if len(lines) > MAX_LINES else first


def reason(reasons: str, t: Translator) -> str:
    """Translate the reasons of a line or row, which are joined by "; "."""
    return t.join(SEMICOLONS, (_one(told, t) for told in reasons.split("; ")))


def _one(told: str, t: Translator) -> str:
    if told in REASONS:
        return t(REASONS[told])
    for pattern, sentence in RULES:
        found = re.fullmatch(pattern, told)
        if found:
            return t(sentence, **found.groupdict())
    return told
