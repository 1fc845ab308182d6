"""Rows of text into the canonical ledger and the quarantine: read = accepted + quarantined, in rows and money."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from kamlab.errors import ConfigError, DataError, did_you_mean, first_ids
from kamlab.parsing import DATE_REMEDY, EXACT, parse_date, parse_decimal, parse_text
from kamlab.sources import RawTable, canonical, from_frame, read_table
from kamlab.terms import EXCLUDED, LINE_KINDS, REVENUE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

TEXT_COLUMNS = ("account", "order_id", "line_id", "product", "product_line")
DECIMAL_COLUMNS = ("quantity", "amount", "cost")
COLUMNS = ("account", "date", "kind", *TEXT_COLUMNS[1:], *DECIMAL_COLUMNS, "currency")
"""Ledger columns that a source column can be mapped to; account and date are needed, amount for money."""

PurchaseRule = Literal["positive", "nonnegative"]
_METADATA = b"kamlab"
_MONEY = "decimal(38,4)"


@dataclass(frozen=True)
class Ledger:
    """Accepted lines, quarantined lines, and how they add up.

    Attributes
    ----------
    lines : pyarrow.Table
        Columns of `terms.TABLES["ledger"]`, ordered by source and line.
    quarantine : pandas.DataFrame
        Columns of `terms.TABLES["quarantine"]`.
    mapped : tuple of str
        Ledger columns that the source has.
    purchase : {"positive", "nonnegative"}
        Whether a day that nets exactly 0 is a purchase ("nonnegative": the log's rows are purchases by definition).
    """

    lines: pa.Table
    quarantine: pd.DataFrame
    mapped: tuple[str, ...]
    purchase: PurchaseRule = "positive"
    currency: str = ""
    _cache: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def has_money(self) -> bool:
        """Whether the source has amounts."""
        return "amount" in self.mapped

    @property
    def has_cost(self) -> bool:
        """Whether the source has costs."""
        return "cost" in self.mapped

    @property
    def table(self) -> ir.Table:
        """The accepted lines as an Ibis expression on an embedded DuckDB."""
        if "table" not in self._cache:
            import ibis

            connection = ibis.duckdb.connect()
            self._cache["table"] = connection.create_table("ledger", self.lines)
        return self._cache["table"]

    @property
    def first_date(self) -> date:
        """First day with an accepted line; DataError if there is none."""
        return self._extremes()[0]

    @property
    def last_date(self) -> date:
        """Last day with an accepted line; DataError if there is none."""
        return self._extremes()[1]

    def _extremes(self) -> tuple[date, date]:
        import pyarrow.compute as pc

        if not self.lines.num_rows:
            raise DataError(
                f"The log has no line that can be used{_why(self.quarantine)}. Check the columns and the date_format "
                "that it is read with."
            )
        extremes = pc.min_max(self.lines["date"]).as_py()
        return extremes["min"], extremes["max"]

    def accounts_until(self, as_of: date | None = None) -> list[str]:
        """Return the accounts with a line up to the as-of date, in order: later ones are not known yet."""
        import ibis

        t = self.table.filter(self.table.account.notnull())
        t = t if as_of is None else t.filter(t.date <= ibis.literal(as_of))
        return sorted(t.select("account").distinct().to_pyarrow()["account"].to_pylist())

    def reconciliation(self, as_of: date | None = None) -> pd.DataFrame:
        """Count rows and money of what was read and where it went.

        `read` = `accepted` + `quarantined`; `accepted` = `attributed` + `unattributed` + `not_revenue` + `excluded` +
        `after_as_of`.

        Returns
        -------
        pandas.DataFrame
            Columns part, rows, money (Decimal; currency), one row a part.
        """
        import ibis
        import pandas as pd

        t = self.table
        later = ibis.literal(False) if as_of is None else t.date > ibis.literal(as_of)
        revenue = t.kind.isin(REVENUE_KINDS)
        part = ibis.cases(
            (later, "after_as_of"),
            (t.kind == EXCLUDED, "excluded"),
            (~revenue, "not_revenue"),
            (t.account.isnull(), "unattributed"),
            else_="attributed",
        )
        sums = (
            t.group_by(part=part).agg(rows=t.count(), money=t.amount.sum()).to_pyarrow().to_pandas().set_index("part")
        )
        quarantined = self.quarantine["amount"].dropna()
        rows = {name: int(sums["rows"].get(name, 0)) for name in _ACCEPTED_PARTS}
        money = {name: _decimal(sums["money"].get(name)) for name in _ACCEPTED_PARTS}
        rows["accepted"], rows["quarantined"] = sum(rows.values()), len(self.quarantine)
        rows["read"] = rows["accepted"] + rows["quarantined"]
        with localcontext(EXACT):
            money["accepted"], money["quarantined"] = sum(money.values(), Decimal(0)), sum(quarantined, Decimal(0))
            money["read"] = money["accepted"] + money["quarantined"]
        order = ("read", "quarantined", "accepted", *_ACCEPTED_PARTS)
        return pd.DataFrame({"part": order, "rows": [rows[p] for p in order], "money": [money[p] for p in order]})

    def write_parquet(self, path: Path) -> None:
        """Write the accepted lines, with what `from_parquet` needs to open them again."""
        import pyarrow.parquet as pq

        facts = {"mapped": self.mapped, "purchase": self.purchase, "currency": self.currency}
        pq.write_table(self.lines.replace_schema_metadata({_METADATA: json.dumps(facts)}), path, compression="zstd")

    @classmethod
    def from_parquet(cls, path: Path, quarantine: pd.DataFrame) -> Ledger:
        """Open a ledger that `write_parquet` wrote."""
        import pyarrow.parquet as pq

        lines = pq.read_table(path)
        facts = json.loads(lines.schema.metadata[_METADATA])
        return cls(lines, quarantine, tuple(facts["mapped"]), facts["purchase"], facts["currency"])


_ACCEPTED_PARTS = ("attributed", "unattributed", "not_revenue", "excluded", "after_as_of")


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
) -> Ledger:
    """Read a transaction log into the canonical ledger.

    Parameters
    ----------
    source : path, RawTable, or pandas, Arrow, Polars or Ibis table
        A path as `sources.read_table` takes it.
    columns : mapping of str to str
        Ledger column → source column. `account` and `date` are needed; see `COLUMNS` for the others.
    date_format : str, optional
        Order of the date's parts, such as "%d/%m/%Y" (%Y, %y, %m, %d); found if not given.
    delimiter, header, encoding
        See `sources.read_table`.
    decimal, thousands : str, optional
        The decimal mark, and the signs that part thousands; found if not given.
    purchase : {"positive", "nonnegative"}
        "nonnegative" where every row is a purchase by definition, free ones included.
    currency : str
        Currency of the amounts; a mapped currency column must agree with it.
    max_quarantined_share : float
        Above this share of quarantined rows the log is refused, because a report on the rest would mislead.

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
    if isinstance(source, (str, Path)):
        raw = read_table(source, delimiter=delimiter, header=header, encoding=encoding, content="transaction log")
    else:
        raw = source if isinstance(source, RawTable) else from_frame(source)
    check_columns(raw.rows.column_names, columns, raw.source)
    formats = {"date_format": date_format, "decimal": decimal, "thousands": thousands}
    raw, columns = canonical(raw, columns, numbers=DECIMAL_COLUMNS, dates=("date",), **formats)
    parsed = _parse(raw, columns)
    reasons = _reasons(parsed, columns)
    good = parsed[reasons == ""]
    quarantine = _quarantine(raw, parsed, reasons, "amount" in columns)
    n_read = raw.rows.num_rows + len(raw.ragged)
    _refuse_mostly_impossible(quarantine, n_read, max_quarantined_share, raw.source, date_format)
    currency = _one_currency(good, currency, raw.source)
    return Ledger(_lines(good, columns), quarantine, tuple(c for c in COLUMNS if c in columns), purchase, currency)


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


def _parse(raw: RawTable, columns: Mapping[str, str]) -> pd.DataFrame:
    """Read the mapped columns as what they should be; what cannot be read is missing."""
    import pandas as pd

    frame = raw.rows.select(sorted({*columns.values()})).to_pandas()
    files = raw.source if raw.files is None else raw.files.to_pandas()
    parsed = pd.DataFrame({"source": files, "line": raw.lines.to_numpy()}, index=frame.index)
    parsed["fault"] = "" if raw.faults is None else raw.faults.to_pandas().fillna("")
    parsed["date"] = parse_date(frame[columns["date"]])
    for name in (*TEXT_COLUMNS, "kind", "currency"):
        parsed[name] = parse_text(frame[columns[name]]) if name in columns else None
    for name in DECIMAL_COLUMNS:
        parsed[name] = parse_decimal(frame[columns[name]]) if name in columns else None
    for name in ("quantity", "cost"):
        if name in columns:
            parsed[f"{name}_given"] = parse_text(frame[columns[name]]).notna()
    return parsed


def _reasons(parsed: pd.DataFrame, columns: Mapping[str, str]) -> pd.Series:
    """Why each line is impossible; an empty string if it is not."""
    reasons = parsed["fault"].astype(object)

    def add(mask: pd.Series, reason: str) -> None:
        reasons[mask] = reasons[mask].where(reasons[mask] == "", reasons[mask] + "; ") + reason

    add(parsed["date"].isna(), "date is missing or impossible")
    if "amount" in columns:
        add(parsed["amount"].isna(), "amount is missing or not a number")
    for name in ("quantity", "cost"):
        if name in columns:
            add(parsed[f"{name}_given"] & parsed[name].isna(), f"{name} is not a number")
    if "kind" in columns:
        parsed["kind"] = parsed["kind"].str.lower()
        add(
            parsed["kind"].notna() & ~parsed["kind"].isin((*LINE_KINDS, EXCLUDED)),
            "kind is none of " + ", ".join(LINE_KINDS),
        )
        if "amount" in columns:
            positive = parsed["amount"].map(lambda amount: amount is not None and amount > 0)
            add((parsed["kind"] == "return") & positive, "a return above 0")
    if "line_id" in columns:
        # Of the lines that are otherwise possible the earliest keeps the id: neither an impossible twin nor one of a
        # later date may push it out, or what came after the as-of date would change what was known on it.
        candidates = parsed[(reasons == "") & parsed["line_id"].notna()].sort_values(["date", "source", "line"])
        repeated = candidates.index[candidates["line_id"].duplicated()]
        add(parsed.index.isin(repeated), "line id is repeated")
    return reasons


def _quarantine(raw: RawTable, parsed: pd.DataFrame, reasons: pd.Series, has_money: bool) -> pd.DataFrame:
    import pandas as pd

    bad = reasons.index[reasons != ""]
    originals = raw.rows.select(raw.columns).take(bad.to_numpy()).to_pylist()
    table = pd.DataFrame(
        {
            "source": parsed.loc[bad, "source"].to_numpy(),
            "line": parsed.loc[bad, "line"].to_numpy(),
            "reason": reasons[bad].to_numpy(),
            "amount": parsed.loc[bad, "amount"].to_numpy() if has_money else None,
            "original": [json.dumps(row, ensure_ascii=False) for row in originals],
        }
    )
    ragged = pd.DataFrame(
        {
            "source": [row.source for row in raw.ragged],
            "line": [row.line for row in raw.ragged],
            "reason": [f"{len(row.fields)} fields where the header has {row.expected}" for row in raw.ragged],
            "amount": None,
            "original": [json.dumps({"fields": row.fields}, ensure_ascii=False) for row in raw.ragged],
        }
    )
    both = pd.concat([t for t in (table, ragged) if len(t)] or [table])
    return both.astype({"line": "int64", "amount": object}).sort_values(["source", "line"], ignore_index=True)


def _lines(good: pd.DataFrame, columns: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    good = good.copy()
    if "amount" in columns:
        by_sign = good["amount"].map(lambda a: "return" if a < 0 else "sale")
        good["kind"] = good["kind"].where(good["kind"].notna(), by_sign)
    else:
        good["kind"] = good["kind"].where(good["kind"].notna(), "sale")
    # Lines with an id differ in it, so that only lines without one can be equal.
    good["repeated"] = good.duplicated(subset=[name for name in COLUMNS if name in columns])
    good = good.sort_values(["source", "line"])
    money = pa.decimal128(38, 4)
    schema = pa.schema(
        [
            ("account", pa.string()),
            ("date", pa.date32()),
            ("kind", pa.string()),
            *((name, pa.string()) for name in TEXT_COLUMNS[1:]),
            *((name, money) for name in DECIMAL_COLUMNS),
            ("source", pa.string()),
            ("line", pa.int64()),
            ("repeated", pa.bool_()),
        ]
    )
    return pa.table({f.name: pa.array(good[f.name], f.type, from_pandas=True) for f in schema}, schema=schema)


def _refuse_mostly_impossible(
    quarantine: pd.DataFrame, n_read: int, limit: float, source: str, date_format: str | None
) -> None:
    if len(quarantine) <= limit * n_read:
        return
    most = quarantine["reason"].value_counts().index[0]
    remedy = DATE_REMEDY if date_format is None and most.startswith("date") else "Mend the file"
    raise DataError(
        f"{len(quarantine)} of {n_read} lines of {source} cannot be used{_why(quarantine)}, more than the "
        f"{limit:.0%} up to which a report on the rest can be trusted. {remedy}, or raise max_quarantined_share."
    )


def _why(quarantine: pd.DataFrame) -> str:
    """Return the most frequent reasons and the first lines, in brackets; nothing if there are none."""
    if quarantine.empty:
        return ""
    reasons = "; ".join(f"{n} × {reason}" for reason, n in quarantine["reason"].value_counts().head(5).items())
    return f" ({reasons}; lines {first_ids(quarantine['line'])})"


def _one_currency(good: pd.DataFrame, currency: str, source: str) -> str:
    found: Iterable[str] = sorted(good["currency"].dropna().unique())
    others = [c for c in found if currency and c != currency]
    if others or len(list(found)) > 1:
        raise DataError(
            f"{source} holds amounts in {first_ids(found)}"
            + (f" where the company's currency is {currency}" if currency else "")
            + ". A run reads one currency; give the rates under [source.rates] (currency, date, rate)."
        )
    return currency or next(iter(found), "")


def _decimal(value: Any) -> Decimal:
    return Decimal(0) if value is None or value != value else Decimal(value)
