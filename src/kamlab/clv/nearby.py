"""A smooth function of log parameters at draws that lie close together: taken at a few of them, and between these."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CLOSE = 0.05
"""Standard deviation of log parameters up to which a parabola along each axis serves: terms of third order are left."""

_REACH = 2.0
"""Where each axis is looked at, in standard deviations of the draws along it."""


def are_close(params: np.ndarray) -> bool:
    """Say whether so many parameter draws, shape (draws, parameters), lie so close together that it is worth while."""
    n_draws, n_params = params.shape
    if n_draws < 4 * n_params or not (params > 0).all():
        return False
    return bool(np.log(params).std(axis=0).max() <= CLOSE)


def at_draws(function: Callable[[np.ndarray], np.ndarray], params: np.ndarray) -> np.ndarray:
    """Return a function of the parameters at each of the draws, by a parabola along each principal axis of their logs.

    The interpolation knows nothing of how two axes act together, whose share in it is of the order of the draws'
    variance (`CLOSE` squared).

    Parameters
    ----------
    function : callable
        Parameters of shape (parameters, n) → values of shape (rows, n).
    params : numpy.ndarray
        Shape (draws, parameters), above 0.

    Returns
    -------
    numpy.ndarray
        Shape (rows, draws).
    """
    logs = np.log(params)
    centre = logs.mean(axis=0)
    _, lengths, axes = np.linalg.svd((logs - centre) / np.sqrt(len(logs)), full_matrices=False)
    place = (logs - centre) @ axes.T / np.maximum(lengths, np.finfo(float).tiny)
    step = _REACH * lengths[:, None] * axes
    found = function(np.exp(np.vstack([centre, centre + step, centre - step])).T)
    middle, (above, below) = found[:, :1], np.split(found[:, 1:], 2, axis=1)
    slope, bend = (above - below) / (2 * _REACH), (above + below - 2 * middle) / (2 * _REACH**2)
    return np.hstack([middle, slope, bend]) @ np.hstack([np.ones((len(logs), 1)), place, place**2]).T
