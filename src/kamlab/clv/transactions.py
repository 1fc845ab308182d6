"""What all models of purchase days share: one fitting loop, and the forecasts of `purchase_forecasts`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from kamlab.clv.base import NOTE_PENALISED, maximise
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS, Purchases, read_purchases
from kamlab.clv.climb import Objective, one_thread
from kamlab.clv.histories import Histories, distinct_rows, rate_by_moments, samples
from kamlab.clv.limits import alike_at_least, near_limit, no_worse_than_limits
from kamlab.clv.purchase_forecasts import PurchaseForecasts
from kamlab.clv.saving import data_hash
from kamlab.errors import ModelError
from kamlab.period import DAYS_PER_UNIT


class Space(NamedTuple):
    """Where a climb goes: names of the parameters, starts, and bounds, both of log parameters with times scaled."""

    names: Sequence[str]
    starts: Sequence[Sequence[float] | np.ndarray]
    bounds: Sequence[tuple[float, float]]


class TransactionModel(PurchaseForecasts):
    """A model of purchase days, fitted to x, t_x and T of each account.

    A model names its parameters and gives its likelihood and the laws of `PurchaseForecasts`; all else is shared. Times
    are scaled to a longest T of 1 for the fit.

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
    pilot_rows: ClassVar[tuple[int, ...]] = (1000, 8000)
    """Rows of the samples over which climbs go where there are many more; starts are compared on the first."""

    def __init__(self, *, unit: str = "week", engine: str = "kamlab", penalizer: float = 0.0) -> None:
        self.unit = unit
        self.engine = engine
        self.penalizer = penalizer

    # What a model supplies for the fit.

    @abstractmethod
    def _log_likelihood(
        self, log_params: Any, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return each history's log-likelihood, shape (n,), and its gradient, shape (parameters, n)."""

    @property
    def _exact(self) -> bool:
        """Whether `_summed_likelihood` holds for the parameters in force."""
        return True

    @abstractmethod
    def _summed_likelihood(self, rows: Histories) -> Objective:
        """Return the rows' mean log-likelihood by weight, as a function as `Objective` describes it but not negated.

        Its last value is the matrix of second derivatives itself.
        """

    def _there(self, rows: Histories) -> np.ndarray:
        """Return the time that each account has certainly not left in."""
        return rows.t_x

    def _ask_engine(self, rows: Histories) -> np.ndarray | None:
        """Return another engine's optimum (parameters), or None where it finds none or does not know the model."""
        return None

    def _remarks(self, rows: Histories) -> tuple[str, ...]:
        """Return what a reader of the forecasts has to know of the model fitted to these histories."""
        return ()

    # Fitting

    def _start_by_moments(self, rows: Histories) -> tuple[float, ...]:
        """Return a start at the rates that the counts show; while an account stays it buys about twice as often."""
        log_r, log_alpha = rate_by_moments(rows)
        return (log_r, log_alpha - np.log(2), *self.starts[0][2:])

    def fit(self, summary: Any, y: None = None) -> Self:
        """Fit to a summary with columns account, frequency, recency and T (in `unit`), and optionally weight.

        Raises
        ------
        ModelError
            If histories are impossible, or fewer than 30 accounts or 10 repeat buyers are there.
        """
        self._check_options()
        with one_thread():
            self._fit_histories(self._learn(summary))
        return self

    def _learn(self, summary: Any) -> Purchases:
        """Read what the model is to be fitted to."""
        return read_purchases(summary, min_accounts=MIN_ACCOUNTS, min_repeat_buyers=MIN_REPEAT_BUYERS)

    def _check_options(self) -> None:
        super()._check_options()
        if self.unit not in DAYS_PER_UNIT:
            raise ModelError(f'unit is "{self.unit}"; it must be one of {", ".join(DAYS_PER_UNIT)}.')

    def _fit_histories(self, data: Purchases) -> None:
        self._fit_from(data, None)

    def _fit_from(self, data: Purchases, simpler: np.ndarray | None) -> None:
        """Find the maximum and keep it; where no engine knows the model, from the parameters of a `simpler` one."""
        rows = distinct_rows(data)
        scale = 1 / rows.T.max()
        scaled = rows._replace(t_x=rows.t_x * scale, T=rows.T * scale)
        total = float(rows.weight.sum())
        exact = self._exact and not self.n_effects_
        objective = self._objective(scaled)
        pilots = [self._objective(some) for some in samples(scaled, self.pilot_rows if exact else self.pilot_rows[:1])]
        names, starts, bounds = self._space(scaled)
        log_scale = np.array([-np.log(scale) if name in self.times else 0.0 for name in names])
        if simpler is None:
            maximum = self._maximise(
                objective, lambda: self._ask_engine(scaled), starts, bounds, total, pilots=pilots, exact=exact
            )
        else:
            # A climb from the simpler model's maximum alone cannot end below it.
            start = self._logs(simpler) - log_scale
            maximum = maximise(objective, starts=[start], bounds=bounds, n_accounts=total)
        if not self._is_penalised():
            maximum = no_worse_than_limits(
                maximum,
                objective,
                names,
                bounds,
                self.limits,
                total,
                near=partial(near_limit, starts[-1]),
                at_least=partial(alike_at_least, scaled, self._there(scaled)) if exact else None,
                pilot=pilots[1] if len(pilots) > 1 else None,
                exact=exact,
            )
        params = self._keep(names, maximum, log_scale, len(data.x))
        if exact and not self.penalizer and NOTE_PENALISED not in maximum.notes:
            # In the data's units the density of a repeat purchase's time is larger by the scale.
            self.log_likelihood_ = float(rows.weight @ rows.x) * np.log(scale) - total * maximum.value
        else:
            self.log_likelihood_ = float(rows.weight @ self._row_likelihood(self._logs(params), rows)[0])
        self.notes_ += self._remarks(rows)
        self.data_hash_ = data_hash(*rows)

    def _is_penalised(self) -> bool:
        return self.penalizer > 0

    def _space(self, rows: Histories) -> Space:
        """Return the parameters' names, the climbs' starts and the bounds (of log parameters, times scaled)."""
        return Space(self.parameters, [*self.starts, self._start_by_moments(rows)], self.bounds)

    def _row_likelihood(self, log_params: np.ndarray, rows: Histories) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's log-likelihood, shape (n,), and its gradient, shape (parameters, n)."""
        return self._log_likelihood(log_params, *rows[:3])

    def _penalty(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the penalty, its gradient and the diagonal that stands in for its second derivatives."""
        penalty = self.penalizer * np.exp(2 * log_params)
        return float(penalty.sum()), 2 * penalty, 4 * penalty

    def _objective(self, rows: Histories) -> Objective:
        if self._exact and not self.n_effects_:
            return self._exact_objective(rows)
        share = rows.weight / rows.weight.sum()

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient = self._row_likelihood(log_params, rows)
            penalty, slope, curvature = self._penalty(log_params)
            weighted = gradient * share
            outer = weighted @ gradient.T + np.diag(curvature)
            return penalty - share @ value, slope - weighted.sum(axis=1), outer

        return objective

    def _exact_objective(self, rows: Histories) -> Objective:
        likelihood = self._summed_likelihood(rows)

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient, second = likelihood(log_params)
            if not self.penalizer:
                return -value, -gradient, -second
            penalty, slope, curvature = self._penalty(log_params)
            return penalty - value, slope - gradient, np.diag(curvature) - second

        return objective
