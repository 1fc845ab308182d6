"""Traces of the appendix: potential, targets, effort and coverage."""

from __future__ import annotations

from kamlab.reports.traces.common import LEVEL
from kamlab.reports.traces.trace import DRAWN, Trace

FITTED_LEVEL = (
    "The {share} level of 12 months' revenue among similar accounts, checked on accounts left out of the fit."
)
COMPANY = "kind = 'company'"
TARGETS = "Targets from the top and from below, and what is forecast and proposed."
HOURS = "Shares of hours (full bars), of the proposed hours (marks) and of the money that work could win or keep."
OF_HOURS = (
    "(select strategy, sum(hours) / sum(sum(hours)) over () as hours, sum(hours_proposed) / sum(sum(hours_proposed)) "
    "over () as proposed, sum(room_contribution + value_at_risk) / sum(sum(room_contribution + value_at_risk)) over "
    "() as money from effort group by strategy)"
)
ASSUMED = (
    "Assumed: at {usual} hours a year, the mean of the accounts that get any, an account wins the share of its room "
    "that targets assume, and {one} more hours win {likely} more ({least} to {most}, as studies of personal selling "
    "found). Hours stay with their owner; no account loses more than a quarter of its hours. The gain is part of "
    "what targets count as planned gain, not on top of it."
)
MORE_HOURS = "Accounts that would get more hours, by the contribution that is assumed to come of it a year."
ROSTER = (
    "The service centre's roster: {n} accounts, the work of {people} people at {each} accounts each; those that "
    "bring most."
)


POTENTIAL = (
    Trace(
        "What accounts could buy, and where that comes from.",
        {
            "Accounts": "count(*)",
            "Together, a year": "sum(potential_revenue)",
            "Share of wallet": "median(wallet_share)",
            "Headroom": "sum(headroom)",
        },
        "potential",
        line="potential_source",
    ),
    Trace(FITTED_LEVEL, {"share": "0.9"}, "potential_fit"),
    Trace(
        FITTED_LEVEL,
        {"Buyers": "accounts", "At or under it": "coverage", "Better than one number": "skill"},
        "potential_fit",
        line="channel, given",
    ),
)

SET = (
    Trace(
        "Next 12 months, all accounts: {forecast} of revenue expected (P50 {p50}, P80 {p80}). Planned work is "
        "assumed to add {gain} ({level} interval: {interval}): a target of {target}, and {stretch} as stretch, "
        "which one year in five exceeds.",
        {
            "forecast": "(select sum(expected_revenue) from forecast)",
            "p50": "p50",
            "p80": "p80",
            "gain": "(select sum(gain) from gains)",
            "level": LEVEL,
            "interval": "gain_lower, gain_upper",
            "target": "forecast + gain",
            "stretch": "stretch",
        },
        "targets",
        COMPANY,
    ),
    Trace(
        "Set for the company: {plan}; it is reached with a probability of {chance} by the forecast alone, and of "
        "{with_gain} if the planned work brings what is assumed.",
        {
            "plan": "plan",
            "chance": "(select avg((total >= (select plan from targets where kind = 'company'))::int) from (select "
            "sum(value) as total from revenue_draws group by draw))",
            "with_gain": "chance_with_gain",
        },
        "targets",
        COMPANY,
    ),
    Trace(
        "What planned work adds is an assumption, not a measurement: of what an account could bring more, {shares}. "
        "No log shows what work brings. Customers still to be won count only in that gain.",
        {
            "*shares": ", ".join(
                f"planning.gain.{name}[{place}]"
                for name in ("acquire", "promote", "retain", "win_back")
                for place in (2, 1, 3)
            )
        },
        "configuration",
    ),
    *(
        Trace(
            TARGETS,
            {
                "Revenue": amount,
                "Less the first line": f"{amount} - coming.company",
                "In per cent": f"{amount} / coming.company - 1",
            },
            "plan_facts, (select target, forecast from targets where kind = 'company')",
            row=row,
        )
        for row, amount in {
            "Set for the company (top-down)": "coming.company",
            "Sum of the owners' targets (bottom-up)": "coming.owner",
            "Sum of the product lines' targets": "coming.product_line",
            "Proposed: forecast and planned gain": "target",
            "Forecast alone": "forecast",
        }.items()
    ),
    *(
        Trace(
            f"Revenue of the next 12 months and targets by {words}",
            {
                "Last 12 months": '"trailing"',
                "Forecast": "forecast",
                "P50": "p50",
                "P80": "p80",
                "Planned gain": "gain",
                "Proposed": "target",
                "Set": "plan",
                "Reached with": "chance_with_gain",
            },
            "targets",
            f"kind = '{kind}'",
            '"group"',
        )
        for kind, words in {"owner": "owner", "region": "region", "product_line": "product line"}.items()
    ),
    Trace("{n} more is in the table targets.", {"n": "count(*) - 12"}, "targets", "kind = 'owner'"),
)

OF_PRODUCT_LINES = "kind = 'product_line'"
PRICE_AND_VOLUME = (
    Trace(
        "The proposed targets in price and volume, by product line.",
        {
            "Mean price of a unit": "price",
            "Units, last 12 months": '"trailing" / price',
            "Units for the target": "quantity",
            "Change": 'quantity / ("trailing" / price) - 1',
        },
        "targets",
        OF_PRODUCT_LINES,
        '"group"',
    ),
    Trace("{n} more is in the table targets.", {"n": "count(*) filter (price is null)"}, "targets", OF_PRODUCT_LINES),
)

KEY_ACCOUNTS = "Key accounts by what a year of work is expected to win, against what a person of their own costs."
HANDLING = (
    Trace(
        KEY_ACCOUNTS,
        {"Expected gain a year": "uplift, uplift_lower, uplift_upper", "Its share of a person costs": "handling_cost"},
        "handling, accounts",
        line="name",
    ),
    Trace("Expected gain: an assumed share of the room ({level} interval).", {"level": "value.level"}, "configuration"),
    Trace("{n} more is in the table handling.", {"n": "count(*) - 20"}, "handling"),
)

EFFORT = (
    Trace(HOURS, {DRAWN: "hours, proposed, money"}, OF_HOURS),
    Trace(
        "{hours} of the hours go to accounts under “{strategy}”, where {money} of the headroom and value at risk lies",
        {"hours": "arg_max(hours, hours - money)", "money": "arg_max(money, hours - money)"},
        OF_HOURS,
    ),
    Trace(
        ASSUMED,
        {
            "usual": "(select avg(hours) from effort where hours > 0)",
            "one": "0.01",
            "likely": "planning.effort_elasticity[2] / 100",
            "least": "planning.effort_elasticity[1] / 100",
            "most": "planning.effort_elasticity[3] / 100",
        },
        "configuration",
    ),
    Trace(
        "On record are {hours} hours of the {capacity} that people in sales have for customers.",
        {"hours": "(select sum(hours) from effort)", "capacity": "capacity"},
        "effort_facts",
    ),
    Trace(
        "The gain is gone if accounts that get fewer hours bring {share} less for it. That cannot be seen in the "
        "data: hours follow orders as much as orders follow hours. Try the shift with some owners first.",
        {"share": "gain / at_stake"},
        "effort_facts",
    ),
    Trace("{n} person spends more than there are.", {"n": "beyond"}, "effort_facts"),
    Trace(
        MORE_HOURS,
        {
            "Hours": "hours",
            "Proposed": "hours_proposed",
            "Assumed gain": "gain",
            "{level} interval": "gain_lower, gain_upper",
        },
        "effort, accounts",
        line="name",
    ),
    Trace("{n} more would get more hours.", {"n": "count(*) - 8"}, "effort", "hours_proposed >= hours + 1"),
    Trace("{n} account would get fewer hours.", {"n": "count(*)"}, "effort", "hours_proposed <= hours - 1"),
)

COVERAGE = (
    *(
        Trace(caption, {"n": "count(*)"}, table, where)
        for caption, table, where in (
            (
                "{n} account lacks an active owner, or lies beyond what its owner can look after.",
                "reassignment",
                "",
            ),
            ("{n} contact is overdue.", "cadence", "overdue_days > 0"),
        )
    ),
    Trace(
        "{n} account lacks an active owner, or lies beyond what its owner can look after.",
        {"Expected contribution": "expected_contribution"},
        "account_table",
        line="name",
    ),
    Trace(
        "{n} contact is overdue.",
        {"Contact every (days)": "interval_days", "Days overdue": "datediff('day', next_contact, $as_of)"},
        "cadence, accounts",
        line="name",
    ),
    Trace(
        ROSTER,
        {
            "n": "(select count(*) from roster)",
            "people": "pooled_people",
            "each": "(select count(*) from roster) / pooled_people",
        },
        "headcount",
    ),
    Trace(ROSTER, {"Expected contribution": "expected_contribution"}, "roster", line="name"),
)

APPENDIX_ACCOUNTS = (*POTENTIAL, *SET, *PRICE_AND_VOLUME, *EFFORT, *HANDLING, *COVERAGE)
