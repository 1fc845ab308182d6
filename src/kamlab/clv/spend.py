"""Expected net value of a purchase day: the order-value model, the trailing year where values trend, returns off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.clv.checks import as_frame, require_columns
from kamlab.clv.gamma_gamma import GammaGamma
from kamlab.errors import ModelError
from kamlab.i18n import N_

TREND_MIN_PURCHASE_DAYS = 6
TREND_MIN_Z = 2.0
"""A trend of order values counts from six purchase days on, where it exceeds twice its standard error."""

TREND_MIN_DAYS = 365
TREND_MAX_ORDER_SHARE = 0.5
"""Nor does it count within a single year, which is a season, or where one order is half of the trailing year."""

RETURNS_PRIOR_DAYS = 10.0
"""An account's own share of returns weighs as much as the company's once it has this many purchase days."""

LARGEST_FACTOR = 2.0
"""How far p may stand from what the accounts' orders show."""

NOTE_P_FROM_ORDERS = N_(
    "Order values differ widely between accounts; how they vary within one was taken from its orders."
)

_COLUMNS = (
    *("frequency", "monetary_value", "first_value", "purchase_days", "revenue"),
    *("order_value_trend", "order_value_trend_se", "trailing_order_value", "trailing_purchase_days"),
    *("first_purchase", "last_purchase", "trailing_largest_order"),
)


def fit_spend(summary: pd.DataFrame) -> GammaGamma:
    """Fit the order-value model, with the variation within accounts checked against what their orders show.

    The mean values alone cannot tell an account's variation from differences between accounts where these are wide (a
    few giants beside many small accounts); the model then believes no account's own orders. Where its p is more than
    twice, or less than half, of what first and later orders of the same accounts show, p is taken from them.

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
    if 1 / LARGEST_FACTOR <= model.params_["p"] / by_orders.params_["p"] <= LARGEST_FACTOR:
        return model
    by_orders.notes_ += (NOTE_P_FROM_ORDERS,)
    return by_orders


def order_values(summary: pd.DataFrame, model: GammaGamma) -> pd.DataFrame:
    """Return each account's expected order value and what it rests on.

    An account whose order values trend is taken at its trailing year's mean: the mean of all its orders would promise
    a falling account more than it has just bought. A one-order account is taken at that order, as the model weighs it.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns of `terms.TABLES["summary"]`.
    model : GammaGamma

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
    model: GammaGamma,
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
    steep = frame["order_value_trend"].abs() > TREND_MIN_Z * frame["order_value_trend_se"]
    recent = (frame["trailing_purchase_days"] > 0) & (frame["trailing_order_value"] > 0)
    long = (frame["last_purchase"] - frame["first_purchase"]).dt.days >= TREND_MIN_DAYS
    bought = frame["trailing_order_value"] * frame["trailing_purchase_days"]
    even = frame["trailing_largest_order"] <= TREND_MAX_ORDER_SHARE * bought
    return steep & recent & long & even & (frame["purchase_days"] >= TREND_MIN_PURCHASE_DAYS)


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
