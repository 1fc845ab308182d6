"""What every model asks of a summary, checked in one place: all faults are found before one error names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamlab.clv.merging import Counted, count_days
from kamlab.errors import ModelError, did_you_mean, first_ids

MIN_ACCOUNTS = 30
MIN_REPEAT_BUYERS = 10
"""Fewer accounts or repeat buyers than these cannot carry the three or four parameters of a model."""


class Purchases(NamedTuple):
    """Purchase histories, one entry an account: ids, repeat purchase days x, and t_x and T in the model's unit.

    `weight` says how many accounts a row stands for; `log_gaps` is the sum of the logarithms of the times between
    purchase days, missing where the summary does not say. `z` is the design matrix of covariates, shape (accounts,
    columns), without columns where there are none. `merged` holds the distinct x, t_x and T where the check has found
    them.
    """

    account: pd.api.extensions.ExtensionArray
    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    weight: np.ndarray
    log_gaps: np.ndarray
    z: np.ndarray
    merged: Counted | None = None


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
    frame = _pandas(table)
    if "account" not in frame:
        frame = frame.assign(account=frame.index)
    return frame.assign(account=frame["account"].astype(str)).reset_index(drop=True)


def _pandas(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    if not hasattr(table, "to_pandas"):
        raise ModelError(
            f"The summary is a {type(table).__name__}, no table. Take the one that kamlab.summarize returns, or any "
            "pandas, Arrow, Polars or Ibis table with its columns."
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame


def require_columns(frame: pd.DataFrame, names: Sequence[str], purpose: str) -> None:
    """Refuse a table that lacks columns, naming all of them and the nearest that it has, or has one more than once."""
    repeated = sorted(
        {f'"{name}"' for name in frame.columns[frame.columns.duplicated()] if name in (*names, "account")}
    )
    if repeated:
        raise ModelError(
            f"The summary has {len(repeated)} column(s) more than once that {purpose} needs: {', '.join(repeated)}. "
            "Keep one of each."
        )
    missing = [f'"{name}"{did_you_mean(name, list(map(str, frame.columns)))}' for name in names if name not in frame]
    if missing:
        raise ModelError(
            f"The summary lacks {len(missing)} column(s) that {purpose} needs: {', '.join(missing)}. "
            "Take the table that kamlab.summarize returns, or name the columns so."
        )


def opened(
    table: Any, names: Sequence[str], purpose: str, *, others: Sequence[str] = ()
) -> tuple[pd.DataFrame, list[np.ndarray], Faults]:
    """Return a table as a frame, the named columns as numbers (shape (accounts,) each), and the list of its faults.

    Columns of `others` must be there too. The faults begin with accounts that stand in the table more than once.
    """
    frame = _pandas(table)
    require_columns(frame, (*names, *others), purpose)
    if "account" not in frame and isinstance(frame.index, pd.RangeIndex):
        # Row numbers name each row, and no two the same.
        numbered = pa.array(frame.index.to_numpy()).cast(pa.string())
        return frame, [numbers(frame[name]) for name in names], Faults(pd.array(numbered, dtype="str"))
    account = frame["account"] if "account" in frame else frame.index.to_series()
    faults = Faults((account if isinstance(account.dtype, pd.StringDtype) else account.astype("str")).array)
    faults.add_nameless_and_repeated()
    return frame, [numbers(frame[name]) for name in names], faults


def read_purchases(
    summary: Any,
    *,
    min_accounts: int = 1,
    min_repeat_buyers: int = 0,
    gaps: bool = False,
    covariates: Sequence[str] = (),
    design: Design | None = None,
) -> Purchases:
    """Read and check purchase histories.

    Parameters
    ----------
    summary : table
        Columns account (text, or the index), frequency (whole number), recency and T (model's unit); optionally weight
        (how many accounts the row stands for, 1 without) and log_gaps.
    min_accounts, min_repeat_buyers : int
        How many accounts, and accounts with a repeat purchase, are needed; rows count with their weight.
    gaps : bool
        Whether `log_gaps` is read.
    covariates : sequence of str
        Further columns, for `design`, which makes the design matrix of them.

    Raises
    ------
    ModelError
        With all faults, the first accounts of each, and what to do.
    """
    columns = ("frequency", "recency", "T")
    frame, (x, t_x, age), faults = opened(summary, columns, "a purchase model", others=covariates)
    weight = weights(frame, faults)
    with np.errstate(invalid="ignore"):
        # Equal histories are checked once; a sound table is the rule, and only others are searched fault by fault.
        merged = None if faults.found else count_days((x, t_x, age), weight if "weight" in frame else None)
        each, total = (merged.columns, merged.weight) if merged else ((x, t_x, age), weight)
        if not _are_possible(*each):
            _add_history_faults(faults, x, t_x, age)
        log_gaps = np.broadcast_to(np.nan, len(x))
        if gaps and "log_gaps" in frame:
            log_gaps = _log_gaps(frame, x, t_x, age, faults)
        faults.need("accounts", int(total.sum()), min_accounts)
        faults.need("accounts with a repeat purchase", int(total @ (each[0] > 0)), min_repeat_buyers)
        z = np.zeros((len(x), 0)) if design is None else design(frame, np.where(x > 0, weight, 0.0), faults)
    faults.stop("A purchase model")
    return Purchases(faults.ids, x, t_x, age, weight, log_gaps, z, None if z.size else merged)


def _are_possible(x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> bool:
    sound = (x >= 0) & (x == np.floor(x)) & (t_x <= age) & (age < np.inf) & np.where(x > 0, t_x > 0, t_x == 0)
    return bool(sound.all())


def _add_history_faults(faults: Faults, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> None:
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


def _log_gaps(frame: pd.DataFrame, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, faults: Faults) -> np.ndarray:
    log_gaps = numbers(frame["log_gaps"])
    # Of all gaps that sum to the recency equal ones have the largest sum of logarithms.
    most = x * np.log(t_x / np.maximum(x, 1), out=np.zeros(len(x)), where=(x > 0) & (t_x > 0))
    faults.add(
        np.isfinite(x + t_x + age) & (log_gaps > most + 1e-6 * np.maximum(x, 1)),
        "have log_gaps above what their recency allows",
        "Sum the logarithms of the gaps in the unit of recency.",
    )
    return log_gaps


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
    frame, (x, mean_value), faults = opened(summary, ("frequency", "monetary_value"), "a spend model")
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
    weight = weights(frame, faults)
    faults.need("accounts with a repeat purchase above 0", int(weight[usable].sum()), min_repeat_buyers)
    faults.stop("A spend model")
    return Spend(x[usable], mean_value[usable], weight[usable], int((x > 0).sum() - usable.sum()))


def finite_forecast(table: pd.DataFrame) -> pd.DataFrame:
    """Refuse a forecast that is negative or no number, so that none ever reaches a sum."""
    forecasts = [column.to_numpy() for _, column in table.select_dtypes("number").items()]
    # Comparisons with what is no number fail.
    if not all(column.min(initial=0) >= 0 and column.max(initial=0) < np.inf for column in forecasts):
        wrong = ~np.all([np.isfinite(column) & (column >= 0) for column in forecasts], axis=0)
        raise ModelError(
            f"{int(wrong.sum())} of {len(table)} accounts get no finite forecast "
            f"(first: {first_ids(table['account'][wrong])}). Check their histories for counts or times of absurd size."
        )
    return table


def weights(frame: pd.DataFrame, faults: Faults) -> np.ndarray:
    """Return how many accounts each row stands for: the column `weight`, or 1."""
    if "weight" not in frame:
        return np.broadcast_to(1.0, len(frame))
    weight = numbers(frame["weight"])
    wrong = ~(np.isfinite(weight) & (weight > 0))
    faults.add(wrong, "have a weight that is no number above 0", "It says how many accounts the row stands for.")
    return np.where(wrong, 0.0, weight)


def numbers(column: pd.Series) -> np.ndarray:
    """Return a column as numbers, missing where it holds none; spans of time are none, as they have no unit of ours."""
    if pd.api.types.is_timedelta64_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return np.full(len(column), np.nan)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.to_numpy(dtype=float)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


class Faults:
    """Collects what is wrong with a table, to say it all at once."""

    def __init__(self, ids: Any) -> None:
        self.ids = ids
        self.found: list[str] = []

    def add_nameless_and_repeated(self) -> None:
        """Look for ids that are missing or stand there more than once; sorted ones show at once that none does."""
        texts = pa.array(self.ids)
        if texts.null_count:
            self.say(f"{texts.null_count} of {len(texts)} rows have no account. Give each row one.")
        if texts.null_count or not pc.all(pc.less(texts[:-1], texts[1:])).as_py():
            repeated = pd.Index(self.ids).duplicated()
            self.add(repeated, "stand in the table more than once", "Give one row an account.")

    def add(self, wrong: np.ndarray, what: str, remedy: str) -> None:
        if wrong.any():
            first = first_ids(self.ids[wrong])
            self.found.append(f"{int(wrong.sum())} of {len(self.ids)} accounts {what} (first: {first}). {remedy}")

    def say(self, sentence: str) -> None:
        self.found.append(sentence)

    def need(self, what: str, have: int, needed: int) -> None:
        if have < needed:
            self.found.append(
                f"There are {have} {what}; at least {needed} are needed. Take a longer log or an as-of date further on."
            )

    def stop(self, who: str) -> None:
        if self.found:
            raise ModelError(f"{who} cannot use this summary. {' '.join(self.found)}")


Design = Callable[[pd.DataFrame, np.ndarray, Faults], np.ndarray]
"""Frame, repeat buyers that each row stands for, faults to add to → design matrix, shape (rows, columns)."""


def read_order_values(summary: Any) -> tuple[pd.Series, np.ndarray, np.ndarray, np.ndarray]:
    """Read and check what a spend model is applied to.

    Returns
    -------
    tuple
        account, frequency, monetary_value and first_value (0 where there is no such column), shape (accounts,) each.

    Raises
    ------
    ModelError
        If frequencies are impossible, or the value of repeat purchases is missing or below 0.
    """
    frame, (frequency, value), faults = opened(summary, ("frequency", "monetary_value"), "a spend model")
    first = numbers(frame["first_value"]) if "first_value" in frame else np.zeros(len(frame))
    counts = np.isfinite(frequency) & (frequency >= 0) & (frequency == np.floor(frequency))
    faults.add(~counts, "have a frequency that is missing, negative or fractional", "It counts days.")
    sound = np.isfinite(value) & (value >= 0)
    faults.add((frequency > 0) & ~sound, "have repeats of a value that is missing or below 0", "Fill or drop them.")
    faults.add(np.isinf(first), "have a first_value that is no finite number", "Fill or drop them.")
    faults.stop("A spend model")
    return faults.ids, frequency, value, first
