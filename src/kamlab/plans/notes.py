"""The workbook that people fill, `plan_notes.xlsx`: read without a loss, and extended by rows that are missing.

What people wrote is never changed: rows, columns and sheets of their own stay, and so do entries of accounts that need
no plan any more. The file is replaced in one step, and only if something is to be added.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.i18n import Translator
from kamlab.plans.fields import ACCOUNT, FIELDS, MEANINGS, NAME, OWNER, UPDATED, read_fields
from kamlab.resources import replacing
from kamlab.sources.raw import cell

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl.worksheet.worksheet import Worksheet

SHEET, LEGEND = "plans", "columns"
"""The sheet with one row an account, and the one that says what its columns hold."""

WIDTHS = {ACCOUNT: 14, NAME: 34, OWNER: 20, UPDATED: 12}
FIELD_WIDTH = 32


@dataclass(frozen=True)
class Notes:
    """What people have written.

    Attributes
    ----------
    entries : dict of str to dict of str to str
        Account → field → text; only what is filled in.
    updated : dict of str to datetime.date
        Account → day on which its row was last changed, where people say so.
    unknown : tuple of str
        Columns that are none of ours; they stay in the file and are not read.
    """

    entries: dict[str, dict[str, str]]
    updated: dict[str, date]
    unknown: tuple[str, ...] = ()

    def at(self, as_of: date) -> Notes:
        """Return the notes without the rows that were changed after a day."""
        late = {account for account, day in self.updated.items() if day > as_of}
        entries = {account: row for account, row in self.entries.items() if account not in late}
        return Notes(entries, {a: day for a, day in self.updated.items() if a not in late}, self.unknown)

    def mark(self) -> str:
        """Return a hash of what people have written; the same for a file without entries and for none."""
        days = {account: day.isoformat() for account, day in self.updated.items() if account in self.entries}
        written = json.dumps([self.entries, days], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest() if self.entries else ""


NOTHING = Notes({}, {})


def read_notes(path: Path, *, personal: bool = False) -> Notes:
    """Read the workbook; nothing where there is none.

    Parameters
    ----------
    path : Path
    personal : bool
        Whether personal fields (birthdays, interests, family) are read; they stay in the file in any case.

    Raises
    ------
    DataError
        If the file is no workbook, lacks the sheet or the column of accounts, names an
        account twice, or an `updated` is no day: all faults of its rows at once.
    """
    if not path.exists():
        return NOTHING
    sheet = _load(path, values=True)[SHEET]
    rows = sheet.iter_rows(values_only=True)
    header = [_text(name) for name in next(rows, ())]
    _refuse_headless(path, header)
    known = (ACCOUNT, NAME, OWNER, UPDATED, *(field.name for field in FIELDS))
    entries: dict[str, dict[str, str]] = {}
    updated: dict[str, date] = {}
    repeated: list[str] = []
    no_day: list[str] = []
    for number, cells in enumerate(rows, start=2):
        row = {name: value for name, value in zip(header, cells, strict=False) if name and value is not None}
        account = _text(row.get(ACCOUNT))
        texts = {name: text for name in read_fields(personal=personal) if (text := _text(row.get(name)))}
        if account is None:
            if texts:
                repeated.append(f"row {number} names no account")
            continue
        if account in entries:
            repeated.append(f'row {number} names account "{account}" again')
        entries[account] = texts
        if UPDATED in row:
            day = _day(row[UPDATED])
            if day is None:
                no_day.append(f'row {number}, account "{account}"')
            else:
                updated[account] = day
    faults = [*repeated, *(f"{UPDATED} is no date in {where}" for where in no_day)]
    if faults:
        raise DataError(
            f"{path}: {len(faults)} of its rows cannot be read ({first_ids(faults)}). Each account has one row; write "
            "days as 2025-12-31. Nothing in the file was changed."
        )
    unknown = tuple(name for name in header if name and name not in known)
    filled = {account: texts for account, texts in sorted(entries.items()) if texts}
    return Notes(filled, dict(sorted(updated.items())), unknown)


def update_notes(
    path: Path, accounts: pd.DataFrame, *, translator: Translator, personal: bool = False
) -> tuple[str, ...]:
    """Add the rows and columns that are missing to the workbook, or make it; what stands in it stays.

    Parameters
    ----------
    path : Path
    accounts : pandas.DataFrame
        account, name, owner: the accounts that have a plan.
    translator : Translator
        Language of the sheet that says what the columns hold.
    personal : bool
        Whether columns for personal data are made.

    Returns
    -------
    tuple of str
        Accounts that were added; the file is untouched if nothing was missing.

    Raises
    ------
    DataError
        If the file is open in another program, is no workbook, or cannot be written; it is then as it was before.
    """
    from openpyxl import Workbook

    new, before = not path.exists(), _state(path)
    if not new:
        refuse_open(path)
    book = Workbook() if new else _load(path)
    if new:
        book.active.title = SHEET
        _write_header(book[SHEET])
    sheet = book[SHEET]
    header = {_text(cell.value): cell.column for cell in sheet[1] if cell.value is not None}
    _refuse_headless(path, list(header))
    added_columns = [name for name in (UPDATED, *read_fields(personal=personal)) if name not in header]
    for name in added_columns:
        header[name] = len(header) + 1 if new else sheet.max_column + 1
        _write_title(sheet, header[name], name)
    there = {_text(cell.value) for (cell,) in sheet.iter_rows(2, None, header[ACCOUNT], header[ACCOUNT])}
    missing = accounts[~accounts[ACCOUNT].isin(there)]
    for row, values in enumerate(missing[[ACCOUNT, NAME, OWNER]].to_dict("records"), start=_last_row(sheet) + 1):
        for name, value in values.items():
            if name in header and isinstance(value, str):
                _write_text(sheet.cell(row, header[name]), value)
    if not (new or added_columns or len(missing)):
        return ()
    _write_legend(book, translator, personal=personal)
    try:
        with replacing(path) as temporary:
            book.save(temporary)
            if _state(path) != before:
                raise DataError(f"{path} was changed by somebody else meanwhile, and stays as it is. Run again.")
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror or error}. Nothing in it was changed. Make its folder "
            "writable, close the file elsewhere, or name another file under [plans] notes."
        ) from None
    return tuple(missing[ACCOUNT])


def refuse_open(path: Path) -> None:
    """Refuse a workbook that another program has open: what stands in it may not be saved yet.

    Raises
    ------
    DataError
    """
    marks = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))
    held = [mark.name for mark in marks if mark.exists()]
    if held:
        raise DataError(
            f"{path} is open in another program ({held[0]} lies beside it). Save and close it, then run again; if "
            f"nobody has it open, delete {held[0]}."
        )


def _state(path: Path) -> tuple[int, int] | None:
    """Return what changes when somebody else writes the file."""
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.exists() else None


def _load(path: Path, *, values: bool = False) -> Any:
    """Open the workbook: with the values of its formulas, or with the formulas themselves."""
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, data_only=values)
    except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} cannot be read as a workbook ({type(error).__name__}: {error}). Restore it from a backup or move "
            "it away, so that a new one is made; nothing in it was changed."
        ) from None
    if SHEET not in book.sheetnames:
        raise DataError(
            f'{path} has no sheet "{SHEET}".{did_you_mean(SHEET, book.sheetnames)} Its sheets are: '
            f"{first_ids(book.sheetnames)}. Give the sheet with the plans that name again."
        )
    return book


def _refuse_headless(path: Path, header: list[str | None]) -> None:
    if ACCOUNT not in header:
        raise DataError(
            f'{path} has no column "{ACCOUNT}" in the first row of its sheet "{SHEET}". Give the column of account ids '
            "that name again."
        )


def _text(value: Any) -> str | None:
    """Return what a cell says without blanks around it; an id that a spreadsheet took for a number as it was typed."""
    return (cell(value) or "").strip() or None


def _day(value: Any) -> date | None:
    """Return a cell's day: of a date, or of text as 2025-12-31."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _last_row(sheet: Worksheet) -> int:
    """Return the last row that holds anything: formats alone do not count."""
    filled = (n for n in range(sheet.max_row, 0, -1) if any(cell.value is not None for cell in sheet[n]))
    return next(filled, 1)


def _write_header(sheet: Worksheet) -> None:
    for column, name in enumerate((ACCOUNT, NAME, OWNER), start=1):
        _write_title(sheet, column, name)
    sheet.freeze_panes = "C2"


def _write_title(sheet: Worksheet, column: int, name: str) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    cell = sheet.cell(1, column, name)
    cell.font = Font(bold=True)
    sheet.column_dimensions[get_column_letter(column)].width = WIDTHS.get(name, FIELD_WIDTH)


def _write_text(cell: Any, value: str) -> None:
    """Write text as text: a name that begins with = is no formula, and control characters are none of a workbook's."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell.data_type = "s"
    cell.number_format = "@"


def _write_legend(book: Any, translator: Translator, *, personal: bool) -> None:
    """Write the sheet that says what each column holds; whatever else stands in it stays."""
    from openpyxl.styles import Alignment

    t = translator
    sheet = book[LEGEND] if LEGEND in book.sheetnames else book.create_sheet(LEGEND)
    allowed = read_fields(personal=personal)
    known = {name: ("", t(meaning)) for name, meaning in MEANINGS.items()}
    known |= {field.name: (t(field.label), t(field.meaning)) for field in FIELDS if field.name in allowed}
    for row, (name, words) in enumerate(known.items(), start=1):
        for column, text in enumerate((name, *words), start=1):
            _write_text(sheet.cell(row, column), text)
        sheet.cell(row, 3).alignment = Alignment(wrap_text=True)
    for letter, width in (("A", 18), ("B", 30), ("C", 80)):
        sheet.column_dimensions[letter].width = width
