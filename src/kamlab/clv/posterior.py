"""What the data leave open of a model's log parameters, where they are too few for a normal approximation.

The posterior density of the log parameters is their likelihood times a weak normal prior, for some of them one that is
even in how far a gamma distribution spreads [3]_. It is drawn from by adaptive multiple importance sampling [1]_:
rounds of a multivariate t distribution that takes its mean and covariance from the rounds before, all draws weighted by
the density over the mixture of all rounds, the weights truncated [2]_.

References
----------
.. [1] Cornuet, Marin, Mira and Robert (2012), Adaptive multiple importance sampling, Scandinavian Journal of Statistics
   39 (4), 798-812.
.. [2] Ionides (2008), Truncated importance sampling, Journal of Computational and Graphical Statistics 17 (2), 295-311.
.. [3] Gelman (2006), Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1 (3),
   515-534.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.stats import multivariate_t

from kamlab.clv.climb import FINE, Bounds, Objective, climb, one_thread, with_prior

WEAK_PRIOR_SD = 3.0
"""Standard deviation of the log parameters' prior."""

FEW_ACCOUNTS, MOST_ACCOUNTS = 1000, 5000
"""Up to the first number of accounts the posterior is always drawn from; of more than the second one never.

Of few accounts a normal density misses on one side where it seems to fit: that goes with where the maximum lies.
"""

N_DRAWS = 400
AGREEMENT = 0.2
"""By how much the likelihood's fall at the ends of 90 % intervals may differ from that of a normal density."""

_END = 1.6449
_ROUND = 400
_FEWEST_ROUNDS, _MOST_ROUNDS = 2, 6
_ENOUGH = 250.0
_TOO_FEW = 50.0
_HEAVY = 5.0
_LEAST_VARIANCE = 1e-6
_SEED = 0
_NODES = 16


class Density(NamedTuple):
    """Posterior density of log parameters: the mean objective of n accounts, and a weak prior around a centre."""

    objective: Objective
    centre: np.ndarray
    bounds: Bounds
    n_accounts: float

    def log(self, at: np.ndarray) -> float:
        """Return the log density up to a constant; minus infinity outside the bounds."""
        lower, upper = np.asarray(self.bounds, dtype=float).T
        if (at < lower).any() or (at > upper).any():
            return -np.inf
        with np.errstate(all="ignore"):
            value = self.objective(at)[0]
        if not np.isfinite(value):
            return -np.inf
        return -self.n_accounts * value - float(((at - self.centre) ** 2).sum()) / (2 * WEAK_PRIOR_SD**2)

    def even_in_spread(self, shapes: Sequence[int]) -> Density:
        """Return the density with a prior that is even in 1 / √shape of these parameters, not in their logarithms.

        Few accounts often cannot tell the shape of a gamma distribution from infinity, where nothing differs. A prior
        even in its logarithm gives that all the room there is; one even in the coefficient of variation does not [3]_.
        The difference, a factor of shape^(−1/2), moves the centre of a normal prior of the log by half of its variance.
        """
        centre = self.centre.copy()
        centre[list(shapes)] -= WEAK_PRIOR_SD**2 / 2
        return self._replace(centre=centre)

    def top(self, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the density's mode and the covariance of the normal density there, climbing from a point.

        The likelihood's own mode can lie far off, where the prior alone ends a ridge.
        """
        objective = with_prior(self.objective, self.centre, WEAK_PRIOR_SD, self.n_accounts)
        with np.errstate(all="ignore"):
            point = climb(objective, near, self.bounds, FINE, exact=True)
        values, vectors = np.linalg.eigh(self.n_accounts * point.curvature)
        return point.at, (vectors / np.maximum(values, WEAK_PRIOR_SD**-2)) @ vectors.T


def is_normal(density: Density, mode: np.ndarray, covariance: np.ndarray) -> bool:
    """Say whether the likelihood falls as a normal density does, at both ends of each principal axis."""
    values, vectors = np.linalg.eigh(covariance)
    offsets = _END * (vectors * np.sqrt(values)).T
    lower, upper = np.asarray(density.bounds, dtype=float).T
    top = density.objective(mode)[0]
    for at in np.vstack([mode + offsets, mode - offsets]):
        if (at < lower).any() or (at > upper).any():
            return False
        with np.errstate(all="ignore"):
            fall = density.n_accounts * (density.objective(at)[0] - top)
        if not abs(fall / (_END**2 / 2) - 1) <= AGREEMENT:
            return False
    return True


def draw(density: Density, near: np.ndarray) -> np.ndarray | None:
    """Draw from a density whose mode is to be climbed to from a point; the same draws each time.

    Returns
    -------
    numpy.ndarray or None
        Shape (400, parameters), of equal weight; None where the weights rest on too few draws.
    """
    rng = np.random.default_rng(_SEED)
    proposals: list[Any] = []
    at, logs = np.empty((0, len(near))), np.empty(0)
    # A floor keeps a matrix that is next to singular usable.
    floor = _LEAST_VARIANCE * np.eye(len(near))
    centre, covariance = density.top(near)
    shape = covariance + floor
    for done in range(1, _MOST_ROUNDS + 1):
        proposals.append(multivariate_t(centre, shape, df=_HEAVY, seed=rng))
        new = proposals[-1].rvs(_ROUND)
        at, logs = np.vstack([at, new]), np.append(logs, [density.log(one) for one in new])
        if not np.isfinite(logs).any():
            return None
        mixture = np.logaddexp.reduce([proposal.logpdf(at) for proposal in proposals], axis=0)
        weights = _truncated(logs - mixture)
        centre = weights @ at
        shape = np.cov(at.T, aweights=weights, bias=True) + floor
        # A first round misses long tails, and its weights do not show it.
        if done >= _FEWEST_ROUNDS and 1 / (weights**2).sum() >= _ENOUGH:
            break
    if not 1 / (weights**2).sum() >= _TOO_FEW:
        return None
    # Systematic: each draw as often as its weight says, but for less than one.
    places = (np.arange(N_DRAWS) + rng.random()) / N_DRAWS
    return at[np.searchsorted(np.cumsum(weights), places).clip(max=len(at) - 1)]


def spread_out(draws: np.ndarray) -> np.ndarray:
    """Return every 25th draw along the axis on which they differ most, shape (16, parameters)."""
    along = draws @ np.linalg.eigh(np.cov(draws.T))[1][:, -1]
    stride = len(draws) // _NODES
    return draws[np.argsort(along, kind="stable")][stride // 2 :: stride]


def _truncated(log_weights: np.ndarray) -> np.ndarray:
    """Return weights that sum to 1, none above √n times their mean."""
    weights = np.exp(log_weights - log_weights.max())
    weights = np.minimum(weights, np.sqrt(len(weights)) * weights.mean())
    return weights / weights.sum()


class Posterior:
    """Draws of a fitted model's log parameters, made when first asked for and then kept in place of the data.

    Parameters
    ----------
    density : Density
    mode, covariance : numpy.ndarray
        Of the normal approximation.
    shift : numpy.ndarray
        Added to the draws: from scaled units to the data's.
    """

    def __init__(self, density: Density, mode: np.ndarray, covariance: np.ndarray, shift: np.ndarray) -> None:
        self._source: tuple[Density, np.ndarray, np.ndarray] | None = density, mode, covariance
        self._shift = shift
        self._draws: np.ndarray | None = None
        self.is_thin = False

    @classmethod
    def of(cls, draws: np.ndarray) -> Self:
        """Return the posterior whose draws are these."""
        known = cls.__new__(cls)
        known.__setstate__({"draws": draws, "is_thin": False})
        return known

    def draws(self) -> np.ndarray | None:
        """Return draws of equal weight, shape (400, parameters), or None where the normal approximation is to be taken.

        `is_thin` says whether that is for want of draws.
        """
        if self._source is not None:
            density, mode, covariance = self._source
            with one_thread():
                if density.n_accounts <= FEW_ACCOUNTS or not is_normal(density, mode, covariance):
                    drawn = draw(density, mode)
                    self.is_thin = drawn is None
                    self._draws = None if drawn is None else drawn + self._shift
            self._source = None
        return self._draws

    def __getstate__(self) -> dict[str, Any]:
        return {"draws": self.draws(), "is_thin": self.is_thin}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._source = None
        self._draws, self.is_thin = state["draws"], state["is_thin"]
