"""Schemes that class accounts, side by side. A new scheme is one file here that defines `SCHEME`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pandas as pd

from kamlab import tiers
from kamlab.ids import beside
from kamlab.schemes.registry import AXES, NO_BORDERS, Classes, Context, Found, Scheme
from kamlab.terms import LEVELS, TABLES
from kamlab.tiers import Cuts

__all__ = [
    "AXES",
    "CLASSES",
    "COLUMNS",
    "SCHEMES",
    "TITLES",
    "Applied",
    "Classes",
    "Scheme",
    "apply",
    "assign",
    "crosstab",
    "inputs",
    "left_out",
    "probabilities",
    "with_sure_potential",
]

_FOUND = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__) if module.name != "registry"]
SCHEMES: dict[str, Scheme] = {module.SCHEME.name: module.SCHEME for module in _FOUND}
"""Every scheme by its name, in alphabetical order."""

CLASSES: dict[str, Classes] = {
    column: classes for scheme in SCHEMES.values() for column, classes in scheme.classes.items()
}
"""The classes of each column of the table "schemes"."""

TITLES: dict[str, str] = {
    column: classes.title or scheme.title for scheme in SCHEMES.values() for column, classes in scheme.classes.items()
}
"""What each column is called in print: keys of the message catalogue."""

COLUMNS = tuple(dict.fromkeys([*(c.name for c in TABLES["schemes"] if c.name not in ("account", "…")), *CLASSES]))
"""Columns of the table "schemes" after the account: the documented ones, then those of further files."""

_PROBABLE = {"contribution_class": "{}", "abc_004": "abc_004_{}", "tiers_004": "tiers_004_{}"}
"""Columns that have probabilities, and how the table "class_probabilities" names those of their classes."""


@dataclass(frozen=True, eq=False)
class Applied:
    """What all schemes say of a company's accounts.

    table : table "schemes"; listing : table "scheme_list"; cuts : borders behind a column, where there are any.
    """

    table: pd.DataFrame
    listing: pd.DataFrame
    cuts: Mapping[str, Cuts]


def apply(
    accounts_table: pd.DataFrame,
    cuts: Mapping[str, Cuts],
    fixed: Mapping[str, tuple[float, float]],
    *,
    seed: int = 0,
    n_boot: int = 200,
) -> Applied:
    """Give every account its class by each scheme whose data are there.

    Parameters
    ----------
    accounts_table : DataFrame
        account, and the columns that the schemes need, such as `inputs` gives; a column that is absent or holds no
        value leaves out the schemes that need it. Missing values of accounts that never bought stay without class.
    cuts : mapping of str to Cuts
        Fitted borders of the axes "contribution" and "potential"; a missing axis has no classes.
    fixed : mapping of str to (float, float)
        Configured thresholds of the same axes.
    seed, n_boot : int
        Of the borders that schemes fit for themselves; see `tiers.fit`.
    """
    table = accounts_table.sort_values("account", ignore_index=True)
    by_hand = {axis: tiers.by_hand(thresholds) for axis, thresholds in fixed.items()}
    context = Context(cuts, by_hand, seed, n_boot)
    said = {
        name: scheme.classify(table, context) if not scheme.lacks(table) else Found({})
        for name, scheme in SCHEMES.items()
    }
    columns = {name: series for found in said.values() for name, series in found.columns.items()}
    nothing = pd.Series(None, table.index, dtype="str")
    classes = {name: columns.get(name, nothing) for name in COLUMNS}
    borders = {name: c for found in said.values() for name, c in found.cuts.items()}
    listing = [
        _listed(scheme, column, table, said[name].columns.get(column), borders.get(column))
        for name, scheme in SCHEMES.items()
        for column in scheme.classes
    ]
    return Applied(pd.DataFrame({"account": table["account"], **classes}), pd.DataFrame(listing), borders)


def assign(
    accounts_table: pd.DataFrame, cuts: Mapping[str, Cuts], fixed: Mapping[str, tuple[float, float]]
) -> pd.DataFrame:
    """Return the table "schemes" alone; see `apply`."""
    return apply(accounts_table, cuts, fixed).table


def left_out(accounts_table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the schemes that cannot be applied, each with the columns that it lacks."""
    lacking = {s.name: s.lacks(accounts_table) for s in SCHEMES.values()}
    return {name: columns for name, columns in lacking.items() if columns}


def inputs(
    units: pd.DataFrame, summary: pd.DataFrame, forecast: pd.DataFrame, potential: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what schemes class accounts by, one row an account, prospects included, ordered by account.

    Parameters
    ----------
    units : DataFrame
        account and what the account master says of it.
    summary, forecast : DataFrame
        Tables of `terms`.
    potential : DataFrame, optional
        Table of `terms`; without it the schemes that need a potential are left out.
    """
    table = units
    for part in (summary, forecast, potential):
        if part is not None:
            new = [c for c in part if c == "account" or c not in table]
            table = beside(table, part[new])
    quantity = table["quantity"].clip(lower=0) / table["purchase_days"]
    table["expected_quantity"] = table["expected_purchases"] * quantity
    table = table if potential is None else with_sure_potential(table)
    return table.sort_values("account", ignore_index=True)


def with_sure_potential(table: pd.DataFrame) -> pd.DataFrame:
    """Add sure_potential, the interval's bounds of a potential that sales has declared: it is taken at its word.

    How far the other potentials may be off nobody knows, so a class of them changes at the second quarter only.
    """
    declared = table["potential_source"] == "declared"
    return table.assign(sure_potential=table["potential_revenue"].where(declared))


def probabilities(draws: pd.DataFrame, accounts_table: pd.DataFrame, cuts: Mapping[str, Cuts]) -> pd.DataFrame:
    """Return the probability that each account's coming year falls into each class.

    The joint draws of its contribution are classed by the borders in force; where these divide lifetime value the
    draws are discounted as the account's expected contribution is.

    Parameters
    ----------
    draws : DataFrame
        Table "draws" of `terms`.
    accounts_table : DataFrame
        account, expected_contribution, clv.
    cuts : mapping of str to Cuts
        Borders behind the columns of table "schemes", as in `Applied`.

    Returns
    -------
    DataFrame
        Table "class_probabilities" of `terms`, ordered by account; missing where a column has no borders.
    """
    known = accounts_table.set_index("account").reindex(draws["account"])
    with np.errstate(divide="ignore", invalid="ignore"):
        discount = (known["clv"] / known["expected_contribution"]).to_numpy(dtype=float)
    scale = {"clv": np.where(np.isfinite(discount), discount, 1.0)}
    table = {"account": draws["account"]}
    numbers = draws.columns.drop("account")
    for column, name in _PROBABLE.items():
        classes = CLASSES[column]
        counts = None
        if column in cuts:
            # A draw falls into the class above as many borders as it does not stay below.
            above = np.zeros((len(classes.labels), len(draws)), dtype=np.int64)
            for drawn in numbers:
                worth = draws[drawn].to_numpy(dtype=float) * scale.get(classes.value, 1.0)
                for border, cut in enumerate(cuts[column].cuts):
                    above[border] += ~(worth < cut)
            counts = -np.diff([np.full(len(draws), len(numbers)), *above], axis=0)
        for i, label in enumerate(classes.labels):
            share = np.nan if counts is None else counts[i] / len(numbers)
            table[name.format(label)] = pd.Series(share, draws.index, dtype=float)
    return pd.DataFrame(table).sort_values("account", ignore_index=True)


def _listed(
    scheme: Scheme, column: str, table: pd.DataFrame, classes: pd.Series | None, cuts: Cuts | None
) -> dict[str, object]:
    applied = classes is not None and bool(classes.notna().any())
    lacks = scheme.lacks(table)
    reason = "" if applied or lacks else NO_BORDERS
    return {
        "scheme": scheme.name,
        "column": column,
        "title": scheme.classes[column].title or scheme.title,
        "document": scheme.document,
        "kind": scheme.kind,
        "applied": applied,
        "lacks": ", ".join(lacks),
        "accounts": 0 if classes is None else int(classes.notna().sum()),
        "method": cuts.method if cuts else "",
        "cuts": json.dumps(cuts.cuts if cuts else []),
        "reason": cuts.reason if cuts and applied else reason,
        "reason_values": json.dumps(dict(cuts.reason_values) if cuts and applied else {}, sort_keys=True),
    }


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
