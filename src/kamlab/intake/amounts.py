"""Amounts of lines: products of columns, and what is left of them without their tax."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from kamlab import reasons
from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.parsing import EXACT, parse_decimal
from kamlab.sources import RawTable
from kamlab.sources.formats import DERIVED

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MONEY = ("amount", "cost")
NUMBERS = (*MONEY, "quantity", "tax")
_PRODUCT = re.compile(r"\s*\*\s*")
_CONSTANT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def is_constant(name: str) -> bool:
    """Whether a factor is written as a number and not as the name of a column."""
    return bool(_CONSTANT.fullmatch(name))


def faulty(raw: RawTable, why: list[str | None]) -> RawTable:
    """Mark rows as faulty; what was wrong with a row before stands first."""
    import pyarrow as pa

    if not any(why):
        return raw
    earlier = [None] * len(why) if raw.faults is None else raw.faults.to_pylist()
    both = ["; ".join(filter(None, pair)) or None for pair in zip(earlier, why, strict=True)]
    return replace(raw, faults=pa.array(both, pa.string()))


def factors(raw: RawTable, columns: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the factors of columns that are written as a product: amount = "quantity * price"."""
    found = {}
    for key in NUMBERS:
        name = columns.get(key, "")
        if "*" in name and name not in raw.rows.column_names:
            names = _PRODUCT.split(name.strip())
            unknown = [n for n in names if n not in raw.rows.column_names and not is_constant(n)]
            if unknown:
                near = did_you_mean(unknown[0], raw.columns)
                raise DataError(
                    f'{raw.source}: {key} = "{name}" names {first_ids(unknown)}, which is neither a column nor a '
                    f"number.{near} Its columns are: {first_ids(raw.columns, limit=30)}."
                )
            found[key] = names
    return found


def derive(raw: RawTable, key: str, column: pa.Array) -> RawTable:
    """Add a column of kamlab's own, or put it in place of an earlier one."""
    name = DERIVED + key
    rows = raw.rows
    if name in rows.column_names:
        rows = rows.drop_columns([name])
    return replace(raw, rows=rows.append_column(name, column), derived=raw.derived | {name})


def decimals(raw: RawTable, name: str) -> pd.Series:
    """Return a column of plain numbers as Decimals; None where there is none."""
    import pandas as pd

    if is_constant(name) and name not in raw.rows.column_names:
        return pd.Series([Decimal(name)] * raw.rows.num_rows, dtype=object)
    # A log repeats few quantities and prices: each different text is read once.
    encoded = raw.rows[name].combine_chunks().dictionary_encode(null_encoding="encode")
    known = parse_decimal(pd.Series(encoded.dictionary.to_pylist(), dtype=object))
    return known.iloc[encoded.indices.to_numpy()].reset_index(drop=True)


def written(values: list[Decimal | None]) -> pa.Array:
    """Write Decimals as text."""
    import pyarrow as pa

    return pa.array([None if v is None else f"{v:f}" for v in values], pa.string())


def product(raw: RawTable, names: list[str]) -> pa.Array:
    """Multiply columns line by line; "?" where a factor is no number, missing where all are."""
    columns = [decimals(raw, name).tolist() for name in names]
    values: list[Decimal | None] = []
    for row in zip(*columns, strict=True):
        value: Decimal | None = Decimal(1)
        for factor in row:
            value = None if value is None or factor is None else EXACT.multiply(value, factor)
        values.append(value)
    return written(values)


def net(raw: RawTable, columns: dict[str, str], tax_rate: float | None) -> tuple[RawTable, dict[str, str]]:
    """Take the tax out of the amounts, where a column or a rate says how much it is."""
    tax = columns.pop("tax", None)
    if "amount" not in columns or (tax is None and tax_rate is None):
        return raw, columns
    gross = decimals(raw, columns["amount"]).tolist()
    if tax is not None:
        taxes = decimals(raw, tax).tolist()
        unread = [t is None and bool(text) for t, text in zip(taxes, raw.rows[tax].to_pylist(), strict=True)]
        raw = faulty(raw, [reasons.NO_NUMBER.say(column="tax") if wrong else None for wrong in unread])
        pairs = zip(gross, taxes, strict=True)
        left = [None if g is None else EXACT.subtract(g, t or Decimal(0)) for g, t in pairs]
    else:
        share = 1 + Decimal(str(tax_rate))
        left = [None if g is None else cents(EXACT.divide(g, share)) for g in gross]
    return derive(raw, "amount", written(left)), columns | {"amount": DERIVED + "amount"}


def cents(value: Decimal) -> Decimal:
    """Round to the four decimals of a ledger's money."""
    return value.quantize(Decimal("0.0001"), context=EXACT)
