"""Numbers and dates of text columns, found out or given, rewritten plainly: 1234.56 and 2025-12-31."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kamlab.parsing import (
    DAY_NUMBER,
    GROUPING,
    NumberFormat,
    date_format_of,
    date_sample,
    number_format_of,
    parse_date,
    shape,
)
from kamlab.sources.raw import RawTable, Reading

if TYPE_CHECKING:
    import pyarrow as pa

DERIVED = "kamlab:"
"""What names of columns begin with that kamlab adds to a source's own."""

NO_NUMBER = "?"
CURRENCY_SIGNS = "$€£¥￥₫đ₩₹"


def canonical(
    raw: RawTable,
    columns: Mapping[str, str],
    *,
    numbers: Iterable[str] = (),
    dates: Iterable[str] = (),
    ids: Iterable[str] = (),
    date_format: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> tuple[RawTable, dict[str, str]]:
    """Add plainly written columns beside the source's own, and map to them.

    Parameters
    ----------
    raw : RawTable
    columns : mapping of str to str
        Table column → column of `raw`.
    numbers, dates, ids : iterable of str
        Which table columns hold numbers, dates and ids; those that are not mapped are passed over.
    date_format, decimal, thousands : str, optional
        How they are written; found out of all values where not given.

    Returns
    -------
    raw : RawTable
        With derived columns: plain numbers, "?" where there is none; ISO dates, missing where there is none; ids that
        met a missing value on their way, and so became 1370.0, as 1370.
    columns : dict of str to str

    Raises
    ------
    ConfigError
        If a format is none.
    DataError
        If a format cannot be found out for certain.
    """
    written = {key: columns[key] for key in numbers if key in columns and columns[key] not in raw.typed}
    days = {key: columns[key] for key in dates if key in columns}
    added: dict[str, pa.Array] = {}
    what: list[tuple[str, str]] = []
    found: set[str] = set()
    if written:
        chosen = _number_format(raw, list(dict.fromkeys(written.values())), decimal, thousands)
        added |= {key: plain_numbers(raw.rows[name], chosen) for key, name in written.items()}
        what.append(("numbers", chosen.sample))
        found |= {"numbers"} if decimal is None else set()
    for key, name in days.items():
        known = None if name in raw.typed else date_format
        if known is None:
            texts = raw.rows[name].unique().drop_null().to_pylist()
            known = date_format_of(texts, where=f'{raw.source}, column "{name}"')
        added[key] = plain_dates(raw.rows[name], known)
        if name not in raw.typed or known == DAY_NUMBER:
            what.append(("dates", f"{date_sample(known)} ({name})"))
            found |= set() if date_format else {"dates"}
    whole = {key: plain_ids(raw.rows[columns[key]]) for key in ids if key in columns}
    whole = {key: column for key, column in whole.items() if column is not None}
    if whole:
        added |= whole
        what.append(("ids", ", ".join(columns[key] for key in whole)))
        found.add("ids")
    if not added:
        return raw, dict(columns)
    rows = raw.rows
    for key, column in added.items():
        rows = _with_column(rows, DERIVED + key, column)
    names = {key: DERIVED + key for key in added}
    readings = (*raw.readings, Reading(raw.source, tuple(what), frozenset(found))) if what else raw.readings
    raw = replace(raw, rows=rows, derived=raw.derived | set(names.values()), readings=readings)
    return raw, {**columns, **names}


def _with_column(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    if name in rows.column_names:
        return rows.set_column(rows.column_names.index(name), name, column)
    return rows.append_column(name, column)


def _number_format(raw: RawTable, names: Sequence[str], decimal: str | None, thousands: str | None) -> NumberFormat:
    if decimal is not None:
        # A given decimal mark says as well which of point and comma parts thousands.
        return NumberFormat(decimal, "".join({".": ",", ",": "."}.get(decimal, "")) if thousands is None else thousands)
    where = f"{raw.source}, column{'s' if len(names) > 1 else ''} " + ", ".join(f'"{name}"' for name in names)
    chosen = number_format_of(_shapes(raw, names), where=where)
    return chosen if thousands is None else NumberFormat(chosen.decimal, thousands)


def _shapes(raw: RawTable, names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return how often each shape of a number with a mark in it occurs, and an example of it."""
    import pyarrow.compute as pc

    shapes: dict[str, tuple[int, str]] = {}
    for name in names:
        texts = bare(raw.rows[name])
        marked = texts.filter(pc.match_substring_regex(texts, r"^[+-]?[0-9]*[^0-9A-Za-z+-][0-9]"))
        for counted in marked.value_counts().to_pylist() if len(marked) < 1000 else _counted(marked):
            key = shape(counted["values"])
            earlier = shapes.get(key, (0, counted["values"]))
            shapes[key] = (earlier[0] + counted["counts"], earlier[1])
    return shapes


def _counted(texts: pa.ChunkedArray) -> list[dict[str, Any]]:
    """Count shapes in the engine, and look up one text of each."""
    import pyarrow.compute as pc

    lone = pc.replace_substring_regex(texts, r"^([+-]?)0([.,])", r"\1z\2")
    shapes = pc.replace_substring_regex(lone, "[0-9]", "9")
    counts = shapes.value_counts().to_pylist()
    return [
        {"values": texts[pc.index(shapes, row["values"]).as_py()].as_py(), "counts": row["counts"]} for row in counts
    ]


def bare(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write numbers with nothing but a minus before them: 5-, (5), −5 and −5 € become -5.

    A currency's sign goes only where all numbers have the same: "$5" and "€5" in one column are not alike.
    """
    import pyarrow.compute as pc

    found = pc.utf8_trim_whitespace(texts)
    if not pc.any(pc.match_substring_regex(found, rf"[(−{CURRENCY_SIGNS}]|-$")).as_py():
        return found
    around = rf"[-−+()0-9{GROUPING}]*"
    signed = found.filter(pc.match_substring_regex(found, f"^{around}[{CURRENCY_SIGNS}]{around}$"))
    signs = {sign for text in signed.unique().to_pylist() for sign in CURRENCY_SIGNS if sign in text}
    found = pc.replace_substring(found, "−", "-")
    for sign in signs if len(signs) == 1 else ():
        found = pc.utf8_trim_whitespace(pc.replace_substring(found, sign, "", max_replacements=1))
        found = pc.replace_substring_regex(found, r"^([-(+]) +", r"\1")
    return pc.replace_substring_regex(found, r"^(?:\(([0-9.,][^()]*)\)|([0-9.,][^-]*?) ?-)$", r"-\1\2")


def plain_numbers(texts: pa.ChunkedArray, numbers: NumberFormat) -> pa.ChunkedArray:
    """Write numbers of a format with a decimal point and no grouping; "?" for what is none, missing for empty texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = bare(texts)
    plain = trimmed
    for sign in numbers.thousands:
        plain = pc.replace_substring(plain, sign, "")
    plain = pc.replace_substring(plain, numbers.decimal, ".")
    fits = pc.match_substring_regex(trimmed, numbers.pattern)
    plain = pc.if_else(fits, plain, NO_NUMBER)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), plain)


def plain_ids(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Write 1370.0 as 1370 in a column that holds nothing else; None for any other, in which 1370 may be another id."""
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    empty = pc.equal(trimmed, "")
    whole = pc.match_substring_regex(trimmed, r"^(?:0|[1-9][0-9]*)\.0$")
    if not pc.any(whole).as_py() or not pc.all(pc.or_(whole, empty)).as_py():
        return None
    return pc.if_else(empty, trimmed, pc.replace_substring_regex(trimmed, r"\.0$", ""))


def plain_dates(texts: pa.ChunkedArray, date_format: str | None) -> pa.ChunkedArray:
    """Write dates as year-month-day; missing for what is none."""
    import pandas as pd
    import pyarrow as pa

    encoded = texts.combine_chunks().dictionary_encode()
    values = pd.Series(encoded.dictionary.to_pylist(), dtype="str")
    days = parse_date(values, date_format).dt.strftime("%Y-%m-%d") if len(values) else values
    words = pa.array(days, pa.string(), from_pandas=True)
    return pa.chunked_array([words.take(encoded.indices)])
