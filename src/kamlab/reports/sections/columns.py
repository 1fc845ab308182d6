"""What the columns of the run's tables are called, and how their values are written, for an analyst's own language."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kamlab.feature_list import FEATURES, MIX, feature
from kamlab.i18n import MISSING, N_, Translator
from kamlab.strategies import wording
from kamlab.terms import TABLES, Column

LABELS = {
    "name": N_("Name"),
    "members": N_("Accounts in the group"),
    "member_ids": N_("Their numbers"),
    "channel": N_("Channel"),
    "industry": N_("Industry"),
    "region": N_("Region"),
    "country": N_("Country"),
    "territory": N_("Territory"),
    "size": N_("Size"),
    "owner": N_("Owner"),
    "declared_potential": N_("Potential declared by sales"),
    "declared_members": N_("Accounts with a declared potential"),
    "frequency": N_("Purchase days after the first"),
    "recency": N_("From the first purchase day to the last"),
    "T": N_("From the first purchase day to the as-of date"),
    "monetary_value": N_("Mean value of the purchase days after the first"),
    "first_purchase": N_("First order"),
    "last_purchase": N_("Last order"),
    "first_value": N_("Value of the first purchase day"),
    "revenue": N_("Revenue since the log begins"),
    "previous_revenue": N_("Revenue, 12 months before"),
    "previous_purchase_days": N_("Days with an order, 12 months before"),
    "trailing_order_value": N_("Mean order value, last 12 months"),
    "trailing_largest_order": N_("Largest order, last 12 months"),
    "quantity": N_("Quantity since the log begins"),
    "order_value_trend": N_("Growth of order values a year (log ratio)"),
    "order_value_trend_se": N_("Standard error of that growth"),
    "return_rate": N_("Share of value returned"),
    "median_gap": N_("Middle gap between orders, days"),
    "log_gaps": N_("Sum of the logarithms of the gaps"),
    "gap_cv": N_("Swings of the gaps (deviation / mean)"),
    "product_lines": N_("Product lines bought in 12 months"),
    "costed_revenue": N_("Revenue with a known cost, 36 months"),
    "margin": N_("Margin of that revenue"),
    "trailing_margin": N_("Margin, last 12 months"),
    "margin_rate_var": N_("Variance of the margin rates of its lines"),
    "costed_lines": N_("Lines with a known cost, 36 months"),
    "dert": N_("Orders to come, discounted"),
    "purchases_1y": N_("Expected orders, 12 months"),
    "purchases_3y": N_("Expected orders, 3 years"),
    "purchases_5y": N_("Expected orders, 5 years"),
    "clv_1y": N_("Discounted value, 12 months"),
    "clv_3y": N_("Discounted value, 3 years"),
    "clv_5y": N_("Discounted value, 5 years"),
    "p_negative_1y": N_("Chance of a loss, 12 months"),
    "p_negative_3y": N_("Chance of a loss, 3 years"),
    "p_negative_5y": N_("Chance of a loss, 5 years"),
}
"""Columns of tables that the chapters describe, beside those that rules read and those that segments are made from."""

BOUNDS = {"_lower": N_("lower bound"), "_upper": N_("upper bound")}
"""Endings of columns that hold a bound of another column's interval."""

UNITS = {"week": N_("weeks"), "day": N_("days")}
"""The study period's units of time."""

TIMES = {"silence": N_("days"), "order_interval": N_("days"), "tenure": N_("years")}
"""Features whose meaning does not say in which unit of time they count."""

SHARES = ("share", "probability")
SIGNIFICANT = 3
MOST_DECIMALS = 4


def declared(table: str, name: str) -> Column:
    """Return what the contract of tables says of a column; a feature that it does not name has no unit."""
    known = {column.name: column for column in TABLES[table]}
    return known.get(name) or Column(name, "number", "", feature(name).unit)


def label(name: str, t: Translator, *, features: bool = False) -> str:
    """Return a column's name in words; one that is not known goes by its own.

    Parameters
    ----------
    name : str
        Column of a table.
    t : Translator
    features : bool
        Whether it is of the table of features, whose names for some columns are their own.
    """
    if features and (name.startswith(MIX) or name in {f.name for f in FEATURES}):
        found = feature(name)
        said = found.meaning if name.startswith(MIX) else t(found.meaning)
        return t("{name}, {detail}", name=said, detail=t(TIMES[name])) if name in TIMES else said
    for ending, bound in BOUNDS.items():
        if name.endswith(ending) and name.removesuffix(ending) in LABELS:
            return t("{name}, {detail}", name=t(LABELS[name.removesuffix(ending)]), detail=t(bound))
    known = LABELS.get(name) or wording.FIELDS.get(name)
    return name if known is None else t(known)


def written(value: Any, column: Column, t: Translator) -> str:
    """Write a value of a column by its unit: money in the translator's currency, shares in per cent, days as dates."""
    if value is None or pd.isna(value):
        return MISSING
    if column.kind == "date":
        return t.date(pd.Timestamp(value).date())
    if column.unit == "currency":
        return t.money(float(value))
    if column.unit in SHARES:
        return t.percent(float(value), 1)
    return significant(float(value), t)


def significant(value: float, t: Translator) -> str:
    """Write a number with three significant digits at least, a whole one without decimals."""
    if value == int(value) or abs(value) >= 10**SIGNIFICANT:
        return t.number(value)
    return t.number(value, min(MOST_DECIMALS, SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))))
