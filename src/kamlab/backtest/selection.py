"""Which forecaster is taken: relative errors, their uncertainty over accounts, and the simpler of two alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from kamlab.backtest.forecasters import WEIGHTS, kind, mixed
from kamlab.backtest.names import COMPLEXITY, NEVER_CHOSEN, REFERENCE
from kamlab.backtest.trial import Trial, bic, leaving
from kamlab.terms import TABLES

RESAMPLES = 300


def scores(
    trials: Sequence[Trial], target: str, *, among: Collection[str] = tuple(COMPLEXITY), seed: int = 0
) -> pd.DataFrame:
    """Return forecaster, complexity, score and standard_error of those that could forecast at every date.

    The score is the root mean squared error relative to the same purchases again, averaged over the dates; its standard
    error is that of the difference from the best score among those that can be in force, over resamples of accounts. An
    account drawn twice counts twice at every date.
    """
    names = [n for n in COMPLEXITY if n in among and all(n in trial.forecasters for trial in trials)]
    ids = pd.Index(np.unique(np.concatenate([trial.at.summary["account"].to_numpy(dtype=object) for trial in trials])))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(ids), np.full(len(ids), 1 / len(ids)), size=RESAMPLES).astype(float)
    weights = np.vstack([np.ones(len(ids)), drawn])
    parts = []
    for trial in trials:
        actual = trial.came.target(target)
        squares = np.column_stack([(trial.expected(n).target(target) - actual) ** 2 for n in (*names, REFERENCE)])
        here = weights[:, ids.get_indexer(pd.Index(trial.at.summary["account"]))]
        with np.errstate(divide="ignore", invalid="ignore"):
            rmse = np.sqrt(here @ squares / here.sum(axis=1, keepdims=True))
            parts.append(rmse[:, :-1] / rmse[:, -1:])
    relative = np.mean(parts, axis=0)
    finite = np.isfinite(relative).all(axis=1)
    table = pd.DataFrame({"forecaster": names, "score": relative[0]})
    table["complexity"] = table["forecaster"].map(COMPLEXITY)
    best = table.loc[table["forecaster"] != NEVER_CHOSEN, "score"].idxmin() if finite[0] else 0
    spread = relative[finite] - relative[finite][:, [best]]
    table["standard_error"] = spread[1:].std(axis=0) if finite.sum() > 2 else np.nan
    return table


def simplest(table: pd.DataFrame, names: Collection[str]) -> str:
    """Return the simplest forecaster within one standard error of the best of those named; of equals the nearest.

    None that did worse than the same purchases again is taken.
    """
    rows = table[table["forecaster"].isin(names)]
    if rows["score"].isna().any():
        return REFERENCE
    best = rows["score"].min()
    alike = rows[(rows["score"] <= best + rows["standard_error"].fillna(0.0)) & (rows["score"] <= max(best, 1.0))]
    return str(alike.sort_values(["complexity", "score"], kind="stable")["forecaster"].iloc[0])


def best_model(trials: Sequence[Trial], target: str, *, seed: int = 0) -> str:
    """Return the model that the distribution comes from.

    Of the models that forecast within one standard error of the best of them, it is the one under which the purchases
    before those dates are most likely (BIC): their means hardly differ, their spreads do.
    """
    table = scores(trials, target, among=leaving(), seed=seed)
    near = table["score"] <= table["score"].min() + table["standard_error"].fillna(0.0)
    alike = table.loc[near, "forecaster"] if near.any() else table["forecaster"]
    return min(alike, key=lambda name: sum(bic(trial.models[name]) for trial in trials))


def best_weight(trials: Sequence[Trial], model: str, target: str) -> float:
    """Return the model's weight in the blend that had the lowest error, relative to the model's, over the dates."""

    def error(trial: Trial, weight: float) -> float:
        own = trial.models[model]
        worth = np.ones(len(trial.at.summary)) if target == "purchases" else own.worth(trial.at)
        purchases = mixed(own.expected(trial.at).purchases, own.p_alive(trial.at), trial.at.recent.purchases, weight)
        return float(np.sqrt(((purchases * worth - trial.came.target(target)) ** 2).mean()))

    sums = {w: sum(error(trial, w) / max(error(trial, 1.0), 1e-300) for trial in trials) for w in WEIGHTS}
    return min(sums, key=lambda weight: sums[weight])


def candidates(table: pd.DataFrame, trials: Sequence[Trial], chosen: str) -> pd.DataFrame:
    """Return the columns of `terms.TABLES["contest"]`, nearest forecaster first."""
    table = table.assign(
        kind=table["forecaster"].map(kind),
        origins=len(trials),
        eligible=(table["forecaster"] != NEVER_CHOSEN) & (table["score"] <= 1.0),
        chosen=table["forecaster"] == chosen,
    )
    columns = [column.name for column in TABLES["contest"]]
    return table.sort_values(["score", "complexity"], kind="stable", ignore_index=True)[columns]
