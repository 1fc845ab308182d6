"""Expected net value of a purchase day: the order-value model, the trailing year where values trend, returns off."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from kamlab.clv.checks import MIN_REPEAT_BUYERS, as_frame, read_spend, require_columns
from kamlab.clv.gamma_gamma import GammaGamma
from kamlab.clv.log_normal_spend import LogNormalSpend, mean_variance
from kamlab.errors import ModelError
from kamlab.i18n import N_

SpendModel = GammaGamma | LogNormalSpend

DEPENDENT_P = 0.01
DEPENDENT_SIZE = 0.1
"""Order value depends on frequency where chance explains the correlation of their logarithms in less than 1 % of such
companies, and it is at least 0.1, which is small (Cohen 1988, Statistical Power Analysis, section 3.2)."""

TREND_MIN_PURCHASE_DAYS = 6
TREND_MIN_Z = 2.0
"""A trend of order values counts from six purchase days on, where it exceeds twice its standard error."""

TREND_MIN_DAYS = 365
TREND_MAX_ORDER_SHARE = 0.5
"""Nor does it count within a single year, which is a season, or where one order is half of the trailing year."""

COMPANY_TREND = 0.1
COMPANY_TREND_MIN_Z = 3.0
"""The company's order values trend as a whole from 10 % a year on, where that exceeds three times its error."""

RETURNS_PRIOR_DAYS = 10.0
"""An account's own share of returns weighs as much as the company's once it has this many purchase days."""

LARGEST_FACTOR = 2.0
"""How far p may stand from what the accounts' orders show."""

NOTE_P_FROM_ORDERS = N_(
    "Order values differ widely between accounts; how they vary within one was taken from its orders."
)

NOTE_SMALLER = N_(
    "Accounts that order more often place smaller orders, so an account's order value is drawn towards that of "
    "accounts that order as often."
)
NOTE_LARGER = N_(
    "Accounts that order more often place larger orders, so an account's order value is drawn towards that of "
    "accounts that order as often."
)

_COLUMNS = (
    *("frequency", "monetary_value", "first_value", "purchase_days", "revenue"),
    *("order_value_trend", "order_value_trend_se", "trailing_order_value", "trailing_purchase_days"),
    *("first_purchase", "last_purchase", "trailing_largest_order"),
)


@dataclass(frozen=True)
class Independence:
    """Whether mean order values go with the number of orders, among accounts with repeat purchases.

    Attributes
    ----------
    accounts : int
    correlation : float
        Of ln(mean order value) and ln(number of repeat orders), freed from what the rising number of orders alone does
        to a logarithm of a mean.
    lower, upper : float
        Bounds of its 95 % interval (Fisher's z).
    p_value : float
        Two-sided, of no correlation.
    dependent : bool
    """

    accounts: int
    correlation: float
    lower: float
    upper: float
    p_value: float
    dependent: bool

    def facts(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)


def independence(summary: Any) -> Independence:
    """Test what the Gamma-Gamma model assumes: that order value does not depend on frequency.

    The logarithm of a mean of few orders lies lower than that of many, by half of its variance; the log-normal model's
    estimate of that is added before correlating.

    Raises
    ------
    ModelError
        If fewer than 10 accounts have a repeat purchase above 0.
    """
    data = read_spend(summary, min_repeat_buyers=MIN_REPEAT_BUYERS)
    within = LogNormalSpend().fit(summary).params_["within"]
    return _tested(data.x, data.mean_value, within)


def _tested(x: np.ndarray, mean_value: np.ndarray, within: float) -> Independence:
    count, log_value = np.log(x), np.log(mean_value) + mean_variance(within, x) / 2
    if np.ptp(count) == 0 or np.ptp(log_value) == 0:
        return Independence(len(x), 0.0, -1.0, 1.0, 1.0, False)
    r = float(np.clip(np.corrcoef(count, log_value)[0, 1], -1 + 1e-12, 1 - 1e-12))
    z, error = np.arctanh(r), 1 / np.sqrt(len(x) - 3)
    lower, upper = np.tanh([z - ndtri(0.975) * error, z + ndtri(0.975) * error])
    p_value = float(2 * ndtr(-abs(z) / error))
    dependent = p_value < DEPENDENT_P and abs(r) >= DEPENDENT_SIZE
    return Independence(len(x), r, float(lower), float(upper), p_value, dependent)


def fit_spend(summary: pd.DataFrame) -> SpendModel:
    """Fit the order-value model that the data allow.

    Where order values go with frequency (`independence`) that is the log-normal model, whose prior mean moves with the
    number of orders. Elsewhere it is the Gamma-Gamma model, with the variation within accounts checked against what
    their orders show: the mean values alone cannot tell an account's variation from differences between accounts where
    these are wide (a few giants beside many small accounts); the model then believes no account's own orders. Where its
    p is more than twice, or less than half, of what first and later orders of the same accounts show, p is taken from
    them. Where fewer than 10 accounts show a first and a later order above 0 the Gamma-Gamma model stands untested.

    Raises
    ------
    ModelError
        If fewer than 10 accounts have a repeat purchase above 0.
    """
    model = GammaGamma().fit(summary)
    try:
        by_orders = GammaGamma(p_from="orders").fit(summary)
    except ModelError:
        return model
    line = LogNormalSpend().fit(summary)
    data = read_spend(summary)
    if _tested(data.x, data.mean_value, line.params_["within"]).dependent:
        line.notes_ += (NOTE_SMALLER if line.params_["per_doubling"] < 1 else NOTE_LARGER,)
        return line
    if 1 / LARGEST_FACTOR <= model.params_["p"] / by_orders.params_["p"] <= LARGEST_FACTOR:
        return model
    by_orders.notes_ += (NOTE_P_FROM_ORDERS,)
    return by_orders


def order_values(summary: pd.DataFrame, model: SpendModel) -> pd.DataFrame:
    """Return each account's expected order value and what it rests on.

    An account whose order values trend is taken at its trailing year's mean: the mean of all its orders would promise
    a falling account more than it has just bought. Where the company's order values trend as a whole, so is every
    account that bought in that year and is known for longer. A one-order account is taken at that order, as the model
    weighs it.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns of `terms.TABLES["summary"]`.
    model : GammaGamma or LogNormalSpend

    Returns
    -------
    pandas.DataFrame
        account; expected_spend (currency, returns deducted); spend_basis (model, trailing or first_order); orders and
        mean_value (number and mean of the orders that it rests on; currency); kept_share (1 − the share of value that
        is expected to come back on other days).
    """
    frame = as_frame(summary)
    require_columns(frame, _COLUMNS, "the expected order value")
    orders = model.orders(frame)
    expected = model.expected_spend(frame)["expected_spend"]
    trailing = _trends(frame)
    kept = _kept_share(frame)
    return pd.DataFrame(
        {
            "account": frame["account"],
            "expected_spend": expected.where(~trailing, frame["trailing_order_value"]) * kept,
            "spend_basis": orders["spend_basis"].where(~trailing, "trailing"),
            "orders": orders["orders"].where(~trailing, frame["trailing_purchase_days"].astype(float)),
            "mean_value": orders["mean_value"].where(~trailing, frame["trailing_order_value"]),
            "kept_share": kept,
        }
    )


def sample_revenue(
    values: pd.DataFrame,
    model: SpendModel,
    purchases: np.ndarray,
    params: np.ndarray,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the net revenue (currency) of the purchases drawn, both of shape (accounts, draws) with rows as in `values`.

    `params` are the model's `parameter_draws`, one row a draw.
    """
    trailing = (values["spend_basis"] == "trailing").to_numpy()
    orders, mean_value = values["orders"].to_numpy(), values["mean_value"].to_numpy()
    gross = model.sample_revenue(purchases, orders, mean_value, trailing, params, rng=rng)
    return gross * values["kept_share"].to_numpy()[:, None]


def _trends(frame: pd.DataFrame) -> pd.Series:
    """Return which accounts are taken at their trailing year: who trends, or all that bought where the company does."""
    steep = frame["order_value_trend"].abs() > TREND_MIN_Z * frame["order_value_trend_se"]
    recent = (frame["trailing_purchase_days"] > 0) & (frame["trailing_order_value"] > 0)
    long = (frame["last_purchase"] - frame["first_purchase"]).dt.days >= TREND_MIN_DAYS
    bought = frame["trailing_order_value"] * frame["trailing_purchase_days"]
    even = frame["trailing_largest_order"] <= TREND_MAX_ORDER_SHARE * bought
    shown = long & (frame["purchase_days"] >= TREND_MIN_PURCHASE_DAYS)
    if company_trends(frame[shown]):
        return recent & long
    return steep & recent & even & shown


def company_trends(frame: pd.DataFrame) -> bool:
    """Say whether order values trend in the company as a whole: its orders then tell of accounts with few of their own.

    The mean of the accounts' slopes, weighted by their errors and the variance between accounts (DerSimonian and Laird
    1986, "Meta-analysis in clinical trials", Controlled Clinical Trials 7, eqs. (6)-(9)).

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns order_value_trend and order_value_trend_se (1/year) of accounts with orders enough to show a trend.
    """
    known = frame[frame["order_value_trend_se"] > 0]
    if len(known) < MIN_REPEAT_BUYERS:
        return False
    slope, variance = known["order_value_trend"].to_numpy(), known["order_value_trend_se"].to_numpy() ** 2
    weight = 1 / variance
    mean = np.average(slope, weights=weight)
    excess = (weight * (slope - mean) ** 2).sum() - (len(slope) - 1)
    between = max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1 / (variance + between)
    mean, error = np.average(slope, weights=weight), 1 / np.sqrt(weight.sum())
    return bool(abs(mean) >= COMPANY_TREND and abs(mean) > COMPANY_TREND_MIN_Z * error)


def _kept_share(frame: pd.DataFrame) -> pd.Series:
    """Net revenue / value of the purchase days, shrunk to the company's by the number of purchase days.

    Returns on a purchase day are already netted in that day's value, so only those of other days count here; the
    summary's `return_rate` holds both.
    """
    bought = frame["first_value"] + frame["frequency"] * frame["monetary_value"]
    total = bought.sum()
    company = float(np.clip(frame["revenue"].sum() / total, 0.0, 1.0)) if total > 0 else 1.0
    own = (frame["revenue"] / bought.where(bought > 0)).clip(0.0, 1.0).fillna(company)
    days = frame["purchase_days"]
    return (days * own + RETURNS_PRIOR_DAYS * company) / (days + RETURNS_PRIOR_DAYS)
