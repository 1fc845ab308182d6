"""Sheets → an .xlsx file: every text is text, numbers keep their formats, and the same sheets give the same bytes."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
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
MIDNIGHT_1980 = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_STAMP = re.compile(rb"(<dcterms:modified [^>]*>)[^<]*(</dcterms:modified>)")


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
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = clean(title), clean(company)
    book.properties.language = str(t.locale).replace("_", "-")
    book.properties.created = datetime(as_of.year, as_of.month, as_of.day)
    formats, taken = number_formats(t), set[str]()
    for sheet in sheets:
        for part in range(max(1, -(-len(sheet.rows) // (MAX_ROWS - 1)))):
            rows = sheet.rows.iloc[part * (MAX_ROWS - 1) : (part + 1) * (MAX_ROWS - 1)]
            name = sheet_name(sheet.title if part == 0 else f"{sheet.title} {part + 1}", taken)
            _add(book.create_sheet(name), sheet, rows, formats)
    with TemporaryDirectory(prefix="kamlab-") as folder:
        draft = Path(folder, "workbook.xlsx")
        book.save(draft)
        _stamp(draft, path, as_of)


def number_formats(t: Translator) -> dict[Kind, str]:
    """Return how a spreadsheet writes each kind; it takes points and commas from the reader's own settings."""
    currency = t(CURRENCY_WITH_AMOUNT, currency=f'"{t.currency}"', amount="#,##0") if t.currency else "#,##0"
    day = t.locale.date_formats["short"].pattern.lower()
    day = re.sub(r"\by+\b", "yyyy", re.sub(r"\bd\b", "dd", re.sub(r"\bm\b", "mm", day)))
    share = re.sub(r"#,##0", "0.0", t.locale.percent_formats[None].pattern)
    kinds: dict[Kind, str] = {"text": "General", "money": currency, "number": "#,##0", "decimal": "#,##0.0"}
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


def _add(page: Any, sheet: Sheet, rows: pd.DataFrame, formats: dict[Kind, str]) -> None:
    from openpyxl.utils import get_column_letter

    last = get_column_letter(len(sheet.columns))
    page.freeze_panes = f"{get_column_letter(sheet.frozen_columns + 1)}2"
    page.auto_filter.ref = f"A1:{last}{len(rows) + 1}"
    page.print_title_rows = "1:1"
    page.page_setup.orientation, page.page_setup.fitToHeight, page.page_setup.fitToWidth = "landscape", 0, 1
    page.sheet_properties.pageSetUpPr.fitToPage = True
    for i, column in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(i)].width = column.width or WIDTHS[column.kind]
    page.row_dimensions[1].height = 45
    page.append(_header(page, sheet.columns))
    written = [_cells(page, column, rows[column.key], formats[column.kind]) for column in sheet.columns]
    for line in zip(*written, strict=True):
        page.append(line)


def _header(page: Any, columns: Sequence[SheetColumn]) -> list[Any]:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill

    cells = []
    for column in columns:
        cell = WriteOnlyCell(page, clean(column.label))
        cell.data_type = "s"
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="17365D")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cells.append(cell)
    return cells


def _cells(page: Any, column: SheetColumn, values: pd.Series, number_format: str) -> Iterator[Any]:
    """Yield the cells of a column; one cell is written over and over, since each row is stored before the next."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(page)
    cell.number_format = "@" if column.kind == "text" else number_format
    for value, missing in zip(values.tolist(), values.isna(), strict=True):
        if missing:
            yield None
        elif column.kind != "text":
            cell.value = value
            yield cell
        else:
            text = clean(value)
            if text.startswith((*FORMULA_SIGNS, "#")):
                cell.value = text
                cell.data_type = "s"
                yield cell
            else:
                yield text


def _stamp(draft: Path, path: Path, as_of: date) -> None:
    """Copy a workbook without the time at which it was written."""
    stamp = rf"\g<1>{as_of.isoformat()}T00:00:00Z\g<2>".encode()
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            dated = zipfile.ZipInfo(entry.filename, MIDNIGHT_1980)
            dated.compress_type, dated.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with old.open(entry) as source, new.open(dated, "w", force_zip64=True) as target:
                if entry.filename == "docProps/core.xml":
                    target.write(_STAMP.sub(stamp, source.read()))
                else:
                    shutil.copyfileobj(source, target, 1 << 20)
