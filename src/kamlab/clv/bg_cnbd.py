"""BG/CNBD-k and MBG/CNBD-k: accounts that order more regularly than at random, as business customers do.

References
----------
.. [1] Platzer and Reutterer (2016), Ticking away the moments: timing regularity helps to better predict customer
   activity, Marketing Science 35 (5), 779-799.
.. [2] Reutterer, Platzer and Schroeder (2021), Leveraging purchase regularity for predicting customer behavior the easy
   way, International Journal of Research in Marketing 38 (1), 194-215.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kamlab.clv.beta_geometric import BetaGeometricModel
from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS, Purchases, read_purchases
from kamlab.clv.mbg_nbd import MBGNBD
from kamlab.errors import ModelError, first_ids
from kamlab.i18n import N_

LARGEST_K = 4

NOTE_NO_GAPS = N_("The times between purchases are not known, so purchases are taken to come at random.")


class BGCNBD(BetaGeometricModel):
    """BG/CNBD-k model of purchase days [2]_: BG/NBD with Erlang-k times between purchases, k = 1 being BG/NBD.

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, of `log_gaps`' times and of `alpha`.
    k : int, optional
        Regularity, 1 to 4; without it the one of highest likelihood.
    engine : {"kamlab"}
        What finds the optimum.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha, a, b; r and alpha of the rate of events, of which each k-th is a purchase. See `FittedModel` for the
        other attributes.
    k_ : int
        Regularity in force.
    """

    def __init__(
        self, *, unit: str = "week", k: int | None = None, engine: str = "kamlab", penalizer: float = 0.0
    ) -> None:
        super().__init__(unit=unit, engine=engine, penalizer=penalizer)
        self.k = k

    def _check_options(self) -> None:
        super()._check_options()
        if self.k is not None and self.k not in range(1, LARGEST_K + 1):
            raise ModelError(f"k is {self.k}; it must be a whole number from 1 to {LARGEST_K}, or None.")

    def _learn(self, summary: Any) -> Purchases:
        return read_purchases(summary, min_accounts=MIN_ACCOUNTS, min_repeat_buyers=MIN_REPEAT_BUYERS, gaps=True)

    def _fit_histories(self, data: Purchases) -> None:
        """Fit each k and keep the best; `log_gaps` makes their likelihoods comparable."""
        log_gaps, candidates = self._log_gaps(data)
        fits = []
        for self.k_ in candidates:
            super()._fit_histories(data)
            self.log_likelihood_ += (self.k_ - 1) * log_gaps
            fits.append(dict(self.__dict__))
        self.__dict__.update(max(fits, key=lambda fit: fit["log_likelihood_"]))
        if not candidates[1:] and self.k is None:
            self.notes_ += (NOTE_NO_GAPS,)

    def _log_gaps(self, data: Purchases) -> tuple[float, tuple[int, ...]]:
        """Return the sum of `log_gaps` over all accounts, and the k that can be fitted."""
        if self.k == 1:
            return 0.0, (1,)
        unknown = (data.x > 0) & ~np.isfinite(data.log_gaps)
        if self.k is None and unknown.sum() == (data.x > 0).sum():
            return 0.0, (1,)
        if unknown.any():
            raise ModelError(
                f"{int(unknown.sum())} of {len(data.x)} accounts lack log_gaps (first: "
                f"{first_ids(data.account[unknown])}), which regular purchases need. "
                "Take the table that kamlab.summarize returns, or fit with k = 1."
            )
        total = float((data.weight * np.where(data.x > 0, data.log_gaps, 0.0)).sum())
        return total, tuple(range(1, LARGEST_K + 1)) if self.k is None else (self.k,)


class MBGCNBD(BGCNBD):
    """MBG/CNBD-k model of purchase days [1]_, [2]_: `BGCNBD` with a chance of leaving after the first purchase too.

    k = 1 is MBG/NBD. Parameters and attributes are those of `BGCNBD`.
    """

    starts = MBGNBD.starts
    _first = 1
