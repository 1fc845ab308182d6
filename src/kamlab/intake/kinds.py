"""What kind of line each is, as the configuration says: sale, return, freight, or left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kamlab.config import Transactions
from kamlab.intake.amounts import derive
from kamlab.sources import RawTable
from kamlab.sources.formats import DERIVED
from kamlab.terms import EXCLUDED

if TYPE_CHECKING:
    import pyarrow as pa

BY_SIGN = "sign"
EVERYTHING_ELSE = "*"


def fits(text: str | None, pattern: str) -> bool:
    """Whether a value is the one named; * and ? stand for any letters."""
    return fnmatchcase((text or "").strip().casefold(), pattern.strip().casefold())


def with_kinds(raw: RawTable, columns: dict[str, str], table: Transactions) -> tuple[RawTable, dict[str, str]]:
    """Settle each line's kind: what the mapped column means, and "excluded" where the configuration leaves it out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (table.kinds or table.where or table.exclude):
        return raw, columns
    kind = pa.nulls(raw.rows.num_rows, pa.string())
    if columns.get("kind") in raw.rows.column_names:
        kind = _mapped(raw.rows[columns["kind"]], lambda text: _kind(text, table.kinds))
    for name, values in table.where.items():
        inside = _mapped(raw.rows[name], _outside(values))
        kind = pc.coalesce(inside, kind)
    for name, values in table.exclude.items():
        out = _mapped(raw.rows[name], _inside(values))
        kind = pc.coalesce(out, kind)
    return derive(raw, "kind", kind), columns | {"kind": DERIVED + "kind"}


def _inside(values: list[str]) -> Callable[[str | None], str | None]:
    return lambda text: EXCLUDED if any(fits(text, value) for value in values) else None


def _outside(values: list[str]) -> Callable[[str | None], str | None]:
    return lambda text: None if any(fits(text, value) for value in values) else EXCLUDED


def _kind(text: str | None, kinds: Mapping[str, str]) -> str | None:
    """Return the kind that a value means; the value itself where nothing is said of it."""
    if not text or not text.strip():
        return None
    for pattern in sorted(kinds, key=lambda p: ("*" in p or "?" in p, p == EVERYTHING_ELSE)):
        if fits(text, pattern):
            return None if kinds[pattern] == BY_SIGN else kinds[pattern]
    return text


def _mapped(column: pa.ChunkedArray, of: Callable[[str | None], str | None]) -> pa.Array:
    """Apply a function to each different value of a column."""
    import pyarrow as pa

    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    words = pa.array([of(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)
