"""What runs at earlier dates would have said, recomputed from the same ledger: the base of movement and of evidence.

Evidence looks one, two and three horizons back, as the forecasters' contest does, so that a year's forecast is held
against a whole year. Nothing after a date enters what is said as of it, but for the forecaster that is in force today,
so that all dates are forecast in today's way. What has no dates of its own, such as a potential, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from kamlab import backtest, forecast, margins, receivables, schemes, tiers
from kamlab.backtest.names import LOOKED_BACK_ON as MAX_ACCOUNTS
from kamlab.errors import DataError, ModelError
from kamlab.ids import among
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.progress import track
from kamlab.revenue import members_of
from kamlab.summary import GAPS, holdout, summarize
from kamlab.terms import AUTO, TABLES
from kamlab.tiers import Cuts

ORIGINS = 3
LEAST_HISTORY = 0.5
"""As in the contest: what is said from less than half a horizon of history resembles nothing said today."""
N_DRAWS = 200
N_BOOT = 30
"""Fewer than today's run takes: borders and bounds of earlier dates are not printed."""
MOST_CELLS, LEAST_DRAWS = 20_000_000, 40
"""Of draws at an earlier date, see `forecast.affordable_draws`: their bounds only decide which moves count at once."""
UNUSED = GAPS | {"product_lines"}
"""Columns of the summary that take long, and that forecasts by models that are fitted are not made from."""


@dataclass(frozen=True, eq=False)
class Settings:
    """What an earlier run shares with today's.

    units : account master as of today; membership : columns member, account; fixed : configured thresholds of each
    axis; forecaster : the one in force today; covariates : what models take of the master, if any; level : of
    intervals; seed; costs : account, date, amount of serving it, where known; books : invoices and payments, where
    known; discount_rate_annual : what waiting for their money costs; then : account master and value of open deals by
    account as of a date, without which potentials are not followed.
    """

    units: pd.DataFrame
    membership: pd.DataFrame
    fixed: Mapping[str, tuple[float, float]]
    forecaster: str = AUTO
    covariates: pd.DataFrame | None = None
    level: float = 0.9
    seed: int = 0
    costs: pd.DataFrame | None = None
    books: tuple[pd.DataFrame, pd.DataFrame] | None = None
    discount_rate_annual: float = 0.1
    then: Callable[[StudyPeriod], tuple[pd.DataFrame, Mapping[str, float]]] | None = None


def look_back(ledger: Ledger, period: StudyPeriod, settings: Settings, *, origins: int = ORIGINS) -> pd.DataFrame:
    """Recompute values and classes whole horizons before the as-of date, with what came in the horizon after.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Of today's run.
    settings : Settings
    origins : int
        Number of dates at most.

    Returns
    -------
    DataFrame
        Table "earlier" of `terms`, by date and account; without rows where the ledger is too short, or nobody
        had bought by then. Classes of contribution are those of each date's own borders, by the value alone. Of more
        than `MAX_ACCOUNTS` accounts a random sample of so many is looked at.
    """
    dates = [period.origin(k) for k in range(1, origins + 1)]
    some = part_of(ledger, settings)
    said = [
        values.merge(_came(some, date, settings, values), on="account")
        for date, values in said_of(some, dates, settings)
    ]
    tables: list[pd.DataFrame] = []
    for back in range(len(said), 0, -1):
        values = said[back - 1]
        cuts = contribution_cuts(
            values,
            tables[-1] if tables else None,
            settings.fixed["contribution"],
            seed=settings.seed,
            n_boot=N_BOOT,
        )
        classes = schemes.apply(values, {"contribution": cuts}, settings.fixed, seed=settings.seed, n_boot=N_BOOT).table
        table = values.drop(columns=[c for c in classes if c != "account" and c in values]).merge(classes, on="account")
        tables.append(table.assign(origin=pd.Timestamp(dates[back - 1].calibration_end), back=back))
    if not tables:
        return pd.DataFrame(columns=columns())
    return pd.concat(tables, ignore_index=True)[columns()].astype({"origin": "datetime64[s]"})


def columns() -> list[str]:
    """Return the columns of the table "earlier": those of `terms`, classes, and what orders accounts in a class."""
    named = [c.name for c in TABLES["earlier"] if c.name != "…"]
    orders = sorted({c.order for c in schemes.CLASSES.values()} - {"potential_revenue", "headroom", "attitude_score"})
    return [*named, *(c for c in (*schemes.COLUMNS, *orders) if c not in named)]


def contribution_cuts(
    values: pd.DataFrame,
    before: pd.DataFrame | None,
    configured: tuple[float, float],
    *,
    seed: int = 0,
    n_boot: int = 200,
) -> Cuts:
    """Fit the borders of the contribution axis, judged by what came after the date before.

    Parameters
    ----------
    values : DataFrame
        expected_contribution, margin_rate, previous_revenue, trailing_revenue.
    before : DataFrame or None
        expected_contribution and next_value of the newest earlier date; without it last year's revenue is what
        the year before it is judged by, both at the account's margin rate.
    configured : tuple of float
        Thresholds that hold where nothing can be fitted.
    """
    if before is not None and len(before):
        earlier, after = before["expected_contribution"], before["next_value"]
    else:
        rate = values["margin_rate"].fillna(1.0)
        earlier, after = values["previous_revenue"] * rate, values["trailing_revenue"] * rate
    return tiers.fit(
        values["expected_contribution"],
        earlier_values=earlier,
        next_values=after,
        configured=configured,
        seed=seed,
        n_boot=n_boot,
    )


def sampled(accounts: pd.Series, seed: int) -> frozenset[str] | None:
    """Return the accounts to look at where there are too many to look at all; else None."""
    if len(accounts) <= MAX_ACCOUNTS:
        return None
    return frozenset(accounts.iloc[np.random.default_rng(seed).choice(len(accounts), MAX_ACCOUNTS, replace=False)])


def part_of(ledger: Ledger, settings: Settings) -> Ledger:
    """Return the lines of the accounts to look at, see `sampled`: all of them, or a ledger of their own."""
    some = sampled(settings.units["account"], settings.seed)
    return ledger if some is None else ledger.of(members_of(settings.membership, some))


Moves = Callable[[pd.DataFrame | None, pd.DataFrame], np.ndarray]
"""Takes what was said of the date before, if anything, and what is forecast of a date; returns who needs bounds."""


def said_of(
    ledger: Ledger,
    dates: Sequence[StudyPeriod],
    settings: Settings,
    *,
    with_soon: bool = True,
    moves: Moves | None = None,
    watched: Collection[str] = (),
) -> list[tuple[StudyPeriod, pd.DataFrame]]:
    """Return what schemes take of each date, the newest first, up to the first from which nothing can be forecast.

    Parameters
    ----------
    ledger : Ledger
        Of all accounts, or those to look at.
    dates : sequence of StudyPeriod
        The newest first.
    settings : Settings
    with_soon : bool
        As for `forecast.value`.
    moves : callable, optional
        Where accounts are many, and moves alone count: models are fitted to a sample, the accounts that it names have
        bounds, and of the summary there is only what forecasts and potentials are made from, and `watched`. All
        have bounds where a cost to serve is known, which is spent as often as draws show a purchase.
    watched : collection of str
        Columns that are wanted beside.
    """
    said: list[tuple[StudyPeriod, pd.DataFrame]] = []
    some = part_of(ledger, settings) if moves else None
    for date in track(dates[::-1], "earlier dates looked back to"):
        before = said[-1][1] if said else None
        if (date.calibration_end - ledger.first_date).days + 1 < LEAST_HISTORY * date.horizon_days:
            continue
        try:
            if moves is None or some is None:
                values = _values(ledger, date, settings, with_soon=with_soon)
            else:
                values = _values_where(ledger, some, date, settings, partial(moves, before), watched)
        except (DataError, ModelError):
            values = None
        # What comes before a date from which nothing can be forecast is not followed.
        said = [] if values is None or values["expected_contribution"].isna().all() else [*said, (date, values)]
    return said[::-1]


def _values(ledger: Ledger, date: StudyPeriod, settings: Settings, *, with_soon: bool) -> pd.DataFrame:
    """Summarise and forecast as of one date, for the ledger's accounts known by then."""
    summary = summarize(ledger, date, accounts=settings.membership)
    choice = _choice(ledger, date, settings, summary)
    known = backtest.described(summary, settings.covariates)
    n_draws = forecast.affordable_draws(N_DRAWS, len(summary), most_cells=MOST_CELLS, least=LEAST_DRAWS)
    options = _options(ledger, date, settings, summary)
    future = forecast.value(known, choice, n_draws=n_draws, with_soon=with_soon, **options)
    return _inputs(settings, summary, future)


def _values_where(
    ledger: Ledger,
    some: Ledger,
    date: StudyPeriod,
    settings: Settings,
    moves: Callable[[pd.DataFrame], np.ndarray],
    watched: Collection[str],
) -> pd.DataFrame:
    """Do the same for accounts in great number, by models of some of them; see `said_of`."""
    wanted = [column.name for column in TABLES["summary"] if column.name not in UNUSED or column.name in watched]
    summary = summarize(ledger, date, accounts=settings.membership, columns=wanted)
    choice = _choice(some, date, settings, summarize(some, date, accounts=settings.membership))
    known = backtest.described(summary, settings.covariates)
    options = _options(ledger, date, settings, summary)
    if settings.costs is None:
        future = forecast.value_where(known, choice, moves, n_draws=N_DRAWS, **options)
    else:
        n_draws = forecast.affordable_draws(N_DRAWS, len(summary), most_cells=MOST_CELLS, least=LEAST_DRAWS)
        future = forecast.value(known, choice, n_draws=n_draws, with_soon=False, **options)
    return _inputs(settings, summary, future)


def _choice(ledger: Ledger, date: StudyPeriod, settings: Settings, summary: pd.DataFrame) -> backtest.Choice:
    """Fit the forecaster in force today to what was known at a date."""
    return backtest.choose(
        ledger,
        date,
        accounts=settings.membership,
        covariates=settings.covariates,
        origins=0,
        forecaster=settings.forecaster,
        seed=settings.seed,
        summary=summary,
    )


def _options(ledger: Ledger, date: StudyPeriod, settings: Settings, summary: pd.DataFrame) -> dict[str, Any]:
    """Return what forecasts of a date take beside the summary and the choice."""
    return {
        "margins": _rates(ledger, date, settings, summary),
        "horizon_days": DAYS_PER_YEAR,
        "level": settings.level,
        "seed": settings.seed,
    }


def _inputs(settings: Settings, summary: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
    """Put together what schemes take, of the accounts known at a date."""
    return schemes.inputs(settings.units[among(settings.units["account"], summary["account"])], summary, future)


def _rates(ledger: Ledger, date: StudyPeriod, settings: Settings, summary: pd.DataFrame) -> pd.DataFrame | None:
    """Return the margins as they were known at a date; None where the log has no costs."""
    if not ledger.has_cost:
        return None
    channels = settings.units.set_index("account")["channel"].reindex(summary["account"])
    served = owed = None
    if settings.costs is not None:
        served = margins.cost_to_serve(settings.costs, date, accounts=settings.membership)
    if settings.books is not None:
        cost = settings.discount_rate_annual
        ids, day = summary["account"], date.calibration_end
        owed = receivables.rates(*settings.books, ids, as_of=day, discount_rate_annual=cost)
    return margins.rates(summary, groups=channels, costs=served, receivables=owed)


def _came(ledger: Ledger, date: StudyPeriod, settings: Settings, values: pd.DataFrame) -> pd.DataFrame:
    """Return account, next_purchases and next_value of the horizon after a date; 0 where nothing came."""
    came = holdout(ledger, date, accounts=settings.membership)
    came = came.set_index("account").reindex(values["account"])
    revenue = came["revenue"].fillna(0.0).to_numpy()
    margin = came["margin"].to_numpy() if ledger.has_cost else np.full(len(values), np.nan)
    rate = values["margin_rate"].fillna(1.0).to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "account": values["account"],
            "next_purchases": came["purchases"].fillna(0).to_numpy(dtype="int64"),
            # no line with a known cost came: the margin rate known at that date stands in
            "next_value": np.where(np.isnan(margin), revenue * rate, margin),
        }
    )
