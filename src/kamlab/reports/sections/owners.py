"""Who looks after whom: people by the documents' ratio, owners and their loads; why revenue changed, by dimension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from kamlab.dimensions import EFFECTS, UNKNOWN
from kamlab.figures.words import with_currency, without_currency
from kamlab.i18n import MISSING, N_, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.names import signed
from kamlab.reports.sections.source import Source, value_word

TOP = 10
OWNERS = 20
"""Rows of the table of owners."""
LEAST_FILLED = 2 / 3
"""A dimension divides the change only if it is known of so many accounts."""

STATES = {"over": N_("too many"), "under": N_("room for more"), "right": N_("right"), "absent": N_("left")}

DIMENSIONS = {
    "region": N_("Region"),
    "country": N_("Country"),
    "size": N_("Size"),
    "industry": N_("Industry"),
    "territory": N_("Territory"),
    "channel": N_("Channel"),
    "owner": N_("Owner"),
    "product_line": N_("Product line"),
}

CAUSES = {
    "new": N_("New or back"),
    "lost": N_("Lost"),
    "volume": N_("Volume"),
    "price": N_("Price"),
    "mix": N_("Mix"),
    "unexplained": N_("No quantities"),
}


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Owners and coverage"))]


def people(run: Source, t: Translator) -> list[Block]:
    """Say how many people there are, and how many the documents' ratio gives."""
    found = run.read_facts("headcount")
    if not found["had"]:
        return [text(t("Nobody is named as responsible for any account, so loads cannot be shown."))]
    sentences = [
        t.plural("{n} person looks after accounts.", "{n} people look after accounts.", found["had"]),
        t(
            "One person for each account of class A with a plan, for two of class B, for three to five of class C, and a "
            "shared team for all others gives {least} to {most} people. That is a ratio, not a need: what it costs "
            "stands against what the accounts bring.",
            least=t.number(found["least"], digits=1),
            most=t.number(found["most"], digits=1),
        ),
    ]
    sentences += _handled(found, t)
    moves = run.read("reassignment")
    unassigned = int((moves["reason"] == "unassigned").sum())
    absent = int((moves["reason"] == "absent").sum())
    overload = int((moves["reason"] == "overload").sum())
    if unassigned:
        sentences.append(
            t.plural(
                "{n} account that takes work has no owner.", "{n} accounts that take work have no owner.", unassigned
            )
        )
    if absent:
        sentences.append(
            t.plural(
                "{n} account that takes work has an owner who has left.",
                "{n} accounts that take work have an owner who has left.",
                absent,
            )
        )
    if overload:
        sentences.append(
            t.plural(
                "{n} account lies beyond what its owner can look after.",
                "{n} accounts lie beyond what their owners can look after.",
                overload,
            )
        )
    return [text(t.join(SENTENCES, sentences))]


def _handled(found: Mapping[str, Any], t: Translator) -> list[str]:
    """Say how many key accounts are handled one to one, and why the others are not."""
    if not found["key"]:
        return []
    said = [
        t.plural(
            "{n} key account has a person of its own, or shares one with up to four others: the work of {people} people.",
            "{n} key accounts have a person of their own, or share one with up to four others: the work of {people} people.",
            found["handled"],
            people=t.number(found["handled_people"], digits=1),
        )
    ]
    if found["affordable"] is None:
        said.append(t("Whether their expected gain pays for that is not judged: no cost of a person is set."))
    if found["unpaid"]:
        said.append(
            t.plural(
                "The shared team takes {n} key account whose expected gain does not pay its share of a person.",
                "The shared team takes {n} key accounts whose expected gain does not pay their share of a person.",
                found["unpaid"],
            )
        )
    if found["beyond"]:
        said.append(
            t.plural(
                "For {n} key account, that of the least gain, nobody is left.",
                "For {n} key accounts, those of the least gain, nobody is left.",
                found["beyond"],
            )
        )
    return said


def loads(run: Source, t: Translator) -> list[Block]:
    """Table of the owners by what their accounts are expected to bring."""
    owners = run.read("coverage")
    if owners.empty:
        return []
    rows = owners.sort_values(["expected_contribution", "owner"], ascending=[False, True]).head(OWNERS)
    printed = pd.DataFrame(
        {
            "owner": rows["owner"],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "key": [t.number(n) for n in rows["key_accounts"]],
            "load": [t.percent(share) for share in rows["load"]],
            "state": [t(STATES[state]) for state in rows["state"]],
            "value": [t.money(v) for v in rows["expected_contribution"]],
        }
    )
    columns = [
        TableColumn("owner", t("Owner")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("key", t("With a plan"), "right"),
        TableColumn("load", t("Load by the ratio"), "right"),
        TableColumn("state", t("Load is")),
        TableColumn("value", value_word(run, t), "right"),
    ]
    caption = t("Owners by what their accounts are expected to bring; 100% is one person's full work by the ratio.")
    more = t.plural("{n} more person is not shown.", "{n} more people are not shown.", len(owners) - OWNERS)
    note = [t("Accounts count prospects too."), *([more] if len(owners) > OWNERS else [])]
    return [table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, note))]


def changes(run: Source, t: Translator) -> list[Block]:
    """Table of why revenue changed: by the values of the first dimension that tells accounts apart, and in all."""
    rows = run.read("dimensions")
    whole = run.read("changes")
    if whole.empty:
        return []
    if run.read_facts("revenue")["previous"] is None:
        first = pd.Timestamp(run.read_facts("freshness")["first_line"]).date()
        return [
            text(t("Why revenue changed cannot be said: the log, which runs from {first}, is too short.", first=first))
        ]
    name = dividing(rows)
    parts = rows[rows["dimension"] == name]
    causes = [cause for cause in EFFECTS if whole[cause].abs().sum() > 0]
    sums = ["revenue_before", "change", *causes]
    company = {"value": t("All accounts"), **whole[sums].sum()}
    # What is not shown, and accounts that only sent goods back, which stand under no value.
    rest = {"value": t("All others"), **(whole[sums].sum() - parts.head(TOP)[sums].sum())}
    lines = [line | {"growth": _growth(line)} for line in (rest, company)]
    if not name or not any(abs(rest[column]) >= 1 for column in sums):
        lines = lines[1:]
    lines = [*parts.head(TOP).to_dict("records"), *lines]
    plain = without_currency(t)
    printed = pd.DataFrame(
        {
            "value": [t("unknown") if row["value"] == UNKNOWN else row["value"] for row in lines],
            "change": [plain.money(row["change"]) for row in lines],
            "growth": [MISSING if pd.isna(row["growth"]) else signed(row["growth"], t) for row in lines],
            **{cause: [plain.money(row[cause]) for row in lines] for cause in causes},
        }
    )
    columns = [
        TableColumn("value", t(DIMENSIONS[name]) if name else ""),
        TableColumn("change", with_currency(t("Change of revenue"), t), "right"),
        TableColumn("growth", t("Growth"), "right"),
        *(TableColumn(cause, t(CAUSES[cause]), "right") for cause in causes),
    ]
    caption = t(
        "Revenue of the last 12 months less that of the 12 before, and its causes, which add up to it: customers new or "
        "back, and lost, with what came back from them; of those kept, pieces, prices of the same products, and dearer "
        "or cheaper products."
    )
    return [table(printed, columns=columns, caption=caption, total_rows=1)]


def dividing(rows: pd.DataFrame) -> str:
    """Return the first dimension with several values that is known of most accounts; empty if there is none."""
    known = rows[rows["value"] != UNKNOWN].groupby("dimension", sort=False)["accounts"].agg(["size", "sum"])
    filled = known["sum"] / rows.groupby("dimension")["accounts"].sum().reindex(known.index)
    usable = known.index[(known["size"] > 1) & (filled >= LEAST_FILLED)]
    return next((name for name in DIMENSIONS if name in usable), "")


def _growth(line: Mapping[str, Any]) -> float | None:
    return line["change"] / line["revenue_before"] if line["revenue_before"] > 0 else None
