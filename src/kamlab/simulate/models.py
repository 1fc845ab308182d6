"""Transaction logs drawn from the BG/NBD and Gamma-Gamma models, with every account's hidden parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from kamlab.errors import ConfigError
from kamlab.period import DAYS_PER_UNIT


@dataclass(frozen=True)
class SimulatedLog:
    """A simulated transaction log and the truth behind it.

    Attributes
    ----------
    log : pandas.DataFrame
        One row per purchase up to the end of the horizon, ordered by account and time: `account` (text),
        `date` (datetime64, the day), `amount` (currency), `weeks` (exact time since the account's first
        purchase, which is its row with 0).
    truth : pandas.DataFrame
        One row per account: `account`; `rate` (purchases per week while alive); `dropout` (probability of
        leaving after a repeat purchase); `mean_spend` (true expected spend per purchase); `alive` (at the
        as-of date); `frequency`, `recency`, `T`, `monetary_value` (exact, in weeks and currency, unlike those
        counted from whole days); `future_purchases` and `future_revenue` in the horizon.
    as_of : datetime.date
        Last day of the calibration period, inclusive.
    """

    log: pd.DataFrame
    truth: pd.DataFrame
    as_of: date


def _check(**values: float) -> None:
    faults = [f"{name} = {value}" for name, value in values.items() if not (np.isfinite(value) and value > 0)]
    if faults:
        raise ConfigError(f"A simulation needs finite values above 0, but {', '.join(faults)}.")


def bg_nbd(
    n_accounts: int,
    *,
    r: float = 0.243,
    alpha: float = 4.414,
    a: float = 0.793,
    b: float = 2.426,
    p: float = 6.25,
    q: float = 3.74,
    gamma: float = 15.44,
    calibration_weeks: float = 39.0,
    entry_weeks: float = 0.0,
    horizon_weeks: float = 39.0,
    as_of: date = date(2025, 12, 31),
    seed: int = 0,
) -> SimulatedLog:
    """Draw a transaction log from BG/NBD (when) and Gamma-Gamma (how much).

    Parameters
    ----------
    n_accounts : int
        Number of accounts.
    r, alpha : float
        Shape and rate of the gamma law of purchase rates, per week (Fader, Hardie, Lee 2005, assumption ii).
    a, b : float
        Parameters of the beta law of the dropout probability after each repeat purchase (assumption iv).
    p, q, gamma : float
        Gamma-Gamma: a purchase's value is gamma(p, rate ν), ν is gamma(q, rate γ) (Fader, Hardie 2013).
    calibration_weeks : float
        First purchase to the as-of date for the oldest accounts, rounded to whole days.
    entry_weeks : float
        Accounts make their first purchase evenly over this time; below `calibration_weeks`.
    horizon_weeks : float
        Time after the as-of date that the log goes on for, rounded to whole days.
    as_of : datetime.date
        Last day of the calibration period, inclusive.
    seed : int
        Same seed and parameters, same log.

    Raises
    ------
    ConfigError
        If a parameter is not above 0 or the entry time does not fit into the calibration period.

    Notes
    -----
    A purchase at the exact time t > 0 gets the day `first + ceil(days)`, so that t ≤ T holds exactly when its
    day is not after `as_of`. Several purchases may share a day, as in a real log.
    """
    _check(n_accounts=n_accounts, r=r, alpha=alpha, a=a, b=b, p=p, q=q, gamma=gamma)
    _check(calibration_weeks=calibration_weeks, horizon_weeks=horizon_weeks)
    if not 0 <= entry_weeks < calibration_weeks:
        raise ConfigError(
            f"entry_weeks is {entry_weeks} and calibration_weeks {calibration_weeks}; "
            "the first purchases must lie inside the calibration period."
        )
    rng = np.random.default_rng(seed)
    week = DAYS_PER_UNIT["week"]
    T_days = round(calibration_weeks * week) - np.floor(rng.uniform(0, entry_weeks * week, n_accounts))
    T, end = T_days / week, (T_days + round(horizon_weeks * week)) / week
    rate = rng.gamma(r, 1 / alpha, n_accounts)
    dropout = np.maximum(rng.beta(a, b, n_accounts), np.finfo(float).tiny)
    mean_spend = p / rng.gamma(q, 1 / gamma, n_accounts)

    account, weeks = _repeat_purchases(rate, end, rng)
    before = weeks <= T[account]
    last = rng.geometric(dropout)  # the purchase after which the account is gone, were it to live for ever
    kept = _rank_within(account) < last[account]
    alive = np.bincount(account[before], minlength=n_accounts) < last
    account, weeks = account[kept], weeks[kept]

    account = np.concatenate([np.arange(n_accounts), account])
    weeks = np.concatenate([np.zeros(n_accounts), weeks])
    order = np.lexsort((weeks, account))
    account, weeks = account[order], weeks[order]
    amount = rng.gamma(p, mean_spend[account] / p)

    ids = np.array([f"A{i:0{len(str(n_accounts))}d}" for i in range(1, n_accounts + 1)])
    day = np.datetime64(as_of, "D") + (np.ceil(weeks * week) - T_days[account]).astype(np.int64)
    log = pd.DataFrame({"account": ids[account], "date": day, "amount": amount, "weeks": weeks})
    truth = pd.DataFrame({"account": ids, "rate": rate, "dropout": dropout, "mean_spend": mean_spend, "alive": alive})
    return SimulatedLog(log, truth.join(_summary(account, weeks, amount, T)), as_of)


def _repeat_purchases(rate: np.ndarray, end: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return account numbers and sorted times of Poisson purchases, each account's up to its `end`."""
    counts = rng.poisson(rate * end)
    account = np.repeat(np.arange(rate.size), counts)
    weeks = end[account] * (1 - rng.random(account.size))  # in (0, end]: never on the first purchase
    order = np.lexsort((weeks, account))
    return account[order], weeks[order]


def _rank_within(account: np.ndarray) -> np.ndarray:
    """Return each row's place among the rows of its account, from 0; rows are ordered by account."""
    starts = np.searchsorted(account, account, side="left")
    return np.arange(account.size) - starts


def _summary(account: np.ndarray, weeks: np.ndarray, amount: np.ndarray, T: np.ndarray) -> pd.DataFrame:
    """Return the exact summary of the calibration period and what came after it, one row per account."""
    n = T.size
    repeat = (weeks > 0) & (weeks <= T[account])
    future = weeks > T[account]
    frequency = np.bincount(account[repeat], minlength=n)
    recency = np.zeros(n)
    np.maximum.at(recency, account[repeat], weeks[repeat])
    spent = np.bincount(account[repeat], weights=amount[repeat], minlength=n)
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency": recency,
            "T": T,
            "monetary_value": np.divide(spent, frequency, out=np.zeros(n), where=frequency > 0),
            "future_purchases": np.bincount(account[future], minlength=n),
            "future_revenue": np.bincount(account[future], weights=amount[future], minlength=n),
        }
    )
