"""Traces of the management report's first page."""

from __future__ import annotations

from kamlab.backtest.names import BASELINES, NEVER_CHOSEN
from kamlab.reports.traces.common import (
    BOTH,
    EXPECTED,
    GONE,
    LEVEL,
    LOSS,
    NOW,
    RECORD,
    REPAIR,
    REVENUE,
    ROOM,
    STILL,
    THEN,
    WATCHED,
)
from kamlab.reports.traces.trace import BOUNDS, DRAWN, VALUE, Trace, sums

RULES = tuple(name for name in BASELINES if name != NEVER_CHOSEN)
HAD, HAS = "revenue_before > 0", "revenue_now > 0"
PARTS = {
    "lost": f"{HAD} and not {HAS}",
    "shrunk": f"{HAD} and {HAS} and change < 0",
    "grown": f"{HAD} and {HAS} and change > 0",
    "new": f"not {HAD} and {HAS}",
}
AFTER_COSTS = (
    "sum(trailing_margin - m.cost_to_serve - trailing_revenue * (coalesce(m.receivables_rate, 0) + "
    "coalesce(m.loss_rate, 0)))"
)
COMING = (
    "In the next 12 months today's customers should bring **{{value}}** {} ({{level}} interval: {{interval}}), "
    "against {{before}} in the last 12."
)


def _in_force(column: str) -> str:
    return f"(select {column} from backtest where {RECORD} and forecaster = (select forecaster from choice))"


FIRST_PAGE = (
    Trace("Revenue of the last 12 months: {now}", {"now": NOW}, "ledger", REVENUE),
    Trace("Revenue rose {percent} to {now}", {"percent": f"{NOW} / {THEN} - 1", "now": NOW}, "ledger", REVENUE),
    Trace("Revenue fell {percent} to {now}", {"percent": f"1 - {NOW} / {THEN}", "now": NOW}, "ledger", REVENUE),
    Trace("Revenue held at {now}", {"now": NOW}, "ledger", REVENUE),
    Trace(
        "The simple rule “{rule}” forecast the total better: from {origin} on it missed what came by {rule_bias}, this "
        "report's forecast by {bias}.",
        {
            "rule_bias": "min_by(forecast / actual - 1, abs(forecast / actual - 1))",
            "bias": f"any_value({_in_force('forecast / actual - 1')})",
        },
        "backtest",
        f"{RECORD} and forecaster in {RULES}",
    ),
    Trace(
        "“{rule}” had an error of {rule_error} per account, this report's forecast {model_error}. Both were made on "
        "{origin}. Take the forecasts of single accounts below with care.",
        {"rule_error": "min(rmse)", "model_error": f"any_value({_in_force('rmse')})"},
        "backtest",
        f"{RECORD} and forecaster in {RULES}",
    ),
    Trace(
        "{n} account puts {money} of revenue a year at risk",
        {"n": "count(*)", "money": f"sum({LOSS})"},
        BOTH,
        WATCHED,
    ),
    Trace("{n} account could bring {money} more {value}", {"n": "count(*)", "money": "sum(headroom)"}, BOTH, ROOM),
    Trace("Revenue, last 12 months", {VALUE: NOW}, "ledger", REVENUE),
    Trace("{before} in the 12 months before", {"before": THEN}, "ledger", REVENUE),
    Trace("Revenue, next 12 months", {VALUE: "sum(expected_revenue)"}, "forecast"),
    Trace(
        "{level} interval: {interval}; from today's customers",
        {"level": LEVEL, "interval": BOUNDS},
        EXPECTED,
    ),
    Trace("Revenue slipping away", {VALUE: f"sum({LOSS})"}, BOTH, STILL),
    Trace("a year, at {n} account that buys clearly less", {"n": "count(*)"}, BOTH, STILL),
    Trace("Reachable contribution", {VALUE: "sum(headroom)"}, BOTH, ROOM),
    Trace("Reachable revenue", {VALUE: "sum(headroom)"}, BOTH, ROOM),
    Trace("a year, if all that {n} account could buy more were won", {"n": "count(*)"}, BOTH, ROOM),
    Trace(
        "{what} of the last 12 months was **{now}**, {percent} below the 12 months before.",
        {
            "now": NOW.replace("amount", "amount - cost"),
            "percent": f"1 - {NOW} / {THEN}".replace("amount", "amount - cost"),
        },
        "ledger",
        REVENUE,
    ),
    Trace(
        "{what} of the last 12 months was **{now}**, {percent} above the 12 months before.",
        {
            "now": NOW.replace("amount", "amount - cost"),
            "percent": f"{NOW} / {THEN} - 1".replace("amount", "amount - cost"),
        },
        "ledger",
        REVENUE,
    ),
    *(
        trace
        for what in (
            "of contribution",
            "after cost to serve",
            "after the cost of selling on credit",
            "after the cost of service and of credit",
        )
        for trace in (
            Trace(COMING.format(what), {"value": "sum(expected_contribution)"}, "forecast"),
            Trace(COMING.format(what), {"level": LEVEL, "interval": BOUNDS}, sums("draws")),
            Trace(COMING.format(what), {"before": AFTER_COSTS}, "summary join margins m using (account)"),
        )
    ),
    Trace(
        "The ten largest of {n} buying accounts brought {share} of the revenue of the last 12 months, {name} alone "
        "{largest}.",
        {
            "n": "count(*)",
            "share": "list_sum(list(trailing_revenue order by trailing_revenue desc)[:10]) / sum(trailing_revenue)",
            "largest": "max(trailing_revenue) / sum(trailing_revenue)",
        },
        "summary",
        "trailing_revenue > 0",
    ),
    Trace(
        "Revenue of the last 12 months against the 12 before: what became of each account adds up.",
        {DRAWN: f"{NOW}, {THEN}"},
        "ledger",
        REVENUE,
    ),
    *(
        Trace(
            "Revenue of the last 12 months against the 12 before: what became of each account adds up.",
            {DRAWN: "count(*), sum(change)"},
            "changes",
            where,
        )
        for where in (*PARTS.values(), HAD, HAS)
    ),
    Trace(
        "Lost and shrunk accounts took {minus} away; grown and new ones brought {plus}",
        {
            "minus": f"-sum(change) filter (({PARTS['lost']}) or ({PARTS['shrunk']}))",
            "plus": f"sum(change) filter (({PARTS['grown']}) or ({PARTS['new']}))",
        },
        "changes",
    ),
)


GAINS = ("Gain in contribution ({level} interval)", "Gain in revenue ({level} interval)")


def _decision(name: str, where: str, money: str) -> tuple[Trace, ...]:
    """Traces of a line of the decisions: its accounts and money, and what planned work should bring of it."""
    caption = "Decisions requested, for the next 12 months."
    size = {
        "Accounts": "count(*)",
        "At stake a year": f"sum({money})",
        "People": "count(distinct owner) filter (not owner_left)",
    }
    won = (
        "sum(gain_contribution), sum(g.room_contribution * s.lower / s.room_contribution), sum(g.room_contribution * "
        "s.upper / s.room_contribution)"
    )
    return (
        Trace(caption, size, BOTH, where, row=name),
        Trace(
            caption,
            dict.fromkeys(GAINS, won),
            "gains g join strategy_gains s using (strategy) join account_table using (account) join strategies t "
            "using (account)",
            where.replace("strategy =", "t.strategy ="),
            row=name,
        ),
    )


DECISIONS = (
    *_decision("Protect: buy less", STILL, LOSS),
    *_decision("Win back: silent", GONE, LOSS),
    *_decision("Promote: could buy more", ROOM, "headroom"),
    *_decision("Acquire: prospects", "strategy = 'acquire'", "potential_revenue"),
    Trace(
        "Decisions requested, for the next 12 months.",
        {
            "Accounts": "count(*)",
            "At stake a year": "-sum(trailing_margin)",
            "People": "count(distinct owner) filter (not owner_left)",
        },
        BOTH,
        REPAIR,
        row="Repair: lose money",
    ),
    Trace(
        "Decisions requested, for the next 12 months.",
        {
            "Gain in contribution ({level} "
            "interval)": "greatest(0, (select -sum(expected_contribution) from forecast join "
            f"strategies using (account) where {REPAIR})), quantile_cont(greatest(0, -total), $low), "
            "quantile_cont(greatest(0, -total), $high)"
        },
        sums("draws", REPAIR),
        row="Repair: lose money",
    ),
    Trace("Gain in contribution ({level} interval)", {"level": LEVEL}, "configuration"),
    Trace("Gain in revenue ({level} interval)", {"level": LEVEL}, "configuration"),
    Trace(
        "Gains are assumed shares of the room ({shares}): no record shows what such work wins.",
        {
            "*shares": ", ".join(
                f"planning.gain.{name}[1], planning.gain.{name}[3]" for name in ("win_back", "promote", "acquire")
            )
        },
        "configuration",
    ),
    Trace(
        "**People:** {n} looks after accounts; the ratio 1:1 to 1:5 gives {least} to {most}, a rule and no proof of "
        "need.",
        {"n": "count(*)"},
        "coverage",
        "active and accounts > 0",
    ),
    Trace(
        "**People:** {n} looks after accounts; the ratio 1:1 to 1:5 gives {least} to {most}, a rule and no proof of "
        "need.",
        {"least": "least", "most": "most"},
        "headcount",
    ),
    Trace(
        "Expected gains would pay for {n}, at {cost} a person and year.",
        {"n": "affordable", "cost": "(select planning.cost_per_person from configuration)"},
        "headcount",
    ),
    Trace(
        "**Money owed by key accounts:** {overdue} overdue ({old} over 90 days), {disputed} disputed; {n} on hold.",
        {
            "overdue": "sum(overdue)",
            "old": "sum(overdue_90)",
            "disputed": "sum(disputed)",
            "n": "count(*) filter (contains(flags, 'hold'))",
        },
        "credit, strategies",
        "plan_required",
    ),
)

HOW_SURE = (
    Trace(
        "The same forecast made on {origin} said {forecast} for the period after it; {actual} came ({bias}).",
        {"forecast": "forecast", "actual": "actual", "bias": "forecast / actual - 1"},
        "backtest",
        f"{RECORD} and forecaster = (select forecaster from choice)",
    ),
    Trace(
        "{share} of the customers stand in type A, which is to come first. Not all can: go by expected value within "
        "the type.",
        {"share": "avg((type_000 = 'A')::int)"},
        "strategies",
        "type_000 is not null",
    ),
    Trace(
        "The same forecast made on {origin} said {forecast} for the period after it; {actual} came ({bias}). “Same "
        "as in the last period” said {naive} ({naive_bias}).",
        {
            "forecast": _in_force("forecast"),
            "actual": _in_force("actual"),
            "bias": f"{_in_force('forecast')} / {_in_force('actual')} - 1",
            "naive": "forecast",
            "naive_bias": "forecast / actual - 1",
        },
        "backtest",
        f"{RECORD} and forecaster = 'last_horizon'",
    ),
    Trace(
        "What accounts could buy is declared by sales for {declared} of them; for {fitted} it is the level that one "
        "in ten similar accounts exceeds; for the rest, their own best 12 months or open deals.",
        {
            "declared": "avg((potential_source = 'declared')::int)",
            "fitted": "avg((potential_source = 'fitted')::int)",
        },
        "potential",
    ),
    Trace(
        "The data is complete to {day}: of {read} lines read, {bad} cannot be used; {orphans} of the log's revenue "
        "has no account.",
        {
            "read": "(select count(*) from ledger) + (select count(*) from quarantine)",
            "bad": "(select count(*) from quarantine)",
            "orphans": f"(select sum(amount) from ledger where {REVENUE} and account is null)",
        },
        "configuration",
    ),
    Trace(
        "Log and books differ in {off} of {months} months: the log says {log}, the books {books}.",
        {
            "off": "count(*) filter (books <> log)",
            "months": "count(*)",
            "log": "sum(log)",
            "books": "sum(books)",
        },
        "books",
    ),
    Trace(
        "Agreed actions of the last 12 months: {done} of {agreed} done, {late} of them late; {overdue} overdue.",
        {
            "done": "count(*) filter (state in ('done', 'late'))",
            "agreed": "count(*)",
            "late": "count(*) filter (state = 'late')",
            "overdue": "count(*) filter (state = 'overdue')",
        },
        "actions_review",
    ),
)
