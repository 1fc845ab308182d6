"""Traces of the management report: where growth and loss come from."""

from __future__ import annotations

from kamlab.reports.traces.trace import DRAWN, Trace

GAIN, LOSS = "max(change) filter (value = $best)", "-min(change) filter (value = $worst)"
DRAWN_CHANGES = "Revenue of the last 12 months less that of the 12 before: {dimensions}."
RANKED = (
    "(select dimension, change, row_number() over (partition by dimension order by change desc, value) as place, "
    "count(*) over (partition by dimension) as n, "
    "least(3, count(*) filter (change < 0) over (partition by dimension)) as losses from dimensions)"
)
"""The values of each dimension, the greatest gain first; of more than eight at most three bars are for losses."""

GAINS = (
    Trace(
        "{dimension}: {best} gained most ({gain}), {worst} lost most ({loss})",
        {"gain": GAIN, "loss": LOSS},
        "dimensions",
    ),
    Trace("{dimension}: {best} gained most ({gain}); none lost", {"gain": GAIN}, "dimensions"),
    Trace("{dimension}: {worst} lost most ({loss}); none gained", {"loss": LOSS}, "dimensions"),
    Trace(DRAWN_CHANGES, {DRAWN: "change"}, "dimensions"),
    Trace(
        DRAWN_CHANGES,
        {DRAWN: "sum(change)"},
        RANKED,
        "n > 8 and place > 7 - losses and place <= n - losses",
        by="dimension",
    ),
)
