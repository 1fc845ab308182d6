"""Holidays that move from year to year and stop trade, and the company's own year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

CALENDARS: dict[str, tuple[str, str]] = {
    "spring_festival": ("CN", "Chinese New Year (Spring Festival)"),
    "tet": ("VN", "Lunar New Year"),
}
"""Festival → country and name of its first day in the library `holidays`."""


@cache
def first_days(festival: str, year: int) -> tuple[date, ...]:
    """Return the first day of a festival in a year, as the library `holidays` has it; none where it knows none."""
    import holidays

    country, name = CALENDARS[festival]
    known = holidays.country_holidays(country, years=year, language="en_US", observed=False)
    return tuple(sorted(known.get_named(name, lookup="exact")))[:1]


def festivals_in(start: date, end: date, festivals: Sequence[str]) -> int:
    """Count the festivals whose first day lies in a window; both ends belong to it.

    Growth compares two windows fairly only where both hold as many: festivals that follow the moon fall into one
    January and the next February, so that a first quarter, or twelve months that end in January, may hold none or two.

    Parameters
    ----------
    start, end : date
    festivals : sequence of str
        Names of `CALENDARS`.
    """
    days = [day for name in festivals for year in range(start.year, end.year + 1) for day in first_days(name, year)]
    return sum(start <= day <= end for day in days)


def comparable(start: date, end: date, earlier_start: date, earlier_end: date, festivals: Sequence[str]) -> bool:
    """Whether two windows hold the same number of festivals."""
    return festivals_in(start, end, festivals) == festivals_in(earlier_start, earlier_end, festivals)


def fiscal_year(day: date, start_month: int) -> int:
    """Return the fiscal year of a day, named after the calendar year in which it ends."""
    return day.year + (start_month > 1 and day.month >= start_month)


def fiscal_year_bounds(year: int, start_month: int) -> tuple[date, date]:
    """Return the first and the last day of a fiscal year, named after the calendar year in which it ends."""
    first = year if start_month == 1 else year - 1
    start = date(first, start_month, 1)
    return start, date(first + 1, start_month, 1) - timedelta(days=1)
