"""What the accounts of each segment are like: sizes, values, middle values of the features, and a name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kamlab.features import MIN_KNOWN_SHARE
from kamlab.scaling import FeatureScaler
from kamlab.segment_names import names

VALUE = "expected_contribution"
DOMINANT = 0.5
"""An account with more than this share of all value is no measure of what is large."""


def numbered(features: pd.DataFrame, groups: np.ndarray) -> np.ndarray:
    """Number groups from 1 by their mean value, highest first."""
    order = features[VALUE].groupby(groups).mean().sort_values(ascending=False, kind="stable").index
    return pd.Series(groups).map({group: i + 1 for i, group in enumerate(order)}).to_numpy()


def named(
    features: pd.DataFrame, segment: np.ndarray, scaler: FeatureScaler, telling: list[str], z: np.ndarray
) -> tuple[list[str], pd.DataFrame]:
    """Return the segments' names and profile."""
    table = profile(features, segment)
    centres = pd.DataFrame(z, columns=scaler.get_feature_names_out()).groupby(segment).mean().reset_index(drop=True)
    value = features[VALUE].drop(dominant(features))
    return names(table[["mean_contribution", *telling]], centres, value.mean()), table


def dominant(features: pd.DataFrame) -> list[Any]:
    """Return the row of the account that has more than half of all value, if there is one."""
    value = features[VALUE].clip(lower=0)
    return [value.idxmax()] if len(value) > 1 and value.max() > DOMINANT * value.sum() else []


def profile(features: pd.DataFrame, segment: np.ndarray) -> pd.DataFrame:
    """Return size, value and the medians of the features of each segment, in the order of their numbers.

    A median is missing where the feature is known for less than half of the segment's accounts, and the time between
    orders where its middle account has a single one.
    """
    groups = features.groupby(segment)
    value, accounts = groups[VALUE].sum(), groups.size()
    table = pd.DataFrame(
        {
            "accounts": accounts,
            "share_accounts": accounts / len(features),
            "contribution": value,
            "share_contribution": value / value.sum() if value.sum() else np.nan,
            "mean_contribution": value / accounts,
        }
    )
    names = list(features.columns.drop("account"))
    # the middle of the few for which a number is known is not the middle of the segment
    known = groups[names].count().ge(MIN_KNOWN_SHARE * accounts, axis=0)
    medians = groups[names].median().where(known)
    if {"order_interval", "purchase_days"} <= set(names):
        medians["order_interval"] = medians["order_interval"].where(~(medians["purchase_days"] < 2))
    return table.join(medians).rename_axis("segment").reset_index()
