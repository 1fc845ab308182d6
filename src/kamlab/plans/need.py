"""Which accounts get a plan: those that the playbook names, as many for each person as one can keep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kamlab.config import Plans

NOBODY = ""
"""Owner of the accounts that nobody looks after, and of those whose owner has left."""

WHY_NOT = ("capacity", "no_owner")
"""Why an account that needs a plan gets none: its owner has no hours left, or nobody looks after it."""


def at_stake(accounts: pd.DataFrame) -> pd.Series:
    """Return what a year's work on an account can keep, win or win back: the order in which plans are written.

    Expected contribution (not under 0) and headroom; for an account to win back at least the contribution of its best
    12 months, at its margin rate. Revenue where no costs are known.

    Parameters
    ----------
    accounts : pandas.DataFrame
        strategy, expected_contribution, headroom, peak_revenue (currency), margin_rate (share).
    """
    ahead = accounts["expected_contribution"].clip(lower=0).fillna(0.0) + accounts["headroom"].fillna(0.0)
    peak = (accounts["peak_revenue"] * accounts["margin_rate"].fillna(1.0)).fillna(0.0)
    return ahead.where(accounts["strategy"] != "win_back", np.maximum(ahead, peak)).astype("float64")


def capacities(owners: pd.DataFrame | None, settings: Plans) -> dict[str, int]:
    """Return how many plans each person can keep, where the table of people gives hours a year."""
    if owners is None:
        return {}
    hours = owners.set_index("owner")["capacity_hours"].dropna()
    return {str(owner): int(value // settings.hours_per_plan) for owner, value in hours.items()}


def select(
    accounts: pd.DataFrame,
    settings: Plans,
    *,
    capacity: Mapping[str, int] | None = None,
    active: set[str] | None = None,
) -> pd.DataFrame:
    """Choose the accounts that get a plan.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, owner, plan_required (bool), and the columns of `at_stake`.
    settings : Plans
        How many plans a person keeps whose hours are not known, and how many accounts without an owner get one.
    capacity : mapping of str to int, optional
        Owner → number of plans; see `capacities`.
    active : set of str, optional
        People who work here; without it everybody who owns an account does.

    Returns
    -------
    pandas.DataFrame
        account, at_stake (currency), responsible (empty = nobody), place (1 = most at stake of that person's),
        capacity (plans), planned (bool), why_not (capacity, no_owner or empty); one row for each account that needs a
        plan, ordered by account.
    """
    needing = accounts[accounts["plan_required"].astype(bool)]
    owner = needing["owner"].fillna(NOBODY).astype("str").str.strip()
    responsible = owner if active is None else owner.where(owner.isin(active), NOBODY)
    table = pd.DataFrame({"account": needing["account"], "at_stake": at_stake(needing), "responsible": responsible})
    table = table.sort_values(["at_stake", "account"], ascending=[False, True])
    table["place"] = table.groupby("responsible").cumcount() + 1
    known = {NOBODY: settings.without_owner, **(capacity or {})}
    table["capacity"] = table["responsible"].map(lambda name: known.get(name, settings.plans_per_owner)).astype("int64")
    table["planned"] = table["place"] <= table["capacity"]
    reason = np.where(table["responsible"] == NOBODY, WHY_NOT[1], WHY_NOT[0])
    table["why_not"] = np.where(table["planned"], "", reason)
    return table.sort_values("account", ignore_index=True)
