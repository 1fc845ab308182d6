"""Schemes that class accounts, side by side. A new scheme is one file here that defines `SCHEME`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

import pandas as pd

from kamlab import tiers
from kamlab.schemes.registry import AXES, Scheme
from kamlab.terms import LEVELS
from kamlab.tiers import Cuts

__all__ = ["AXES", "SCHEMES", "Scheme", "assign", "crosstab", "left_out"]

_FOUND = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__) if module.name != "registry"]
SCHEMES: dict[str, Scheme] = {module.SCHEME.name: module.SCHEME for module in _FOUND}
"""Every scheme by its name, in alphabetical order."""


def assign(
    accounts_table: pd.DataFrame, cuts: Mapping[str, Cuts], fixed: Mapping[str, tuple[float, float]]
) -> pd.DataFrame:
    """Give every account its class by each scheme whose columns are there.

    Parameters
    ----------
    accounts_table : DataFrame
        account, expected_contribution (of the horizon; revenue where no cost is known; NaN for accounts that
        never bought), trailing_revenue (currency; NaN for accounts that never bought), potential_revenue (currency a
        year; NaN if unknown).
    cuts : mapping of str to Cuts
        Fitted borders of the axes "contribution" and "potential"; a missing axis has no classes.
    fixed : mapping of str to (float, float)
        Configured thresholds of the same axes.

    Returns
    -------
    DataFrame
        Table "schemes" of `terms`, ordered by account.
    """
    table = accounts_table.sort_values("account", ignore_index=True)
    missing = left_out(table)
    by_hand = {axis: tiers.by_hand(thresholds) for axis, thresholds in fixed.items()}
    classes = [s.classify(table, cuts, by_hand) for name, s in SCHEMES.items() if name not in missing]
    return pd.concat([table[["account"]], *classes], axis=1)


def left_out(accounts_table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the schemes that cannot be applied, each with the columns that it lacks."""
    lacking = {s.name: tuple(c for c in s.needs if c not in accounts_table) for s in SCHEMES.values()}
    return {name: columns for name, columns in lacking.items() if columns}


def crosstab(schemes: pd.DataFrame, axis: str, *, money: pd.Series) -> pd.DataFrame:
    """Count who moves between the fixed and the fitted classes of one axis, and the money with them.

    Parameters
    ----------
    schemes : DataFrame
        Table "schemes".
    axis : {"contribution", "potential"}
    money : Series of float, indexed by account
        What is added up for the accounts of a cell, such as expected contribution; NaN counts as nothing.

    Returns
    -------
    DataFrame
        fixed, fitted (each of the nine pairs, Low first), accounts, money, moves (up, down or stays).
        Accounts without a class on the axis are not counted; no rows if none has one.
    """
    pairs = pd.MultiIndex.from_product([LEVELS, LEVELS], names=["fixed", "fitted"])
    rows = pd.DataFrame(
        {
            "fixed": schemes[f"{axis}_class_fixed"],
            "fitted": schemes[f"{axis}_class"],
            "money": schemes["account"].map(money).fillna(0.0),
        }
    ).dropna()
    if rows.empty:
        pairs = pairs[:0]
    cells = rows.groupby(["fixed", "fitted"])["money"].agg(["size", "sum"]).reindex(pairs, fill_value=0)
    cells.columns = ["accounts", "money"]
    steps = {level: i for i, level in enumerate(LEVELS)}
    moves = ["stays" if a == b else "up" if steps[b] > steps[a] else "down" for a, b in pairs]
    return cells.assign(moves=moves).reset_index().astype({"accounts": "int64", "money": "float64"})
