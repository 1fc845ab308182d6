"""What is asked of management: each decision with its accounts, money, people, day and expected gain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pandas as pd

from kamlab import gains, totals
from kamlab.figures.words import without_currency
from kamlab.i18n import N_, SEMICOLONS, SENTENCES, Translator
from kamlab.ids import among
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import (
    Interval,
    Source,
    has_flag,
    is_contribution,
    labelled,
    leaving,
    losing,
    present_owners,
    reachable,
)
from kamlab.strategies import texts

NAMES = {
    "protect": N_("Protect: buy less"),
    "win_back": N_("Win back: silent"),
    "promote": N_("Promote: could buy more"),
    "acquire": N_("Acquire: prospects"),
    "repair": N_("Repair: lose money"),
}
AT_STAKE = N_(
    "At stake in revenue: best 12 months less what is expected, prospects' potential; in contribution: headroom, loss of "
    "the last 12 months. Days and leaders are proposals."
)
AT_STAKE_REVENUE = N_(
    "At stake: best 12 months less what is expected; headroom; prospects' potential. Days and leaders are proposals."
)
DAYS = {"protect": 30, "win_back": 30, "promote": 90, "acquire": 90, "repair": 60}
"""Proposed days until the first result is reported: what is slipping away cannot wait for the quarter's review."""


def asked_for(run: Source) -> dict[str, tuple[pd.DataFrame, float]]:
    """Return the accounts of each decision and the money it is about (currency a year); those without are left out.

    Protect and win back: best 12 months less what is expected. Develop: headroom. Win prospects: their potential.
    Repair: what they lost in the last 12 months.
    """
    accounts = labelled(run)
    fading, room, loss = leaving(accounts), reachable(accounts), losing(accounts)
    prospects = accounts[accounts["strategy"] == "acquire"]
    found = {
        "protect": (fading[~fading["gone"]], "loss"),
        "win_back": (fading[fading["gone"]], "loss"),
        "promote": (room, "headroom"),
        "acquire": (prospects, "potential_revenue"),
        "repair": (loss.assign(trailing_margin=-loss["trailing_margin"]), "trailing_margin"),
    }
    return {name: (rows, float(rows[money].sum())) for name, (rows, money) in found.items() if len(rows)}


def expected_gain(run: Source, name: str, rows: pd.DataFrame) -> Interval:
    """Return what a decision is expected to win in 12 months, in contribution, with its interval.

    Of repair it is what the accounts are forecast to lose, by the forecast's joint draws; of the others the room of each
    account × the share that planned work is assumed to win.
    """
    level = run.config.value.level
    if name == "repair":
        drawn = -totals.sums(_draws(run, rows["account"])).clip(upper=0.0)
        expected = run.read("forecast", columns=["account", "expected_contribution"])
        expected = expected.set_index("account")["expected_contribution"]
        value = max(0.0, -float(expected.reindex(rows["account"]).sum()))
    else:
        rooms = run.read("gains")
        rooms = rooms[among(rooms["account"], rows["account"])]
        shares = gains.share_draws(run.config.planning.gain, n_draws=run.config.value.draws, seed=run.config.seed)
        drawn = gains.gain_draws(rooms, pd.Series(name, rooms.index), shares, column="room_contribution")
        value = float(rooms["gain_contribution"].sum())
    bounds = totals.interval(drawn, level).iloc[0]
    return Interval(value, float(bounds["lower"]), float(bounds["upper"]))


def _draws(run: Source, accounts: pd.Series) -> pd.DataFrame:
    draws = run.read("draws")
    return draws[among(draws["account"], accounts)]


def table_of_decisions(run: Source, t: Translator) -> list[Block]:
    """Decisions requested, one a line: whom, how much money, who leads, until when, and what it should bring."""
    found = asked_for(run)
    if not found:
        return [text(t("## What is asked") + "\n\n" + t("No account asks for a decision."))]
    as_of, owned = run.period.calibration_end, run.read("accounts")["owner"].notna().any()
    won = {name: expected_gain(run, name, rows) for name, (rows, _) in found.items()}
    printed = pd.DataFrame(
        {
            "decision": [t(NAMES[name]) for name in found],
            "accounts": [t.number(len(rows)) for rows, _ in found.values()],
            "money": [t.money(money) for _, money in found.values()],
            "people": [t.number(present_owners(rows).nunique()) for rows, _ in found.values()],
            "led": [_led(rows, t) for rows, _ in found.values()],
            "until": [t.date(as_of + timedelta(days=DAYS[name])) for name in found],
            "gain": [_gain(gain, t) for gain in won.values()],
        }
    )
    gain = (
        N_("Gain in contribution ({level} interval)")
        if is_contribution(run)
        else N_("Gain in revenue ({level} interval)")
    )
    stake = AT_STAKE if is_contribution(run) else AT_STAKE_REVENUE
    columns = [
        TableColumn("decision", t("Decision")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("money", t("At stake a year"), "right"),
        *([TableColumn("people", t("People"), "right"), TableColumn("led", t("Led by"))] if owned else []),
        TableColumn("until", t("First result by")),
        TableColumn("gain", t(gain, level=t.percent(run.config.value.level)), "right"),
    ]
    return [
        text(t("## What is asked")),
        table(
            printed,
            columns=columns,
            caption=t("Decisions requested, for the next 12 months."),
            note=t.join(SENTENCES, [t(stake), *_assumed(run, found, t)]),
        ),
    ]


def _gain(gain: Interval, t: Translator) -> str:
    """Write a gain with its bounds, short enough for a cell."""
    short = without_currency(t)
    return t(
        "{value} ({interval})",
        value=t.money(gain.value),
        interval=t("{lower} to {upper}", lower=short.money(gain.lower), upper=short.money(gain.upper)),
    )


def _led(rows: pd.DataFrame, t: Translator) -> str:
    """Name the owner of most of the accounts."""
    counts = present_owners(rows).dropna().value_counts()
    return t("nobody yet") if counts.empty else str(min(counts[counts == counts.iloc[0]].index))


def _assumed(run: Source, found: Mapping[str, object], t: Translator) -> list[str]:
    """Say what the gains rest on."""
    shares = run.config.planning.gain
    names = {"promote": "promote", "win_back": "win_back", "acquire": "acquire", "protect": "win_back"}
    said = dict.fromkeys(names[name] for name in found if name in names and names[name] in shares)
    spans = [
        t(
            "{decision}: {least} to {most}",
            decision=t(texts.STRATEGIES[strategy].name),
            least=t.percent(shares[strategy][0]),
            most=t.percent(shares[strategy][2]),
        )
        for strategy in said
    ]
    if not spans:
        return []
    return [
        t(
            "Gains are assumed shares of the room ({shares}): no record shows what such work wins.",
            shares=t.join(SEMICOLONS, spans),
        )
    ]


def people(run: Source, t: Translator) -> list[Block]:
    """One line on people, and one on money that key accounts owe."""
    lines = [*_people(run, t), *_owed(run, t)]
    return [text("\n".join(f"- {line}" for line in lines))] if lines else []


def _people(run: Source, t: Translator) -> list[str]:
    found = run.read_facts("headcount")
    if not found["had"]:
        return []
    said = [
        t.plural(
            "**People:** {n} looks after accounts; the ratio 1:1 to 1:5 gives {least} to {most}, a rule and no proof of need.",
            "**People:** {n} look after accounts; the ratio 1:1 to 1:5 gives {least} to {most}, a rule and no proof of need.",
            found["had"],
            least=t.number(found["least"]),
            most=t.number(found["most"]),
        )
    ]
    cost = run.config.planning.cost_per_person
    if cost is None:
        said.append(t("How many are affordable is not known: no cost of a person is set."))
    else:
        said.append(
            t(
                "Expected gains would pay for {n}, at {cost} a person and year.",
                n=t.number(found["affordable"], digits=1),
                cost=t.money(cost),
            )
        )
    return [t.join(SENTENCES, said)]


def _owed(run: Source, t: Translator) -> list[str]:
    paying = run.read("credit")
    if paying.empty:
        return []
    strategies = run.read("strategies", columns=["account", "plan_required", "flags"])
    key = strategies.loc[strategies["plan_required"], "account"]
    rows = paying[paying["account"].isin(key)]
    held = has_flag(strategies[strategies["account"].isin(key)], "hold")
    return [
        t(
            "**Money owed by key accounts:** {overdue} overdue ({old} over 90 days), {disputed} disputed; {n} on hold.",
            overdue=t.money(rows["overdue"].sum()),
            old=t.money(rows["overdue_90"].sum()),
            disputed=t.money(rows["disputed"].sum()),
            n=t.number(int(held.sum())),
        )
    ]
