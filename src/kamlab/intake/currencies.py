"""Amounts of several currencies into the company's, by a table of rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from kamlab import reasons, tables
from kamlab.config import Config
from kamlab.errors import ConfigError
from kamlab.intake.amounts import MONEY, cents, decimals, derive, faulty, written
from kamlab.parsing import EXACT
from kamlab.sources import RawTable, Reading
from kamlab.sources.formats import DERIVED

if TYPE_CHECKING:
    import pandas as pd


def one_currency(
    raw: RawTable, columns: Mapping[str, str], config: Config, as_of: date | None
) -> tuple[RawTable, dict[str, str]]:
    """Convert amounts and costs into the company's currency by the rate of the line's day, or the last one before.

    A line without a rate is faulty; its amount stays as it is, and its currency beside it.

    Parameters
    ----------
    raw : RawTable
        Numbers and dates plainly written.
    columns : mapping of str to str
        Ledger column → column of `raw`.
    config : Config
    as_of : date or None
        Rates of later days are not known yet.

    Raises
    ------
    ConfigError
        If the company's currency, or the column of the lines' currencies, is not named.
    DataError
        If the rates cannot be read.
    """
    import pandas as pd
    import pyarrow as pa

    ours, name = config.company.currency, columns.get("currency")
    if not ours or name is None:
        raise ConfigError(
            "Rates are given, so the company's currency is needed (company.currency), and the column that holds each "
            'line\'s currency: columns = { currency = "…" }.'
        )
    known = tables.read_as(config, tables.RATES, as_of=as_of or date.max).rows
    lines = pd.DataFrame(
        {
            "currency": raw.rows[name].to_pandas().astype("str").str.strip().str.upper(),
            "date": pd.to_datetime(raw.rows[columns["date"]].to_pandas(), errors="coerce").astype("datetime64[s]"),
        }
    )
    foreign = lines["currency"].notna() & (lines["currency"] != "") & (lines["currency"] != ours.upper())
    rate = pd.Series([Decimal(1)] * len(lines), dtype=object)
    rate[foreign] = None
    matched = _of_the_day(lines[foreign & lines["date"].notna()], known)
    rate.loc[matched.index] = matched.where(matched.notna(), None)
    for key in MONEY:
        if key in columns:
            values = zip(decimals(raw, columns[key]), rate, strict=True)
            converted = [None if v is None else cents(EXACT.multiply(v, r or Decimal(1))) for v, r in values]
            raw = derive(raw, key, written(converted))
            columns = {**columns, key: DERIVED + key}
    lacking = rate.isna()
    told = (lacking & lines["date"].notna()).tolist()
    raw = faulty(
        raw, [reasons.NO_RATE.say(currency=c) if t else None for t, c in zip(told, lines["currency"], strict=True)]
    )
    kept = lines["currency"].where(lacking, ours)
    raw = derive(raw, "currency", pa.array(kept, pa.string(), from_pandas=True))
    counted = foreign if as_of is None else foreign & ~(lines["date"] > pd.Timestamp(as_of))
    counts = lines.loc[counted, "currency"].value_counts()
    if len(counts):
        said = ", ".join(f"{n} × {c}" for c, n in counts.items())
        raw = replace(raw, readings=(*raw.readings, Reading(raw.source, (("converted", f"{said} → {ours}"),))))
    return raw, {**columns, "currency": DERIVED + "currency"}


def _of_the_day(lines: pd.DataFrame, rates: pd.DataFrame) -> pd.Series:
    """Return the rate of each line's day, or the last one before; missing where there is none."""
    import pandas as pd

    # A rate has more digits than money, which a float of up to 15 of them gives back as they were written.
    exact = rates["rate"].map(lambda value: Decimal(str(value)))
    known = pd.DataFrame({"currency": rates["currency"].str.upper(), "date": rates["date"], "rate": exact})
    dated = lines.reset_index().sort_values(["date", "index"])
    by_day = known.sort_values("date", kind="stable").astype({"currency": dated["currency"].dtype})
    return pd.merge_asof(dated, by_day, on="date", by="currency").set_index("index")["rate"]
