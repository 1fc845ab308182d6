"""Which key accounts a person of their own pays for, and for how many of them there are people.

One person looks after one, two, or three to five key accounts; that is worth its cost where the work is expected to win
more than the account's share of a person costs. Whether it does, and whether people are left for it, decide the
playbook's rules of `coverage_004`; what they compare is made here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamlab.coverage import ACCOUNTS_PER_PERSON, DEFAULT, headcount, work
from kamlab.strategies.model import Numbers
from kamlab.terms import TABLES

BY_CLASS = {"A": "one", "B": "two", "C": "three_to_five"}
"""Label of `coverage_004` that the documents' ratio gives a key account of a class by amount."""


def weigh(
    accounts: pd.DataFrame, gains: pd.DataFrame, *, cost_per_person: float | None, people: int | None
) -> pd.DataFrame:
    """Hold each key account's expected gain against its share of a person's cost, and rank those that pay.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, plan_required (bool), and abc_004 (A, B, C or missing) where the company has amounts.
    gains : pandas.DataFrame
        Table "gains" of `terms`.
    cost_per_person : float or None
        What a person costs a year (currency). Without it nothing is judged, and all key accounts are ranked.
    people : int or None
        People who can look after accounts; None where nobody is named, and then no places are counted.

    Returns
    -------
    pandas.DataFrame
        Table "handling" of `terms`: key accounts that have a class by amount, ordered by account.
    """
    key = accounts["plan_required"].astype(bool)
    key &= accounts["abc_004"].notna() if "abc_004" in accounts else False
    table = accounts.loc[key].reindex(columns=["account", "abc_004"])
    names = {"uplift": "gain_contribution", "uplift_lower": "gain_contribution_lower"}
    names |= {"uplift_upper": "gain_contribution_upper"}
    won = gains.set_index("account")[list(names.values())].reindex(table["account"])
    table = table.assign(
        people_share=work(table["abc_004"].map(BY_CLASS)).to_numpy(),
        **{name: won[column].to_numpy() for name, column in names.items()},
    )
    table["handling_cost"] = np.nan if cost_per_person is None else table["people_share"] * cost_per_person
    judged = table["handling_cost"].notna()
    best_first = table[~judged | (table["uplift"] > table["handling_cost"])]
    best_first = best_first.sort_values(["uplift", "account"], ascending=[False, True])
    table["handling_place"] = pd.Series(np.arange(1.0, len(best_first) + 1), best_first.index)
    # Sums of thirds and fifths miss whole numbers by a hair.
    fits = best_first["people_share"].cumsum() <= (np.inf if people is None else people) + 1e-9
    table["handling_places"] = np.nan if people is None else float(fits.sum())
    columns = [column.name for column in TABLES["handling"]]
    return table.sort_values("account", ignore_index=True)[columns]


@dataclass(frozen=True)
class People:
    """People and key accounts: those there are, by the ratio, paid for, and handled one to one.

    Attributes
    ----------
    had : int
        Active owners of accounts.
    least, most : float
        People by the documents' ratio, for all key accounts and the pool; a rule, and no proof of need.
    affordable : float or None
        People that the gain of their accounts pays, those of the pool included; None where no cost of a person is set.
    key : int
        Key accounts with a class by amount.
    handled, handled_people : int, float
        Those that the playbook gives a person, or a share of one; and the sum of these shares.
    unpaid, beyond : int
        Those of the others whose gain does not pay for it, and those that pay, and beyond whom people were left.
    pooled, pooled_people : int, float
        Accounts of the pool, and the people that it takes.
    """

    had: int
    least: float
    most: float
    affordable: float | None
    key: int
    handled: int
    handled_people: float
    unpaid: int
    beyond: int
    pooled: int
    pooled_people: float


def count(accounts: pd.DataFrame, owners: pd.Series, handling: pd.DataFrame, *, numbers: Numbers = DEFAULT) -> People:
    """Count people and key accounts.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, coverage_004 (label).
    owners : pandas.Series
        Active owner of each of them; empty or missing = nobody.
    handling : pandas.DataFrame
        Table "handling" of `terms`.
    numbers : Numbers
        Of the playbook.
    """
    labels = accounts.set_index("account")["coverage_004"]
    by_class = handling.set_index("account")["abc_004"].map(BY_CLASS)
    ratio = headcount(by_class.reindex(labels.index).fillna(labels), owners, numbers=numbers)
    own = handling[handling["account"].map(labels).isin(list(ACCOUNTS_PER_PERSON))]
    unpaid = handling["uplift"] <= handling["handling_cost"]
    beyond = handling["handling_place"] > handling["handling_places"]
    pooled = int((labels == "pooled").sum())
    judged = bool(handling["handling_cost"].notna().any())
    return People(
        had=ratio.had,
        least=ratio.least,
        most=ratio.most,
        affordable=affordable(handling, labels, numbers=numbers) if judged else None,
        key=len(handling),
        handled=len(own),
        handled_people=float(own["people_share"].sum()),
        unpaid=int(unpaid.sum()),
        beyond=int(beyond.sum()),
        pooled=pooled,
        pooled_people=pooled / numbers.accounts_per_pooled_person,
    )


def affordable(handling: pd.DataFrame, labels: pd.Series, *, numbers: Numbers = DEFAULT) -> float:
    """Return how many people the gain of their accounts pays.

    A key account pays its share of a person where its expected gain is above that share's cost. All others are pooled,
    and what is pooled is served whatever it wins.

    Parameters
    ----------
    handling : pandas.DataFrame
        Table "handling", with costs.
    labels : pandas.Series
        Label of `coverage_004` by account (index).
    numbers : Numbers
        Of the playbook.
    """
    paid = handling["uplift"] > handling["handling_cost"]
    others = labels[(labels != "self_service") & ~labels.index.isin(handling.loc[paid, "account"])]
    return float(handling.loc[paid, "people_share"].sum() + len(others) / numbers.accounts_per_pooled_person)
