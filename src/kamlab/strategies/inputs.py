"""The values behind a label, written out: "field=value; field=value"."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamlab.strategies.conditions import Columns, fields_of
from kamlab.strategies.fields import DECIMALS, DERIVED, INPUTS
from kamlab.strategies.model import Override, Playbook, Rule

UNKNOWN = "unknown"


class Inputs:
    """Writes what rules read of each account; every field is written once, for all schemes together.

    Shares and probabilities are rounded to six decimals, money to two.
    """

    def __init__(self, playbook: Playbook, columns: Columns) -> None:
        self._columns = columns
        self._conditions = {state.id: state.when for state in playbook.states}
        self._written: dict[str, pa.Array] = {}

    def of(self, taken_by: np.ndarray, rules: tuple[Rule, ...], overrides: Mapping[int, Override]) -> pd.Series:
        """Return the values behind each account's label.

        Parameters
        ----------
        taken_by : numpy.ndarray
            Number of the rule that gave the label, shape (n,); others than the rules' numbers get no text.
        rules : tuple of Rule
        overrides : mapping of int to Override
            Row → the decision that stands there instead of a rule.

        Returns
        -------
        pandas.Series
            Text, shape (n,); missing where the scheme does not apply.
        """
        order, parts = [], []
        for number, rule in enumerate(rules):
            rows = np.flatnonzero(taken_by == number)
            order.append(rows)
            parts.append(self._joined(self.fields(rule), rows))
        for row, override in overrides.items():
            order.append(np.array([row]))
            parts.append(pa.array([f"owner={override.owner}; reason={override.reason}; until={override.until}"]))
        place = np.full(len(taken_by), -1, dtype=np.int64)
        rows = np.concatenate(order)
        place[rows] = np.arange(len(rows))
        texts = pa.chunked_array(parts, type=pa.string()).combine_chunks()
        return pd.Series(pd.array(texts.take(pa.array(place, mask=place < 0)), dtype="str"))

    def fields(self, rule: Rule) -> list[str]:
        """Return the fields behind a rule: those of its condition, states resolved into what they are made of."""
        named = [*(fields_of(rule.when) if rule.when is not None else []), *rule.inputs]
        return list(dict.fromkeys(raw for name in named for raw in self._resolved(name)))

    def _resolved(self, name: str) -> list[str]:
        if name not in self._conditions:
            return [name]
        return [raw for inner in fields_of(self._conditions[name]) for raw in self._resolved(inner)]

    def _joined(self, names: list[str], rows: np.ndarray) -> pa.Array:
        if not names:
            return pa.array([""] * len(rows), type=pa.string())
        place = pa.array(rows)
        return pc.binary_join_element_wise(*(self._field(name).take(place) for name in names), "; ")

    def _field(self, name: str) -> pa.Array:
        if name not in self._written:
            values = pc.fill_null(_texts(name, self._columns[name]), UNKNOWN)
            self._written[name] = pc.binary_join_element_wise(f"{name}=", values, "")
        return self._written[name]


def _texts(name: str, column: np.ndarray | pd.Categorical) -> pa.Array:
    """Write a field's values; missing ones stay missing."""
    if isinstance(column, pd.Categorical):
        labels = pa.array(list(column.categories), type=pa.string())
        return labels.take(pa.array(column.codes, mask=column.codes < 0))
    if column.dtype == bool:
        return pa.array(["no", "yes"]).take(pa.array(column.astype(np.int8)))
    decimals = DECIMALS[{**INPUTS, **DERIVED}[name].kind]
    numbers = pa.array(np.round(column, decimals), from_pandas=True)
    if decimals == 0:
        return numbers.cast(pa.int64()).cast(pa.string())
    return (
        numbers.cast(pa.decimal128(38, 2), safe=False).cast(pa.string()) if decimals == 2 else numbers.cast(pa.string())
    )
