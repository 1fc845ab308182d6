"""A run's tables, written to their files beside the work that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab.resources import replacing

if TYPE_CHECKING:
    import pandas as pd


class Writer:
    """Writes tables at once, or beside the work: one thread, which needs no more of Python than the first moment."""

    def __init__(self) -> None:
        self._threads: list[ThreadPoolExecutor] = []
        self._under_way: dict[Path, Future[None]] = {}

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Let tables be written while the work goes on; all stand when this ends."""
        with ThreadPoolExecutor(1, "table") as thread:
            self._threads.append(thread)
            try:
                yield
            finally:
                self._threads.remove(thread)
                thread.shutdown()
                for path in list(self._under_way):
                    self.settle(path)

    def put(self, path: Path, table: pd.DataFrame) -> None:
        """Write a table to its file, now or soon."""
        self.settle(path)
        if self._threads:
            # What the caller changes meanwhile becomes a copy of its own.
            self._under_way[path] = self._threads[-1].submit(_written, path, table.copy(deep=False))
        else:
            _written(path, table)

    def settle(self, path: Path) -> None:
        """Wait until a table that is being written stands; raise what kept it from being written."""
        if path in self._under_way:
            self._under_way.pop(path).result()


def _written(path: Path, table: pd.DataFrame) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    # Measured numbers hardly repeat: to look for repetitions costs more than all the rest of writing.
    repeated = [field.name for field in arrow.schema if not pa.types.is_floating(field.type)]
    # Many accounts' draws, in single precision, are read often: a quarter larger, they open in half the time.
    drawn = {field.name for field in arrow.schema if pa.types.is_float32(field.type)}
    packed = {name: "snappy" if name in drawn else "zstd" for name in arrow.column_names}
    with replacing(path) as temporary:
        pq.write_table(arrow, temporary, compression=packed, use_dictionary=repeated)
