"""Segments that keep their number from one run to the next: each is matched to the one before that it is most like."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from kamlab.scaling import FeatureScaler

FARTHEST = 1.0
"""Largest distance of a match: the root mean square difference over the features, in standard deviations."""


def match(profile: pd.DataFrame, scaler: FeatureScaler, before: pd.DataFrame | None, *, highest: int = 0) -> np.ndarray:
    """Return the lasting number of each segment.

    The segments' median accounts are put on the present scale, and paired with those of the run before so that the sum
    of the pairs' distances is least. A pair further apart than one standard deviation is none. A segment without a
    partner gets a number that no segment has had.

    Parameters
    ----------
    profile : DataFrame
        Table "profile" of this run: one row a segment.
    scaler : FeatureScaler
        Fitted to the features that made this run's segments.
    before : DataFrame, optional
        Table "profile" of the run before.
    highest : int
        Highest number that any segment has had.

    Returns
    -------
    ndarray of int
        One number a row of `profile`; without a run before, numbers in the order of the rows.
    """
    used = [str(name) for name in scaler.feature_names_in_]
    if before is None or not (common := [name for name in used if name in before and before[name].notna().any()]):
        return highest + np.arange(1, len(profile) + 1)
    now, then = (scaler.transform(table.reindex(columns=used).astype(float))[common] for table in (profile, before))
    apart = np.sqrt(((now.to_numpy()[:, None, :] - then.to_numpy()[None, :, :]) ** 2).mean(axis=2))
    numbers = np.zeros(len(profile), dtype=int)
    # a pair too far apart costs as much as none, so that it takes no partner from another
    for mine, theirs in zip(*linear_sum_assignment(np.minimum(apart, FARTHEST)), strict=True):
        if apart[mine, theirs] < FARTHEST:
            numbers[mine] = before["segment_id"].iloc[theirs]
    new = numbers == 0
    start = max(highest, int(before["segment_id"].max()))
    numbers[new] = start + np.arange(1, new.sum() + 1)
    return numbers
