"""What the BG and MBG models share: Erlang-k purchases by a gamma-distributed rate, and beta-geometric leaving.

An account buys after each k-th event of a Poisson process, so that k = 1 is a Poisson process of purchases and larger k
are more regular ones. After each repeat purchase, and where `first` is 1 after the first purchase too, it leaves with a
chance that is beta distributed over accounts.

References
----------
.. [1] Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model,
   Marketing Science 24 (2), 275-284.
.. [2] Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
   analysis, International Journal of Research in Marketing 24 (3), 201-209.
.. [3] Platzer and Reutterer (2016), Ticking away the moments: timing regularity helps to better predict customer
   activity, Marketing Science 35 (5), 779-799.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1, log_expit

from kamlab.clv.bg_summed import SummedLikelihood
from kamlab.clv.climb import Objective
from kamlab.clv.histories import Histories
from kamlab.clv.merging import merge_days
from kamlab.clv.transactions import TransactionModel

_NODES = 241
_CHUNK = 2048
_LEAST_LOG = -600.0
"""Smaller numbers than e^-600 act as this one, so that nothing underflows."""


def log_likelihood(
    log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, *, k: int = 1, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return each account's log-likelihood, shape (n,), and its gradient by the log parameters, shape (4, n).

    Equation (6) of [1]_ in logs: the terms of staying and of having left are added by `logaddexp`. With `first` = 1 the
    accounts have survived one chance of leaving more [2]_. With k > 1 the silence since t_x may hold up to k − 1 events
    [3]_; the sum of (k − 1) · ln(time between purchases), which no parameter enters, is left to the caller. alpha, a
    and b may be arrays of shape (n,).
    """
    r, alpha, a, b = map(np.exp, log_params)
    counts, at = _distinct_counts(x) if np.ndim(a) == 0 else (x, slice(None))
    survived = counts + first
    log_T, log_t = np.log(alpha + age), np.log(alpha + t_x)
    shape = r + k * x
    before_last = b + np.maximum(survived, 1) - 1
    log_odds = np.where(survived > 0, np.log(a) - np.log(before_last), -np.inf)[at] + shape * (log_T - log_t)
    stages = stage_weights(shape, alpha, t_x, age, k)
    silent = sum(stages)
    if k > 1:
        log_odds -= np.log(silent)
    p_left = expit(log_odds)
    p_stay = 1 - p_left
    kx = k * counts
    of_count = gammaln(r + kx) - gammaln(r) + betaln(a, b + survived) - betaln(a, b)
    value = of_count[at] + r * np.log(alpha) - shape * log_T + np.logaddexp(0.0, log_odds)
    d_r = (digamma(r + kx) - digamma(r))[at] + np.log(alpha) - p_stay * log_T - p_left * log_t
    d_alpha = r / alpha - shape * (p_stay / (alpha + age) + p_left / (alpha + t_x))
    if k > 1:
        value += np.log(silent) - x * gammaln(k)
    for j in range(1, k):
        share = p_stay * stages[j] / silent
        d_r += share * sum(1 / (shape + i) for i in range(j))
        d_alpha -= share * j / (alpha + age)
    both = digamma(a + b) - digamma(a + b + survived)
    d_a = both[at] + p_left / a
    d_b = (both + digamma(b + survived) - digamma(b))[at] - p_left / before_last[at]
    return value, np.stack([r * d_r, alpha * d_alpha, a * d_a, b * d_b])


def stage_weights(shape: Any, alpha: Any, t_x: Any, age: Any, k: int) -> list[np.ndarray]:
    """Return the weights of 0 … k − 1 events in the silence since t_x of an account that is alive, the first one 1."""
    z = (age - t_x) / (alpha + age)
    weights = [np.ones(np.broadcast(shape, z).shape)]
    for j in range(1, k):
        weights.append(weights[-1] * (shape + j - 1) / j * z)
    return weights


def _distinct_counts(x: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return 0 … max x and each row's place there, or x itself where that is shorter."""
    most = int(x.max(initial=0.0))
    return (np.arange(most + 1.0), x.astype(np.intp)) if most < len(x) else (x, slice(None))


def probability_alive(
    params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, *, k: int = 1, first: int = 0
) -> np.ndarray:
    """Return P(alive at T | x, t_x, T): the alive share of the likelihood; 1 where x = 0 and `first` = 0."""
    r, alpha, a, b = params
    shape = r + k * x
    survived = x + first
    log_odds = shape * np.log1p((age - t_x) / (alpha + t_x)) + np.log(a) - np.log(b + np.maximum(survived, 1) - 1)
    if k > 1:
        log_odds = log_odds - np.log(sum(stage_weights(shape, alpha, t_x, age, k)))
    return np.where(survived > 0, expit(-log_odds), 1.0)


def expected_new(r: Any, alpha: Any, a: Any, b: Any, t: Any) -> np.ndarray:
    """Return E[X(t)] of a new customer: eq. (9) of [1]_ after Euler's transformation of its hypergeometric function.

    With z = t / (alpha + t) and c = a + b − 1 it is (c − (1−z)^(a−1) · c · ₂F₁(c−r, a−1; c; z)) / (a−1). Where that
    loses its digits (a near 1, c near 0, parameters at the border of their range) the defining integral is taken.
    """
    r, alpha, a, b, t = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (r, alpha, a, b, t)))
    c = a + b - 1
    with np.errstate(all="ignore"):
        staying = (alpha / (alpha + t)) ** (a - 1) * hyp2f1(c - r, a - 1, c, t / (alpha + t))
        value = c * (1 - staying) / (a - 1)
        # A customer who never leaves buys r·t/alpha on average.
        wrong = ~((value >= 0) & (value <= r * t / alpha * (1 + 1e-9)))
    wrong |= (np.abs(a - 1) < 1e-5) | (np.abs(c) < 1e-6)
    if wrong.any():
        value = np.array(value)
        value[wrong] = _expected_new_by_quadrature(r[wrong], alpha[wrong], a[wrong], b[wrong], t[wrong])
    return value


def _expected_new_by_quadrature(
    r: np.ndarray, alpha: np.ndarray, a: np.ndarray, b: np.ndarray, t: np.ndarray
) -> np.ndarray:
    """Integrate (1 − (1 + p·t/alpha)^−r) / p over p ~ Beta(a, b)."""
    parts = []
    for start in range(0, len(r), _CHUNK):
        rows = slice(start, start + _CHUNK)
        log_p, _, share = _beta_grid(a[rows, None], b[rows, None])
        ratio = (t / alpha)[rows, None]
        pt = np.exp(np.maximum(log_p + np.log(ratio), _LEAST_LOG))
        per_purchase = -np.expm1(-r[rows, None] * np.log1p(pt)) / pt * ratio
        parts.append((share * per_purchase).sum(axis=1))
    return np.concatenate(parts)


def _beta_grid(a: Any, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ln(p), ln(1 − p) and the weights of a double-exponential rule in logit(p) for p ~ Beta(a, b)."""
    width = np.minimum(1.0, np.sqrt(1 / a + 1 / b))
    # The integrand falls by e^-45 at the ends; beyond 60 widths even a bell has long vanished.
    reach = np.arcsinh(np.maximum(45 / (np.minimum(a, b) * width), 60.0))
    v = np.linspace(-1.0, 1.0, _NODES) * reach
    u = np.log(a / b) + width * np.sinh(v)
    log_p, log_q = log_expit(u), log_expit(-u)
    step = 2 * reach / (_NODES - 1)
    return log_p, log_q, np.exp(a * log_p + b * log_q - betaln(a, b)) * width * np.cosh(v) * step


def expected_regular(
    params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any, *, k: int, first: int
) -> np.ndarray:
    """Return E[X(t) | x, t_x, T, alive at T] where purchases come at each k-th event.

    Of N negative binomial events to come, after j in the silence, M = ⌊(N + j) / k⌋ are purchases, if the account never
    leaves; with a chance p of leaving it makes (1 − q^M) / p of them on average, q = 1 − p. The expectation of q^M is a
    sum over the k-th roots of unity ω^l of the negative binomial's generating function at q^(1/k)·ω^l, and is then
    integrated over p ~ Beta(a, b + x + first).
    """
    r, alpha, a, b = params
    columns = np.broadcast_arrays(
        r + k * x, alpha + age, b + x + first, t, *stage_weights(r + k * x, alpha, t_x, age, k)
    )
    parts = []
    for start in range(0, len(columns[0]), _CHUNK):
        shape, rate, b_x, horizon, *stages = (column[start : start + _CHUNK, None] for column in columns)
        log_p, log_q, share = _beta_grid(a, b_x)
        # Where q is next to 0 only the first purchase counts, and negative powers of q would lose it.
        delta = np.clip(-log_q, np.exp(_LEAST_LOG), 21.0) / k
        p = np.exp(np.maximum(log_p, _LEAST_LOG))
        ratio = horizon / rate
        base = np.log1p(-ratio * np.expm1(-delta))
        roots = []
        for turn in range(1, k // 2 + 1):
            root = np.exp(2j * np.pi * turn / k)
            # Conjugate roots count once, with twice the real part.
            roots.append((root, np.log(1 + ratio * (1 - np.exp(-delta) * root)), 1 if 2 * turn == k else 2))
        total = np.zeros_like(share)
        for j, stage in enumerate(stages):
            rise = [np.expm1(-delta * (j - rho)) for rho in range(k)]
            bought = -np.expm1(np.log1p(sum(rise) / k) - (shape + j) * base)
            for root, log_base, times in roots:
                turned = sum(e * root ** (j - rho) for rho, e in enumerate(rise)) / k
                bought = bought - times * (turned * np.exp(-(shape + j) * log_base)).real
            total += stage / sum(stages) * bought
        parts.append((share * total / p).sum(axis=1))
    return np.concatenate(parts)


def survival(
    params: np.ndarray,
    x: np.ndarray,
    t_x: np.ndarray,
    age: np.ndarray,
    t: float,
    n: np.ndarray,
    *,
    k: int = 1,
    first: int = 0,
) -> np.ndarray:
    """Return P(at least n purchases within t | x, t_x, T), n ≥ 1.

    While alive, the gamma posterior of the rate and the beta posterior of the chance of leaving are independent, so the
    count is the smaller of a negative binomial and a beta-geometric variable (eq. (8) of [1]_ with updated parameters).
    With k > 1 the negative binomial counts events, of which the silence since t_x may already hold some.
    """
    r, alpha, a, b = params
    shape, rate, b_x = r + k * x, alpha + age, b + x + first
    stages = stage_weights(shape, alpha, t_x, age, k)
    events = sum(w * betainc(n * k - j, shape + j, t / (rate + t)) for j, w in enumerate(stages))
    stays_enough = np.exp(betaln(a, b_x + n - 1) - betaln(a, b_x))
    alive = probability_alive(params, x, t_x, age, k=k, first=first)
    return alive * events / sum(stages) * np.minimum(stays_enough, 1.0)


def sample(
    params: np.ndarray,
    x: np.ndarray,
    t_x: np.ndarray,
    age: np.ndarray,
    t: float,
    rng: np.random.Generator,
    *,
    k: int = 1,
    first: int = 0,
) -> np.ndarray:
    """Draw the purchases within t of accounts that are alive at T."""
    r, alpha, a, b = params
    shape = r + k * x
    stage = np.zeros(np.broadcast(shape, age).shape)
    if k > 1:
        stages = np.cumsum(stage_weights(shape, alpha, t_x, age, k), axis=0)
        stage = (rng.random(stage.shape) * stages[-1] > stages[:-1]).sum(axis=0)
    events = rng.poisson(t * rng.standard_gamma(shape + stage) / (alpha + age))
    bought = np.floor((events + stage) / k)
    chance_of_leaving = rng.beta(np.broadcast_to(a, bought.shape), b + x + first)
    with np.errstate(divide="ignore", over="ignore"):
        # The purchase after which the account leaves: geometric, by inversion.
        last = 1 + np.floor(-rng.standard_exponential(bought.shape) / np.log1p(-chance_of_leaving))
    return np.minimum(bought, last)


class BetaGeometricModel(TransactionModel):
    """What the models of this family share: their four parameters, and the functions above of them."""

    parameters = ("r", "alpha", "a", "b")
    bounds = ((-8.0, 8.0), (-16.0, 12.0), (-8.0, 8.0), (-8.0, 8.0))
    starts = ((0.0, -1.0, -0.5, 1.0), (-1.5, -2.0, -1.0, 1.0))
    limits = ({"a": -8.0, "b": 8.0}, {"r": 8.0})
    k_: int = 1
    """Events of the underlying Poisson process per purchase."""
    _first = 0
    """1 where an account may leave after its first purchase already."""

    def _log_likelihood(
        self, log_params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return log_likelihood(log_params, x, t_x, age, k=self.k_, first=self._first)

    @property
    def _exact(self) -> bool:
        return self.k_ == 1

    def _there(self, rows: Histories) -> np.ndarray:
        return rows.t_x if self._first else np.where(rows.x == 0, rows.T, rows.t_x)

    @property
    def _quick(self) -> bool:
        return self.k_ == 1

    def _summed_likelihood(self, rows: Histories) -> Objective:
        return SummedLikelihood(rows, self._first)

    def _alive(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        return probability_alive(params, x, t_x, age, k=self.k_, first=self._first)

    def _expected(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
        if self.k_ > 1:
            return expected_regular(params, x, t_x, age, t, k=self.k_, first=self._first)
        r, alpha, a, b = params
        if np.ndim(alpha) == np.ndim(t) == 0 and (merged := merge_days((x, age), np.ones(len(x)))):
            # By whole days many histories differ in t_x alone, which does not enter.
            (x, age), _, place = merged
            return expected_new(r + x, alpha + age, a, b + x + self._first, t)[place]
        return expected_new(r + x, alpha + age, a, b + x + self._first, t)

    def _most(self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: Any) -> np.ndarray:
        if self.k_ == 1:
            return super()._most(params, x, t_x, age, t)
        r, alpha = params[:2]
        shape = r + self.k_ * x
        stages = stage_weights(shape, alpha, t_x, age, self.k_)
        stage = sum(j * weight for j, weight in enumerate(stages)) / sum(stages)
        return ((shape + stage) * t / (alpha + age) + stage) / self.k_

    def _survival(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, n: np.ndarray
    ) -> np.ndarray:
        return survival(params, x, t_x, age, t, n, k=self.k_, first=self._first)

    def _sample(
        self, params: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, t: float, rng: np.random.Generator
    ) -> np.ndarray:
        return sample(params, x, t_x, age, t, rng, k=self.k_, first=self._first)
