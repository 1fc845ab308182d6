"""Each account's sums over its days and lines: expressions, and arrays where windows overlap."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import TYPE_CHECKING

from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, MONTHS_PER_YEAR, StudyPeriod, months_to_days

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import pandas as pd
    import pyarrow as pa

EXACT = "decimal(18,8)"
"""Of logarithms, whose sums are to be the same on any number of threads."""

PEAK_MONTHS = 36
"""How far back the best twelve months, the longest gap and the margin rate look."""
WINDOWS = tuple(
    (months_to_days(m), months_to_days(m) + DAYS_PER_YEAR) for m in range(PEAK_MONTHS - MONTHS_PER_YEAR + 1)
)
"""Windows of twelve months that end on each twelfth of a year counted back, in days before the as-of date."""
EDGES = sorted({edge for window in WINDOWS for edge in window})
"""Where the windows begin and end: sums of the stretches between make every window."""

BATCH = 200_000
"""Accounts that are finished at a time, which bounds the memory beside the table itself."""

OF_ALL_DAYS = frozenset({"revenue", "trailing_revenue", "previous_revenue"})
"""Columns that days without a purchase, such as days of returns, count in."""
SUMS = {
    "monetary_value": {"first_value", "purchase_value"},
    "trailing_order_value": {"trailing_purchase_value", "trailing_purchase_days"},
}
"""Sums that a column is made from, where they are not its own."""


def by_account(days: ir.Table, period: StudyPeriod, names: set[str], parts: Collection[str]) -> ir.Table:
    """Sum up each account's days, in one pass, for the named columns; accounts without a purchase are left out.

    `parts` says whether sums for the "trend" of order values, and "gaps" between days of purchase, are wanted too.

    The value of the first purchase is that of the earliest day: one row a day makes it a single one.
    """
    import ibis

    d = days if names & OF_ALL_DAYS else days.filter(days.is_purchase)
    if "gaps" in parts:
        w = ibis.window(group_by=["account", "is_purchase"], order_by="date")
        d = d.mutate(before=d.date.lag().over(w), later=ibis.row_number().over(w))
        d = d.mutate(gap=d.date.delta(d.before, unit="day"))
    bought = d.is_purchase
    last = d.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    before = (d.date >= ibis.literal(period.window_start(2 * DAYS_PER_YEAR))) & ~last
    facts = {
        "first_purchase": d.date.min(where=bought),
        "last_purchase": d.date.max(where=bought),
        "purchase_days": bought.sum(),
        "first_value": d.net.argmin(d.date, where=bought),
        "purchase_value": d.net.sum(where=bought),
        "largest_order": d.net.max(where=bought),
        "revenue": d.net.sum(),
        "trailing_revenue": d.net.sum(where=last),
        "previous_revenue": d.net.sum(where=before),
        "trailing_purchase_days": (last & bought).sum(),
        "previous_purchase_days": (before & bought).sum(),
        "trailing_purchase_value": d.net.sum(where=last & bought),
        "trailing_largest_order": d.net.max(where=last & bought),
    }
    needed = {n for name in names for n in SUMS.get(name, {name})} | {
        "first_purchase",
        "last_purchase",
        "purchase_days",
    }
    facts = {name: fact for name, fact in facts.items() if name in needed}
    facts |= _order_values(d, period) if "trend" in parts else {}
    facts |= _gaps(d, period) if "gaps" in parts else {}
    sums = d.group_by("account").agg(**facts)
    sums = sums.filter(sums.purchase_days > 0)
    if "purchase_value" in facts:
        sums = sums.mutate(repeat_value=sums.purchase_value - sums.first_value).drop("purchase_value")
    return sums.mutate(**{n: c.cast("float64") for n, c in _columns(sums) if c.type().is_decimal()})


def _columns(table: ir.Table) -> list[tuple[str, ir.Column]]:
    return [(name, table[name]) for name in table.columns]


def revenue_by_stretch(days: ir.Table, period: StudyPeriod) -> ir.Table:
    """Net revenue by account and stretch of days (see `EDGES`): account, stretch, net."""
    import ibis
    import pyarrow as pa

    stretch = [n for n, (start, end) in enumerate(pairwise(EDGES)) for _ in range(end - start)]
    day = [period.window_start(n + 1) for n in range(EDGES[-1])]
    calendar = ibis.memtable(pa.table({"day": day, "stretch": stretch}))
    dated = days.join(calendar, days.date == calendar.day)
    return dated.group_by("account", "stretch").agg(net=dated.net.sum().cast("float64"))


def best_twelve_months(months: pa.Table, accounts: pd.Series) -> np.ndarray:
    """Best twelve months of all, and of those that end a year or more before the as-of date: shape (accounts, 2).

    The windows end on each twelfth of a year counted back; one without any revenue is worth 0 only where the account
    has revenue in another.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    place = pc.index_in(months["account"].combine_chunks(), value_set=pa.array(accounts, pa.string()))
    keep = pc.is_valid(place).to_numpy(zero_copy_only=False)
    row, stretch, net = (np.asarray(c)[keep] for c in (place.fill_null(-1), months["stretch"], months["net"]))
    order = np.argsort(row, kind="stable")
    row, stretch, net = row[order], stretch[order], net[order]
    best = np.zeros((len(accounts), 2))
    for start in range(0, len(accounts), BATCH):
        here = slice(*np.searchsorted(row, [start, start + BATCH]))
        sums = np.zeros((min(BATCH, len(accounts) - start), len(EDGES) - 1))
        sums[row[here] - start, stretch[here]] = net[here]
        traded = np.zeros(sums.shape, dtype=bool)
        traded[row[here] - start, stretch[here]] = True
        for column, first in enumerate((0, MONTHS_PER_YEAR)):
            best[start : start + BATCH, column] = _best_window(sums, traded, first)
    return best


def _best_window(sums: np.ndarray, traded: np.ndarray, first: int) -> np.ndarray:
    """Highest sum of a window that ends at least `first` months back and holds a trade; 0 without one."""
    import numpy as np

    best = np.full(len(sums), -np.inf)
    for end, start in WINDOWS[first:]:
        window = slice(EDGES.index(end), EDGES.index(start))
        found = sums[:, window].sum(axis=1)
        best = np.where(traded[:, window].any(axis=1), np.maximum(best, found), best)
    return np.where(np.isfinite(best), best, 0.0)


def _order_values(d: ir.Table, period: StudyPeriod) -> dict[str, ir.Value]:
    """Sums from which the trend of ln(value of a purchase day) follows by least squares."""
    import ibis

    usable = d.is_purchase & (d.net > 0)
    time = d.date.delta(ibis.literal(period.calibration_end), unit="day")
    log = usable.ifelse(d.net, None).cast("float64").ln()
    return {
        "n_values": usable.sum(),
        "st": time.sum(where=usable),
        "stt": (time * time).sum(where=usable),
        "sy": log.cast(EXACT).sum(),
        "sty": (time * log).cast(EXACT).sum(),
        "syy": (log * log).cast(EXACT).sum(),
    }


def _gaps(d: ir.Table, period: StudyPeriod) -> dict[str, ir.Value]:
    """Gaps between purchase days: longest of three years, median, spread, sum of logs, and the last long one."""
    import ibis

    gap = d.is_purchase.ifelse(d.gap, None)
    recent = d.date >= ibis.literal(period.window_start(months_to_days(PEAK_MONTHS)))
    return {
        "longest_gap": gap.max(where=recent),
        "median_gap": gap.median(),
        "n_gaps": gap.count(),
        "sum_gap": gap.sum(),
        "sum_gap_squared": (gap * gap).sum(),
        "sum_log_gap": gap.cast("float64").ln().cast(EXACT).sum(),
        "rank_after_long_gap": d.later.max(where=gap > DAYS_PER_YEAR),
    }


def lines_facts(lines: ir.Table, period: StudyPeriod, ledger: Ledger, names: set[str]) -> ir.Table:
    """Breadth, where it is among the names, returns and margin, which only single lines show."""
    import ibis

    last = lines.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    facts = {
        "quantity": lines.quantity.sum(),
        "bought": lines.amount.sum(where=lines.amount > 0),
        "returned": -lines.amount.sum(where=lines.amount < 0),
    }
    if "product_lines" in names:
        facts["product_lines"] = lines.product_line.nunique(where=last)
    if ledger.has_cost:
        recent = lines.date >= ibis.literal(period.window_start(months_to_days(PEAK_MONTHS)))
        costed, margin = recent & lines.cost.notnull(), lines.amount - lines.cost
        priced = costed & (lines.amount > 0)
        # Margin² / amount is amount × rate²: its sum gives the amount-weighted variance of the lines' rates.
        rate = margin.cast("float64") / lines.amount.cast("float64")
        facts |= {
            "costed_lines": priced.sum(),
            "costed_revenue": lines.amount.sum(where=costed),
            "margin": margin.sum(where=costed),
            "trailing_margin": margin.sum(where=last & lines.cost.notnull()),
            "priced_revenue": lines.amount.sum(where=priced),
            "priced_margin": margin.sum(where=priced),
            "priced_square": priced.ifelse(margin.cast("float64") * rate, None).cast("decimal(38,6)").sum(),
        }
    sums = lines.group_by("account").agg(**facts)
    return sums.mutate(**{n: c.cast("float64") for n, c in _columns(sums) if c.type().is_decimal()})
