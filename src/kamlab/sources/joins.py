"""Columns of one table added to the rows of another, as orders to their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from kamlab import reasons
from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.sources.raw import RawTable, Reading

if TYPE_CHECKING:
    import pyarrow as pa

_BETWEEN = "\x1f"


def join(left: RawTable, right: RawTable, on: Mapping[str, str], *, needed: bool) -> RawTable:
    """Add the columns of a table to the rows of another.

    Parameters
    ----------
    left, right : RawTable
    on : mapping of str to str
        Column of `left` → column of `right` that holds the same; numbers are compared as such ("7.0" is 7).
    needed : bool
        Whether a row of `left` is worth nothing without its partner: it is then marked as faulty, else its new columns
        are empty.

    Returns
    -------
    RawTable
        The rows of `left` in their order. A column whose name `left` has already is called FILE.NAME.

    Raises
    ------
    DataError
        If a key is no column, or several rows of `right` have the same key: rows of `left` would come several times.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    _check_keys(left, right, on)
    mine, theirs = _key(left, list(on)), _key(right, list(on.values()))
    counts = [row for row in theirs.drop_null().value_counts().to_pylist() if row["counts"] > 1]
    if counts:
        keys = first_ids(row["values"].replace(_BETWEEN, " / ") for row in counts)
        raise DataError(
            f"{right.source} has {len(counts)} value(s) of {', '.join(on.values())} in more than one row ({keys}), so "
            f"that rows of {left.source} would be counted several times. Make the table with one row a line the main "
            "one, and join to it the tables that have one row for each of its values."
        )
    places = pc.index_in(mine, value_set=theirs)
    stem = PurePath(right.source.partition("[")[0]).stem or right.source
    rows, typed = left.rows, set(left.typed)
    for name in right.rows.column_names:
        if name in on.values() and name in on and on[name] == name:
            continue
        called = f"{stem}.{name}" if name in left.rows.column_names else name
        rows = rows.append_column(called, right.rows[name].take(places))
        typed |= {called} if name in right.typed else set()
    alone = pc.is_null(places)
    n_alone = pc.sum(alone).as_py() or 0
    what = [("joined_on", ", ".join(on))]
    if n_alone:
        first = first_ids(v or "empty" for v in mine.filter(alone).unique().to_pylist()).replace(_BETWEEN, " / ")
        what.append(("unmatched", f"{n_alone} × {left.source} ({first})"))
    if right.ragged:
        what.append(("ragged", str(len(right.ragged))))
    faults = left.faults
    if needed and n_alone:
        reason = reasons.NO_PARTNER.say(file=right.source, column=", ".join(on))
        earlier = pa.nulls(len(alone), pa.string()) if faults is None else faults
        found = pc.if_else(alone, reason, pa.scalar(None, pa.string()))
        faults = pc.coalesce(earlier, _one_chunk(found))
    readings = (*left.readings, *right.readings, Reading(right.source, tuple(what)))
    return replace(left, rows=rows, faults=faults, typed=frozenset(typed), readings=readings)


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _key(raw: RawTable, names: list[str]) -> pa.ChunkedArray:
    """Return the rows' keys as text; missing where a part of it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for name in names:
        text = pc.utf8_trim_whitespace(raw.rows[name])
        # Ids that met a missing value on their way became floats: 1370.0 is 1370.
        text = pc.replace_substring_regex(text, r"^([0-9]+)\.0+$", r"\1")
        parts.append(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text))
    return pc.binary_join_element_wise(*parts, _BETWEEN)


def _check_keys(left: RawTable, right: RawTable, on: Mapping[str, str]) -> None:
    pairs = [(left, name) for name in on] + [(right, name) for name in on.values()]
    faults = [
        f'{raw.source} has no column "{name}".{did_you_mean(name, raw.rows.column_names)}'
        for raw, name in pairs
        if name not in raw.rows.column_names
    ]
    if faults:
        raise DataError(
            f"{right.source} cannot be joined to {left.source}: {' '.join(faults)} Write on = {{ column of "
            f'{left.source} = "column of {right.source}" }}.'
        )
