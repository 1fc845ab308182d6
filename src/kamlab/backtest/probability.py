"""Probabilities held against what happened: P(alive) and P(buys), and the correction of the latter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

PRIOR_SD = 0.5
"""Of the correction's two numbers around no correction."""
SMALLEST = 1e-6


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
