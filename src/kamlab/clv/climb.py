"""Ways to the top of a likelihood within bounds: scoring, or Newton's steps where second derivatives are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf
from scipy.optimize import minimize
from threadpoolctl import LibController, ThreadpoolController

from kamlab.errors import ModelError

GRADIENT_TOLERANCE = 1e-5
"""Largest slope of the mean log-likelihood per log parameter at what is called a maximum."""

ROUGH, FINE, SHARP = 1e-3, 1e-4, 1e-9
"""Slopes at which a climb ends: where starts are compared, where Newton's steps follow, and where these end."""

MOST_STEPS = 40
LONGEST_STEP = 2.0
"""Of a log parameter at a time."""

LARGEST_LOG_SD = 1.0
"""A direction along which the data leave a larger standard deviation than this is called open."""

_ROUNDING = 1e-13
"""By how much the objective may err relative to 1 or to itself."""

_AT_BOUND = 1e-9

_SAME_HILL = 1e-4
"""Rough climbs on a pilot that end at heights less apart have probably reached one top."""

Bounds = Sequence[tuple[float, float]]
Local = tuple[float, np.ndarray, np.ndarray]

Objective = Callable[[np.ndarray], Local]
"""Log parameters → mean negative log-likelihood per account (plus penalty), its gradient, and either the matrix of its
second derivatives (an `exact` objective) or what stands in for it: the mean outer product of the accounts' own
gradients, plus the penalty's curvature."""


class Point(NamedTuple):
    """Log parameters, the objective there, the largest slope that the bounds do not hold back, and the curvature."""

    at: np.ndarray
    value: float
    slope: float
    curvature: np.ndarray


@cache
def _libraries() -> list[LibController]:
    # Looking for them anew would take longer than a small fit.
    return ThreadpoolController().select(user_api="blas").lib_controllers


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra on one thread: several slow these small sums down."""
    before = [(library, library.num_threads) for library in _libraries()]
    try:
        for library, _ in before:
            library.set_num_threads(1)
        yield
    finally:
        for library, threads in before:
            library.set_num_threads(threads)


def climb(
    objective: Objective,
    start: np.ndarray,
    bounds: Bounds,
    tolerance: float,
    *,
    wanted: float = np.inf,
    exact: bool = False,
) -> Point:
    """Climb by damped Newton steps, or by scoring (Berndt, Hall, Hall and Hausman 1974); by L-BFGS-B where stuck.

    The climb ends where the slope is under the tolerance, or where `wanted` is ten times as far off as the slope and
    the curvature promise.
    """
    lower, upper = np.asarray(bounds, dtype=float).T
    at = np.clip(start, lower, upper)
    value, gradient, curvature = objective(at)
    free = everything = np.ones(len(at), dtype=bool)
    at_bound = not ((at > lower) & (at < upper)).all()
    damping, longest, failures = 1e-3, LONGEST_STEP, 0
    for _ in range(MOST_STEPS):
        if at_bound:
            low, high = at <= lower, at >= upper
            free = ~((low & (gradient > 0)) | (high & (gradient < 0)))
        slope = float(np.abs(gradient[free] if at_bound else gradient).max(initial=0.0))
        if slope < tolerance or not np.isfinite(value):
            break
        step = _step(gradient, curvature, free, None if exact else damping)
        if at_bound:
            outwards = (low & (step < 0)) | (high & (step > 0))
            step = _step(gradient, curvature, free & ~outwards, None if exact else damping)
        if value + 5 * gradient @ step > wanted:
            break
        trial, meets = _within(at, step, longest, lower, upper)
        there = objective(trial)
        level = abs(there[0] - value) <= _ROUNDING * (1 + abs(value)) and np.abs(there[1][free]).max() < slope
        if there[0] < value or level:
            (value, gradient, curvature), at, at_bound, free = there, trial, meets, everything
            damping, longest, failures = max(damping / 10, 1e-9), min(2 * longest, LONGEST_STEP), 0
        else:
            damping, longest, failures = 10 * damping, np.abs(trial - at).max() / 4 if exact else longest, failures + 1
            # Where it slopes so little, rounding may hide what is still to be gained.
            if failures == (3 if slope < GRADIENT_TOLERANCE else 10):
                break
    if slope < max(tolerance, GRADIENT_TOLERANCE) or not np.isfinite(value) or np.isfinite(wanted):
        return Point(at, value, slope, curvature)
    options = {"maxiter": 2000, "maxfun": 5000, "ftol": 1e-15, "gtol": tolerance / 10, "maxcor": 20}
    found = minimize(lambda p: objective(p)[:2], at, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    value, gradient, curvature = objective(found.x)
    held = ((found.x <= lower) & (gradient > 0)) | ((found.x >= upper) & (gradient < 0))
    return Point(found.x, value, float(np.abs(np.where(held, 0.0, gradient)).max()), curvature)


def _step(gradient: np.ndarray, curvature: np.ndarray, free: np.ndarray, damping: float | None) -> np.ndarray:
    """Return a step of the free log parameters: of scoring with a damping, of Newton without one."""
    step = np.zeros_like(gradient)
    if not free.any():
        return step
    matrix, sloping = (curvature, gradient) if free.all() else (curvature[free][:, free], gradient[free])
    if damping is not None:
        step[free] = -np.linalg.solve(matrix + np.diag(damping * np.diag(matrix) + 1e-12), sloping)
        return step
    _, newton, failed = dposv(matrix, sloping)
    if failed:
        # Where the likelihood bends upwards a step goes uphill too, the further the less it bends.
        values, vectors = np.linalg.eigh(matrix)
        newton = vectors @ ((sloping @ vectors) / (np.abs(values) + 1e-12))
    step[free] = -newton
    return step


def _within(
    at: np.ndarray, step: np.ndarray, longest: float, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Go a step, no longer than allowed and no further than to the first bound in its way; say if it meets one."""
    furthest = float(np.abs(step).max(initial=0.0))
    length = longest / furthest if furthest > longest else 1.0
    trial = at + length * step
    if ((trial > lower) & (trial < upper)).all():
        return trial, False
    moving = step != 0
    room = np.where(step > 0, upper, lower)[moving] - at[moving]
    trial = np.clip(at + min(length, float((room / step[moving]).min(initial=1.0))) * step, lower, upper)
    return np.where(trial - lower < _AT_BOUND, lower, np.where(upper - trial < _AT_BOUND, upper, trial)), True


def highest(objective: Objective, starts: Sequence[np.ndarray], bounds: Bounds, exact: bool) -> Point:
    """Climb roughly from each start; return the highest point reached."""
    reached = [climb(objective, start, bounds, ROUGH, exact=exact) for start in starts]
    return min(_finite(reached), key=lambda point: point.value)


def _finite(points: Sequence[Point]) -> list[Point]:
    finite = [point for point in points if np.isfinite(point.value)]
    if not finite:
        raise ModelError(
            "The likelihood is not finite anywhere near plausible parameters. "
            "Check the summary for counts or times of absurd size."
        )
    return finite


def newton_top(
    objective: Objective, starts: Sequence[np.ndarray], bounds: Bounds, n_accounts: float, pilots: Sequence[Objective]
) -> Point:
    """Return the top of an exact objective.

    The climb begins at the last start, which knows the most of the data, and goes over the pilots, where there are any.
    Where it ends in doubt (at a bound, or open in some direction) the others are climbed from too, on the first pilot
    where there is one, and the highest top counts.
    """
    *others, last = starts
    if not pilots:
        top = climb(objective, last, bounds, SHARP, exact=True)
        if is_doubtful(top, bounds, n_accounts):
            tops = [climb(objective, start, bounds, SHARP, exact=True) for start in others]
            top = min(_finite([top, *tops]), key=_height)
        return top
    begin = near = climb(pilots[0], last, bounds, ROUGH, exact=True)
    for larger in pilots[1:]:
        near = climb(larger, near.at, bounds, FINE, exact=True)
    top = climb(objective, near.at, bounds, SHARP, exact=True)
    if is_doubtful(top, bounds, n_accounts):
        if near is not begin:
            # A sample may show nobody leaving where all rows do, or the reverse.
            top = min(top, climb(objective, begin.at, bounds, SHARP, exact=True), key=_height)
        other = highest(pilots[0], starts, bounds, exact=True)
        if not other.value >= begin.value - _SAME_HILL:
            top = min(top, climb(objective, other.at, bounds, SHARP, exact=True), key=_height)
    return _finite([top])[0]


def _height(point: Point) -> float:
    # Tops that differ by rounding alone are one.
    return round(point.value, 12)


def is_doubtful(point: Point, bounds: Bounds, n_accounts: float) -> bool:
    """Say whether a point is no clear maximum: sloping, at a bound, or hardly curved in some direction."""
    if not point.slope < GRADIENT_TOLERANCE or not inside(point.at, bounds).all():
        return True
    least = np.eye(len(point.at)) / (n_accounts * LARGEST_LOG_SD**2)
    return bool(dpotrf(point.curvature - least)[1])


def inside(at: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Return which log parameters stand clear of their bounds."""
    lower, upper = np.asarray(bounds, dtype=float).T
    return (at > lower + 1e-6) & (at < upper - 1e-6)


def sharpened(objective: Objective, point: Point, bounds: Bounds) -> Point:
    """Take Newton's steps to the maximum near a point, with second derivatives by differences; return them with it."""
    second = second_derivatives(objective, point.at)
    free = inside(point.at, bounds)
    curvature = second[np.ix_(free, free)]
    if free.any() and np.linalg.eigvalsh(curvature)[0] > 1e-8:
        start = point.at
        gradient = objective(start)[1]
        for _ in range(4):
            at = point.at.copy()
            at[free] -= np.linalg.solve(curvature, gradient[free])
            value, gradient, _ = objective(at)
            slope = float(np.abs(gradient[free]).max())
            if not (
                slope < point.slope and inside(at[free], [b for b, f in zip(bounds, free, strict=True) if f]).all()
            ):
                break
            point = Point(at, value, slope, second)
            if slope < SHARP:
                break
        if np.abs(point.at - start).max() > 1e-4:
            second = second_derivatives(objective, point.at)
    if point.slope >= GRADIENT_TOLERANCE:
        point = climb(objective, point.at, bounds, GRADIENT_TOLERANCE / 10)
        second = second_derivatives(objective, point.at)
    return point._replace(curvature=second)


def with_prior(objective: Objective, centre: np.ndarray, sd: float | Sequence[float], n_accounts: float) -> Objective:
    """Add independent normal priors of the log parameters, with one standard deviation or one for each."""
    precision = 1 / (np.broadcast_to(np.asarray(sd, dtype=float), centre.shape) ** 2 * n_accounts)

    def penalised(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, outer = objective(log_params)
        off = log_params - centre
        return value + 0.5 * float(precision @ off**2), gradient + precision * off, outer + np.diag(precision)

    return penalised


def second_derivatives(objective: Objective, at: np.ndarray) -> np.ndarray:
    """Return the objective's matrix of second derivatives by central differences of its gradient."""
    step = 1e-5
    rows = [(objective(at + step * unit)[1] - objective(at - step * unit)[1]) / (2 * step) for unit in np.eye(len(at))]
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2
