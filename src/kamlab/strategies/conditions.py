"""The playbook's conditions: a small declarative language over fields, checked and applied to whole columns.

A condition takes one of these forms (missing values never satisfy a comparison; `known` asks for them):

    { all = [condition, …] }   { any = [condition, …] }   { not = condition }
    { field = "silent" }                                            a flag or an earlier state is true
    { field = "potential_class", in = ["Mid", "High"] }             a choice has one of these values
    { field = "p_alive", op = "<", value = 0.5 }                    a number against a number
    { field = "days_since_last", op = ">", times = 1.25, of = "longest_gap" }     … a multiple of a field
    { field = "wallet_share", known = false }                       a value is known, or is not
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Alias

from kamlab.errors import did_you_mean
from kamlab.strategies.fields import Field

Columns = dict[str, "np.ndarray | pd.Categorical"]
"""A field's values for all accounts: bool and float64 arrays of shape (n,), and categoricals for choices."""

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


LARGEST_SHARE = 10.0
"""Beyond it a threshold of a share must be meant in per cent."""


class Condition(BaseModel):
    """One condition; see the module's text for its forms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    all: tuple[Condition, ...] | None = Alias(None, min_length=1)
    any: tuple[Condition, ...] | None = Alias(None, min_length=1)
    negated: Condition | None = Alias(None, alias="not")
    field: str | None = None
    op: str | None = None
    value: float | None = None
    times: float = 1.0
    of: str | None = None
    among: tuple[str, ...] | None = Alias(None, alias="in", min_length=1)
    known: bool | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Condition:
        heads = [self.all, self.any, self.negated, self.field]
        if sum(h is not None for h in heads) != 1:
            raise ValueError('needs exactly one of "all", "any", "not" and "field"')
        tests = [self.op is not None, self.among is not None, self.known is not None]
        if sum(tests) > 1 or (self.field is None and sum(tests)):
            raise ValueError('takes one of "op", "in" and "known", beside "field"')
        if self.op is not None and self.op not in _OPERATORS:
            raise ValueError(f'op is "{self.op}"; it must be one of {", ".join(_OPERATORS)}')
        if (self.op is not None) != ((self.value is not None) + (self.of is not None) == 1):
            raise ValueError('"op" compares with either "value" or "of"')
        if self.of is None and "times" in self.model_fields_set:
            raise ValueError('"times" multiplies the field named by "of"')
        return self

    def parts(self) -> tuple[Condition, ...]:
        """Return the conditions directly inside this one."""
        return self.all or self.any or ((self.negated,) if self.negated is not None else ())

    def leaves(self) -> Iterator[Condition]:
        """Yield the conditions that name a field, in the order of the text."""
        if self.field is not None:
            yield self
        for part in self.parts():
            yield from part.leaves()


def fields_of(condition: Condition) -> list[str]:
    """Return the names of the fields in a condition, in the order of the text, each once."""
    names = (name for leaf in condition.leaves() for name in (leaf.field, leaf.of) if name is not None)
    return list(dict.fromkeys(names))


def faults_in(
    condition: Condition, known: Mapping[str, Field], *, discrete_only: bool, later: Collection[str] = ()
) -> list[str]:
    """Return what is wrong with a condition, given the fields that it may name.

    Parameters
    ----------
    condition : Condition
    known : mapping of str to Field
    discrete_only : bool
        Refuse comparisons of numbers, so that everything the condition can say is a finite list of states.
    later : collection of str
        Names that stand further down in the file, which must not be named yet.
    """
    faults = []
    for leaf in condition.leaves():
        named = [name for name in (leaf.field, leaf.of) if name is not None]
        unknown = [name for name in named if name not in known]
        faults += [
            f'"{name}" stands further down; only fields and what stands above can be named.'
            if name in later
            else f'unknown field "{name}".{did_you_mean(name, list(known))}'
            for name in unknown
        ]
        if not unknown:
            faults += _misuses(leaf, [(name, known[name]) for name in named], discrete_only)
    return faults


def _misuses(leaf: Condition, named: list[tuple[str, Field]], discrete_only: bool) -> list[str]:
    faults = []
    name, field = named[0]
    if leaf.op is not None:
        faults += [f'"{n}" is no number; "{leaf.op}" cannot compare it.' for n, f in named if f.discrete]
        if field.kind == "share" and leaf.value is not None and abs(leaf.value) > LARGEST_SHARE:
            faults.append(f'"{name}" is a share, where 0.2 stands for 20 %; it is never compared with {leaf.value:g}.')
    elif leaf.among is not None:
        if field.kind != "choice":
            faults.append(f'"{name}" has no named values; "in" cannot be used.')
        else:
            faults += [
                f'"{name}" is never "{label}".{did_you_mean(label, field.labels)}'
                for label in leaf.among
                if label not in field.labels
            ]
    elif leaf.known is None and field.kind != "flag":
        faults.append(f'"{name}" is neither true nor false; compare it with "op" or "in".')
    if discrete_only and not field.discrete and not faults:
        faults.append(f'"{name}" is a number; only a state may compare numbers, and a rule names that state.')
    return faults


def holds(condition: Condition, columns: Columns) -> np.ndarray:
    """Return for every account whether the condition holds: bool, shape (n,)."""
    if condition.all is not None:
        return np.logical_and.reduce([holds(part, columns) for part in condition.all])
    if condition.any is not None:
        return np.logical_or.reduce([holds(part, columns) for part in condition.any])
    if condition.negated is not None:
        return ~holds(condition.negated, columns)
    assert condition.field is not None
    values = columns[condition.field]
    if condition.among is not None:
        assert isinstance(values, pd.Categorical)
        chosen = np.array([*(label in condition.among for label in values.categories), False])
        return chosen[values.codes]
    if condition.known is not None:
        return pd.isna(values) != condition.known
    if condition.op is not None:
        other = condition.value if condition.of is None else columns[condition.of]
        return _OPERATORS[condition.op](values, condition.times * np.asarray(other))
    return np.asarray(values, dtype=bool)
