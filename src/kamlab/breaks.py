"""Ways to divide positive values into classes: optimal one-dimensional k-means and cumulative shares.

A way takes `Points`, the number of classes k and the smallest number of accounts that a class may have, and
returns k − 1 borders in rising order, or None if the points cannot be divided so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Way = Callable[["Points", int, float], list[float] | None]

CUMULATIVE = "cumulative_80_95"
CUMULATIVE_SHARES = (0.80, 0.95, 0.99)
"""Shares of the value that the top class, the top two … bring in the division by cumulative value."""


@dataclass(frozen=True)
class Points:
    """Distinct values, or bins of values, in rising order: mean, number of accounts, lowest, highest."""

    value: np.ndarray
    count: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def drawn(self, count: np.ndarray) -> Points:
        """Return the same points with other counts, without those that were not drawn."""
        kept = count > 0
        return Points(self.value[kept], count[kept], self.low[kept], self.high[kept])


def compress(values: np.ndarray, limit: int) -> Points:
    """Return the distinct values; beyond `limit` of them, bins even in both accounts and value.

    Bins even in accounts alone would be coarse where value-weighted borders lie, in the thin upper tail.
    """
    value, count = np.unique(values, return_counts=True)
    if len(value) <= limit:
        return Points(value, count, value, value)
    money = value * count
    position = (np.cumsum(count) / count.sum() + np.cumsum(money) / money.sum()) / 2
    first = np.unique(np.minimum((position * limit).astype(int), limit - 1), return_index=True)[1]
    last = np.append(first[1:], len(value)) - 1
    count = np.add.reduceat(count, first)
    return Points(np.add.reduceat(money, first) / count, count, value[first], value[last])


def _optimal_starts(
    x: np.ndarray, weights: np.ndarray, counts: np.ndarray, k: int, smallest: float
) -> list[int] | None:
    """Return the first positions of classes 2 … k in the optimal weighted k-means of rising points `x`.

    Dynamic programming over the last class's first point; of equally good divisions the one with the lowest
    borders is taken, so that rounding errors do not decide.
    """
    n = len(x)
    # without centring and scaling the differences of sums of squares would lose their digits
    x = (x - np.average(x, weights=weights)) / (np.ptp(x) or 1.0)
    accounts = np.concatenate([[0], np.cumsum(counts)])
    s0, s1, s2 = (np.concatenate([[0.0], np.cumsum(weights * x**p)]) for p in (0, 1, 2))

    def within(first: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Sum of squares of points first … end − 1 around their mean; infinite where they are too few."""
        enough = (first < end) & (accounts[end] - accounts[first] >= smallest)
        mass = np.where(enough, s0[end] - s0[first], np.nan)
        squares = s2[end] - s2[first] - (s1[end] - s1[first]) ** 2 / mass
        return np.where(enough, np.maximum(squares, 0.0), np.inf)

    first = np.arange(n)[:, None]
    tolerance = 1e-10 * s2[-1]
    best = within(np.zeros(n + 1, dtype=int), np.arange(n + 1))
    starts = []
    for layer in range(1, k):
        ends = np.arange(n + 1) if layer < k - 1 else np.array([n])
        cost = best[:-1, None] + within(first, ends)
        pick = np.argmax(cost <= cost.min(axis=0) + tolerance, axis=0)
        best = cost[pick, np.arange(len(ends))]
        starts.append(pick)
    if np.isinf(best[0]):
        return None
    result = [int(starts[-1][0])]
    for pick in starts[-2::-1]:
        result.append(int(pick[result[-1]]))
    return result[::-1]


def _border(points: Points, i: int, scale: Callable, unscale: Callable) -> float:
    """Halfway between points i − 1 and i on the scale, safe from rounding onto the lower one."""
    low, high = points.high[i - 1], points.low[i]
    middle = float(unscale((scale(low) + scale(high)) / 2))
    return middle if low < middle <= high else float(high)


@dataclass(frozen=True)
class _KMeans:
    scale: Callable
    unscale: Callable
    by_value: bool = False

    def __call__(self, points: Points, k: int, smallest: float) -> list[float] | None:
        weights = points.count * points.value / points.value.max() if self.by_value else points.count
        starts = _optimal_starts(self.scale(points.value), weights, points.count, k, smallest)
        if starts is None:
            return None
        return [_border(points, i, self.scale, self.unscale) for i in starts]


def _cumulative(points: Points, k: int, smallest: float) -> list[float] | None:
    """Return the borders under the accounts that bring the first 80, 95 … % of the value."""
    money = (points.value * points.count)[::-1]
    reached = np.cumsum(money) / money.sum()
    shares = CUMULATIVE_SHARES[: k - 1][::-1]
    first = [len(money) - 1 - int(np.argmax(reached >= share - 1e-12)) for share in shares]
    sizes = np.diff(np.concatenate([[0], np.cumsum(points.count)])[[0, *first, len(money)]])
    if (sizes < max(smallest, 1)).any():
        return None
    return [_border(points, i, np.log, np.exp) for i in first]


WAYS: dict[str, Way] = {
    "weighted_log": _KMeans(np.log, np.exp, by_value=True),
    "sqrt": _KMeans(np.sqrt, np.square),
    "log": _KMeans(np.log, np.exp),
    CUMULATIVE: _cumulative,
}
"""In order of preference. Plain logarithms last: they put 2 % or 40 % of real companies' accounts on top."""
