"""What all models share: maximisation over log parameters, and the normal approximation around the maximum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import ThreadpoolController

from kamlab.clv import saving
from kamlab.errors import ModelError
from kamlab.i18n import N_

ENGINES = ("lifetimes", "kamlab")

GRADIENT_TOLERANCE = 1e-5
"""Largest slope of the mean log-likelihood per log parameter at what is called a maximum."""

ROUGH, FINE, SHARP = 1e-3, 1e-4, 1e-9
"""Slopes at which a climb ends: where starts are compared, where Newton's steps follow, and where these end."""

MOST_STEPS = 40
LONGEST_STEP = 2.0
"""Of a log parameter at a time."""

LARGEST_LOG_SD = 1.0
"""Along directions that the data leave open the normal approximation is cut to this standard deviation."""

WEAK_PRIOR_SD = 3.0
"""Standard deviation of the log parameters' prior in the fit of last resort."""

NOTE_OWN_OPTIMISER = N_("The lifetimes library found no maximum; kamlab's own optimiser was used.")
NOTE_PENALISED = N_("No maximum was found; a weak prior keeps the parameters in a plausible range.")
NOTE_BOUNDARY = N_("A parameter stands at the border of its range, because the data show no such difference.")
NOTE_OPEN = N_("The data leave some parameters open; their standard errors are cut to a factor of e.")

Objective = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]
"""Log parameters → mean negative log-likelihood per account (plus penalty), its gradient, and the mean outer product of
the accounts' own gradients (plus the penalty's curvature), which stands in for the matrix of second derivatives."""


@dataclass(frozen=True)
class Maximum:
    """A maximum of the likelihood over log parameters, in scaled units."""

    log_params: np.ndarray
    value: float
    covariance: np.ndarray
    converged: bool
    notes: tuple[str, ...]


class _Point(NamedTuple):
    """Log parameters, the objective there, and the largest slope that the bounds do not hold back."""

    at: np.ndarray
    value: float
    slope: float


def maximise(
    objective: Objective,
    *,
    starts: Sequence[Sequence[float] | np.ndarray],
    bounds: Sequence[tuple[float, float]],
    n_accounts: float,
    pilot: Objective | None = None,
) -> Maximum:
    """Find the best maximum from several starts, and the normal approximation around it.

    Parameters
    ----------
    objective : callable
        See `Objective`.
    starts, bounds
        Of the log parameters; the first start is the centre of the weak prior of last resort.
    n_accounts : float
        Number of accounts, each row counted with its weight.
    pilot : callable, optional
        The objective of a sample of the rows, on which starts are compared where there are many.
    """
    notes: tuple[str, ...] = ()
    points = [np.asarray(start, dtype=float) for start in starts]
    with _one_thread():
        best, second = _sharpened(objective, _best(objective, points, bounds, pilot), bounds)
        if best.slope >= GRADIENT_TOLERANCE:
            objective = _with_weak_prior(objective, points[0], n_accounts)
            best, second = _sharpened(objective, _best(objective, [best.at, *points], bounds), bounds)
            notes += (NOTE_PENALISED,)
        if not _inside(best.at, bounds).all():
            notes += (NOTE_BOUNDARY,)
        covariance, is_open = _covariance(n_accounts * second)
    notes += (NOTE_OPEN,) if is_open else ()
    return Maximum(best.at, best.value, covariance, best.slope < GRADIENT_TOLERANCE, notes)


def limit(objective: Objective, start: np.ndarray, bounds: Sequence[tuple[float, float]], value: float) -> _Point:
    """Find roughly how high the likelihood of a limiting case rises from a start, unless it stays far below a value."""
    with _one_thread():
        return _climb(objective, start, bounds, ROUGH, value)


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def _one_thread() -> AbstractContextManager[None]:
    # Looking for the libraries anew would take longer than a small fit.
    return _threads().limit(limits=1)


def _best(
    objective: Objective,
    starts: Sequence[np.ndarray],
    bounds: Sequence[tuple[float, float]],
    pilot: Objective | None = None,
) -> _Point:
    """Climb roughly from each start, on the pilot if there is one, and to the top from the highest point reached."""
    reached = [_climb(pilot or objective, start, bounds, ROUGH) for start in starts]
    finite = [point for point in reached if np.isfinite(point.value)]
    if not finite:
        raise ModelError(
            "The likelihood is not finite anywhere near plausible parameters. "
            "Check the summary for counts or times of absurd size."
        )
    return _climb(objective, min(finite, key=lambda point: point.value).at, bounds, FINE)


def _climb(
    objective: Objective,
    start: np.ndarray,
    bounds: Sequence[tuple[float, float]],
    tolerance: float,
    wanted: float = np.inf,
) -> _Point:
    """Climb by damped scoring (Berndt, Hall, Hall and Hausman 1974), and by L-BFGS-B where that gets stuck.

    The climb ends where the slope is under the tolerance, or where `wanted` is ten times as far off as the slope and
    the curvature promise.
    """
    lower, upper = np.asarray(bounds, dtype=float).T
    at = np.clip(start, lower, upper)
    value, gradient, outer = objective(at)
    damping = 1e-3
    for _ in range(MOST_STEPS):
        free = ~(((at <= lower) & (gradient > 0)) | ((at >= upper) & (gradient < 0)))
        slope = float(np.abs(gradient[free]).max(initial=0.0))
        if slope < tolerance or not np.isfinite(value):
            return _Point(at, value, slope)
        curvature = outer[np.ix_(free, free)] + np.diag(damping * np.diag(outer)[free] + 1e-12)
        step = np.zeros_like(at)
        step[free] = -np.linalg.solve(curvature, gradient[free])
        if value + 5 * gradient @ step > wanted:
            return _Point(at, value, slope)
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())
        trial = np.clip(at + step, lower, upper)
        there = objective(trial)
        if there[0] < value:
            (value, gradient, outer), at = there, trial
            damping = max(damping / 10, 1e-9)
        else:
            damping *= 10
            if damping > 1e6:
                break
    options = {"maxiter": 2000, "maxfun": 5000, "ftol": 1e-15, "gtol": tolerance / 10, "maxcor": 20}
    found = minimize(lambda p: objective(p)[:2], at, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    gradient = np.asarray(found.jac)
    held = ((found.x <= lower) & (gradient > 0)) | ((found.x >= upper) & (gradient < 0))
    return _Point(found.x, float(found.fun), float(np.abs(np.where(held, 0.0, gradient)).max()))


def _inside(at: np.ndarray, bounds: Sequence[tuple[float, float]]) -> np.ndarray:
    lower, upper = np.asarray(bounds, dtype=float).T
    return (at > lower + 1e-6) & (at < upper - 1e-6)


def _sharpened(objective: Objective, point: _Point, bounds: Sequence[tuple[float, float]]) -> tuple[_Point, np.ndarray]:
    """Take Newton's steps to the maximum near a point; return it with the second derivatives there."""
    second = _second_derivatives(objective, point.at)
    free = _inside(point.at, bounds)
    curvature = second[np.ix_(free, free)]
    if free.any() and np.linalg.eigvalsh(curvature)[0] > 1e-8:
        start = point.at
        gradient = objective(start)[1]
        for _ in range(4):
            at = point.at.copy()
            at[free] -= np.linalg.solve(curvature, gradient[free])
            value, gradient, _ = objective(at)
            slope = float(np.abs(gradient[free]).max())
            if not (
                slope < point.slope and _inside(at[free], [b for b, f in zip(bounds, free, strict=True) if f]).all()
            ):
                break
            point = _Point(at, value, slope)
            if slope < SHARP:
                break
        if np.abs(point.at - start).max() > 1e-4:
            second = _second_derivatives(objective, point.at)
    if point.slope >= GRADIENT_TOLERANCE:
        point = _climb(objective, point.at, bounds, GRADIENT_TOLERANCE / 10)
        second = _second_derivatives(objective, point.at)
    return point, second


def _with_weak_prior(objective: Objective, centre: np.ndarray, n_accounts: float) -> Objective:
    precision = 1 / (WEAK_PRIOR_SD**2 * n_accounts)

    def penalised(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, outer = objective(log_params)
        off = log_params - centre
        ridge = precision * np.eye(len(centre))
        return value + 0.5 * precision * float(off @ off), gradient + precision * off, outer + ridge

    return penalised


def _second_derivatives(objective: Objective, at: np.ndarray) -> np.ndarray:
    """Return the objective's matrix of second derivatives by central differences of its gradient."""
    step = 1e-5
    rows = [(objective(at + step * unit)[1] - objective(at - step * unit)[1]) / (2 * step) for unit in np.eye(len(at))]
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _covariance(information: np.ndarray) -> tuple[np.ndarray, bool]:
    """Invert the observed information, symmetric and positive definite; say whether a direction had to be cut."""
    values, vectors = np.linalg.eigh(information)
    smallest = 1 / LARGEST_LOG_SD**2
    covariance = (vectors / np.maximum(values, smallest)) @ vectors.T
    return (covariance + covariance.T) / 2, bool((values < smallest).any())


class FittedModel(BaseEstimator):
    """A model fitted by maximum likelihood, with the normal approximation of its log parameters.

    Attributes
    ----------
    params_ : dict of str to float
        The papers' names in the papers' order.
    log_likelihood_ : float
        At `params_`, in the data's units, without penalty.
    standard_errors_ : dict of str to float
        Of `params_`, by the delta method.
    covariance_ : pandas.DataFrame
        Of the log parameters; symmetric and positive definite.
    converged_ : bool
    n_accounts_ : int
        Rows that entered the fit.
    notes_ : tuple of str
        Fallbacks and warnings.
    data_hash_ : str
        SHA-256 of the data that entered the likelihood.
    """

    params_: dict[str, float]
    log_likelihood_: float
    standard_errors_: dict[str, float]
    covariance_: pd.DataFrame
    converged_: bool
    n_accounts_: int
    notes_: tuple[str, ...]
    data_hash_: str
    n_effects_: int = 0
    """How many parameters, the last ones, are effects of covariates: real numbers that need no logarithm."""

    engine: str = "kamlab"
    penalizer: float
    engines: ClassVar[tuple[str, ...]] = ENGINES
    """What can find this model's optimum."""

    def _check_options(self) -> None:
        engine, penalizer = self.engine, self.penalizer
        if engine not in self.engines:
            raise ModelError(f'engine is "{engine}"; it must be one of {", ".join(self.engines)}.')
        if not (np.isfinite(penalizer) and penalizer >= 0):
            raise ModelError(f"penalizer is {penalizer}; it must be a finite number of at least 0.")

    def _maximise(
        self,
        objective: Objective,
        ask_engine: Callable[[], np.ndarray | None],
        starts: Sequence[Sequence[float] | np.ndarray],
        bounds: Sequence[tuple[float, float]],
        n_accounts: float,
        pilot: Objective | None = None,
    ) -> Maximum:
        """Find the maximum; sharpen the engine's optimum (parameters, not logs), and note where it has none."""
        found = None if self.engine == "kamlab" else ask_engine()
        points = [*starts, np.log(found)] if found is not None else starts
        maximum = maximise(objective, starts=points, bounds=bounds, n_accounts=n_accounts, pilot=pilot)
        if self.engine != "kamlab" and found is None:
            maximum = replace(maximum, notes=(NOTE_OWN_OPTIMISER, *maximum.notes))
        return maximum

    def _keep(self, names: Sequence[str], maximum: Maximum, log_scale: np.ndarray, n_accounts: int) -> np.ndarray:
        """Store a maximum in the data's units; `log_scale` is added to its log parameters."""
        params = self._values(maximum.log_params + log_scale)
        errors = np.sqrt(np.diag(maximum.covariance))
        plain = len(params) - self.n_effects_
        errors[:plain] *= params[:plain]
        self.params_ = dict(zip(names, params.tolist(), strict=True))
        self.standard_errors_ = dict(zip(names, errors.tolist(), strict=True))
        self.covariance_ = pd.DataFrame(maximum.covariance, index=list(names), columns=list(names))
        self.converged_ = maximum.converged
        self.n_accounts_ = n_accounts
        self.notes_ = maximum.notes
        return params

    def parameter_draws(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw parameters from the normal approximation of their logs; shape (n_draws, parameters)."""
        centre, root = self._normal()
        return self._values(centre + rng.standard_normal((n_draws, len(centre))) @ root.T)

    def parameter_nodes(self) -> np.ndarray:
        """Return 2k parameter sets of equal weight with the mean and covariance of the normal approximation.

        The third-degree spherical-radial rule (Arasaratnam and Haykin 2009, "Cubature Kalman filters", eq. (31)) over
        the log parameters: parameter uncertainty without random numbers. Shape (2k, k).
        """
        centre, root = self._normal()
        offsets = np.sqrt(len(centre)) * root.T
        return self._values(np.vstack([centre + offsets, centre - offsets]))

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a JSON file that `kamlab.clv.load` reads; a file there is replaced in one step."""
        self._params()
        saving.save(self, Path(path))

    def _params(self) -> np.ndarray:
        check_is_fitted(self, msg="This %(name)s is not fitted yet. Call its `fit` first, or load a saved model.")
        return np.array(list(self.params_.values()))

    def _normal(self) -> tuple[np.ndarray, np.ndarray]:
        return self._logs(self._params()), np.linalg.cholesky(self.covariance_.to_numpy())

    def _values(self, logs: np.ndarray) -> np.ndarray:
        """Return the parameters of log parameters, along the last axis; effects of covariates stay as they are."""
        plain = logs.shape[-1] - self.n_effects_
        return np.concatenate([np.exp(logs[..., :plain]), logs[..., plain:]], axis=-1)

    def _logs(self, values: np.ndarray) -> np.ndarray:
        plain = values.shape[-1] - self.n_effects_
        return np.concatenate([np.log(values[..., :plain]), values[..., plain:]], axis=-1)
