"""Potential: where each number comes from, how well the fitted ones hold, and whom prospects are like."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import N_, Translator
from kamlab.look_alikes import QUANTILE
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Source
from kamlab.segment_names import translated
from kamlab.strategies.wording import SOURCES
from kamlab.terms import POTENTIAL_SOURCES

GIVEN = {
    "firmographics": N_("industry, place, size"),
    "firmographics_and_mix": N_("industry, place, size, product mix"),
}
LISTED = 15
"""Prospects that are printed, those with the largest look-alike first."""

GUESS_BETTER = N_(
    "Tried on today's customers the likeliest segment is the right one for {right}; the largest segment of the channel would "
    "be for {naive}."
)
GUESS_NO_BETTER = N_(
    "Tried on today's customers the likeliest segment is the right one for {right}, and the largest segment of the channel "
    "for {naive}: what is known of a prospect tells nothing of its segment."
)
"""How often the guess is right, against one that knows nothing of the account."""


def sources(run: Source, t: Translator) -> list[Block]:
    """Table of the potentials by source, in falling order of trust."""
    amounts = ["potential_source", "potential_revenue", "wallet_share", "headroom"]
    rows = run.read("potential", columns=amounts).groupby("potential_source")
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


def likely_segments(run: Source, t: Translator) -> list[Block]:
    """Table of prospects with the segment that each would probably join, and how often such a guess was right."""
    rows, record = run.read("prospect_segments"), run.read_facts("prospect_segments")
    if rows.empty:
        return []
    names = run.read("accounts").set_index("account")["name"]
    worth = run.read("potential", columns=["account", "potential_revenue"])
    worth = worth.set_index("account")["potential_revenue"].astype(float)
    first = rows[rows["rank"] == 1].assign(worth=rows["account"].map(worth))
    first = first.sort_values(["worth", "account"], ascending=[False, True]).head(LISTED)
    printed = pd.DataFrame(
        {
            "name": first["account"].map(names),
            "worth": [t.money(value) for value in first["worth"]],
            "segment": [translated(name, t) for name in first["segment_name"]],
            "share": [t.percent(share) for share in first["share"]],
            "usual": [t.percent(share) for share in first["usual"]],
            "customers": [t.number(n) for n in first["customers"]],
        }
    )
    columns = [
        TableColumn("name", t("Prospect")),
        TableColumn("worth", t("Potential a year"), "right"),
        TableColumn("segment", t("Likeliest segment")),
        TableColumn("share", t("Of those most like it"), "right"),
        TableColumn("usual", t("Of all in its channel"), "right"),
        TableColumn("customers", t("Customers like it"), "right"),
    ]
    note = ""
    if record:
        template = GUESS_BETTER if record["better"] else GUESS_NO_BETTER
        note = t(template, right=t.percent(record["right"]), naive=t.percent(record["naive"]))
    caption = t("Which segment the largest prospects would probably join, by the customers that they are most like.")
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
