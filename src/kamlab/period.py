"""The frozen study period: the one place where days, weeks, months and years are converted."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal, get_args

from kamlab.errors import ConfigError

Unit = Literal["day", "week"]

DAYS_PER_YEAR = 365
DAYS_PER_UNIT: dict[str, int] = {"day": 1, "week": 7}
MONTHS_PER_YEAR = 12
QUARTER_DAYS = 91
"""Thirteen weeks."""


def days_to_units(days: float, unit: str) -> float:
    """Convert days into a model's time unit (weeks = days / 7, exactly)."""
    return days / DAYS_PER_UNIT[unit]


def months_to_days(months: int) -> int:
    """Convert months into days; twelve months are 365 days."""
    return round(months * DAYS_PER_YEAR / MONTHS_PER_YEAR)


def days_to_years(days: float) -> float:
    """Convert days into years of 365 days."""
    return days / DAYS_PER_YEAR


def parse_day(text: str) -> date:
    """Read a day in ISO format."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f'"{text}" is no date. Write the as-of date as year-month-day: 2025-12-31.') from None


def end_of_last_complete_month(today: date) -> date:
    """Return the last day of the calendar month before `today`, or `today` if it ends its month."""
    if today.day == monthrange(today.year, today.month)[1]:
        return today
    return today.replace(day=1) - timedelta(days=1)


def fiscal_quarters(as_of: date, first_month: int, *, years: int = 1) -> list[tuple[date, date]]:
    """Return first and last day of the fiscal quarters of the year that holds the as-of date, and of years before.

    Parameters
    ----------
    as_of : datetime.date
    first_month : int
        Month, 1 to 12, in which the fiscal year starts.
    years : int
        Number of fiscal years, the last of which holds the as-of date.
    """
    year = as_of.year - (as_of.month < first_month) - (years - 1)
    months = [12 * year + first_month - 1 + 3 * quarter for quarter in range(4 * years + 1)]
    starts = [date(month // 12, month % 12 + 1, 1) for month in months]
    return [(start, after - timedelta(days=1)) for start, after in pairwise(starts)]


@dataclass(frozen=True)
class StudyPeriod:
    """What may be read, and how far ahead is looked.

    Parameters
    ----------
    calibration_end : date, datetime, pandas.Timestamp or str
        The as-of date: the last day whose data may be used, inclusive (ISO format if a string); a time of day is
        dropped.
    horizon_days : int
        Length of the forecast in days, counted from the day after `calibration_end`.
    unit : {"week", "day"}
        Unit of `frequency`'s companions `recency` and `T` in the summary.
    """

    calibration_end: date
    horizon_days: int = DAYS_PER_YEAR
    unit: Unit = "week"

    def __post_init__(self) -> None:
        """Normalise the date and refuse impossible values."""
        if isinstance(self.calibration_end, str):
            object.__setattr__(self, "calibration_end", parse_day(self.calibration_end))
        elif isinstance(self.calibration_end, datetime):  # a pandas.Timestamp is one, too
            object.__setattr__(self, "calibration_end", self.calibration_end.date())
        if self.horizon_days < 1:
            raise ConfigError(f"horizon_days is {self.horizon_days}; a forecast needs at least 1 day.")
        if self.unit not in get_args(Unit):
            raise ConfigError(f'unit is "{self.unit}"; it must be "day" or "week".')

    @property
    def horizon(self) -> float:
        """Length of the forecast in the period's unit."""
        return days_to_units(self.horizon_days, self.unit)

    @property
    def holdout_end(self) -> date:
        """Last day of the horizon, inclusive."""
        return self.calibration_end + timedelta(days=self.horizon_days)

    def origin(self, k: int) -> StudyPeriod:
        """Return the period that ends `k` horizons earlier: origin `k` of the rolling contest."""
        return StudyPeriod(self.calibration_end - timedelta(days=k * self.horizon_days), self.horizon_days, self.unit)

    def window_start(self, days: int) -> date:
        """Return the first day of the window of `days` days that ends on the as-of date, both inclusive."""
        return self.calibration_end - timedelta(days=days - 1)
