"""Sheets → an .xlsx file: every text is text, numbers keep their formats, and the same sheets give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd

from kamlab.i18n import CURRENCY_WITH_AMOUNT, MISSING, Translator

Kind = Literal["text", "money", "number", "decimal", "percent", "date"]

MAX_ROWS = 1_048_576
"""Rows that Excel can show, the header included."""
MAX_TEXT = 32_767
"""Characters that a cell can hold."""
MAX_TITLE = 31
"""Characters of a sheet's name."""
WIDTHS: dict[Kind, int] = {"text": 22, "money": 18, "number": 12, "decimal": 12, "percent": 12, "date": 13}
FORMULA_SIGNS = ("=", "+", "-", "@")
"""First characters by which a spreadsheet takes a text for a formula once it is edited or saved as CSV."""
HEADING = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#17365D", "text_wrap": True, "valign": "top"}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class SheetColumn:
    """A column of a sheet: its key in the data, its heading, the kind of its values, and where they come from.

    `source` is "table.column" of the run's tables; `width` is in characters, None = usual for the kind.
    """

    key: str
    label: str
    kind: Kind = "text"
    source: str = ""
    width: int | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, its columns, one row a line of `rows`, and how many columns stay in view."""

    title: str
    columns: Sequence[SheetColumn]
    rows: pd.DataFrame
    frozen_columns: int = 1


def write(path: Path, sheets: Sequence[Sheet], *, t: Translator, title: str, company: str, as_of: date) -> None:
    """Write sheets as one workbook, each with a header that stays in view and filters over all its columns.

    A sheet of more than a million rows goes on in a second one. Cells that begin with = + - @ are text, also after
    they have been edited.

    Parameters
    ----------
    path : Path
        File to write; its folder must exist.
    sheets : sequence of Sheet
    t : Translator
        Gives the formats of money, shares and days.
    title, company : str
        Properties of the file.
    as_of : date
        Stored as the file's time of making, so that the same sheets give the same bytes.
    """
    from xlsxwriter import Workbook

    made = datetime(as_of.year, as_of.month, as_of.day)
    # Rows go to files as they come; else a sheet is held in memory until all of them are there.
    with (
        TemporaryDirectory(prefix="kamlab-") as folder,
        Workbook(path, {"constant_memory": True, "tmpdir": folder, "use_zip64": True}) as book,
    ):
        book.set_properties({"title": clean(title), "author": clean(company), "created": made})
        book.set_custom_property("Language", str(t.locale).replace("_", "-"))
        formats: dict[str, Any] = {"heading": book.add_format(HEADING)}
        formats |= {kind: book.add_format({"num_format": known}) for kind, known in number_formats(t).items()}
        taken = set[str]()
        for sheet in sheets:
            for part in range(max(1, -(-len(sheet.rows) // (MAX_ROWS - 1)))):
                rows = sheet.rows.iloc[part * (MAX_ROWS - 1) : (part + 1) * (MAX_ROWS - 1)]
                name = sheet_name(sheet.title if part == 0 else f"{sheet.title} {part + 1}", taken)
                _add(book.add_worksheet(name), sheet, rows, formats)


def number_formats(t: Translator) -> dict[Kind, str]:
    """Return how a spreadsheet writes each kind; it takes points and commas from the reader's own settings."""
    currency = t(CURRENCY_WITH_AMOUNT, currency=f'"{t.currency}"', amount="#,##0") if t.currency else "#,##0"
    day = t.locale.date_formats["short"].pattern.lower()
    day = re.sub(r"\by+\b", "yyyy", re.sub(r"\bd\b", "dd", re.sub(r"\bm\b", "mm", day)))
    share = re.sub(r"#,##0", "0.0", t.locale.percent_formats[None].pattern)
    kinds: dict[Kind, str] = {"text": "@", "money": currency, "number": "#,##0", "decimal": "#,##0.0"}
    return kinds | {"percent": share, "date": day}


def sheet_name(title: str, taken: set[str]) -> str:
    """Return a name that spreadsheets accept and no other sheet has, and add it to those taken."""
    name = clean(re.sub(r"[\\/*?:\[\]]", " ", title)).strip("' ")[:MAX_TITLE].strip() or MISSING
    number, unique = 1, name
    while unique.lower() in taken:
        number += 1
        unique = f"{name[: MAX_TITLE - 4]} ({number})"
    taken.add(unique.lower())
    return unique


def clean(value: object) -> str:
    """Return a text as a cell can hold it: on one line, without control characters, not too long."""
    text = " ".join(_UNPRINTABLE.sub(" ", str(value)).split())
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _add(page: Any, sheet: Sheet, rows: pd.DataFrame, formats: Mapping[str, Any]) -> None:
    page.freeze_panes(1, sheet.frozen_columns)
    page.autofilter(0, 0, len(rows), len(sheet.columns) - 1)
    page.repeat_rows(0)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_row(0, 45)
    for i, column in enumerate(sheet.columns):
        page.set_column(i, i, column.width or WIDTHS[column.kind])
        page.write_string(0, i, clean(column.label), formats["heading"])
    write = {"text": page.write_string, "date": page.write_datetime}
    columns = [
        (i, write.get(column.kind, page.write_number), formats[column.kind], _values(column, rows[column.key]))
        for i, column in enumerate(sheet.columns)
    ]
    for line in range(len(rows)):
        for i, put, known, values in columns:
            value = values[line]
            if value is None:
                continue
            # A text needs the format of texts only where a spreadsheet would take it for something else.
            plain = put == page.write_string and not value.startswith((*FORMULA_SIGNS, "#"))
            put(line + 1, i, value, None if plain else known)


def _values(column: SheetColumn, values: pd.Series) -> list[Any]:
    """Return what the cells of a column hold; None = nothing."""
    held, known = values.tolist(), values.notna().tolist()
    if column.kind == "text":
        # Most texts of a column stand in it more than once.
        written = {value: clean(value) for value in values.dropna().unique()}
        held = [written.get(value) for value in held]
    return [value if there else None for value, there in zip(held, known, strict=True)]
