"""How accounts moved between classes since the quarters before, recomputed from the same ledger as runs then.

Classes are held against those of one and two quarters back, because accounts are reviewed each quarter, and by today's
borders, so that what moves is the account. Nothing after a date enters what is said as of it, but for today's borders,
and for the forecaster that is in force today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import numpy as np
import pandas as pd

from kamlab import hysteresis, look_alikes, potential, schemes
from kamlab.buying import product_mix
from kamlab.earlier import Settings, said_of, sampled
from kamlab.ledger import Ledger
from kamlab.period import QUARTER_DAYS, StudyPeriod
from kamlab.terms import TABLES
from kamlab.tiers import Cuts

QUARTERS = 2
"""Two, so that it can be seen whether an account stands beyond a border for the second quarter in a row."""


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
    columns = {column: c for column, c in schemes.CLASSES.items() if c.bounds and column in cuts}
    # Where only moves across borders count, and accounts are many, other accounts have no bounds.
    many = sampled(settings.units["account"], settings.seed) is not None
    said = said_of(
        ledger,
        dates,
        settings,
        with_soon=False,
        moves=partial(_moved, cuts=cuts) if many else None,
        watched={c.value for c in columns.values() if c.value},
    )[::-1]
    bought, worth = [values for _, values in said], [_potential(ledger, d, values, settings) for d, values in said]
    tables = [values for values in (*bought, *worth, today) if values is not None]
    names = pd.Index(np.sort(pd.concat([values["account"] for values in tables]).unique()), dtype="str")
    # Numbers in the order of the names stand for them: they are looked up for each column anew.
    place = {id(values): names.get_indexer(pd.Index(values["account"])) for values in tables}
    followed = []
    for column, classes in columns.items():
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
    last = hysteresis.last(seen, cuts).assign(value_before=np.nan)
    for name, values in zip(("value", "value_before"), seen[::-1], strict=False):
        place = pd.Index(values["account"]).get_indexer(pd.Index(last["account"]))
        # One more stands for accounts that were not known.
        last[name] = np.append(values["value"].to_numpy(dtype=float), np.nan)[place]
    return last


def _moved(before: pd.DataFrame | None, now: pd.DataFrame, *, cuts: Mapping[str, Cuts]) -> np.ndarray:
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


def _watched(values: pd.DataFrame, classes: schemes.Classes, accounts: np.ndarray) -> pd.DataFrame:
    """Return account, value, lower, upper: what borders divide, with its interval, of the accounts that have it."""
    table = values[[classes.value, *(classes.bounds or ())]]
    table.insert(0, "account", accounts)
    return table.set_axis(["account", "value", "lower", "upper"], axis=1).dropna(subset="value")


def _potential(ledger: Ledger, date: StudyPeriod, values: pd.DataFrame, settings: Settings) -> pd.DataFrame | None:
    """Estimate the potentials of all accounts, prospects included, as of one date."""
    if settings.then is None:
        return None
    units, open_deals = settings.then(date)
    fitted: dict[str, float] = {}
    # Only accounts of a channel have look-alikes.
    if units["channel"].notna().any():
        mix = product_mix(ledger, date, accounts=settings.membership)
        fitted = look_alikes.upper_revenue(values, units, mix, seed=settings.seed)[0].to_dict()
    worth = potential.estimate(values, units, fitted=fitted, pipeline=open_deals)
    return schemes.with_sure_potential(worth)
