"""The model's expected purchases and the account's recent ones, mixed by a weight that earlier origins chose.

A model with one constant rate a customer answers slowly where customers order more and more, or less and less. Simple
averages of forecasts correct that and are hard to beat (Bates and Granger 1969, "The Combination of Forecasts").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

WEIGHTS = (1.0, 0.75, 0.5, 0.25)
"""Weights of the model that are tried; it is never left out, because only it tells who has gone."""

NOTHING = 1e-9
"""Below this many expected purchases an account is gone, and nothing of it is scaled."""


@dataclass(frozen=True)
class Origin:
    """What one origin of the contest knows, one entry an account.

    expected : model's expected purchases of the horizon; p_alive; recent : purchases of the window before, as long as
    the horizon; worth : expected value of a purchase (1 where purchases are compared);
    actual : what came, in that value.
    """

    expected: np.ndarray
    p_alive: np.ndarray
    recent: np.ndarray
    worth: np.ndarray
    actual: np.ndarray


def ratio(expected: np.ndarray, p_alive: np.ndarray, recent: np.ndarray, weight: float) -> np.ndarray:
    """Return blended / expected purchases: weight + (1 − weight) · P(alive) · recent / expected.

    The recent purchases count only as far as the account is alive. Shape (accounts,); 1 where nothing is expected.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = weight + (1 - weight) * p_alive * recent / expected
    return np.where(expected > NOTHING, scaled, 1.0)


def scale_counts(lower: ArrayLike, upper: ArrayLike, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whole-number bounds scaled with the forecast, rounded outwards."""
    return np.floor(np.asarray(lower) * scale), np.ceil(np.asarray(upper) * scale)


def choose_weight(origins: Sequence[Origin]) -> float:
    """Return the weight with the lowest root mean squared error, relative to the model's, averaged over the origins.

    Without an origin to choose on the model stands alone (weight 1).
    """
    if not origins:
        return 1.0
    scores = {weight: np.mean([_error(o, weight) / _error(o, 1.0) for o in origins]) for weight in WEIGHTS}
    return min(scores, key=lambda weight: scores[weight])


def _error(origin: Origin, weight: float) -> float:
    forecast = origin.expected * ratio(origin.expected, origin.p_alive, origin.recent, weight) * origin.worth
    return float(np.sqrt(np.mean((forecast - origin.actual) ** 2))) or NOTHING
