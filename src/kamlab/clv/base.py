"""What all models share: maximisation over log parameters, and the normal approximation around the maximum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from kamlab.clv import saving
from kamlab.clv.climb import (
    FINE,
    GRADIENT_TOLERANCE,
    LARGEST_LOG_SD,
    ROUGH,
    Bounds,
    Objective,
    Point,
    climb,
    highest,
    inside,
    newton_top,
    sharpened,
    with_prior,
)
from kamlab.clv.posterior import MOST_ACCOUNTS, WEAK_PRIOR_SD, Density, Posterior, spread_out
from kamlab.errors import ModelError
from kamlab.i18n import N_

ENGINES = ("lifetimes", "kamlab")

CERTAIN = 0.025
"""Standard deviation of log parameters up to which they count as known: what is left moves no probability by 0.001."""

NOTE_OWN_OPTIMISER = N_("The lifetimes library found no maximum; kamlab's own optimiser was used.")
NOTE_PENALISED = N_("No maximum was found; a weak prior keeps the parameters in a plausible range.")
NOTE_BOUNDARY = N_("A parameter stands at the border of its range, because the data show no such difference.")
NOTE_FEW = N_("There are too few accounts to fit the model to them alone; a prior fills in what they do not show.")
NOTE_OPEN = N_("The data leave some parameters open; their standard errors are cut to a factor of e.")
NOTE_THIN = N_("The uncertainty of the parameters is a normal approximation; intervals may be too narrow.")


@dataclass(frozen=True)
class Maximum:
    """A maximum of the likelihood over log parameters, in scaled units.

    `density` is the posterior density around it, None where the normal approximation is to be taken as it is.
    """

    log_params: np.ndarray
    value: float
    covariance: np.ndarray
    converged: bool
    notes: tuple[str, ...]
    density: Density | None = None


def maximise(
    objective: Objective,
    *,
    starts: Sequence[Sequence[float] | np.ndarray],
    bounds: Bounds,
    n_accounts: float,
    pilots: Sequence[Objective] = (),
    exact: bool = False,
) -> Maximum:
    """Find the best maximum from several starts, and the normal approximation around it.

    All starts are climbed from; but where the objective is exact, the others only if the maximum found from the last
    one is doubtful. Linear algebra should be kept on `one_thread`.

    Parameters
    ----------
    objective : callable
        See `Objective`.
    starts, bounds
        Of the log parameters; the first start is the centre of the weak prior of last resort, the last one the nearest
        to the maximum that is known.
    n_accounts : float
        Number of accounts, each row counted with its weight.
    pilots : sequence of callable
        Where there are many rows, the objectives of samples of them, the smallest first: starts are compared on that.
    exact : bool
        Whether the objective's third value is its matrix of second derivatives.
    """
    notes: tuple[str, ...] = ()
    points = [np.asarray(start, dtype=float) for start in starts]
    density = Density(objective, points[0], bounds, n_accounts) if n_accounts <= MOST_ACCOUNTS else None
    best = _top(objective, points, bounds, n_accounts, pilots, exact)
    if best.slope >= GRADIENT_TOLERANCE:
        objective = with_prior(objective, points[0], WEAK_PRIOR_SD, n_accounts)
        best = _top(objective, [*points, best.at], bounds, n_accounts, (), exact)
        notes += (NOTE_PENALISED,)
    if not inside(best.at, bounds).all():
        notes += (NOTE_BOUNDARY,)
    covariance, is_open = _covariance(n_accounts * best.curvature)
    notes += (NOTE_OPEN,) if is_open else ()
    return Maximum(best.at, best.value, covariance, best.slope < GRADIENT_TOLERANCE, notes, density)


def limit(objective: Objective, start: np.ndarray, bounds: Bounds, value: float, *, exact: bool = False) -> Point:
    """Find roughly how high the likelihood of a limiting case rises from a start, unless it stays far below a value."""
    return climb(objective, start, bounds, ROUGH, wanted=value, exact=exact)


def _top(
    objective: Objective,
    starts: Sequence[np.ndarray],
    bounds: Bounds,
    n_accounts: float,
    pilots: Sequence[Objective],
    exact: bool,
) -> Point:
    if exact:
        return newton_top(objective, starts, bounds, n_accounts, pilots)
    rough = highest(pilots[0] if pilots else objective, starts, bounds, exact=False)
    return sharpened(objective, climb(objective, rough.at, bounds, FINE), bounds)


def _covariance(information: np.ndarray) -> tuple[np.ndarray, bool]:
    """Invert the observed information, symmetric and positive definite; say whether a direction had to be cut."""
    values, vectors = np.linalg.eigh(information)
    smallest = 1 / LARGEST_LOG_SD**2
    covariance = (vectors / np.maximum(values, smallest)) @ vectors.T
    return (covariance + covariance.T) / 2, bool((values < smallest).any())


@cache
def _labels(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


class FittedModel(BaseEstimator):
    """A model fitted by maximum likelihood, with the uncertainty of its log parameters.

    That is draws of their posterior under a weak prior (`kamlab.clv.posterior`) for up to 1,000 accounts, and for up to
    5,000 where the likelihood does not fall as a normal density does; elsewhere their normal approximation.

    Attributes
    ----------
    params_ : dict of str to float
        The papers' names in the papers' order.
    log_likelihood_ : float
        At `params_`, in the data's units, without penalty.
    standard_errors_ : dict of str to float
        Of `params_`, by the delta method.
    covariance_ : pandas.DataFrame
        Of the log parameters' normal approximation; symmetric and positive definite.
    posterior_ : Posterior or None
        Draws of the log parameters, made when first asked for.
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
    posterior_: Posterior | None = None
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
        bounds: Bounds,
        n_accounts: float,
        pilots: Sequence[Objective] = (),
        exact: bool = False,
    ) -> Maximum:
        """Find the maximum; sharpen the engine's optimum (parameters, not logs), and note where it has none."""
        found = None if self.engine == "kamlab" else ask_engine()
        points = [*starts, np.log(found)] if found is not None else starts
        maximum = maximise(objective, starts=points, bounds=bounds, n_accounts=n_accounts, pilots=pilots, exact=exact)
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
        labels = _labels(tuple(names))
        self.covariance_ = pd.DataFrame(maximum.covariance, index=labels, columns=labels)
        density = maximum.density
        self.posterior_ = density and Posterior(density, maximum.log_params, maximum.covariance, log_scale)
        self.converged_ = maximum.converged
        self.n_accounts_ = n_accounts
        self.notes_ = maximum.notes
        return params

    def parameter_draws(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw parameters; shape (n_draws, parameters)."""
        drawn = self.log_draws()
        if drawn is not None:
            # Without replacement as far as they go, which keeps their tails.
            turns = [rng.permutation(len(drawn)) for _ in range(-(-n_draws // len(drawn)))]
            return self._values(drawn[np.concatenate(turns)[:n_draws]])
        centre, root = self._normal()
        return self._values(centre + rng.standard_normal((n_draws, len(centre))) @ root.T)

    def parameter_nodes(self) -> np.ndarray:
        """Return parameter sets of equal weight that stand for all draws, without random numbers.

        For the normal approximation of k log parameters 2k sets with its mean and covariance: the third-degree
        spherical-radial rule (Arasaratnam and Haykin 2009, "Cubature Kalman filters", eq. (31)); else 16 of the draws.
        Where many accounts leave no log parameter a standard deviation above `CERTAIN`, the estimates alone.
        """
        drawn = self.log_draws()
        if drawn is not None:
            return self._values(spread_out(drawn))
        centre, root = self._normal()
        if np.sqrt(np.diag(self.covariance_)).max() <= CERTAIN:
            return self._values(centre[None])
        offsets = np.sqrt(len(centre)) * root.T
        return self._values(np.vstack([centre + offsets, centre - offsets]))

    def parameter_intervals(self, *, level: float = 0.9) -> pd.DataFrame:
        """Return the columns parameter, lower and upper: the central interval of each parameter."""
        if not 0 < level < 1:
            raise ModelError(f"level is {level}; it must lie between 0 and 1.")
        drawn = self.log_draws()
        if drawn is None:
            reach = ndtri((1 + level) / 2) * np.sqrt(np.diag(self.covariance_))
            ends = self._logs(self._params()) + np.array([-reach, reach])
        else:
            ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        lower, upper = self._values(ends)
        return pd.DataFrame({"parameter": list(self.params_), "lower": lower, "upper": upper})

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a JSON file that `kamlab.clv.load` reads; a file there is replaced in one step."""
        self._params()
        saving.save(self, Path(path))

    def _params(self) -> np.ndarray:
        check_is_fitted(self, msg="This %(name)s is not fitted yet. Call its `fit` first, or load a saved model.")
        return np.array(list(self.params_.values()))

    def log_draws(self) -> np.ndarray | None:
        """Return draws of the log parameters, shape (400, parameters), or None where the normal approximation is taken.

        Where it is taken because the draws rest on too few, `notes_` says so from then on.
        """
        if self.posterior_ is None:
            return None
        drawn = self.posterior_.draws()
        if self.posterior_.is_thin and NOTE_THIN not in self.notes_:
            self.notes_ += (NOTE_THIN,)
        return drawn

    def _normal(self) -> tuple[np.ndarray, np.ndarray]:
        return self._logs(self._params()), np.linalg.cholesky(self.covariance_.to_numpy())

    def _values(self, logs: np.ndarray) -> np.ndarray:
        """Return the parameters of log parameters, along the last axis; effects of covariates stay as they are."""
        plain = logs.shape[-1] - self.n_effects_
        return np.concatenate([np.exp(logs[..., :plain]), logs[..., plain:]], axis=-1)

    def _logs(self, values: np.ndarray) -> np.ndarray:
        plain = values.shape[-1] - self.n_effects_
        return np.concatenate([np.log(values[..., :plain]), values[..., plain:]], axis=-1)
