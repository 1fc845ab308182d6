"""Traces of the period review, in its order."""

from __future__ import annotations

from kamlab.reports.traces.common import DOWN, NOW, OF_CONTRIBUTION, REVENUE, THEN, UP
from kamlab.reports.traces.trace import DRAWN, Trace

OF_COMPANY = "kind = 'company'"
QUARTERS = (
    "Revenue of the fiscal quarters, the plan and the year before. A plan of a whole year is spread by the seasons "
    "of the years before it."
)
OWNERS = "The fiscal year so far against the owners' plans, those furthest behind first."
OF_OWNERS = (
    "What was to be expected of each owner's accounts on {day} for the 12 months since, against what came; those "
    "furthest off first."
)
MOVED = (
    "Since {date}, recomputed from the same log, {up} accounts rose in class (expected value {risen}), {down} fell "
    "({fallen})."
)
ACTIONS = (
    "Of {agreed} actions agreed on, due or done in the last 12 months, {done} were done in time, {late} late; "
    "{overdue} are overdue and {open} open."
)
STREAMS = "Accounts and their expected value by class, then and now; streams are as wide as the value that moves."

REVIEW = (
    Trace("Revenue of the last 12 months: **{now}**.", {"now": NOW}, "ledger", REVENUE),
    Trace(
        "Revenue of the last 12 months: **{now}**, against {before} in the 12 before ({change}).",
        {"now": NOW, "before": THEN, "change": f"{NOW} / {THEN} - 1"},
        "ledger",
        REVENUE,
    ),
    Trace(
        "The forecast recomputed as of {day}: {expected} ({level} interval: {interval}) of the accounts known then; "
        "{actual} came (forecast {bias}).",
        {
            "expected": "expected",
            "level": "level",
            "interval": "lower, upper",
            "actual": "actual",
            "bias": "expected / actual - 1",
        },
        "held_against",
        OF_COMPANY,
    ),
    *(
        Trace(said, {"naive": "naive", "bias": "naive / actual - 1"}, "held_against", OF_COMPANY)
        for said in (
            "“Same as the year before” would have said {naive} ({bias}) and was nearer.",
            "“Same as the year before” would have said {naive} ({bias}).",
        )
    ),
    Trace(
        MOVED,
        {
            "up": f"count(*) filter ({UP})",
            "risen": f'sum(value_before) filter ({UP}), sum("value") filter ({UP})',
            "down": f"count(*) filter ({DOWN})",
            "fallen": f'sum(value_before) filter ({DOWN}), sum("value") filter ({DOWN})',
        },
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        ACTIONS,
        {
            "agreed": "count(*)",
            **{name: f"count(*) filter (state = '{name}')" for name in ("done", "late", "overdue", "open")},
        },
        "actions_review",
    ),
    Trace(
        "{stale} of {n} account plans are stale: nobody has written into them for {days} days, {never} never.",
        {
            "stale": "count(*) filter (stale)",
            "n": "count(*) filter (planned)",
            "days": "(select plans.stale_after_days from configuration)",
            "never": "count(*) filter (stale and updated is null)",
        },
        "plans",
    ),
    Trace(
        "Account plans that nobody has written into for {days} days, most at stake first.",
        {"days": "plans.stale_after_days"},
        "configuration",
    ),
    Trace(
        "Account plans that nobody has written into for {days} days, most at stake first.",
        {"At stake": "at_stake"},
        "plans",
        "stale",
        "name",
    ),
    Trace(QUARTERS, {DRAWN: "actual, plan, last_year, share"}, "plan", OF_COMPANY),
    Trace("Revenue of the fiscal quarters and of the year before.", {DRAWN: "actual, last_year"}, "plan", OF_COMPANY),
    Trace(
        "Revenue of the quarter to {month}: {share} of the year before; no plan is given",
        {"share": 'arg_max(actual / last_year, "end")'},
        "plan",
        f"{OF_COMPANY} and last_year > 0",
    ),
    Trace(
        "Revenue of the last {n} quarter with a plan: {share} of the plan",
        {"n": "count(*)", "share": "sum(actual) / sum(plan)"},
        "plan",
        f"{OF_COMPANY} and plan is not null",
    ),
    Trace(
        OWNERS,
        {
            "Plan": "sum(plan)",
            "Came": "sum(actual)",
            "Difference": "sum(actual) - sum(plan)",
            "Share of plan": "sum(actual) / sum(plan)",
            "A year before": "sum(last_year)",
        },
        "plan",
        "kind = 'owner' and plan is not null and start > $year",
        '"group"',
    ),
    Trace(
        OF_OWNERS,
        {
            "Forecast": "expected",
            "{level} interval": "lower, upper",
            "Came": "actual",
            "Forecast off by": "expected / actual - 1",
            "Same as before": "naive",
        },
        "held_against",
        "kind = 'owner'",
        '"group"',
    ),
    Trace(
        "Recomputed from the same log in today's way; {inside} of {n} owners came inside their interval. Revenue "
        "counts for the owner that an account has today.",
        {"inside": "count(*) filter (actual between lower and upper)", "n": "count(*)"},
        "held_against",
        "kind = 'owner'",
    ),
    Trace(
        STREAMS,
        {DRAWN: 'count(*), sum("value")'},
        "transitions",
        OF_CONTRIBUTION,
        by='grouping sets (("before", held), ("before"), (held))',
    ),
    Trace(
        "{up} accounts rose in class and {down} fell",
        {"up": f"count(*) filter ({UP})", "down": f"count(*) filter ({DOWN})"},
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        "{n} account changed class.",
        {"n": 'count(*) filter ("before" <> held)'},
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        "{n} account changed class.",
        {"Expected value": 'value_before, "value"'},
        "transitions",
        f"{OF_CONTRIBUTION} and account = $account",
    ),
    Trace(
        "Revenue of accounts with and without actions.",
        {
            "Number": "accounts",
            "12 months before": "revenue_before",
            "Last 12 months": "revenue_now",
            "Growth": "revenue_now / revenue_before - 1",
            "{level} interval": "lower, upper",
        },
        "actions_result",
        line='"group"',
    ),
    Trace("{n} action is overdue.", {"n": "count(*)"}, "actions_review", "state = 'overdue'"),
    Trace(
        "{n} action is overdue.",
        {"Days late": "datediff('day', due, $as_of)"},
        "actions_review join accounts using (account)",
        "state = 'overdue'",
        "accounts.name, text",
    ),
)
