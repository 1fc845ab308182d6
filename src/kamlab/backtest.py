"""Rolling-origin contest of the forecasters on the data before the as-of date: the choice and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from kamlab import blend
from kamlab.clv import BGNBD, GammaGamma
from kamlab.clv.spend import fit_spend, order_values, sample_revenue
from kamlab.errors import DataError, ModelError
from kamlab.i18n import N_
from kamlab.period import StudyPeriod
from kamlab.summary import holdout, summarize
from kamlab.terms import TABLES

if TYPE_CHECKING:
    from kamlab.ledger import Ledger

MODEL = "bg_nbd"
BLEND = "blend"
"""The model and the account's recent purchases, mixed; see `blend`."""
REFERENCE = "last_horizon"
BASELINES = (REFERENCE, "rate", "same_count", "always_0")
NEVER_CHOSEN = "always_0"
"""Forecasts nothing: it does well by absolute error where most accounts stay silent, and helps nobody."""

MAX_ORIGINS = 3
LEAST_HISTORY = 0.5
"""A forecast made from less than half a horizon of history tests nothing that resembles today's."""
SLACK_DAYS = 14
"""Companies rest at the turn of a year: a history that misses its first fortnight counts as whole."""
LEVEL = 0.9
INTERVAL_DRAWS = 300

PRIOR_LEVEL_SD = 0.2
PRIOR_LEVEL_WEIGHT = 2
"""Before any origin is seen the company's total is taken to miss by 20 %, a belief worth two origins."""

LOWEST_RATIO = 0.05
"""Totals that came in below 5 % of their forecast count as 5 %: the logarithm must stay finite."""

NOTE_NO_ORIGIN = N_(
    "The log is too short for a check: no earlier date has enough accounts and purchases to forecast from."
)
NOTE_SHORT = N_(
    "The log holds less than two horizons, so the forecast was checked from a shorter history than it has now."
)
NOTE_ONE_ORIGIN = N_("The forecast could be checked from one earlier date only, so nothing was chosen on other data.")
NOTE_NO_SPEND = N_("Order values cannot be modelled, so purchases are forecast and no money.")


@dataclass(frozen=True, eq=False)
class Choice:
    """The forecaster in force, fitted at the as-of date, and its record.

    Attributes
    ----------
    forecaster : str
        "bg_nbd", or "blend" where the earlier origins gave the model less than its whole weight.
    transactions : BGNBD
        Fitted to all data up to the as-of date.
    spend : GammaGamma or None
        None where there is no money, or too few repeat purchases with a value.
    record : pandas.DataFrame
        Columns of `terms.TABLES["backtest"]`; no rows where no origin could be forecast from.
    target : str
        "revenue", or "purchases" where there is no money: what the forecasters are compared on.
    level_sd : float
        Standard deviation of ln(what comes / what is forecast) for the company as a whole.
    notes : tuple of str
        What limits the record.
    weight : float
        Weight of the model in the blend; 1 = the model alone.
    """

    forecaster: str
    transactions: BGNBD
    spend: GammaGamma | None
    record: pd.DataFrame
    target: str
    level_sd: float
    notes: tuple[str, ...]
    weight: float = 1.0

    @property
    def unit(self) -> str:
        """Unit of recency and T in the summaries that it forecasts from."""
        return self.transactions.unit

    @property
    def beaten_by(self) -> tuple[str, ...]:
        """Baselines with a lower root mean squared error on the record, best first; "always_0" never counts."""
        rows = self.record[(self.record["role"] == "record") & (self.record["target"] == self.target)]
        rules = [name for name in BASELINES if name != NEVER_CHOSEN]
        rows = rows[rows["forecaster"].isin([*rules, self.forecaster])]
        own = rows.loc[rows["forecaster"] == self.forecaster, "rmse"]
        better = rows[rows["rmse"] < own.min()].sort_values("rmse", kind="stable")
        return tuple(better["forecaster"])

    def facts(self) -> dict[str, Any]:
        """Return what the record table does not hold, ready for JSON."""
        return {
            "forecaster": self.forecaster,
            "weight": self.weight,
            "target": self.target,
            "unit": self.unit,
            "level_sd": self.level_sd,
            "beaten_by": list(self.beaten_by),
            "notes": list(self.notes),
        }


def choose(
    ledger: Ledger,
    period: StudyPeriod,
    *,
    accounts: pd.DataFrame | None = None,
    origins: int = MAX_ORIGINS,
    seed: int = 0,
) -> Choice:
    """Fit the forecaster at the as-of date, and let it and the baselines forecast from earlier dates.

    Origin k ends k horizons before the as-of date; nothing after the as-of date is read. The newest origin is the
    record, where the log before it spans at least half a horizon; earlier ones need a whole one.

    Parameters
    ----------
    ledger : Ledger
    period : StudyPeriod
    accounts : pandas.DataFrame, optional
        Columns member, account, as for `summary.summarize`.
    origins : int
        Number of origins at most.
    seed : int
        Of the draws that the coverage of revenue is measured with.

    Raises
    ------
    ModelError
        If the data up to the as-of date cannot carry the model.
    """
    transactions, spend = _fit(summarize(ledger, period, accounts=accounts), period, ledger.has_money)
    notes = [NOTE_NO_SPEND] if spend is None and ledger.has_money else []
    trials = []
    for k in range(1, origins + 1):
        origin = period.origin(k)
        history = (origin.calibration_end - ledger.first_date).days + 1
        least = period.horizon_days * LEAST_HISTORY if k == 1 else period.horizon_days - SLACK_DAYS
        if history < least:
            break
        try:
            trials.append(_try(ledger, origin, accounts, with_money=spend is not None, seed=seed))
        except (DataError, ModelError):
            break
        if history < period.horizon_days - SLACK_DAYS:
            notes.append(NOTE_SHORT)
    if len(trials) < 2:
        notes.append(NOTE_ONE_ORIGIN if trials else NOTE_NO_ORIGIN)
    target = "purchases" if spend is None else "revenue"
    weight = blend.choose_weight([trial.for_blend(target) for trial in trials[1:]])
    names = [column.name for column in TABLES["backtest"]]
    tables = [trial.measure(weight) for trial in trials]
    record = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)
    newest = record["origin"] == record["origin"].max()
    record["role"] = np.where(newest, "record", "choice")
    forecaster = BLEND if weight < 1 else MODEL
    sd = level_sd(record, target, forecaster)
    return Choice(forecaster, transactions, spend, record[names], target, sd, tuple(notes), weight)


def level_sd(record: pd.DataFrame, target: str, forecaster: str = MODEL) -> float:
    """Return the standard deviation of the company total's error, as a logarithm.

    The squares of ln(actual / forecast) at the K origins are averaged with a prior worth two origins, and the root is
    widened by the ratio of Student's t on K + 2 degrees of freedom to the normal at 95 %, because few origins say
    little about the next.
    """
    rows = record[(record["forecaster"] == forecaster) & (record["target"] == target) & (record["forecast"] > 0)]
    ratio = (rows["actual"] / rows["forecast"]).to_numpy(dtype=float)
    errors = np.log(np.maximum(ratio, LOWEST_RATIO))
    freedom = PRIOR_LEVEL_WEIGHT + len(errors)
    mean_square = (PRIOR_LEVEL_WEIGHT * PRIOR_LEVEL_SD**2 + (errors**2).sum()) / freedom
    return float(np.sqrt(mean_square) * stdtrit(freedom, 0.95) / ndtri(0.95))


def _fit(summary: pd.DataFrame, period: StudyPeriod, has_money: bool) -> tuple[BGNBD, GammaGamma | None]:
    transactions = BGNBD(unit=period.unit).fit(summary)
    if not has_money:
        return transactions, None
    try:
        return transactions, fit_spend(summary)
    except ModelError:
        return transactions, None


@dataclass(frozen=True, eq=False)
class _Trial:
    """One origin: forecasts by model and baselines, and what came, one row an account."""

    origin: StudyPeriod
    came: pd.DataFrame
    before: pd.DataFrame
    predicted: pd.DataFrame
    spend: np.ndarray | None
    revenue: np.ndarray | None
    baselines: dict[str, dict[str, np.ndarray]]

    def for_blend(self, target: str) -> blend.Origin:
        """Return what the weight of the blend is chosen on."""
        expected = self.predicted["expected_purchases"].to_numpy()
        worth = np.ones_like(expected) if self.spend is None else self.spend
        actual = self.came[target].to_numpy(dtype=float)
        return blend.Origin(expected, self.predicted["p_alive"].to_numpy(), self._recent(), worth, actual)

    def measure(self, weight: float) -> pd.DataFrame:
        """Measure every forecaster, the blend too where it is another than the model."""
        forecasts, coverage = dict(self.baselines), {}
        for name, share in ((MODEL, 1.0), (BLEND, weight)):
            if name == BLEND and weight == 1:
                continue
            forecasts[name], coverage[name] = self._model(share)
        targets = ("purchases", "revenue") if self.spend is not None else ("purchases",)
        return pd.concat([_measure(forecasts, self.came, target, self.origin, coverage) for target in targets])

    def _recent(self) -> np.ndarray:
        return self.before["purchases"].to_numpy(dtype=float)

    def _model(self, weight: float) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """Return forecasts and interval coverage of the model, scaled to the blend of that weight."""
        expected = self.predicted["expected_purchases"].to_numpy()
        scale = blend.ratio(expected, self.predicted["p_alive"].to_numpy(), self._recent(), weight)
        forecasts = {"purchases": expected * scale}
        lower, upper = blend.scale_counts(self.predicted["lower"], self.predicted["upper"], scale)
        coverage = {"purchases": _inside(self.came["purchases"].to_numpy(dtype=float), lower, upper)}
        if self.spend is not None and self.revenue is not None:
            forecasts["revenue"] = forecasts["purchases"] * self.spend
            bounds = np.quantile(self.revenue * scale[:, None], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
            coverage["revenue"] = _inside(self.came["revenue"].to_numpy(), *bounds)
        return forecasts, coverage


def _try(ledger: Ledger, origin: StudyPeriod, accounts: pd.DataFrame | None, *, with_money: bool, seed: int) -> _Trial:
    """Forecast from one origin by every forecaster, with what came beside it."""
    summary = summarize(ledger, origin, accounts=accounts)
    known = summary["account"]
    came = _of(holdout(ledger, origin, accounts=accounts), known)
    before = _of(holdout(ledger, origin.origin(1), accounts=accounts), known)
    transactions, spend = _fit(summary, origin, with_money)
    if with_money and spend is None:
        raise ModelError(f"Order values cannot be modelled at {origin.calibration_end}.")
    predicted = transactions.predict(summary, origin.horizon_days, level=LEVEL)
    worth = revenue = None
    if spend is not None:
        values = order_values(summary, spend)
        worth = values["expected_spend"].to_numpy()
        rng = np.random.default_rng(seed)
        params = transactions.parameter_draws(INTERVAL_DRAWS, rng), spend.parameter_draws(INTERVAL_DRAWS, rng)
        counts = transactions.sample_purchases(summary, origin.horizon_days, params[0], rng=rng)
        revenue = sample_revenue(values, spend, counts, params[1], rng=rng)
    return _Trial(origin, came, before, predicted, worth, revenue, _baselines(summary, before, origin))


def _of(sums: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Bring sums of a window to the accounts known at the origin; who bought nothing has 0."""
    return sums.set_index("account").reindex(known).fillna(0.0)


def _baselines(summary: pd.DataFrame, before: pd.DataFrame, origin: StudyPeriod) -> dict[str, dict[str, np.ndarray]]:
    """Forecast by rules of one line: purchases and revenue in the horizon."""
    x, age = summary["frequency"].to_numpy(dtype=float), summary["T"].to_numpy(dtype=float)
    bought = summary["first_value"] + summary["frequency"] * summary["monetary_value"]
    order_value = (bought / summary["purchase_days"]).to_numpy(dtype=float)
    rate = np.divide(x, age, out=np.zeros_like(x), where=age > 0) * origin.horizon
    nothing = np.zeros_like(x)
    return {
        REFERENCE: {name: before[name].to_numpy(dtype=float) for name in ("purchases", "revenue")},
        "rate": {"purchases": rate, "revenue": rate * order_value},
        "same_count": {"purchases": x, "revenue": x * order_value},
        NEVER_CHOSEN: {"purchases": nothing, "revenue": nothing},
    }


def _inside(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    # Returns can make an account's revenue negative where nothing was forecast: outside, but only beyond a cent.
    return float(((actual >= lower - 0.005) & (actual <= upper + 0.005)).mean())


def _measure(
    forecasts: Mapping[str, Mapping[str, np.ndarray]],
    came: pd.DataFrame,
    target: str,
    origin: StudyPeriod,
    coverage: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Return the rows of one origin and target, in the order model, blend, baselines."""
    actual = came[target].to_numpy(dtype=float)
    rows = []
    for name in (n for n in (MODEL, BLEND, *BASELINES) if n in forecasts):
        forecast = forecasts[name][target]
        error = forecast - actual
        rows.append(
            {
                "forecaster": name,
                "kind": "model" if name in coverage else "baseline",
                "origin": pd.Timestamp(origin.calibration_end),
                "target": target,
                "accounts": len(actual),
                "actual": actual.sum(),
                "forecast": forecast.sum(),
                "bias": forecast.sum() / actual.sum() - 1 if actual.sum() > 0 else np.nan,
                "mae": np.abs(error).mean(),
                "rmse": np.sqrt((error**2).mean()),
                "msle": _msle(forecast, actual) if target == "purchases" else np.nan,
                "coverage": coverage[name][target] if name in coverage else np.nan,
                "level": LEVEL if name in coverage else np.nan,
            }
        )
    table = pd.DataFrame(rows)
    reference = table.loc[table["forecaster"] == REFERENCE, "rmse"].iloc[0]
    table["relative_rmse"] = table["rmse"] / (reference if reference > 0 else np.nan)
    return table


def _msle(forecast: np.ndarray, actual: np.ndarray) -> float:
    return float(((np.log1p(forecast) - np.log1p(actual)) ** 2).mean())
