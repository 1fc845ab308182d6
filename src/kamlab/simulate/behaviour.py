"""How each buyer of the sample company orders: its hidden parameters, drawn by kind of behaviour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from kamlab.simulate.timeline import AS_OF, DAYS, YEARS, day_index, next_business_day

MEDIAN_REVENUE, LOG_SPREAD = 0.77e6, 1.62
"""Annual revenue of buyers in CNY: median and standard deviation of its logarithm."""
MEDIAN_RATE = 10.0
"""Orders a year."""


@dataclass(frozen=True)
class Behaviour:
    """One kind of buyer: its share of all buyers and how its parameters are drawn."""

    share: float
    hazard: float  # rate of leaving for good after the as-of date, per year
    shapes: tuple[int, ...] = (2,)  # Erlang shapes of the gaps between orders; 1 is irregular
    rate: tuple[float, float] = (1.5, 52.0)  # limits of orders per year
    established: float = 0.65  # share that bought before the first day of the log
    scale: float = 1.0  # of annual revenue


BEHAVIOURS: dict[str, Behaviour] = {
    "regular": Behaviour(0.222, 0.05, shapes=(2, 3)),
    "irregular": Behaviour(0.178, 0.08, shapes=(1,)),
    "seasonal": Behaviour(0.086, 0.05, rate=(3.0, 12.0)),
    "growing": Behaviour(0.086, 0.03, rate=(6.0, 52.0)),
    "declining_value": Behaviour(0.048, 0.12, rate=(4.0, 52.0), established=1.0, scale=1.3),
    "declining_frequency": Behaviour(0.039, 0.15, rate=(6.0, 52.0), established=1.0, scale=1.3),
    "lost": Behaviour(0.2, 0.0, shapes=(1, 2, 3), rate=(2.0, 52.0), established=0.8),
    "returning": Behaviour(0.025, 0.12, rate=(4.0, 30.0), established=1.0),
    "loss_making": Behaviour(0.03, 0.06, shapes=(1, 2), rate=(2.0, 52.0)),
    "new": Behaviour(0.061, 0.2, shapes=(1, 2), established=0.0, scale=0.6),
    "spike": Behaviour(0.025, 0.08, shapes=(1, 2), rate=(3.0, 52.0), scale=0.6),
}

SEASON_WEIGHTS = {"autumn": 0.6, "spring": 0.25, "summer": 0.15}


def _quantiles(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n standard-normal scores, one from each of n equal strata, in random order.

    Strata keep the number of large accounts the same whatever the seed.
    """
    return ndtri(rng.permutation((np.arange(n) + rng.uniform(0.3, 0.7, n)) / n))


def _kinds(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n kinds of behaviour with the shares of `BEHAVIOURS`, in random order."""
    edges = np.round(np.cumsum([b.share for b in BEHAVIOURS.values()]) * n).astype(int)
    return rng.permutation(np.repeat(list(BEHAVIOURS), np.diff(edges, prepend=0)))


def draw(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the hidden parameters of n buyers.

    Returns
    -------
    pandas.DataFrame
        One row per buyer. `behaviour`; `annual_value` (CNY) and `rate` (orders a year) at the reference day:
        the as-of date for growing accounts, the turning point for declining ones; `shape` (Erlang shape of
        the gaps); `season`; `hazard` (1/year, after the as-of date); `established` (bought before the log);
        `start`, `stop` (first and last active day), `pause`, `resume` (first and last day of a gap without
        orders, equal if none), `onset` (first day of a trend), `reference`: all positions in `timeline.DAYS`;
        `rate_trend`, `value_trend` (1/year, of the logarithm); `noise` (gamma shape of order values).
    """
    kind = _kinds(n, rng)
    rows = np.empty(n, dtype=object)
    for name, behaviour in BEHAVIOURS.items():
        members = np.flatnonzero(kind == name)
        scores = _quantiles(members.size, rng)
        for row, score in zip(members, scores, strict=True):
            rows[row] = _buyer(name, behaviour, score, rng)
    return pd.DataFrame(list(rows))


def _buyer(name: str, behaviour: Behaviour, score: float, rng: np.random.Generator) -> dict[str, object]:
    rate = float(np.clip(MEDIAN_RATE * np.exp(0.35 * score + 0.75 * rng.standard_normal()), *behaviour.rate))
    started = rng.integers(day_index("2022-01-10"), day_index("2024-10-01"))
    buyer: dict[str, object] = {
        "behaviour": name,
        "annual_value": MEDIAN_REVENUE * behaviour.scale * np.exp(LOG_SPREAD * score),
        "rate": rate,
        "shape": int(rng.choice(behaviour.shapes)),
        "season": "",
        "hazard": behaviour.hazard,
        "established": bool(rng.random() < behaviour.established),
        "start": int(started),
        "stop": DAYS.size - 1,
        "pause": 0,
        "resume": 0,
        "onset": 0,
        "reference": AS_OF,
        "rate_trend": 0.0,
        "value_trend": 0.0,
        "noise": float(rng.uniform(3.0, 12.0)),
    }
    buyer |= _particulars(name, rng)
    if buyer["established"]:
        buyer["start"] = 0
    return buyer


def _particulars(name: str, rng: np.random.Generator) -> dict[str, object]:
    """Return what sets one kind of behaviour apart from a steady buyer."""
    if name == "seasonal":
        season = rng.choice(list(SEASON_WEIGHTS), p=list(SEASON_WEIGHTS.values()))
        # At least two seasons each: after a single one nobody can tell a season from a new account.
        return {"season": str(season), "start": int(rng.integers(0, day_index("2024-01-01")))}
    if name == "growing":
        growth = np.log(rng.uniform(1.15, 1.6))
        return {"rate_trend": growth / 2, "value_trend": growth / 2}
    if name in ("declining_value", "declining_frequency"):
        onset = int(rng.integers(day_index("2023-04-01"), day_index("2024-10-01")))
        trend = "value_trend" if name == "declining_value" else "rate_trend"
        return {trend: np.log(rng.uniform(0.5, 0.7)), "onset": onset, "reference": onset}
    if name == "lost":
        stop = int(rng.integers(day_index("2022-12-01"), day_index("2025-12-01")))
        return {"stop": stop, "start": max(0, stop - int(rng.integers(400, 1200)))}
    if name == "returning":
        pause = int(rng.integers(day_index("2023-01-01"), day_index("2024-02-01")))
        return {"pause": pause, "resume": pause + int(rng.integers(400, 600))}
    if name == "new":
        start = rng.integers(day_index("2025-01-02"), day_index("2025-12-22"), 1)
        return {"start": int(next_business_day(start)[0])}
    return {}


def multipliers(buyers: pd.DataFrame, trend: str) -> np.ndarray:
    """Return exp(trend × time since the onset), 1 at the reference day, of shape (buyers, days)."""
    onset = YEARS[buyers["onset"].to_numpy()][:, None]
    reference = YEARS[buyers["reference"].to_numpy()][:, None]
    return np.exp(buyers[trend].to_numpy()[:, None] * (np.maximum(YEARS, onset) - reference))
