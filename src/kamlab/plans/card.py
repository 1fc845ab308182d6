"""The customer card: which of its facts are known, and how complete it is."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from kamlab.plans.cases import Case

Known = Callable[[Case], bool]


def completeness(case: Case) -> tuple[float, list[str]]:
    """Return the share of the card's facts that are known, and the names of those that are not, in the card's order."""
    missing = [name for name, known in FACTS if not known(case)]
    return 1 - len(missing) / len(FACTS), missing


def _given(column: str) -> Known:
    def known(case: Case) -> bool:
        value = case.row.get(column)
        return value is not None and not pd.isna(value) and str(value).strip() != ""

    return known


def _noted(field: str) -> Known:
    return lambda case: field in case.notes


def _contacted(case: Case) -> bool:
    return bool(pd.notna(case.cadence.get("last_contact")))


FACTS: tuple[tuple[str, Known], ...] = (
    ("industry", _given("industry")),
    ("channel", _given("channel")),
    ("country", _given("country")),
    ("size", _given("size")),
    ("owner", lambda case: "no_owner" not in case.flags),
    ("potential", lambda case: case.row.get("potential_source") == "declared"),
    ("people", lambda case: len(case.people) > 0),
    ("decider", lambda case: "decider" in case.roles),
    ("contact", _contacted),
    ("competitors", lambda case: len(case.competitors) > 0 or "competition" in case.notes),
    *((field, _noted(field)) for field in ("address", "phone", "business", "organisation", "needs", "purchase_plans")),
)
"""Fact of the card, and when it is known."""
