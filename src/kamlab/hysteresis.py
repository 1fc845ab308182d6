"""Classes that hold: an account changes class only when its interval clears the border, or at the second period.

Without this an account near a border would move up and down with every report, and its plan with it.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    followed: list[pd.DataFrame] = []
    for values in periods:
        last = followed[-1] if followed else pd.DataFrame(columns=["account", "now", "held"])
        followed.append(_hold(values, last, cuts))
    return followed


def _hold(values: pd.DataFrame, last: pd.DataFrame, cuts: Cuts) -> pd.DataFrame:
    values = values.sort_values("account", ignore_index=True)
    labels = list(cuts.labels)
    place = pd.Index(last["account"]).get_indexer(pd.Index(values["account"]))
    # One more stands for accounts that were not known.
    codes = (np.append(pd.Categorical(last[name], categories=labels).codes, -1) for name in ("held", "now"))
    before, asked_before = (code[place].astype(int) for code in codes)
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
    why = np.select(
        [before < 0, now == before, held == before, held == cleared],
        ["first_seen", "stays", "waits", "cleared"],
        "second_period",
    )
    held = np.where((before < 0) | (now == before) | (now < 0), now, held)
    nothing = (values["value"] <= 0).to_numpy()
    why = np.where(nothing & (before > 0), "cleared", why)
    held = np.where(nothing, np.minimum(now, 0), held)
    table = pd.DataFrame({"account": values["account"]})
    for name, code in (("before", before), ("now", now), ("held", held)):
        table[name] = pd.Series(pd.Categorical.from_codes(code, categories=labels), table.index).astype("str")
    return table.assign(why=pd.Series(why, table.index, dtype="str"))
