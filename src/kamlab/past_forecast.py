"""What would have been forecast a year ago, in today's way and from the same ledger, against what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from kamlab import backtest, forecast, totals
from kamlab.backtest.level import level_sd, log_error
from kamlab.earlier import LEAST_DRAWS, MOST_CELLS, sampled
from kamlab.errors import DataError, ModelError
from kamlab.ids import among
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.summary import PARTS, holdout, summarize
from kamlab.terms import TABLES

LEAST_HISTORY = 0.5
"""As in the contest: what is said from less than half a horizon of history resembles nothing said today."""

_OF_FORECASTS = tuple(column.name for column in TABLES["summary"] if column.name not in PARTS["lines"] | PARTS["peaks"])
"""Of the summary: neither margins nor potentials are forecast here."""

FIRST_DAYS = timedelta(days=15)
"""A log that begins in the first fortnight of a stretch of days holds it whole."""


def held_against(
    ledger: Ledger,
    period: StudyPeriod,
    *,
    membership: pd.DataFrame,
    forecaster: str,
    record: pd.DataFrame,
    groups: Mapping[str, pd.Series],
    level: float = 0.9,
    n_draws: int = 200,
    seed: int = 0,
    days: int = DAYS_PER_YEAR,
) -> pd.DataFrame:
    """Hold what would have been forecast some days ago, for the days since, against what came in them.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Of today's run.
    membership : pandas.DataFrame
        Columns member, account.
    forecaster : str
        The one in force today.
    record : pandas.DataFrame
        Table "backtest" of `terms`: by how much the company's total had been missed before that day, which widens the
        intervals; and the contest's forecast from that very day, if it made one for all accounts, to whose total all is
        brought, so that there is one figure for last year's forecast.
    groups : mapping of str to pandas.Series
        Kind of group, such as "owner" → group by account (index).
    level, n_draws, seed
        Of the intervals.
    days : int
        How many days ago, and so how many days were forecast.

    Returns
    -------
    pandas.DataFrame
        Table "held_against" of `terms`: the company and the groups, with intervals of sums of joint draws; without rows
        where nothing can be forecast from that day. Accounts that were not known then are in no row. The models of more
        than `backtest.names.LOOKED_BACK_ON` accounts are fitted to a sample of so many.
    """
    names = [column.name for column in TABLES["held_against"]]
    date = StudyPeriod(period.calibration_end - timedelta(days=days), days, period.unit)
    if (date.calibration_end - ledger.first_date).days + 1 < LEAST_HISTORY * days:
        return pd.DataFrame(columns=names)
    try:
        summary = summarize(ledger, date, accounts=membership, columns=_OF_FORECASTS)
        some = sampled(summary["account"], seed)
        choice = backtest.choose(
            ledger,
            date,
            accounts=membership,
            origins=0,
            forecaster=forecaster,
            seed=seed,
            summary=summary if some is None else summary[among(summary["account"], some)],
            only=some,
        )
        known = _known_errors(record, forecaster, pd.Timestamp(date.calibration_end), period.horizon_days)
        choice = replace(choice, level_sd=level_sd(known, horizon_days=days)) if known else choice
        expected, draws = forecast.revenue_and_draws(
            summary,
            choice,
            horizon_days=days,
            n_draws=forecast.affordable_draws(n_draws, len(summary), most_cells=MOST_CELLS, least=LEAST_DRAWS),
            seed=seed,
        )
    except (DataError, ModelError):
        return pd.DataFrame(columns=names)
    if expected.isna().all():
        return pd.DataFrame(columns=names)
    table = totals.totals(expected, draws, groups, measure="revenue", basis="revenue", level=level)
    of_days = record if days == period.horizon_days else record.iloc[:0]
    table[["expected", "lower", "upper"]] *= _to_the_contest(of_days, forecaster, date, expected)
    before = StudyPeriod(date.calibration_end - timedelta(days=days), days, period.unit)
    for name, origin in (("actual", date), ("naive", before)):
        table[name] = _came(ledger, origin, membership, expected.index, groups, table)
    if ledger.first_date > before.calibration_end + FIRST_DAYS:
        table["naive"] = np.nan
    table = table.assign(made_on=pd.Timestamp(date.calibration_end), days=days)
    return table[names].astype({"made_on": "datetime64[s]"})


def _came(
    ledger: Ledger,
    origin: StudyPeriod,
    membership: pd.DataFrame,
    accounts: pd.Index,
    groups: Mapping[str, pd.Series],
    table: pd.DataFrame,
) -> list[float]:
    """Return the revenue of these accounts in the horizon after a date, for each kind and group of a table."""
    came = holdout(ledger, origin, accounts=membership).set_index("account")["revenue"].reindex(accounts).fillna(0.0)
    sums = {totals.COMPANY: pd.Series({totals.COMPANY: came.sum()})}
    sums |= {kind: came.groupby(by.reindex(came.index)).sum() for kind, by in groups.items()}
    return [float(sums[kind].get(group, 0.0)) for kind, group in zip(table["kind"], table["group"], strict=True)]


def _to_the_contest(record: pd.DataFrame, forecaster: str, date: StudyPeriod, expected: pd.Series) -> float:
    """Return what brings the total to that of the contest's forecast of the same days; 1 where it made none for all."""
    same = (record["origin"] == pd.Timestamp(date.calibration_end)) & (record["target"] == "revenue")
    rows = record[same & (record["forecaster"] == forecaster)]
    total = float(expected.sum())
    # A contest that looked at a sample knows no total of all.
    if rows.empty or rows["accounts"].iloc[0] < len(expected) or not total > 0:
        return 1.0
    return float(rows["forecast"].iloc[0]) / total


def _known_errors(record: pd.DataFrame, forecaster: str, day: pd.Timestamp, horizon_days: int) -> list[float]:
    """Return the logarithms of what came / what was forecast, of the forecasts whose time was over by a day."""
    over = pd.to_datetime(record["origin"]) + pd.Timedelta(days=horizon_days) <= day  # an empty table has no dates
    rows = record[over & (record["forecaster"] == forecaster) & (record["target"] == "revenue")]
    return [log_error(row.forecast, row.actual) for row in rows.itertuples()]
