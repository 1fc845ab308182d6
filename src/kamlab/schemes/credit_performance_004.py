"""Document 004's credit × performance: document 002's credit class beside the fitted class of contribution."""

import pandas as pd

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Context, Found, Scheme, by_cuts

LABELS = (
    N_("low value, weak credit"),
    N_("low value, good credit"),
    N_("high value, weak credit"),
    N_("high value, good credit"),
)
GOOD = ("AAA", "AA", "A")


def classify(table: pd.DataFrame, context: Context) -> Found:
    """Cross good credit (any class of document 002) with contribution from Mid."""
    cuts = context.fitted.get("contribution")
    if cuts is None:
        return Found({})
    value = by_cuts(table, table["expected_contribution"], cuts)
    code = 2 * value.isin(cuts.labels[1:]) + table["credit_002"].isin(GOOD)
    known = value.notna() & table["credit_002"].notna()
    return Found({"credit_performance_004": code.map(dict(enumerate(LABELS))).where(known).astype("str")})


SCHEME = Scheme(
    name="credit_performance_004",
    title=N_("Credit and performance"),
    document="004",
    kind="fitted",
    needs=("credit_002", "expected_contribution"),
    classes={"credit_performance_004": Classes(LABELS, order="expected_contribution")},
    classify=classify,
)
