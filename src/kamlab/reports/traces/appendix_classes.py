"""Traces of the appendix: borders, classes, what they are worth on the company's own past, and segments."""

from __future__ import annotations

from kamlab.reports.traces.common import JUDGED
from kamlab.reports.traces.trace import DRAWN, Trace

BORDERS = "Where each class begins; a value on a border belongs to the upper class."
ORDER = "list_position(['Low', 'Mid', 'High'], {})"
OF_FIXED = {
    "contribution": (
        "Class by the fixed thresholds on last year's revenue, against class by the fitted borders on {value}, "
        "which is also the money in the boxes.",
        "expected_contribution",
        "Expected contribution",
    ),
    "potential": (
        "Class by the fixed thresholds against class by the fitted borders; money: potential a year.",
        "potential_revenue",
        "Potential",
    ),
}
NEAR = "{n} account is in its class with less than {p}; those of most value."
OWN = "case contribution_class when 'Low' then Low when 'Mid' then Mid else High end"
BROUGHT = (
    "(select v, row_number() over (order by v desc) as place, count(*) over () as n, sum(v) over (order by v desc "
    "rows unbounded preceding) / sum(v) over () as part from (select coalesce(trailing_margin, trailing_revenue * "
    "margin_rate) as v from account_table) where v > 0)"
)
MARK = "min(place / n) filter (part >= 0.8)"
NOT_BETTER = (
    "The fitted borders are not better everywhere: in {worse} of {all} comparisons another scheme was clearly better "
    "({named}); in {even} there is no clear difference."
)
BASIS = (
    "Judged from {n} earlier date ({dates}) on {accounts} accounts by the {value} of the {days} days after it. Every "
    "scheme knew the sales up to that date alone; the forecaster is the one in force today."
)
AGAINST = (
    "Fitted borders against fixed thresholds, with {level} intervals over accounts; a difference counts as clear "
    "where its interval does not hold zero."
)
MOVED = (
    "Who moves: as of {date}, accounts that the fitted borders put higher than the fixed thresholds: {up}, with "
    "{up_each} an account in the {days} days after; lower: {down}, with {down_each} an account."
)
NEWEST = "back = 1 and contribution_class is not null and contribution_class_fixed is not null"
HIGHER = f"{ORDER.format('contribution_class')} > {ORDER.format('contribution_class_fixed')}"
LOWER = f"{ORDER.format('contribution_class')} < {ORDER.format('contribution_class_fixed')}"
OF_VALUE = '"value", lower, upper'
OVER_ALL = 'origin is null and "column"'
HEADS = {
    "Top class": "share",
    "Explained": "explained",
    "Who stays": "churn",
    "Change": "changed",
    "Come back": "returned",
    "Put too low": "missed",
}

BORDER_TRACES = (
    Trace(
        BORDERS,
        {"From": '"value"', "{level} interval": "lower, upper", "Change class by chance": "unstable_share"},
        "tiers",
        line="axis, scheme, cut",
    ),
    Trace(
        "These borders explain {percent} % of the next period's value, the most of the {ways} ways tried; every "
        "class is large enough and stable.",
        {"percent": "(reason_values ->> 'percent')::int", "ways": "(reason_values ->> 'ways')::int"},
        "tiers",
        "axis = 'contribution' and scheme = 'fitted'",
    ),
    Trace(
        "No earlier period tells the ways to draw borders apart: these come from the first of {ways} whose classes "
        "are large enough and stable.",
        {"ways": "(reason_values ->> 'ways')::int"},
        "tiers",
        "axis = 'potential' and scheme = 'fitted'",
    ),
    *(
        trace
        for axis, (caption, money, word) in OF_FIXED.items()
        for trace in (
            Trace(
                caption,
                {DRAWN: f"count(*), sum({money})"},
                "account_table",
                f"{axis}_class is not null",
                by=f"{axis}_class_fixed, {axis}_class",
            ),
            Trace(
                "{axis}: the fitted borders put {up} of {all} accounts higher and {down} lower than the fixed ones",
                {
                    "up": f"count(*) filter ({ORDER.format(f'{axis}_class')} > {ORDER.format(f'{axis}_class_fixed')})",
                    "all": "count(*)",
                    "down": (
                        f"count(*) filter ({ORDER.format(f'{axis}_class')} < {ORDER.format(f'{axis}_class_fixed')})"
                    ),
                },
                "schemes",
                f"{axis}_class is not null and {axis}_class_fixed is not null",
                fixed={"axis": word},
            ),
        )
    ),
    Trace(
        NEAR,
        {"n": "count(*)", "p": "0.6"},
        "schemes join class_probabilities using (account)",
        f"contribution_class is not null and {OWN} < 0.6",
    ),
    Trace(
        NEAR,
        {
            "Expected contribution": "expected_contribution",
            "Probability of each class": "list_filter(list_sort([Low, Mid, High], 'DESC'), p -> p >= 0.005)",
        },
        "class_probabilities, account_table",
        "account = $account",
    ),
    Trace(
        "Lorenz curve of {n} accounts. {finding}. The largest tenth of the accounts brings {top}.",
        {"n": "count(*)", "top": "max(part) filter (place <= round(n / 10))"},
        BROUGHT,
    ),
    Trace("{value}: {accounts} of the accounts bring {share}", {"accounts": MARK, "share": "0.8"}, BROUGHT),
    Trace("{accounts} of accounts", {"accounts": MARK}, BROUGHT),
)

OF_SCHEMES = (
    "(unpivot schemes on columns(* exclude account) into name scheme value class) join forecast using (account)"
)
CLASSES = (
    Trace(
        "The classes of every scheme, the highest first.",
        {
            "Accounts": "count(*)",
            "Expected contribution": "sum(expected_contribution)",
            "Share": (
                "sum(greatest(0, expected_contribution)) / (select sum(greatest(0, expected_contribution)) from "
                "forecast)"
            ),
        },
        OF_SCHEMES,
        line="scheme, class",
    ),
    Trace(
        "All schemes, side by side in the table of schemes.",
        {"Accounts": "accounts", "Document": "nullif(document, '')"},
        "scheme_list",
        line="title",
    ),
)

EVIDENCE = (
    Trace(
        NOT_BETTER,
        {
            "worse": "count(*) filter (verdict = 'worse')",
            "all": "count(*) filter (verdict <> '')",
            "even": "count(*) filter (verdict = 'even')",
        },
        JUDGED,
    ),
    *(
        Trace(
            "{shown} and {n} more",
            {"n": "count(*) - 2"},
            JUDGED,
            f"verdict = 'worse' and measure = '{measure}'",
        )
        for measure in HEADS.values()
    ),
    Trace(
        BASIS,
        {
            "n": "count(distinct origin)",
            "accounts": "(select avg(n) from (select max(accounts) as n from evidence where origin is not null "
            "group by origin))",
            "days": "(select period.horizon_days from configuration)",
        },
        "evidence",
    ),
    Trace(AGAINST, {"level": "0.9"}, "configuration"),
    Trace(AGAINST, {"fitted": OF_VALUE}, "evidence", f"{OVER_ALL} = 'contribution_class'", "measure"),
    Trace(AGAINST, {"fixed": OF_VALUE}, "evidence", f"{OVER_ALL} = 'contribution_class_fixed'", "measure"),
    Trace(
        AGAINST,
        {"Difference": "difference, difference_lower, difference_upper"},
        "evidence",
        f"{OVER_ALL} = 'contribution_class_fixed'",
        "measure",
    ),
    *(
        Trace(
            "Every scheme, judged on the same accounts and dates.",
            {head: '"value"'},
            "evidence",
            f"origin is null and measure = '{measure}'",
            '"column"',
        )
        for head, measure in HEADS.items()
    ),
    Trace(
        MOVED,
        {
            "up": f"count(*) filter ({HIGHER})",
            "up_each": f"avg(next_value) filter ({HIGHER})",
            "down": f"count(*) filter ({LOWER})",
            "down_each": f"avg(next_value) filter ({LOWER})",
            "days": "(select period.horizon_days from configuration)",
        },
        "earlier",
        NEWEST,
    ),
)

SEGMENTS = "The segments: size, value, and the middle account of each."
TYPICAL = "What is typical of each segment."
DIVISIONS = "Divisions tried."
FEATURES = "Features: how they are compared and what for."
BORDERLINE = "{n} borderline account."

SEGMENT_TRACES = (
    Trace(
        SEGMENTS,
        {
            "Accounts": "accounts",
            "Expected contribution": "contribution",
            "Share": "share_contribution",
            "Last order ago": "silence",
            "Order every": "order_interval",
            "Known for": "tenure",
            "Margin rate": "margin_rate",
            "Growth": "exp(growth) - 1",
        },
        "profile",
        line="segment_name",
    ),
    Trace(
        SEGMENTS,
        {"Mostly": "max(worth) / sum(worth)"},
        "(select strategy, sum(greatest(0, expected_contribution)) as worth from segments join strategies using "
        "(account) join forecast using (account) where $mine group by strategy)",
        line="segment_name",
    ),
    Trace(
        "{segment}: {accounts} of the accounts bring {value} of the expected value",
        {
            "accounts": "arg_max(share_accounts, share_contribution)",
            "value": "max(share_contribution)",
        },
        "profile",
    ),
    Trace(
        TYPICAL,
        {
            DRAWN: "expected_contribution, silence, exp(growth) - 1, order_interval, regularity, tenure, breadth, "
            "margin_rate, share_accounts, share_contribution"
        },
        "profile",
    ),
    Trace(
        "The segments in plain thresholds.",
        {
            "Rule": 'flatten(list_transform(from_json(conditions, \'[{"feature": "VARCHAR", "at_least": "DOUBLE", '
            '"under": "DOUBLE"}]\'), c -> list_transform(list_filter([c.at_least, c.under], v -> v is not null), '
            "v -> case when c.feature = 'growth' then exp(v) - 1 else v end)))",
            "Accounts": "accounts",
            "in the segment": "share_right",
        },
        "segment_rules",
        "rule = $place",
    ),
    Trace(
        "The rules put {share} of the accounts into their segment.",
        {"share": "reproduced"},
        "segmentation",
    ),
    Trace(
        DIVISIONS,
        {
            "Segments": "k",
            "Smallest": "smallest_share",
            "BIC": "bic",
            "Silhouette": "silhouette",
            "without structure": "null_silhouette",
            "Stability": "stability",
        },
        "candidates",
        line="method, k",
    ),
    Trace(FEATURES, {"Known": "known"}, "feature_rules", line="meaning"),
    Trace(BORDERLINE, {"n": "count(*)"}, "segments", "borderline"),
    Trace(
        BORDERLINE,
        {
            "Expected contribution": "expected_contribution",
            "Segment": "probability",
            "or": "second_probability",
        },
        "segments, account_table",
        line="name",
    ),
    Trace(
        "Their own segment is less likely than {share}; those with the most value are listed.",
        {"share": "0.6"},
        "segments",
    ),
)

APPENDIX_CLASSES = (*BORDER_TRACES, *CLASSES, *EVIDENCE, *SEGMENT_TRACES)
