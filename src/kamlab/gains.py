"""What planned work could win: room for each account by its strategy, and the assumed share of it that a year brings.

Nothing in the data shows what work brings, because nobody was left out by lot. The shares are assumptions of the
configuration, each with its least, likely and most; they are wrong for all accounts of a strategy together, so that the
uncertainty of a sum does not shrink with the number of accounts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kamlab.terms import STRATEGIES, TABLES
from kamlab.totals import interval

SILENT_RULES = ("win_back.silent", "silent.watch")
"""Strategy rules of the default playbook for accounts that have probably gone."""

ROOM_OF = (
    *("strategy", "strategy_rule", "potential_revenue", "expected_revenue", "peak_revenue", "prior_peak_revenue"),
    *("p_alive", "margin_rate"),
)
"""What `room` takes of the account table and of the table of strategies, beside account."""

Shares = Mapping[str, tuple[float, float, float]]
"""Strategy → least, likely and most share of the room that a year of work wins."""


def room(accounts: pd.DataFrame) -> pd.DataFrame:
    """Return what each account's strategy could win in 12 months at most.

    Promote: potential less expected revenue. Win back: best 12 months less expected revenue, the best of the 24 before
    the last 12 where the account still buys. Acquire: the potential. Retain: what is expected of an account that
    still buys, × the chance that it does not. None of them is under 0; other strategies have no room.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account and `ROOM_OF`; prospects included.

    Returns
    -------
    pandas.DataFrame
        account, strategy, room (currency of revenue) and room_contribution, at the account's margin rate; that of all
        accounts together where it has none, and 1 where no cost is known.
    """
    expected = accounts["expected_revenue"].fillna(0.0)
    best = accounts["peak_revenue"].where(accounts["strategy_rule"].isin(SILENT_RULES), accounts["prior_peak_revenue"])
    alive = accounts["p_alive"].clip(lower=1e-9)
    by_strategy = {
        "promote": accounts["potential_revenue"] - expected,
        "win_back": best - expected,
        "acquire": accounts["potential_revenue"],
        # The revenue that the account would bring for certain stands in for that of one which has probably gone.
        "retain": np.minimum(expected / alive, accounts["peak_revenue"].fillna(0.0)) * (1 - accounts["p_alive"]),
    }
    found = pd.Series(0.0, accounts.index)
    for strategy, value in by_strategy.items():
        found = found.where(accounts["strategy"] != strategy, value.astype(float).fillna(0.0).clip(lower=0.0))
    rate = accounts["margin_rate"].astype(float)
    known = rate.notna() & (expected > 0)
    usual = float(np.average(rate[known], weights=expected[known])) if known.any() else 1.0
    # An account that loses money has nothing to gain from more of the same.
    margin = rate.fillna(usual).clip(lower=0.0)
    return pd.DataFrame(
        {
            "account": accounts["account"],
            "strategy": accounts["strategy"],
            "room": found,
            "room_contribution": found * margin,
        }
    )


def share_draws(shares: Shares, *, n_draws: int, seed: int) -> pd.DataFrame:
    """Draw the share of the room that a year wins: one number a strategy and draw, the same for all its accounts.

    Returns
    -------
    pandas.DataFrame
        Strategies (index) × draws, of triangular distributions; 0 for strategies without an assumption.
    """
    rng = np.random.default_rng(seed)
    drawn = {
        # Without width there is no distribution to draw from.
        strategy: rng.triangular(*shares[strategy], n_draws)
        if strategy in shares and shares[strategy][0] < shares[strategy][2]
        else np.full(n_draws, shares.get(strategy, (0.0,) * 3)[1])
        for strategy in STRATEGIES
    }
    return pd.DataFrame(drawn).T


def likely(rooms: pd.DataFrame, shares: Shares, *, column: str = "room") -> pd.Series:
    """Return the likely gain of each row of `room` (currency): its room × the mean of the assumed share."""
    means = {strategy: sum(share) / 3 for strategy, share in shares.items()}
    return rooms[column] * rooms["strategy"].map(means).fillna(0.0).astype(float)


def by_account(rooms: pd.DataFrame, drawn: pd.DataFrame, shares: Shares, *, level: float = 0.9) -> pd.DataFrame:
    """Return what a year of work is assumed to win of each account, with the interval of the assumption.

    The share is the same for all accounts of a strategy, so that an account's bounds are its room × those of the share.

    Parameters
    ----------
    rooms : pandas.DataFrame
        From `room`.
    drawn : pandas.DataFrame
        From `share_draws`.
    shares : mapping
        See `share_draws`.
    level : float
        Of the interval.

    Returns
    -------
    pandas.DataFrame
        Table "gains" of `terms`, in the order of `rooms`.
    """
    tails = np.quantile(drawn.to_numpy(), [(1 - level) / 2, (1 + level) / 2], axis=1)
    bounds = pd.DataFrame(tails.T, index=drawn.index, columns=["lower", "upper"])
    of_row = bounds.reindex(rooms["strategy"]).fillna(0.0).reset_index(drop=True).set_axis(rooms.index)
    return rooms.assign(
        gain=likely(rooms, shares),
        gain_contribution=likely(rooms, shares, column="room_contribution"),
        gain_contribution_lower=rooms["room_contribution"] * of_row["lower"],
        gain_contribution_upper=rooms["room_contribution"] * of_row["upper"],
    )


def gain_draws(rooms: pd.DataFrame, groups: pd.Series, drawn: pd.DataFrame, *, column: str = "room") -> pd.DataFrame:
    """Return the gain of groups of accounts: one row a group (index), one column a draw, in currency.

    Parameters
    ----------
    rooms : pandas.DataFrame
        From `room`.
    groups : pandas.Series
        Group of each row of `rooms`, in its order.
    drawn : pandas.DataFrame
        From `share_draws`.
    column : str
        room or room_contribution.
    """
    sums = rooms.pivot_table(index=groups.to_numpy(), columns="strategy", values=column, aggfunc="sum", fill_value=0.0)
    return sums.reindex(columns=drawn.index, fill_value=0.0) @ drawn


def by_strategy(rooms: pd.DataFrame, drawn: pd.DataFrame, shares: Shares, *, level: float = 0.9) -> pd.DataFrame:
    """Return the gain of each strategy and of all, in contribution, with the interval of the assumption.

    Returns
    -------
    pandas.DataFrame
        Table "strategy_gains" of `terms`: strategies that have room, then "all".
    """
    has_room = rooms[rooms["room_contribution"] > 0].reset_index(drop=True)
    tables = []
    for groups in (has_room["strategy"], pd.Series("all", has_room.index)):
        summed = gain_draws(has_room, groups, drawn, column="room_contribution")
        grouped = has_room.assign(gain=likely(has_room, shares, column="room_contribution")).groupby(groups.to_numpy())
        table = grouped[["room_contribution", "gain"]].sum().assign(accounts=grouped.size())
        tables.append(table.join(interval(summed, level)).reset_index(names="strategy"))
    return pd.concat(tables, ignore_index=True)[[column.name for column in TABLES["strategy_gains"]]]
