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

ABC = ("A", "B", "C")
"""Three classes in falling order, as documents 002 and 004 name them."""

CREDIT_CLASSES = ("AAA", "AA", "A", "none")
"""The credit classes of document 002, and none."""

POTENTIAL_SOURCES = ("declared", "fitted", "own_peak", "pipeline", "unknown")
"""Where a potential comes from, in falling order of trust."""

FORECASTERS = (
    *("last_horizon", "seasonal", "trailing", "same_count", "rate"),
    *("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd", "mbg_cnbd", "bg_bb"),
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
    "books": _columns(
        ("month", "text", "month of the books, such as 2025-01; whole months up to the as-of date"),
        ("books", "decimal(38,4)", "what the books say", "currency"),
        ("attributed", "decimal(38,4)", "revenue of the log with an account", "currency"),
        ("unattributed", "decimal(38,4)", "revenue of the log without an account", "currency"),
        ("excluded", "decimal(38,4)", "lines that are no revenue, or left out by the configuration", "currency"),
        ("log", "decimal(38,4)", "attributed + unattributed + excluded", "currency"),
        ("difference", "decimal(38,4)", "log − books", "currency"),
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
            "quantity",
            "number",
            "quantity up to the as-of date, returns deducted; missing without quantities",
            "source's unit",
        ),
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
    "growth_windows": _columns(
        ("account", "text", "account or group"),
        (
            "trailing_revenue",
            "number",
            "net revenue of the later window: the last 12 months, moved back until both windows hold as many festivals",
            "currency",
        ),
        ("previous_revenue", "number", "net revenue of the 12 months before that window", "currency"),
        ("trailing_purchase_days", "integer", "purchase days in the later window"),
        ("previous_purchase_days", "integer", "purchase days in the earlier one"),
        ("shift_days", "integer", "how long before the as-of date the windows end", "days"),
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
        (
            "model",
            "text",
            "nbd, bg_nbd, mbg_nbd, bg_cnbd, mbg_cnbd, pareto_nbd, bg_bb, sbg, gamma_gamma",
        ),
        (
            "parameter",
            "text",
            "the papers' names; k is regularity, transaction[…] and dropout[…] are effects",
        ),
        ("value", "number", "maximum-likelihood estimate"),
        ("standard_error", "number", "its standard error; missing for k, which is chosen"),
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
        (
            "potential_source",
            "text",
            "declared, fitted (to look-alikes), own_peak, pipeline (its open deals) or unknown",
        ),
        (
            "wallet_share",
            "number",
            "trailing revenue / potential; only where the potential is declared or fitted",
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
    "potential_fit": _columns(
        ("channel", "text", "channel of sale; each is fitted for itself"),
        ("given", "text", "firmographics, or firmographics_and_mix: what accounts are told apart by"),
        ("accounts", "integer", "accounts that bought in the last 12 months"),
        ("coverage", "number", "share of them at or under their out-of-sample 90th percentile", "share"),
        ("skill", "number", "1 − quantile loss / that of one number for the channel, out of sample"),
        ("used", "boolean", "whether potentials come from it"),
        ("reason", "text", "why, or why not: a phrase of the message catalogue"),
    ),
    "look_alikes": _columns(
        ("account", "text", "account that never bought"),
        ("rank", "integer", "1 = the buyer that it is most like"),
        ("look_alike", "text", "that buyer, of the same channel"),
        ("agreement", "number", "share of the account's known industry, region, country … that they agree in", "share"),
        ("revenue", "number", "the buyer's revenue of the last 12 months", "currency"),
    ),
    "features": _columns(
        ("account", "text", "account or group"),
        ("…", "number", "one column a feature, in original units; listed in the run's feature table"),
    ),
    "feature_rules": _columns(
        ("feature", "text", "column of table features"),
        ("meaning", "text", "what it says: a phrase of the message catalogue, or the product line"),
        ("unit", "text", "currency, days, years, share or empty"),
        ("transform", "text", "log: sign(x) ln(1 + |x| / log_unit), compared by ratio; linear: by difference"),
        ("log_unit", "number", "median of |x| > 0; missing if linear or not used", "feature's unit"),
        ("centre", "number", "median after the transform, which becomes 0; missing values become 0 too"),
        ("scale", "number", "standard deviation after the transform, which becomes 1; beyond ± 3 all is 3"),
        ("missing", "text", "what stands for a missing value: a sentence of the message catalogue"),
        ("known", "number", "share of accounts for which it is known", "share"),
        ("used", "boolean", "whether segments are made from it"),
        ("reason", "text", "why not: a phrase of the message catalogue"),
    ),
    "segments": _columns(
        ("account", "text", "account or group"),
        ("segment", "integer", "number of the segment, 1 = highest mean expected contribution"),
        ("segment_id", "integer", "number that the segment keeps from one run to the next"),
        ("segment_name", "text", "name from the segment's profile"),
        ("silhouette", "number", "how well the account fits its segment, −1 to 1"),
        (
            "probability",
            "number",
            "probability that it belongs to its segment; missing without segments",
            "probability",
        ),
        ("second_segment", "integer", "number of the next likely segment; missing without segments"),
        ("second_probability", "number", "probability that it belongs there", "probability"),
        ("borderline", "boolean", "probability under 0.6"),
        ("previous_segment_id", "integer", "its segment_id in the run before; missing without one"),
    ),
    "segment_probabilities": _columns(
        ("account", "text", "account or group"),
        ("s1 … sN", "number", "probability that the account belongs to each segment", "probability"),
    ),
    "candidates": _columns(
        ("method", "text", "kmeans, ward, diagonal or full (Gaussian mixtures)"),
        ("k", "integer", "number of segments tried"),
        ("smallest_share", "number", "share of accounts in the smallest segment"),
        ("bic", "number", "Bayesian information criterion, lower is better; mixtures only"),
        ("stability", "number", "mean adjusted Rand index over resamples; missing where ruled out before"),
        (
            "silhouette",
            "number",
            "mean silhouette, for mixtures in units of the segments' own spread; missing likewise",
        ),
        ("null_silhouette", "number", "highest in data without structure, as far as was needed to rule it out"),
        ("eligible", "boolean", "not tiny, clearer than chance, stable, and with a name for each segment"),
        ("chosen", "boolean", "the one in force"),
        ("reason", "text", "what it fell short of: a phrase of the message catalogue"),
    ),
    "segment_rules": _columns(
        ("rule", "integer", "number of the rule; an account meets exactly one"),
        ("segment", "integer", "segment that it stands for"),
        ("conditions", "text", "feature, at_least and under (original units), as a JSON list"),
        ("accounts", "integer", "accounts that meet it"),
        ("share_right", "number", "share of them that are in the segment", "share"),
    ),
    "profile": _columns(
        ("segment", "integer", "number of the segment, 1 = highest mean expected contribution"),
        ("segment_id", "integer", "number that the segment keeps from one run to the next"),
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
        ("method", "text", "weighted_log, log, sqrt, mixture, cumulative_80_95, configured"),
        ("unstable_share", "number", "share of accounts that change class across bootstraps"),
        ("reason", "text", "why this method is in force: a sentence of the message catalogue"),
        ("reason_values", "text", "what fills its placeholders, as a JSON object"),
    ),
    "schemes": _columns(
        ("account", "text", "account or group"),
        (
            "contribution_class",
            "text",
            "Low, Mid or High by the fitted cuts, held until a change is sure; see transitions",
        ),
        (
            "potential_class",
            "text",
            "Low, Mid or High by the fitted cuts; missing if the potential is unknown",
        ),
        ("contribution_class_fixed", "text", "Low, Mid or High by the fixed thresholds, on last 12 months' revenue"),
        ("potential_class_fixed", "text", "Low, Mid or High by the fixed thresholds; missing if unknown"),
        ("revenue_tenth", "text", "tenth of the accounts by last 12 months' revenue, 1 = most"),
        ("abc_revenue", "text", "A, B, C: accounts that bring 80 %, the next 15 %, the last 5 % of that revenue"),
        ("rfm_score", "text", "fifths of recency, frequency and monetary value as digits, 555 = best"),
        ("rfm_sum", "text", "sum of these three digits, 3 to 15"),
        ("rfm_segment", "text", "usual name of their combination, such as Champions"),
        ("abc_002", "text", "document 002: A, B, C by purchase probability, expected purchases and quantity"),
        ("territory_002", "text", "document 002: class of the account's sales territory"),
        ("abc_004", "text", "document 004: A, B, C by expected amount, 80 / 95 % cumulative"),
        ("tiers_004", "text", "document 004: small, medium, large or VIP by lifetime value"),
        ("attitude_004", "text", "document 004: detractor, passive or promoter by survey"),
        ("performance_loyalty_004", "text", "document 004: expected revenue × share of wallet or P(alive)"),
        ("credit_performance_004", "text", "document 004: credit class × contribution"),
        ("development_004", "text", "document 004: Low, Mid or High headroom"),
    ),
    "scheme_list": _columns(
        ("scheme", "text", "scheme of the registry"),
        ("column", "text", "its column in table schemes, all missing where the scheme is left out"),
        ("title", "text", "name as printed: a sentence of the message catalogue"),
        ("document", "text", "document that names it; empty = common use"),
        ("kind", "text", "fixed (by hand), fitted (to the data) or rank (places or shares among the accounts)"),
        ("applied", "boolean", "it gave at least one account a class"),
        ("lacks", "text", "columns without a value, for want of which it was left out, joined by ', '"),
        ("accounts", "integer", "accounts that have a class"),
        ("method", "text", "how its borders came about, where it has any; see table tiers"),
        ("cuts", "text", "its borders in rising order, as a JSON list"),
        ("reason", "text", "why it is in force, or left out though its data are there: a sentence of the catalogue"),
        ("reason_values", "text", "what fills its placeholders, as a JSON object"),
    ),
    "transitions": _columns(
        ("account", "text", "account or group that has bought"),
        (
            "value_before",
            "number",
            "expected contribution a quarter (91 days) earlier; missing if not known then",
            "currency",
        ),
        ("value", "number", "expected contribution now", "currency"),
        ("before", "text", "class of contribution in force then, recomputed from the ledger by today's borders"),
        ("now", "text", "class by today's value alone"),
        ("held", "text", "class in force"),
        ("why", "text", "first_seen, stays, cleared (interval beyond the border), second_period or waits"),
    ),
    "class_probabilities": _columns(
        ("account", "text", "account or group that has bought"),
        *(
            (level, "number", f"probability that the coming 12 months' contribution is {level}", "probability")
            for level in LEVELS
        ),
        *(
            (f"abc_004_{letter}", "number", f"probability of class {letter} of abc_004", "probability")
            for letter in ("C", "B", "A")
        ),
        *(
            (f"tiers_004_{tier}", "number", f"probability of class {tier} of tiers_004", "probability")
            for tier in ("small", "medium", "large", "VIP")
        ),
    ),
    "earlier": _columns(
        ("account", "text", "account or group known at the origin"),
        ("origin", "date", "as-of date, one or several horizons before this run's"),
        ("back", "integer", "how many horizons before; 1 = the newest"),
        ("trailing_revenue", "number", "net revenue of the 12 months before the origin", "currency"),
        ("trailing_purchase_days", "integer", "purchase days in them"),
        ("expected_contribution", "number", "forecast from the origin for 12 months", "currency"),
        ("contribution_lower", "number", "lower bound of its interval", "currency"),
        ("contribution_upper", "number", "upper bound of its interval", "currency"),
        ("next_purchases", "integer", "purchase days in the horizon after the origin"),
        ("next_value", "number", "margin of that horizon; revenue where no cost is known", "currency"),
        ("…", "text", "columns of table schemes as of the origin, and the values that order accounts in a class"),
    ),
    "evidence": _columns(
        ("column", "text", "column of table schemes that is judged"),
        ("measure", "text", "share, explained, churn, changed, returned, missed, own_accounts or own_share"),
        ("origin", "date", "date that was forecast from; missing = mean of the origins"),
        ("accounts", "integer", "number of accounts it was measured on"),
        ("value", "number", "what was measured", "share, except missed: currency a horizon"),
        ("lower", "number", "lower bound of its bootstrap interval", "as value"),
        ("upper", "number", "upper bound of its bootstrap interval", "as value"),
        ("difference", "number", "fitted borders less this scheme", "as value"),
        ("difference_lower", "number", "lower bound of its bootstrap interval, drawn in pairs", "as value"),
        ("difference_upper", "number", "upper bound of its bootstrap interval", "as value"),
        ("verdict", "text", "better, even or worse: the fitted borders against this scheme; empty for own_*"),
    ),
    "account_table": _columns(
        ("account", "text", "account or group"),
        ("has_bought", "boolean", "has at least one purchase day up to the as-of date"),
        ("days_known", "number", "first purchase day to the as-of date", "days"),
        (
            "growth_lower",
            "number",
            "lower bound (5 %) of ln(revenue of the later window / the earlier); see growth_windows",
        ),
        ("volume_90", "number", "expected revenue of 90 days", "currency"),
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
    "labels": _columns(
        ("account", "text", "account or group"),
        ("scheme", "text", "scheme of the playbook"),
        ("label", "text", "its label"),
        ("rule", "text", "id of the playbook rule that gave it"),
        ("inputs", "text", "values that entered the rule"),
        (
            "rests_on",
            "text",
            "decided, own_peak, fitted, no_potential, revenue_basis, short_history: what a reader should know of it",
        ),
        (
            "probability",
            "number",
            "probability of the label under the predictive distribution of the account's contribution",
            "probability",
        ),
    ),
    "credit": _columns(
        ("account", "text", "account"),
        ("invoices", "integer", "invoices that fell due in the last three years, disputed ones left out"),
        ("on_time_rate", "number", "share of the due amounts paid at most three days late", "share"),
        ("days_beyond_terms", "number", "mean days between due date and payment, by amount; never under 0", "days"),
        ("outstanding", "number", "unpaid at the as-of date, without what is disputed", "currency"),
        ("overdue", "number", "of that, past its due date", "currency"),
        ("overdue_90", "number", "of that, for more than 90 days", "currency"),
        ("disputed", "number", "unpaid and disputed", "currency"),
        ("disputed_90", "number", "of that, more than 90 days past its due date", "currency"),
        ("limit", "number", "credit limit: the smaller of the policy's and two months' expected spend", "currency"),
        ("utilisation", "number", "outstanding / limit", "share"),
        (
            "expected_loss",
            "number",
            "outstanding × the loss rate of its days past due; missing where no rate is known",
            "currency",
        ),
        ("score", "number", "0 to 100; missing without a due invoice"),
        ("credit_002", "text", "AAA, AA, A or none"),
    ),
    "pipeline": _columns(
        ("deal", "text", "id of the open deal"),
        ("account", "text", "account; missing where sales has not named one"),
        ("product", "text", "product"),
        ("owner", "text", "person responsible in sales"),
        ("opened", "date", "day the deal was opened; missing before"),
        ("age_days", "integer", "days since then", "days"),
        ("value", "number", "value of the deal, or the mean of won deals of its product", "currency"),
        ("value_source", "text", "own, won_deals or unknown"),
        ("p_win_30", "number", "probability that it is won within 30 days", "probability"),
        ("p_win_91", "number", "probability that it is won within 91 days", "probability"),
        ("p_win_182", "number", "probability that it is won within 182 days", "probability"),
        ("p_win", "number", "probability that it is won within two years", "probability"),
        ("weighted_value", "number", "value × p_win", "currency"),
        ("prospect_004", "text", "A, B, C: probably won within 1, 3, 6 months; D: later or never"),
        ("stalled", "boolean", "older than 95 % of all won deals were when they were won"),
    ),
    "prospects": _columns(
        ("account", "text", "account with open deals"),
        ("open_deals", "integer", "number of open deals"),
        ("open_value", "number", "their value", "currency"),
        ("weighted_value", "number", "their value weighted with the probability of winning", "currency"),
        ("p_win_any", "number", "probability that at least one is won; deals taken as independent", "probability"),
        ("stalled_deals", "integer", "of them, stalled"),
        ("prospect_004", "text", "grade of its best deal: A, B, C or D"),
    ),
    "pipeline_record": _columns(
        ("model", "text", "life_table, logistic, or win_rate: the share of all decided deals that were won"),
        ("origin", "date", "last day of the data that the prediction was made from"),
        ("deals", "integer", "deals open on that day"),
        ("won", "number", "share that was won within 91 days", "share"),
        ("predicted", "number", "mean predicted probability of that", "probability"),
        ("brier", "number", "mean squared difference of prediction and outcome"),
        ("role", "text", "choice (earlier dates) or record (the newest, untouched one)"),
    ),
    "changes": _columns(
        ("account", "text", "account or group"),
        ("revenue_before", "number", "net revenue of the 12 months before the last 12", "currency"),
        ("revenue_now", "number", "of the last 12 months", "currency"),
        ("change", "number", "difference of the two: the sum of the columns that follow", "currency"),
        ("new", "number", "all of it, if the account did not buy before", "currency"),
        ("lost", "number", "all of it, if it no longer buys", "currency"),
        ("volume", "number", "more or fewer pieces at the mean price before", "currency"),
        ("price", "number", "higher or lower prices of the products bought in both windows", "currency"),
        ("mix", "number", "dearer or cheaper products: the rest", "currency"),
        ("unexplained", "number", "all of it, if lines have no quantity", "currency"),
    ),
    "dimensions": _columns(
        ("dimension", "text", "region, country, size, industry, territory, channel or owner"),
        ("value", "text", "its value; unknown where an account has none"),
        ("accounts", "integer", "accounts that have bought"),
        ("revenue_now", "number", "their net revenue of the last 12 months", "currency"),
        ("revenue_before", "number", "of the 12 months before", "currency"),
        ("change", "number", "difference of the two", "currency"),
        ("new", "number", "of that, by accounts that did not buy before", "currency"),
        ("lost", "number", "by accounts that no longer buy", "currency"),
        ("volume", "number", "by accounts kept: more or fewer pieces", "currency"),
        ("price", "number", "by accounts kept: higher or lower prices of the same products", "currency"),
        ("mix", "number", "by accounts kept: dearer or cheaper products", "currency"),
        ("unexplained", "number", "by accounts without quantities", "currency"),
        ("growth", "number", "change / revenue before; missing under 5 accounts", "share"),
        ("active_before", "integer", "accounts that bought in the 12 months before"),
        ("churned", "integer", "of them, those that did not buy in the last 12 months"),
        ("churn", "number", "their share; missing under 5 accounts", "share"),
        ("expected_contribution", "number", "expected contribution of the next 12 months", "currency"),
        ("clv", "number", "the same, discounted", "currency"),
        (
            "value_at_risk",
            "number",
            "contribution of accounts probably alive × the chance that they are not",
            "currency",
        ),
        ("few", "boolean", "fewer than 5 accounts: no rates are given"),
    ),
    "cadence": _columns(
        ("account", "text", "account or group"),
        ("owner", "text", "person responsible in sales"),
        ("interval_days", "integer", "days between contacts at most", "days"),
        ("interval_basis", "text", "class, or rhythm: half the account's median gap between purchases"),
        ("last_contact", "date", "last contact on record; missing without one"),
        ("next_contact", "date", "day by which the next one is due"),
        ("overdue_days", "integer", "days past that day at the as-of date; 0 if not due", "days"),
    ),
    "coverage": _columns(
        ("owner", "text", "person responsible in sales"),
        ("active", "boolean", "on the list of people at the as-of date; true where there is no list"),
        ("accounts", "integer", "accounts looked after"),
        ("key_accounts", "integer", "of them, with an account plan"),
        ("load", "number", "people's worth of work by the documents' ratio: 1 for each full load"),
        ("expected_contribution", "number", "their expected contribution", "currency"),
        ("state", "text", "over (load above 1.25), under (below 0.75), right, or absent"),
    ),
    "reassignment": _columns(
        ("account", "text", "account without an active owner, or of an overloaded one"),
        ("owner", "text", "its owner today; empty = nobody"),
        ("proposed", "text", "proposed owner; empty where nobody has room"),
        ("reason", "text", "unassigned, absent or overload"),
    ),
}
