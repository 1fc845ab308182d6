"""The period review: actual against plan and forecast, who moved and why, agreed actions, stale plans."""

from __future__ import annotations

import pandas as pd

from kamlab import history
from kamlab.figures.words import without_currency
from kamlab.i18n import MISSING, N_, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections import moved, targets
from kamlab.reports.sections.names import ended, signed
from kamlab.reports.sections.source import Interval, Source
from kamlab.strategies import texts
from kamlab.totals import COMPANY

TOP = 8
"""Rows printed of a list."""

DATE_WIDTH = 19
"""Characters that a day takes in any language."""

GROUPS = {
    "done": N_("An agreed action was done"),
    "not_done": N_("Agreed on, nothing done"),
    "none": N_("No action agreed on"),
}


def brief(run: Source, t: Translator) -> list[Block]:
    """The first page's answers, one line each."""
    revenue = run.read_facts("revenue")
    lines = [t("Revenue of the last 12 months: **{now}**.", now=t.money(revenue["trailing"]))]
    if revenue["previous"] and revenue["previous"] > 0:
        change = signed(revenue["trailing"] / revenue["previous"] - 1, t)
        lines = [
            t(
                "Revenue of the last 12 months: **{now}**, against {before} in the 12 before ({change}).",
                now=t.money(revenue["trailing"]),
                before=t.money(revenue["previous"]),
                change=change,
            )
        ]
    lines += targets.against_plan(run, t) or [t("No plan is given for these 12 months.")]
    lines += [*_forecast_line(run, t), *moved.line(run, t), *actions_line(run, t), *_stale_line(run, t)]
    return [text(t("# The period in brief") + "\n\n" + "\n".join(f"- {ended(line)}" for line in lines))]


def _forecast_line(run: Source, t: Translator) -> list[str]:
    """Say how last year's forecast of the company stood, and whether a simple rule was nearer."""
    rows = run.read("held_against")
    if rows.empty:
        return [t("The log is too short to test the forecast on a period that has already passed.")]
    whole = rows[rows["kind"] == COMPANY].iloc[0]
    if not whole["actual"] > 0 or not whole["expected"] > 0:
        return []
    bias = whole["expected"] / whole["actual"] - 1
    said = [
        t(
            "The forecast recomputed as of {day}: {expected} ({level} interval: {interval}) of the accounts known then; "
            "{actual} came (forecast {bias}).",
            day=pd.Timestamp(whole["made_on"]).date(),
            expected=t.money(whole["expected"]),
            level=t.percent(whole["level"]),
            interval=Interval(0, whole["lower"], whole["upper"]).text(t),
            actual=t.money(whole["actual"]),
            bias=signed(bias, t),
        )
    ]
    if pd.notna(whole["naive"]):
        naive = whole["naive"] / whole["actual"] - 1
        message = (
            N_("“Same as the year before” would have said {naive} ({bias}) and was nearer.")
            if abs(naive) < abs(bias)
            else N_("“Same as the year before” would have said {naive} ({bias}).")
        )
        said.append(t(message, naive=t.money(whole["naive"]), bias=signed(naive, t)))
    return [t.join(SENTENCES, said)]


def against_forecast(run: Source, t: Translator) -> list[Block]:
    """Table of last year's forecast by owner against what came; nothing where there is none."""
    rows = run.read("held_against")
    rows = rows[rows["kind"] == "owner"]
    if len(rows) < 2:
        return []
    shown = rows.assign(gap=(rows["actual"] - rows["expected"]).abs())
    shown = shown.sort_values(["gap", "group"], ascending=[False, True]).head(TOP)
    inside = rows["actual"].between(rows["lower"], rows["upper"])
    plain = without_currency(t)
    printed = pd.DataFrame(
        {
            "owner": shown["group"],
            **{name: [plain.money(v) for v in shown[name]] for name in ("expected", "actual", "naive")},
            "interval": [Interval(0, a, b).text(plain) for a, b in zip(shown["lower"], shown["upper"], strict=True)],
            "bias": [
                signed(e / a - 1, t) if a > 0 else None for e, a in zip(shown["expected"], shown["actual"], strict=True)
            ],
        }
    )
    level = t.percent(run.config.value.level)
    columns = [
        TableColumn("owner", t("Owner")),
        TableColumn("expected", t("Forecast"), "right"),
        TableColumn("interval", t("{level} interval", level=level), "right"),
        TableColumn("actual", t("Came"), "right"),
        TableColumn("bias", t("Forecast off by"), "right"),
        TableColumn("naive", t("Same as before"), "right"),
    ]
    caption = t(
        "What was to be expected of each owner's accounts on {day} for the 12 months since, against what came; those furthest "
        "off first.",
        day=pd.Timestamp(rows["made_on"].iloc[0]).date(),
    )
    note = t(
        "Recomputed from the same log in today's way; {inside} of {n} owners came inside "
        "their interval. Revenue counts for the owner that an account has today.",
        inside=t.number(inside.sum()),
        n=t.number(len(rows)),
    )
    return [table(printed, columns=columns, caption=caption, note=note)]


def plan_and_forecast(run: Source, t: Translator) -> list[Block]:
    """The chapter on plan and forecast: quarters, owners against plan, owners against forecast."""
    blocks = [*targets.by_quarter(run, t), *targets.year_by_owner(run, t), *against_forecast(run, t)]
    return [text(t("## Actual against plan and forecast")), *blocks]


def actions_line(run: Source, t: Translator) -> list[str]:
    """Say in one sentence what became of the last 12 months' actions; nothing without a table of actions."""
    facts = run.read_facts("actions_review")
    if not facts or not facts["agreed"]:
        return []
    return [
        t(
            "Of {agreed} actions agreed on, due or done in the last 12 months, {done} were done in time, {late} late; {overdue} "
            "are overdue and {open} open.",
            **{name: t.number(facts[name]) for name in ("agreed", *history.STATES)},
        )
    ]


def actions_in_short(run: Source, t: Translator) -> list[str]:
    """Say the same in half a line, for the first page."""
    facts = run.read_facts("actions_review")
    if not facts or not facts["agreed"]:
        return []
    return [
        t(
            "Agreed actions of the last 12 months: {done} of {agreed} done, {late} of them late; {overdue} overdue.",
            done=t.number(facts["done"] + facts["late"]),
            **{name: t.number(facts[name]) for name in ("agreed", "late", "overdue")},
        )
    ]


def actions(run: Source, t: Translator) -> list[Block]:
    """The chapter on actions: how accounts with and without fared, which is no effect, and what is overdue."""
    heading = text(t("## What the agreed actions brought"))
    if not run.read_facts("actions_review"):
        return [heading, text(t("No actions are given: map a table of actions to follow what was agreed on."))]
    said = actions_line(run, t) or [t("No action was agreed on, due or done in the last 12 months.")]
    return [heading, text(said[0]), *_growth(run, t), *_overdue(run, t)]


def _growth(run: Source, t: Translator) -> list[Block]:
    rows = run.read("actions_result")
    if rows.empty:
        return []
    printed = pd.DataFrame(
        {
            "group": [t(GROUPS[name]) for name in rows["group"]],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "before": [t.money(v) for v in rows["revenue_before"]],
            "now": [t.money(v) for v in rows["revenue_now"]],
            "growth": [signed(v, t) for v in rows["growth"]],
            "interval": [
                t("{lower} to {upper}", lower=signed(a, t), upper=signed(b, t))
                for a, b in zip(rows["lower"], rows["upper"], strict=True)
            ],
        }
    )
    columns = [
        TableColumn("group", t("Group of accounts")),
        TableColumn("accounts", t("Number"), "right"),
        TableColumn("before", t("12 months before"), "right"),
        TableColumn("now", t("Last 12 months"), "right"),
        TableColumn("growth", t("Growth"), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(run.config.value.level)), "right"),
    ]
    note = t(
        "Association only: actions go to accounts that were chosen for a reason, which may explain the difference. Interval: "
        "by resampling accounts."
    )
    return [table(printed, columns=columns, caption=t("Revenue of accounts with and without actions."), note=note)]


def _overdue(run: Source, t: Translator) -> list[Block]:
    rows = run.read("actions_review")
    rows = rows[rows["state"] == "overdue"]
    if rows.empty:
        return [text(t("No action is overdue."))]
    names = run.read("accounts").set_index("account")["name"]
    shown = rows.sort_values(["days_late", "action"], ascending=[False, True]).head(TOP)
    printed = pd.DataFrame(
        {
            "name": shown["account"].map(names).fillna(shown["account"]),
            "text": shown["text"],
            "owner": shown["owner"],
            "due": [t.date(day) for day in shown["due"]],
            "late": [t.number(n) for n in shown["days_late"]],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("text", t("Action")),
        TableColumn("owner", t("Owner")),
        TableColumn("due", t("Due"), "right", DATE_WIDTH),
        TableColumn("late", t("Days late"), "right"),
    ]
    caption = t.plural("{n} action is overdue.", "{n} actions are overdue, the oldest first.", len(rows))
    return [table(printed, columns=columns, caption=caption)]


def _stale_line(run: Source, t: Translator) -> list[str]:
    rows = run.read("plans")
    planned, stale = rows[rows["planned"]], rows[rows["stale"]]
    if stale.empty:
        return []
    return [
        t(
            "{stale} of {n} account plans are stale: nobody has written into them for {days} days, {never} never.",
            stale=t.number(len(stale)),
            n=t.number(len(planned)),
            days=t.number(run.config.plans.stale_after_days),
            never=t.number(stale["updated"].isna().sum()),
        )
    ]


def stale_plans(run: Source, t: Translator) -> list[Block]:
    """The chapter on plans that nobody has touched for a quarter, those with most at stake first."""
    blocks: list[Block] = [text(t("## Stale plans"))]
    rows = run.read("plans")
    stale = rows[rows["stale"]]
    if stale.empty:
        return [*blocks, text(t("Every account plan has been worked on within its time."))]
    shown = stale.sort_values(["at_stake", "account"], ascending=[False, True]).head(TOP)
    printed = pd.DataFrame(
        {
            "name": shown["name"],
            "owner": shown["responsible"].replace("", None),
            "strategy": [t(texts.STRATEGIES[name].name) for name in shown["strategy"]],
            "stake": [t.money(v) for v in shown["at_stake"]],
            "updated": [t("never") if pd.isna(day) else t.date(day) for day in shown["updated"]],
            "contact": [MISSING if pd.isna(day) else t.date(day) for day in shown["last_contact"]],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        *([TableColumn("owner", t("Owner"))] if shown["responsible"].fillna("").any() else []),
        TableColumn("strategy", t("Strategy")),
        TableColumn("stake", t("At stake"), "right"),
        TableColumn("updated", t("Last written"), "right"),
        TableColumn("contact", t("Last contact"), "right", DATE_WIDTH),
    ]
    days = run.config.plans.stale_after_days
    caption = t("Account plans that nobody has written into for {days} days, most at stake first.", days=days)
    return [*blocks, text(_stale_line(run, t)[0]), table(printed, columns=columns, caption=caption)]
