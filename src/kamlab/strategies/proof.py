"""Proof of a playbook by enumeration: every state of an account gets one label per scheme, and no two contradict."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kamlab.strategies.conditions import Columns, Condition, fields_of, holds
from kamlab.strategies.engine import Labelled, label
from kamlab.strategies.fields import DERIVED, INPUTS, Field, Kind
from kamlab.strategies.model import Playbook, Scheme, State
from kamlab.strategies.states import states_of

_MEASURE = 100.0
"""What a field that others are compared with holds: only their size beside it matters."""

_MOST_TRIED = 200_000

_FIELDS = {**INPUTS, **DERIVED}

_KNOWN_OF_PROSPECTS = (
    *(
        "has_bought",
        "only_returned",
        "strategic",
        "potential_class",
        "potential_revenue",
        "potential_source",
        "prospect_004",
    ),
    *("incumbent_rival", "joint_project", "has_owner", "owner_left", "contribution_cut_high", "volume_90_median"),
)
"""Fields that can hold something before the first purchase; all others are history."""


@dataclass(frozen=True)
class Proof:
    """What the enumeration of a playbook found.

    states : states of an account that it can tell apart, over all schemes and coherence rules together.
    unused : one sentence for each rule that is never the first to fit, with an account that an earlier one takes.
    broken : one sentence for each coherence rule that a state breaks, and for each state that no account is ever in,
        with an account that shows it.
    """

    states: int
    unused: tuple[str, ...]
    broken: tuple[str, ...]


def prove(playbook: Playbook) -> Proof:
    """Try every state of an account that the playbook can tell apart.

    A number counts by the side of each threshold on which it stands, the threshold itself included, and every value
    may be missing; before the first purchase an account has no history. Fields are added one after the other, and
    accounts between which no rule can tell any longer are merged, so that the enumeration stays complete and small.

    That every state has exactly one label per scheme follows from the form of the rules, which `load_playbook` checks:
    the first rule that fits wins, and the last one fits always.
    """
    tried = _Tried(playbook)
    unused, broken = [], []
    for scheme in reversed(playbook.schemes):
        accounts, labels = tried.all_of(_scheme_names(scheme))
        given = labels[scheme.id]
        seen = set(given.rule.tolist())
        unused += [_unused(scheme, given, i, accounts) for i in range(len(given.rules)) if i not in seen]
    for state in playbook.states:
        accounts, _ = tried.all_of([state.id])
        if not holds(state.when, accounts).any():
            broken.append(
                f'state "{state.id}" is true of no account: its thresholds are out of order. The nearest account has '
                f"{_nearest(playbook, state)}."
            )
    for check in playbook.coherence:
        accounts, _ = tried.all_of(fields_of(check.never))
        wrong = np.flatnonzero(holds(check.never, accounts))
        if wrong.size:
            broken.append(
                f'"{check.id}" is broken by an account with {_describe(accounts, _plainest(accounts, wrong))}.'
            )
    return Proof(tried.states, tuple(unused), tuple(broken))


def unlabelled(playbook: Playbook, scheme: Scheme) -> str:
    """Return an account that a scheme applies to and no rule fits, as "field=value, …"; empty if there is none.

    `playbook` needs only the states and the schemes before this one.
    """
    accounts = _every_state(playbook, _asked(playbook, _scheme_names(scheme)))
    label(accounts, playbook)
    free = np.ones(len(accounts["has_bought"]), dtype=bool)
    if scheme.applies_to is not None:
        free = holds(scheme.applies_to, accounts)
    for rule in scheme.rules:
        free &= ~holds(rule.when, accounts) if rule.when is not None else False
    return _describe(accounts, _plainest(accounts, np.flatnonzero(free))) if free.any() else ""


def _unused(scheme: Scheme, given: Labelled, number: int, accounts: Columns) -> str:
    """Say why a rule is never the first to fit."""
    rule = given.rules[number]
    fits = np.ones(len(given.rule), dtype=bool) if rule.when is None else holds(rule.when, accounts)
    rows = np.flatnonzero(fits & (given.rule >= 0))
    said = f'scheme "{scheme.id}": rule "{rule.id}" is never the first to fit;'
    if not rows.size:
        return f"{said} there is no account that it fits."
    row = _plainest(accounts, rows)
    earlier = given.rules[given.rule[row]]
    return (
        f'{said} "{earlier.id}" ({earlier.label}) stands before it and takes, for example, an account with '
        f"{_describe(accounts, row)}."
    )


def _nearest(playbook: Playbook, state: State) -> str:
    """Return an account that fulfils as many parts of a state's condition as any, as "field=value, …"."""
    conditions = {other.id: other.when for other in playbook.states}
    waiting, names = [state.id], set()
    while waiting:
        name = waiting.pop()
        waiting += fields_of(conditions[name]) if name in conditions else []
        names |= {name} - set(conditions)
    fields = [name for name in _FIELDS if name in names]
    values = [_values(name, conditions.values()) for name in fields]
    grid = itertools.islice(itertools.product(*values), _MOST_TRIED)
    accounts = _columns(_coded(fields, grid))
    accounts.update(states_of(accounts, playbook))
    met = np.sum([holds(part, accounts) for part in state.when.parts() or (state.when,)], axis=0)
    return _describe(accounts, int(np.argmax(met)))


class _Tried:
    """The enumerations made so far; one that tells apart all that a question asks about answers it too."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        self._done: list[tuple[set[str], Columns, dict[str, Labelled]]] = []
        self.states = 0

    def all_of(self, names: Iterable[str]) -> tuple[Columns, dict[str, Labelled]]:
        """Return accounts in every combination of what some names depend on, and their labels."""
        asked = _asked(self._playbook, names)
        for known, accounts, labels in self._done:
            if asked <= known:
                return accounts, labels
        accounts = _every_state(self._playbook, asked)
        labels, _ = label(accounts, self._playbook)
        self._done.append((asked, accounts, labels))
        self.states += len(accounts["has_bought"])
        return accounts, labels


def _scheme_names(scheme: Scheme) -> list[str]:
    conditions = [rule.when for rule in scheme.rules if rule.when is not None]
    conditions += [scheme.applies_to] if scheme.applies_to is not None else []
    axes = [name for name in (scheme.rows, scheme.columns) if name is not None]
    return [*axes, *(name for condition in conditions for name in fields_of(condition))]


def _asked(playbook: Playbook, names: Iterable[str]) -> set[str]:
    """Return the fields, states and schemes that some of them ask about, directly or through schemes."""
    schemes = {scheme.id: _scheme_names(scheme) for scheme in playbook.schemes}
    waiting, asked = list(names), {"has_bought"}
    while waiting:
        name = waiting.pop()
        waiting += schemes.get(name, []) if name not in asked else []
        asked.add(name)
    return asked


def _every_state(playbook: Playbook, asked: set[str]) -> Columns:
    """Return accounts in every combination of what fields, states and schemes depend on."""
    conditions = {state.id: state.when for state in playbook.states}
    ends = {name: conditions[name] for name in asked if name in conditions}
    waiting = list(ends)
    used = dict(ends)
    while waiting:
        inner = [name for name in fields_of(used[waiting.pop()]) if name in conditions and name not in used]
        used |= {name: conditions[name] for name in inner}
        waiting += inner
    ordered = {state.id: state.when for state in playbook.states if state.id in used}
    raw = {name for condition in ordered.values() for name in fields_of(condition)} | asked
    groups = _linked([name for name in _FIELDS if name in raw], ordered.values())
    table = pd.DataFrame({"has_bought": [True, False]})
    for group in groups:
        values = {name: _values(name, ordered.values()) for name in group}
        table = table.merge(_coded(group, itertools.product(*values.values())), how="cross")
        for name in group:
            if name not in _KNOWN_OF_PROSPECTS:
                table[name] = table[name].where(table["has_bought"], _missing(_FIELDS[name]))
        key = _told_apart(_columns(table), set(table), ordered, ends, asked)
        table = table[~key.duplicated().to_numpy()].reset_index(drop=True)
    return _columns(table)


def _linked(names: Sequence[str], conditions: Iterable[Condition]) -> list[list[str]]:
    """Group fields that are compared with each other; has_bought stands alone, and is left out."""
    groups = [[name] for name in names if name != "has_bought"]
    for condition in conditions:
        for leaf in condition.leaves():
            if leaf.of is None:
                continue
            one = next(group for group in groups if leaf.field in group)
            other = next(group for group in groups if leaf.of in group)
            if one is not other:
                one += other
                groups.remove(other)
    return groups


def _values(name: str, conditions: Iterable[Condition]) -> list[Any]:
    """Return a value on each side of every threshold of a field, the thresholds themselves, and "missing"."""
    field = _FIELDS[name]
    if field.kind == "flag":
        # Of accounts alike the first stays as the example: the plainer one.
        return [False, True]
    if field.kind == "choice":
        return [*field.labels, None]
    leaves = [leaf for condition in conditions for leaf in condition.leaves()]
    measure = 0.5 if field.kind == "probability" else _MEASURE
    own = [leaf for leaf in leaves if leaf.field == name and leaf.op is not None]
    if any(leaf.of == name for leaf in leaves) or not own:
        return [measure, None]
    points = sorted({leaf.times * measure if leaf.value is None else float(leaf.value) for leaf in own})
    return [*_around(points, field.kind), None]


def _around(points: Sequence[float], kind: Kind) -> list[float]:
    """Return numbers that can be, one on each side of every threshold, and the thresholds themselves."""
    if kind in ("count", "days"):
        whole = {math.floor(p) + step for p in points for step in (-1, 0, 1)} | {math.ceil(p) for p in points}
        return sorted(float(n) for n in whole if n >= 0)
    between = [(low + high) / 2 for low, high in itertools.pairwise(points)]
    if kind == "probability":
        ends = [points[0] / 2, (1 + points[-1]) / 2]
        return sorted({p for p in (*points, *between, *ends) if 0 <= p <= 1})
    step = 0.1 if kind == "share" else 1.0
    return [points[0] - step, *points, *between, points[-1] + step]


def _missing(field: Field) -> bool | int | float:
    """Return what stands for "not known" in a coded table; a flag that is not known counts as not set."""
    return {"flag": False, "choice": -1}.get(field.kind, np.nan)


def _coded(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Return values of fields, a row an account; labels by their place among their field's, so that all are arrays."""
    table = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        field = _FIELDS[name]
        if field.kind == "choice":
            place = {label: code for code, label in enumerate(field.labels)}
            values = tuple(place.get(value, -1) for value in values)
        table[name] = np.array(values, dtype=np.asarray(_missing(field)).dtype)
    return pd.DataFrame(table)


def _columns(table: pd.DataFrame) -> Columns:
    """Turn a coded table of some fields into the columns of all of them; those that are not there are missing."""
    columns: Columns = {}
    for name, field in _FIELDS.items():
        values = table[name].to_numpy() if name in table else np.full(len(table), _missing(field))
        columns[name] = pd.Categorical.from_codes(values, list(field.labels)) if field.kind == "choice" else values
    return columns


def _told_apart(
    columns: Columns,
    present: set[str],
    states: Mapping[str, Condition],
    ends: Mapping[str, Condition],
    asked: set[str],
) -> pd.DataFrame:
    """Return what a playbook can still tell of accounts with some fields: one row an account.

    A state whose fields are all present counts by its value, if anything still asks for it; of the others each
    comparison that is decided counts.
    """
    known, done = dict(columns), set()
    for name, condition in states.items():
        if all(field in present or field in done for field in fields_of(condition)):
            known[name] = holds(condition, known)
            done.add(name)
    open_states = [condition for name, condition in states.items() if name not in done]
    wanted = {name for condition in open_states for name in fields_of(condition)} | set(ends)
    told: dict[str, np.ndarray] = {"has_bought": np.asarray(columns["has_bought"])}
    told |= {name: np.asarray(known[name]) for name in done & wanted}
    for name in present & asked:
        column = columns[name]
        told[name] = column.codes if isinstance(column, pd.Categorical) else np.asarray(column)
    for condition in open_states:
        for leaf in condition.leaves():
            if leaf.field in present and (leaf.of is None or leaf.of in present):
                told[leaf.model_dump_json()] = holds(leaf, known)
    return pd.DataFrame(told)


def _plainest(columns: Columns, rows: np.ndarray) -> int:
    """Return that of some accounts of which the least has to be said."""
    said = np.zeros(len(rows))
    for name in _FIELDS:
        values = columns[name][rows]
        said += values if values.dtype == bool else ~pd.isna(values)
    return int(rows[np.argmin(said)])


def _describe(columns: Columns, row: int) -> str:
    """Write what is known of one account as "field=value, …"."""
    words = []
    for name in _FIELDS:
        value = columns[name][row]
        if name in ("has_bought", "contribution_cut_high", "volume_90_median") or pd.isna(value) or value is np.False_:
            continue
        words.append(f"{name}={'yes' if value is np.True_ else value if isinstance(value, str) else f'{value:g}'}")
    return ", ".join(["has_bought=yes" if columns["has_bought"][row] else "has_bought=no", *words])
