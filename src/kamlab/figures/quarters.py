"""Revenue of the fiscal quarters against the plan and against the year before."""

from __future__ import annotations

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from babel.dates import format_skeleton
from matplotlib.figure import Figure

from kamlab.figures.style import ACCENT, INK, LEVEL_COLOURS, PALETTE, WIDTH_INCHES, style
from kamlab.figures.words import brief, money_axis, set_title, with_currency, wrapped
from kamlab.i18n import SEMICOLONS, Translator

BAR_LETTERS = 12
"""As many stand above one of eight bars without touching those of the next."""


def month(day: date, t: Translator) -> str:
    """Write the month of a day with its year, short."""
    return format_skeleton("yMMM", pd.Timestamp(day).to_pydatetime(), locale=t.locale)


def title(quarters: pd.DataFrame, t: Translator) -> str:
    """Return the finding: what came of the plan in the quarters that have one; else of the year before."""
    planned = quarters[quarters["plan"].notna()]
    if len(planned) and planned["plan"].sum() > 0:
        return t.plural(
            "Revenue of the last {n} quarter with a plan: {share} of the plan",
            "Revenue of the last {n} quarters with a plan: {share} of the plan",
            len(planned),
            share=t.percent(planned["actual"].sum() / planned["plan"].sum()),
        )
    known = quarters[quarters["last_year"] > 0]
    if known.empty:
        return t("Revenue by fiscal quarter; no plan is given")
    return t(
        "Revenue of the quarter to {month}: {share} of the year before; no plan is given",
        month=month(known["end"].iloc[-1], t),
        share=t.percent(known["actual"].iloc[-1] / known["last_year"].iloc[-1]),
    )


def draw(quarters: pd.DataFrame, t: Translator) -> Figure | None:
    """Draw what came as bars, the plan as a thick line across each, the year before as a hollow mark.

    Parameters
    ----------
    quarters : pandas.DataFrame
        Rows of table "plan" of one group, in the order of time.

    Returns
    -------
    Figure, or None without a quarter.
    """
    if quarters.empty:
        return None
    place = np.arange(len(quarters))
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 2.5))
        axes.bar(place, quarters["actual"], width=0.62, color=LEVEL_COLOURS["Mid"], label=t("what came"))
        for n, row in enumerate(quarters.itertuples()):
            # Amounts stand above whatever is highest, so that no line crosses them.
            top = np.nanmax([row.actual, row.plan, row.last_year, 0.0])
            share = t.percent(row.share) if pd.notna(row.share) else ""
            said = (
                t("{amount}\n{share} of plan", amount=brief(row.actual, t), share=share)
                if share
                else brief(row.actual, t)
            )
            axes.annotate(
                "\n".join(wrapped(line, BAR_LETTERS) for line in said.split("\n")),
                (n, top),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=INK,
                fontsize=7.5,
            )
        if quarters["plan"].notna().any():
            axes.hlines(quarters["plan"], place - 0.42, place + 0.42, color=PALETTE[3], linewidth=2.4, label=t("plan"))
        if quarters["last_year"].notna().any():
            axes.plot(
                place,
                quarters["last_year"],
                linestyle="none",
                marker="D",
                markersize=5,
                markerfacecolor="white",
                color=ACCENT,
                label=t("a year before"),
            )
        axes.set_xticks(place, [month(end, t) for end in quarters["end"]], fontsize=7.5)
        axes.set_xlabel(t("Quarter to"))
        highest = float(np.nanmax(quarters[["actual", "plan", "last_year"]]))
        axes.set_ylim(min(0.0, quarters["actual"].min()), 1.3 * highest if highest > 0 else 1.0)
        axes.set_ylabel(with_currency(t("Revenue a quarter"), t))
        money_axis(axes.yaxis, t)
        axes.tick_params(axis="x", length=0)
        figure.legend(loc="outside lower left", ncols=3, handlelength=1.4, labelcolor=INK)
        set_title(axes, title(quarters, t))
    return figure


def alt(quarters: pd.DataFrame, t: Translator) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    said = [
        t(
            "quarter to {month}: {actual} came, plan {plan}, a year before {last_year}",
            month=month(row.end, t),
            actual=t.money(row.actual),
            plan=t.money(row.plan),
            last_year=t.money(row.last_year),
        )
        for row in quarters.itertuples()
    ]
    return t("{finding}. By quarter: {quarters}.", finding=title(quarters, t), quarters=t.join(SEMICOLONS, said))
