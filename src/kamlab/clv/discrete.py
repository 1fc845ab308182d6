"""What the models in whole periods share: the fit, a beta-distributed chance of leaving and its future, and checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from kamlab.clv.base import FittedModel, maximise
from kamlab.clv.checks import finite_forecast, opened, weights
from kamlab.clv.climb import one_thread
from kamlab.clv.limits import no_worse_than_limits
from kamlab.clv.saving import data_hash
from kamlab.errors import ModelError

SMALLEST_DISCOUNT = 1e-6
"""Below this rate per period the sum over all future periods hangs on the far tail of the fitted distribution."""


class Histories(NamedTuple):
    """Histories in whole periods, one entry a row: ids, purchases x, last one's period t_x, periods n, and weight."""

    account: np.ndarray
    x: np.ndarray
    t_x: np.ndarray
    n: np.ndarray
    weight: np.ndarray


class Contracts(NamedTuple):
    """Contracts, one entry a row: ids, renewals so far, whether still active, and number of accounts of the row."""

    account: np.ndarray
    renewals: np.ndarray
    active: np.ndarray
    weight: np.ndarray


class PeriodModel(FittedModel):
    """A model in whole periods, fitted to distinct rows with weights.

    Parameters
    ----------
    penalizer : float
        Weight of the sum of squared parameters, subtracted from the mean log-likelihood; 0 = maximum likelihood.
    """

    parameters: ClassVar[tuple[str, ...]]
    bounds: ClassVar[tuple[tuple[float, float], ...]]
    """Of the log parameters. Beyond them accounts do not differ measurably from the limit."""
    starts: ClassVar[tuple[tuple[float, ...], ...]]
    limits: ClassVar[tuple[Mapping[str, float], ...]]
    """Limiting cases: the log parameters that are held, and where."""
    engines: ClassVar[tuple[str, ...]] = ("kamlab",)

    def __init__(self, *, penalizer: float = 0.0) -> None:
        self.penalizer = penalizer

    def _fit_rows(
        self, log_likelihood: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], weight: np.ndarray, *rows: Any
    ) -> None:
        """Find the maximum and keep it.

        `log_likelihood` gives each row's value, shape (n,), and its gradient by the log parameters, shape
        (parameters, n); `rows` is the data behind it.
        """
        share = weight / weight.sum()

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient = log_likelihood(log_params)
            penalty = self.penalizer * np.exp(2 * log_params)
            outer = (gradient * share) @ gradient.T + np.diag(4 * penalty)
            return penalty.sum() - share @ value, 2 * penalty - gradient @ share, outer

        accounts = round(weight.sum())
        with one_thread():
            maximum = maximise(objective, starts=self.starts, bounds=self.bounds, n_accounts=accounts)
            if not self.penalizer:
                maximum = no_worse_than_limits(maximum, objective, self.parameters, self.bounds, self.limits, accounts)
        params = self._keep(self.parameters, maximum, np.zeros(len(self.parameters)), accounts)
        self.log_likelihood_ = float(weight @ log_likelihood(np.log(params))[0])
        self.data_hash_ = data_hash(weight, *rows)


def forecast_table(
    account: Any, periods: int, p_alive: np.ndarray, expected: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> pd.DataFrame:
    """Return the table that models in periods predict: no more purchases than periods, and only finite numbers."""
    return finite_forecast(
        pd.DataFrame(
            {
                "account": account,
                "p_alive": p_alive,
                "expected_purchases": np.clip(expected, 0.0, periods),
                "lower": lower.astype(float),
                "upper": upper.astype(float),
            }
        )
    )


def log_rising(value: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ln(value · (value + 1) … (value + k − 1)) for k = 0 … n, and its derivative by `value`; shape (n + 1,).

    Sums of logarithms keep the digits that a difference of two log gammas loses at large values.
    """
    factors = value + np.arange(n)
    return np.append(0.0, np.cumsum(np.log(factors))), np.append(0.0, np.cumsum(1 / factors))


def survival(leave: Any, stay: Any, periods: int) -> np.ndarray:
    """Return P(still there after j periods) for j = 1 … periods along a new last axis.

    The chance of leaving in a period is Beta(leave, stay): the product of the retention rates
    (stay + j − 1) / (leave + stay + j − 1).
    """
    leave, stay = np.broadcast_arrays(np.asarray(leave, dtype=float), np.asarray(stay, dtype=float))
    earlier = stay[..., None] + np.arange(periods)
    return np.cumprod(earlier / (leave[..., None] + earlier), axis=-1)


def discounted_survival(leave: Any, stay: Any, discount_rate: float) -> np.ndarray:
    """Return Σ S(j) / (1 + discount_rate)^j over j = 1, 2, …, with S of `survival`.

    It is z · stay / (leave + stay) · ₂F₁(1, stay + 1; leave + stay + 1; z) with z = 1 / (1 + discount_rate); the
    function comes from Gauss' continued fraction (DLMF 15.7.1 with b = 0), which keeps its digits up to z = 1 where
    power series and reflection formulas lose theirs.

    Raises
    ------
    ModelError
        If the rate is no number of at least 1e-6.
    """
    if not (np.isfinite(discount_rate) and discount_rate >= SMALLEST_DISCOUNT):
        raise ModelError(
            f"The discount rate per period is {discount_rate}; it must be at least {SMALLEST_DISCOUNT}, because "
            "without discounting the sum over all future periods need not be finite."
        )
    leave, stay = np.asarray(leave, dtype=float), np.asarray(stay, dtype=float)
    z = 1 / (1 + discount_rate)
    c = leave + stay
    # Each step shrinks the error by the factor (1 − √(1 − z)) / (1 + √(1 − z)).
    steps = 2 * int(10 / np.sqrt(discount_rate) + 20)
    fraction = c + steps
    for m in range(steps, 0, -1):
        half = m // 2
        numerator = (stay + 1 + half) * (c + half) if m % 2 else half * (leave - 1 + half)
        fraction = c + m - 1 - numerator * z / fraction
    return z * stay / fraction


def sample_survived(leave: Any, stay: Any, periods: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how many of the next `periods` periods are survived, where the chance of leaving is Beta(leave, stay)."""
    leave, stay = np.broadcast_arrays(leave, stay)
    chance = rng.beta(leave, stay)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # Geometric, by inversion; a chance of 0 gives infinity.
        survived = np.floor(rng.standard_exponential(chance.shape) / -np.log1p(-chance))
    return np.minimum(survived, periods)


def check_periods(periods: float) -> int:
    """Return a number of periods as an integer; refuse what is none."""
    if not (np.isfinite(periods) and periods >= 1 and periods == int(periods)):
        raise ModelError(f"periods is {periods}; it must be a whole number of at least 1.")
    return int(periods)


def check_level(level: float) -> None:
    """Refuse a level of an interval outside 0 to 1."""
    if not 0 < level < 1:
        raise ModelError(f"level is {level}; it must lie between 0 and 1.")


def read_histories(summary: Any, *, min_accounts: float = 1, min_repeat_buyers: float = 0) -> Histories:
    """Read and check histories in whole periods.

    Parameters
    ----------
    summary : table
        Columns account (text, or the index); frequency (periods with a purchase), recency (the last of these periods; 0
        without one) and n_periods (periods in which the account could buy), all whole numbers counted after the period
        of the first purchase; optionally weight (how many accounts the row stands for, 1 without).
    min_accounts, min_repeat_buyers : float
        How many accounts, and accounts with a purchase in these periods, are needed; rows count with their weight.

    Raises
    ------
    ModelError
        With all faults, the first accounts of each, and what to do.
    """
    frame, columns, faults = opened(summary, ("frequency", "recency", "n_periods"), "a model of periods")
    x, t_x, n = counts = np.stack(columns)
    finite = np.isfinite(counts).all(axis=0)
    faults.add(
        ~finite, "have a frequency, recency or n_periods that is missing or no finite number", "Fill or drop them."
    )
    with np.errstate(invalid="ignore"):
        whole = ((counts >= 0) & (counts == np.floor(counts))).all(axis=0)
        faults.add(
            finite & ~whole, "have a negative or fractional frequency, recency or n_periods", "They count periods."
        )
        faults.add(finite & (t_x > n), "have recency > n_periods", "Count both from the same period.")
        faults.add(
            finite & (x > t_x), "have more purchases than periods up to the last", "Count a period with purchases once."
        )
        faults.add(finite & (x == 0) & (t_x > 0), "have recency without a purchase", "Set recency 0 or count it.")
    weight = weights(frame, faults)
    faults.need("accounts", int(weight.sum()), int(min_accounts))
    faults.need("accounts with a repeat purchase", int(weight[x > 0].sum()), int(min_repeat_buyers))
    faults.stop("A model of periods")
    return Histories(faults.ids, x.astype(np.int64), t_x.astype(np.int64), n.astype(np.int64), weight)


def read_contracts(contracts: Any, *, min_accounts: float = 1, min_lost: float = 0) -> Contracts:
    """Read and check contracts.

    Parameters
    ----------
    contracts : table
        Columns account (text, or the index), renewals (whole number: how often the contract was renewed), active (true
        or false); optionally weight (how many accounts the row stands for, 1 without).
    min_accounts, min_lost : float
        How many accounts, and accounts that were not renewed, are needed; rows count with their weight.

    Raises
    ------
    ModelError
        With all faults, the first accounts of each, and what to do.
    """
    frame, (renewals, active), faults = opened(contracts, ("renewals", "active"), "a retention model")
    finite = np.isfinite(renewals)
    faults.add(~finite, "have renewals that are missing or no finite number", "Fill or drop them.")
    with np.errstate(invalid="ignore"):
        whole = (renewals >= 0) & (renewals == np.floor(renewals))
        faults.add(finite & ~whole, "have negative or fractional renewals", "It counts renewals; 0 before the first.")
    faults.add(~np.isin(active, (0, 1)), "are neither active nor lost", "Write true or false in `active`.")
    weight = weights(frame, faults)
    faults.need("accounts", int(weight.sum()), int(min_accounts))
    faults.need("accounts that were not renewed", int(weight[active == 0].sum()), int(min_lost))
    faults.stop("A retention model")
    return Contracts(faults.ids, renewals.astype(np.int64), active == 1, weight)
