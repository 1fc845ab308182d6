"""Sheets → an .xlsx file: every text is text, numbers keep their formats, and the same sheets give the same bytes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from unicodedata import east_asian_width

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
PAGE_CHARACTERS = 240
"""Characters across a printed page, lying A4, at a size that can still be read."""
A4 = 9
LONGEST_FOOTER = 100
LINE_POINTS = 15
FORMULA_SIGNS = ("=", "+", "-", "@")
"""First characters by which a spreadsheet takes a text for a formula once it is edited or saved as CSV."""
LINK = {"font_color": "#17365D", "underline": 1}
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
    """A sheet: its name, its columns, one row a line of `rows`, how many columns stay in view, and what it shows."""

    title: str
    columns: Sequence[SheetColumn]
    rows: pd.DataFrame
    frozen_columns: int = 1
    about: str = ""


def write(path: Path, sheets: Sequence[Sheet], *, t: Translator, title: str, company: str, as_of: date) -> None:
    """Write sheets as one workbook, each with a header that stays in view and filters over all its columns.

    Of several sheets the first is a table of contents. A sheet of more than a million rows goes on in a second one.
    Cells that begin with = + - @ are text, also after they have been edited.

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
        formats: dict[str, Any] = {"heading": book.add_format(HEADING), "link": book.add_format(LINK)}
        formats |= {kind: book.add_format({"num_format": known}) for kind, known in number_formats(t).items()}
        said = clean(f"{company} · {t.date(as_of)}")[:LONGEST_FOOTER].replace("&", "&&")
        footer = f"&L{said}&C&A&R&P / &N"
        taken = {t("Contents").lower()}
        parts = [
            (sheet_name(name, taken), replace(sheet, rows=rows)) for sheet in sheets for name, rows in _parts(sheet)
        ]
        if len(sheets) > 1:
            _add_contents(book.add_worksheet(t("Contents")), parts, formats, footer, t)
        for name, sheet in parts:
            _add(book.add_worksheet(name), sheet, formats, footer)


def _parts(sheet: Sheet) -> list[tuple[str, pd.DataFrame]]:
    """Return the title and the rows of each sheet that it takes."""
    starts = range(0, max(1, len(sheet.rows)), MAX_ROWS - 1)
    return [
        (sheet.title if number == 1 else f"{sheet.title} {number}", sheet.rows.iloc[start : start + MAX_ROWS - 1])
        for number, start in enumerate(starts, start=1)
    ]


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
    name = clean(re.sub(r"[\\/*?:\[\]]", " ", title)).strip("' ") or MISSING
    if len(name) > MAX_TITLE:
        whole, _, _ = name[:MAX_TITLE].rpartition(" ")
        name = f"{whole.rstrip()}…" if whole else name[:MAX_TITLE]
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


def _begin(page: Any, sheet: Sheet, formats: Mapping[str, Any], footer: str) -> None:
    """Write the header, and set what a sheet is without its rows."""
    from xlsxwriter.utility import xl_range

    whole = (0, 0, len(sheet.rows), len(sheet.columns) - 1)
    page.freeze_panes(1, sheet.frozen_columns)
    page.autofilter(*whole)
    # Ids of accounts are texts, also those of figures alone; a sign in the corner of each would call them errors.
    page.ignore_errors({"number_stored_as_text": xl_range(*whole)})
    _lay_out(page, sheet, footer)
    for i, column in enumerate(sheet.columns):
        page.write_string(0, i, clean(column.label), formats["heading"])


def _add(page: Any, sheet: Sheet, formats: Mapping[str, Any], footer: str) -> None:
    _begin(page, sheet, formats, footer)
    rows = sheet.rows
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


def _add_contents(
    page: Any, parts: Sequence[tuple[str, Sheet]], formats: Mapping[str, Any], footer: str, t: Translator
) -> None:
    """Write the sheet that leads to each of the others, and says what it shows."""
    columns = [
        SheetColumn("sheet", t("Sheet"), width=48),
        SheetColumn("about", t("What it shows"), width=100),
        SheetColumn("rows", t("Rows"), "number"),
    ]
    _begin(page, Sheet(t("Contents"), columns, pd.DataFrame(index=range(len(parts)))), formats, footer)
    for line, (name, sheet) in enumerate(parts, start=1):
        target = name.replace("'", "''")
        page.write_url(line, 0, f"internal:'{target}'!A1", formats["link"], clean(sheet.title))
        page.write_string(line, 1, clean(sheet.about))
        page.write_number(line, 2, len(sheet.rows), formats["number"])


def _lay_out(page: Any, sheet: Sheet, footer: str) -> None:
    """Set widths, and the printed pages: lying A4, header and first columns on each, as many across as can be read."""
    widths = [column.width or WIDTHS[column.kind] for column in sheet.columns]
    for i, width in enumerate(widths):
        page.set_column(i, i, width)
    page.set_row(0, LINE_POINTS * max(2, *map(_lines, sheet.columns, widths)))
    page.repeat_rows(0)
    page.repeat_columns(0, sheet.frozen_columns - 1)
    page.set_landscape()
    page.set_paper(A4)
    page.set_footer(footer)
    repeated = sum(widths[: sheet.frozen_columns])
    across = -(-(sum(widths) - repeated) // (PAGE_CHARACTERS - repeated))
    page.fit_to_pages(max(1, across), 0)


def _lines(column: SheetColumn, width: int) -> int:
    """Return how many lines a heading takes; Chinese characters are twice as wide and break anywhere."""
    room = width - 1
    wide = sum(east_asian_width(c) in "WF" for c in column.label)
    return -(-(len(column.label) + wide) // room) if wide else len(textwrap.wrap(column.label, room))


def _values(column: SheetColumn, values: pd.Series) -> list[Any]:
    """Return what the cells of a column hold; None = nothing."""
    held, known = values.tolist(), values.notna().tolist()
    if column.kind == "text":
        # Most texts of a column stand in it more than once.
        written = {value: clean(value) for value in values.dropna().unique()}
        held = [written.get(value) for value in held]
    return [value if there else None for value, there in zip(held, known, strict=True)]
