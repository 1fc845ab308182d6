"""Workbooks: which sheet, where the header is, and names of columns whose header cells are merged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.sources.raw import RawTable, Reading, cell, concatenate, refuse_repeated_names

SUFFIXES = (".xlsx", ".xls", ".xlsb", ".xlsm", ".ods")
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What .xls files begin with, and newer ones that are encrypted."""
Cells = list[list[Any]]
Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


def read_excel(path: Path, *, sheet: str | None, header: Sequence[str] | None, content: str) -> RawTable:
    """Read a sheet of a workbook, or all sheets that a pattern (*, ?) matches as one table.

    The header is the first row with at least two different cells; titles above it are left out. Where its cells are
    merged, the row below belongs to it, and names are joined: "Order" over "No" and "Date" gives "Order No".

    Raises
    ------
    DataError
        If the file is no workbook, there are several sheets and none is named, or a sheet holds nothing.
    """
    filled = _sheets(path)
    if sheet is not None and sheet not in filled and any(sign in sheet for sign in "*?"):
        chosen = [name for name in filled if fnmatchcase(name, sheet)]
        tables = [_read_sheet(path.name, name, filled[name], header, content, found=False) for name in chosen]
        if tables:
            return concatenate(tables, f"{path.name}[{sheet}]", [table.source for table in tables])
    name = _choose(path.name, sheet, {name: found.height for name, found in filled.items()}, content)
    return _read_sheet(path.name, name, filled[name], header, content, found=sheet is None)


def _read_sheet(
    book: str, name: str, sheet: Any, header: Sequence[str] | None, content: str, *, found: bool
) -> RawTable:
    cells = sheet.to_python(skip_empty_area=False)
    names, first = list(header or ()), 0
    if header is None:
        # Only sheets of .xls and .xlsx say which cells are merged.
        names, first = _header(cells, sheet.merged_cell_ranges or ())
    source = f"{book}[{name}]"
    refuse_repeated_names(names, source)
    rows = [(number, row) for number, row in enumerate(cells[first:], start=first + 1) if any(v != "" for v in row)]
    if not rows or not any(names):
        raise DataError(f"{source} has no line under its header. Export the {content} again, or name another sheet.")
    return _table(source, names, rows, Reading(source, (("sheet", name),), frozenset(("sheet",) if found else ())))


def sheet_names(path: Path) -> list[str]:
    """Return the sheets of a workbook that hold data.

    Raises
    ------
    DataError
        If the file is no workbook.
    """
    return list(_sheets(path))


def _sheets(path: Path) -> dict[str, Any]:
    """Open the sheets of a workbook that hold data."""
    from python_calamine import CalamineError, CalamineWorkbook

    with path.open("rb") as opened:
        protected = opened.read(len(_COMPOUND)) == _COMPOUND and path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb")
    if protected:
        raise DataError(
            f"{path.name} is protected by a password, or an old workbook (.xls) by another name. Open it, and save it "
            "as .xlsx without a password."
        )
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
    except (CalamineError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as a workbook: {error}") from None
    return {name: found for name, found in sheets.items() if found.height}


def _choose(book: str, sheet: str | None, heights: dict[str, int], content: str) -> str:
    if sheet is not None and sheet not in heights:
        raise DataError(
            f'{book} has no sheet "{sheet}" with data.{did_you_mean(sheet, list(heights))} Its sheets are: '
            f"{first_ids(heights)}."
        )
    if sheet is None and len(heights) != 1:
        sizes = first_ids(f"{name} ({height} rows)" for name, height in heights.items())
        raise DataError(
            f"{book} has {len(heights)} sheets with data{f': {sizes}' if heights else ''}. Name the one that holds the "
            f'{content}, such as sheet = "{next(iter(heights), "Sheet1")}".'
        )
    return sheet or next(iter(heights))


def _header(cells: Cells, merged: Merged) -> tuple[list[str], int]:
    """Return the names of the columns and the first row (from 0) below them."""
    filled = [list(row) for row in cells[: _reach(cells, merged)]]
    for (top, left), (bottom, right) in merged:
        for row in range(top, min(bottom + 1, len(filled))):
            filled[row][left : right + 1] = [cells[top][left]] * (right + 1 - left)
    first = next((i for i, row in enumerate(filled) if len({v for v in row if v != ""}) > 1), 0)
    last = first
    while last + 1 < len(filled) and any(
        (top <= last and left != right and bottom <= last) or top <= last < bottom
        for (top, left), (bottom, right) in merged
        if first <= top
    ):
        last += 1
        if not any(top == last and left != right for (top, left), (_, right) in merged):
            break
    names = []
    for column in zip(*filled[first : last + 1], strict=True):
        parts = [cell(value) or "" for value in column]
        names.append(" ".join(dict.fromkeys(part.strip() for part in parts if part.strip())))
    return names, last + 1


def _reach(cells: Cells, merged: Merged) -> int:
    """Return how many rows can belong to titles and header."""
    return min(len(cells), 20 + max((bottom for (_, _), (bottom, _) in merged), default=0))


def _table(source: str, names: list[str], rows: list[tuple[int, list[Any]]], reading: Reading) -> RawTable:
    import pyarrow as pa

    columns, typed = {}, set()
    for i, name in enumerate(names):
        if name:
            values = [row[i] if i < len(row) else "" for _, row in rows]
            columns[name] = pa.array([_text(value) for value in values], pa.string())
            if not any(isinstance(value, str) and value.strip() for value in values):
                typed.add(name)
    lines = pa.array([number for number, _ in rows], pa.int64())
    return RawTable(pa.table(columns), source, lines, typed=frozenset(typed), readings=(reading,))


def _text(value: Any) -> str | None:
    if value == "":
        return None
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return cell(value)
