"""The spread around the chosen mean: the model's draws brought to it, and quantiles corrected by what came earlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betainc

from kamlab.threads import in_order, parts

NOTHING = 1e-9
"""Below this many expected purchases the model draws next to nothing that could be scaled."""
MIN_BOUGHT = 10
"""With fewer draws that buy, an account's are made anew."""
FAR_MORE = 2.0
"""Draws with more than this multiple of what is expected are brought to the wanted mean from their own."""

MODEL_SHARE = 0.5
"""Of an account's draws, those that stay the model's own where another forecaster gives the mean."""

GRID = np.linspace(0.0, 1.0, 41)
PRIOR_ACCOUNTS = 50
"""The distribution that ranks are drawn to weighs as much as this many accounts."""
UNSURE = betainc(0.6, 0.6, GRID)
"""What ranks are drawn to where another than the model gives the means: 23 % of results outside the 90 % interval.

A model's own intervals hold from one date to the next; what a rule says has no spread that theory knows.
"""


def around(counts: np.ndarray, expected: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spread drawn purchases around another mean, in doubt which of the two is right; they stay whole numbers.

    Half of the draws stay the model's, the others are brought to where the mean of all is the one wanted; where less
    than half of the model's is wanted, as many stay as that mean allows and the others buy nothing. Brought to it all
    together, they would be as narrow as if the mean were known: a count of last year is luck in part, and who bought
    once by chance comes back to what he is used to. The spread of two forecasts that are equally good is that of their
    mixture (Hall and Mitchell 2007, "Combining density forecasts", International Journal of Forecasting 23).

    Parameters
    ----------
    counts : numpy.ndarray
        Whole numbers, shape (accounts, draws).
    expected, wanted : numpy.ndarray
        Mean that they were drawn with, and the mean to have; shape (accounts,).
    """
    if np.allclose(expected, wanted, rtol=1e-9):
        return counts
    ratio = np.divide(wanted, expected, out=np.zeros_like(expected), where=expected > NOTHING)
    share = np.minimum(ratio, MODEL_SHARE)
    moved = bring_to(counts, expected, np.maximum(wanted - share * expected, 0.0) / (1 - share), rng)
    return np.where(rng.random(counts.shape) < share[:, None], counts, moved)


def bring_to(counts: np.ndarray, expected: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bring drawn purchases to another mean; they stay whole numbers.

    Too many are thinned, each purchase kept with the chance wanted / expected. Too few: first more of the draws buy at
    all, up to every one, as if the account were likelier to be alive; then those that buy, buy more, rounded up or down
    at random so that the mean is kept. Where almost no draw buys, purchases come as Bernoulli or 1 + Poisson with the
    mean wanted.

    Parameters
    ----------
    counts : numpy.ndarray
        Whole numbers, shape (accounts, draws).
    expected, wanted : numpy.ndarray
        Mean that they were drawn with, and the mean to have; shape (accounts,).
    """
    drawn = counts.mean(axis=1)
    # Uncertain parameters may draw far more than is expected at the estimates.
    mean = np.where(drawn > FAR_MORE * expected, drawn, expected)
    ratio = np.divide(wanted, mean, out=np.full_like(mean, np.inf), where=mean > NOTHING)
    counts = counts.copy()
    fewer = ratio < 1
    counts[fewer] = rng.binomial(counts[fewer].astype(np.int64), ratio[fewer, None])
    bought = (counts > 0).sum(axis=1)
    lost = (ratio > 1) & (wanted > 0) & (bought < MIN_BOUGHT)
    more = (ratio > 1) & ~lost
    if more.any():
        counts[more] = _more(counts[more], ratio[more], rng)
    if lost.any():
        shape, few = (int(lost.sum()), counts.shape[1]), wanted[lost, None]
        often = 1 + rng.poisson(np.maximum(few - 1, 0.0), shape)
        counts[lost] = np.where(few >= 1, often, rng.random(shape) < few)
    counts[ratio == 0] = 0
    return counts


def _more(counts: np.ndarray, ratio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let more draws buy, then let them buy more."""
    n = counts.shape[1]
    buying = (counts > 0).mean(axis=1)
    share = np.minimum(ratio * buying, 1.0)
    joining = np.divide(share - buying, 1 - buying, out=np.zeros_like(share), where=buying < 1)
    falling = -np.sort(-counts, axis=1)
    pick = (rng.random(counts.shape) * (buying * n)[:, None]).astype(np.intp)
    joined = (counts == 0) & (rng.random(counts.shape) < joining[:, None])
    counts = np.where(joined, np.take_along_axis(falling, pick, axis=1), counts)
    return np.floor(counts * (ratio * buying / share)[:, None] + rng.random(counts.shape))


def level_error(sd: float, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the company's common factor: lognormal with mean 1."""
    return np.exp(sd * rng.standard_normal(n_draws) - sd**2 / 2)


def ranks(draws: np.ndarray, actual: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the randomised probability integral transform of what came: even ranks where the draws are right.

    `place`, uniform random numbers, says where among equal draws; all of shape (accounts,). Czado, Gneiting and Held
    (2009), "Predictive model assessment for count data", Biometrics 65, section 2.
    """
    below = (draws < actual[:, None]).sum(axis=1)
    equal = (draws == actual[:, None]).sum(axis=1)
    return np.asarray((below + place * (equal + 1)) / (draws.shape[1] + 1))


@dataclass(frozen=True, eq=False)
class Recalibration:
    """What share of the accounts came out below each of their quantiles at earlier dates.

    Attributes
    ----------
    below : numpy.ndarray
        Share of accounts whose result lay below their quantile of probability `GRID`; `GRID` itself where nothing is
        corrected.
    """

    below: np.ndarray

    @classmethod
    def learnt(cls, earlier: Sequence[np.ndarray], prior: np.ndarray = GRID) -> Self:
        """Learn from the ranks of what came at earlier dates, drawn towards a prior's where they are few.

        Kuleshov, Fenner and Ermon (2018), "Accurate uncertainties for deep learning using calibrated regression",
        section 3; the prior keeps the curve rising, so that it can be inverted.
        """
        pooled = np.sort(np.concatenate([*earlier, np.empty(0)]))
        share = np.searchsorted(pooled, GRID, side="right")
        return cls((share + PRIOR_ACCOUNTS * prior) / (len(pooled) + PRIOR_ACCOUNTS))

    @property
    def changes(self) -> bool:
        """Whether any quantile moves."""
        return bool(np.abs(self.below - GRID).max() > 0)

    def place(self, probability: np.ndarray) -> np.ndarray:
        """Return the model's probability whose quantile stands for each probability."""
        return np.interp(probability, self.below, GRID)

    def applied(self, draws: np.ndarray) -> np.ndarray:
        """Return the draws with corrected quantiles and the mean that each row had; their order within a row stays.

        The sums over accounts thus vary together as before.
        """
        if not self.changes:
            return draws
        n = draws.shape[1]
        order = _rising(draws)
        rising = draws.take(order)
        position = self.place((np.arange(n) + 0.5) / n) * n - 0.5
        low = np.clip(np.floor(position).astype(int), 0, n - 1)
        high, part = np.minimum(low + 1, n - 1), np.clip(position - low, 0.0, 1.0)
        new = rising.take(low, axis=1) * (1 - part) + rising.take(high, axis=1) * part
        # One column added to the other, which is the order that the last bits of the means come from.
        before, after = draws.mean(axis=1), new.T.copy().mean(axis=0)
        usable = after > 0
        new *= np.divide(before, after, out=np.ones_like(before), where=usable)[:, None]
        corrected = np.empty(draws.shape)
        corrected.reshape(-1)[order] = new
        corrected[~usable] = draws[~usable]
        return corrected


def _rising(draws: np.ndarray) -> np.ndarray:
    """Return each row's places, in the table laid out flat, in the rising order of its values, equal ones as they come.

    A place in the row takes the last bits of a value that is not negative: whole numbers are sorted many times faster
    than places by their values. Values that agree in all bits but these count as equal.
    """
    n_rows, n = draws.shape
    first = n * np.arange(n_rows)[:, None]
    if draws.dtype != np.float64 or (draws < 0).any():
        return np.argsort(draws, axis=1, kind="stable") + first
    low_bits = (1 << (n - 1).bit_length()) - 1
    keys = np.ascontiguousarray(draws).view(np.int64) & ~low_bits
    keys |= np.arange(n)
    keys.sort(axis=1)
    keys &= low_bits
    keys += first
    return keys


_CHUNK = 10_000
"""Rows whose quantiles are taken at a time."""

EVEN = Recalibration(GRID)
"""Corrects nothing."""


def bounds(draws: np.ndarray, level: float, *, whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of each row's central interval; whole numbers, rounded outwards, where they are counts.

    Quantiles as numpy's: "inverted_cdf" of counts, else "linear".
    """
    found = np.empty((2, len(draws)))
    rows = parts(len(draws), _CHUNK)
    for some, ends in zip(rows, in_order(lambda some: _ends(draws[some], level, whole=whole), rows), strict=True):
        found[:, some] = ends
    found += 0.0  # without a sign of nothing
    return (np.floor(found[0]), np.ceil(found[1])) if whole else (found[0], found[1])


def _ends(draws: np.ndarray, level: float, *, whole: bool) -> np.ndarray:
    """Return the quantiles of some rows, shape (2, rows), of sorted draws, which is faster than to part them twice."""
    rising, ends = np.sort(draws, axis=1), np.array([(1 - level) / 2, (1 + level) / 2])
    last = draws.shape[1] - 1
    if whole:
        return rising[:, np.quantile(np.arange(last + 1), ends, method="inverted_cdf")].T
    place = last * ends
    low = np.floor(place).astype(np.intp)
    part = place - low
    below, above = rising[:, low], rising[:, np.minimum(low + 1, last)]
    step = above - below
    # From the nearer end, so that rounding cannot pass it.
    return np.where(part < 0.5, below + step * part, above - step * (1 - part)).T
