"""Revenue by month, and what the next 12 months are expected to bring."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from kamlab.figures.style import ACCENT, INK, LEVEL_COLOURS, PALETTE, WIDTH_INCHES, style
from kamlab.figures.words import money_axis, set_title, with_currency
from kamlab.i18n import SENTENCES, Translator
from kamlab.period import MONTHS_PER_YEAR

SHOWN_MONTHS = 48


def title(
    months: pd.DataFrame,
    t: Translator,
    *,
    expected: float,
    trailing: float | None = None,
    previous: float | None = None,
) -> str:
    """Return the finding: revenue of the last 12 months, its change, and what is expected.

    `trailing` and `previous` are the revenue of the last 12 months and of the 12 before where the caller knows them to
    the day; else they are added up from the months.
    """
    now, before = _years(months) if trailing is None else (trailing, previous)
    if not before or before < 0:
        return t(
            "Revenue so far {sum}; next 12 months {expected} expected",
            sum=t.money(months["revenue"].sum()),
            expected=t.money(expected),
        )
    change = now / before - 1
    return t(
        "Revenue of the last 12 months {now} ({change}); next 12 months {expected} expected",
        now=t.money(now),
        change=("+" if change > 0 else "") + t.percent(change),
        expected=t.money(expected),
    )


def _years(months: pd.DataFrame) -> tuple[float, float | None]:
    """Return the revenue of the last 12 months and of the 12 before; none without 24 months and revenue in them."""
    revenue = months["revenue"]
    before = revenue.iloc[-2 * MONTHS_PER_YEAR : -MONTHS_PER_YEAR].sum()
    known = len(revenue) >= 2 * MONTHS_PER_YEAR and before > 0
    return float(revenue.iloc[-MONTHS_PER_YEAR:].sum()), float(before) if known else None


def draw(
    months: pd.DataFrame,
    t: Translator,
    *,
    expected: float,
    lower: float = np.nan,
    upper: float = np.nan,
    trailing: float | None = None,
    previous: float | None = None,
) -> Figure:
    """Draw the months as bars, and the mean month of each year and of the next 12 months as lines.

    Parameters
    ----------
    months : DataFrame
        month (first day), revenue (currency): whole months up to the as-of date.
    expected, lower, upper : float
        Revenue expected in the next 12 months (currency) and the bounds of its interval, missing where there is none.
    trailing, previous : float, optional
        See `title`.
    """
    every = pd.date_range(months["month"].min(), months["month"].max(), freq="MS")
    revenue = months.set_index("month")["revenue"].reindex(every, fill_value=0.0).iloc[-SHOWN_MONTHS:]
    position = np.arange(len(revenue)) - len(revenue)
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 2.4))
        axes.bar(position, revenue, width=0.8, color=LEVEL_COLOURS["Low"])
        for end in range(0, -len(revenue) + MONTHS_PER_YEAR - 1, -MONTHS_PER_YEAR):
            start = end - MONTHS_PER_YEAR
            total = revenue.iloc[start:end].sum() if end else revenue.iloc[start:].sum()
            _year(axes, start, total, t.money(total), "-")
        if np.isfinite(lower) and np.isfinite(upper):
            span = [-0.5, MONTHS_PER_YEAR - 0.5]
            axes.fill_between(
                span, lower / MONTHS_PER_YEAR, upper / MONTHS_PER_YEAR, color=PALETTE[1], alpha=0.25, linewidth=0
            )
        _year(axes, 0, expected, t("{amount}\nexpected", amount=t.money(expected)), (0, (4, 2)))
        starts = [p for p, month in zip(position, revenue.index, strict=True) if month.month == 1]
        axes.set_xticks(starts, [str(revenue.index[p + len(revenue)].year) for p in starts], ha="left")
        axes.set_xlim(-len(revenue) - 1, MONTHS_PER_YEAR)
        axes.set_ylim(bottom=min(0.0, revenue.min()))
        axes.set_ylabel(with_currency(t("Revenue a month"), t))
        money_axis(axes.yaxis, t)
        set_title(axes, title(months, t, expected=expected, trailing=trailing, previous=previous))
    return figure


def _year(axes: plt.Axes, start: int, total: float, label: str, dashes: object) -> None:
    """Draw the mean month of 12 months from position `start` on, with their total."""
    mean = total / MONTHS_PER_YEAR
    axes.plot([start - 0.5, start + MONTHS_PER_YEAR - 0.5], [mean, mean], color=ACCENT, linestyle=dashes)
    axes.annotate(
        label,
        (start + MONTHS_PER_YEAR / 2 - 0.5, 1),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        color=INK,
        fontweight="bold",
    )


def alt(
    months: pd.DataFrame,
    t: Translator,
    *,
    expected: float,
    lower: float = np.nan,
    upper: float = np.nan,
    trailing: float | None = None,
    previous: float | None = None,
) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    said = t(
        "Bars of revenue by month from {first} to {last}. {finding}.",
        first=months["month"].min().date(),
        last=(months["month"].max() + pd.offsets.MonthEnd(0)).date(),
        finding=title(months, t, expected=expected, trailing=trailing, previous=previous),
    )
    if np.isfinite(lower) and np.isfinite(upper):
        return t.join(SENTENCES, [said, t("Interval: {lower} to {upper}.", lower=t.money(lower), upper=t.money(upper))])
    return said
