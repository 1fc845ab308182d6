"""More rows put in order than fit into memory: parts by ranges of the first column, sorted one after the other.

To sort a hundred million wide rows at once an engine writes all of them to disk unpacked, several times their size.
Parts are written once, packed, and each is gone once it is sorted.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

AT_ONCE = 4_000_000
"""Rows of a part."""
ROW_GROUP = 122_880
"""Rows of a row group, as DuckDB writes them."""
_PART = "kamlab_part"


def write_in_parts(
    connection: duckdb.DuckDBPyConnection, view: str, by: Sequence[str], path: Path, scratch: Path, *, facts: str
) -> None:
    """Write a view's rows to one Parquet file, in order; missing values stand last.

    The file does not depend on where one part ends and the next begins.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    view : str
    by : sequence of str
        Columns to order by; the first one is text.
    path : Path
    scratch : Path
        Folder for the parts, which take about as much room as the file.
    facts : str
        Written into the file's metadata under "kamlab".
    """
    import pyarrow.parquet as pq

    folder = scratch / "parts"
    borders = _borders(connection, view, by[0])
    number = " ".join(f"WHEN {by[0]} < {_quoted(border)} THEN {n}" for n, border in enumerate(borders))
    last = f"CASE WHEN {by[0]} IS NULL THEN {len(borders) + 1} {number} ELSE {len(borders)} END"
    options = f"FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({_PART})"
    try:
        connection.execute(f"COPY (SELECT *, {last} AS {_PART} FROM {view}) TO {_quoted(str(folder))} ({options})")
        parts = [folder / f"{_PART}={n}" for n in range(len(borders) + 2)]
        schema = connection.execute(f"FROM {view} LIMIT 0").to_arrow_table().schema
        groups = _groups(_sorted(connection, [part for part in parts if part.is_dir()], by))
        first = next(groups, schema.empty_table())
        with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=_repeating(first)) as writer:
            for group in chain([first], groups):
                writer.write_table(group, row_group_size=ROW_GROUP)
            writer.add_key_value_metadata({"kamlab": facts})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _borders(connection: duckdb.DuckDBPyConnection, view: str, column: str) -> list[str]:
    """Return the values at which a new part begins, so that a part has `AT_ONCE` rows, or one value has more."""
    import numpy as np

    query = f"SELECT {column}, count(*) AS n FROM {view} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY {column}"
    counts = connection.execute(query).to_arrow_table()
    part = (np.cumsum(counts["n"].to_numpy()) - 1) // AT_ONCE
    starts = np.flatnonzero(part[1:] > part[:-1]) + 1
    return counts[column].take(starts).to_pylist()


def _sorted(
    connection: duckdb.DuckDBPyConnection, parts: Iterable[Path], by: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of each part in order; a part goes when its rows are taken."""
    for part in parts:
        files = _quoted(f"{part}/*.parquet")
        rows = f"FROM read_parquet({files}, hive_partitioning = false) ORDER BY {', '.join(by)}"
        yield from connection.execute(rows).to_arrow_reader(ROW_GROUP)
        shutil.rmtree(part)


def _repeating(rows: pa.Table) -> list[str]:
    """Return the columns whose values repeat so much that a dictionary of them saves room and time."""
    import pyarrow.compute as pc

    return [name for name in rows.column_names if 4 * pc.count_distinct(rows[name]).as_py() < rows.num_rows]


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Put rows together to as many as a row group has."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    n = 0
    for batch in batches:
        while n + len(batch) >= ROW_GROUP:
            yield pa.Table.from_batches([*waiting, batch.slice(0, ROW_GROUP - n)])
            batch, waiting, n = batch.slice(ROW_GROUP - n), [], 0
        waiting, n = [*waiting, batch], n + len(batch)
    if n:
        yield pa.Table.from_batches(waiting)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
