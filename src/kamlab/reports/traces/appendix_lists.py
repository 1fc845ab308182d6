"""Traces of the appendix: dimensions, lists for the next review, prospects, the playbook in words, and the data."""

from __future__ import annotations

from kamlab.reports.traces.trace import Trace

PROSPECT = "Which segment the largest prospects would probably join, by the customers that they are most like."
TOP = 10
CAUSES = {"New or back": "new", **{name.capitalize(): name for name in ("lost", "volume", "price", "mix")}}
DIMENSIONS = ("region", "country", "size", "industry", "territory", "channel", "owner", "product_line")

BY_DIMENSION = (
    Trace(
        "{dimension}: value, growth, lost customers and risk",
        {
            "Accounts": "accounts",
            "Revenue, last 12 months": "revenue_now",
            "Growth": "growth",
            "Lost customers": "churn",
            "Expected contribution": "expected_contribution",
            "Value at risk": "value_at_risk",
        },
        "dimensions",
        "dimension = $heading",
        "value",
    ),
    Trace(
        "{dimension}: change of revenue and its causes, which add up to it",
        {"Change of revenue": "sum(change)", **{word: f'sum("{cause}")' for word, cause in CAUSES.items()}},
        "dimensions",
        "dimension = $heading",
        "value",
    ),
    *(
        Trace("{n} more is in the table dimensions.", {"n": f"count(*) - {TOP}"}, "dimensions", f"dimension = '{name}'")
        for name in DIMENSIONS
    ),
    Trace("Under {n} accounts no rates are given.", {"n": "5"}, "dimensions"),
)

OF_LIST = {
    "Revenue, last 12 months": "trailing_revenue",
    "Loses money": "p_negative",
    "At standard service": "p_negative_standard",
}

LISTS_FOR_REVIEW = (
    Trace(
        "Accounts that probably lose money while they buy, with the probability today, at standard service, and at "
        "the review before.",
        {**OF_LIST, "A quarter ago": "p_negative_before"},
        "account_table",
        line="name",
    ),
    Trace(
        "{n} more account is not shown.",
        {"n": f"count(*) - {TOP}"},
        "strategies",
        "contains(flags, 'repair') or contains(flags, 'check_margin')",
    ),
    Trace(
        "A proposal, not a decision. Accounts that lost money at two reviews in a row, at standard service too, and "
        "could not buy much more: {proposed}; at one review so far: {watched}. Ask first what price, terms and "
        "service can mend.",
        {"proposed": "count(*) filter (label = 'proposed')", "watched": "count(*) filter (label = 'watched')"},
        "labels",
        "scheme = 'remove_list'",
    ),
    Trace(
        "{n} more account is not shown.",
        {"n": f"count(*) - {TOP}"},
        "labels",
        "scheme = 'remove_list' and label in ('proposed', 'watched')",
    ),
    Trace("Remove list, in two stages.", OF_LIST, "account_table", line="name"),
    Trace(
        "Accounts to win from rivals: much to buy, and a competitor in our place, as far as sales has told.",
        {
            "Potential a year": "potential_revenue",
            "Our share": "wallet_share",
            "Rivals' share": "rival_share",
            "Headroom a year": "headroom",
        },
        "account_table",
        line="name",
    ),
    Trace("{n} more account is not shown.", {"n": f"count(*) - {TOP}"}, "strategies", "contains(flags, 'conquest')"),
)

IN_WORDS = tuple(
    Trace(caption, {"Accounts": "count(*)"}, "labels", f"scheme = '{scheme}'", "label")
    for scheme, caption in {
        "four_001": "Four ways to develop customers.",
        "engagement_001": "How closely we work with customers, from the whole market to a common task.",
    }.items()
)

PROSPECTS = (
    *(
        Trace(
            "When the open deals are likely to be won, added up.",
            {"Decided": f"{days}", "Deals likely won": f"sum({chance})", "Weighted value": f"sum({chance} * value)"},
            "pipeline",
            row="within {n} days",
            fixed={"n": f"{days}"},
        )
        for chance, days in {"p_win_30": 30, "p_win_91": 91, "p_win_182": 182, "p_win": 728}.items()
    ),
    Trace(
        "Calendar of decisions and tenders of the next 12 months, the next first.",
        {"Value": '"value"'},
        "pipeline join accounts using (account)",
        line="expected_close, name",
    ),
    *(
        Trace(
            "Whom prospects are like.",
            {"Look-alike {rank}": "revenue"},
            "look_alikes join accounts using (account)",
            f"rank = {rank}",
            "name",
            fixed={"rank": f"{rank}"},
        )
        for rank in (1, 2, 3)
    ),
    Trace(
        PROSPECT,
        {
            "Potential a year": "potential_revenue",
            "Of those most like it": "share",
            "Of all in its channel": "usual",
            "Customers like it": "customers",
        },
        "prospect_segments, accounts, potential",
        "rank = 1",
        "name",
    ),
    Trace(
        "Tried on today's customers the likeliest segment is the right one for {right}, and the largest segment of "
        "the channel for {naive}: what is known of a prospect tells nothing of its segment.",
        {"right": '"right"', "naive": "naive"},
        "prospect_segments_facts",
    ),
    Trace(
        "{open} of invoices is unpaid, {late} of it past its due date and {long} for more than 90 days.",
        {"open": "sum(outstanding)", "late": "sum(overdue)", "long": "sum(overdue_90)"},
        "credit",
    ),
    Trace(
        "{loss} of it is expected to be lost, by what has become of earlier invoices.",
        {"loss": "sum(expected_loss)"},
        "credit",
    ),
)

LINES = "{n} line cannot be used."

DATA_QUALITY = (
    *(
        Trace(
            "Every line that was read is accounted for.",
            {"Lines": '"rows"', "Money": "money"},
            "reconciliation",
            f"part = '{part}'",
            row=row,
        )
        for part, row in {
            "read": "Read",
            "quarantined": "not usable (quarantine)",
            "accepted": "Accepted",
            "attributed": "with an account: in this report",
            "unattributed": "without an account: revenue that belongs to nobody",
            "not_revenue": "no revenue (free, freight, tax, within the group)",
            "excluded": "left out by the configuration, such as cancelled orders",
            "after_as_of": "after the as-of date: not read further",
        }.items()
    ),
    Trace(
        "Log and books differ in {off} of {months} months: the log says {log}, the books {books}.",
        {
            "Books": "sum(books)",
            "With an account": "sum(attributed)",
            "Without an account": "sum(unattributed)",
            "Left out": "sum(excluded)",
            "Log": "sum(log)",
            "Difference": "sum(log) - sum(books)",
        },
        "books",
        line="month",
    ),
    Trace("All {months} months", {"months": "count(*)"}, "books"),
    Trace(LINES, {"n": "count(*)"}, "quarantine"),
    Trace(
        LINES,
        {"Lines": "count(*)", "Money": "sum(amount)", "Line numbers in the file": "list(line order by line)"},
        "quarantine",
        line="reason",
    ),
)

APPENDIX_LISTS = (*BY_DIMENSION, *LISTS_FOR_REVIEW, *PROSPECTS, *IN_WORDS, *DATA_QUALITY)
