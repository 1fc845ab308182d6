"""What runs at earlier dates would have said, recomputed from the same ledger: the base of movement and of evidence.

The dates are one, two and three horizons before the as-of date, as in the forecasters' contest, so a year's forecast is
held against a whole year, and seasons compare with themselves. Nothing after a date enters what is said as of it, but
for the one weight between the model and recent purchases, so that all dates are forecast in today's way. What has no
dates of its own, such as a potential, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kamlab import backtest, forecast, hysteresis, margins, schemes, tiers
from kamlab.errors import DataError, ModelError
from kamlab.hysteresis import Seen
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.summary import holdout, summarize
from kamlab.terms import TABLES
from kamlab.tiers import Cuts

ORIGINS = 3
LEAST_HISTORY = 0.5
"""As in the contest: what is said from less than half a horizon of history resembles nothing said today."""
N_DRAWS = 200
N_BOOT = 30
"""Fewer than today's run takes: borders and bounds of earlier dates are not printed."""
HELD = "contribution_class"


@dataclass(frozen=True, eq=False)
class Settings:
    """What an earlier run shares with today's.

    units : account master as of today; membership : columns member, account; fixed : configured thresholds of each
    axis; weight : of the model in the blend in force; level : of intervals; seed.
    """

    units: pd.DataFrame
    membership: pd.DataFrame
    fixed: Mapping[str, tuple[float, float]]
    weight: float = 1.0
    level: float = 0.9
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Past:
    """Earlier runs, the oldest first.

    table : table "earlier" of `terms`; seen : borders and values of each, for `hysteresis.follow`.
    """

    table: pd.DataFrame
    seen: tuple[Seen, ...]


def look_back(ledger: Ledger, period: StudyPeriod, settings: Settings, *, origins: int = ORIGINS) -> Past:
    """Recompute values and classes at each earlier date that the ledger reaches back to.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Of today's run; an origin lies whole horizons before its as-of date.
    settings : Settings
    origins : int
        Number of dates at most.

    Returns
    -------
    Past
        Without rows where the ledger is too short, or too few accounts had bought by then.
    """
    said: list[pd.DataFrame] = []
    for k in range(1, origins + 1):
        origin = period.origin(k)
        if (origin.calibration_end - ledger.first_date).days + 1 < LEAST_HISTORY * period.horizon_days:
            break
        try:
            said.append(_values(ledger, origin, settings))
        except (DataError, ModelError):
            break
    said.reverse()
    seen: list[Seen] = []
    tables: list[pd.DataFrame] = []
    for i, values in enumerate(said):
        before = tables[-1] if tables else None
        cuts = contribution_cuts(values, before, settings.fixed["contribution"], seed=settings.seed, n_boot=N_BOOT)
        seen.append(watched(values, cuts))
        held = hysteresis.follow(seen)[-1]
        axes = {"contribution": cuts}
        table = schemes.apply(values, axes, settings.fixed, seed=settings.seed, n_boot=N_BOOT).table
        table[HELD] = table["account"].map(held.set_index("account")["held"])
        end = period.origin(len(said) - i).calibration_end
        table = values.drop(columns=[c for c in table if c != "account" and c in values]).merge(table, on="account")
        tables.append(table.assign(origin=pd.Timestamp(end), back=len(said) - i))
    if not tables:
        return Past(pd.DataFrame(columns=columns()), ())
    whole = pd.concat(tables, ignore_index=True)
    return Past(whole[columns()].astype({"origin": "datetime64[s]"}), tuple(seen))


def columns() -> list[str]:
    """Return the columns of the table "earlier": those of `terms`, classes, and what orders accounts in a class."""
    named = [c.name for c in TABLES["earlier"] if c.name != "…"]
    classes = [c.name for c in TABLES["schemes"] if c.name != "account"]
    orders = sorted({c.order for c in schemes.CLASSES.values()} - {"potential_revenue", "headroom", "attitude_score"})
    return [*named, *(c for c in (*classes, *orders) if c not in named)]


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
    if before is not None:
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


def watched(values: pd.DataFrame, cuts: Cuts) -> Seen:
    """Return what `hysteresis.follow` takes of one date: borders, and expected contributions with intervals."""
    names = {"expected_contribution": "value", "contribution_lower": "lower", "contribution_upper": "upper"}
    return Seen(cuts, values[["account", *names]].rename(columns=names))


def transitions(seen: tuple[Seen, ...]) -> pd.DataFrame:
    """Return the table "transitions": the classes in force at the last of several dates, and one date earlier."""
    last = hysteresis.follow(seen)[-1]
    value = seen[-1].values.set_index("account")["value"]
    earlier = seen[-2].values.set_index("account")["value"] if len(seen) > 1 else pd.Series(dtype=float)
    table = last.assign(value=last["account"].map(value), value_before=last["account"].map(earlier).astype(float))
    return table[[c.name for c in TABLES["transitions"]]]


def _values(ledger: Ledger, origin: StudyPeriod, settings: Settings) -> pd.DataFrame:
    """Summarise and forecast as of one date, with what came after it, for the accounts known by then."""
    summary = summarize(ledger, origin, accounts=settings.membership)
    choice = backtest.choose(ledger, origin, accounts=settings.membership, origins=0)
    rates = None
    if ledger.has_cost:
        channels = settings.units.set_index("account")["channel"].reindex(summary["account"])
        rates = margins.rates(summary, groups=channels)
    future = forecast.value(
        summary,
        replace(choice, weight=settings.weight),
        margins=rates,
        horizon_days=DAYS_PER_YEAR,
        level=settings.level,
        n_draws=N_DRAWS,
        seed=settings.seed,
    )
    known = settings.units[settings.units["account"].isin(summary["account"])]
    table = schemes.inputs(known, summary, future)
    if table["expected_contribution"].isna().all():
        raise DataError(f"Order values cannot be modelled as of {origin.calibration_end}.")
    came = holdout(ledger, origin, accounts=settings.membership).set_index("account").reindex(table["account"])
    revenue = came["revenue"].fillna(0.0).to_numpy()
    value = came["margin"].to_numpy() if ledger.has_cost else np.full(len(table), np.nan)
    rate = table["margin_rate"].fillna(1.0).to_numpy(dtype=float)
    table["next_purchases"] = came["purchases"].fillna(0).to_numpy(dtype="int64")
    table["next_value"] = np.where(np.isnan(value), revenue * rate, value)
    return table
