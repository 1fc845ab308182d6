"""Traces of the management report: strategies and types, and whom to act on."""

from __future__ import annotations

from kamlab.reports.traces.common import BOTH, GONE, LEVEL, NOW, REPAIR, REVENUE, ROOM, SILENT, STILL, WATCHED
from kamlab.reports.traces.trace import BOUNDS, DRAWN, Trace, sums

STRATEGY_CAPTION = "The strategies: how many accounts each has, and what they bring."
VALUE_AHEAD = "{value}, next 12 months"
BOXES = (
    "Every account by what it could buy and what it should bring. In each box: customers and their expected value; "
    "fixed borders are dashed."
)
IN_A_BOX = "potential_revenue is not null"
HIGH = "nine_box like 'High/%'"

STRATEGIES = (
    Trace(
        STRATEGY_CAPTION,
        {
            "Accounts": "count(*)",
            "People": "count(distinct owner) filter (not owner_left)",
            "Revenue, last 12 months": "sum(trailing_revenue)",
            VALUE_AHEAD: "sum(expected_contribution)",
            "Headroom a year": "sum(headroom)",
        },
        BOTH,
        line="strategy",
    ),
    Trace(STRATEGY_CAPTION, {"{level} interval": BOUNDS}, sums("draws", "$mine"), line="strategy"),
    Trace(
        "“Win back” in this table: {n}; still buying, but less: {still} (list “Protect”); gone silent: {gone} (list "
        "“Win back”).",
        {"n": "count(*)", "still": f"count(*) filter (not {SILENT})", "gone": f"count(*) filter ({SILENT})"},
        BOTH,
        "strategy = 'win_back'",
    ),
    Trace(
        "{n} silent account of another strategy is watched and listed with them.",
        {"n": "count(*)"},
        BOTH,
        f"{WATCHED} and strategy <> 'win_back'",
    ),
    Trace(
        "{money} of the company's revenue is not in the table: lines without an account, and accounts that only "
        "returned goods.",
        {"money": f"{NOW} - (select sum(trailing_revenue) from summary)"},
        "ledger",
        REVENUE,
    ),
    Trace(
        BOXES,
        {DRAWN: "count(*), sum(expected_contribution)"},
        BOTH,
        f"{IN_A_BOX} and strategy <> 'acquire'",
        by="nine_box",
    ),
    Trace(BOXES, {DRAWN: "count(*)"}, BOTH, IN_A_BOX, by="strategy"),
    Trace(BOXES, {DRAWN: "value"}, "tiers", "scheme = 'fitted'"),
    Trace(
        BOXES,
        {
            DRAWN: (
                "levels.contribution[1] * rate, levels.contribution[2] * rate, levels.potential[1], levels.potential[2]"
            )
        },
        "configuration, (select sum(expected_contribution) / sum(expected_revenue) as rate from forecast)",
    ),
    Trace(BOXES, {DRAWN: f"count(*) filter (not {IN_A_BOX})"}, BOTH),
    Trace(
        "The fixed ones are thresholds of revenue, drawn here at the company's margin rate of {rate}.",
        {"rate": "sum(expected_contribution) / sum(expected_revenue)"},
        "forecast",
    ),
    Trace("{n} account without a known potential is not drawn.", {"n": "count(*)"}, "potential", f"not {IN_A_BOX}"),
    Trace(
        "{n} account that gives us little of what it buys stands in the box that the playbook gives it.",
        {"n": "count(*)"},
        BOTH,
        "nine_box <> contribution_class || '/' || potential_class",
    ),
    Trace(
        "{n} account of high contribution brings {share} of the total; others with high potential: {more}",
        {
            "n": f"count(*) filter ({HIGH})",
            "share": (
                f"sum(greatest(0, expected_contribution)) filter ({HIGH}) / sum(greatest(0, expected_contribution))"
            ),
            "more": f"count(*) filter (not {HIGH} and nine_box like '%/High')",
        },
        BOTH,
        IN_A_BOX,
    ),
    Trace(
        "The four types and how much effort each deserves.",
        {
            "Accounts": "count(*)",
            "of them provisional": "sum(provisional::int)",
            "Expected contribution": "sum(expected_contribution)",
            "Expected revenue": "sum(expected_contribution)",
        },
        BOTH,
        line="type_000",
    ),
)

REST = "greatest(0, count(*) - 10)"


def _list(caption: str, where: str, columns: dict[str, str]) -> Trace:
    return Trace(caption, columns, BOTH, where, "name")


LISTS = (
    _list(
        "Accounts that still buy, but clearly less: the best 12 months before the last 12, less expected revenue, "
        "are slipping away.",
        STILL,
        {"Slipping away a year": "prior_peak_revenue - expected_revenue", "Expected revenue": "expected_revenue"},
    ),
    _list(
        "Accounts that have gone silent, the latest first: the longer ago, the harder to win back.",
        GONE,
        {"Revenue of best 12 months": "peak_revenue", "Still buys with probability": "p_alive"},
    ),
    _list(
        "Accounts to promote, by headroom: what they could buy beyond the forecast, at their margin rate.",
        ROOM,
        {"Headroom a year": "headroom", "Expected contribution": "expected_contribution"},
    ),
    _list(
        "Accounts to promote, by headroom: what they could buy beyond the forecast.",
        ROOM,
        {"Headroom a year": "headroom", "Expected revenue": "expected_contribution"},
    ),
    _list(
        "Prospects to acquire, by what they could buy a year.",
        "strategy = 'acquire'",
        {"Potential a year": "potential_revenue"},
    ),
    _list(
        "Accounts that lose money while they buy: price, terms and cost before volume.",
        REPAIR,
        {"Margin, last 12 months": "trailing_margin", "Margin rate, 3 years": "margin / costed_revenue"},
    ),
    _list(
        "The most valuable accounts to keep.",
        "strategy = 'retain' and not contains(flags, 'watch')",
        {
            "Expected contribution": "expected_contribution",
            "Expected revenue": "expected_contribution",
            "Still buys with probability": "p_alive",
        },
    ),
    *(
        Trace("{n} more account is in the workbook.", {"n": REST}, BOTH, where)
        for where in (
            STILL,
            GONE,
            ROOM,
            "strategy = 'acquire'",
            REPAIR,
            "strategy = 'retain' and not contains(flags, 'watch')",
        )
    ),
    Trace(
        "At the last test the forecast of declining accounts was off by {bias}, and by account no closer than “same "
        "as in the last period”: take the sums as rough.",
        {"bias": "forecast / actual - 1"},
        "record_groups",
        "\"group\" = 'declining'",
    ),
    Trace(
        "{n} account that needs a plan has no owner: {names}.",
        {"n": "count(*)"},
        "strategies",
        "plan_required and contains(flags, 'no_owner')",
    ),
    *(
        Trace(said, {"n": "count(*)"}, "strategies", f"contains(flags, '{flag}')")
        for flag, said in {
            "hold": "{n} account has owed money for more than 90 days; deliveries on credit are on hold: {names}.",
            "check_margin": "{n} account more likely loses money than not, and is not yet to be repaired: {names}.",
            "returning": "{n} account has come back after more than a year: {names}.",
            "review": "{n} account with two large orders in different years has to be judged by hand: {names}.",
            "override": "{n} account is decided by hand against the rule: {names}.",
        }.items()
    ),
    Trace("{n} deal is open, worth {money}.", {"n": "count(*)", "money": "sum(value)"}, "pipeline"),
    Trace(
        "Weighted with their chances, which come from the company's own won and lost deals, that is {money} "
        "({level} interval: {low} to {high}).",
        {"money": "(select sum(p_win * value) from pipeline)", "level": LEVEL, "low": "lower", "high": "upper"},
        "pipeline_total",
    ),
    Trace("{n} deal names no account and counts for none.", {"n": "count(*)"}, "pipeline", "account is null"),
    Trace(
        "{n} deal is older than {share} of the won ones were when they were won.",
        {"n": "count(*)", "share": "0.95"},
        "pipeline",
        "stalled",
    ),
)
