"""A configured table, read, and what is joined to it."""

from __future__ import annotations

from pathlib import Path

from kamlab.config import File, Table
from kamlab.sources import RawTable, read_table
from kamlab.sources.joins import join

NEEDED = ("account", "date")
"""Columns without which a row of any table is worth nothing."""


def read(table: Table, base: Path, content: str) -> RawTable:
    """Read a configured table and what is joined to it.

    Raises
    ------
    DataError
        If a file cannot be read, or tables do not fit together.
    """
    raw = _file(table, base, content)
    for other in table.joins:
        right = _file(other, base, f"table that is joined to the {content}")
        gives = {
            key for key, name in table.columns.items() if name in right.columns and name not in raw.rows.column_names
        }
        raw = join(raw, right, other.keys, needed=bool(gives & set(NEEDED)))
    return raw


def _file(file: File, base: Path, content: str) -> RawTable:
    return read_table(
        file.path,
        base=base,
        delimiter=file.delimiter,
        header=file.header,
        encoding=file.encoding,
        sheet=file.sheet,
        table=file.table,
        query=file.query,
        content=content,
    )
