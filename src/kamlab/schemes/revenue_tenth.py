"""Rank by last year's revenue, in tenths of the accounts: 1 holds those with the most."""

import numpy as np
import pandas as pd

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Found, Scheme

LABELS = tuple(str(tenth) for tenth in range(10, 0, -1))


def tenths(values: pd.Series) -> pd.Series:
    """Return each value's tenth; equal values share the higher one, missing values have none."""
    place = values.rank(ascending=False, method="min")
    return np.floor((place - 1) / values.notna().sum() * 10).add(1).astype("Int64").astype("str")


SCHEME = Scheme(
    name="revenue_tenth",
    title=N_("Rank by last year's revenue"),
    document="",
    kind="rank",
    needs=("trailing_revenue",),
    classes={"revenue_tenth": Classes(LABELS, order="trailing_revenue")},
    classify=lambda table, context: Found({"revenue_tenth": tenths(table["trailing_revenue"])}),
)
