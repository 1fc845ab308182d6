"""Document 002's ABC from purchase probability, purchase frequency and purchase quantity: three fitted classes.

The three are the probability of a purchase within 90 days and the purchases and the quantity expected of the next 12
months. Their geometric mean is divided, because then no unit weighs more than another, and each of them counts.
"""

import numpy as np
import pandas as pd

from kamlab.i18n import N_
from kamlab.schemes.registry import ABC, Classes, Context, Found, Scheme, by_cuts, fit

COLUMNS = ("p_buys_90", "expected_purchases", "expected_quantity")


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Divide the geometric mean of the three."""
    index = pd.Series(np.cbrt(table[list(COLUMNS)].clip(lower=0).prod(axis=1, skipna=False)), table.index)
    cuts = fit(index, ABC, context)
    return Found({"abc_002": by_cuts(table, index, cuts)}, {"abc_002": cuts} if cuts else {})


SCHEME = Scheme(
    name="abc_002",
    title=N_("ABC by probability, frequency and quantity"),
    document="002",
    kind="fitted",
    needs=COLUMNS,
    classes={"abc_002": Classes(ABC, order="expected_quantity")},
    classify=classify,
)
