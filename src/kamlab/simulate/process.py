"""When the sample company's buyers order, and what can be expected of them after the as-of date.

Gaps between orders are Erlang in *operational time*, the accumulated order rate of an account: business days,
seasons, trends and pauses bend the calendar, the law of the gaps stays.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.period import DAYS_PER_YEAR
from kamlab.simulate.behaviour import multipliers
from kamlab.simulate.timeline import AS_OF, DAYS, SEASONS, YEARS, weights

COMPANY_TREND = 0.03
"""Growth of all order values a year."""


def leave_after_as_of(buyers: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the buyers with the day on which those still alive leave for good, where that is in 2026."""
    with np.errstate(divide="ignore"):
        days = rng.exponential(1.0, len(buyers)) * DAYS_PER_YEAR / buyers["hazard"].to_numpy()
    stop = AS_OF + np.floor(np.minimum(days, DAYS.size)).astype(int)
    return buyers.assign(stop=np.minimum(buyers["stop"], stop))


def operational_time(buyers: pd.DataFrame) -> np.ndarray:
    """Return the accumulated order rate at the end of each day, of shape (buyers, days), in orders."""
    profile = {season: weights(season) for season in SEASONS}
    daily = np.array([profile[season] for season in buyers["season"]]) * multipliers(buyers, "rate_trend")
    return np.cumsum(buyers["rate"].to_numpy()[:, None] * daily, axis=1)


def order_values(buyers: pd.DataFrame) -> np.ndarray:
    """Return the mean value of an order on each day, of shape (buyers, days), in CNY."""
    base = (buyers["annual_value"] / buyers["rate"]).to_numpy()[:, None]
    return base * multipliers(buyers, "value_trend") * np.exp(COMPANY_TREND * YEARS)


def orders(buyers: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw all orders from the first day of the log to the end of the future year.

    Parameters
    ----------
    buyers : pandas.DataFrame
        As drawn by `behaviour.draw`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        Ordered by buyer and time: `buyer` (row number in `buyers`), `day` (position in `timeline.DAYS`), `at`
        (operational time), `value` (CNY), `spike` (the buyer's one far too large order).
    """
    time = operational_time(buyers)
    parts = []
    for row, buyer in enumerate(buyers.itertuples()):
        stretches = [(buyer.start, buyer.stop)]
        if buyer.resume > buyer.pause:
            stretches = [(buyer.start, buyer.pause), (buyer.resume, buyer.stop)]
        for first, last in stretches:
            begin = time[row, first - 1] if first > 0 else 0.0
            # Customers from before the log, and those who wait for their season, are somewhere between two
            # orders when their time begins; all others begin with an order.
            wait = rng.random() if buyer.season or (buyer.established and first == 0) else 0.0
            left = max(time[row, last] - begin - wait, 0.0)
            enough = int(left + 8 * np.sqrt(left) + 20)
            gaps = rng.gamma(buyer.shape, 1 / buyer.shape, enough)
            at = begin + wait + np.concatenate([[0.0], np.cumsum(gaps)])
            at = at[at < time[row, last]]
            day = np.searchsorted(time[row], at, side="right")
            parts.append(pd.DataFrame({"buyer": row, "day": day, "at": at}))
    drawn = pd.concat(parts, ignore_index=True)
    shape = buyers["noise"].to_numpy()[drawn["buyer"]]
    mean = order_values(buyers)[drawn["buyer"], drawn["day"]]
    return _with_spikes(drawn.assign(value=mean * rng.gamma(shape, 1 / shape)), buyers, rng)


def _with_spikes(drawn: pd.DataFrame, buyers: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make one of the later orders up to the as-of date far too large, for buyers of that kind."""
    past = drawn["day"] <= AS_OF
    rows = [
        members[int(members.size * rng.uniform(0.4, 1.0))]
        for buyer, members in drawn[past].groupby("buyer").groups.items()
        if buyers["behaviour"].iloc[buyer] == "spike"
    ]
    drawn = drawn.assign(spike=False)
    drawn.loc[rows, "spike"] = True
    drawn.loc[rows, "value"] *= rng.uniform(8.0, 15.0, len(rows))
    return drawn


def expected_orders(shape: int, elapsed: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return the expected number of orders in the operational time `ahead`, given the time since the last.

    A gap is `shape` exponential stages of rate `shape`. Given no order for `elapsed`, stage j = 0 … shape−1
    has probability proportional to (shape·elapsed)^j / j!; the number of orders is ⌊(j + N)/shape⌋ with
    N ~ Poisson(shape·ahead), whose mean follows from the distribution of N modulo `shape` (roots of unity).

    Parameters
    ----------
    shape : int
        Erlang shape of the gaps, which have mean 1.
    elapsed : numpy.ndarray
        Operational time since the last order, shape (n,).
    ahead : numpy.ndarray
        Operational time to look ahead, shape (n, m).

    Returns
    -------
    numpy.ndarray
        Shape (n, m).
    """
    stage = np.arange(shape)
    factorial = np.cumprod(np.maximum(stage, 1))
    weight = (shape * elapsed[:, None]) ** stage / factorial
    weight = weight / weight.sum(axis=1, keepdims=True)
    mean = shape * ahead
    root = np.exp(2j * np.pi * stage / shape)
    spectrum = np.exp(mean[..., None] * (root - 1))  # generating function of N at the roots
    residue = np.real(spectrum @ (root[:, None] ** -stage)) / shape  # P(N mod shape = stage)
    remainder = (stage[:, None] + stage) % shape
    return np.einsum("nj,nmj->nm", weight, (stage + mean[..., None] - residue @ remainder.T) / shape)


def expectation(buyers: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Return what each buyer can be expected to order in the year after the as-of date, before returns.

    The expectation knows the hidden parameters, the orders up to the as-of date and who is still alive then; it
    does not know the future.

    Returns
    -------
    pandas.DataFrame
        One row per buyer: `orders`, `value` (CNY).
    """
    time, value = operational_time(buyers), order_values(buyers)
    last = orders[orders["day"] <= AS_OF].groupby("buyer")["at"].max().to_numpy()
    elapsed = time[:, AS_OF] - last
    ahead = time[:, AS_OF:] - time[:, [AS_OF]]
    cumulative = np.zeros_like(ahead)
    for shape in buyers["shape"].unique():
        rows = (buyers["shape"] == shape).to_numpy()
        cumulative[rows] = expected_orders(int(shape), elapsed[rows], ahead[rows])
    stays = np.exp(-buyers["hazard"].to_numpy()[:, None] * np.arange(1, ahead.shape[1]) / DAYS_PER_YEAR)
    daily = np.diff(cumulative, axis=1) * stays * (buyers["stop"] >= AS_OF).to_numpy()[:, None]
    return pd.DataFrame({"orders": daily.sum(axis=1), "value": (daily * value[:, AS_OF + 1 :]).sum(axis=1)})
