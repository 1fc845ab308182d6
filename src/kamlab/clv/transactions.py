"""What all models of purchase days share: one fitting loop and one prediction table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from kamlab.clv.base import NOTE_PENALISED, FittedModel, Maximum, limit, maximise, one_thread
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS, Purchases, read_purchases
from kamlab.clv.climb import Objective
from kamlab.clv.merging import merge
from kamlab.errors import ModelError, first_ids
from kamlab.i18n import N_
from kamlab.period import DAYS_PER_UNIT, DAYS_PER_YEAR, days_to_units

NOTE_LIMIT = N_("The model's first fit was worse than its own limiting case, so it was fitted again from there.")

_SLACK = 1e-9
"""By how much (of the mean log-likelihood, or relative to a bound) rounding may err."""


class Histories(NamedTuple):
    """Distinct purchase histories: repeat purchase days x, t_x and T, and the number of accounts that share each."""

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    weight: np.ndarray


def distinct(data: Purchases) -> tuple[Histories, np.ndarray]:
    """Merge equal histories; return them and the place of each row's own among them."""
    (x, t_x, age), weight, place = merge((data.x, data.t_x, data.T), data.weight)
    return Histories(x, t_x, age, weight), place


def _sample(rows: Histories, size: int) -> Histories:
    """Take every n-th row in falling order of weight, with the weight of those until the next, some `size` of them."""
    stride = len(rows.x) // size
    if stride < 2:
        return rows
    order = np.argsort(-rows.weight, kind="stable")
    weight = np.add.reduceat(rows.weight[order], np.arange(0, len(order), stride))
    some = order[::stride]
    return Histories(rows.x[some], rows.t_x[some], rows.T[some], weight)


def _rate_by_moments(rows: Histories) -> tuple[float, float]:
    """Return ln(r) and ln(alpha) of gamma-distributed rates from the mean and variance of the counts, as in the NBD."""
    x, _, age, weight = rows
    mean = weight @ x / (weight @ age)
    spread = (weight @ ((x - mean * age) ** 2 - mean * age)) / (weight @ age**2)
    log_r = np.clip(np.log(mean**2 / spread), -3.0, 3.0) if spread > 0 else 3.0
    return log_r, log_r - np.log(mean)


class TransactionModel(FittedModel):
    """A model of purchase days, fitted to x, t_x and T of each account.

    A model names its parameters and gives five functions of them; everything else is shared. Times are scaled to a
    longest T of 1 for the fit.

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of the parameters that are times.
    engine : str
        What finds the optimum; kamlab sharpens that of another engine, and takes over where it fails.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.
    """

    parameters: ClassVar[tuple[str, ...]]
    times: ClassVar[tuple[str, ...]] = ("alpha",)
    """Parameters in units of time."""
    bounds: ClassVar[tuple[tuple[float, float], ...]]
    """Of the log parameters, with times scaled. Beyond them accounts do not differ measurably from the limit."""
    starts: ClassVar[tuple[tuple[float, ...], ...]]
    limits: ClassVar[tuple[Mapping[str, float], ...]] = ()
    """Limiting cases: the log parameters that are held, and where."""
    engines: ClassVar[tuple[str, ...]] = ("kamlab",)
    pilot_rows: ClassVar[int] = 1000
    """Rows on which starts are compared where there are many more."""

    def __init__(self, *, unit: str = "week", engine: str = "kamlab", penalizer: float = 0.0) -> None:
        self.unit = unit
        self.engine = engine
        self.penalizer = penalizer

    # What a model supplies. Histories are arrays that broadcast with each other and with the rows of `params`.

    @abstractmethod
    def _log_likelihood(
        self, log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return each history's log-likelihood, shape (n,), and its gradient, shape (parameters, n)."""

    @property
    def _exact(self) -> bool:
        """Whether `_summed_likelihood` gives second derivatives."""
        return False

    @property
    def _quick(self) -> bool:
        """Whether point forecasts cost less than to merge equal histories."""
        return False

    def _summed_likelihood(self, rows: Histories) -> Objective:
        """Return the rows' mean log-likelihood by weight, as a function as `Objective` describes it but not negated."""
        raise NotImplementedError

    @abstractmethod
    def _alive(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Return P(alive at T | history)."""

    @abstractmethod
    def _expected(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
        """Return E[purchases within t | history, alive at T]."""

    @abstractmethod
    def _survival(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, n: np.ndarray
    ) -> np.ndarray:
        """Return P(at least n purchases within t | history), n ≥ 1."""

    @abstractmethod
    def _sample(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the purchases within t of accounts that are alive at T."""

    def _most(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
        """Return the purchases expected of an account that never leaves: its posterior mean rate × t."""
        return (params[0] + x) * t / (params[1] + age)

    def _ask_engine(self, rows: Histories) -> np.ndarray | None:
        """Return another engine's optimum (parameters), or None where it finds none or does not know the model."""
        return None

    def _remarks(self, rows: Histories) -> tuple[str, ...]:
        """Return what a reader of the forecasts has to know of the model fitted to these histories."""
        return ()

    # Fitting

    def _start_by_moments(self, rows: Histories) -> tuple[float, ...]:
        """Return a start at the rates that the counts show; while an account stays it buys about twice as often."""
        log_r, log_alpha = _rate_by_moments(rows)
        return (log_r, log_alpha - np.log(2), *self.starts[0][2:])

    def fit(self, summary: Any, y: None = None) -> Self:
        """Fit to a summary with columns account, frequency, recency and T (in `unit`), and optionally weight.

        Raises
        ------
        ModelError
            If histories are impossible, or fewer than 30 accounts or 10 repeat buyers are there.
        """
        self._check_options()
        data = read_purchases(summary, min_accounts=MIN_ACCOUNTS, min_repeat_buyers=MIN_REPEAT_BUYERS)
        with one_thread():
            self._fit_histories(data)
        return self

    def _check_options(self) -> None:
        super()._check_options()
        if self.unit not in DAYS_PER_UNIT:
            raise ModelError(f'unit is "{self.unit}"; it must be one of {", ".join(DAYS_PER_UNIT)}.')

    def _fit_histories(self, data: Purchases) -> None:
        rows, _ = distinct(data)
        scale = 1 / rows.T.max()
        scaled = rows._replace(t_x=rows.t_x * scale, T=rows.T * scale)
        total = float(rows.weight.sum())
        some = _sample(scaled, self.pilot_rows)
        maximum = self._maximise(
            objective := self._objective(scaled),
            lambda: self._ask_engine(scaled),
            [*self.starts, self._start_by_moments(scaled)],
            self.bounds,
            total,
            pilot=None if some is scaled else self._objective(some),
            exact=self._exact,
        )
        if not self.penalizer:
            maximum = self._no_worse_than_limits(maximum, objective, total)
        log_scale = np.array([-np.log(scale) if name in self.times else 0.0 for name in self.parameters])
        params = self._keep(self.parameters, maximum, log_scale, len(data.x))
        if self._exact and not self.penalizer and NOTE_PENALISED not in maximum.notes:
            # In the data's units the density of a repeat purchase's time is larger by the scale.
            self.log_likelihood_ = float(rows.weight @ rows.x) * np.log(scale) - total * maximum.value
        else:
            self.log_likelihood_ = float(rows.weight @ self._log_likelihood(np.log(params), *rows[:3])[0])
        self.notes_ += self._remarks(rows)

    def _objective(self, rows: Histories) -> Objective:
        if self._exact:
            return self._exact_objective(rows)
        share = rows.weight / rows.weight.sum()

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient = self._log_likelihood(log_params, *rows[:3])
            penalty = self.penalizer * np.exp(2 * log_params)
            weighted = gradient * share
            outer = weighted @ gradient.T + np.diag(4 * penalty)
            return penalty.sum() - share @ value, 2 * penalty - weighted.sum(axis=1), outer

        return objective

    def _exact_objective(self, rows: Histories) -> Objective:
        likelihood = self._summed_likelihood(rows)

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient, second = likelihood(log_params)
            if not self.penalizer:
                return -value, -gradient, -second
            penalty = self.penalizer * np.exp(2 * log_params)
            return penalty.sum() - value, 2 * penalty - gradient, np.diag(4 * penalty) - second

        return objective

    def _no_worse_than_limits(self, maximum: Maximum, objective: Objective, total: float) -> Maximum:
        """Fit the limiting cases too; where one is better than the fit, fit again from there."""
        for held in self.limits:
            free = [i for i, name in enumerate(self.parameters) if name not in held]
            whole = maximum.log_params.copy()
            # All rates alike at their mean; or, where nobody leaves, about half of them.
            whole[1] += held["r"] - whole[0] if "r" in held else np.log(2)
            for name, value in held.items():
                whole[self.parameters.index(name)] = value

            square = np.ix_(free, free)

            def restricted(part: np.ndarray, whole: np.ndarray = whole, free: Any = free, square: Any = square) -> Any:
                whole[free] = part
                value, gradient, curvature = objective(whole)
                return value, gradient[free], curvature[square]

            bounds = [self.bounds[i] for i in free]
            found = limit(restricted, whole[free], bounds, maximum.value, exact=self._exact)
            if found.value < maximum.value - _SLACK:
                whole[free] = found.at
                again = maximise(objective, starts=[whole], bounds=self.bounds, n_accounts=total, exact=self._exact)
                maximum = replace(again, notes=(NOTE_LIMIT, *again.notes))
        return maximum

    # Prediction

    def predict(self, summary: Any, horizon_days: float = DAYS_PER_YEAR, *, level: float = 0.9) -> pd.DataFrame:
        """Predict each account's purchases in the horizon.

        Parameters
        ----------
        summary : table
            Columns account, frequency, recency and T (in `unit`).
        horizon_days : float
        level : float
            Of the central interval, 0.9 = from the 5 % to the 95 % quantile.

        Returns
        -------
        pandas.DataFrame
            account; p_alive; expected_purchases (at `params_`); lower and upper (whole numbers): quantiles of the
            posterior mixture, averaged over the parameters' normal approximation. After a long silence the expectation
            can lie above `upper`.
        """
        if not 0 < level < 1:
            raise ModelError(f"level is {level}; it must lie between 0 and 1.")
        return self._table(summary, horizon_days, ((1 - level) / 2, (1 + level) / 2))

    def point_forecasts(self, summary: Any, horizon_days: float = DAYS_PER_YEAR) -> pd.DataFrame:
        """Return the columns account, p_alive and expected_purchases of `predict`, whose intervals cost the most."""
        return self._table(summary, horizon_days, ())

    def _table(self, summary: Any, horizon_days: float, probabilities: tuple[float, ...]) -> pd.DataFrame:
        data = self._read(summary)
        t = self._horizon(horizon_days)
        whole: tuple[Histories, Any] = Histories(data.x, data.t_x, data.T, data.weight), slice(None)
        rows, place = whole if self._quick and not probabilities else distinct(data)
        alive = self._alive(self._params(), *rows[:3])
        columns = {"p_alive": alive, "expected_purchases": self._forecast(rows, t, alive)}
        for name, probability in zip(("lower", "upper"), probabilities, strict=False):
            columns[name] = self._quantile(rows, t, probability)
        table = pd.DataFrame({name: column[place] for name, column in columns.items()}, copy=False)
        table.insert(0, "account", data.account)
        return _checked(table)

    def expected_purchases(self, summary: Any, horizon_days: float) -> np.ndarray:
        """Return E[X | history] over the horizon; shape (accounts,)."""
        rows, place = distinct(self._read(summary))
        return self._forecast(rows, self._horizon(horizon_days), self._alive(self._params(), *rows[:3]))[place]

    def expected_purchases_new(self, horizon_days: Any) -> np.ndarray:
        """Return the repeat purchases expected of a new customer within `horizon_days` (a number or an array)."""
        params, zero = self._params(), np.zeros(1)
        days = np.asarray(horizon_days, dtype=float)
        t = np.atleast_1d(days) * days_to_units(1, self.unit)
        expected = self._alive(params, zero, zero, zero) * self._expected(params, zero, zero, zero, t)
        return expected.reshape(days.shape)

    def probability_at_most(self, summary: Any, purchases: Any, horizon_days: float) -> np.ndarray:
        """Return P(X ≤ purchases | history) over the horizon, parameter uncertainty included; shape (accounts,)."""
        data = self._read(summary)
        t = self._horizon(horizon_days)
        n = np.broadcast_to(np.asarray(purchases, dtype=float), data.x.shape)
        return np.where(n < 0, 0.0, 1 - self._at_least(data.x, data.t_x, data.T, t, np.maximum(n, 0) + 1))

    def sample_purchases(
        self, summary: Any, horizon_days: float, params: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw each account's purchases in the horizon.

        Parameters
        ----------
        summary : table
            Columns account, frequency, recency and T (in `unit`).
        horizon_days : float
        params : numpy.ndarray
            From `parameter_draws`, shape (draws, parameters): all accounts share the parameters of a draw, so that sums
            over accounts vary as they should.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Whole numbers, shape (accounts, draws).
        """
        data = self._read(summary)
        t = self._horizon(horizon_days)
        history = data.x[:, None], data.t_x[:, None], data.T[:, None]
        alive = rng.random((len(data.x), len(params))) < self._alive(params.T, *history)
        return np.where(alive, self._sample(params.T, *history, t, rng), 0.0)

    def _params(self) -> np.ndarray:
        check_is_fitted(self)
        return np.array(list(self.params_.values()))

    def _read(self, summary: Any) -> Purchases:
        check_is_fitted(self)
        return read_purchases(summary)

    def _horizon(self, horizon_days: float) -> float:
        if not (np.isfinite(horizon_days) and horizon_days > 0):
            raise ModelError(f"horizon_days is {horizon_days}; it must be a positive number of days.")
        return days_to_units(horizon_days, self.unit)

    def _forecast(self, rows: Histories, t: float, alive: np.ndarray) -> np.ndarray:
        params = self._params()
        expected = self._expected(params, *rows[:3], t)
        # The last digits of an expectation may pass the bounds that it has by its nature.
        return alive * np.clip(expected, 0.0, self._most(params, *rows[:3], t))

    def _at_least(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, n: np.ndarray) -> np.ndarray:
        """Return P(at least n purchases), averaged over the parameters' normal approximation."""
        return np.mean([self._survival(node, x, t_x, age, t, n) for node in self.parameter_nodes()], axis=0)

    def _quantile(self, rows: Histories, t: float, probability: float) -> np.ndarray:
        """Return the smallest n with P(X ≤ n) ≥ probability; the search begins at that of the fitted parameters."""
        params = self._params()

        def fitted(n: np.ndarray, at: np.ndarray) -> np.ndarray:
            return self._survival(params, rows.x[at], rows.t_x[at], rows.T[at], t, n) <= 1 - probability

        def averaged(n: np.ndarray, at: np.ndarray) -> np.ndarray:
            return self._at_least(rows.x[at], rows.t_x[at], rows.T[at], t, n) <= 1 - probability

        return smallest_count(averaged, smallest_count(fitted, np.zeros(len(rows.x))))


def smallest_count(few_more: Callable[[np.ndarray, np.ndarray], np.ndarray], guess: np.ndarray) -> np.ndarray:
    """Return the smallest whole number n ≥ 0 for each row at which `few_more(n + 1, rows)` holds.

    The condition holds from some n on. From the guess the search strides ever further until it has n between two
    numbers, and then halves.
    """
    fails, holds = np.full(len(guess), -1.0), np.full(len(guess), np.inf)
    probe, stride = guess.copy(), 1.0
    rows = np.arange(len(guess))
    while rows.size:
        enough = few_more(probe[rows] + 1, rows)
        holds[rows[enough]], fails[rows[~enough]] = probe[rows[enough]], probe[rows[~enough]]
        rows = rows[holds[rows] - fails[rows] > 1]
        low, high = fails[rows], holds[rows]
        upwards, downwards = np.isinf(high), low < 0
        middle = np.floor((low + np.where(upwards, low, high)) / 2)
        probe[rows] = np.where(upwards, low + stride, np.where(downwards, np.maximum(high - stride, middle), middle))
        stride *= 2
    return holds


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """Refuse a forecast that is no number, so that none ever reaches a sum."""
    wrong = np.zeros(len(table), dtype=bool)
    for name in table.columns.drop("account"):
        wrong |= ~(np.isfinite(table[name]) & (table[name] >= 0)).to_numpy()
    if wrong.any():
        raise ModelError(
            f"{int(wrong.sum())} of {len(table)} accounts get no finite forecast "
            f"(first: {first_ids(table['account'][wrong])}). Check their histories for counts or times of absurd size."
        )
    return table
