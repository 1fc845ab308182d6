"""Choice + summary + margins → expected revenue, contribution and lifetime value of each account, with intervals."""

from __future__ import annotations

from itertools import count, takewhile

import numpy as np
import pandas as pd

from kamlab import blend
from kamlab.backtest import Choice
from kamlab.clv import GammaGamma
from kamlab.clv.checks import as_frame
from kamlab.clv.spend import order_values, sample_revenue
from kamlab.errors import ModelError, first_ids
from kamlab.period import DAYS_PER_YEAR, days_to_years, months_to_days
from kamlab.terms import TABLES

SOON_DAYS = 90
"""Horizon of `p_buys_90`."""

_CHUNK = 5000
"""Accounts drawn at a time, which bounds the memory beside the draws themselves."""


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
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Forecast each account and draw all accounts jointly.

    Expected revenue is expected purchases × expected net order value; expected contribution is that × margin rate, less
    the cost to serve of the last 12 months, which is spent again where the account buys at all.
    Lifetime value is Σ_m {E[X(t_m)] − E[X(t_m−1)]} · spend · margin · (1 + d)^−(middle of month m in years), over the
    months m, which end t_m days after the as-of date (365 / 12 days each, to the whole day; the last one ends with the
    horizon).

    A draw takes parameters from the models' normal approximations, shared by all accounts; each account's purchases
    and order values from its posterior; its margin rate from a normal distribution; and multiplies money by one
    lognormal factor of mean 1 for the company, the error of level that earlier origins showed. Intervals of money are
    quantiles of these draws; an interval of a total is the quantiles of their sum, never a sum of bounds. Purchases'
    intervals are the model's exact ones, without the error of level. A skew distribution may have its mean above its
    upper bound: an account that is almost surely lost expects little, and gets 0 to 0.

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
    table, scale = _purchases(summary, choice, horizon_days, level)
    rng = np.random.default_rng(seed)
    spend = choice.spend
    if spend is None:
        table["basis"] = "purchases"
        sampled = _sample_purchases(summary, choice, horizon_days, n_draws, rng) * scale[:, None]
        revenue = sampled
    else:
        values = order_values(summary, spend)
        table = table.join(values[["expected_spend", "spend_basis"]]).join(rates)
        table["expected_revenue"] = table["expected_purchases"] * table["expected_spend"]
        table["cost_to_serve"] *= days_to_years(horizon_days) * _p_buys(summary, choice, horizon_days)
        margin = table["expected_revenue"] * rates["margin_rate"].fillna(1.0)
        table["expected_contribution"] = margin - table["cost_to_serve"]
        table["basis"] = np.where(rates["margin_rate"].notna(), "contribution", "revenue")
        money_drawn = _sample_money(summary, values, rates, choice, spend, horizon_days, n_draws, rng)
        revenue, sampled = (money * scale[:, None] for money in money_drawn)
        yearly = rates["cost_to_serve"].to_numpy() * days_to_years(horizon_days)
        sampled -= np.where(revenue > 0, yearly[:, None], 0.0)
        ends = [(1 - level) / 2, (1 + level) / 2]
        table["revenue_lower"], table["revenue_upper"] = np.quantile(revenue, ends, axis=1)
        table["contribution_lower"], table["contribution_upper"] = np.quantile(sampled, ends, axis=1)
        discount = _discount(summary, choice, horizon_days, discount_rate_annual)
        table["clv"] = table["expected_contribution"] * discount
        table["lower"], table["upper"] = table["contribution_lower"] * discount, table["contribution_upper"] * discount
    table["level"] = level
    table = table.reindex(columns=[column.name for column in TABLES["forecast"]])
    table = table.astype({"account": "str", "spend_basis": "str", "basis": "str"})
    names = [f"d{i}" for i in range(n_draws)]
    draws, revenue_draws = (
        pd.concat([table["account"], pd.DataFrame(drawn, columns=names)], axis=1) for drawn in (sampled, revenue)
    )
    return table, draws, revenue_draws


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
    names = ["margin_rate", "margin_rate_se", "cost_to_serve", "p_negative"]
    if margins is None:
        return pd.DataFrame(np.nan, accounts.index, names).assign(cost_to_serve=0.0)
    absent = accounts[~accounts.isin(margins["account"])]
    if len(absent):
        raise ModelError(
            f"{len(absent)} of {len(accounts)} accounts have no margin (first: {first_ids(absent)}). "
            "Take the margins of the same summary."
        )
    rates = margins.set_index("account").loc[accounts].reindex(columns=names).reset_index(drop=True)
    # Where values are revenue the cost to serve would be all that is known of costs.
    rates["cost_to_serve"] = rates["cost_to_serve"].where(rates["margin_rate"].notna()).fillna(0.0)
    return rates


def _purchases(
    summary: pd.DataFrame, choice: Choice, horizon_days: int, level: float
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the purchases to be expected, and by how much the model's own were scaled to the blend."""
    model = choice.transactions
    table = model.predict(summary, horizon_days, level=level)
    table = table.rename(columns={"lower": "purchases_lower", "upper": "purchases_upper"})
    table["p_buys_90"] = 1 - model.probability_at_most(summary, 0, SOON_DAYS)
    recent = summary["trailing_purchase_days"].to_numpy(dtype=float) * (horizon_days / DAYS_PER_YEAR)
    expected = table["expected_purchases"].to_numpy()
    scale = blend.ratio(expected, table["p_alive"].to_numpy(), recent, choice.weight)
    table["expected_purchases"] = expected * scale
    bounds = blend.scale_counts(table["purchases_lower"], table["purchases_upper"], scale)
    table["purchases_lower"], table["purchases_upper"] = bounds
    return table, scale


def _p_buys(summary: pd.DataFrame, choice: Choice, horizon_days: int) -> np.ndarray:
    """Return P(at least one purchase in the horizon): who does not buy is not served either."""
    return 1 - choice.transactions.probability_at_most(summary, 0, horizon_days)


def _discount(summary: pd.DataFrame, choice: Choice, horizon_days: int, discount_rate_annual: float) -> np.ndarray:
    """Return each account's value of one unit of money, spread over the horizon as its purchases are expected."""
    whole = takewhile(lambda days: days < horizon_days, map(months_to_days, count(1)))
    ends = np.array([*whole, horizon_days], dtype=float)
    curve = np.stack([choice.transactions.expected_purchases(summary, end) for end in ends], axis=1)
    middles = (ends + np.concatenate([[0.0], ends[:-1]])) / 2
    factors = (1 + discount_rate_annual) ** -days_to_years(middles)
    flows = np.diff(curve, axis=1, prepend=0.0)
    total = curve[:, -1]
    return np.divide(flows @ factors, total, out=np.full(len(total), factors.mean()), where=total > 0)


def _level_error(choice: Choice, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the company's common factor: lognormal with mean 1."""
    sd = choice.level_sd
    return np.exp(sd * rng.standard_normal(n_draws) - sd**2 / 2)


def _sample_purchases(
    summary: pd.DataFrame, choice: Choice, horizon_days: int, n_draws: int, rng: np.random.Generator
) -> np.ndarray:
    params = choice.transactions.parameter_draws(n_draws, rng)
    factor = _level_error(choice, n_draws, rng)
    return choice.transactions.sample_purchases(summary, horizon_days, params, rng=rng) * factor


def _sample_money(
    summary: pd.DataFrame,
    values: pd.DataFrame,
    rates: pd.DataFrame,
    choice: Choice,
    spend: GammaGamma,
    horizon_days: int,
    n_draws: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw revenues and contributions, both of shape (accounts, draws)."""
    buying = choice.transactions.parameter_draws(n_draws, rng)
    spending = spend.parameter_draws(n_draws, rng)
    factor = _level_error(choice, n_draws, rng)
    revenue, contribution = np.empty((len(summary), n_draws)), np.empty((len(summary), n_draws))
    for start in range(0, len(summary), _CHUNK):
        rows = slice(start, start + _CHUNK)
        counts = choice.transactions.sample_purchases(summary[rows], horizon_days, buying, rng=rng)
        revenue[rows] = sample_revenue(values[rows], spend, counts, spending, rng=rng) * factor
        rate = rates["margin_rate"][rows].fillna(1.0).to_numpy()[:, None]
        error = rates["margin_rate_se"][rows].fillna(0.0).to_numpy()[:, None]
        contribution[rows] = revenue[rows] * (rate + error * rng.standard_normal(counts.shape))
    return revenue, contribution
