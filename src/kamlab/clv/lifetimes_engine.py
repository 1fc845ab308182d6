"""The only importer of lifetimes: calls its fitters and undoes what the library does to the process.

lifetimes 0.11.3 sets a global option of pandas and adds warning filters when it is imported and at every step of a
fit, and prints the optimiser's result when it fails; none of that leaves this module.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from threading import Lock

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    _chained_assignment = pd.get_option("mode.chained_assignment")
    try:
        from lifetimes import BetaGeoFitter, GammaGammaFitter
    finally:
        pd.set_option("mode.chained_assignment", _chained_assignment)

_ALONE = Lock()
"""What a fit changes for the process, another thread must not find changed, nor change back too early."""


def fit_bg_nbd(*histories: np.ndarray, penalizer: float) -> np.ndarray | None:
    """Return lifetimes' (r, alpha, a, b) in the unit of `age`, or None where it does not converge.

    `histories` are frequency, recency and age, and the rows' weights where they are not 1.
    """
    return _fit(BetaGeoFitter(penalizer), ("r", "alpha", "a", "b"), *histories)


def fit_gamma_gamma(*spend: np.ndarray, penalizer: float) -> np.ndarray | None:
    """Return lifetimes' (p, q, v) in the unit of the mean values, or None where it does not converge.

    `spend` is frequency and mean value, and the rows' weights where they are not 1.
    """
    return _fit(GammaGammaFitter(penalizer), ("p", "q", "v"), *spend)


def _fit(fitter: BetaGeoFitter | GammaGammaFitter, names: tuple[str, ...], *data: np.ndarray) -> np.ndarray | None:
    with (
        _ALONE,
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        redirect_stdout(io.StringIO()),
        threadpool_limits(1),
    ):
        warnings.simplefilter("ignore")
        try:
            fitter.fit(*data)
        except (ValueError, np.linalg.LinAlgError):  # its ConvergenceError is a ValueError
            return None
    params = fitter.params_[list(names)].to_numpy(dtype=float)
    return params if np.isfinite(params).all() and (params > 0).all() else None
