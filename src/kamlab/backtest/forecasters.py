"""Who takes part in the contest: rules of one line, models, a learner, and combinations of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd

from kamlab.backtest.names import (
    BASELINES,
    BLEND,
    COMBINATION,
    COVARIATE_MODELS,
    LEVEL,
    NEVER_CHOSEN,
    REFERENCE,
    TRANSACTION_MODELS,
)
from kamlab.backtest.situation import Amounts, Situation
from kamlab.clv import MODELS, GammaGamma, TransactionModel
from kamlab.clv.spend import order_values

WEIGHTS = (0.75, 0.5, 0.25)
"""Of the model in the blend; it is never left out, because only it tells who has gone."""
UNTESTED_WEIGHT = 0.5


def kind(name: str) -> str:
    """Return "baseline" for a rule, "model" for everything else."""
    return "baseline" if name in BASELINES else "model"


class Forecaster(Protocol):
    """Anything that says what each account will buy."""

    @property
    def name(self) -> str:
        """One of `COMPLEXITY`."""

    def expected(self, at: Situation) -> Amounts:
        """Return what is expected of each account in the situation's horizon, at least 0."""


@dataclass(frozen=True)
class Rule:
    """A forecast of one line."""

    name: str
    says: Callable[[Situation], Amounts]

    def expected(self, at: Situation) -> Amounts:
        """Return what the rule says; an account whose returns outweigh its orders is not expected to go on so."""
        return Amounts(*(np.maximum(values, 0.0) for values in self.says(at)))


@dataclass(frozen=True, eq=False)
class Parametric:
    """A model of purchase days, and one of order values where there is money."""

    name: str
    transactions: TransactionModel
    spend: GammaGamma | None

    def expected(self, at: Situation) -> Amounts:
        """Return the posterior means."""
        purchases = self.points(at)["expected_purchases"].to_numpy()
        return Amounts(purchases, purchases * self.worth(at))

    def points(self, at: Situation) -> pd.DataFrame:
        """Return P(alive) and the expected purchases, without the intervals, which cost the most."""
        table: pd.DataFrame = at.once(
            (self, "points"), lambda: self.transactions.point_forecasts(at.summary, at.horizon_days)
        )
        return table

    def predicted(self, at: Situation) -> pd.DataFrame:
        """Return the model's table of predictions at the contest's level."""
        table: pd.DataFrame = at.once(
            (self, "table"), lambda: self.transactions.predict(at.summary, at.horizon_days, level=LEVEL)
        )
        return table

    def p_alive(self, at: Situation) -> np.ndarray:
        """Return P(alive)."""
        return self.points(at)["p_alive"].to_numpy()

    def values(self, at: Situation) -> pd.DataFrame | None:
        """Return what is expected of an order and what that rests on; None without money."""
        return valued(at, self.spend)

    def worth(self, at: Situation) -> np.ndarray:
        """Return the expected net value of a purchase; 0 without money."""
        return worth(at, self.spend)


def valued(at: Situation, spend: GammaGamma | None) -> pd.DataFrame | None:
    """Return what is expected of an order and what that rests on; None without money."""
    if spend is None:
        return None
    table: pd.DataFrame = at.once((spend, "values"), lambda: order_values(at.summary, spend))
    return table


def worth(at: Situation, spend: GammaGamma | None) -> np.ndarray:
    """Return the expected net value of a purchase; 0 without money."""
    values = valued(at, spend)
    return np.zeros(len(at.summary)) if values is None else values["expected_spend"].to_numpy()


@dataclass(frozen=True, eq=False)
class Blend:
    """Weight × model + (1 − weight) × P(alive) × purchases of the window before, as long as the horizon.

    Simple averages of forecasts are hard to beat (Bates and Granger 1969, "The Combination of Forecasts").
    """

    model: Parametric
    weight: float
    name: ClassVar[str] = BLEND

    def expected(self, at: Situation) -> Amounts:
        """Return the mixed purchases, at the model's order values."""
        purchases = mixed(self.model.expected(at).purchases, self.model.p_alive(at), at.recent.purchases, self.weight)
        return Amounts(purchases, purchases * self.model.worth(at))


def mixed(expected: np.ndarray, p_alive: np.ndarray, recent: np.ndarray, weight: float) -> np.ndarray:
    """Return weight × expected + (1 − weight) × P(alive) × recent."""
    return weight * expected + (1 - weight) * p_alive * recent


@dataclass(frozen=True, eq=False)
class Combination:
    """The mean of the best model, of the last 12 months as far as alive, and of the learner where there is one."""

    model: Parametric
    learner: Forecaster | None
    name: ClassVar[str] = COMBINATION

    def expected(self, at: Situation) -> Amounts:
        """Return the means of purchases and of revenue."""
        alive = self.model.p_alive(at)
        parts = [self.model.expected(at), Amounts(*(alive * np.maximum(values, 0.0) for values in at.trailing))]
        if self.learner is not None:
            parts.append(self.learner.expected(at))
        return Amounts(*(np.mean(values, axis=0) for values in zip(*parts, strict=True)))


def _counted(at: Situation, purchases: np.ndarray) -> Amounts:
    """Value purchases at the mean of all the account's orders."""
    bought = at.column("first_value") + at.column("frequency") * at.column("monetary_value")
    return Amounts(purchases, purchases * bought / at.column("purchase_days"))


def _rate(at: Situation) -> Amounts:
    x, age = at.column("frequency"), at.column("T")
    return _counted(at, np.divide(x, age, out=np.zeros_like(x), where=age > 0) * at.horizon)


def _nothing(at: Situation) -> Amounts:
    zero = np.zeros(len(at.summary))
    return Amounts(zero, zero)


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(REFERENCE, lambda at: at.recent),
        Rule("seasonal", lambda at: at.seasonal or at.recent),
        Rule("trailing", lambda at: at.trailing),
        Rule("same_count", lambda at: _counted(at, at.column("frequency"))),
        Rule("rate", _rate),
        Rule(NEVER_CHOSEN, _nothing),
    )
}


def rules_at(at: Situation) -> list[Rule]:
    """Return the rules that say something of their own here.

    Where the horizon is a year, the same days a year ago and the last 12 months are the last horizon; it stands once.
    """
    absent = {"seasonal"} if at.seasonal is None else set()
    if at.trailing is at.recent:
        absent.add("trailing")
    return [rule for name, rule in RULES.items() if name not in absent]


def models_at(at: Situation) -> tuple[str, ...]:
    """Return the models of purchase days that can be fitted here: those with covariates where there are some."""
    return tuple(name for name in TRANSACTION_MODELS if at.covariates or name not in COVARIATE_MODELS)


def blank_model(name: str, at: Situation) -> TransactionModel:
    """Return an unfitted model of purchase days; covariates move both buying and leaving."""
    both = dict.fromkeys(("transaction_covariates", "dropout_covariates"), at.covariates)
    options = both if name in COVARIATE_MODELS else {}
    model = MODELS[COVARIATE_MODELS.get(name, name)](unit=at.unit, engine="kamlab", **options)
    assert isinstance(model, TransactionModel)
    return model


def name_of(model: TransactionModel) -> str:
    """Return the name of a fitted model of purchase days."""
    plain = {cls: name for name, cls in MODELS.items()}[type(model)]
    return next((name for name, base in COVARIATE_MODELS.items() if base == plain and model.n_effects_), plain)
