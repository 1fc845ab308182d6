"""Beyond the next 12 months: lifetime value of 1, 3 and 5 years with intervals, and all purchases to come, discounted.

References
----------
.. [1] Fader, Hardie and Lee (2005), RFM and CLV: using iso-value curves for customer base analysis, Journal of
   Marketing Research 42 (4), 415-430.
.. [2] Takahasi and Mori (1974), Double exponential formulas for numerical integration, Publications of the Research
   Institute for Mathematical Sciences 9 (3), 721-741.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from kamlab import totals
from kamlab.backtest import Choice
from kamlab.backtest.distribution import bounds
from kamlab.backtest.situation import Amounts
from kamlab.clv.checks import as_frame
from kamlab.errors import ModelError, first_ids
from kamlab.ids import among
from kamlab.period import DAYS_PER_YEAR, MONTHS_PER_YEAR, days_to_years, months_to_days
from kamlab.terms import TABLES
from kamlab.threads import in_order, parts, side_by_side

YEARS = (1, 3, 5)
"""Horizons of lifetime value."""

_CHUNK = 20_000
"""Accounts whose months, or draws, are worked on at a time."""

NOTHING = 1e-9
"""Below this many expected purchases an account is gone, and stays so."""

_STEPS = np.linspace(-3.0, 3.7, 54)
"""Nodes of the double-exponential rule for [0, ∞): w = exp(v − exp(−v)), up to w = 40, where e^−w has vanished."""


class Purchasing(Protocol):
    """A fitted model of purchases, as far as its expectation is concerned."""

    def expected_purchases(self, summary: Any, horizon_days: Any) -> np.ndarray:
        """Return E[X | history] over the horizon, or over each of an array of them; shape (accounts[, horizons])."""


def residual_purchases(model: Purchasing, summary: Any, discount_rate_annual: float) -> np.ndarray:
    """Return the discounted expected residual transactions (DERT), shape (accounts,).

    All purchase days to come, each discounted continuously at δ = ln(1 + discount_rate_annual) a year. In [1]_ (eq. 2)
    it is a closed form for the Pareto/NBD; here, for every model alike, ∫ δ e^(−δt) E[X(t)] dt over t > 0, which is the
    same by parts, by the double-exponential rule [2]_. It is finite also for accounts that never leave, whose purchases
    without discounting have no limit: their rate / δ.

    Parameters
    ----------
    model : TransactionModel
    summary : table
        What the model forecasts from.
    discount_rate_annual : float
        Effective rate a year, above 0.

    Raises
    ------
    ModelError
        If the rate is not above 0: the purchases of all the future need not have a finite sum then.
    """
    if not discount_rate_annual > 0:
        raise ModelError(
            f"discount_rate_annual is {discount_rate_annual}; it must be above 0, because without discounting the sum "
            "over all the future need not be finite."
        )
    per_day = np.log1p(discount_rate_annual) / DAYS_PER_YEAR
    w = np.exp(_STEPS - np.exp(-_STEPS))
    weights = np.exp(-w) * w * (1 + np.exp(-_STEPS)) * (_STEPS[1] - _STEPS[0])
    rows = as_frame(summary)

    def summed(part: slice) -> np.ndarray:
        total = np.zeros(len(rows[part]))
        for weight, expected in zip(weights, model.expected_purchases(rows[part], w / per_day).T, strict=True):
            total += weight * expected
        return total

    return np.concatenate([np.empty(0), *in_order(summed, parts(len(rows), _CHUNK))])


def value(
    summary: pd.DataFrame,
    choice: Choice,
    future: pd.DataFrame,
    draws: pd.DataFrame,
    *,
    groups: Mapping[str, pd.Series] | None = None,
    discount_rate_annual: float = 0.1,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Carry the forecast of 12 months on to 3 and 5 years.

    The forecaster in force says what 12 months bring; the model of purchases how that wanes: each month's flow is the
    account's value of 12 months × the month's share in the model's expectation, {E[X(t_m)] − E[X(t_m−1)]} / E[X(12
    months)], × (1 + d)^−(middle of the month in years). Order values and margin rates stay as they are; cost to serve
    moves with revenue after the first year.

    Intervals of the first year are those of the forecast's draws. Longer ones come from draws of the whole horizon,
    made as in `forecast.value_and_draws` and brought to the expectation here, × the error of level. That error is a
    random walk of the company's logarithm from year to year, each year's step with the standard deviation that earlier
    origins showed for one year: what went wrong in one year is still wrong in the next, and more is added, so that year
    k is uncertain by √k times as much as the first.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns of `terms.TABLES["summary"]`, in the choice's unit.
    choice : Choice
    future, draws : pandas.DataFrame
        The forecast of the same accounts over 12 months and its draws of contribution.
    groups : mapping of str to pandas.Series, optional
        Kind of group → group by account (index), for `totals`.
    discount_rate_annual : float
        Effective rate a year.
    seed : int

    Returns
    -------
    lifetime : pandas.DataFrame
        Columns of `terms.TABLES["lifetime"]`, ordered by account. Without money the columns of money are missing.
    sums : pandas.DataFrame
        Columns of `terms.TABLES["totals"]`: lifetime value of the company and of the groups; no rows without money.
    beyond : pandas.DataFrame
        Columns of `terms.TABLES["lifetime_draws"]`: joint draws of the lifetime value of more than one year, for totals
        of groups that are found later; no rows without money.

    Raises
    ------
    ModelError
        If accounts have no forecast or no draws.
    """
    summary = as_frame(summary).sort_values("account", ignore_index=True)
    future, draws = (_of_the_same(rows, summary["account"]) for rows in (future, draws))
    outlook = _Outlook(summary, choice, future, discount_rate_annual, seed)
    table = future[["account", "level", "basis"]].copy()
    if discount_rate_annual > 0:
        table["dert"] = outlook.scale * residual_purchases(choice.transactions, summary, discount_rate_annual)
    for years in YEARS:
        bought = outlook.scale * outlook.purchases[years]
        table[f"purchases_{years}y"] = np.where(outlook.alive, bought, future["expected_purchases"])
    names = [column.name for column in TABLES["lifetime"]]
    if choice.spend is None:
        no_sums = pd.DataFrame(columns=[column.name for column in TABLES["totals"]])
        return table.reindex(columns=names), no_sums, pd.DataFrame(columns=["account", "years"])
    first_year = draws.drop(columns="account").to_numpy()
    kinds = {totals.COMPANY: None, **(groups or {})}
    level, basis = float(future["level"].iloc[0]), str(future["basis"].iloc[0])
    found = []
    keep = np.empty((len(YEARS) - 1, *first_year.shape), dtype=np.float32)
    for place, years in enumerate(YEARS):
        name = f"clv_{years}y"
        table[name] = future["expected_contribution"] * outlook.per_unit[years]
        measured = outlook.draws(years, first_year, _Measure(level, keep[place - 1] if place else None))
        below, lower, upper, sums = _gathered(measured, summary["account"], kinds)
        table[f"{name}_lower"], table[f"{name}_upper"] = lower, upper
        table[f"p_negative_{years}y"] = np.where(future["basis"] == "contribution", below, np.nan)
        parts = [(kind, by, sums[kind]) for kind, by in kinds.items()]
        expected = table.set_index("account")[name]
        found.append(totals.from_sums(expected, parts, measure=name, basis=basis, level=level))
    return table.reindex(columns=names), pd.concat(found, ignore_index=True), _beyond(keep, summary["account"])


def _of_the_same(rows: pd.DataFrame, accounts: pd.Series) -> pd.DataFrame:
    """Bring a table into the accounts' order."""
    if rows["account"].equals(accounts):
        return rows
    absent = accounts[~among(accounts, rows["account"])]
    if len(absent):
        raise ModelError(
            f"{len(absent)} of {len(accounts)} accounts have no forecast (first: {first_ids(absent)}). "
            "Take the forecast and the draws of the same summary."
        )
    return rows.set_index("account").loc[accounts].reset_index()


def _beyond(money: np.ndarray, accounts: pd.Series) -> pd.DataFrame:
    """Return account, years, d0 … of the draws of more than one year, shape (horizons, accounts, draws)."""
    table = pd.DataFrame(money.reshape(-1, money.shape[2]), columns=[f"d{i}" for i in range(money.shape[2])])
    key = pd.concat([accounts.astype("str")] * len(money), ignore_index=True)
    return pd.concat([key, pd.Series(np.repeat(YEARS[1:], len(accounts)), name="years"), table], axis=1)


class _Measured(NamedTuple):
    """What is kept of some accounts' draws: P(value < 0), bounds, their sums, and the draws themselves."""

    below: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    total: np.ndarray
    drawn: np.ndarray


@dataclass(frozen=True, eq=False)
class _Measure:
    """Measures draws, and keeps them where they are wanted."""

    level: float
    keep: np.ndarray | None

    def __call__(self, rows: slice, drawn: np.ndarray) -> _Measured:
        if self.keep is not None:
            self.keep[rows] = drawn
        lower, upper = bounds(drawn, self.level, whole=False)
        return _Measured((drawn < 0).mean(axis=1), lower, upper, np.asfortranarray(drawn).sum(axis=0), drawn)


def _gathered(
    measured: Iterable[tuple[slice, _Measured]], accounts: pd.Series, kinds: Mapping[str, pd.Series | None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, pd.DataFrame]]:
    """Return P(value < 0) and the bounds of each account, and the summed draws of each kind."""
    below, lower, upper = (np.empty(len(accounts)) for _ in range(3))
    sums: dict[str, pd.DataFrame] = {}
    for rows, found in measured:
        below[rows], lower[rows], upper[rows] = found[:3]
        for kind, by in kinds.items():
            if by is None:
                added = pd.DataFrame([found.total], index=pd.Index([kind], name="group"))
            else:
                added = totals.sums(pd.DataFrame(found.drawn).assign(account=accounts[rows].to_numpy()), by)
            sums[kind] = sums[kind].add(added, fill_value=0.0) if kind in sums else added
    return below, lower, upper, sums


class _Outlook:
    """What all horizons share: expected purchases, scaled to the forecast in force, and what discounting leaves.

    purchases : expected by the model within so many years; per_unit : discounted value of so many years for one unit of
    money of 12 months; each of shape (accounts,).
    """

    def __init__(
        self, summary: pd.DataFrame, choice: Choice, future: pd.DataFrame, discount_rate_annual: float, seed: int
    ) -> None:
        self.summary, self.choice, self.future, self.seed = summary, choice, future, seed
        ends = np.array([months_to_days(month) for month in range(1, YEARS[-1] * MONTHS_PER_YEAR + 1)], dtype=float)
        middles = (ends + np.concatenate([[0.0], ends[:-1]])) / 2
        discounts = (1 + discount_rate_annual) ** -days_to_years(middles)
        n = len(summary)
        self.alive, self.per_purchase, self._by_year = np.empty(n, dtype=bool), np.empty(n), np.empty((n, YEARS[-1]))
        self.purchases, self.per_unit = ({years: np.empty(n) for years in YEARS} for _ in range(2))

        def looked_at(rows: slice) -> None:
            curve = choice.transactions.expected_purchases(summary[rows], ends)
            year = curve[:, MONTHS_PER_YEAR - 1]
            alive = year > NOTHING
            per_purchase = np.divide(1.0, year, out=np.zeros_like(year), where=alive)
            flows = np.diff(curve, axis=1, prepend=0.0) * per_purchase[:, None]
            # Who is gone is not expected to bring anything after the first year; what there is comes evenly.
            flows[~alive, :MONTHS_PER_YEAR] = 1 / MONTHS_PER_YEAR
            flows = flows * discounts
            self.alive[rows], self.per_purchase[rows] = alive, per_purchase
            self._by_year[rows] = flows.reshape(len(flows), YEARS[-1], -1).sum(axis=2)
            for years in YEARS:
                self.purchases[years][rows] = curve[:, years * MONTHS_PER_YEAR - 1]
                self.per_unit[years][rows] = flows[:, : years * MONTHS_PER_YEAR].sum(axis=1)

        side_by_side(looked_at, parts(n, _CHUNK))
        self.scale = future["expected_purchases"].to_numpy() * self.per_purchase

    def draws(
        self, years: int, first_year: np.ndarray, measure: Callable[[slice, np.ndarray], _Measured]
    ) -> Iterator[tuple[slice, _Measured]]:
        """Yield rows, and what is measured of their draws of discounted contribution, shape (accounts, draws)."""
        per_unit = self.per_unit[years]
        if years == 1:
            blocks = parts(len(first_year), _CHUNK)
            found = in_order(lambda rows: measure(rows, first_year[rows] * per_unit[rows, None]), blocks)
            yield from zip(blocks, found, strict=True)
            return
        n_draws, choice = first_year.shape[1], self.choice
        rng = np.random.default_rng([self.seed, years])
        steps = choice.level_sd * rng.standard_normal((years, n_draws)) - choice.level_sd**2 / 2
        level = np.exp(np.cumsum(steps, axis=0))
        by_year = self._by_year[:, :years]
        share = by_year / by_year.sum(axis=1, keepdims=True)
        # Before discounting; the forecaster in force need not know of horizons beyond its own.
        grown = np.where(self.alive, self.purchases[years] * self.per_purchase, 1.0)
        revenue, contribution, bought = (
            self.future[f"expected_{name}"].to_numpy() for name in ("revenue", "contribution", "purchases")
        )
        wanted = Amounts(bought * grown, revenue * grown)
        worth = np.divide(contribution, revenue, out=np.zeros_like(revenue), where=revenue > 0)
        error = self.future["margin_rate_se"].fillna(0.0).to_numpy()
        discount = per_unit / grown
        at = choice.situation(self.summary, months_to_days(years * MONTHS_PER_YEAR))
        spread = replace(choice.spread(choice.model, at, wanted), level_sd=0.0)

        def made(rows: slice, _: np.ndarray, money: np.ndarray, rng: np.random.Generator) -> _Measured:
            rate = rng.standard_normal(money.shape)
            rate *= error[rows, None]
            rate += worth[rows, None]
            worth_then = money * (share[rows] @ level)
            worth_then *= rate
            worth_then *= discount[rows, None]
            return measure(rows, worth_then)

        yield from spread.draws(n_draws, rng, made)
