"""What a plan says of the customer and of our position there; and how its tables of facts are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kamlab.i18n import COMMAS, MISSING, SEMICOLONS, SENTENCES, Translator
from kamlab.plans.fields import FIELDS
from kamlab.plans.people import OTHER, ROLES
from kamlab.reports.blocks import Block, TableColumn, written_table
from kamlab.reports.sections import plan_words as words
from kamlab.reports.sections.names import ended
from kamlab.reports.sections.plan_book import PlanPage
from kamlab.segment_names import translated
from kamlab.strategies import wording

TOP = 3
"""Items of a line, so that a plan has two pages; the run's tables hold all."""

_FIRST_OF_SWOT = [field.name for field in FIELDS].index("competition")


def blank(t: Translator) -> str:
    """Return the mark of what people have not yet filled in."""
    return t("[to be filled in]")


def card(case: PlanPage, t: Translator) -> Block:
    """The customer card: what is known, and what only people can add."""
    row, rows = case.row, []
    firm = [plain(row.get(name)) for name in ("industry", "channel", "country", "region")]
    size = [t("size {size}", size=row["size"])] if plain(row.get("size")) else []
    rows.append((t("Company"), t.join(COMMAS, [*filter(None, firm), *size]) or blank(t)))
    if len(case.members) > 1:
        rows.append(
            (t("Group"), t("{n} accounts: {members}", n=len(case.members), members=_few(case.members, COMMAS, t)))
        )
    if case.segment:
        rows.append((t("Segment"), _segment(case.segment, t)))
    rows.append((t("People"), _people(case, t)))
    missing = list(filter(None, plain(case.plan["roles_missing"]).split(", ")))
    if missing:
        rows.append((t("Missing contacts"), t.join(COMMAS, (t(words.ROLES[role]) for role in missing))))
    rows.append((t("Buys"), _mix(case, t)))
    for field in FIELDS[:_FIRST_OF_SWOT]:
        rows.append((t(field.label), case.notes.get(field.name) or blank(t)))
    if case.personal:
        rows += [(t(field.label), case.notes.get(field.name) or blank(t)) for field in FIELDS if field.personal]
    unknown = [name for name in plain(case.plan["card_missing"]).split(", ") if name in words.FACTS]
    caption = t("Customer card, {share} complete.", share=t.percent(case.plan["card_share"]))
    note = t("Not known: {facts}.", facts=t.join(COMMAS, (t(words.FACTS[name]) for name in unknown))) if unknown else ""
    return facts(folded(rows, t), t, caption=caption, note=note)


def _segment(segment: Mapping[str, Any], t: Translator) -> str:
    """Name its segment, or that of the customers that a prospect is most like."""
    name = translated(segment["segment_name"], t)
    if "customers" not in segment:
        return name
    return t(
        "probably {segment}: {share} of the {n} customers most like it, {usual} of all in its channel",
        segment=name,
        share=t.percent(segment["share"]),
        n=t.number(segment["customers"]),
        usual=t.percent(segment["usual"]),
    )


def folded(rows: Sequence[tuple[str, str]], t: Translator) -> list[tuple[str, str]]:
    """Return rows with the blank ones joined into one, so that what is known stands out."""
    empty = [label for label, value in rows if value == blank(t)]
    kept = [row for row in rows if row[1] != blank(t)]
    return [*kept, (blank(t), t.join(COMMAS, empty))] if empty else kept


def _people(case: PlanPage, t: Translator) -> str:
    named = []
    for role in (*ROLES, OTHER):
        names = [person["name"] for person in case.rows["people"] if person["role"] == role]
        if names:
            named.append(t("{role}: {names}", role=t(words.ROLES[role]), names=_few(names, COMMAS, t, limit=3)))
    return t.join(SEMICOLONS, named) or blank(t)


def _few(items: Sequence[str], pattern: str, t: Translator, limit: int = TOP) -> str:
    joined = t.join(pattern, items[:limit])
    return t("{list} …", list=joined) if len(items) > limit else joined


def _mix(case: PlanPage, t: Translator) -> str:
    bought = sorted((line for line in case.rows["mix"] if line["share"] > 0), key=lambda line: -line["share"])
    lines = [t("{name} {share}", name=line["product_line"], share=t.percent(line["share"])) for line in bought]
    return _few(lines, COMMAS, t) if lines else t("nothing in the last 12 months, or product lines are not known")


def position(case: PlanPage, t: Translator) -> Block:
    """What it is worth, how much of it we have, who else is there, and how it pays."""
    row = case.row
    rows = [
        (t("Trend"), _trend(case, t)),
        (t("Still buys"), t("with a probability of {p}", p=wording.chance(row["p_alive"], t))),
        (t("Headroom a year"), t.money(row["headroom"])),
    ]
    rivals = [_rival(rival, t) for rival in case.rows["competitors"][:TOP]]
    noted = [case.notes["competition"]] if "competition" in case.notes else []
    rows.append((t("Competitors"), t.join(SEMICOLONS, [*rivals, *noted]) or blank(t)))
    if case.credit:
        rows.append((t("Credit"), _credit(case, t)))
    if case.plan["complaints"]:
        rows.append((t("Complaints"), _complaints(case, t)))
    return facts(folded(rows, t), t, caption=t("Where we stand."))


def _trend(case: PlanPage, t: Translator) -> str:
    row = case.row
    said = t(
        "{now} in the last 12 months, {before} in the 12 before; best 12 months of three years: {peak}",
        now=t.money(row["trailing_revenue"]),
        before=t.money(row["previous_revenue"]),
        peak=t.money(row["peak_revenue"]),
    )
    if "new" not in plain(row["flags"]).split(", "):
        return said
    # One order makes much of a short history.
    rest = row["trailing_revenue"] - row["trailing_largest_order"]
    return t.join(
        SEMICOLONS, [said, t("without its largest order {money} in the last 12 months", money=money(rest, t))]
    )


def _rival(rival: Mapping[str, Any], t: Translator) -> str:
    share = t.percent(rival["share"]) if pd.notna(rival["share"]) else ""
    parts = [part for part in (share, plain(rival["product_line"])) if part]
    name = str(rival["competitor"])
    return t("{name} ({facts})", name=name, facts=t.join(COMMAS, parts)) if parts else name


def _credit(case: PlanPage, t: Translator) -> str:
    credit = case.credit
    none = credit["credit_002"] == "none" or not credit["credit_002"]
    return t(
        "class {name}; {outstanding} unpaid, of it {overdue} overdue and {disputed} disputed",
        name=t("none") if none else credit["credit_002"],
        outstanding=t.money(credit["outstanding"]),
        overdue=t.money(credit["overdue"]),
        disputed=t.money(credit["disputed"]),
    )


def _complaints(case: PlanPage, t: Translator) -> str:
    plan = case.plan
    counts = t("{n} in 12 months, {open} open", n=plan["complaints"], open=plan["open_complaints"])
    if pd.isna(plan["satisfaction"]):
        return counts
    content = t("satisfaction {mean} of 10", mean=t.number(plan["satisfaction"], digits=1))
    return t.join(SEMICOLONS, [counts, content])


def strengths(case: PlanPage, t: Translator) -> Block:
    """Strengths, weaknesses, opportunities and threats: what the data shows, and what people add."""
    lines = []
    for name, label in words.PARTS.items():
        shown = [ended(words.finding(t, row)) for row in case.rows["findings"] if row["part"] == name]
        own = case.notes.get(words.OWN_WORDS[name]) or blank(t)
        lines.append([t(label), t.join(SENTENCES, shown) or MISSING, own])
    columns = [
        TableColumn("part", "", width=11),
        TableColumn("data", t("What the data shows"), width=48),
        TableColumn("own", t("What our people add"), width=24),
    ]
    caption = t("Strengths, weaknesses, opportunities and threats.")
    return written_table(lines, columns=columns, caption=caption)


def money(value: float, t: Translator) -> str:
    """Write cents as nothing: they are what a forecast leaves of an account that is gone."""
    return t.money(0.0 if abs(value) < 1 else value)


def facts(rows: Sequence[tuple[str, str]], t: Translator, *, caption: str, note: str = "") -> Block:
    """Return a table of labels and what is known of each."""
    columns = [TableColumn("what", t("What"), width=18), TableColumn("known", t("What we know"), width=64)]
    return written_table([list(row) for row in rows], columns=columns, caption=caption, note=note)


def plain(value: Any) -> str:
    """Return a value of a table as text; nothing where it is missing."""
    return "" if value is None or pd.isna(value) else str(value).strip()
