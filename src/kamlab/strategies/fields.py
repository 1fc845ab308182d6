"""The columns of the account table that a playbook may name, with their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kamlab import terms

Kind = Literal["flag", "choice", "probability", "share", "count", "days", "money"]


@dataclass(frozen=True)
class Field:
    """Kind of a field, its values if it is a choice, and whether the account table must have it."""

    kind: Kind
    labels: tuple[str, ...] = ()
    required: bool = False

    @property
    def discrete(self) -> bool:
        """Whether the field takes a few named values, so that its states can be enumerated."""
        return self.kind in ("flag", "choice")


FLAG = Field("flag")

INPUTS: Mapping[str, Field] = {
    "has_bought": Field("flag", required=True),
    "strategic": FLAG,
    "only_returned": FLAG,
    "owner_left": FLAG,
    "uplift": Field("money"),
    "handling_cost": Field("money"),
    "handling_place": Field("count"),
    "handling_places": Field("count"),
    "p_alive": Field("probability", required=True),
    "trailing_revenue": Field("money", required=True),
    "peak_revenue": Field("money", required=True),
    "prior_peak_revenue": Field("money", required=True),
    "purchase_days": Field("count", required=True),
    "trailing_purchase_days": Field("count", required=True),
    "days_known": Field("days", required=True),
    "days_since_last": Field("days", required=True),
    "longest_gap": Field("days", required=True),
    "days_since_return": Field("count"),
    "largest_order": Field("money"),
    "expected_contribution": Field("money", required=True),
    "margin_rate": Field("share"),
    "p_negative": Field("probability"),
    "potential_revenue": Field("money"),
    "potential_source": Field("choice", terms.POTENTIAL_SOURCES),
    "wallet_share": Field("share"),
    "contribution_class": Field("choice", terms.LEVELS, required=True),
    "potential_class": Field("choice", terms.LEVELS),
    "growth_lower": Field("share"),
    "p_negative_standard": Field("probability"),
    "negative_before": FLAG,
    "product_share": Field("share"),
    "volume_90": Field("money"),
    "overdue_90": Field("money"),
    "disputed_90": Field("money"),
    "credit_002": Field("choice", terms.CREDIT_CLASSES),
    "abc_004": Field("choice", terms.ABC),
    "prospect_004": Field("choice", terms.TYPES),
    "incumbent_rival": FLAG,
    "joint_project": FLAG,
}
"""Columns of the account table; one that is not required may be absent, and then counts as missing."""

AFTERWARDS = ("uplift", "handling_cost", "handling_place", "handling_places")
"""Of them, what follows from strategy and plan, see `handling`: neither can rest on it."""

DERIVED: Mapping[str, Field] = {
    "has_owner": FLAG,
    "p_gone": Field("probability"),
    "loss_share": Field("share"),
    "peak_contribution": Field("money"),
    "contribution_cut_high": Field("money"),
    "volume_90_median": Field("money"),
}
"""Quantities that `states.quantities` adds to the inputs."""

DECIMALS: Mapping[Kind, int] = {"probability": 6, "share": 6, "count": 0, "days": 0, "money": 2}
"""Decimals with which a number of this kind is printed among the inputs of a rule."""
