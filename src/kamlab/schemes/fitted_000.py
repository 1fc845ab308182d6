"""Document 000's Low, Mid and High with borders fitted to the company's own accounts.

The contribution axis holds what is expected of the next 12 months: margin where costs are known, else revenue.
"""

from kamlab.schemes.registry import Scheme, by_borders

COLUMNS = {"contribution": "expected_contribution", "potential": "potential_revenue"}

SCHEME = Scheme(
    name="fitted_000",
    needs=tuple(COLUMNS.values()),
    classify=lambda table, fitted, fixed: by_borders(table, fitted, COLUMNS, ""),
)
