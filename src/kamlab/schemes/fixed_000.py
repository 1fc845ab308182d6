"""Document 000: from 5 million a year medium, from 10 million high, unless the configuration says otherwise.

Companies apply such thresholds to what an account bought last year, so that is what they class here. The document sets
them for the contribution alone; the potential has configured thresholds of its own, the same numbers unless changed.
"""

from kamlab.i18n import N_
from kamlab.schemes.registry import Classes, Scheme, by_axes
from kamlab.terms import LEVELS

COLUMNS = {"contribution": "trailing_revenue", "potential": "potential_revenue"}

SCHEME = Scheme(
    name="fixed_000",
    title=N_("Fixed thresholds"),
    document="000",
    kind="fixed",
    needs=("trailing_revenue",),
    classes={
        "contribution_class_fixed": Classes(LEVELS, order="trailing_revenue"),
        "potential_class_fixed": Classes(LEVELS, order="potential_revenue", title=N_("Fixed thresholds of potential")),
    },
    classify=lambda table, context: by_axes(table, context.fixed, COLUMNS, "_fixed"),
)
