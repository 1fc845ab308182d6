"""Ways to divide positive values into classes: optimal 1-D k-means, 1-D mixtures and cumulative shares.

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

MIXTURE_STEPS = 60
MIXTURE_TOLERANCE = 1e-5
"""Rise of the mean log likelihood below which the mixture is taken for found."""
MIXTURE_FLOOR = 0.01
"""Least standard deviation of a component, as a share of the logarithms' range."""


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


def _mixture(points: Points, k: int, smallest: float) -> list[float] | None:
    """Return the borders between the components of a normal mixture of the logarithms, only where it is monotone.

    A wide component reaches over its neighbours on both sides: the most probable component then falls again as the
    value rises, no border tells such classes apart, and the way gives none.
    """
    x = np.log(points.value)
    starts = _optimal_starts(x, points.count, points.count, k, smallest)
    if starts is None:
        return None
    group = np.searchsorted(starts, np.arange(len(x)), side="right")
    belongs = _expectation_maximisation(x, points.count, np.eye(k)[group])
    if belongs is None:
        return None
    codes = belongs.argmax(axis=1)
    sizes = np.bincount(codes, weights=points.count, minlength=k)
    if (np.diff(codes) < 0).any() or (sizes < max(smallest, 1)).any():
        return None
    return [_border(points, int(i), np.log, np.exp) for i in np.searchsorted(codes, np.arange(1, k))]


def _expectation_maximisation(x: np.ndarray, count: np.ndarray, belongs: np.ndarray) -> np.ndarray | None:
    """Return the probability of each component, lowest mean first, at each point of a weighted normal mixture.

    Dempster, Laird and Rubin (1977), example 4.3; None where a component dies.
    """
    floor = (MIXTURE_FLOOR * np.ptp(x)) ** 2  # a component on equal values would have no width at all
    total, before = count.sum(), -np.inf
    for _ in range(MIXTURE_STEPS):
        weight = belongs * count[:, None]
        mass = weight.sum(axis=0)
        if (mass <= 1e-9 * total).any():
            return None
        mean = x @ weight / mass
        variance = np.maximum((x[:, None] - mean) ** 2 * weight, 0.0).sum(axis=0) / mass + floor
        log_density = np.log(mass / total) - np.log(variance) / 2 - (x[:, None] - mean) ** 2 / variance / 2
        top = log_density.max(axis=1)
        belongs = np.exp(log_density - top[:, None])
        sums = belongs.sum(axis=1)
        belongs /= sums[:, None]
        likelihood = float(count @ (top + np.log(sums))) / total
        if likelihood - before < MIXTURE_TOLERANCE:
            break
        before = likelihood
    return belongs[:, np.argsort(mean, kind="stable")]


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
    "mixture": _mixture,
    CUMULATIVE: _cumulative,
}
"""In order of preference. Plain logarithms late: they put 2 % or 40 % of real companies' accounts on top."""
