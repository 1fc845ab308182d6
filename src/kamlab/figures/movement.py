"""Who stands where by the fixed and by the fitted borders: the cross-table as a picture."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kamlab.figures.style import INK, MUTED, PALETTE, WIDTH_INCHES, style
from kamlab.figures.words import LEVELS, set_title
from kamlab.i18n import N_, SEMICOLONS, Translator

COLOURS = {"up": PALETTE[1], "down": PALETTE[2], "stays": PALETTE[4]}
MOVES = {"up": N_("higher"), "down": N_("lower"), "stays": N_("same class")}
PALEST = 0.25
"""Shade of a tile with few accounts; the one with most is fully coloured."""


def title(crosstab: pd.DataFrame, t: Translator, *, axis_name: str) -> str:
    """Return the finding: how many accounts stand in another class."""
    up, down = (crosstab[crosstab["moves"] == way] for way in ("up", "down"))
    return t(
        "{axis}: the fitted borders put {up} of {all} accounts higher and {down} lower than the fixed ones",
        axis=axis_name,
        up=t.number(up["accounts"].sum()),
        down=t.number(down["accounts"].sum()),
        all=t.number(crosstab["accounts"].sum()),
    )


def draw(crosstab: pd.DataFrame, t: Translator, *, axis_name: str) -> Figure | None:
    """Draw one tile for each pair of classes, the darker the more accounts, with number and money.

    Parameters
    ----------
    crosstab : DataFrame
        Result of `schemes.crosstab`: fixed, fitted, accounts, money, moves.
    axis_name : str
        Name of the axis, translated.

    Returns
    -------
    Figure, or None if the cross-table has no accounts.
    """
    if not crosstab["accounts"].sum():
        return None
    levels = list(LEVELS)
    most = crosstab["accounts"].max()
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 2.7))
        for cell in crosstab[crosstab["accounts"] > 0].itertuples():
            x, y = levels.index(cell.fitted), levels.index(cell.fixed)
            shade = PALEST + (0.8 - PALEST) * cell.accounts / most
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=COLOURS[cell.moves], alpha=shade))
            number = t.plural("{n} account", "{n} accounts", cell.accounts)
            axes.text(x, y + 0.22, number, ha="center", va="center", color=INK, fontweight="bold")
            axes.text(x, y - 0.02, t.money(cell.money), ha="center", va="center", color=INK)
            axes.text(x, y - 0.27, t(MOVES[cell.moves]), ha="center", va="center", color=INK, fontsize=7.5)
        names = [t(LEVELS[level]) for level in levels]
        axes.set_xticks(range(3), [t("fitted: {level}", level=name) for name in names])
        axes.set_yticks(range(3), [t("fixed: {level}", level=name) for name in names])
        axes.set(xlim=(-0.5, 2.5), ylim=(-0.5, 2.5))
        axes.tick_params(length=0)
        for edge in (0.5, 1.5):
            axes.axhline(edge, color=MUTED, linewidth=0.4)
            axes.axvline(edge, color=MUTED, linewidth=0.4)
        set_title(axes, title(crosstab, t, axis_name=axis_name))
    return figure


def alt(crosstab: pd.DataFrame, t: Translator, *, axis_name: str) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    cells = [
        t(
            "fixed {fixed}, fitted {fitted}: accounts {n}, {money}",
            fixed=t(LEVELS[cell.fixed]),
            fitted=t(LEVELS[cell.fitted]),
            n=t.number(cell.accounts),
            money=t.money(cell.money),
        )
        for cell in crosstab[crosstab["accounts"] > 0].itertuples()
    ]
    return t(
        "Cross-table of classes. {finding}. {cells}.",
        finding=title(crosstab, t, axis_name=axis_name),
        cells=t.join(SEMICOLONS, cells),
    )
