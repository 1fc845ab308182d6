"""Ledger + period → one row per account: the recency–frequency summary and everything else that only time gives.

Written in Ibis, so that the engine does the work; sums run over exact decimals and integers, because sums of
doubles on several threads differ from run to run in their last digits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from kamlab.account_sums import BATCH, best_twelve_months, by_account, lines_facts, revenue_by_stretch
from kamlab.engines import fetch
from kamlab.errors import ConfigError, DataError, did_you_mean
from kamlab.ledger import Ledger
from kamlab.ordered_days import MADE, ordered_sums
from kamlab.period import DAYS_PER_YEAR, StudyPeriod, days_to_units
from kamlab.revenue import daily, moved, revenue_lines
from kamlab.terms import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

LINES_AT_ONCE = 12_000_000
"""Of a log from which all columns are computed in one go."""
TREND = frozenset({"order_value_trend", "order_value_trend_se"})
GAPS = frozenset({"longest_gap", "median_gap", "log_gaps", "gap_cv", "days_since_return"})
LINES = frozenset(
    {
        *("return_rate", "quantity", "product_lines", "costed_revenue", "margin", "trailing_margin", "margin_rate_var"),
        "costed_lines",
    }
)
PARTS = {"trend": TREND, "gaps": GAPS, "peaks": frozenset({"peak_revenue", "prior_peak_revenue"}), "lines": LINES}
"""What each part of the summary makes beyond the days of purchase alone."""
ZERO_WITHOUT = (
    *("trailing_revenue", "previous_revenue", "trailing_purchase_value", "sum_log_gap", "returned", "bought"),
    *("costed_revenue", "margin", "trailing_margin", "priced_revenue", "priced_margin"),
)
"""Sums that are 0 where there is nothing to sum up."""
WHOLE = (
    *("frequency", "purchase_days", "trailing_purchase_days", "previous_purchase_days", "days_since_last"),
    *("product_lines", "costed_lines"),
)


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
    names = _wanted(columns)
    parts = {part for part, made in PARTS.items() if made & set(names)}
    grouped = moved(accounts) is not None
    sums = ordered_sums(ledger, period, only) if {"account", *MADE} >= set(names) and not grouped else None
    if sums is not None:
        found: Iterable[pd.DataFrame] = _finished(sums, period, parts, ledger)
    else:
        lines = revenue_lines(ledger, period, accounts, only=only)
        # More lines than fit into memory are summed up some accounts at a time, which lie together in the file.
        ranges = [(None, None)] if grouped else ledger.ranges(LINES_AT_ONCE)
        some = (_between(lines, *ends) for ends in ranges)
        found = (_summed(part, period, names, parts, ledger) for part in some)
        if len(ranges) > 1:
            found = _put_down(found, ledger.session.scratch, names)
    table = _joined(found, names)
    if table.empty:
        raise DataError(_no_purchase(ledger, period))
    return table


def _between(lines: ir.Table, first: str | None, end: str | None) -> ir.Table:
    """Keep the lines of the accounts from the first up to, without it, the end; None = without such an end."""
    lines = lines if first is None else lines.filter(lines.account >= first)
    return lines if end is None else lines.filter(lines.account < end)


def _summed(
    lines: ir.Table, period: StudyPeriod, names: Sequence[str], parts: set[str], ledger: Ledger
) -> pd.DataFrame:
    """Let the engine sum up lines; return the columns that are wanted, ordered by account."""
    import numpy as np

    days = daily(lines, ledger)
    with days.cache() if "peaks" in parts else nullcontext(days) as days:
        t = by_account(days, period, set(names), parts)
        if "lines" in parts:
            t = t.left_join(lines_facts(lines, period, ledger, set(names)), "account").drop("account_right")
        table = _joined(_finished(t.order_by("account").to_pyarrow(), period, parts, ledger), names)
        if "peaks" in parts and len(table):
            peaks = best_twelve_months(revenue_by_stretch(days, period).to_pyarrow(), table["account"])
            table = table.assign(**dict(zip(("peak_revenue", "prior_peak_revenue"), np.transpose(peaks), strict=True)))
    return table


def _finished(sums: pa.Table, period: StudyPeriod, parts: set[str], ledger: Ledger) -> Iterable[pd.DataFrame]:
    """Turn sums into the documented columns, many accounts at a time."""
    for batch in sums.to_batches(max_chunksize=BATCH):
        # Dates as objects would cost more than their sums.
        yield _finish(batch.to_pandas(date_as_object=False), period, parts, ledger)


def _joined(tables: Iterable[pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    """Put tables under each other, column by column, so that hardly more than the result is in memory at a time."""
    import pandas as pd

    pieces: dict[str, list[pd.Series]] = {name: [] for name in names}
    for table in tables:
        for name in table.columns.intersection(names):
            # A copy, because the column of a table keeps the whole table.
            pieces[name].append(table[name].copy())
    columns = {name: pd.concat(pieces.pop(name), ignore_index=True) for name in names if pieces[name]}
    return pd.DataFrame(columns, copy=False)


def _put_down(tables: Iterable[pd.DataFrame], scratch: Path, names: Sequence[str]) -> Iterable[pd.DataFrame]:
    """Write tables to files, then yield their columns, one at a time.

    Columns that are kept while the next table is made would lie between what it needs for a while, and leave holes in
    memory three times their size.
    """
    import pyarrow as pa

    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        paths: list[Path] = []
        for table in (table for table in tables if len(table)):
            paths.append(Path(folder, f"{len(paths)}.arrow"))
            arrow = pa.Table.from_pandas(table, preserve_index=False)
            with pa.OSFile(str(paths[-1]), "wb") as file, pa.ipc.new_file(file, arrow.schema) as writer:
                writer.write_table(arrow)
        for name in names:
            for path in paths:
                with pa.OSFile(str(path)) as file:
                    fields = pa.ipc.open_file(file).schema.names
                    options = pa.ipc.IpcReadOptions(included_fields=[fields.index(name)])
                    yield pa.ipc.open_file(file, options=options).read_all().to_pandas()


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
    with_margin: bool = True,
) -> pd.DataFrame:
    """Return what came in the horizon: account, purchases (purchase days), revenue and margin.

    Revenue is net, margin revenue less cost on lines with a known cost (missing without any); both in currency.
    `accounts` and `only` are as in `summarize`; `with_margin` says whether the margin is wanted.
    """
    start, end = period.calibration_end, period.holdout_end
    lines = revenue_lines(ledger, StudyPeriod(end, period.horizon_days, period.unit), accounts, only=only)
    lines = lines.filter(lines.date > start)
    days = daily(lines, ledger)
    sums = days.group_by("account").agg(purchases=days.is_purchase.cast("int64").sum(), revenue=days.net.sum())
    table = fetch(sums)
    if with_margin:
        margins = lines.group_by("account").agg(margin=(lines.amount - lines.cost).sum())
        table = table.merge(fetch(margins), on="account").astype({"margin": "float64"})
    return table.sort_values("account", ignore_index=True).astype({"purchases": "int64", "revenue": "float64"})


def _no_purchase(ledger: Ledger, period: StudyPeriod) -> str:
    if period.calibration_end < ledger.first_date:
        remedy = "choose an as-of date inside it"
    else:
        remedy = "no day nets above 0, so check the column of amounts and its sign"
    return (
        f"No account has a purchase up to {period.calibration_end}. The log runs from {ledger.first_date} to "
        f"{ledger.last_date}; {remedy}."
    )


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
        if "trend" in parts:
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
