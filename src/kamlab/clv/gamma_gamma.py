"""Gamma-Gamma: order values that vary within an account and, in their mean, between accounts.

References
----------
.. [1] Fader and Hardie (2013), The Gamma-Gamma model of monetary value, brucehardie.com/notes/025.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.optimize import minimize_scalar
from scipy.special import betaln, digamma, gammaln, zeta

from kamlab.clv import lifetimes_engine
from kamlab.clv.base import FittedModel, maximise
from kamlab.clv.checks import (
    MIN_REPEAT_BUYERS,
    Spend,
    as_frame,
    finite_forecast,
    read_order_values,
    read_spend,
    require_columns,
)
from kamlab.clv.climb import one_thread
from kamlab.clv.merging import merge
from kamlab.clv.saving import data_hash
from kamlab.errors import ModelError
from kamlab.i18n import N_

PARAMETERS = ("p", "q", "gamma")
P_FROM = ("means", "orders")

NOTE_HEAVY_TAIL = N_("A few accounts place orders so large that no mean over all accounts exists (q is 1 or less).")
NOTE_ZERO_VALUES = N_("Accounts whose repeat purchases are all worth 0 are left out of the order-value model.")

# Logs of (p, q, gamma) with money scaled to a geometric mean of 1. Below q = 1 the mean over accounts is infinite.
_BOUNDS = ((-7.0, 10.0), (0.0, 10.0), (-14.0, 14.0))
_STARTS = ((1.0, 1.0, 0.5), (0.0, 0.5, 0.0))


def log_likelihood(log_params: np.ndarray, x: np.ndarray, mean_value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each account's log-likelihood, shape (n,), and its gradient by the log parameters, shape (3, n).

    Equation (1a) of [1]_.
    """
    p, q, gamma = np.exp(log_params)
    px = p * x
    total = gamma + x * mean_value
    value = (
        gammaln(px + q)
        - gammaln(px)
        - gammaln(q)
        + q * np.log(gamma / total)
        + px * np.log(x * mean_value / total)
        - np.log(mean_value)
    )
    d_p = x * (digamma(px + q) - digamma(px) + np.log(x * mean_value / total))
    d_q = digamma(px + q) - digamma(q) + np.log(gamma / total)
    d_gamma = q / gamma - (px + q) / total
    return value, np.stack([p * d_p, q * d_q, gamma * d_gamma])


class SummedLikelihood:
    """Mean log-likelihood of weighted rows, as `log_likelihood` gives it for each, with second derivatives.

    Parameters
    ----------
    x, mean_value, weight : numpy.ndarray
        Orders, their mean value, and how many accounts share them, shape (n,).
    """

    def __init__(self, x: np.ndarray, mean_value: np.ndarray, weight: np.ndarray) -> None:
        share = weight / weight.sum()
        self._value = x * mean_value
        self._sums = np.stack([share, share * x])
        self._log_value, self._log_mean = float(share @ np.log(self._value)), float(share @ np.log(mean_value))
        # Gamma functions are needed once for each number of orders.
        self._x, place = np.unique(x, return_inverse=True)
        of_x = np.bincount(place, share)
        self._of_x = np.stack([of_x, of_x * self._x, of_x * self._x**2])

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value, its gradient by the log parameters, shape (3,), and second derivatives, shape (3, 3)."""
        params = np.exp(log_params)
        p, q, gamma = params.tolist()
        own = p * self._x
        both = own + q
        of_x = self._of_x
        first, second = digamma(both), zeta(2, both)
        total = gamma + self._value
        inverse = 1 / total
        mean_log, by_x_log = (self._sums @ np.log(self._value * inverse)).tolist()
        once, by_x_once = (self._sums @ inverse).tolist()
        twice, by_x_twice = (self._sums @ inverse**2).tolist()
        # The mean of ln(gamma / total).
        mean_share = mean_log - self._log_value + float(log_params[2])
        value = float(of_x[0] @ (gammaln(both) - gammaln(own)) - gammaln(q)) + q * mean_share + p * by_x_log
        gradient = params * np.array(
            [
                of_x[1] @ (first - digamma(own)) + by_x_log,
                of_x[0] @ first - digamma(q) + mean_share,
                q / gamma - p * by_x_once - q * once,
            ]
        )
        p_q, q_gamma = of_x[1] @ second, 1 / gamma - once
        bends = [
            [of_x[2] @ (second - zeta(2, own)), p_q, -by_x_once],
            [p_q, of_x[0] @ second - zeta(2, q), q_gamma],
            [-by_x_once, q_gamma, p * by_x_twice + q * twice - q / gamma**2],
        ]
        curvature = params[:, None] * np.array(bends) * params
        curvature.flat[::4] += gradient
        return value - self._log_mean, gradient, curvature


def _p_from_orders(summary: Any) -> tuple[float, float]:
    """Return p and the standard error of ln(p) from each account's first order against its later ones.

    Under the model the first order's share of an account's value is Beta(p, p·x) whatever the account's level, so p
    follows without any assumption on how accounts differ.
    """
    frame = as_frame(summary)
    require_columns(frame, ("frequency", "monetary_value", "first_value"), "the variation of orders")
    weighted = frame if "weight" in frame else frame.assign(weight=1.0)
    known = weighted[["frequency", "monetary_value", "first_value", "weight"]].apply(pd.to_numeric)
    x, mean_value, first, weight = known[(known > 0).all(axis=1)].to_numpy(dtype=float).T
    if weight.sum() < MIN_REPEAT_BUYERS:
        raise ModelError(
            f"There are {int(weight.sum())} accounts with a first and a repeat purchase above 0; at least "
            f"{MIN_REPEAT_BUYERS} are needed to see how orders vary. Take a longer log."
        )
    share = np.clip(first / (first + x * mean_value), 1e-12, 1 - 1e-12)

    def objective(log_p: float) -> float:
        p = np.exp(log_p)
        return -float(weight @ ((p - 1) * np.log(share) + (p * x - 1) * np.log1p(-share) - betaln(p, p * x)))

    best = float(minimize_scalar(objective, bounds=_BOUNDS[0], method="bounded").x)
    step = 1e-2
    curvature = (objective(best + step) + objective(best - step) - 2 * objective(best)) / step**2
    return float(np.exp(best)), 1 / np.sqrt(max(curvature, 1.0))


class GammaGamma(FittedModel):
    """Gamma-Gamma model of the mean value of a purchase day [1]_, independent of how often the account buys.

    Parameters
    ----------
    p_from : {"means", "orders"}
        "means": all three parameters by maximum likelihood of the accounts' mean values, as published. "orders": p from
        how first orders differ from later ones of the same account, q and gamma by maximum likelihood given p; for
        companies whose accounts differ so much that "means" takes their difference for variation within accounts.
    engine : {"lifetimes", "kamlab"}
        What finds the optimum; kamlab sharpens that of lifetimes, and takes over where lifetimes fails.
    penalizer : float
        Weight of the sum of squared parameters (money scaled to a geometric mean of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        p, q, gamma (currency). See `FittedModel` for the other attributes.
    mean_value_ : float
        Mean value of the repeat purchase days that entered the fit (currency).
    """

    shapes = ("p",)

    def __init__(self, *, p_from: str = "means", engine: str = "lifetimes", penalizer: float = 0.0) -> None:
        self.p_from = p_from
        self.engine = engine
        self.penalizer = penalizer

    def fit(self, summary: Any, y: None = None) -> GammaGamma:
        """Fit to the accounts with repeat purchases above 0.

        Columns account, frequency, monetary_value and, with p_from = "orders", first_value; optionally weight: how many
        accounts the row stands for, 1 without.

        Raises
        ------
        ModelError
            If values are impossible, or fewer than 10 accounts have a repeat purchase above 0.
        """
        self._check_options()
        if self.p_from not in P_FROM:
            raise ModelError(f'p_from is "{self.p_from}"; it must be one of {", ".join(P_FROM)}.')
        data = read_spend(summary, min_repeat_buyers=MIN_REPEAT_BUYERS)
        with one_thread():
            self._fit_spend(data, summary)
        return self

    def _fit_spend(self, data: Spend, summary: Any) -> None:
        n_accounts = float(data.weight.sum())
        # Cents and billions are the same to the optimiser.
        scale = float(np.exp(data.weight @ np.log(data.mean_value) / n_accounts))
        (x, mean_value), weight, _ = merge((data.x, data.mean_value / scale), data.weight)
        likelihood = SummedLikelihood(x, mean_value, weight)
        held, p_error = (None, 0.0) if self.p_from == "means" else _p_from_orders(summary)
        fixed = np.array([] if held is None else [np.log(held)])

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient, second = likelihood(np.concatenate([fixed, log_params]))
            free = slice(len(fixed), None)
            penalty = self.penalizer * np.exp(2 * log_params)
            return penalty.sum() - value, 2 * penalty - gradient[free], np.diag(4 * penalty) - second[free, free]

        if held is None:

            def ask_lifetimes() -> np.ndarray | None:
                return lifetimes_engine.fit_gamma_gamma(x, mean_value, weight, penalizer=self.penalizer)

            maximum = self._maximise(objective, ask_lifetimes, _STARTS, _BOUNDS, n_accounts, exact=True)
        else:
            # One order of z promises (z + gamma) · p / (p + q − 1): never more than twice as much.
            bounds = ((np.log(max(0.1, 1 - held / 2)), _BOUNDS[1][1]), _BOUNDS[2])
            starts = [start[1:] for start in _STARTS]
            given = maximise(objective, starts=starts, bounds=bounds, n_accounts=n_accounts, exact=True)
            covariance = block_diag(p_error**2, given.covariance)
            log_params = np.concatenate([fixed, given.log_params])
            maximum = replace(given, log_params=log_params, covariance=covariance, density=None)
        self._keep(PARAMETERS, maximum, np.array([0.0, 0.0, np.log(scale)]), len(data.x))
        self.log_likelihood_ = n_accounts * (likelihood(maximum.log_params)[0] - np.log(scale))
        self.data_hash_ = data_hash(data.x, data.mean_value, data.weight)
        self.mean_value_ = float(data.weight @ (data.x * data.mean_value) / (data.weight @ data.x))
        if self.params_["q"] < 1 + 1e-6:
            self.notes_ += (NOTE_HEAVY_TAIL,)
        if data.zero_valued:
            self.notes_ += (NOTE_ZERO_VALUES,)

    def expected_spend(self, summary: Any) -> pd.DataFrame:
        """Return each account's expected value of a purchase day.

        Parameters
        ----------
        summary : table
            Columns account, frequency, monetary_value and, for one-order accounts, first_value (currency).

        Returns
        -------
        pandas.DataFrame
            account; expected_spend (currency), eq. (5) of [1]_: the account's own mean and the company's, weighted by
            the number of orders; spend_basis ("model", or "first_order" where the only order stands for the mean).
        """
        orders = self.orders(summary)
        p, q, gamma = (self.params_[name] for name in PARAMETERS)
        x, value = orders["orders"], orders["mean_value"]
        table = pd.DataFrame(
            {
                "account": orders["account"],
                "expected_spend": p * (gamma + x * value) / (p * x + q - 1),
                "spend_basis": orders["spend_basis"],
            }
        )
        return finite_forecast(table)

    def orders(self, summary: Any) -> pd.DataFrame:
        """Return what the model knows of each account: account, orders (number), mean_value (currency), spend_basis.

        Accounts without any order above 0 count as one order at the company's mean value.

        Raises
        ------
        ModelError
            If frequencies are impossible, or the value of repeat purchases is missing or below 0.
        """
        self._params()
        account, frequency, value, first = read_order_values(summary)
        repeats = (frequency > 0) & (value > 0)
        one_order = (frequency == 0) & (first > 0)
        return pd.DataFrame(
            {
                "account": account,
                "orders": np.where(repeats, frequency, 1.0),
                "mean_value": np.where(repeats, value, np.where(one_order, first, self.mean_value_)),
                "spend_basis": np.where(one_order, "first_order", "model"),
            }
        )

    def sample_revenue(
        self,
        purchases: np.ndarray,
        orders: np.ndarray,
        mean_value: np.ndarray,
        alone: np.ndarray,
        params: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the value of a number of purchase days together.

        Given its rate ν, an order is gamma distributed with shape p, so N orders together have shape p·N; and ν has the
        posterior Gamma(p·x + q, gamma + x·z) of [1]_.

        Parameters
        ----------
        purchases : numpy.ndarray
            Numbers of purchase days, shape (accounts, draws).
        orders, mean_value : numpy.ndarray
            Number x of orders known and their mean value z (currency), shape (accounts,).
        alone : numpy.ndarray of bool
            Where the account's own orders count alone: q = 1 and gamma = 0, so that their mean is expected again.
        params : numpy.ndarray
            From `parameter_draws`, shape (draws, 3); shared by all accounts.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Currency, shape (accounts, draws).
        """
        p, q, gamma = params.T
        own = alone[:, None]
        shape = p * orders[:, None] + np.where(own, 1.0, q)
        rate = (orders * mean_value)[:, None] + np.where(own, 0.0, gamma)
        nu = rng.standard_gamma(shape) / rate
        return rng.standard_gamma(p * purchases) / nu
