"""Borders between Low, Mid and High on one axis: fitted to the values, with fallbacks that are stated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kamlab.breaks import CUMULATIVE, CUMULATIVE_SHARES, WAYS, Way, compress
from kamlab.errors import ConfigError, DataError
from kamlab.i18n import N_
from kamlab.terms import LEVELS

INTERVAL = (0.05, 0.95)
"""Quantiles of the bootstrap that make a border's interval."""
MIN_CLASS_ACCOUNTS = 3
MIN_CLASS_SHARE = 0.005
MAX_UNSTABLE_SHARE = 0.10
FIT_POINTS = 2000
BOOTSTRAP_POINTS = 256
MIN_PAIRS = 30
FOLDS = 5

REASONS = {
    "explained": N_(
        "These borders explain {percent} % of the next period's value, the most of the {ways} ways tried; "
        "every class is large enough and stable."
    ),
    "preferred": N_(
        "No earlier period tells the ways to draw borders apart: these come from the first of {ways} whose "
        "classes are large enough and stable."
    ),
    "cumulative": N_(
        "No fitted borders have classes that are large enough and stable, so the classes hold the accounts "
        "that bring the first 80 % of the value and the next 15 %."
    ),
    "configured": N_(
        "The configured thresholds are in force, because no borders give classes that are large enough and stable "
        "(accounts above zero: {accounts}, different values: {distinct})."
    ),
    "fixed": N_("Thresholds set by hand in the configuration."),
}
"""Why borders are in force, by key: sentences of the message catalogue."""


@dataclass(frozen=True)
class Cuts:
    """Borders on one axis and how they came about.

    Attributes
    ----------
    cuts : tuple of float
        Borders in rising order, in the values' unit; a value on a border belongs to the upper class.
    labels : tuple of str
        Names of the classes in rising order, one more than `cuts`.
    method : str
        weighted_log, sqrt, log, mixture, cumulative_80_95 or configured.
    reason : str
        Sentence of the message catalogue; `reason_values` fill its placeholders.
    unstable_share : float
        Mean share of accounts that another draw of the same accounts would put into another class; missing
        for configured thresholds.
    intervals : tuple of (float, float)
        5–95 % bootstrap interval of each border; missing for configured thresholds.
    candidates : DataFrame
        method, smallest_class (accounts), unstable_share, explained, eligible, chosen: the ways tried.
    """

    cuts: tuple[float, ...]
    labels: tuple[str, ...]
    method: str
    reason: str
    reason_values: Mapping[str, int] = field(default_factory=dict)
    unstable_share: float = float("nan")
    intervals: tuple[tuple[float, float], ...] = ()
    candidates: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False, repr=False)

    def classify(self, values: ArrayLike) -> pd.Categorical:
        """Return the class of each value: a value on a border goes up, NaN stays missing."""
        v = np.asarray(values, dtype=float)
        codes = np.where(np.isnan(v), -1, _codes(v, self.cuts))
        return pd.Categorical.from_codes(codes, categories=list(self.labels), ordered=True)


def fit(
    values: ArrayLike,
    *,
    k: int = 3,
    labels: tuple[str, ...] = LEVELS,
    earlier_values: ArrayLike | None = None,
    next_values: ArrayLike | None = None,
    configured: tuple[float, ...] | None = None,
    seed: int = 0,
    n_boot: int = 200,
) -> Cuts:
    """Fit the borders between `k` classes to the values above zero.

    Candidates are optimal one-dimensional k-means [1]_ on value-weighted logarithms, square roots and
    logarithms, and a normal mixture of the logarithms where its classes rise with the value, among divisions whose
    smallest class has at least max(3, 0.5 %) of the accounts above zero. Eligible is where on average at most 10 % of
    these change class in a bootstrap. The one that explains most variance of `next_values` out of sample wins; without
    these the first in that order, and no further is tried. If none is eligible, cumulative shares of value (80 / 95 %)
    are tried likewise, then `configured` is taken. A border lies halfway between two neighbouring values on the
    candidate's scale, rounded if that moves no account.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Annual value per account; NaN is left out, values of 0 or less belong to the lowest class.
    k : int
        Number of classes, 2 to 4, with as many `labels`.
    earlier_values, next_values : array-like of float, shape (m,), optional
        What accounts brought in an earlier year (default `values`) and in the year after it.
    configured : tuple of float, optional
        Thresholds that hold where nothing else does.
    n_boot : int
        Number of bootstrap draws.

    Raises
    ------
    ConfigError
        `k`, `labels` and `configured` do not fit together.
    DataError
        Infinite values; or no border can be fitted and none is configured.

    References
    ----------
    .. [1] H. Wang, M. Song (2011), Ckmeans.1d.dp, The R Journal 3(2), equation (1).
    """
    if not 2 <= k <= len(CUMULATIVE_SHARES) + 1 or len(labels) != k:
        raise ConfigError(f"k is {k} with {len(labels)} labels; give 2 to 4 classes and one label a class.")
    positive = _positive(values)
    pairs = _pairs(values if earlier_values is None else earlier_values, next_values)
    tried: dict[str, _Attempt] = {}
    for name, way in WAYS.items():
        tried[name] = _try(positive, k, way, seed, n_boot)
        if pairs is None and tried[name].eligible:
            break  # nothing would tell the others apart from it
    candidates = pd.DataFrame(
        [
            {
                "method": name,
                "smallest_class": attempt.smallest_class,
                "unstable_share": attempt.unstable_share,
                "explained": _explained(pairs, k, WAYS[name], seed),
                "eligible": attempt.eligible,
            }
            for name, attempt in tried.items()
        ]
    )
    method, reason, said = _choose(candidates)
    candidates["chosen"] = candidates["method"] == method
    if method is None:
        said = {"accounts": len(positive), "distinct": len(np.unique(positive))}
        if configured is None:
            raise DataError(
                f"{said['accounts']} values above zero, {said['distinct']} of them different, give no "
                "classes that are large enough and stable. Give configured thresholds."
            )
        return _by_hand(configured, labels, REASONS["configured"], said, candidates)
    chosen = tried[method]
    cuts = tuple(_readable(cut, positive) for cut in chosen.cuts)
    return Cuts(cuts, tuple(labels), method, reason, said, chosen.unstable_share, chosen.intervals, candidates)


def by_hand(thresholds: tuple[float, ...], *, labels: tuple[str, ...] = LEVELS) -> Cuts:
    """Return thresholds set by hand, such as document 000's 5 and 10 million, as `Cuts`."""
    return _by_hand(thresholds, labels, REASONS["fixed"], {}, pd.DataFrame())


def table(cuts: Mapping[str, Cuts], fixed: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Return the table `tiers`: the fitted and the fixed borders of each axis.

    Parameters
    ----------
    cuts : mapping of str to Cuts
        Axis (contribution, potential) → fitted borders of three classes.
    fixed : mapping of str to (float, float)
        Axis → configured thresholds.
    """
    schemes = {(axis, "fitted"): c for axis, c in cuts.items()}
    schemes |= {(axis, "fixed"): by_hand(thresholds) for axis, thresholds in fixed.items()}
    rows = [
        {
            "axis": axis,
            "scheme": scheme,
            "cut": name,
            "value": value,
            "lower": lower,
            "upper": upper,
            "method": c.method,
            "unstable_share": c.unstable_share,
            "reason": c.reason,
            "reason_values": json.dumps(dict(c.reason_values), sort_keys=True),
        }
        for (axis, scheme), c in schemes.items()
        for name, value, (lower, upper) in zip(("mid", "high"), c.cuts, c.intervals, strict=True)
    ]
    return pd.DataFrame(rows)


def borders(tiers: pd.DataFrame, axis: str, scheme: str) -> tuple[float, float] | None:
    """Return the borders Low to Mid and Mid to High from the table `tiers`; None if it has none."""
    rows = tiers[(tiers["axis"] == axis) & (tiers["scheme"] == scheme)].set_index("cut")["value"]
    return (float(rows["mid"]), float(rows["high"])) if len(rows) else None


def _choose(candidates: pd.DataFrame) -> tuple[str | None, str, dict[str, int]]:
    """Return the method in force, its reason and the reason's values; no method if none is eligible."""
    eligible = candidates[candidates["eligible"]]
    fitted = eligible[eligible["method"] != CUMULATIVE]
    ways = len(WAYS) - 1
    if (fitted["explained"] > 0).any():
        best = fitted.loc[fitted["explained"].round(3).idxmax()]
        said = {"ways": ways, "percent": round(100 * best["explained"])}
        return best["method"], REASONS["explained"], said
    if len(fitted):
        return fitted["method"].iloc[0], REASONS["preferred"], {"ways": ways}
    if len(eligible):
        return CUMULATIVE, REASONS["cumulative"], {}
    return None, "", {}


def _by_hand(
    thresholds: Sequence[float],
    labels: Sequence[str],
    reason: str,
    said: Mapping[str, int],
    candidates: pd.DataFrame,
) -> Cuts:
    cuts = tuple(float(t) for t in thresholds)
    if len(cuts) != len(labels) - 1 or sorted(set(cuts)) != list(cuts) or cuts[0] <= 0:
        raise ConfigError(
            f"The thresholds {', '.join(f'{c:g}' for c in cuts)} cannot divide {len(labels)} classes: "
            f"give {len(labels) - 1} rising numbers above zero."
        )
    missing = ((float("nan"), float("nan")),) * len(cuts)
    return Cuts(cuts, tuple(labels), "configured", reason, said, float("nan"), missing, candidates)


def _positive(values: ArrayLike) -> np.ndarray:
    v = np.asarray(values, dtype=float)
    if infinite := int(np.isinf(v).sum()):
        raise DataError(f"{infinite} of {len(v)} values are infinite; borders need finite values.")
    return np.sort(v[v > 0])


def _pairs(earlier: ArrayLike, after: ArrayLike | None) -> np.ndarray | None:
    """Return rows (value, next value) in an order that does not depend on the input's, or None."""
    if after is None:
        return None
    pairs = np.column_stack([np.asarray(earlier, dtype=float), np.asarray(after, dtype=float)])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    return pairs if len(pairs) >= MIN_PAIRS and np.ptp(pairs[:, 1]) > 0 else None


def _codes(values: np.ndarray, cuts: Sequence[float]) -> np.ndarray:
    return np.searchsorted(np.asarray(cuts), values, side="right")


# --- judging a way ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Attempt:
    cuts: tuple[float, ...]
    smallest_class: int
    unstable_share: float
    intervals: tuple[tuple[float, float], ...]

    @property
    def eligible(self) -> bool:
        return self.unstable_share <= MAX_UNSTABLE_SHARE


def _needed(accounts: int) -> float:
    return max(MIN_CLASS_ACCOUNTS, MIN_CLASS_SHARE * accounts)


def _try(positive: np.ndarray, k: int, way: Way, seed: int, n_boot: int) -> _Attempt:
    n = len(positive)
    cuts = way(compress(positive, FIT_POINTS), k, _needed(n)) if n else None
    if cuts is None:
        return _Attempt((), 0, float("nan"), ())
    smallest = int(np.bincount(_codes(positive, cuts), minlength=k).min())
    points = compress(positive, BOOTSTRAP_POINTS)
    codes = _codes(points.value, cuts)
    draws = np.random.default_rng(seed).multinomial(n, points.count / n, n_boot)
    again = [way(points.drawn(draw), k, _needed(n)) for draw in draws]
    # a draw that cannot be divided counts as if every account changed class
    changed = [1.0 if c is None else points.count[_codes(points.value, c) != codes].sum() / n for c in again]
    drawn = np.array([c for c in again if c is not None]).reshape(-1, k - 1)
    bounds = np.quantile(drawn, INTERVAL, axis=0).T if len(drawn) else np.full((k - 1, 2), np.nan)
    intervals = tuple((float(lower), float(upper)) for lower, upper in bounds)
    return _Attempt(tuple(cuts), smallest, float(np.mean(changed)), intervals)


def _explained(pairs: np.ndarray | None, k: int, way: Way, seed: int) -> float:
    """Return the share of the next value's variance that the classes explain, cross-validated in 5 folds."""
    if pairs is None:
        return float("nan")
    value, after = pairs.T
    fold = np.random.default_rng(seed).permutation(np.arange(len(value)) % FOLDS)
    error = total = 0.0
    for f in range(FOLDS):
        inside, outside = fold != f, fold == f
        positive = value[inside & (value > 0)]
        cuts = way(compress(positive, BOOTSTRAP_POINTS), k, _needed(len(positive))) if len(positive) else None
        if cuts is None:
            return float("nan")
        codes, mean = _codes(value, cuts), after[inside].mean()
        count = np.bincount(codes[inside], minlength=k)
        sums = np.bincount(codes[inside], weights=after[inside], minlength=k)
        predicted = np.where(count > 0, sums / np.maximum(count, 1), mean)[codes[outside]]
        error += float(np.sum((after[outside] - predicted) ** 2))
        total += float(np.sum((after[outside] - mean) ** 2))
    return 1 - error / total if total > 0 else float("nan")


def _readable(cut: float, positive: np.ndarray) -> float:
    """Round to 2, else 3, significant digits if no account changes class by it."""
    above = int(np.sum(positive >= cut))
    for digits in (2, 3):
        rounded = float(f"{cut:.{digits - 1}e}")
        if rounded > 0 and int(np.sum(positive >= rounded)) == above:
            return rounded
    return cut
