"""Document 000: from 5 million a year medium, from 10 million high, unless the configuration says otherwise.

Companies apply such thresholds to what an account bought last year, so that is what they class here. The document sets
them for the contribution alone; the potential has configured thresholds of its own, the same numbers unless changed.
"""

from kamlab.schemes.registry import Scheme, by_borders

COLUMNS = {"contribution": "trailing_revenue", "potential": "potential_revenue"}

SCHEME = Scheme(
    name="fixed_000",
    needs=tuple(COLUMNS.values()),
    classify=lambda table, fitted, fixed: by_borders(table, fixed, COLUMNS, "_fixed"),
)
