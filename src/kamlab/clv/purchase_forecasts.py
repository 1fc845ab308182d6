"""What models of purchase days say of each account, of the laws that a model supplies: one prediction table."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd

from kamlab.clv.base import FittedModel
from kamlab.clv.checks import Purchases, finite_forecast, read_purchases
from kamlab.clv.histories import Histories, distinct, smallest_count
from kamlab.clv.merging import merge
from kamlab.errors import ModelError
from kamlab.period import DAYS_PER_YEAR, days_to_units


class PurchaseForecasts(FittedModel):
    """A fitted model of purchase days and its forecasts."""

    unit: str
    n_columns_: int = 0
    """Columns of the design matrix of covariates."""

    # What a model supplies. Histories are arrays that broadcast with each other and with the rows of `params`.

    @property
    def _quick(self) -> bool:
        """Whether point forecasts cost less than to merge equal histories by hash."""
        return False

    @abstractmethod
    def _alive(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Return P(alive at T | history)."""

    def _alive_of_draws(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Return P(alive) of accounts, a column, for each of many parameter draws, shape (accounts, draws)."""
        return self._alive(params, x, t_x, age)

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

    def _at(self, params: np.ndarray, z: np.ndarray) -> Any:
        """Return the parameters in force for rows with covariates z: each a number or shape (n, …)."""
        return params

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
            posterior mixture, averaged over the parameters' uncertainty. After a long silence the expectation
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
        whole: tuple[Histories, Any] = Histories(data.x, data.t_x, data.T, data.weight, data.z), slice(None)
        rows, place = whole if self._quick and not probabilities and data.merged is None else distinct(data)
        alive = self._alive(self._at(self._params(), rows.z), *rows[:3])
        columns = {"p_alive": alive, "expected_purchases": self._forecast(rows, t, alive)}
        for name, probability in zip(("lower", "upper"), probabilities, strict=False):
            columns[name] = self._quantile(rows, t, probability)
        table = pd.DataFrame({name: column[place] for name, column in columns.items()}, copy=False)
        table.insert(0, "account", data.account)
        return finite_forecast(table)

    def expected_purchases(self, summary: Any, horizon_days: Any) -> np.ndarray:
        """Return E[X | history] over the horizon, or over each of an array of them; shape (accounts[, horizons])."""
        rows, place = distinct(self._read(summary))
        alive = self._alive(self._at(self._params(), rows.z), *rows[:3])
        if np.ndim(horizon_days) == 0:
            return self._forecast(rows, self._horizon(horizon_days), alive)[place]
        expected = [self._forecast(rows, self._horizon(days), alive) for days in horizon_days]
        return np.stack(expected, axis=1)[place]

    def expected_purchases_new(self, horizon_days: Any) -> np.ndarray:
        """Return the repeat purchases expected of a new customer within `horizon_days` (a number or an array)."""
        zero = np.zeros(1)
        params = self._at(self._params(), np.zeros((1, self.n_columns_)))
        days = np.asarray(horizon_days, dtype=float)
        t = np.atleast_1d(days) * days_to_units(1, self.unit)
        expected = self._alive(params, zero, zero, zero) * self._expected(params, zero, zero, zero, t)
        return expected.reshape(days.shape)

    def probability_at_most(self, summary: Any, purchases: Any, horizon_days: float) -> np.ndarray:
        """Return P(X ≤ purchases | history) over the horizon, parameter uncertainty included; shape (accounts,)."""
        data = self._read(summary)
        t = self._horizon(horizon_days)
        each = np.broadcast_to(np.asarray(purchases, dtype=float), data.x.shape)
        # Accounts alike in history and number share the answer.
        (n, x, t_x, age, *z), weight, place = merge((each, data.x, data.t_x, data.T, *data.z.T), data.weight)
        rows = Histories(x, t_x, age, weight, np.column_stack([np.empty((len(x), 0)), *z]))
        return np.where(n < 0, 0.0, 1 - self._at_least(rows, t, np.maximum(n, 0) + 1))[place]

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
        own = self._at(params.T, data.z)
        alive = rng.random((len(data.x), len(params))) < self._alive_of_draws(own, *history)
        return np.where(alive, self._sample(own, *history, t, rng), 0.0)

    def _read(self, summary: Any) -> Purchases:
        """Read what the model is to be applied to."""
        self._params()
        return read_purchases(summary)

    def _horizon(self, horizon_days: float) -> float:
        if not (np.isfinite(horizon_days) and horizon_days > 0):
            raise ModelError(f"horizon_days is {horizon_days}; it must be a positive number of days.")
        return days_to_units(horizon_days, self.unit)

    def _forecast(self, rows: Histories, t: float, alive: np.ndarray) -> np.ndarray:
        params = self._at(self._params(), rows.z)
        expected = self._expected(params, *rows[:3], t)
        # The last digits of an expectation may pass the bounds that it has by its nature.
        return alive * np.clip(expected, 0.0, self._most(params, *rows[:3], t))

    def _at_least(self, rows: Histories, t: float, n: np.ndarray) -> np.ndarray:
        """Return P(at least n purchases), averaged over the parameters' uncertainty."""
        nodes = self.parameter_nodes()
        return np.mean([self._survival(self._at(node, rows.z), *rows[:3], t, n) for node in nodes], axis=0)

    def _quantile(self, rows: Histories, t: float, probability: float) -> np.ndarray:
        """Return the smallest n with P(X ≤ n) ≥ probability; the search begins at that of the fitted parameters."""
        params = self._params()

        def fitted(n: np.ndarray, at: np.ndarray) -> np.ndarray:
            some = Histories(*(column[at] for column in rows))
            return self._survival(self._at(params, some.z), *some[:3], t, n) <= 1 - probability

        def averaged(n: np.ndarray, at: np.ndarray) -> np.ndarray:
            return self._at_least(Histories(*(column[at] for column in rows)), t, n) <= 1 - probability

        return smallest_count(averaged, smallest_count(fitted, np.zeros(len(rows.x))))
