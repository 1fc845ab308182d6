"""BG/BB: occasions at which an account buys or not, each with a chance of its own, until it leaves.

References
----------
.. [1] Fader, Hardie and Shang (2010), Customer-base analysis in a discrete-time noncontractual setting, Marketing
   Science 29 (6), 1086-1108.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kamlab.clv.checks import MIN_ACCOUNTS, MIN_REPEAT_BUYERS
from kamlab.clv.discrete import (
    Histories,
    PeriodModel,
    check_level,
    check_periods,
    discounted_survival,
    forecast_table,
    log_rising,
    read_histories,
    sample_survived,
    survival,
)
from kamlab.errors import ModelError

_MOST_OUTCOMES = 50_000_000
_CELLS = 2_000_000


class Outcomes(NamedTuple):
    """What may have happened in each history: left after period t_x, …, n − 1, or still there at n.

    One entry an outcome, those of a history together and "still there" last: purchases x, periods s lived, whether it
    then left; `first` and `history` say where each history's outcomes begin and to which history an outcome belongs.
    """

    x: np.ndarray
    s: np.ndarray
    left: np.ndarray
    first: np.ndarray
    history: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, t_x: np.ndarray, n: np.ndarray) -> Outcomes:
        """List the outcomes of histories (integers, shape (histories,))."""
        size = n - t_x + 1
        if size.sum() > _MOST_OUTCOMES:
            raise ModelError(
                f"BG/BB has to weigh {size.sum()} ways in which {len(x)} different histories may have ended, at most "
                f"{_MOST_OUTCOMES} are possible. Take longer periods, months instead of days."
            )
        first = np.cumsum(size) - size
        history = np.repeat(np.arange(len(x)), size)
        s = t_x[history] + np.arange(len(history)) - first[history]
        return cls(x[history], s, s < n[history], first, history)


def log_likelihood(log_params: np.ndarray, outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """Return each history's log-likelihood, shape (histories,), and its gradient, shape (4, histories).

    The likelihood of [1]_ for one account: a sum over the outcomes, taken in logs.
    """
    params = np.exp(log_params)
    value, share = _sum_in_logs(_outcome_logs(params, outcomes), outcomes)
    return value, params[:, None] * np.add.reduceat(_outcome_slopes(params, outcomes) * share, outcomes.first, axis=1)


def probability_alive(params: np.ndarray, outcomes: Outcomes) -> np.ndarray:
    """Return P(not left by period n | history): the share of the outcome "still there" in the likelihood."""
    _, share = _sum_in_logs(_outcome_logs(params, outcomes), outcomes)
    return share[~outcomes.left]


def _outcome_logs(params: np.ndarray, outcomes: Outcomes) -> np.ndarray:
    """Return each outcome's log-probability."""
    alpha, beta, gamma, delta = params
    x, s, left = outcomes.x, outcomes.s, outcomes.left
    sums = (alpha, beta, alpha + beta, delta, gamma + delta)
    buy, skip, either, stay, total = (log_rising(v, s.max())[0] for v in sums)
    leave = np.log(gamma) - np.log(gamma + delta + s)
    return buy[x] + skip[s - x] - either[s] + stay[s] - total[s] + np.where(left, leave, 0.0)


def _outcome_slopes(params: np.ndarray, outcomes: Outcomes) -> np.ndarray:
    """Return the derivatives of each outcome's log-probability by the parameters, shape (4, outcomes)."""
    alpha, beta, gamma, delta = params
    x, s, left = outcomes.x, outcomes.s, outcomes.left
    sums = (alpha, beta, alpha + beta, delta, gamma + delta)
    buy, skip, either, stay, total = (log_rising(v, s.max())[1] for v in sums)
    both = total[s] + left / (gamma + delta + s)
    return np.stack([buy[x] - either[s], skip[s - x] - either[s], left / gamma - both, stay[s] - both])


def _sum_in_logs(logs: np.ndarray, outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """Return the log of each history's sum of outcomes, and each outcome's share in it."""
    largest = np.maximum.reduceat(logs, outcomes.first)
    parts = np.exp(logs - largest[outcomes.history])
    total = np.add.reduceat(parts, outcomes.first)
    return largest + np.log(total), parts / total[outcomes.history]


def purchase_law(params: np.ndarray, x: np.ndarray, n: np.ndarray, periods: int) -> np.ndarray:
    """Return P(k purchases in the next `periods` | x, n, alive at n), k = 0 … periods; shape (accounts, periods + 1).

    The law of [1]_ for a new customer with parameters (alpha + x, beta + n − x, gamma, delta + n). It is followed
    period by period: with the share of past occasions bought at known, the next one is a draw from an urn, and leaving
    is another. All terms are positive, so no digits are lost however long the horizon.
    """
    alpha, beta, gamma, delta = params
    bought, skipped, stay = (v[:, None] for v in (alpha + x, beta + n - x, delta + n))
    here, gone = np.zeros((2, len(x), periods + 1))
    here[:, 0] = 1.0
    count = np.arange(periods + 1)
    for j in range(periods):
        now = here[:, : j + 1]
        gone[:, : j + 1] += now * (gamma / (gamma + stay + j))
        now = now * (stay + j) / (gamma + stay + j) / (bought + skipped + j)
        here[:, : j + 1] = now * (skipped + j - count[: j + 1])
        here[:, 1 : j + 2] += now * (bought + count[: j + 1])
    return here + gone


class BGBB(PeriodModel):
    """BG/BB model of occasions at which an account buys or not [1]_.

    Parameters
    ----------
    penalizer : float
        Weight of the sum of squared parameters, subtracted from the mean log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        alpha, beta (chance of buying), gamma, delta (chance of leaving). See `FittedModel` for the other attributes;
        `n_accounts_` counts rows with their weight.

    Examples
    --------
    >>> model = BGBB().fit(summary)  # doctest: +SKIP
    >>> model.predict(summary, periods=12)  # doctest: +SKIP
    """

    parameters = ("alpha", "beta", "gamma", "delta")
    bounds = ((-8.0, 8.0),) * 4
    # The last start is near the case of no leaving.
    starts = ((0.0, 0.0, -0.5, 1.0), (-1.0, 1.0, 0.0, 2.0), (0.0, 0.0, -5.0, 3.0))
    # Nobody leaves; all buy with the same chance; all leave with the same chance, or at once.
    limits = ({"gamma": -8.0, "delta": 8.0}, {"alpha": 8.0}, {"beta": 8.0}, {"delta": 8.0}, {"gamma": 8.0})

    def fit(self, summary: Any, y: None = None) -> BGBB:
        """Fit to a summary with columns account, frequency, recency, n_periods and, for equal rows, weight.

        All are counted in periods after that of the first purchase, as `kamlab.summary.summarize_periods` does.

        Raises
        ------
        ModelError
            If histories are impossible, or fewer than 30 accounts or 10 repeat buyers are there.
        """
        self._check_options()
        data = read_histories(summary, min_accounts=MIN_ACCOUNTS, min_repeat_buyers=MIN_REPEAT_BUYERS)
        (x, t_x, n), place = _distinct(data)
        outcomes = Outcomes.of(x, t_x, n)
        self._fit_rows(lambda logs: log_likelihood(logs, outcomes), np.bincount(place, data.weight), x, t_x, n)
        return self

    def predict(self, summary: Any, periods: int, *, level: float = 0.9) -> pd.DataFrame:
        """Predict in how many of the next periods each account buys.

        Parameters
        ----------
        summary : table
            Columns account, frequency, recency, n_periods.
        periods : int
            Number of periods ahead.
        level : float
            Of the central interval, 0.9 = from the 5 % to the 95 % quantile.

        Returns
        -------
        pandas.DataFrame
            account; p_alive (P(alive at period n_periods + 1), below 1 for everybody); expected_purchases (eq. (13) of
            [1]_ at `params_`); lower and upper (whole numbers): quantiles of the posterior mixture, averaged over the
            parameters' uncertainty. After a long silence the expectation can lie above `upper`.
        """
        check_level(level)
        periods = check_periods(periods)
        data = self._read(summary)
        (x, t_x, n), place = _distinct(data)
        more = self._more(x, t_x, n, periods)
        params = self._params()
        gamma, delta = params[2:]
        alive = probability_alive(params, Outcomes.of(x, t_x, n)) * (delta + n) / (gamma + delta + n)
        lower, upper = ((more > share).sum(axis=1) for share in ((1 + level) / 2, (1 - level) / 2))
        expected = self._expected(x, t_x, n, periods)
        return forecast_table(data.account, periods, alive[place], expected[place], lower[place], upper[place])

    def expected_purchases(self, summary: Any, periods: int) -> np.ndarray:
        """Return E[X | history] over the next periods, eq. (13) of [1]_; shape (accounts,)."""
        (x, t_x, n), place = _distinct(self._read(summary))
        return self._expected(x, t_x, n, check_periods(periods))[place]

    def expected_purchases_new(self, periods: int) -> float:
        """Return the repeat purchases expected of a new customer within `periods`."""
        zero = np.zeros(1, dtype=np.int64)
        return float(self._expected(zero, zero, zero, check_periods(periods))[0])

    def discounted_purchases(self, summary: Any, discount_rate_per_period: float) -> np.ndarray:
        """Return each account's discounted expected residual transactions (DERT), eq. (14) of [1]_; shape (accounts,).

        Parameters
        ----------
        summary : table
            Columns account, frequency, recency, n_periods.
        discount_rate_per_period : float
            Effective rate of one period, at least 1e-6. A purchase in the next period is discounted by one period.
        """
        (x, t_x, n), place = _distinct(self._read(summary))
        alpha, beta, gamma, delta = params = self._params()
        alive = probability_alive(params, Outcomes.of(x, t_x, n))
        future = discounted_survival(gamma, delta + n, discount_rate_per_period)
        return (alive * (alpha + x) / (alpha + beta + n) * future)[place]

    def probability_at_most(self, summary: Any, purchases: Any, periods: int) -> np.ndarray:
        """Return P(X ≤ purchases | history) over the next periods, parameter uncertainty included."""
        periods = check_periods(periods)
        data = self._read(summary)
        (x, t_x, n), place = _distinct(data)
        count = np.broadcast_to(np.asarray(purchases, dtype=float), data.x.shape)
        more = np.pad(self._more(x, t_x, n, periods), ((0, 0), (0, 1)))
        at = np.clip(np.floor(count), 0, periods).astype(np.int64)
        return np.where(count < 0, 0.0, 1 - more[place, at])

    def sample_purchases(
        self, summary: Any, periods: int, params: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw in how many of the next periods each account buys.

        Parameters
        ----------
        summary : table
            Columns account, frequency, recency, n_periods.
        periods : int
        params : numpy.ndarray
            From `parameter_draws`, shape (draws, 4): all accounts share the parameters of a draw, so that sums over
            accounts vary as they should.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Whole numbers, shape (accounts, draws).
        """
        periods = check_periods(periods)
        data = self._read(summary)
        cells, place = _distinct(data)
        outcomes = Outcomes.of(*cells)
        p_alive = np.stack([probability_alive(one, outcomes) for one in params], axis=1)[place]
        alpha, beta, gamma, delta = params.T
        x, n = data.x[:, None], data.n[:, None]
        alive = rng.random(p_alive.shape) < p_alive
        occasions = sample_survived(gamma, delta + n, periods, rng)
        chance = rng.beta(alpha + x, beta + n - x)
        return np.where(alive, rng.binomial(occasions.astype(np.int64), chance), 0).astype(float)

    def _read(self, summary: Any) -> Histories:
        self._params()
        return read_histories(summary)

    def _expected(self, x: np.ndarray, t_x: np.ndarray, n: np.ndarray, periods: int) -> np.ndarray:
        alpha, beta, gamma, delta = params = self._params()
        alive = probability_alive(params, Outcomes.of(x, t_x, n))
        lengths, place = np.unique(n, return_inverse=True)
        occasions = survival(gamma, delta + lengths, periods).sum(axis=-1)[place]
        return alive * (alpha + x) / (alpha + beta + n) * occasions

    def _more(self, x: np.ndarray, t_x: np.ndarray, n: np.ndarray, periods: int) -> np.ndarray:
        """Return P(X > k | history) for k = 0 … periods − 1, averaged over the parameters' uncertainty."""
        outcomes = Outcomes.of(x, t_x, n)
        # While an account is alive its future does not depend on when it bought last.
        pairs, place = np.unique(np.stack([x, n], axis=1), axis=0, return_inverse=True)
        more = np.zeros((len(x), periods))
        nodes = self.parameter_nodes()
        for node in nodes:
            law = [purchase_law(node, part[:, 0], part[:, 1], periods) for part in _parts(pairs, periods)]
            tail = np.cumsum(np.concatenate(law)[:, :0:-1], axis=1)[:, ::-1]
            more += probability_alive(node, outcomes)[:, None] * tail[place.ravel()] / len(nodes)
        return more


def _parts(pairs: np.ndarray, periods: int) -> list[np.ndarray]:
    """Cut rows into parts whose law fits into the processor's cache."""
    return np.array_split(pairs, max(1, len(pairs) * (periods + 1) // _CELLS))


def _distinct(data: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Merge equal histories: x, t_x and n of each, shape (3, histories), and the place of each row's own among them."""
    rows = pd.DataFrame({"x": data.x, "t_x": data.t_x, "n": data.n})
    columns = list(rows)
    place = rows.groupby(columns, sort=True).ngroup().to_numpy()
    return rows.drop_duplicates().sort_values(columns).to_numpy().T, place
