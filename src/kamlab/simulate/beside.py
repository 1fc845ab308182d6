"""What the sample company keeps beside master and log: owners, pipeline, invoices, costs, contacts and such."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kamlab.simulate import key_accounts
from kamlab.simulate.products import PRODUCTS
from kamlab.simulate.timeline import PERIOD

if TYPE_CHECKING:
    from kamlab.simulate.company import Company

AS_OF = pd.Timestamp(PERIOD.calibration_end)
YEAR = pd.Timestamp("2025-01-01")
LEFT = "2025-09-30"
"""Last day of the one person in sales who has left."""

_STAGES = ("Prospecting", "Engaging", "Won", "Lost")
_CHANNELS = ("visit", "call", "message")
_ROLES = ("buyer", "technical", "decider", "user")
_SUBJECTS = ("late delivery", "damaged drum", "certificate missing", "assay out of range", "wrong quantity")
_COMPETITORS = ("Lonsa Fine", "Vertell Vitamins", "Brother Niacin", "Jubilo Ingredients")
_COSTS = {"freight": 0.012, "support": 0.004}
_PEOPLE = ("Li Na", "Wang Wei", "Trần Văn Nam", "Phạm Thu Hà", "Ana López", "Jorge Díaz", "Anna Weber", "John Carter")


def tables(company: Company) -> dict[str, pd.DataFrame]:
    """Return every optional table of a company, by name; nothing in them is known only after the as-of date.

    Parameters
    ----------
    company : Company
        As made by `company`; its own draws are left as they are.
    """
    rng = np.random.default_rng([company.seed, 6])
    known = company.accounts
    lines = company.order_lines.assign(order_date=pd.to_datetime(company.order_lines["order_date"]))
    lines = lines[lines["account"].notna() & (lines["account"] != "")]
    orders = lines.groupby("order_id", as_index=False, sort=True).agg(
        account=("account", "first"), date=("order_date", "first"), amount=("amount", "sum")
    )
    recent = orders[orders["date"] >= YEAR].reset_index(drop=True)
    invoices = _invoices(recent, rng)
    owner_of = known.set_index("account")["owner"]
    sales = orders.groupby("account")["amount"].sum()
    drawn = {
        "owners": _owners(known, rng),
        "prospects": _prospects(known, rng),
        "projects": _projects(known, rng),
        "invoices": invoices,
        "payments": _payments(invoices, rng),
        "costs": _costs(recent, rng),
        "effort": _effort(recent, owner_of, rng),
        "contacts": _contacts(known, owner_of, rng),
        "persons": _persons(known, rng),
        "complaints": _complaints(recent, rng),
        "competitors": _competitors(known, rng),
        "targets": _targets(lines, owner_of, rng),
        "actions": _actions(known, rng),
        "products": _products(),
        "controls": _controls(company.order_lines),
    }
    return key_accounts.add(drawn, known, sales, company.seed)


def _days(start: pd.Timestamp, days: np.ndarray) -> pd.Series:
    return pd.Series(start + pd.to_timedelta(np.asarray(days), unit="D"))


def _ids(letter: str, n: int) -> list[str]:
    return [f"{letter}{number:05d}" for number in range(1, n + 1)]


def _some(known: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    return known.iloc[rng.choice(len(known), n)].reset_index(drop=True)


def _owners(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    people = known[known["owner"] != ""].groupby("owner", sort=True)["region"].first()
    n = len(people)
    table = pd.DataFrame({"owner": people.index, "name": people.index, "team": people.to_numpy()})
    table["active_from"] = _days(pd.Timestamp("2016-01-01"), rng.integers(0, 2000, n))
    table["active_to"] = ["" if i != n - 1 else LEFT for i in range(n)]
    table["capacity_hours"] = rng.integers(10, 15, n) * 100
    return table


def _prospects(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(known) // 2
    who = _some(known, n, rng)
    opened = _days(pd.Timestamp("2024-01-01"), rng.integers(0, 720, n))
    closed = opened + pd.to_timedelta(rng.integers(14, 240, n), unit="D")
    ended = closed <= AS_OF
    stage = np.where(ended, rng.choice(_STAGES[2:], n, p=[0.55, 0.45]), rng.choice(_STAGES[:2], n))
    value = np.round(rng.lognormal(12.0, 1.0, n), -2)
    return pd.DataFrame(
        {
            "deal": _ids("D", n),
            "account": np.where(rng.random(n) < 0.1, "", who["account"]),
            "name": who["name"],
            "product": rng.choice(PRODUCTS["product"], n),
            "owner": who["owner"],
            "stage": stage,
            "opened": opened,
            "closed": closed.where(ended),
            "value": np.where(stage == "Lost", 0, value),
            "probability": np.select([stage == "Won", stage == "Lost", stage == "Engaging"], [1.0, 0.0, 0.5], 0.2),
        }
    )


def _projects(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(known) // 15
    start = _days(pd.Timestamp("2024-06-01"), rng.integers(0, 560, n))
    who = _some(known, n, rng)
    return pd.DataFrame(
        {
            "project": _ids("P", n),
            "account": who["account"],
            "name": "new grade for " + who["industry"].where(who["industry"] != "", "trial"),
            "status": rng.choice(["running", "paused", "finished"], n, p=[0.6, 0.1, 0.3]),
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(60, 700, n), unit="D"),
            "value": np.round(rng.lognormal(12.5, 0.8, n), -3),
        }
    )


def _invoices(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    sold = orders[orders["amount"] > 0].reset_index(drop=True)
    date = (sold["date"] + pd.to_timedelta(rng.integers(0, 5, len(sold)), unit="D")).clip(upper=AS_OF)
    terms = sold["account"].map({a: int(rng.choice([30, 45, 60, 90])) for a in sorted(sold["account"].unique())})
    table = pd.DataFrame({"invoice": "I" + sold["order_id"].str[1:], "account": sold["account"], "date": date})
    return table.assign(due=date + pd.to_timedelta(terms, unit="D"), amount=sold["amount"].round(2))


def _payments(invoices: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Every account has its own habit: some pay early, most around the due day, some weeks later."""
    habit = {a: float(rng.normal(4, 14)) for a in sorted(invoices["account"].unique())}
    late = invoices["account"].map(habit) + rng.normal(0, 5, len(invoices))
    paid = (invoices["due"] + pd.to_timedelta(late.round(), unit="D")).clip(lower=invoices["date"])
    table = pd.DataFrame({"account": invoices["account"], "date": paid, "amount": invoices["amount"]})
    table = table.assign(invoice=invoices["invoice"])[paid <= AS_OF]
    table = table.sort_values(["date", "invoice"], ignore_index=True)
    table.insert(0, "payment", _ids("Z", len(table)))
    return table


def _quarters(orders: pd.DataFrame) -> pd.DataFrame:
    start = orders["date"].dt.to_period("Q").dt.start_time
    return orders.groupby(["account", start], as_index=False, sort=True)["amount"].agg(["sum", "count"])


def _costs(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    quarters = _quarters(orders)
    parts = []
    for kind, share in _COSTS.items():
        noise = rng.lognormal(0, 0.4, len(quarters))
        amount = (quarters["sum"].clip(lower=0) * share + 120 * quarters["count"]) * noise
        parts.append(quarters[["account", "date"]].assign(amount=amount.round(2), kind=kind))
    return pd.concat(parts).sort_values(["date", "account", "kind"], ignore_index=True)


def _effort(orders: pd.DataFrame, owner_of: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    quarters = _quarters(orders)
    hours = (2 + 1.5 * quarters["count"]) * rng.lognormal(0, 0.5, len(quarters))
    table = quarters[["account", "date"]].assign(hours=hours.round(1).clip(upper=300))
    return table.assign(owner=table["account"].map(owner_of)).sort_values(["date", "account"], ignore_index=True)


def _contacts(known: pd.DataFrame, owner_of: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    n = 4 * len(known)
    who = _some(known, n, rng)
    table = pd.DataFrame({"account": who["account"], "date": _days(YEAR, np.sort(rng.integers(0, 365, n)))})
    table["channel"] = rng.choice(_CHANNELS, n, p=[0.2, 0.5, 0.3])
    return table.assign(owner=table["account"].map(owner_of))


def _persons(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    counts = rng.integers(1, 4, len(known))
    account = np.repeat(known["account"].to_numpy(), counts)
    n = account.size
    table = pd.DataFrame({"person": _ids("H", n), "account": account, "name": rng.choice(_PEOPLE, n)})
    table["role"] = rng.choice(_ROLES, n)
    return table.assign(active_from=_days(pd.Timestamp("2019-01-01"), rng.integers(0, 2300, n)))


def _complaints(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    picked = orders.iloc[np.sort(rng.choice(len(orders), len(orders) // 40, replace=False))].reset_index(drop=True)
    n = len(picked)
    date = (picked["date"] + pd.to_timedelta(rng.integers(3, 30, n), unit="D")).clip(upper=AS_OF)
    closed = date + pd.to_timedelta(rng.integers(1, 60, n), unit="D")
    table = pd.DataFrame({"complaint": _ids("R", n), "account": picked["account"], "date": date})
    table = table.assign(subject=rng.choice(_SUBJECTS, n), closed=closed.where(closed <= AS_OF))
    return table.assign(satisfaction=pd.Series(rng.integers(0, 11, n)).where(closed <= AS_OF))


def _competitors(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(known) // 3
    who = known.iloc[np.sort(rng.choice(len(known), n, replace=False))].reset_index(drop=True)
    table = pd.DataFrame({"account": who["account"], "competitor": rng.choice(_COMPETITORS, n)})
    table["product_line"] = rng.choice(PRODUCTS["product_line"].unique(), n)
    table["share"] = np.round(rng.uniform(0.05, 0.9, n), 2)
    return table.assign(date=_days(YEAR, rng.integers(0, 365, n)))


def _targets(lines: pd.DataFrame, owner_of: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Return targets of 2025 and 2026 by owner and for the company, which asks for more; of 2026 by product line."""
    luck = rng.spawn(1)[0]
    parts = []
    for year, draws in ((2025, luck), (2026, rng)):
        sold = lines[lines["order_date"].dt.year == year - 1]
        by_owner = sold.groupby(sold["account"].map(owner_of), sort=True)["amount"].sum().drop("", errors="ignore")
        amount = np.round(by_owner.to_numpy() * draws.uniform(1.02, 1.15, len(by_owner)), -4)
        days = {"start": pd.Timestamp(year, 1, 1), "end": pd.Timestamp(year, 12, 31)}
        days["set_on"] = pd.Timestamp(year - 1, 12, 15)
        parts.append(pd.DataFrame({"owner": by_owner.index, "amount": amount}).assign(**days))
        parts.append(pd.DataFrame({"amount": [np.round(amount.sum() * 1.03, -6)]}).assign(**days))
    by_line = sold.groupby("product_line", sort=True)["amount"].sum()
    amount = np.round(by_line.to_numpy() * luck.uniform(1.0, 1.15, len(by_line)), -4)
    parts.append(pd.DataFrame({"product_line": by_line.index, "amount": amount}).assign(**days))
    columns = ["start", "end", "owner", "product_line", "amount", "set_on"]
    return pd.concat(parts, ignore_index=True)[columns]


def _actions(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(known) // 5
    who = _some(known, n, rng)
    created = _days(YEAR, np.sort(rng.integers(0, 365, n)))
    done = created + pd.to_timedelta(rng.integers(5, 200, n), unit="D")
    texts = [
        "agree on prices for 2026",
        "visit the plant",
        "send samples",
        "collect what is overdue",
        "call the decider",
    ]
    table = pd.DataFrame({"action": _ids("A", n), "account": who["account"], "text": rng.choice(texts, n)})
    table = table.assign(owner=who["owner"], created=created, due=created + pd.to_timedelta(60, unit="D"))
    return table.assign(done=done.where(done <= AS_OF))


def _products() -> pd.DataFrame:
    cost = (PRODUCTS["list_price"] * PRODUCTS["cost_ratio"]).round(2)
    return PRODUCTS[["product", "name", "product_line", "list_price"]].assign(cost=cost)


def _controls(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the books' totals: the clean lines of each month; one month was booked 1,250 higher than the log says."""
    month = lines["order_date"].astype(str).str[:7]
    totals = lines.groupby(month)["amount"].sum().round(2)
    totals.iloc[len(totals) // 2] += 1250
    return totals.rename_axis("month").rename("amount").reset_index()
