"""What is fitted to all data up to the as-of date, once it is known what is to be in force."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kamlab.backtest.forecasters import RULES, Forecaster, Parametric, blank_model, models_at
from kamlab.backtest.names import BG_BB, BLEND, COMBINATION, SUPERVISED, TRANSACTION_MODELS
from kamlab.backtest.occasions import Occasions
from kamlab.backtest.situation import Situation, every_nth
from kamlab.backtest.supervised import Supervised
from kamlab.backtest.trial import MOST_ASKED, Pair, bic, fitted, gives_intervals, leaving, mixtures
from kamlab.clv import GammaGamma
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS
from kamlab.clv.log_normal_spend import LogNormalSpend
from kamlab.clv.spend import fit_spend
from kamlab.errors import ModelError


def spend_model(at: Situation, has_money: bool) -> GammaGamma | None:
    """Return the model of order values, of few accounts with a prior; None where there is no money, or none can be."""
    if not has_money:
        return None
    for fit in (fit_spend, LogNormalSpend().fit_few):
        try:
            return fit(at.summary)
        except ModelError:
            continue
    return None


def too_few(summary: pd.DataFrame) -> bool:
    """Whether accounts or repeat buyers are fewer than a model can be fitted to."""
    return len(summary) < MIN_ACCOUNTS or int((summary["frequency"] > 0).sum()) < MIN_REPEAT_BUYERS


def first_fitted(names: Sequence[str], at: Situation, spend: GammaGamma | None) -> Parametric:
    """Return the first model that can be fitted at the as-of date."""
    for name in names:
        model = fitted(name, at, spend)
        if model is not None and gives_intervals(model, at):
            return model
    # None can: the first one's error says why.
    blank_model(names[0], at).fit(at.summary)
    raise ModelError("No model of purchases finds a maximum on this log. Check its histories for absurd values.")


def likeliest(at: Situation, spend: GammaGamma | None) -> Parametric:
    """Return the model with the best information criterion, among many accounts on a sample, fitted to all."""
    some = every_nth(at, MOST_ASKED)
    able = sorted(leaving() & set(models_at(at)))
    fits = sorted((model for name in able if (model := fitted(name, some, spend)) is not None), key=bic)
    best = next((model for model in fits if gives_intervals(model, some)), None)
    if best is None or some is not at:
        return first_fitted(["bg_nbd"] if best is None else [best.name, "bg_nbd"], at, spend)
    return best


def in_force(name: str, behind: Parametric, weight: float, now: Situation, pairs: Sequence[Pair]) -> Forecaster:
    """Return the forecaster, fitted to all data up to the as-of date; the model where BG/BB cannot be."""
    if name == behind.name:
        return behind
    if name in RULES:
        return RULES[name]
    if name in TRANSACTION_MODELS:
        return Parametric(name, blank_model(name, now).fit(now.summary), behind.spend)
    if name == BG_BB:
        return Occasions.fitted(now, behind.spend) or behind
    learner = Supervised.taught(pairs)
    if name == SUPERVISED and learner is not None:
        return learner
    return mixtures(behind, learner, weight)[BLEND if name == BLEND else COMBINATION]
