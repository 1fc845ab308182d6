"""Document 000's Low, Mid and High with borders fitted to the company's own accounts.

The contribution axis holds what is expected of the next 12 months: margin where costs are known, else revenue.
"""

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Scheme, by_axes
from kamlab.terms import LEVELS

COLUMNS = {"contribution": "expected_contribution", "potential": "potential_revenue"}

SCHEME = Scheme(
    name="fitted_000",
    title=N_("Fitted borders"),
    document="000",
    kind="fitted",
    needs=("expected_contribution",),
    classes={
        "contribution_class": Classes(
            LEVELS,
            order="expected_contribution",
            value="expected_contribution",
            bounds=("contribution_lower", "contribution_upper"),
        ),
        "potential_class": Classes(
            LEVELS,
            order="potential_revenue",
            value="potential_revenue",
            bounds=("sure_potential", "sure_potential"),
            title=N_("Fitted borders of potential"),
        ),
    },
    classify=lambda table, context: by_axes(table, context.fitted, COLUMNS, ""),
)
