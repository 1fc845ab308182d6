"""Groups of accounts that are alike: k-means on scaled features, with k chosen by a rule that may say "none"."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, pairwise_distances_chunked, silhouette_score
from threadpoolctl import threadpool_limits

from kamlab.errors import ConfigError, DataError
from kamlab.features import LEFT_OUT, FeatureScaler, usable
from kamlab.i18n import N_
from kamlab.segment_names import ALL_ACCOUNTS, names
from kamlab.terms import TABLES

VALUE = "expected_contribution"
MIN_ACCOUNTS = 30
SAMPLE = 3000
"""Segments are found among this many accounts, drawn at random, and applied to all."""
STARTS = 10

RESAMPLES, RESAMPLE_SHARE, MIN_STABILITY = 20, 0.8, 0.8
MIN_SEGMENT_ACCOUNTS, MIN_SEGMENT_SHARE = 5, 0.02
MIN_EXCESS = 0.05
"""How far a silhouette must be above chance; skewed data without clusters reaches 0.02 now and then."""
NEARLY = 0.01
NULL_DRAWS, NULL_ACCOUNTS, QUICK_STARTS = 10, 500, 3

RULES = {
    "chosen": N_(
        "{k} segments: of the divisions that are stable and have no tiny segment, the one whose mean silhouette is "
        "furthest above that of data without structure; within 0.01 the one with the fewest segments."
    ),
    "given": N_("{k} segments, as asked for."),
    "few": N_("Too few accounts to look for segments ({accounts}); under {needed} there are borders and rules only."),
    "alike": N_("No cluster structure worth naming: no feature tells the accounts apart."),
    "unstable": N_(
        "No cluster structure worth naming: no division into 2 to {k_max} segments is stable and free of tiny segments."
    ),
    "chance": N_(
        "No cluster structure worth naming: no stable division is much clearer than those of data without structure."
    ),
}
"""How the number of segments came about, by key: sentences of the message catalogue."""


@dataclass(frozen=True)
class Segmentation:
    """Segments of accounts and how they were found.

    Attributes
    ----------
    labels : DataFrame
        Table "segments" of `terms`: account, segment, segment_name, silhouette.
    candidates : DataFrame
        Table "candidates" of `terms`: one row for each number of segments tried.
    profile : DataFrame
        Table "profile" of `terms`: one row a segment, medians of the features in original units.
    rule_id, rule_values : str, mapping
        Key of `RULES` that decided, and what fills the sentence's placeholders.
    used, left_out : tuple of str, mapping of str to str
        Features that the accounts were compared by, and the others with the reason.
    """

    labels: pd.DataFrame
    candidates: pd.DataFrame
    profile: pd.DataFrame
    rule_id: str
    rule_values: Mapping[str, int]
    used: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def found(self) -> bool:
        """Whether there is more than one segment."""
        return self.rule_id in ("chosen", "given")

    def facts(self) -> dict[str, Any]:
        """Return found, rule (sentence of the catalogue), rule_values, used and left_out, fit for JSON."""
        return {
            "found": self.found,
            "rule": RULES[self.rule_id],
            "rule_values": dict(self.rule_values),
            "used": list(self.used),
            "left_out": dict(self.left_out),
        }


def fit(features: pd.DataFrame, *, k: int | None = None, k_max: int = 8, seed: int = 0) -> Segmentation:
    """Find segments, or say that there are none worth naming.

    Divisions are eligible that are stable (mean adjusted Rand index [1]_ ≥ 0.8 with divisions of 20 subsamples of
    80 %) and whose smallest segment has at least max(5 accounts, 2 %). Their mean silhouettes [2]_ are compared with
    the highest that k-means reaches in data without structure: 10 Gaussian clouds with the accounts' covariance [3]_
    and 10 uniform boxes along their principal axes [4]_. The division that is furthest above it is chosen, within
    0.01 the one with the fewest segments; if none is 0.05 above it, there are no segments. (The silhouette alone would
    favour two segments, with data of any kind.)

    Parameters
    ----------
    features : DataFrame
        account, expected_contribution (currency) and further features in original units, such as `features.build`
        returns; NaN where unknown.
    k : int, optional
        Number of segments to make instead of the chosen one.
    k_max : int
        Largest number of segments to try.

    Returns
    -------
    Segmentation
        Segments are numbered by mean expected contribution, 1 = highest; without any, all accounts are in segment 1.

    Raises
    ------
    ConfigError
        If `k` is not between 2 and a fifth of the accounts.
    DataError
        If expected_contribution is not there or missing for an account, or a feature is infinite.

    References
    ----------
    .. [1] L. Hubert, P. Arabie (1985), Comparing partitions, Journal of Classification 2, equation (5).
    .. [2] P. Rousseeuw (1987), Silhouettes, J. Computational and Applied Mathematics 20, section 2.
    .. [3] Y. Liu, D. Hayes, A. Nobel, J. Marron (2008), Statistical significance of clustering, JASA 103, section 2.
    .. [4] R. Tibshirani, G. Walther, T. Hastie (2001), Gap statistic, JRSS B 63, section 3, reference (b).
    """
    if VALUE not in features or features[VALUE].isna().any():
        raise DataError(f"Every account needs a value in the column {VALUE} to be put into a segment.")
    n = len(features)
    if k is not None and not 2 <= k <= n / MIN_SEGMENT_ACCOUNTS:
        raise ConfigError(f"{k} segments of {n} accounts: ask for 2 to {max(2, n // MIN_SEGMENT_ACCOUNTS)}.")
    used, left_out = usable(features)
    if n < MIN_ACCOUNTS and k is None:
        return _none(features, "few", {"accounts": n, "needed": MIN_ACCOUNTS}, used, left_out)
    if not used:
        return _none(features, "alike", {}, used, left_out)
    scaled = FeatureScaler().fit_transform(features[used])
    z = scaled.to_numpy()
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(n, SAMPLE, replace=False)) if n > SAMPLE else np.arange(n)
    with threadpool_limits(limits=1):
        candidates = _candidates(z[rows], range(2, max(k_max, k or 0) + 1), rng, seed)
        chosen = k if k is not None else _choice(candidates)
        if chosen is None:
            rule = "chance" if candidates["eligible"].any() else "unstable"
            return _none(features, rule, {"k_max": k_max} if rule == "unstable" else {}, used, left_out, candidates)
        clusters = _kmeans(z[rows], chosen, seed, STARTS).predict(z)
        silhouette = _silhouettes(z, clusters, rows)
    candidates["chosen"] = candidates["k"] == chosen
    order = features.groupby(clusters)[VALUE].mean().sort_values(ascending=False, kind="stable").index
    segment = pd.Series(clusters).map({cluster: i + 1 for i, cluster in enumerate(order)}).to_numpy()
    telling = [*used, *(name for name, reason in left_out.items() if reason == LEFT_OUT["describes"])]
    profile, centres = _profile(features, segment), scaled.groupby(segment).mean()
    described = names(profile[["mean_contribution", *telling]], centres, features[VALUE].mean())
    profile.insert(1, "segment_name", described)
    labels = _labels(features, segment, profile, silhouette)
    rule = "chosen" if k is None else "given"
    return Segmentation(labels, candidates, profile, rule, {"k": chosen}, tuple(used), left_out)


def _kmeans(z: np.ndarray, k: int, seed: int, starts: int) -> KMeans:
    with warnings.catch_warnings():
        # fewer different accounts than segments: the division is tiny or unstable, and not eligible
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(k, n_init=starts, random_state=seed).fit(z)


def _clarity(z: np.ndarray, clusters: np.ndarray) -> float:
    """Return the mean silhouette; −1 where there is one cluster only, or as many as accounts."""
    different = len(np.unique(clusters))
    return float(silhouette_score(z, clusters)) if 1 < different < len(z) else -1.0


def _candidates(z: np.ndarray, ks: range, rng: np.random.Generator, seed: int) -> pd.DataFrame:
    n = len(z)
    needed = max(MIN_SEGMENT_ACCOUNTS, MIN_SEGMENT_SHARE * n)
    parts = [rng.choice(n, int(RESAMPLE_SHARE * n), replace=False) for _ in range(RESAMPLES)]
    null = _structureless(z[rng.choice(n, min(n, NULL_ACCOUNTS), replace=False)], rng)
    rows = []
    for k in ks:
        if k > n // MIN_SEGMENT_ACCOUNTS:
            break
        clusters = _kmeans(z, k, seed, STARTS).labels_
        again = [_kmeans(z[part], k, seed, QUICK_STARTS).predict(z) for part in parts]
        stability = float(np.mean([adjusted_rand_score(clusters, a) for a in again]))
        smallest = int(np.bincount(clusters, minlength=k).min())
        eligible = stability >= MIN_STABILITY and smallest >= needed
        rows.append(
            {
                "k": k,
                "silhouette": _clarity(z, clusters),
                "null_silhouette": max(_clarity(d, _kmeans(d, k, seed, QUICK_STARTS).labels_) for d in null)
                if eligible
                else np.nan,
                "stability": stability,
                "smallest_share": smallest / n,
                "eligible": eligible,
            }
        )
    return pd.DataFrame(rows)


def _choice(candidates: pd.DataFrame) -> int | None:
    """Return the k of the eligible division that is furthest above chance, or None if none is far enough."""
    above = candidates["silhouette"] - candidates["null_silhouette"]
    best = candidates["k"][(above >= MIN_EXCESS) & (above >= above.max() - NEARLY)]
    return int(best.min()) if len(best) else None


def _structureless(z: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw data without clusters that is as wide as `z` along each of its principal axes."""
    centred = z - z.mean(axis=0)
    axes = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    clouds = [rng.normal(scale=axes.std(axis=0), size=axes.shape) for _ in range(NULL_DRAWS)]
    boxes = [rng.uniform(axes.min(axis=0), axes.max(axis=0), size=axes.shape) for _ in range(NULL_DRAWS)]
    return [*clouds, *boxes]


def _silhouettes(z: np.ndarray, clusters: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Silhouette of each account against the accounts in `rows`; 0 for an account alone in its cluster."""
    k = clusters.max() + 1
    members = np.eye(k)[clusters[rows]]
    sums = np.vstack(list(pairwise_distances_chunked(z, z[rows], reduce_func=lambda d, start: d @ members)))
    sizes = np.repeat(members.sum(axis=0)[None, :], len(z), axis=0)
    everyone = np.arange(len(z))
    sizes[rows, clusters[rows]] -= 1  # the distance to itself is in the sum, but it is no neighbour
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / sizes
        own = mean[everyone, clusters].copy()
        mean[everyone, clusters] = np.inf
        other = np.fmin.reduce(mean, axis=1)  # past clusters that are empty
        return np.nan_to_num((other - own) / np.maximum(own, other))


def _profile(features: pd.DataFrame, segment: np.ndarray) -> pd.DataFrame:
    groups = features.groupby(segment)
    value, accounts = groups[VALUE].sum(), groups.size()
    profile = pd.DataFrame(
        {
            "accounts": accounts,
            "share_accounts": accounts / len(features),
            "contribution": value,
            "share_contribution": value / value.sum() if value.sum() else np.nan,
            "mean_contribution": value / accounts,
        }
    )
    medians = groups[list(features.columns.drop("account"))].median()
    return profile.join(medians).rename_axis("segment").reset_index()


def _labels(
    features: pd.DataFrame, segment: np.ndarray, profile: pd.DataFrame, silhouette: np.ndarray | float
) -> pd.DataFrame:
    name = pd.Series(segment).map(profile.set_index("segment")["segment_name"]).to_numpy()
    table = pd.DataFrame(
        {"account": features["account"].to_numpy(), "segment": segment, "segment_name": name, "silhouette": silhouette}
    )
    return table.sort_values("account", ignore_index=True)


def _none(
    features: pd.DataFrame,
    rule: str,
    said: Mapping[str, int],
    used: list[str],
    left_out: Mapping[str, str],
    candidates: pd.DataFrame | None = None,
) -> Segmentation:
    """Put all accounts into one segment."""
    segment = np.ones(len(features), dtype=int)
    profile = _profile(features, segment)
    profile.insert(1, "segment_name", ALL_ACCOUNTS)
    if candidates is None:
        candidates = pd.DataFrame(columns=[column.name for column in TABLES["candidates"]])
    candidates["chosen"] = False
    labels = _labels(features, segment, profile, np.nan)
    return Segmentation(labels, candidates, profile, rule, said, tuple(used), left_out)
