"""MBG/NBD: BG/NBD with a chance of leaving after the first purchase too, so that one-time buyers can be gone.

References
----------
.. [1] Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
   analysis, International Journal of Research in Marketing 24 (3), 201-209.
.. [2] Hoppe and Wagner (2007), Customer base analysis: the case for a central variant of the betageometric/NBD model,
   Marketing Journal of Research and Management 3 (2), 75-90.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kamlab.clv.base import NOTE_FEW, maximise
from kamlab.clv.beta_geometric import BetaGeometricModel
from kamlab.clv.checks import read_purchases
from kamlab.clv.climb import one_thread, with_prior
from kamlab.clv.histories import distinct
from kamlab.clv.saving import data_hash
from kamlab.period import DAYS_PER_YEAR, days_to_units

FEW_PRIOR_SD = 1.0
"""Standard deviation of the log parameters' prior where accounts are few: a factor of e either way."""
FEW_PRIOR_YEARS = 0.5
"""The prior's rate is that of all accounts together, as if one more had bought at one a year for half a year."""


class MBGNBD(BetaGeometricModel):
    """MBG/NBD model of purchase days [1]_, [2]_.

    An account that is alive after x repeat purchases has survived x + 1 chances of leaving, so its future is that of a
    new BG/NBD customer with parameters (r + x, alpha + T, a, b + x + 1).

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha`.
    engine : {"kamlab"}
        What finds the optimum.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha, a, b. See `FittedModel` for the other attributes.
    """

    # The second one: most never leave, and a few at once.
    starts = ((0.0, -1.0, -0.5, 1.0), (-0.5, -1.5, -3.0, -2.0))
    _first = 1

    def fit_few(self, summary: Any) -> Self:
        """Fit to any number of accounts, even one without a repeat purchase; a prior fills in what they do not show.

        The log parameters are normal with standard deviation 1 around r = 1, alpha at the accounts' common rate, and
        the a and b from which `fit` starts; `params_` is the mode of the posterior, and `covariance_` its spread there.

        Parameters
        ----------
        summary : table
            Columns account, frequency, recency and T (in `unit`), and optionally weight.

        Raises
        ------
        ModelError
            If histories are impossible.
        """
        self._check_options()
        data = read_purchases(summary)
        rows, _ = distinct(data)
        longest = max(float(rows.T.max()), 1.0)
        scaled = rows._replace(t_x=rows.t_x / longest, T=rows.T / longest)
        year = days_to_units(DAYS_PER_YEAR, self.unit) / longest
        bought, known = rows.weight @ rows.x + FEW_PRIOR_YEARS, rows.weight @ scaled.T + FEW_PRIOR_YEARS * year
        centre = np.array([0.0, np.log(known / bought), *self.starts[0][2:]])
        total = float(rows.weight.sum())
        objective = with_prior(self._objective(scaled), centre, FEW_PRIOR_SD, total)
        with one_thread():
            maximum = maximise(objective, starts=[centre], bounds=self.bounds, n_accounts=total, exact=self._exact)
        params = self._keep(self.parameters, maximum, np.array([0.0, np.log(longest), 0.0, 0.0]), len(data.x))
        self.log_likelihood_ = float(rows.weight @ self._row_likelihood(self._logs(params), rows)[0])
        self.notes_ += (NOTE_FEW,)
        self.data_hash_ = data_hash(*rows)
        return self
