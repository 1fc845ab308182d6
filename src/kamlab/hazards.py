"""Deals → their weekly rates of being won and lost, and the chance to be won within some days.

A deal leaves the pipeline by one of two competing events, won or lost, at a rate that depends on its age.

References
----------
.. [1] Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, section 8.2: cause-specific
   hazards and cumulative incidence.
.. [2] Singer and Willett (2003), Applied Longitudinal Data Analysis, chapters 11-12: discrete-time hazard models.
.. [3] Cox (1958), Two further applications of a model for binary regression, Biometrika 45: calibration in the large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

WEEK = 7
LAST_WEEK = 104
"""A deal that is open for two years counts as one of that age."""

PRIOR_WEEKS = 20.0
"""Deal-weeks that the rate of the week before counts as."""

BLOCK = 1000
"""Kinds of deals whose chances are computed at a time, all their weeks together."""

COVARIATES = ("product", "owner", "stage_detail")
"""What may tell deals apart besides their age."""


class Hazards(Protocol):
    """Weekly chances of being won and of being lost, for deals of some kinds by week of age."""

    def weekly(self, deals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return both chances, each of shape (kinds, `LAST_WEEK` + 1), and the kind of each deal, shape (deals,)."""
        ...


@dataclass(frozen=True, eq=False)
class LifeTable:
    """Rates by week of age alone, each drawn towards that of the week before [1]_.

    Where few deals have grown so old the rate of younger ones fades in, and no week is without any chance.
    """

    won: np.ndarray
    lost: np.ndarray

    @classmethod
    def fit(cls, spells: pd.DataFrame) -> LifeTable:
        """Fit to deal-weeks, as `_spells` makes them."""
        at_risk = np.bincount(spells["week"], minlength=LAST_WEEK + 1).astype(float)
        rates: dict[str, np.ndarray] = {}
        for event in ("won", "lost"):
            events = np.bincount(spells["week"], spells["event"] == event, minlength=LAST_WEEK + 1)
            rate = np.empty(LAST_WEEK + 1)
            before = events.sum() / at_risk.sum()
            for week in range(LAST_WEEK + 1):
                before = rate[week] = (events[week] + PRIOR_WEEKS * before) / (at_risk[week] + PRIOR_WEEKS)
            rates[event] = rate
        return cls(**rates)

    def weekly(self, deals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.won[None], self.lost[None], np.zeros(len(deals), dtype=int)


@dataclass(frozen=True, eq=False)
class LogisticHazards:
    """The life table's rates, moved by product, owner and stage in a multinomial logistic model [2]_."""

    table: LifeTable
    model: Pipeline
    columns: tuple[str, ...]

    @classmethod
    def fit(cls, spells: pd.DataFrame) -> LogisticHazards:
        """Fit to deal-weeks, as `_spells` makes them."""
        from sklearn.compose import make_column_transformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder
        from threadpoolctl import threadpool_limits

        columns = tuple(name for name in COVARIATES if name in spells)
        table = LifeTable.fit(spells)
        encoder = OneHotEncoder(handle_unknown="ignore")
        transform = make_column_transformer((encoder, [*columns]), ("passthrough", ["log_won", "log_lost"]))
        pipeline = make_pipeline(transform, LogisticRegression(C=0.5, max_iter=500))
        # Deal-weeks that are alike are one row, which counts as often: the likelihood is the same.
        rows = spells.groupby([*columns, "week", "event"], sort=False, dropna=False).size().reset_index(name="n")
        inputs = cls._inputs(table, rows, rows["week"].to_numpy(), columns)
        with threadpool_limits(1):
            pipeline.fit(inputs, rows["event"], logisticregression__sample_weight=rows["n"])
        return cls(table, pipeline, columns)

    @staticmethod
    def _inputs(table: LifeTable, deals: pd.DataFrame, weeks: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
        rates = {"log_won": np.log(table.won[weeks]), "log_lost": np.log(table.lost[weeks])}
        return deals[[*columns]].astype("str").reset_index(drop=True).assign(**rates)

    def weekly(self, deals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        groups = deals.groupby([*self.columns], sort=False, dropna=False)
        kind = groups.ngroup().to_numpy()
        first = np.unique(kind, return_index=True)[1]
        blocks = [self._chances(deals.iloc[first[i : i + BLOCK]]) for i in range(0, len(first), BLOCK)]
        chance = np.concatenate(blocks)
        place = list(self.model.classes_)
        return chance[..., place.index("won")], chance[..., place.index("lost")], kind

    def _chances(self, kinds: pd.DataFrame) -> np.ndarray:
        """Return the chance of each class of the model, shape (kinds, `LAST_WEEK` + 1, classes)."""
        weeks = np.tile(np.arange(LAST_WEEK + 1), len(kinds))
        inputs = self._inputs(
            self.table, kinds.iloc[np.repeat(np.arange(len(kinds)), LAST_WEEK + 1)], weeks, self.columns
        )
        return self.model.predict_proba(inputs).reshape(len(kinds), LAST_WEEK + 1, -1)


def _spells(known: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each week of each deal's age, with what happened in it: won, lost or open."""
    known = known[known["opened"].notna()]
    last = np.minimum(known["age_days"].to_numpy() // WEEK, LAST_WEEK)
    rows = np.repeat(np.arange(len(known)), last + 1)
    week = np.arange(len(rows)) - np.repeat(np.cumsum(last + 1) - last - 1, last + 1)
    event = np.where(week == last[rows], known["stage"].to_numpy(dtype=object)[rows], "open")
    columns = [name for name in COVARIATES if name in known]
    return known[columns].iloc[rows].reset_index(drop=True).assign(week=week, event=event)


def fit(name: str, known: pd.DataFrame) -> Hazards:
    """Fit a model to what is known of deals.

    Parameters
    ----------
    name : str
        "life_table" or "logistic".
    known : pandas.DataFrame
        stage (won, lost or open), opened, age_days (until it closed, or so far), and of `COVARIATES` those that there
        are. Deals without an opening day are left out.
    """
    spells = _spells(known)
    return LogisticHazards.fit(spells) if name == "logistic" else LifeTable.fit(spells)


def chances(hazards: Hazards, deals: pd.DataFrame, days: Sequence[int]) -> np.ndarray:
    """Return P(won within `days`) of deals that are open at their age; shape (deals, len(days)), days in rising order.

    Sum over the weeks ahead of P(still open) · P(won in that week): the cumulative incidence of [1]_.
    """
    if deals.empty:
        return np.empty((0, len(days)))
    age = np.minimum(deals["age_days"].to_numpy() // WEEK, LAST_WEEK)
    up, down, kind = hazards.weekly(deals)
    still, won, reached = np.ones_like(up), np.zeros_like(up), []
    weeks = [int(np.ceil(day / WEEK)) for day in days]
    for ahead in range(max(weeks)):
        then = np.minimum(np.arange(LAST_WEEK + 1) + ahead, LAST_WEEK)
        won = won + still * up[:, then]
        still = still * (1 - up[:, then] - down[:, then])
        if ahead + 1 in weeks:
            reached += [won[kind, age]] * weeks.count(ahead + 1)
    return np.stack(reached, axis=1)


def calibration(said: Sequence[np.ndarray], outcomes: Sequence[np.ndarray]) -> float:
    """Return the shift of logits under which predictions at earlier dates would have been right on average [3]_.

    0 where there is no earlier date, or all outcomes are alike.
    """
    from scipy.optimize import brentq

    chance, came = (np.concatenate([*arrays, np.empty(0)]) for arrays in (said, outcomes))
    if not 0 < came.sum() < len(came):
        return 0.0
    return float(brentq(lambda shift: shifted(chance, shift).mean() - came.mean(), -20, 20))


def shifted(chance: np.ndarray, shift: float) -> np.ndarray:
    """Return probabilities whose logits are moved by `shift`."""
    from scipy.special import expit, logit

    return expit(logit(np.clip(chance, 1e-6, 1 - 1e-6)) + shift)
