"""What the sample company sells: grades of vitamin B3 and related chemicals, with list prices and costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.simulate.behaviour import LOG_SPREAD, MEDIAN_REVENUE
from kamlab.simulate.timeline import DAYS, YEARS

PRODUCTS = pd.DataFrame(
    [
        ("NA-FD", "Nicotinic acid, feed grade", "Feed", 42.0, 0.79),
        ("NAM-FD", "Nicotinamide, feed grade", "Feed", 46.0, 0.78),
        ("B3P-FD", "Vitamin B3 premix 50 %, feed", "Feed", 28.0, 0.76),
        ("CRN-FD", "Chromium nicotinate, feed", "Feed", 95.0, 0.72),
        ("NA-FO", "Nicotinic acid, food grade", "Food", 62.0, 0.70),
        ("NAM-FO", "Nicotinamide, food grade", "Food", 68.0, 0.69),
        ("IHN-FO", "Inositol hexanicotinate, food", "Food", 310.0, 0.64),
        ("NRC-FO", "Nicotinamide riboside chloride, food", "Food", 1450.0, 0.60),
        ("NA-PH", "Nicotinic acid, pharma grade", "Pharma", 98.0, 0.60),
        ("NAM-PH", "Nicotinamide, pharma grade", "Pharma", 105.0, 0.59),
        ("NOH-PH", "Nicotinyl alcohol, pharma", "Pharma", 520.0, 0.57),
        ("NAM-CO", "Nicotinamide, cosmetic grade", "Cosmetic", 128.0, 0.55),
        ("MN-CO", "Methyl nicotinate, cosmetic", "Cosmetic", 240.0, 0.54),
        ("3CP-AG", "3-Cyanopyridine", "Agro", 36.0, 0.81),
        ("3PC-AG", "3-Picoline", "Agro", 27.0, 0.82),
        ("CNA-AG", "2-Chloronicotinic acid", "Agro", 160.0, 0.76),
    ],
    columns=["product", "name", "product_line", "list_price", "cost_ratio"],
)
"""`list_price` in CNY/kg at the end of 2025; `cost_ratio` = cost / list price."""

_MENUS = {
    "feed": ("NA-FD", "NAM-FD", "B3P-FD", "CRN-FD", "NA-FO"),
    "food": ("NA-FO", "NAM-FO", "IHN-FO", "NRC-FO", "NAM-FD"),
    "pharma": ("NA-PH", "NAM-PH", "NOH-PH", "NA-FO", "NAM-CO"),
    "cosmetics": ("NAM-CO", "MN-CO", "NAM-PH", "NAM-FO"),
    "agrochemical": ("3CP-AG", "3PC-AG", "CNA-AG", "NA-FD"),
    "trading": ("NA-FD", "NAM-FD", "NA-FO", "NAM-FO", "NA-PH", "3CP-AG"),
}

MIN_MARGIN = 0.03


def assortments(industries: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which products each account buys, boolean of shape (accounts, products)."""
    code = {name: i for i, name in enumerate(PRODUCTS["product"])}
    goods = np.zeros((industries.size, len(PRODUCTS)), dtype=bool)
    for row, industry in enumerate(industries):
        menu = [code[name] for name in _MENUS[industry]]
        size = min(len(menu), int(rng.choice([1, 2, 3, 4, 5], p=[0.1, 0.15, 0.3, 0.25, 0.2])))
        goods[row, rng.choice(menu, size, replace=False)] = True
    return goods


def price_factors(
    goods: np.ndarray, distributor: np.ndarray, buyers: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """Return each buyer's price / list price.

    Distributors and large accounts pay less; loss-making accounts pay 3 to 12 % less than cost; all others leave
    a margin of at least `MIN_MARGIN`.
    """
    n = len(buyers)
    score = np.log(buyers["annual_value"].to_numpy() / MEDIAN_REVENUE) / LOG_SPREAD
    discount = np.where(distributor, 0.08, 0.03) + 0.015 * score + rng.normal(0, 0.02, n)
    ratio = _cost_ratio(goods)
    factor = np.maximum(1 - np.clip(discount, 0, 0.25), ratio / (1 - MIN_MARGIN))
    losing = (buyers["behaviour"] == "loss_making").to_numpy()
    return np.where(losing, ratio / (1 + rng.uniform(0.03, 0.12, n)), factor)


def _cost_ratio(goods: np.ndarray) -> np.ndarray:
    """Return mean cost / list price of each buyer: all its products have the same expected share of revenue."""
    return goods @ PRODUCTS["cost_ratio"].to_numpy() / goods.sum(axis=1)


def margin_rates(goods: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Return each buyer's true margin / revenue."""
    return 1 - _cost_ratio(goods) / factor


def price_index(rng: np.random.Generator) -> np.ndarray:
    """Return list price / list price at the end of 2025, of shape (products, days): a cycle and mild inflation."""
    phase = rng.uniform(0, 2 * np.pi, len(PRODUCTS))[:, None]
    height = rng.uniform(0.02, 0.07, len(PRODUCTS))[:, None]
    cycle = height * (np.sin(2 * np.pi * YEARS / 3.1 + phase) - np.sin(phase))
    return (1 + 0.015 * YEARS) * (1 + cycle)


def cost_index(rng: np.random.Generator) -> np.ndarray:
    """Return cost / (cost ratio × list price), of shape (products, days): 1 in the mean, new every month."""
    month = (DAYS.astype("datetime64[M]") - DAYS[0].astype("datetime64[M]")).astype(int)
    return rng.uniform(0.95, 1.05, (len(PRODUCTS), month[-1] + 1))[:, month]
