"""The targets that were set, spread over the days of their periods, and what came of them quarter by quarter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from kamlab.terms import TABLES
from kamlab.totals import COMPANY

KEYS = ("account", "owner", "region", "product_line")
"""What a target can be set for, beside the company."""

OTHER = "other"
"""Product line of what an account without purchases in the last 12 months will buy, and of lines that name none."""

LEAST_COVERED = 0.95
"""A plan whose periods cover less of a window's days is not held against it."""

YEAR_MONTHS = 12

ROOM_AT_START = timedelta(days=14)
"""Companies rest at the turn of a year: a first line in the first fortnight makes the quarter whole."""


def seasons(months: pd.DataFrame, *, before: date) -> np.ndarray:
    """Return the share of the twelve calendar months in a year's revenue, shape (12,), January first.

    Taken from the last whole years, three at most, that end before a day, so that a plan is not spread by what came of
    it; all months alike where there is none, or where a month's sum is not above 0.

    Parameters
    ----------
    months : pandas.DataFrame
        Table "months" of `terms`.
    before : datetime.date
    """
    even = np.full(YEAR_MONTHS, 1 / YEAR_MONTHS)
    earlier = months[months["month"] < pd.Timestamp(before).replace(day=1)]
    if earlier.empty:
        return even
    every = pd.date_range(earlier["month"].min(), periods=_months_between(earlier["month"].min(), before), freq="MS")
    revenue = earlier.set_index("month")["revenue"].reindex(every, fill_value=0.0)
    years = min(len(revenue) // YEAR_MONTHS, 3)
    if not years:
        return even
    last = revenue.iloc[-years * YEAR_MONTHS :]
    sums = last.groupby(last.index.month).sum().to_numpy()
    return sums / sums.sum() if (sums > 0).all() else even


def _months_between(first: pd.Timestamp, before: date) -> int:
    return (before.year - first.year) * YEAR_MONTHS + before.month - first.month


def planned(
    rows: pd.DataFrame, windows: Sequence[tuple[date, date]], shares: np.ndarray, *, units: pd.Series | None = None
) -> pd.DataFrame:
    """Return what the targets that were set come to in stretches of days.

    A target is spread over the days of its period by the season. Where several targets of the same account, owner,
    region or product line fall on a day the shorter period counts, and of equal ones that which was set last. A target
    of, say, an owner in one product line counts for both, unless the owner has targets of the whole.

    Parameters
    ----------
    rows : pandas.DataFrame
        The table of targets: start, end (datetime64), amount (currency), set_on, and the columns of `KEYS`.
    windows : sequence of (date, date)
        First and last day of each, both inclusive.
    shares : numpy.ndarray
        From `seasons`.
    units : pandas.Series, optional
        Account that decisions are taken for, by account (index): its members' targets are added up.

    Returns
    -------
    pandas.DataFrame
        kind (company or one of `KEYS`), group, window (its place), plan (currency) and covered (share of its days that
        a target of the group falls on), ordered by the first three; windows without a day of plan are left out.
    """
    columns = ["kind", "group", "window", "plan", "covered"]
    if rows.empty or not windows:
        return pd.DataFrame(columns=columns)
    keys = rows[list(KEYS)].astype(object).where(rows[list(KEYS)].notna(), "")
    first = min(rows["start"].min(), min(pd.Timestamp(start) for start, _ in windows))
    last = max(rows["end"].max(), max(pd.Timestamp(end) for _, end in windows))
    days = pd.date_range(first, last)
    weight = shares[days.month - 1] / days.days_in_month.to_numpy()
    parts = []
    for key, own in rows.groupby([keys[name] for name in KEYS], sort=True):
        money, covered = _by_day(own, days, weight)
        for window, (start, end) in enumerate(windows):
            here = (days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))
            if covered[here].any():
                parts.append((*key, window, float(money[here].sum()), float(covered[here].mean())))
    found = pd.DataFrame(parts, columns=[*KEYS, *columns[2:]])
    if units is not None:
        found["account"] = found["account"].map(units).fillna(found["account"])
    named = (found[list(KEYS)] != "").sum(axis=1)
    kinds = [found[named == 0].assign(kind=COMPANY, group=COMPANY)]
    for name in KEYS:
        own = found[found[name] != ""]
        alone = named[own.index] == 1
        kept = own[alone | ~own[name].isin(own.loc[alone, name])]
        kinds.append(kept.assign(kind=name, group=kept[name]))
    summed = pd.concat(kinds).groupby(columns[:3], sort=True).agg(plan=("plan", "sum"), covered=("covered", "max"))
    return summed.reset_index()


def _by_day(own: pd.DataFrame, days: pd.DatetimeIndex, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the plan of each day, and whether there is one; a shorter, then a later target replaces others."""
    length = (own["end"] - own["start"]).dt.days
    order = own.assign(length=length).sort_values(["length", "set_on"], ascending=[False, True], na_position="first")
    money, covered = np.zeros(len(days)), np.zeros(len(days), dtype=bool)
    for row in order.itertuples():
        here = (days >= row.start) & (days <= row.end)
        total = weight[here].sum()
        money[here] = row.amount * (weight[here] / total if total > 0 else 1 / here.sum())
        covered |= here
    return money, covered


def company_plan(plan: pd.DataFrame, window: int) -> tuple[float, str] | None:
    """Return the company's plan of a window and what it is added up from; None where no kind of target covers it.

    The company's own target stands first, then the sums of owners', regions', product lines' and accounts'.
    """
    found = set_sums(plan, window)
    for kind in (COMPANY, "owner", "region", "product_line", "account"):
        if kind in found:
            return found[kind], kind
    return None


def set_sums(plan: pd.DataFrame, window: int) -> dict[str, float]:
    """Return what targets come to in a window, by the kind of group that they were set for; those that cover it.

    People who came during the year have targets for the rest of it: they count in the sum.
    """
    rows = plan[plan["window"] == window]
    whole = rows[rows["covered"] >= LEAST_COVERED]
    return {
        kind: float(rows.loc[rows["kind"] == kind, "plan"].sum())
        for kind in (COMPANY, *KEYS)
        if (whole["kind"] == kind).any()
    }


def quarterly(
    plan: pd.DataFrame,
    sold: pd.DataFrame,
    windows: Sequence[tuple[date, date]],
    groups: Mapping[str, pd.Series],
    *,
    first_day: date,
) -> pd.DataFrame:
    """Hold what came against the plan, and against the same quarter a year before.

    Parameters
    ----------
    plan : pandas.DataFrame
        From `planned`, for `windows`.
    sold : pandas.DataFrame
        From `buying.sold_between`, for `windows` and, behind them, for the same days a year before each.
    windows : sequence of (date, date)
    groups : mapping of str to pandas.Series
        "owner" and "region" → group by account (index), those of today.
    first_day : datetime.date
        First day of the log: what lies before is not known.

    Returns
    -------
    pandas.DataFrame
        Table "plan" of `terms`: the company, owners, regions and product lines; ordered by kind, group and quarter.
    """
    n = len(windows)
    kinds = {COMPANY: pd.Series(COMPANY, sold.index), "product_line": sold["product_line"].fillna(OTHER)}
    kinds |= {kind: sold["account"].map(by) for kind, by in groups.items()}
    tables = []
    for kind, group in kinds.items():
        sums = sold.groupby([group.rename("group"), "window"])["revenue"].sum().unstack("window")
        sums = sums.reindex(columns=range(2 * n))
        set_ = plan[(plan["kind"] == kind) & (plan["covered"] >= LEAST_COVERED)]
        wanted = set_.pivot(index="group", columns="window", values="plan").reindex(columns=range(n))
        # The company is there also when it sold nothing.
        names = sorted({*sums.index, *wanted.index, *([COMPANY] if kind == COMPANY else [])})
        came, aim = sums.reindex(names), wanted.reindex(names)
        for window, (start, end) in enumerate(windows):
            tables.append(
                pd.DataFrame(
                    {
                        "kind": kind,
                        "group": names,
                        "start": pd.Timestamp(start),
                        "end": pd.Timestamp(end),
                        "plan": aim[window].to_numpy(dtype=float),
                        "actual": came[window].fillna(0.0).to_numpy(dtype=float),
                        "last_year": came[n + window].fillna(0.0).to_numpy(dtype=float)
                        if year_before(start, end)[0] >= first_day - ROOM_AT_START
                        else np.nan,
                    }
                )
            )
    table = pd.concat(tables, ignore_index=True)
    table["difference"] = table["actual"] - table["plan"]
    table["share"] = table["actual"] / table["plan"].where(table["plan"] > 0)
    order = {kind: place for place, kind in enumerate((COMPANY, *KEYS))}
    table = table.sort_values(["kind", "group", "start"], key=lambda c: c.map(order) if c.name == "kind" else c)
    dates = {"start": "datetime64[s]", "end": "datetime64[s]"}
    return table.reset_index(drop=True)[[column.name for column in TABLES["plan"]]].astype(dates)


def year_before(start: date, end: date) -> tuple[date, date]:
    """Return the same calendar days a year before; 29 February becomes the 28th."""
    first, last = (pd.Timestamp(day) - pd.DateOffset(years=1) for day in (start, end + timedelta(days=1)))
    return first.date(), last.date() - timedelta(days=1)
