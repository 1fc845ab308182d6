"""What is to be done at an account: actions agreed on, and those that the data asks for."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from kamlab.plans.cases import Case
from kamlab.plans.findings import DOUBTFUL, missing_lines

MOST = 5
"""Proposals of a plan; more than people remember is none."""

SHOWN_DAYS = 92
"""Actions done are shown for a quarter."""

STATES = ("overdue", "open", "done", "proposed")


@dataclass(frozen=True)
class Proposal:
    """An action that the data asks for: its code, the values of its sentence, who does it, and within how many days."""

    code: str
    values: dict[str, Any]
    who: str
    days: int


def propose(case: Case) -> list[Proposal]:
    """Return the actions that an account's data asks for, the most urgent first; see `RULES`."""
    found = [Proposal(code, values, who, days) for code, who, days, rule in RULES if (values := rule(case)) is not None]
    return found[:MOST]


def agreed(actions: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the actions agreed on that are open or lately done, with their state, the overdue ones first.

    Parameters
    ----------
    actions : pandas.DataFrame
        account, action, text, owner, created, due, done.
    as_of : datetime.date

    Returns
    -------
    pandas.DataFrame
        The same columns and `state`: overdue, open or done.
    """
    day = pd.Timestamp(as_of)
    fresh = actions[actions["done"].isna() | (actions["done"] > day - pd.Timedelta(days=SHOWN_DAYS))]
    state = pd.Series("open", index=fresh.index, dtype="object")
    state = state.mask(fresh["due"] < day, "overdue").mask(fresh["done"].notna(), "done")
    order = state.map({name: place for place, name in enumerate(STATES)})
    sorted_rows = fresh.assign(state=state, order=order).sort_values(["account", "order", "due", "action"])
    return sorted_rows.drop(columns="order").reset_index(drop=True)


def quarter_ends(as_of: date, *, fiscal_year_start_month: int, n: int = 4) -> list[date]:
    """Return the last days of the next `n` fiscal quarters after a day: when plans are reviewed."""
    days: list[date] = []
    year, month = as_of.year, as_of.month
    while len(days) < n:
        if (month - fiscal_year_start_month) % 3 == 2:
            end = date(year, month, calendar.monthrange(year, month)[1])
            if end > as_of:
                days.append(end)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return days


def due(as_of: date, proposal: Proposal) -> date:
    """Return the day by which a proposal is to be done."""
    return as_of + timedelta(days=proposal.days)


def _when(condition: Callable[[Case], bool]) -> Callable[[Case], dict[str, Any] | None]:
    return lambda case: {} if condition(case) else None


def _settle(case: Case) -> dict[str, Any] | None:
    owed = case.owed("overdue_90") + case.owed("disputed_90")
    return {"money": owed} if owed > 0 else None


def _complaints(case: Case) -> dict[str, Any] | None:
    return {"number": case.open_complaints} if case.open_complaints else None


def _cross_sell(case: Case) -> dict[str, Any] | None:
    lines = missing_lines(case)
    promising = lines and case.row.get("strategy") in ("promote", "retain", "acquire")
    return {"names": lines} if promising and case.number("p_negative", 0.0) < DOUBTFUL else None


def _deals(case: Case) -> dict[str, Any] | None:
    return {"number": len(case.deals)} if len(case.deals) else None


def _rival(case: Case) -> dict[str, Any] | None:
    return {"name": case.competitors.iloc[0]["competitor"]} if len(case.competitors) else None


RULES: tuple[tuple[str, str, int, Callable[[Case], dict[str, Any] | None]], ...] = (
    ("name_owner", "management", 14, _when(lambda case: "no_owner" in case.flags)),
    ("settle", "finance", 30, _settle),
    ("settle_complaints", "service", 14, _complaints),
    ("ask_reason", "owner", 30, _when(lambda c: c.row.get("strategy") == "win_back" and "reason_lost" not in c.notes)),
    ("decide_recovery", "management", 91, _when(lambda case: case.row.get("strategy") == "win_back")),
    ("mend_margin", "owner", 60, _when(lambda case: case.number("p_negative", 0.0) >= DOUBTFUL)),
    ("contact", "owner", 7, _when(lambda case: int(case.cadence.get("overdue_days") or 0) > 0)),
    ("find_decider", "owner", 60, _when(lambda case: "persons" in case.asked and "decider" not in case.roles)),
    ("follow_deals", "owner", 30, _deals),
    ("cross_sell", "owner", 91, _cross_sell),
    ("answer_rival", "owner", 60, _rival),
    ("ask_potential", "owner", 91, _when(lambda case: case.row.get("potential_source") != "declared")),
)
"""Code, who does it (owner, management, finance or service), days until it is due, and when it is proposed."""
