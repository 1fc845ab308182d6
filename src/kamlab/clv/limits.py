"""No fit stays below its own limiting cases: nobody leaves, all accounts are alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from kamlab.clv.base import Maximum, limit, maximise
from kamlab.clv.climb import Objective
from kamlab.clv.histories import Histories
from kamlab.i18n import N_

NOTE_LIMIT = N_("The model's first fit was worse than its own limiting case, so it was fitted again from there.")

_SLACK = 1e-9
"""By how much of the mean log-likelihood rounding may err."""


def near_limit(
    by_moments: Sequence[float] | np.ndarray, log_params: np.ndarray, held: Mapping[str, float]
) -> np.ndarray:
    """Return where a climb to a limit begins: all rates alike at their mean; or, where nobody leaves, by moments."""
    log_r, log_alpha, *others = log_params
    if "r" in held:
        return np.array([log_r, log_alpha + held["r"] - log_r, *others])
    return np.array([by_moments[0], by_moments[1] + np.log(2), *others])


def alike_at_least(rows: Histories, there: np.ndarray, held: Mapping[str, float]) -> float:
    """Return what the objective cannot fall below where all accounts buy at one rate.

    The times of x purchases at a rate λ have a density of at most λ^x · e^(−λ · time there), whatever became of the
    account; summed over accounts it is highest at λ = purchases / time.
    """
    if "r" not in held:
        return -np.inf
    bought, time = rows.weight @ rows.x, rows.weight @ there
    return float(bought * (1 - np.log(bought / time)) / rows.weight.sum())


def no_worse_than_limits(
    maximum: Maximum,
    objective: Objective,
    names: Sequence[str],
    bounds: Sequence[tuple[float, float]],
    limits: Sequence[Mapping[str, float]],
    n_accounts: float,
    *,
    near: Callable[[np.ndarray, Mapping[str, float]], np.ndarray] | None = None,
    at_least: Callable[[Mapping[str, float]], float] | None = None,
    pilot: Objective | None = None,
    exact: bool = False,
) -> Maximum:
    """Fit the limiting cases too; where one is better than the maximum, climb again from there and note it.

    Parameters
    ----------
    maximum, objective
        See `kamlab.clv.base.maximise`.
    names, bounds
        Of the log parameters.
    limits : sequence of mapping
        For each limiting case the log parameters that are held, and where.
    n_accounts : float
    near : callable, optional
        Log parameters and those held → log parameters from which to climb; without it the maximum's own.
    at_least : callable, optional
        Log parameters held → what the objective cannot fall below in that limit.
    pilot : callable, optional
        The objective of a sample of the rows, on which the climb to a limit begins where there are many.
    exact : bool
        Whether the objective's third value is its matrix of second derivatives.
    """
    for held in limits:
        if at_least is not None and at_least(held) > maximum.value:
            continue
        free = [i for i, name in enumerate(names) if name not in held]
        whole = maximum.log_params.copy() if near is None else near(maximum.log_params, held)
        for name, value in held.items():
            whole[names.index(name)] = value

        square = np.ix_(free, free)

        def restricted(
            of: Objective, part: np.ndarray, whole: np.ndarray = whole, free: Any = free, square: Any = square
        ) -> Any:
            whole[free] = part
            value, gradient, curvature = of(whole)
            return value, gradient[free], curvature[square]

        start, inner = whole[free], [bounds[i] for i in free]
        if pilot is not None:
            start = limit(partial(restricted, pilot), start, inner, pilot(maximum.log_params)[0], exact=exact).at
        found = limit(partial(restricted, objective), start, inner, maximum.value, exact=exact)
        if found.value < maximum.value - _SLACK:
            whole[free] = found.at
            again = maximise(objective, starts=[whole], bounds=bounds, n_accounts=n_accounts, exact=exact)
            maximum = replace(again, notes=(NOTE_LIMIT, *again.notes), density=maximum.density)
    return maximum
