"""One earlier date: every forecaster fitted to what was known then, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kamlab.backtest.forecasters import Blend, Combination, Forecaster, Parametric, blank_model, models_at, rules_at
from kamlab.backtest.names import NO_LEAVING, TRANSACTION_MODELS
from kamlab.backtest.occasions import Occasions
from kamlab.backtest.situation import Amounts, Situation, every_nth
from kamlab.backtest.supervised import Supervised
from kamlab.clv import GammaGamma
from kamlab.clv.spend import fit_spend
from kamlab.errors import ModelError

Pair = tuple[Situation, Amounts]


@dataclass(frozen=True, eq=False)
class Trial:
    """What was forecast from one date, and what came.

    Attributes
    ----------
    date : pandas.Timestamp
        Last day of the data that the forecasts were made from.
    at : Situation
    came : Amounts
        In the horizon after the date.
    soon : numpy.ndarray of bool
        Which accounts bought within 90 days.
    forecasters : dict of str to Forecaster
        Those that could be fitted.
    """

    date: pd.Timestamp
    at: Situation
    came: Amounts
    soon: np.ndarray
    forecasters: dict[str, Forecaster]

    @property
    def models(self) -> dict[str, Parametric]:
        """The models of purchase days."""
        return {name: f for name, f in self.forecasters.items() if isinstance(f, Parametric)}

    def expected(self, name: str) -> Amounts:
        """Return a forecaster's means, made once."""
        amounts: Amounts = self.at.once(name, lambda: self.forecasters[name].expected(self.at))
        return amounts

    def mixed(self, model: str, weight: float) -> Trial:
        """Return the trial with the blend and the combination that rest on a model."""
        base, learner = self.models[model], self.forecasters.get(Supervised.name)
        return replace(self, forecasters={**self.forecasters, **mixtures(base, learner, weight)})


def mixtures(model: Parametric, learner: Forecaster | None, weight: float) -> dict[str, Forecaster]:
    """Return the forecasters that rest on others."""
    return {f.name: f for f in (Blend(model, weight), Combination(model, learner))}


def hold(
    date: pd.Timestamp, at: Situation, came: Amounts, soon: np.ndarray, taught_by: Sequence[Pair], *, with_money: bool
) -> Trial:
    """Fit every forecaster to what was known at a date.

    Raises
    ------
    ModelError
        If no model that knows leaving can be fitted, or order values cannot be modelled though there is money.
    """
    spend = fit_spend(at.summary) if with_money else None
    forecasters: dict[str, Forecaster] = {rule.name: rule for rule in rules_at(at)}
    for name in models_at(at):
        model = fitted(name, at, spend)
        if model is not None and gives_intervals(model, at):
            forecasters[name] = model
    if not set(forecasters) & leaving():
        raise ModelError(f"No model of purchases can be fitted at {date.date()}.")
    occasions = Occasions.fitted(at, spend)
    if occasions is not None:
        forecasters[occasions.name] = occasions
    learner = Supervised.taught(taught_by)
    if learner is not None:
        forecasters[learner.name] = learner
    return Trial(date, at, came, soon, forecasters)


def leaving() -> set[str]:
    """Return the models that know of accounts that leave."""
    return {name for name in TRANSACTION_MODELS if name != NO_LEAVING}


def fitted(name: str, at: Situation, spend: GammaGamma | None) -> Parametric | None:
    """Fit a model of purchase days; None where it finds no maximum or cannot forecast these accounts."""
    model = Parametric(name, blank_model(name, at), spend)
    try:
        model.transactions.fit(at.summary)
        model.points(at)
    except ModelError:
        return None
    return model if model.transactions.converged_ else None


MOST_ASKED = 20_000
"""Of more accounts every so-manieth stands for the others: intervals cost far more than forecasts."""


def gives_intervals(model: Parametric, at: Situation) -> bool:
    """Whether a fitted model can say how sure it is of these accounts; of many, some are asked."""
    try:
        model.predicted(every_nth(at, MOST_ASKED))
    except ModelError:
        return False
    return True


def bic(model: Parametric) -> float:
    """Return the Bayesian information criterion; regularity counts as a parameter of its own."""
    fit = model.transactions
    free = len(fit.params_) + hasattr(fit, "k_")
    return float(free * np.log(fit.n_accounts_) - 2 * fit.log_likelihood_)
