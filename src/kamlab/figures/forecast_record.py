"""What was forecast from earlier dates, and what came: the model beside simple rules."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from kamlab.figures.style import ACCENT, GRID, INK, MUTED, PALETTE, WIDTH_INCHES, style
from kamlab.figures.words import money_axis, set_title, with_currency, without_currency
from kamlab.i18n import SEMICOLONS, SENTENCES, Translator

MARKERS = ("o", "D", "^", "v", "P", "s")
LEFT_OUT = "always_0"
"""Forecasts nothing: it would only stretch the axis."""
STRETCH = 2.0
"""The axis ends at this multiple of the model's or the actual total; rules beyond it stand at its end."""


def _rows(backtest: pd.DataFrame) -> pd.DataFrame:
    """Return revenue where there is any, else purchases; newest origin first, without forecasts of nothing."""
    target = "revenue" if (backtest["target"] == "revenue").any() else "purchases"
    rows = backtest[(backtest["target"] == target) & (backtest["forecaster"] != LEFT_OUT)]
    return rows.sort_values("origin", ascending=False, kind="stable")


def _signed(share: float, t: Translator) -> str:
    return ("+" if share > 0 else "") + t.percent(share)


def title(backtest: pd.DataFrame, t: Translator, *, names: Mapping[str, str]) -> str:
    """Return the finding: how far the newest forecast of all accounts was off, beside the best simple rule."""
    rows = _rows(backtest)
    newest = rows[rows["origin"] == rows["origin"].iloc[0]]
    model = newest[newest["kind"] == "model"].iloc[0]
    rules = newest[(newest["kind"] == "baseline") & newest["bias"].notna()]
    if rules.empty:
        return t("The last forecast of all accounts together was off by {bias}", bias=_signed(model["bias"], t))
    best = rules.loc[rules["bias"].abs().idxmin()]
    return t(
        "The last forecast of all accounts was off by {bias}; the nearest simple rule, “{rule}”, by {rule_bias}",
        bias=_signed(model["bias"], t),
        rule=names.get(best["forecaster"], best["forecaster"]),
        rule_bias=_signed(best["bias"], t),
    )


def draw(backtest: pd.DataFrame, t: Translator, *, names: Mapping[str, str]) -> Figure | None:
    """Draw one row an origin: the actual total as a bar, each forecast of it as a mark.

    Parameters
    ----------
    backtest : DataFrame
        Table "backtest".
    names : mapping of str to str
        Forecaster → name to print, translated.

    Returns
    -------
    Figure, or None if nothing could be forecast from an earlier date.
    """
    if backtest.empty:
        return None
    rows = _rows(backtest)
    origins = rows["origin"].drop_duplicates().tolist()
    forecasters = rows.drop_duplicates("forecaster")["forecaster"].tolist()
    revenue = bool((rows["target"] == "revenue").all())
    write = without_currency(t).money if revenue else t.number
    totals = rows[["forecast", "actual"]]
    end = min(1.05 * totals.max().max(), STRETCH * totals[rows["kind"] == "model"].max().max())
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 1.5 + 0.5 * len(origins)))
        for y, origin in enumerate(origins):
            here = rows[rows["origin"] == origin]
            actual = here["actual"].iloc[0]
            axes.barh(y, actual, height=0.55, color=GRID)
            axes.plot([actual, actual], [y - 0.36, y + 0.36], color=INK, linewidth=1.8)
            beyond = t.join(SEMICOLONS, (write(v) for v in sorted(here["forecast"]) if v > end))
            axes.annotate(beyond, (end, y), xytext=(7, 0), textcoords="offset points", va="center")
        for i, name in enumerate(forecasters):
            mine = rows[rows["forecaster"] == name]
            model = bool((mine["kind"] == "model").all())
            axes.plot(
                mine["forecast"].clip(upper=end),
                [origins.index(origin) for origin in mine["origin"]],
                linestyle="none",
                marker=MARKERS[i % len(MARKERS)],
                markersize=7 if model else 6,
                color=ACCENT if model else PALETTE[1 + i % 3],
                markerfacecolor=ACCENT if model else "white",
                markeredgewidth=1.3,
                label=names.get(name, name),
                zorder=4 if model else 3,
                clip_on=False,
            )
        axes.plot([], [], color=INK, linewidth=1.8, label=t("what came"))
        axes.set_yticks(range(len(origins)), [t("from {origin}", origin=pd.Timestamp(o).date()) for o in origins])
        axes.set_ylim(len(origins) - 0.45, -0.55)
        axes.set_xlim(0, end)
        axes.tick_params(axis="y", length=0)
        if revenue:
            money_axis(axes.xaxis, t)
            axes.set_xlabel(with_currency(t("Revenue of all accounts in the horizon"), t))
        else:
            axes.set_xlabel(t("Purchases of all accounts in the horizon"))
        figure.legend(loc="outside lower left", ncols=3, handlelength=1.2, labelcolor=INK)
        axes.spines["left"].set_color(MUTED)
        set_title(axes, title(backtest, t, names=names))
    return figure


def alt(backtest: pd.DataFrame, t: Translator, *, names: Mapping[str, str]) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    rows = _rows(backtest)
    revenue = (rows["target"] == "revenue").all()
    write = t.money if revenue else (lambda v: t.number(v))
    said = [
        t(
            "From {origin}: {name} {forecast}, came {actual}.",
            origin=pd.Timestamp(row.origin).date(),
            name=names.get(row.forecaster, row.forecaster),
            forecast=write(row.forecast),
            actual=write(row.actual),
        )
        for row in rows.itertuples()
    ]
    return t.join(SENTENCES, [t("{finding}.", finding=title(backtest, t, names=names)), *said])
