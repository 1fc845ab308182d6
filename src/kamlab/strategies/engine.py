"""Apply a playbook to the account table, whole columns at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from kamlab import terms
from kamlab.errors import ConfigError, first_ids
from kamlab.strategies.conditions import Columns, holds
from kamlab.strategies.inputs import Inputs
from kamlab.strategies.model import OVERRIDE, Override, Playbook, Rule, Scheme
from kamlab.strategies.playbook import load_playbook
from kamlab.strategies.states import Kinds, kinds_of, quantities, states_of


@dataclass(frozen=True)
class Labelled:
    """One scheme applied.

    label : Categorical of shape (n,), missing where the scheme does not apply.
    rule : int array of shape (n,): number of the rule that gave the label; −1 where the scheme does not
        apply, len(rules) where a person has decided.
    rules : the scheme's rules in order.
    """

    label: pd.Categorical
    rule: np.ndarray
    rules: tuple[Rule, ...]

    def rule_ids(self) -> pd.api.extensions.ExtensionArray:
        """Return the id of each account's rule as text, missing where the scheme does not apply."""
        return _spread([*(rule.id for rule in self.rules), OVERRIDE, None], self.rule)


def assign(
    accounts_table: pd.DataFrame,
    playbook: Playbook | str | Path | None = None,
    *,
    contribution_cut_high: float | None = None,
    as_of: date | None = None,
) -> pd.DataFrame:
    """Give every account its type, strategy and flags, each with the rule and the values that gave it.

    Parameters
    ----------
    accounts_table : DataFrame
        One row an account: account, name, owner and the columns of `fields.INPUTS`. Numbers may be missing;
        see `states.quantities`.
    playbook : Playbook, str or Path, optional
        A checked playbook, or the path of a playbook file; the shipped one by default.
    contribution_cut_high : float, optional
        Upper cut of expected contribution in force, in currency. "Peak High" is measured against it. Without it the
        lowest expected contribution among the accounts of class High stands for it; without any, no peak is High.
    as_of : date, optional
        As-of date; needed if the playbook has overrides, because they expire.

    Returns
    -------
    DataFrame
        Table "strategies" of `terms`, rows in the order of the input. nine_box, type_000 and its companions
        are missing for prospects.

    Raises
    ------
    DataError
        If the account table lacks columns, repeats accounts, or has values that no rule knows.
    ConfigError
        If the playbook is at fault, an override names an account that is not there, or a label breaks one of
        the playbook's coherence rules.
    """
    book = playbook if isinstance(playbook, Playbook) else load_playbook(playbook)
    return _strategies(
        evaluate(accounts_table, book, contribution_cut_high=contribution_cut_high, as_of=as_of), accounts_table
    )


@dataclass(frozen=True)
class Evaluation:
    """A playbook applied to the account table.

    playbook; columns : every field, state and label; schemes : what each scheme gave, in the playbook's order;
    overrides : scheme → row → the decision in force; kinds : accounts of which the rules think alike.
    """

    playbook: Playbook
    columns: Columns
    schemes: Mapping[str, Labelled]
    overrides: Mapping[str, Mapping[int, Override]]
    kinds: Kinds


def evaluate(
    accounts_table: pd.DataFrame,
    playbook: Playbook,
    *,
    contribution_cut_high: float | None = None,
    as_of: date | None = None,
) -> Evaluation:
    """Apply the states and schemes of a playbook in order; parameters and errors as for `assign`."""
    if contribution_cut_high is None:
        contribution_cut_high = _lowest_high(accounts_table)
    columns = quantities(accounts_table, contribution_cut_high=contribution_cut_high)
    accounts = accounts_table["account"].astype("object").to_numpy()
    overrides = _overrides_in_force(playbook, as_of, accounts)
    done, kinds = label(columns, playbook, overrides)
    _require_coherence(playbook, columns, accounts)
    return Evaluation(playbook, columns, done, overrides, kinds)


def label(
    columns: Columns, playbook: Playbook, overrides: Mapping[str, Mapping[int, Override]] | None = None
) -> tuple[dict[str, Labelled], Kinds]:
    """Add the states and the schemes' labels to the columns; return what each scheme gave, and the kinds of accounts.

    Rules name no numbers, so accounts that agree in every state, flag and choice get the same labels: the schemes are
    applied once to each such kind of account. An account that a person has decided on is a kind of its own.
    """
    columns.update(states_of(columns, playbook))
    overrides = overrides or {}
    kinds = kinds_of(columns, alone=sorted({row for rows in overrides.values() for row in rows}))
    done: dict[str, Labelled] = {}
    for scheme in playbook.schemes:
        found = _apply(scheme, kinds.few)
        for row, override in overrides.get(scheme.id, {}).items():
            found.label[kinds.kind[row]] = override.label
            found.rule[kinds.kind[row]] = len(found.rules)
        kinds.few[scheme.id] = found.label
        done[scheme.id] = Labelled(found.label[kinds.kind], found.rule[kinds.kind], found.rules)
        columns[scheme.id] = done[scheme.id].label
    return done, kinds


def _strategies(found: Evaluation, accounts_table: pd.DataFrame) -> pd.DataFrame:
    """Write the table "strategies"."""
    playbook, columns, done, overrides = found.playbook, found.columns, found.schemes, found.overrides
    types, strategy, plan = done["type_000"], done["strategy"], done["plan_required"]
    inputs = Inputs(playbook, columns, found.kinds)
    return pd.DataFrame(
        {
            "account": accounts_table["account"],
            "name": accounts_table["name"].fillna("") if "name" in accounts_table else accounts_table["account"],
            "owner": accounts_table["owner"].fillna("") if "owner" in accounts_table else "",
            "nine_box": _nine_box(done["contribution_level"].label, done["potential_level"].label),
            "type_000": _spread([*types.label.categories, None], types.label.codes),
            "type_000_rule": types.rule_ids(),
            "type_000_inputs": _where_given(types, inputs.of(types.rule, types.rules, overrides.get("type_000", {}))),
            "strategy": _spread([*strategy.label.categories, None], strategy.label.codes),
            "strategy_rule": strategy.rule_ids(),
            "strategy_inputs": _where_given(
                strategy, inputs.of(strategy.rule, strategy.rules, overrides.get("strategy", {}))
            ),
            "plan_required": np.asarray(plan.label == "yes"),
            "plan_required_rule": plan.rule_ids(),
            "provisional": columns["provisional"],
            "flags": _flags(playbook, columns, list(done.values())),
        },
        index=accounts_table.index,
    )[[column.name for column in terms.TABLES["strategies"]]]


def _where_given(found: Labelled, texts: pa.Array) -> pd.api.extensions.ExtensionArray:
    """Write the texts of the accounts that have a label for all accounts, missing for the others."""
    given = found.rule >= 0
    return pd.array(texts.take(pa.array(np.cumsum(given) - 1, mask=~given)), dtype="str")


def _lowest_high(accounts_table: pd.DataFrame) -> float:
    """Return the lowest expected contribution among the accounts of class High, infinite without one."""
    columns = {"contribution_class", "expected_contribution"}
    if not columns <= set(accounts_table):
        return np.inf
    high = accounts_table.loc[accounts_table["contribution_class"] == "High", "expected_contribution"]
    return float(high.min()) if len(high) else np.inf


def _spread(texts: Sequence[str | None], codes: np.ndarray) -> pd.api.extensions.ExtensionArray:
    """Write one of a few texts for every account: text array of shape (n,)."""
    return pd.array(texts, dtype="str").take(codes)


def _apply(scheme: Scheme, columns: Columns) -> Labelled:
    """Let each rule in turn take the accounts that it fits and that no earlier rule has taken."""
    n = len(columns["has_bought"])
    rules = scheme.all_rules()
    free = np.ones(n, dtype=bool) if scheme.applies_to is None else holds(scheme.applies_to, columns)
    taken_by = np.full(n, -1)
    for number, rule in enumerate(rules):
        taken = free if rule.when is None else free & holds(rule.when, columns)
        taken_by[taken] = number
        free = free & ~taken
    codes = np.array([*(scheme.labels.index(rule.label) for rule in rules), -1])[taken_by]
    return Labelled(pd.Categorical.from_codes(codes, list(scheme.labels)), taken_by, rules)


def _overrides_in_force(playbook: Playbook, as_of: date | None, accounts: np.ndarray) -> dict[str, dict[int, Override]]:
    """Return the decisions in force: scheme → row → override."""
    if not playbook.overrides:
        return {}
    if as_of is None:
        raise ConfigError("The playbook has overrides, and they expire: give the as-of date (as_of).")
    in_force, _ = playbook.overrides_at(as_of)
    row_of = {account: row for row, account in enumerate(accounts)}
    strangers = [override.account for override in in_force if override.account not in row_of]
    if strangers:
        raise ConfigError(
            f"{len(strangers)} overrides of the playbook name accounts that the data do not have (first: "
            f"{first_ids(strangers)}). Correct their ids, or take them out."
        )
    decided: dict[str, dict[int, Override]] = {}
    for override in in_force:
        decided.setdefault(override.scheme, {})[row_of[override.account]] = override
    return decided


def _require_coherence(playbook: Playbook, columns: Columns, accounts: np.ndarray) -> None:
    faults = []
    for check in playbook.coherence:
        broken = holds(check.never, columns)
        if broken.any():
            faults.append(f'"{check.id}" by {broken.sum()} accounts (first: {first_ids(accounts[broken])})')
    if faults:
        raise ConfigError(
            f"The playbook's labels contradict each other. Broken: {'; '.join(faults)}. Change its rules or overrides."
        )


def _nine_box(contribution: pd.Categorical, potential: pd.Categorical) -> pd.api.extensions.ExtensionArray:
    cells = [f"{row}/{column}" for row in contribution.categories for column in potential.categories]
    code = contribution.codes.astype("int64") * len(potential.categories) + potential.codes
    return _spread([*cells, None], np.where(contribution.codes < 0, -1, code))


def _flags(playbook: Playbook, columns: Columns, labelled: Sequence[Labelled]) -> pd.api.extensions.ExtensionArray:
    """Join each account's flags, from conditions and from rules, in the playbook's order."""
    code = np.zeros(len(columns["has_bought"]), dtype="int64")
    for bit, flag in enumerate(playbook.flags):
        is_set = np.zeros(len(code), dtype=bool) if flag.when is None else holds(flag.when, columns)
        for scheme in labelled:
            set_by = [flag.id in rule.flags for rule in scheme.rules]
            is_set |= np.array([*set_by, flag.id == OVERRIDE, False])[scheme.rule]
        code |= is_set.astype("int64") << bit
    where, combinations = pd.factorize(code)
    names = [
        ", ".join(flag.id for bit, flag in enumerate(playbook.flags) if combination >> bit & 1)
        for combination in combinations.tolist()
    ]
    return _spread(names, where)
