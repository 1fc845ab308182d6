"""From orders to order lines: products, quantities, prices, costs, and goods that come back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.simulate.behaviour import MEDIAN_REVENUE
from kamlab.simulate.products import PRODUCTS, cost_index, price_index
from kamlab.simulate.timeline import AS_OF, BUSINESS, DAYS, next_business_day

RETURNED_LINES = 0.015
"""Share of lines of which something comes back."""
RETURNED_PARTS = np.array([0.1, 0.25, 0.5, 1.0])
RETURN_SHARE = RETURNED_LINES * RETURNED_PARTS.mean()
"""Expected returns / sales."""

MAX_LINES = 4
UNATTRIBUTED_ORDERS = 0.003
"""Share of orders whose account nobody wrote down."""


def draw(orders: pd.DataFrame, goods: np.ndarray, factor: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Draw all lines: the buyers' sales and returns, and some sales without an account.

    Parameters
    ----------
    orders : pandas.DataFrame
        As drawn by `process.orders`.
    goods : numpy.ndarray
        Products that each buyer may order, boolean of shape (buyers, products).
    factor : numpy.ndarray
        Price / list price of each buyer.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        One row per line, in the order of days: `order` (number, in the same order), `buyer` (row of `goods`,
        −1 = none), `day`, `product` (row of `PRODUCTS`), `quantity` (kg, integer), `price_fen`, `amount_fen`,
        `cost_fen` (integers, 1/100 CNY).
    """
    index = price_index(rng), cost_index(rng)
    buyer = orders["buyer"].to_numpy()
    sold = _sales(orders, goods[buyer], factor[buyer], index, rng)
    nobody = _unattributed_orders(len(orders), rng)
    cash = _sales(nobody, goods[rng.integers(len(goods), size=len(nobody))], np.ones(len(nobody)), index, rng)
    parts = enumerate([sold, cash, _returns(sold, rng)])
    every = pd.concat([part.assign(part=number) for number, part in parts], ignore_index=True)
    keys = ["day", "part", "order"]
    every = every.sort_values(keys, kind="stable", ignore_index=True)
    return every.assign(order=every.groupby(keys, sort=False).ngroup()).drop(columns="part")


def _sales(
    orders: pd.DataFrame,
    goods: np.ndarray,
    factor: np.ndarray,
    index: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Split orders into one to four lines of different products, all with the same expected share."""
    wanted = rng.choice(np.arange(1, MAX_LINES + 1), len(orders), p=[0.2, 0.32, 0.3, 0.18])
    lines = np.minimum(wanted, goods.sum(axis=1))
    chosen = np.argsort(np.where(goods, rng.random(goods.shape), 2.0), axis=1)[:, :MAX_LINES]
    share = rng.gamma(4.0, 1.0, chosen.shape) * (np.arange(MAX_LINES) < lines[:, None])
    share = share / share.sum(axis=1, keepdims=True)
    order, place = np.nonzero(share)
    item, day = chosen[order, place], orders["day"].to_numpy()[order]

    prices, costs = index
    list_price = PRODUCTS["list_price"].to_numpy()[item] * prices[item, day]
    # The noise divides the price: quantity and cost then carry it with mean 1, and margins stay as expected.
    price = np.round(100 * list_price * factor[order] / rng.uniform(0.98, 1.02, order.size)).astype(np.int64)
    unit_cost = np.round(100 * list_price * PRODUCTS["cost_ratio"].to_numpy()[item] * costs[item, day])
    quantity = _package(100 * orders["value"].to_numpy()[order] * share[order, place] / price, rng)
    return pd.DataFrame(
        {
            "order": order,
            "buyer": orders["buyer"].to_numpy()[order],
            "day": day,
            "product": item,
            "quantity": quantity,
            "price_fen": price,
            "amount_fen": quantity * price,
            "cost_fen": quantity * unit_cost.astype(np.int64),
        }
    )


def _package(kilograms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round at random, right in the mean, to bags of 25 kg from 250 kg on, of 5 kg from 50 kg on, else to 1 kg."""
    unit = np.select([kilograms >= 250, kilograms >= 50], [25, 5], 1)
    return np.maximum(np.floor(kilograms / unit + rng.random(kilograms.size)).astype(np.int64) * unit, 1)


def _returns(sold: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the lines that come back, wholly or in part, some days later and as orders of their own."""
    back = sold[rng.random(len(sold)) < RETURNED_LINES]
    quantity = back["quantity"].to_numpy()
    part = np.ceil(quantity * rng.choice(RETURNED_PARTS, len(back))).astype(np.int64)
    day = next_business_day(back["day"].to_numpy() + rng.integers(3, 16, len(back)))
    returned = back.assign(
        order=np.arange(len(back)),
        day=day,
        quantity=-part,
        amount_fen=-part * back["price_fen"],
        cost_fen=-part * (back["cost_fen"] // quantity),
    )
    return returned[day < DAYS.size]


def _unattributed_orders(n_orders: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw orders up to the as-of date that belong to no account."""
    n = round(UNATTRIBUTED_ORDERS * n_orders)
    day = rng.choice(np.flatnonzero(BUSINESS[: AS_OF + 1]), n)
    return pd.DataFrame({"buyer": -1, "day": day, "value": MEDIAN_REVENUE / 30 * rng.lognormal(0, 0.8, n)})


def table(sold: pd.DataFrame, accounts: np.ndarray) -> pd.DataFrame:
    """Return the lines up to the as-of date as the company's books have them.

    Parameters
    ----------
    sold : pandas.DataFrame
        As drawn by `draw`.
    accounts : numpy.ndarray
        Account id of each buyer.
    """
    past = sold[sold["day"] <= AS_OF]
    order_id = pd.Series([f"S{number + 1:05d}" for number in range(past["order"].max() + 1)])[past["order"]]
    place = past.groupby("order").cumcount() + 1
    return pd.DataFrame(
        {
            "order_id": order_id.to_numpy(),
            "line_id": order_id.to_numpy() + "-" + place.astype(str).to_numpy(),
            "order_date": np.datetime_as_string(DAYS)[past["day"]],
            "account": np.append(accounts, "")[past["buyer"]],
            "product": PRODUCTS["product"].to_numpy()[past["product"]],
            "product_line": PRODUCTS["product_line"].to_numpy()[past["product"]],
            "quantity": past["quantity"].to_numpy(),
            "price": past["price_fen"].to_numpy() / 100,
            "amount": past["amount_fen"].to_numpy() / 100,
            "cost": past["cost_fen"].to_numpy() / 100,
        }
    )
