"""Choice + summary + margins → expected revenue, contribution and lifetime value of each account, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, takewhile

import numpy as np
import pandas as pd

from kamlab.backtest import SOON_DAYS, Choice
from kamlab.backtest.distribution import bounds
from kamlab.backtest.situation import Amounts
from kamlab.backtest.spread import Spread
from kamlab.clv.checks import as_frame
from kamlab.errors import ModelError, first_ids
from kamlab.i18n import N_
from kamlab.ids import among
from kamlab.margins import credit_rate
from kamlab.period import DAYS_PER_YEAR, days_to_years, months_to_days
from kamlab.terms import TABLES

MOST_CELLS = 100_000_000
"""Accounts × draws that are kept at most, some 0.4 GB for each table of them in memory."""
LEAST_DRAWS = 100
NOTE_FEWER_DRAWS = N_(
    "There are so many accounts that intervals come from fewer random draws than the configuration asks for, so their "
    "ends are less exact."
)

_CHUNK = 50_000
"""Accounts whose draws are worked on at a time."""

OWN_VALUE = 1e-6
"""A forecast of revenue that departs by more than this from purchases × order value has an order value of its own."""


def value(
    summary: pd.DataFrame,
    choice: Choice,
    *,
    margins: pd.DataFrame | None = None,
    horizon_days: int = DAYS_PER_YEAR,
    discount_rate_annual: float = 0.1,
    level: float = 0.9,
    n_draws: int = 500,
    seed: int = 0,
    with_soon: bool = True,
) -> pd.DataFrame:
    """Forecast each account; see `value_and_draws`, of which this is the first table."""
    return value_and_draws(
        summary,
        choice,
        margins=margins,
        horizon_days=horizon_days,
        discount_rate_annual=discount_rate_annual,
        level=level,
        n_draws=n_draws,
        seed=seed,
        with_soon=with_soon,
    )[0]


def value_and_draws(
    summary: pd.DataFrame,
    choice: Choice,
    *,
    margins: pd.DataFrame | None = None,
    horizon_days: int = DAYS_PER_YEAR,
    discount_rate_annual: float = 0.1,
    level: float = 0.9,
    n_draws: int = 500,
    seed: int = 0,
    with_soon: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Forecast each account and draw all accounts jointly.

    Expected revenue is expected purchases × expected net order value; expected contribution is that × (margin rate −
    receivables cost − expected credit loss, as shares of revenue), less the cost to serve of the last 12 months, which
    is spent again where the account buys at all. What is not known is not taken off.
    Lifetime value is Σ_m {E[X(t_m)] − E[X(t_m−1)]} · spend · margin · (1 + d)^−(middle of month m in years), over the
    months m, which end t_m days after the as-of date (365 / 12 days each, to the whole day; the last one ends with the
    horizon).

    Purchases and revenue are those of the forecaster in force; where it forecasts revenue as such, the order value is
    revenue / purchases. A draw comes from the model behind it, brought to these means and corrected as earlier dates
    showed (see `backtest.spread.Spread`), with a margin rate from a normal distribution; money holds the level's error.
    Intervals are quantiles of these draws; an interval of a total is the quantiles of their sum, never a sum of bounds.
    Purchases' intervals, without the error of level, are the model's exact ones where nothing was moved. A skew
    distribution may have its mean above its upper bound: an account that is almost surely lost expects little, and gets
    0 to 0.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns of `terms.TABLES["summary"]`, in the choice's unit.
    choice : Choice
    margins : pandas.DataFrame, optional
        What `margins.rates` returns, with a row for each account; revenue stands for contribution without it.
    horizon_days : int
    discount_rate_annual : float
        Effective rate a year.
    level : float
        Level of all intervals; 0.9 = from the 5 % to the 95 % quantile.
    n_draws : int
    seed : int
    with_soon : bool
        Whether the probability of a purchase within 90 days is wanted, which of many accounts takes long; else it is
        missing.

    Returns
    -------
    forecast : pandas.DataFrame
        Columns of `terms.TABLES["forecast"]`, ordered by account. Without money the columns of money are missing and
        `basis` is "purchases".
    draws : pandas.DataFrame
        account, d0 … : contribution in the horizon (currency), or revenue or purchases, as `basis` says.
    revenue_draws : pandas.DataFrame
        account, d0 … : the revenue behind them (currency); purchases without money.

    Raises
    ------
    ModelError
        If an option is impossible, or an account has no margin.
    """
    _check_options(horizon_days, discount_rate_annual, level, n_draws)
    summary = as_frame(summary).sort_values("account", ignore_index=True)
    rates = _rates(margins, summary["account"])
    at, model = choice.situation(summary, horizon_days), choice.model
    wanted = choice.expected(at)
    spread = choice.spread(model, at, wanted)
    counts, revenue = spread.all_draws(n_draws, np.random.default_rng(seed))
    table = _purchases(choice, spread, counts, level, with_soon=with_soon)
    values = model.values(at)
    if values is None:
        table["basis"] = "purchases"
        sampled = revenue
    else:
        table = table.join(_values(values, wanted))
        money, sampled = _money(wanted, revenue, rates, horizon_days, level, np.random.default_rng([seed, 1]))
        table = table.join(money)
        discount = _discount(summary, choice, horizon_days, discount_rate_annual)
        table["clv"] = table["expected_contribution"] * discount
        table["lower"], table["upper"] = table["contribution_lower"] * discount, table["contribution_upper"] * discount
    table["level"] = level
    table = table.reindex(columns=[column.name for column in TABLES["forecast"]])
    table = table.astype({"account": "str", "spend_basis": "str", "basis": "str"})
    return table, _named(table["account"], sampled), _named(table["account"], revenue)


def value_where(
    summary: pd.DataFrame,
    choice: Choice,
    uncertain: Callable[[pd.DataFrame], np.ndarray],
    *,
    margins: pd.DataFrame | None = None,
    horizon_days: int = DAYS_PER_YEAR,
    discount_rate_annual: float = 0.1,
    level: float = 0.9,
    n_draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Forecast each account as `value` does, and give intervals of money to some of them.

    Parameters
    ----------
    summary, choice, margins, horizon_days, discount_rate_annual, level, n_draws, seed
        As for `value_and_draws`; no margins with a cost to serve, of which it takes draws to know how much is spent.
    uncertain : callable
        The forecast so far → whether each of its accounts needs an interval, shape (accounts,).

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["forecast"]`, ordered by account; p_buys_90 and intervals of purchases are missing, and
        the other intervals but for the accounts that need one.

    Raises
    ------
    ModelError
        If an option is impossible, or an account has no margin, or a cost to serve.
    """
    _check_options(horizon_days, discount_rate_annual, level, n_draws)
    summary = as_frame(summary).sort_values("account", ignore_index=True)
    rates = _rates(margins, summary["account"])
    if (rates["cost_to_serve"] > 0).any():
        raise ModelError("What is spent on serving accounts is known of draws alone: take `value` for all accounts.")
    at, model = choice.situation(summary, horizon_days), choice.model
    wanted, values = choice.expected(at), model.values(at)
    table = pd.DataFrame(
        {"account": summary["account"], "p_alive": model.p_alive(at), "expected_purchases": wanted.purchases}
    )
    table["basis"] = "purchases"
    if values is not None:
        table = table.drop(columns="basis").join(_values(values, wanted)).join(_means(wanted, rates, 0.0))
        discount = _discount(summary, choice, horizon_days, discount_rate_annual)
        table["clv"] = table["expected_contribution"] * discount
    table["level"] = level
    table = table.reindex(columns=[column.name for column in TABLES["forecast"]])
    place = np.flatnonzero(uncertain(table))
    if values is not None and len(place):
        spread = choice.spread(model, at.rows(place), wanted.rows(place))
        n_draws = affordable_draws(n_draws, len(place))
        _, revenue = spread.all_draws(n_draws, np.random.default_rng(seed))
        some = rates.iloc[place].reset_index(drop=True)
        luck = np.random.default_rng([seed, 1])
        money, _ = _money(spread.wanted, revenue, some, horizon_days, level, luck)
        for end in ("lower", "upper"):
            for name in ("revenue", "contribution"):
                table.loc[place, f"{name}_{end}"] = money[f"{name}_{end}"].to_numpy()
            table.loc[place, end] = money[f"contribution_{end}"].to_numpy() * discount[place]
    return table.astype({"account": "str", "spend_basis": "str", "basis": "str"})


def revenue_and_draws(
    summary: pd.DataFrame, choice: Choice, *, horizon_days: int = DAYS_PER_YEAR, n_draws: int = 500, seed: int = 0
) -> tuple[pd.Series, pd.DataFrame]:
    """Forecast each account's revenue alone, for sums over accounts: no account's own bounds are taken.

    Parameters
    ----------
    summary, choice, horizon_days, n_draws, seed
        As for `value_and_draws`.

    Returns
    -------
    expected : pandas.Series
        Expected revenue of the horizon (currency) by account, as in its table; missing without money.
    draws : pandas.DataFrame
        Its third table: account, d0 …

    Raises
    ------
    ModelError
        If an option is impossible.
    """
    _check_options(horizon_days, 0.0, 0.5, n_draws)
    summary = as_frame(summary).sort_values("account", ignore_index=True)
    at, model = choice.situation(summary, horizon_days), choice.model
    wanted = choice.expected(at)
    _, revenue = choice.spread(model, at, wanted).all_draws(n_draws, np.random.default_rng(seed))
    expected = wanted.revenue if model.values(at) is not None else np.full(len(summary), np.nan)
    accounts = summary["account"].astype("str")
    return pd.Series(expected, pd.Index(accounts), name="expected_revenue"), _named(accounts, revenue)


def affordable_draws(n_draws: int, n_accounts: int, *, most_cells: int = MOST_CELLS, least: int = LEAST_DRAWS) -> int:
    """Return how many draws of so many accounts are made: those wanted, or as many as `most_cells` allow.

    But never fewer than `least`, of which bounds can still be read off.
    """
    return max(min(n_draws, most_cells // max(n_accounts, 1)), min(n_draws, least))


def _named(accounts: pd.Series, drawn: np.ndarray) -> pd.DataFrame:
    """Return account, d0 … of draws, shape (accounts, draws)."""
    return pd.concat([accounts, pd.DataFrame(drawn, columns=[f"d{i}" for i in range(drawn.shape[1])])], axis=1)


def _check_options(horizon_days: int, discount_rate_annual: float, level: float, n_draws: int) -> None:
    faults = []
    if not horizon_days >= 1:
        faults.append(f"horizon_days is {horizon_days}; it must be at least 1.")
    if not discount_rate_annual > -1:
        faults.append(f"discount_rate_annual is {discount_rate_annual}; it must be above -1 (0.1 = 10 % a year).")
    if not 0 < level < 1:
        faults.append(f"level is {level}; it must lie between 0 and 1.")
    if n_draws < 1:
        faults.append(f"n_draws is {n_draws}; it must be at least 1.")
    if faults:
        raise ModelError(" ".join(faults))


def _rates(margins: pd.DataFrame | None, accounts: pd.Series) -> pd.DataFrame:
    """Bring margin rates into the summary's order; all missing where none are given."""
    names = ["margin_rate", "margin_rate_se", "cost_to_serve", "receivables_rate", "loss_rate", "p_negative"]
    if margins is None:
        return pd.DataFrame(np.nan, accounts.index, names).assign(cost_to_serve=0.0)
    absent = accounts[~among(accounts, margins["account"])]
    if len(absent):
        raise ModelError(
            f"{len(absent)} of {len(accounts)} accounts have no margin (first: {first_ids(absent)}). "
            "Take the margins of the same summary."
        )
    rates = margins.set_index("account").loc[accounts].reindex(columns=names).reset_index(drop=True)
    # Where values are revenue these would be all that is known of costs.
    for name in ("cost_to_serve", "receivables_rate", "loss_rate"):
        rates[name] = rates[name].where(rates["margin_rate"].notna())
    rates["cost_to_serve"] = rates["cost_to_serve"].fillna(0.0)
    return rates


def _purchases(choice: Choice, spread: Spread, counts: np.ndarray, level: float, *, with_soon: bool) -> pd.DataFrame:
    """Return P(alive), the purchases to be expected with interval, and the corrected probability of one soon."""
    at = spread.at
    soon = np.full(len(at.summary), np.nan)
    if with_soon:
        soon = choice.soon.applied(1 - choice.transactions.probability_at_most(at.summary, 0, SOON_DAYS))
    lower, upper = bounds(counts, level, whole=True)
    if spread.as_the_model:
        exact = choice.transactions.predict(at.summary, at.horizon_days, level=level)
        lower, upper = exact["lower"].to_numpy(), exact["upper"].to_numpy()
    return pd.DataFrame(
        {
            "account": at.summary["account"],
            "p_alive": spread.model.p_alive(at),
            "expected_purchases": spread.wanted.purchases,
            "purchases_lower": lower,
            "purchases_upper": upper,
            "p_buys_90": soon,
        }
    )


def _values(values: pd.DataFrame, wanted: Amounts) -> pd.DataFrame:
    """Return the expected order value and its basis; where revenue is forecast as such, it is revenue / purchases."""
    usual = values["expected_spend"].to_numpy()
    own = np.abs(wanted.revenue - wanted.purchases * usual) > OWN_VALUE * np.maximum(wanted.revenue, 1.0)
    own &= wanted.purchases > 0
    spend = np.divide(wanted.revenue, wanted.purchases, out=usual.copy(), where=own)
    return pd.DataFrame(
        {"expected_spend": spend, "spend_basis": values["spend_basis"].where(~own, "forecaster").to_numpy()}
    )


def _money(
    wanted: Amounts, revenue: np.ndarray, rates: pd.DataFrame, horizon_days: int, level: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return expected revenue, cost to serve and contribution with intervals, and the contributions drawn."""
    yearly = rates["cost_to_serve"] * days_to_years(horizon_days)
    # Who does not buy is not served either.
    table = _means(wanted, rates, yearly * (revenue > 0).mean(axis=1))
    sampled = _contribution(revenue, rates, yearly.to_numpy(), rng)
    table["revenue_lower"], table["revenue_upper"] = bounds(revenue, level, whole=False)
    table["contribution_lower"], table["contribution_upper"] = bounds(sampled, level, whole=False)
    return table, sampled


def _means(wanted: Amounts, rates: pd.DataFrame, served: pd.Series | float) -> pd.DataFrame:
    """Return expected revenue, the costs that go off it, and contribution."""
    table = rates.assign(expected_revenue=wanted.revenue, cost_to_serve=served)
    table["receivables_cost"] = wanted.revenue * rates["receivables_rate"]
    table["credit_loss"] = wanted.revenue * rates["loss_rate"]
    margin = table["expected_revenue"] * (rates["margin_rate"].fillna(1.0) - credit_rate(rates))
    table["expected_contribution"] = margin - table["cost_to_serve"]
    table["basis"] = np.where(rates["margin_rate"].notna(), "contribution", "revenue")
    return table


def _discount(summary: pd.DataFrame, choice: Choice, horizon_days: int, discount_rate_annual: float) -> np.ndarray:
    """Return each account's value of one unit of money, spread over the horizon as its purchases are expected."""
    whole = takewhile(lambda days: days < horizon_days, map(months_to_days, count(1)))
    ends = np.array([*whole, horizon_days], dtype=float)
    curve = choice.transactions.expected_purchases(summary, ends)
    middles = (ends + np.concatenate([[0.0], ends[:-1]])) / 2
    factors = (1 + discount_rate_annual) ** -days_to_years(middles)
    flows = np.diff(curve, axis=1, prepend=0.0)
    total = curve[:, -1]
    return np.divide(flows @ factors, total, out=np.full(len(total), factors.mean()), where=total > 0)


def _contribution(revenue: np.ndarray, rates: pd.DataFrame, served: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw each account's margin rate; return the contributions less what serving costs, shape (accounts, draws)."""
    rate = (rates["margin_rate"].fillna(1.0) - credit_rate(rates)).to_numpy()[:, None]
    error = rates["margin_rate_se"].fillna(0.0).to_numpy()[:, None]
    sampled = np.empty_like(revenue)
    for start in range(0, len(revenue), _CHUNK):
        rows = slice(start, start + _CHUNK)
        money = revenue[rows] * (rate[rows] + error[rows] * rng.standard_normal(revenue[rows].shape))
        sampled[rows] = money - np.where(revenue[rows] > 0, served[rows, None], 0.0)
    return sampled
