"""Rows of a source as lines of the ledger: read as what they should be, with what is wrong with each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamlab import reasons
from kamlab.engines import Session
from kamlab.expressions import date_of, decimal_of, is_number, text_of
from kamlab.sources import RawTable, as_text
from kamlab.terms import EXCLUDED, IDS, LINE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

DECIMAL_COLUMNS = ("quantity", "amount", "cost")
COLUMNS = ("account", "date", "kind", *IDS[1:], *DECIMAL_COLUMNS, "currency")
"""Ledger columns that a source column can be mapped to; account and date are needed, amount for money."""

REASONS = {
    "early": reasons.EARLY,
    "date": reasons.NO_DAY.told,
    "amount": reasons.NO_AMOUNT.told,
    "quantity": reasons.NO_QUANTITY.told,
    "cost": reasons.NO_COST.told,
    "kind": reasons.NO_KIND.told,
    "return": reasons.RETURN_ABOVE.told,
    "account": reasons.SHORTENED.told,
    "line_id": reasons.LINE_ID.told,
}
"""Why a line cannot be used, in the order in which several reasons are told; each is a bit of `fault`."""
LINES = "kamlab_lines"
PLACE = ["source", "line", "row", "amount", "currency", "fault"]
BITS = {name: 1 << place for place, name in enumerate(REASONS)}


@dataclass(frozen=True)
class Formats:
    """How text is to be read; see `read_ledger`."""

    date_format: str | None = None
    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True)
class Rows:
    """A source's rows where an engine can reach them.

    Attributes
    ----------
    table : ibis table
        `source`, `line`, `row` (position in its file from 0), `early` (whether it is known already that the row cannot
        be used), and every mapped column under its ledger name.
    """

    table: ir.Table
    files: tuple[Path, ...] = ()
    raw: RawTable | None = None

    def originals(self, session: Session, places: pa.Table) -> list[str]:
        """Return the original values at the given places (source, line, row), each row as a JSON object."""
        import ibis

        if self.raw is not None:
            rows = self.raw.rows.select(self.raw.columns).take(places["row"])
        else:
            scan = session.scan_files(self.files)
            wanted = ibis.memtable(places.select(["source", "row"]).rename_columns(["wanted_source", "wanted_row"]))
            here = [scan.source_file == wanted.wanted_source, scan.source_row == wanted.wanted_row]
            found = scan.semi_join(wanted, here).order_by(["source_file", "source_row"]).to_pyarrow()
            rows = as_text(found.drop(["source_file", "source_row"]), "").rows
        return [json.dumps(row, ensure_ascii=False) for row in rows.to_pylist()]


def rows_in_memory(raw: RawTable, columns: Mapping[str, str]) -> Rows:
    """Give an engine the rows of a table in memory."""
    import ibis
    import pyarrow as pa

    n = raw.rows.num_rows
    here = {
        "source": pa.repeat(pa.scalar(raw.source), n) if raw.files is None else raw.files,
        "line": raw.lines,
        "row": pa.array(range(n), pa.int64()),
        "early": pa.repeat(pa.scalar(False), n) if raw.faults is None else raw.faults.is_valid(),
    }
    mapped = {name: raw.rows[column] for name, column in columns.items()}
    return Rows(ibis.memtable(pa.table(here | mapped)), raw=raw)


def rows_in_files(files: Sequence[Path], columns: Mapping[str, str], session: Session) -> Rows:
    """Give an engine Parquet files that it scans itself; their line is the number of the row, from 1."""
    import ibis

    scan = session.scan_files(files)
    mapped = {name: scan[column] for name, column in columns.items()}
    here = {"source": scan.source_file, "line": scan.source_row + 1, "row": scan.source_row}
    here["early"] = ibis.literal(False)
    return Rows(_with_whole_ids(scan.select(**here, **mapped)), files=tuple(files))


def _with_whole_ids(table: ir.Table) -> ir.Table:
    """Write ids that met a missing value on their way, and so became floats, without a point: 17850.0 is 17850."""
    floats = [n for n in (*IDS, "date") if n in table.columns and table[n].type().is_floating()]
    if not floats:
        return table
    whole = {n: ((table[n] == table[n].floor()) & (table[n].abs() < 2.0**53)).all() for n in floats}
    (found,) = table.agg(**whole).to_pyarrow().to_pylist()
    return table.mutate(**{n: table[n].cast("int64") for n in floats if found[n]})


def open_lines(
    rows: Rows, columns: Mapping[str, str], formats: Formats, session: Session, as_of: date | None = None
) -> ir.Table:
    """Read each mapped column as what it should be.

    Returns
    -------
    ibis table
        source, line, row, the columns of `COLUMNS` (missing where unmapped or unreadable), later (whether the line is
        dated after `as_of`) and fault: the sum of the `BITS` of what is wrong with the line, 0 if it can be used. Of a
        later line nothing is known, so that nothing is wrong with it.
    """
    session.connection.create_view("kamlab_rows", rows.table, overwrite=True)
    shape = tuple(rows.table.schema().items())
    for name, query in _queries(session.dialect, shape, tuple(columns), formats, as_of):
        # Text is read once. Files are typed and read again for each question, in which they cost less than a copy.
        kept = name == LINES and rows.raw is not None and session.spark is None
        session.connection.raw_sql(f"CREATE OR REPLACE TEMPORARY {'TABLE' if kept else 'VIEW'} {name} AS {query}")
    return session.connection.table(LINES)


@cache
def _queries(
    dialect: str,
    shape: tuple[tuple[str, Any], ...],
    mapped: tuple[str, ...],
    formats: Formats,
    as_of: date | None,
) -> list[tuple[str, str]]:
    """Write the views that lead from rows to lines.

    One view after the other, because a value that is used twice would be written out twice within one; and written
    once for each shape of log, because that takes longer than reading a small one.
    """
    import ibis

    stages = {
        "kamlab_words": lambda t: _words(t, mapped),
        "kamlab_values": lambda t: _values(t, mapped, formats),
        LINES: lambda t: _judged(t, mapped, as_of),
    }
    table, written = ibis.table(dict(shape), name="kamlab_rows"), []
    for name, stage in stages.items():
        expression = stage(table)
        written.append((name, ibis.to_sql(expression, dialect=dialect)))
        table = ibis.table(expression.schema(), name=name)
    return written


def _words(t: ir.Table, mapped: Sequence[str]) -> ir.Table:
    """Strip whatever is text, and write as text whatever is to be."""
    kept = {
        "date": t.date if t.date.type().is_temporal() else text_of(t.date),
        **{n: text_of(t[n]) for n in (*IDS, "kind", "currency") if n in mapped},
        **{n: t[n] if is_number(t[n].type()) else text_of(t[n]) for n in DECIMAL_COLUMNS if n in mapped},
    }
    return t.select("source", "line", "row", "early", **kept)


def _values(t: ir.Table, mapped: Sequence[str], formats: Formats) -> ir.Table:
    """Read dates, numbers and kinds."""
    import ibis

    known = {"date": date_of(t.date, formats.date_format)}
    for name in (*IDS, "kind", "currency"):
        known[name] = t[name] if name in mapped else ibis.null("string")
    for name in DECIMAL_COLUMNS:
        if name in mapped:
            known[name] = decimal_of(t[name], decimal=formats.decimal, thousands=formats.thousands)
        else:
            known[name] = ibis.null("decimal(38,4)")
    given = {f"{n}_given": t[n].notnull() for n in ("quantity", "cost") if n in mapped}
    return t.select("source", "line", "row", "early", **known | {"kind": known["kind"].lower()}, **given)


def _judged(t: ir.Table, mapped: Sequence[str], as_of: date | None) -> ir.Table:
    """Say what is wrong with each line, and what kind of line it is where the source does not.

    Of lines that are left out only what was known before counts: totals between the lines have no day.
    """
    import ibis

    later = ibis.literal(False) if as_of is None else (t.date > ibis.literal(as_of)).fill_null(False)
    out = (t.kind == EXCLUDED).fill_null(False)
    early = t.early.ifelse(ibis.literal(BITS["early"], "int32"), ibis.literal(0, "int32"))
    fault = out.ifelse(early, _fault(t, mapped)) if "kind" in mapped else _fault(t, mapped)
    return t.select(
        *("source", "line", "row", *(n for n in COLUMNS if n != "kind")),
        kind=_kind(t, mapped),
        later=later,
        fault=fault if as_of is None else later.ifelse(ibis.literal(0, "int32"), fault),
    )


def _fault(lines: ir.Table, mapped: Sequence[str]) -> ir.IntegerColumn:
    import ibis

    # Whoever is told apart by the digits that a spreadsheet cut off would become one customer.
    shortened = lines.account.re_search(r"^[0-9]([.,][0-9]+)?E[+][0-9]{2}$")
    wrong = {"early": lines.early, "date": lines.date.isnull(), "account": shortened}
    if "amount" in mapped:
        wrong["amount"] = lines.amount.isnull()
    for name in ("quantity", "cost"):
        if name in mapped:
            wrong[name] = lines[f"{name}_given"] & lines[name].isnull()
    if "kind" in mapped:
        wrong["kind"] = lines.kind.notnull() & ~lines.kind.isin((*LINE_KINDS, EXCLUDED))
        if "amount" in mapped:
            wrong["return"] = (lines.kind == "return") & (lines.amount > 0)
    fault = ibis.literal(0)
    for name, condition in wrong.items():
        fault = fault + condition.fill_null(False).ifelse(BITS[name], 0)
    return fault.cast("int32")


def _kind(lines: ir.Table, mapped: Sequence[str]) -> ir.StringColumn:
    """Return the kind that the source names, else what the sign of the amount tells."""
    import ibis

    by_sign = (lines.amount < 0).ifelse("return", "sale") if "amount" in mapped else ibis.literal("sale")
    return ibis.coalesce(lines.kind, by_sign)


def repeated(lines: ir.Table, names: Sequence[str], order: Sequence[str]) -> pa.Table:
    """Return the lines that equal another one in the named columns, but for the first of each in that order.

    Returns
    -------
    pyarrow.Table
        Columns of `PLACE`.
    """
    import ibis

    # Few lines are equal: hashes, which are small, find where to look; whole values decide there.
    marked = lines.mutate(mark=ibis.struct({name: lines[name] for name in names}).hash())
    marks = marked.group_by("mark").agg(n=marked.count())
    twice = marks.filter(marks.n > 1).select("mark").to_pyarrow()
    if not twice.num_rows:
        return marked.limit(0).select(PLACE).schema().to_pyarrow().empty_table()
    candidates = marked.semi_join(ibis.memtable(twice), "mark")
    place = ibis.row_number().over(ibis.window(group_by=list(names), order_by=list(order)))
    ranked = candidates.mutate(place=place)
    return ranked.filter(ranked.place > 0).select(PLACE).to_pyarrow()
