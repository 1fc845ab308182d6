"""A log of any size, drawn month by month: what speed and memory are measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kamlab.errors import ConfigError

AS_OF = date(2025, 12, 31)
DAYS = 4 * 365 + 1
"""Length of the log, which ends on the as-of date."""
CHUNK_DAYS = 30

SHAPE, SILENT_SHAPE = 0.8, 0.9
"""Shapes of the gamma laws of order rates and of rates of leaving (Pareto/NBD; Schmittlein, Morrison, Colombo 1987)."""
MEAN_LIFETIME_DAYS = 900.0
LINES_PER_ORDER = 2.5
PRODUCTS, PRODUCT_LINES = 2000, 12
RETURNED, UNATTRIBUTED, UNREADABLE = 0.015, 0.003, 0.0001
"""Shares of lines that are returns, have no account, and have no amount."""

SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("line_id", pa.string()),
        ("date", pa.date32()),
        ("account", pa.string()),
        ("product", pa.string()),
        ("product_line", pa.string()),
        ("quantity", pa.int32()),
        ("amount", pa.decimal128(12, 2)),
        ("cost", pa.decimal128(12, 2)),
    ]
)


@dataclass(frozen=True)
class _Accounts:
    """Hidden parameters: `first` and `last` day (position in the log), orders a day, mean value of a line."""

    first: np.ndarray
    last: np.ndarray
    rate: np.ndarray
    value: np.ndarray


def order_lines(lines: int, path: str | Path, *, accounts: int | None = None, seed: int = 0) -> int:
    """Write a Parquet file of about `lines` order lines in the order of days, without holding them in memory.

    Accounts enter evenly over three years, order by a Poisson process at a rate of their own and leave after an
    exponential time of their own; lines have a gamma value around the account's own. Some lines are returns, some
    have no account, a few have no amount.

    Parameters
    ----------
    lines : int
        Expected number of lines.
    path : str or Path
        Replaced if it exists.
    accounts : int, optional
        Number of accounts; a tenth of the lines if not given.
    seed : int
        Same numbers and seed, same file.

    Returns
    -------
    int
        Lines written.

    Raises
    ------
    ConfigError
        If there would be fewer lines than accounts.
    """
    accounts = accounts or max(lines // 10, 1)
    if not 1 <= accounts <= lines:
        raise ConfigError(f"{lines} lines of {accounts} accounts: every account has at least one line.")
    rng = np.random.default_rng(seed)
    hidden = _accounts(lines, accounts, rng)
    names = pa.array([f"C{number:08d}" for number in range(accounts)])
    products = pa.array([f"P{number:04d}" for number in range(PRODUCTS)])
    groups = pa.array([f"L{number:02d}" for number in range(PRODUCT_LINES)])
    written = orders = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for account, day in _orders(hidden, rng):
            table = _lines(account, day, hidden, (names, products, groups), orders, rng)
            writer.write_table(table)
            orders += len(account)
            written += table.num_rows
    return written


def _accounts(lines: int, accounts: int, rng: np.random.Generator) -> _Accounts:
    first = rng.integers(0, 3 * 365, accounts)
    leaving = rng.gamma(SILENT_SHAPE, 1 / SILENT_SHAPE, accounts) / MEAN_LIFETIME_DAYS
    with np.errstate(divide="ignore", over="ignore"):
        stays = np.minimum(rng.exponential(1.0, accounts) / leaving, DAYS)
    last = np.minimum(first + stays.astype(np.int64), DAYS - 1)
    weight = rng.gamma(SHAPE, 1 / SHAPE, accounts)
    # Each account begins with an order; the others fall on the days on which it stays.
    repeat = max(lines / LINES_PER_ORDER - accounts, 0.0)
    total = float((weight * (last - first)).sum())
    value = 50.0 * rng.lognormal(0.0, 1.0, accounts)
    return _Accounts(first, last, weight * (repeat / total if total else 0.0), value)


def _orders(hidden: _Accounts, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield account and day of all orders of one stretch of days, in the order of days."""
    for start in range(0, DAYS, CHUNK_DAYS):
        end = min(start + CHUNK_DAYS, DAYS)
        new = np.flatnonzero((hidden.first >= start) & (hidden.first < end))
        # An account's Poisson orders fall on the days after its first, up to its last.
        begin = np.maximum(hidden.first + 1, start)
        open_days = np.maximum(np.minimum(hidden.last + 1, end) - begin, 0)
        again = np.repeat(np.arange(len(begin)), rng.poisson(hidden.rate * open_days))
        day = begin[again] + np.floor(rng.random(len(again)) * open_days[again]).astype(np.int64)
        account = np.concatenate([new, again])
        day = np.concatenate([hidden.first[new], day])
        order = np.argsort(day, kind="stable")
        yield account[order], day[order]


def _lines(
    account: np.ndarray,
    day: np.ndarray,
    hidden: _Accounts,
    words: tuple[pa.Array, pa.Array, pa.Array],
    orders_before: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Split orders into lines with products, quantities, values and costs."""
    names, products, groups = words
    per_order = 1 + rng.poisson(LINES_PER_ORDER - 1, len(account))
    order = np.repeat(np.arange(len(account)), per_order)
    place = np.arange(len(order)) - np.repeat(np.cumsum(per_order) - per_order, per_order)
    n = len(order)
    sign = np.where(rng.random(n) < RETURNED, -1, 1)
    product = rng.integers(0, PRODUCTS, n)
    quantity = rng.integers(1, 20, n)
    cents = np.maximum(np.round(100 * hidden.value[account[order]] * rng.gamma(2.0, 0.5, n)), 1).astype(np.int64)
    cost = np.round(cents * rng.uniform(0.5, 0.9, n)).astype(np.int64)
    order_id = [f"S{number:09d}" for number in range(orders_before, orders_before + len(account))]
    ids = pa.array(order_id, pa.string()).take(pa.array(order))
    suffixes = pa.array([f"-{number}" for number in range(1, int(place.max(initial=0)) + 2)])
    columns = {
        "order_id": ids,
        "line_id": pc.binary_join_element_wise(ids, suffixes.take(pa.array(place)), ""),
        "date": pa.array(np.datetime64(AS_OF - timedelta(days=DAYS - 1)) + day[order]).cast(pa.date32()),
        "account": names.take(pa.array(account[order], mask=rng.random(n) < UNATTRIBUTED)),
        "product": products.take(pa.array(product)),
        "product_line": groups.take(pa.array(product % PRODUCT_LINES)),
        "quantity": pa.array((sign * quantity).astype(np.int32)),
        "amount": _money(sign * cents, missing=rng.random(n) < UNREADABLE),
        "cost": _money(sign * cost),
    }
    return pa.table(columns, schema=SCHEMA)


def _money(cents: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Return whole cents as decimals, exactly: the same digits, seen with two places."""
    return pa.array(cents, mask=missing).cast(pa.decimal128(19, 0)).view(pa.decimal128(12, 2))
