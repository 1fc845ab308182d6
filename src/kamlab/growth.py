"""Growth between two windows of 12 months that hold the same number of festivals.

Festivals that follow the moon stop trade for weeks and fall into one January and the next February, so that 12 months
may hold none or two of them. Both windows are then moved back together, by as few days as it takes until they hold as
many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kamlab.calendar import comparable, festivals_in
from kamlab.errors import DataError
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.revenue import revenue_windows
from kamlab.summary import summarize

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.ledger import Ledger

LONGEST_SHIFT_DAYS = 62
"""Two months: a festival of the moon moves by one at most, so that windows are found well within it."""

COLUMNS = ("trailing_revenue", "previous_revenue", "trailing_purchase_days", "previous_purchase_days")
"""Columns of the summary that growth is computed from."""


def compared_period(period: StudyPeriod, festivals: Sequence[str]) -> StudyPeriod:
    """Return the period whose last 12 months and 12 before hold the same number of festivals.

    Parameters
    ----------
    period : StudyPeriod
    festivals : sequence of str
        Names of `calendar.CALENDARS`.

    Returns
    -------
    StudyPeriod
        Ends on the latest day, up to the as-of date, for which that is so; `period` itself where there is none within
        `LONGEST_SHIFT_DAYS`.
    """
    for days in range(LONGEST_SHIFT_DAYS + 1):
        moved = replace(period, calibration_end=period.calibration_end - timedelta(days=days))
        start, before = (moved.window_start(n * DAYS_PER_YEAR) for n in (1, 2))
        if comparable(start, moved.calibration_end, before, start - timedelta(days=1), festivals):
            return moved
    return period


def windows(
    ledger: Ledger,
    period: StudyPeriod,
    summary: pd.DataFrame,
    festivals: Sequence[str],
    *,
    accounts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what each account bought in the two windows that growth compares.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
    summary : pandas.DataFrame
        account and `COLUMNS` as of the period's end.
    festivals : sequence of str
        Names of `calendar.CALENDARS`.
    accounts : pandas.DataFrame, optional
        Columns member, account, as `summarize` takes them.

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["growth_windows"]`, one row an account of `summary`; accounts that first bought after
        the windows' end have bought nothing in them.
    """
    moved = compared_period(period, festivals)
    table = summary[["account", *COLUMNS]]
    if moved != period:
        try:
            found = summarize(ledger, moved, accounts=accounts, columns=COLUMNS)
        except DataError:  # nobody had bought by then
            found = table.head(0)
        table = found.set_index("account").reindex(summary["account"]).fillna(0.0).reset_index()
    table = table.astype({name: "int64" for name in COLUMNS if name.endswith("days")})
    return table.assign(shift_days=(period.calibration_end - moved.calibration_end).days)


def facts(
    ledger: Ledger, period: StudyPeriod, festivals: Sequence[str], revenue: dict[str, float | None]
) -> dict[str, Any]:
    """Return how many festivals the last 24 months hold, and the company's revenue in windows that hold as many.

    Parameters
    ----------
    ledger, period, festivals
        As for `windows`.
    revenue : dict
        What `summary.revenue_windows` returns for the period.

    Returns
    -------
    dict
        trailing, previous: festivals in the last 12 months and in the 12 before; end: last day of the windows that are
        compared (ISO); compared_trailing, compared_previous: net revenue in them (currency; the latter None where the
        log does not hold them whole).
    """
    moved = compared_period(period, festivals)
    found = revenue if moved == period else revenue_windows(ledger, moved)
    starts = [period.window_start(n * DAYS_PER_YEAR) for n in (1, 2)]
    ends = [period.calibration_end, starts[0] - timedelta(days=1)]
    held = [festivals_in(start, end, festivals) for start, end in zip(starts, ends, strict=True)]
    return {
        **dict(zip(("trailing", "previous"), held, strict=True)),
        "end": moved.calibration_end.isoformat(),
        "compared_trailing": found["trailing"],
        "compared_previous": found["previous"],
    }
