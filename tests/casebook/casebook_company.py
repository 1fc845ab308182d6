"""A company whose log holds the casebook's accounts as order lines, among a simulated background."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

AS_OF = date(2025, 9, 30)
M = 1e6
BACKGROUND = 150
DISPUTED = date(2025, 5, 3)
"""Day of the order of 3 that case 8 disputes: at 30 days it was due 120 days before the as-of date."""


def months_back(n, day):
    """Return the given day of the month that lies `n` months before the as-of date's."""
    year, month = divmod(AS_OF.year * 12 + AS_OF.month - 1 - n, 12)
    return date(year, month + 1, day)


def monthly(last, first, value, day=15):
    """Orders of one value in every month from `first` to `last` months back."""
    return [(months_back(n, day), value) for n in range(first, last - 1, -1)]


def histories():
    """Account → (orders as day and value in M CNY, margin rate), as the casebook tells them."""
    season = [(10, 10), (11, 1), (11, 25), (12, 15)]
    quarters = [month for month in range(36) if month % 3 == 0]
    subsidiaries = {
        f"case 9 {member}": ([(months_back(n, 6 + 4 * i), 1.0) for n in reversed(quarters)], 0.15)
        for i, member in enumerate("abcde")
    }
    return {
        "case 1": (monthly(24, 35, 60 / 12) + monthly(12, 23, 40 / 12) + monthly(0, 11, 24 / 12), 0.15),
        "case 2": ([(date(y, m, d), 3.0) for y in (2022, 2023, 2024) for m, d in season], 0.20),
        "case 3": ([(AS_OF - timedelta(weeks=8), 40.0)], 0.15),
        "case 4": (monthly(0, 35, 18 / 12), -0.7 / 18),
        "case 6": (monthly(0, 35, 19 / 12), 0.15),
        "case 7": (monthly(0, 35, 0.008), 0.30),
        "case 8": (sorted([*monthly(0, 35, 1.0), (DISPUTED, 3.0)]), 0.15),
        **subsidiaries,
        "case 10": (
            [(AS_OF - timedelta(weeks=57 + 4 * i), 13 / 13) for i in range(26)] + [(AS_OF - timedelta(weeks=1), 1.5)],
            0.20,
        ),
        "case 11": (monthly(0, 35, 35 / 12), 0.07),
        "case 12": (monthly(0, 35, 14 / 12), 0.20),
        "case 13": (monthly(12, 35, 48 / 12), 0.15),
    }


def invoices_and_payments():
    """Invoices of case 8, 30 days after each order; all are paid but the disputed one."""
    orders, _ = histories()["case 8"]
    owed = pd.DataFrame(orders, columns=["date", "amount"]).assign(account="case 8", amount=lambda t: t["amount"] * M)
    owed["date"] = pd.to_datetime(owed["date"])
    owed = owed.assign(due=owed["date"] + pd.Timedelta(days=30), disputed=owed["date"] == pd.Timestamp(DISPUTED))
    paid = owed.loc[~owed["disputed"], ["account", "due", "amount"]].rename(columns={"due": "date"})
    return owed, paid


def background(rng):
    """Accounts that buy at gamma-distributed rates until they leave, with order values and margins of their own."""
    out = {}
    for i in range(BACKGROUND):
        start = AS_OF - timedelta(days=int(rng.integers(60, 4 * 365)))
        gap_days, leaves, size = 30.4 / rng.gamma(1.5, 0.5), rng.beta(0.8, 8.0), rng.lognormal(-2.5, 1.0)
        day, orders = start, []
        while day <= AS_OF:
            orders.append((day, size * rng.lognormal(-0.08, 0.4)))
            if rng.random() < leaves:
                break
            day += timedelta(days=1 + int(rng.exponential(gap_days)))
        out[f"other {i:03d}"] = (orders, rng.normal(0.18, 0.05))
    return out


def write(folder, seed=0):
    """Write orders.csv and accounts.csv; each order is two lines whose margins differ a little."""
    rng = np.random.default_rng(seed)
    lines = []
    for account, (orders, margin) in (histories() | background(rng)).items():
        for day, value in orders:
            for share, shift in ((0.6, 0.02), (0.4, -0.03)):
                amount = round(value * share * M, 2)
                lines.append((account, day, amount, round(amount * (1 - margin - shift), 2)))
    orders = pd.DataFrame(lines, columns=["customer", "day", "amount", "cost"])
    orders.sort_values(["day", "customer"], kind="stable").to_csv(folder / "orders.csv", index=False)
    master = pd.DataFrame({"account": [*histories(), "case 5", *(f"other {i:03d}" for i in range(BACKGROUND))]})
    ids = master["account"]
    master["parent"] = np.where(ids.str.startswith("case 9"), "case 9", "")
    master["owner"] = np.where(ids == "case 12", "", "Li Na")
    master["channel"] = np.where(ids == "case 11", "distributor", "end user")
    master["potential"] = ids.map({"case 1": 70 * M, "case 4": 45 * M, "case 6": 20 * M, "case 12": 30 * M})
    master["strategic"] = np.where(ids == "case 4", "yes", "no")
    master.to_csv(folder / "accounts.csv", index=False)
