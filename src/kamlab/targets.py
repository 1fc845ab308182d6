"""Proposed targets: what is forecast, what planned work adds, and what can be reached with luck.

Every sum over accounts is taken draw by draw, so that its quantiles are those of the sum: neither P50 nor P80 of a
whole is the sum of the parts'. Only expected values add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from kamlab import gains
from kamlab.ids import places
from kamlab.planning import LEAST_COVERED, OTHER
from kamlab.terms import STRATEGIES, TABLES
from kamlab.threads import in_order
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
    ids = pd.Index(pd.concat([rooms["account"], future["account"]]).unique())
    ids = ids if ids.is_monotonic_increasing else ids.sort_values()
    known = ids.to_series(index=range(len(ids)))
    named = sold[sold["account"].notna()].assign(product_line=sold["product_line"].fillna(OTHER))
    named["column"] = places(named["account"], known)
    one = pd.DataFrame({"column": np.arange(len(ids)), "part": 1.0})
    of_account = {kind: by.reindex(ids).reset_index(drop=True) for kind, by in groups.items()}
    members = {COMPANY: one.assign(group=COMPANY)}
    members |= {kind: one.assign(group=by).dropna() for kind, by in of_account.items()}
    members |= {"product_line": _mix(named, len(ids)), "account": one.assign(group=ids)}
    expected, room, likely = np.zeros(len(ids)), np.zeros((len(ids), len(STRATEGIES))), np.zeros(len(ids))
    expected[places(future["account"], known)] = future["expected_revenue"].fillna(0.0)
    draws = _at(revenue_draws, known)
    drawn = gains.share_draws(shares, n_draws=draws.shape[1], seed=seed)
    place, strategy = places(rooms["account"], known), drawn.index.get_indexer(rooms["strategy"])
    np.add.at(room, (place[strategy >= 0], strategy[strategy >= 0]), rooms["room"].fillna(0.0)[strategy >= 0])
    np.add.at(likely, place, gains.likely(rooms, shares).fillna(0.0))
    tables = []
    for kind, rows in members.items():
        aim = plan[(plan["kind"] == kind) & (plan["covered"] >= LEAST_COVERED)].set_index("group")["plan"]
        code, there = pd.factorize(rows["group"], sort=True)
        names = pd.Index(there).union(aim.index)
        adding = _adding(rows, names.get_indexer(there)[code], (len(names), len(ids)))
        aims = aim.reindex(names).to_numpy(dtype=float)
        parts = [slice(start, start + _CHUNK) for start in range(0, max(len(names), 1), _CHUNK)]
        found = in_order(
            partial(_quantiles, draws, (room, drawn.to_numpy()), level), [(adding[p], aims[p]) for p in parts]
        )
        table = pd.concat(found, ignore_index=True).assign(
            kind=kind,
            group=names,
            accounts=np.diff(adding.indptr),
            forecast=adding @ expected,
            gain=adding @ likely,
        )
        past = _past(named, kind, of_account)
        at = places(table["group"], past.index.to_series())
        tables.append(pd.concat([table, past.reset_index(drop=True).reindex(at).reset_index(drop=True)], axis=1))
    result = pd.concat(tables, ignore_index=True)
    result["target"] = result["forecast"] + result["gain"]
    result["quantity"] = result["target"] / result["price"]
    result["trailing"] = result["trailing"].fillna(0.0)
    return result[[column.name for column in TABLES["targets"]]]


def _quantiles(
    draws: np.ndarray, wins: tuple[np.ndarray, np.ndarray], level: float, part: tuple[csr_matrix, np.ndarray]
) -> pd.DataFrame:
    """Return what follows from the draws of some groups: of forecast, and of gain, which is room × drawn share.

    `part` is the matrix that adds accounts up to these groups, and the groups' plans.
    """
    (adding, plan), (room, shares) = part, wins
    summed, gain = adding @ draws, adding @ room @ shares
    middle, stretched = np.quantile(summed, [0.5, STRETCH], axis=1)
    lower, upper = np.quantile(gain, [(1 - level) / 2, (1 + level) / 2], axis=1)
    chances = [
        np.where(np.isnan(plan), np.nan, (sums >= plan[:, None]).mean(axis=1)) for sums in (summed, summed + gain)
    ]
    return pd.DataFrame(
        {
            "p50": middle,
            "p80": stretched,
            "gain_lower": lower,
            "gain_upper": upper,
            "stretch": np.quantile(summed + gain, STRETCH, axis=1),
            "plan": plan,
            "chance": chances[0],
            "chance_with_gain": chances[1],
        }
    )


def _at(drawn: pd.DataFrame, ids: pd.Series) -> np.ndarray:
    """Return the draws of the accounts named, 0 where there are none, shape (accounts, draws)."""
    numbers = drawn.drop(columns="account").to_numpy()
    found = np.zeros((len(ids), numbers.shape[1]))
    place = places(drawn["account"], ids)
    known = place >= 0
    found[place[known]] = numbers if known.all() else numbers[known]
    return found


def _adding(rows: pd.DataFrame, line: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Return the matrix, groups × accounts, that adds accounts' numbers up to groups'."""
    return csr_matrix((rows["part"].to_numpy(dtype=float), (line, rows["column"])), shape=shape)


def _mix(sold: pd.DataFrame, n_accounts: int) -> pd.DataFrame:
    """Return column (place of the account), group (product line) and part, which adds up to 1 for each account."""
    bought = sold[(sold["revenue"] > 0) & (sold["column"] >= 0)]
    bought = bought.groupby(["column", "product_line"])["revenue"].sum().reset_index()
    part = bought["revenue"] / bought.groupby("column")["revenue"].transform("sum")
    known = bought.assign(part=part).rename(columns={"product_line": "group"})[["column", "part", "group"]]
    rest = np.setdiff1d(np.arange(n_accounts), known["column"])
    return pd.concat([known, pd.DataFrame({"column": rest, "part": 1.0, "group": OTHER})], ignore_index=True)


def _past(sold: pd.DataFrame, kind: str, groups: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return trailing revenue and mean price of a unit by group; no price where a line has no quantity.

    `groups` are those of each account, by its place.
    """
    by = {COMPANY: pd.Series(COMPANY, sold.index), "product_line": sold["product_line"], "account": sold["account"]}
    group = by[kind] if kind in by else pd.Series(groups[kind].reindex(sold["column"]).array, sold.index)
    sums = sold.assign(unknown=sold["quantity"].isna()).groupby(group.rename("group"))
    sums = sums.agg(trailing=("revenue", "sum"), quantity=("quantity", "sum"), unknown=("unknown", "sum"))
    clear = (sums["unknown"] == 0) & (sums["quantity"] > 0) & (sums["trailing"] > 0)
    sums["price"] = (sums["trailing"] / sums["quantity"]).where(clear)
    return sums[["trailing", "price"]]
