"""Accounts of which the forecaster expects nothing: some of them buy, and what they bring is learnt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PRIOR_SILENT = 30
"""That they bring what the model expects of them weighs as much as this many accounts at 0."""
MOST = 4.0
"""Their ratio at one date counts as this at most: one large order of a few would carry it."""


def factor(seen: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return what the model's amounts of such accounts are multiplied by.

    The ratio of what came to what the model expected, drawn towards 1.

    Parameters
    ----------
    seen : sequence of tuple of numpy.ndarray
        What the model expected of the accounts at 0 and what they brought, at each date.
    """
    total = weight = 0.0
    for expected, came in seen:
        if expected.sum() > 0:
            total += len(came) * float(np.clip(came.sum() / expected.sum(), 0.0, MOST))
            weight += len(came)
    return (total + PRIOR_SILENT) / (weight + PRIOR_SILENT)
