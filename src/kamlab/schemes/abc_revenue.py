"""The usual ABC of last year's revenue: A brings the first 80 %, B the next 15 %, C the rest."""

from kamlab.i18n import N_
from kamlab.schemes.registry import ABC, Classes, Found, Scheme, by_cumulative_share

SHARES = (0.80, 0.95)

SCHEME = Scheme(
    name="abc_revenue",
    title=N_("ABC 80/15/5"),
    document="",
    kind="rank",
    needs=("trailing_revenue",),
    classes={"abc_revenue": Classes(ABC, order="trailing_revenue")},
    classify=lambda table, context: Found({"abc_revenue": by_cumulative_share(table["trailing_revenue"], SHARES, ABC)}),
)
