"""Names of the forecasters and of the contest's dates, for whoever reads its tables without a model."""

from __future__ import annotations

from collections.abc import Mapping

RECORDS = ("record", "only")
"""Roles of the newest date: untouched by the choice, or the only one there is."""

LEVEL = 0.9
"""Of the intervals whose coverage is measured."""

LOOKED_BACK_ON = 50_000
"""Evidence is judged on a sample anyway; of more accounts a sample of so many is looked back on (`kamlab.earlier`).

Of more accounts the models of the quarters before are fitted to such a sample too, and bounds are drawn for those alone
whose value asks for another class than a quarter before: no other account's bounds are looked at.
"""

REFERENCE = "last_horizon"
NEVER_CHOSEN = "always_0"
"""Forecasts nothing: it does well by absolute error where most accounts stay silent, and helps nobody."""

BLEND = "blend"
COMBINATION = "combination"
SUPERVISED = "supervised"

COVARIATE_MODELS: Mapping[str, str] = {"bg_nbd_covariates": "bg_nbd", "pareto_nbd_covariates": "pareto_nbd"}
"""Models that take what is known of the accounts, and what they are without it."""
TRANSACTION_MODELS = ("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd", "mbg_cnbd", *COVARIATE_MODELS)
BG_BB = "bg_bb"
"""Counts months with a purchase; it cannot stand behind the distribution either."""
NO_LEAVING = "nbd"
"""Takes part, but cannot stand behind the distribution: it says of everybody that he still buys."""

BASELINES = (REFERENCE, "seasonal", "trailing", "same_count", "rate", NEVER_CHOSEN)
COMPLEXITY: Mapping[str, int] = {
    **{NEVER_CHOSEN: 0, REFERENCE: 1, "seasonal": 2, "trailing": 2, "same_count": 3, "rate": 3},
    **{"nbd": 4, "bg_nbd": 5, "mbg_nbd": 5, "pareto_nbd": 5, "bg_cnbd": 6, "mbg_cnbd": 6, BG_BB: 6},
    **dict.fromkeys(COVARIATE_MODELS, 6),
    **{BLEND: 7, COMBINATION: 8, SUPERVISED: 9},
}
"""Every forecaster with its rank: of two that forecast alike the lower one is taken."""
