"""Ledger + period → one row per account: the recency–frequency summary and everything else that only time gives.

Written in Ibis, so that the engine does the work; sums run over exact decimals and integers, because sums of
doubles on several threads differ from run to run in their last digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamlab.errors import DataError
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, MONTHS_PER_YEAR, StudyPeriod, days_to_units, months_to_days
from kamlab.terms import REVENUE_KINDS, TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

MONEY = "decimal(38,4)"
EXACT = "decimal(38,8)"
"""Of logarithms, whose sums are to be the same on any number of threads."""

FIRST_DAYS = 14
PEAK_MONTHS = 36
"""How far back the best twelve months, the longest gap and the margin rate look."""


MIX_LINES = 8
"""Product lines whose shares tell accounts apart; the others are small."""

QUARTERS, QUARTER_DAYS = 8, 91


def summarize(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Summarise each account's purchases up to the as-of date.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read; `recency` and `T` are in `period.unit`.
    accounts : pandas.DataFrame, optional
        Columns member, account: the account (group) that each of the ledger's accounts belongs to. Accounts that are
        not listed stand for themselves.

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["summary"]`, one row an account with at least one purchase day, ordered by account.

    Raises
    ------
    DataError
        If no account has a purchase up to the as-of date.
    """
    lines = _revenue_lines(ledger, period, accounts)
    days = _days(lines, ledger)
    purchases = days.filter(days.is_purchase)
    parts = [
        _repeat(purchases),
        _windows(days, period),
        _peaks(days, period),
        _order_values(purchases, period),
        _gaps(purchases, period),
        _lines_facts(lines, period),
    ]
    first, *others = (part.to_pyarrow().to_pandas().set_index("account") for part in parts)
    table = first.join(others, how="left").sort_index().reset_index()
    if table.empty:
        raise DataError(_no_purchase(ledger, period))
    return _finish(table, period, ledger.has_cost)


def summarize_periods(
    ledger: Ledger, period: StudyPeriod, *, period_days: int, accounts: pd.DataFrame | None = None
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
    accounts : pandas.DataFrame, optional
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
    days = _days(_revenue_lines(ledger, period, accounts), ledger)
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


def holdout(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what came in the horizon: account, purchases (purchase days), revenue and margin.

    Revenue is net, margin revenue less cost on lines with a known cost (missing without any); both in currency.
    """
    start, end = period.calibration_end, period.holdout_end
    lines = _revenue_lines(ledger, StudyPeriod(end, period.horizon_days, period.unit), accounts)
    lines = lines.filter(lines.date > start)
    days = _days(lines, ledger)
    sums = days.group_by("account").agg(purchases=days.is_purchase.cast("int64").sum(), revenue=days.net.sum())
    margins = lines.group_by("account").agg(margin=(lines.amount - lines.cost).sum())
    table = sums.to_pyarrow().to_pandas().merge(margins.to_pyarrow().to_pandas(), on="account")
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
        trailing=_money_where(last, t.amount),
        previous=_money_where(before, t.amount),
        trailing_unattributed=_money_where(last & t.account.isnull(), t.amount),
        trailing_contribution=_money_where(last & t.cost.notnull(), t.amount - t.cost),
        previous_contribution=_money_where(before & t.cost.notnull(), t.amount - t.cost),
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
    return months.order_by("month").to_pyarrow().to_pandas().astype({"month": "datetime64[s]", "revenue": "float64"})


def _revenue_lines(ledger: Ledger, period: StudyPeriod, accounts: pd.DataFrame | None) -> ir.Table:
    """Lines of revenue with an account, up to the as-of date, under the account that decisions are taken for."""
    import ibis
    import pyarrow as pa

    t = ledger.table
    t = t.filter(t.account.notnull(), t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))
    if accounts is None:
        return t
    groups = ibis.memtable(pa.table({"member": accounts["member"], "group": accounts["account"]}))
    t = t.left_join(groups, t.account == groups.member)
    return t.mutate(account=ibis.coalesce(t.group, t.account)).drop("group", "member")


def _days(lines: ir.Table, ledger: Ledger) -> ir.Table:
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


def _money_where(condition: ir.BooleanValue, money: ir.DecimalValue) -> ir.DecimalScalar:
    """Sum the money where the condition holds; 0 where it never does."""
    import ibis

    # A bare 0 would make the engine's result and Ibis' idea of its type differ.
    return condition.ifelse(money, ibis.literal(0).cast(MONEY)).cast(MONEY).sum()


def _repeat(purchases: ir.Table) -> ir.Table:
    """First, last and repeat purchases; a self-join on the first day, because argmin is wrong on some engines."""
    firsts = purchases.group_by("account").agg(first_purchase=purchases.date.min())
    joined = purchases.join(firsts, "account")
    on_first = joined.date == joined.first_purchase
    return joined.group_by("account").agg(
        first_purchase=joined.first_purchase.min(),
        last_purchase=joined.date.max(),
        purchase_days=joined.count(),
        first_value=_money_where(on_first, joined.net),
        repeat_value=_money_where(~on_first, joined.net),
        largest_order=joined.net.max(),
    )


def _windows(days: ir.Table, period: StudyPeriod) -> ir.Table:
    """Revenue and purchase days of the last twelve months and of the twelve before; returns."""
    import ibis

    last = days.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    before = (days.date >= ibis.literal(period.window_start(2 * DAYS_PER_YEAR))) & ~last
    return days.group_by("account").agg(
        revenue=days.net.sum(),
        trailing_revenue=_money_where(last, days.net),
        previous_revenue=_money_where(before, days.net),
        trailing_purchase_days=(last & days.is_purchase).cast("int64").sum(),
        previous_purchase_days=(before & days.is_purchase).cast("int64").sum(),
        trailing_purchase_value=_money_where(last & days.is_purchase, days.net),
        trailing_largest_order=(last & days.is_purchase).ifelse(days.net, None).max(),
    )


def _peaks(days: ir.Table, period: StudyPeriod) -> ir.Table:
    """Best twelve months, in windows that end on each twelfth of a year counted back from the as-of date."""
    import ibis
    import pyarrow as pa

    n = PEAK_MONTHS - MONTHS_PER_YEAR
    windows = ibis.memtable(
        pa.table(
            {
                "window": range(n + 1),
                "start": [period.window_start(months_to_days(m) + DAYS_PER_YEAR) for m in range(n + 1)],
                "end": [period.window_start(months_to_days(m) + 1) for m in range(n + 1)],
            }
        )
    )
    recent = days.filter(days.date >= ibis.literal(period.window_start(months_to_days(PEAK_MONTHS))))
    joined = recent.join(windows, [recent.date >= windows.start, recent.date <= windows.end])
    sums = joined.group_by("account", "window").agg(net=joined.net.sum())
    prior = sums.window >= MONTHS_PER_YEAR
    return sums.group_by("account").agg(
        peak_revenue=sums.net.max(), prior_peak_revenue=prior.ifelse(sums.net, None).max()
    )


def _order_values(purchases: ir.Table, period: StudyPeriod) -> ir.Table:
    """Sums from which the trend of ln(value of a purchase day) follows by least squares."""
    import ibis

    p = purchases.filter(purchases.net > 0)
    time = p.date.delta(ibis.literal(period.calibration_end), unit="day")
    log = p.net.cast("float64").ln()
    p = p.mutate(t=time, y=log.cast(EXACT), ty=(time * log).cast(EXACT), yy=(log * log).cast(EXACT))
    return p.group_by("account").agg(
        n_values=p.count(), st=p.t.sum(), stt=(p.t * p.t).sum(), sy=p.y.sum(), sty=p.ty.sum(), syy=p.yy.sum()
    )


def _gaps(purchases: ir.Table, period: StudyPeriod) -> ir.Table:
    """Gaps between purchase days: longest of three years, median, spread, sum of logs, and the last long one."""
    import ibis

    w = ibis.window(group_by="account", order_by="date")
    p = purchases.mutate(before=purchases.date.lag().over(w), later=ibis.row_number().over(w))
    p = p.mutate(gap=p.date.delta(p.before, unit="day"))
    recent = p.date >= ibis.literal(period.window_start(months_to_days(PEAK_MONTHS)))
    long = p.gap > DAYS_PER_YEAR
    return p.group_by("account").agg(
        longest_gap=recent.ifelse(p.gap, None).max(),
        median_gap=p.gap.median(),
        n_gaps=p.gap.count(),
        sum_gap=p.gap.sum(),
        sum_gap_squared=(p.gap * p.gap).sum(),
        sum_log_gap=p.gap.cast("float64").ln().cast(EXACT).sum(),
        rank_after_long_gap=long.ifelse(p.later, None).max(),
    )


def _lines_facts(lines: ir.Table, period: StudyPeriod) -> ir.Table:
    """Breadth, returns and margin, which only single lines show."""
    import ibis

    last = lines.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    costed = (lines.date >= ibis.literal(period.window_start(months_to_days(PEAK_MONTHS)))) & lines.cost.notnull()
    margin = lines.amount - lines.cost
    priced = costed & (lines.amount > 0)
    # Margin² / amount is amount × rate²: its sum gives the amount-weighted variance of the lines' rates.
    weighted_square = (margin.cast("float64") * (margin.cast("float64") / lines.amount.cast("float64"))).cast(
        "decimal(38,6)"
    )
    return lines.group_by("account").agg(
        quantity=lines.quantity.sum(),
        product_lines=last.ifelse(lines.product_line, None).nunique(),
        bought=_money_where(lines.amount > 0, lines.amount),
        returned=_money_where(lines.amount < 0, -lines.amount),
        costed_lines=priced.cast("int64").sum(),
        costed_revenue=_money_where(costed, lines.amount),
        margin=_money_where(costed, margin),
        trailing_margin=_money_where(last & lines.cost.notnull(), margin),
        priced_revenue=_money_where(priced, lines.amount),
        priced_margin=_money_where(priced, margin),
        priced_square=priced.ifelse(weighted_square, None).sum(),
    )


def _finish(table: pd.DataFrame, period: StudyPeriod, has_cost: bool) -> pd.DataFrame:
    """Turn exact sums into the documented columns."""
    import numpy as np
    import pandas as pd

    dates = ["first_purchase", "last_purchase"]
    numbers = table.columns.difference(["account", *dates])
    table[numbers] = table[numbers].astype("float64")
    first, last = (pd.to_datetime(table[c]) for c in dates)
    as_of = pd.Timestamp(period.calibration_end)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["frequency"] = table["purchase_days"] - 1
        table["recency"] = days_to_units((last - first).dt.days, period.unit)
        table["T"] = days_to_units((as_of - first).dt.days, period.unit)
        table["monetary_value"] = (table["repeat_value"] / table["frequency"]).where(table["frequency"] > 0, 0.0)
        table["trailing_order_value"] = table["trailing_purchase_value"] / table["trailing_purchase_days"]
        table["days_since_last"] = (as_of - last).dt.days
        table["return_rate"] = (table["returned"] / table["bought"]).where(table["bought"] > 0, 0.0)
        mean_gap = table["sum_gap"] / table["n_gaps"]
        spread = table["sum_gap_squared"] / table["n_gaps"] - mean_gap**2
        table["gap_cv"] = (np.sqrt(spread.clip(lower=0)) / mean_gap).where(table["n_gaps"] >= 2)
        # Logarithms were summed of days; another unit shifts each by the same number.
        table["log_gaps"] = (table["sum_log_gap"] + table["n_gaps"] * np.log(days_to_units(1, period.unit))).fillna(0.0)
        table["days_since_return"] = table["purchase_days"] - table["rank_after_long_gap"]
        rate = table["priced_margin"] / table["priced_revenue"]
        table["margin_rate_var"] = (table["priced_square"] / table["priced_revenue"] - rate**2).clip(lower=0)
    table["order_value_trend"], table["order_value_trend_se"] = _trend(table)
    # Without revenue in 36 months there is no window at all: the best twelve months are worth nothing.
    if not has_cost:
        table["trailing_margin"] = np.nan
    filled = [
        "peak_revenue",
        "prior_peak_revenue",
        "product_lines",
        "costed_lines",
        "costed_revenue",
        "margin",
    ]
    table[filled] = table[filled].fillna(0.0)
    whole = [
        "frequency",
        "purchase_days",
        "trailing_purchase_days",
        "previous_purchase_days",
        "days_since_last",
    ]
    table = table.astype(dict.fromkeys([*whole, "product_lines", "costed_lines"], "int64"))
    table[dates] = table[dates].apply(lambda c: pd.to_datetime(c).astype("datetime64[s]"))
    return table[[column.name for column in TABLES["summary"]]]


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


def product_mix(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the share of each product line in what an account bought in the last 12 months.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read.
    accounts : pandas.DataFrame, optional
        As in `summarize`.

    Returns
    -------
    pandas.DataFrame
        account, and one column for each of the 8 product lines with the most sales, named after it, in falling order
        of sales; shares of positive line values, one row an account with any, ordered by account. No such column
        where the log has no amounts, or no product lines.
    """
    import ibis
    import pandas as pd

    lines = _revenue_lines(ledger, period, accounts)
    start = period.window_start(DAYS_PER_YEAR)
    lines = lines.filter(lines.date >= ibis.literal(start), lines.product_line.notnull(), lines.amount > 0)
    sums = lines.group_by("account", "product_line").agg(bought=lines.amount.sum()).to_pyarrow().to_pandas()
    wide = sums.astype({"bought": "float64"}).pivot(index="account", columns="product_line", values="bought")
    wide = wide.fillna(0.0).sort_index()
    shares = wide.div(wide.sum(axis=1), axis=0)
    largest = wide.sum().sort_values(ascending=False, kind="stable").index[:MIX_LINES]
    return pd.DataFrame(shares[largest]).rename_axis(columns=None).reset_index()


def swings(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return how unsteady an account's revenue is, and how much of its price comes back as rebates.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read.
    accounts : pandas.DataFrame, optional
        As in `summarize`.

    Returns
    -------
    pandas.DataFrame
        account; volatility, the standard deviation of the net revenue of the last 8 quarters (91 days each) / their
        mean, missing for accounts known for under 8 quarters or without revenue in them; discount_depth, rebates /
        sales of the last 12 months, missing without sales. One row an account with a line, ordered by account.
    """
    import ibis
    import numpy as np

    lines = _revenue_lines(ledger, period, accounts)
    days = ibis.literal(period.calibration_end).delta(lines.date, unit="day")
    known = lines.group_by("account").agg(days_known=days.max())
    recent = lines.mutate(quarter=days // QUARTER_DAYS).filter(days < QUARTERS * QUARTER_DAYS)
    quarters = recent.group_by("account", "quarter").agg(net=recent.amount.sum())
    square = (quarters.net.cast("float64") * quarters.net.cast("float64")).cast("decimal(38,4)")
    sums = quarters.group_by("account").agg(total=quarters.net.sum(), squares=square.sum())
    last = lines.filter(lines.date >= ibis.literal(period.window_start(DAYS_PER_YEAR)))
    money = last.group_by("account").agg(
        sold=_money_where((last.kind == "sale") & (last.amount > 0), last.amount),
        rebates=_money_where(last.kind == "rebate", -last.amount),
    )
    parts = (part.to_pyarrow().to_pandas().set_index("account") for part in (known, sums, money))
    first, *others = parts
    table = first.join(others).sort_index().astype("float64")
    mean = table["total"] / QUARTERS
    whole = (table["days_known"] >= QUARTERS * QUARTER_DAYS - 1) & (mean > 0)
    spread = np.sqrt((table["squares"] / QUARTERS - mean**2).clip(lower=0))
    table["volatility"] = (spread / mean).where(whole)
    table["discount_depth"] = (table["rebates"] / table["sold"]).where(table["sold"] > 0)
    return table[["volatility", "discount_depth"]].reset_index()


def product_windows(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what each account bought of each product in the last 12 months and in the 12 before.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read.
    accounts : pandas.DataFrame, optional
        As in `summarize`.

    Returns
    -------
    pandas.DataFrame
        account, product (empty where the line has none), revenue_before, revenue_now (currency, net), quantity_before,
        quantity_now (net; missing where a line has no quantity), ordered by account and product.
    """
    import ibis

    lines = _revenue_lines(ledger, period, accounts)
    now, before = (ibis.literal(period.window_start(years * DAYS_PER_YEAR)) for years in (1, 2))
    lines = lines.filter(lines.date >= before).mutate(product=lines["product"].fill_null(""))
    latest = lines.date >= now
    sums = lines.group_by("account", "product").agg(
        revenue_before=_money_where(~latest, lines.amount),
        revenue_now=_money_where(latest, lines.amount),
        quantity_before=_money_where(~latest, lines.quantity),
        quantity_now=_money_where(latest, lines.quantity),
        missing_before=(~latest & lines.quantity.isnull()).sum(),
        missing_now=(latest & lines.quantity.isnull()).sum(),
    )
    table = sums.order_by("account", "product").to_pyarrow().to_pandas()
    money = ["revenue_before", "revenue_now", "quantity_before", "quantity_now"]
    table[money] = table[money].astype("float64")
    for when in ("before", "now"):
        table[f"quantity_{when}"] = table[f"quantity_{when}"].where(table[f"missing_{when}"] == 0)
    return table[["account", "product", *money]]
