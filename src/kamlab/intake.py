"""The configured sources into what the ledger takes: tables joined, lines told apart, one currency, net amounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab.config import Config, File, Table, Transactions
from kamlab.errors import ConfigError, DataError, did_you_mean, first_ids
from kamlab.parsing import EXACT, parse_decimal
from kamlab.sources import RawTable, Reading, canonical, read_table
from kamlab.sources.formats import DERIVED
from kamlab.sources.joins import join
from kamlab.terms import EXCLUDED

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MONEY = ("amount", "cost")
NUMBERS = (*MONEY, "quantity", "tax")
NEEDED = ("account", "date")
BY_SIGN = "sign"
EVERYTHING_ELSE = "*"
_PRODUCT = re.compile(r"\s*\*\s*")
_CONSTANT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def read(table: Table, base: Path, content: str) -> RawTable:
    """Read a configured table and what is joined to it.

    Raises
    ------
    DataError
        If a file cannot be read, or tables do not fit together.
    """
    raw = _file(table, base, content)
    for other in table.joins:
        right = _file(other, base, f"table that is joined to the {content}")
        gives = {
            key for key, name in table.columns.items() if name in right.columns and name not in raw.rows.column_names
        }
        raw = join(raw, right, other.keys, needed=bool(gives & set(NEEDED)))
    return raw


def _file(file: File, base: Path, content: str) -> RawTable:
    return read_table(
        file.path,
        base=base,
        delimiter=file.delimiter,
        header=file.header,
        encoding=file.encoding,
        sheet=file.sheet,
        table=file.table,
        query=file.query,
        content=content,
    )


def is_plain(table: Transactions) -> bool:
    """Whether the log is as the ledger takes it, so that an engine can scan its Parquet files itself."""
    settled = table.joins or table.kinds or table.where or table.exclude or table.tax_rate is not None
    return not (settled or "tax" in table.columns or any("*" in name for name in table.columns.values()))


def transactions(config: Config) -> tuple[RawTable, dict[str, str]]:
    """Read the transaction log and settle what its lines mean.

    Returns
    -------
    raw : RawTable
        With derived columns: plain numbers and dates; amounts net of tax and in the company's currency; the line's
        kind, "excluded" for lines that the configuration leaves out.
    columns : dict of str to str
        Ledger column → column of `raw`.

    Raises
    ------
    ConfigError
        If settings contradict each other.
    DataError
        If the sources cannot be read, or do not hold what the settings name.
    """
    table = config.source.transactions
    raw = read(table, config.base, "transaction log")
    columns = dated_columns(table)
    _check_settings(raw, table)
    factors = _factors(raw, columns)
    if _is_wrong(raw, columns, factors):
        # The ledger names every fault of the mapping in one message; formats of wrong columns say nothing.
        return raw, {key: name for key, name in columns.items() if key != "tax" and key not in factors}
    every = columns | {name: name for names in factors.values() for name in names if not _CONSTANT.fullmatch(name)}
    mapped = {key: name for key, name in every.items() if name in raw.rows.column_names}
    numbers = [key for key in mapped if key in NUMBERS or key not in columns]
    formats = {"date_format": table.date_format, "decimal": table.decimal, "thousands": table.thousands}
    raw, plain = canonical(raw, mapped, numbers=numbers, dates=["date"], **formats)
    for key, names in factors.items():
        parts = [plain.get(name, name) for name in names]
        raw = _derive(raw, key, _product(raw, parts))
        plain[key] = DERIVED + key
    columns = {key: plain.get(key, name) for key, name in columns.items()}
    raw, columns = _net(raw, columns, table.tax_rate)
    if config.source.rates is not None:
        raw, columns = _one_currency(raw, columns, config)
    return _with_kinds(raw, columns, table)


def dated_columns(table: Transactions) -> dict[str, str]:
    """Return the mapping with the date that the configuration chooses."""
    columns = dict(table.columns)
    dates = {basis: columns.pop(f"{basis}_date", None) for basis in ("order", "delivery", "invoice")}
    if "date" not in columns and dates[table.date_basis]:
        columns["date"] = dates[table.date_basis] or ""
    return columns


def settled(table: Transactions) -> tuple[tuple[str, str], ...]:
    """Say which day of a line counts, and which tax is taken out of its amount, where the configuration chooses."""
    said = []
    basis = f"{table.date_basis}_date"
    if "date" not in table.columns and basis in table.columns:
        said.append(("dated_by", f"{basis} = {table.columns[basis]}"))
    if table.tax_rate is not None:
        said.append(("tax", f"{table.tax_rate:.2%}"))
    elif "tax" in table.columns:
        said.append(("tax", table.columns["tax"]))
    return tuple(said)


def _check_settings(raw: RawTable, table: Transactions) -> None:
    """Refuse settings on columns or values that the source does not have."""
    have = raw.rows.column_names
    if table.kinds and "kind" not in table.columns:
        raise ConfigError('kinds says what the values of a column mean; name that column: columns = { kind = "…" }.')
    faults = []
    for setting, chosen in (("where", table.where), ("exclude", table.exclude)):
        for name, values in chosen.items():
            if name not in have:
                faults.append(f'{setting} names the column "{name}", which is not there.{did_you_mean(name, have)}')
                continue
            found = raw.rows[name].unique().drop_null().to_pylist()
            for value in values:
                if not any(_fits(text, value) for text in found):
                    near = did_you_mean(value, found)
                    faults += [f'{setting} names "{value}", which "{name}" never holds.{near}'] if near else []
    if faults:
        raise DataError(f"{raw.source}: {' '.join(faults)}")


def _is_wrong(raw: RawTable, columns: Mapping[str, str], factors: Mapping[str, list[str]]) -> bool:
    """Whether a needed column is not mapped, or a mapped one is not there."""
    there = all(name in raw.rows.column_names for key, name in columns.items() if key not in factors)
    return not there or any(key not in columns for key in NEEDED)


def _fits(text: str | None, pattern: str) -> bool:
    """Whether a value is the one named; * and ? stand for any letters."""
    return fnmatchcase((text or "").strip().casefold(), pattern.strip().casefold())


def _factors(raw: RawTable, columns: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the factors of columns that are written as a product: amount = "quantity * price"."""
    found = {}
    for key in NUMBERS:
        name = columns.get(key, "")
        if "*" in name and name not in raw.rows.column_names:
            names = _PRODUCT.split(name.strip())
            unknown = [n for n in names if n not in raw.rows.column_names and not _CONSTANT.fullmatch(n)]
            if unknown:
                near = did_you_mean(unknown[0], raw.columns)
                raise DataError(
                    f'{raw.source}: {key} = "{name}" names {first_ids(unknown)}, which is neither a column nor a '
                    f"number.{near} Its columns are: {first_ids(raw.columns, limit=30)}."
                )
            found[key] = names
    return found


def _derive(raw: RawTable, key: str, column: pa.Array) -> RawTable:
    name = DERIVED + key
    rows = raw.rows
    if name in rows.column_names:
        rows = rows.drop_columns([name])
    return replace(raw, rows=rows.append_column(name, column), derived=raw.derived | {name})


def _decimals(raw: RawTable, name: str) -> pd.Series:
    """Return a column of plain numbers as Decimals; None where there is none."""
    import pandas as pd

    if _CONSTANT.fullmatch(name) and name not in raw.rows.column_names:
        return pd.Series([Decimal(name)] * raw.rows.num_rows, dtype=object)
    return parse_decimal(raw.rows[name].to_pandas().astype("str").where(lambda s: s.notna(), None).astype(object))


def _written(values: list[Decimal | None]) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if v is None else f"{v:f}" for v in values], pa.string())


def _product(raw: RawTable, names: list[str]) -> pa.Array:
    """Multiply columns line by line; "?" where a factor is no number, missing where all are."""
    factors = [_decimals(raw, name).tolist() for name in names]
    values: list[Decimal | None] = []
    for row in zip(*factors, strict=True):
        value: Decimal | None = Decimal(1)
        for factor in row:
            value = None if value is None or factor is None else EXACT.multiply(value, factor)
        values.append(value)
    return _written(values)


def _net(raw: RawTable, columns: dict[str, str], tax_rate: float | None) -> tuple[RawTable, dict[str, str]]:
    """Take the tax out of the amounts, where a column or a rate says how much it is."""
    tax = columns.pop("tax", None)
    if "amount" not in columns or (tax is None and tax_rate is None):
        return raw, columns
    gross = _decimals(raw, columns["amount"]).tolist()
    if tax is not None:
        taxes = _decimals(raw, tax).tolist()
        pairs = zip(gross, taxes, strict=True)
        net = [None if g is None else EXACT.subtract(g, t or Decimal(0)) for g, t in pairs]
    else:
        share = 1 + Decimal(str(tax_rate))
        net = [None if g is None else _cents(EXACT.divide(g, share)) for g in gross]
    return _derive(raw, "amount", _written(net)), columns | {"amount": DERIVED + "amount"}


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.0001"), context=EXACT)


def _one_currency(raw: RawTable, columns: dict[str, str], config: Config) -> tuple[RawTable, dict[str, str]]:
    """Convert amounts and costs into the company's currency by the rate of the line's day, or the last one before."""
    import pandas as pd
    import pyarrow as pa

    ours, name = config.company.currency, columns.pop("currency", None)
    if not ours or name is None:
        raise ConfigError(
            "Rates are given, so the company's currency is needed (company.currency), and the column that holds each "
            'line\'s currency: columns = { currency = "…" }.'
        )
    rates = _rates(config)
    lines = pd.DataFrame(
        {
            "currency": raw.rows[name].to_pandas().astype("str").str.strip().str.upper(),
            "date": pd.to_datetime(raw.rows[columns["date"]].to_pandas(), errors="coerce").astype("datetime64[s]"),
        }
    )
    foreign = lines["currency"].notna() & (lines["currency"] != "") & (lines["currency"] != ours.upper())
    dated = lines[foreign & lines["date"].notna()].reset_index().sort_values(["date", "index"])
    matched = pd.merge_asof(dated, rates, on="date", by="currency").set_index("index")["rate"]
    rate = pd.Series([Decimal(1)] * len(lines), dtype=object)
    rate[foreign] = None
    rate.loc[matched.index] = matched.where(matched.notna(), None)
    for key in MONEY:
        if key in columns:
            values = zip(_decimals(raw, columns[key]), rate, strict=True)
            # Without a rate the line is quarantined, with its amount as it stands.
            converted = [None if v is None else _cents(EXACT.multiply(v, r or Decimal(1))) for v, r in values]
            raw = _derive(raw, key, _written(converted))
            columns[key] = DERIVED + key
    lacking = (foreign & lines["date"].notna() & rate.isna()).tolist()
    if any(lacking):
        reasons = [
            f"no rate for {c} on or before its date" if lacks else None
            for lacks, c in zip(lacking, lines["currency"], strict=True)
        ]
        earlier = [None] * len(reasons) if raw.faults is None else raw.faults.to_pylist()
        raw = replace(raw, faults=pa.array([e or r for e, r in zip(earlier, reasons, strict=True)], pa.string()))
    counts = lines.loc[foreign, "currency"].value_counts()
    if len(counts):
        said = ", ".join(f"{n} × {c}" for c, n in counts.items())
        raw = replace(raw, readings=(*raw.readings, Reading(raw.source, (("converted", f"{said} → {ours}"),))))
    return raw, columns


def _rates(config: Config) -> pd.DataFrame:
    """Return currency, date, rate (units of the company's currency for one), ordered by date."""
    import pandas as pd

    table = config.source.rates
    assert table is not None
    raw = read(table, config.base, "exchange rates")
    wanted = ("currency", "date", "rate")
    missing = [key for key in wanted if table.columns.get(key) not in raw.rows.column_names]
    if missing:
        raise DataError(
            f"{raw.source} cannot be read as exchange rates: name the columns of {', '.join(missing)} under columns = "
            f"{{ currency = …, date = …, rate = … }}. Its columns are: {first_ids(raw.columns, limit=30)}."
        )
    formats = {"date_format": table.date_format, "decimal": table.decimal, "thousands": table.thousands}
    raw, columns = canonical(raw, table.columns, numbers=["rate"], dates=["date"], **formats)
    # A rate has more digits than money: it is not rounded to four.
    texts = raw.rows[columns["rate"]].to_pylist()
    rate = [Decimal(t) if t and t != "?" and Decimal(t) > 0 else None for t in texts]
    frame = pd.DataFrame(
        {
            "currency": raw.rows[columns["currency"]].to_pandas().astype("str").str.strip().str.upper(),
            "date": pd.to_datetime(raw.rows[columns["date"]].to_pandas()).astype("datetime64[s]"),
            "rate": pd.Series(rate, dtype=object),
        }
    )
    bad = frame.isna().any(axis=1) | frame.duplicated(["currency", "date"], keep=False)
    if bad.any():
        where = first_ids(pd.Series(raw.lines.to_numpy())[bad.to_numpy()])
        raise DataError(
            f"{raw.source}: {int(bad.sum())} rate(s) are no number above 0, have no date or currency, or stand there "
            f"twice for one day (lines {where}). Mend these lines."
        )
    return frame.sort_values("date", kind="stable")


def _with_kinds(raw: RawTable, columns: dict[str, str], table: Transactions) -> tuple[RawTable, dict[str, str]]:
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
    return _derive(raw, "kind", kind), columns | {"kind": DERIVED + "kind"}


def _inside(values: list[str]) -> Callable[[str | None], str | None]:
    return lambda text: EXCLUDED if any(_fits(text, value) for value in values) else None


def _outside(values: list[str]) -> Callable[[str | None], str | None]:
    return lambda text: None if any(_fits(text, value) for value in values) else EXCLUDED


def _kind(text: str | None, kinds: Mapping[str, str]) -> str | None:
    """Return the kind that a value means; the value itself where nothing is said of it."""
    if not text or not text.strip():
        return None
    for pattern in sorted(kinds, key=lambda p: ("*" in p or "?" in p, p == EVERYTHING_ELSE)):
        if _fits(text, pattern):
            return None if kinds[pattern] == BY_SIGN else kinds[pattern]
    return text


def _mapped(column: pa.ChunkedArray, of: Callable[[str | None], str | None]) -> pa.Array:
    """Apply a function to each different value of a column."""
    import pyarrow as pa

    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    words = pa.array([of(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)
