"""Totals of groups of accounts with intervals from joint draws: never sums of the accounts' own bounds.

Accounts of a company share the models' parameters and the error of level, and differ in luck. The interval of a sum is
therefore narrower than the sum of the bounds, and wider than that of independent accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from kamlab.errors import ModelError, first_ids
from kamlab.terms import TABLES

COMPANY = "company"
"""Kind of the one group that holds every account."""


def sums(draws: pd.DataFrame, groups: pd.Series | None = None) -> pd.DataFrame:
    """Add up the accounts' draws within each group.

    Parameters
    ----------
    draws : pandas.DataFrame
        account, d0 … dN, as `forecast.value_and_draws` returns them.
    groups : pandas.Series, optional
        Group (text) by account (index); accounts without one are left out. All accounts are one group without it.

    Returns
    -------
    pandas.DataFrame
        One row a group (index), one column a draw.
    """
    numbers = draws.drop(columns="account")
    if groups is None:
        return pd.DataFrame([numbers.sum()], index=pd.Index([COMPANY], name="group"))
    return numbers.groupby(draws["account"].map(groups).rename("group").to_numpy()).sum().rename_axis("group")


def interval(summed: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the bounds lower and upper of each row of summed draws; level 0.9 = from the 5 % to the 95 % quantile."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    bounds = np.quantile(summed.to_numpy(dtype=float), ends, axis=1)
    return pd.DataFrame({"lower": bounds[0], "upper": bounds[1]}, index=summed.index)


def totals(
    expected: pd.Series,
    draws: pd.DataFrame,
    groups: Mapping[str, pd.Series] | None = None,
    *,
    measure: str,
    basis: str,
    level: float = 0.9,
) -> pd.DataFrame:
    """Return the total of the company and of each group of each kind, with intervals.

    Parameters
    ----------
    expected : pandas.Series
        Expected value by account (index).
    draws : pandas.DataFrame
        account, d0 … dN: joint draws of that value.
    groups : mapping of str to pandas.Series, optional
        Kind of group, such as "owner" → group by account (index).
    measure : str
        What is added up, as in `terms.TABLES["totals"]`.
    basis : str
        contribution, revenue or purchases.
    level : float

    Returns
    -------
    pandas.DataFrame
        Columns of `terms.TABLES["totals"]`: the company first, then the kinds in their order and each one's groups by
        name.

    Raises
    ------
    ModelError
        If accounts have an expected value but no draws.
    """
    absent = expected.index.difference(draws["account"])
    if len(absent):
        raise ModelError(
            f"{len(absent)} of {len(expected)} accounts have no draws (first: {first_ids(absent)}). "
            "Take expected values and draws of the same forecast."
        )
    parts = [(COMPANY, None, sums(draws)), *((kind, by, sums(draws, by)) for kind, by in (groups or {}).items())]
    return from_sums(expected, parts, measure=measure, basis=basis, level=level)


def from_sums(
    expected: pd.Series,
    parts: Iterable[tuple[str, pd.Series | None, pd.DataFrame]],
    *,
    measure: str,
    basis: str,
    level: float,
) -> pd.DataFrame:
    """Return `totals` from draws that have been added up already: (kind, group by account, summed draws) each."""
    tables = []
    for kind, by, summed in parts:
        names = pd.Series(COMPANY, expected.index) if by is None else by.reindex(expected.index)
        grouped = expected.groupby(names.to_numpy())
        table = pd.DataFrame({"accounts": grouped.size(), "expected": grouped.sum()}).reindex(summed.index)
        table = table.join(interval(summed, level)).reset_index(names="group")
        tables.append(table.assign(kind=kind, measure=measure, basis=basis, level=level))
    whole = pd.concat(tables, ignore_index=True)[[column.name for column in TABLES["totals"]]]
    return whole.astype({"kind": "str", "group": "str", "measure": "str", "basis": "str", "accounts": "int64"})
