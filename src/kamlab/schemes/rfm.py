"""RFM: fifths of recency, frequency and monetary value over the whole log, and the usual names of their combinations.

Recency is the time since the last purchase, frequency the number of purchase days, monetary value the net revenue. The
names follow the common grid of recency against frequency and money, the mean of whose fifths is rounded half up.
"""

import numpy as np
import pandas as pd

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Context, Found, Scheme

LABELS = (
    N_("Hibernating"),
    N_("About to sleep"),
    N_("Promising"),
    N_("New customers"),
    N_("At risk"),
    N_("Need attention"),
    N_("Potential loyalists"),
    N_("Cannot lose them"),
    N_("Loyal customers"),
    N_("Champions"),
)
"""In the order of their value as they are commonly listed, the lowest first."""

GRID = {
    5: ("New customers", "Potential loyalists", "Potential loyalists", "Champions", "Champions"),
    4: ("Promising", "Potential loyalists", "Potential loyalists", "Loyal customers", "Loyal customers"),
    3: ("About to sleep", "About to sleep", "Need attention", "Loyal customers", "Loyal customers"),
    2: ("Hibernating", "Hibernating", "At risk", "At risk", "Cannot lose them"),
    1: ("Hibernating", "Hibernating", "At risk", "At risk", "Cannot lose them"),
}
"""Fifth of recency → name by fifth of frequency and money, lowest first."""


def fifths(values: pd.Series) -> pd.Series:
    """Return 1 (lowest) to 5; equal values share the higher fifth, missing values have none."""
    return np.ceil(values.rank(method="max") / values.notna().sum() * 5)


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Give each account its three digits, the sum of them, and its name."""
    recency, frequency, money = (
        fifths(values) for values in (-table["days_since_last"], table["purchase_days"], table["revenue"])
    )
    known = recency.notna() & frequency.notna() & money.notna()
    digits = pd.DataFrame({"r": recency, "f": frequency, "m": money})[known].astype(int)
    both = np.floor((digits["f"] + digits["m"]) / 2 + 0.5).astype(int)
    columns = {
        "rfm_score": digits["r"].astype("str") + digits["f"].astype("str") + digits["m"].astype("str"),
        "rfm_sum": digits.sum(axis=1).astype("str"),
        "rfm_segment": pd.Series([GRID[r][fm - 1] for r, fm in zip(digits["r"], both, strict=True)], digits.index),
    }
    return Found({name: column.reindex(table.index).astype("str") for name, column in columns.items()})


SCHEME = Scheme(
    name="rfm",
    title=N_("RFM segments"),
    document="",
    kind="rank",
    needs=("days_since_last", "purchase_days", "revenue"),
    classes={
        "rfm_score": Classes((), order="revenue", title=N_("RFM digits")),
        "rfm_sum": Classes(tuple(map(str, range(3, 16))), order="revenue", title=N_("RFM fifths, their sum")),
        "rfm_segment": Classes(LABELS, order="revenue"),
    },
    classify=classify,
)
