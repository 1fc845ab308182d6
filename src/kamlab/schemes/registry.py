"""What a scheme is: its name, the columns it needs and the function that gives each account its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from kamlab.tiers import Cuts

AXES = ("contribution", "potential")
"""The two axes of the nine-box."""


@dataclass(frozen=True)
class Scheme:
    """A way to class accounts.

    Attributes
    ----------
    name : str
        Name of the scheme, and of its file.
    needs : tuple of str
        Columns without which the scheme is left out.
    classify : callable
        Takes the account table, the fitted and the fixed borders of each axis (`Cuts`; an axis may lack
        them), and returns the class columns, rows as in the account table.
    """

    name: str
    needs: tuple[str, ...]
    classify: Callable[[pd.DataFrame, Mapping[str, Cuts], Mapping[str, Cuts]], pd.DataFrame]


def by_borders(table: pd.DataFrame, cuts: Mapping[str, Cuts], columns: Mapping[str, str], suffix: str) -> pd.DataFrame:
    """Return one class column for each axis, from the column in `columns`; missing where value or borders are."""
    classes = {
        f"{axis}_class{suffix}": pd.Series(
            cuts[axis].classify(table[column]) if axis in cuts else None, table.index, dtype="str"
        )
        for axis, column in columns.items()
    }
    return pd.DataFrame(classes)
