"""Where hours go, where headroom and value at risk lie, and how the same hours could be spread better.

How accounts respond to hours cannot be seen in a log: hours follow orders as much as orders follow hours. The response
is an assumption, with its range: what an account wins grows with hours to the power of the elasticity, and at the usual
hours of a served account it is the share of the room that the configuration assumes. So is the elasticity: the default,
0.3 within 0.1 to 0.5, is of the size of published estimates, whose mean over industries is 0.34 before it is corrected
for how they were measured [1]_.

References
----------
.. [1] S. Albers, M. K. Mantrala, S. Sridhar (2010), Personal Selling Elasticities: A Meta-Analysis, Journal of
   Marketing Research 47 (5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamlab import gains
from kamlab.terms import TABLES

LEAST_KEPT = 0.75
"""No account loses more than a quarter of its hours in a year: the relation is kept."""

MOST_GIVEN = 2.0
"""No account gets more than twice its hours, or twice the usual ones where it has fewer."""

P_GONE = 0.5
"""An account counts as lost from this probability of being alive downwards: its value is no longer at risk."""


@dataclass(frozen=True)
class Shift:
    """A proposed shift: the accounts' hours, and what all moves together are assumed to bring (contribution a year).

    `at_stake` is the expected contribution of the accounts that get fewer hours: the gain is gone where they buy less
    by `gain / at_stake` for it, which the assumption leaves out but for their value at risk.
    """

    table: pd.DataFrame
    usual_hours: float
    gain: float
    lower: float
    upper: float
    at_stake: float

    def facts(self) -> dict[str, float]:
        """Return the sums that reports print."""
        hours = self.table["hours"]
        moved = (self.table["hours_proposed"] - hours).clip(lower=0).sum()
        return {
            "hours": float(hours.sum()),
            "moved": float(moved),
            "usual_hours": self.usual_hours,
            "gain": self.gain,
            "lower": self.lower,
            "upper": self.upper,
            "at_stake": self.at_stake,
        }


def propose(
    accounts: pd.DataFrame,
    rooms: pd.DataFrame,
    hours: pd.Series,
    *,
    shares: gains.Shares,
    elasticity: tuple[float, float, float],
    level: float = 0.9,
    n_draws: int = 500,
    seed: int = 0,
) -> Shift:
    """Spread each owner's hours over the owner's accounts so that the assumed gain is highest.

    Account i is assumed to win s_i · (h_i / h)^e a year: s_i the assumed share of its room and of its value at risk,
    h the mean hours of served accounts, e the elasticity. Hours stay with their owner; accounts without one keep them.
    The gain's interval comes from draws of the shares and of the elasticity.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, owner (empty or missing = nobody), expected_contribution (currency), p_alive; prospects included.
    rooms : pandas.DataFrame
        account, strategy, room_contribution of `gains.room`, for the same accounts.
    hours : pandas.Series
        Hours of the last 12 months by account (index).
    shares, elasticity
        Least, likely and most; see `config.Planning`.
    level, n_draws, seed
        Of the gain's interval.

    Returns
    -------
    Shift
        Its table is "effort" of `terms`, ordered by account.
    """
    table = accounts[["account", "owner", "expected_contribution", "p_alive"]].merge(
        rooms[["account", "strategy", "room_contribution"]], on="account"
    )
    table = table.sort_values("account", ignore_index=True)
    table["hours"] = table["account"].map(hours).astype(float).fillna(0.0)
    table["owner"] = table["owner"].fillna("").astype("str").str.strip()
    table["value_at_risk"] = _at_risk(table)
    served = table.loc[table["hours"] > 0, "hours"]
    usual = float(served.mean()) if len(served) else 1.0
    means = {strategy: sum(three) / 3 for strategy, three in shares.items()}
    stake = table["room_contribution"] * table["strategy"].map(means).fillna(0.0).astype(float)
    stake = (stake + table["value_at_risk"] * means.get("retain", 0.0)).to_numpy()
    now, power = table["hours"].to_numpy(), sum(elasticity) / 3
    proposed = now.copy()
    for owner, rows in table.groupby("owner").indices.items():
        if owner:
            proposed[rows] = spread(stake[rows], now[rows], usual=usual, power=power)
    table["hours_proposed"] = proposed
    drawn = _gain_draws(table, usual, shares, elasticity, n_draws=n_draws, seed=seed)
    tails = [(1 - level) / 2, (1 + level) / 2]
    table["gain"] = stake * _response(now, proposed, usual, power)
    table["gain_lower"], table["gain_upper"] = np.quantile(drawn, tails, axis=1)
    lower, upper = np.quantile(drawn.sum(axis=0), tails)
    cut = table.loc[table["hours_proposed"] < table["hours"], "expected_contribution"]
    return Shift(
        table[[column.name for column in TABLES["effort"]]],
        usual_hours=usual,
        gain=float(table["gain"].sum()),
        lower=float(lower),
        upper=float(upper),
        at_stake=float(cut.clip(lower=0.0).sum()),
    )


def spread(stake: np.ndarray, hours: np.ndarray, *, usual: float, power: float) -> np.ndarray:
    """Return hours with the same sum that make Σ stake · (hours / usual)^power highest within the bounds.

    Every account inside its bounds has the same marginal gain, power · stake · hours^(power − 1) = λ; λ is found by
    bisection. Where all accounts with a stake stand at their upper bound, the rest of the hours stays where it is.

    Parameters
    ----------
    stake, hours : numpy.ndarray
        Shape (accounts,); what an account wins at the usual hours (currency), and its hours today.
    usual : float
        Hours at which an account wins its stake.
    power : float
        Elasticity, between 0 and 1.
    """
    low, high = LEAST_KEPT * hours, np.where(stake > 0, MOST_GIVEN * np.maximum(hours, usual), hours)
    if not (stake > 0).any() or hours.sum() <= 0 or power <= 0:
        return hours.copy()

    def at(log_price: float) -> np.ndarray:
        wanted = np.where(stake > 0, (stake * np.exp(-log_price)) ** (1 / (1 - power)), 0.0)
        return np.clip(wanted, low, high)

    best = np.log(stake[stake > 0])
    span = (1 - power) * (np.log(high.max() + 1) + 60)
    cheap, dear = best.min() - span, best.max() + span
    for _ in range(200):
        middle = (cheap + dear) / 2
        if at(middle).sum() > hours.sum():
            cheap = middle
        else:
            dear = middle
    found = at(dear)
    rest = hours.sum() - found.sum()
    cut = np.where(stake > 0, 0.0, hours - found)
    return found + (cut * rest / cut.sum() if cut.sum() > 0 else 0.0)


def _at_risk(table: pd.DataFrame) -> pd.Series:
    """Return the contribution of accounts probably alive × the chance that they are not; 0 where that is the room."""
    alive = table["p_alive"].clip(lower=1e-9)
    risk = table["expected_contribution"].clip(lower=0.0) / alive * (1 - table["p_alive"])
    counted = (table["p_alive"] > P_GONE) & ~table["strategy"].isin(["retain", "win_back"])
    return risk.where(counted, 0.0).fillna(0.0)


def _response(now: np.ndarray, proposed: np.ndarray, usual: float, power: float) -> np.ndarray:
    """Return by how much what is won changes, as a share of the stake."""
    return (proposed / usual) ** power - (now / usual) ** power


def _gain_draws(
    table: pd.DataFrame,
    usual: float,
    shares: gains.Shares,
    elasticity: tuple[float, float, float],
    *,
    n_draws: int,
    seed: int,
) -> np.ndarray:
    """Return what the shift brings each account, shape (accounts, draws)."""
    drawn = gains.share_draws(shares, n_draws=n_draws, seed=seed)
    rng = np.random.default_rng([seed, 1])
    least, likely, most = elasticity
    powers = rng.triangular(least, likely, most, n_draws) if least < most else np.full(n_draws, likely)
    room, risk = table["room_contribution"].to_numpy(), table["value_at_risk"].to_numpy()
    now, proposed = table["hours"].to_numpy(), table["hours_proposed"].to_numpy()
    place = drawn.index.get_indexer(table["strategy"].fillna("").astype(str))
    # Accounts whose strategy is unknown have no room.
    known = np.where(place < 0, 0.0, room)
    by_strategy, retained = drawn.to_numpy(), drawn.loc["retain"].to_numpy()
    return np.stack(
        [
            (known * by_strategy[place, n] + risk * retained[n]) * _response(now, proposed, usual, powers[n])
            for n in range(n_draws)
        ],
        axis=1,
    )
