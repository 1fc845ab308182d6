"""What the sheets of the workbook are called and show, and the headings and kinds of their columns."""

from __future__ import annotations

from collections.abc import Mapping

from kamlab.i18n import N_
from kamlab.reports.sections.columns import LABELS
from kamlab.reports.workbook.writing import Kind

RESTS_ON: Mapping[str, str] = {
    "decided": N_("decided by a person"),
    "own_peak": N_("potential is its own best 12 months"),
    "fitted": N_("potential from similar accounts"),
    "no_potential": N_("potential unknown"),
    "revenue_basis": N_("revenue, since no costs are known"),
    "short_history": N_("short history"),
}
"""What a label may rest on."""

LISTS = {"credit": N_("Credit"), "dimensions": N_("Regions, owners and the like"), "pipeline": N_("Open deals")}
"""Names of the lists' sheets."""

ABOUT = {
    "accounts": N_(
        "Every account: what it brings, all its labels with their probabilities, and why it has its strategy."
    ),
    "scheme": N_(
        "A scheme of the playbook: each account's label, its probability, the rule and the values that gave it."
    ),
    "class": N_("A classification: each account's class, with its probability where there is one."),
    "counted": N_("How many accounts have each label."),
    "pipeline": N_("Deals that are not decided, with the probability to win them."),
    "credit": N_("How each account pays, what it owes, and its credit limit."),
    "dimensions": N_("Revenue by region, owner, product line and the like, and why it changed."),
    "quarantine": N_("Lines of the files that could not be used, counted by reason."),
    "origins": N_("Which table and column of the run each column of this workbook comes from."),
}
"""What the sheets show."""

ACCOUNT_TEXTS = {
    key: LABELS[key] for key in ("name", "owner", "channel", "industry", "region", "country", "territory", "size")
}
"""What the account master says, where it says anything."""

Row = tuple[str, str, Kind]

ACCOUNT_NUMBERS: tuple[Row, ...] = (
    ("last_purchase", N_("Last order"), "date"),
    ("trailing_revenue", N_("Revenue, last 12 months"), "money"),
    ("previous_revenue", N_("Revenue, 12 months before"), "money"),
    ("trailing_largest_order", N_("Largest order, last 12 months"), "money"),
    ("trailing_margin", N_("Margin, last 12 months"), "money"),
    ("p_alive", N_("Chance that it still buys"), "percent"),
    ("expected_purchases", N_("Expected purchase days"), "decimal"),
    ("expected_revenue", N_("Expected revenue"), "money"),
    ("revenue_lower", N_("Expected revenue, lower bound"), "money"),
    ("revenue_upper", N_("Expected revenue, upper bound"), "money"),
    ("cost_to_serve", N_("Expected cost to serve"), "money"),
    ("receivables_cost", N_("Expected cost of waiting for payment"), "money"),
    ("credit_loss", N_("Expected credit loss"), "money"),
    ("expected_contribution", N_("Expected contribution"), "money"),
    ("contribution_lower", N_("Expected contribution, lower bound"), "money"),
    ("contribution_upper", N_("Expected contribution, upper bound"), "money"),
    ("clv", N_("Discounted value, 12 months"), "money"),
    ("potential_revenue", N_("Potential a year"), "money"),
    ("potential_source", N_("Where the potential comes from"), "text"),
    ("wallet_share", N_("Share of wallet"), "percent"),
    ("headroom", N_("Headroom a year"), "money"),
)
DEALS: tuple[Row, ...] = (
    ("deal", N_("Deal"), "text"),
    ("account", N_("Account"), "text"),
    ("name", N_("Name"), "text"),
    ("product", N_("Product"), "text"),
    ("owner", N_("Owner"), "text"),
    ("opened", N_("Opened"), "date"),
    ("value", N_("Value"), "money"),
    ("p_win_91", N_("Won within 91 days, probability"), "percent"),
    ("p_win", N_("Won within two years, probability"), "percent"),
    ("weighted_value", N_("Value times probability"), "money"),
    ("prospect_004", N_("Grade"), "text"),
    ("stalled", N_("Stands still"), "text"),
)
CREDIT: tuple[Row, ...] = (
    ("account", N_("Account"), "text"),
    ("name", N_("Name"), "text"),
    ("credit_002", N_("Credit class"), "text"),
    ("score", N_("Score, 0 to 100"), "number"),
    ("on_time_rate", N_("Paid on time"), "percent"),
    ("days_beyond_terms", N_("Days paid after the due date"), "decimal"),
    ("days_to_pay", N_("Days from invoice to payment"), "decimal"),
    ("outstanding", N_("Unpaid"), "money"),
    ("overdue", N_("Overdue"), "money"),
    ("overdue_90", N_("Overdue for more than 90 days"), "money"),
    ("disputed", N_("Disputed"), "money"),
    ("limit", N_("Credit limit"), "money"),
    ("utilisation", N_("Limit used"), "percent"),
    ("expected_loss", N_("Expected loss of what is unpaid"), "money"),
)
DIMENSION_ROWS: tuple[Row, ...] = (
    ("dimension", N_("Divided by"), "text"),
    ("value", N_("Value of it"), "text"),
    ("accounts", N_("Accounts"), "number"),
    ("revenue_now", N_("Revenue, last 12 months"), "money"),
    ("revenue_before", N_("Revenue, 12 months before"), "money"),
    ("change", N_("Change of revenue"), "money"),
    ("new", N_("New or back"), "money"),
    ("lost", N_("Lost"), "money"),
    ("volume", N_("Volume"), "money"),
    ("price", N_("Price"), "money"),
    ("mix", N_("Mix"), "money"),
    ("unexplained", N_("No quantities"), "money"),
    ("growth", N_("Growth"), "percent"),
    ("expected_contribution", N_("Expected contribution"), "money"),
)
