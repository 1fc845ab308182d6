"""Which of several tables is the transaction log, which is the account master, and what can be joined."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from glob import escape
from itertools import takewhile
from pathlib import Path

from kamlab.first_draft import book_and_sheet
from kamlab.guess import DATES, LOG_WORDS, MASTER_WORDS, Guess, guess
from kamlab.guess_tables import guess_table
from kamlab.sources import RawTable, is_url

NUMBERS = ("amount", "price", "quantity", "cost", "unit_cost", "tax")

Tables = Mapping[str, RawTable]
Guesses = Mapping[str, Guess]


def find_log(tables: Tables, guesses: Guesses) -> str | None:
    """Return the table that holds the lines: customer, date and amount, or at least what a join can complete.

    One that is called like another table, as invoices beside sales, is taken where nothing else can be the log. Lines
    of what is sold go before the orders that they belong to, whole tables before those that need another; of several
    the longest is taken.
    """
    whole = {f for f, g in guesses.items() if all(_has(g, key) for key in ("account", "date", "amount"))}
    dated = [f for f, g in guesses.items() if _has(g, "account") and _has(g, "date")]
    lines = {
        f
        for f, g in guesses.items()
        if _has(g, "amount") and any(join_key(tables[f], tables[d]) for d in dated if d != f)
    }

    def fit(file: str) -> tuple[bool, bool, bool, int]:
        own = guess_table(file, tables[file]) is None
        details = file in lines and any(_has(guesses[file], key) for key in ("product", "quantity"))
        return own, details, file in whole, tables[file].rows.num_rows

    return max(whole | lines or dated, key=fit, default=None)


def find_master(tables: Tables, guesses: Guesses, main: str, used: Collection[str]) -> str | None:
    """Return the table that lists each account once, with something said of it."""
    candidates = {}
    for file, raw in tables.items():
        found = guess(raw.columns, MASTER_WORDS)
        key = found.columns.get("account")
        if file == main or key is None or len(found.columns) < 2:
            continue
        values = raw.rows[key].drop_null()
        if len(values.unique()) == len(values) and not _has(guesses[file], "amount"):
            candidates[file] = len(found.columns)
    free = [file for file in candidates if file not in used or len(candidates) == 1]
    return max(free, key=candidates.__getitem__, default=None)


def join_key(left: RawTable, right: RawTable) -> str | None:
    """Return the column by which a table can be joined: in both, and in the right one with no value twice."""
    found = guess(left.columns, LOG_WORDS).columns
    no_ids = {found[key] for key in (*NUMBERS, *DATES, "currency", "status") if key in found}
    for name in right.columns:
        if name in left.columns and name not in no_ids:
            values = right.rows[name].drop_null()
            if len(values) == right.rows.num_rows and len(values.unique()) == len(values):
                return name
    return None


def alike(main: str, tables: Tables) -> str:
    """Return the pattern of the files, or of the sheets of a workbook, that have the log's columns, and of no others.

    Empty where the log is alone.
    """
    if is_url(main) or main.endswith("/"):
        return ""
    book, sheet = book_and_sheet(main)
    names = _sheets(book, tables) if sheet is not None else {name: name for name in tables}
    same = [name for name, table in names.items() if tables[table].columns == tables[main].columns]
    if len(same) < 2:
        return ""
    begins = "".join(letters[0] for letters in takewhile(lambda some: len(set(some)) == 1, zip(*same, strict=False)))
    pattern = f"{escape(begins)}*{'' if sheet is not None else Path(main).suffix}"
    if [name for name in names if fnmatchcase(name, pattern)] != same:
        return ""
    return pattern if sheet is None else f"{book}[{pattern}]"


def matching(pattern: str, tables: Tables) -> list[str]:
    """Return the names of the tables that a pattern of `alike` means."""
    book, sheets = book_and_sheet(pattern)
    if sheets is None:
        return [name for name in tables if fnmatchcase(name, pattern)]
    return [name for sheet, name in _sheets(book, tables).items() if fnmatchcase(sheet, sheets)]


def _sheets(book: str, tables: Tables) -> dict[str, str]:
    """Return the sheets of a workbook, and their names among the tables."""
    pairs = ((book_and_sheet(name), name) for name in tables)
    return {sheet: name for (found, sheet), name in pairs if found == book and sheet is not None}


def _has(found: Guess, key: str) -> bool:
    if key == "date":
        return any(d in found.columns or d in found.unclear for d in DATES)
    if key == "amount":
        priced = {"price", "quantity"} <= set(found.columns)
        return priced or "amount" in found.columns or "amount" in found.unclear
    return key in found.columns or key in found.unclear
