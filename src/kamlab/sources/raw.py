"""Rows of text that still know their file and line: what every source becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kamlab import reasons
from kamlab.errors import DataError, first_ids

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class RaggedRow:
    """A row whose number of fields differs from the header's, or a line of which nothing tells where fields end."""

    source: str
    line: int
    fields: tuple[str, ...]
    expected: int
    unclosed: bool = False

    @property
    def reason(self) -> str:
        """Why it cannot be used."""
        if self.unclosed:
            return reasons.UNCLOSED.told
        return reasons.RAGGED.say(fields=len(self.fields), expected=self.expected)


LABELS = {
    "encoding": "encoding",
    "delimiter": "delimiter",
    "line_end": "line ends",
    "header_line": "header in line",
    "header_again": "lines that repeat the header, left out:",
    "sheet": "sheet",
    "database": "read from its",
    "numbers": "numbers written like",
    "dates": "dates written like",
    "ids": "ids as 1370 that are written 1370.0 throughout:",
    "joined_on": "joined on",
    "unmatched": "no row for",
    "ragged": "rows that do not fit the header, left out:",
    "converted": "converted:",
    "dated_by": "dated by",
    "tax": "tax taken out:",
}
"""What can be settled about a source, and how it is called."""


@dataclass(frozen=True)
class Reading:
    """How a source was read, for the check and the report.

    Attributes
    ----------
    source : str
        Name of the file, the folder or the database; never with a password.
    what : tuple of (str, str)
        What was settled (a key of `LABELS`) and how: ("encoding", "cp1252"), ("delimiter", ";"), ("sheet", "Orders").
    found : frozenset of str
        Which of these were found out and not configured.
    example : str
        A text that shows whether the encoding is right; empty where there is nothing to see.
    """

    source: str
    what: tuple[tuple[str, str], ...] = ()
    found: frozenset[str] = frozenset()
    example: str = ""

    def __str__(self) -> str:
        """Write it as one line."""
        parts = [f"{LABELS[key]} {value}{' (found)' if key in self.found else ''}" for key, value in self.what]
        example = f', for example "{self.example}"' if self.example else ""
        return f"{self.source}: {', '.join(parts)}{example}" if parts else self.source


@dataclass(frozen=True)
class RawTable:
    """Rows as text.

    Attributes
    ----------
    rows : pyarrow.Table
        One text column a source column.
    source : str
        Name of the file, folder, glob or database table, or "table".
    lines : pyarrow.Array of int64
        Line of each row in its file (the header is line 1); row number from 1 where there are no lines.
    ragged : tuple of RaggedRow
        Rows that do not fit the header.
    files : pyarrow.Array of str, optional
        File of each row where several were read.
    faults : pyarrow.Array of str, optional
        Why a row cannot be used, as far as that is known before its values are read; missing for the others.
    derived : frozenset of str
        Columns of `rows` that kamlab has made; the others are the source's own.
    typed : frozenset of str
        Columns that were numbers or dates at the source: their text is canonical.
    readings : tuple of Reading
        How the files were read.
    """

    rows: pa.Table
    source: str
    lines: pa.Array
    ragged: tuple[RaggedRow, ...] = ()
    files: pa.Array | None = None
    faults: pa.Array | None = None
    derived: frozenset[str] = frozenset()
    typed: frozenset[str] = frozenset()
    readings: tuple[Reading, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the source's columns."""
        return [name for name in self.rows.column_names if name not in self.derived]


def from_frame(frame: Any, source: str = "table") -> RawTable:
    """Take a pandas, Arrow, Polars or Ibis table."""
    import pyarrow as pa

    if hasattr(frame, "to_pyarrow"):
        table = frame.to_pyarrow()
    elif isinstance(frame, pa.Table):
        table = frame
    elif hasattr(frame, "to_arrow"):
        table = frame.to_arrow()
    else:
        table = _from_pandas(frame)
    return as_text(table, source)


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    """Take the columns one by one: their names need not be texts, nor all cells of a column of one type."""
    columns = [arrow_column(frame.iloc[:, i]) for i in range(frame.shape[1])]
    import pyarrow as pa

    return pa.table(columns, names=[str(name) for name in frame.columns])


def arrow_column(column: pd.Series) -> pa.Array:
    """Return a column as Arrow; cells of mixed types become texts."""
    import pyarrow as pa

    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([cell(value) for value in column.where(column.notna(), None)], pa.string())


def cell(value: Any) -> str | None:
    """Write a cell of a column of mixed types."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def as_text(table: pa.Table, source: str) -> RawTable:
    """Write typed columns as text: numbers with a decimal point, dates as year-month-day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    refuse_repeated_names(table.column_names, source)
    columns, typed = {}, set()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.trunc(column))).as_py():
            # Ids that met a missing value on their way became floats: 17850.0 is the account 17850.
            whole = pc.if_else(pc.less(pc.abs(column), 2.0**53), column, None)
            if whole.null_count == column.null_count:
                column = whole.cast(pa.int64())
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            typed.add(name)
        try:
            columns[name] = column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # lists, records, bytes
            columns[name] = pa.array([cell(value) for value in column.to_pylist()], pa.string())
    lines = pa.array(range(1, table.num_rows + 1), pa.int64())
    return RawTable(pa.table(columns), source, lines, typed=frozenset(typed), readings=(Reading(source),))


def concatenate(tables: Sequence[RawTable], source: str, files: Sequence[str]) -> RawTable:
    """Put the rows of several files of one kind under each other; `files` says how each of them is called.

    Raises
    ------
    DataError
        If their columns differ.
    """
    import pyarrow as pa

    first = tables[0]
    other = [t for t in tables if set(t.columns) != set(first.columns)]
    if other:
        differing = sorted(set(other[0].columns) ^ set(first.columns))
        raise DataError(
            f"{len(other)} of the {len(tables)} files of {source} have other columns than {first.source} "
            f"({first_ids(t.source for t in other)}; differing: {first_ids(differing)}). Files that are read together "
            "must have the same columns."
        )
    return RawTable(
        rows=pa.concat_tables([t.rows.select(first.columns) for t in tables]),
        source=source,
        lines=pa.concat_arrays([t.lines for t in tables]),
        ragged=tuple(replace(row, source=file) for t, file in zip(tables, files, strict=True) for row in t.ragged),
        files=pa.concat_arrays(
            [pa.array([file] * t.rows.num_rows, pa.string()) for t, file in zip(tables, files, strict=True)]
        ),
        typed=frozenset.intersection(*(t.typed for t in tables)),
        readings=tuple(reading for t in tables for reading in t.readings),
    )


def refuse_repeated_names(names: Sequence[str], source: str) -> None:
    """Refuse a table that has a column name twice."""
    repeated = [name for name, n in Counter(filter(None, names)).items() if n > 1]
    if repeated:
        raise DataError(
            f"{source} has {len(repeated)} column name(s) more than once ({first_ids(repeated)}). Rename them."
        )
