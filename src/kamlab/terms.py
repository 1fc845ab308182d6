"""Names and meanings of every table and column that kamlab writes; docs/data-dictionary.md is made from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, kind of value, unit and meaning."""

    name: str
    kind: str
    meaning: str
    unit: str = ""


def _columns(*rows: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


LEVELS = ("Low", "Mid", "High")
"""The three classes of contribution and of potential, in rising order."""

STRATEGIES = ("acquire", "promote", "retain", "win_back", "static")
"""The five strategies of document 000."""

TYPES = ("A", "B", "C", "D")
"""The four account types of document 000."""

POTENTIAL_SOURCES = ("declared", "own_peak", "unknown")
"""Where a potential comes from, in falling order of trust."""

FORECASTERS = (
    *("last_horizon", "seasonal", "trailing", "same_count", "rate"),
    *("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd", "mbg_cnbd"),
    *("blend", "combination", "supervised"),
)
"""What can be in force as the forecast, the simplest first."""

AUTO = "auto"
"""The forecaster that the contest chooses."""

LINE_KINDS = ("sale", "return", "rebate", "free", "freight", "tax", "intercompany")
"""Kinds of ledger lines."""

EXCLUDED = "excluded"
"""Kind of the lines that the configuration leaves out, such as those of cancelled orders."""

REVENUE_KINDS = ("sale", "return", "rebate")
"""Kinds of ledger lines that count as revenue."""

_TOTALS = _columns(
    ("kind", "text", "company, owner or segment"),
    ("group", "text", "name of the group; company for all accounts together"),
    ("measure", "text", "revenue, contribution or purchases of the horizon; clv_1y, clv_3y or clv_5y"),
    ("accounts", "integer", "accounts in the group that have a forecast"),
    ("expected", "number", "sum of their expected values", "currency"),
    ("lower", "number", "lower bound of its interval, from the sums of joint draws", "currency"),
    ("upper", "number", "upper bound of its interval", "currency"),
    ("level", "number", "level of the interval"),
    ("basis", "text", "contribution, revenue or purchases: what the values hold"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "ledger": _columns(
        ("account", "text", "customer as the source names it; empty = unattributed revenue"),
        ("date", "date", "day of the line"),
        ("kind", "text", "sale, return, rebate, free, freight, tax, intercompany, or excluded by the configuration"),
        ("order_id", "text", "order number, if the source has one"),
        ("line_id", "text", "declared unique id of the line, if the source has one"),
        ("product", "text", "product, if the source has one"),
        ("product_line", "text", "product line, if the source has one"),
        ("quantity", "decimal(38,4)", "quantity, negative for returns", "source's unit"),
        ("amount", "decimal(38,4)", "net value of the line, negative for returns", "currency"),
        ("cost", "decimal(38,4)", "cost of the goods on the line", "currency"),
        ("source", "text", "file that the line came from"),
        ("line", "integer", "line number in that file (the header is line 1); row number for Parquet"),
        (
            "repeated",
            "boolean",
            "equal in every mapped column to an earlier line, without a line id to tell them apart; kept",
        ),
    ),
    "quarantine": _columns(
        ("source", "text", "file that the line came from"),
        ("line", "integer", "line number in that file"),
        ("reason", "text", "why the line cannot be used; several reasons are joined by '; '"),
        ("amount", "decimal(38,4)", "amount of the line where it is a number", "currency"),
        ("original", "text", "the line's original values as a JSON object"),
    ),
    "table_quarantine": _columns(
        ("table", "text", "optional table that the row belongs to"),
        ("source", "text", "file that the row came from"),
        ("line", "integer", "line number in that file"),
        ("reason", "text", "why the row cannot be used; several reasons are joined by '; '"),
        ("amount", "number", "money of the row where it is a number", "currency"),
        ("original", "text", "the row's original values as a JSON object"),
    ),
    "reconciliation": _columns(
        ("part", "text", "read, accepted, attributed, unattributed, not_revenue, excluded, quarantined, after_as_of"),
        ("rows", "integer", "number of lines"),
        ("money", "decimal(38,4)", "sum of their amounts, where numeric", "currency"),
    ),
    "accounts": _columns(
        ("account", "text", "account, or group of accounts where decisions are taken for groups"),
        ("name", "text", "name to print"),
        ("members", "integer", "number of accounts in it"),
        ("member_ids", "text", "their ids, joined by ', '"),
        ("channel", "text", "channel of sale, such as distributor or end user"),
        ("industry", "text", "industry"),
        ("region", "text", "region"),
        ("country", "text", "country"),
        ("territory", "text", "sales territory"),
        ("size", "text", "size class of the company"),
        ("owner", "text", "person responsible in sales; empty = none"),
        ("declared_potential", "number", "what sales says it could buy in 12 months at most", "currency"),
        ("declared_members", "integer", "number of its accounts for which sales has said so"),
        ("strategic", "boolean", "flagged strategic, until a day not yet passed where the master has such a column"),
    ),
    "membership": _columns(
        ("member", "text", "account as the source names it"),
        ("account", "text", "account or group that decisions are taken for"),
    ),
    "months": _columns(
        ("month", "date", "first day of the calendar month"),
        ("lines", "integer", "lines of revenue"),
        ("accounts", "integer", "accounts with such a line"),
        ("revenue", "number", "net revenue, unattributed revenue included", "currency"),
    ),
    "summary": _columns(
        ("account", "text", "account or group"),
        ("frequency", "integer", "purchase days after the first"),
        ("recency", "number", "first to last purchase day", "period's unit"),
        ("T", "number", "first purchase day to the as-of date", "period's unit"),
        (
            "monetary_value",
            "number",
            "mean net value of the repeat purchase days; 0 without repeat",
            "currency",
        ),
        ("first_purchase", "date", "first purchase day"),
        ("last_purchase", "date", "last purchase day"),
        ("first_value", "number", "net value of the first purchase day", "currency"),
        ("purchase_days", "integer", "number of purchase days (frequency + 1)"),
        ("revenue", "number", "net revenue up to the as-of date, returns deducted", "currency"),
        ("trailing_revenue", "number", "net revenue of the last 12 months", "currency"),
        ("previous_revenue", "number", "net revenue of the 12 months before", "currency"),
        ("peak_revenue", "number", "best 12 months of the last 36", "currency"),
        ("prior_peak_revenue", "number", "best 12 months of the 24 before the last 12", "currency"),
        ("trailing_purchase_days", "integer", "purchase days in the last 12 months"),
        ("previous_purchase_days", "integer", "purchase days in the 12 months before"),
        (
            "trailing_order_value",
            "number",
            "mean net value of the purchase days of the last 12 months",
            "currency",
        ),
        (
            "trailing_largest_order",
            "number",
            "net value of the largest purchase day of the last 12 months; missing without one",
            "currency",
        ),
        ("largest_order", "number", "net value of the largest purchase day", "currency"),
        (
            "order_value_trend",
            "number",
            "slope of ln(value of a purchase day) against time; missing under 3 days",
            "1/year",
        ),
        ("order_value_trend_se", "number", "its standard error", "1/year"),
        ("return_rate", "number", "returned value / bought value", "share"),
        ("days_since_last", "integer", "last purchase day to the as-of date", "days"),
        (
            "longest_gap",
            "number",
            "longest gap between purchase days in 3 years; missing under 2 days",
            "days",
        ),
        ("median_gap", "number", "median gap between purchase days; missing under 2 days", "days"),
        (
            "log_gaps",
            "number",
            "sum of ln(gap between purchase days, in the period's unit); 0 without repeat",
        ),
        ("gap_cv", "number", "standard deviation of the gaps / their mean; missing under 3 days"),
        (
            "days_since_return",
            "integer",
            "purchase days since the longest gap of over a year ended; missing if none",
        ),
        ("product_lines", "integer", "product lines bought in the last 12 months"),
        ("costed_revenue", "number", "revenue of the last 36 months on lines with a known cost", "currency"),
        ("margin", "number", "that revenue less its cost", "currency"),
        ("trailing_margin", "number", "revenue less cost of the last 12 months; missing without costs", "currency"),
        (
            "margin_rate_var",
            "number",
            "revenue-weighted variance of the lines' margin rates in the last 36 months",
        ),
        ("costed_lines", "integer", "number of those lines"),
    ),
    "backtest": _columns(
        ("forecaster", "text", "rule, model, learner or combination"),
        ("kind", "text", "model or baseline"),
        ("origin", "date", "last day of the data that the forecast was made from"),
        ("role", "text", "choice (earlier dates), record (the newest, untouched one) or only (the one date there is)"),
        ("target", "text", "purchases or revenue"),
        ("accounts", "integer", "number of accounts forecast"),
        ("actual", "number", "what came in the horizon, all accounts together"),
        ("forecast", "number", "what was forecast, all accounts together; level corrected for the one in force"),
        ("bias", "number", "forecast / actual − 1"),
        ("mae", "number", "mean absolute error per account"),
        ("rmse", "number", "root mean squared error per account"),
        ("msle", "number", "mean squared difference of ln(1 + purchases); missing for revenue"),
        ("gini", "number", "how well accounts are ranked: 1 = as what came ranks them, 0 = as chance"),
        ("top_10", "number", "share of what came from the tenth of the accounts with the highest forecasts", "share"),
        ("top_20", "number", "the same of the fifth", "share"),
        ("relative_rmse", "number", "rmse / rmse of 'last_horizon'"),
        ("coverage", "number", "share of accounts inside the model's own interval; missing where there is none"),
        (
            "coverage_recalibrated",
            "number",
            "the same with quantiles corrected by earlier dates; the forecaster in force only",
        ),
        ("level", "number", "nominal level of that interval"),
    ),
    "contest": _columns(
        ("forecaster", "text", "rule, model, learner or combination"),
        ("kind", "text", "model or baseline"),
        ("complexity", "integer", "rank: of two that forecast alike the lower one is taken"),
        ("origins", "integer", "earlier dates that it was judged on"),
        ("score", "number", "rmse / rmse of 'last_horizon', averaged over those dates"),
        ("standard_error", "number", "of its difference from the best score, over resamples of accounts"),
        ("eligible", "boolean", "no worse than 'last_horizon', and not the forecast of nothing"),
        ("chosen", "boolean", "the one in force"),
    ),
    "calibration": _columns(
        ("origin", "date", "last day of the data that the probability was computed from"),
        ("role", "text", "as in backtest"),
        (
            "probability",
            "text",
            "alive (held against a purchase in the horizon, so what was observed is its least), buys (in the horizon), "
            "buys_90_model (within 90 days, as the model says), buys_90 (corrected by earlier dates)",
        ),
        ("bin", "integer", "tenth of the probability, 1 to 10"),
        ("lower", "number", "lower border of the bin", "probability"),
        ("upper", "number", "upper border of the bin", "probability"),
        ("accounts", "integer", "accounts in it"),
        ("predicted", "number", "mean probability", "probability"),
        ("observed", "number", "share of them that bought", "share"),
    ),
    "record_groups": _columns(
        ("dimension", "text", "size (last horizon's revenue), age or trend"),
        (
            "group",
            "text",
            "size: none, small, middle, large (thirds); age: new (within a horizon), known; trend: growing, steady, "
            "declining (by a quarter against the year before)",
        ),
        ("accounts", "integer", "accounts in it"),
        ("actual", "number", "what came in the horizon"),
        ("forecast", "number", "what the forecaster in force said"),
        ("naive", "number", "what 'last_horizon' said"),
        ("bias", "number", "forecast / actual − 1"),
        ("naive_bias", "number", "naive / actual − 1"),
        ("rmse", "number", "root mean squared error per account"),
        ("naive_rmse", "number", "the same of 'last_horizon'"),
        ("coverage", "number", "share of accounts inside their interval"),
    ),
    "models": _columns(
        ("model", "text", "bg_nbd, mbg_nbd, bg_cnbd, mbg_cnbd, pareto_nbd, gamma_gamma …"),
        ("parameter", "text", "the papers' names"),
        ("value", "number", "maximum-likelihood estimate"),
        ("standard_error", "number", "its standard error"),
        ("log_likelihood", "number", "of the fit"),
        ("accounts", "integer", "accounts that entered the fit"),
        ("converged", "boolean", "the optimiser reached a maximum"),
        ("note", "text", "fallbacks and warnings, one a line: sentences of the message catalogue"),
    ),
    "forecast": _columns(
        ("account", "text", "account or group"),
        ("p_alive", "number", "probability that it still buys", "probability"),
        ("expected_purchases", "number", "purchase days expected in the horizon"),
        ("purchases_lower", "number", "lower bound of the purchases' interval"),
        ("purchases_upper", "number", "upper bound of the purchases' interval"),
        ("p_buys_90", "number", "probability of a purchase within 90 days", "probability"),
        ("expected_spend", "number", "expected net value of a purchase day", "currency"),
        (
            "spend_basis",
            "text",
            "model, trailing (order value trends), first_order or forecaster (revenue forecast as such)",
        ),
        ("expected_revenue", "number", "expected net revenue of the horizon", "currency"),
        ("revenue_lower", "number", "lower bound of its interval", "currency"),
        ("revenue_upper", "number", "upper bound of its interval", "currency"),
        ("margin_rate", "number", "margin rate used; missing where no cost is known", "share"),
        ("margin_rate_se", "number", "its standard error", "share"),
        (
            "cost_to_serve",
            "number",
            "expected cost to serve of the horizon, which the contribution is less",
            "currency",
        ),
        (
            "p_negative",
            "number",
            "probability that the account loses money given that it buys; missing without costs",
            "probability",
        ),
        (
            "expected_contribution",
            "number",
            "expected margin of the horizon; revenue where no cost is known",
            "currency",
        ),
        ("contribution_lower", "number", "lower bound of its interval", "currency"),
        ("contribution_upper", "number", "upper bound of its interval", "currency"),
        ("clv", "number", "contribution of the horizon discounted to the as-of date", "currency"),
        ("lower", "number", "lower bound of its interval", "currency"),
        ("upper", "number", "upper bound of its interval", "currency"),
        ("level", "number", "level of all intervals in the row"),
        ("basis", "text", "contribution, revenue or purchases: what the value columns hold"),
    ),
    "margins": _columns(
        ("account", "text", "account or group"),
        ("margin_rate", "number", "margin rate of 36 months, drawn towards its channel's", "share"),
        ("margin_rate_se", "number", "its standard error", "share"),
        ("cost_to_serve", "number", "cost of serving it in the last 12 months; 0 where none is known", "currency"),
        ("p_negative", "number", "probability that it loses money given that it buys", "probability"),
    ),
    "draws": _columns(
        ("account", "text", "account or group"),
        (
            "d0 … dN",
            "number",
            "joint draws of the account's contribution in the horizon; totals' intervals come from their sums",
            "currency",
        ),
    ),
    "revenue_draws": _columns(
        ("account", "text", "account or group"),
        ("d0 … dN", "number", "joint draws of the account's revenue in the horizon", "currency"),
    ),
    "lifetime": _columns(
        ("account", "text", "account or group"),
        ("dert", "number", "purchase days of all its future, discounted to the as-of date; missing at a rate of 0"),
        ("purchases_1y", "number", "purchase days expected in 12 months"),
        ("purchases_3y", "number", "purchase days expected in 3 years"),
        ("purchases_5y", "number", "purchase days expected in 5 years"),
        *(
            column
            for years in (1, 3, 5)
            for column in (
                (
                    f"clv_{years}y",
                    "number",
                    f"contribution of {12 * years} months discounted to the as-of date",
                    "currency",
                ),
                (f"clv_{years}y_lower", "number", "lower bound of its interval", "currency"),
                (f"clv_{years}y_upper", "number", "upper bound of its interval", "currency"),
                (
                    f"p_negative_{years}y",
                    "number",
                    "probability that it is below 0; missing without costs",
                    "probability",
                ),
            )
        ),
        ("level", "number", "level of the intervals"),
        ("basis", "text", "contribution, revenue or purchases: what the value columns hold"),
    ),
    "lifetime_totals": _TOTALS,
    "totals": _TOTALS,
    "potential": _columns(
        ("account", "text", "account or group"),
        (
            "potential_revenue",
            "number",
            "what it could buy in 12 months at most; missing if unknown",
            "currency",
        ),
        ("potential_source", "text", "declared, own_peak or unknown"),
        (
            "wallet_share",
            "number",
            "trailing revenue / potential; only where the potential is declared",
            "share",
        ),
        ("partly_declared", "boolean", "a group for some of whose accounts only a potential is declared"),
        (
            "below_own_peak",
            "boolean",
            "declared, but less than it has bought in 12 months; the potential is the own peak",
        ),
        ("headroom", "number", "(potential − expected revenue, not under 0) × margin rate", "currency"),
    ),
    "features": _columns(
        ("account", "text", "account or group"),
        ("…", "number", "one column a feature, in original units; listed in the run's feature table"),
    ),
    "segments": _columns(
        ("account", "text", "account or group"),
        ("segment", "integer", "number of the segment, 1 = highest mean expected contribution"),
        ("segment_name", "text", "name from the segment's profile"),
        ("silhouette", "number", "how well the account fits its segment, −1 to 1"),
    ),
    "candidates": _columns(
        ("k", "integer", "number of segments tried"),
        ("silhouette", "number", "mean silhouette"),
        (
            "null_silhouette",
            "number",
            "highest mean silhouette in data without structure; missing where not eligible",
        ),
        ("stability", "number", "mean adjusted Rand index over resamples"),
        ("smallest_share", "number", "share of accounts in the smallest segment"),
        ("eligible", "boolean", "stable and large enough"),
        ("chosen", "boolean", "the one in force"),
    ),
    "profile": _columns(
        ("segment", "integer", "number of the segment, 1 = highest mean expected contribution"),
        ("segment_name", "text", "name from the segment's profile"),
        ("accounts", "integer", "number of accounts in it"),
        ("share_accounts", "number", "their share of all accounts", "share"),
        ("contribution", "number", "their expected contribution together", "currency"),
        ("share_contribution", "number", "its share of all accounts'", "share"),
        ("mean_contribution", "number", "their mean expected contribution", "currency"),
        ("…", "number", "median of each feature, in original units"),
    ),
    "tiers": _columns(
        ("axis", "text", "contribution or potential"),
        ("scheme", "text", "fitted or fixed"),
        ("cut", "text", "mid (Low to Mid) or high (Mid to High)"),
        ("value", "number", "the border; a value on it belongs to the upper class", "currency"),
        ("lower", "number", "lower bound of its bootstrap interval", "currency"),
        ("upper", "number", "upper bound of its bootstrap interval", "currency"),
        ("method", "text", "weighted_log, log, sqrt, cumulative_80_95, configured"),
        ("unstable_share", "number", "share of accounts that change class across bootstraps"),
        ("reason", "text", "why this method is in force: a sentence of the message catalogue"),
        ("reason_values", "text", "what fills its placeholders, as a JSON object"),
    ),
    "schemes": _columns(
        ("account", "text", "account or group"),
        ("contribution_class", "text", "Low, Mid or High by the fitted cuts"),
        (
            "potential_class",
            "text",
            "Low, Mid or High by the fitted cuts; missing if the potential is unknown",
        ),
        ("contribution_class_fixed", "text", "Low, Mid or High by the fixed thresholds, on last 12 months' revenue"),
        ("potential_class_fixed", "text", "Low, Mid or High by the fixed thresholds; missing if unknown"),
    ),
    "account_table": _columns(
        ("account", "text", "account or group"),
        ("has_bought", "boolean", "has at least one purchase day up to the as-of date"),
        ("days_known", "number", "first purchase day to the as-of date", "days"),
        ("…", "", "all columns of accounts, summary, forecast, potential and schemes"),
    ),
    "strategies": _columns(
        ("account", "text", "account or group"),
        ("name", "text", "name to print"),
        ("owner", "text", "person responsible in sales"),
        ("nine_box", "text", "contribution level / potential level after the share rule, such as 'High/Mid'"),
        ("type_000", "text", "A, B, C or D; missing for prospects"),
        ("type_000_rule", "text", "id of the playbook rule that gave it"),
        ("type_000_inputs", "text", "values that entered the rule"),
        ("strategy", "text", "acquire, promote, retain, win_back or static"),
        ("strategy_rule", "text", "id of the playbook rule that gave it"),
        ("strategy_inputs", "text", "values that entered the rule"),
        ("plan_required", "boolean", "needs an account plan"),
        ("plan_required_rule", "text", "id of the playbook rule that gave it"),
        ("provisional", "boolean", "the type stands on the account's own peak or on a short history"),
        ("flags", "text", "flags, joined by ', '"),
    ),
}
