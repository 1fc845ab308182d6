"""The strategies: how many accounts each has, and what they bring."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, table
from kamlab.reports.sections.source import (
    Interval,
    Source,
    by_strategy,
    is_contribution,
    labelled,
    leaving,
    present_owners,
    total,
    value_word,
)
from kamlab.strategies import texts


def table_of_strategies(run: Source, t: Translator) -> list[Block]:
    """How many accounts each strategy has, and what they bring."""
    accounts = labelled(run)
    rows = by_strategy(run, accounts)
    whole = total(run)
    sums = {
        "strategy": "",
        "accounts": rows["accounts"].sum(),
        "people": present_owners(accounts).nunique(),
        "revenue": rows["revenue"].sum(),
        "value": whole.value,
        "lower": whole.lower,
        "upper": whole.upper,
        "headroom": rows["headroom"].sum(),
    }
    every = pd.concat([rows, pd.DataFrame([sums])], ignore_index=True)
    printed = pd.DataFrame(
        {
            "strategy": [t(texts.STRATEGIES[s].name) for s in rows["strategy"]] + [t("All")],
            "accounts": [t.number(n) for n in every["accounts"]],
            "people": [t.number(n) for n in every["people"]],
            "revenue": [t.money(v) for v in every["revenue"]],
            "value": [t.money(v) for v in every["value"]],
            "interval": [
                Interval(0, a, b).text(t) if pd.notna(a) else None
                for a, b in zip(every["lower"], every["upper"], strict=True)
            ],
            "headroom": [t.money(v) for v in every["headroom"]],
        }
    )
    columns = [
        TableColumn("strategy", t("Strategy")),
        TableColumn("accounts", t("Accounts"), "right"),
        *([TableColumn("people", t("People"), "right")] if accounts["owner"].notna().any() else []),
        TableColumn("revenue", t("Revenue, last 12 months"), "right"),
        TableColumn("value", t("{value}, next 12 months", value=value_word(run, t)), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(run.config.value.level)), "right"),
        TableColumn("headroom", t("Headroom a year"), "right"),
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("The strategies: how many accounts each has, and what they bring."),
            note=t.join(
                SENTENCES,
                [
                    t("Headroom = what the accounts could buy beyond the forecast, at their margin rate.")
                    if is_contribution(run)
                    else t("Headroom = what the accounts could buy beyond the forecast."),
                    t("The intervals of the parts do not add up to that of the whole: not all go wrong together."),
                    *_two_lists(accounts, t),
                    *_outside(run, rows["revenue"].sum(), t),
                ],
            ),
            total_rows=1,
        )
    ]


def _two_lists(accounts: pd.DataFrame, t: Translator) -> list[str]:
    """Say where the accounts of “Win back” are listed: those that still buy stand under “Protect”."""
    rows = leaving(accounts)
    won, watched = rows[rows["strategy"] == "win_back"], rows[rows["strategy"] != "win_back"]
    lines = []
    if len(won):
        lines.append(
            t(
                "“Win back” in this table: {n}; still buying, but less: {still} (list “Protect”); gone silent: {gone} (list "
                "“Win back”).",
                n=t.number(len(won)),
                still=t.number((~won["gone"]).sum()),
                gone=t.number(won["gone"].sum()),
            )
        )
    if len(watched):
        lines.append(
            t.plural(
                "{n} silent account of another strategy is watched and listed with them.",
                "{n} silent accounts of other strategies are watched and listed with them.",
                len(watched),
            )
        )
    return lines


def _outside(run: Source, inside: float, t: Translator) -> list[str]:
    """Say how much of the company's revenue is not in the table: without an account, or of accounts that never bought."""
    rest = run.read_facts("revenue")["trailing"] - inside
    if abs(rest) <= 0.001 * abs(inside):
        return []
    return [
        t(
            "{money} of the company's revenue is not in the table: lines without an account, and accounts that only "
            "returned goods.",
            money=t.money(rest),
        )
    ]
