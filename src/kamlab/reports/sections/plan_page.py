"""The one or two pages of an account's plan: the customer, our position, goals and strategy, actions and review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from kamlab.i18n import MISSING, N_, SEMICOLONS, SENTENCES, Translator
from kamlab.reports.blocks import Block, Kpi, TableColumn, escape, kpis, text, written_table
from kamlab.reports.sections import plan_words as words
from kamlab.reports.sections.names import signed
from kamlab.reports.sections.plan_book import PlanPage
from kamlab.reports.sections.plan_card import TOP, blank, card, facts, folded, money, plain, position, strengths
from kamlab.strategies import guide, texts, wording
from kamlab.strategies.model import OVERRIDE

MOST_ACTIONS = 6
"""Rows of the list of actions, so that a plan has two pages; the run's tables hold all."""

UNSAID = ("future", "provisional", "override", "headroom", "no_owner")
"""Flags that other lines of the page say."""


PLAN_RULES: Mapping[str, str] = {
    "plan.type_a": N_("It has an account plan because it is of type A."),
    "plan.important_c": N_("It has an account plan because it is of type C and could buy much."),
    "plan.win_back": N_("It has an account plan because it is to be won back."),
}
"""Rule that asks for a plan → why, in a sentence."""


def page(case: PlanPage, t: Translator) -> list[Block]:
    """Return the blocks of one plan."""
    return [
        text(f"# {escape(case.row['name'])}\n\n{_opening(case, t)}"),
        _figures(case, t),
        text(t("## Customer and needs")),
        card(case, t),
        text(t("## Our position")),
        position(case, t),
        strengths(case, t),
        text(t("## Goals and strategy")),
        _goals(case, t),
        text(_tactics(case, t)),
        text(t("## Actions, resources, review")),
        _actions(case, t),
        _resources(case, t),
    ]


def _opening(case: PlanPage, t: Translator) -> str:
    """Type, strategy and owner, why, and what else is to be known at once."""
    row = case.row
    said = [
        t(
            "Type {type}, strategy **{strategy}**, kept by {owner}.",
            type=row["type_000"] or MISSING,
            strategy=_strategy_name(row["strategy"], t),
            owner=escape(case.plan["responsible"]) if case.plan["responsible"] else t("nobody yet"),
        ),
        escape(wording.reason(t, row)),
    ]
    flags = [flag for flag in plain(row["flags"]).split(", ") if flag in texts.FLAGS and flag not in UNSAID]
    return t.join(SENTENCES, [*said, *(t(texts.FLAGS[flag].meaning) for flag in flags)])


def _strategy_name(strategy: str, t: Translator) -> str:
    return t(texts.STRATEGIES[strategy].name) if strategy in texts.STRATEGIES else strategy


def _figures(case: PlanPage, t: Translator) -> Block:
    row, target = case.row, case.target
    now, before = row["trailing_revenue"], row["previous_revenue"]
    change = t("{change} on the 12 months before", change=signed(now / before - 1, t)) if before > 0 else ""
    value = t("Expected contribution") if case.contribution else t("Expected revenue")
    return kpis(
        [
            Kpi(t("Revenue, last 12 months"), t.money(now), change, "good" if now >= before else "warning"),
            Kpi(
                value,
                money(row["expected_contribution"], t),
                t("{level} interval: {interval}", level=t.percent(case.level), interval=_range(row, "contribution", t)),
            ),
            _share(row, t),
            Kpi(
                t("Target of revenue"),
                money(target["target"], t),
                t(
                    "forecast {forecast}; stretch {stretch}",
                    forecast=money(target["forecast"], t),
                    stretch=money(target["stretch"], t),
                ),
            )
            if target
            else Kpi(t("Target of revenue"), MISSING),
        ]
    )


def _share(row: Mapping[str, Any], t: Translator) -> Kpi:
    """Our share of what it could buy, or what it could buy where that tells no share."""
    source = texts.POTENTIALS.get(str(row["potential_source"]))
    if source is None:
        return Kpi(t("Potential a year"), MISSING, t("what it could buy is unknown"))
    potential = t(source, amount=t.money(row["potential_revenue"]))
    if pd.isna(row["wallet_share"]):
        return Kpi(t("Potential a year"), t.money(row["potential_revenue"]), potential)
    return Kpi(t("Share of its potential"), t.percent(row["wallet_share"]), t("of {potential}", potential=potential))


def _range(row: Mapping[str, Any], prefix: str, t: Translator) -> str:
    return t("{lower} to {upper}", lower=money(row[f"{prefix}_lower"], t), upper=money(row[f"{prefix}_upper"], t))


def _goals(case: PlanPage, t: Translator) -> Block:
    """What is expected, what is wanted, and which rule asks for this strategy."""
    row, plan, life, strategy = case.row, case.plan, case.lifetime, case.row["strategy"]
    advice = guide.ADVICE.get(strategy)
    rows = [
        (t("Goal"), t(advice.goal) if advice else MISSING),
        *_target(case.target, t),
        (t("Goals agreed on"), case.notes.get("goals") or blank(t)),
    ]
    if life:
        what = t("Contribution ahead") if case.contribution else t("Revenue ahead")
        years = [
            t(
                "{n} years {value} ({range})",
                n=n,
                value=money(life[f"clv_{n}y"], t),
                range=_range(life, f"clv_{n}y", t),
            )
            for n in (3, 5)
        ]
        rows.append((what, t.join(SEMICOLONS, years)))
    if case.contribution and case.cost_to_serve and row["cost_to_serve"] >= 1:
        rows.append((t("Cost to serve"), t("{money} a year, already taken off", money=t.money(row["cost_to_serve"]))))
    on_credit = [row[name] for name in ("receivables_cost", "credit_loss") if case.contribution and pd.notna(row[name])]
    if sum(on_credit) >= 1:
        taken = t.money(sum(on_credit))
        rows.append((t("Waiting for payment and credit losses"), t("{money} a year, already taken off", money=taken)))
    projects = [_project(p, t) for p in case.rows["projects"][:TOP]]
    rows += [(t("Projects and deals"), t.join(SEMICOLONS, projects))] if projects else []
    if row["strategy"] == "win_back":
        rows.append((t("Why it left"), case.notes.get("reason_lost") or blank(t)))
    why = PLAN_RULES.get(plan["rule"])
    note = [t("It has an account plan by rule {rule}.", rule=plan["rule"]) if why is None else t(why)]
    if row["strategy_inputs"] and row["strategy_rule"] != OVERRIDE:
        inputs = wording.written(t, row["strategy_inputs"])
        note.append(t("What its strategy was decided by: {inputs}.", inputs=inputs))
    return facts(folded(rows, t), t, caption=t("What we want to reach."), note=t.join(SENTENCES, note))


def _target(target: Mapping[str, Any], t: Translator) -> Iterable[tuple[str, str]]:
    """Return what work is to add to the forecast, which target was set, and how many units that is at which price."""
    if not target:
        return
    if target["p80"] >= 1:
        yield (
            t("Forecast of revenue"),
            t(
                "as likely above as below {p50}; one year in five brings more than {p80}",
                p50=money(target["p50"], t),
                p80=money(target["p80"], t),
            ),
        )
    yield (
        t("Planned gain"),
        t(
            "{gain} ({range}) that planned work is assumed to add",
            gain=money(target["gain"], t),
            range=_range(target, "gain", t),
        ),
    )
    if pd.notna(target["plan"]):
        yield (
            t("Target that was set"),
            t(
                "{plan}; the forecast alone reaches it with a probability of {chance}",
                plan=t.money(target["plan"]),
                chance=t.percent(target["chance"]),
            ),
        )
    if pd.notna(target["price"]) and pd.notna(target["quantity"]):
        yield (
            t("Price and quantity"),
            t(
                "{quantity} units at today's mean price of {price}",
                quantity=t.number(target["quantity"]),
                price=t.money(target["price"]),
            ),
        )


def _project(project: Mapping[str, Any], t: Translator) -> str:
    value = t.money(project["value"])
    if project["kind"] == "deal":
        return t(
            "deal {id} ({name}): {value}, won with a probability of {chance}",
            id=str(project["id"]),
            name=plain(project["name"]) or MISSING,
            value=value,
            chance=t.percent(project["probability"]),
        )
    until = t.date(project["end"].date()) if pd.notna(project["end"]) else MISSING
    return t(
        "{name}: {value}, until {date}", name=plain(project["name"]) or str(project["id"]), value=value, date=until
    )


def _tactics(case: PlanPage, t: Translator) -> str:
    """How the strategy is followed here: its tactics, and those of the company's own playbook."""
    strategy = case.row["strategy"]
    if strategy not in texts.STRATEGIES:
        return MISSING
    heading = t(
        "**{strategy}.** {meaning}", strategy=_strategy_name(strategy, t), meaning=t(texts.STRATEGIES[strategy].meaning)
    )
    lines = guide.tactics(t, strategy, case.playbook)
    own = [tactic.text for tactic in case.playbook.tactics]
    return f"{heading}\n\n" + "\n".join(f"- {escape(line) if line in own else line}" for line in lines)


def _actions(case: PlanPage, t: Translator) -> Block:
    """Who does what until when: agreed on first, then what the data asks for."""
    actions = case.rows["actions"][:MOST_ACTIONS]
    lines = [
        [
            words.action(t, row),
            words.who(t, row),
            t.date(row["due"].date()) if row["due"] is not None else blank(t),
            t(words.STATES[row["state"]]),
        ]
        for row in actions
    ]
    lines.append([blank(t), blank(t), blank(t), ""])
    columns = [
        TableColumn("what", t("What"), width=40),
        TableColumn("who", t("Who"), width=23),
        TableColumn("due", t("Until when"), width=16),
        TableColumn("state", t("State"), width=10),
    ]
    more = len(case.rows["actions"]) - len(actions)
    note = t.plural("{n} more action stands in the run's tables.", "{n} more actions stand in the run's tables.", more)
    caption = t("Actions agreed on, and those that the data asks for.")
    return written_table(lines, columns=columns, caption=caption, note=note if more else "")


def _resources(case: PlanPage, t: Translator) -> Block:
    """How close we work, who else is needed, when the plan is reviewed, and what comes after this year."""
    strategy, kind, plan = case.row["strategy"], case.row["type_000"], case.plan
    rows = []
    engagement = guide.SCHEMES["engagement_001"].get(case.labels.get("engagement_001", ""))
    if engagement:
        rows.append((t("How closely"), t("{name}: {meaning}", name=t(engagement.name), meaning=t(engagement.meaning))))
    advice = guide.ADVICE.get(strategy)
    effort = [guide.EFFORT[kind].resources] if kind in guide.EFFORT else []
    effort += [advice.resources] if advice else []
    if effort:
        rows.append((t("Effort"), t.join(SENTENCES, map(t, effort))))
    rows += [
        (t("Executives needed"), case.notes.get("executives") or blank(t)),
        (t("Experts and training needed"), case.notes.get("experts") or blank(t)),
    ]
    if pd.notna(plan["interval_days"]):
        rows.append((t("Contacts"), _contacts(plan, t)))
    reviewed = t("at the end of each quarter: {days}", days=t.join(SEMICOLONS, map(t.date, case.reviews)))
    rows.append((t("Reviews"), reviewed))
    tasks = [
        t("{name}: {meaning}", name=t(guide.DEPARTMENT_NAMES[name]), meaning=t(by_strategy[strategy]))
        for name, by_strategy in guide.DEPARTMENTS.items()
        if strategy in by_strategy
    ]
    rows += [(t("Departments"), t.join(SENTENCES, tasks))] if tasks else []
    rows += [(t("Steps"), t.join(SENTENCES, _horizons(case, advice, t)))] if advice else []
    return facts(folded(rows, t), t, caption=t("Resources, review, and the years to come."))


def _contacts(plan: Mapping[str, Any], t: Translator) -> str:
    days, due = int(plan["interval_days"]), t.date(plan["next_contact"].date())
    if pd.isna(plan["last_contact"]):
        return t("every {days} days; none is on record, the next is due by {next}", days=days, next=due)
    last = t.date(plan["last_contact"].date())
    return t("every {days} days; the last was {last}, the next is due by {next}", days=days, last=last, next=due)


def _horizons(case: PlanPage, advice: guide.Advice, t: Translator) -> Iterable[str]:
    """Return the steps of one, three and five years: the strategy's, and what people want beyond them."""
    for label, step, field in (
        (N_("Within 12 months"), advice.short, ""),
        (N_("In three years"), advice.mid, "mid_term"),
        (N_("In five years"), advice.long, "long_term"),
    ):
        own = [case.notes[field]] if field in case.notes else []
        yield t("{name}: {meaning}", name=t(label), meaning=t.join(SENTENCES, [t(step), *own]))
