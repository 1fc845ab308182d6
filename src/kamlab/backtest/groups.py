"""How wrong the forecast was, and for whom: its record by groups of accounts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from kamlab.backtest.measures import inside
from kamlab.backtest.names import REFERENCE
from kamlab.backtest.situation import Amounts
from kamlab.backtest.trial import Trial
from kamlab.period import days_to_units
from kamlab.terms import TABLES

CHANGED = 0.25
"""Accounts whose last 12 months were a quarter above the 12 before grow, a quarter below they decline."""


def record_groups(trial: Trial, delivered: Amounts, target: str, bounds: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    """Return the columns of `terms.TABLES["record_groups"]` at one date.

    Parameters
    ----------
    trial : Trial
    delivered : Amounts
        What the forecaster in force said.
    target : str
        "purchases" or "revenue".
    bounds : tuple of numpy.ndarray
        Lower and upper ends of the accounts' intervals.
    """
    forecast, actual = delivered.target(target), trial.came.target(target)
    naive = trial.expected(REFERENCE).target(target)
    rows = []
    for dimension, group, members in _groups(trial, target):
        if not members.any():
            continue
        f, a, n = forecast[members], actual[members], naive[members]
        total = a.sum()
        rmse, naive_rmse = (float(np.sqrt(((said - a) ** 2).mean())) for said in (f, n))
        rows.append(
            {
                "dimension": dimension,
                "group": group,
                "accounts": int(members.sum()),
                "actual": total,
                "forecast": f.sum(),
                "naive": n.sum(),
                "bias": f.sum() / total - 1 if total > 0 else np.nan,
                "naive_bias": n.sum() / total - 1 if total > 0 else np.nan,
                "rmse": rmse,
                "naive_rmse": naive_rmse,
                "coverage": inside(a, bounds[0][members], bounds[1][members]),
            }
        )
    return pd.DataFrame(rows, columns=[column.name for column in TABLES["record_groups"]])


def _groups(trial: Trial, target: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield dimension, group and which accounts are in it; each dimension holds every account once."""
    at = trial.at
    recent = at.recent.target(target)
    buying = recent > 0
    low, high = np.quantile(recent[buying], [1 / 3, 2 / 3]) if buying.any() else (0.0, 0.0)
    yield "size", "none", ~buying
    yield "size", "small", buying & (recent <= low)
    yield "size", "middle", buying & (recent > low) & (recent <= high)
    yield "size", "large", buying & (recent > high)
    new = at.column("T") < days_to_units(at.horizon_days, at.unit)
    yield "age", "new", new
    yield "age", "known", ~new
    columns = ("trailing_purchase_days", "previous_purchase_days")
    now, before = (
        at.column(c) for c in (columns if target == "purchases" else ("trailing_revenue", "previous_revenue"))
    )
    grows, falls = now > (1 + CHANGED) * before, now < (1 - CHANGED) * before
    yield "trend", "growing", grows
    yield "trend", "steady", ~grows & ~falls
    yield "trend", "declining", falls
