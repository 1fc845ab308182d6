"""Equal rows of a table merged into one row of their common weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_ODD, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


def merge(columns: Sequence[np.ndarray], weight: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Merge equal rows, in the order of their first.

    Parameters
    ----------
    columns : sequence of numpy.ndarray
        Numbers, shape (rows,) each.
    weight : numpy.ndarray
        Of the rows.

    Returns
    -------
    tuple
        The columns of the merged rows; the sum of their weights; the place of each row's own among them.
    """
    merged, total, place = _by_code(columns, weight, _code(columns))
    if not all((one[place] == column).all() for one, column in zip(merged, columns, strict=True)):
        # Two different rows got the same code: among a million a chance of 3 in 100 million.
        code = np.unique(np.stack(columns), axis=1, return_inverse=True)[1]
        merged, total, place = _by_code(columns, weight, code)
    return merged, total, place


def _code(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return a number for each row, from the bits of its own, so that one table of hashes does for all columns."""
    code = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        # Adding 0 turns -0 into 0. An odd factor, and high bits brought down, keep different rows apart.
        code ^= (column + 0.0).view(np.uint64)
        code *= _ODD
        code ^= code >> _HALF
    return code


def _by_code(
    columns: Sequence[np.ndarray], weight: np.ndarray, code: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    place, _ = pd.factorize(code)
    n = place.max(initial=-1) + 1
    first = np.empty(n, dtype=np.intp)
    first[place[::-1]] = np.arange(len(place))[::-1]
    return [column[first] for column in columns], np.bincount(place, weight, minlength=n), place
