"""One function for every kind of source: text, Parquet, workbooks, folders and patterns of them, databases."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from kamlab.errors import DataError, first_ids
from kamlab.sources.excel import SUFFIXES as EXCEL
from kamlab.sources.excel import read_excel
from kamlab.sources.paths import files_of, parted_by, resolve_path
from kamlab.sources.raw import RawTable, as_text, concatenate, refuse_repeated_names
from kamlab.sources.sql import is_url, read_sql
from kamlab.sources.text import checked_delimiter, read_text


def read_table(
    path: str | Path,
    *,
    base: Path | None = None,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    table: str | None = None,
    query: str | None = None,
    content: str = "table",
) -> RawTable:
    """Read a source as text.

    Parameters
    ----------
    path : str or Path
        A file: .parquet, a workbook (.xlsx, .xls, .xlsb, .xlsm, .ods), or delimited text of any other name; a folder or
        a pattern of such files; or a database's address.
    base : Path, optional
        Folder against which the path resolves.
    delimiter : str, optional
        One character, "tab", or "whitespace"; found from the first lines if not given.
    header : sequence of str, optional
        Column names of a file that has no header line.
    encoding : str, optional
        Encoding of a text file; found if not given. A byte order mark is no part of the first column.
    sheet : str, optional
        Sheet of a workbook, or a pattern of sheets (*, ?) with the same columns; needed where there are several with
        data.
    table, query : str, optional
        What to read of a database; one of them.
    content : str
        What the source holds, for messages: "transaction log", "account master".

    Raises
    ------
    ConfigError
        If the delimiter is none, or an address holds a password.
    DataError
        If there is no such file, it is empty, or cannot be read.
    """
    if is_url(str(path)):
        return read_sql(str(path), table=table, query=query, base=base, content=content)
    delimiter = checked_delimiter(delimiter)
    place = resolve_path(path, base)
    files = files_of(place, content)
    tables = [
        _read_file(file, delimiter=delimiter, header=header, encoding=encoding, sheet=sheet, content=content)
        for file in files
    ]
    if place.is_file():
        return tables[0]
    folders = [below.parent for below in _below(files)]
    return concatenate(tables, place.name, [str(at / found.source) for at, found in zip(folders, tables, strict=True)])


def _below(files: Sequence[Path]) -> list[Path]:
    """Return the files' paths below the folder that all of them share."""
    shared = os.path.commonpath([file.parent for file in files])
    return [file.relative_to(shared) for file in files]


def _read_file(
    path: Path,
    *,
    delimiter: str | None,
    header: Sequence[str] | None,
    encoding: str | None,
    sheet: str | None,
    content: str,
) -> RawTable:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(path)
    if suffix in EXCEL:
        return read_excel(path, sheet=sheet, header=header, content=content)
    return read_text(path, delimiter=delimiter, header=header, encoding=encoding, content=content)


def _read_parquet(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {error}") from None
    for name, value in parted_by(path).items():
        if name not in table.column_names:
            table = table.append_column(name, pa.repeat(pa.scalar(value, pa.string()), table.num_rows))
    return as_text(table, path.name)


def parquet_files(path: str | Path, *, base: Path | None = None) -> list[Path]:
    """Return the files of a Parquet file, folder or pattern, which an engine scans itself; none for others."""
    if is_url(str(path)):
        return []
    try:
        files = files_of(resolve_path(path, base))
    except DataError:  # whoever reads it says what is missing
        return []
    return files if files[0].suffix.lower() == ".parquet" else []


def parquet_columns(files: Sequence[Path]) -> list[str]:
    """Return the columns of Parquet files of one schema, and those of their folders' names, without reading them.

    Raises
    ------
    DataError
        If a file is no Parquet, or the files have different columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = []
    for file in files:
        try:
            own = pq.read_schema(file).names
            names.append([*own, *(name for name in parted_by(file) if name not in own)])
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file.name} cannot be read as Parquet: {error}") from None
        refuse_repeated_names(names[-1], file.name)
        if set(names[-1]) != set(names[0]):
            raise DataError(
                f"{file.name} has other columns than {files[0].name} (differing: "
                f"{first_ids(sorted(set(names[-1]) ^ set(names[0])))}). Files that are read together must have the "
                "same columns."
            )
    return names[0]


def content_hash(path: str, *, base: Path | None = None, table: str | None = None, query: str | None = None) -> str:
    """Return the SHA-256 of what a source holds: of the file, of all files, or of the rows that a database gives.

    "missing" where there is no such file.
    """
    if is_url(path):
        rows = read_sql(path, table=table, query=query, base=base, content="table").rows
        digest = hashlib.sha256()
        for name in rows.column_names:
            digest.update(f"\x1d{name}".encode())
            for value in rows[name].to_pylist():
                digest.update(b"\x00" if value is None else f"\x1e{value}".encode())
        return digest.hexdigest()
    try:
        files = files_of(resolve_path(path, base))
    except DataError:
        return "missing"
    hashes = [file_hash(file) for file in files]
    if len(files) == 1:
        return hashes[0]
    named = "".join(f"{file} {found}\n" for file, found in zip(_below(files), hashes, strict=True))
    return hashlib.sha256(named.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
