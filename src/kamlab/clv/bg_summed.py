"""The likelihood of BG/NBD and MBG/NBD summed over histories, with its first and second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kamlab.clv.sums import CountTerms, logistic

if TYPE_CHECKING:
    from kamlab.clv.histories import Histories

_CHUNK = 8192
"""Histories summed at a time."""


class SummedLikelihood:
    """Mean log-likelihood of weighted histories, as `beta_geometric.log_likelihood` with k = 1 gives it for each.

    Beside what the count alone decides a history has one logistic function of the odds of having left, from which both
    derivatives follow.

    Arrays of a few hundred histories are computed faster than numpy is called, so what can is computed in one call.
    Many are computed some at a time, whose columns stay in the processor's cache.

    Parameters
    ----------
    rows : Histories
    first : int
        1 where an account may leave after its first purchase already.
    """

    def __init__(self, rows: Histories, first: int) -> None:
        survived = rows.x + 1 if first else rows.x
        share = rows.weight / rows.weight.sum()
        # Of gamma(r + x) / gamma(r), and of beta(a, b + x) / beta(a, b).
        self._counts = CountTerms([rows.x, survived, survived], [1.0, 1.0, -1.0], share)
        # Who has not had a chance to leave has odds of 0.
        could_leave = np.where(survived > 0, np.maximum(survived, 1) - 1, np.inf)
        before = np.stack([rows.T, rows.t_x, could_leave])
        weights = np.stack([share, share * rows.x])
        parts = [slice(start, start + _CHUNK) for start in range(0, len(share), _CHUNK)]
        self._chunks = [(rows.x[part], before[:, part], weights[:, part]) for part in parts]
        size = min(len(share), _CHUNK)
        self._features, self._of_staying = np.ones((7, size)), np.empty((3, size))

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value, its gradient by the log parameters, shape (4,), and second derivatives, shape (4, 4)."""
        r, alpha, a, b = np.exp(log_params).tolist()
        _, log_alpha, log_a, _ = log_params.tolist()
        of_count, (by_r, by_b, by_ab), (by_rr, by_bb, by_abab) = self._counts(r, b, a + b)

        of_chunks = [self._sums(r, alpha, log_a, b, *chunk) for chunk in self._chunks]
        value, *sums = of_chunks[0] if len(of_chunks) == 1 else [sum(parts) for parts in zip(*of_chunks, strict=True)]
        mixed, of_leaving, of_staying = (part.tolist() for part in sums)
        d_r, d_alpha, of_left, of_b, ratio_alpha, d_alpha_alpha, of_b_b = of_leaving
        (log_T, per_T, per_T_T), (x_log_T, x_per_T, x_per_T_T) = of_staying
        value -= r * log_T + x_log_T
        gradient = [
            r * (by_r + log_alpha - log_T + d_r),
            r - alpha * (r * per_T + x_per_T - d_alpha),
            a * by_ab + of_left,
            b * (by_b + by_ab - of_b),
        ]
        r_alpha = 1 / alpha - per_T + ratio_alpha
        alpha_alpha = r * per_T_T + x_per_T_T - d_alpha_alpha - r / alpha**2
        second = np.array(
            [
                [
                    r * r * (mixed[0][0] + by_rr),
                    r * alpha * (mixed[0][1] + r_alpha),
                    r * mixed[0][2],
                    -r * b * mixed[0][3],
                ],
                [0.0, alpha * alpha * (mixed[1][1] + alpha_alpha), alpha * mixed[1][2], -alpha * b * mixed[1][3]],
                [0.0, 0.0, mixed[2][2] + a * a * by_abab - of_left, a * b * by_abab - b * mixed[2][3]],
                [0.0, 0.0, 0.0, b * b * (mixed[3][3] + by_bb + by_abab + of_b_b)],
            ]
        )
        # Mirrored, the diagonal counts twice; np.triu would cost as much as all of these sums.
        second.flat[::5] *= 0.5
        second += second.T
        second.flat[::5] += gradient
        return of_count + r * log_alpha + value, np.array(gradient), second

    def _sums(
        self, r: float, alpha: float, log_a: float, b: float, x: np.ndarray, before: np.ndarray, weights: np.ndarray
    ) -> tuple[Any, ...]:
        """Return what is summed over histories by weight.

        That is ln(1 + odds of having left); the products of the log odds' derivatives, shape (4, 4); these and what
        their second ones need, shape (7,); and the terms of staying, once and by purchases, shape (2, 3).
        """
        at = before + np.array([[alpha], [alpha], [b]])
        shape, logs, inverse = x + r, np.log(at), 1 / at
        # The log odds' derivatives by r, alpha, a · a and −b; and what their second ones need.
        features = self._features[:, : len(x)]
        np.subtract(logs[0], logs[1], out=features[0])
        np.subtract(inverse[0], inverse[1], out=features[4])
        np.multiply(shape, features[4], out=features[1])
        features[3] = inverse[2]
        np.multiply(features[1], inverse[0] + inverse[1], out=features[5])
        np.multiply(inverse[2], inverse[2], out=features[6])
        log_odds = shape * features[0]
        log_odds -= logs[2]
        log_odds += log_a
        p_left, p_stay, either = logistic(log_odds)
        left = weights[0] * p_left
        slopes = features[:4]
        mixed = (slopes * (left * p_stay)) @ slopes.T

        # As if all stayed; who left differs from that by the log odds.
        of_staying = self._of_staying[:, : len(x)]
        of_staying[0], of_staying[1] = logs[0], inverse[0]
        np.multiply(inverse[0], inverse[0], out=of_staying[2])
        return float(weights[0] @ either), mixed, features @ left, weights @ of_staying.T
