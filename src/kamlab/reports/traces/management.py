"""Traces of the management report, in its order."""

from __future__ import annotations

from kamlab.reports.traces.common import (
    BOTH,
    DOWN,
    EXPECTED,
    JUDGED,
    LEVEL,
    LOSS,
    NOW,
    RECORD,
    REVENUE,
    ROOM,
    SILENT,
    THEN,
    UP,
    WATCHED,
)
from kamlab.reports.traces.trace import BOUNDS, DRAWN, VALUE, Trace, sums

STILL = f"{WATCHED} and not {SILENT}"
GONE = f"{WATCHED} and {SILENT}"
REPAIR = "contains(flags, 'repair')"
HAD, HAS = "revenue_before > 0", "revenue_now > 0"
PARTS = {
    "lost": f"{HAD} and not {HAS}",
    "shrunk": f"{HAD} and {HAS} and change < 0",
    "grown": f"{HAD} and {HAS} and change > 0",
    "new": f"not {HAD} and {HAS}",
}
AFTER_COSTS = (
    "sum(trailing_margin - m.cost_to_serve - trailing_revenue "
    "* (coalesce(m.receivables_rate, 0) + coalesce(m.loss_rate, 0)))"
)
COMING = (
    "In the next 12 months today's customers should bring **{{value}}** {} ({{level}} interval: {{interval}}), against "
    "{{before}} in the last 12."
)
PAID = "(select sum(overdue) from credit)"


def _in_force(column: str) -> str:
    return f"(select {column} from backtest where {RECORD} and forecaster = (select forecaster from choice))"


FIRST_PAGE = (
    Trace("Revenue rose {percent} to {now}", {"percent": f"{NOW} / {THEN} - 1", "now": NOW}, "ledger", REVENUE),
    Trace("Revenue fell {percent} to {now}", {"percent": f"1 - {NOW} / {THEN}", "now": NOW}, "ledger", REVENUE),
    Trace("Revenue held at {now}", {"now": NOW}, "ledger", REVENUE),
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


def _decision(name: str, where: str, money: str) -> tuple[Trace, ...]:
    """Traces of a line of the decisions: its accounts and money, and what planned work should bring of it."""
    caption, gain = "Decisions requested, for the next 12 months.", "Gain in contribution ({level} interval)"
    size = {
        "Accounts": "count(*)",
        "At stake a year": f"sum({money})",
        "People": "count(distinct owner) filter (not owner_left)",
    }
    won = "sum(gain_contribution), sum(g.room_contribution * s.lower / s.room_contribution), sum(g.room_contribution * s.upper / s.room_contribution)"
    return (
        Trace(caption, size, BOTH, where, row=name),
        Trace(
            caption,
            {gain: won},
            "gains g join strategy_gains s using (strategy) join account_table using (account) join strategies t using (account)",
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
            "Gain in contribution ({level} interval)": "greatest(0, (select -sum(expected_contribution) from forecast join "
            f"strategies using (account) where {REPAIR})), quantile_cont(greatest(0, -total), $low), "
            "quantile_cont(greatest(0, -total), $high)"
        },
        sums("draws", REPAIR),
        row="Repair: lose money",
    ),
    Trace("Gain in contribution ({level} interval)", {"level": LEVEL}, "configuration"),
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
        "**People:** {n} looks after accounts; the ratio 1:1 to 1:5 gives {least} to {most}, a rule and no proof of need.",
        {"n": "count(*)"},
        "coverage",
        "active and accounts > 0",
    ),
    Trace(
        "**People:** {n} looks after accounts; the ratio 1:1 to 1:5 gives {least} to {most}, a rule and no proof of need.",
        {"least": "least", "most": "most"},
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
        "The same forecast made on {origin} said {forecast} for the period after it; {actual} came ({bias}). “Same as in "
        "the last period” said {naive} ({naive_bias}).",
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
        "What accounts could buy is declared by sales for {declared} of them; for {fitted} it is the level that one in ten "
        "similar accounts exceeds; for the rest, their own best 12 months or open deals.",
        {
            "declared": "avg((potential_source = 'declared')::int)",
            "fitted": "avg((potential_source = 'fitted')::int)",
        },
        "potential",
    ),
    Trace(
        "The data is complete to {day}: of {read} lines read, {bad} cannot be used; {orphans} of revenue has no account.",
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

STRATEGY_CAPTION = "The strategies: how many accounts each has, and what they bring."
VALUE_AHEAD = "{value}, next 12 months"
BOXES = (
    "Every account by what it could buy and what it should bring. In each box: customers and their expected value; fixed "
    "borders are dashed."
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
        "“Win back” in this table: {n}; still buying, but less: {still} (list “Protect”); gone silent: {gone} (list “Win "
        "back”).",
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
        "{money} of the company's revenue is not in the table: lines without an account, and accounts that only returned "
        "goods.",
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
            DRAWN: "levels.contribution[1] * rate, levels.contribution[2] * rate, levels.potential[1], levels.potential[2]"
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
            "share": f"sum(greatest(0, expected_contribution)) filter ({HIGH}) / sum(greatest(0, expected_contribution))",
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
        "Accounts that still buy, but clearly less: the best 12 months before the last 12, less expected revenue, are "
        "slipping away.",
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
        "At the last test the forecast of declining accounts was off by {bias}, and by account no closer than “same as in the "
        "last period”: take the sums as rough.",
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
        "Weighted with their chances, which come from the company's own won and lost deals, that is {money} ({level} interval: "
        "{low} to {high}).",
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

CAUSES = {name.capitalize(): f"sum({name})" for name in ("lost", "volume", "price", "mix")}

OWNERS = (
    Trace("{n} person looks after accounts.", {"n": "count(*)"}, "coverage", "active and accounts > 0"),
    Trace(
        "One person for each account of class A with a plan, for two of class B, for three to five of class C, and a shared "
        "team for all others gives {least} to {most} people. That is a ratio, not a need: what it costs stands against what "
        "the accounts bring.",
        {"least": "least", "most": "most"},
        "headcount",
    ),
    Trace("{n} account that takes work has no owner.", {"n": "count(*)"}, "reassignment", "reason = 'unassigned'"),
    Trace(
        "{n} account lies beyond what its owner can look after.",
        {"n": "count(*)"},
        "reassignment",
        "reason = 'overload'",
    ),
    Trace(
        "Moving {moved} of {hours} hours to accounts with more headroom or more at risk is assumed to bring {gain} a year "
        "({level} interval: {interval}); how accounts respond to hours is an assumption, no measurement.",
        {
            "moved": "sum(greatest(0, hours_proposed - hours))",
            "hours": "sum(hours)",
            "gain": "sum(gain)",
            "level": LEVEL,
        },
        "effort",
    ),
    Trace(
        "Moving {moved} of {hours} hours to accounts with more headroom or more at risk is assumed to bring {gain} a year "
        "({level} interval: {interval}); how accounts respond to hours is an assumption, no measurement.",
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
        "Revenue of the last 12 months less that of the 12 before, and its causes, which add up to it: customers new or back, "
        "and lost, with what came back from them; of those kept, pieces, prices of the same products, and dearer or cheaper "
        "products.",
        {
            "Change of revenue": "sum(change)",
            "Growth": "sum(change) / sum(revenue_before)",
            "New or back": 'sum("new")',
            **CAUSES,
        },
        "dimensions",
        "dimension = 'region'",
        "value",
    ),
)

FLOWS = "Accounts and their {value} by class, from the fixed thresholds to the fitted borders, and from one quarter to the next; streams are as wide as the value that moves."
FLOWS_OF_TIME = (
    "Accounts and their {value} by class, from one quarter to the next; streams are as wide as the value that moves."
)
OF_CONTRIBUTION = "\"column\" = 'contribution_class'"
NEW = '"before" is null'
STEP = RANK_FIXED = (
    "list_position(['Low', 'Mid', 'High'], contribution_class) {} list_position(['Low', 'Mid', 'High'], contribution_class_fixed)"
)

FIXED_AND_FITTED = (
    Trace(
        "Against the fixed thresholds, on the company's own past, the fitted borders are clearly better by {better} of {all} "
        "measures and clearly worse by {worse}; against all other schemes another one is clearly better in {others} of "
        "{comparisons} comparisons.",
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
        by="grouping sets ((contribution_class_fixed, contribution_class), (contribution_class_fixed), (contribution_class))",
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
        "Movement since {date}, recomputed from the same log: {up} accounts rose in class, {down} fell, {new} were not yet "
        "known.",
        {
            "up": f"count(*) filter ({UP})",
            "down": f"count(*) filter ({DOWN})",
            "new": f"count(*) filter ({NEW})",
        },
        "transitions",
        OF_CONTRIBUTION,
    ),
    Trace(
        "An account changes class only if its interval clears the border, or at the second quarter in a row; {waits} are "
        "waiting for that.",
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
        "Discounted at {rate} a year. Each further year is less certain than the one before: an error of level stays and new "
        "ones are added.",
        {"rate": "value.discount_rate_annual"},
        "configuration",
    ),
)

DATA = (
    Trace(
        "The log runs from {first} to {last}; its last month has {lines} lines, where about {norm} were to be expected.",
        {"lines": "(select count(*) from ledger where " + REVENUE + " and date > $as_of - 30)", "norm": "norm_lines"},
        "freshness",
    ),
    Trace(
        "The log begins on {start}, after its customers did: the first purchases of about {n} account lie before it. The "
        "forecast counts its time from the first purchase that it sees, so how long customers stay is known for few of them; "
        "trust the record of earlier forecasts more than the model's own doubt.",
        {"n": "truncation.known_before"},
        "signals",
    ),
    Trace(
        "Sales have a season: {best} brings {high} of a mean month, {worst} {low}. The forecast of 12 months holds a whole "
        "year; that of the next 90 days does not know the season.",
        {"high": "list_max(seasons[-1].index)", "low": "list_min(seasons[-1].index)"},
        "signals",
    ),
    Trace(
        "One-time order: {name} bought for {money} on {day} ({share} of a year's revenue), where {usual} is usual. Its "
        "expected order value holds it only in part; do not count on a second one.",
        {
            "money": "max(day_sum)",
            "share": "max(day_sum) / (select sum(amount) from ledger where kind in ('sale','return','rebate') and date > $year)",
            "usual": "median(day_sum)",
        },
        "(select date, sum(amount) as day_sum from ledger l join membership m on m.member = l.account join accounts a on a.account = m.account where a.name = $name group by date having sum(amount) > 0)",
    ),
)

MANAGEMENT = (
    *FIRST_PAGE,
    *DECISIONS,
    *HOW_SURE,
    *STRATEGIES,
    *LISTS,
    *OWNERS,
    *FIXED_AND_FITTED,
    *FORECAST,
    *DATA,
)
