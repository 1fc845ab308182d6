"""The level: by how much the company's total missed at earlier dates, its correction, and what error is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from kamlab.period import DAYS_PER_YEAR, months_to_days

PRIOR_LEVEL_SD = 0.2
PRIOR_LEVEL_WEIGHT = 2
"""Before any date is seen the company's total is taken to miss by 20 %, a belief worth two dates."""

PRIOR_SEASON_SD = 0.3
"""By 30 % where the horizon is shorter than eleven months: earlier dates then had other seasons ahead of them."""

PRIOR_DATES = 2
"""The bias seen is drawn towards none as if two more dates had shown none."""

LOWEST_RATIO = 0.05
"""Totals that came in below 5 % of their forecast count as 5 %: the logarithm must stay finite."""

Seen = Sequence[tuple[np.ndarray, np.ndarray]]
"""Forecast and actual of each account at each date, oldest date first."""


def log_error(forecast: float, actual: float) -> float:
    """Return ln(actual / forecast) of a total; 0 where nothing was forecast."""
    return float(np.log(max(actual / forecast, LOWEST_RATIO))) if forecast > 0 else 0.0


def factor(seen: Seen) -> float:
    """Return what the next forecast is multiplied by.

    The factor is exp(n / (n + 2) · mean of ln(actual / forecast)) over the n dates seen. It is 1 unless, made at each
    date from the dates before it, it would have brought the totals nearer and left the root mean squared error of the
    accounts no higher, on average. One date alone cannot show that.
    """
    errors = [log_error(forecast.sum(), actual.sum()) for forecast, actual in seen]
    total, single = 0.0, 0.0
    for i in range(1, len(seen)):
        shift = _shift(errors[:i])
        forecast, actual = seen[i]
        total += abs(errors[i] - shift) - abs(errors[i])
        single += _rmse(forecast * np.exp(shift), actual) / max(_rmse(forecast, actual), 1e-300) - 1
    helped = total < 0 and single <= 0
    return float(np.exp(_shift(errors))) if helped else 1.0


def _shift(errors: Sequence[float]) -> float:
    return float(np.sum(errors) / (len(errors) + PRIOR_DATES))


def _rmse(forecast: np.ndarray, actual: np.ndarray) -> float:
    return float(np.sqrt(((forecast - actual) ** 2).mean()))


def level_sd(errors: Sequence[float], *, horizon_days: int = DAYS_PER_YEAR) -> float:
    """Return the standard deviation of ln(actual / forecast) of the company's total.

    The squares of the errors at the n dates seen are averaged with a prior worth two dates, and the root is widened by
    the ratio of Student's t on n + 2 degrees of freedom to the normal at 95 %, because few dates say little about the
    next.
    """
    freedom = PRIOR_LEVEL_WEIGHT + len(errors)
    prior = PRIOR_SEASON_SD if horizon_days < months_to_days(11) else PRIOR_LEVEL_SD
    mean_square = (PRIOR_LEVEL_WEIGHT * prior**2 + np.square(errors).sum()) / freedom
    return float(np.sqrt(mean_square) * stdtrit(freedom, 0.95) / ndtri(0.95))
