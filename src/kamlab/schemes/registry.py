"""What a scheme is: its name, the columns it needs and the function that gives each account its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from kamlab import tiers
from kamlab.errors import DataError
from kamlab.i18n import N_
from kamlab.tiers import Cuts

AXES = ("contribution", "potential")
"""The two axes of the nine-box."""

ABC = ("C", "B", "A")
"""Document 002's and 004's letters in rising order; A–D mean five things, so the column says whose they are."""

Kind = Literal["fixed", "fitted", "rank"]
"""Borders set by hand; fitted to the company's accounts; places or shares among them."""

NO_BORDERS = N_("No borders give classes that are large enough and stable.")


@dataclass(frozen=True)
class Classes:
    """Names of the classes that one column may hold.

    Attributes
    ----------
    labels : tuple of str
        Classes in rising order; keys of the message catalogue.
    order : str
        Column of the account table by which accounts of one class follow each other, largest first.
    value, bounds : str, (str, str)
        Column that borders divide, and those of its interval, where classes are held from one quarter to the next; see
        `hysteresis`. Classes that describe rather than decide are not held.
    title : str
        Name as printed, key of the message catalogue; empty = the scheme's.
    printed : tuple of str
        Names of the classes as printed, where these are others than the labels; keys of the message catalogue.
    """

    labels: tuple[str, ...]
    order: str
    value: str = ""
    bounds: tuple[str, str] | None = None
    title: str = ""
    printed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Context:
    """What schemes take beside the account table.

    fitted, fixed : the fitted and the configured borders of each axis (an axis may lack them); seed, n_boot : of the
    fits that a scheme makes for itself.
    """

    fitted: Mapping[str, Cuts]
    fixed: Mapping[str, Cuts]
    seed: int = 0
    n_boot: int = 200


@dataclass(frozen=True, eq=False)
class Found:
    """What a scheme says: its class columns, rows as in the account table, and the borders behind them."""

    columns: Mapping[str, pd.Series]
    cuts: Mapping[str, Cuts] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scheme:
    """A way to class accounts.

    Attributes
    ----------
    name : str
        Name of the scheme, and of its file.
    title : str
        Name as printed; key of the message catalogue.
    document : str
        Which of the five documents names it; empty = common use.
    kind : {"fixed", "fitted", "rank"}
    needs : tuple of str
        Columns without a single value of which the scheme is left out.
    classes : mapping of str to Classes
        The columns that it fills.
    classify : callable
        Takes the account table and the context.
    """

    name: str
    title: str
    document: str
    kind: Kind
    needs: tuple[str, ...]
    classes: Mapping[str, Classes]
    classify: Callable[[pd.DataFrame, Context], Found]

    def lacks(self, table: pd.DataFrame) -> tuple[str, ...]:
        """Return the columns of `needs` in which the table holds no value."""
        return tuple(c for c in self.needs if c not in table or table[c].isna().all())


def by_cuts(table: pd.DataFrame, values: pd.Series, cuts: Cuts | None) -> pd.Series:
    """Return the class of each value; missing where the value is, or where there are no borders."""
    return pd.Series(cuts.classify(values) if cuts else None, table.index, dtype="str")


def by_axes(table: pd.DataFrame, cuts: Mapping[str, Cuts], columns: Mapping[str, str], suffix: str) -> Found:
    """Class each axis of the nine-box by its borders, from the column in `columns`."""
    held = {f"{axis}_class{suffix}": cuts[axis] for axis in columns if axis in cuts}
    classes = {
        f"{axis}_class{suffix}": by_cuts(table, table[column], cuts.get(axis))
        for axis, column in columns.items()
        if column in table
    }
    return Found(classes, held)


def fitted(column: str, value: str, labels: Sequence[str]) -> Callable[[pd.DataFrame, Context], Found]:
    """Return a scheme's function that fits borders to one column of the account table."""

    def classify(table: pd.DataFrame, context: Context) -> Found:
        cuts = fit(table[value], labels, context)
        return Found({column: by_cuts(table, table[value], cuts)}, {column: cuts} if cuts else {})

    return classify


def fit(values: pd.Series, labels: Sequence[str], context: Context) -> Cuts | None:
    """Fit borders between as many classes as there are labels; None where the values cannot be divided."""
    try:
        return tiers.fit(values, k=len(labels), labels=tuple(labels), seed=context.seed, n_boot=context.n_boot)
    except DataError:
        return None


def by_cumulative_share(values: pd.Series, shares: Sequence[float], labels: Sequence[str]) -> pd.Series:
    """Class values by the share of their total that the larger ones bring: up to the first share is the top class.

    The value that reaches a share still belongs above it, equal values stay together, and what is not above zero is in
    the lowest class; missing stays missing.

    Parameters
    ----------
    values : Series of float
    shares : sequence of float
        Rising, one fewer than labels.
    labels : sequence of str
        Rising.
    """
    positive = values[values > 0].sort_values(ascending=False)
    by_value = positive.groupby(positive, sort=False).sum()
    before = (by_value.cumsum() - by_value) / by_value.sum()
    # a sum that reaches the share but for rounding has reached it
    steps = pd.Series(np.searchsorted(shares, before + 1e-12, side="right"), before.index)
    top = len(labels) - 1
    named = (top - values.map(steps)).map(dict(enumerate(labels)))
    return named.where(values > 0, labels[0]).where(values.notna()).astype("str")
