"""Classes that hold: an account changes class only when its interval clears the border, or at the second period.

Without this an account near a border would move up and down with every report, and its plan with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from kamlab.tiers import Cuts

WHY = ("first_seen", "stays", "cleared", "second_period", "waits")
"""Why an account has its class: it was not known a period before; its value asks for the class that it had; its
interval lies beyond the border; it stands there for the second period in a row; or for the first, and keeps its class.
"""


def follow(periods: Sequence[pd.DataFrame], cuts: Cuts) -> list[pd.DataFrame]:
    """Return the classes in force in each of several periods, the earliest first.

    An account above its class moves up to the class of its interval's lower bound, or to the lower of the classes that
    this period and the one before ask for, if both lie above; downwards likewise. What is not above zero is always in
    the lowest class.

    Parameters
    ----------
    periods : sequence of DataFrame
        As-of periods in rising order, each with account, value, lower, upper: what is classed, with its interval
        (currency). In the first one every account has the class of its value.
    cuts : Cuts
        The borders.

    Returns
    -------
    list of DataFrame
        For each period account, before (class in force a period earlier; missing if the account was not known), now
        (class by the value alone), held (class in force) and why (one of `WHY`), ordered by account.
    """
    return [_named(held, cuts) for held in _followed(periods, cuts)]


def last(periods: Sequence[pd.DataFrame], cuts: Cuts) -> pd.DataFrame:
    """Return the last of what `follow` returns of one period or more."""
    return _named(_followed(periods, cuts)[-1], cuts)


class _Held(NamedTuple):
    """Accounts in order, and codes of classes and of `WHY` as `follow` names them; −1 where there is no class."""

    account: pd.Series
    before: np.ndarray
    now: np.ndarray
    held: np.ndarray
    why: np.ndarray


def _followed(periods: Sequence[pd.DataFrame], cuts: Cuts) -> list[_Held]:
    followed: list[_Held] = []
    for values in periods:
        followed.append(_hold(values, followed[-1] if followed else None, cuts))
    return followed


def _named(found: _Held, cuts: Cuts) -> pd.DataFrame:
    labels, reasons = (pd.array(list(names), dtype="str") for names in (cuts.labels, WHY))
    classes = {name: labels.take(getattr(found, name), allow_fill=True) for name in ("before", "now", "held")}
    return pd.DataFrame({"account": found.account, **classes, "why": reasons.take(found.why)})


def _hold(values: pd.DataFrame, last: _Held | None, cuts: Cuts) -> _Held:
    values = values.sort_values("account", ignore_index=True)
    before = asked_before = np.full(len(values), -1)
    if last is not None:
        place = pd.Index(last.account).get_indexer(pd.Index(values["account"]))
        # One more stands for accounts that were not known.
        before, asked_before = (np.append(codes, -1)[place] for codes in (last.held, last.now))
    now = np.asarray(cuts.classify(values["value"]).codes, dtype=int)
    # without an interval nothing is cleared; a bound on the other side of the value clears nothing either
    low = cuts.classify(values["lower"].fillna(-np.inf)).codes
    high = cuts.classify(values["upper"].fillna(np.inf)).codes
    low, high = np.minimum(low, now), np.maximum(high, now)

    up, down = now > before, now < before
    cleared = np.where(up, np.maximum(low, before), np.minimum(high, before))
    again = (up & (asked_before > before)) | (down & (asked_before < before))
    second = np.where(up, np.minimum(now, asked_before), np.maximum(now, asked_before))
    held = np.where(again, np.where(up, np.maximum(cleared, second), np.minimum(cleared, second)), cleared)
    nothing = (values["value"] <= 0).to_numpy()
    why = np.select(
        [nothing & (before > 0), before < 0, now == before, held == before, held == cleared],
        [WHY.index(reason) for reason in ("cleared", "first_seen", "stays", "waits", "cleared")],
        WHY.index("second_period"),
    )
    held = np.where((before < 0) | (now == before) | (now < 0), now, held)
    held = np.where(nothing, np.minimum(now, 0), held)
    return _Held(values["account"], before, now, held, why)
