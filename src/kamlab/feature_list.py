"""The list of features: what each number says of an account, its unit, and how it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kamlab.i18n import N_

MIX = "mix_"
"""How the names of product-mix shares begin; the product line follows."""


@dataclass(frozen=True)
class Feature:
    """A number by which accounts are compared.

    Attributes
    ----------
    name, meaning, head, unit : str
        Column, what it says and its short name (phrases of the message catalogue), and currency, days, years, share
        or "".
    scale : {"log", "linear"}
        Skewed features are compared by ratio, the others by difference.
    missing : str
        What stands for a missing value (a sentence of the message catalogue).
    resolution : float
        Smallest difference, on that scale, that means anything: accounts that all began in one quarter are not told
        apart by their tenure.
    makes_segments : bool
        Whether segments are made from it. The others describe the segments: they vary from account to account without
        any gap, so that each of them would only blur the division into value, activity, rhythm and history.
    """

    name: str
    meaning: str
    head: str
    scale: Literal["log", "linear"]
    missing: str
    resolution: float
    unit: str = ""
    makes_segments: bool = True


MEDIAN = N_("The middle value of all accounts stands for it.")
NEVER = N_("It is known for every account.")
NONE = N_("Missing values stay missing.")


def _describing(
    name: str, meaning: str, head: str, scale: Literal["log", "linear"], resolution: float, unit: str = ""
) -> Feature:
    return Feature(name, meaning, head, scale, NONE, resolution, unit, makes_segments=False)


FEATURES = (
    Feature(
        "expected_contribution",
        N_("Expected contribution, next 12 months"),
        N_("Expected value"),
        *("log", NEVER, 0.1, "currency"),
    ),
    _describing("contribution_lower", N_("Lower bound of its interval"), N_("Lower bound"), "log", 0.1, "currency"),
    _describing("contribution_upper", N_("Upper bound of its interval"), N_("Upper bound"), "log", 0.1, "currency"),
    _describing("trailing_revenue", N_("Revenue of the last 12 months"), N_("Last 12 months"), "log", 0.1, "currency"),
    _describing("trailing_margin", N_("Margin of the last 12 months"), N_("Margin"), "log", 0.1, "currency"),
    _describing("p_alive", N_("Chance that it still buys"), N_("Still buys"), "linear", 0.1, "share"),
    Feature("silence", N_("Time since the last order"), N_("Last order ago"), "log", NEVER, 0.1, "days"),
    Feature("growth", N_("Growth over the year before (log ratio)"), N_("Growth"), "linear", MEDIAN, 0.1),
    Feature(
        "order_interval",
        N_("Usual time between orders"),
        N_("Order every"),
        "log",
        N_("The time since its only order stands for it, but not less than the middle value of all accounts."),
        0.1,
        "days",
    ),
    _describing("regularity", N_("Regularity of orders, 0 to 1"), N_("Regularity"), "linear", 0.05),
    Feature("tenure", N_("Time since the first order"), N_("Known for"), "linear", NEVER, 0.5, "years"),
    _describing("purchase_days", N_("Purchase days since the first order"), N_("Purchase days"), "log", 0.1),
    _describing("breadth", N_("Product lines bought in 12 months"), N_("Product lines"), "log", 0.1),
    _describing("margin_rate", N_("Margin rate"), N_("Margin rate"), "linear", 0.02, "share"),
    _describing("return_rate", N_("Share of value returned"), N_("Returned"), "log", 0.1, "share"),
    _describing(
        "wallet_share", N_("Share of wallet, where declared or fitted"), N_("Share of wallet"), "linear", 0.05, "share"
    ),
    _describing("headroom", N_("Room to grow"), N_("Headroom"), "log", 0.1, "currency"),
    _describing("volatility", N_("Swings of quarterly revenue (deviation / mean)"), N_("Swings"), "log", 0.1),
    _describing("discount_depth", N_("Rebates as a share of sales"), N_("Rebates"), "linear", 0.02, "share"),
    _describing("days_beyond_terms", N_("Days paid after the due date"), N_("Pays late by"), "linear", 2.0, "days"),
    _describing("cost_to_serve", N_("Cost to serve, 12 months"), N_("Cost to serve"), "log", 0.1, "currency"),
)
"""Every feature, in the order of the columns; shares of the product mix stand after them."""

_KNOWN = {f.name: f for f in FEATURES}
RESOLUTION = {f.name: f.resolution for f in FEATURES}
LOG_FEATURES = tuple(f.name for f in FEATURES if f.scale == "log")


def feature(name: str) -> Feature:
    """Return what is known of a column: of `FEATURES`, a share of the product mix, or an analyst's own number."""
    if name in _KNOWN:
        return _KNOWN[name]
    if name.startswith(MIX):
        line = name.removeprefix(MIX)
        return Feature(name, line, line, "linear", NONE, 0.05, "share", makes_segments=False)
    return Feature(name, name, name, "linear", MEDIAN, 0.0)
