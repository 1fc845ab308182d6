"""What a log shows of itself that bears on forecasts: a beginning cut off, seasons, one-time spikes, returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kamlab.beginning import ALARM_P, Truncation, truncation
from kamlab.engines import fetch
from kamlab.period import DAYS_PER_YEAR, MONTHS_PER_YEAR, StudyPeriod
from kamlab.revenue import daily, revenue_lines
from kamlab.terms import REVENUE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from kamlab.ledger import Ledger

REST_DAYS = 3
"""A first month counts as whole where the log begins within its first days: companies rest at the turn of a year."""
SEASON_RATIO = 1.25
"""The best month of a season must be worth at least this many times the worst."""

SPIKE_MONTHS = 24
SPIKE_SHARE = 0.01
"""Orders are named from 1 % of the last 12 months' revenue on: smaller ones do not move the forecast of a company."""
SPIKE_Z = 4.5
LEAST_SPREAD = 0.25
"""Logarithms of order values or of months' revenues that differ less are taken to differ by this."""
SPIKE_LEAST_ORDERS = 5
SPIKE_PRIOR_ORDERS = 10.0
MOST_SPIKES = 5

_NORMAL = 1.4826
"""Standard deviation of a normal variable / its median absolute deviation."""

RETURNS_SHARE = 0.01
"""Returns below 1 % of what is bought are not worth a sentence."""


@dataclass(frozen=True)
class Season:
    """Whether months of the year differ, in orders or revenue.

    `measure` is orders (purchase days) or revenue; `index` holds a typical January … December, their mean 1; `p_value`
    is that of the F-test of eleven month effects in the logarithm, beside a linear trend; `strength` the share of the
    variance about the trend that the months explain.
    """

    measure: str
    months: int
    p_value: float
    strength: float
    index: tuple[float, ...]
    seasonal: bool


@dataclass(frozen=True)
class Spike:
    """An order or a month far above what is usual for its account or for the company.

    `kind` is order or month; `day` the order's day or the month's first (ISO); `amount` and `usual` are money
    (currency); `account` is the one with the order, or with the most revenue of the month; `share` the order's of the
    last 12 months' revenue, or the account's of the month.
    """

    kind: str
    day: str
    account: str
    amount: float
    usual: float
    share: float


@dataclass(frozen=True)
class Returns:
    """Returned / bought value in the last 12 months and the 12 before (None where the log does not hold them)."""

    share: float
    previous_share: float | None
    p_value: float | None
    rising: bool


@dataclass(frozen=True)
class Signals:
    """What was looked for; None where the log is too short or holds no money to say."""

    truncation: Truncation | None
    seasons: tuple[Season, ...]
    spikes: tuple[Spike, ...]
    returns: Returns | None

    def facts(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)


def find(
    ledger: Ledger, period: StudyPeriod, summary: pd.DataFrame, *, accounts: pd.DataFrame | None = None
) -> Signals:
    """Look for what bears on the forecast, in the lines up to the as-of date.

    Each test is made so that chance alone raises it in about one log of a hundred (tests/test_signals.py measures it).

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
    summary : pandas.DataFrame
        Columns account, first_purchase, last_purchase, purchase_days of `terms.TABLES["summary"]`.
    accounts : pandas.DataFrame, optional
        Columns member, account, as for `summary.summarize`.
    """
    days = daily(revenue_lines(ledger, period, accounts), ledger)
    months = _months(days, ledger, period)
    whole = months[months["whole"]].reset_index(drop=True)
    measures = ("orders", "revenue") if ledger.has_money else ("orders",)
    seasons = tuple(season for name in measures if (season := _season(whole, name)) is not None)
    found = truncation(summary, ledger, period)
    if not ledger.has_money:
        return Signals(found, seasons, (), None)
    spikes = _order_spikes(days, period) + _month_spikes(whole, days, seasons)
    return Signals(found, seasons, tuple(spikes), _returns(ledger, period))


# Months


def _months(days: ir.Table, ledger: Ledger, period: StudyPeriod) -> pd.DataFrame:
    """Return month (first day), orders, revenue and whole (the month lies whole in the log), empty months included."""
    grouped = days.group_by(month=days.date.truncate("M")).agg(
        orders=days.is_purchase.cast("int64").sum(), revenue=days.net.sum()
    )
    found = fetch(grouped).astype({"month": "datetime64[s]", "revenue": "float64"})
    begin, end = pd.Timestamp(ledger.first_date), pd.Timestamp(period.calibration_end)
    every = pd.date_range(begin.replace(day=1), end, freq="MS", name="month")
    table = found.set_index("month").reindex(every, fill_value=0).reset_index()
    ends = table["month"] + pd.offsets.MonthEnd(0)
    table["whole"] = (table["month"] + pd.Timedelta(days=REST_DAYS) >= begin) & (ends <= end)
    return table


def _logs(values: pd.Series) -> np.ndarray:
    """Logarithms, in which an empty month counts as a twentieth of the middle one."""
    numbers = values.to_numpy(dtype=float)
    return np.log(np.maximum(numbers, 0.05 * np.median(numbers)))


def _season(months: pd.DataFrame, measure: str) -> Season | None:
    from scipy.special import fdtrc

    if len(months) < 2 * MONTHS_PER_YEAR or months[measure].median() <= 0:
        return None
    y, time = _logs(months[measure]), np.arange(len(months)) / MONTHS_PER_YEAR
    month = months["month"].dt.month.to_numpy() - 1
    trend = np.column_stack([np.ones_like(time), time])
    effects = np.column_stack([np.eye(MONTHS_PER_YEAR)[month], time])
    rest_trend, _ = _residuals(trend, y)
    rest, found = _residuals(effects, y)
    freedom = len(y) - MONTHS_PER_YEAR - 1
    free, bound = float(rest @ rest), float(rest_trend @ rest_trend)
    if bound <= 1e-12:
        return Season(measure, len(y), 1.0, 0.0, (1.0,) * MONTHS_PER_YEAR, False)
    ratio = (bound - free) / (MONTHS_PER_YEAR - 1) / max(free / freedom, 1e-12)
    p_value = float(fdtrc(MONTHS_PER_YEAR - 1, freedom, max(ratio, 0.0)))
    index = np.exp(found[:MONTHS_PER_YEAR])
    index /= index.mean()
    seasonal = p_value < ALARM_P and index.max() >= SEASON_RATIO * index.min()
    return Season(measure, len(y), p_value, 1 - free / bound, tuple(index.tolist()), bool(seasonal))


def _residuals(columns: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = np.linalg.lstsq(columns, y, rcond=None)[0]
    return y - columns @ found, found


# Spikes


def _order_spikes(days: ir.Table, period: StudyPeriod) -> list[Spike]:
    """Orders of the last two years that are large for the company and out of line with their account's other orders."""
    import ibis

    recent = days.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    zero = ibis.literal(0).cast("decimal(38,4)")
    trailing = float(days.agg(sum=recent.ifelse(days.net, zero).sum()).to_pyarrow().to_pylist()[0]["sum"] or 0)
    if trailing <= 0:
        return []
    since = period.calibration_end - timedelta(days=SPIKE_MONTHS * DAYS_PER_YEAR // MONTHS_PER_YEAR)
    least = ibis.literal(round(SPIKE_SHARE * trailing, 4)).cast("decimal(38,4)")
    large = days.filter(days.net >= least, days.date > ibis.literal(since))
    buyers = days.filter(days.net > 0).semi_join(large.select("account").distinct(), "account")
    orders = fetch(buyers).astype({"net": "float64", "date": "datetime64[s]"})
    return _out_of_line(orders, trailing, pd.Timestamp(since))


def _out_of_line(orders: pd.DataFrame, trailing: float, since: pd.Timestamp) -> list[Spike]:
    """Compare each order (account, date, net) with the middle and spread of its account's logarithms.

    The spread of few orders is rough; it is drawn towards that of all accounts, which weighs as much as ten orders.
    """
    table = orders.assign(log=np.log(orders["net"])).sort_values(["net", "account"], ascending=[False, True])
    middle = table.groupby("account")["log"].transform("median")
    n = table.groupby("account")["log"].transform("size")
    off = (table["log"] - middle).abs()
    own, every = (_NORMAL * off.groupby(table["account"]).transform("median")), _NORMAL * off.median()
    spread = np.sqrt((n * own**2 + SPIKE_PRIOR_ORDERS * every**2) / (n + SPIKE_PRIOR_ORDERS)).clip(lower=LEAST_SPREAD)
    high = ((table["log"] - middle) / spread > SPIKE_Z) & (n > SPIKE_LEAST_ORDERS)
    high &= (table["net"] >= SPIKE_SHARE * trailing) & (table["date"] > since)
    return [
        Spike("order", day.date().isoformat(), str(account), net, float(np.exp(usual)), net / trailing)
        for account, day, net, usual in zip(
            table.loc[high, "account"], table.loc[high, "date"], table.loc[high, "net"], middle[high], strict=True
        )
    ][:MOST_SPIKES]


def _month_spikes(months: pd.DataFrame, days: ir.Table, seasons: tuple[Season, ...]) -> list[Spike]:
    """Months of the last two years far above the year around them and the season, with the month's largest account.

    One-time: a high month beside another is a change of level.
    """
    if len(months) < MONTHS_PER_YEAR or months["revenue"].median() <= 0:
        return []
    y = _logs(months["revenue"])
    index = next((s.index for s in seasons if s.measure == "revenue" and s.seasonal), (1.0,) * MONTHS_PER_YEAR)
    usual = y - np.log(index)[months["month"].dt.month.to_numpy() - 1]
    around = pd.Series(usual).rolling(MONTHS_PER_YEAR + 1, center=True, min_periods=1).median().to_numpy()
    _, spread = _middle(usual - around)
    score = (usual - around) / spread
    beside = np.maximum(np.append(score[1:], -np.inf), np.append(-np.inf, score[:-1]))
    recent = np.arange(len(months)) >= len(months) - SPIKE_MONTHS
    found = []
    for i in np.flatnonzero((score > SPIKE_Z) & (beside < SPIKE_Z / 2) & recent):
        month = months["month"].iloc[i]
        amount, norm = float(months["revenue"].iloc[i]), float(np.exp(y[i] - usual[i] + around[i]))
        account, share = _largest(days, month, amount)
        found.append(Spike("month", month.date().isoformat(), account, amount, norm, share))
    return sorted(found, key=lambda spike: -spike.amount)[:MOST_SPIKES]


def _middle(values: np.ndarray) -> tuple[float, float]:
    """Return the median and the standard deviation that the median absolute deviation stands for, not under 0.25."""
    middle = float(np.median(values))
    return middle, max(_NORMAL * float(np.median(np.abs(values - middle))), LEAST_SPREAD)


def _largest(days: ir.Table, month: pd.Timestamp, whole: float) -> tuple[str, float]:
    """Return the account with the most revenue of a month, and its share."""
    import ibis

    inside = days.filter(days.date.truncate("M") == ibis.literal(month.date()))
    sums = inside.group_by("account").agg(net=inside.net.sum())
    first = sums.order_by([sums.net.desc(), sums.account]).limit(1).to_pyarrow().to_pylist()[0]
    return str(first["account"]), float(first["net"]) / whole


# Returns


def _returns(ledger: Ledger, period: StudyPeriod) -> Returns | None:
    """Compare the returned share of the last 12 months with that of the 12 before, month against month."""
    import ibis
    from scipy.stats import mannwhitneyu

    t = ledger.table
    t = t.filter(t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end), t.amount.notnull())
    age = ibis.literal(period.calibration_end).delta(t.date, unit="day")
    t = t.mutate(ago=(age * MONTHS_PER_YEAR / DAYS_PER_YEAR).floor().cast("int64"))
    t = t.filter(t.ago < 2 * MONTHS_PER_YEAR)
    zero = ibis.literal(0).cast("decimal(38,4)")
    sums = t.group_by("ago").agg(
        bought=(t.amount > 0).ifelse(t.amount, zero).sum(), returned=(t.amount < 0).ifelse(-t.amount, zero).sum()
    )
    table = fetch(sums).astype({"bought": "float64", "returned": "float64"}).set_index("ago")
    table = table.reindex(range(2 * MONTHS_PER_YEAR), fill_value=0.0)
    now, before = table.iloc[:MONTHS_PER_YEAR], table.iloc[MONTHS_PER_YEAR:]
    if now["bought"].sum() <= 0:
        return None
    share = float(now["returned"].sum() / now["bought"].sum())
    whole = (period.calibration_end - ledger.first_date).days + 1 >= 2 * DAYS_PER_YEAR - REST_DAYS
    if not whole or before["bought"].sum() <= 0:
        return Returns(share, None, None, False)
    previous = float(before["returned"].sum() / before["bought"].sum())
    monthly = [part["returned"] / part["bought"].where(part["bought"] > 0) for part in (now, before)]
    p_value = float(mannwhitneyu(*(m.dropna() for m in monthly)).pvalue)
    rising = p_value < ALARM_P and share > previous and share >= RETURNS_SHARE
    return Returns(share, previous, p_value, bool(rising))
