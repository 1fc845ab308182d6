"""The nine-box: contribution against potential, every account a point over its density, fitted and fixed borders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from kamlab.figures.style import GRID, INK, MUTED, STRATEGY_COLOURS, WIDTH_INCHES, maybe_rasterize, style
from kamlab.figures.words import LEVELS, brief, letters, money_axis, set_title, with_currency, without_currency, wrapped
from kamlab.i18n import SEMICOLONS, Translator
from kamlab.strategies import texts

Function = Callable[[Any], Any]
Borders = Mapping[str, tuple[float, float]]
"""Axis (contribution, potential) → borders Low to Mid and Mid to High, in currency."""

MARKERS = {"static": "o", "retain": "s", "promote": "^", "acquire": "P", "win_back": "D"}
"""Drawn in this order; shapes keep strategies apart where colours do not."""
PALE = ("static", "acquire")
"""Strategies whose colours need an edge to stand out from paper."""
DEPTH = 100.0
"""The axes begin at a hundredth of the lower border at most; what is smaller, or not above zero, stands in a margin."""
MARGIN = 5.0
"""The margin is as wide as a factor of five on the axis."""
LEAST = {"potential": 0.26, "contribution": 0.15}
"""Share of its axis that a box has at least, so that its label and its accounts have room beside the next box's."""
LINE = 0.07
"""Share of the vertical axis that a line of text takes."""
LETTER = 4.4
"""Points that a letter of an amount takes."""
DENSITY_FROM = 100
"""From so many accounts on points cover each other, and the ground beneath them shows how many there are."""
MOST_POINTS = 20_000
_DRAWN = ("potential_revenue", "expected_contribution", "nine_box", "strategy")
GROUND = LinearSegmentedColormap.from_list("ground", ["#F6F7F9", GRID, "#B5BEC9"])


def _cells(accounts: pd.DataFrame, fitted: Borders) -> pd.DataFrame:
    """Return accounts with a known potential, with their box (0 Low to 2 High on both axes; −1 for prospects).

    The playbook's own box goes before the borders: it moves accounts that give us little of what they buy.
    """
    # Of the many columns that accounts have, those alone that are drawn or counted.
    table = accounts[[name for name in _DRAWN if name in accounts]]
    known = table[table["potential_revenue"].notna()].copy()
    value = known["expected_contribution"].fillna(0.0)
    known["row"] = np.searchsorted(fitted["contribution"], value, side="right")
    known["column"] = np.searchsorted(fitted["potential"], known["potential_revenue"], side="right")
    if "nine_box" in known:
        levels = {level: i for i, level in enumerate(LEVELS)}
        place, boxes = pd.factorize(known["nine_box"])
        for axis, part in (("row", 0), ("column", 1)):
            known[axis] = np.array([*(levels.get(box.split("/")[part], -1) for box in boxes), -1])[place]
    return known


def title(accounts: pd.DataFrame, t: Translator, *, fitted: Borders) -> str:
    """Return the finding: what the few accounts of high contribution bring, and how many could follow."""
    cells = _cells(accounts, fitted)
    high = cells["row"] == 2
    value = cells["expected_contribution"].clip(lower=0)
    return t.plural(
        "{n} account of high contribution brings {share} of the total; others with high potential: {more}",
        "{n} accounts of high contribution bring {share} of the total; others with high potential: {more}",
        int(high.sum()),
        share=t.percent(value[high].sum() / value.sum() if value.sum() else 0.0),
        more=int((~high & (cells["column"] == 2)).sum()),
    )


def draw(
    accounts: pd.DataFrame, t: Translator, *, fitted: Borders, value_name: str, fixed: Borders | None = None
) -> Figure | None:
    """Draw every account by potential and contribution, both on log scale.

    Parameters
    ----------
    accounts : DataFrame
        account, expected_contribution (currency; NaN for prospects), potential_revenue (currency a year; NaN if
        unknown: such accounts are not drawn), strategy (key of document 000's five).
    fitted, fixed : mapping of str to (float, float)
        Borders of each axis: fitted ones are solid lines, fixed ones dashed. A fixed axis may be left out, which it
        must be where its thresholds divide another quantity than the one drawn.
    value_name : str
        What the vertical axis holds, translated.

    Returns
    -------
    Figure, or None if no potential is known or it has no borders: then there are no nine boxes.
    """
    if "potential" not in fitted or accounts["potential_revenue"].isna().all():
        return None
    cells = _cells(accounts, fitted)
    floor_x, floor_y = (
        _floor(cells[column], fitted[axis][0])
        for axis, column in (("potential", "potential_revenue"), ("contribution", "expected_contribution"))
    )
    x, y = _with_margin(cells["potential_revenue"], floor_x), _with_margin(cells["expected_contribution"], floor_y)
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 4.6))
        left, bottom = (
            floor / MARGIN if low < floor else floor for low, floor in ((x.min(), floor_x), (y.min(), floor_y))
        )
        right, top = (
            max(values.max(), fitted[axis][1] * 4) * factor
            for values, axis, factor in ((x, "potential", 1.6), (y, "contribution", 2.5))
        )
        axes.set_xscale("function", functions=_stretch((left, *fitted["potential"], right), LEAST["potential"]))
        axes.set_yscale("function", functions=_stretch((bottom, *fitted["contribution"], top), LEAST["contribution"]))
        axes.set(xlim=(left, right), ylim=(bottom, top))
        axes.axvspan(left, floor_x, color=MUTED, alpha=0.12, linewidth=0)
        axes.axhspan(bottom, floor_y, color=MUTED, alpha=0.12, linewidth=0)
        _density(axes, x, y)
        _points(axes, cells, x, y, t)
        written = _lines(axes, fitted, t, solid=True)
        _lines(axes, fixed or {}, t, solid=False, beyond=LETTER * written + 8)
        _counts(axes, cells, fitted, t)
        if bottom < floor_y:
            _beside(axes, wrapped(t("smaller, zero, or never bought"), 13), floor_y / MARGIN**0.5, color=MUTED)
        axes.xaxis.set_major_locator(LogLocator())
        axes.yaxis.set_major_locator(LogLocator())
        axes.minorticks_off()
        money_axis(axes.xaxis, t)
        money_axis(axes.yaxis, t)
        axes.set_xlabel(with_currency(t("Potential, 12 months"), t))
        axes.set_ylabel(with_currency(value_name, t))
        figure.legend(loc="outside lower left", ncols=4, handletextpad=0.4, columnspacing=1.6, markerscale=1.5)
        set_title(axes, title(accounts, t, fitted=fitted))
    return figure


def _stretch(marks: tuple[float, ...], least: float) -> tuple[Function, Function]:
    """Return a log scale, from value to place and back, that leaves each of the boxes between `marks` room enough.

    A box's log width counts, but as `least` of the axis at least; the wider boxes give that room.
    """
    places = np.log10(np.asarray(marks))
    shares = np.diff(places) / (places[-1] - places[0])
    narrow = np.zeros(len(shares), dtype=bool)
    while (shares[~narrow] < least).any():  # what gives room may become too narrow by that
        narrow |= shares < least
        shares[narrow] = least
        shares[~narrow] *= (1 - least * narrow.sum()) / shares[~narrow].sum()
    drawn = np.concatenate([[0.0], np.cumsum(shares)])
    return (
        lambda value: _along(np.log10(np.maximum(value, np.finfo(float).tiny)), places, drawn),
        lambda place: 10 ** _along(np.asarray(place), drawn, places),
    )


def _along(values: np.ndarray, places: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Carry values from one scale to the other, straight between the marks and on beyond them."""
    slopes = np.diff(drawn) / np.diff(places)
    piece = np.clip(np.searchsorted(places, values) - 1, 0, len(slopes) - 1)
    return np.asarray(drawn[piece] + (values - places[piece]) * slopes[piece])


def _floor(values: pd.Series, border: float) -> float:
    """Return where an axis begins: a little under its smallest value, but not below a hundredth of the border."""
    smallest = values[values > 0].min()
    return max(border / DEPTH, min(border, smallest) * 0.7) if smallest > 0 else border / DEPTH


def _with_margin(value: pd.Series, floor: float) -> np.ndarray:
    """Return the values; those under `floor` or missing spread over the margin below it, so that they can be seen."""
    v = value.fillna(0.0).to_numpy(dtype=float)
    spread = (np.arange(len(v)) * 0.6180339887) % 1.0  # the golden section fills a strip evenly
    return np.where(v >= floor, v, floor * MARGIN ** (-0.1 - 0.8 * spread))


def _density(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Darken the ground where many accounts stand, in six-sided cells, on a log scale of their number."""
    if len(x) < DENSITY_FROM:
        return
    limits = (*np.log10(axes.get_xlim()), *np.log10(axes.get_ylim()))
    axes.hexbin(
        x,
        y,
        extent=limits,
        xscale="log",
        yscale="log",
        gridsize=(26, 13),
        bins="log",
        mincnt=2,
        cmap=GROUND,
        linewidths=0.0,
        zorder=0.5,
    )


def every(n: int) -> int:
    """Return that every so-manieth of n accounts is drawn as a point: more than some thousands hide each other."""
    return max(1, -(-n // MOST_POINTS))


def _points(axes: Axes, cells: pd.DataFrame, x: np.ndarray, y: np.ndarray, t: Translator) -> None:
    for name, marker in MARKERS.items():
        mine = (cells["strategy"] == name).to_numpy()
        if not mine.any():
            continue
        label = t("{strategy}: {n}", strategy=t(texts.STRATEGIES[name].name), n=int(mine.sum()))
        some = np.flatnonzero(mine)[:: every(len(cells))]
        points = axes.scatter(
            x[some],
            y[some],
            s=18 if len(cells) < DENSITY_FROM else 14,
            marker=marker,
            color=STRATEGY_COLOURS[name],
            edgecolors=MUTED if name in PALE else "white",
            linewidths=0.4,
            label=label,
        )
        maybe_rasterize(points)


def _beside(axes: Axes, text: str, y: float, *, color: str, right: float = 3, va: str = "center") -> None:
    """Write to the right of the axes at height `y`, so many points from them."""
    axes.annotate(
        text,
        (1, y),
        xycoords=("axes fraction", "data"),
        xytext=(right, {"bottom": 1, "center": 0, "top": -1}[va]),
        textcoords="offset points",
        ha="left",
        va=va,
        color=color,
    )


def _lines(axes: Axes, borders: Borders, t: Translator, *, solid: bool, beyond: float = 3) -> int:
    """Draw borders, with their amounts at the upper edge and so many points beyond the right one.

    Return how long the longest amount at the right is, in letters.
    """
    color, dashes = (INK, "-") if solid else (MUTED, (0, (4, 3)))
    rows, columns = (borders.get(axis, ()) for axis in ("contribution", "potential"))
    # amounts of borders that lie close together stand below the lower and above the upper one
    close = len(rows) == 2 and _share_between(axes.yaxis, rows) < LINE
    for cut, va in zip(rows, ("top", "bottom") if close else ("center", "center"), strict=False):
        axes.axhline(cut, color=color, linestyle=dashes, linewidth=1.0)
        # fixed and fitted borders may lie close together, so their amounts stand in columns of their own
        _beside(axes, brief(cut, t), cut, color=color, right=beyond, va=va)
    # likewise to the left of the first and to the right of the second
    close = len(columns) == 2 and _share_between(axes.xaxis, columns) < LEAST["potential"] / 2
    for cut, place in zip(columns, ("right", "left") if close else ("center", "center"), strict=False):
        axes.axvline(cut, color=color, linestyle=dashes, linewidth=1.0)
        axes.annotate(
            brief(cut, t),
            (cut, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 if solid else 17),
            textcoords="offset points",
            ha=place,
            color=color,
        )
    if borders:
        label = t("fitted border") if solid else t("fixed border")
        axes.plot([], [], color=color, linestyle=dashes, linewidth=1.0, label=label)
    return max((letters(brief(cut, t)) for cut in rows), default=0)


def _counts(axes: Axes, cells: pd.DataFrame, fitted: Borders, t: Translator) -> None:
    """Write the number of accounts and their value into each box."""
    short = without_currency(t)
    left = [axes.get_xlim()[0], *fitted["potential"]]
    top = [*fitted["contribution"], axes.get_ylim()[1]]
    for row, column in np.ndindex(3, 3):
        box = cells[(cells["row"] == row) & (cells["column"] == column)]
        money = float(box["expected_contribution"].sum())
        axes.annotate(
            t(
                "{accounts} · {value}",
                accounts=len(box),
                value=short.money(money if abs(money) >= 1 else 0.0),  # cents are what is left of who has gone
            ),
            (left[column], top[row]),
            xytext=(3, -3),
            textcoords="offset points",
            va="top",
            fontweight="bold",
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0},
        )


def _share_between(axis: Axis, borders: tuple[float, float]) -> float:
    """Return how much of an axis lies between two borders."""
    place = axis.get_transform().transform
    begin, end = axis.get_view_interval()
    return float((place(borders[1]) - place(borders[0])) / (place(end) - place(begin)))


def alt(accounts: pd.DataFrame, t: Translator, *, fitted: Borders) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    cells = _cells(accounts, fitted)
    levels = list(LEVELS)
    boxes = [
        t(
            "contribution {row}, potential {column}: accounts {n}, {value}",
            row=t(LEVELS[levels[row]]),
            column=t(LEVELS[levels[column]]),
            n=len(box),
            value=t.money(box["expected_contribution"].sum()),
        )
        for (row, column), box in cells[(cells["row"] >= 0) & (cells["column"] >= 0)].groupby(["row", "column"])
    ]
    return t(
        "Nine boxes, contribution upwards and potential to the right. {finding}. {boxes}. Not drawn, because their "
        "potential is unknown: accounts {unknown}.",
        finding=title(accounts, t, fitted=fitted),
        boxes=t.join(SEMICOLONS, boxes),
        unknown=len(accounts) - len(cells),
    )
