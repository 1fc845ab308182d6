"""Effort against value: where hours go, where headroom and value at risk lie, and a shift within the same hours."""

from __future__ import annotations

import pandas as pd

from kamlab.figures import effort as picture
from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.source import Interval, Source, is_contribution
from kamlab.strategies.texts import STRATEGIES

TOP = 8


def advice(run: Source, t: Translator) -> list[Block]:
    """The same sentence as `line`, as a block."""
    return [text(said) for said in line(run, t)]


def line(run: Source, t: Translator) -> list[str]:
    """Say in one sentence what a shift of hours is assumed to bring; nothing without a table of hours."""
    facts = run.read_facts("effort")
    if not facts or not facts["moved"] >= 1:
        return []
    return [
        t(
            "Moving {moved} of {hours} hours to accounts with more headroom or more at risk is assumed to bring {gain} a year "
            "({level} interval: {interval}); how accounts respond to hours is an assumption, no measurement.",
            moved=t.number(facts["moved"]),
            hours=t.number(facts["hours"]),
            gain=t.money(facts["gain"]),
            level=t.percent(run.config.value.level),
            interval=Interval(0, facts["lower"], facts["upper"]).text(t),
        )
    ]


def section(run: Source, t: Translator) -> list[Block]:
    """The whole chapter; one line says so where no hours are given."""
    blocks: list[Block] = [text(t("## Effort against value"))]
    hours = run.read("effort")
    drawn = picture.draw(hours, t)
    if drawn is None:
        return [
            *blocks,
            text(t("No hours are given for the last 12 months: map a table of effort to see where they go.")),
        ]
    caption = t(
        "Shares of hours (full bars), of the proposed hours (marks) and of the money that work could win or keep."
    )
    blocks.append(figure(drawn, caption=caption, alt=picture.alt(hours, t)))
    return [*blocks, text(t.join(SENTENCES, [*line(run, t), *_grounds(run, t)])), *_more(run, hours, t)]


def _grounds(run: Source, t: Translator) -> list[str]:
    """Say what the proposal rests on, when it would not pay, and how much capacity there is."""
    facts = run.read_facts("effort")
    least, likely, most = run.config.planning.effort_elasticity
    said = []
    if facts["moved"] >= 1:
        said.append(
            t(
                "Assumed: at {usual} hours a year, the mean of the accounts that get any, an account wins the share of its room "
                "that targets assume, and {one} more hours win {likely} more ({least} to {most}, as studies of personal "
                "selling found). Hours stay with their owner; no account loses more than a quarter of its hours. The gain is part "
                "of what targets count as planned gain, not on top of it.",
                usual=t.number(facts["usual_hours"]),
                one=t.percent(0.01),
                likely=t.percent(likely / 100, 1),
                least=t.percent(least / 100, 1),
                most=t.percent(most / 100, 1),
            )
        )
        if facts["at_stake"] > 0:
            said.append(
                t(
                    "The gain is gone if accounts that get fewer hours bring {share} less for it. That cannot be seen in the "
                    "data: hours follow orders as much as orders follow hours. Try the shift with some owners first.",
                    share=t.percent(facts["gain"] / facts["at_stake"], 1),
                )
            )
    if "capacity" in facts:
        said.append(
            t(
                "On record are {hours} hours of the {capacity} that people in sales have for customers.",
                hours=t.number(facts["hours"]),
                capacity=t.number(facts["capacity"]),
            )
        )
        if facts["beyond"]:
            said.append(
                t.plural(
                    "{n} person spends more than there are.",
                    "{n} people spend more than they have.",
                    facts["beyond"],
                )
            )
    return said


def _more(run: Source, hours: pd.DataFrame, t: Translator) -> list[Block]:
    """Table of the accounts that would get more hours, by the assumed gain."""
    rows = hours[hours["hours_proposed"] >= hours["hours"] + 1]
    if rows.empty:
        return []
    rows = rows.merge(run.read("accounts")[["account", "name"]], on="account")
    shown = rows.sort_values(["gain", "account"], ascending=[False, True]).head(TOP)
    printed = pd.DataFrame(
        {
            "name": shown["name"],
            "owner": shown["owner"],
            "strategy": [t(STRATEGIES[str(name)].name) for name in shown["strategy"]],
            "now": [t.number(v) for v in shown["hours"]],
            "proposed": [t.number(v) for v in shown["hours_proposed"]],
            "gain": [t.money(v) for v in shown["gain"]],
            "interval": [
                Interval(0, a, b).text(t) for a, b in zip(shown["gain_lower"], shown["gain_upper"], strict=True)
            ],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("owner", t("Owner")),
        TableColumn("strategy", t("Strategy")),
        TableColumn("now", t("Hours"), "right"),
        TableColumn("proposed", t("Proposed"), "right"),
        TableColumn("gain", t("Assumed gain"), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(run.config.value.level)), "right"),
    ]
    caption = (
        t("Accounts that would get more hours, by the contribution that is assumed to come of it a year.")
        if is_contribution(run)
        else t("Accounts that would get more hours, by the revenue that is assumed to come of it a year.")
    )
    fewer = int((hours["hours_proposed"] <= hours["hours"] - 1).sum())
    notes = (
        [t.plural("{n} account would get fewer hours.", "{n} accounts would get fewer hours.", fewer)] if fewer else []
    )
    more = len(rows) - len(shown)
    if more:
        notes.insert(0, t.plural("{n} more would get more hours.", "{n} more would get more hours.", more))
    return [table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, notes))]
