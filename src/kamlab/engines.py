"""Where big tables are computed: DuckDB in this process, or Spark for what outgrows one machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kamlab.errors import ConfigError
from kamlab.parts import AT_ONCE, write_in_parts

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from ibis.backends import BaseBackend

EngineName = Literal["duckdb", "spark"]
FACTS_FILE = "_kamlab.json"
"""Beside the parts of a table that Spark wrote: what a single file holds in its own metadata."""

MOST_AT_ONCE = 3 * AT_ONCE
"""Rows up to which a table is sorted at once: within the usual memory limit, and faster than in parts."""


def fetch(table: ir.Table) -> pd.DataFrame:
    """Return a table's rows as pandas, decimals as floats: as objects a million of them takes seconds."""
    schema = table.schema()
    money = [name for name, kind in zip(schema.names, schema.types, strict=True) if kind.is_decimal()]
    return table.mutate(**{name: table[name].cast("float64") for name in money}).to_pyarrow().to_pandas()


@dataclass(frozen=True)
class Engine:
    """Which engine computes, and within what bounds.

    Attributes
    ----------
    name : {"duckdb", "spark"}
    memory_limit : str
        Of DuckDB, such as "4GB"; what is larger goes on in temporary files.
    master : str
        URL of the Spark master.
    """

    name: EngineName = "duckdb"
    memory_limit: str = "3GB"
    master: str = "local[*]"

    def connect(self, scratch: Path | None = None) -> Session:
        """Open a session whose temporary files lie in a new folder inside `scratch`.

        Raises
        ------
        ConfigError
            If the memory limit is no size, or Spark is not installed or cannot be started.
        """
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".kamlab-", dir=scratch))
        try:
            connection, spark = (
                _spark(self.master) if self.name == "spark" else (_duckdb(self.memory_limit, folder), None)
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        session = Session(self, connection, spark, folder)
        # Also at the interpreter's end, and where an exception drops the session half-way.
        weakref.finalize(session, shutil.rmtree, folder, ignore_errors=True)
        return session


DUCKDB = Engine()


@dataclass(frozen=True, eq=False)
class Session:
    """A connection to an engine.

    Attributes
    ----------
    connection : ibis backend
    spark : SparkSession or None
    scratch : Path
        The session's own folder for temporary files, which goes when the session goes.
    """

    engine: Engine
    connection: BaseBackend
    spark: Any
    scratch: Path

    @property
    def dialect(self) -> str:
        """Name of the SQL that the engine speaks, as Ibis calls it."""
        return "pyspark" if self.spark is not None else "duckdb"

    def read_parquet(self, path: Path) -> ir.Table:
        """Return a Parquet file, or a folder of them, as a table that is scanned whenever it is asked."""
        if self.spark is not None:
            return self.connection.read_parquet(_escaped(path, "\\"))
        return self.connection.read_parquet(f"{_escaped(path)}/*.parquet" if path.is_dir() else _escaped(path))

    def scan_files(self, files: Sequence[Path]) -> ir.Table:
        """Return the rows of Parquet files with two more columns: where they come from.

        `source_file` is the file's path below the folder that all files share, `source_row` the row in it, from 0.
        """
        shared = Path(os.path.commonpath([path.parent for path in files])).absolute()
        if self.spark is not None:
            # Spark names the hidden columns of a scan in its own language alone.
            # It writes them as URLs, with one or three strokes before the path.
            plain = "regexp_replace(url_decode(replace(_metadata.file_path, '+', '%2B')), '^file:/+', '/')"
            where = [f"{plain} AS source_file", "_metadata.row_index AS source_row"]
            # Folders such as month=2025-01 are read as columns from the first one above them on.
            base = next((p for p in (shared, *shared.parents) if "=" not in str(p)), shared)
            reader = self.spark.read.option("basePath", str(base))
            frame = reader.parquet(*(_escaped(path, "\\") for path in files))
            frame.selectExpr("*", *where).createOrReplaceTempView("kamlab_scan")
            table, prefix = self.connection.table("kamlab_scan"), str(shared)
        else:
            paths = [_escaped(path.absolute()) for path in files]
            # What folders say of their files stays as it is written: month=01 is no number.
            options = {"file_row_number": True, "filename": "source_file", "hive_types_autocast": False}
            table = self.connection.read_parquet(paths, **options)
            table, prefix = table.rename(source_row="file_row_number"), str(shared)
        return table.mutate(source_file=table.source_file.substr(len(prefix) + 1))

    def write_parquet(self, table: ir.Table, path: Path, facts: str, *, by: Sequence[str], n_rows: int) -> None:
        """Write a table in the order of columns with a text of facts: DuckDB one file, Spark a folder of them.

        Where there are too many rows to be sorted at once (`n_rows` says about how many), DuckDB sorts them in parts.
        """
        view = "kamlab_result"
        in_parts = self.spark is None and n_rows > MOST_AT_ONCE
        table = table if in_parts else table.order_by(list(by))
        self.connection.create_view(view, table, overwrite=True)
        if self.spark is not None:
            self.spark.table(view).write.parquet(str(path), compression="zstd")
            (path / FACTS_FILE).write_text(facts, "utf-8")
            return
        if in_parts:
            write_in_parts(self.connection.con, view, by, path, self.scratch, facts=facts)
            return
        options = f"FORMAT parquet, COMPRESSION zstd, KV_METADATA {{kamlab: {_quoted(facts)}}}"
        self.connection.raw_sql(f"COPY (FROM {view}) TO {_quoted(str(path))} ({options})")


def _duckdb(memory_limit: str, scratch: Path) -> BaseBackend:
    import duckdb
    import ibis

    try:
        return ibis.duckdb.connect(
            memory_limit=memory_limit,
            temp_directory=str(scratch / "spill"),
            # Rows are ordered where their order counts, explicitly; the engine need not keep any other.
            preserve_insertion_order=False,
        )
    except duckdb.Error:
        raise ConfigError(f'memory_limit is "{memory_limit}"; it must be a size such as "4GB" or "500MB".') from None


def _spark(master: str) -> tuple[BaseBackend, Any]:
    if find_spec("pyspark") is None:
        raise ConfigError(
            'engine = "spark" needs Spark: install it with pip install "kamlab[spark]", and Java 17. Without it, leave '
            "engine out: DuckDB computes on this machine."
        )
    import ibis
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("kamlab").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    if master.startswith("local"):
        # Two hundred parts, as for a cluster, would only queue up on one machine.
        builder = builder.config("spark.sql.shuffle.partitions", "8")
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise ConfigError(
            f"Spark cannot be started on {master}: {' '.join(str(error).split())[:200]}. Check that Java 17 is "
            "installed and that the master's URL is right."
        ) from None
    return ibis.pyspark.connect(session), session


def _escaped(path: Path, mark: str = "") -> str:
    """Write a path so that its own brackets and stars are no pattern: behind a mark, or as classes of one."""
    return "".join((mark + c if mark else f"[{c}]") if c in (r"*?[]{}" if mark else "*?[") else c for c in str(path))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
