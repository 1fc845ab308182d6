"""Segments in a few plain rules: a shallow tree on the features in original units, with thresholds to remember."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from kamlab.feature_list import Feature, feature
from kamlab.i18n import N_, Translator
from kamlab.period import DAYS_PER_YEAR
from kamlab.terms import TABLES

MAX_DEPTH = 3
"""Of the tree that tells up to four segments apart; twice as many take one step more."""
NEARLY = 0.01
"""A shallower tree is taken if it reproduces at most this share of accounts less."""
SMALLEST_LEAF, SMALLEST_SHARE = 5, 0.01
DIGITS = 3
"""Significant digits of a threshold: as many as reports print of an amount."""
LARGEST_FIT = 20_000
"""Accounts that a tree is grown on; its rules are counted on all."""

Bounds = Mapping[str, tuple[float, float]]
"""Feature → at least, under; infinite where there is no bound."""

# Translators: two conditions of a rule that both have to hold.
BOTH = N_("{first} and {second}")


@dataclass(frozen=True)
class _Leaf:
    bounds: Bounds
    segment: int


def explain(features: pd.DataFrame, segment: np.ndarray) -> pd.DataFrame:
    """Describe segments by rules.

    A classification tree of depth 1 to 3, for more than four segments 4 and for more than eight 5, is grown; the
    shallowest that reproduces as many accounts as the best, to 0.01, counts. A threshold is the roundest number that
    parts the same accounts; with three digits at most it may part one or the other otherwise, and all counts are made
    with the thresholds as they are.

    Parameters
    ----------
    features : DataFrame
        Features that made the segments, in original units; a missing value counts as the middle one.
    segment : ndarray of int
        Segment of each row.

    Returns
    -------
    DataFrame
        Table "segment_rules" of `terms`: one row a rule, ordered by segment. A segment that no rule stands for cannot
        be told by so few thresholds. Σ accounts · share_right / Σ accounts is the share that the rules reproduce.
    """
    x = features.astype(float)
    x = x.fillna(x.median())
    rows = np.arange(len(x))
    if len(x) > LARGEST_FIT:
        rows = np.sort(np.random.default_rng(0).choice(len(x), LARGEST_FIT, replace=False))
    deepest = max(MAX_DEPTH, 1 + int(np.ceil(np.log2(len(np.unique(segment))))))
    tables = [
        _counted(list(_leaves(x.iloc[rows], segment[rows], depth)), x, segment) for depth in range(1, deepest + 1)
    ]
    right = [reproduced(table) for table in tables]
    return next(table for table, share in zip(tables, right, strict=True) if share >= max(right) - NEARLY)


def reproduced(rules: pd.DataFrame) -> float:
    """Return the share of accounts that the rules put into their segment."""
    return float((rules["accounts"] * rules["share_right"]).sum() / rules["accounts"].sum())


def _leaves(x: pd.DataFrame, segment: np.ndarray, depth: int) -> Iterator[_Leaf]:
    from sklearn.tree import DecisionTreeClassifier

    smallest = max(SMALLEST_LEAF, int(SMALLEST_SHARE * len(x)))
    x = x.astype("float32").astype(float)  # what the tree sees: its thresholds part these values
    grown = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=smallest, random_state=0).fit(x, segment)
    tree, classes = grown.tree_, grown.classes_

    def kinds(node: int) -> set[int]:
        if tree.children_left[node] < 0:
            return {int(classes[tree.value[node].argmax()])}
        return kinds(tree.children_left[node]) | kinds(tree.children_right[node])

    def walk(node: int, rows: np.ndarray, bounds: Bounds) -> Iterator[_Leaf]:
        # branches that end in the same segment are one rule
        if len(kinds(node)) == 1:
            yield _Leaf(bounds, *kinds(node))
            return
        name = str(x.columns[tree.feature[node]])
        values = x[name].to_numpy()[rows]
        below = values <= tree.threshold[node]
        border = _round(values[below].max(), values[~below].min(), feature(name))
        low, high = bounds.get(name, (-np.inf, np.inf))
        yield from walk(tree.children_left[node], rows[below], {**bounds, name: (low, min(high, border))})
        yield from walk(tree.children_right[node], rows[~below], {**bounds, name: (max(low, border), high)})

    return walk(0, np.arange(len(x)), {})


def _round(below: float, above: float, about: Feature) -> float:
    """Return the number over `below` and up to `above` that is printed roundest.

    Growth is printed in per cent, and less than a year in days.
    """
    if about.name == "growth":
        return float(np.log1p(_roundest(np.expm1(below), np.expm1(above))))
    if about.unit == "years" and below > 0 and above < 1:
        return _roundest(below * DAYS_PER_YEAR, above * DAYS_PER_YEAR) / DAYS_PER_YEAR
    return _roundest(below, above)


def _roundest(below: float, above: float) -> float:
    middle = (below + above) / 2
    for digits in range(1, DIGITS + 1):
        found = _significant(middle, digits)
        if below < found <= above:
            break
    return found


def _significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _counted(leaves: list[_Leaf], x: pd.DataFrame, segment: np.ndarray) -> pd.DataFrame:
    rows = []
    for leaf in leaves:
        meets = np.ones(len(x), dtype=bool)
        for name, (low, high) in leaf.bounds.items():
            meets &= (x[name].to_numpy() >= low) & (x[name].to_numpy() < high)
        conditions = [
            {
                "feature": name,
                "at_least": low if np.isfinite(low) else None,
                "under": high if np.isfinite(high) else None,
            }
            for name, (low, high) in leaf.bounds.items()
        ]
        rows.append(
            {
                "segment": leaf.segment,
                "conditions": json.dumps(conditions, ensure_ascii=False),
                "accounts": int(meets.sum()),
                "share_right": float((segment[meets] == leaf.segment).mean()) if meets.any() else np.nan,
            }
        )
    table = pd.DataFrame(rows).query("accounts > 0").sort_values("segment", kind="stable", ignore_index=True)
    table.insert(0, "rule", np.arange(1, len(table) + 1))
    return table[[column.name for column in TABLES["segment_rules"]]]


def written(conditions: str, t: Translator) -> str:
    """Write a rule's conditions in the reader's language, with its number formats.

    Parameters
    ----------
    conditions : str
        JSON of the table "segment_rules".
    """
    return t.join(BOTH, [_condition(condition, t) for condition in json.loads(conditions)])


def _condition(condition: Mapping[str, Any], t: Translator) -> str:
    about = feature(condition["feature"])
    name = t(about.head)
    low, high = (
        None if condition[bound] is None else threshold(condition[bound], about, t) for bound in ("at_least", "under")
    )
    if high is None:
        return t("{feature} ≥ {value}", feature=name, value=low)
    if low is None:
        return t("{feature} < {value}", feature=name, value=high)
    return t("{low} ≤ {feature} < {high}", low=low, feature=name, high=high)


def threshold(value: float, about: Feature, t: Translator) -> str:
    """Write a threshold in its unit, with all its digits."""
    if about.name == "growth":
        share = _significant(float(np.expm1(value)), DIGITS)
        return ("+" if share > 0 else "") + t.percent(share, _decimals(share, 2))
    if about.unit == "currency":
        return t.money(value)
    if about.unit == "share":
        return t.percent(value, _decimals(value, 2))
    if about.unit == "years" and 0 < value < 1:
        days = _significant(value * DAYS_PER_YEAR, DIGITS)
        return t("{n} d", n=t.number(days, _decimals(days, 0)))
    number = t.number(value, _decimals(value, 0))
    units = {"days": "{n} d", "years": "{n} y"}
    return t(units[about.unit], n=number) if about.unit in units else number


def _decimals(value: float, shift: int) -> int:
    """Return how many decimals a rounded number has, once its point is moved to the right."""
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return max(0, -int(exponent) - shift)
