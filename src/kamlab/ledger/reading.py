"""Reading a transaction log: what can be used goes into the ledger's file, the rest into the quarantine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from kamlab.engines import DUCKDB, Engine, Session
from kamlab.errors import ConfigError, DataError, did_you_mean, first_ids
from kamlab.ledger.book import ORDER, Ledger, PurchaseRule, facts_text, why
from kamlab.ledger.lines import (
    BITS,
    COLUMNS,
    DECIMAL_COLUMNS,
    PLACE,
    REASONS,
    Formats,
    Rows,
    open_lines,
    repeated,
    rows_in_files,
    rows_in_memory,
)
from kamlab.parsing import DATE_REMEDY
from kamlab.sources import RaggedRow, RawTable, canonical, from_frame, parquet_columns, parquet_files, read_table
from kamlab.terms import IDS, TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa


def read_ledger(
    source: Any,
    *,
    columns: Mapping[str, str],
    date_format: str | None = None,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    purchase: PurchaseRule = "positive",
    currency: str = "",
    max_quarantined_share: float = 0.1,
    as_of: date | None = None,
    engine: Engine = DUCKDB,
    scratch: Path | None = None,
) -> Ledger:
    """Read a transaction log into the canonical ledger.

    Parameters
    ----------
    source : path, RawTable, or pandas, Arrow, Polars or Ibis table
        Delimited text or Parquet, which is scanned in place and may be larger than memory.
    columns : mapping of str to str
        Ledger column → source column. `account` and `date` are needed; see `COLUMNS` for the others.
    date_format : str, optional
        Order of the date's parts, such as "%d/%m/%Y" (%Y, %y, %m, %d). Not given, it is found; in Parquet that is
        scanned in place dates are then ISO dates or YYYYMMDD.
    delimiter, header, encoding
        See `sources.read_table`.
    decimal, thousands : str, optional
        Marks of the numbers in text: the decimal one, and those between groups of three digits. Not given, they are
        found; in Parquet that is scanned in place they are "." and none.
    purchase : {"positive", "nonnegative"}
        "nonnegative" where every row is a purchase by definition, free ones included.
    currency : str
        Currency of the amounts; a mapped currency column must agree with it.
    max_quarantined_share : float
        Above this share of quarantined rows the log is refused, because a report on the rest would mislead.
    as_of : datetime.date, optional
        Last day of which something is known. Lines dated later are counted whatever they hold: none of them is
        quarantined, pushes out an earlier one, or has a currency that must agree.
    engine : Engine
        What computes; DuckDB in this process by default.
    scratch : Path, optional
        Folder for temporary files, which hold the ledger until it is written elsewhere; the system's if not given.

    Returns
    -------
    Ledger

    Raises
    ------
    ConfigError
        If an option is none of those above.
    DataError
        If columns are missing, all faults at once, or too many lines are impossible.
    """
    if purchase not in get_args(PurchaseRule):
        raise ConfigError(
            f'purchase is "{purchase}"; it must be "positive" or "nonnegative".'
            + did_you_mean(str(purchase), get_args(PurchaseRule))
        )
    files = parquet_files(source) if isinstance(source, (str, Path)) else []
    session = engine.connect(scratch)
    ragged: Sequence[RaggedRow] = ()
    if files:
        name = Path(source).name
        check_columns(parquet_columns(files), columns, name)
        rows = rows_in_files(files, columns, session)
    else:
        raw = _in_memory(source, delimiter=delimiter, header=header, encoding=encoding)
        name, ragged = raw.source, raw.ragged
        check_columns(raw.rows.column_names, columns, name)
        formats = {"date_format": date_format, "decimal": decimal, "thousands": thousands}
        raw, columns = canonical(raw, columns, numbers=DECIMAL_COLUMNS, dates=("date",), ids=IDS, **formats)
        rows = rows_in_memory(raw, columns)
    written = Formats(date_format, decimal or ".", thousands or "") if files else Formats()
    lines = open_lines(rows, columns, written, session, as_of)
    found = _Quarantined.find(lines, columns)
    n_judged = found.n_judged + len(ragged)
    quarantine = _with_ragged(found.table(rows, session, currency), ragged)
    if refused := mostly_impossible(quarantine, n_judged, max_quarantined_share, name, date_format):
        raise DataError(refused)
    currency = _one_currency(found.currencies, currency, name)
    mapped = tuple(c for c in COLUMNS if c in columns)
    path = session.scratch / "ledger.parquet"
    facts = facts_text(mapped, purchase, currency)
    session.write_parquet(_accepted(lines, found, mapped), path, facts, by=ORDER, n_rows=found.n_rows)
    return Ledger(path, quarantine, mapped, purchase, currency, session)


def _in_memory(source: Any, **options: Any) -> RawTable:
    if isinstance(source, RawTable):
        return source
    if isinstance(source, (str, Path)):
        return read_table(source, content="transaction log", **options)
    return from_frame(source)


def check_columns(have: Sequence[str], columns: Mapping[str, str], source: str) -> None:
    """Refuse a column mapping that does not fit the source: every fault in one message."""
    faults = [f'"{key}" is no ledger column.{did_you_mean(key, COLUMNS)}' for key in columns if key not in COLUMNS]
    faults += [f'No column is named for "{key}".' for key in ("account", "date") if key not in columns]
    faults += [
        f'"{key}" should be in column "{name}", which is not there.{did_you_mean(name, have)}'
        for key, name in columns.items()
        if name not in have
    ]
    if faults:
        raise DataError(
            f"{source} cannot be read as a transaction log: {' '.join(faults)} "
            f"Its columns are: {first_ids(have, limit=30)}. A log needs one line a transaction with at least a "
            "customer and a date; name their columns under columns = { account = …, date = …, amount = … }."
        )


@dataclass(frozen=True)
class _Quarantined:
    """Which lines cannot be used.

    n_rows : all lines.
    n_judged : lines up to the as-of date, and those whose date cannot be read.
    places : source, line, row, amount, currency and fault of each, ordered by source and line.
    late : of those, the lines whose id is repeated, which only a look at other lines shows.
    """

    n_rows: int
    n_judged: int
    places: pa.Table
    late: pa.Table
    currencies: tuple[str, ...]

    @classmethod
    def find(cls, lines: ir.Table, columns: Mapping[str, str]) -> _Quarantined:
        """Look through all lines: once for what is wrong with each, once more for ids that several have."""
        import pyarrow as pa
        import pyarrow.compute as pc

        counts = lines.group_by("fault", "currency", "later").agg(n=lines.count()).to_pyarrow()
        n_rows = sum(counts["n"].to_pylist())
        counts = counts.filter(pc.invert(counts["later"]))
        possible = counts.filter(pc.equal(counts["fault"], 0))
        bad = lines.filter(lines.fault != 0).select(PLACE)
        places = bad.to_pyarrow() if possible.num_rows < counts.num_rows else bad.schema().to_pyarrow().empty_table()
        late = places.schema.empty_table()
        if "line_id" in columns:
            # Of the lines that are otherwise possible the earliest keeps the id: neither an impossible twin nor one of
            # a later date may push it out, or what came after the as-of date would change what was known on it.
            named = lines.filter(lines.fault == 0, lines.line_id.notnull(), ~lines.later)
            late = repeated(named, ["line_id"], ["date", "source", "line"])
            fault = pa.array([BITS["line_id"]], pa.int32()).take(pa.array([0] * late.num_rows, pa.int64()))
            late = late.set_column(late.schema.get_field_index("fault"), "fault", fault).cast(places.schema)
        every = pa.concat_tables([places, late]).sort_by([("source", "ascending"), ("line", "ascending")])
        currencies = sorted(set(possible["currency"].drop_null().to_pylist()))
        return cls(n_rows, sum(counts["n"].to_pylist()), every, late, tuple(currencies))

    def table(self, rows: Rows, session: Session, currency: str) -> pd.DataFrame:
        """Return the quarantine, with the original values of each line; `currency` is the company's."""
        import pandas as pd

        places = self.places
        early = BITS["early"]
        reasons = {f: "; ".join(REASONS[n] for n, bit in BITS.items() if f & bit & ~early) for f in self._faults()}
        known = rows.raw.faults if rows.raw is not None else None
        told = [reasons[fault] for fault in places["fault"].to_pylist()]
        if known is not None:
            before = known.take(places["row"]).to_pylist()
            told = ["; ".join(filter(None, pair)) for pair in zip(before, told, strict=True)]
        return pd.DataFrame(
            {
                "source": places["source"].to_pandas(),
                "line": places["line"].to_numpy(),
                "reason": told,
                "amount": pd.Series(places["amount"].to_pylist(), dtype=object),
                "currency": [c if currency and c and c != currency else "" for c in places["currency"].to_pylist()],
                "original": rows.originals(session, places) if places.num_rows else [],
            }
        ).astype({"line": "int64", "amount": object, "currency": "str"})

    def _faults(self) -> list[int]:
        return self.places["fault"].unique().to_pylist()


def _with_ragged(table: pd.DataFrame, ragged: Sequence[RaggedRow]) -> pd.DataFrame:
    """Add the rows that do not fit the header."""
    import pandas as pd

    if not ragged:
        return table
    lines = {
        "source": [row.source for row in ragged],
        "line": [row.line for row in ragged],
        "reason": [row.reason for row in ragged],
        "amount": None,
        "currency": "",
        "original": [json.dumps({"fields": row.fields}, ensure_ascii=False) for row in ragged],
    }
    both = pd.concat([t for t in (table, pd.DataFrame(lines)) if len(t)])
    return both.astype({"line": "int64", "amount": object}).sort_values(["source", "line"], ignore_index=True)


def _accepted(lines: ir.Table, found: _Quarantined, mapped: Sequence[str]) -> ir.Table:
    """Return the lines that are left as columns of the ledger."""
    import ibis

    good = lines.filter(lines.fault == 0)
    if found.late.num_rows:
        good = good.anti_join(ibis.memtable(found.late.select(["source", "line"])), ["source", "line"])
    # Lines with an id differ in it, so that only lines without one can be equal.
    equal = repeated(good.filter(good.line_id.isnull(), ~good.later), mapped, ["source", "line"])
    if equal.num_rows:
        flagged = ibis.memtable(equal.select(["source", "line"])).mutate(repeated=True)
        good = good.left_join(flagged, ["source", "line"]).drop("source_right", "line_right")
        good = good.mutate(repeated=good.repeated.fill_null(False))
    else:
        good = good.mutate(repeated=False)
    return good.select([column.name for column in TABLES["ledger"]])


def mostly_impossible(
    quarantine: pd.DataFrame, n_judged: int, limit: float, source: str, date_format: str | None
) -> str:
    """Say that more of a log's lines than a share cannot be used, and what to do; nothing where they are not."""
    if len(quarantine) <= limit * n_judged:
        return ""
    most = quarantine["reason"].value_counts().index[0]
    remedy = DATE_REMEDY if date_format is None and most.startswith("date") else "Mend the file"
    return (
        f"{len(quarantine)} of {n_judged} lines of {source} cannot be used{why(quarantine)}, more than the "
        f"{limit:.0%} up to which a report on the rest can be trusted. {remedy}, or raise max_quarantined_share."
    )


def _one_currency(found: Sequence[str], currency: str, source: str) -> str:
    others = [c for c in found if currency and c != currency]
    if others or len(found) > 1:
        raise DataError(
            f"{source} holds amounts in {first_ids(found)}"
            + (f" where the company's currency is {currency}" if currency else "")
            + ". A run reads one currency; give the rates under [source.rates] (currency, date, rate)."
        )
    return currency or next(iter(found), "")
