"""The likelihood of the Pareto/NBD summed over histories, with its first and second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial.legendre import leggauss

from kamlab.clv.sums import CountTerms, logistic

if TYPE_CHECKING:
    from kamlab.clv.histories import Histories

NODES, WEIGHTS = leggauss(24)
NEGLIGIBLE = 40.0
"""The integrand is cut where it has fallen by e^-40."""

_CHUNK = 1024
"""Histories integrated at a time: their nodes fit into the processor's cache."""


class SummedLikelihood:
    """Mean log-likelihood of weighted histories, as `pareto_nbd.log_likelihood` gives it for each.

    A history's likelihood is a mixture: of staying until T, and of leaving at each node of the integral between t_x and
    T. With g an outcome's derivatives and h its second ones, in logs, those of the mixture are the means E[g] and
    E[h] + E[g g'] − E[g] E[g]' over the outcomes.

    Parameters
    ----------
    rows : Histories
    """

    def __init__(self, rows: Histories) -> None:
        share = rows.weight / rows.weight.sum()
        self._counts = CountTerms([rows.x], [1.0], share)
        columns = (rows.x, rows.t_x, rows.T, share)
        starts = range(0, len(share), _CHUNK)
        self._chunks = [tuple(column[start : start + _CHUNK] for column in columns) for start in starts]
        size = 4, len(NODES), min(len(share), _CHUNK)
        self._at, self._weighted = np.empty(size), np.empty(size)

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value, its gradient by the log parameters, shape (4,), and second derivatives, shape (4, 4)."""
        params = np.exp(log_params)
        r, alpha, s, beta = params.tolist()
        value, (by_r,), (by_rr,) = self._counts(r)
        value += r * float(log_params[1]) + s * float(log_params[3])
        gradient = np.array([by_r + log_params[1], r / alpha, log_params[3], s / beta])
        second = np.array(
            [
                [by_rr, 1 / alpha, 0.0, 0.0],
                [1 / alpha, -r / alpha**2, 0.0, 0.0],
                [0.0, 0.0, 0.0, 1 / beta],
                [0.0, 0.0, 1 / beta, -s / beta**2],
            ]
        )
        for chunk in self._chunks:
            of_chunk, slopes, bends = self._mixtures(r, alpha, s, beta, *chunk)
            value += of_chunk
            gradient += slopes
            second += bends
        gradient *= params
        second *= np.multiply.outer(params, params)
        second.flat[::5] += gradient
        return float(value), gradient, second

    def _mixtures(
        self, r: float, alpha: float, s: float, beta: float, *rows: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return Σ share · ln(staying + leaving) over rows (x, t_x, T, share), and its derivatives."""
        x, t_x, age, share = rows
        shape, last = x + r, s + 1
        log_left, nodes = self._leaving(shape, alpha, s, beta, t_x, age)
        staying = np.stack([alpha + age, beta + age])
        (log_alpha, log_beta), (per_alpha, per_beta) = np.log(staying), 1 / staying
        stay = -shape * log_alpha - s * log_beta
        p_left, p_stay, either = logistic(log_left - stay)
        left, stayed = share * p_left, share * p_stay
        nodes *= left

        at, weighted = self._at[:, :, : len(x)], self._weighted[:, :, : len(x)]
        np.multiply(at, nodes, out=weighted)
        sign = np.array([-1.0, -1.0, -1.0, -last])
        of_leaving = sign[:, None] * weighted.sum(axis=1)
        moments = weighted.reshape(4, -1) @ at.reshape(4, -1).T
        bends = sign[:, None] * moments * sign
        sums = of_leaving.sum(axis=1)
        # Leaving has the factor s, whose derivative is the same at every node.
        bends[2] += sums / s
        bends[:, 2] += sums / s
        of_leaving[2] += left / s
        if_staying = np.stack([-log_alpha, -shape * per_alpha, -log_beta, -s * per_beta])
        of_staying = stayed * if_staying
        both = of_leaving + of_staying
        bends += of_staying @ if_staying.T - (both / share) @ both.T

        # The outcomes' own second derivatives; those by s of leaving cancel against the square of its factor.
        r_alpha = float((of_leaving[1] + of_staying[1]) @ (1 / shape))
        squares = np.einsum("ij,ij->j", weighted[1], at[1]) + stayed * if_staying[1] ** 2
        s_beta = float(sums[3]) / last - float(stayed @ per_beta)
        bends[0, 1] += r_alpha
        bends[1, 0] += r_alpha
        bends[1, 1] += float(squares @ (1 / shape))
        bends[2, 3] += s_beta
        bends[3, 2] += s_beta
        bends[3, 3] += last * float(moments[3, 3]) + s * float(stayed @ per_beta**2)
        return float(share @ (stay + either)), both.sum(axis=1), bends

    def _leaving(
        self, shape: np.ndarray, alpha: float, s: float, beta: float, t_x: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Integrate s · (alpha + t)^-shape · (beta + t)^-(s + 1) over t from t_x to T, as `pareto_nbd._left` does.

        Returns
        -------
        tuple
            Log of the integral, shape (n,), and the nodes' shares of it, shape (24, n). Into the buffer go, by nodes,
            ln(alpha + t), shape / (alpha + t), ln(beta + t) and 1 / (beta + t).
        """
        at = self._at[:, :, : len(shape)]
        # y is the log of the distance to the nearer pole, so that one's logarithm and inverse need no function.
        poles: list[tuple[float, Any, np.ndarray]] = [(alpha, shape, at[:2]), (beta, s + 1, at[2:])]
        (near, near_power, to_near), (far, far_power, to_far) = poles if alpha <= beta else poles[::-1]
        begin = near + t_x
        begin_far = begin + (far - near)
        log_begin, log_begin_far = np.log(begin), np.log(begin_far)
        decay = near_power + far_power * begin / begin_far - 1
        reach = np.minimum(np.log1p((age - t_x) / begin), NEGLIGIBLE / np.maximum(decay, 1e-9))
        y = np.multiply.outer((1 + NODES) / 2, reach)
        grown = np.exp(y)
        grown *= begin
        np.divide(1.0, grown, out=to_near[1])
        grown += far - near
        np.log(grown, out=to_far[0])
        np.divide(1.0, grown, out=to_far[1])
        np.add(y, log_begin, out=to_near[0])
        # Relative to the integrand at t_x.
        y *= 1 - near_power
        y -= far_power * (to_far[0] - log_begin_far)
        nodes = np.exp(y, out=y)
        nodes *= WEIGHTS[:, None]
        total = nodes.sum(axis=0)
        nodes /= total
        at[1] *= shape
        with np.errstate(divide="ignore"):
            log_integral = np.log(total * reach * begin * (s / 2))
        return log_integral - near_power * log_begin - far_power * log_begin_far, nodes
