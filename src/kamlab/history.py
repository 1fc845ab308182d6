"""Two runs held against each other: who moved, why, and with how much money; and what became of agreed actions."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from kamlab.terms import TABLES

LABELS = ("contribution_class", "type_000", "strategy")
"""What an account can move between."""

STATES = ("done", "late", "overdue", "open")
"""Of an action: done in time or late, or not done and due or not."""

N_BOOT = 500


_CALLED = {"revenue": "trailing_revenue", "value": "expected_contribution"}
"""Columns of the table "standing" → what the account table calls them."""
STANDING_OF = tuple(
    _CALLED.get(column.name, column.name) for column in TABLES["standing"] if column.name not in {"account", "as_of"}
)
"""What `standing` takes of the account table and of the table of strategies, beside account."""


def standing(accounts: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Return what the next run compares itself with.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account and `STANDING_OF`.
    as_of : datetime.date

    Returns
    -------
    pandas.DataFrame
        Table "standing" of `terms`, ordered by account.
    """
    table = accounts.sort_values("account", ignore_index=True).assign(as_of=pd.Timestamp(as_of))
    table = table.assign(**{name: table[called] for name, called in _CALLED.items()})
    return table[[column.name for column in TABLES["standing"]]].astype({"as_of": "datetime64[s]"})


def compare(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Hold the accounts of two runs against each other.

    Parameters
    ----------
    before, now : pandas.DataFrame
        Tables "standing" of the earlier and of the later run.

    Returns
    -------
    pandas.DataFrame
        Table "comparison" of `terms`, largest change of value first.
    """
    drop = ["name", "owner", "as_of"]
    table = before.drop(columns=drop).merge(
        now.drop(columns=drop), on="account", how="outer", suffixes=("_before", "_now"), indicator=True
    )
    latest = pd.concat([now, before]).drop_duplicates("account").set_index("account")
    for name in ("name", "owner"):
        table[name] = table["account"].map(latest[name])
    table["status"] = table["_merge"].map({"both": "both", "left_only": "gone", "right_only": "new"}).astype("str")
    table["value_change"] = table["value_now"].fillna(0.0) - table["value_before"].fillna(0.0)
    differ = [table[f"{name}_before"].fillna("") != table[f"{name}_now"].fillna("") for name in LABELS]
    table["moved"] = np.logical_or.reduce(differ)
    table["size"] = table["value_change"].abs()
    table = table.sort_values(["size", "account"], ascending=[False, True], ignore_index=True)
    return table[[column.name for column in TABLES["comparison"]]]


def moves(comparison: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return before, after, accounts and value_change of each move between two labels, largest change first.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From `compare`.
    label : str
        One of `LABELS`.
    """
    pairs = comparison.assign(
        before=comparison[f"{label}_before"].fillna(""), after=comparison[f"{label}_now"].fillna("")
    )
    found = pairs[pairs["before"] != pairs["after"]].groupby(["before", "after"])
    table = found.agg(accounts=("account", "size"), value_change=("value_change", "sum")).reset_index()
    return table.sort_values("value_change", key=lambda c: -c.abs(), kind="stable", ignore_index=True)


def reviewed(actions: pd.DataFrame, *, as_of: date, days: int) -> pd.DataFrame:
    """Say what became of the actions that were agreed on, due or done in the last days.

    Parameters
    ----------
    actions : pandas.DataFrame
        The table of actions: action, account, text, owner, created, due, done (datetime64); nothing later than the
        as-of date is in it.
    as_of : datetime.date
    days : int

    Returns
    -------
    pandas.DataFrame
        Table "actions_review" of `terms`, ordered by due date.
    """
    day, start = pd.Timestamp(as_of), pd.Timestamp(as_of - timedelta(days=days))
    inside = (actions[["created", "due", "done"]] > start).any(axis=1) | actions["done"].isna()
    table = actions[inside].copy()
    done, due = table["done"], table["due"]
    table["state"] = np.select(
        [done.notna() & ~(done > due), done.notna(), due < day], ["done", "late", "overdue"], "open"
    )
    past = done.fillna(day) - due
    table["days_late"] = past.dt.days.clip(lower=0).fillna(0).astype("int64")
    table = table.sort_values(["due", "action"], ignore_index=True)
    return table[[column.name for column in TABLES["actions_review"]]]


def results(review: pd.DataFrame, summary: pd.DataFrame, *, level: float = 0.9, seed: int = 0) -> pd.DataFrame:
    """Hold the growth of accounts with done, undone and no actions beside each other: association, no effect.

    Parameters
    ----------
    review : pandas.DataFrame
        From `reviewed`.
    summary : pandas.DataFrame
        account, trailing_revenue, previous_revenue (currency).
    level : float
        Of the bootstrap interval over accounts.
    seed : int

    Returns
    -------
    pandas.DataFrame
        Table "actions_result" of `terms`; groups without an account that bought before are left out.
    """
    done = set(review.loc[review["state"].isin(["done", "late"]), "account"])
    agreed = set(review["account"])
    bought = summary[(summary["trailing_revenue"] > 0) | (summary["previous_revenue"] > 0)]
    group = np.select([bought["account"].isin(done), bought["account"].isin(agreed)], ["done", "not_done"], "none")
    rng, rows = np.random.default_rng(seed), []
    for name in ("done", "not_done", "none"):
        own = bought.loc[group == name, ["previous_revenue", "trailing_revenue"]].to_numpy(dtype=float)
        if not len(own) or own[:, 0].sum() <= 0:
            continue
        before, now = own.sum(axis=0)
        drawn = np.stack([own[rng.integers(0, len(own), len(own))].sum(axis=0) for _ in range(N_BOOT)])
        drawn = drawn[drawn[:, 0] > 0]
        lower, upper = np.quantile(drawn[:, 1] / drawn[:, 0] - 1, [(1 - level) / 2, (1 + level) / 2])
        rows.append((name, len(own), before, now, now / before - 1, lower, upper))
    return pd.DataFrame(rows, columns=[column.name for column in TABLES["actions_result"]])
