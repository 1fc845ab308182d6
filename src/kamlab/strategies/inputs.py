"""The values behind a label, written out: "field=value; field=value"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamlab.strategies.conditions import Columns, fields_of
from kamlab.strategies.fields import DECIMALS, DERIVED, INPUTS
from kamlab.strategies.model import Override, Playbook, Rule
from kamlab.strategies.states import Kinds, is_discrete

UNKNOWN = "unknown"

_TEXT = pa.large_string()
"""More than two gigabytes of text are not rare with a million accounts."""


class Inputs:
    """Writes what rules read of each account.

    Shares and probabilities are rounded to six decimals, money to two. Flags and choices, which accounts of one kind
    have in common, are written once a kind; every number is written once, for all schemes together.
    """

    def __init__(self, playbook: Playbook, columns: Columns, kinds: Kinds) -> None:
        self._columns, self._kinds = columns, kinds
        self._conditions = {state.id: state.when for state in playbook.states}
        self._numbers: dict[str, pa.Array] = {}
        self._common: dict[tuple[str, ...], pa.Array] = {}

    def part(self, rows: slice) -> Inputs:
        """Return the same of some successive accounts; what is written for a kind serves all parts."""
        other = object.__new__(Inputs)
        other._columns = {name: column[rows] for name, column in self._columns.items()}
        other._kinds = Kinds(self._kinds.kind[rows], self._kinds.few)
        other._conditions, other._numbers, other._common = self._conditions, {}, self._common
        return other

    def of(self, taken_by: np.ndarray, rules: tuple[Rule, ...], overrides: Mapping[int, Override]) -> pa.Array:
        """Return the values behind the labels of the accounts that have one, in the accounts' order.

        Parameters
        ----------
        taken_by : numpy.ndarray
            Number of the rule that gave the label, shape (n,); others than the rules' numbers get no text.
        rules : tuple of Rule
        overrides : mapping of int to Override
            Row → the decision that stands there instead of a rule.

        Returns
        -------
        pyarrow.Array
            Text, one for each account to which the scheme applies.
        """
        order, parts = [], []
        for number, rule in enumerate(rules):
            rows = np.flatnonzero(taken_by == number)
            order.append(rows)
            parts.append(self._joined(self.fields(rule), rows))
        for row, override in overrides.items():
            order.append(np.array([row]))
            said = f"owner={override.owner}; reason={override.reason}; until={override.until}"
            parts.append(pa.array([said], type=_TEXT))
        rows = np.concatenate(order)
        place = np.full(len(taken_by), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        texts = pa.chunked_array(parts, type=_TEXT).combine_chunks()
        return texts.take(pa.array(place[place >= 0]))

    def fields(self, rule: Rule) -> list[str]:
        """Return the fields behind a rule: those of its condition, states resolved into what they are made of."""
        named = [*(fields_of(rule.when) if rule.when is not None else []), *rule.inputs]
        return list(dict.fromkeys(raw for name in named for raw in self._resolved(name)))

    def _resolved(self, name: str) -> list[str]:
        if name not in self._conditions:
            return [name]
        return [raw for inner in fields_of(self._conditions[name]) for raw in self._resolved(inner)]

    def _joined(self, names: Sequence[str], rows: np.ndarray) -> pa.Array:
        if not names or not len(rows):
            return pa.array([""] * len(rows), type=_TEXT)
        place, kinds = pa.array(rows), pa.array(self._kinds.kind[rows])
        pieces = []
        for discrete, group in groupby(names, lambda name: is_discrete(self._columns[name])):
            if discrete:
                pieces.append(self._of_kinds(tuple(group)).take(kinds))
            else:
                pieces += [self._number(name).take(place) for name in group]
        return pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, pa.scalar("; ", _TEXT))

    def _of_kinds(self, names: tuple[str, ...]) -> pa.Array:
        """Return some flags and choices of each kind of account: text, shape (kinds,)."""
        if names not in self._common:
            written = [_written(name, self._kinds.few[name]) for name in names]
            self._common[names] = pc.binary_join_element_wise(*written, pa.scalar("; ", _TEXT))
        return self._common[names]

    def _number(self, name: str) -> pa.Array:
        if name not in self._numbers:
            self._numbers[name] = _written(name, self._columns[name])
        return self._numbers[name]


def _written(name: str, column: np.ndarray | pd.Categorical) -> pa.Array:
    values = pc.fill_null(_texts(name, column), pa.scalar(UNKNOWN, _TEXT))
    return pc.binary_join_element_wise(pa.scalar(f"{name}=", _TEXT), values, pa.scalar("", _TEXT))


def _texts(name: str, column: np.ndarray | pd.Categorical) -> pa.Array:
    """Write a field's values; missing ones stay missing."""
    if isinstance(column, pd.Categorical):
        labels = pa.array(list(column.categories), type=_TEXT)
        return labels.take(pa.array(column.codes, mask=column.codes < 0))
    if column.dtype == bool:
        return pa.array(["no", "yes"], type=_TEXT).take(pa.array(column.astype(np.int8)))
    decimals = DECIMALS[{**INPUTS, **DERIVED}[name].kind]
    numbers = pa.array(np.round(column, decimals), from_pandas=True)
    if decimals == 0:
        numbers = numbers.cast(pa.int64())
    elif decimals == 2:
        numbers = numbers.cast(pa.decimal128(38, 2), safe=False)
    return numbers.cast(_TEXT)
