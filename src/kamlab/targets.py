"""Proposed targets: what is forecast, what planned work adds, and what can be reached with luck.

Every sum over accounts is taken draw by draw, so that its quantiles are those of the sum: neither P50 nor P80 of a
whole is the sum of the parts'. Only expected values add up.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from kamlab import gains
from kamlab.planning import LEAST_COVERED, OTHER
from kamlab.terms import TABLES
from kamlab.totals import COMPANY

STRETCH = 0.8
"""Quantile of forecast and gain together that only one year in five exceeds."""
_CHUNK = 50_000
"""Groups whose draws are worked on at a time: the accounts are groups too."""


def propose(
    future: pd.DataFrame,
    revenue_draws: pd.DataFrame,
    rooms: pd.DataFrame,
    sold: pd.DataFrame,
    groups: Mapping[str, pd.Series],
    *,
    shares: gains.Shares,
    plan: pd.DataFrame,
    level: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Propose a target of the next 12 months: forecast + planned gain; the stretch is the 80 % quantile of the two.

    Parameters
    ----------
    future : pandas.DataFrame
        account, expected_revenue (currency).
    revenue_draws : pandas.DataFrame
        account, d0 … dN: joint draws of it.
    rooms : pandas.DataFrame
        From `gains.room`; it names prospects too.
    sold : pandas.DataFrame
        account, product_line, revenue, quantity of the last 12 months. A product line has the share of an account's
        forecast that it has there.
    groups : mapping of str to pandas.Series
        "owner" and "region" → group by account (index).
    shares : mapping
        See `gains.share_draws`.
    plan : pandas.DataFrame
        From `planning.planned`: the coming 12 months alone.
    level : float
        Of the gain's interval.
    seed : int

    Returns
    -------
    pandas.DataFrame
        Table "targets" of `terms`: the company, owners, regions, product lines and accounts.
    """
    ids = pd.Index(sorted(pd.Index(pd.concat([rooms["account"], future["account"]])).unique().to_numpy(dtype=object)))
    named = sold[sold["account"].notna()].assign(product_line=sold["product_line"].fillna(OTHER))
    one = pd.DataFrame({"column": np.arange(len(ids)), "part": 1.0})
    members = {COMPANY: one.assign(group=COMPANY)}
    members |= {kind: one.assign(group=by.reindex(ids).to_numpy()).dropna() for kind, by in groups.items()}
    members |= {"product_line": _mix(named, ids), "account": one.assign(group=ids)}
    expected = future.set_index("account")["expected_revenue"].reindex(ids).fillna(0.0).to_numpy(dtype=float)
    draws = _at(revenue_draws, ids)
    drawn = gains.share_draws(shares, n_draws=draws.shape[1], seed=seed)
    by_strategy = rooms.pivot_table(index="account", columns="strategy", values="room", aggfunc="sum")
    room = by_strategy.reindex(index=ids, columns=drawn.index).fillna(0.0).to_numpy(dtype=float)
    likely = gains.likely(rooms, shares).groupby(rooms["account"]).sum().reindex(ids).fillna(0.0).to_numpy()
    tables = []
    for kind, rows in members.items():
        aim = plan[(plan["kind"] == kind) & (plan["covered"] >= LEAST_COVERED)].set_index("group")["plan"]
        names = pd.Index(sorted(rows["group"].unique())).union(aim.index)
        adding = _adding(rows, names, len(ids))
        aims = aim.reindex(names).to_numpy(dtype=float)
        found = []
        for start in range(0, max(len(names), 1), _CHUNK):
            some = slice(start, start + _CHUNK)
            found.append(_quantiles(adding[some] @ draws, adding[some] @ room @ drawn.to_numpy(), aims[some], level))
        table = pd.concat(found, ignore_index=True).assign(
            kind=kind,
            group=names,
            accounts=np.diff(adding.indptr),
            forecast=adding @ expected,
            gain=adding @ likely,
        )
        tables.append(table.merge(_past(named, kind, groups), on="group", how="left"))
    result = pd.concat(tables, ignore_index=True)
    result["target"] = result["forecast"] + result["gain"]
    result["quantity"] = result["target"] / result["price"]
    result["trailing"] = result["trailing"].fillna(0.0)
    return result[[column.name for column in TABLES["targets"]]]


def _quantiles(summed: np.ndarray, gain: np.ndarray, plan: np.ndarray, level: float) -> pd.DataFrame:
    """Return what follows from the draws of the groups, shape (groups, draws), of forecast and of gain."""
    lower, upper = np.quantile(gain, [(1 - level) / 2, (1 + level) / 2], axis=1)
    chances = [
        np.where(np.isnan(plan), np.nan, (sums >= plan[:, None]).mean(axis=1)) for sums in (summed, summed + gain)
    ]
    return pd.DataFrame(
        {
            "p50": np.quantile(summed, 0.5, axis=1),
            "p80": np.quantile(summed, STRETCH, axis=1),
            "gain_lower": lower,
            "gain_upper": upper,
            "stretch": np.quantile(summed + gain, STRETCH, axis=1),
            "plan": plan,
            "chance": chances[0],
            "chance_with_gain": chances[1],
        }
    )


def _at(drawn: pd.DataFrame, ids: pd.Index) -> np.ndarray:
    """Return the draws of the accounts named, 0 where there are none, shape (accounts, draws)."""
    numbers = drawn.drop(columns="account").to_numpy()
    found = np.zeros((len(ids), numbers.shape[1]))
    place = ids.get_indexer(pd.Index(drawn["account"]))
    known = place >= 0
    found[place[known]] = numbers if known.all() else numbers[known]
    return found


def _adding(rows: pd.DataFrame, names: pd.Index, n_accounts: int) -> csr_matrix:
    """Return the matrix, groups × accounts, that adds accounts' numbers up to groups'."""
    line = names.get_indexer(pd.Index(rows["group"]))
    return csr_matrix((rows["part"].to_numpy(dtype=float), (line, rows["column"])), shape=(len(names), n_accounts))


def _mix(sold: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """Return column (place of the account), group (product line) and part, which adds up to 1 for each account."""
    bought = sold[sold["revenue"] > 0].groupby(["account", "product_line"])["revenue"].sum().reset_index()
    bought["column"] = ids.get_indexer(pd.Index(bought["account"]))
    bought = bought[bought["column"] >= 0]
    part = bought["revenue"] / bought.groupby("column")["revenue"].transform("sum")
    known = bought.assign(part=part).rename(columns={"product_line": "group"})[["column", "part", "group"]]
    rest = np.setdiff1d(np.arange(len(ids)), known["column"])
    return pd.concat([known, pd.DataFrame({"column": rest, "part": 1.0, "group": OTHER})], ignore_index=True)


def _past(sold: pd.DataFrame, kind: str, groups: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return group, trailing revenue and mean price of a unit; no price where a line has no quantity."""
    by = {COMPANY: pd.Series(COMPANY, sold.index), "product_line": sold["product_line"], "account": sold["account"]}
    group = by[kind] if kind in by else sold["account"].map(groups[kind])
    sums = sold.assign(unknown=sold["quantity"].isna()).groupby(group.rename("group"))
    sums = sums.agg(trailing=("revenue", "sum"), quantity=("quantity", "sum"), unknown=("unknown", "sum"))
    clear = (sums["unknown"] == 0) & (sums["quantity"] > 0) & (sums["trailing"] > 0)
    sums["price"] = (sums["trailing"] / sums["quantity"]).where(clear)
    return sums[["trailing", "price"]].reset_index()
