"""The likelihood of BG/NBD and MBG/NBD summed over histories, with its first and second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kamlab.clv.sums import CountTerms, logistic

if TYPE_CHECKING:
    from kamlab.clv.histories import Histories


class SummedLikelihood:
    """Mean log-likelihood of weighted histories, as `beta_geometric.log_likelihood` with k = 1 gives it for each.

    Beside what the count alone decides a history has one logistic function of the odds of having left, from which both
    derivatives follow.

    Arrays of a few hundred histories are computed faster than numpy is called, so what can is computed in one call.

    Parameters
    ----------
    rows : Histories
    first : int
        1 where an account may leave after its first purchase already.
    """

    def __init__(self, rows: Histories, first: int) -> None:
        survived = rows.x + first
        self._x, self._share = rows.x, rows.weight / rows.weight.sum()
        # Who has not had a chance to leave has odds of 0.
        could_leave = np.where(survived > 0, np.maximum(survived, 1) - 1, np.inf)
        self._before = np.stack([rows.T, rows.t_x, could_leave])
        self._weights = np.stack([self._share, self._share * rows.x])
        # Of gamma(r + x) / gamma(r), and of beta(a, b + x) / beta(a, b).
        self._counts = CountTerms([rows.x, survived, survived], [1.0, 1.0, -1.0], self._share)
        self._features, self._of_staying = np.ones((7, len(rows.x))), np.empty((3, len(rows.x)))

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value, its gradient by the log parameters, shape (4,), and second derivatives, shape (4, 4)."""
        r, alpha, a, b = np.exp(log_params).tolist()
        _, log_alpha, log_a, _ = log_params.tolist()
        of_count, (by_r, by_b, by_ab), (by_rr, by_bb, by_abab) = self._counts(r, b, a + b)

        at = self._before + np.array([[alpha], [alpha], [b]])
        shape, logs, inverse = self._x + r, np.log(at), 1 / at
        # The log odds' derivatives by r, alpha, a · a and −b; and what their second ones need.
        features = self._features
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
        left = self._share * p_left
        slopes = features[:4]
        mixed = ((slopes * (left * p_stay)) @ slopes.T).tolist()
        d_r, d_alpha, of_left, of_b, ratio_alpha, d_alpha_alpha, of_b_b = (features @ left).tolist()

        # As if all stayed; who left differs from that by the log odds.
        of_staying = self._of_staying
        of_staying[0], of_staying[1] = logs[0], inverse[0]
        np.multiply(inverse[0], inverse[0], out=of_staying[2])
        (log_T, per_T, per_T_T), (x_log_T, x_per_T, x_per_T_T) = (self._weights @ of_staying.T).tolist()
        value = float(self._share @ either) - r * log_T - x_log_T
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
        second += np.triu(second, 1).T
        second.flat[::5] += gradient
        return of_count + r * log_alpha + value, np.array(gradient), second
