"""Who looks after whom: people by the documents' ratio, load of each owner, proposed moves, and contacts that are due.

The ratio says how many accounts a person can look after; it is never called a need for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from kamlab import terms
from kamlab.errors import ModelError
from kamlab.strategies.model import Numbers

ACCOUNTS_PER_PERSON = {"one": (1, 1), "two": (2, 2), "three_to_five": (3, 5)}
"""Least and most accounts of a label of `coverage_004` that one person looks after."""

DEFAULT = Numbers()
"""What the shipped playbook counts with."""

REGION_COST, NOBODY_COST = 0.3, 10.0
"""Of a move, beside the load that it makes: to a person who has no account in the region; to nobody."""


@dataclass(frozen=True)
class Headcount:
    """People: `had` = active owners of accounts; `least` and `most` = by the ratio, for key accounts and the pool."""

    had: int
    least: float
    most: float


def headcount(labels: pd.Series, owners: pd.Series, *, numbers: Numbers = DEFAULT) -> Headcount:
    """Return the people there are and those that the ratio gives.

    Parameters
    ----------
    labels : pandas.Series
        Label of `coverage_004` of each account.
    owners : pandas.Series
        Active owner of each account; empty or missing = nobody.
    numbers : Numbers
        Of the playbook.
    """
    counts = labels.value_counts()
    pooled = counts.get("pooled", 0) / numbers.accounts_per_pooled_person
    least = sum(counts.get(label, 0) / most for label, (_, most) in ACCOUNTS_PER_PERSON.items())
    most = sum(counts.get(label, 0) / least for label, (least, _) in ACCOUNTS_PER_PERSON.items())
    return Headcount(len(people(owners)), float(least + pooled), float(most + pooled))


def people(owners: pd.Series, active: set[str] | None = None) -> set[str]:
    """Return who can look after accounts: the people at work, or everybody who owns one where no list is kept."""
    return set(_names(owners)) - {""} if active is None else active


def work(labels: pd.Series, *, numbers: Numbers = DEFAULT) -> pd.Series:
    """Return each account's share of a person, by the middle of the ratio; nothing for self-service."""
    shares = {label: (1 / low + 1 / high) / 2 for label, (low, high) in ACCOUNTS_PER_PERSON.items()}
    pooled = 1 / numbers.accounts_per_pooled_person
    return labels.map({**shares, "pooled": pooled, "self_service": 0.0}).astype(float)


def load(accounts: pd.DataFrame, *, active: set[str] | None = None, numbers: Numbers = DEFAULT) -> pd.DataFrame:
    """Sum the load of each owner.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, owner (empty = nobody), coverage_004, plan_required (bool), expected_contribution (currency).
    active : set of str, optional
        People who work here at the as-of date; everybody who owns an account without it.
    numbers : Numbers
        Of the playbook.

    Returns
    -------
    pandas.DataFrame
        Table "coverage" of `terms`, ordered by owner; people without an account are listed with a load of 0.
    """
    named = accounts.assign(owner=_names(accounts["owner"]), load=work(accounts["coverage_004"], numbers=numbers))
    named = named[named["owner"] != ""]
    found = (
        named.groupby("owner")
        .agg(
            accounts=("account", "size"),
            key_accounts=("plan_required", "sum"),
            load=("load", "sum"),
            expected_contribution=("expected_contribution", "sum"),
        )
        .reindex(sorted(set(named["owner"]) | (active or set())), fill_value=0)
        .rename_axis("owner")
        .reset_index()
    )
    found["active"] = True if active is None else found["owner"].isin(active)
    least, most = numbers.load
    found["state"] = np.select(
        [~found["active"], found["load"] > most, found["load"] < least], ["absent", "over", "under"], "right"
    )
    return found[[column.name for column in terms.TABLES["coverage"]]]


def reassign(accounts: pd.DataFrame, *, active: set[str] | None = None, numbers: Numbers = DEFAULT) -> pd.DataFrame:
    """Propose owners for accounts that have none, whose owner is absent, or that overload their owner.

    Relations stay where they can: of an overloaded owner only as many accounts move, the least valuable ones first, as
    bring the load down to the most that the playbook allows. The moves even out the loads, and keep accounts in the
    regions of their new owners where that costs little: a linear assignment of accounts to people's free places, each
    dearer than the one before.

    Parameters
    ----------
    accounts : pandas.DataFrame
        As for `load`, and optionally region.
    active : set of str, optional
    numbers : Numbers
        Of the playbook.

    Returns
    -------
    pandas.DataFrame
        Table "reassignment" of `terms`, ordered by account; key accounts and pooled ones alike, self-service left out.
    """
    table = accounts.assign(owner=_names(accounts["owner"]), load=work(accounts["coverage_004"], numbers=numbers))
    table = table[table["load"] > 0].sort_values("account").reset_index(drop=True)
    people = sorted(active if active is not None else set(table["owner"].unique()) - {""})
    table["reason"] = np.select(
        [table["owner"] == "", ~table["owner"].isin(people)], ["unassigned", "absent"], ""
    ).astype(object)
    for _, own in table[table["reason"] == ""].groupby("owner"):
        falling = own.sort_values("expected_contribution", ascending=False, na_position="last")
        beyond = falling["load"].cumsum() > numbers.load[1]
        table.loc[falling.index[beyond], "reason"] = "overload"
    moving = table[table["reason"] != ""]
    loads = table[table["reason"] == ""].groupby("owner")["load"].sum().reindex(people, fill_value=0.0)
    proposed = (
        _assigned(moving, table[table["reason"] == ""], loads, most=numbers.load[1]) if people else [""] * len(moving)
    )
    result = moving[["account", "owner", "reason"]].assign(proposed=proposed)
    return result[[column.name for column in terms.TABLES["reassignment"]]].reset_index(drop=True)


def _assigned(moving: pd.DataFrame, staying: pd.DataFrame, loads: pd.Series, *, most: float) -> list[str]:
    """Assign accounts to people's free places, largest shares first and those of equal share at once."""
    from scipy.optimize import linear_sum_assignment

    loads = loads.copy()
    homes = (
        {person: set(own["region"].dropna()) for person, own in staying.groupby("owner")} if "region" in staying else {}
    )
    chosen = pd.Series("", index=moving.index, dtype="object")
    for share, group in sorted(moving.groupby("load"), key=lambda pair: -pair[0]):
        places = [
            (person, loads[person] + share * (n + 0.5))
            for person in loads.index
            for n in range(int(max(0.0, most - loads[person]) / share + 1e-9))
        ]
        cost = np.full((len(group), len(places) + len(group)), NOBODY_COST)
        for column, (person, filled) in enumerate(places):
            region = group["region"] if "region" in group else pd.Series(None, index=group.index)
            away = ~region.isin(homes.get(person, set())) & region.notna()
            # A person whose accounts move away must not get them back.
            own = (group["owner"] == person) * NOBODY_COST * 2
            cost[:, column] = filled + REGION_COST * away + own
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if column < len(places):
                person = places[column][0]
                chosen[group.index[row]] = person
                loads[person] += share
    return chosen.tolist()


def cadence(
    accounts: pd.DataFrame, contacts: pd.DataFrame | None = None, *, as_of: date, numbers: Numbers = DEFAULT
) -> pd.DataFrame:
    """Say how often each account is contacted, and which contacts are overdue.

    The interval is the class's (`cadence_002`: 14, 30 or 90 days), or half the account's median gap between purchases
    where that is shorter, but never under the playbook's 7, 14 or 30 days.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, owner, cadence_002, median_gap (days), and optionally first_purchase (date).
    contacts : pandas.DataFrame, optional
        account, date; contacts later than the as-of date are not read. Without them nothing is known to be overdue.
    as_of : date
    numbers : Numbers
        Of the playbook.

    Returns
    -------
    pandas.DataFrame
        Table "cadence" of `terms`, ordered by account. An account that was never contacted, though contacts are kept,
        is due one interval after its first purchase (a prospect at once).
    """
    floors = numbers.cadence_floor_days
    foreign = set(accounts["cadence_002"].dropna().unique()) - set(floors)
    if foreign:
        raise ModelError(f"cadence_002 has {', '.join(sorted(foreign))}; it must be one of {', '.join(floors)}.")
    table = accounts.sort_values("account", ignore_index=True)
    by_class = table["cadence_002"].astype(int)
    floor = table["cadence_002"].map(floors)
    rhythm = np.maximum((table["median_gap"] / 2).round(), floor)
    shorter = rhythm < by_class
    interval = rhythm.where(shorter, by_class).astype(int)
    day = pd.Timestamp(as_of)
    result = pd.DataFrame(
        {
            "account": table["account"],
            "owner": _names(table["owner"]),
            "interval_days": interval,
            "interval_basis": np.where(shorter, "rhythm", "class"),
            "last_contact": pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns]"),
        }
    )
    if contacts is not None:
        last = contacts[contacts["date"] <= day].groupby("account")["date"].max()
        result["last_contact"] = table["account"].map(last)
        start = table["first_purchase"] if "first_purchase" in table else pd.Series(pd.NaT, index=table.index)
        start = result["last_contact"].fillna(start)
        due = (start + pd.to_timedelta(interval, "D")).fillna(day)
    else:
        due = pd.Series(day, index=table.index) + pd.to_timedelta(interval, "D")
    result["next_contact"] = due
    result["overdue_days"] = (day - due).dt.days.clip(lower=0)
    return result[[column.name for column in terms.TABLES["cadence"]]]


def _names(owners: pd.Series) -> pd.Series:
    return owners.fillna("").astype("str").str.strip()
