"""What accounts of the same kind buy at most, learned from each other; and whom each prospect is like."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from kamlab.i18n import N_
from kamlab.terms import TABLES

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

FIRMOGRAPHICS = ("industry", "region", "country", "territory", "size")
"""What accounts of a channel are told apart by. Never the person in charge: that says who sells, not what could be."""

QUANTILE = 0.9
MIN_ACCOUNTS = 100
"""Buyers that a channel needs: ten of a hundred lie above the 90th percentile."""
COVERAGE = (0.85, 0.95)
"""The share of accounts at or under their out-of-sample quantile must lie between these."""
MIN_SKILL = 0.1
"""How much lower than that of one number for the channel the loss must be; features that say nothing reach 0.05."""
FOLDS = 10
MAX_CATEGORIES = 254
"""More kinds than the trees take: the rarest count as unknown."""
LARGEST_FIT = 20_000
"""More accounts are fitted by a sample of this many; the quantile does not move, and a million take minutes less."""
NEIGHBOURS = 3

REASONS = {
    "used": N_("in use"),
    "few": N_("too few buyers"),
    "alike": N_("nothing tells the accounts apart"),
    "coverage": N_("the share under it is not near 90%"),
    "unskilled": N_("hardly better than one number for the whole channel"),
    "others": N_("in use for accounts that did not buy"),
    "beaten": N_("the other one is better"),
}
"""Whether a fitted quantile is in force, and why not."""


def upper_revenue(
    summary: pd.DataFrame, accounts: pd.DataFrame, mix: pd.DataFrame, *, seed: int = 0
) -> tuple[pd.Series, pd.DataFrame]:
    """Fit the 90th percentile of 12 months' revenue that accounts of a kind reach, within each channel.

    Gradient-boosted trees with the quantile loss [1]_ are fitted to ln(revenue) of a channel's accounts that bought in
    the last 12 months, once by firmographics and once by firmographics and product mix. An account's own number comes
    from a fit to nine tenths of the accounts, of which it is none; an account that did not buy gets the fit to all
    by firmographics. A fit counts if 85 to 95 % of the accounts lie at or under their number and if its quantile loss
    is a tenth below that of one number for the channel, both out of sample; of two that count, the one with the lower
    loss is taken. Accounts without a channel get nothing: a distributor is no end user.

    Parameters
    ----------
    summary : DataFrame
        account, trailing_revenue (currency).
    accounts : DataFrame
        account, channel and columns of `FIRMOGRAPHICS`; also accounts that never bought.
    mix : DataFrame
        account, and the share of each product line in what it bought; such as `buying.product_mix` returns.

    Returns
    -------
    fitted : Series
        Currency a year, by account; only accounts that have a number.
    record : DataFrame
        Table "potential_fit" of `terms`: one row a channel and fit.

    References
    ----------
    .. [1] R. Koenker, G. Bassett (1978), Regression quantiles, Econometrica 46, equation (3.1).
    """
    columns = [column.name for column in TABLES["potential_fit"]]
    if accounts["channel"].isna().all():
        return pd.Series(dtype=float).rename_axis("account"), pd.DataFrame(columns=columns)
    revenue = summary.set_index("account")["trailing_revenue"].astype(float)
    units = accounts.set_index("account").sort_index()
    shares = mix.set_index("account")
    found, rows = [], []
    for channel, members in units.dropna(subset="channel").groupby("channel", sort=True):
        numbers, record = _channel(revenue, members, shares, seed)
        found.append(numbers)
        rows += [{"channel": channel, **row} for row in record]
    return pd.concat(found).rename_axis("account").sort_index(), pd.DataFrame(rows, columns=columns)


def _channel(
    revenue: pd.Series, members: pd.DataFrame, shares: pd.DataFrame, seed: int
) -> tuple[pd.Series, list[dict[str, object]]]:
    """Fit one channel; return the numbers in force, by account, and the record of both fits."""
    from sklearn.metrics import mean_pinball_loss

    bought = revenue.reindex(members.index)
    buyers = bought.index[bought > 0]
    record = {"accounts": len(buyers), "coverage": np.nan, "skill": np.nan, "used": False}
    if len(buyers) < MIN_ACCOUNTS:
        return pd.Series(dtype=float), [{"given": "firmographics", **record, "reason": REASONS["few"]}]
    firm, y = _categories(members), np.log(bought[buyers])
    told = shares.reindex(buyers).fillna(0.0)
    told = told.loc[:, told.nunique() > 1]
    given = {"firmographics": firm.loc[buyers]}
    if len(told.columns):
        given["firmographics_and_mix"] = firm.loc[buyers].join(told.add_prefix("mix_"))
    with threadpool_limits(limits=1):
        own = {name: _cross_fitted(x, y, seed) for name, x in given.items() if len(x.columns)}
    benchmark = mean_pinball_loss(y, _one_number(y), alpha=QUANTILE)
    losses = {name: mean_pinball_loss(y, numbers, alpha=QUANTILE) for name, numbers in own.items()}
    covered = {name: float((y <= numbers).mean()) for name, numbers in own.items()}
    counting = [n for n in own if COVERAGE[0] <= covered[n] <= COVERAGE[1] and 1 - losses[n] / benchmark >= MIN_SKILL]
    best = min(counting, key=lambda name: losses[name], default=None)
    rows = []
    for name in given:
        row: dict[str, object] = {"given": name, **record, "reason": REASONS["alike"]}
        if name in own:
            row |= {"coverage": covered[name], "skill": 1 - losses[name] / benchmark}
            row["used"] = name == best or (name == "firmographics" and name in counting)
            row["reason"] = _reason(name, best, counting, covered[name])
        rows.append(row)
    if best is None:
        return pd.Series(dtype=float), rows
    numbers, others = own[best], members.index.difference(buyers)
    if "firmographics" in counting and len(others):
        with threadpool_limits(limits=1):
            whole = _fit(given["firmographics"], y, seed)
            numbers = pd.concat([numbers, pd.Series(whole.predict(firm.loc[others]), others)])
    return np.exp(numbers), rows


def _reason(name: str, best: str | None, counting: list[str], covered: float) -> str:
    if name == best:
        return REASONS["used"]
    if name in counting:
        return REASONS["others" if name == "firmographics" else "beaten"]
    return REASONS["unskilled" if COVERAGE[0] <= covered <= COVERAGE[1] else "coverage"]


def _one_number(y: pd.Series) -> pd.Series:
    """Return the quantile of the other folds, whoever the account is: what a fit has to beat."""
    fold, out = _folds(y.index), y.copy()
    for f in np.unique(fold):
        out[fold == f] = np.quantile(y[fold != f], QUANTILE)
    return out


def _categories(members: pd.DataFrame) -> pd.DataFrame:
    """Return the firmographics that differ within a channel, as categories; missing ones are unknown."""
    known = [c for c in FIRMOGRAPHICS if c in members and members[c].nunique() > 1]
    table = members[known].astype(object).astype(dict.fromkeys(known, "category"))
    for c in known:
        rare = table[c].value_counts().index[MAX_CATEGORIES:]
        table[c] = table[c].cat.remove_categories(rare)
    return table


def _folds(ids: pd.Index) -> np.ndarray:
    """Deal accounts into folds by their ids, so that one account more leaves the others where they are."""
    digests = [hashlib.sha256(str(i).encode()).digest() for i in ids]
    return np.array([int.from_bytes(d[:4], "big") % FOLDS for d in digests])


def _cross_fitted(x: pd.DataFrame, y: pd.Series, seed: int) -> pd.Series:
    """Predict each account's quantile from a fit to the other folds."""
    fold, out = _folds(y.index), y.copy()
    for f in np.unique(fold):
        inside = fold == f
        out[inside] = _fit(x[~inside], y[~inside], seed).predict(x[inside])
    return out


def _fit(x: pd.DataFrame, y: pd.Series, seed: int) -> HistGradientBoostingRegressor:
    """Grow few small trees: on a few hundred accounts, larger fits cover far less than 90 % out of sample."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rows = np.arange(len(y))
    if len(y) > LARGEST_FIT:
        rows = np.sort(np.random.default_rng(seed).choice(len(y), LARGEST_FIT, replace=False))
    regressor = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=QUANTILE,
        max_iter=50,
        learning_rate=0.05,
        max_leaf_nodes=4,
        min_samples_leaf=20,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )
    return regressor.fit(x.iloc[rows], y.iloc[rows])


def nearest(summary: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Find the buyers that each prospect is most like.

    Accounts are compared by channel and by the firmographics that both have; a buyer of another channel, or one that
    agrees in nothing, is no look-alike. Of equally alike buyers those with the most revenue stand first.

    Parameters
    ----------
    summary : DataFrame
        account, trailing_revenue (currency).
    accounts : DataFrame
        account, channel and columns of `FIRMOGRAPHICS`; also accounts that never bought.

    Returns
    -------
    DataFrame
        Table "look_alikes" of `terms`: up to 3 rows a prospect, ordered by account and rank.
    """
    columns = [column.name for column in TABLES["look_alikes"]]
    known = [c for c in FIRMOGRAPHICS if c in accounts and accounts[c].nunique() > 1]
    if not known:
        return pd.DataFrame(columns=columns)
    revenue = summary.set_index("account")["trailing_revenue"].astype(float)
    units = accounts.set_index("account").sort_index()
    parts = []
    for _, members in units.assign(channel=units["channel"].fillna("")).groupby("channel", sort=True):
        bought = revenue.reindex(members.index)
        buyers = bought[bought > 0].sort_values(ascending=False, kind="stable").index
        prospects = members.index.difference(summary["account"])
        if len(buyers) and len(prospects):
            parts.append(_nearest(members[known], buyers, prospects))
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts)
    table["revenue"] = revenue[table["look_alike"]].to_numpy()
    return table.sort_values(["account", "rank"], ignore_index=True)[columns]


def _nearest(firm: pd.DataFrame, buyers: pd.Index, prospects: pd.Index) -> pd.DataFrame:
    """Rank buyers by the share of a prospect's known firmographics that they agree in."""
    from sklearn.neighbors import NearestNeighbors

    flags = pd.get_dummies(firm.astype(object), dtype=float)
    count = min(NEIGHBOURS, len(buyers))
    # In 0 and 1 the distance counts disagreements; under 1, a buyer's place in the order decides among equals.
    order = pd.Series(np.arange(len(buyers)) / len(buyers), buyers)
    search = NearestNeighbors(n_neighbors=count, algorithm="brute", metric="manhattan")
    search.fit(flags.loc[buyers].assign(order=order))
    places = search.kneighbors(flags.loc[prospects].assign(order=0.0), return_distance=False)
    rows = pd.DataFrame(
        {
            "account": np.repeat(prospects, count),
            "look_alike": buyers.to_numpy()[places.ravel()],
            "rank": np.tile(np.arange(1, count + 1), len(prospects)),
        }
    )
    mine, theirs = firm.loc[rows["account"]].to_numpy(), firm.loc[rows["look_alike"]].to_numpy()
    both = pd.notna(mine)
    rows["agreement"] = (both & (mine == theirs)).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    return rows[rows["agreement"] > 0]
