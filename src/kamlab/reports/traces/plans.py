"""Traces of the account plans: the list of all, then what each plan says of its account."""

from __future__ import annotations

from kamlab.reports.traces.common import LEVEL
from kamlab.reports.traces.trace import VALUE, Trace

MINE = "account = $account"
KNOWN = "What we know"
TARGET = "kind = 'account' and \"group\" = $account"
OF_MARGIN = "(select median(margin_rate) from forecast)"

LIST = (
    Trace("Accounts that need a plan", {VALUE: "count(*)"}, "plans"),
    Trace("With a plan", {VALUE: "count(*)"}, "plans", "planned"),
    Trace("People who keep them", {VALUE: "count(distinct responsible)"}, "plans", "planned and responsible <> ''"),
    Trace("{n} plan has not been touched by its owner for a quarter.", {"n": "count(*)"}, "plans", "planned and stale"),
    Trace(
        "Accounts with a plan.",
        {"At stake": "at_stake", "Card complete": "card_share", "Actions overdue": "actions_overdue"},
        "plans",
        "planned",
        "name",
    ),
    Trace("Accounts that need a plan and have none.", {"At stake": "at_stake"}, "plans", "not planned", "name"),
    Trace(
        "Its owner can keep {capacity} plans, and more is at stake at {capacity} others.",
        {"capacity": "capacity"},
        "plans",
        MINE,
    ),
)


def _of_account(text: str, table: str = "account_table", **numbers: str) -> Trace:
    return Trace(text, numbers, table, MINE)


FIGURES = (
    _of_account("Revenue, last 12 months", value="trailing_revenue"),
    _of_account("{change} on the 12 months before", change="trailing_revenue / previous_revenue - 1"),
    _of_account("Expected contribution", value="expected_contribution"),
    _of_account("Expected revenue", value="expected_contribution"),
    _of_account("{level} interval: {interval}", level=LEVEL, interval="contribution_lower, contribution_upper"),
    _of_account("Share of its potential", value="wallet_share"),
    _of_account("Potential a year", value="potential_revenue"),
    Trace("Target of revenue", {VALUE: "target"}, "targets", TARGET),
    Trace("forecast {forecast}; stretch {stretch}", {"forecast": "forecast", "stretch": "stretch"}, "targets", TARGET),
)

CARD = (
    _of_account("Customer card, {share} complete.", "plans", share="card_share"),
    _of_account("{n} accounts: {members}", "accounts", n="members"),
    Trace(
        "Customer card, {share} complete.",
        {KNOWN: "list(share order by share desc)[:3]"},
        "plan_mix",
        f"{MINE} and share > 0",
        row="Buys",
    ),
    Trace(
        "probably {segment}: {share} of the {n} customers most like it, {usual} of all in its channel",
        {"share": "share", "n": "customers", "usual": "usual"},
        "prospect_segments",
        f"{MINE} and rank = 1",
    ),
)

POSITION = (
    _of_account(
        "{now} in the last 12 months, {before} in the 12 before; best 12 months of three years: {peak}",
        now="trailing_revenue",
        before="previous_revenue",
        peak="peak_revenue",
    ),
    _of_account(
        "without its largest order {money} in the last 12 months", money="trailing_revenue - trailing_largest_order"
    ),
    _of_account("with a probability of {p}", p="p_alive"),
    Trace("Where we stand.", {KNOWN: "headroom"}, "account_table", MINE, row="Headroom a year"),
    Trace(
        "Where we stand.",
        {KNOWN: "list(share)[:3]"},
        "plan_competitors",
        f"{MINE} and share is not null",
        row="Competitors",
    ),
    _of_account(
        "class {name}; {outstanding} unpaid, of it {overdue} overdue and {disputed} disputed",
        "credit",
        outstanding="outstanding",
        overdue="overdue",
        disputed="disputed",
    ),
    _of_account("{n} in 12 months, {open} open", "plans", n="complaints", open="open_complaints"),
    _of_account("satisfaction {mean} of 10", "plans", mean="satisfaction"),
)

FINDINGS = (
    _of_account("{share} of what it can buy from us it does buy.", share="wallet_share"),
    _of_account("Only {share} of what it can buy from us it does buy.", share="wallet_share"),
    _of_account(
        "It has grown: {money} in the last 12 months, after {before}.",
        money="trailing_revenue",
        before="previous_revenue",
    ),
    _of_account(
        "It bought on {number} days in 12 months, and still buys with a probability of {probability}.",
        number="trailing_purchase_days",
        probability="p_alive",
    ),
    _of_account(
        "Its margin rate is {share}; half of all accounts are below {other}.", share="margin_rate", other=OF_MARGIN
    ),
    _of_account(
        "Its margin rate is only {share}; half of all accounts are above {other}.", share="margin_rate", other=OF_MARGIN
    ),
    *(
        Trace(
            said,
            {"decimal": "satisfaction", "number": "(finding_values ->> 'number')::int"},
            "plans join plan_findings using (account)",
            f"{MINE} and finding = '{finding}'",
        )
        for finding, said in (
            ("content", "It is content: {decimal} of 10 (answers: {number})."),
            ("discontent", "It is not content: {decimal} of 10 (answers: {number})."),
        )
    ),
    _of_account("It loses money while it buys, with a probability of {probability}.", probability="p_negative"),
    _of_account("Open complaints: {number}.", "plans", number="open_complaints"),
    _of_account("Settle its open complaints: {number}.", "plans", number="open_complaints"),
    _of_account(
        "Down to {money} in the last 12 months, from {before} in its best 12 months before.",
        money="trailing_revenue",
        before="prior_peak_revenue",
    ),
    _of_account("Days since contact was due: {number}.", "cadence", number="overdue_days"),
    _of_account(
        "In its best 12 months before the last it bought for {money} more than is expected now.",
        money="prior_peak_revenue - expected_revenue",
    ),
    _of_account("Headroom of {money} a year beyond the forecast.", money="headroom"),
    _of_account(
        "Open deals: {number}; by their chances worth {money}.",
        "pipeline",
        number="count(*)",
        money="sum(weighted_value)",
    ),
    _of_account("Bring its open deals to a decision: {number}.", "pipeline", number="count(*)"),
    Trace(
        "Projects under way: {number}; worth {money} to us.",
        {"number": "count(*)", "money": "sum(value)"},
        "plan_projects",
        f"{MINE} and kind = 'project'",
    ),
    _of_account("{money} is overdue for more than 90 days.", "credit", money="overdue_90"),
    _of_account("It disputes {money}.", "credit", money="disputed"),
    _of_account(
        "Settle {money} that is overdue or disputed for more than 90 days, before anything is promised.",
        money="overdue_90 + disputed_90",
    ),
    _of_account("{name} delivers {share} of what it buys of {line}.", "plan_competitors", share="first(share)"),
    _of_account("It still buys with a probability of only {probability}.", probability="p_alive"),
    _of_account(
        "A single order brought {share} of its revenue of the last 12 months.",
        share="trailing_largest_order / trailing_revenue",
    ),
    _of_account("It pays late, by {number} days on average.", "credit", number="days_beyond_terms"),
    _of_account(
        "It brings {share} of our revenue; its loss would hurt.",
        share="trailing_revenue / (select sum(trailing_revenue) from summary)",
    ),
)

READ = {
    "Chance that it still buys": "p_alive",
    "Revenue, last 12 months": "trailing_revenue",
    "Revenue of best 12 months": "peak_revenue",
    "Best 12 months before the last 12": "prior_peak_revenue",
    "Days with an order": "purchase_days",
    "Days with an order, last 12 months": "trailing_purchase_days",
    "Days since its first order": "days_known",
    "Days since its last order": "days_since_last",
    "Longest gap between orders in 3 years, days": "longest_gap",
    "Orders since it came back": "days_since_return",
    "Largest order": "largest_order",
    "Expected contribution": "expected_contribution",
    "Margin rate": "margin_rate",
    "Chance that it loses money": "p_negative",
    "Potential a year": "potential_revenue",
    "Share of wallet": "wallet_share",
    "Growth, lower bound": "exp(growth_lower) - 1",
    "Chance that it loses money at standard service": "p_negative_standard",
    "Share of our product lines that it buys": "product_share",
    "Expected purchases of 90 days": "volume_90",
    "Overdue over 90 days": "overdue_90",
    "Disputed for over 90 days": "disputed_90",
    "Gone below a chance of": "p_gone",
    "Contribution of its best 12 months": "peak_revenue * coalesce(margin_rate, 1)",
    "High contribution begins at": (
        "(select \"value\" from tiers where axis = 'contribution' and scheme = 'fitted' and cut = 'high')"
    ),
    "Half of all accounts buy less in 90 days than": "(select median(volume_90) from account_table)",
}
"""Field that a rule of the playbook reads, as printed → where it comes from."""

GOALS = (
    *(
        Trace("{field}: {value}", {VALUE: column}, "account_table", MINE, fixed={"field": field})
        for field, column in READ.items()
    ),
    Trace(
        "as likely above as below {p50}; one year in five brings more than {p80}",
        {"p50": "p50", "p80": "p80"},
        "targets",
        TARGET,
    ),
    Trace(
        "{gain} ({range}) that planned work is assumed to add",
        {"gain": "gain", "range": "gain_lower, gain_upper"},
        "targets",
        TARGET,
    ),
    Trace(
        "{plan}; the forecast alone reaches it with a probability of {chance}",
        {"plan": "plan", "chance": "chance"},
        "targets",
        TARGET,
    ),
    Trace(
        "{quantity} units at today's mean price of {price}",
        {"quantity": "quantity", "price": "price"},
        "targets",
        TARGET,
    ),
    *(
        Trace(
            "{n} years {value} ({range})",
            {VALUE: f"clv_{n}y", "range": f"clv_{n}y_lower, clv_{n}y_upper"},
            "lifetime",
            MINE,
            fixed={"n": f"{n}"},
        )
        for n in (3, 5)
    ),
    Trace(
        "{money} a year, already taken off",
        {"money": "cost_to_serve"},
        "account_table",
        MINE,
        row="Cost to serve",
    ),
    Trace(
        "{money} a year, already taken off",
        {"money": "coalesce(receivables_cost, 0) + coalesce(credit_loss, 0)"},
        "account_table",
        MINE,
        row="Waiting for payment and credit losses",
    ),
    Trace(
        "What we want to reach.",
        {KNOWN: "flatten(list(case when kind = 'deal' then [value, probability] else [value] end)[:3])"},
        "plan_projects",
        MINE,
        row="Projects and deals",
    ),
)

WORK = (
    _of_account("{n} more action stands in the run's tables.", "plan_actions", n="count(*) - 6"),
    *(
        _of_account(said, "plans", days="interval_days")
        for said in (
            "every {days} days; the last was {last}, the next is due by {next}",
            "every {days} days; none is on record, the next is due by {next}",
        )
    ),
)

PLANS = (*LIST, *FIGURES, *CARD, *POSITION, *FINDINGS, *GOALS, *WORK)
