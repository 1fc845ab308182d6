"""The tables that a folder of data holds: files, sheets of workbooks, folders of files, tables of databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from kamlab.errors import DataError, KamlabError
from kamlab.sources import RawTable, is_url, read_table
from kamlab.sources.excel import SUFFIXES as EXCEL
from kamlab.sources.excel import sheet_names
from kamlab.sources.paths import SUFFIXES, files_of
from kamlab.sources.sql import address_of, table_names

DATABASES = (".sqlite", ".sqlite3", ".db", ".db3", ".duckdb")
"""Names that are looked into for a database."""

HERE = "./"
"""Name of a folder that is one table itself, parted into folders such as month=2025-01."""

Reader = Callable[[], RawTable]


def read_all(folder: Path) -> tuple[dict[str, RawTable], dict[str, str]]:
    """Read every table of a folder.

    Returns
    -------
    tables : dict of str to RawTable
        By name: FILE, FILE[SHEET] of a workbook with several, FOLDER/ of files that are one table, and ADDRESS[TABLE]
        of a database.
    unread : dict of str to str
        Why others cannot be read.

    Raises
    ------
    DataError
        If there is nothing that could be data.
    """
    tables, unread = {}, {}
    for name, read in _found(folder):
        try:
            tables[name] = read()
        except KamlabError as error:
            unread[name] = str(error)
    if not (tables or unread):
        raise DataError(
            f"{folder} holds no data: no file that ends in {', '.join((*SUFFIXES, *DATABASES))}. Put your data there, "
            'then run again. A database on a server is named in a configuration of your own: path = "postgresql://…" '
            'and table = "…" under [source.transactions].'
        )
    return tables, unread


def _found(folder: Path) -> Iterator[tuple[str, Reader]]:
    """Yield what may be a table, and what reads it."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "~$")))
    if any(path.is_dir() and "=" in path.name for path in inside):
        yield HERE, partial(read_table, folder)
        return
    for path in inside:
        suffix = path.suffix.lower()
        if path.is_dir():
            if _is_table(path):
                yield f"{path.name}/", partial(read_table, path)
        elif suffix in EXCEL:
            yield from _parts(path.name, partial(sheet_names, path), partial(_sheet, path))
        elif suffix in SUFFIXES:
            yield path.name, partial(read_table, path)
        elif suffix in DATABASES and (address := address_of(path)):
            yield from _parts(address, partial(table_names, address, base=folder), partial(_table, address, folder))


def _parts(
    name: str, find: Callable[[], list[str]], read: Callable[[str | None], RawTable]
) -> Iterator[tuple[str, Reader]]:
    """Yield the sheets of a workbook or the tables of a database."""
    try:
        parts = find()
    except KamlabError:
        # Whoever reads it says why it cannot be read.
        yield name, partial(read, None)
        return
    if len(parts) == 1 and not is_url(name):
        yield name, partial(read, None)
        return
    for part in parts:
        yield f"{name}[{part}]", partial(read, part)


def _sheet(path: Path, sheet: str | None) -> RawTable:
    return read_table(path, sheet=sheet)


def _table(address: str, folder: Path, table: str | None) -> RawTable:
    return read_table(address, base=folder, table=table or "")


def _is_table(folder: Path) -> bool:
    """Whether the files of a folder are of one kind; what other programs keep in folders rarely is."""
    try:
        return bool(files_of(folder))
    except DataError:
        return False
