"""NBD: purchases by a Poisson process whose rate is gamma distributed over accounts; nobody ever leaves.

References
----------
.. [1] Ehrenberg (1959), The pattern of consumer purchases, Journal of the Royal Statistical Society C 8 (1), 26-41.
.. [2] Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do next?,
   Management Science 33 (1), 1-24.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betainc, digamma, gammaln

from kamlab.clv.climb import Objective
from kamlab.clv.histories import Histories
from kamlab.clv.sums import CountTerms
from kamlab.clv.transactions import TransactionModel


def log_likelihood(
    log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each account's log-likelihood, shape (n,), and its gradient by the log parameters, shape (2, n).

    Of the purchases' times, as the other models' likelihoods are, so that they compare: no term ln(x!) and no ln(T).
    """
    r, alpha = np.exp(log_params)
    log_share = np.log(alpha / (alpha + age))
    value = gammaln(r + x) - gammaln(r) + r * log_share - x * np.log(alpha + age)
    d_r = digamma(r + x) - digamma(r) + log_share
    d_alpha = r / alpha - (r + x) / (alpha + age)
    return value, np.stack([r * d_r, alpha * d_alpha])


class SummedLikelihood:
    """Mean log-likelihood of weighted histories, as `log_likelihood` gives it for each, with second derivatives."""

    def __init__(self, rows: Histories) -> None:
        self._age, self._share = rows.T, rows.weight / rows.weight.sum()
        self._bought = self._share * rows.x
        self._counts = CountTerms([rows.x], [1.0], self._share)

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value, its gradient by the log parameters, shape (2,), and second derivatives, shape (2, 2)."""
        r, alpha = np.exp(log_params).tolist()
        of_count, (by_r,), (by_rr,) = self._counts(r)
        sums = r * self._share + self._bought
        staying = alpha + self._age
        per_staying = 1 / staying
        log_staying = np.log(staying)
        first = per_staying @ sums
        slopes = [
            r * (by_r + log_params[1] - self._share @ log_staying),
            r - alpha * first,
        ]
        r_alpha = r * (1 - alpha * (per_staying @ self._share))
        alpha_alpha = alpha**2 * (per_staying**2 @ sums) - alpha * first
        second = np.array([[r**2 * by_rr + slopes[0], r_alpha], [r_alpha, alpha_alpha]])
        return float(of_count + r * log_params[1] - log_staying @ sums), np.array(slopes), second


class NBD(TransactionModel):
    """NBD model of purchase days [1]_: what the models with attrition become where no account leaves [2]_.

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha`.
    engine : {"kamlab"}
        What finds the optimum.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha. See `FittedModel` for the other attributes.
    """

    parameters = ("r", "alpha")
    bounds = ((-8.0, 8.0), (-16.0, 12.0))
    starts = ((0.0, -1.0), (-1.5, -2.0))
    limits = ({"r": 8.0},)

    def _log_likelihood(
        self, log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return log_likelihood(log_params, x, t_x, age)

    def _there(self, rows: Histories) -> np.ndarray:
        return rows.T

    @property
    def _quick(self) -> bool:
        return True

    def _summed_likelihood(self, rows: Histories) -> Objective:
        return SummedLikelihood(rows)

    def _alive(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        return np.ones(np.broadcast(params[0], x).shape)

    def _expected(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
        return self._most(params, x, t_x, age, t)

    def _survival(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, n: np.ndarray
    ) -> np.ndarray:
        r, alpha = params
        return betainc(n, r + x, t / (alpha + age + t))

    def _sample(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, rng: np.random.Generator
    ) -> np.ndarray:
        r, alpha = params
        return rng.poisson(t * rng.standard_gamma(r + x) / (alpha + age))
