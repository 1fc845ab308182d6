"""Traces of what several documents say: the year's revenue, the interval's level, and why an account's strategy is."""

from __future__ import annotations

import string

from kamlab.backtest import RECORDS
from kamlab.gains import SILENT_RULES
from kamlab.reports.traces.trace import VALUE, Trace, sums
from kamlab.strategies.texts import POTENTIALS, REASONS
from kamlab.terms import REVENUE_KINDS

BOTH = "account_table, strategies"
REVENUE = f"kind in {tuple(REVENUE_KINDS)}"
NOW = "sum(amount) filter (date > $year and date <= $as_of)"
THEN = "sum(amount) filter (date > $before and date <= $year)"
SILENT = f"strategy_rule in {SILENT_RULES}"
WATCHED = "(strategy = 'win_back' or contains(flags, 'watch'))"
LOSS = f"greatest(0, case when {SILENT} then peak_revenue else prior_peak_revenue end - expected_revenue)"
STILL = f"{WATCHED} and not {SILENT}"
GONE = f"{WATCHED} and {SILENT}"
REPAIR = "contains(flags, 'repair')"
ROOM = "strategy = 'promote' and headroom > 0"
LEVEL = "(select value.level from configuration)"
EXPECTED = sums("revenue_draws")
"""The draws of the company's revenue of the next 12 months."""
OF_CONTRIBUTION = "\"column\" = 'contribution_class'"
RANK = "list_position(['Low', 'Mid', 'High'], {})"
UP = "{now} > {then}".format(now=RANK.format("held"), then=RANK.format("before"))
DOWN = "{now} < {then}".format(now=RANK.format("held"), then=RANK.format("before"))
RECORD = f"target = 'revenue' and role in {tuple(RECORDS)}"
JUDGED = (
    "(select a.\"column\" as scheme, a.measure, case when a.verdict = 'better' and coalesce(n.verdict, '') not in "
    "('better', '') then 'even' else a.verdict end as verdict from evidence a left join evidence n on n.\"column\" = "
    'a."column" and n.measure = a.measure and n.origin = (select max(origin) from evidence) where a.origin is null)'
)
"""Verdicts over all dates; what is better over all dates and not at the newest one is not called better."""

OF_THE_ACCOUNT = {
    "trailing": "trailing_revenue",
    "peak": "peak_revenue",
    "prior_peak": "prior_peak_revenue",
    "contribution": "expected_contribution",
    "days": "days_since_last",
    "share": "wallet_share",
    "amount": "potential_revenue",
}
"""Placeholder of a strategy's reason → column of the account table."""


def reasons() -> tuple[Trace, ...]:
    """Return the traces of why an account has its strategy, of each rule's sentence and of what it could buy."""
    found = []
    for message in (*REASONS.values(), *POTENTIALS.values()):
        names = [name for _, name, _, _ in string.Formatter().parse(message) if name in OF_THE_ACCOUNT]
        columns = {name: OF_THE_ACCOUNT[name] for name in names}
        if columns:
            found.append(Trace(message, columns, "account_table", "account = $account"))
    return tuple(found)


COMMON = (
    *reasons(),
    Trace("{level} interval", {"level": "value.level"}, "configuration"),
    Trace("Data from", {VALUE: "min(date)"}, "ledger"),
    Trace("Accounts that have bought", {VALUE: "count(*)"}, "summary"),
    Trace(
        "Prospects",
        {VALUE: "count(*)"},
        "accounts",
        "account not in (select m.account from ledger l join membership m on m.member = l.account)",
    ),
    Trace(
        "The plan for these 12 months was {plan}; {share} of it is missing.",
        {"plan": "sum(plan)", "share": "1 - sum(actual) / sum(plan)"},
        "plan",
        'kind = \'company\' and "end" > $year and "end" <= $as_of',
    ),
    Trace(
        "The plan for these 12 months was {plan}; {share} more came.",
        {"plan": "sum(plan)", "share": "sum(actual) / sum(plan) - 1"},
        "plan",
        'kind = \'company\' and "end" > $year and "end" <= $as_of',
    ),
)
