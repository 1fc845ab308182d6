"""The configured inputs: the transaction log, the account master and the optional tables, read and judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamlab import freshness as _freshness
from kamlab import intake, quality, tables
from kamlab.accounts import read_master
from kamlab.config import Config
from kamlab.errors import DataError, first_ids
from kamlab.ledger import Ledger, read_ledger
from kamlab.period import StudyPeriod
from kamlab.reasons import remedies
from kamlab.sources import Reading, parquet_files
from kamlab.tables import TableReading
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import pandas as pd

LARGEST_UNLISTED_SHARE = 0.5
"""A master that lacks more than this share of the log's accounts is another company's, or writes ids otherwise."""

QUARANTINED = ("table", "source", "line", "reason", "remedy", "amount", "currency", "original")
"""Columns of the list of all lines that cannot be used."""


def read_lines(
    config: Config, *, as_of: date | None = None, scratch: Path | None = None
) -> tuple[Ledger, tuple[Reading, ...]]:
    """Read the configured transaction log, and say how its files were read; temporary files go to `scratch`.

    Lines that are dated after `as_of` are not judged. Whether too much is impossible is told by `refusals`.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    table, source = config.source.transactions, config.source
    options: dict[str, Any] = {
        "purchase": table.purchase,
        "currency": config.company.currency,
        "max_quarantined_share": 1,
        "as_of": as_of,
        "engine": config.engine,
        "scratch": scratch,
    }
    readings: tuple[Reading, ...] = ()
    files = parquet_files(table.path, base=config.base)
    if files and source.rates is None and intake.is_plain(table):
        formats: dict[str, Any] = {
            "date_format": table.date_format,
            "decimal": table.decimal,
            "thousands": table.thousands,
        }
        columns = intake.dated_columns(table)
        lines = read_ledger(config.resolve(table.path), columns=columns, **formats, **options)
        name = Path(table.path).name
    else:
        raw, columns = intake.transactions(config, as_of=as_of)
        name, readings = raw.source, raw.readings
        lines = read_ledger(raw, columns=columns, **options)
    every = dict.fromkeys((*readings, Reading(name, intake.settled(table))))
    return lines, tuple(reading for reading in every if reading.what)


def unlisted(master: pd.DataFrame | None, ids: list[str]) -> list[str]:
    """Return the log's accounts that the master lacks.

    Raises
    ------
    DataError
        If those are more than half of them.
    """
    if master is None:
        return []
    absent = sorted(set(ids) - set(master["account"]))
    if len(absent) > LARGEST_UNLISTED_SHARE * len(ids):
        raise DataError(
            f"The account master lacks {len(absent)} of the log's {len(ids)} accounts (first: {first_ids(absent)}; "
            f"in the master: {first_ids(master['account'], limit=3)}). The ids of the two files are probably written "
            "differently; map the column that holds the same ids, or leave the master out."
        )
    return absent


def compare_with_books(config: Config, ledger: Ledger, period: StudyPeriod) -> pd.DataFrame:
    """Hold each month up to the as-of date against the configured control totals.

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["books"]`; without rows where no control totals, or no amounts, are given.

    Raises
    ------
    DataError
        If the control totals cannot be read.
    """
    import pandas as pd

    if config.source.controls is None or not ledger.has_money:
        return pd.DataFrame({column.name: pd.Series(dtype=object) for column in TABLES["books"]})
    totals = tables.read(config, "controls", as_of=period.calibration_end).rows
    return quality.compare_with_books(ledger, totals, until=period.calibration_end)


def check_source(ledger: Ledger, config: Config, period: StudyPeriod) -> _freshness.Freshness:
    """Judge whether the log is complete up to the as-of date."""
    return _freshness.assess(ledger, period, max_data_lag_days=config.period.max_data_lag_days)


def read_beside(config: Config, period: StudyPeriod) -> dict[str, TableReading]:
    """Read every configured table beside the log, by name: accounts, rates and the optional ones.

    Raises
    ------
    DataError
        If one cannot be read.
    """
    as_of = period.calibration_end
    master = read_master(config, as_of=as_of)
    found = {} if master is None else {"accounts": master}
    if config.source.rates is not None:
        found["rates"] = tables.read_as(config, tables.RATES, as_of=as_of)
    return found | {name: tables.read(config, name, as_of=as_of) for name in tables.given(config)}


def refusals(lines: Ledger, beside: Iterable[TableReading], config: Config, *, as_of: date | None = None) -> list[str]:
    """Say of which tables, the log among them, so much cannot be used that a report on the rest would mislead."""
    tables_of_them = (" ".join(line.strip() for line in table.said()) for table in beside if table.too_many)
    return [*quality.too_much(lines, config.source.transactions, as_of=as_of), *tables_of_them]


def quarantined(lines: Ledger, beside: Iterable[TableReading] = ()) -> pd.DataFrame:
    """Return every line that cannot be used, of the log and of all other tables, for those who mend them.

    Returns
    -------
    pandas.DataFrame
        table ("transactions" or the table's name), source, line, reason, remedy, amount (as far as it is known),
        currency (where it is not the company's) and original (the values as JSON).
    """
    import pandas as pd

    log = lines.quarantine.assign(table="transactions")
    others = [table.quarantine.assign(currency="") for table in beside]
    every = pd.concat([part for part in (log, *others) if len(part)] or [log], ignore_index=True)
    every["remedy"] = ["; ".join(remedies(reason)) for reason in every["reason"]]
    return every[list(QUARANTINED)]


def table_quarantine(beside: Iterable[TableReading]) -> pd.DataFrame:
    """Return the rows of tables beside the log that cannot be used, one table after the other."""
    import pandas as pd

    columns = [column.name for column in TABLES["table_quarantine"]]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    parts = [table.quarantine for table in beside if len(table.quarantine)]
    return pd.concat(parts, ignore_index=True) if parts else empty.astype({"line": "int64", "amount": "float64"})
