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


class Numbers(Part):
    """Numbers that are no thresholds of states: of the pool, of people's load, of contacts, credit and prospects.

    Attributes
    ----------
    accounts_per_pooled_person : float
        Accounts of the shared team that one person looks after.
    load : tuple of float
        Load of a person, 1 being full, under which there is room for more, and over which there is too much.
    cadence_floor_days : mapping
        Label of `cadence_002` → days that an account's own rhythm never goes below.
    credit_scores : mapping
        Credit class → score that it needs more than, from the best class down.
    credit_least_invoices : int
        Whoever has been due fewer times is A at best.
    credit_limit_months : float
        k of the limit: the smaller of the policy's and k × the expected monthly spend.
    credit_policy_limit : float, optional
        The policy's: no account's limit is above it (currency).
    prospect_days, prospect_chance : mapping, float
        Grade → days within which a deal is won with at least that chance; later ones are D.
    """

    accounts_per_pooled_person: float = Alias(default=60, gt=0)
    load: tuple[float, float] = (0.75, 1.25)
    cadence_floor_days: Mapping[str, int] = {"14": 7, "30": 14, "90": 30}
    credit_scores: Mapping[str, float] = {"AAA": 90, "AA": 80, "A": 70}
    credit_least_invoices: int = Alias(default=4, ge=1)
    credit_limit_months: float = Alias(default=2.0, gt=0)
    credit_policy_limit: float | None = Alias(default=None, gt=0)
    prospect_days: Mapping[str, int] = {"A": 30, "B": 91, "C": 182}
    prospect_chance: float = Alias(default=0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Numbers:
        scores, days, floors = self.credit_scores, self.prospect_days, self.cadence_floor_days
        faults = [
            f"{name} needs {', '.join(wanted)}, and has {', '.join(given) or 'nothing'}"
            for name, given, wanted in (
                ("credit_scores", scores, ("AAA", "AA", "A")),
                ("prospect_days", days, ("A", "B", "C")),
                ("cadence_floor_days", floors, ("14", "30", "90")),
            )
            if set(given) != set(wanted)
        ]
        if not faults:
            if not 100 > scores["AAA"] > scores["AA"] > scores["A"] >= 0:
                faults.append("credit_scores must fall from AAA to A, between 100 and 0")
            if not 0 < days["A"] < days["B"] < days["C"]:
                faults.append("prospect_days must rise from A to C")
            if not all(0 < floor <= int(label) for label, floor in floors.items()):
                faults.append("cadence_floor_days must be above 0, and at most the days of their label")
        if not 0 < self.load[0] < self.load[1]:
            faults.append("load must rise from above 0")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Playbook(Part):
    """States, schemes, flags and coherence rules in the order of application; decisions, tactics and numbers."""

    states: tuple[State, ...]
    schemes: tuple[Scheme, ...]
    flags: tuple[Flag, ...]
    coherence: tuple[Coherence, ...]
    overrides: tuple[Override, ...]
    tactics: tuple[Tactic, ...] = ()
    numbers: Numbers = Numbers()

    def overrides_at(self, as_of: date) -> tuple[list[Override], list[Override]]:
        """Return the overrides in force on a day, and the expired ones."""
        in_force = [o for o in self.overrides if o.until >= as_of]
        return in_force, [o for o in self.overrides if o.until < as_of]
