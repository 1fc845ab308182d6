"""What changed: the bridge from last year's revenue to this year's, and how much hangs on the largest accounts."""

from __future__ import annotations

import pandas as pd

from kamlab import dimensions
from kamlab.figures import bridge as picture
from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, escape, figure, text
from kamlab.reports.sections.source import Source

LARGEST = 10
"""So many accounts are what the company depends on."""


def what_changed(run: Source, t: Translator) -> list[Block]:
    """Picture of what lost, shrunk, grown and new accounts made of last year's revenue, and the dependence in words."""
    revenue, changes = run.read_facts("revenue"), run.read("changes")
    said: list[Block] = [text(t("## What changed") + "\n\n" + t.join(SENTENCES, dependence(run, t)))]
    if not revenue["previous"] or revenue["previous"] < 0 or changes.empty:
        return said if dependence(run, t) else []
    steps = dimensions.bridge(changes, previous=revenue["previous"], trailing=revenue["trailing"])
    return [
        *said,
        figure(
            picture.draw(steps, t),
            caption=t("Revenue of the last 12 months against the 12 before: what became of each account adds up."),
            alt=picture.alt(steps, t),
        ),
    ]


def dependence(run: Source, t: Translator) -> list[str]:
    """Say what share of the revenue the ten largest accounts bring, and the largest of them; no word of fewer."""
    table = run.read("summary", columns=["account", "trailing_revenue"])
    table = table[table["trailing_revenue"] > 0].merge(run.read("accounts", columns=["account", "name"]))
    bought = table.sort_values(["trailing_revenue", "account"], ascending=[False, True])
    whole = float(bought["trailing_revenue"].sum())
    if len(bought) <= LARGEST:
        return []
    first: pd.Series = bought.iloc[0]
    return [
        t(
            "The ten largest of {n} buying accounts brought {share} of the revenue of the last 12 months, {name} alone "
            "{largest}.",
            n=t.number(len(bought)),
            share=t.percent(bought["trailing_revenue"].head(LARGEST).sum() / whole),
            name=escape(first["name"]),
            largest=t.percent(first["trailing_revenue"] / whole),
        )
    ]
