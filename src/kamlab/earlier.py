"""What runs at earlier dates would have said, recomputed from the same ledger: the base of movement and of evidence.

Evidence looks one, two and three horizons back, as the forecasters' contest does, so that a year's forecast is held
against a whole year. Classes are held against those of one and two quarters back, because accounts are reviewed each
quarter, and by today's borders, so that what moves is the account. Nothing after a date enters what is said as of it,
but for today's borders there, and for the forecaster that is in force today, so that all dates are
forecast in today's way. What has no dates of its own, such as a potential, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from kamlab import backtest, forecast, hysteresis, look_alikes, margins, potential, receivables, schemes, tiers
from kamlab.backtest.names import LOOKED_BACK_ON as MAX_ACCOUNTS
from kamlab.buying import product_mix
from kamlab.errors import DataError, ModelError
from kamlab.ids import among
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, QUARTER_DAYS, StudyPeriod
from kamlab.progress import track
from kamlab.summary import holdout, summarize
from kamlab.terms import AUTO, TABLES
from kamlab.tiers import Cuts

ORIGINS = 3
LEAST_HISTORY = 0.5
"""As in the contest: what is said from less than half a horizon of history resembles nothing said today."""
QUARTERS = 2
"""Two, so that it can be seen whether an account stands beyond a border for the second quarter in a row."""
N_DRAWS = 200
N_BOOT = 30
"""Fewer than today's run takes: borders and bounds of earlier dates are not printed."""
MOST_CELLS, LEAST_DRAWS = 20_000_000, 40
"""Of draws at an earlier date, see `forecast.affordable_draws`: their bounds only decide which moves count at once."""


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
    sample = sampled(settings.units["account"], settings.seed)
    said = [
        values.merge(_came(ledger, date, settings, values, sample), on="account")
        for date, values in _said(ledger, dates, settings, sample)
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


def transitions(
    ledger: Ledger, period: StudyPeriod, settings: Settings, today: pd.DataFrame, cuts: Mapping[str, Cuts]
) -> pd.DataFrame:
    """Hold today's classes against those of the two quarters before.

    Parameters
    ----------
    ledger, period, settings
        As for `look_back`.
    today : DataFrame
        What schemes class accounts by now, such as `schemes.inputs` gives.
    cuts : mapping of str to Cuts
        Today's borders behind the columns of table "schemes", as in `schemes.Applied`.

    Returns
    -------
    DataFrame
        Table "transitions" of `terms`, by column and account: every column that has borders and is held.
    """
    dates = [
        replace(period, calibration_end=period.calibration_end - timedelta(days=QUARTER_DAYS * k))
        for k in range(1, QUARTERS + 1)
    ]
    said = _said(ledger, dates, settings, with_soon=False, cuts=cuts)[::-1]
    bought, worth = [values for _, values in said], [_potential(ledger, d, values, settings) for d, values in said]
    tables = [values for values in (*bought, *worth, today) if values is not None]
    names = pd.Index(np.sort(pd.concat([values["account"] for values in tables]).unique()), dtype="str")
    # Numbers in the order of the names stand for them: they are looked up for each column anew.
    place = {id(values): names.get_indexer(pd.Index(values["account"])) for values in tables}
    followed = []
    for column, classes in schemes.CLASSES.items():
        if classes.bounds and column in cuts:
            known = worth if classes.value == "potential_revenue" else bought
            seen = [_watched(v, classes, place[id(v)]) for v in (*known, today) if v is not None]
            followed.append(_last(seen, cuts[column]).assign(column=column))
    if not followed:
        return pd.DataFrame(columns=[c.name for c in TABLES["transitions"]])
    table = pd.concat(followed, ignore_index=True)
    table["account"] = names[table["account"]]
    return table[[c.name for c in TABLES["transitions"]]]


def _last(seen: Sequence[pd.DataFrame], cuts: Cuts) -> pd.DataFrame:
    """Follow classes up to the last period; return it with the values of both ends of the last quarter."""
    last = hysteresis.follow(seen, cuts)[-1]
    before = seen[-2].set_index("account")["value"] if len(seen) > 1 else pd.Series(dtype=float)
    last["value"] = last["account"].map(seen[-1].set_index("account")["value"])
    last["value_before"] = last["account"].map(before).astype(float)
    return last


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


def _watched(values: pd.DataFrame, classes: schemes.Classes, accounts: np.ndarray) -> pd.DataFrame:
    """Return account, value, lower, upper: what borders divide, with its interval, of the accounts that have it."""
    table = values[[classes.value, *(classes.bounds or ())]]
    table.insert(0, "account", accounts)
    return table.set_axis(["account", "value", "lower", "upper"], axis=1).dropna(subset="value")


def sampled(accounts: pd.Series, seed: int) -> frozenset[str] | None:
    """Return the accounts to look at where there are too many to look at all; else None."""
    if len(accounts) <= MAX_ACCOUNTS:
        return None
    return frozenset(accounts.iloc[np.random.default_rng(seed).choice(len(accounts), MAX_ACCOUNTS, replace=False)])


def _said(
    ledger: Ledger,
    dates: Sequence[StudyPeriod],
    settings: Settings,
    sample: frozenset[str] | None = None,
    *,
    with_soon: bool = True,
    cuts: Mapping[str, Cuts] | None = None,
) -> list[tuple[StudyPeriod, pd.DataFrame]]:
    """Return what schemes take of each date, the newest first, up to the first from which nothing can be forecast.

    Where only moves across borders count, and accounts are many, other accounts have no bounds.
    """
    many = cuts is not None and len(settings.units) > MAX_ACCOUNTS
    said: list[tuple[StudyPeriod, pd.DataFrame]] = []
    for date in track(dates[::-1], "earlier dates looked back to"):
        before = said[-1][1] if said else None
        moves = partial(_moved, before=before, cuts=cuts or {}) if many else None
        values = _forecastable(ledger, date, settings, sample, with_soon=with_soon, moves=moves)
        # What comes before a date from which nothing can be forecast is not followed.
        said = [] if values is None else [*said, (date, values)]
    return said[::-1]


def _forecastable(
    ledger: Ledger,
    date: StudyPeriod,
    settings: Settings,
    sample: frozenset[str] | None,
    *,
    with_soon: bool,
    moves: Callable[[pd.DataFrame], np.ndarray] | None,
) -> pd.DataFrame | None:
    """Return what schemes take of one date, or None if nothing can be forecast from it."""
    if (date.calibration_end - ledger.first_date).days + 1 < LEAST_HISTORY * date.horizon_days:
        return None
    try:
        values = _values(ledger, date, settings, sample, with_soon=with_soon, moves=moves)
    except (DataError, ModelError):
        return None
    return None if values["expected_contribution"].isna().all() else values


def _moved(now: pd.DataFrame, *, before: pd.DataFrame | None, cuts: Mapping[str, Cuts]) -> np.ndarray:
    """Return which accounts stand in another class than before by any border, as far as they were known then."""
    moved = np.zeros(len(now), dtype=bool)
    if before is None:
        return moved
    place = pd.Index(before["account"]).get_indexer(pd.Index(now["account"]))
    for column, classes in schemes.CLASSES.items():
        if classes.bounds and column in cuts and classes.value in now:
            was, is_ = (cuts[column].classify(values[classes.value]).codes for values in (before, now))
            moved |= (place >= 0) & (was[place] != is_)
    return moved


def _values(
    ledger: Ledger,
    date: StudyPeriod,
    settings: Settings,
    sample: frozenset[str] | None,
    *,
    with_soon: bool,
    moves: Callable[[pd.DataFrame], np.ndarray] | None = None,
) -> pd.DataFrame:
    """Summarise and forecast as of one date, for the accounts known by then, or those of a sample.

    With `moves`, of accounts in great number, models are fitted to a sample, and those alone that move have bounds; but
    all have where a cost to serve is known, which is spent as often as draws show a purchase.
    """
    summary = summarize(ledger, date, accounts=settings.membership, only=sample)
    some = sampled(settings.units["account"], settings.seed) if moves else None
    choice = backtest.choose(
        ledger,
        date,
        accounts=settings.membership,
        covariates=settings.covariates,
        origins=0,
        forecaster=settings.forecaster,
        seed=settings.seed,
        summary=summary if some is None else summary[among(summary["account"], some)],
        only=some,
    )
    options: dict[str, Any] = {
        "margins": _rates(ledger, date, settings, summary),
        "horizon_days": DAYS_PER_YEAR,
        "level": settings.level,
        "seed": settings.seed,
    }
    known = backtest.described(summary, settings.covariates)
    if moves and settings.costs is None:
        future = forecast.value_where(known, choice, moves, n_draws=N_DRAWS, **options)
    else:
        n_draws = forecast.affordable_draws(N_DRAWS, len(summary), most_cells=MOST_CELLS, least=LEAST_DRAWS)
        future = forecast.value(known, choice, n_draws=n_draws, with_soon=with_soon, **options)
    units = settings.units[among(settings.units["account"], summary["account"])]
    return schemes.inputs(units, summary, future)


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


def _potential(ledger: Ledger, date: StudyPeriod, values: pd.DataFrame, settings: Settings) -> pd.DataFrame | None:
    """Estimate the potentials of all accounts, prospects included, as of one date."""
    if settings.then is None:
        return None
    units, open_deals = settings.then(date)
    mix = product_mix(ledger, date, accounts=settings.membership)
    fitted, _ = look_alikes.upper_revenue(values, units, mix, seed=settings.seed)
    worth = potential.estimate(values, units, fitted=fitted.to_dict(), pipeline=open_deals)
    return schemes.with_sure_potential(worth)


def _came(
    ledger: Ledger, date: StudyPeriod, settings: Settings, values: pd.DataFrame, sample: frozenset[str] | None
) -> pd.DataFrame:
    """Return account, next_purchases and next_value of the horizon after a date; 0 where nothing came."""
    came = holdout(ledger, date, accounts=settings.membership, only=sample)
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
