"""What the sample company knows of its large customers beside the rest: projects, actions, visits, rivals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kamlab.simulate.timeline import PERIOD

AS_OF = pd.Timestamp(PERIOD.calibration_end)
LARGE = 60
"""Customers by sales of four years of whom more is known."""

_STEPS = (
    *("agree on next year's prices and volumes", "send samples of the new grade", "invite the quality department"),
    *("present the supply plan", "call the decider", "settle the open invoices", "train the users"),
)
_PROJECTS = ("new production line", "second plant", "registration of a new grade", "change of supplier in one line")
_RIVALS = ("Lonsa Fine", "Vertell Vitamins", "Brother Niacin", "Jubilo Ingredients")
DEPARTMENTS = {"buyer": "purchasing", "technical": "quality", "decider": "management", "user": "production"}
"""Role of a contact person → department."""


def add(
    tables: Mapping[str, pd.DataFrame], accounts: pd.DataFrame, sales: pd.Series, seed: int
) -> dict[str, pd.DataFrame]:
    """Return the optional tables with departments of contact persons, and more rows of the large customers.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        What `beside` draws for all accounts alike.
    accounts : pandas.DataFrame
        The account master.
    sales : pandas.Series
        Sales of all years by account.
    seed : int
    """
    rng = np.random.default_rng([seed, 8])
    large = sales.sort_values(ascending=False, kind="stable").index[:LARGE]
    known = accounts.set_index("account").loc[large].reset_index()
    added = {
        "projects": _projects(known, rng),
        "actions": _actions(known, rng),
        "contacts": _contacts(known, rng),
        "competitors": _competitors(tables["competitors"], known, rng),
    }
    grown = {name: _grown(tables[name], rows) for name, rows in added.items()}
    grown["contacts"] = grown["contacts"].sort_values("date", kind="stable", ignore_index=True)
    persons = tables["persons"]
    return {**tables, **grown, "persons": persons.assign(department=persons["role"].map(DEPARTMENTS))}


def _grown(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Append rows, and go on with the numbers of a first column of ids."""
    first = table.columns[0]
    if first not in rows:
        letter = table[first].iloc[0][0]
        rows = rows.assign(**{first: [f"{letter}{len(table) + n:05d}" for n in range(1, len(rows) + 1)]})
    return pd.concat([table, rows[table.columns]], ignore_index=True)


def _projects(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    who = known[rng.random(len(known)) < 0.5].reset_index(drop=True)
    n = len(who)
    start = AS_OF - pd.to_timedelta(rng.integers(20, 300, n), unit="D")
    return pd.DataFrame(
        {
            "account": who["account"],
            "name": rng.choice(_PROJECTS, n),
            "status": "running",
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(330, 900, n), unit="D"),
            "value": np.round(rng.lognormal(13.5, 0.8, n), -3),
        }
    )


def _actions(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    who = known.loc[np.repeat(np.arange(len(known)), rng.integers(0, 4, len(known)))].reset_index(drop=True)
    n = len(who)
    created = AS_OF - pd.to_timedelta(rng.integers(5, 150, n), unit="D")
    done = created + pd.to_timedelta(rng.integers(5, 260, n), unit="D")
    table = pd.DataFrame({"account": who["account"], "text": rng.choice(_STEPS, n), "owner": who["owner"]})
    table = table.assign(created=created, due=created + pd.to_timedelta(90, unit="D"))
    return table.assign(done=pd.Series(done).where(done <= AS_OF))


def _contacts(known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    who = known.loc[np.repeat(np.arange(len(known)), rng.integers(6, 20, len(known)))].reset_index(drop=True)
    n = len(who)
    table = pd.DataFrame(
        {"account": who["account"], "date": AS_OF - pd.to_timedelta(rng.integers(0, 365, n), unit="D")}
    )
    return table.assign(channel=rng.choice(["visit", "call", "message"], n, p=[0.4, 0.4, 0.2]), owner=who["owner"])


def _competitors(there: pd.DataFrame, known: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    fresh = known[~known["account"].isin(there["account"])]
    who = fresh[rng.random(len(fresh)) < 0.6].reset_index(drop=True)
    n = len(who)
    lines = rng.choice(sorted(there["product_line"].unique()), n)
    table = pd.DataFrame({"account": who["account"], "competitor": rng.choice(_RIVALS, n), "product_line": lines})
    table["share"] = np.round(rng.uniform(0.05, 0.6, n), 2)
    return table.assign(date=AS_OF - pd.to_timedelta(rng.integers(0, 300, n), unit="D"))
