"""What the summed likelihoods share: terms that a count alone decides, and the logistic function of log odds."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln, zeta

_MOST_STEPS = 20_000
"""Longer products are taken from the gamma function."""

_LARGEST_LOG = 600.0
"""Odds above e^600 leave no digit of the other outcome."""


class CountTerms:
    """Sums over accounts of ± ln(Γ(start + count) / Γ(start)), each group of counts with a start of its own.

    That is ln(start) + ln(start + 1) + … over the purchases before the last count, so over all accounts a sum over
    j = 0, 1, … of ln(start + j), each weighted with the share of accounts whose count is above j.

    Parameters
    ----------
    counts : sequence of numpy.ndarray
        Of each group, shape (n,), whole numbers.
    signs : sequence of float
        1 or −1 for each group.
    share : numpy.ndarray
        Of the accounts, shape (n,).
    """

    def __init__(self, counts: list[np.ndarray], signs: list[float], share: np.ndarray) -> None:
        most = int(max(count.max(initial=0.0) for count in counts))
        self._long = most > _MOST_STEPS
        if self._long:
            found = [np.unique(count, return_inverse=True) for count in counts]
            self._at = [values for values, _ in found]
            self._share = [
                sign * np.bincount(place, share, len(values))
                for sign, (values, place) in zip(signs, found, strict=True)
            ]
            return
        have = (np.bincount(count.astype(np.intp), share, most + 1) for count in counts)
        self._above = np.stack([sign * np.cumsum(one[:0:-1])[::-1] for sign, one in zip(signs, have, strict=True)])
        self._j, self._every = np.arange(float(most)), np.ones(most)

    def __call__(self, *starts: float) -> tuple[float, list[float], list[float]]:
        """Return the sum over all groups, and its first and second derivative by each group's start."""
        if self._long:
            return self._by_gamma_functions(starts)
        at = np.array(starts)[:, None] + self._j
        slope = self._above / at
        value = float(np.vdot(self._above, np.log(at)))
        return value, (slope @ self._every).tolist(), (-(slope / at) @ self._every).tolist()

    def _by_gamma_functions(self, starts: tuple[float, ...]) -> tuple[float, list[float], list[float]]:
        value, first, second = 0.0, [], []
        for start, counts, share in zip(starts, self._at, self._share, strict=True):
            value += float(share @ (gammaln(start + counts) - gammaln(start)))
            first.append(float(share @ (digamma(start + counts) - digamma(start))))
            second.append(float(share @ (zeta(2, start + counts) - zeta(2, start))))
        return value, first, second


def logistic(log_odds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the probability, its complement, and ln(1 + odds)."""
    if log_odds.max(initial=0.0) < _LARGEST_LOG:
        odds = np.exp(log_odds)
        either = np.log1p(odds)
    else:
        odds = np.exp(np.minimum(log_odds, _LARGEST_LOG))
        either = np.maximum(log_odds, 0.0) + np.log1p(np.exp(-np.abs(log_odds)))
    both = 1 + odds
    return odds / both, 1 / both, either
