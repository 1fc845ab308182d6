"""What is true of every account of a simulated company: its parameters, its expected and its actual future."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.simulate.behaviour import multipliers
from kamlab.simulate.lines import RETURN_SHARE
from kamlab.simulate.process import expectation, order_values
from kamlab.simulate.timeline import AS_OF, DAYS, YEARS

PROSPECT_POTENTIALS = {"small": (0.1e6, 0.9e6), "middle": (6e6, 15e6), "large": (22e6, 80e6), "no data": (0.3e6, 10e6)}
"""Limits in CNY a year of the potentials of accounts that never bought; of the last kind nothing is on record."""

_DIGITS = {
    "annual_rate": 3,
    "order_value": 2,
    "margin_rate": 4,
    "dropout_hazard": 2,
    "rate_trend": 4,
    "value_trend": 4,
    "expected_orders": 3,
    "expected_revenue": 2,
    "expected_contribution": 2,
    "potential_revenue": 2,
    "actual_revenue": 2,
    "actual_contribution": 2,
}


def buyers_truth(
    buyers: pd.DataFrame, orders: pd.DataFrame, sold: pd.DataFrame, margin_rate: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the truth of the accounts that have bought.

    Parameters
    ----------
    buyers, orders, sold : pandas.DataFrame
        As drawn by `behaviour.draw`, `process.orders` and `lines.draw`.
    margin_rate : numpy.ndarray
        True margin / revenue, shape (buyers,).
    rng : numpy.random.Generator
        Draws the potentials.

    Returns
    -------
    pandas.DataFrame
        One row per buyer; columns as in data/sample/README.md, without `account`.
    """
    text = np.datetime_as_string(DAYS)
    expected = expectation(buyers, orders)
    net = expected["value"].to_numpy() * (1 - RETURN_SHARE)
    stop = buyers["stop"].to_numpy()
    spike_on = np.full(len(buyers), "", dtype=text.dtype)
    spiked = orders[orders["spike"]]
    spike_on[spiked["buyer"]] = text[spiked["day"]]
    table = pd.DataFrame(
        {
            "behaviour": buyers["behaviour"],
            "gap_shape": buyers["shape"],
            "season": buyers["season"],
            "started_on": np.where(buyers["established"], "", text[buyers["start"]]),
            "stopped_on": np.where(stop < DAYS.size - 1, text[stop], ""),
            "spike_on": spike_on,
            "alive": stop >= AS_OF,
            "annual_rate": buyers["rate"] * multipliers(buyers, "rate_trend")[:, AS_OF],
            "order_value": order_values(buyers)[:, AS_OF],
            "margin_rate": margin_rate,
            "dropout_hazard": buyers["hazard"],
            "rate_trend": buyers["rate_trend"],
            "value_trend": buyers["value_trend"],
            "expected_orders": expected["orders"],
            "expected_revenue": net,
            "expected_contribution": net * margin_rate,
            "potential_revenue": _potential(buyers, sold, net, rng),
        }
    )
    return table.join(_future(sold, len(buyers))).round(_DIGITS)


def _potential(buyers: pd.DataFrame, sold: pd.DataFrame, expected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what each buyer could buy in a year, above every year on record and what the next is expected to be.

    One in six is nearly saturated, the others buy from an eighth to four fifths of it.
    """
    n = len(buyers)
    saturated = rng.random(n) < 1 / 6
    share = np.where(saturated, rng.uniform(0.82, 0.98, n), np.clip(rng.beta(2.0, 2.2, n), 0.125, 0.8))
    years = [1.02 * revenue(sold, n, first, first + 1) for first in (-4, -3, -2, -1)]
    return np.max([buyers["annual_value"] / share, *years, 1.05 * expected], axis=0)


def revenue(sold: pd.DataFrame, n_buyers: int, after: float, until: float) -> np.ndarray:
    """Return each buyer's net revenue in CNY, from `after` (exclusive) to `until` years after the as-of date."""
    year = YEARS[sold["day"]]
    inside = sold[(year > after) & (year <= until) & (sold["buyer"] >= 0)]
    return np.bincount(inside["buyer"], weights=inside["amount_fen"], minlength=n_buyers) / 100


def _future(sold: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return what each buyer really buys in the year after the as-of date, net of returns."""
    lines = sold[sold["day"] > AS_OF]
    lines = lines.assign(sale=lines["amount_fen"] > 0)
    days = lines.groupby(["buyer", "day"]).agg(net=("amount_fen", "sum"), sale=("sale", "any")).reset_index()
    purchase = days[days["sale"] & (days["net"] > 0)]
    orders = lines[lines["sale"]].drop_duplicates("order")
    net = revenue(sold, n, 0, 1)
    cost = np.bincount(lines["buyer"], weights=lines["cost_fen"], minlength=n) / 100
    return pd.DataFrame(
        {
            "actual_orders": np.bincount(orders["buyer"], minlength=n),
            "actual_purchase_days": np.bincount(purchase["buyer"], minlength=n),
            "actual_revenue": net,
            "actual_contribution": net - cost,
        }
    )


def prospects_truth(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the truth of n accounts that never bought, and which of them have no data at all."""
    kind = rng.permutation(np.arange(n) % len(PROSPECT_POTENTIALS))
    limits = np.log(np.array(list(PROSPECT_POTENTIALS.values())))[kind]
    table = pd.DataFrame(
        {
            "behaviour": "prospect",
            "alive": False,
            "potential_revenue": np.exp(rng.uniform(limits[:, 0], limits[:, 1])),
            **dict.fromkeys(("season", "started_on", "stopped_on", "spike_on"), ""),
            **dict.fromkeys(("expected_orders", "expected_revenue", "expected_contribution"), 0.0),
            **dict.fromkeys(("actual_orders", "actual_purchase_days"), 0),
            **dict.fromkeys(("actual_revenue", "actual_contribution"), 0.0),
        }
    )
    return table.round(_DIGITS), kind == len(PROSPECT_POTENTIALS) - 1
