"""How value flows between classes: from one scheme to another, or from one period to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from kamlab.figures.style import INK, LEVEL_COLOURS, MUTED, PALETTE, WIDTH_INCHES, style
from kamlab.figures.words import LEVELS, set_title
from kamlab.i18n import N_, SEMICOLONS, Translator

UNKNOWN = "unknown"
NODES = (UNKNOWN, *LEVELS)
"""From the bottom up; accounts that were not known come first."""
NAMES = {UNKNOWN: N_("not yet known"), **LEVELS}
COLOURS = {UNKNOWN: PALETTE[4], **LEVEL_COLOURS}
BAR = 0.06
"""Width of a class's bar; the panel is 1 wide."""
GAP = 0.05
"""Room between classes, as a share of the total."""
LABEL_ROOM = 0.26
"""Room that a class takes at least, so that its label does not cover the next one."""
LEAST = 0.012
"""Height of the thinnest class or stream drawn, so that it can be seen."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of streams.

    left, right : what the two sides are, translated; moves : account-wise before, after (classes; a missing `before` is
    an account not yet known) and money, what a stream is wide by; finding : what to say of the accounts that stand
    higher and lower than before, a key of the message catalogue with {up} and {down}.
    """

    left: str
    right: str
    moves: pd.DataFrame
    finding: str

    def streams(self) -> pd.DataFrame:
        """Return each pair of classes that has accounts, from the bottom up.

        Columns: before, after, accounts, money, and drawn: the money without the accounts that lose some, since no
        stream is narrower than nothing.
        """
        before, after = self._places()
        money = self.moves["money"]
        rows = pd.DataFrame({"before": np.maximum(before, 0), "after": after, "money": money})[after >= 0]
        rows["drawn"] = rows["money"].clip(lower=0)
        found = rows.groupby(["before", "after"]).agg(
            accounts=("money", "size"), money=("money", "sum"), drawn=("drawn", "sum")
        )
        found = found.reset_index()
        return found.assign(**{side: np.array(NODES)[found[side]] for side in ("before", "after")})

    def moved(self) -> tuple[int, int]:
        """Return how many accounts stand higher and lower than before."""
        before, after = self._places()
        known = (before >= 0) & (after >= 0)
        return int((known & (after > before)).sum()), int((known & (after < before)).sum())

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each account's classes as places among `NODES`, −1 where it had none, both of shape (accounts,)."""
        return tuple(pd.Categorical(self.moves[side], categories=list(NODES)).codes for side in ("before", "after"))


def title(panels: Sequence[Panel], t: Translator) -> str:
    """Return the finding: how many accounts stand higher and lower, on each panel."""
    moved = [(panel.finding, *panel.moved()) for panel in panels]
    return t.join(SEMICOLONS, [t(finding, up=t.number(up), down=t.number(down)) for finding, up, down in moved])


def draw(panels: Sequence[Panel], t: Translator) -> Figure | None:
    """Draw one alluvial panel each: bars as high as the money of their class, streams as wide as what moves.

    Returns
    -------
    Figure, or None if no account has a class.
    """
    panels = [p for p in panels if len(p.streams())]
    if not panels:
        return None
    with style():
        figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH_INCHES, 3.15), squeeze=False)
        for panel, here in zip(panels, axes[0], strict=True):
            _panel(here, panel, t)
        set_title(axes[0][0], title(panels, t))
    return figure


def _panel(axes: Axes, panel: Panel, t: Translator) -> None:
    streams = panel.streams()
    total = streams["drawn"].sum() or 1.0
    streams["height"] = np.maximum(streams["drawn"] / total, LEAST)
    bottoms = {side: _bars(axes, streams, side, t) for side in ("before", "after")}
    for stream in streams.itertuples():
        low = bottoms["before"][stream.before], bottoms["after"][stream.after]
        _ribbon(axes, low, stream.height, COLOURS[stream.before], moved=stream.before != stream.after)
        bottoms["before"][stream.before] += stream.height
        bottoms["after"][stream.after] += stream.height
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    axes.set(xlim=(-0.62, 1.62), ylim=(-0.28, max(bar.get_y() + bar.get_height() for bar in bars) + 2 * GAP))
    # Outside the bars, so that two long dates stand apart, and below the label of the lowest class, however thin.
    for x, side in ((-0.2, panel.left), (1.2, panel.right)):
        axes.text(x, -0.17, side, ha="center", va="top", fontweight="bold")
    axes.set_axis_off()


def _bars(axes: Axes, streams: pd.DataFrame, side: str, t: Translator) -> dict[str, float]:
    """Draw the classes of one side, with their accounts and money; return where each begins."""
    left = side == "before"
    low, bottoms = 0.0, {}
    for node in NODES:
        mine = streams[streams[side] == node]
        if mine.empty:
            continue
        height = mine["height"].sum()
        corner = (-BAR if left else 1.0, low)
        axes.add_patch(Rectangle(corner, BAR, height, facecolor=COLOURS[node], edgecolor=MUTED, linewidth=0.4))
        label = t(
            "{level}\n{accounts} · {money}",
            level=t(NAMES[node]),
            accounts=t.number(mine["accounts"].sum()),
            money=t.money(mine["money"].sum()),
        )
        x, align = (-BAR - 0.03, "right") if left else (1 + BAR + 0.03, "left")
        axes.text(x, low + height / 2, label, ha=align, va="center", fontsize=7.5, color=INK, linespacing=1.15)
        bottoms[node] = low
        low += max(height, LABEL_ROOM) + GAP
    return bottoms


def _ribbon(axes: Axes, low: tuple[float, float], height: float, colour: str, *, moved: bool) -> None:
    """Draw a stream from the left to the right side; what moves is darker than what stays."""
    (a, b), c = low, Path.CURVE4
    there = [(0.0, a), (0.5, a), (0.5, b), (1.0, b)]
    points = [*there, *((x, y + height) for x, y in reversed(there))]
    codes = [Path.MOVETO, c, c, c, Path.LINETO, c, c, c]
    alpha = 0.75 if moved else 0.35
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, alpha=alpha, edgecolor=MUTED, linewidth=0.3))


def alt(panels: Sequence[Panel], t: Translator) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    described = []
    for panel in panels:
        streams = [
            t(
                "from {before} to {after}: accounts {n}, {money}",
                before=t(NAMES[s.before]),
                after=t(NAMES[s.after]),
                n=t.number(s.accounts),
                money=t.money(s.money),
            )
            for s in panel.streams().itertuples()
        ]
        described.append(
            t("{left} to {right}: {streams}", left=panel.left, right=panel.right, streams=t.join(SEMICOLONS, streams))
        )
    return t("Streams between classes. {panels}.", panels=t.join(SEMICOLONS, described))
