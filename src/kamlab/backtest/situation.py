"""What a forecaster may look at: the summary at an as-of date and the windows before it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kamlab.clv.checks import as_frame
from kamlab.period import DAYS_PER_YEAR, StudyPeriod, days_to_units
from kamlab.summary import holdout, summarize, summarize_periods

if TYPE_CHECKING:
    from kamlab.ledger import Ledger


class Amounts(NamedTuple):
    """Purchases (purchase days) and net revenue (currency; 0 where no money is known), one entry an account."""

    purchases: np.ndarray
    revenue: np.ndarray

    def target(self, name: str) -> np.ndarray:
        """Return "purchases" or "revenue"."""
        return self.purchases if name == "purchases" else self.revenue

    def times(self, factors: Mapping[str, float]) -> Amounts:
        """Return each target's amounts times its factor; 1 where none is given."""
        return Amounts(*(values * factors.get(name, 1.0) for name, values in zip(self._fields, self, strict=True)))

    def rows(self, place: np.ndarray) -> Amounts:
        """Return the amounts of the accounts at these places."""
        return Amounts(*(values[place] for values in self))

    def filled(self, others: Amounts) -> Amounts:
        """Return the amounts, with others where they are 0."""
        return Amounts(*(np.where(own > 0, own, other) for own, other in zip(self, others, strict=True)))


class Windows(NamedTuple):
    """What came before one as-of date in the windows that rules look at, for one horizon (see `Situation`)."""

    account: pd.Index
    horizon_days: int
    recent: Amounts
    trailing: Amounts
    seasonal: Amounts | None

    def of(self, at: Situation) -> Situation:
        """Return a situation with these windows; as it is where its horizon is another or accounts are not known."""
        place = self.account.get_indexer(pd.Index(at.summary["account"]))
        if at.horizon_days != self.horizon_days or (place < 0).any():
            return at
        seasonal = None if self.seasonal is None else self.seasonal.rows(place)
        return replace(at, recent=self.recent.rows(place), trailing=self.trailing.rows(place), seasonal=seasonal)


@dataclass(frozen=True, eq=False)
class Situation:
    """One as-of date as its forecasters see it, rows of all arrays as in the summary.

    Attributes
    ----------
    summary : pandas.DataFrame
        Columns of `terms.TABLES["summary"]`.
    horizon_days : int
        Length of the forecast.
    unit : str
        Of recency and T.
    recent : Amounts
        What came in the window before the as-of date that is as long as the horizon.
    trailing : Amounts
        What came in the last 12 months, scaled to the horizon; in all the log's days where it is shorter.
    seasonal : Amounts or None
        What came in the horizon's calendar days of the year before; None where the log does not hold them.
    covariates : tuple of str
        Columns of the summary that models with covariates take.
    months : callable, optional
        Gives the accounts' histories in whole periods of so many days, as `summary.summarize_periods` does; None where
        the summary alone is known.
    """

    summary: pd.DataFrame
    horizon_days: int
    unit: str
    recent: Amounts
    trailing: Amounts
    seasonal: Amounts | None
    months: Callable[[int], pd.DataFrame] | None = None
    covariates: tuple[str, ...] = ()
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` gives, made once for each key: several forecasters rest on the same model."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def rows(self, place: np.ndarray) -> Situation:
        """Return the situation of some accounts, which are judged as among all: what was made for each of all stays."""
        n, some = len(self.summary), self.summary.iloc[place].reset_index(drop=True)
        made = {
            key: table.iloc[place].reset_index(drop=True)
            for key, table in self._made.items()
            if isinstance(table, pd.DataFrame) and len(table) == n
        }
        recent, trailing = self.recent.rows(place), self.trailing.rows(place)
        seasonal = None if self.seasonal is None else self.seasonal.rows(place)
        return replace(self, summary=some, recent=recent, trailing=trailing, seasonal=seasonal, months=None, _made=made)

    @property
    def horizon(self) -> float:
        """Length of the forecast in the summary's unit."""
        return days_to_units(self.horizon_days, self.unit)

    @property
    def windows(self) -> Windows:
        """What came in the windows before the as-of date."""
        return Windows(pd.Index(self.summary["account"]), self.horizon_days, self.recent, self.trailing, self.seasonal)

    def column(self, name: str) -> np.ndarray:
        """Return a column of the summary as numbers."""
        return self.summary[name].to_numpy(dtype=float)


def from_summary(summary: pd.DataFrame, horizon_days: int, unit: str) -> Situation:
    """Return the situation as far as the summary alone shows it: every window is the last 12 months, scaled."""
    frame = as_frame(summary)
    share = horizon_days / DAYS_PER_YEAR
    columns = ("trailing_purchase_days", "trailing_revenue")
    nothing = np.zeros(len(frame))
    # Summaries of another make may lack these columns; the models do not need them.
    year = Amounts(*(frame[c].to_numpy(dtype=float) * share if c in frame else nothing for c in columns))
    return Situation(frame, horizon_days, unit, year, year, year)


def every_nth(at: Situation, most: int) -> Situation:
    """Return the situation of some of the accounts, taken evenly from all, where they are more than so many."""
    n = len(at.summary)
    if n <= most:
        return at
    some = at.summary.iloc[np.linspace(0, n - 1, most).astype(np.intp)].reset_index(drop=True)
    return replace(from_summary(some, at.horizon_days, at.unit), covariates=at.covariates)


def described(summary: pd.DataFrame, covariates: pd.DataFrame | None) -> pd.DataFrame:
    """Add what is known of the accounts: columns of `covariates`, which has one row an account."""
    return summary if covariates is None else summary.merge(covariates, on="account", how="left", validate="one_to_one")


def from_ledger(
    ledger: Ledger,
    period: StudyPeriod,
    accounts: pd.DataFrame | None,
    sample: frozenset[str] | None,
    covariates: pd.DataFrame | None = None,
    *,
    summary: pd.DataFrame | None = None,
) -> Situation:
    """Return the situation at the period's as-of date; nothing after it is read.

    `sample` names the accounts that are looked at; None = all. `covariates` has the column account and one column each.
    `summary` is what `summarize` gives, where it is at hand.
    """
    bought = summarize(ledger, period, accounts=accounts, only=sample) if summary is None else summary
    summary = described(bought, covariates)
    known = summary["account"]
    history = (period.calibration_end - ledger.first_date).days + 1
    year = Amounts(
        summary["trailing_purchase_days"].to_numpy(dtype=float), summary["trailing_revenue"].to_numpy(dtype=float)
    )
    of_a_year = period.horizon_days == DAYS_PER_YEAR
    recent = year if of_a_year else came_in(ledger, period.origin(1), accounts, known, sample)
    days = min(DAYS_PER_YEAR, history)
    share = period.horizon_days / days
    trailing = recent if days == period.horizon_days else Amounts(*(values * share for values in year))
    return Situation(
        summary,
        period.horizon_days,
        period.unit,
        recent,
        trailing,
        _seasonal(ledger, period, accounts, known, history, sample),
        lambda days: summarize_periods(ledger, period, period_days=days, accounts=accounts, only=sample),
        () if covariates is None else tuple(covariates.columns.drop("account")),
    )


def came_in(
    ledger: Ledger,
    period: StudyPeriod,
    accounts: pd.DataFrame | None,
    known: pd.Series,
    sample: frozenset[str] | None = None,
) -> Amounts:
    """Return what came in the period's horizon from the accounts known; who bought nothing has 0.

    `sample` names accounts that hold them all, where it is known that not all of the log has to be looked at.
    """
    came = holdout(ledger, period, accounts=accounts, only=sample, with_margin=False)
    sums = came.set_index("account").reindex(known).fillna(0.0)
    return Amounts(sums["purchases"].to_numpy(dtype=float), sums["revenue"].to_numpy(dtype=float))


def _seasonal(
    ledger: Ledger,
    period: StudyPeriod,
    accounts: pd.DataFrame | None,
    known: pd.Series,
    history: int,
    sample: frozenset[str] | None,
) -> Amounts | None:
    """Return what came in the same days so many whole years earlier that they lie before the as-of date."""
    if period.horizon_days % DAYS_PER_YEAR == 0:
        return None  # The very window of `recent`.
    years = -(-period.horizon_days // DAYS_PER_YEAR)
    if history < years * DAYS_PER_YEAR:
        return None
    start = pd.Timestamp(period.calibration_end) - pd.Timedelta(days=years * DAYS_PER_YEAR)
    return came_in(ledger, StudyPeriod(start.date(), period.horizon_days, period.unit), accounts, known, sample)
