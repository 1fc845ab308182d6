"""The nine-box and what each type means."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import Translator
from kamlab.reports.blocks import Block, TableColumn, table
from kamlab.reports.sections.source import Source, labelled, value_word
from kamlab.strategies import texts
from kamlab.terms import TYPES


def types(run: Source, t: Translator) -> list[Block]:
    """Table of the types: accounts, value, and how to treat them."""
    accounts = labelled(run)
    groups = [accounts[accounts["type_000"] == kind] for kind in TYPES]
    printed = pd.DataFrame(
        {
            "type": [t(texts.TYPES[kind].name) for kind in TYPES],
            "accounts": [t.number(len(g)) for g in groups],
            "provisional": [t.number(g["provisional"].sum()) for g in groups],
            "value": [t.money(g["expected_contribution"].sum()) for g in groups],
            "meaning": [t(texts.TYPES[kind].meaning) for kind in TYPES],
        }
    )
    columns = [
        TableColumn("type", t("Type")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("provisional", t("of them provisional"), "right"),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("meaning", t("Stance"), width=44),
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("The four types and how much effort each deserves."),
            note=t("Provisional: the potential is the account's own best year, or its history is short."),
        )
    ]


def picture(run: Source, t: Translator) -> list[Block]:
    return []
