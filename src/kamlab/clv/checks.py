"""What every model asks of a summary, checked in one place: all faults are found before one error names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamlab.errors import ModelError, did_you_mean, first_ids

MIN_ACCOUNTS = 30
MIN_REPEAT_BUYERS = 10
"""Fewer accounts or repeat buyers than these cannot carry the three or four parameters of a model."""


class Purchases(NamedTuple):
    """Purchase histories, one entry an account: ids, repeat purchase days x, and t_x and T in the model's unit.

    `weight` says how many accounts a row stands for; `log_gaps` is the sum of the logarithms of the times between
    purchase days, missing where the summary does not say.
    """

    account: pd.api.extensions.ExtensionArray
    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    weight: np.ndarray
    log_gaps: np.ndarray


class Spend(NamedTuple):
    """Order values of the accounts whose repeat purchases are worth something, one entry an account.

    Repeat purchase days x, their mean net value (currency), and how many accounts a row stands for. `zero_valued` says
    how many rows are left out because all their repeat purchases are worth 0.
    """

    x: np.ndarray
    mean_value: np.ndarray
    weight: np.ndarray
    zero_valued: int


def as_frame(table: Any) -> pd.DataFrame:
    """Take a pandas, Arrow, Polars or Ibis table; accounts may stand in the index, as in lifetimes' summaries."""
    frame = table if isinstance(table, pd.DataFrame) else table.to_pandas()
    if "account" not in frame:
        frame = frame.assign(account=frame.index)
    return frame.assign(account=frame["account"].astype(str)).reset_index(drop=True)


def require_columns(frame: pd.DataFrame, names: Sequence[str], purpose: str) -> None:
    """Refuse a table that lacks columns, naming all of them and the nearest that it has."""
    missing = [f'"{name}"{did_you_mean(name, list(map(str, frame.columns)))}' for name in names if name not in frame]
    if missing:
        raise ModelError(
            f"The summary lacks {len(missing)} column(s) that {purpose} needs: {', '.join(missing)}. "
            "Take the table that kamlab.summarize returns, or name the columns so."
        )


def read_purchases(summary: Any, *, min_accounts: int = 1, min_repeat_buyers: int = 0) -> Purchases:
    """Read and check purchase histories.

    Parameters
    ----------
    summary : table
        Columns account (text, or the index), frequency (whole number), recency and T (model's unit); optionally weight
        (how many accounts the row stands for, 1 without) and log_gaps.
    min_accounts, min_repeat_buyers : int
        How many accounts, and accounts with a repeat purchase, are needed; rows count with their weight.

    Raises
    ------
    ModelError
        With all faults, the first accounts of each, and what to do.
    """
    frame, ids = _opened(summary, ("frequency", "recency", "T"), "a purchase model")
    x, t_x, age = (_numbers(frame[name]) for name in ("frequency", "recency", "T"))
    faults = _Faults(ids)
    faults.add_repeated()
    with np.errstate(invalid="ignore"):
        # A sound table is the rule; only the others are searched fault by fault.
        sound = (x >= 0) & (x == np.floor(x)) & (t_x <= age) & (age < np.inf) & np.where(x > 0, t_x > 0, t_x == 0)
        if not sound.all():
            _add_history_faults(faults, x, t_x, age)
        weight = _weights(frame, faults)
        log_gaps = _numbers(frame["log_gaps"]) if "log_gaps" in frame else np.full(len(x), np.nan)
        if "log_gaps" in frame:
            # Of all gaps that sum to the recency equal ones have the largest sum of logarithms.
            most = x * np.log(t_x / np.maximum(x, 1), out=np.zeros(len(x)), where=(x > 0) & (t_x > 0))
            faults.add(
                np.isfinite(x + t_x + age) & (log_gaps > most + 1e-6 * np.maximum(x, 1)),
                "have log_gaps above what their recency allows",
                "Sum the logarithms of the gaps in the unit of recency.",
            )
        faults.need("accounts", int(weight.sum()), min_accounts)
        faults.need("accounts with a repeat purchase", int(weight[x > 0].sum()), min_repeat_buyers)
    faults.stop("A purchase model")
    return Purchases(ids, x, t_x, age, weight, log_gaps)


def _add_history_faults(faults: _Faults, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> None:
    finite = np.isfinite(x) & np.isfinite(t_x) & np.isfinite(age)
    faults.add(~finite, "have a frequency, recency or T that is missing or no finite number", "Fill or drop them.")
    negative = (x < 0) | (t_x < 0) | (age < 0)
    faults.add(finite & negative, "have a negative frequency, recency or T", "Check the dates.")
    faults.add(finite & (x != np.floor(x)), "have a fractional frequency", "It counts repeat purchase days.")
    faults.add(
        finite & (t_x > age), "have recency > T", "Check `calibration_end`, and that recency is no 'days since'."
    )
    faults.add(finite & (x == 0) & (t_x > 0), "have recency without a repeat purchase", "Set recency 0 or count it.")
    faults.add(finite & (x > 0) & (t_x == 0), "have a repeat purchase at recency 0", "Merge purchases of one day.")


def read_spend(summary: Any, *, min_repeat_buyers: int = 0) -> Spend:
    """Read and check the order values of accounts with a repeat purchase of any value.

    Parameters
    ----------
    summary : table
        Columns account (text, or the index), frequency (whole number), monetary_value (currency).
    min_repeat_buyers : int
        How many accounts with repeat purchases above zero are needed.

    Raises
    ------
    ModelError
        With all faults, the first accounts of each, and what to do.
    """
    frame, ids = _opened(summary, ("frequency", "monetary_value"), "a spend model")
    x, mean_value = (_numbers(frame[name]) for name in ("frequency", "monetary_value"))
    faults = _Faults(ids)
    faults.add_repeated()
    finite = np.isfinite(x) & np.isfinite(mean_value)
    faults.add(~finite, "have a frequency or monetary_value that is missing or no finite number", "Fill or drop them.")
    with np.errstate(invalid="ignore"):
        faults.add(
            finite & ((x < 0) | (x != np.floor(x))), "have a negative or fractional frequency", "It counts days."
        )
        faults.add(
            finite & (x > 0) & (mean_value < 0), "have a monetary_value below 0", "Net returns of other days elsewhere."
        )
        usable = (x > 0) & (mean_value > 0)
    weight = _weights(frame, faults)
    faults.need("accounts with a repeat purchase above 0", int(weight[usable].sum()), min_repeat_buyers)
    faults.stop("A spend model")
    return Spend(x[usable], mean_value[usable], weight[usable], int((x > 0).sum() - usable.sum()))


def _opened(table: Any, names: Sequence[str], purpose: str) -> tuple[pd.DataFrame, pd.api.extensions.ExtensionArray]:
    """Return a table that has the columns, and its accounts as strings."""
    frame = table if isinstance(table, pd.DataFrame) else table.to_pandas()
    require_columns(frame, names, purpose)
    account = frame["account"] if "account" in frame else frame.index.to_series()
    return frame, (account if isinstance(account.dtype, pd.StringDtype) else account.astype("str")).array


def _weights(frame: pd.DataFrame, faults: _Faults) -> np.ndarray:
    """Return how many accounts each row stands for: the column `weight`, or 1."""
    if "weight" not in frame:
        return np.ones(len(frame))
    weight = _numbers(frame["weight"])
    wrong = ~(np.isfinite(weight) & (weight > 0))
    faults.add(wrong, "have a weight that is no number above 0", "It says how many accounts the row stands for.")
    return np.where(wrong, 0.0, weight)


def _numbers(column: pd.Series) -> np.ndarray:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.to_numpy(dtype=float)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


class _Faults:
    """Collects what is wrong with a table, to say it all at once."""

    def __init__(self, ids: Any) -> None:
        self._ids = ids
        self._found: list[str] = []

    def add_repeated(self) -> None:
        """Look for ids that stand there more than once; sorted ones show at once that none does."""
        texts = pa.array(self._ids)
        if texts.null_count or not pc.all(pc.less(texts[:-1], texts[1:])).as_py():
            repeated = pd.Index(self._ids).duplicated()
            self.add(repeated, "stand in the table more than once", "Give one row an account.")

    def add(self, wrong: np.ndarray, what: str, remedy: str) -> None:
        if wrong.any():
            first = first_ids(self._ids[wrong])
            self._found.append(f"{int(wrong.sum())} of {len(self._ids)} accounts {what} (first: {first}). {remedy}")

    def need(self, what: str, have: int, needed: int) -> None:
        if have < needed:
            self._found.append(
                f"There are {have} {what}; at least {needed} are needed. Take a longer log or an as-of date further on."
            )

    def stop(self, who: str) -> None:
        if self._found:
            raise ModelError(f"{who} cannot use this summary. {' '.join(self._found)}")
