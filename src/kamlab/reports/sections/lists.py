"""Lists from the tables beside the log: losses, removals, rivals, overdue contacts, and the service centre's accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from kamlab.coverage import ACCOUNTS_PER_POOLED_PERSON
from kamlab.i18n import MISSING, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source, has_flag, labelled, value_word

TOP = 10

WORDS = ("Account", "Owner", "Stage", "Last contact", "Class by amount", "Why", "Proposed owner")
"""Heads of columns of words, which stand on the left: keys of the message catalogue."""


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Lists for the next review"))]


def below_zero(run: Source, t: Translator) -> list[Block]:
    """Accounts that probably lose money while they buy, with the probability, also at standard service."""
    rows = labelled(run)
    rows = rows[has_flag(rows, "repair") | has_flag(rows, "check_margin")]
    if rows.empty:
        return []
    rows = rows.sort_values(["p_negative", "trailing_revenue", "account"], ascending=[False, False, True])
    printed = {
        t("Account"): rows["name"],
        t("Revenue, last 12 months"): rows["trailing_revenue"].map(t.money),
        t("Loses money"): rows["p_negative"].map(t.percent),
        t("At standard service"): rows["p_negative_standard"].map(t.percent),
        t("A quarter ago"): rows["p_negative_before"].map(t.percent),
    }
    caption = t(
        "Accounts that probably lose money while they buy, with the probability today, at standard service, and at the "
        "review before."
    )
    return [_table(printed, len(rows), t, caption=caption)]


def removals(run: Source, t: Translator) -> list[Block]:
    """The remove list: proposed after two reviews in a row, watched after one."""
    labels = run.read("labels")
    stage = labels[(labels["scheme"] == "remove_list") & labels["label"].isin(["proposed", "watched"])]
    if stage.empty:
        return []
    rows = stage[["account", "label"]].merge(run.read("account_table"), on="account")
    rows = rows.sort_values(["label", "trailing_revenue", "account"], ascending=[True, False, True])
    proposed = int((rows["label"] == "proposed").sum())
    said = t(
        "A proposal, not a decision. Accounts that lost money at two reviews in a row, at standard service too, and could "
        "not buy much more: {proposed}; at one review so far: {watched}. Ask first what price, terms and service can mend.",
        proposed=t.number(proposed),
        watched=t.number(len(rows) - proposed),
    )
    words = {"proposed": t("Proposed for removal"), "watched": t("Watched")}
    printed = {
        t("Account"): rows["name"],
        t("Stage"): rows["label"].astype(str).map(words),
        t("Revenue, last 12 months"): rows["trailing_revenue"].map(t.money),
        t("Loses money"): rows["p_negative"].map(t.percent),
        t("At standard service"): rows["p_negative_standard"].map(t.percent),
    }
    return [text(said), _table(printed, len(rows), t, caption=t("Remove list, in two stages."))]


def rivals(run: Source, t: Translator) -> list[Block]:
    """Accounts that could buy much and where a rival holds the place, the highest headroom first."""
    rows = labelled(run)
    rows = rows[has_flag(rows, "conquest")]
    if rows.empty:
        return []
    rows = rows.sort_values(["headroom", "account"], ascending=[False, True])
    printed = {
        t("Account"): rows["name"],
        t("Potential a year"): rows["potential_revenue"].map(t.money),
        t("Our share"): rows["wallet_share"].map(t.percent),
        t("Rivals' share"): rows["rival_share"].map(t.percent),
        t("Headroom a year"): rows["headroom"].map(t.money),
        t("Owner"): rows["owner"],
    }
    caption = t("Accounts to win from rivals: much to buy, and a competitor in our place, as far as sales has told.")
    return [_table(printed, len(rows), t, caption=caption)]


def overdue_contacts(run: Source, t: Translator) -> list[Block]:
    """Contacts that are overdue, those with the most expected value first."""
    cadence = run.read("cadence")
    if cadence["last_contact"].isna().all():
        return [text(t("No contacts are on record, so none is known to be overdue."))]
    rows = cadence[cadence["overdue_days"] > 0]
    if rows.empty:
        return [text(t("No contact is overdue."))]
    accounts = run.read("account_table")[["account", "name", "expected_contribution"]]
    rows = rows.merge(accounts, on="account").sort_values(["expected_contribution", "account"], ascending=[False, True])
    printed = {
        t("Account"): rows["name"],
        t("Owner"): rows["owner"],
        t("Every … days"): rows["interval_days"].map(t.number),
        t("Last contact"): [t.date(day.date()) if pd.notna(day) else t("none") for day in rows["last_contact"]],
        t("Days overdue"): rows["overdue_days"].map(t.number),
        value_word(run, t): rows["expected_contribution"].map(t.money),
    }
    return [_table(printed, len(rows), t, caption=t("Contacts that are overdue, the most valuable accounts first."))]


def moves(run: Source, t: Translator) -> list[Block]:
    """Who should look after accounts that nobody does, whose owner has left, or that are too many for one person."""
    rows = run.read("reassignment")
    if rows.empty:
        return []
    accounts = run.read("account_table")[["account", "name", "expected_contribution"]]
    rows = rows.merge(accounts, on="account").sort_values(["expected_contribution", "account"], ascending=[False, True])
    why = {"unassigned": t("No owner"), "absent": t("left"), "overload": t("too many")}
    printed = {
        t("Account"): rows["name"],
        t("Owner"): rows["owner"].where(rows["owner"] != "", MISSING),
        t("Why"): rows["reason"].map(why),
        t("Proposed owner"): rows["proposed"].where(rows["proposed"] != "", t("nobody has room")),
        value_word(run, t): rows["expected_contribution"].map(t.money),
    }
    caption = t("Accounts that need another owner; all other relations stay, and regions are kept where that costs little.")
    return [_table(printed, len(rows), t, caption=caption)]


def service_centre(run: Source, t: Translator) -> list[Block]:
    """How many accounts the shared team serves, by class of amount, and how many people that is by the ratio."""
    labels = run.read("labels")
    pooled = labels[(labels["scheme"] == "coverage_004") & (labels["label"] == "pooled")]
    if pooled.empty:
        return []
    rows = pooled[["account"]].merge(run.read("account_table"), on="account")
    groups = rows.groupby(rows["abc_004"].fillna("–"), sort=True)
    lines = [(name, len(group), group["expected_contribution"].sum()) for name, group in groups]
    lines.append((t("All"), len(rows), rows["expected_contribution"].sum()))
    printed = {
        t("Class by amount"): [name for name, _, _ in lines],
        t("Accounts"): [t.number(count) for _, count, _ in lines],
        t("People by the ratio"): [t.number(count / ACCOUNTS_PER_POOLED_PERSON, digits=1) for _, count, _ in lines],
        value_word(run, t): [t.money(value) for _, _, value in lines],
    }
    caption = t("Accounts of the shared team; by the ratio one person serves {n}.", n=t.number(ACCOUNTS_PER_POOLED_PERSON))
    return [_table(printed, len(lines), t, caption=caption, limit=len(lines))]


def _table(
    printed: Mapping[str, Sequence[str] | pd.Series], rows: int, t: Translator, *, caption: str, limit: int = TOP
) -> Block:
    """Return the first rows as a table whose first column is a name, and say how many more there are."""
    frame = pd.DataFrame({f"c{n}": list(values)[:limit] for n, values in enumerate(printed.values())})
    words = {t(head) for head in WORDS}
    columns = [
        TableColumn(f"c{n}", head, "left" if head in words else "right") for n, head in enumerate(printed)
    ]
    more = t.plural("{n} more account is not shown.", "{n} more accounts are not shown.", rows - limit)
    return table(frame, columns=columns, caption=caption, note=more if rows > limit else "")
