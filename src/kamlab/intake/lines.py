"""The configured sources into what the ledger takes: tables joined, lines told apart, one currency, net amounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from kamlab import configured
from kamlab.config import Config, Transactions
from kamlab.configured import NEEDED
from kamlab.errors import ConfigError, DataError, did_you_mean
from kamlab.intake.amounts import NUMBERS, derive, factors, is_constant, net, product
from kamlab.intake.currencies import one_currency
from kamlab.intake.kinds import fits, with_kinds
from kamlab.sources import RawTable, canonical
from kamlab.sources.formats import DERIVED
from kamlab.terms import IDS


def is_plain(table: Transactions) -> bool:
    """Whether the log is as the ledger takes it, so that an engine can scan its Parquet files itself."""
    settled = table.joins or table.kinds or table.where or table.exclude or table.tax_rate is not None
    return not (settled or "tax" in table.columns or any("*" in name for name in table.columns.values()))


def transactions(config: Config, *, as_of: date | None = None) -> tuple[RawTable, dict[str, str]]:
    """Read the transaction log and settle what its lines mean.

    Parameters
    ----------
    config : Config
    as_of : date, optional
        Last day of which something is known: later rates convert nothing.

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
    raw = configured.read(table, config.base, "transaction log")
    columns = dated_columns(table)
    _check_settings(raw, table)
    parts = factors(raw, columns)
    if _is_wrong(raw, columns, parts):
        # The ledger names every fault of the mapping in one message; formats of wrong columns say nothing.
        return raw, {key: name for key, name in columns.items() if key != "tax" and key not in parts}
    every = columns | {name: name for names in parts.values() for name in names if not is_constant(name)}
    mapped = {key: name for key, name in every.items() if name in raw.rows.column_names}
    numbers = [key for key in mapped if key in NUMBERS or key not in columns]
    formats = {"date_format": table.date_format, "decimal": table.decimal, "thousands": table.thousands}
    raw, plain = canonical(raw, mapped, numbers=numbers, dates=["date"], ids=IDS, **formats)
    for key, names in parts.items():
        raw = derive(raw, key, product(raw, [plain.get(name, name) for name in names]))
        plain[key] = DERIVED + key
    columns = {key: plain.get(key, name) for key, name in columns.items()}
    raw, columns = net(raw, columns, table.tax_rate)
    if config.source.rates is not None:
        raw, columns = one_currency(raw, columns, config, as_of)
    return with_kinds(raw, columns, table)


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
                if not any(fits(text, value) for text in found):
                    near = did_you_mean(value, found)
                    faults += [f'{setting} names "{value}", which "{name}" never holds.{near}'] if near else []
    if faults:
        raise DataError(f"{raw.source}: {' '.join(faults)}")


def _is_wrong(raw: RawTable, columns: Mapping[str, str], factors: Mapping[str, list[str]]) -> bool:
    """Whether a needed column is not mapped, or a mapped one is not there."""
    there = all(name in raw.rows.column_names for key, name in columns.items() if key not in factors)
    return not there or any(key not in columns for key in NEEDED)
