"""What would have been delivered at each earlier date, from the dates before it alone, and how that came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from kamlab.backtest import level, silent
from kamlab.backtest.distribution import GRID, UNSURE, Recalibration, bounds, ranks
from kamlab.backtest.forecasters import kind
from kamlab.backtest.groups import record_groups
from kamlab.backtest.measures import bins, inside, measures, with_relative
from kamlab.backtest.names import BASELINES, COMPLEXITY, LEVEL, NEVER_CHOSEN, REFERENCE
from kamlab.backtest.probability import LogitCorrection
from kamlab.backtest.situation import Amounts
from kamlab.backtest.spread import Spread
from kamlab.backtest.trial import Trial
from kamlab.terms import TABLES

DRAWS = 300


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws of one date without the level's error, the noise that it is made of, and what came."""

    draws: np.ndarray
    noise: np.ndarray
    came: np.ndarray
    place: np.ndarray

    def at_level(self, sd: float) -> np.ndarray:
        """Return the draws with an error of level."""
        return self.draws * np.exp(sd * self.noise - sd**2 / 2)

    def ranks(self, sd: float) -> np.ndarray:
        """Return the ranks of what came among the draws with that error of level."""
        return ranks(self.at_level(sd), self.came, self.place)


@dataclass(eq=False)
class Learnt:
    """What the dates gone through so far have taught, oldest first.

    Attributes
    ----------
    prior : numpy.ndarray
        What ranks are drawn to.
    horizon_days : int
        Of the contest.
    """

    prior: np.ndarray
    horizon_days: int
    seen: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(
        default_factory=lambda: {"purchases": [], "revenue": []}
    )
    drawn: dict[str, list[Drawn]] = field(default_factory=lambda: {"purchases": [], "revenue": []})
    at_0: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(
        default_factory=lambda: {"purchases": [], "revenue": []}
    )
    errors: list[float] = field(default_factory=list)
    soon: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def factors(self) -> dict[str, float]:
        """Return the corrections of level of purchases and revenue."""
        return {target: level.factor(dates) for target, dates in self.seen.items()}

    def silent(self) -> dict[str, float]:
        """Return the factors of what the model expects of accounts at 0."""
        return {target: silent.factor(dates) for target, dates in self.at_0.items()}

    def recalibrations(self) -> dict[str, Recalibration]:
        """Return the corrections of the quantiles; the spread of level that is added now counts at every date."""
        return {
            target: Recalibration.learnt([drawn.ranks(self.spread_of(target)) for drawn in parts], self.prior)
            for target, parts in self.drawn.items()
        }

    def spread_of(self, target: str) -> float:
        """Return the error of level that draws of a target hold: whole purchases hold none."""
        return self.level_sd() if target == "revenue" else 0.0

    def level_sd(self) -> float:
        """Return the error of level that is left."""
        return level.level_sd(self.errors, horizon_days=self.horizon_days)

    def correction(self) -> LogitCorrection:
        """Return the correction of the probability of a purchase within 90 days."""
        return LogitCorrection.learnt(self.soon)


@dataclass(frozen=True, eq=False)
class Record:
    """The record's tables, and what all dates together have taught."""

    backtest: pd.DataFrame
    calibration: pd.DataFrame
    groups: pd.DataFrame
    learnt: Learnt


def replay(
    trials: Sequence[Trial], chosen: str, model: str, target: str, *, horizon_days: int, with_money: bool, seed: int
) -> Record:
    """Go through the dates from the oldest on, deliver the chosen forecast at each, and learn from what came.

    Parameters
    ----------
    trials : sequence of Trial
        Oldest first; the last is the record.
    chosen, model : str
        The forecaster in force, and the model behind its distribution.
    target : str
        What the level's error is measured on.
    horizon_days : int
        Of the contest.
    with_money : bool
    seed : int
    """
    learnt = Learnt(GRID if chosen == model else UNSURE, horizon_days)
    targets = ("purchases", "revenue") if with_money else ("purchases",)
    rows: list[pd.DataFrame] = []
    calibration: list[dict[str, Any]] = []
    groups = pd.DataFrame(columns=[column.name for column in TABLES["record_groups"]])
    for trial in trials:
        role = ("record" if len(trials) > 1 else "only") if trial is trials[-1] else "choice"
        rng = np.random.default_rng(seed)
        factors, recalibrations = learnt.factors(), learnt.recalibrations()
        plain, own = trial.expected(chosen), trial.expected(model)
        said = plain.filled(own.times(learnt.silent()))
        delivered = said.times(factors)
        drawn = Amounts(*Spread(trial.models[model], trial.at, delivered, 0.0, {}).all_draws(DRAWS, rng))
        limits = {}
        for t in targets:
            whole, came = t == "purchases", trial.came.target(t)
            here = Drawn(drawn.target(t), rng.standard_normal(DRAWS), came, rng.random(len(came)))
            raw = here.at_level(learnt.spread_of(t))
            limits[t] = bounds(recalibrations[t].applied(raw), LEVEL, whole=whole)
            covered = {
                "coverage": inside(came, *bounds(raw, LEVEL, whole=whole)),
                "coverage_recalibrated": inside(came, *limits[t]),
            }
            rows.append(_measured(trial, t, chosen, delivered, covered, role))
            learnt.seen[t].append((said.target(t), came))
            at_0 = plain.target(t) <= 0
            learnt.at_0[t].append((own.target(t)[at_0], came[at_0]))
            learnt.drawn[t].append(here)
        if trial is trials[-1]:
            groups = record_groups(trial, delivered, target, limits[target])
        learnt.errors.append(level.log_error(delivered.target(target).sum(), trial.came.target(target).sum()))
        calibration += _probabilities(trial, model, learnt, role)
    tables = {name: [column.name for column in TABLES[name]] for name in ("backtest", "calibration")}
    measured = pd.concat(rows[::-1], ignore_index=True) if rows else pd.DataFrame(columns=tables["backtest"])
    return Record(measured, pd.DataFrame(calibration, columns=tables["calibration"]), groups, learnt)


def _measured(
    trial: Trial, target: str, chosen: str, delivered: Amounts, covered: dict[str, float], role: str
) -> pd.DataFrame:
    """Return one row a forecaster, the one in force first, then models, then rules."""
    actual = trial.came.target(target)
    order = sorted(trial.forecasters, key=lambda n: (n != chosen, n in BASELINES, n == NEVER_CHOSEN, COMPLEXITY[n]))
    rows = []
    for name in order:
        amounts = delivered if name == chosen else trial.expected(name)
        row: dict[str, Any] = {
            "forecaster": name,
            "kind": kind(name),
            "origin": trial.date,
            "role": role,
            "target": target,
        }
        row |= measures(amounts.target(target), actual, counts=target == "purchases")
        if name == chosen:
            row |= covered
        elif name in trial.models and target == "purchases":
            table = trial.models[name].predicted(trial.at)
            row["coverage"] = inside(actual, table["lower"].to_numpy(), table["upper"].to_numpy())
        row["level"] = LEVEL if "coverage" in row else np.nan
        rows.append(row)
    table = with_relative(pd.DataFrame(rows), REFERENCE)
    return table.reindex(columns=[column.name for column in TABLES["backtest"]])


def _probabilities(trial: Trial, model: str, learnt: Learnt, role: str) -> list[dict[str, Any]]:
    """Return the bins of P(alive), P(buys) and P(buys within 90 days), and learn from the last."""
    own, at = trial.models[model], trial.at
    bought = trial.came.purchases > 0
    soon = 1 - own.transactions.probability_at_most(at.summary, 0, SOON_DAYS)
    within = 1 - own.transactions.probability_at_most(at.summary, 0, at.horizon_days)
    said = {
        "alive": (own.p_alive(at), bought),
        "buys": (within, bought),
        "buys_90_model": (soon, trial.soon),
        "buys_90": (learnt.correction().applied(soon), trial.soon),
    }
    learnt.soon.append((soon, trial.soon))
    return [
        {"origin": trial.date, "role": role, "probability": name, **row}
        for name, pair in said.items()
        for row in bins(*pair)
    ]


SOON_DAYS = 90
"""Horizon of the probability that an account buys soon."""
