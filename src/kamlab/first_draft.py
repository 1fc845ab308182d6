"""A configuration in the making: its text, and what its reader still has to settle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kamlab.errors import DataError
from kamlab.guess import unit_of
from kamlab.intake.kinds import fits
from kamlab.sources import RawTable, canonical, is_url
from kamlab.sources.formats import DERIVED

MOST_PATTERNS = 5
"""Texts that many different ones stand for are no names of totals."""
_BEFORE_DIGITS = re.compile(r"\s*[0-9].*$")

if TYPE_CHECKING:
    import pandas as pd

Column = tuple[RawTable, str]
"""A table and the name of one of its columns."""


def toml_text(text: str) -> str:
    """Write a text as a value of TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def toml_key(name: str) -> str:
    """Write a name as a key of TOML."""
    return name if name.isascii() and name.replace("_", "").isalnum() else toml_text(name)


def book_and_sheet(name: str) -> tuple[str, str | None]:
    """Return the workbook or database, and its sheet or table, of BOOK[SHEET]; a name of another kind is a file's."""
    if not name.endswith("]"):
        return name, None
    book, _, part = name.removesuffix("]").partition("[")
    return book, part


def place_of(file: str) -> list[str]:
    """Return the settings of where a table is, by its name in `folder_tables`."""
    book, part = book_and_sheet(file)
    if part is None:
        return [f"path = {toml_text(book.removesuffix('/'))}"]
    return [f"path = {toml_text(book)}", f"{'table' if is_url(book) else 'sheet'} = {toml_text(part)}"]


@dataclass
class Draft:
    """A configuration in the making.

    Attributes
    ----------
    lines : list of str
        Its text.
    open : list of str
        What its reader still has to settle before it can be used.
    remarks : list of str
        What its reader should look at, though it can be used as it is.
    used : list of str
        Files that it names.
    newest : str
        Last day of the log (ISO); empty where it is not known.
    """

    lines: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    newest: str = ""

    def place(self, file: str, raw: RawTable) -> None:
        """Write where a table is and how its file was read."""
        self.lines += place_of(file)
        self.lines += [f"# read as: {reading}" for reading in raw.readings if reading.what]
        self.used.append(file)

    def column(self, key: str, name: str) -> None:
        """Write which column a table's column is; ask where its amounts are not in plain units of money."""
        unit, times = unit_of(name)
        setting = f"columns.{key} = {toml_text(name)}"
        if times == 1:
            self.lines.append(setting)
        else:
            self.ask(setting, f'"{name}" is written in {unit}; give {key} in a column of plain units of money')

    def propose_totals(self, raw: RawTable, needed: tuple[str, str]) -> None:
        """Leave out rows with none of the needed columns, such as subtotals, where a text tells them from all others.

        Nothing is proposed where the same text stands in a row that has one of them.
        """
        if not set(needed) <= set(raw.rows.column_names):
            return
        empty = [_stripped(raw, name) == "" for name in needed]
        bare = empty[0] & empty[1]
        if not bare.any() or bare.all():
            return
        for name in (name for name in raw.columns if name not in needed):
            texts = _stripped(raw, name)
            found = texts[bare]
            patterns = sorted({_BEFORE_DIGITS.sub("*", text) for text in found.unique()})
            if len(patterns) > MOST_PATTERNS or {"", "*"} & set(patterns):
                continue
            known = {text: any(fits(text, pattern) for pattern in patterns) for text in texts.unique()}
            if (texts.map(known) == bare).all():
                said = ", ".join(toml_text(pattern) for pattern in patterns)
                n = int(bare.sum())
                self.lines.append(f"exclude = {{ {toml_key(name)} = [{said}] }}   # {n} lines of totals")
                self.remarks.append(
                    f'{n} lines have neither customer nor date ("{found.iloc[0]}" …): left out as totals'
                )
                return

    def ask(self, setting: str, reason: str) -> None:
        """Write a setting as a comment, with the reason why it is not settled."""
        self.lines += [f"# TO SETTLE: {reason}", f"# {setting}"]
        self.open.append(reason)

    def formats(self, numbers: Sequence[Column], dates: Sequence[Column] = ()) -> str:
        """Say how numbers and dates are written, or ask where that cannot be found out.

        Numbers of one table are written alike, so that one of them can tell how the others are to be read.

        Returns
        -------
        str
            The last day that was found (ISO); empty where there is none.
        """
        last = ""
        for raw in _once(raw for raw, _ in numbers):
            names = {name: name for table, name in numbers if table is raw}
            self._format(raw, names, 'decimal = ","', numbers=list(names))
        for raw, name in dates:
            read = self._format(raw, {name: name}, 'date_format = "%d/%m/%Y"', dates=[name])
            days = [] if read is None else read.rows[DERIVED + name].drop_null().to_pylist()
            last = max([last, *days])
        return last

    def _format(
        self,
        raw: RawTable,
        names: dict[str, str],
        setting: str,
        *,
        numbers: Sequence[str] = (),
        dates: Sequence[str] = (),
    ) -> RawTable | None:
        try:
            read, _ = canonical(raw, names, numbers=numbers, dates=dates)
        except DataError as error:
            self.ask(setting, str(error))
            return None
        self.lines += [f"# read as: {reading}" for reading in read.readings if reading not in raw.readings]
        return read


def _stripped(raw: RawTable, name: str) -> pd.Series:
    """Return a column's texts without blanks around them; an empty text where there is none."""
    return raw.rows[name].to_pandas().astype("str").str.strip().fillna("")


def _once(tables: Iterable[RawTable]) -> list[RawTable]:
    """Return each table once; tables are told apart by what they are, not by what they hold."""
    return list({id(raw): raw for raw in tables}.values())
