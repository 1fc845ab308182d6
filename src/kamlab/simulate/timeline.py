"""The sample company's days: 2022 to 2025 are on record, 2026 is the future that forecasts are tested against."""

from __future__ import annotations

from datetime import date

import numpy as np

from kamlab.period import DAYS_PER_YEAR, StudyPeriod

FIRST_DAY = date(2022, 1, 1)
PERIOD = StudyPeriod(date(2025, 12, 31), horizon_days=DAYS_PER_YEAR, unit="day")

DAYS = np.arange(np.datetime64(FIRST_DAY), np.datetime64(PERIOD.holdout_end) + np.timedelta64(1, "D"))
AS_OF = int(np.searchsorted(DAYS, np.datetime64(PERIOD.calibration_end)))
"""Position of the as-of date in `DAYS`."""

YEARS = (np.arange(DAYS.size) - AS_OF) / DAYS_PER_YEAR
"""Time from the as-of date, in years, for each of `DAYS`."""

SPRING_FESTIVALS = np.array(
    ["2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17"], dtype="datetime64[D]"
)

SEASONS: dict[str, tuple[int, ...]] = {
    "": tuple(range(1, 13)),
    "autumn": (9, 10, 11, 12),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
}
"""Months in which accounts of a season order; the empty season orders all year."""


def day_index(text: str) -> int:
    """Return the position in `DAYS` of a day in ISO format."""
    return int(np.searchsorted(DAYS, np.datetime64(text)))


def _holidays() -> np.ndarray:
    years = np.unique(DAYS.astype("datetime64[Y]"))
    fixed = [(1, 1), (5, 1), (5, 2), (5, 3), *((10, day) for day in range(1, 8))]
    days = [np.datetime64(f"{year}-{month:02d}-{day:02d}") for year in years.astype(str) for month, day in fixed]
    festival = SPRING_FESTIVALS[:, None] + np.arange(-1, 6)
    return np.concatenate([np.array(days), festival.ravel()])


BUSINESS = np.is_busday(DAYS, holidays=_holidays())
"""Whether goods are sold on each of `DAYS`."""


def next_business_day(index: np.ndarray) -> np.ndarray:
    """Return positions moved forward to a business day; past the last one they are `DAYS.size`."""
    open_days = np.append(np.flatnonzero(BUSINESS), DAYS.size)
    return open_days[np.searchsorted(open_days, np.minimum(index, DAYS.size))]


def weights(season: str) -> np.ndarray:
    """Return the share of a year's ordering that falls on each of `DAYS`.

    Zero outside business days and the season's months, lower around the Spring Festival, a little higher
    towards the end of the year; 2022 to 2025 add up to 4.
    """
    months = DAYS.astype("datetime64[M]").astype(int) % 12 + 1
    days_from_festival = (DAYS[:, None] - SPRING_FESTIVALS).astype(int)
    before = ((days_from_festival >= -10) & (days_from_festival < -1)).any(axis=1)
    after = ((days_from_festival > 5) & (days_from_festival <= 16)).any(axis=1)
    weight = BUSINESS * np.isin(months, SEASONS[season]) * (1 + 0.08 * np.cos(2 * np.pi * (months - 11) / 12))
    weight = weight * np.where(before, 0.5, np.where(after, 0.6, 1.0))
    return weight / weight[: AS_OF + 1].sum() * 4
