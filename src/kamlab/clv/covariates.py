"""Static covariates: what is known of an account beside its purchases moves its rate of buying and of leaving.

References
----------
.. [1] Fader and Hardie (2007), Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models,
   brucehardie.com/notes/019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, TypedDict

import numpy as np
import pandas as pd
from scipy.linalg import qr
from sklearn.base import clone

from kamlab.clv.base import NOTE_OWN_OPTIMISER
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS, Faults, Purchases, numbers, read_purchases
from kamlab.clv.histories import Histories
from kamlab.clv.transactions import Space, TransactionModel
from kamlab.errors import ModelError, first_ids
from kamlab.i18n import N_

UNKNOWN, OTHER = "unknown", "other"
"""Levels of missing entries, and of categories in which too few accounts buy again for an effect of their own."""

FURTHEST = 8.0
"""How far a covariate may move the log of a parameter: as far as the parameters' own bounds reach."""

NOTE_RARE = N_("Categories in which fewer than 10 accounts buy again have no effect of their own.")


class Categories(TypedDict):
    """How a column of categories is coded: the level of each category seen, and the levels that have an effect."""

    level: dict[str, str]
    reference: str
    levels: list[str]


class Numbers(TypedDict):
    """How a column of numbers is coded: (value within the range seen − mean) / sd, and whether entries were missing."""

    mean: float
    sd: float
    low: float
    high: float
    missing: bool


class Effect(NamedTuple):
    """A parameter's log moves by sign × value × the design matrix's column."""

    name: str
    parameter: int
    sign: int
    column: int


def learn(frame: pd.DataFrame, columns: Sequence[str], buyers: np.ndarray, faults: Faults) -> dict[str, Any]:
    """Return the coding of each column; `buyers` says how many repeat buyers each row stands for."""
    return {
        name: _learn_numbers(frame[name], name, faults)
        if _is_number(frame[name])
        else _learn_categories(frame[name], name, buyers, faults)
        for name in columns
    }


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _learn_numbers(column: pd.Series, name: str, faults: Faults) -> Numbers:
    values = numbers(column)
    faults.add(np.isinf(values), f'have no finite "{name}"', "Fill them or leave them empty.")
    known = values[np.isfinite(values)]
    if len(known) == 0 or known.min() == known.max():
        faults.say(f'The covariate "{name}" is the same for all accounts. Leave it out.')
        return Numbers(mean=0.0, sd=1.0, low=0.0, high=0.0, missing=False)
    # Scaled first: squares of billions are exact enough, those of 1e200 are not.
    top = np.abs(known).max()
    mean, sd = float((known / top).mean() * top), float((known / top).std() * top)
    return Numbers(
        mean=mean, sd=sd, low=float(known.min()), high=float(known.max()), missing=bool(np.isnan(values).any())
    )


def _texts(column: pd.Series) -> pd.Series:
    """Return categories as text; what is missing or empty is unknown."""
    text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
    return text.where(text != "", UNKNOWN)


def _learn_categories(column: pd.Series, name: str, buyers: np.ndarray, faults: Faults) -> Categories:
    """Give each category with enough repeat buyers an effect; the one with most of them is the reference."""
    per = pd.Series(buyers).groupby(_texts(column).to_numpy(), sort=True).sum()
    if len(per) < 2:
        faults.say(f'The covariate "{name}" is the same for all accounts. Leave it out.')
    reference = str(per.idxmax()) if len(per) else UNKNOWN
    often = per >= MIN_REPEAT_BUYERS
    elsewhere = OTHER if per[~often].sum() >= MIN_REPEAT_BUYERS else reference
    level = {str(category): str(category) if often[category] else elsewhere for category in per.index}
    if len(per) > 1 and set(level.values()) == {reference}:
        faults.say(
            f'Of the covariate "{name}" only "{reference}" has {MIN_REPEAT_BUYERS} accounts with a repeat purchase. '
            "Leave it out, or join its categories."
        )
    return Categories(level=level, reference=reference, levels=sorted(set(level.values()) - {reference}))


def names_of(name: str, coding: Any) -> list[str]:
    """Return the names of a column's columns in the design matrix."""
    if "mean" in coding:
        return [name, f"{name}={UNKNOWN}"] if coding["missing"] else [name]
    return [f"{name}={level}" for level in coding["levels"]]


def code(column: pd.Series, name: str, coding: Any, faults: Faults) -> np.ndarray:
    """Return a column's columns of the design matrix, shape (rows, columns).

    A missing number counts as the mean, and a missing category as the reference, with an effect of being unknown where
    the fit saw such accounts. Numbers beyond those that the fit saw count as the nearest of these.
    """
    if "mean" in coding:
        values = numbers(column)
        faults.add(
            np.isinf(values) | (np.isnan(values) & column.notna().to_numpy()),
            f'have a "{name}" that is no finite number',
            "Fill them or leave them empty.",
        )
        scaled = np.nan_to_num((np.clip(values, coding["low"], coding["high"]) - coding["mean"]) / coding["sd"])
        return np.column_stack([scaled, np.isnan(values)]) if coding["missing"] else scaled[:, None]
    text = _texts(column)
    new = ~text.isin([*coding["level"], UNKNOWN]).to_numpy()
    seen = first_ids(text[new].unique())
    faults.add(
        new,
        f'have a category of "{name}" that the model was not fitted to ({seen})',
        "Fit the model to them too, or leave the entry empty.",
    )
    level = text.map(coding["level"]).to_numpy()
    return np.column_stack([np.zeros((len(level), 0)), *(level == one for one in coding["levels"])]).astype(float)


def _refuse_repetition(z: np.ndarray, names: Sequence[str], faults: Faults) -> None:
    """Name the columns that follow from those before them."""
    whole = np.column_stack([np.ones(len(z)), z])
    rotated, order = qr(whole, mode="r", pivoting=True) if len(z) else (np.eye(whole.shape[1]), range(whole.shape[1]))
    size = np.zeros(whole.shape[1])
    diagonal = np.abs(np.diag(rotated))
    size[: len(diagonal)] = diagonal
    repeated = [names[i - 1] for i, length in zip(order, size, strict=True) if length < 1e-8 * size.max() and i]
    if repeated:
        faults.say(f"The covariates say the same twice: {', '.join(repeated)} follow from the others. Leave one out.")


class CovariateModel(TransactionModel):
    """A model of purchase days whose parameters differ with what is known of the accounts [1]_.

    Text, booleans and categories have an effect a category, measured from the one with most repeat buyers; numbers have
    one per standard deviation. See docs/decisions/0018-how-covariates-enter.md for rare, missing and new entries.

    Parameters
    ----------
    unit, engine, penalizer
        See `TransactionModel`; another engine finds the maximum without covariates, from which kamlab climbs on.
    transaction_covariates, dropout_covariates : sequence of str
        Columns of the summary that move the rate of buying, and that of leaving.
    effect_penalizer : float
        Weight of the sum of squared effects, subtracted from the mean log-likelihood.

    Attributes
    ----------
    covariates_ : dict
        How each column is coded: `Categories` or `Numbers`.
    """

    reach: ClassVar[tuple[tuple[str, str, str, int], ...]]
    """Process (transaction or dropout), name of its effects, parameter that they move, and sign."""
    covariates_: Mapping[str, Any] = MappingProxyType({})
    transaction_covariates: Sequence[str]
    dropout_covariates: Sequence[str]
    effect_penalizer: float

    def __init__(
        self,
        *,
        unit: str = "week",
        engine: str = "kamlab",
        penalizer: float = 0.0,
        transaction_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        effect_penalizer: float = 0.0,
    ) -> None:
        super().__init__(unit=unit, engine=engine, penalizer=penalizer)
        self.transaction_covariates = transaction_covariates
        self.dropout_covariates = dropout_covariates
        self.effect_penalizer = effect_penalizer

    def _check_options(self) -> None:
        super()._check_options()
        for option in ("transaction_covariates", "dropout_covariates"):
            names = getattr(self, option)
            if isinstance(names, str) or not all(isinstance(name, str) for name in names):
                raise ModelError(f'{option} is {names!r}; it must be a list of column names, such as ["industry"].')
            if len(set(names)) < len(names):
                raise ModelError(f"{option} names a column twice: {', '.join(names)}.")
        if not (np.isfinite(self.effect_penalizer) and self.effect_penalizer >= 0):
            raise ModelError(f"effect_penalizer is {self.effect_penalizer}; it must be a finite number of at least 0.")

    def _columns(self) -> list[str]:
        return list(dict.fromkeys([*self.transaction_covariates, *self.dropout_covariates]))

    # Reading

    def _learn(self, summary: Any) -> Purchases:
        if not self._columns():
            self.covariates_, self.n_columns_, self.n_effects_ = {}, 0, 0
            return super()._learn(summary)
        found: dict[str, Any] = {}

        def design(frame: pd.DataFrame, buyers: np.ndarray, faults: Faults) -> np.ndarray:
            found.update(learn(frame, self._columns(), buyers, faults))
            z = self._design(frame, found, Faults(faults.ids))
            columns = [name for column, coding in found.items() for name in names_of(column, coding)]
            if z.size and not faults.found:
                _refuse_repetition(z, columns, faults)
            needed = MIN_REPEAT_BUYERS * (1 + z.shape[1])
            faults.need("accounts with a repeat purchase", int(buyers.sum()), needed if z.shape[1] else 0)
            return z

        data = read_purchases(
            summary,
            min_accounts=MIN_ACCOUNTS,
            min_repeat_buyers=MIN_REPEAT_BUYERS,
            covariates=self._columns(),
            design=design,
        )
        self.covariates_ = found
        self.n_columns_ = data.z.shape[1]
        self.n_effects_ = len(self._effects())
        return data

    def _read(self, summary: Any) -> Purchases:
        if not self.covariates_:
            return super()._read(summary)
        self._params()

        def design(frame: pd.DataFrame, buyers: np.ndarray, faults: Faults) -> np.ndarray:
            return self._design(frame, self.covariates_, faults)

        return read_purchases(summary, covariates=list(self.covariates_), design=design)

    @staticmethod
    def _design(frame: pd.DataFrame, codings: Mapping[str, Any], faults: Faults) -> np.ndarray:
        parts = [code(frame[name], name, coding, faults) for name, coding in codings.items()]
        return np.column_stack([np.zeros((len(frame), 0)), *parts])

    # Effects

    def _effects(self) -> list[Effect]:
        """List the effects in the order of the parameters."""
        place: dict[str, list[tuple[str, int]]] = {}
        start = 0
        for column, coding in self.covariates_.items():
            names = names_of(column, coding)
            place[column] = list(zip(names, range(start, start + len(names)), strict=True))
            start += len(names)
        chosen = {"transaction": self.transaction_covariates, "dropout": self.dropout_covariates}
        return [
            Effect(f"{label}[{name}]", self.parameters.index(parameter), sign, at)
            for process, columns in chosen.items()
            for at_process, label, parameter, sign in self.reach
            if at_process == process
            for column in columns
            for name, at in place[column]
        ]

    def _space(self, rows: Histories) -> Space:
        names, starts, bounds = super()._space(rows)
        if not self.n_effects_:
            return Space(names, starts, bounds)
        effects = self._effects()
        furthest = [FURTHEST / max(np.abs(rows.z[:, effect.column]).max(), 1.0) for effect in effects]
        return Space(
            [*names, *(effect.name for effect in effects)],
            [np.append(start, np.zeros(len(effects))) for start in starts],
            [*bounds, *((-far, far) for far in furthest)],
        )

    def _moved(self, log_params: np.ndarray, z: np.ndarray) -> list[Any]:
        """Return the log parameters in force for rows with covariates z."""
        own = list(log_params[: len(self.parameters)])
        for effect, value in zip(self._effects(), log_params[len(self.parameters) :], strict=True):
            own[effect.parameter] = own[effect.parameter] + effect.sign * np.multiply.outer(z[:, effect.column], value)
        return own

    def _at(self, params: np.ndarray, z: np.ndarray) -> Any:
        if not self.n_effects_:
            return params
        logs = np.concatenate([np.log(params[: len(self.parameters)]), params[len(self.parameters) :]])
        return [np.exp(log) for log in self._moved(logs, z)]

    def _row_likelihood(self, log_params: np.ndarray, rows: Histories) -> tuple[np.ndarray, np.ndarray]:
        if not self.n_effects_:
            return super()._row_likelihood(log_params, rows)
        value, gradient = self._log_likelihood(self._moved(log_params, rows.z), *rows[:3])
        slopes = [effect.sign * rows.z[:, effect.column] * gradient[effect.parameter] for effect in self._effects()]
        return value, np.vstack([gradient, *slopes])

    def _penalty(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        plain = len(self.parameters)
        value, slope, curvature = super()._penalty(log_params[:plain])
        effects, weight = log_params[plain:], self.effect_penalizer
        return (
            value + weight * float(effects @ effects),
            np.append(slope, 2 * weight * effects),
            np.append(curvature, np.full(len(effects), 2 * weight)),
        )

    def _is_penalised(self) -> bool:
        return super()._is_penalised() or (self.effect_penalizer > 0 and self.n_effects_ > 0)

    def _fit_histories(self, data: Purchases) -> None:
        """Fit the model without covariates first: it is the limiting case, and the engine knows it."""
        if not self.n_effects_:
            return super()._fit_histories(data)
        plain: Self = clone(self).set_params(transaction_covariates=(), dropout_covariates=())
        plain._fit_histories(data._replace(z=np.zeros((len(data.x), 0))))
        self._fit_from(data, np.append(plain._params(), np.zeros(self.n_effects_)))
        codings = [coding for coding in self.covariates_.values() if "level" in coding]
        if any(category != level for coding in codings for category, level in coding["level"].items()):
            self.notes_ += (NOTE_RARE,)
        if NOTE_OWN_OPTIMISER in plain.notes_:
            self.notes_ = (NOTE_OWN_OPTIMISER, *self.notes_)
        return None
