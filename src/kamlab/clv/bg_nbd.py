"""BG/NBD: purchases by a gamma-Poisson process, and a beta-distributed chance of leaving after each purchase.

References
----------
.. [1] Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model,
   Marketing Science 24 (2), 275-284.
"""

from __future__ import annotations

import numpy as np

from kamlab.clv import lifetimes_engine
from kamlab.clv.beta_geometric import BetaGeometricModel
from kamlab.clv.transactions import Histories
from kamlab.i18n import N_

NOTE_ONE_TIME = N_("BG/NBD takes every one-time buyer for active: P(alive) is 1 there, however long the silence.")


class BGNBD(BetaGeometricModel):
    """BG/NBD model of purchase days [1]_.

    P(alive) and the expected purchases of an account are its equations (6) and (10), those of a new customer its
    equation (9).

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha`.
    engine : {"lifetimes", "kamlab"}
        What finds the optimum; kamlab sharpens that of lifetimes, and takes over where lifetimes fails.
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

    engines = ("lifetimes", "kamlab")

    def __init__(self, *, unit: str = "week", engine: str = "lifetimes", penalizer: float = 0.0) -> None:
        super().__init__(unit=unit, engine=engine, penalizer=penalizer)

    def _ask_engine(self, rows: Histories) -> np.ndarray | None:
        return lifetimes_engine.fit_bg_nbd(*rows, penalizer=self.penalizer)

    def _remarks(self, rows: Histories) -> tuple[str, ...]:
        return (NOTE_ONE_TIME,) if (rows.x == 0).any() else ()
