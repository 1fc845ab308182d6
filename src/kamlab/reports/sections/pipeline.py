"""Open deals and unpaid invoices, in a few lines."""

from __future__ import annotations

import pandas as pd

from kamlab.hazards import LAST_WEEK, WEEK
from kamlab.i18n import SENTENCES, Translator
from kamlab.period import DAYS_PER_YEAR
from kamlab.prospects import STALLED_SHARE
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source

TOP = 10


def deals(run: Source, t: Translator) -> list[Block]:
    """What the open deals are worth, weighted with their chances, and which of them have stood still."""
    rows, total = run.read("pipeline"), run.read_facts("pipeline_total")
    if rows.empty:
        return [text(t("No pipeline is given, or none of its deals is open."))]
    lines = [
        t.plural(
            "{n} deal is open, worth {money}.",
            "{n} deals are open, worth {money} together.",
            len(rows),
            money=t.money(rows["value"].sum()),
        )
    ]
    if "total" in total:
        lines.append(
            t(
                "Weighted with their chances, which come from the company's own won and lost deals, that is {money} "
                "({level} interval: {low} to {high}).",
                level=t.percent(0.9),
                money=t.money(total["total"]),
                low=t.money(total["lower"]),
                high=t.money(total["upper"]),
            )
        )
    else:
        lines.append(
            t("Too few deals have been won and lost to tell their chances; grades follow closing dates alone.")
        )
    stalled = int(rows["stalled"].sum())
    if stalled:
        lines.append(
            t.plural(
                "{n} deal is older than {share} of the won ones were when they were won.",
                "{n} deals are older than {share} of the won ones were when they were won.",
                stalled,
                share=t.percent(STALLED_SHARE),
            )
        )
    nameless = int(rows["account"].isna().sum())
    if nameless:
        lines.append(
            t.plural(
                "{n} deal names no account and counts for none.",
                "{n} deals name no account and count for none.",
                nameless,
            )
        )
    return [text(t.join(SENTENCES, lines))]


def in_hand(run: Source, t: Translator) -> list[Block]:
    """The open deals among what is to be done; nothing where there are none."""
    return [] if run.read("pipeline").empty else [text(t("### Open deals")), *deals(run, t)]


def calendar(run: Source, t: Translator) -> list[Block]:
    """When the open deals are decided: what is likely to be won by then, and the next dates that sales has named."""
    rows = run.read("pipeline")
    if rows.empty:
        return []
    blocks: list[Block] = []
    if rows["p_win"].notna().any():
        value = rows["value"].fillna(0.0)
        until = {"p_win_30": 30, "p_win_91": 91, "p_win_182": 182, "p_win": LAST_WEEK * WEEK}
        printed = pd.DataFrame(
            {
                "until": [t("within {n} days", n=t.number(days)) for days in until.values()],
                "won": [t.number(rows[chance].sum(), digits=1) for chance in until],
                "money": [t.money((rows[chance] * value).sum()) for chance in until],
            }
        )
        columns = [
            TableColumn("until", t("Decided")),
            TableColumn("won", t("Deals likely won"), "right"),
            TableColumn("money", t("Weighted value"), "right"),
        ]
        blocks.append(table(printed, columns=columns, caption=t("When the open deals are likely to be won, added up.")))
    as_of = pd.Timestamp(run.period.calibration_end)
    named = rows[rows["expected_close"].notna()]
    ahead = named[(named["expected_close"] - as_of).dt.days.between(0, DAYS_PER_YEAR)]
    first = ahead.sort_values(["expected_close", "deal"]).head(TOP)
    if len(first):
        names = run.read("accounts").set_index("account")["name"]
        printed = pd.DataFrame(
            {
                "date": [t.date(day.date()) for day in first["expected_close"]],
                "name": first["account"].map(names).fillna(first["deal"]),
                "product": first["product"],
                "owner": first["owner"],
                "money": [t.money(value) for value in first["value"]],
            }
        )
        columns = [
            TableColumn("date", t("Decision")),
            TableColumn("name", t("Account")),
            TableColumn("product", t("Product")),
            TableColumn("owner", t("Owner")),
            TableColumn("money", t("Value"), "right"),
        ]
        caption = t("Calendar of decisions and tenders of the next 12 months, the next first.")
        blocks.append(table(printed, columns=columns, caption=caption))
    return blocks


def stalled(run: Source, t: Translator) -> list[Block]:
    """Table of the deals that stand still, the most valuable first."""
    rows = run.read("pipeline")
    rows = rows[rows["stalled"].astype(bool)] if len(rows) else rows
    if rows.empty:
        return []
    names = run.read("accounts").set_index("account")["name"]
    first = rows.sort_values(["value", "deal"], ascending=[False, True]).head(TOP)
    printed = pd.DataFrame(
        {
            "name": first["account"].map(names).fillna(first["deal"]),
            "product": first["product"],
            "owner": first["owner"],
            "age": [t.number(days) for days in first["age_days"]],
            "money": [t.money(value) for value in first["value"]],
            "chance": [t.percent(chance) for chance in first["p_win"]],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("product", t("Product")),
        TableColumn("owner", t("Owner")),
        TableColumn("age", t("Days open"), "right"),
        TableColumn("money", t("Value"), "right"),
        TableColumn("chance", t("Chance to win"), "right"),
    ]
    return [table(printed, columns=columns, caption=t("Deals that stand still: decide whether to go on."))]


def payments(run: Source, t: Translator) -> list[Block]:
    """What is unpaid, overdue and disputed."""
    rows = run.read("credit")
    if rows.empty:
        return [text(t("No invoices and payments are given: nothing is known of how accounts pay."))]
    lines = [
        t(
            "{open} of invoices is unpaid, {late} of it past its due date and {long} for more than 90 days.",
            open=t.money(rows["outstanding"].sum()),
            late=t.money(rows["overdue"].sum()),
            long=t.money(rows["overdue_90"].sum()),
        )
    ]
    if rows["disputed"].sum() > 0:
        lines.append(
            t(
                "Besides, customers dispute {money}; it is part of the company's revenue, but of no overdue amount and not of "
                "the revenue by which an account is judged.",
                money=t.money(rows["disputed"].sum()),
            )
        )
    return [text(t.join(SENTENCES, [*lines, *_lost(rows, t)])), *_on_hold(run, t)]


def _lost(rows: pd.DataFrame, t: Translator) -> list[str]:
    """Say what of the unpaid invoices is expected never to come."""
    if rows["expected_loss"].isna().all():
        return [t("Too few invoices are old enough to say what of it will be lost.")]
    return [
        t(
            "{loss} of it is expected to be lost, by what has become of earlier invoices.",
            loss=t.money(rows["expected_loss"].sum()),
        )
    ]


def _on_hold(run: Source, t: Translator) -> list[Block]:
    """Table of the accounts that owe or dispute money for more than 90 days, the largest amounts first."""
    accounts = run.read("account_table")
    rows = accounts[(accounts["overdue_90"] > 0) | (accounts["disputed_90"] > 0)]
    if rows.empty:
        return []
    said = t.plural(
        "{n} account is on hold: it owes or disputes money for more than 90 days.",
        "{n} accounts are on hold: they owe or dispute money for more than 90 days.",
        len(rows),
    )
    held = rows[["overdue_90", "disputed"]].sum(axis=1)
    first = rows.assign(held=held).sort_values(["held", "account"], ascending=[False, True]).head(TOP)
    money = {
        "trailing_revenue": t("Revenue, last 12 months"),
        "disputed": t("Disputed beside it"),
        "overdue_90": t("Overdue over 90 days"),
    }
    printed = pd.DataFrame({"name": first["name"], **{key: [t.money(value) for value in first[key]] for key in money}})
    columns = [TableColumn("name", t("Account")), *(TableColumn(key, head, "right") for key, head in money.items())]
    caption = t("Accounts on hold, by what they owe or dispute: settle that before anything is promised.")
    return [text(said), table(printed, columns=columns, caption=caption)]
