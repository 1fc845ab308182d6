"""The log against the books: what monthly control totals say, and where the two differ."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kamlab.i18n import Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source

MAX_MONTHS = 12
SUMS = ("books", "attributed", "unattributed", "excluded", "log", "difference")


@dataclass(frozen=True)
class Totals:
    """All months of the books together, in currency; difference = log − books.

    Attributes
    ----------
    first, last : str
        First and last month, such as "2025-01".
    months, months_off : int
        Months compared, and those of them that differ.
    books, attributed, unattributed, excluded, log, difference : float
    """

    first: str
    last: str
    months: int
    months_off: int
    books: float
    attributed: float
    unattributed: float
    excluded: float
    log: float
    difference: float

    @property
    def share(self) -> float:
        """The difference as a share of the books, without its sign; missing where the books say 0."""
        return abs(self.difference / self.books) if self.books else float("nan")


def totals(run: Source) -> Totals | None:
    """Add up the months of the books; None without control totals up to the as-of date."""
    rows = run.read("books")
    if rows.empty:
        return None
    off = int((rows["difference"] != 0).sum())
    sums = {name: float(rows[name].sum()) for name in SUMS}
    return Totals(rows["month"].iloc[0], rows["month"].iloc[-1], len(rows), off, **sums)


def sentence(run: Source, t: Translator) -> str:
    """Say in one sentence how log and books agree; empty without control totals."""
    found = totals(run)
    if found is None:
        return ""
    if not found.months_off:
        return t.plural(
            "The log agrees with the books in the {n} month compared.",
            "The log agrees with the books in all {n} months compared.",
            found.months,
        )
    return t(
        "Log and books differ in {off} of {months} months: the log says {log}, the books {books}.",
        off=t.number(found.months_off),
        months=t.number(found.months),
        log=t.money_exact(found.log, 2),
        books=t.money_exact(found.books, 2),
    )


def comparison(run: Source, t: Translator) -> list[Block]:
    """Table of the months in which log and books differ, and of all months together."""
    found = totals(run)
    if found is None:
        return [text(t("There are no control totals of the books to compare, so the log was not held against them."))]
    rows = run.read("books")
    off = rows[rows["difference"] != 0].sort_values("difference", key=abs, ascending=False).head(MAX_MONTHS)
    sums = [(row.month, row) for row in off.sort_values("month").itertuples()]
    printed = pd.DataFrame(
        [
            {"month": month, **{name: t.number(getattr(row, name), 2) for name in SUMS}}
            for month, row in [*sums, (t("All {months} months", months=t.number(found.months)), found)]
        ]
    )
    heads = (t("Books"), t("With an account"), t("Without an account"), t("Left out"), t("Log"), t("Difference"))
    columns = [TableColumn(name, head, "right") for name, head in zip(SUMS, heads, strict=True)]
    return [
        table(
            printed,
            columns=[TableColumn("month", t("Month")), *columns],
            caption=sentence(run, t),
            note=t("Log = with an account + without an account + left out; difference = log − books."),
        )
    ]
