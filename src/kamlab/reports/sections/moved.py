"""Who moved between classes since the run before, or since a quarter ago where there was none, why and with what money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from kamlab import history
from kamlab.figures import flow
from kamlab.figures.words import LEVELS, with_currency, without_currency
from kamlab.i18n import N_, Translator
from kamlab.period import QUARTER_DAYS
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.source import Source, labelled
from kamlab.strategies import texts, wording

TOP = 8

FINDING = N_("{up} accounts rose in class and {down} fell")

WHY = {
    "cleared": N_("its interval lies beyond the border"),
    "second_period": N_("beyond the border for the second quarter"),
}
"""Why a class changed, of those recomputed from the ledger."""


@dataclass(frozen=True, eq=False)
class Moves:
    """Accounts of both dates: account, name, before, after (classes), value_before, value_now (currency), why.

    since : the earlier date; kept : whether the run of that day is kept, else it was recomputed from the same log.
    """

    rows: pd.DataFrame
    since: date
    kept: bool

    @property
    def moved(self) -> pd.DataFrame:
        """Accounts whose class changed, largest change of value first."""
        rows = self.rows[self.rows["before"].notna() & (self.rows["before"] != self.rows["after"])]
        change = (rows["value_now"] - rows["value_before"]).abs()
        return rows.assign(size=change).sort_values(["size", "account"], ascending=[False, True])


def moves(run: Source) -> Moves:
    """Return the accounts' classes then and now."""
    names = run.read("accounts").set_index("account")["name"]
    found = run.read("comparison")
    if len(found):
        rows = found[found["contribution_class_now"].notna()].rename(
            columns={"contribution_class_before": "before", "contribution_class_now": "after"}
        )
        since = pd.Timestamp(run.read_facts("comparison")["since"]).date()
        return Moves(rows.assign(why=""), since, kept=True)
    rows = run.read("transitions", where={"column": ["contribution_class"]})
    rows = rows.rename(columns={"held": "after", "value": "value_now"})
    since = run.period.calibration_end - timedelta(days=QUARTER_DAYS)
    return Moves(rows.assign(name=rows["account"].map(names)), since, kept=False)


def line(run: Source, t: Translator) -> list[str]:
    """Say how many accounts rose and fell since the earlier date, and with what money."""
    found = moves(run)
    known = found.rows[found.rows["before"].notna()]
    if known.empty:
        return [t("The log is too short to recompute the quarter before, so nothing can be said of movement.")]
    rank = {level: place for place, level in enumerate(LEVELS)}
    step = known["after"].map(rank) - known["before"].map(rank)
    message = (
        N_("Since the run of {date}, {up} accounts rose in class (expected value {risen}), {down} fell ({fallen}).")
        if found.kept
        else N_(
            "Since {date}, recomputed from the same log, {up} accounts rose in class (expected value {risen}), {down} fell "
            "({fallen})."
        )
    )
    value = {
        name: t(
            "{before} → {after}", before=t.money(rows["value_before"].sum()), after=t.money(rows["value_now"].sum())
        )
        for name, rows in (("risen", known[step > 0]), ("fallen", known[step < 0]))
    }
    return [
        t(
            message,
            date=found.since,
            up=t.number((step > 0).sum()),
            down=t.number((step < 0).sum()),
            **value,
        )
    ]


def section(run: Source, t: Translator) -> list[Block]:
    """The chapter: a picture of the streams, moves between strategies where a run is kept, and who moved most and why."""
    found = moves(run)
    blocks: list[Block] = [text(t("## Who moved, and why")), text(line(run, t)[0])]
    streams = found.rows.rename(columns={"value_now": "money"})[["before", "after", "money"]]
    panel = flow.Panel(t.date(found.since), t.date(run.period.calibration_end), streams, FINDING)
    drawn = flow.draw([panel], t) if streams["before"].notna().any() else None
    if drawn is not None:
        caption = t(
            "Accounts and their expected value by class, then and now; streams are as wide as the value that moves."
        )
        blocks.append(figure(drawn, caption=caption, alt=flow.alt([panel], t)))
    return [*blocks, *_strategies(run, t), *_most(run, found, t)]


def _strategies(run: Source, t: Translator) -> list[Block]:
    """Table of the moves between strategies; nothing without a run before."""
    found = run.read("comparison")
    rows = history.moves(found[found["status"] == "both"], "strategy") if len(found) else pd.DataFrame()
    rows = rows[(rows["before"] != "") & (rows["after"] != "")] if len(rows) else rows
    if rows.empty:
        return []
    printed = pd.DataFrame(
        {
            "before": [t(texts.STRATEGIES[name].name) for name in rows["before"]],
            "after": [t(texts.STRATEGIES[name].name) for name in rows["after"]],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "change": [t.money(v) for v in rows["value_change"]],
        }
    ).head(TOP)
    columns = [
        TableColumn("before", t("Strategy then")),
        TableColumn("after", t("Strategy now")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("change", t("Change of expected value"), "right"),
    ]
    return [table(printed, columns=columns, caption=t("Accounts that changed strategy since the run before."))]


def _most(run: Source, found: Moves, t: Translator) -> list[Block]:
    """Table of the accounts that moved with most money, each with the reason of its strategy today."""
    rows = found.moved
    if rows.empty:
        return [text(t("No account changed its class."))]
    shown, plain = rows.head(TOP), without_currency(t)
    now = labelled(run).set_index("account")
    because = [
        wording.reason(t, now.loc[account].to_dict()) if account in now.index else "" for account in shown["account"]
    ]
    why = [t(WHY[row.why]) if row.why in WHY else "" for row in shown.itertuples()]
    printed = pd.DataFrame(
        {
            "name": shown["name"].fillna(shown["account"]).to_numpy(),
            "class": [
                t("{before} → {after}", before=t(LEVELS[a]), after=t(LEVELS[b]))
                for a, b in zip(shown["before"], shown["after"], strict=True)
            ],
            "value": [
                t("{before} → {after}", before=plain.money(a), after=plain.money(b))
                for a, b in zip(shown["value_before"], shown["value_now"], strict=True)
            ],
            "why": because,
            "held": why,
        }
    )
    columns = [
        TableColumn("name", t("Account"), width=22),
        TableColumn("class", t("Class"), width=14),
        TableColumn("value", with_currency(t("Expected value"), t), "right"),
        TableColumn("why", t("Why this strategy"), width=34),
        *([TableColumn("held", t("Why the class changed"), width=16)] if any(why) else []),
    ]
    caption = t.plural(
        "{n} account changed class.", "{n} accounts changed class; those whose expected value changed most.", len(rows)
    )
    return [table(printed, columns=columns, caption=caption)]
