"""A configured optional table, read, checked and cut off at the as-of date."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from kamlab import configured, reasons
from kamlab.config import MOST_QUARANTINED, CheckedTable, Config
from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.parsing import first_of_month, parse_date, parse_flag, parse_text
from kamlab.sources import RawTable, Reading, canonical, from_frame
from kamlab.tables.declared import SCHEMAS
from kamlab.tables.schema import UNREADABLE, Schema, faults

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TableReading:
    """A table's usable rows and its quarantine.

    Attributes
    ----------
    schema : Schema
    rows : pandas.DataFrame
        The schema's columns: text or None, float, datetime64, True, False or None; in the order of the source. Nothing
        in it is dated after the as-of date.
    quarantine : pandas.DataFrame
        Columns of `terms.TABLES["table_quarantine"]`.
    later : int
        Rows that are known only after the as-of date; they are left out, whatever they hold.
    money : float
        Money of all other rows, without signs.
    readings : tuple of Reading
        How the source was read.
    max_share, max_money : float
        Shares of rows and of that money up to which the rest can be trusted.
    """

    schema: Schema
    rows: pd.DataFrame
    quarantine: pd.DataFrame
    later: int
    money: float
    readings: tuple[Reading, ...] = ()
    max_share: float = MOST_QUARANTINED
    max_money: float = MOST_QUARANTINED

    @property
    def n_read(self) -> int:
        """Rows of the source: those used, those of later days, and those in quarantine."""
        return len(self.rows) + self.later + len(self.quarantine)

    @property
    def too_many(self) -> bool:
        """Whether so many rows, or so much money, cannot be used that the rest would mislead."""
        out = float(self.quarantine["amount"].abs().sum())
        return len(self.quarantine) > self.max_share * self.n_read or out > self.max_money * self.money

    def said(self) -> list[str]:
        """Say in sentences how many rows were read, and per rule how many break it, which, and how much money."""
        used = f"{len(self.rows):,} used"
        later = f", {self.later:,} of later days left out" if self.later else ""
        lines = [
            f"Table {self.schema.name} ({self.schema.holds}): {self.n_read:,} rows read, {used}{later}, "
            f"{len(self.quarantine):,} quarantined."
        ]
        lines += [f"  {reading}." for reading in self.readings if "ids" in dict(reading.what)]
        undated = int(self.rows[self.schema.known_from].isna().sum()) if self.schema.known_from else 0
        if undated:
            lines.append(f"  {undated:,} rows without {self.schema.known_from}: they count on every day.")
        for reason, group in self.quarantine.groupby("reason", sort=True):
            money = f", {group['amount'].sum():,.2f} concerned" if group["amount"].notna().any() else ""
            lines.append(
                reasons.with_remedy(f"  {len(group):,} × {reason} (lines {first_ids(group['line'])}){money}", reason)
            )
        if self.too_many:
            lines.append(f"  {self._remedy()}")
        return lines

    def _remedy(self) -> str:
        return (
            f"That is more than the {self.max_share:.0%} of rows or {self.max_money:.0%} of money up to which the rest "
            "can be trusted. Mend these lines, raise max_quarantined_share or max_quarantined_money, or leave the "
            f"table out of the configuration (source.{self.schema.name})."
        )


def given(config: Config) -> list[str]:
    """Return the names of the optional tables that the configuration has."""
    return [name for name in SCHEMAS if name in config.source.side_tables]


def read(config: Config, name: str, *, as_of: date) -> TableReading:
    """Read an optional table of the configuration: one of `given`; see `read_as`."""
    return read_as(config, SCHEMAS[name], as_of=as_of)


def read_as(config: Config, schema: Schema, *, as_of: date) -> TableReading:
    """Read a table of the configuration by a schema.

    Parameters
    ----------
    config : Config
    schema : Schema
        Of a table that the configuration has.
    as_of : date
        Rows that are known later only are left out, and what is known later of a row is missing.

    Raises
    ------
    DataError
        If the source cannot be read, or its columns are not what the configuration says: every fault at once.
    """
    table = config.source.tables[schema.name]
    assert isinstance(table, CheckedTable)
    raw = configured.read(table, config.base, f"table {schema.name}")
    formats = {"date_format": table.date_format, "decimal": table.decimal, "thousands": table.thousands}
    found = read_rows(raw, schema, columns=table.columns, as_of=as_of, **formats)
    return replace(found, max_share=table.max_quarantined_share, max_money=table.max_quarantined_money)


def read_rows(
    source: RawTable | Any,
    schema: Schema,
    *,
    columns: Mapping[str, str],
    as_of: date,
    date_format: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> TableReading:
    """Check the rows of a table by its schema; see `read`."""
    import pandas as pd

    raw = source if isinstance(source, RawTable) else from_frame(source)
    _check_mapping(raw, schema, columns)
    numbers, months = schema.of_kind("number"), schema.of_kind("month")
    formats = {"date_format": date_format, "decimal": decimal, "thousands": thousands}
    written = _with_first_days(raw, [columns[name] for name in months if name in columns])
    dates, ids = (*schema.of_kind("date"), *months), schema.of_kind("text")
    plain, named = canonical(written, columns, numbers=numbers, dates=dates, ids=ids, **formats)
    every = _parsed(raw, plain, schema, columns, named)
    # What is known later neither counts nor breaks a rule: it could push out what was known before it.
    today = pd.Timestamp(as_of)
    frame = every[~(every[schema.known_from] > today)] if schema.known_from else every
    hidden = [(outcome, every[outcome[0]] > today) for outcome in schema.outcomes]
    for outcome, later in hidden:
        frame = _without(frame, [name for name in outcome if name not in schema.needed], later)
    found = faults(frame, schema)
    if raw.faults is not None:
        early = pd.DataFrame({"row": every.index, "reason": raw.faults.to_pylist()}).dropna()
        found = pd.concat([early[early["row"].isin(frame.index)], found], ignore_index=True)
    told = found.groupby("row")["reason"].agg("; ".join)
    quarantine = _quarantine(raw, schema, frame, told)
    money = float(frame[schema.money].abs().sum()) if schema.money else 0.0
    rows = frame.drop(index=told.index)
    for outcome, later in hidden:
        rows = _without(rows, outcome, later)
    rows = rows[list(schema.columns)].reset_index(drop=True)
    return TableReading(schema, rows, quarantine, len(every) - len(frame), money, plain.readings)


def _with_first_days(raw: RawTable, names: Sequence[str]) -> RawTable:
    """Write months that stand alone as their first days."""
    import pyarrow as pa

    rows = raw.rows
    for name in names:
        texts = pa.array([text and first_of_month(text) for text in rows[name].to_pylist()], pa.string())
        rows = rows.set_column(rows.column_names.index(name), name, texts)
    return replace(raw, rows=rows)


def _without(frame: pd.DataFrame, names: Iterable[str], hidden: pd.Series) -> pd.DataFrame:
    """Read as missing what the columns say of the hidden rows."""
    hide = hidden[frame.index]
    for name in names:
        unknown = {name: frame[name].where(~hide, None), name + UNREADABLE: frame[name + UNREADABLE] & ~hide}
        frame = frame.assign(**unknown)
    return frame


def _check_mapping(raw: RawTable, schema: Schema, columns: Mapping[str, str]) -> None:
    have = raw.rows.column_names
    wrong = [
        f'"{key}" is no column of this table.{did_you_mean(key, schema.columns)}'
        for key in columns
        if key not in schema.columns
    ]
    wrong += [f'No column is named for "{key}".' for key in schema.needed if key not in columns]
    wrong += [
        f'"{key}" should be in column "{name}", which is not there.{did_you_mean(name, have)}'
        for key, name in columns.items()
        if name not in have
    ]
    if wrong:
        raise DataError(
            f"{raw.source} cannot be read as table {schema.name}: {' '.join(wrong)} The table has the columns "
            f"{', '.join(schema.columns)}; the source has {first_ids(raw.columns, limit=30)}."
        )


def _parsed(
    raw: RawTable, plain: RawTable, schema: Schema, columns: Mapping[str, str], named: Mapping[str, str]
) -> pd.DataFrame:
    """Return every column of the schema, and for numbers and dates where their text could not be read."""
    import pandas as pd

    n = raw.rows.num_rows
    parts: dict[str, pd.Series] = {}
    for field in schema.fields:
        if field.name not in columns:
            empty = {"text": "object", "flag": "object", "number": "float64"}.get(field.kind, "datetime64[s]")
            parts[field.name] = pd.Series([None] * n, dtype=object).astype(empty)
            parts[field.name + UNREADABLE] = pd.Series(False, range(n))
            continue
        text = parse_text(raw.rows[columns[field.name]].to_pandas().astype("str"))
        written = plain.rows[named[field.name]].to_pandas()
        if field.kind == "text":
            parts[field.name] = parse_text(written.astype("str"))
        elif field.kind == "flag":
            parts[field.name] = parse_flag(text)
        elif field.kind == "number":
            parts[field.name] = pd.to_numeric(written, errors="coerce").astype("float64")
        else:
            parts[field.name] = parse_date(written.astype("str"))
        parts[field.name + UNREADABLE] = text.notna() & parts[field.name].isna()
    return pd.DataFrame(parts)


def _quarantine(raw: RawTable, schema: Schema, frame: pd.DataFrame, told: pd.Series) -> pd.DataFrame:
    import pandas as pd

    bad = told.index.to_numpy()
    originals = raw.rows.select(raw.columns).take(bad).to_pylist()
    files = [raw.source] * raw.rows.num_rows if raw.files is None else raw.files.to_pylist()
    lines = raw.lines.to_pylist()
    amount = frame[schema.money] if schema.money else pd.Series(float("nan"), frame.index)
    rows = [
        (schema.name, files[row], lines[row], reason, amount[row], json.dumps(original, ensure_ascii=False))
        for (row, reason), original in zip(told.items(), originals, strict=True)
    ]
    rows += [
        (
            *(schema.name, r.source, r.line, r.reason, float("nan")),
            json.dumps({"fields": r.fields}, ensure_ascii=False),
        )
        for r in raw.ragged
    ]
    table = pd.DataFrame(rows, columns=["table", "source", "line", "reason", "amount", "original"])
    table = table.astype({"line": "int64", "amount": "float64"})
    return table.sort_values(["source", "line"], ignore_index=True)
