"""BG/NBD: purchases by a gamma-Poisson process, and a beta-distributed chance of leaving after each purchase.

References
----------
.. [1] Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model,
   Marketing Science 24 (2), 275-284.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1, log_expit
from sklearn.utils.validation import check_is_fitted

from kamlab.clv import lifetimes_engine
from kamlab.clv.base import FittedModel
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS, Purchases, read_purchases
from kamlab.errors import ModelError
from kamlab.i18n import N_
from kamlab.period import DAYS_PER_UNIT, DAYS_PER_YEAR, days_to_units

PARAMETERS = ("r", "alpha", "a", "b")

NOTE_ONE_TIME = N_("BG/NBD takes every one-time buyer for active: P(alive) is 1 there, however long the silence.")

# Logs of (r, alpha, a, b) with times scaled to a longest T of 1. Beyond these borders the accounts do not differ
# measurably from the limit that the parameter runs to (no heterogeneity, no dropout, dropout at once).
_BOUNDS = ((-8.0, 8.0), (-16.0, 12.0), (-8.0, 8.0), (-8.0, 8.0))
_STARTS = ((0.0, -1.0, 0.0, 1.0), (-1.5, -2.0, -1.0, 1.0))
_NODES = 601
_CHUNK = 4096


def log_likelihood(
    log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each account's log-likelihood, shape (n,), and its gradient by the log parameters, shape (4, n).

    Equation (6) of [1]_ in logs: the terms of staying and of having left are added by `logaddexp`.
    """
    r, alpha, a, b = np.exp(log_params)
    repeat = x > 0
    before_last = b + np.maximum(x, 1) - 1
    stay = -(r + x) * np.log(alpha + age)
    left = np.where(repeat, np.log(a) - np.log(before_last) - (r + x) * np.log(alpha + t_x), -np.inf)
    either = np.logaddexp(stay, left)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) + either
    p_stay, p_left = np.exp(stay - either), np.exp(left - either)
    both = digamma(a + b) - digamma(a + b + x)
    d_r = digamma(r + x) - digamma(r) + np.log(alpha) - p_stay * np.log(alpha + age) - p_left * np.log(alpha + t_x)
    d_alpha = r / alpha - (r + x) * (p_stay / (alpha + age) + p_left / (alpha + t_x))
    d_a = both + p_left / a
    d_b = both + digamma(b + x) - digamma(b) - p_left / before_last
    return value, np.stack([r * d_r, alpha * d_alpha, a * d_a, b * d_b])


def probability_alive(params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Return P(alive at T | x, t_x, T); 1 where x = 0 (the alive share of the likelihood, eq. (6) of [1]_)."""
    r, alpha, a, b = params
    log_odds_left = (r + x) * np.log1p((age - t_x) / (alpha + t_x)) + np.log(a) - np.log(b + np.maximum(x, 1) - 1)
    return np.where(x > 0, expit(-log_odds_left), 1.0)


def expected_new(r: Any, alpha: Any, a: float, b: Any, t: Any) -> np.ndarray:
    """Return E[X(t)] of a new customer: eq. (9) of [1]_ after Euler's transformation of its hypergeometric function.

    With z = t / (alpha + t) and c = a + b − 1 it is (c − (1−z)^(a−1) · c · ₂F₁(c−r, a−1; c; z)) / (a−1). Where that
    loses its digits (a near 1, c near 0, parameters at the border of their range) the defining integral is taken.
    """
    r, alpha, b, t = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (r, alpha, b, t)))
    c = a + b - 1
    with np.errstate(all="ignore"):
        staying = (alpha / (alpha + t)) ** (a - 1) * hyp2f1(c - r, a - 1, c, t / (alpha + t))
        value = c * (1 - staying) / (a - 1)
        # A customer who never leaves buys r·t/alpha on average.
        wrong = ~((value >= 0) & (value <= r * t / alpha * (1 + 1e-9)))
    wrong |= (abs(a - 1) < 1e-5) | (np.abs(c) < 1e-6)
    if wrong.any():
        value = np.array(value)
        value[wrong] = _expected_new_by_quadrature(r[wrong], alpha[wrong], a, b[wrong], t[wrong])
    return value


def _expected_new_by_quadrature(r: np.ndarray, alpha: np.ndarray, a: float, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Integrate (1 − (1 + p·t/alpha)^−r) / p over p ~ Beta(a, b), by the double-exponential rule in logit(p)."""
    parts = []
    for start in range(0, len(r), _CHUNK):
        rows = slice(start, start + _CHUNK)
        r_, ratio, b_ = r[rows, None], (t / alpha)[rows, None], b[rows, None]
        width = np.minimum(1.0, np.sqrt(1 / a + 1 / b_))
        least = np.minimum(a, b_)
        # The integrand falls by e^-45 at the ends; beyond 60 widths even a bell has long vanished.
        reach = np.arcsinh(np.maximum(45 / (least * width), 60.0))
        v = np.linspace(-1.0, 1.0, _NODES) * reach
        u = np.log(a / b_) + width * np.sinh(v)
        log_p = log_expit(u)
        pt = np.exp(np.maximum(log_p + np.log(ratio), -600.0))
        per_purchase = -np.expm1(-r_ * np.log1p(pt)) / pt * ratio
        density = np.exp(a * log_p + b_ * log_expit(-u) - betaln(a, b_))
        step = 2 * reach[:, 0] / (_NODES - 1)
        parts.append((density * per_purchase * width * np.cosh(v)).sum(axis=1) * step)
    return np.concatenate(parts)


def survival(params: np.ndarray, data: Purchases, t: float, n: np.ndarray) -> np.ndarray:
    """Return P(at least n purchases within t | x, t_x, T), n ≥ 1.

    While alive, the gamma posterior of the rate and the beta posterior of the chance of leaving are independent, so the
    count is the smaller of a negative binomial and a beta-geometric variable (eq. (8) of [1]_ with updated parameters).
    """
    r, alpha, a, b = params
    shape, rate, b_x = r + data.x, alpha + data.T, b + data.x
    buys_enough = betainc(n, shape, t / (rate + t))
    stays_enough = np.exp(betaln(a, b_x + n - 1) - betaln(a, b_x))
    return probability_alive(params, data.x, data.t_x, data.T) * buys_enough * np.minimum(stays_enough, 1.0)


class BGNBD(FittedModel):
    """BG/NBD model of purchase days [1]_.

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha`.
    engine : {"lifetimes"}
        What finds the optimum; kamlab sharpens it, and takes over where the engine fails.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha, a, b. See `FittedModel` for the other attributes.

    Examples
    --------
    >>> model = BGNBD().fit(summary)  # doctest: +SKIP
    >>> model.predict(summary, horizon_days=365)  # doctest: +SKIP
    """

    def __init__(self, *, unit: str = "week", engine: str = "lifetimes", penalizer: float = 0.0) -> None:
        self.unit = unit
        self.engine = engine
        self.penalizer = penalizer

    def fit(self, summary: Any, y: None = None) -> BGNBD:
        """Fit to a summary with columns account, frequency, recency and T (in `unit`).

        Raises
        ------
        ModelError
            If histories are impossible, or fewer than 30 accounts or 10 repeat buyers are there.
        """
        self._check_options()
        if self.unit not in DAYS_PER_UNIT:
            raise ModelError(f'unit is "{self.unit}"; it must be one of {", ".join(DAYS_PER_UNIT)}.')
        data = read_purchases(summary, min_accounts=MIN_ACCOUNTS, min_repeat_buyers=MIN_REPEAT_BUYERS)
        scale = 1 / data.T.max()
        scaled = (data.x, data.t_x * scale, data.T * scale)

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = log_likelihood(log_params, *scaled)
            penalty = self.penalizer * np.exp(2 * log_params)
            return penalty.sum() - value.mean(), 2 * penalty - gradient.mean(axis=1)

        start = lifetimes_engine.fit_bg_nbd(*scaled, penalizer=self.penalizer)
        maximum = self._maximise(objective, start, _STARTS, _BOUNDS, len(data.x))
        log_scale = np.array([0.0, -np.log(scale), 0.0, 0.0])
        params = self._keep(PARAMETERS, maximum, log_scale, len(data.x))
        self.log_likelihood_ = float(log_likelihood(np.log(params), data.x, data.t_x, data.T)[0].sum())
        if (data.x == 0).any():
            self.notes_ += (NOTE_ONE_TIME,)
        return self

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
            account; p_alive; expected_purchases (eq. (10) of [1]_ at `params_`); lower and upper (whole numbers):
            quantiles of the posterior mixture, averaged over the parameters' normal approximation. After a long silence
            the expectation can lie above `upper`.
        """
        data = self._read(summary)
        t = self._horizon(horizon_days)
        if not 0 < level < 1:
            raise ModelError(f"level is {level}; it must lie between 0 and 1.")
        nodes = self.parameter_nodes()

        def at_least(n: np.ndarray, rows: np.ndarray) -> np.ndarray:
            part = Purchases(*(column[rows] for column in data))
            return np.mean([survival(node, part, t, n) for node in nodes], axis=0)

        return pd.DataFrame(
            {
                "account": data.account,
                "p_alive": probability_alive(self._params(), data.x, data.t_x, data.T),
                "expected_purchases": self._expected(data, t),
                "lower": _quantile(at_least, (1 - level) / 2, len(data.x)),
                "upper": _quantile(at_least, (1 + level) / 2, len(data.x)),
            }
        )

    def expected_purchases(self, summary: Any, horizon_days: float) -> np.ndarray:
        """Return E[X | history] over the horizon, eq. (10) of [1]_; shape (accounts,)."""
        return self._expected(self._read(summary), self._horizon(horizon_days))

    def expected_purchases_new(self, horizon_days: Any) -> np.ndarray:
        """Return the repeat purchases expected of a new customer within `horizon_days`, eq. (9) of [1]_."""
        r, alpha, a, b = self._params()
        return expected_new(r, alpha, a, b, np.asarray(horizon_days) * days_to_units(1, self.unit))

    def probability_at_most(self, summary: Any, purchases: Any, horizon_days: float) -> np.ndarray:
        """Return P(X ≤ purchases | history) over the horizon, parameter uncertainty included; shape (accounts,)."""
        data = self._read(summary)
        t = self._horizon(horizon_days)
        n = np.broadcast_to(np.asarray(purchases, dtype=float), data.x.shape)
        more = np.mean([survival(node, data, t, np.maximum(n, 0) + 1) for node in self.parameter_nodes()], axis=0)
        return np.where(n < 0, 0.0, 1 - more)

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
            From `parameter_draws`, shape (draws, 4): all accounts share the parameters of a draw, so that sums over
            accounts vary as they should.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Whole numbers, shape (accounts, draws).
        """
        data = self._read(summary)
        t = self._horizon(horizon_days)
        r, alpha, a, b = params.T
        x, t_x, age = data.x[:, None], data.t_x[:, None], data.T[:, None]
        alive = rng.random((len(data.x), len(params))) < probability_alive(params.T, x, t_x, age)
        bought = rng.poisson(t * rng.standard_gamma(r + x) / (alpha + age))
        chance_of_leaving = rng.beta(np.broadcast_to(a, bought.shape), b + x)
        with np.errstate(divide="ignore", over="ignore"):
            # The purchase after which the account leaves: geometric, by inversion.
            last = 1 + np.floor(-rng.standard_exponential(bought.shape) / np.log1p(-chance_of_leaving))
        return np.where(alive, np.minimum(bought, last), 0.0)

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

    def _expected(self, data: Purchases, t: float) -> np.ndarray:
        r, alpha, a, b = self._params()
        alive = probability_alive(self._params(), data.x, data.t_x, data.T)
        return alive * expected_new(r + data.x, alpha + data.T, a, b + data.x, t)


def _quantile(at_least: Callable[[np.ndarray, np.ndarray], np.ndarray], probability: float, size: int) -> np.ndarray:
    """Return the smallest n with P(X ≤ n) ≥ probability for each row: doubling first, then bisection."""
    below, above = np.full(size, -1.0), np.zeros(size)
    rows = np.arange(size)
    while True:
        rows = rows[at_least(above[rows] + 1, rows) > 1 - probability]
        if not rows.size:
            break
        below[rows] = above[rows]
        above[rows] = 2 * above[rows] + 1
    while True:
        rows = np.flatnonzero(above - below > 1)
        if not rows.size:
            return above
        middle = np.floor((below[rows] + above[rows]) / 2)
        enough = at_least(middle + 1, rows) <= 1 - probability
        above[rows[enough]] = middle[enough]
        below[rows[~enough]] = middle[~enough]
