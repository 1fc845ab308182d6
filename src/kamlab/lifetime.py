"""Beyond the next 12 months: lifetime value of 1, 3 and 5 years with intervals, and all purchases to come, discounted.

References
----------
.. [1] Fader, Hardie and Lee (2005), RFM and CLV: using iso-value curves for customer base analysis, Journal of
   Marketing Research 42 (4), 415-430.
.. [2] Takahasi and Mori (1974), Double exponential formulas for numerical integration, Publications of the Research
   Institute for Mathematical Sciences 9 (3), 721-741.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from kamlab import totals
from kamlab.backtest import Choice
from kamlab.backtest.situation import Amounts
from kamlab.clv.checks import as_frame
from kamlab.errors import ModelError, first_ids
from kamlab.period import DAYS_PER_YEAR, MONTHS_PER_YEAR, days_to_years, months_to_days
from kamlab.terms import TABLES

YEARS = (1, 3, 5)
"""Horizons of lifetime value."""

NOTHING = 1e-9
"""Below this many expected purchases an account is gone, and stays so."""

_STEPS = np.linspace(-3.0, 3.7, 54)
"""Nodes of the double-exponential rule for [0, ∞): w = exp(v − exp(−v)), up to w = 40, where e^−w has vanished."""


class Purchasing(Protocol):
    """A fitted model of purchases, as far as its expectation is concerned."""

    def expected_purchases(self, summary: Any, horizon_days: float) -> np.ndarray:
        """Return E[X | history] over the horizon; shape (accounts,)."""


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
    total = np.zeros(len(as_frame(summary)))
    for node, weight in zip(w, weights, strict=True):
        total += weight * model.expected_purchases(summary, node / per_day)
    return total


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
    for rows in (future, draws):
        absent = summary["account"][~summary["account"].isin(rows["account"])]
        if len(absent):
            raise ModelError(
                f"{len(absent)} of {len(summary)} accounts have no forecast (first: {first_ids(absent)}). "
                "Take the forecast and the draws of the same summary."
            )
    future = future.set_index("account").loc[summary["account"]].reset_index()
    outlook = _Outlook(summary, choice, future, discount_rate_annual, seed)
    table = future[["account", "level", "basis"]].copy()
    if discount_rate_annual > 0:
        table["dert"] = outlook.scale * residual_purchases(choice.transactions, summary, discount_rate_annual)
    for years in YEARS:
        bought = outlook.scale * outlook.curve[:, years * MONTHS_PER_YEAR - 1]
        table[f"purchases_{years}y"] = np.where(outlook.alive, bought, future["expected_purchases"])
    names = [column.name for column in TABLES["lifetime"]]
    if choice.spend is None:
        no_sums = pd.DataFrame(columns=[column.name for column in TABLES["totals"]])
        return table.reindex(columns=names), no_sums, pd.DataFrame(columns=["account", "years"])
    first_year = draws.set_index("account").loc[summary["account"]].to_numpy(dtype=float)
    kinds = {totals.COMPANY: None, **(groups or {})}
    level, basis = float(future["level"].iloc[0]), str(future["basis"].iloc[0])
    found, kept = [], []
    for years in YEARS:
        name = f"clv_{years}y"
        table[name] = future["expected_contribution"] * outlook.per_unit(years)
        keep = np.empty(first_year.shape, dtype=np.float32)
        below, lower, upper, sums = _measured(outlook.draws(years, first_year), summary["account"], kinds, level, keep)
        if years > 1:
            kept.append(_beyond(keep, summary["account"], years))
        table[f"{name}_lower"], table[f"{name}_upper"] = lower, upper
        table[f"p_negative_{years}y"] = np.where(future["basis"] == "contribution", below, np.nan)
        parts = [(kind, by, sums[kind]) for kind, by in kinds.items()]
        expected = table.set_index("account")[name]
        found.append(totals.from_sums(expected, parts, measure=name, basis=basis, level=level))
    return table.reindex(columns=names), pd.concat(found, ignore_index=True), pd.concat(kept, ignore_index=True)


def _beyond(money: np.ndarray, accounts: pd.Series, years: int) -> pd.DataFrame:
    """Return account, years, d0 … of draws of so many years, shape (accounts, draws)."""
    table = pd.DataFrame(money, columns=[f"d{i}" for i in range(money.shape[1])])
    table.insert(0, "account", accounts.to_numpy())
    table.insert(1, "years", years)
    return table.astype({"account": "str"})


def _measured(
    draws: Iterator[tuple[slice, np.ndarray]],
    accounts: pd.Series,
    kinds: Mapping[str, pd.Series | None],
    level: float,
    keep: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, pd.DataFrame]]:
    """Keep the draws; return P(value < 0) and the bounds of each account, and the summed draws of each kind."""
    below, lower, upper = (np.empty(len(accounts)) for _ in range(3))
    sums: dict[str, pd.DataFrame] = {}
    for rows, drawn in draws:
        keep[rows] = drawn
        below[rows] = (drawn < 0).mean(axis=1)
        lower[rows], upper[rows] = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=1)
        part = pd.DataFrame(drawn).assign(account=accounts[rows].to_numpy())
        for kind, by in kinds.items():
            added = totals.sums(part, by)
            sums[kind] = sums[kind].add(added, fill_value=0.0) if kind in sums else added
    return below, lower, upper, sums


class _Outlook:
    """What all horizons share: expected purchases by month, scaled to the forecast in force, and their discounts."""

    def __init__(
        self, summary: pd.DataFrame, choice: Choice, future: pd.DataFrame, discount_rate_annual: float, seed: int
    ) -> None:
        self.summary, self.choice, self.future, self.seed = summary, choice, future, seed
        ends = np.array([months_to_days(month) for month in range(1, YEARS[-1] * MONTHS_PER_YEAR + 1)], dtype=float)
        curve = np.stack([choice.transactions.expected_purchases(summary, end) for end in ends], axis=1)
        year = curve[:, MONTHS_PER_YEAR - 1]
        self.curve, self.alive = curve, year > NOTHING
        self.per_purchase = np.divide(1.0, year, out=np.zeros_like(year), where=self.alive)
        self.scale = future["expected_purchases"].to_numpy() * self.per_purchase
        middles = (ends + np.concatenate([[0.0], ends[:-1]])) / 2
        self._discounts = (1 + discount_rate_annual) ** -days_to_years(middles)
        flows = np.diff(curve, axis=1, prepend=0.0) * self.per_purchase[:, None]
        # Who is gone is not expected to bring anything after the first year; what there is comes evenly.
        flows[~self.alive, :MONTHS_PER_YEAR] = 1 / MONTHS_PER_YEAR
        self._flows = flows * self._discounts

    def per_unit(self, years: int) -> np.ndarray:
        """Return the discounted value of the horizon for one unit of money of 12 months; shape (accounts,)."""
        return self._flows[:, : years * MONTHS_PER_YEAR].sum(axis=1)

    def draws(self, years: int, first_year: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield rows, and their draws of discounted contribution, shape (accounts, draws)."""
        if years == 1:
            yield slice(None), first_year * self.per_unit(1)[:, None]
            return
        n_draws, choice = first_year.shape[1], self.choice
        rng = np.random.default_rng([self.seed, years])
        steps = choice.level_sd * rng.standard_normal((years, n_draws)) - choice.level_sd**2 / 2
        level = np.exp(np.cumsum(steps, axis=0))
        by_year = self._flows[:, : years * MONTHS_PER_YEAR].reshape(len(self.summary), years, -1).sum(axis=2)
        share = by_year / by_year.sum(axis=1, keepdims=True)
        # Before discounting; the forecaster in force need not know of horizons beyond its own.
        grown = np.where(self.alive, self.curve[:, years * MONTHS_PER_YEAR - 1] * self.per_purchase, 1.0)
        revenue, contribution, bought = (
            self.future[f"expected_{name}"].to_numpy() for name in ("revenue", "contribution", "purchases")
        )
        wanted = Amounts(bought * grown, revenue * grown)
        worth = np.divide(contribution, revenue, out=np.zeros_like(revenue), where=revenue > 0)
        error = self.future["margin_rate_se"].fillna(0.0).to_numpy()
        discount = self.per_unit(years) / grown
        at = choice.situation(self.summary, months_to_days(years * MONTHS_PER_YEAR))
        spread = replace(choice.spread(choice.model, at, wanted), level_sd=0.0)
        for rows, _, money in spread.draws(n_draws, rng):
            rate = worth[rows, None] + error[rows, None] * rng.standard_normal(money.shape)
            yield rows, money * (share[rows] @ level) * rate * discount[rows, None]
