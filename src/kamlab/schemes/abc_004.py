"""Document 004's ABC by the amount of transactions: the first 80 % of the expected amount, the next 15 %, the rest.

The amount is what the coming 12 months should bring. Its borders lie between the last account of a class and the next.
"""

import pandas as pd

from kamlab.breaks import CUMULATIVE, WAYS, compress
from kamlab.i18n import N_
from kamlab.schemes.registry import ABC, Classes, Context, Found, Scheme, by_cuts
from kamlab.tiers import Cuts

REASON = N_("The accounts that bring the first 80 % of the expected amount, the next 15 %, and the rest.")


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Divide the expected contribution by cumulative share."""
    values = table["expected_contribution"]
    positive = values[values > 0].to_numpy(dtype=float)
    borders = WAYS[CUMULATIVE](compress(positive, len(positive)), len(ABC), 1) if len(positive) else None
    if borders is None:
        return Found({})
    cuts = Cuts(tuple(borders), ABC, CUMULATIVE, REASON)
    return Found({"abc_004": by_cuts(table, values, cuts)}, {"abc_004": cuts})


SCHEME = Scheme(
    name="abc_004",
    title=N_("ABC by expected amount"),
    document="004",
    kind="fitted",
    needs=("expected_contribution",),
    classes={"abc_004": Classes(ABC, order="expected_contribution", value="expected_contribution")},
    classify=classify,
)
