"""Names of segments from their profiles, in a manager's words: whole phrases of the message catalogue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.i18n import N_, Translator
from kamlab.period import DAYS_PER_YEAR

LARGE, SMALL = 2.0, 0.5
"""A segment is large from twice the company's mean expected contribution an account, small under half of it."""
FADING, GROWING = -0.2, 0.2
"""Median growth (log ratio): a year that brings under 82 %, or over 122 %, of the year before."""
SELDOM_DAYS = 180
REGULAR = 0.6
"""Orders at random give a regularity of 0.5."""
OVERDUE = 1.5
"""The last order is longer ago than this many usual gaps: half a gap late in the middle of the segment."""

BORDERLINE = 0.6
"""An account whose segment is less likely than this might as well stand in the next one."""

ALL_ACCOUNTS = N_("All accounts")
NAME_WITH_DETAIL = N_("{name}, {detail}")
NAME_WITH_NUMBER = N_("{name} ({number})")

NAMES = {
    ("large", "new"): N_("Large new buyers"),
    ("large", "silent"): N_("Large silent buyers"),
    ("large", "once"): N_("Large one-time buyers"),
    ("large", "overdue"): N_("Large overdue buyers"),
    ("large", "fading"): N_("Large fading buyers"),
    ("large", "growing"): N_("Large growing buyers"),
    ("large", "occasional"): N_("Large occasional buyers"),
    ("large", "regular"): N_("Large regular buyers"),
    ("large", "active"): N_("Large active buyers"),
    ("mid", "new"): N_("Mid-size new buyers"),
    ("mid", "silent"): N_("Mid-size silent buyers"),
    ("mid", "once"): N_("Mid-size one-time buyers"),
    ("mid", "overdue"): N_("Mid-size overdue buyers"),
    ("mid", "fading"): N_("Mid-size fading buyers"),
    ("mid", "growing"): N_("Mid-size growing buyers"),
    ("mid", "occasional"): N_("Mid-size occasional buyers"),
    ("mid", "regular"): N_("Mid-size regular buyers"),
    ("mid", "active"): N_("Mid-size active buyers"),
    ("small", "new"): N_("Small new buyers"),
    ("small", "silent"): N_("Small silent buyers"),
    ("small", "once"): N_("Small one-time buyers"),
    ("small", "overdue"): N_("Small overdue buyers"),
    ("small", "fading"): N_("Small fading buyers"),
    ("small", "growing"): N_("Small growing buyers"),
    ("small", "occasional"): N_("Small occasional buyers"),
    ("small", "regular"): N_("Small regular buyers"),
    ("small", "active"): N_("Small active buyers"),
}
"""Phrase for each size and state."""

DETAILS = {
    "expected_contribution": (N_("lower value"), N_("medium value"), N_("higher value")),
    "silence": (N_("last order more recent"), N_("last order fairly recent"), N_("last order longer ago")),
    "growth": (N_("weaker growth"), N_("medium growth"), N_("stronger growth")),
    "order_interval": (N_("more frequent"), N_("medium frequency"), N_("less frequent")),
    "tenure": (N_("shorter history"), N_("medium history"), N_("longer history")),
}
"""What tells segments of the same name apart, from low to high in a feature."""


def names(profile: pd.DataFrame, centres: pd.DataFrame, mean_contribution: float) -> list[str]:
    """Name segments; no two names are equal.

    Parameters
    ----------
    profile : DataFrame
        mean_contribution and the medians of the features in original units, one row a segment, from the highest
        mean contribution down.
    centres : DataFrame
        Means of the scaled features, rows as in `profile`.
    mean_contribution : float
        The company's mean expected contribution an account.

    Returns
    -------
    list of str
        A phrase of the catalogue; where segments would share it, followed by ", " and what tells them apart, or by a
        number in brackets. `translated` puts it into a language.
    """
    usual_tenure = profile["tenure"].median() if "tenure" in profile else 0.0
    kinds = pd.Series(
        [
            (_size(row["mean_contribution"], mean_contribution), _state(row, usual_tenure))
            for _, row in profile.iterrows()
        ]
    )
    unique = kinds.map(NAMES)
    for kind, alike in kinds.groupby(kinds):
        if len(alike) > 1:
            # who has stopped buying does not grow
            telling = centres.drop(columns="growth", errors="ignore") if kind[1] == "silent" else centres
            unique[alike.index] = _told_apart(NAMES[kind], telling.iloc[alike.index])
    return unique.tolist()


def translated(name: str, t: Translator) -> str:
    """Return a segment's name in the translator's language."""
    plain, _, number = name.removesuffix(")").partition(" (")
    if number:
        return t(NAME_WITH_NUMBER, name=t(plain), number=int(number))
    plain, _, detail = name.partition(", ")
    return t(NAME_WITH_DETAIL, name=t(plain), detail=t(detail)) if detail else t(plain)


def readable(found: list[str]) -> bool:
    """Whether words alone tell segments apart: none needs a number."""
    return not any(name.endswith(")") for name in found)


def _size(mean: float, of_all: float) -> str:
    if mean <= 0:  # who brings nothing is small, even where the company as a whole loses money
        return "small"
    if mean >= LARGE * of_all:
        return "large"
    return "mid" if mean >= SMALL * of_all else "small"


def _state(row: pd.Series, usual_tenure: float) -> str:
    """Return the first state that holds; a missing feature decides nothing."""
    holds = {
        "silent": row.get("p_alive", 1.0) < 0.5 or row.get("silence", 0.0) > DAYS_PER_YEAR,
        "new": row.get("tenure", 1.0) < min(1.0, usual_tenure / 2),
        "once": row.get("purchase_days", 2.0) < 2,
        "overdue": row.get("silence", 0.0) > OVERDUE * row.get("order_interval", np.inf),
        "fading": row.get("growth", 0.0) <= FADING,
        "growing": row.get("growth", 0.0) >= GROWING,
        "occasional": row.get("order_interval", 0.0) > SELDOM_DAYS,
        "regular": row.get("regularity", 0.0) >= REGULAR,
    }
    return next((state for state, true in holds.items() if true), "active")


def _told_apart(name: str, centres: pd.DataFrame) -> list[str]:
    """Add to a name that two or three segments share the feature in which they differ most; number more than three."""
    known = [c for c in centres if c in DETAILS]
    if len(centres) > 3 or not known:
        return [NAME_WITH_NUMBER.format(name=name, number=i + 1) for i in range(len(centres))]
    spread = centres[known].max() - centres[known].min()
    low, middle, high = DETAILS[str(spread.idxmax())]
    phrases = [low, high] if len(centres) == 2 else [low, middle, high]
    ranks = centres[spread.idxmax()].rank(method="first").astype(int)
    return [NAME_WITH_DETAIL.format(name=name, detail=phrases[rank - 1]) for rank in ranks]
