"""Probabilities held against what happened: P(alive) and P(buys), and the correction of the latter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit, logit

PRIOR_SD = 0.5
"""Of the correction's two numbers around no correction."""
SMALLEST = 1e-6

GONE = 0.5
"""P(alive) below which an account counts as gone where no earlier date says it."""
LEAST_TRIED = 100
"""Accounts that earlier dates must have tried to say it."""
GONE_BETWEEN = (0.1, 0.9)
"""What they say counts between these."""


@dataclass(frozen=True)
class LogitCorrection:
    """p ↦ expit(shift + slope · logit p), learnt at earlier dates (Platt 1999, "Probabilistic outputs for SVMs")."""

    shift: float = 0.0
    slope: float = 1.0

    @classmethod
    def learnt(cls, earlier: Sequence[tuple[np.ndarray, np.ndarray]]) -> Self:
        """Learn from pairs of probability and whether it happened, with a normal prior around no correction."""
        if not earlier:
            return cls()
        probability, happened = (np.concatenate(parts) for parts in zip(*earlier, strict=True))
        log_odds = logit(np.clip(probability, SMALLEST, 1 - SMALLEST))

        def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
            odds = at[0] + at[1] * log_odds
            off = (at - [0.0, 1.0]) / PRIOR_SD
            error = expit(odds) - happened
            value = np.logaddexp(0.0, odds).sum() - happened @ odds + off @ off / 2
            return float(value), np.array([error.sum(), error @ log_odds]) + off / PRIOR_SD

        found = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(-5, 5), (0.05, 5)])
        return cls(*(float(v) for v in found.x))

    def applied(self, probability: np.ndarray) -> np.ndarray:
        """Return the corrected probabilities; what is certain stays so within a millionth."""
        if self == LogitCorrection():
            return probability
        log_odds = logit(np.clip(probability, SMALLEST, 1 - SMALLEST))
        return np.asarray(expit(self.shift + self.slope * log_odds))


def gone_below(calibration: pd.DataFrame) -> float:
    """Return the P(alive) below which accounts did more often not buy again in the horizon than buy.

    The shares of accounts that bought, by tenths of P(alive) at earlier dates, are made to rise with it (isotonic
    regression); the threshold is the lower border of the first tenth that reaches one half.

    Parameters
    ----------
    calibration : pandas.DataFrame
        Table "calibration" of `terms`.
    """
    bins = calibration[calibration["probability"] == "alive"]
    if bins["accounts"].sum() < LEAST_TRIED:
        return GONE
    bought = (bins["observed"] * bins["accounts"]).groupby(bins["lower"]).sum()
    tried = bins["accounts"].groupby(bins["lower"]).sum().astype(float)
    rising = isotonic_regression((bought / tried).to_numpy(), weights=tried.to_numpy()).x
    # What is pooled need not come out as one half to the last digit.
    reached = rising >= 0.5 - 1e-12
    found = tried.index[reached][0] if reached.any() else GONE_BETWEEN[1]
    return float(np.clip(found, *GONE_BETWEEN))
