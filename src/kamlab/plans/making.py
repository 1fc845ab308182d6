"""From a company's tables to those of its account plans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from kamlab.config import Plans
from kamlab.ids import among, beside
from kamlab.plans.card import completeness
from kamlab.plans.cases import Case, newest_competitors, recent, running_projects, usual_mix
from kamlab.plans.fields import FIELDS
from kamlab.plans.findings import find
from kamlab.plans.need import NOBODY, capacities, select
from kamlab.plans.notes import Notes
from kamlab.plans.people import ROLES, known_people
from kamlab.plans.proposals import agreed, due, propose, quarter_ends
from kamlab.side_tables import at_work
from kamlab.terms import TABLES

LEAST_BUYERS = 5
"""Buyers that an industry needs, so that one can say what is usual in it."""

SIDE_TABLES = ("owners", "persons", "competitors", "projects", "complaints", "contacts", "actions")
"""Optional tables that plans are made from; rows of all but the first belong to accounts."""

PlanTables = Mapping[str, pd.DataFrame]
"""The tables of `terms` whose names begin with "plan", by name."""


@dataclass(frozen=True)
class Known:
    """What plans are made from.

    Attributes
    ----------
    accounts : pandas.DataFrame
        Table "account_table" with the columns of "strategies".
    credit, cadence, deals, mix : pandas.DataFrame
        Tables "credit", "cadence" and "pipeline"; what `buying.product_mix` returns.
    side : mapping of str to pandas.DataFrame
        Those of `SIDE_TABLES` that the company has, their accounts being those that decisions are taken for.
    notes : Notes
        What people wrote up to the as-of date.
    """

    accounts: pd.DataFrame
    credit: pd.DataFrame
    cadence: pd.DataFrame
    deals: pd.DataFrame
    mix: pd.DataFrame
    side: Mapping[str, pd.DataFrame]
    notes: Notes


def make(known: Known, settings: Plans, *, as_of: date, fiscal_year_start_month: int = 1) -> PlanTables:
    """Make the tables of account plans.

    Parameters
    ----------
    known : Known
    settings : Plans
    as_of : datetime.date
    fiscal_year_start_month : int
        Reviews fall on the ends of fiscal quarters.

    Returns
    -------
    mapping of str to pandas.DataFrame
        plans, plan_people, plan_mix, plan_findings, plan_actions, plan_projects, plan_competitors and plan_notes of
        `terms`, each ordered by account.
    """
    owners = known.side.get("owners")
    active = None if owners is None else at_work(owners, known.accounts["owner"], as_of)
    chosen = select(known.accounts, settings, capacity=capacities(owners, settings), active=active)
    planned = chosen.loc[chosen["planned"], "account"]
    parts = {name: rows[among(rows["account"], planned)] for name, rows in _parts(known, planned, as_of).items()}
    grouped = {name: dict(list(rows.groupby("account"))) for name, rows in parts.items()}
    rows = {row["account"]: row for row in known.accounts[among(known.accounts["account"], planned)].to_dict("records")}
    company = {
        "margin_rate": float(known.accounts["margin_rate"].median()),
        "low_margin_rate": float(known.accounts["margin_rate"].quantile(0.25)),
        "trailing_revenue": float(known.accounts["trailing_revenue"].sum()),
    }
    responsible = chosen.set_index("account")["responsible"]
    records: dict[str, list[dict[str, Any]]] = {"plans": [], "plan_findings": [], "plan_actions": []}
    reviews = quarter_ends(as_of, fiscal_year_start_month=fiscal_year_start_month)
    for account in planned:
        flags = set(filter(None, str(rows[account].get("flags") or "").split(", ")))
        case = Case(
            row=rows[account],
            **{name: _one(grouped[name], account) for name in ("credit", "cadence")},
            **{name: grouped[name].get(account, parts[name].iloc[:0]) for name in _MANY},
            notes=known.notes.entries.get(account, {}),
            company=company,
            asked=frozenset(known.side),
            as_of=as_of,
            flags=frozenset(flags | ({"no_owner"} if responsible[account] == NOBODY else set())),
        )
        _write(case, account, responsible[account], records)
    found = _frames(records, parts, planned, known.notes)
    found["plans"] = _head(chosen, known, found["plans"], settings, as_of, reviews[0])
    return {name: _as_documented(name, table) for name, table in found.items()}


_MANY = ("people", "competitors", "projects", "deals", "complaints", "actions", "mix")
"""Parts of a case with any number of rows."""


def _parts(known: Known, planned: pd.Series, as_of: date) -> dict[str, pd.DataFrame]:
    """Return what stands in the tables beside, by part of a case; a table that is not given has no rows."""
    empty = {
        "persons": ["account", "name", "role", "department", "active_to"],
        "competitors": ["account", "competitor", "product_line", "share", "date"],
        "projects": ["account", "project", "name", "status", "start", "end", "value"],
        "complaints": ["account", "date", "subject", "closed", "satisfaction"],
        "actions": ["account", "action", "text", "owner", "created", "due", "done"],
    }
    side = {name: known.side.get(name, _empty(columns)) for name, columns in empty.items()}
    industries = known.accounts.set_index("account")["industry"]
    seen = pd.to_datetime(known.cadence["last_contact"])
    if "contacts" in known.side:
        last = known.side["contacts"].groupby("account")["date"].max()
        seen = pd.to_datetime(known.cadence["account"].map(last)).fillna(seen)
    return {
        "credit": known.credit,
        "cadence": _overdue(known.cadence.assign(last_contact=seen), as_of),
        "deals": known.deals[known.deals["account"].notna()],
        "mix": usual_mix(known.mix, industries, least=LEAST_BUYERS, only=planned),
        "people": known_people(side["persons"], as_of),
        "competitors": newest_competitors(side["competitors"]),
        "projects": running_projects(side["projects"], as_of),
        "complaints": recent(side["complaints"], as_of),
        "actions": agreed(side["actions"], as_of),
    }


def _overdue(cadence: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the contacts that are due, counted from the last one on record."""
    due_day = pd.to_datetime(cadence["last_contact"]) + pd.to_timedelta(cadence["interval_days"], "D")
    due_day = due_day.fillna(cadence["next_contact"])
    late = (pd.Timestamp(as_of) - due_day).dt.days.clip(lower=0)
    return cadence.assign(next_contact=due_day, overdue_days=late)


def _write(case: Case, account: str, responsible: str, records: dict[str, list[dict[str, Any]]]) -> None:
    """Add what follows from a case to the records of the tables."""
    share, missing = completeness(case)
    roles = [role for role in ROLES if role not in case.roles] if "persons" in case.asked else []
    states = case.actions["state"].value_counts() if len(case.actions) else {}
    records["plans"].append(
        {
            "account": account,
            "card_share": share,
            "card_missing": ", ".join(missing),
            "roles_missing": ", ".join(roles),
            "last_contact": case.cadence.get("last_contact"),
            "next_contact": case.cadence.get("next_contact"),
            "interval_days": case.cadence.get("interval_days"),
            "open_complaints": case.open_complaints,
            "complaints": len(case.complaints),
            "satisfaction": case.satisfaction[0],
            "actions_open": int(states.get("open", 0)),
            "actions_overdue": int(states.get("overdue", 0)),
        }
    )
    records["plan_findings"] += [
        {"account": account, "part": f.part, "finding": f.code, "finding_values": _json(f.values)} for f in find(case)
    ]
    told = [
        {"account": account, "state": row["state"], "action": row["action"], "text": row["text"], "action_values": "{}"}
        | {"who": row["owner"], "due": row["due"], "done": row["done"]}
        for row in case.actions.to_dict("records")
    ]
    asked = [
        {"account": account, "state": "proposed", "action": p.code, "text": None, "action_values": _json(p.values)}
        | {"who": responsible if p.who == "owner" and responsible else None, "department": p.who}
        | {"due": pd.Timestamp(due(case.as_of, p)), "done": pd.NaT}
        for p in propose(case)
    ]
    records["plan_actions"] += told + asked


def _json(values: Mapping[str, Any]) -> str:
    plain = {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in values.items()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def _one(grouped: Mapping[str, pd.DataFrame], account: str) -> Mapping[str, Any]:
    return grouped[account].iloc[0].to_dict() if account in grouped else {}


def _frames(
    records: Mapping[str, list[dict[str, Any]]], parts: Mapping[str, pd.DataFrame], planned: pd.Series, notes: Notes
) -> dict[str, pd.DataFrame]:
    """Return the tables of all plans."""
    found = {name: pd.DataFrame(rows, columns=_columns(name) if not rows else None) for name, rows in records.items()}
    mix, deals = parts["mix"], parts["deals"]
    found["plan_mix"] = mix[(mix["share"] > 0) | mix["usual"].notna()]
    found["plan_people"], found["plan_competitors"] = parts["people"], parts["competitors"]
    projects = parts["projects"].rename(columns={"project": "id"}).assign(kind="project")
    offers = pd.DataFrame(
        {"account": deals["account"], "kind": "deal", "id": deals["deal"], "name": deals["product"]}
        | {"start": deals["opened"], "value": deals["value"], "probability": deals["p_win"]}
    )
    both = [table for table in (projects, offers) if len(table)]
    found["plan_projects"] = pd.concat(both) if both else _empty(_columns("plan_projects"))
    order = {field.name: place for place, field in enumerate(FIELDS)}
    written = [
        {"account": account, "field": name, "text": texts[name]}
        for account, texts in notes.entries.items()
        for name in sorted(texts, key=order.__getitem__)
    ]
    found["plan_notes"] = pd.DataFrame(written, columns=_columns("plan_notes"))
    for name in ("plan_mix", "plan_people", "plan_competitors", "plan_projects", "plan_notes"):
        rows = found[name]
        found[name] = rows[rows["account"].isin(planned)].sort_values("account", kind="stable")
    return found


def _head(
    chosen: pd.DataFrame, known: Known, facts: pd.DataFrame, settings: Plans, as_of: date, review: date
) -> pd.DataFrame:
    """Return table "plans": the accounts that need a plan, with or without one."""
    labels = known.accounts[["account", "name", "type_000", "strategy", "plan_required_rule"]]
    table = beside(chosen, labels).rename(columns={"plan_required_rule": "rule"})
    own = facts[["account", *(name for name in facts if name not in table)]]
    table = table.merge(own, on="account", how="left", validate="one_to_one")
    table["updated"] = pd.to_datetime(table["account"].map(known.notes.updated))
    age = (pd.Timestamp(as_of) - table["updated"]).dt.days
    table["stale"] = table["planned"] & ~(age <= settings.stale_after_days)
    table["review"] = pd.Timestamp(review)
    return table


def _columns(name: str) -> list[str]:
    return [column.name for column in TABLES[name]]


def _empty(columns: list[str]) -> pd.DataFrame:
    """Return a table without rows whose columns of days can be compared with days."""
    days = {"date", "start", "end", "closed", "due", "done", "created", "active_to"}
    kinds = {name: "datetime64[ns]" if name in days else object for name in columns}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _as_documented(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its documented columns and kinds, whatever was known of them."""
    kinds = {"text": object, "number": "float64", "integer": "Int64", "date": "datetime64[us]", "boolean": "bool"}
    table = table.reindex(columns=_columns(name))
    return table.astype({column.name: kinds[column.kind] for column in TABLES[name]}).reset_index(drop=True)
