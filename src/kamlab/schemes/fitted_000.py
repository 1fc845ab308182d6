"""Document 000's Low, Mid and High with borders fitted to the company's own accounts."""

from kamlab.schemes.registry import AXES, Scheme, by_borders

SCHEME = Scheme(
    name="fitted_000",
    needs=tuple(AXES.values()),
    classify=lambda table, fitted, fixed: by_borders(table, fitted, ""),
)
