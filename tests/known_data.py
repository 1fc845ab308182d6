"""Data that several tests of the models share: CDNOW's published sample, and companies with a known truth."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

CDNOW_LOG = Path(find_spec("lifetimes").submodule_search_locations[0], "datasets", "CDNOW_sample.txt")
CDNOW_COLUMNS = ("master", "account", "date", "quantity", "amount")


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
