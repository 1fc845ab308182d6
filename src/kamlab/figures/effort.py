"""Where hours go, and where the money lies that they could win or keep, by strategy."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from kamlab.figures.style import GRID, INK, MUTED, STRATEGY_COLOURS, WIDTH_INCHES, style
from kamlab.figures.words import set_title
from kamlab.i18n import SEMICOLONS, Translator
from kamlab.strategies.texts import STRATEGIES


def shares(effort: pd.DataFrame) -> pd.DataFrame:
    """Return the share of hours, of proposed hours and of the money at play of each strategy (index), largest first."""
    money = effort["room_contribution"] + effort["value_at_risk"]
    sums = effort.assign(money=money).groupby("strategy")[["hours", "hours_proposed", "money"]].sum()
    sums = sums[(sums > 0).any(axis=1)]
    return (sums / sums.sum()).fillna(0.0).sort_values("hours", ascending=False)


def title(effort: pd.DataFrame, t: Translator) -> str:
    """Return the finding: the strategy that gets most more hours than its share of the money."""
    found = shares(effort)
    first = (found["hours"] - found["money"]).idxmax()
    return t(
        "{hours} of the hours go to accounts under “{strategy}”, where {money} of the headroom and value at risk lies",
        hours=t.percent(found.loc[first, "hours"]),
        strategy=t(STRATEGIES[str(first)].name),
        money=t.percent(found.loc[first, "money"]),
    )


def draw(effort: pd.DataFrame, t: Translator) -> Figure | None:
    """Draw two bars a strategy, hours and money, and a mark where the proposed hours would be.

    Parameters
    ----------
    effort : pandas.DataFrame
        Table "effort" of `terms`.

    Returns
    -------
    Figure, or None without hours.
    """
    if effort.empty or not effort["hours"].sum() > 0:
        return None
    found = shares(effort)
    place = np.arange(len(found))
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 0.9 + 0.42 * len(found)))
        colours = [STRATEGY_COLOURS.get(str(name), GRID) for name in found.index]
        axes.barh(place - 0.19, found["hours"], height=0.34, color=colours, edgecolor=MUTED)
        axes.barh(place + 0.19, found["money"], height=0.34, color="white", edgecolor=colours, hatch="///")
        axes.plot(found["hours_proposed"], place - 0.19, "D", color=INK, markersize=5, markerfacecolor="white")
        for row, (_, line) in zip(place, found.iterrows(), strict=True):
            said = t(
                "hours {now}, proposed {then}", now=t.percent(line["hours"]), then=t.percent(line["hours_proposed"])
            )
            end = max(line["hours"], line["hours_proposed"])
            for x, y, words in (
                (end, row - 0.19, said),
                (line["money"], row + 0.19, t("headroom and value at risk {share}", share=t.percent(line["money"]))),
            ):
                axes.annotate(words, (x, y), xytext=(7, 0), textcoords="offset points", va="center", fontsize=7.5)
        axes.set_yticks(place, [t(STRATEGIES[str(name)].name) for name in found.index])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlim(0, 1.45 * max(0.05, float(found.to_numpy().max())))
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        set_title(axes, title(effort, t))
    return figure


def alt(effort: pd.DataFrame, t: Translator) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    said = [
        t(
            "{strategy}: hours {now}, proposed {then}, headroom and value at risk {money}",
            strategy=t(STRATEGIES[str(name)].name),
            now=t.percent(line["hours"]),
            then=t.percent(line["hours_proposed"]),
            money=t.percent(line["money"]),
        )
        for name, line in shares(effort).iterrows()
    ]
    return t("{finding}. {shares}.", finding=title(effort, t), shares=t.join(SEMICOLONS, said))
