"""Divisions of the accounts that compete, each ruled out by the cheapest test that it fails; and which of them wins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab import clusters, profiles
from kamlab.clusters import Division
from kamlab.i18n import N_
from kamlab.progress import track
from kamlab.scaling import FeatureScaler
from kamlab.segment_names import readable
from kamlab.terms import TABLES

MIN_STABILITY = 0.8
MIN_SEGMENT_ACCOUNTS, MIN_SEGMENT_SHARE = 5, 0.02
MIN_EXCESS = 0.05
"""How far a silhouette must be above chance; skewed data without clusters reaches 0.02 now and then."""
NEARLY = 0.01

REASONS = {
    "tiny": N_("tiny segment"),
    "one_cloud": N_("no better than one cloud"),
    "other_mixture": N_("another mixture fits better"),
    "unstable": N_("unstable"),
    "unreadable": N_("no names of their own"),
    "chance": N_("not clearer than chance"),
    "beaten": N_("less clear"),
    "chosen": N_("chosen"),
}
"""What a candidate fell short of, by key: phrases of the message catalogue."""


def tried(n: int, k: int | None, method: str | None, k_max: int) -> list[tuple[str, int]]:
    """Return the methods and numbers of segments to try on n accounts, the simplest method first."""
    ks = range(2, k_max + 1) if k is None else [k]
    methods = [m for m in clusters.METHODS if m != "ward" or n <= clusters.LARGEST_WARD] if method is None else [method]
    return [(m, number) for m in methods for number in ks if number <= n // MIN_SEGMENT_ACCOUNTS]


def evaluate(
    features: pd.DataFrame,
    z: np.ndarray,
    pairs: list[tuple[str, int]],
    scaler: FeatureScaler,
    telling: list[str],
    rng: np.random.Generator,
    seed: int,
) -> tuple[pd.DataFrame, list[Division]]:
    """Fit every candidate and rule it out by the cheapest test that it fails.

    Parameters
    ----------
    features : DataFrame
        account and features, in original units; one row an account of the sample.
    z : ndarray of shape (accounts, used features)
        The features that make segments, scaled.
    pairs : list of (str, int)
        What `tried` returned.
    scaler : FeatureScaler
        What scaled them.
    telling : list of str
        Features that segments are named by.
    rng, seed : numpy.random.Generator, int
        Draw the data without structure, and the methods' starts and resamples.

    Returns
    -------
    candidates : DataFrame
        Table "candidates" of `terms`, rows as in `pairs`.
    divisions : list of Division
        One a row.
    """
    n = len(z)
    divisions = [clusters.divide(z, method, k, seed=seed) for method, k in pairs]
    table = pd.DataFrame(pairs, columns=["method", "k"])
    groups = [clusters.labels(division, z) for division in divisions]
    sizes = [np.bincount(g, minlength=k).min() for g, k in zip(groups, table["k"], strict=True)]
    table["smallest_share"] = np.array(sizes) / n
    table["bic"] = [clusters.bic(division, z) for division in divisions]
    table[["stability", "silhouette", "null_silhouette"]] = np.nan
    table[["eligible", "chosen"]] = False
    table["reason"] = ""
    one_cloud = min(clusters.bic(clusters.divide(z, m, 1, seed=seed), z) for m in clusters.MIXTURES)
    best_shape = table.groupby("k")["bic"].transform("min")
    draws, best, settled = clusters.structureless(z, rng), 0.0, False
    # mixtures last, the one of lowest BIC first: the first of them that passes stands for all
    order = table["bic"].sort_values(kind="stable", na_position="first").index
    for i in track(order, "divisions tried"):
        method, k = pairs[i]
        mixture, failed = method in clusters.MIXTURES, ""
        if sizes[i] < max(MIN_SEGMENT_ACCOUNTS, MIN_SEGMENT_SHARE * n):
            failed = "tiny"
        elif table["bic"][i] >= one_cloud:
            failed = "one_cloud"
        elif settled or table["bic"][i] > best_shape[i]:
            failed = "other_mixture"
        else:
            clear = clusters.clarity(z, groups[i], method)
            needed = MIN_EXCESS if mixture else max(MIN_EXCESS, best - NEARLY)
            by_chance = clusters.chance(draws, method, k, enough=clear - needed, seed=seed)
            table.loc[i, ["silhouette", "null_silhouette"]] = [clear, by_chance]
            if clear - by_chance < needed:
                failed = "chance" if clear - by_chance < MIN_EXCESS else "beaten"
        if not failed:
            table.loc[i, "stability"] = clusters.stability(z, method, k, groups[i], seed=seed)
            if table["stability"][i] < MIN_STABILITY:
                failed = "unstable"
            elif not readable(profiles.named(features, profiles.numbered(features, groups[i]), scaler, telling, z)[0]):
                failed = "unreadable"
            else:
                best, settled = max(best, clear - by_chance), mixture
                table.loc[i, "eligible"] = True
        table.loc[i, "reason"] = REASONS[failed or "beaten"]
    return table[[column.name for column in TABLES["candidates"]]], divisions


def _above_chance(candidates: pd.DataFrame) -> pd.Series:
    return (candidates["silhouette"] - candidates["null_silhouette"]).where(candidates["eligible"])


def choice(candidates: pd.DataFrame) -> int | None:
    """Return the row of the eligible division that is furthest above chance, or None if none is eligible."""
    above = _above_chance(candidates)
    best = candidates[above >= above.max() - NEARLY]
    return int(best.sort_values("k", kind="stable").index[0]) if len(best) else None


def asked(candidates: pd.DataFrame) -> int:
    """Return the eligible division furthest above chance; where none is, the simplest method's."""
    return int(_above_chance(candidates).fillna(-np.inf).argmax())
