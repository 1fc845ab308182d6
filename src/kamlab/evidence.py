"""Do the fitted borders serve better than other schemes? Judged on the company's own past, from several earlier dates.

Every scheme classes the accounts as of a date from what was known then, and is held against what came in the horizon
after it. Differences are drawn in pairs: the same accounts are resampled for both schemes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from kamlab.ids import among
from kamlab.progress import track
from kamlab.schemes import CLASSES
from kamlab.terms import TABLES
from kamlab.threads import in_order

REFERENCE = "contribution_class"
"""The scheme that is to prove itself."""

MEASURES = {"share": 1, "explained": 1, "churn": 1, "changed": -1, "returned": -1, "missed": -1}
"""What a scheme is judged by; 1 where more is better, −1 where less is.

share : of the next horizon's value, brought by the first accounts of the scheme, as many as the fitted top class has
(10 at least, because two or three accounts tell nothing).
explained : share of that value's variance that the class means explain, each account left out of its own mean.
churn : probability that an account which buys again stands in a higher class than one that does not, ties half; among
accounts that bought in the 12 months before.
changed : share of accounts in another class one horizon later. returned : share of these back in the old one after two.
missed : value of the accounts that turned out to be the most valuable, as many as before, and were not put among them.
"""

OWN = ("own_accounts", "own_share")
"""Share of accounts in the scheme's own top class, and of the next horizon's value that they bring."""

MIN_ACCOUNTS = 30
MAX_ACCOUNTS = 20_000
"""More are judged by a sample drawn at random; its interval covers that."""
N_BOOT = 200
INTERVAL = (0.05, 0.95)
LEAST_TOP = 10


_Draws = dict[pd.Timestamp, np.ndarray]


class _First(NamedTuple):
    """The first accounts of an order: their places, and how much of each counts, shape (draws, places)."""

    place: np.ndarray
    part: np.ndarray

    def of(self, place: np.ndarray, n: int) -> np.ndarray:
        """Return how much of each account at these places counts, of n accounts; shape (draws, places)."""
        at = np.full(n, -1)
        at[self.place] = np.arange(len(self.place))
        here = at[place]
        return np.where(here >= 0, self.part[:, here], 0.0)

    def sums(self, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Add up what counts in each draw, always in the order of all: the same accounts, the same bits."""
        counted = np.zeros_like(weights)
        counted[:, self.place] = weights[:, self.place] * self.part
        return counted @ values


@dataclass(frozen=True, eq=False)
class _Origin:
    """One date: its accounts' rows, and the weight of each in the data (row 0) and in each bootstrap draw.

    top : share of the accounts that is compared; scale : accounts of the company for one that is judged; best : the
    accounts that turned out to be the most valuable, as many as are compared.
    """

    table: pd.DataFrame
    weights: np.ndarray
    top: float
    scale: float
    best: _First

    @property
    def value(self) -> np.ndarray:
        return self.table["next_value"].to_numpy(dtype=float)


def measure(past: pd.DataFrame, today: pd.DataFrame, *, seed: int = 0, n_boot: int = N_BOOT) -> pd.DataFrame:
    """Judge every scheme from every earlier date, with intervals over accounts.

    Parameters
    ----------
    past : DataFrame
        Table "earlier" of `terms`.
    today : DataFrame
        Table "schemes" of `terms`: where accounts stand at the as-of date, by the value alone as in `past`.
    seed, n_boot : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Table "evidence" of `terms`: for each column that holds classes at the earlier dates each measure by date, then
        its mean over the dates. No rows where no date has 30 accounts.
    """
    names = [c.name for c in TABLES["evidence"]]
    sizes = past.groupby("origin").size() if len(past) else pd.Series(dtype=int)
    dates = sorted(sizes.index[sizes >= MIN_ACCOUNTS])
    if not dates:
        return pd.DataFrame(columns=names)
    past = past[past["origin"].isin(dates)]
    accounts, drawn = _resampled(past["account"].unique(), seed, n_boot)
    past = past[among(past["account"], accounts)]
    origins = {date: _at(past[past["origin"] == date], accounts, drawn, sizes[date]) for date in dates}
    panel = _panel(past, today, accounts)
    judged = [c for c, classes in CLASSES.items() if classes.labels and c in past and past[c].notna().any()]
    rows: list[dict[str, object]] = []
    measured = in_order(lambda column: _measured(column, origins, panel[column], drawn), judged)
    found = dict(zip(track(judged, "schemes judged"), measured, strict=True))
    for column in judged:
        for name in (*MEASURES, *OWN):
            by_date = {date: draws for (measure, date), draws in found[column].items() if measure == name}
            # a scheme without classes at a date is compared on the other dates
            rivals = {date: found[REFERENCE].get((name, date)) for date in by_date}
            rows += [_row(column, name, d, draws, rivals[d], len(origins[d].table)) for d, draws in by_date.items()]
            if by_date:
                rows.append(_row(column, name, pd.NaT, *_mean(by_date, rivals), _mean_size(origins, by_date)))
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"origin": "datetime64[s]", "accounts": "int64"})


def _resampled(accounts: np.ndarray, seed: int, n_boot: int) -> tuple[pd.Index, np.ndarray]:
    """Return the accounts judged, and how often each is drawn: once in row 0, then by bootstrap."""
    rng = np.random.default_rng(seed)
    accounts = np.sort(accounts.astype(object))
    if len(accounts) > MAX_ACCOUNTS:
        accounts = accounts[np.sort(rng.choice(len(accounts), MAX_ACCOUNTS, replace=False))]
    n = len(accounts)
    drawn = rng.multinomial(n, np.full(n, 1 / n), n_boot)
    return pd.Index(accounts), np.vstack([np.ones(n, dtype=drawn.dtype), drawn]).astype(float)


def _at(rows: pd.DataFrame, accounts: pd.Index, drawn: np.ndarray, known: int) -> _Origin:
    table = rows.sort_values("account", ignore_index=True)
    weights = drawn[:, accounts.get_indexer(table["account"])]
    on_top = int((table[REFERENCE] == CLASSES[REFERENCE].labels[-1]).sum())
    top = max(on_top, LEAST_TOP) / len(table)
    best = _first(table["next_value"].to_numpy(dtype=float)[None, :], weights, top)
    return _Origin(table, weights, top, known / len(table), best)


def _panel(past: pd.DataFrame, today: pd.DataFrame, accounts: pd.Index) -> dict[str, pd.DataFrame]:
    """Return each column's classes as codes, accounts × dates in rising order, the as-of date last; −1 unknown."""
    panel = {}
    today = today.set_index("account").reindex(accounts)
    for column, classes in CLASSES.items():
        if column not in past:
            continue
        wide = past.pivot(index="account", columns="origin", values=column).reindex(accounts)
        # Among dates pandas would read the word as the present moment.
        wide.columns = wide.columns.astype(object)
        wide["today"] = today[column]
        codes = {label: i for i, label in enumerate(classes.labels)}
        panel[column] = wide.apply(lambda c, codes=codes: c.map(codes)).fillna(-1).astype(int)
    return panel


def _measured(
    column: str, origins: dict[pd.Timestamp, _Origin], panel: pd.DataFrame, drawn: np.ndarray
) -> dict[tuple[str, pd.Timestamp], np.ndarray]:
    """Return measure and date → its value in the data and in each bootstrap draw."""
    found: dict[tuple[str, pd.Timestamp], np.ndarray] = {}
    for date, origin in origins.items():
        code = panel.loc[origin.table["account"], date].to_numpy()
        if (code < 0).all():
            continue
        order = origin.table[CLASSES[column].order].fillna(-np.inf).to_numpy(dtype=float)
        found |= {(name, date): draws for name, draws in _forward(origin, code, order, column).items()}
    for i, date in enumerate(panel.columns[:-1]):
        found |= {(name, date): draws for name, draws in _movement(panel.to_numpy()[:, i : i + 3], drawn).items()}
    # where nobody left, or nobody bought, nothing can be said
    return {key: draws for key, draws in found.items() if np.isfinite(draws[0])}


def _mean(by_date: _Draws, rivals: dict[pd.Timestamp, np.ndarray | None]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the means over the dates of a scheme and of the fitted borders; none of these where they lack a date."""
    known = [draws for draws in rivals.values() if draws is not None]
    return np.mean(list(by_date.values()), axis=0), np.mean(known, axis=0) if len(known) == len(by_date) else None


def _mean_size(origins: dict[pd.Timestamp, _Origin], dates: Iterable[pd.Timestamp]) -> int:
    return int(np.mean([len(origins[date].table) for date in dates]))


def _forward(origin: _Origin, code: np.ndarray, order: np.ndarray, column: str) -> dict[str, np.ndarray]:
    """Return the measures that hold classes of one date against what came after it."""
    w, value, best = origin.weights, origin.value, origin.best
    worth = np.maximum(value, 0.0)
    mine = _first(np.vstack([code, order]), w, origin.top)
    missed = _First(best.place, best.part * (1 - mine.of(best.place, len(value))))
    total = w @ worth
    on_top = code == len(CLASSES[column].labels) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "share": mine.sums(w, worth) / total,
            "explained": _explained(w, value, code),
            "churn": _separated(w, code, origin.table),
            "missed": missed.sums(w, worth) * origin.scale,
            "own_accounts": w @ on_top / w.sum(axis=1),
            "own_share": w @ (worth * on_top) / total,
        }


def _first(keys: np.ndarray, weights: np.ndarray, share: float) -> _First:
    """Return the accounts among the first `share` of all, by the keys in falling order, and how much of each stands so.

    Accounts with equal keys stand there in equal parts.
    """
    _, group = np.unique(-keys, axis=1, return_inverse=True)
    group = group.ravel()
    ordered = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[ordered], prepend=-1))
    ends = np.append(starts[1:], len(ordered))
    wanted = share * weights.sum(axis=1, keepdims=True)
    # What lies behind the first of every draw need not be looked at; whether enough was, the weights say.
    n_groups = int(np.searchsorted(ends, share * len(ordered))) + 1
    while True:
        n_groups = min(2 * n_groups, len(ends))
        place = ordered[: ends[n_groups - 1]]
        by_group = np.add.reduceat(weights[:, place], starts[:n_groups], axis=1)
        if n_groups == len(ends) or (by_group.sum(axis=1, keepdims=True) >= wanted).all():
            break
    before = by_group.cumsum(axis=1) - by_group
    room = wanted - before
    part = np.clip(np.divide(room, by_group, out=np.zeros_like(room), where=by_group > 0), 0.0, 1.0)
    return _First(place, np.repeat(part, np.diff(starts[:n_groups], append=len(place)), axis=1))


def _explained(weights: np.ndarray, value: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Return 1 − Σ(value − mean of its class)² / Σ(value − mean of all)², each account left out of its own means."""
    n = len(value)
    total = value - (value.sum() - value) / (n - 1)
    count = np.bincount(code + 1)[code + 1]
    mean = np.bincount(code + 1, weights=value)[code + 1] / count
    within = np.where(count > 1, (value - mean) * count / np.maximum(count - 1, 1), total)
    return 1 - weights @ within**2 / (weights @ total**2)


def _separated(weights: np.ndarray, code: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Return the area under the ROC curve of the classes for buying again, among accounts active before."""
    active = (table["trailing_purchase_days"] > 0).to_numpy()
    bought = (table["next_purchases"] > 0).to_numpy()
    member = np.eye(code.max() + 2)[code + 1]
    kept, lost = (weights @ (member * rows[:, None]) for rows in (active & bought, active & ~bought))
    below = lost.cumsum(axis=1) - lost
    return (kept * (below + lost / 2)).sum(axis=1) / (kept.sum(axis=1) * lost.sum(axis=1))


def _movement(codes: np.ndarray, drawn: np.ndarray) -> dict[str, np.ndarray]:
    """Return the shares that changed class after one horizon, and of these that were back after two."""
    both = (codes[:, 0] >= 0) & (codes[:, 1] >= 0)
    moved = both & (codes[:, 0] != codes[:, 1])
    found = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        if both.any():
            found["changed"] = drawn @ moved / (drawn @ both)
        if codes.shape[1] == 3 and (moved & (codes[:, 2] >= 0)).any():
            seen = moved & (codes[:, 2] >= 0)
            found["returned"] = drawn @ (seen & (codes[:, 0] == codes[:, 2])) / (drawn @ seen)
    return found


def _row(
    column: str,
    name: str,
    date: pd.Timestamp,
    draws: np.ndarray,
    reference: np.ndarray | None,
    accounts: int,
) -> dict[str, object]:
    row: dict[str, object] = {
        "column": column,
        "measure": name,
        "origin": date,
        "accounts": accounts,
        "value": draws[0],
        **dict(zip(("lower", "upper"), _interval(draws), strict=True)),
        "verdict": "",
    }
    if reference is not None and column != REFERENCE and name in MEASURES:
        off = reference - draws
        low, high = _interval(off)
        gain = (low, high) if MEASURES[name] > 0 else (-high, -low)
        row |= {"difference": off[0], "difference_lower": low, "difference_upper": high}
        row["verdict"] = "better" if gain[0] > 0 else "worse" if gain[1] < 0 else "even"
    return row


def _interval(draws: np.ndarray) -> Sequence[float]:
    known = draws[1:][np.isfinite(draws[1:])]
    return tuple(float(q) for q in np.quantile(known, INTERVAL)) if len(known) else (float("nan"), float("nan"))


def movers(past: pd.DataFrame) -> pd.DataFrame:
    """Return what accounts brought that the fitted borders had put higher or lower than the fixed thresholds.

    Parameters
    ----------
    past : DataFrame
        Table "earlier" of `terms`, of one date.

    Returns
    -------
    DataFrame
        Index up, down, stays; accounts, value (of the horizon after, currency), mean (an account; missing without
        accounts). No rows where a class is missing everywhere.
    """
    rank = {label: i for i, label in enumerate(CLASSES[REFERENCE].labels)}
    step = past[REFERENCE].map(rank) - past["contribution_class_fixed"].map(rank)
    known = past[step.notna()]
    if known.empty:
        return pd.DataFrame(columns=["accounts", "value", "mean"])
    way = np.select([step[known.index] > 0, step[known.index] < 0], ["up", "down"], "stays")
    found = known["next_value"].groupby(way).agg(["size", "sum", "mean"]).reindex(["up", "down", "stays"])
    found.columns = ["accounts", "value", "mean"]
    return found.fillna({"accounts": 0, "value": 0.0}).astype({"accounts": "int64"})
