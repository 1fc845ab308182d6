"""Equal rows of a table merged into one row of their common weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamlab.period import DAYS_PER_UNIT

_ODD, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)

_MANY = 10_000
"""Rows from which on it is worth while to look whether they can be counted instead of hashed."""

_CELLS_PER_ROW = 8
"""A table to count in that is larger than this costs more than hashes."""

_CHUNK = 1 << 16
"""Rows numbered at a time: their columns fit into the processor's cache."""

Merged = tuple[list[np.ndarray], np.ndarray, np.ndarray]
"""Columns of the merged rows; the sum of their weights; the place of each row's own among them."""


@dataclass(frozen=True, eq=False)
class Counted:
    """Rows that were merged by counting: columns of the merged rows, and the sums of their weights.

    `number` is each row's cell in the table of all that can occur, `found` the cells that do. Where each row's own
    stands among the merged ones is looked up only for who asks: a fit does without.
    """

    columns: list[np.ndarray]
    weight: np.ndarray
    number: np.ndarray
    found: np.ndarray

    def place(self) -> np.ndarray:
        """Return the place of each row's own among the merged rows."""
        order = np.empty(self.found[-1] + 1, dtype=np.int32)
        order[self.found] = np.arange(len(self.found))
        return np.asarray(order[self.number])


def merge(columns: Sequence[np.ndarray], weight: np.ndarray) -> Merged:
    """Merge equal rows, in an order that the rows alone decide.

    Parameters
    ----------
    columns : sequence of numpy.ndarray
        Numbers, shape (rows,) each.
    weight : numpy.ndarray
        Of the rows, above 0.

    Returns
    -------
    tuple
        See `Merged`.
    """
    return merge_days(columns, weight) or _merge_by_hash(columns, weight)


def merge_days(columns: Sequence[np.ndarray], weight: np.ndarray) -> Merged | None:
    """Merge many rows of whole numbers of days, as `count_days` does, and return the place of each row's own too."""
    counted = count_days(columns, weight)
    return None if counted is None else (counted.columns, counted.weight, counted.place())


def count_days(columns: Sequence[np.ndarray], weight: np.ndarray | None) -> Counted | None:
    """Merge many rows of whole numbers of days, in any unit, by counting in a table of all that can occur.

    Without weights each row counts once. Returns None where rows are few, a number is missing or no whole number of
    days, or the table would be too large.
    """
    n = len(columns[0])
    if n < _MANY:
        return None
    lattices, cells = [], 1
    for column in columns:
        steps = _steps(column[:: len(column) // _CHUNK + 1])
        low, high = float(column.min()), float(column.max())
        if not steps or not high - low < _CELLS_PER_ROW * n:
            return None
        first = round(low * steps)
        size = round(high * steps) - first + 1
        lattices.append((steps, first, size))
        cells *= size
    if cells > _CELLS_PER_ROW * n:
        return None
    number = _numbered(columns, lattices)
    if number is None:
        return None
    total = np.bincount(number, weight).astype(float, copy=False)
    found = np.flatnonzero(total > 0)
    merged, rest = [], found
    for steps, first, size in reversed(lattices):
        whole = rest // size
        merged.append((rest - whole * size + first) / steps)
        rest = whole
    return Counted(merged[::-1], total[found], number, found)


def _steps(column: np.ndarray) -> int:
    """Return how many days make the unit of a column of whole days, 0 where there is no such unit."""
    units = (steps for steps in DAYS_PER_UNIT.values() if (np.rint(column * steps) / steps == column).all())
    return next(units, 0)


def _numbered(columns: Sequence[np.ndarray], lattices: Sequence[tuple[int, int, int]]) -> np.ndarray | None:
    """Return the number of each row's cell, or None where a number is none of its lattice's."""
    number = np.empty(len(columns[0]), dtype=np.intp)
    days, again, cell = np.empty((3, min(len(number), _CHUNK)))
    for start in range(0, len(number), _CHUNK):
        chunk = number[start : start + _CHUNK]
        day, same, at = days[: len(chunk)], again[: len(chunk)], cell[: len(chunk)]
        at.fill(0.0)
        for column, (steps, first, size) in zip(columns, lattices, strict=True):
            given = column[start : start + _CHUNK]
            np.rint(given if steps == 1 else np.multiply(given, steps, out=day), out=day)
            if not ((day if steps == 1 else np.divide(day, steps, out=same)) == given).all():
                return None
            if first:
                day -= first
            at *= size
            at += day
        chunk[:] = at
    return number


def _merge_by_hash(columns: Sequence[np.ndarray], weight: np.ndarray) -> Merged:
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


def _by_code(columns: Sequence[np.ndarray], weight: np.ndarray, code: np.ndarray) -> Merged:
    place, _ = pd.factorize(code)
    n = place.max(initial=-1) + 1
    first = np.empty(n, dtype=np.intp)
    first[place[::-1]] = np.arange(len(place))[::-1]
    return [column[first] for column in columns], np.bincount(place, weight, minlength=n), place
