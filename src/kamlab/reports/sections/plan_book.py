"""What the page of one plan reads, from a run's tables that are read once for all plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from kamlab.ids import beside
from kamlab.plans.proposals import quarter_ends
from kamlab.reports.sections.source import Source, has_cost_to_serve, is_contribution
from kamlab.strategies import load_playbook
from kamlab.strategies.model import Playbook

ROWS = ("people", "mix", "findings", "actions", "projects", "competitors")
"""Tables "plan_…" with any number of rows an account."""


@dataclass(frozen=True)
class PlanPage:
    """One plan: the rows of its account.

    Attributes
    ----------
    plan : mapping
        Its row of table "plans".
    row : mapping
        Its row of the account table with the columns of "strategies".
    labels : mapping of str to str
        Its label of each scheme of the playbook.
    credit, lifetime, target : mapping
        Its rows of these tables and of "targets"; empty where it has none.
    segment : mapping
        Its row of table "segments"; of a prospect, the first one of "prospect_segments"; empty where it has none.
    rows : mapping of str to list of dict
        Its rows of the tables in `ROWS`; a missing value is None.
    notes : mapping of str to str
        What people wrote.
    members : list of str
        Ids of a group's accounts; one for an account alone.
    reviews : list of datetime.date
    contribution, cost_to_serve : bool
        Whether values are contribution, and whether cost to serve is known.
    level : float
        Level of intervals.
    playbook : Playbook
    personal : bool
        Whether personal data is printed.
    """

    plan: Mapping[str, Any]
    row: Mapping[str, Any]
    labels: Mapping[str, str]
    credit: Mapping[str, Any]
    lifetime: Mapping[str, Any]
    target: Mapping[str, Any]
    segment: Mapping[str, Any]
    rows: Mapping[str, list[dict[str, Any]]]
    notes: Mapping[str, str]
    members: list[str]
    reviews: list[date]
    contribution: bool
    cost_to_serve: bool
    level: float
    playbook: Playbook
    personal: bool


class PlanBook:
    """The tables of a run, by account."""

    def __init__(self, run: Source) -> None:
        self._run = run
        plans = run.read("plans")
        planned = plans[plans["planned"]]
        self.planned = planned.sort_values(["at_stake", "account"], ascending=[False, True], ignore_index=True)
        ids = set(planned["account"])
        some = {"account": sorted(ids)}
        accounts = beside(
            run.read("account_table", where=some), run.read("strategies", where=some).drop(columns=["name", "owner"])
        )
        self._rows = {row["account"]: row for row in accounts.to_dict("records")}
        labels = run.read("labels", columns=["account", "scheme", "label"], where=some)
        labels = labels[labels["label"].notna()]
        self._labels = {
            account: dict(zip(rows["scheme"], rows["label"], strict=True))
            for account, rows in labels.groupby("account")
        }
        self._one = {name: _first(run.read(name, where=some), ids) for name in ("credit", "lifetime")}
        targets = run.read("targets", where={"kind": ["account"], "group": some["account"]})
        of_accounts = targets.rename(columns={"group": "account"})
        self._one["target"] = _first(of_accounts, ids)
        likely = run.read("prospect_segments")
        self._one["segment"] = _first(run.read("segments", where=some), ids) | _first(likely[likely["rank"] == 1], ids)
        self._many = {name: _by_account(run.read(f"plan_{name}")) for name in ROWS}
        notes = run.read("plan_notes")
        self._notes = {
            account: dict(zip(rows["field"], rows["text"], strict=True)) for account, rows in notes.groupby("account")
        }
        path = run.config.strategies.playbook
        self._playbook = load_playbook(run.config.resolve(path) if path else None)
        self._reviews = quarter_ends(
            run.period.calibration_end, fiscal_year_start_month=run.config.company.fiscal_year_start_month
        )
        self._basis = is_contribution(run), has_cost_to_serve(run)

    def case(self, plan: Mapping[str, Any]) -> PlanPage:
        """Return what the page of a plan reads."""
        account, row = plan["account"], self._rows[plan["account"]]
        return PlanPage(
            plan=plan,
            row=row,
            labels=self._labels.get(account, {}),
            credit=self._one["credit"].get(account, {}),
            lifetime=self._one["lifetime"].get(account, {}),
            target=self._one["target"].get(account, {}),
            segment=self._one["segment"].get(account, {}),
            rows={name: self._many[name].get(account, []) for name in ROWS},
            notes=self._notes.get(account, {}),
            members=str(row["member_ids"]).split(", "),
            reviews=self._reviews,
            contribution=self._basis[0],
            cost_to_serve=self._basis[1],
            level=self._run.config.value.level,
            playbook=self._playbook,
            personal=self._run.config.plans.personal_data,
        )


def _by_account(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        found.setdefault(row["account"], []).append(row)
    return found


def _first(table: pd.DataFrame, ids: set[str]) -> dict[str, dict[str, Any]]:
    return {row["account"]: row for row in table[table["account"].isin(ids)].to_dict("records")}
