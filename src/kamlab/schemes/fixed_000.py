"""Document 000: from 5 million a year medium, from 10 million high, unless the configuration says otherwise.

The document sets these thresholds for the contribution alone. The potential has configured thresholds of its
own, which are the same numbers unless an analyst changes them.
"""

from kamlab.schemes.registry import AXES, Scheme, by_borders

SCHEME = Scheme(
    name="fixed_000",
    needs=tuple(AXES.values()),
    classify=lambda table, fitted, fixed: by_borders(table, fixed, "_fixed"),
)
