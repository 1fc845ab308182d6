"""Names and signs that several sections print: forecasters, models, groups of accounts, deviations."""

from __future__ import annotations

import re

from kamlab.backtest.names import COVARIATE_MODELS
from kamlab.i18n import Translator

MODEL_NAMES = {
    "nbd": "NBD",
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "bg_cnbd": "BG/CNBD-k",
    "mbg_cnbd": "MBG/CNBD-k",
    "pareto_nbd": "Pareto/NBD",
    "bg_nbd_covariates": "BG/NBD",
    "pareto_nbd_covariates": "Pareto/NBD",
    "bg_bb": "BG/BB",
    "gamma_gamma": "Gamma-Gamma",
    "log_normal_spend": "Log-normal",
}
"""As the papers write them, in every language."""


def forecaster_name(name: str, t: Translator) -> str:
    """Return the name of a forecaster as readers know it."""
    names = {
        "last_horizon": t("Same as in the last period"),
        "seasonal": t("Same days a year ago"),
        "trailing": t("Last 12 months, scaled"),
        "rate": t("Rate so far, carried on"),
        "same_count": t("As often as ever before"),
        "always_0": t("Nobody buys again"),
        "blend": t("Model and last period, mixed"),
        **{name: t("{model} with account data", model=MODEL_NAMES[name]) for name in COVARIATE_MODELS},
        "combination": t("Mean of model, last 12 months and learner"),
        "supervised": t("Learner (boosted trees)"),
    }
    return names.get(name, MODEL_NAMES.get(name, name))


def group_name(group: str, t: Translator) -> str:
    """Return the name of a group of the record."""
    names = {
        "none": t("Bought nothing in the last period"),
        "small": t("Lowest third of the buyers"),
        "middle": t("Middle third of the buyers"),
        "large": t("Highest third of the buyers"),
        "new": t("Known for less than a period"),
        "known": t("Known for longer"),
        "growing": t("Growing by more than a quarter"),
        "steady": t("Steady"),
        "declining": t("Declining by more than a quarter"),
    }
    return names[group]


def signed(share: float, t: Translator) -> str:
    """Write a deviation with its sign."""
    return ("+" if share > 0 else "") + t.percent(share)


def ended(sentence: str) -> str:
    """Return a sentence with one full stop at its end, where a name ("S.A. de C.V.") or a cut list brings its own."""
    return re.sub(r"(\\?[.…])\.$", r"\1", sentence)


def probability(p: float, t: Translator) -> str:
    """Write the probability that an account still buys: no record can tell 0 from a few percent."""
    return t("under {share}", share=t.percent(SMALLEST)) if p < SMALLEST else t.percent(p)


SMALLEST = 0.05
"""Probability below which only that is said."""
