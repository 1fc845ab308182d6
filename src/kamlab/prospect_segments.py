"""Which segment each prospect would probably join: the segments of the customers that it is most like."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from kamlab.look_alikes import FIRMOGRAPHICS
from kamlab.terms import TABLES

NOBODY: Counter[int] = Counter()

NEAREST = 20
"""Customers that shares are counted among, at least; equally alike ones are all taken, so that no order decides."""


def likely(units: pd.DataFrame, segments: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    """Count the segments of the customers that each prospect is most like.

    Customers of the same channel are taken in the order of how many of the prospect's known firmographics they agree
    in, until there are `NEAREST`; those that agree in nothing are not. The record says for how many of today's
    customers, each left out of the count, the likeliest segment is the true one, and for how many it would be if
    everybody of a channel were held to be in its largest segment.

    Parameters
    ----------
    units : pandas.DataFrame
        account, channel and columns of `look_alikes.FIRMOGRAPHICS`; prospects are those without a segment.
    segments : pandas.DataFrame
        account, segment, segment_name; such as table "segments" of `terms`.

    Returns
    -------
    table : pandas.DataFrame
        Table "prospect_segments" of `terms`, ordered by account and rank; without rows where nothing tells.
    record : dict of str to float
        customers, right, naive (shares of these customers), better (1 where right is more than naive by over two
        standard errors, else 0); empty where no customer can be tried.
    """
    columns = [column.name for column in TABLES["prospect_segments"]]
    firm = [name for name in FIRMOGRAPHICS if name in units and units[name].nunique() > 1]
    known = units[["account", "channel", *firm]].sort_values("account", ignore_index=True)
    known["channel"] = known["channel"].fillna("")
    # Numbers compare a hundred times as fast as words; what is unknown is −1.
    known[firm] = known[firm].apply(lambda column: pd.factorize(column, sort=True)[0])
    known = known.merge(segments[["account", "segment"]], on="account", how="left")
    if not firm or known["segment"].isna().all():
        return pd.DataFrame(columns=columns), {}
    names = segments.drop_duplicates("segment").set_index("segment")["segment_name"]
    rows: list[dict[str, object]] = []
    tried = right = naive = 0
    for _, members in known.groupby("channel", sort=True):
        customers, waiting = members[members["segment"].notna()], members[members["segment"].isna()]
        if customers.empty:
            continue
        kinds = _Kinds(customers, firm)
        for kind, group in waiting.groupby(firm, sort=True):
            nearest = kinds.nearest(kind)
            ranked = _ranked(nearest)
            for place, (segment, count) in enumerate(ranked, start=1):
                found = {"segment": segment, "rank": place, "share": count / nearest.total()}
                found |= {"usual": kinds.all[segment] / kinds.all.total(), "customers": nearest.total()}
                rows += [{"account": account, **found} for account in group["account"]]
        for (*kind, segment), group in customers.groupby([*firm, "segment"], sort=True):
            one = Counter({int(segment): 1})
            nearest, others = kinds.nearest(tuple(map(int, kind)), without=one), kinds.all - one
            if nearest:
                tried += len(group)
                right += len(group) * (_ranked(nearest)[0][0] == segment)
                naive += len(group) * (_ranked(others)[0][0] == segment)
    table = pd.DataFrame(rows, columns=[name for name in columns if name != "segment_name"])
    table["segment_name"] = table["segment"].map(names)
    table = table.sort_values(["account", "rank"], ignore_index=True)[columns]
    return table, _record(tried, right, naive) if tried else {}


def _record(tried: int, right: int, naive: int) -> dict[str, float]:
    # As if no customer were right by both: the standard error is then at its largest.
    better = right - naive > 2 * np.sqrt(right + naive)
    return {"customers": tried, "right": right / tried, "naive": naive / tried, "better": int(better)}


class _Kinds:
    """The customers of a channel, counted by what is known of them and by segment."""

    def __init__(self, customers: pd.DataFrame, firm: list[str]) -> None:
        self.all = Counter(customers["segment"].astype(int))
        groups = list(customers.groupby(firm, sort=True))
        self._values = np.array([kind for kind, _ in groups], dtype=int)
        self._counts = [Counter(group["segment"].astype(int)) for _, group in groups]

    def nearest(self, kind: tuple[int, ...], *, without: Counter[int] = NOBODY) -> Counter[int]:
        """Return the segments of the customers most like a kind; `without` are customers of that very kind."""
        wanted = np.array(kind, dtype=int)
        agreed = ((self._values == wanted) & (wanted >= 0)).sum(axis=1)
        # Who is of that kind stands in the first level, as nobody agrees in more.
        found = Counter({segment: -count for segment, count in without.items()})
        for level in sorted(set(agreed[agreed > 0]), reverse=True):
            for place in np.flatnonzero(agreed == level):
                found.update(self._counts[place])
            if found.total() >= NEAREST:
                break
        return +found


def _ranked(counts: Counter[int]) -> list[tuple[int, int]]:
    """Return segments with their counts, the likeliest first, of equal ones that of more value, the lower number."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
