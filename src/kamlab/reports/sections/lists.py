"""Lists for the next review: accounts that lose money, those to part from, and those to win from rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from kamlab.i18n import Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source, has_flag, labelled

TOP = 10

WORDS = ("Account", "Owner", "Stage")
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
    shown = rows.head(TOP)
    printed = {
        t("Account"): shown["name"],
        t("Revenue, last 12 months"): shown["trailing_revenue"].map(t.money),
        t("Loses money"): shown["p_negative"].map(t.percent),
        t("At standard service"): shown["p_negative_standard"].map(t.percent),
        t("A quarter ago"): shown["p_negative_before"].map(t.percent),
    }
    caption = t(
        "Accounts that probably lose money while they buy, with the probability today, at standard service, and at the "
        "review before."
    )
    return [_table(printed, len(rows), t, caption=caption)]


def removals(run: Source, t: Translator) -> list[Block]:
    """The remove list: proposed after two reviews in a row, watched after one."""
    wanted = {"scheme": ["remove_list"], "label": ["proposed", "watched"]}
    stage = run.read("labels", columns=["account", "label"], where=wanted)
    if stage.empty:
        return []
    printed_of = ["account", "name", "trailing_revenue", "p_negative", "p_negative_standard"]
    rows = stage.merge(run.read("account_table", columns=printed_of), on="account")
    rows = rows.sort_values(["label", "trailing_revenue", "account"], ascending=[True, False, True])
    proposed = int((rows["label"] == "proposed").sum())
    said = t(
        "A proposal, not a decision. Accounts that lost money at two reviews in a row, at standard service too, and could "
        "not buy much more: {proposed}; at one review so far: {watched}. Ask first what price, terms and service can mend.",
        proposed=t.number(proposed),
        watched=t.number(len(rows) - proposed),
    )
    shown = rows.head(TOP)
    words = {"proposed": t("Proposed for removal"), "watched": t("Watched")}
    printed = {
        t("Account"): shown["name"],
        t("Stage"): shown["label"].astype(str).map(words),
        t("Revenue, last 12 months"): shown["trailing_revenue"].map(t.money),
        t("Loses money"): shown["p_negative"].map(t.percent),
        t("At standard service"): shown["p_negative_standard"].map(t.percent),
    }
    return [text(said), _table(printed, len(rows), t, caption=t("Remove list, in two stages."))]


def rivals(run: Source, t: Translator) -> list[Block]:
    """Accounts that could buy much and where a rival holds the place, the highest headroom first."""
    rows = labelled(run)
    rows = rows[has_flag(rows, "conquest")]
    if rows.empty:
        return []
    rows = rows.sort_values(["headroom", "account"], ascending=[False, True])
    shown = rows.head(TOP)
    printed = {
        t("Account"): shown["name"],
        t("Potential a year"): shown["potential_revenue"].map(t.money),
        t("Our share"): shown["wallet_share"].map(t.percent),
        t("Rivals' share"): shown["rival_share"].map(t.percent),
        t("Headroom a year"): shown["headroom"].map(t.money),
        t("Owner"): shown["owner"],
    }
    caption = t("Accounts to win from rivals: much to buy, and a competitor in our place, as far as sales has told.")
    return [_table(printed, len(rows), t, caption=caption)]


def _table(printed: Mapping[str, Sequence[str] | pd.Series], rows: int, t: Translator, *, caption: str) -> Block:
    """Return the first rows as a table whose first column is a name, and say how many more there are."""
    frame = pd.DataFrame({f"c{n}": list(values) for n, values in enumerate(printed.values())})
    words = {t(head) for head in WORDS}
    columns = [TableColumn(f"c{n}", head, "left" if head in words else "right") for n, head in enumerate(printed)]
    more = t.plural("{n} more account is not shown.", "{n} more accounts are not shown.", rows - TOP)
    return table(frame, columns=columns, caption=caption, note=more if rows > TOP else "")
