"""Document 004's sales performance × loyalty, as two by two.

Performance is high from the fitted border between two classes of expected revenue. An account is loyal from half of its
wallet where the share is known, else from a probability of one half that it still buys.
"""

import pandas as pd

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Context, Found, Scheme, fit

LABELS = (N_("low sales, not loyal"), N_("low sales, loyal"), N_("high sales, not loyal"), N_("high sales, loyal"))
LOYAL = 0.5


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Cross the two."""
    revenue = table["expected_revenue"]
    cuts = fit(revenue, ("low", "high"), context)
    if cuts is None:
        return Found({})
    loyalty = table["p_alive"]
    if "wallet_share" in table:
        loyalty = table["wallet_share"].fillna(loyalty)
    code = 2 * (revenue >= cuts.cuts[0]) + (loyalty >= LOYAL)
    known = revenue.notna() & loyalty.notna()
    return Found({"performance_loyalty_004": code.map(dict(enumerate(LABELS))).where(known).astype("str")})


SCHEME = Scheme(
    name="performance_loyalty_004",
    title=N_("Sales performance and loyalty"),
    document="004",
    kind="fitted",
    needs=("expected_revenue", "p_alive"),
    classes={"performance_loyalty_004": Classes(LABELS, order="expected_revenue")},
    classify=classify,
)
