"""What each segment is like: a heatmap of the features' middle values, in their own units."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from kamlab.feature_list import FEATURES, Feature
from kamlab.figures.style import INK, LEVEL_COLOURS, WIDTH_INCHES, style
from kamlab.figures.words import set_title, without_currency, wrapped
from kamlab.i18n import MISSING, NO_BREAK_SPACE, SEMICOLONS, SENTENCES, Translator
from kamlab.segment_names import translated

SHOWN = (
    *("expected_contribution", "silence", "growth", "order_interval", "regularity", "tenure", "breadth"),
    *("margin_rate", "return_rate", "headroom"),
)
"""Features that are shown. The chance that an account still buys is not: the model takes it for certain of every
account with a single order, however long ago."""
NAME_CHARACTERS = 26
HEAD_CHARACTERS = 8
CELL_CHARACTERS = 7
MAX_COLUMNS = 8
SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", LEVEL_COLOURS["Low"], LEVEL_COLOURS["Mid"]])
"""Light to dark, never so dark that the numbers cannot be read."""
IMMATERIAL = 4
"""Segments that differ by less than this many times a feature's resolution are not shaded apart in full."""


def _shown(profile: pd.DataFrame) -> list[Feature]:
    """Return features that are known and not the same in all segments, those that make the segments first."""
    known = [f for f in FEATURES if f.name in SHOWN and f.name in profile and profile[f.name].nunique() > 1]
    first = sorted(known, key=lambda f: not f.makes_segments)[:MAX_COLUMNS]
    return [f for f in known if f in first]


def written(value: float, feature: Feature, t: Translator) -> str:
    """Write a segment's middle value of a feature in its unit, rounded; amounts without the currency."""
    if pd.isna(value):
        return MISSING
    if feature.name == "growth":
        share = float(np.expm1(value))
        return ("+" if share > 0 else "") + t.percent(share)
    if feature.unit == "currency":
        return without_currency(t).money(value)
    if feature.unit == "share":
        return t.percent(value)
    if feature.unit == "days":
        return t("{n} d", n=t.number(value))
    if feature.unit == "years":
        return t("{n} y", n=t.number(value, 1))
    return t.number(value, 0 if value == int(value) else 2)


def _depth(values: pd.Series, feature: Feature) -> np.ndarray:
    """Return each value's place between the lowest (0) and the highest (1) of the segments, by ratio or difference."""
    v = values.to_numpy(dtype=float)
    if feature.scale == "log":
        v = np.sign(v) * np.log1p(np.abs(v) / np.nanmedian(np.abs(v[v != 0])))
    low, high = np.nanmin(v), np.nanmax(v)
    return 0.5 + (v - (low + high) / 2) / max(high - low, IMMATERIAL * feature.resolution)


def title(profile: pd.DataFrame, t: Translator) -> str:
    """Return the finding: which segment brings most, with which share of the accounts."""
    best = profile.loc[profile["share_contribution"].idxmax()]
    return t(
        "{segment}: {accounts} of the accounts bring {value} of the expected value",
        segment=translated(best["segment_name"], t),
        accounts=t.percent(best["share_accounts"]),
        value=t.percent(best["share_contribution"]),
    )


def draw(profile: pd.DataFrame, t: Translator) -> Figure | None:
    """Draw one row a segment: its share of accounts and value, and the middle value of each feature.

    Parameters
    ----------
    profile : DataFrame
        Table "profile".

    Returns
    -------
    Figure, or None if there is one segment only.
    """
    features = _shown(profile)
    if len(profile) < 2 or not features:
        return None
    depth = np.column_stack([_depth(profile[f.name], f) for f in features])
    names = [wrapped(translated(name, t), NAME_CHARACTERS) for name in profile["segment_name"]]
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 1.0 + 0.42 * len(profile)))
        axes.imshow(np.ma.masked_invalid(depth), cmap=SHADES, vmin=0, vmax=1, aspect="auto")
        for (row, column), _ in np.ndenumerate(depth):
            cell = written(profile[features[column].name].iloc[row], features[column], t)
            lines = wrapped(cell.replace(NO_BREAK_SPACE, " "), CELL_CHARACTERS)
            axes.text(column, row, lines, ha="center", va="center", color=INK)
        heads = [wrapped(t(f.head), HEAD_CHARACTERS) for f in features]
        axes.set_xticks(range(len(features)), heads, fontsize=7.5)
        axes.set_yticks(range(len(profile)), names)
        for row, segment in enumerate(profile.itertuples()):
            shares = [t.percent(segment.share_accounts), t.percent(segment.share_contribution)]
            for place, share in enumerate(shares):
                axes.text(len(features) + place * 0.95, row, share, ha="center", va="center", fontweight="bold")
        for place, head in enumerate((t("of the accounts"), t("of the value"))):
            axes.text(
                len(features) + place * 0.95, -0.6, wrapped(head, 9), ha="center", va="bottom", fontsize=8, color=INK
            )
        axes.set_xlim(-0.5, len(features) + 1.5)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xticks(np.arange(len(features) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(profile) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=2)
        axes.tick_params(which="minor", length=0)
        set_title(axes, title(profile, t))
    return figure


def alt(profile: pd.DataFrame, t: Translator) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    features = _shown(profile)
    rows = [
        t(
            "{segment}: {values}.",
            segment=translated(segment["segment_name"], t),
            values=t.join(
                SEMICOLONS,
                (t("{feature} {value}", feature=t(f.head), value=written(segment[f.name], f, t)) for f in features),
            ),
        )
        for _, segment in profile.iterrows()
    ]
    said = t("Heatmap of the segments' middle values. {finding}.", finding=title(profile, t))
    return t.join(SENTENCES, [said, *rows])
