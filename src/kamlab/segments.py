"""Groups of accounts that are alike, found by several methods; the rule that chooses among them may say "none"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from kamlab import clusters, profiles, segment_identity, segment_rules, selection
from kamlab.clusters import Division
from kamlab.errors import ConfigError, DataError, first_ids
from kamlab.features import LEFT_OUT, usable
from kamlab.i18n import N_
from kamlab.scaling import FeatureScaler, rules
from kamlab.segment_names import ALL_ACCOUNTS, BORDERLINE
from kamlab.terms import TABLES

MIN_ACCOUNTS = 30
SAMPLE = 3000
"""Segments are found among this many accounts, drawn at random, and applied to all."""
REFERENCE = 500
"""Accounts of the sample that the others' silhouettes are measured against where there are more than the sample."""

RULES = {
    "chosen": N_(
        "{k} segments: of the divisions that are stable, have no tiny segment and give each a name of its own, the one "
        "whose mean silhouette is furthest above that of data without structure; within 0.01 the one with the fewest "
        "segments, then the simplest method. Of the mixtures only the one with the lowest BIC counts."
    ),
    "given": N_("{k} segments, as asked for."),
    "fewer": N_("Segments found: {found}. {k} were asked for, but the accounts do not fall into more."),
    "few": N_("Too few accounts to look for segments ({accounts}); under {needed} there are borders and rules only."),
    "alike": N_("No cluster structure worth naming: no feature tells the accounts apart."),
    "none": N_(
        "No cluster structure worth naming: no division into 2 to {k_max} segments is stable, free of tiny segments "
        "and much clearer than those of data without structure."
    ),
}
"""How the number of segments came about, by key: sentences of the message catalogue."""


@dataclass(frozen=True)
class Segmentation:
    """Segments of accounts and how they were found.

    Attributes
    ----------
    labels : DataFrame
        Table "segments" of `terms`, ordered by account.
    probabilities : DataFrame
        Table "segment_probabilities" of `terms`: account, and s1 … sN, the probability of each segment.
    candidates : DataFrame
        Table "candidates" of `terms`: one row for each method and number of segments tried.
    profile : DataFrame
        Table "profile" of `terms`: one row a segment, medians of the features in original units.
    rules : DataFrame
        Table "segment_rules" of `terms`: the segments in thresholds that a reader can keep.
    feature_rules : DataFrame
        Table "feature_rules" of `terms`: how each feature entered.
    rule_id, rule_values : str, mapping
        Key of `RULES` that decided, and what fills the sentence's placeholders.
    used, left_out : tuple of str, mapping of str to str
        Features that the accounts were compared by, and the others with the reason.
    dominant : str
        Account with more than half of all expected value; empty if there is none.
    highest_id : int
        Highest segment_id that was ever given.
    scaler : FeatureScaler, optional
        What put the features on one scale.
    """

    labels: pd.DataFrame
    probabilities: pd.DataFrame
    candidates: pd.DataFrame
    profile: pd.DataFrame
    rules: pd.DataFrame
    feature_rules: pd.DataFrame
    rule_id: str
    rule_values: Mapping[str, int]
    used: tuple[str, ...]
    left_out: Mapping[str, str]
    dominant: str = ""
    highest_id: int = 0
    scaler: FeatureScaler | None = None

    @property
    def found(self) -> bool:
        """Whether there is more than one segment."""
        return len(self.profile) > 1

    def facts(self) -> dict[str, Any]:
        """Return what a report says and the next run needs, fit for JSON; `rule` is a sentence of the catalogue."""
        chosen = self.candidates[self.candidates["chosen"].astype(bool)]
        return {
            "found": self.found,
            "rule": RULES[self.rule_id],
            "rule_values": dict(self.rule_values),
            "method": chosen["method"].iloc[0] if len(chosen) else None,
            "used": list(self.used),
            "left_out": dict(self.left_out),
            "reproduced": segment_rules.reproduced(self.rules) if len(self.rules) else None,
            "borderline": int(self.labels["borderline"].sum()),
            "dominant": self.dominant,
            "highest_id": self.highest_id,
        }

    def after(self, profile: pd.DataFrame, labels: pd.DataFrame, highest_id: int) -> Segmentation:
        """Return the same segments under the numbers that they had in the run before.

        Parameters
        ----------
        profile, labels : DataFrame
            Tables "profile" and "segments" of the run before; where it had no segments, all numbers are new.
        highest_id : int
            Its fact.
        """
        if self.scaler is None:
            return replace(self, highest_id=highest_id)
        had_segments = len(profile) > 1
        numbers = segment_identity.match(
            self.profile, self.scaler, profile if had_segments else None, highest=highest_id
        )
        lasting = pd.Series(numbers, self.profile["segment"])
        earlier = labels.set_index("account")["segment_id"] if had_segments else {}
        return replace(
            self,
            profile=self.profile.assign(segment_id=numbers),
            labels=self.labels.assign(
                segment_id=self.labels["segment"].map(lasting).to_numpy(),
                previous_segment_id=self.labels["account"].map(earlier).astype(float),
            ),
            highest_id=max(highest_id, int(numbers.max())),
        )


def fit(
    features: pd.DataFrame,
    *,
    k: int | None = None,
    method: str | None = None,
    by: Sequence[str] | None = None,
    k_max: int = 12,
    seed: int = 0,
) -> Segmentation:
    """Find segments, or say that there are none worth naming.

    K-means, Ward's method (up to 1,000 accounts) and Gaussian mixtures with diagonal and full covariances are tried
    with 2 to `k_max` groups. A mixture has to have a lower BIC than one normal cloud and than the other mixture of as
    many components. The smallest segment has to have max(5 accounts, 2 %). The mean silhouette has to be 0.05 above the
    highest that the same method reaches in data without structure: 10 clouds of the same skewness and correlation and
    10 uniform boxes. The division has to be stable (mean adjusted Rand index ≥ 0.8 with divisions of 20 subsamples of
    80 %) and to give each segment a name of its own. Of the mixtures that pass, that of the lowest BIC competes alone:
    each is measured in units of its own spread, which too few components widen. Of what passes, the one furthest above
    chance is chosen, within 0.01 the one with the fewest segments, then the simplest method; if none passes, there are
    no segments. See `kamlab.clusters` for the measures and their sources.

    Parameters
    ----------
    features : DataFrame
        account, expected_contribution (currency) and further features in original units, such as `features.build`
        returns; NaN where unknown.
    k : int, optional
        Number of segments to make instead of the chosen one.
    method : str, optional
        Method to use alone, one of `clusters.METHODS`.
    by : sequence of str, optional
        Features to make segments from, instead of those that usually do.
    k_max : int
        Largest number of segments to try.

    Returns
    -------
    Segmentation
        Segments are numbered by mean expected contribution, 1 = highest; without any, all accounts are in segment 1.

    Raises
    ------
    ConfigError
        If `k`, `method` or `by` cannot be had.
    DataError
        If expected_contribution is not there, missing or infinite for an account, an account stands there twice, or a
        column is personal or no number.
    """
    _check(features, k, method, k_max)
    features = features.sort_values("account", ignore_index=True)
    used, left_out = _by(by, *usable(features))
    features = features.astype(dict.fromkeys(features.columns.drop("account"), float))
    n = len(features)
    if n < MIN_ACCOUNTS and k is None:
        return _none(features, "few", {"accounts": n, "needed": MIN_ACCOUNTS}, used, left_out)
    if not used:
        return _none(features, "alike", {}, used, left_out)
    scaler = FeatureScaler().fit(features[used])
    z = scaler.transform(features[used]).to_numpy()
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(n, SAMPLE, replace=False)) if n > SAMPLE else np.arange(n)
    with threadpool_limits(limits=1):
        candidates, divisions = selection.evaluate(
            features.iloc[rows],
            z[rows],
            selection.tried(len(rows), k, method, k_max),
            scaler,
            _telling(used, left_out),
            rng,
            seed,
        )
        chosen = selection.choice(candidates) if k is None else selection.asked(candidates)
        if chosen is None:
            return _none(features, "none", {"k_max": k_max}, used, left_out, candidates)
        candidates.loc[chosen, ["chosen", "reason"]] = [True, selection.REASONS["chosen"]]
        found = _segmentation(features, z, rows, divisions[chosen], scaler, used, left_out)
    if k is not None and len(found.profile) < k:
        return replace(found, candidates=candidates, rule_id="fewer", rule_values={"k": k, "found": len(found.profile)})
    rule = "chosen" if k is None else "given"
    return replace(found, candidates=candidates, rule_id=rule, rule_values={"k": len(found.profile)})


def _check(features: pd.DataFrame, k: int | None, method: str | None, k_max: int) -> None:
    if profiles.VALUE not in features or features[profiles.VALUE].isna().any():
        raise DataError(f"Every account needs a value in the column {profiles.VALUE} to be put into a segment.")
    infinite = features.loc[np.isinf(features[profiles.VALUE].astype(float)), "account"]
    if len(infinite):
        raise DataError(
            f"{len(infinite)} accounts have an infinite {profiles.VALUE} (first: {first_ids(infinite)}). Correct it."
        )
    twice = features.loc[features["account"].duplicated(), "account"]
    if len(twice):
        raise DataError(f"{len(twice)} rows repeat an account (first: {first_ids(twice)}). Keep one row an account.")
    n = len(features)
    if k is not None and not 2 <= k <= n / selection.MIN_SEGMENT_ACCOUNTS:
        raise ConfigError(f"{k} segments of {n} accounts: ask for 2 to {max(2, n // selection.MIN_SEGMENT_ACCOUNTS)}.")
    if k_max < 2:
        raise ConfigError(f"k_max is {k_max}; one segment is no division. Try at least 2.")
    if method is not None and method not in clusters.METHODS:
        raise ConfigError(f'There is no method "{method}". Choose from: {", ".join(clusters.METHODS)}.')


def _by(by: Sequence[str] | None, used: list[str], left_out: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Make segments from the features asked for; the others describe them."""
    if by is None:
        return used, left_out
    possible = [*used, *(name for name, reason in left_out.items() if reason == LEFT_OUT["describes"])]
    if refused := [name for name in by if name not in possible]:
        raise ConfigError(
            f"Segments cannot be made from {first_ids(refused)}: not there, or the same for all accounts. "
            f"Choose from: {', '.join(possible)}."
        )
    if not by:
        raise ConfigError(f"Segments are made from at least one feature. Choose from: {', '.join(possible)}.")
    others = dict.fromkeys((name for name in possible if name not in by), LEFT_OUT["describes"])
    return list(dict.fromkeys(by)), {name: reason for name, reason in left_out.items() if name not in by} | others


def _telling(used: Sequence[str], left_out: Mapping[str, str]) -> list[str]:
    """Return the features that segments are named by."""
    return [*used, *(name for name, reason in left_out.items() if reason == LEFT_OUT["describes"])]


def _segmentation(
    features: pd.DataFrame,
    z: np.ndarray,
    rows: np.ndarray,
    division: Division,
    scaler: FeatureScaler,
    used: list[str],
    left_out: Mapping[str, str],
) -> Segmentation:
    """Apply a division to all accounts and describe what comes out."""
    raw = division.probabilities(z)
    groups = raw.argmax(axis=1)
    segment = profiles.numbered(features, groups)
    order = [groups[np.flatnonzero(segment == number)[0]] for number in range(1, segment.max() + 1)]
    chances = raw[:, order] / raw[:, order].sum(axis=1, keepdims=True)
    described, profile = profiles.named(features, segment, scaler, _telling(used, left_out), z)
    profile.insert(1, "segment_id", profile["segment"])
    profile.insert(2, "segment_name", described)
    reference = rows if len(z) == len(rows) else rows[:: -(-len(rows) // REFERENCE)]
    silhouette = clusters.silhouettes(z, groups, reference)
    dominant = profiles.dominant(features)
    return Segmentation(
        labels=_labels(features, segment, profile, silhouette, chances),
        probabilities=pd.concat(
            [features["account"], pd.DataFrame(chances).rename(columns=lambda i: f"s{i + 1}")], axis=1
        ),
        candidates=pd.DataFrame(),
        profile=profile,
        rules=segment_rules.explain(features[used], segment),
        feature_rules=rules(features, scaler, used, left_out),
        rule_id="chosen",
        rule_values={},
        used=tuple(used),
        left_out=left_out,
        dominant=str(features["account"][dominant[0]]) if dominant else "",
        highest_id=len(profile),
        scaler=scaler,
    )


def _labels(
    features: pd.DataFrame,
    segment: np.ndarray,
    profile: pd.DataFrame,
    silhouette: np.ndarray | float,
    chances: np.ndarray | None,
) -> pd.DataFrame:
    table = pd.DataFrame({"account": features["account"].to_numpy(), "segment": segment, "segment_id": segment})
    table["segment_name"] = pd.Series(segment).map(profile.set_index("segment")["segment_name"]).to_numpy()
    table["silhouette"] = silhouette
    table[["probability", "second_segment", "second_probability"]] = np.nan
    if chances is not None:
        ranks = np.argsort(-chances, axis=1, kind="stable")
        everyone = np.arange(len(table))
        table["probability"] = chances[everyone, ranks[:, 0]]
        table["second_segment"] = ranks[:, 1] + 1.0
        table["second_probability"] = chances[everyone, ranks[:, 1]]
    table["borderline"] = table["probability"] < BORDERLINE
    table["previous_segment_id"] = np.nan
    return table[[column.name for column in TABLES["segments"]]]


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
    profile = profiles.profile(features, segment)
    profile.insert(1, "segment_id", 1)
    profile.insert(2, "segment_name", ALL_ACCOUNTS)
    empty = {name: pd.DataFrame(columns=[c.name for c in TABLES[name]]) for name in ("candidates", "segment_rules")}
    dominant = profiles.dominant(features)
    return Segmentation(
        labels=_labels(features, segment, profile, np.nan, None),
        probabilities=pd.DataFrame({"account": features["account"], "s1": 1.0}),
        candidates=empty["candidates"] if candidates is None else candidates,
        profile=profile,
        rules=empty["segment_rules"],
        feature_rules=rules(features, None, used, left_out),
        rule_id=rule,
        rule_values=said,
        used=tuple(used),
        left_out=left_out,
        dominant=str(features["account"][dominant[0]]) if dominant else "",
    )
