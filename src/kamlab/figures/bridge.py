"""What became of last year's revenue: lost, shrunk, grown and new, from one year's bar to the next."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from kamlab.figures.style import ACCENT, INK, LEVEL_COLOURS, MUTED, PALETTE, STRATEGY_COLOURS, WIDTH_INCHES, style
from kamlab.figures.words import brief, set_title, wrapped
from kamlab.i18n import N_, Translator

NAMES = {
    "previous": N_("12 months before"),
    "lost": N_("Lost"),
    "shrunk": N_("Shrunk"),
    "grown": N_("Grown"),
    "new": N_("New or back"),
    "other": N_("Without account"),
    "trailing": N_("Last 12 months"),
}
ENDS = ("previous", "trailing")
WORTH_A_BAR = 0.002
"""What has no account gets a bar from this share of the revenue upwards."""
LABEL_CHARACTERS = 19
"""So many characters stand under a bar without touching the next one's."""
ROOM = 0.2
"""Height of the bars' labels, as a share of what the axis shows."""


def _shown(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are drawn."""
    small = (steps["part"] == "other") & (steps["money"].abs() < WORTH_A_BAR * steps["money"].abs().max())
    return steps[~small].reset_index(drop=True)


def title(steps: pd.DataFrame, t: Translator) -> str:
    """Return the finding: what lost and shrunk accounts took, and what grown and new ones brought."""
    money = steps.set_index("part")["money"]
    return t(
        "Lost and shrunk accounts took {minus} away; grown and new ones brought {plus}",
        minus=t.money(-(money["lost"] + money["shrunk"])),
        plus=t.money(money["grown"] + money["new"]),
    )


def draw(steps: pd.DataFrame, t: Translator) -> Figure:
    """Draw the two years as bars from 0 and the parts between them as steps, each with its money and its accounts.

    Parameters
    ----------
    steps : DataFrame
        From `dimensions.bridge`.
    """
    rows = _shown(steps)
    end = rows["part"].isin(ENDS).to_numpy()
    money = rows["money"].to_numpy()
    after = np.where(end, money, money[0] + np.concatenate([[0.0], np.cumsum(money[1:-1]), [0.0]]))
    before = np.where(end, 0.0, np.concatenate([[0.0], after[:-1]]))
    low, high = np.minimum(before, after), np.maximum(before, after)
    # The steps are what matters: the bars of the years begin a little below the lowest of them, and say so by a cut.
    floor = max(0.0, low[~end].min(initial=high.max()) - (high.max() - low[~end].min(initial=0.0)) * 0.6)
    span = high.max() - floor
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 1.2))
        for i, row in rows.iterrows():
            bottom = floor if end[i] else low[i]
            colour, hatch = _look(row["part"], row["money"])
            axes.bar(i, high[i] - bottom, bottom=bottom, width=0.62, color=colour, hatch=hatch, edgecolor="white")
            sign = "+" if not end[i] and row["money"] > 0 else ""
            axes.text(
                i,
                high[i] + 0.03 * span,
                sign + brief(row["money"], t),
                ha="center",
                va="bottom",
                color=INK,
                fontweight="bold" if end[i] else "normal",
            )
            if i + 1 < len(rows):
                axes.plot([i + 0.31, i + 0.69], [after[i]] * 2, color=MUTED, linewidth=0.6)
        if floor > 0:
            for i in np.flatnonzero(end):
                axes.plot([i - 0.4, i + 0.4], [floor + 0.07 * span, floor + 0.11 * span], color="white", linewidth=3)
        axes.set_xticks(range(len(rows)), [_label(row, t) for _, row in rows.iterrows()], color=INK)
        axes.tick_params(axis="x", length=0, labelsize=7.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_ylim(floor, high.max() + ROOM * span)
        set_title(axes, title(steps, t))
    return figure


def _look(part: str, money: float) -> tuple[str, str]:
    """Return colour and hatching: years solid, what was lost hatched, so that grey print tells them apart."""
    if part in ENDS:
        return ACCENT, ""
    if part == "other":
        return LEVEL_COLOURS["Low"], ""
    return (STRATEGY_COLOURS["win_back"], "////") if money < 0 else (PALETTE[1], "")


def _label(row: pd.Series, t: Translator) -> str:
    name = wrapped(t(NAMES[row["part"]]), LABEL_CHARACTERS)
    if row["part"] == "other":
        return name
    return name + "\n" + t.plural("{n} account", "{n} accounts", int(row["accounts"]))


def alt(steps: pd.DataFrame, t: Translator) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    parts = "; ".join(
        t("{label} ({currency})", label=t(NAMES[row["part"]]), currency=t.money(row["money"]))
        for _, row in _shown(steps).iterrows()
    )
    return t("Steps from one year's revenue to the next: {parts}.", parts=parts)
