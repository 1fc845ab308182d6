"""The forecaster in force, fitted at the as-of date, with its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kamlab.backtest.distribution import Recalibration
from kamlab.backtest.forecasters import Forecaster, Parametric, name_of
from kamlab.backtest.measures import calibration_error
from kamlab.backtest.names import BASELINES, NEVER_CHOSEN, RECORDS
from kamlab.backtest.probability import LogitCorrection
from kamlab.backtest.situation import Amounts, Situation, Windows, from_summary
from kamlab.backtest.spread import Spread
from kamlab.clv import GammaGamma, TransactionModel
from kamlab.clv.base import NOTE_FEW
from kamlab.terms import TABLES


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=[column.name for column in TABLES[name]])


@dataclass(frozen=True, eq=False)
class Choice:
    """The forecaster in force, fitted at the as-of date, and its record.

    Attributes
    ----------
    forecaster : str
        One of `terms.FORECASTERS`.
    transactions : TransactionModel
        The model behind P(alive) and the distribution, fitted to all data up to the as-of date; it is the forecaster
        itself where that is a model of purchases.
    spend : GammaGamma or None
        None where there is no money, or too few repeat purchases with a value.
    record : pandas.DataFrame
        Columns of `terms.TABLES["backtest"]`; no rows where no earlier date could be forecast from.
    target : str
        "revenue", or "purchases" where there is no money: what the forecasters are compared on.
    level_sd : float
        Standard deviation of ln(what comes / what is forecast) for the company as a whole.
    notes : tuple of str
        What limits the record: sentences of the message catalogue.
    source : Forecaster, optional
        What gives the means; the model where missing.
    weight : float
        Of the model in the blend.
    factors : mapping of str to float
        Corrections of the level of "purchases" and "revenue"; none where missing.
    silent : mapping of str to float
        What the model's "purchases" and "revenue" are multiplied by where the forecaster expects nothing.
    ranks : mapping of str to Recalibration
        Corrections of the quantiles of "purchases" and "revenue".
    soon : LogitCorrection
        Of the probability of a purchase within 90 days.
    candidates, calibration, groups : pandas.DataFrame
        Columns of `terms.TABLES` "contest", "calibration" and "record_groups".
    sampled : int
        Number of accounts that the contest looked at; 0 = all.
    few : bool
        Whether accounts or repeat buyers are too few for a model of purchases to be fitted to them alone.
    chosen_by : str
        "earlier" dates than the record, the "only" date, one date with a "short" history, the "configuration", or
        "nothing".
    windows : Windows, optional
        What came before the as-of date where the contest's horizon is not 12 months: of that horizon rules say what
        they said in the contest. Of others, or where missing, they say what the last 12 months show.
    """

    forecaster: str
    transactions: TransactionModel
    spend: GammaGamma | None
    record: pd.DataFrame
    target: str
    level_sd: float
    notes: tuple[str, ...]
    source: Forecaster | None = None
    weight: float = 1.0
    factors: Mapping[str, float] = field(default_factory=dict)
    silent: Mapping[str, float] = field(default_factory=dict)
    ranks: Mapping[str, Recalibration] = field(default_factory=dict)
    soon: LogitCorrection = field(default_factory=LogitCorrection)
    candidates: pd.DataFrame = field(default_factory=lambda: _empty("contest"))
    calibration: pd.DataFrame = field(default_factory=lambda: _empty("calibration"))
    groups: pd.DataFrame = field(default_factory=lambda: _empty("record_groups"))
    sampled: int = 0
    few: bool = False
    chosen_by: str = "nothing"
    windows: Windows | None = None

    @property
    def unit(self) -> str:
        """Unit of recency and T in the summaries that it forecasts from."""
        return self.transactions.unit

    @property
    def beaten_by(self) -> tuple[str, ...]:
        """Baselines with a lower root mean squared error on the record, best first; "always_0" never counts."""
        return tuple(name for name in self._nearer() if name in BASELINES)

    @property
    def beaten_by_models(self) -> tuple[str, ...]:
        """Models, mixtures and learners with a lower root mean squared error on the record, best first."""
        return tuple(name for name in self._nearer() if name not in BASELINES)

    def _nearer(self) -> list[str]:
        rows = self.record[self.record["role"].isin(RECORDS) & (self.record["target"] == self.target)]
        own = rows.loc[rows["forecaster"] == self.forecaster, "rmse"].min()
        better = rows[(rows["rmse"] < own) & (rows["forecaster"] != NEVER_CHOSEN)]
        return better.sort_values("rmse", kind="stable")["forecaster"].to_list()

    @property
    def spend_fitted(self) -> bool:
        """Whether order values are modelled from the accounts alone, without a prior."""
        return self.spend is not None and NOTE_FEW not in self.spend.notes_

    def situation(self, summary: Any, horizon_days: int) -> Situation:
        """Return the situation of a summary at the as-of date."""
        at = from_summary(summary, horizon_days, self.unit)
        return at if self.windows is None else self.windows.of(at)

    @property
    def model(self) -> Parametric:
        """The model behind the distribution."""
        if isinstance(self.source, Parametric) and self.source.transactions is self.transactions:
            return self.source
        return Parametric(name_of(self.transactions), self.transactions, self.spend)

    def expected(self, at: Situation) -> Amounts:
        """Return the means in force: purchases and revenue (currency) of each account in the situation's horizon."""
        own = self.model.expected(at)
        said = own if self.source is None else self.source.expected(at).filled(own.times(self.silent))
        return said.times(self.factors)

    def spread(self, model: Parametric, at: Situation, wanted: Amounts) -> Spread:
        """Return the distribution around the means in force."""
        return Spread(model, at, wanted, self.level_sd, self.ranks)

    def facts(self) -> dict[str, Any]:
        """Return what the tables do not hold, ready for JSON."""
        return {
            "forecaster": self.forecaster,
            "model": self.model.name,
            "chosen_by": self.chosen_by,
            "weight": self.weight,
            "target": self.target,
            "unit": self.unit,
            "level_sd": self.level_sd,
            "level_factor": self.factors.get(self.target, 1.0),
            "beaten_by": list(self.beaten_by),
            "beaten_by_models": list(self.beaten_by_models),
            "calibration_error": self.calibration_errors(),
            "sampled": self.sampled,
            "few": self.few,
            "notes": list(self.notes),
        }

    def calibration_errors(self) -> dict[str, float]:
        """Return the mean distance between each probability and what happened, on the record."""
        rows = self.calibration[self.calibration["role"].isin(RECORDS)]
        return {
            str(name): calibration_error(
                *(part[c].to_numpy(dtype=float) for c in ("predicted", "observed", "accounts"))
            )
            for name, part in rows.groupby("probability")
        }
