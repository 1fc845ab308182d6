"""Pareto/NBD: purchases by a gamma-Poisson process, and lifetimes that are exponential with a gamma-distributed rate.

References
----------
.. [1] Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do next?,
   Management Science 33 (1), 1-24.
.. [2] Fader and Hardie (2005), A note on deriving the Pareto/NBD model and related expressions,
   brucehardie.com/notes/009.
.. [3] Fader and Hardie (2007), Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models,
   brucehardie.com/notes/019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import betaln, digamma, expit, gammaln

from kamlab.clv.climb import Objective
from kamlab.clv.covariates import CovariateModel
from kamlab.clv.histories import Histories
from kamlab.clv.nearby import are_close, at_draws
from kamlab.clv.pareto_summed import NEGLIGIBLE, NODES, WEIGHTS, SummedLikelihood

_COUNT_NODES, _COUNT_WEIGHTS = leggauss(48)
_CHUNK = 2048
"""Histories integrated at a time: their nodes fit into the processor's cache."""
_SURE = 700.0
"""Larger log odds act as these: who has just bought is alive for certain."""


def log_likelihood(
    log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each account's log-likelihood, shape (n,), and its gradient by the log parameters, shape (4, n).

    Eq. (18) of [2]_ before its integral is expressed by hypergeometric functions: staying has (alpha + T)^-(r + x)
    (beta + T)^-s, and leaving at some time between t_x and T the integral that `_left` takes. alpha and beta may be
    arrays of shape (n,).
    """
    parts = []
    params = [np.exp(log_param) for log_param in log_params]
    for start in range(0, len(x), _CHUNK):
        rows = slice(start, start + _CHUNK)
        own = [param[rows] if np.ndim(param) else param for param in params]
        parts.append(_log_likelihood(own, x[rows], t_x[rows], age[rows]))
    return np.concatenate([value for value, _ in parts]), np.concatenate([slope for _, slope in parts], axis=1)


def _log_likelihood(
    params: Sequence[Any], x: np.ndarray, t_x: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r, alpha, s, beta = params
    shape = r + x
    log_alpha, log_beta = np.log(alpha + age), np.log(beta + age)
    log_left, weights, (at_alpha, at_beta), (inverse_alpha, inverse_beta) = _left(r, alpha, s, beta, x, t_x, age)
    stay = -shape * log_alpha - s * log_beta
    either = np.logaddexp(stay, log_left)
    p_stay, p_left = np.exp(stay - either), np.exp(log_left - either)
    value = gammaln(shape) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + either

    def mean(at: np.ndarray) -> np.ndarray:
        return np.einsum("ij,ij->j", weights, at)

    d_r = digamma(shape) - digamma(r) + np.log(alpha) - p_stay * log_alpha - p_left * mean(at_alpha)
    d_alpha = r / alpha - shape * (p_stay / (alpha + age) + p_left * mean(inverse_alpha))
    d_s = np.log(beta) - p_stay * log_beta + p_left * (1 / s - mean(at_beta))
    d_beta = s / beta - p_stay * s / (beta + age) - p_left * (s + 1) * mean(inverse_beta)
    return value, np.stack([r * d_r, alpha * d_alpha, s * d_s, beta * d_beta])


def _left(
    r: Any, alpha: Any, s: Any, beta: Any, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Integrate s · (alpha + t)^-(r + x) · (beta + t)^-(s + 1) over the time t of leaving, from t_x to T, in logs.

    By Gauss-Legendre in y = ln((c + t) / (c + t_x)), c the smaller of alpha and beta, where the integrand is smooth;
    up to where it has become negligible, because the nodes would miss the peak of busy accounts.

    Returns
    -------
    tuple
        Log of the integral, shape (n,); the nodes' shares of it, shape (24, n); ln(alpha + t) and ln(beta + t) at the
        nodes; 1 / (alpha + t) and 1 / (beta + t) at the nodes.
    """
    c = np.minimum(alpha, beta) + t_x
    shape, last = r + x, s + 1
    whole = np.log1p((age - t_x) / c)
    decay = shape * c / (alpha + t_x) + last * c / (beta + t_x) - 1
    reach = np.minimum(whole, NEGLIGIBLE / np.maximum(decay, 1e-9))
    y = np.multiply.outer((1 + NODES) / 2, reach)
    since = np.expm1(y) * c
    to_alpha, to_beta = since + (alpha + t_x), since + (beta + t_x)
    log_alpha, log_beta = np.log(to_alpha), np.log(to_beta)
    log_f = y - shape * log_alpha - last * log_beta
    top = log_f.max(axis=0)
    weights = np.exp(log_f - top) * WEIGHTS.reshape(-1, *[1] * reach.ndim)
    total = weights.sum(axis=0)
    with np.errstate(divide="ignore"):
        log_integral = top + np.log(total) + np.log(reach / 2 * c * s)
    return log_integral, weights / total, (log_alpha, log_beta), (1 / to_alpha, 1 / to_beta)


def probability_alive(params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Return P(alive at T | x, t_x, T), the share of staying in the likelihood (eqs. (36) and (37) of [2]_)."""
    return np.asarray(expit(log_odds_alive(params, x, t_x, age)))


def log_odds_alive(params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Return the logarithm of the odds that an account is alive at T."""
    columns = np.broadcast_arrays(*params, x, t_x, age)
    flat = [np.ravel(column) for column in columns]
    alive = np.empty(len(flat[0]))
    for start in range(0, len(alive), _CHUNK):
        r, alpha, s, beta, *history = (column[start : start + _CHUNK] for column in flat)
        stay = -(r + history[0]) * np.log(alpha + history[2]) - s * np.log(beta + history[2])
        alive[start : start + _CHUNK] = stay - _left(r, alpha, s, beta, *history)[0]
    return alive.reshape(columns[0].shape)


def expected_alive(params: np.ndarray, x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
    """Return E[X(t) | x, T, alive at T]: eq. (41) of [2]_ without P(alive), also where s is near 1."""
    r, alpha, s, beta = params
    log_ratio = np.log1p(t / (beta + age))
    off = s - 1
    waning = log_ratio if off == 0 else -np.expm1(-off * log_ratio) / off
    return (r + x) * (beta + age) / (alpha + age) * waning


def survival(
    params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, n: np.ndarray
) -> np.ndarray:
    """Return P(at least n purchases within t | x, t_x, T), n ≥ 1.

    Alive at T, an account is as a new one with parameters (r + x, alpha + T, s, beta + T). Its n-th purchase would come
    at a time u with u / (alpha + T + u) ~ Beta(n, r + x), and comes if u ≤ t and the lifetime exceeds u: the
    integral of that density × (1 + u / (beta + T))^-s. By Gauss-Legendre in v, where ln(u / (alpha + T)) = centre +
    width · sinh(v): the density is a bell there with exponential tails, which sinh brings near.
    """
    r, alpha, s, beta = params
    columns = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (r + x, alpha + age, beta + age, n)))
    flat = [np.ravel(column) for column in columns]
    parts = []
    for start in range(0, len(flat[0]), _CHUNK):
        shape, rate, lasts, n_ = (column[start : start + _CHUNK] for column in flat)
        centre, width = np.log(n_ / shape), np.sqrt(1 / n_ + 1 / shape)
        # The bell falls as e^(n·θ) on its left and as e^(−shape·θ) on its right, or as a normal density.
        low = -np.arcsinh(np.maximum(NEGLIGIBLE / (n_ * width), 10.0))
        high = np.arcsinh(np.maximum(NEGLIGIBLE / (shape * width), 10.0))
        high = np.clip(np.arcsinh((np.log(t / rate) - centre) / width), low, high)
        v = low + np.multiply.outer((1 + _COUNT_NODES) / 2, high - low)
        theta = centre + width * np.sinh(v)
        log_1p = np.logaddexp(0.0, theta)
        lasting = np.log1p(np.exp(theta + np.log(rate / lasts)))
        density = np.exp(n_ * theta - (n_ + shape) * log_1p - betaln(n_, shape) - s * lasting) * np.cosh(v)
        parts.append(_COUNT_WEIGHTS @ density * (high - low) / 2 * width)
    at_least = np.clip(np.concatenate(parts), 0.0, 1.0).reshape(columns[0].shape)
    return probability_alive(params, x, t_x, age) * at_least


class ParetoNBD(CovariateModel):
    """Pareto/NBD model of purchase days [1]_.

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha` and `beta`.
    engine : {"kamlab"}
        What finds the optimum.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.
    transaction_covariates, dropout_covariates : sequence of str
        Columns of the summary that move the rate of buying and that of leaving, see `CovariateModel`: an account has
        alpha · exp(−γ₁'z) and beta · exp(−γ₂'z) [3]_.
    effect_penalizer : float
        Weight of the sum of squared effects, subtracted from the mean log-likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha, s, beta, and effects γ₁ as transaction[…], γ₂ as dropout[…]. See `FittedModel` for the other
        attributes.
    covariates_ : dict
        How each covariate is coded.
    """

    parameters = ("r", "alpha", "s", "beta")
    times = ("alpha", "beta")
    bounds = ((-8.0, 8.0), (-16.0, 12.0), (-8.0, 8.0), (-16.0, 12.0))
    # The last one: most never leave, and a few at once.
    starts = ((0.0, -1.0, -0.5, -1.0), (-0.5, -1.5, 0.5, 1.0), (-0.5, -1.5, -3.0, -3.0))
    pilot_rows = (500, 4000)
    limits = ({"s": -8.0, "beta": 12.0}, {"r": 8.0})
    reach = (("transaction", "transaction", "alpha", -1), ("dropout", "dropout", "beta", -1))

    def _log_likelihood(
        self, log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return log_likelihood(log_params, x, t_x, age)

    def _summed_likelihood(self, rows: Histories) -> Objective:
        return SummedLikelihood(rows)

    def _alive(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        return probability_alive(params, x, t_x, age)

    def _alive_of_draws(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        if self.n_effects_ or not are_close(params.T):
            return self._alive(params, x, t_x, age)
        # Of many accounts the draws differ so little that the integral need not be taken for each.
        return np.asarray(expit(at_draws(lambda near: np.minimum(log_odds_alive(near, x, t_x, age), _SURE), params.T)))

    def _expected(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
        return expected_alive(params, x, age, t)

    def _survival(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, n: np.ndarray
    ) -> np.ndarray:
        return survival(params, x, t_x, age, t, n)

    def _sample(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, rng: np.random.Generator
    ) -> np.ndarray:
        r, alpha, s, beta = params
        rate = rng.standard_gamma(r + x) / (alpha + age)
        with np.errstate(over="ignore"):
            # The time until the account leaves, by inversion: Pareto with the updated parameters.
            lifetime = (beta + age) * np.expm1(rng.standard_exponential(rate.shape) / s)
        return rng.poisson(rate * np.minimum(lifetime, t))
