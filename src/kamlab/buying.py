"""How accounts buy, beside the one row of the summary: product lines, swings and rebates, products in two years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamlab.engines import fetch
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.revenue import money_where, revenue_lines, unattributed_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from kamlab.ledger import Ledger

MIX_LINES = 8
"""Product lines whose shares tell accounts apart; the others are small."""

QUARTERS, QUARTER_DAYS = 8, 91


def product_mix(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the share of each product line in what an account bought in the last 12 months.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read.
    accounts : pandas.DataFrame, optional
        As in `summary.summarize`.

    Returns
    -------
    pandas.DataFrame
        account, and one column for each of the 8 product lines with the most sales, named after it, in falling order
        of sales; shares of positive line values, one row an account with any, ordered by account. No such column
        where the log has no amounts, or no product lines.
    """
    import ibis
    import pandas as pd

    lines = revenue_lines(ledger, period, accounts)
    start = period.window_start(DAYS_PER_YEAR)
    lines = lines.filter(lines.date >= ibis.literal(start), lines.product_line.notnull(), lines.amount > 0)
    sums = fetch(lines.group_by("account", "product_line").agg(bought=lines.amount.sum()))
    wide = sums.pivot(index="account", columns="product_line", values="bought")
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
        As in `summary.summarize`.

    Returns
    -------
    pandas.DataFrame
        account; volatility, the standard deviation of the net revenue of the last 8 quarters (91 days each) / their
        mean, missing for accounts known for under 8 quarters or without revenue in them; discount_depth, rebates /
        sales of the last 12 months, missing without sales. One row an account with a line, ordered by account.
    """
    import ibis
    import numpy as np

    lines = revenue_lines(ledger, period, accounts)
    days = ibis.literal(period.calibration_end).delta(lines.date, unit="day")
    known = lines.group_by("account").agg(days_known=days.max())
    recent = lines.mutate(quarter=days // QUARTER_DAYS).filter(days < QUARTERS * QUARTER_DAYS)
    quarters = recent.group_by("account", "quarter").agg(net=recent.amount.sum())
    square = (quarters.net.cast("float64") * quarters.net.cast("float64")).cast("decimal(38,4)")
    sums = quarters.group_by("account").agg(total=quarters.net.sum(), squares=square.sum())
    last = lines.filter(lines.date >= ibis.literal(period.window_start(DAYS_PER_YEAR)))
    money = last.group_by("account").agg(
        sold=money_where((last.kind == "sale") & (last.amount > 0), last.amount),
        rebates=money_where(last.kind == "rebate", -last.amount),
    )
    parts = (fetch(part).set_index("account") for part in (known, sums, money))
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
        As in `summary.summarize`.

    Returns
    -------
    pandas.DataFrame
        account, product_line, product (empty where the line has none), revenue_before, revenue_now (currency, net),
        quantity_before, quantity_now (net; missing where a line has no quantity), ordered by account, product and line.
    """
    import ibis

    lines = revenue_lines(ledger, period, accounts)
    now, before = (ibis.literal(period.window_start(years * DAYS_PER_YEAR)) for years in (1, 2))
    names = {name: lines[name].fill_null("") for name in ("product", "product_line")}
    lines = lines.filter(lines.date >= before).mutate(**names)
    latest = lines.date >= now
    sums = lines.group_by("account", "product", "product_line").agg(
        revenue_before=money_where(~latest, lines.amount),
        revenue_now=money_where(latest, lines.amount),
        quantity_before=money_where(~latest, lines.quantity),
        quantity_now=money_where(latest, lines.quantity),
        missing_before=(~latest & lines.quantity.isnull()).sum(),
        missing_now=(latest & lines.quantity.isnull()).sum(),
    )
    table = fetch(sums.order_by("account", "product", "product_line"))
    money = ["revenue_before", "revenue_now", "quantity_before", "quantity_now"]
    for when in ("before", "now"):
        table[f"quantity_{when}"] = table[f"quantity_{when}"].where(table[f"missing_{when}"] == 0)
    return table[["account", "product_line", "product", *money]]


def bought_lines(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return account and product_line of what was bought in the last 12 months, each pair once, in order.

    Parameters
    ----------
    ledger, period, accounts
        As for `product_mix`.
    """
    import ibis

    lines = revenue_lines(ledger, period, accounts)
    start = period.window_start(DAYS_PER_YEAR)
    lines = lines.filter(lines.date >= ibis.literal(start), lines.product_line.notnull(), lines.amount > 0)
    pairs = lines.select("account", "product_line").distinct().to_pyarrow().to_pandas()
    return pairs.sort_values(["account", "product_line"], ignore_index=True)


def with_returns(ledger: Ledger, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> list[str]:
    """Return the accounts that goods or money went back from, in order.

    Parameters
    ----------
    ledger, period, accounts
        As for `product_mix`.
    """
    lines = revenue_lines(ledger, period, accounts)
    return sorted(lines.filter(lines.amount < 0).select("account").distinct().to_pyarrow()["account"].to_pylist())


def sold_between(
    ledger: Ledger, period: StudyPeriod, windows: Sequence[tuple[date, date]], *, accounts: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return revenue and quantity of each account and product line in each of several stretches of days.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
        Nothing after `period.calibration_end` is read.
    windows : sequence of (date, date)
        First and last day of each, both inclusive.
    accounts : pandas.DataFrame, optional
        As in `summary.summarize`.

    Returns
    -------
    pandas.DataFrame
        window (its place in `windows`), account (missing: revenue without an account), product_line (missing where the
        line has none), revenue (currency, net), quantity (net; missing where a line has no quantity), ordered by these.
    """
    import ibis
    import pandas as pd
    import pyarrow as pa

    days = [pd.date_range(start, end) for start, end in windows]
    place = [n for n, own in enumerate(days) for _ in own]
    dates = pa.array([day for own in days for day in own.date], pa.date32())
    calendar = ibis.memtable(pa.table({"day": dates, "window": pa.array(place, pa.int64())}))
    names = ["account", "product_line", "date", "amount", "quantity"]
    known, others = revenue_lines(ledger, period, accounts), unattributed_lines(ledger, period)
    lines = known.select(names).union(others.select(names))
    dated = lines.join(calendar, lines.date == calendar.day)
    keys = ["window", "account", "product_line"]
    sums = dated.group_by(keys).agg(
        revenue=dated.amount.sum(), quantity=dated.quantity.sum(), without=dated.quantity.isnull().sum()
    )
    table = fetch(sums.order_by(keys))
    table["quantity"] = table["quantity"].where(table["without"] == 0)
    return table.astype({"account": "str", "revenue": "float64", "quantity": "float64"})[[*keys, "revenue", "quantity"]]
