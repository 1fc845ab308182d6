"""Data that several tests share: CDNOW's published sample, a real seller's log, companies with a known truth."""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

CDNOW_LOG = Path(find_spec("lifetimes").submodule_search_locations[0], "datasets", "CDNOW_sample.txt")
CDNOW_COLUMNS = ("master", "account", "date", "quantity", "amount")

CLASSICMODELS = """
[source.transactions]
path = "${KAMLAB_CASES}/classicmodels/orderdetails.csv"
joins = [
    { path = "${KAMLAB_CASES}/classicmodels/orders.csv", on = "orderNumber" },
    { path = "${KAMLAB_CASES}/classicmodels/products.csv", on = "productCode" },
]
exclude = { status = ["Cancelled", "Disputed"] }
[source.transactions.columns]
account = "customerNumber"
date = "orderDate"
amount = "quantityOrdered * priceEach"
cost = "quantityOrdered * buyPrice"
order_id = "orderNumber"
product = "productCode"
product_line = "productLine"
quantity = "quantityOrdered"
[source.accounts]
path = "${KAMLAB_CASES}/classicmodels/customers.csv"
"""
"""The log of a seller of model cars and the path of its account master, whose columns a test adds."""


@cache
def cdnow_days():
    """Net value of each customer's purchase days; every row of the log is a purchase, free ones included."""
    types = {"account": str, "date": str}
    log = pd.read_csv(CDNOW_LOG, sep=r"\s+", header=None, names=CDNOW_COLUMNS, dtype=types)
    log["date"] = pd.to_datetime(log["date"], format="%Y%m%d")
    return log.groupby(["account", "date"], as_index=False)["amount"].sum()


@cache
def cdnow_summary():
    """Recency and frequency up to 1997-09-30 in weeks, straight from the log by pandas."""
    end = pd.Timestamp("1997-09-30")
    days = cdnow_days()
    days = days[days["date"] <= end]
    first = days.groupby("account")["date"].transform("min")
    by = days.groupby("account")["date"]
    table = pd.DataFrame(
        {
            "frequency": by.size() - 1,
            "recency": (by.max() - by.min()).dt.days / 7,
            "T": (end - by.min()).dt.days / 7,
        }
    )
    repeat = days[days["date"] > first].groupby("account")["amount"].mean()
    table["monetary_value"] = repeat.reindex(table.index).fillna(0.0)
    gaps = days.sort_values(["account", "date"]).groupby("account")["date"].diff().dt.days / 7
    table["log_gaps"] = np.log(gaps).groupby(days["account"]).sum()
    table["first_value"] = days[days["date"] == first].set_index("account")["amount"]
    return table.reset_index()


def simulate_bg_nbd(n, params, age, horizon, rng):
    """Play the BG/NBD story purchase by purchase: summary up to `age`, and purchases in the `horizon` after it."""
    r, alpha, a, b = params
    rate, leaving = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    rows = []
    for i in range(n):
        t = x = later = 0
        last = 0.0
        while True:
            t += rng.exponential(1 / max(rate[i], 1e-300))
            if t > age[i] + horizon:
                break
            if t <= age[i]:
                x, last = x + 1, t
            else:
                later += 1
            if rng.random() < leaving[i]:
                break
        rows.append((f"A{i:05d}", x, last, age[i], later))
    return pd.DataFrame(rows, columns=["account", "frequency", "recency", "T", "came"])


@cache
def cdnow_holdout():
    """Purchase days of each customer in the 39 weeks after 1997-09-30."""
    days = cdnow_days()
    days = days[(days["date"] > "1997-09-30") & (days["date"] <= "1998-06-30")]
    return days.groupby("account").size().reindex(cdnow_summary()["account"]).fillna(0).to_numpy(dtype=float)


@cache
def grocery_summary():
    """Recency, frequency and log gaps up to 2006-12-31 in weeks, and the purchases of the 52 weeks after (`came`)."""
    folder = os.environ.get("KAMLAB_CASES")
    if not folder:
        pytest.skip("KAMLAB_CASES names no folder with the real data sets")
    log = pd.read_csv(Path(folder, "groceryElog.csv"), parse_dates=["date"]).drop_duplicates(["cust", "date"])
    log = log.sort_values(["cust", "date"])
    end = pd.Timestamp("2006-12-31")
    past = log[log["date"] <= end]
    by = past.groupby("cust")["date"]
    table = pd.DataFrame(
        {
            "frequency": by.size() - 1,
            "recency": (by.max() - by.min()).dt.days / 7,
            "T": (end - by.min()).dt.days / 7,
            "log_gaps": np.log(by.diff().dt.days / 7).groupby(past["cust"]).sum(),
        }
    )
    later = log[(log["date"] > end) & (log["date"] <= end + pd.Timedelta(weeks=52))]
    table["came"] = later.groupby("cust").size().reindex(table.index).fillna(0)
    return table.rename_axis("account").reset_index()


def play(rate, age, horizon, rng, *, k=1, leaving=None, at_entry=False, lifetime=np.inf):
    """Play purchases event by event: each account's summary up to `age`, and what it buys in the `horizon` after.

    Gaps are Erlang-k with mean k / rate; an account leaves after a purchase (after the first one too, `at_entry`) with
    chance `leaving`, and at the latest at its `lifetime`.
    """
    n = len(rate)
    leaving = np.zeros(n) if leaving is None else leaving
    left = np.broadcast_to(lifetime, n).astype(float).copy()
    if at_entry:
        left[rng.random(n) < leaving] = 0.0
    t, last, logs = np.zeros(n), np.zeros(n), np.zeros(n)
    x, came = np.zeros(n), np.zeros(n)
    on = np.flatnonzero(left > 0)
    while on.size:
        gap = rng.standard_gamma(k, on.size) / np.maximum(rate[on], 1e-300)
        t[on] += gap
        kept = t[on] <= np.minimum(age + horizon, left)[on]
        on, gap = on[kept], gap[kept]
        past = t[on] <= age[on]
        x[on] += past
        came[on] += ~past
        last[on[past]] = t[on[past]]
        logs[on[past]] += np.log(gap[past])
        gone = rng.random(on.size) < leaving[on]
        left[on[gone]] = t[on[gone]]
        on = on[~gone]
    return pd.DataFrame(
        {
            "account": [f"A{i:06d}" for i in range(n)],
            "frequency": x,
            "recency": last,
            "T": age,
            "log_gaps": logs,
            "came": came,
            "alive": left > age,
        }
    )
