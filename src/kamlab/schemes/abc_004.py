"""Document 004's ABC by the amount of transactions: the first 80 % of the expected amount, the next 15 %, the rest.

The amount is what the coming 12 months should bring. A class begins with its smallest account; where one account brings
nearly all, B may stay empty.
"""

import pandas as pd

from kamlab.breaks import CUMULATIVE
from kamlab.i18n import N_
from kamlab.schemes.registry import ABC, Classes, Context, Found, Scheme, by_cumulative_share
from kamlab.tiers import Cuts

SHARES = (0.80, 0.95)
REASON = N_("The accounts that bring the first 80 % of the expected amount, the next 15 %, and the rest.")


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Divide the expected contribution by cumulative share."""
    values = table["expected_contribution"]
    classes = by_cumulative_share(values, SHARES, ABC)
    if not (classes == "A").any():
        return Found({})
    borders = (float(values[classes.isin(["A", "B"])].min()), float(values[classes == "A"].min()))
    return Found({"abc_004": classes}, {"abc_004": Cuts(borders, ABC, CUMULATIVE, REASON)})


SCHEME = Scheme(
    name="abc_004",
    title=N_("ABC by expected amount"),
    document="004",
    kind="fitted",
    needs=("expected_contribution",),
    classes={
        "abc_004": Classes(
            ABC,
            order="expected_contribution",
            value="expected_contribution",
            bounds=("contribution_lower", "contribution_upper"),
        )
    },
    classify=classify,
)
