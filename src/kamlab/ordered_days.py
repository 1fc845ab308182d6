"""Each account's days, straight from the file of a ledger that lies in the order of accounts and days.

Where the lines of an account's day are neighbours, sums up to the next change replace the tables of millions of keys
that an engine builds up and looks in: little more is left than reading the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab.ledger import Ledger, PurchaseRule
from kamlab.period import StudyPeriod
from kamlab.terms import REVENUE_KINDS
from kamlab.threads import in_order

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

MADE = frozenset(
    {
        *("frequency", "recency", "T", "monetary_value", "first_purchase", "last_purchase", "purchase_days"),
        *("first_value", "days_since_last"),
    }
)
"""Columns of the summary that the sums of `ordered_sums` are enough for."""
READ = ["account", "date", "kind", "amount"]
PLACES = 4
"""Of decimals that amounts have in the ledger."""
MOST = 2.0**62
"""Sum of amounts, in units of the last decimal, up to which whole numbers of 64 bits hold every part of it."""
WHOLE = 2**53
"""Up to which a double holds every whole number."""


@dataclass(frozen=True)
class _Days:
    """Accounts and, one entry an account's day, in order: position of the account, day, net, whether it was bought.

    net is in units of the last decimal; a day counts as bought if a line of it may be a purchase.
    """

    accounts: pa.Array
    account: np.ndarray
    day: np.ndarray
    net: np.ndarray
    bought: np.ndarray


def ordered_sums(ledger: Ledger, period: StudyPeriod, only: Collection[str] | None) -> pa.Table | None:
    """Sum up the days of purchase of each account of a ledger in the order of accounts and days.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` counts.
    only : collection of str, optional
        Accounts that are wanted; all of them if not given.

    Returns
    -------
    pyarrow.Table or None
        account, first_purchase, last_purchase, purchase_days, first_value and repeat_value (currency; the days after
        the first), one row an account with a day of purchase, ordered by account. None where an engine has to do it:
        the ledger is no single file, is in another order, has no money, or sums that need more than 64 bits.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if ledger.session.spark is not None or not ledger.has_money:
        return None
    days = _joined(_pieces(ledger.path, period, ledger.purchase))
    if days is None:
        return None
    sums = _by_account(days, ledger.purchase)
    if only is None:
        return sums
    return sums.filter(pc.is_in(sums["account"], value_set=pa.array(sorted(only), pa.string())))


def _pieces(path: Path, period: StudyPeriod, purchase: PurchaseRule) -> Iterable[_Days | None]:
    """Yield the days of each of the file's row groups, in order; None in place of one that is not in order."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    read = partial(_read, path=path, metadata=metadata, period=period, purchase=purchase)
    return in_order(read, [n for n in range(metadata.num_row_groups) if metadata.row_group(n).num_rows])


def _read(
    group: int, *, path: Path, metadata: pq.FileMetaData, period: StudyPeriod, purchase: PurchaseRule
) -> _Days | None:
    """Read a row group and sum up its days; None if it is not in order, or money needs more than 64 bits."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, metadata=metadata, read_dictionary=["account", "kind"]) as file:
        (lines,) = file.read_row_group(group, columns=READ, use_threads=False).combine_chunks().to_batches()
    lines = _counted(lines, period)
    amount = _in_last_decimals(lines["amount"])
    if amount is None:
        return None
    index = lines["account"].indices.to_numpy()
    day = lines["date"].view(pa.int32()).to_numpy()
    starts = _starts(index, day)
    if purchase == "nonnegative":
        sale = (amount >= 0) & ~_among(lines["kind"], ["return"]).to_numpy(zero_copy_only=False)
    else:
        # No return is above 0, so that what nets above 0 has a line that is none.
        sale = np.ones(len(amount), dtype=bool)
    net, bought = _summed(amount, sale, starts)
    index = index[starts]
    names = lines["account"].dictionary.take(pa.array(index[_starts(index)]))
    account = np.cumsum(np.diff(index, prepend=index[:1]) != 0, dtype=np.int32)
    days = _Days(names, account, day[starts], net, bought)
    return days if _is_ordered(days) else None


def _counted(lines: pa.RecordBatch, period: StudyPeriod) -> pa.RecordBatch:
    """Return the lines of revenue with an account, up to the as-of date."""
    import pyarrow.compute as pc

    for column, wanted in (
        ("account", lambda c: c.is_valid()),
        ("kind", lambda c: _among(c, REVENUE_KINDS)),
        ("date", lambda c: pc.less_equal(c, period.calibration_end)),
    ):
        keep = wanted(lines[column])
        lines = lines if pc.all(keep, min_count=0).as_py() else lines.filter(keep)
    return lines


def _among(words: pa.DictionaryArray, wanted: Collection[str]) -> pa.BooleanArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(words.dictionary, value_set=pa.array(sorted(wanted), pa.string())).take(words.indices)


def _in_last_decimals(money: pa.Decimal128Array) -> np.ndarray | None:
    """Return the amounts as whole numbers of the last decimal; None if one is missing or any sum may be too large."""
    import numpy as np

    # A decimal is two words of 64 bits; of one that fits the first, the second repeats the sign.
    words = np.frombuffer(money.buffers()[1], np.int64).reshape(-1, 2)[money.offset : money.offset + len(money)]
    low, high = words.T
    if money.null_count or (high != low >> 63).any() or np.abs(low, dtype=float).sum() > MOST:
        return None
    return low


def _starts(*columns: np.ndarray) -> np.ndarray:
    """Return where a row differs from the one before in any column; the first row does."""
    import numpy as np

    changes = np.zeros(len(columns[0]), dtype=bool)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes)


def _summed(net: np.ndarray, bought: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of net, and whether any is bought, from each start up to the next."""
    import numpy as np

    if not len(starts):
        return net[:0], bought[:0]
    # Where every line may be a purchase, which is the usual case, nothing need be looked up.
    some = np.ones(len(starts), dtype=bool) if bought.all() else np.logical_or.reduceat(bought, starts)
    return np.add.reduceat(net, starts), some


def _is_ordered(days: _Days) -> bool:
    """Whether accounts rise strictly, and days within each."""
    import pyarrow.compute as pc

    rises = (days.day[1:] > days.day[:-1]) | (days.account[1:] != days.account[:-1])
    names = days.accounts
    return bool(rises.all()) and pc.all(pc.less(names[:-1], names[1:]), min_count=0).as_py()


def _joined(pieces: Iterable[_Days | None]) -> _Days | None:
    """Put the pieces together, where an account and its day may run on from one to the next; None if one is missing."""
    import numpy as np
    import pyarrow as pa

    names, found, n_accounts, last = [], [], 0, None
    for days in pieces:
        if days is None:
            return None
        if not len(days.accounts):
            continue
        goes_on = days.accounts[0].as_py() == last
        names.append(days.accounts.slice(int(goes_on)))
        found.append((days.account + (n_accounts - goes_on), days.day, days.net, days.bought))
        n_accounts += len(names[-1])
        last = days.accounts[-1].as_py()
    if not found:
        return None
    account, day, net, bought = (np.concatenate(column) for column in zip(*found, strict=True))
    del found
    if np.abs(net, dtype=float).sum() > MOST:
        return None
    starts = _starts(account, day)
    days = _Days(pa.concat_arrays(names), account[starts], day[starts], *_summed(net, bought, starts))
    return days if _is_ordered(days) else None


def _by_account(days: _Days, purchase: PurchaseRule) -> pa.Table:
    """Sum up each account's days of purchase; columns as in `ordered_sums`."""
    import numpy as np
    import pyarrow as pa

    kept = days.bought & ((days.net >= 0) if purchase == "nonnegative" else (days.net > 0))
    account, day, net = days.account[kept], days.day[kept], days.net[kept]
    starts = _starts(account)
    ends = np.append(starts, len(account))[1:]
    total, _ = _summed(net, net > 0, starts)
    return pa.table(
        {
            "account": days.accounts.take(pa.array(account[starts])),
            "first_purchase": pa.array(day[starts]).view(pa.date32()),
            "last_purchase": pa.array(day[ends - 1]).view(pa.date32()),
            "purchase_days": ends - starts,
            "first_value": _as_float(net[starts]),
            "repeat_value": _as_float(total - net[starts]),
        }
    )


def _as_float(money: np.ndarray) -> np.ndarray:
    """Divide by the last decimal as DuckDB does, to the same bits: what is too long for a double in two parts."""
    import numpy as np

    unit, size = 10**PLACES, np.abs(money)
    parts = np.copysign((size // unit).astype(float) + (size % unit) / unit, money)
    return np.where(size <= WHOLE, money / unit, parts)
