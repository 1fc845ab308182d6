"""Any source into rows of text that still know their file and line; nothing is judged here but the shape."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamlab.errors import ConfigError, DataError, did_you_mean, first_ids

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
PACKAGE_PREFIX = "package:"


@dataclass(frozen=True)
class RaggedRow:
    """A row whose number of fields differs from the header's."""

    source: str
    line: int
    fields: tuple[str, ...]
    expected: int


@dataclass(frozen=True)
class RawTable:
    """Rows as text.

    Attributes
    ----------
    rows : pyarrow.Table
        One text column a source column.
    source : str
        Name of the file, or "table".
    lines : pyarrow.Array of int64
        Line of each row in the file (the header is line 1); row number from 1 where there are no lines.
    ragged : tuple of RaggedRow
        Rows that do not fit the header.
    """

    rows: pa.Table
    source: str
    lines: pa.Array
    ragged: tuple[RaggedRow, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the source's columns."""
        return self.rows.column_names


def resolve_path(path: str | Path, base: Path | None = None) -> Path:
    """Resolve a path against the configuration's folder.

    `${NAME}` is an environment variable; `package:NAME/FILE` is a file inside a Python package.
    """
    text = os.path.expandvars(str(path))
    if "${" in text:
        raise DataError(
            f"The path {text} names an environment variable that is not set. Set it, or write the path out."
        )
    if text.startswith(PACKAGE_PREFIX):
        package, _, inside = text.removeprefix(PACKAGE_PREFIX).partition("/")
        try:
            # The package is located, not imported: importing some has side effects.
            spec = find_spec(package)
        except (ImportError, ValueError):  # a package above it is missing; the name is empty or ".."
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise DataError(f'{text} names the package "{package}", which is not installed.')
        return Path(spec.submodule_search_locations[0], inside)
    try:
        return (base or Path()) / Path(text).expanduser()
    except RuntimeError:
        raise DataError(f"The path {text} begins with a user who has no folder here. Write the path out.") from None


def read_table(
    path: str | Path,
    *,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
    encoding: str | None = None,
    content: str = "table",
) -> RawTable:
    """Read a CSV or Parquet file as text.

    Parameters
    ----------
    path : str or Path
        File ending in .parquet, or delimited text of any other name.
    delimiter : str, optional
        One character, "tab", or "whitespace"; found from the first line if not given.
    header : sequence of str, optional
        Column names of a text file that has no header line.
    encoding : str, optional
        Encoding of a text file; UTF-8 if not given. A byte order mark is no part of the first column.
    content : str
        What the file holds, for messages: "transaction log", "account master".

    Raises
    ------
    ConfigError
        If the delimiter is none.
    DataError
        If there is no such file, it is empty, or it is not text in that encoding.
    """
    path = Path(path)
    delimiter = _checked_delimiter(delimiter)
    if path.is_dir():
        raise DataError(f"{path} is a folder; name the file that holds the {content}.")
    if not path.exists():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")]) if path.parent.is_dir() else ""
        raise DataError(
            f"There is no file {path}.{near} Check the path; it is taken relative to the configuration file."
        )
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: 0 bytes. Export the {content} again.")
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    return _read_text(path, delimiter, header, encoding, content)


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
    import pyarrow as pa

    columns = []
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        try:
            columns.append(pa.array(column, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            columns.append(pa.array([_cell(value) for value in column.where(column.notna(), None)], pa.string()))
    return pa.table(columns, names=[str(name) for name in frame.columns])


def _cell(value: Any) -> str | None:
    """Write a cell of a column of mixed types."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def parquet_files(path: str | Path) -> list[Path]:
    """Return the Parquet files that a path names, in their order; none if it names something else."""
    path = Path(path)
    return [path] if path.suffix.lower() == ".parquet" and path.is_file() and path.stat().st_size else []


def parquet_columns(files: Sequence[Path]) -> list[str]:
    """Return the columns of Parquet files of one schema, without reading them.

    Raises
    ------
    DataError
        If a file is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(files[0]).names
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{files[0].name} cannot be read as Parquet: {error}") from None
    _refuse_repeated_names(names, files[0].name)
    return names


def _read_parquet(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {error}") from None
    return as_text(table, path.name)


def as_text(table: pa.Table, source: str) -> RawTable:
    """Write every column of an Arrow table as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    _refuse_repeated_names(table.column_names, source)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.trunc(column))).as_py():
            # Ids that met a missing value on their way became floats: 17850.0 is the account 17850.
            whole = pc.if_else(pc.less(pc.abs(column), 2.0**53), column, None)
            if whole.null_count == column.null_count:
                column = whole.cast(pa.int64())
        try:
            columns[name] = column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # lists, records, bytes
            columns[name] = pa.array([_cell(value) for value in column.to_pylist()], pa.string())
    return RawTable(pa.table(columns), source, pa.array(range(1, table.num_rows + 1), pa.int64()))


def _read_text(
    path: Path, delimiter: str | None, header: Sequence[str] | None, encoding: str | None, content: str
) -> RawTable:
    import pyarrow as pa

    text = _decode(path, encoding)
    if not text.strip():
        raise DataError(f"{path.name} holds nothing but blank lines. Export the {content} again.")
    rows = _split(text, delimiter or _find_delimiter(text), path.name)
    if header is None:
        _, names = next(rows)
        names = [name.strip() for name in names]
    else:
        names = list(header)
    _refuse_repeated_names(names, path.name)
    kept: list[list[str]] = []
    lines: list[int] = []
    ragged: list[RaggedRow] = []
    for line, fields in rows:
        if len(fields) == len(names):
            kept.append(fields)
            lines.append(line)
        else:
            ragged.append(RaggedRow(path.name, line, tuple(fields), len(names)))
    if not kept and not ragged:
        raise DataError(f"{path.name} has a header and no line under it. Export the {content} again.")
    columns = {name: pa.array([row[i] for row in kept], pa.string()) for i, name in enumerate(names) if name}
    return RawTable(pa.table(columns), path.name, pa.array(lines, pa.int64()), tuple(ragged))


def _decode(path: Path, encoding: str | None) -> str:
    data = path.read_bytes()
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError:
        raise DataError(f'"{encoding}" is no known encoding. Try "utf-8", "gbk", "cp1252" or "mac_roman".') from None
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        guess = _probable_encoding(data)
        head = ""
        if guess:
            first = data.decode(guess, errors="replace").splitlines()[0]
            head = f" Read that way, the first line is: {first[:200]}"
        remedy = f'Set encoding = "{guess}" for this file if that is right.' if guess else "Set its encoding."
        raise DataError(
            f"{path.name} is not {encoding or 'UTF-8'} text: byte 0x{data[error.start]:02x} in line {line}. "
            f"{remedy}{head}"
        ) from None


def _probable_encoding(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    sample = data[: data.find(b"\n", 100_000) + 1] or data
    best = from_bytes(sample).best()
    if best:
        return best.encoding
    # Short texts in Chinese are often too mixed for the detector; a strict decoder settles it.
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    return "gb18030"


def _checked_delimiter(delimiter: str | None) -> str | None:
    """Return the delimiter as `_split` takes it."""
    if delimiter is None or delimiter == "whitespace":
        return delimiter
    known = DELIMITER_NAMES.get(delimiter, delimiter)
    if len(known) != 1 or known in '"\r\n':
        raise ConfigError(
            f'delimiter is "{delimiter}"; it must be one character such as ";", or "tab", or "whitespace". Leave it '
            "out to have it found from the first line."
        )
    return known


def _find_delimiter(text: str) -> str:
    first = next(line for line in text.splitlines() if line.strip())
    counts = {delimiter: first.count(delimiter) for delimiter in DELIMITERS}
    return max(counts, key=lambda d: counts[d])


def _split(text: str, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row starts, and its fields; blank lines are no rows."""
    lines = text.splitlines(keepends=True) if delimiter == "whitespace" else re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    if delimiter == "whitespace":
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line.split()
        return
    reader = csv.reader(lines, delimiter=delimiter)
    start = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{source} cannot be read from line {start} on ({error}): probably a quotation mark is never closed there."
        ) from None


def _refuse_repeated_names(names: Sequence[str], source: str) -> None:
    repeated = [name for name, n in Counter(filter(None, names)).items() if n > 1]
    if repeated:
        raise DataError(
            f"{source} has {len(repeated)} column name(s) more than once ({first_ids(repeated)}). Rename them."
        )
