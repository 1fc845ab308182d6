"""Coverage in detail: key accounts that pay for a person, proposed moves, overdue contacts, the service centre's roster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from kamlab.figures.words import brief
from kamlab.i18n import N_, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source, value_word
from kamlab.strategies.wording import label_name

TOP = 10
KEY_ACCOUNTS = 20
"""Rows of the table of key accounts."""

WHY = {"unpaid": N_("the gain does not pay for it"), "beyond": N_("nobody is left for it")}
"""Why the shared team takes a key account."""

REASONS = {
    "unassigned": N_("has no owner"),
    "absent": N_("its owner has left"),
    "overload": N_("its owner has too many"),
}


def section(run: Source, t: Translator) -> list[Block]:
    """The whole chapter."""
    return [text(t("## Coverage in detail")), *one_to_one(run, t), *moves(run, t), *overdue(run, t), *roster(run, t)]


def _with_values(run: Source, rows: pd.DataFrame) -> pd.DataFrame:
    """Add names and expected contributions, the largest first."""
    facts = run.read("account_table", columns=["account", "name", "expected_contribution"])
    found = rows.merge(facts, on="account", how="left")
    return found.sort_values(["expected_contribution", "account"], ascending=[False, True], na_position="last")


def one_to_one(run: Source, t: Translator) -> list[Block]:
    """Table of the key accounts: expected gain against the cost of their share of a person, and what follows."""
    found = run.read("handling")
    if found.empty:
        return []
    labels = run.read("labels", columns=["account", "label"], where={"scheme": ["coverage_004"]})
    names = run.read("account_table", columns=["account", "name"])
    rows = found.merge(names, on="account").merge(labels, on="account")
    rows = rows.sort_values(["uplift", "account"], ascending=[False, True]).head(KEY_ACCOUNTS)
    printed = pd.DataFrame(
        {
            "name": rows["name"],
            "class": rows["abc_004"],
            "gain": [
                t(
                    "{value} ({interval})",
                    value=t.money(row.uplift),
                    interval=_bounds(row.uplift_lower, row.uplift_upper, t),
                )
                for row in rows.itertuples()
            ],
            "cost": [t.money(cost) for cost in rows["handling_cost"]],
            "by": [label_name(t, "coverage_004", label) for label in rows["label"]],
            "why": [t(WHY[_why(row)]) if _why(row) else None for row in rows.to_dict("records")],
        }
    )
    columns = [
        TableColumn("name", t("Account"), width=24),
        TableColumn("class", t("Class by amount")),
        TableColumn("gain", t("Expected gain a year"), "right"),
        *(
            [TableColumn("cost", t("Its share of a person costs"), "right")]
            if rows["handling_cost"].notna().any()
            else []
        ),
        TableColumn("by", t("Looked after")),
        TableColumn("why", t("Because"), width=20),
    ]
    caption = t("Key accounts by what a year of work is expected to win, against what a person of their own costs.")
    notes = [
        t("Expected gain: an assumed share of the room ({level} interval).", level=t.percent(run.config.value.level))
    ]
    if len(found) > KEY_ACCOUNTS:
        more = len(found) - KEY_ACCOUNTS
        notes.append(t.plural("{n} more is in the table handling.", "{n} more are in the table handling.", more))
    return [table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, notes))]


def _bounds(lower: float, upper: float, t: Translator) -> str:
    return t("{lower} to {upper}", lower=brief(lower, t), upper=brief(upper, t))


def _why(row: Mapping[str, Any]) -> str:
    """Return why the shared team takes a key account; empty where it does not, or a playbook of one's own says it."""
    if row["label"] != "pooled":
        return ""
    if row["uplift"] <= row["handling_cost"]:
        return "unpaid"
    return "beyond" if row["handling_place"] > row["handling_places"] else ""


def moves(run: Source, t: Translator) -> list[Block]:
    """Table of the proposed moves, by what the accounts are expected to bring."""
    found = run.read("reassignment")
    if found.empty:
        return [text(t("Every account that takes work has an owner with room for it."))]
    rows = _with_values(run, found).head(TOP)
    printed = pd.DataFrame(
        {
            "name": rows["name"],
            "value": [t.money(v) for v in rows["expected_contribution"]],
            "owner": rows["owner"].replace("", None),
            "reason": [t(REASONS[reason]) for reason in rows["reason"]],
            "proposed": rows["proposed"].replace("", None),
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("owner", t("Owner")),
        TableColumn("reason", t("Reason")),
        TableColumn("proposed", t("Proposed owner")),
    ]
    caption = t.plural(
        "{n} account lacks an active owner, or lies beyond what its owner can look after.",
        "{n} accounts lack an active owner, or lie beyond what theirs can look after; those that bring most.",
        len(found),
    )
    note = t(
        "Relations stay where they can; moves even out the loads and keep accounts in their region. A dash: nobody has room."
    )
    return [table(printed, columns=columns, caption=caption, note=note)]


def overdue(run: Source, t: Translator) -> list[Block]:
    """Table of overdue contacts, by what the accounts are expected to bring; one line where no contacts are kept."""
    found = run.read("cadence")
    if found["last_contact"].isna().all():
        return [text(t("No contacts are given, so it is not known which are overdue."))]
    late = found[found["overdue_days"] > 0]
    if late.empty:
        return [text(t("No contact is overdue."))]
    rows = _with_values(run, late).head(TOP)
    printed = pd.DataFrame(
        {
            "name": rows["name"],
            "owner": rows["owner"].replace("", None),
            "interval": [t.number(n) for n in rows["interval_days"]],
            "last": [t.date(day) if pd.notna(day) else None for day in rows["last_contact"]],
            "late": [t.number(n) for n in rows["overdue_days"]],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("owner", t("Owner")),
        TableColumn("interval", t("Contact every (days)"), "right"),
        TableColumn("last", t("Last contact"), "right", 19),
        TableColumn("late", t("Days overdue"), "right"),
    ]
    caption = t.plural(
        "{n} contact is overdue.", "{n} contacts are overdue; those of the accounts that bring most.", len(late)
    )
    return [table(printed, columns=columns, caption=caption)]


def roster(run: Source, t: Translator) -> list[Block]:
    """Table of the accounts that the service centre looks after, by what they are expected to bring."""
    found = run.read("roster")
    if found.empty:
        return [text(t("No account is served from the pool."))]
    rows = found.sort_values(["expected_contribution", "account"], ascending=[False, True], na_position="last").head(
        TOP
    )
    key = rows[["account", "key_account"]].merge(run.read("handling"), on="account", how="left")
    reasons = [_why(row | {"label": "pooled"}) if row["key_account"] else "" for row in key.to_dict("records")]
    printed = pd.DataFrame(
        {
            "name": rows["name"],
            "owner": rows["owner"].replace("", None),
            "value": [t.money(v) for v in rows["expected_contribution"]],
            "why": [t(WHY[reason]) if reason else None for reason in reasons],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("owner", t("Owner today")),
        TableColumn("value", value_word(run, t), "right"),
        *([TableColumn("why", t("No person of its own, because"))] if any(reasons) else []),
    ]
    people = run.read_facts("headcount")["pooled_people"]
    caption = t(
        "The service centre's roster: {n} accounts, the work of {people} people at {each} accounts each; those that bring most.",
        n=t.number(len(found)),
        people=t.number(people, 1),
        each=t.number(len(found) / people),
    )
    return [table(printed, columns=columns, caption=caption)]
