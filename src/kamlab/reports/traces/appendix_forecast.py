"""Traces of the appendix: method, the forecast and its record, and the years beyond."""

from __future__ import annotations

from kamlab.reports.traces.common import RECORD
from kamlab.reports.traces.trace import DRAWN, Trace

RATE = "(select value.discount_rate_annual from configuration)"
MADE = "Forecast made from the data up to {origin}; what came in the {days} days after it was {actual}."
CONTEST = "The contest on {n} date: root mean square error, relative to “same as in the last period”."
RECORD_PICTURE = "What each forecast said of all accounts together, beside what came."
CALIBRATED = "role in ('record', 'only') and probability"
GAMMA_GAMMA = (
    "Order value does not clearly depend on how often an account orders (correlation {r}, 95 % interval {lower} to "
    "{upper}): the Gamma-Gamma model may be used."
)

METHOD = (
    Trace(
        "**Period.** Nothing after {as_of} was read. 12 months are 365 days. Intervals hold {level} of what is to "
        "be expected.",
        {"level": "value.level"},
        "configuration",
    ),
    Trace(
        "**Recent purchases.** What the model expects enters with {model}, the account's purchases of the last 12 "
        "months, as far as it still buys, with {recent}; the forecasts made at the earlier dates have chosen these "
        "weights.",
        {"model": "weight", "recent": "1 - weight"},
        "choice",
    ),
    Trace(
        "What selling on credit costs is taken off too: waiting for the money at {rate} a year, {waiting} for all "
        "accounts, and expected credit losses, {loss}, both by how the account has paid.",
        {"rate": RATE, "waiting": "sum(receivables_cost)", "loss": "sum(credit_loss)"},
        "forecast",
    ),
    Trace(
        "**Lifetime value.** Contribution of the next 12 months, 3 and 5 years, month by month, discounted at "
        "{rate} a year. After 12 months purchases wane as the model expects, while order values and margin rates "
        "stay; the error of level adds up from year to year. Orders to come are all purchase days of the future, "
        "discounted, which is a finite number even where a model lets nobody leave.",
        {"rate": "value.discount_rate_annual"},
        "configuration",
    ),
    Trace(
        "{k} segments: of the divisions that are stable, have no tiny segment and give each a name of its own, the "
        "one whose mean silhouette is furthest above that of data without structure; within 0.01 the one with the "
        "fewest segments, then the simplest method. Of the mixtures only the one with the lowest BIC counts.",
        {"k": "count(*)"},
        "profile",
    ),
)

FORECAST_RECORD = (
    *(
        Trace(
            said,
            {
                "share": f"1 - (select rmse from backtest where {RECORD} and forecaster = (select "
                "beaten_by_models[1] from choice)) "
                "/ rmse"
            },
            "backtest",
            f"{RECORD} and forecaster = (select forecaster from choice)",
        )
        for said in (
            "**{names}** came closer (the first with an error {share} smaller). This test had no part in the "
            "choice, so that it stays a fair one: the winner of a single test is often merely lucky.",
            "**{names}** came closer (the first with an error {share} smaller), but not clearly: of what was as "
            "accurate the simplest is in force.",
        )
    ),
    Trace(
        "{n} account stood below {border} probability of still buying ({said}): {bought} of it bought in the period.",
        {
            "n": "sum(accounts)",
            "border": "max(upper)",
            "said": "sum(predicted * accounts) / sum(accounts)",
            "bought": "sum(observed * accounts) / sum(accounts)",
        },
        "calibration",
        f"{CALIBRATED} = 'alive' and upper < 0.201",
    ),
    Trace(
        MADE,
        {
            "Mean absolute error": "mae",
            "Root mean square error": "rmse",
            "to “same as last”": "relative_rmse",
            "Found in top 20 %": "top_20",
        },
        "backtest",
        RECORD,
        "forecaster",
    ),
    Trace(CONTEST, {"n": "max(origins)"}, "contest"),
    Trace(
        CONTEST,
        {"Error to “same as last”": "score", "Standard error": "standard_error", "Complexity": "complexity"},
        "contest",
        line="forecaster",
    ),
    Trace(
        RECORD_PICTURE,
        {DRAWN: "forecast, actual"},
        "backtest",
        "target = 'revenue' and (kind = 'baseline' or forecaster = (select forecaster from choice))",
    ),
    Trace(
        "The last forecast of all accounts was off by {bias}; the nearest simple rule, “{rule}”, by {rule_bias}",
        {
            "bias": "max(forecast / actual - 1) filter (forecaster = (select forecaster from choice))",
            "rule_bias": "arg_min(forecast / actual - 1, abs(forecast / actual - 1)) filter (kind = 'baseline')",
        },
        "backtest",
        RECORD,
    ),
    Trace(
        "How wrong the last forecast was, and for whom.",
        {
            "Accounts": "accounts",
            "What came": "actual",
            "Off by": "forecast / actual - 1",
            "“same as last” off by": "naive / actual - 1",
            "Root mean square error": "rmse",
            "of “same as last”": "naive_rmse",
            "In interval": "coverage",
        },
        "record_groups",
        line='"group"',
    ),
    Trace(
        "The probability of a purchase, and what happened.",
        {
            "Probability of a purchase within 90 days": "lower, upper",
            "Accounts": "accounts",
            "Said, on average": "predicted",
            "Bought": "observed",
        },
        "calibration",
        f"{CALIBRATED} = 'buys_90'",
        "round(lower * 100)::int || '% to ' || round(upper * 100)::int || '%'",
    ),
    Trace(
        "On average the probability was {after} off, {before} before its correction by earlier dates.",
        {"after": "calibration_error.buys_90", "before": "calibration_error.buys_90_model"},
        "choice",
    ),
    Trace(
        "{n} account has bought only once, and {model} takes it for alive with certainty by its construction; of "
        "these {old} bought more than 12 months ago. Do not read that probability as knowledge.",
        {"n": "count(*)", "old": "count(*) filter (days_since_last > 365)"},
        "account_table",
        "frequency = 0 and p_alive > 1 - 1e-9",
    ),
    Trace(
        GAMMA_GAMMA,
        {"r": "correlation", "lower": "lower", "upper": "upper"},
        "spend",
    ),
)

YEARS_OF_ACCOUNTS = {"12 months": "clv_1y", "3 years": "clv_3y", "5 years": "clv_5y"}
GROUPS = {
    "owner": ("The next 12 months by owner.", "The next 3 and 5 years by owner, discounted to today."),
    "segment": ("The next 12 months by segment.", "The next 3 and 5 years by segment, discounted to today."),
}


def _of_group(kind: str, measure: str, caption: str, number: str) -> tuple[Trace, ...]:
    where = f"kind = '{kind}' and measure = '{measure}'"
    return (
        Trace(caption, {"Accounts": "accounts", number: "expected"}, "totals", where, '"group"'),
        Trace(caption, {"{level} interval": "lower, upper"}, "totals", where, '"group"'),
    )


BEYOND = (
    Trace(
        "The accounts with the highest value over 5 years.",
        {
            **YEARS_OF_ACCOUNTS,
            "{level} interval": "clv_5y_lower, clv_5y_upper",
            "Loss in 5 years": "p_negative_5y",
            "Orders to come": "dert",
        },
        "lifetime, accounts",
        line="name",
    ),
    *(
        trace
        for kind, (soon, later) in GROUPS.items()
        for trace in (
            *_of_group(kind, "contribution", soon, "Expected contribution"),
            *_of_group(kind, "clv_3y", later, "3 years"),
            *_of_group(kind, "clv_5y", later, "5 years"),
        )
    ),
    Trace(
        "Parameters of the fitted models.",
        {
            "Value": '"value"',
            "Standard error": "standard_error",
            "Log-likelihood": "log_likelihood",
            "Accounts": "accounts",
        },
        "models",
        line="model, parameter",
    ),
)

APPENDIX_FORECAST = (*METHOD, *FORECAST_RECORD, *BEYOND)
