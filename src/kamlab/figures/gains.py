"""What each region, country or product line gained or lost against the year before: one small picture a dimension."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kamlab.dimensions import UNKNOWN
from kamlab.figures.style import INK, MUTED, PALETTE, STRATEGY_COLOURS, WIDTH_INCHES, style
from kamlab.figures.words import apart, brief, set_title, shortened
from kamlab.i18n import N_, SEMICOLONS, Translator

MOST = 8
"""Bars of a picture; what changed less stands together."""
LOSSES = 3
"""So many of them are for the largest losses."""
NAME_CHARACTERS = 20
"""So many characters of a name stand beside its bar."""
ROOM = 0.32
"""Room for the amount beside a bar, as a share of the longest."""

FINDINGS = {
    (True, True): N_("{dimension}: {best} gained most ({gain}), {worst} lost most ({loss})"),
    (True, False): N_("{dimension}: {best} gained most ({gain}); none lost"),
    (False, True): N_("{dimension}: {worst} lost most ({loss}); none gained"),
    (False, False): N_("{dimension}: nothing changed"),
}
"""What a picture shows, by whether anything gained and whether anything lost."""


def finding(dimension: str, rows: pd.DataFrame, t: Translator) -> str:
    """Return who gained and who lost most; values that are not known are neither."""
    change = rows[rows["value"] != UNKNOWN].set_index("value")["change"]
    best, worst = change.idxmax(), change.idxmin()
    gain, loss = float(change[best]), float(change[worst])
    return t(
        FINDINGS[gain > 0, loss < 0],
        dimension=dimension,
        best=best,
        gain=t.money(gain),
        worst=worst,
        loss=t.money(-loss),
    )


def title(parts: Mapping[str, pd.DataFrame], t: Translator) -> str:
    """Return the findings of all pictures."""
    return t.join(SEMICOLONS, [finding(dimension, rows, t) for dimension, rows in parts.items()])


def bars(rows: pd.DataFrame, t: Translator) -> list[tuple[str, float]]:
    """Return names and changes, the greatest gain first: the largest gains and losses, then the sum of all others."""
    ordered = rows.sort_values(["change", "value"], ascending=[False, True])
    if len(rows) > MOST:
        losses = min(int((rows["change"] < 0).sum()), LOSSES)
        shown = pd.concat([ordered.head(MOST - 1 - losses), ordered.tail(losses)])
    else:
        shown = ordered
    named = [
        (t("unknown") if name == UNKNOWN else str(name), float(change))
        for name, change in zip(shown["value"], shown["change"], strict=True)
    ]
    rest = rows.drop(index=shown.index)["change"]
    return [*named, (t("All others"), float(rest.sum()))] if len(rest) else named


def draw(parts: Mapping[str, pd.DataFrame], t: Translator) -> Figure:
    """Draw bars to the right for gains and to the left for losses, each with its amount.

    Parameters
    ----------
    parts : mapping of str to pandas.DataFrame
        Name of a dimension → its rows of the table "dimensions" of `terms`; at least one.
    """
    drawn = {dimension: bars(rows, t) for dimension, rows in parts.items()}
    tallest = max(map(len, drawn.values()))
    with style():
        figure, every = plt.subplots(
            1, len(drawn), figsize=(WIDTH_INCHES, 0.75 + 0.19 * tallest), squeeze=False, layout="constrained"
        )
        for axes, (dimension, found) in zip(every[0], drawn.items(), strict=True):
            _panel(axes, dimension, found, tallest, t)
        set_title(every[0][0], title(parts, t))
    return figure


def _panel(axes: Axes, dimension: str, found: list[tuple[str, float]], places: int, t: Translator) -> None:
    money = np.array([change for _, change in found])
    longest = float(np.abs(money).max()) or 1.0
    for place, amount in enumerate(money):
        gained = amount >= 0
        axes.barh(
            place,
            amount,
            height=0.66,
            color=PALETTE[1] if gained else STRATEGY_COLOURS["win_back"],
            hatch="" if gained else "////",
            edgecolor="white",
        )
        # Beside a loss the room right of the line is free, and left of the bar stand the names.
        axes.annotate(
            ("+" if amount > 0 else "") + brief(amount, t),
            (max(amount, 0.0), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
        )
    axes.axvline(0, color=MUTED, linewidth=0.7)
    axes.set_xlim(min(0.0, money.min()), max(0.0, money.max()) + ROOM * longest)
    axes.set_ylim(places - 0.4, -0.6)
    axes.set_yticks(range(len(found)), [shortened(name, NAME_CHARACTERS) for name, _ in found])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    axes.xaxis.set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_title(apart(dimension), fontsize=8.5, loc="left")


def alt(parts: Mapping[str, pd.DataFrame], t: Translator) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    said = [
        t("{label} ({currency})", label=name, currency=t.money(change))
        for rows in parts.values()
        for name, change in bars(rows, t)
    ]
    return t("{finding}. {shares}.", finding=title(parts, t), shares=t.join(SEMICOLONS, said))
