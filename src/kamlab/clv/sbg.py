"""Shifted beta-geometric: contracts whose chance of not being renewed differs between accounts and stays as it is.

References
----------
.. [1] Fader and Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21 (1), 76-90.
.. [2] Fader and Hardie (2010), Customer-base valuation in a contractual setting: the perils of ignoring heterogeneity,
   Marketing Science 29 (1), 85-93.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS
from kamlab.clv.discrete import (
    Contracts,
    PeriodModel,
    check_level,
    check_periods,
    discounted_survival,
    forecast_table,
    log_rising,
    read_contracts,
    sample_survived,
    survival,
)
from kamlab.errors import ModelError


def contracts_from_survivors(survivors: Sequence[float]) -> pd.DataFrame:
    """Turn one cohort's survivors into a table that `SBG.fit` takes.

    Parameters
    ----------
    survivors : sequence of float
        Number of contracts at the start, after the first renewal, after the second, and so on; never rising.

    Returns
    -------
    pandas.DataFrame
        account (a name for each row), renewals, active, weight (number of contracts).

    Raises
    ------
    ModelError
        If fewer than two numbers are given, or they rise, or one is negative or no number.
    """
    left = np.asarray(survivors, dtype=float)
    if left.ndim != 1 or len(left) < 2 or not np.isfinite(left).all() or (left < 0).any() or (np.diff(left) > 0).any():
        raise ModelError(
            "Survivors are one row of at least two numbers, none negative and none above the one before it. "
            "Give the contracts at the start first, then those that are left after each renewal."
        )
    last = len(left) - 1
    table = pd.DataFrame(
        {
            "account": [*(f"lost at renewal {t}" for t in range(1, last + 1)), "active"],
            "renewals": [*range(last), last],
            "active": [False] * last + [True],
            "weight": np.append(-np.diff(left), left[-1]),
        }
    )
    return table[table["weight"] > 0].reset_index(drop=True)


def log_likelihood(log_params: np.ndarray, renewals: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each contract's log-likelihood, shape (n,), and its gradient by the log parameters, shape (2, n).

    With k renewals an active contract has B(alpha, beta + k) / B(alpha, beta), and one that ended at the next
    B(alpha + 1, beta + k) / B(alpha, beta) [1]_.
    """
    alpha, beta = np.exp(log_params)
    top = int(renewals.max(initial=0))
    stay, d_stay = log_rising(beta, top)
    both, d_both = log_rising(alpha + beta, top)
    total = alpha + beta + renewals
    value = stay[renewals] - both[renewals] + np.where(active, 0.0, np.log(alpha / total))
    d_alpha = np.where(active, 0.0, 1 / alpha - 1 / total) - d_both[renewals]
    d_beta = d_stay[renewals] - d_both[renewals] - np.where(active, 0.0, 1 / total)
    return value, np.stack([alpha * d_alpha, beta * d_beta])


class SBG(PeriodModel):
    """Shifted beta-geometric model of contract renewals [1]_.

    At each renewal a contract ends with a chance of its own; over accounts that chance is Beta(alpha, beta). Retention
    rises with age because those who tend to leave have left.

    Parameters
    ----------
    penalizer : float
        Weight of the sum of squared parameters, subtracted from the mean log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        alpha, beta. See `FittedModel` for the other attributes; `n_accounts_` counts rows with their weight.

    Examples
    --------
    >>> model = SBG().fit(contracts_from_survivors([1000, 869, 743, 653, 593, 551, 517, 491]))
    >>> model.curve(2)["retention"].round(2).tolist()
    [0.85, 0.88]
    """

    parameters = ("alpha", "beta")
    bounds = ((-8.0, 8.0), (-8.0, 8.0))
    starts = ((0.0, 1.0), (-1.0, 0.0), (2.0, 4.0))
    # All end with the same chance, of under and of over a half; each ends at once or never.
    limits = ({"beta": 8.0}, {"alpha": 8.0}, {"alpha": -8.0})

    def fit(self, contracts: Any, y: None = None) -> SBG:
        """Fit to contracts with columns account, renewals, active and, for rows of equal contracts, weight.

        `contracts_from_survivors` makes that table from the survivors of a cohort; cohorts of different age may stand
        in one table.

        Raises
        ------
        ModelError
            If contracts are impossible, or fewer than 30 accounts or 10 that were not renewed are there.
        """
        self._check_options()
        data = read_contracts(contracts, min_accounts=MIN_ACCOUNTS, min_lost=MIN_REPEAT_BUYERS)
        cells, place = np.unique(np.stack([data.renewals, data.active], axis=1), axis=0, return_inverse=True)
        renewals, active = cells[:, 0], cells[:, 1] == 1
        weight = np.bincount(place.ravel(), data.weight)
        self._fit_rows(lambda logs: log_likelihood(logs, renewals, active), weight, renewals, active)
        return self

    def curve(self, renewals: int, *, level: float = 0.9, n_draws: int = 2000, seed: int = 0) -> pd.DataFrame:
        """Return the retention curve of a new cohort.

        Parameters
        ----------
        renewals : int
            How many renewals to look at.
        level : float
            Of the intervals, which hold the uncertainty of the parameters alone.
        n_draws, seed : int
            Draws of the parameters.

        Returns
        -------
        pandas.DataFrame
            renewal (t = 1, 2, …); retention (share of the contracts up for renewal t that renew: (beta + t − 1) /
            (alpha + beta + t − 1)), retention_lower, retention_upper; survival (share of the cohort that is left after
            it), survival_lower, survival_upper.
        """
        check_level(level)
        renewals = check_periods(renewals)
        sets = np.vstack([self._params(), self.parameter_draws(n_draws, np.random.default_rng(seed))])
        alpha, beta = sets.T[..., None]
        earlier = beta + np.arange(renewals)
        retention = earlier / (alpha + earlier)
        table = {"renewal": np.arange(1, renewals + 1)}
        for name, values in (("retention", retention), ("survival", np.cumprod(retention, axis=1))):
            lower, upper = np.quantile(values[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
            table |= {name: values[0], f"{name}_lower": lower, f"{name}_upper": upper}
        return pd.DataFrame(table)

    def predict(self, contracts: Any, periods: int, *, level: float = 0.9) -> pd.DataFrame:
        """Predict how often each contract is renewed in the next `periods` renewals.

        Parameters
        ----------
        contracts : table
            Columns account, renewals, active.
        periods : int
            Number of renewals ahead.
        level : float
            Of the central interval, 0.9 = from the 5 % to the 95 % quantile.

        Returns
        -------
        pandas.DataFrame
            account; p_alive (1 where active, 0 where lost: a contract's end is seen); expected_purchases (renewals
            expected, at `params_`); lower and upper (whole numbers): quantiles of the account's renewals, averaged over
            the parameters' uncertainty.
        """
        check_level(level)
        periods = check_periods(periods)
        data = self._read(contracts)
        ages, place = np.unique(data.renewals, return_inverse=True)
        alpha, beta = self._params()
        expected = survival(alpha, beta + ages, periods).sum(axis=-1)
        at_least = np.mean([survival(a, b + ages, periods) for a, b in self.parameter_nodes()], axis=0)
        bounds = [(at_least > 1 - share).sum(axis=-1) for share in ((1 - level) / 2, (1 + level) / 2)]
        lower, upper = (data.active * bound[place] for bound in bounds)
        return forecast_table(
            data.account, periods, data.active.astype(float), data.active * expected[place], lower, upper
        )

    def residual_lifetime(
        self, contracts: Any, discount_rate_per_period: float, *, level: float = 0.9, n_draws: int = 2000, seed: int = 0
    ) -> pd.DataFrame:
        """Return each contract's discounted expected residual lifetime, in renewals without end.

        Parameters
        ----------
        contracts : table
            Columns account, renewals, active.
        discount_rate_per_period : float
            Effective rate of one contract period, at least 1e-6.
        level : float
            Of the interval, which holds the uncertainty of the parameters alone.
        n_draws, seed : int
            Draws of the parameters.

        Returns
        -------
        pandas.DataFrame
            account; derl, lower, upper (number of renewals, discounted; 0 where lost). The next renewal is due now and
            counts in full, as in [2]_; where a whole period remains until then, divide by 1 + the rate.
        """
        check_level(level)
        data = self._read(contracts)
        ages, place = np.unique(data.renewals, return_inverse=True)
        sets = np.vstack([self._params(), self.parameter_draws(n_draws, np.random.default_rng(seed))])
        alpha, beta = sets.T[..., None]
        derl = (1 + discount_rate_per_period) * discounted_survival(alpha, beta + ages, discount_rate_per_period)
        lower, upper = np.quantile(derl[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
        table = pd.DataFrame({"derl": derl[0], "lower": lower, "upper": upper}).iloc[place].reset_index(drop=True)
        table = table.mul(data.active.astype(float), axis=0)
        table.insert(0, "account", data.account)
        return table

    def sample_purchases(
        self, contracts: Any, periods: int, params: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw each contract's renewals in the next `periods`.

        Parameters
        ----------
        contracts : table
            Columns account, renewals, active.
        periods : int
        params : numpy.ndarray
            From `parameter_draws`, shape (draws, 2): all accounts share the parameters of a draw, so that sums over
            accounts vary as they should.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Whole numbers, shape (accounts, draws).
        """
        periods = check_periods(periods)
        data = self._read(contracts)
        alpha, beta = params.T
        return data.active[:, None] * sample_survived(alpha, beta + data.renewals[:, None], periods, rng)

    def _read(self, contracts: Any) -> Contracts:
        self._params()
        return read_contracts(contracts)
