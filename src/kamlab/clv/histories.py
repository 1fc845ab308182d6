"""Distinct purchase histories: merged, sampled, with a first guess of their rates and a search for their quantiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kamlab.clv.checks import Purchases
from kamlab.clv.merging import merge

_FEW = 8
"""Rows for each one of a sample below which the sample is taken by rows, not by accounts."""


class Histories(NamedTuple):
    """Distinct purchase histories: repeat purchase days x, t_x and T, the accounts that share each, and covariates."""

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    weight: np.ndarray
    z: np.ndarray


def distinct(data: Purchases) -> tuple[Histories, np.ndarray]:
    """Merge equal histories; return them and the place of each row's own among them."""
    if data.merged:
        return distinct_rows(data), data.merged.place()
    (x, t_x, age, *z), weight, place = merge((data.x, data.t_x, data.T, *data.z.T), data.weight)
    return Histories(x, t_x, age, weight, np.column_stack(z) if z else np.empty((len(x), 0))), place


def distinct_rows(data: Purchases) -> Histories:
    """Merge equal histories."""
    if data.merged:
        x, t_x, age = data.merged.columns
        return Histories(x, t_x, age, data.merged.weight, np.empty((len(x), 0)))
    return distinct(data)[0]


def samples(rows: Histories, sizes: Sequence[int]) -> list[Histories]:
    """Take samples of about so many rows each; none where there are no twice as many.

    Of accounts in the order of their histories every n-th is taken, and stands for all n: heavy rows are in every
    sample, light ones as often as their weight says. Of few rows that would leave too few different ones: of these
    every n-th in falling order of weight is taken, with the weight of those until the next.
    """
    taken = []
    for size in (size for size in sizes if len(rows.x) >= 2 * size):
        stride = len(rows.x) // size
        if stride < _FEW:
            order = np.argsort(-rows.weight, kind="stable")
            some, weight = order[::stride], np.add.reduceat(rows.weight[order], np.arange(0, len(order), stride))
        else:
            upto = np.cumsum(rows.weight)
            step = upto[-1] / size
            times = np.bincount(np.searchsorted(upto, step * (np.arange(size) + 0.5)), minlength=len(upto))
            some = np.flatnonzero(times)
            weight = step * times[some]
        taken.append(Histories(rows.x[some], rows.t_x[some], rows.T[some], weight, rows.z[some]))
    return taken


def rate_by_moments(rows: Histories) -> tuple[float, float]:
    """Return ln(r) and ln(alpha) of gamma-distributed rates from the mean and variance of the counts, as in the NBD."""
    x, _, age, weight, _ = rows
    mean = weight @ x / (weight @ age)
    spread = (weight @ ((x - mean * age) ** 2 - mean * age)) / (weight @ age**2)
    log_r = np.clip(np.log(mean**2 / spread), -3.0, 3.0) if spread > 0 else 3.0
    return log_r, log_r - np.log(mean)


def smallest_count(few_more: Callable[[np.ndarray, np.ndarray], np.ndarray], guess: np.ndarray) -> np.ndarray:
    """Return the smallest whole number n ≥ 0 for each row at which `few_more(n + 1, rows)` holds.

    The condition holds from some n on. From the guess the search strides ever further until it has n between two
    numbers, and then halves.
    """
    fails, holds = np.full(len(guess), -1.0), np.full(len(guess), np.inf)
    probe, stride = guess.copy(), 1.0
    rows = np.arange(len(guess))
    while rows.size:
        enough = few_more(probe[rows] + 1, rows)
        holds[rows[enough]], fails[rows[~enough]] = probe[rows[enough]], probe[rows[~enough]]
        rows = rows[holds[rows] - fails[rows] > 1]
        low, high = fails[rows], holds[rows]
        upwards, downwards = np.isinf(high), low < 0
        middle = np.floor((low + np.where(upwards, low, high)) / 2)
        probe[rows] = np.where(upwards, low + stride, np.where(downwards, np.maximum(high - stride, middle), middle))
        stride *= 2
    return holds
