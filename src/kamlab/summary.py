"""Ledger + period → one row per account: the recency–frequency summary and everything else that only time gives.

Written in Ibis, so that the engine does the work; sums run over exact decimals and integers, because sums of
doubles on several threads differ from run to run in their last digits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from kamlab.engines import fetch
from kamlab.errors import ConfigError, DataError, did_you_mean
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, MONTHS_PER_YEAR, StudyPeriod, days_to_units, months_to_days
from kamlab.terms import REVENUE_KINDS, TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import pandas as pd
    import pyarrow as pa

MONEY = "decimal(38,4)"
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

GAPS = frozenset(
    {
        *("order_value_trend", "order_value_trend_se", "longest_gap", "median_gap", "log_gaps", "gap_cv"),
        "days_since_return",
    }
)
LINES = frozenset(
    {
        *("return_rate", "quantity", "product_lines", "costed_revenue", "margin", "trailing_margin", "margin_rate_var"),
        "costed_lines",
    }
)
PARTS = {"gaps": GAPS, "peaks": frozenset({"peak_revenue", "prior_peak_revenue"}), "lines": LINES}
"""What each part of the summary makes beyond the days of purchase alone."""
OF_ALL_DAYS = frozenset({"revenue", "trailing_revenue", "previous_revenue"})
"""Columns that days without a purchase, such as days of returns, count in."""
SUMS = {
    "monetary_value": {"first_value", "purchase_value"},
    "trailing_order_value": {"trailing_purchase_value", "trailing_purchase_days"},
}
"""Sums that a column is made from, where they are not its own."""
ZERO_WITHOUT = (
    *("trailing_revenue", "previous_revenue", "trailing_purchase_value", "sum_log_gap", "returned", "bought"),
    *("costed_revenue", "margin", "trailing_margin", "priced_revenue", "priced_margin"),
)
"""Sums that are 0 where there is nothing to sum up."""
WHOLE = (
    *("frequency", "purchase_days", "trailing_purchase_days", "previous_purchase_days", "days_since_last"),
    *("product_lines", "costed_lines"),
)

FIRST_DAYS = 14


def summarize(
    ledger: Ledger,
    period: StudyPeriod,
    *,
    accounts: pd.DataFrame | None = None,
    columns: Sequence[str] | None = None,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """Summarise each account's purchases up to the as-of date.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read; `recency` and `T` are in `period.unit`.
    accounts : pandas.DataFrame, optional
        Columns member, account: the account (group) that each of the ledger's accounts belongs to. Accounts that are
        not listed stand for themselves.
    columns : sequence of str, optional
        Columns that are wanted beside account; all of them if not given. The fewer, the less is computed.
    only : collection of str, optional
        Accounts (groups) that are wanted; all of them if not given.

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["summary"]`, one row an account with at least one purchase day, ordered by account.

    Raises
    ------
    ConfigError
        If there is no such column.
    DataError
        If no account has a purchase up to the as-of date.
    """
    import numpy as np
    import pandas as pd

    names = _wanted(columns)
    parts = {part for part, made in PARTS.items() if made & set(names)}
    lines = revenue_lines(ledger, period, accounts, only=only)
    days = daily(lines, ledger)
    if "peaks" in parts:
        days = days.cache()
    t = _by_account(days, period, set(names), with_gaps="gaps" in parts)
    if "lines" in parts:
        t = t.left_join(_lines_facts(lines, period, ledger), "account").drop("account_right")
    sums = t.order_by("account").to_pyarrow()
    if not sums.num_rows:
        raise DataError(_no_purchase(ledger, period))
    batches = sums.to_batches(max_chunksize=BATCH)
    # Dates as objects would cost more than their sums.
    tables = [_finish(batch.to_pandas(date_as_object=False), period, parts, ledger) for batch in batches]
    table = pd.concat([table[[n for n in names if n in table]] for table in tables], ignore_index=True)
    if "peaks" in parts:
        peaks = _peaks(_months(days, period).to_pyarrow(), table["account"])
        table = table.assign(**dict(zip(("peak_revenue", "prior_peak_revenue"), np.transpose(peaks), strict=True)))
    return table[names]


def _wanted(columns: Sequence[str] | None) -> list[str]:
    """Return account and the columns that are wanted, in the table's order."""
    known = [column.name for column in TABLES["summary"]]
    strange = [name for name in columns or () if name not in known]
    if strange:
        raise ConfigError(f'The summary has no column "{strange[0]}".{did_you_mean(strange[0], known)}')
    return [name for name in known if columns is None or name in {"account", *columns}]


def summarize_periods(
    ledger: Ledger,
    period: StudyPeriod,
    *,
    period_days: int,
    accounts: pd.DataFrame | None = None,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """Summarise in how many whole periods each account bought, for models of discrete occasions.

    Periods of `period_days` are counted back from the as-of date, so that none is cut off. The period of the first
    purchase is not counted: an account is known because it bought then.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read.
    period_days : int
        Length of a period in days.
    accounts, only
        As in `summarize`.

    Returns
    -------
    pandas.DataFrame
        account; frequency (periods with a purchase), recency (number of the last of them; 0 without one) and n_periods
        (periods), all counted after the period of the first purchase. Ordered by account.

    Raises
    ------
    DataError
        If `period_days` is below 1 or no account has a purchase up to the as-of date.
    """
    import ibis

    if period_days < 1:
        raise DataError(f"period_days is {period_days}; a period has at least 1 day.")
    days = daily(revenue_lines(ledger, period, accounts, only=only), ledger)
    purchases = days.filter(days.is_purchase)
    ago = ibis.literal(period.calibration_end).delta(purchases.date, unit="day") // period_days
    counted = purchases.mutate(ago=ago)
    found = counted.group_by("account").agg(
        bought=counted.ago.nunique(), last=counted.ago.min(), n_periods=counted.ago.max()
    )
    table = found.to_pyarrow().to_pandas().sort_values("account", ignore_index=True)
    if table.empty:
        raise DataError(_no_purchase(ledger, period))
    table["frequency"] = table["bought"] - 1
    table["recency"] = table["n_periods"] - table["last"]
    numbers = ["frequency", "recency", "n_periods"]
    return table[["account", *numbers]].astype(dict.fromkeys(numbers, "int64"))


def holdout(
    ledger: Ledger,
    period: StudyPeriod,
    *,
    accounts: pd.DataFrame | None = None,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return what came in the horizon: account, purchases (purchase days), revenue and margin.

    Revenue is net, margin revenue less cost on lines with a known cost (missing without any); both in currency.
    `accounts` and `only` are as in `summarize`.
    """
    start, end = period.calibration_end, period.holdout_end
    lines = revenue_lines(ledger, StudyPeriod(end, period.horizon_days, period.unit), accounts, only=only)
    lines = lines.filter(lines.date > start)
    days = daily(lines, ledger)
    sums = days.group_by("account").agg(purchases=days.is_purchase.cast("int64").sum(), revenue=days.net.sum())
    margins = lines.group_by("account").agg(margin=(lines.amount - lines.cost).sum())
    table = fetch(sums).merge(fetch(margins), on="account")
    table = table.sort_values("account", ignore_index=True)
    return table.astype({"purchases": "int64", "revenue": "float64", "margin": "float64"})


def revenue_windows(ledger: Ledger, period: StudyPeriod) -> dict[str, float | None]:
    """Return the company's net revenue of the last 12 months (`trailing`) and of the 12 before (`previous`).

    Revenue without an account counts too; `trailing_unattributed` is that part of the last 12 months. All in currency.
    `trailing_contribution` and `previous_contribution` are revenue less cost on the lines with a known cost, None
    without costs. What concerns the 12 months before is None where the log does not hold them whole.
    """
    import ibis

    t = ledger.table
    t = t.filter(t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))
    last = t.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    before = (t.date >= ibis.literal(period.window_start(2 * DAYS_PER_YEAR))) & ~last
    sums = t.agg(
        trailing=money_where(last, t.amount),
        previous=money_where(before, t.amount),
        trailing_unattributed=money_where(last & t.account.isnull(), t.amount),
        trailing_contribution=money_where(last & t.cost.notnull(), t.amount - t.cost),
        previous_contribution=money_where(before & t.cost.notnull(), t.amount - t.cost),
    )
    facts: dict[str, float | None] = {n: float(v or 0) for n, v in sums.to_pyarrow().to_pylist()[0].items()}
    if not ledger.has_cost:
        facts |= {"trailing_contribution": None, "previous_contribution": None}
    # Companies rest at the turn of a year: a first line in the first fortnight makes the year whole.
    if (ledger.first_date - period.window_start(2 * DAYS_PER_YEAR)).days > FIRST_DAYS:
        facts |= {"previous": None, "previous_contribution": None}
    return facts


def monthly_revenue(ledger: Ledger, period: StudyPeriod) -> pd.DataFrame:
    """Return month (first day), lines, accounts and revenue (currency) of each calendar month up to the as-of date."""
    import ibis

    t = ledger.table
    t = t.filter(t.date <= ibis.literal(period.calibration_end), t.kind.isin(REVENUE_KINDS))
    months = t.group_by(month=t.date.truncate("M")).agg(
        lines=t.count(), accounts=t.account.nunique(), revenue=t.amount.sum()
    )
    return fetch(months.order_by("month")).astype({"month": "datetime64[s]", "revenue": "float64"})


def revenue_lines(
    ledger: Ledger,
    period: StudyPeriod,
    accounts: pd.DataFrame | None,
    *,
    only: Collection[str] | None = None,
) -> ir.Table:
    """Lines of revenue with an account, up to the as-of date, under the account that decisions are taken for.

    `only` names the accounts whose lines are wanted; None = all.
    """
    import ibis
    import pyarrow as pa

    t = _grouped_lines(ledger, period, accounts)
    if only is None:
        return t
    wanted = ibis.memtable(pa.table({"wanted": pa.array(sorted(only), pa.string())}))
    return t.semi_join(wanted, t.account == wanted.wanted)


def _grouped_lines(ledger: Ledger, period: StudyPeriod, accounts: pd.DataFrame | None) -> ir.Table:
    import ibis
    import pyarrow as pa

    t = ledger.table
    t = t.filter(t.account.notnull(), t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))
    if accounts is None:
        return t
    moved = accounts[accounts["member"] != accounts["account"]]
    if moved.empty:
        return t
    groups = ibis.memtable(pa.table({"member": moved["member"], "group": moved["account"]}))
    t = t.left_join(groups, t.account == groups.member)
    return t.mutate(account=ibis.coalesce(t.group, t.account)).drop("group", "member")


def unattributed_lines(ledger: Ledger, period: StudyPeriod) -> ir.Table:
    """Lines of revenue without an account, up to the as-of date."""
    import ibis

    t = ledger.table
    return t.filter(t.account.isnull(), t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))


def daily(lines: ir.Table, ledger: Ledger) -> ir.Table:
    """One row per account and day: its net value and whether it is a purchase day."""
    import ibis

    if not ledger.has_money:
        zero = ibis.literal(0).cast(MONEY)
        return lines.group_by("account", "date").agg(net=zero, is_purchase=ibis.literal(True))
    if ledger.purchase == "nonnegative":
        bought, enough = (lines.kind != "return") & (lines.amount >= 0), lines.amount.sum() >= 0
    else:
        bought, enough = (lines.kind != "return") & (lines.amount > 0), lines.amount.sum() > 0
    return lines.group_by("account", "date").agg(net=lines.amount.sum(), is_purchase=bought.any() & enough)


def _no_purchase(ledger: Ledger, period: StudyPeriod) -> str:
    if period.calibration_end < ledger.first_date:
        remedy = "choose an as-of date inside it"
    else:
        remedy = "no day nets above 0, so check the column of amounts and its sign"
    return (
        f"No account has a purchase up to {period.calibration_end}. The log runs from {ledger.first_date} to "
        f"{ledger.last_date}; {remedy}."
    )


def money_where(condition: ir.BooleanValue, money: ir.DecimalValue) -> ir.DecimalScalar:
    """Sum the money where the condition holds; 0 where it never does."""
    import ibis

    # A bare 0 would make the engine's result and Ibis' idea of its type differ.
    return condition.ifelse(money, ibis.literal(0).cast(MONEY)).cast(MONEY).sum()


def _by_account(days: ir.Table, period: StudyPeriod, names: set[str], *, with_gaps: bool) -> ir.Table:
    """Sum up each account's days, in one pass, for the named columns; accounts without a purchase are left out.

    The value of the first purchase is that of the earliest day: one row a day makes it a single one.
    """
    import ibis

    d = days if names & OF_ALL_DAYS else days.filter(days.is_purchase)
    if with_gaps:
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
    if with_gaps:
        facts |= _order_values(d, period) | _gaps(d, period)
    sums = d.group_by("account").agg(**facts)
    sums = sums.filter(sums.purchase_days > 0)
    if "purchase_value" in facts:
        sums = sums.mutate(repeat_value=sums.purchase_value - sums.first_value).drop("purchase_value")
    return sums.mutate(**{n: c.cast("float64") for n, c in _columns(sums) if c.type().is_decimal()})


def _columns(table: ir.Table) -> list[tuple[str, ir.Column]]:
    return [(name, table[name]) for name in table.columns]


def _months(days: ir.Table, period: StudyPeriod) -> ir.Table:
    """Net revenue by account and stretch of days (see `EDGES`): account, stretch, net."""
    import ibis
    import pyarrow as pa

    stretch = [n for n, (start, end) in enumerate(pairwise(EDGES)) for _ in range(end - start)]
    day = [period.window_start(n + 1) for n in range(EDGES[-1])]
    calendar = ibis.memtable(pa.table({"day": day, "stretch": stretch}))
    dated = days.join(calendar, days.date == calendar.day)
    return dated.group_by("account", "stretch").agg(net=dated.net.sum().cast("float64"))


def _peaks(months: pa.Table, accounts: pd.Series) -> np.ndarray:
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


def _lines_facts(lines: ir.Table, period: StudyPeriod, ledger: Ledger) -> ir.Table:
    """Breadth, returns and margin, which only single lines show."""
    import ibis

    last = lines.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    facts = {
        "quantity": lines.quantity.sum(),
        "product_lines": lines.product_line.nunique(where=last),
        "bought": lines.amount.sum(where=lines.amount > 0),
        "returned": -lines.amount.sum(where=lines.amount < 0),
    }
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


def _finish(table: pd.DataFrame, period: StudyPeriod, parts: set[str], ledger: Ledger) -> pd.DataFrame:
    """Turn sums into the documented columns."""
    import numpy as np
    import pandas as pd

    dates = ["first_purchase", "last_purchase"]
    numbers = table.columns.difference(["account", *dates])
    table = table.astype(dict.fromkeys(dates, "datetime64[s]") | dict.fromkeys(numbers, "float64"))
    zeros = table.columns.intersection(ZERO_WITHOUT)
    if len(zeros):
        table[zeros] = table[zeros].fillna(0.0)
    as_of = pd.Timestamp(period.calibration_end)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["frequency"] = table["purchase_days"] - 1
        table["recency"] = days_to_units((table["last_purchase"] - table["first_purchase"]).dt.days, period.unit)
        table["T"] = days_to_units((as_of - table["first_purchase"]).dt.days, period.unit)
        if "repeat_value" in table:
            table["monetary_value"] = (table["repeat_value"] / table["frequency"]).where(table["frequency"] > 0, 0.0)
        if "trailing_purchase_value" in table:
            table["trailing_order_value"] = table["trailing_purchase_value"] / table["trailing_purchase_days"]
        table["days_since_last"] = (as_of - table["last_purchase"]).dt.days
        if "gaps" in parts:
            mean_gap = table["sum_gap"] / table["n_gaps"]
            spread = table["sum_gap_squared"] / table["n_gaps"] - mean_gap**2
            table["gap_cv"] = (np.sqrt(spread.clip(lower=0)) / mean_gap).where(table["n_gaps"] >= 2)
            # Logarithms were summed of days; another unit shifts each by the same number.
            table["log_gaps"] = table["sum_log_gap"] + table["n_gaps"] * np.log(days_to_units(1, period.unit))
            table["days_since_return"] = table["purchase_days"] - table["rank_after_long_gap"]
            table["order_value_trend"], table["order_value_trend_se"] = _trend(table)
        if "lines" in parts:
            table["return_rate"] = (table["returned"] / table["bought"]).where(table["bought"] > 0, 0.0)
            table = _with_margins(table, ledger.has_cost)
    return table.astype({n: "int64" for n in WHOLE if n in table})


def _with_margins(table: pd.DataFrame, has_cost: bool) -> pd.DataFrame:
    import numpy as np

    if not has_cost:
        nothing = dict.fromkeys(("costed_revenue", "margin", "costed_lines"), 0.0)
        return table.assign(trailing_margin=np.nan, margin_rate_var=np.nan, **nothing)
    rate = table["priced_margin"] / table["priced_revenue"]
    table["margin_rate_var"] = (table["priced_square"] / table["priced_revenue"] - rate**2).clip(lower=0)
    return table


def _trend(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Least-squares slope of ln(value) on time in years, and its standard error, from sums."""
    import numpy as np

    n = table["n_values"]
    var_t = table["stt"] / n - (table["st"] / n) ** 2
    cov = table["sty"] / n - table["st"] * table["sy"] / n**2
    var_y = table["syy"] / n - (table["sy"] / n) ** 2
    # Logarithms are summed to eight decimals: a spread under a thousandth is rounding, not a trend.
    var_y = var_y.where(var_y > 1e-6, 0.0)
    cov = cov.where(var_y > 0, 0.0)
    usable = (n >= 3) & (var_t > 0)
    slope = (cov / var_t.where(usable)).where(usable)
    residual = (var_y - cov**2 / var_t.where(usable)).clip(lower=0) / (n - 2).where(usable)
    error = np.sqrt(residual / var_t.where(usable))
    return slope * DAYS_PER_YEAR, error * DAYS_PER_YEAR
