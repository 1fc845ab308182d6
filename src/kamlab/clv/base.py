"""What all models share: maximisation over log parameters, and the normal approximation around the maximum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from kamlab.errors import ModelError
from kamlab.i18n import N_

ENGINES = ("lifetimes", "kamlab")

GRADIENT_TOLERANCE = 1e-5
"""Largest slope of the mean log-likelihood per log parameter at what is called a maximum."""

LARGEST_LOG_SD = 1.0
"""Along directions that the data leave open the normal approximation is cut to this standard deviation."""

WEAK_PRIOR_SD = 3.0
"""Standard deviation of the log parameters' prior in the fit of last resort."""

NOTE_OWN_OPTIMISER = N_("The lifetimes library found no maximum; kamlab's own optimiser was used.")
NOTE_PENALISED = N_("No maximum was found; a weak prior keeps the parameters in a plausible range.")
NOTE_BOUNDARY = N_("A parameter stands at the border of its range, because the data show no such difference.")
NOTE_OPEN = N_("The data leave some parameters open; their standard errors are cut to a factor of e.")

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Maximum:
    """A maximum of the likelihood over log parameters, in scaled units."""

    log_params: np.ndarray
    covariance: np.ndarray
    converged: bool
    notes: tuple[str, ...]


def maximise(
    objective: Objective,
    *,
    starts: Sequence[Sequence[float] | np.ndarray],
    bounds: Sequence[tuple[float, float]],
    n_accounts: float,
) -> Maximum:
    """Find the best maximum from several starts, and the normal approximation around it.

    Parameters
    ----------
    objective : callable
        Log parameters → mean negative log-likelihood per account (plus penalty) and its gradient.
    starts, bounds
        Of the log parameters; the first start is the centre of the weak prior of last resort.
    n_accounts : float
        Number of accounts, each row counted with its weight.
    """
    notes: tuple[str, ...] = ()
    points = [np.asarray(start, dtype=float) for start in starts]
    with threadpool_limits(1):
        best, slope = _best(objective, points, bounds)
        converged = slope < GRADIENT_TOLERANCE
        if not converged:
            objective = _with_weak_prior(objective, points[0], n_accounts)
            best, slope = _best(objective, [best, *points], bounds)
            notes += (NOTE_PENALISED,)
            converged = slope < GRADIENT_TOLERANCE
        lower, upper = np.asarray(bounds, dtype=float).T
        if ((best <= lower + 1e-6) | (best >= upper - 1e-6)).any():
            notes += (NOTE_BOUNDARY,)
        covariance, is_open = _covariance(objective, best, n_accounts)
    return Maximum(best, covariance, converged, notes + ((NOTE_OPEN,) if is_open else ()))


def _best(
    objective: Objective, starts: Sequence[np.ndarray], bounds: Sequence[tuple[float, float]]
) -> tuple[np.ndarray, float]:
    """Return the best of the local maxima and the largest slope there that the bounds do not hold back."""
    lower, upper = np.asarray(bounds, dtype=float).T
    options = {"maxiter": 2000, "maxfun": 5000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 20}
    results = [
        minimize(objective, np.clip(s, lower, upper), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        for s in starts
    ]
    best = min((r for r in results if np.isfinite(r.fun)), key=lambda r: r.fun, default=None)
    if best is None:
        raise ModelError(
            "The likelihood is not finite anywhere near plausible parameters. "
            "Check the summary for counts or times of absurd size."
        )
    slope = np.asarray(best.jac)
    held = ((best.x <= lower) & (slope > 0)) | ((best.x >= upper) & (slope < 0))
    return best.x, float(np.abs(np.where(held, 0.0, slope)).max())


def _with_weak_prior(objective: Objective, centre: np.ndarray, n_accounts: float) -> Objective:
    precision = 1 / (WEAK_PRIOR_SD**2 * n_accounts)

    def penalised(log_params: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(log_params)
        off = log_params - centre
        return value + 0.5 * precision * float(off @ off), gradient + precision * off

    return penalised


def _covariance(objective: Objective, at: np.ndarray, n_accounts: float) -> tuple[np.ndarray, bool]:
    """Invert the observed information, symmetric and positive definite; say whether a direction had to be cut."""
    step = 1e-5
    rows = [(objective(at + step * unit)[1] - objective(at - step * unit)[1]) / (2 * step) for unit in np.eye(len(at))]
    information = n_accounts * np.asarray(rows)
    values, vectors = np.linalg.eigh((information + information.T) / 2)
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
    """

    params_: dict[str, float]
    log_likelihood_: float
    standard_errors_: dict[str, float]
    covariance_: pd.DataFrame
    converged_: bool
    n_accounts_: int
    notes_: tuple[str, ...]

    engine: str
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
    ) -> Maximum:
        """Find the maximum; sharpen the engine's optimum (parameters, not logs), and note where it has none."""
        if self.engine == "kamlab":
            return maximise(objective, starts=starts, bounds=bounds, n_accounts=n_accounts)
        found = ask_engine()
        if found is not None:
            return maximise(objective, starts=[*starts, np.log(found)], bounds=bounds, n_accounts=n_accounts)
        maximum = maximise(objective, starts=starts, bounds=bounds, n_accounts=n_accounts)
        return replace(maximum, notes=(NOTE_OWN_OPTIMISER, *maximum.notes))

    def _keep(self, names: Sequence[str], maximum: Maximum, log_scale: np.ndarray, n_accounts: int) -> np.ndarray:
        """Store a maximum in the data's units; `log_scale` is added to its log parameters."""
        params = np.exp(maximum.log_params + log_scale)
        errors = params * np.sqrt(np.diag(maximum.covariance))
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
        return np.exp(centre + rng.standard_normal((n_draws, len(centre))) @ root.T)

    def parameter_nodes(self) -> np.ndarray:
        """Return 2k parameter sets of equal weight with the mean and covariance of the normal approximation.

        The third-degree spherical-radial rule (Arasaratnam and Haykin 2009, "Cubature Kalman filters", eq. (31)) over
        the log parameters: parameter uncertainty without random numbers. Shape (2k, k).
        """
        centre, root = self._normal()
        offsets = np.sqrt(len(centre)) * root.T
        return np.exp(np.vstack([centre + offsets, centre - offsets]))

    def _normal(self) -> tuple[np.ndarray, np.ndarray]:
        return np.log(list(self.params_.values())), np.linalg.cholesky(self.covariance_.to_numpy())
