"""Potential: where each number comes from, how well the fitted ones hold, and whom prospects are like."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import N_, Translator
from kamlab.look_alikes import QUANTILE
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source
from kamlab.terms import POTENTIAL_SOURCES

SOURCES = {
    "declared": N_("declared by sales"),
    "fitted": N_("fitted to similar accounts"),
    "own_peak": N_("own best 12 months"),
    "pipeline": N_("open deals, a least amount"),
    "unknown": N_("unknown"),
}
GIVEN = {
    "firmographics": N_("industry, place, size"),
    "firmographics_and_mix": N_("industry, place, size, product mix"),
}
LISTED = 15
"""Prospects that are printed, those with the largest look-alike first."""


def sources(run: Source, t: Translator) -> list[Block]:
    """Table of the potentials by source, in falling order of trust."""
    rows = run.read("potential").groupby("potential_source")
    found = [s for s in POTENTIAL_SOURCES if s in rows.groups]
    printed = pd.DataFrame(
        {
            "source": [t(SOURCES[s]) for s in found],
            "accounts": [t.number(len(rows.get_group(s))) for s in found],
            "potential": [t.money(rows.get_group(s)["potential_revenue"].sum(min_count=1)) for s in found],
            "share": [t.percent(rows.get_group(s)["wallet_share"].median()) for s in found],
            "headroom": [t.money(rows.get_group(s)["headroom"].sum(min_count=1)) for s in found],
        }
    )
    columns = [
        TableColumn("source", t("Potential")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("potential", t("Together, a year"), "right"),
        TableColumn("share", t("Share of wallet"), "right"),
        TableColumn("headroom", t("Headroom"), "right"),
    ]
    note = t("Share of wallet: that of the middle account. The own best 12 months give none.")
    return [
        table(printed, columns=columns, caption=t("What accounts could buy, and where that comes from."), note=note)
    ]


def fits(run: Source, t: Translator) -> list[Block]:
    """Table of the fitted 90th percentiles: whether they hold on accounts that they have not seen."""
    rows = run.read("potential_fit")
    if rows.empty:
        return [text(t("No potential is fitted: the account master names no channel, and channels are never mixed."))]
    printed = pd.DataFrame(
        {
            "channel": rows["channel"],
            "given": [t(GIVEN[v]) for v in rows["given"]],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "coverage": [t.percent(v, 1) for v in rows["coverage"]],
            "skill": [t.percent(v) for v in rows["skill"]],
            "reason": [t(v) for v in rows["reason"]],
        }
    )
    columns = [
        TableColumn("channel", t("Channel")),
        TableColumn("given", t("Told apart by")),
        TableColumn("accounts", t("Buyers"), "right"),
        TableColumn("coverage", t("At or under it"), "right"),
        TableColumn("skill", t("Better than one number"), "right"),
        TableColumn("reason", t("Verdict")),
    ]
    caption = t(
        "The {share} level of 12 months' revenue among similar accounts, checked on accounts left out of the fit.",
        share=t.percent(QUANTILE),
    )
    note = t("It is an upper level, not an average: most accounts will never buy as much.")
    return [table(printed, columns=columns, caption=caption, note=note)]


def look_alikes(run: Source, t: Translator) -> list[Block]:
    """Table of prospects with the buyers that they are most like."""
    rows = run.read("look_alikes")
    if rows.empty:
        return []
    names = run.read("accounts").set_index("account")["name"]
    largest = rows.groupby("account")["revenue"].max().sort_values(ascending=False, kind="stable").index[:LISTED]
    like = rows.assign(
        said=[f"{names[a]} ({t.money(v)})" for a, v in zip(rows["look_alike"], rows["revenue"], strict=True)]
    )
    said = like.pivot(index="account", columns="rank", values="said").reindex(largest)
    printed = pd.DataFrame({"name": names[largest].to_numpy()})
    for rank in said:
        printed[f"like{rank}"] = said[rank].fillna("").to_numpy()
    columns = [
        TableColumn("name", t("Prospect")),
        *(TableColumn(f"like{rank}", t("Look-alike {rank}", rank=int(rank))) for rank in said),
    ]
    note = t(
        "Buyers of the same channel that agree most in industry, region, country and size; revenue of the last 12 months."
    )
    return [table(printed, columns=columns, caption=t("Whom prospects are like."), note=note)]
