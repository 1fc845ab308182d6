"""The first page: what happened, what is to be expected, what to do, and how sure that is."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import Translator
from kamlab.reports.blocks import Block, Kpi, TableColumn, callout, cover, escape, kpis, table, text
from kamlab.reports.sections.data import left_out
from kamlab.reports.sections.source import (
    Interval,
    Source,
    at_risk,
    by_strategy,
    has_flag,
    is_contribution,
    labelled,
    reachable,
    record,
    total,
    value_word,
)
from kamlab.strategies import texts


def title_page(run: Source, t: Translator) -> list[Block]:
    """The cover: whose report, up to which day, what it rests on."""
    facts, units = run.read_facts("freshness"), run.read("accounts")
    bought = run.read("summary")
    return [
        cover(
            t("Key-account report"),
            translator=t,
            company=run.config.company.name,
            as_of=run.period.calibration_end,
            subtitle=t("Customer value, segments and strategies"),
            facts=[
                (t("Data from"), t.date(pd.Timestamp(facts["first_line"]).date())),
                (t("Data to"), t.date(pd.Timestamp(facts["last_line"]).date())),
                (t("Accounts that have bought"), t.number(len(bought))),
                (t("Prospects"), t.number(len(units) - len(bought))),
            ],
            confidentiality=run.config.report.confidentiality,
        )
    ]


def opening(run: Source, t: Translator) -> list[Block]:
    """Heading of the first page."""
    return [text(t("# The answers"))]


def warnings(run: Source, t: Translator) -> list[Block]:
    """What a reader must know before any number: a stale log, or a forecast that a simple rule beats."""
    blocks: list[Block] = []
    stale = run.read_facts("freshness")["faults"]
    if stale:
        blocks.append(callout("danger", t("The log is stale or unfinished"), escape(" ".join(stale))))
    choice = run.read_facts("choice")
    if choice["beaten_by"]:
        rows = record(run)
        best = min(choice["beaten_by"], key=lambda name: rows.loc[name, "rmse"])
        blocks.append(
            callout(
                "warning",
                t("A simple rule forecast the last period better"),
                t(
                    "“{rule}” had an error of {rule_error} per account, this report's model {model_error}. "
                    "Take the forecasts of single accounts below with care.",
                    rule=forecaster_name(best, t),
                    rule_error=_error(rows.loc[best], t),
                    model_error=_error(rows.loc[choice["forecaster"]], t),
                ),
            )
        )
    return blocks


FORECASTERS = {
    "bg_nbd": "BG/NBD + Gamma-Gamma",
}


def forecaster_name(name: str, t: Translator) -> str:
    """Return the name of a forecaster as readers know it."""
    names = {
        "last_horizon": t("Same as in the last period"),
        "rate": t("Rate so far, carried on"),
        "same_count": t("As often as ever before"),
        "always_0": t("Nobody buys again"),
    }
    return names.get(name) or FORECASTERS.get(name, name)


def _error(row: pd.Series, t: Translator) -> str:
    return t.money(row["rmse"]) if row["target"] == "revenue" else t.number(row["rmse"], 2)


def headline(run: Source, t: Translator) -> list[Block]:
    """One paragraph that answers: what happened, what is to be expected, what is asked."""
    revenue, future, accounts = run.read_facts("revenue"), total(run), labelled(run)
    now, before = revenue["trailing"], revenue["previous"]
    if before:
        happened = t(
            "Revenue of the last 12 months was **{now}**, {change} the 12 months before.",
            now=t.money(now),
            change=_change(now / before - 1, t),
        )
    else:
        happened = t(
            "Revenue of the last 12 months was **{now}**; the log does not reach back far enough to compare.",
            now=t.money(now),
        )
    expected = t(
        "The next 12 months should bring **{value}** of {what} ({level} interval: {interval}).",
        value=t.money(future.value),
        what=t("contribution") if is_contribution(run) else t("revenue"),
        level=t.percent(run.config.value.level),
        interval=future.text(t),
    )
    lost, room = at_risk(accounts), reachable(accounts)
    asked = []
    if len(lost):
        asked.append(
            t.plural(
                "win back or protect **{n}** account that is leaving",
                "win back or protect **{n}** accounts that are leaving",
                len(lost),
            )
        )
    if len(room):
        asked.append(
            t.plural(
                "develop **{n}** account that could buy more",
                "develop **{n}** accounts that could buy more",
                len(room),
            )
        )
    ending = t("Asked of management: {tasks}.", tasks=t(" and ").join(asked)) if asked else ""
    return [text(" ".join(part for part in (happened, expected, ending) if part))]


def _change(share: float, t: Translator) -> str:
    if abs(share) < 0.005:
        return t("the same as in")
    if share > 0:
        return t("{percent} above", percent=t.percent(share))
    return t("{percent} below", percent=t.percent(-share))


def key_figures(run: Source, t: Translator) -> list[Block]:
    """Revenue, expectation, risk and room, each with what it counts."""
    revenue, future, accounts = run.read_facts("revenue"), total(run), labelled(run)
    lost, room = at_risk(accounts), reachable(accounts)
    items = [
        Kpi(
            t("Revenue, last 12 months"),
            t.money(revenue["trailing"]),
            t("{before} in the 12 months before", before=t.money(revenue["previous"]))
            if revenue["previous"] is not None
            else t("no full year before it in the log"),
        ),
        Kpi(
            t("{value}, next 12 months", value=value_word(run, t)),
            t.money(future.value),
            t("{level} interval: {interval}", level=t.percent(run.config.value.level), interval=future.text(t)),
        ),
        Kpi(
            t("At risk"),
            t.money(lost["loss"].sum()),
            t.plural(
                "revenue of the best 12 months that {n} account is leaving with",
                "revenue of the best 12 months that {n} accounts are leaving with",
                len(lost),
            ),
            "danger" if len(lost) else "good",
        ),
        Kpi(
            t("Reachable"),
            t.money(room["headroom"].sum()),
            t.plural(
                "headroom a year at {n} account to promote", "headroom a year at {n} accounts to promote", len(room)
            ),
            "good" if len(room) else "info",
        ),
    ]
    return [kpis(items)]


def strategy_table(run: Source, t: Translator) -> list[Block]:
    """How many accounts each strategy has, and what they bring."""
    accounts = labelled(run)
    rows = by_strategy(run, accounts)
    whole = total(run)
    sums = {
        "strategy": "",
        "accounts": rows["accounts"].sum(),
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
        TableColumn("revenue", t("Revenue, last 12 months"), "right"),
        TableColumn("value", t("{value}, next 12 months", value=value_word(run, t)), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(run.config.value.level)), "right"),
        TableColumn("headroom", t("Headroom a year"), "right"),
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("What each strategy asks for and what its accounts bring."),
            note=t(
                "Headroom = what the accounts could buy beyond the forecast, at their margin rate. The intervals "
                "of the parts do not add up to that of the whole, because not all go wrong together."
            ),
            total_rows=1,
        )
    ]


def how_sure(run: Source, t: Translator) -> list[Block]:
    """The forecast's record, the ground under the potential, and what the data lacks."""
    choice, rows = run.read_facts("choice"), record(run)
    lines = []
    if len(rows):
        model, naive = rows.loc[choice["forecaster"]], rows.loc["last_horizon"]
        write = t.money if model["target"] == "revenue" else t.number
        lines.append(
            t(
                "The same forecast made on {origin} said {forecast} for the period after it; {actual} came "
                "({bias}). “Same as in the last period” said {naive} ({naive_bias}).",
                origin=pd.Timestamp(model["origin"]).date(),
                forecast=write(model["forecast"]),
                actual=write(model["actual"]),
                bias=signed(model["bias"], t),
                naive=write(naive["forecast"]),
                naive_bias=signed(naive["bias"], t),
            )
        )
    else:
        lines.append(t("The log is too short to test the forecast on a period that has already passed."))
    worth, units = run.read("potential"), run.read("accounts")
    declared = (worth["potential_source"] == "declared").mean()
    lines.append(
        t(
            "What accounts could buy is declared by sales for {share} of them; for the others it is their own best "
            "12 months, and their type is provisional.",
            share=t.percent(declared),
        )
        if declared
        else t("Nobody has declared what accounts could buy; their own best 12 months stand for it.")
    )
    parts = run.read("reconciliation").set_index("part")
    lines.append(
        t(
            "Of {read} lines read, {bad} cannot be used; {orphans} of revenue has no account.",
            read=t.number(parts.loc["read", "rows"]),
            bad=t.number(parts.loc["quarantined", "rows"]),
            orphans=t.money(float(parts.loc["unattributed", "money"])),
        )
    )
    if len(units) > 0:
        ownerless = int(has_flag(labelled(run), "no_owner").sum())
        if ownerless and units["owner"].notna().any():
            lines.append(
                t.plural("{n} account has no owner in sales.", "{n} accounts have no owner in sales.", ownerless)
            )
    lines += left_out(run, t)
    return [text(t("## How sure is this?") + "\n\n" + "\n".join(f"- {line}" for line in lines))]


def signed(share: float, t: Translator) -> str:
    """Write a deviation with its sign."""
    return ("+" if share > 0 else "") + t.percent(share)
