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
        self._before = np.stack([rows.T, rows.t_x, np.maximum(survived, 1) - 1])
        self._could_leave = np.where(survived > 0, 0.0, -np.inf)
        # Of gamma(r + x) / gamma(r), and of beta(a, b + x) / beta(a, b).
        self._counts = CountTerms([rows.x, survived, survived], [1.0, 1.0, -1.0], self._share)
        self._slopes, self._outcomes = np.ones((4, len(rows.x))), np.empty((2, len(rows.x)))

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value, its gradient by the log parameters, shape (4,), and second derivatives, shape (4, 4)."""
        params = np.exp(log_params)
        r, alpha, a, b = params.tolist()
        log_alpha, log_a, _ = log_params[1:].tolist()
        of_count, (by_r, by_b, by_ab), (by_rr, by_bb, by_abab) = self._counts(r, b, a + b)

        share, shape = self._share, self._x + r
        at = self._before + np.array([[alpha], [alpha], [b]])
        logs, inverse = np.log(at), 1 / at
        (log_staying, log_leaving, log_b), inverse_b = logs, inverse[2]
        log_ratio = log_staying - log_leaving
        log_odds = shape * log_ratio - log_b + (self._could_leave + log_a)
        p_left, p_stay, either = logistic(log_odds)
        left = share * p_left
        value = float(share @ (either - shape * log_staying))

        # The log odds' derivatives by r, alpha, a · a and −b.
        slopes = self._slopes
        slopes[0], slopes[1], slopes[3] = log_ratio, shape * (inverse[0] - inverse[1]), inverse_b
        mixed = (slopes * (left * p_stay)) @ slopes.T
        outcomes = self._outcomes
        outcomes[0], outcomes[1] = share - left, left
        once = outcomes * inverse[:2]
        twice = once * inverse[:2]
        of_left, of_b = float(left.sum()), left * inverse_b
        r_alpha = 1 / alpha - float(once.sum())
        gradient = params * np.array(
            [
                by_r + log_alpha - float(np.vdot(outcomes, logs[:2])),
                (r - alpha * float((once @ shape).sum())) / alpha,
                by_ab + of_left / a,
                by_b + by_ab - float(of_b.sum()),
            ]
        )
        alpha_alpha = float((twice @ shape).sum()) - r / alpha**2
        b_b = by_bb + by_abab + float(of_b @ inverse_b)
        straight = [
            [by_rr, r_alpha, 0.0, 0.0],
            [r_alpha, alpha_alpha, 0.0, 0.0],
            [0.0, 0.0, by_abab - of_left / a**2, by_abab],
            [0.0, 0.0, by_abab, b_b],
        ]
        signed = params * np.array([1.0, 1.0, 1 / a, -1.0])
        second = signed[:, None] * mixed * signed + params[:, None] * np.array(straight) * params
        second.flat[::5] += gradient
        return of_count + r * log_alpha + value, gradient, second
