"""What a playbook is made of: states, schemes with their rules, flags, coherence rules and overrides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Alias

from kamlab.strategies.conditions import Condition

OVERRIDE = "override"
"""Flag, and id of the rule, of a label that a person has decided."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class State(Part):
    """A named condition; true or false for every account."""

    id: str
    when: Condition


class Flag(Part):
    """A remark beside the labels, set by its condition or, without one, by rules alone."""

    id: str
    when: Condition | None = None


class Rule(Part):
    """Gives a label, and perhaps flags, to the accounts that no earlier rule of the scheme has taken."""

    id: str
    label: str
    when: Condition | None = None
    flags: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


class Scheme(Part):
    """One label for every account that it applies to: a list of rules, or a table over two other fields."""

    id: str
    labels: tuple[str, ...] = Alias(min_length=1)
    applies_to: Condition | None = None
    rules: tuple[Rule, ...] = ()
    rows: str | None = None
    columns: str | None = None
    cells: Mapping[str, Mapping[str, str]] = {}
    inputs: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_list_or_table(self) -> Scheme:
        table = [self.rows is not None, self.columns is not None, bool(self.cells)]
        if bool(self.rules) == any(table) or (any(table) and not all(table)):
            raise ValueError('needs either "rules", or "rows", "columns" and "cells"')
        return self

    def all_rules(self) -> tuple[Rule, ...]:
        """Return the scheme's rules in order; a table gives one for each cell, named after it."""
        if self.rules:
            return self.rules
        return tuple(
            Rule(
                id=f"{self.id}.{row}_{column}".lower(),
                label=label,
                when=Condition.model_validate(
                    {"all": [{"field": self.rows, "in": [row]}, {"field": self.columns, "in": [column]}]}
                ),
                inputs=self.inputs,
            )
            for row, cells in self.cells.items()
            for column, label in cells.items()
        )


class Coherence(Part):
    """A combination of states and labels that no account may show."""

    id: str
    never: Condition


class Override(Part):
    """A person's decision against the rules, for one account and until a day, inclusive."""

    account: str
    label: str
    owner: str = Alias(min_length=1)
    reason: str = Alias(min_length=1)
    until: date
    scheme: str = "strategy"


class Tactic(Part):
    """A tactic of the company's own, printed beside the shipped ones, in the language in which it is written."""

    strategy: str
    text: str = Alias(min_length=1)


class Playbook(Part):
    """States, schemes, flags and coherence rules in the order in which they are applied; decisions and tactics."""

    states: tuple[State, ...]
    schemes: tuple[Scheme, ...]
    flags: tuple[Flag, ...]
    coherence: tuple[Coherence, ...]
    overrides: tuple[Override, ...]
    tactics: tuple[Tactic, ...] = ()

    def overrides_at(self, as_of: date) -> tuple[list[Override], list[Override]]:
        """Return the overrides in force on a day, and the expired ones."""
        in_force = [o for o in self.overrides if o.until >= as_of]
        return in_force, [o for o in self.overrides if o.until < as_of]
