"""Traces of the management report: owners, borders, the forecast and its record, and the data."""

from __future__ import annotations

from kamlab.reports.traces.common import DOWN, EXPECTED, JUDGED, LEVEL, NOW, OF_CONTRIBUTION, RECORD, REVENUE, THEN, UP
from kamlab.reports.traces.trace import BOUNDS, DRAWN, Trace

CAUSES = {
    "New or back": '"new"',
    **{name.capitalize(): name for name in ("lost", "volume", "price", "mix")},
    "No quantities": "unexplained",
}
CHANGES = (
    "Revenue of the last 12 months less that of the 12 before, and its causes, which add up to it: customers new or "
    "back, and lost, with what came back from them; of those kept, pieces, prices of the same products, and dearer "
    "or cheaper products."
)

OWNERS = (
    Trace("{n} person looks after accounts.", {"n": "count(*)"}, "coverage", "active and accounts > 0"),
    Trace(
        "One person for each account of class A with a plan, for two of class B, for three to five of class C, and "
        "a shared team for all others gives {least} to {most} people. That is a ratio, not a need: what it costs "
        "stands against what the accounts bring.",
        {"least": "least", "most": "most"},
        "headcount",
    ),
    Trace("{n} account that takes work has no owner.", {"n": "count(*)"}, "reassignment", "reason = 'unassigned'"),
    Trace(
        "{n} key account has a person of its own, or shares one with up to four others: the work of {people} people.",
        {"n": "handled", "people": "handled_people"},
        "headcount",
    ),
    Trace(
        "The shared team takes {n} key account whose expected gain does not pay its share of a person.",
        {"n": "count(*)"},
        "handling join labels using (account)",
        "scheme = 'coverage_004' and label = 'pooled' and uplift <= handling_cost",
    ),
    Trace("For {n} key account, that of the least gain, nobody is left.", {"n": "beyond"}, "headcount"),
    Trace(
        "{n} account that takes work has an owner who has left.",
        {"n": "count(*)"},
        "reassignment",
        "reason = 'absent'",
    ),
    Trace(
        "{n} account lies beyond what its owner can look after.",
        {"n": "count(*)"},
        "reassignment",
        "reason = 'overload'",
    ),
    Trace(
        "Moving {moved} of {hours} hours to accounts with more headroom or more at risk is assumed to bring {gain} "
        "a year ({level} interval: {interval}); how accounts respond to hours is an assumption, no measurement.",
        {
            "moved": "sum(greatest(0, hours_proposed - hours))",
            "hours": "sum(hours)",
            "gain": "sum(gain)",
            "level": LEVEL,
        },
        "effort",
    ),
    Trace(
        "Moving {moved} of {hours} hours to accounts with more headroom or more at risk is assumed to bring {gain} "
        "a year ({level} interval: {interval}); how accounts respond to hours is an assumption, no measurement.",
        {"interval": "lower, upper"},
        "effort_facts",
    ),
    Trace(
        "Owners by what their accounts are expected to bring; 100% is one person's full work by the ratio.",
        {
            "Accounts": "accounts",
            "With a plan": "key_accounts",
            "Load by the ratio": "load",
            "Expected contribution": "expected_contribution",
            "Expected revenue": "expected_contribution",
        },
        "coverage",
        line="owner",
    ),
    Trace(
        CHANGES,
        {
            "Change of revenue": "change",
            "Growth": "case when revenue_before > 0 and not few then change / revenue_before end",
            **CAUSES,
        },
        "dimensions",
        "dimension = $heading",
        "value",
    ),
    Trace(
        CHANGES,
        {
            "Change of revenue": "sum(change)",
            "Growth": "sum(change) / sum(revenue_before)",
            **{word: f"sum({cause})" for word, cause in CAUSES.items()},
        },
        "changes",
        row="All accounts",
    ),
    Trace(
        CHANGES,
        {
            word: f"(select sum({cause}) from changes) - sum({cause})"
            for word, cause in {"Change of revenue": "change", **CAUSES}.items()
        },
        "(select * from dimensions where dimension = $heading limit 10)",
        row="All others",
    ),
)

FLOWS = (
    "Accounts and their {value} by class, from the fixed thresholds to the fitted borders, and from one quarter to "
    "the next; streams are as wide as the value that moves."
)
FLOWS_OF_TIME = (
    "Accounts and their {value} by class, from one quarter to the next; streams are as wide as the value that moves."
)
NEW = '"before" is null'
STEP = (
    "list_position(['Low', 'Mid', 'High'], contribution_class) {} list_position(['Low', 'Mid', 'High'], "
    "contribution_class_fixed)"
)

FIXED_AND_FITTED = (
    Trace(
        "Against the fixed thresholds, on the company's own past, the fitted borders are clearly better by {better} "
        "of {all} measures and clearly worse by {worse}; against all other schemes another one is clearly better in "
        "{others} of {comparisons} comparisons.",
        {
            **{
                name: f"count(*) filter (scheme = 'contribution_class_fixed' and verdict {condition})"
                for name, condition in {"better": "= 'better'", "all": "<> ''", "worse": "= 'worse'"}.items()
            },
            "others": "count(*) filter (verdict = 'worse')",
            "comparisons": "count(*) filter (verdict <> '')",
        },
        JUDGED,
    ),
    Trace(
        FLOWS,
        {DRAWN: "count(*), sum(expected_contribution)"},
        "schemes, forecast",
        by=(
            "grouping sets ((contribution_class_fixed, contribution_class), (contribution_class_fixed), "
            "(contribution_class))"
        ),
    ),
    *(
        Trace(
            caption,
            {DRAWN: 'count(*), sum("value")'},
            "transitions",
            OF_CONTRIBUTION,
            by='grouping sets (("before", held), ("before"), (held))',
        )
        for caption in (FLOWS, FLOWS_OF_TIME)
    ),
    Trace(
        "Accounts higher than by the fixed thresholds: {up}, lower: {down}",
        {"up": f"count(*) filter ({STEP.format('>')})", "down": f"count(*) filter ({STEP.format('<')})"},
        "schemes",
    ),
    Trace(
        "in the last quarter {up} rose and {down} fell",
        {"up": f"count(*) filter ({UP})", "down": f"count(*) filter ({DOWN})"},
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        "Movement since {date}, recomputed from the same log: {up} accounts rose in class, {down} fell, {new} were "
        "not yet known.",
        {
            "up": f"count(*) filter ({UP})",
            "down": f"count(*) filter ({DOWN})",
            "new": f"count(*) filter ({NEW})",
        },
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        "An account changes class only if its interval clears the border, or at the second quarter in a row; "
        "{waits} are waiting for that.",
        {"waits": "count(*) filter (why = 'waits')"},
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        "In class of potential {up} rose, {down} fell and {waits} are waiting; what sales has declared counts at once.",
        {
            "up": f"count(*) filter ({UP})",
            "down": f"count(*) filter ({DOWN})",
            "waits": "count(*) filter (why = 'waits')",
        },
        "transitions",
        "\"column\" = 'potential_class'",
    ),
)

HISTORY = (
    "Revenue by month, and the mean month of each 12 months and of the forecast, which counts today's customers only."
)
FORECAST_MADE = "Forecast made from the data up to {origin}; what came in the {days} days after it was {actual}."

FORECAST = (
    Trace(
        HISTORY,
        {DRAWN: "sum(revenue)"},
        "months",
        by="floor((datediff('month', month, date_trunc('month', $as_of))) / 12)",
    ),
    Trace(HISTORY, {DRAWN: "sum(expected_revenue)"}, "forecast"),
    Trace(
        "Revenue of the last 12 months {now} ({change}); next 12 months {expected} expected",
        {"now": NOW, "change": f"{NOW} / {THEN} - 1", "expected": "(select sum(expected_revenue) from forecast)"},
        "ledger",
        REVENUE,
    ),
    Trace(
        "Interval: {lower} to {upper}.",
        {"lower": BOUNDS.split(", $low")[0] + ", $low)", "upper": "quantile_cont(total, $high)"},
        EXPECTED,
    ),
    Trace(
        "{share} of the accounts came out inside their {level} interval.",
        {"share": "coverage_recalibrated", "level": "level"},
        "backtest",
        f"{RECORD} and forecaster = (select forecaster from choice)",
    ),
    Trace(
        FORECAST_MADE,
        {"actual": "max(actual)", "days": "(select period.horizon_days from configuration)"},
        "backtest",
        RECORD,
    ),
    Trace(
        FORECAST_MADE,
        {"All accounts": "forecast", "Off by": "forecast / actual - 1", "Off by, each account": "mae"},
        "backtest",
        RECORD,
        "forecaster",
    ),
    Trace(
        "From earlier dates its total was off by: {list}.",
        {"*list": "forecast / actual - 1"},
        "backtest",
        "role = 'choice' and target = 'revenue' and forecaster = (select forecaster from choice) order by origin desc",
    ),
    Trace(
        "What today's accounts are worth, all together.",
        {"Discounted contribution": "expected", "Discounted revenue": "expected"},
        "lifetime_totals",
        "kind = 'company'",
        "measure",
    ),
    *(
        Trace(
            "What today's accounts are worth, all together.",
            {"{level} interval": BOUNDS},
            f"(select draw, sum(value) as total from lifetime_draws where years = {years} group by draw)",
            row=name,
        )
        for years, name in ((3, "3 years"), (5, "5 years"))
    ),
    Trace(
        "What today's accounts are worth, all together.",
        {"{level} interval": "lower, upper"},
        "lifetime_totals",
        "kind = 'company' and measure = 'clv_1y'",
        row="12 months",
    ),
    Trace(
        "Discounted at {rate} a year. Each further year is less certain than the one before: an error of level "
        "stays and new ones are added.",
        {"rate": "value.discount_rate_annual"},
        "configuration",
    ),
)

DATA = (
    Trace(
        "Revenue so far {sum}; next 12 months {expected} expected",
        {"sum": "sum(revenue)", "expected": "(select sum(expected_revenue) from forecast)"},
        "months",
    ),
    Trace(
        "{n} line equals another one in every column and has no number of its own; it is kept.",
        {"n": "repeated_lines"},
        "freshness",
    ),
    Trace(
        "{n} account is first seen in the first 90 days from {start} on, where about {expected} were to be expected "
        "at the later pace. Either many began then, or the log begins after them; if so, they have been customers "
        "for longer than the forecast knows.",
        {"n": "truncation.early", "expected": "truncation.expected"},
        "signals",
    ),
    Trace(
        "The log runs from {first} to {last}; its last {days} days have {lines} lines, where about {norm} were to "
        "be expected.",
        {
            "days": "30",
            "lines": f"(select count(*) from ledger where {REVENUE} and date > $as_of - 30)",
            "norm": "norm_lines",
        },
        "freshness",
    ),
    Trace(
        "The log begins on {start}, after its customers did: the first purchases of about {n} account lie before "
        "it. The forecast counts its time from the first purchase that it sees, so how long customers stay is known "
        "for few of them; trust the record of earlier forecasts more than the model's own doubt.",
        {"n": "truncation.known_before"},
        "signals",
    ),
    Trace(
        "Sales have a season: {best} brings {high} of a mean month, {worst} {low}. The forecast of 12 months holds "
        "a whole year; that of the next 90 days does not know the season.",
        {"high": "list_max(seasons[-1].index)", "low": "list_min(seasons[-1].index)"},
        "signals",
    ),
    Trace(
        "One-time order: {name} bought for {money} on {day} ({share} of a year's revenue), where {usual} is usual. "
        "Its expected order value holds it only in part; do not count on a second one.",
        {
            "money": "max(day_sum)",
            "share": f"max(day_sum) / (select sum(amount) from ledger where {REVENUE} and date > $year)",
            "usual": "median(day_sum)",
        },
        "(select date, sum(amount) as day_sum from ledger l join membership m on m.member = l.account join accounts "
        "a on a.account = m.account where a.name = $name group by date having sum(amount) > 0)",
    ),
)
