"""Document 002's sales territories A, B and C: by expected contribution and headroom, 80 / 95 % cumulative.

Every account has the class of its territory.
"""

import pandas as pd

from kamlab.i18n import N_
from kamlab.schemes.registry import ABC, Classes, Context, Found, Scheme, by_cumulative_share

SHARES = (0.80, 0.95)


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Rank the territories by what their accounts should bring and could bring more."""
    worth = table["expected_contribution"].fillna(0.0)
    if "headroom" in table:
        worth = worth + table["headroom"].fillna(0.0)
    by_territory = worth.groupby(table["territory"]).sum()
    classes = by_cumulative_share(by_territory, SHARES, ABC)
    return Found({"territory_002": table["territory"].map(classes).astype("str")})


SCHEME = Scheme(
    name="territory_002",
    title=N_("ABC of sales territories"),
    document="002",
    kind="rank",
    needs=("territory", "expected_contribution"),
    classes={"territory_002": Classes(ABC, order="expected_contribution")},
    classify=classify,
)
