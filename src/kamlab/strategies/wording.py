"""The playbook's own names in words: fields, schemes, labels, and why a label was given, for readers of reports.

The tables keep what entered a rule as "field=value; field=value", with the digits from which the label can be worked
out again; readers get words, and numbers with their units.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from kamlab import terms
from kamlab.i18n import MISSING, N_, SEMICOLONS, Translator
from kamlab.strategies import guide
from kamlab.strategies.fields import DERIVED, INPUTS
from kamlab.strategies.inputs import UNKNOWN
from kamlab.strategies.texts import OTHER_REASON, POTENTIALS, REASONS, STRATEGIES, TYPES

SCHEMES: Mapping[str, str] = {
    "contribution_level": N_("Contribution after the share rule"),
    "potential_level": N_("Potential after the share rule"),
    "type_000": N_("Type"),
    "strategy": N_("Strategy"),
    "plan_required": N_("Needs an account plan"),
    "four_001": N_("Four kinds of customers"),
    "value_004": N_("Most valuable and growable"),
    "matrix_004": N_("Share of wallet and coming purchases"),
    "remove_list": N_("Removal list"),
    "key_003": N_("Key-account stance"),
    "lifecycle_002": N_("Life cycle"),
    "engagement_001": N_("Engagement"),
    "coverage_004": N_("Coverage"),
    "terms_002": N_("Terms of payment"),
    "cadence_002": N_("Days between contacts"),
}
"""Schemes of the playbook, as readers see them; one that an analyst has added goes by its id."""

SOURCES: Mapping[str, str] = {
    "declared": N_("declared by sales"),
    "fitted": N_("fitted to similar accounts"),
    "own_peak": N_("own best 12 months"),
    "pipeline": N_("open deals, a least amount"),
    "unknown": N_("unknown"),
}
"""Where a potential comes from."""

FIELDS: Mapping[str, str] = {
    "has_bought": N_("Has bought"),
    "strategic": N_("Kept as strategic"),
    "only_returned": N_("Has only sent goods back"),
    "owner_left": N_("Its owner has left"),
    "p_alive": N_("Chance that it still buys"),
    "trailing_revenue": N_("Revenue, last 12 months"),
    "peak_revenue": N_("Revenue of best 12 months"),
    "prior_peak_revenue": N_("Best 12 months before the last 12"),
    "purchase_days": N_("Days with an order"),
    "trailing_purchase_days": N_("Days with an order, last 12 months"),
    "days_known": N_("Days since its first order"),
    "days_since_last": N_("Days since its last order"),
    "longest_gap": N_("Longest gap between orders in 3 years, days"),
    "days_since_return": N_("Orders since it came back"),
    "largest_order": N_("Largest order"),
    "expected_contribution": N_("Expected contribution"),
    "margin_rate": N_("Margin rate"),
    "p_negative": N_("Chance that it loses money"),
    "potential_revenue": N_("Potential a year"),
    "potential_source": N_("Where the potential comes from"),
    "wallet_share": N_("Share of wallet"),
    "contribution_class": N_("Class of contribution"),
    "potential_class": N_("Class of potential"),
    "growth_lower": N_("Growth, lower bound"),
    "p_negative_standard": N_("Chance that it loses money at standard service"),
    "negative_before": N_("Lost money at the review before"),
    "product_share": N_("Share of our product lines that it buys"),
    "volume_90": N_("Expected purchases of 90 days"),
    "overdue_90": N_("Overdue over 90 days"),
    "disputed_90": N_("Disputed for over 90 days"),
    "credit_002": N_("Credit class"),
    "abc_004": N_("Class by amount"),
    "prospect_004": N_("Grade of its open deals"),
    "incumbent_rival": N_("A rival holds the place"),
    "joint_project": N_("Joint project under way"),
    "uplift": N_("Expected gain of a year's work"),
    "handling_cost": N_("Cost of its share of a person"),
    "handling_place": N_("Place by expected gain"),
    "handling_places": N_("Places that the people have room for"),
    "has_owner": N_("Has an owner"),
    "p_gone": N_("Gone below a chance of"),
    "loss_share": N_("Expected loss, share of revenue"),
    "peak_contribution": N_("Contribution of its best 12 months"),
    "contribution_cut_high": N_("High contribution begins at"),
    "volume_90_median": N_("Half of all accounts buy less in 90 days than"),
}
"""What rules read of an account."""


SMALLEST = 0.05
"""Probability below which, and above 1 less which, only that is said: no record can tell it from 0, or from 1."""


def chance(p: float, t: Translator) -> str:
    """Write a probability."""
    if p < SMALLEST:
        return t("under {share}", share=t.percent(SMALLEST))
    return t("over {share}", share=t.percent(1 - SMALLEST)) if p > 1 - SMALLEST else t.percent(p)


def label_name(t: Translator, scheme: str, label: str) -> str:
    """Return the name of a scheme's label; one that an analyst has added goes by itself."""
    if scheme in ("type_000", "strategy"):
        known = TYPES if scheme == "type_000" else STRATEGIES
        return t(known[label].name) if label in known else label
    if label in terms.LEVELS:
        return t(label)
    return t(label) if scheme == "plan_required" and label in ("yes", "no") else guide.name(t, scheme, label)


def written(t: Translator, inputs: str) -> str:
    """Write the values that gave a label in words.

    Parameters
    ----------
    t : Translator
    inputs : str
        As tables "labels" and "strategies" of `terms` keep them: "field=value; field=value".
    """
    pairs = [part.partition("=")[::2] for part in inputs.split("; ") if part]
    return t.join(
        SEMICOLONS, (t("{field}: {value}", field=_field(t, name), value=_value(t, name, v)) for name, v in pairs)
    )


def _field(t: Translator, name: str) -> str:
    known = FIELDS.get(name) or SCHEMES.get(name)
    return name if known is None else t(known)


def _value(t: Translator, name: str, value: str) -> str:
    field = {**INPUTS, **DERIVED}.get(name)
    if value == UNKNOWN:
        return t("unknown")
    if field is None:
        return label_name(t, name, value)
    if field.kind == "flag":
        return t("yes") if value == "yes" else t("no")
    if field.kind == "choice":
        return t(SOURCES[value]) if name == "potential_source" else label_name(t, name, value)
    number = float(value)
    if field.kind == "money":
        return t.money(number)
    if field.kind in ("count", "days"):
        return t.number(number)
    if field.kind == "probability":
        return chance(number, t)
    # Growth is kept as a logarithm, because halving and doubling are as far from each other then.
    return t.percent(math.expm1(number) if name == "growth_lower" else number)


_Writer = Callable[[Translator, Mapping[str, Any]], str]


def _money(column: str) -> _Writer:
    return lambda t, row: t.money(row.get(column))


def _potential(t: Translator, row: Mapping[str, Any]) -> str:
    """Write the potential with its source, without which it says nothing."""
    template = POTENTIALS.get(row.get("potential_source", ""))
    return MISSING if template is None else t(template, amount=t.money(row.get("potential_revenue")))


_DECISION = re.compile(r"owner=(?P<decider>.*?); reason=(?P<because>.*); until=(?P<until>.*)", re.DOTALL)
"""How a label that a person decided states its inputs."""


def _decided(part: str) -> _Writer:
    def write(t: Translator, row: Mapping[str, Any]) -> str:
        found = _DECISION.fullmatch(row.get("strategy_inputs") or "")
        if found is None:
            return MISSING
        return t.date(date.fromisoformat(found[part])) if part == "until" else found[part]

    return write


_WRITERS: Mapping[str, _Writer] = {
    "potential": _potential,
    "trailing": _money("trailing_revenue"),
    "peak": _money("peak_revenue"),
    "prior_peak": _money("prior_peak_revenue"),
    "contribution": _money("expected_contribution"),
    "days": lambda t, row: t.number(row.get("days_since_last")),
    "share": lambda t, row: t.percent(row.get("wallet_share")),
    "decider": _decided("decider"),
    "because": _decided("because"),
    "until": _decided("until"),
    "inputs": lambda t, row: written(t, row.get("strategy_inputs") or "") or MISSING,
    "rule": lambda t, row: row["strategy_rule"],
}


def reason(t: Translator, row: Mapping[str, Any]) -> str:
    """Explain an account's strategy in one sentence.

    Parameters
    ----------
    t : Translator
    row : mapping
        One account: strategy_rule and strategy_inputs of table "strategies", and of the account table
        potential_revenue, potential_source, trailing_revenue, peak_revenue, prior_peak_revenue,
        expected_contribution, wallet_share and days_since_last. A value that is missing is printed as a dash.

    Returns
    -------
    str
        A sentence in the translator's language.
    """
    template = REASONS.get(row["strategy_rule"], OTHER_REASON)
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    return t(template, **{name: _WRITERS[name](t, row) for name in names})
