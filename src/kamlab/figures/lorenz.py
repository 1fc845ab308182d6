"""How unequal accounts are: the share of accounts that brought 80 % of the value."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from kamlab.figures.style import ACCENT, GRID, INK, MUTED, WIDTH_INCHES, style
from kamlab.figures.words import set_title
from kamlab.i18n import Translator

MARK = 0.8
MOST_POINTS = 2000


def accounts_for(values: pd.Series, share: float = MARK) -> float:
    """Return the share of the accounts with a value above 0 that brings `share` of it, largest accounts first."""
    accounts, value = _curve(values)
    return float(accounts[np.argmax(value >= share - 1e-12)])


def _curve(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return cumulative shares of accounts and of value, largest first; not above 0 does not count."""
    v = np.sort(values[values > 0].to_numpy(dtype=float))[::-1]
    return np.arange(len(v) + 1) / len(v), np.concatenate([[0.0], np.cumsum(v) / v.sum()])


def _thinned(accounts: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out what no eye can part: of very many points some hundreds, even along both axes."""
    if len(accounts) <= MOST_POINTS:
        return accounts, value
    even = np.linspace(0, 1, MOST_POINTS // 2)
    keep = np.union1d(np.searchsorted(accounts, even), np.searchsorted(value, even).clip(max=len(value) - 1))
    return accounts[keep], value[keep]


def title(values: pd.Series, t: Translator, *, value_name: str) -> str:
    """Return the finding: how many accounts bring 80 %."""
    return t(
        "{value}: {accounts} of the accounts bring {share}",
        accounts=t.percent(accounts_for(values), 0 if accounts_for(values) >= 0.1 else 1),
        share=t.percent(MARK),
        value=value_name,
    )


def draw(values: pd.Series, t: Translator, *, value_name: str) -> Figure | None:
    """Draw the Lorenz curve, largest accounts first, with the point where 80 % is reached.

    Parameters
    ----------
    values : Series of float
        Value per account (currency); values not above 0 and missing ones do not count.
    value_name : str
        What the value is, translated.

    Returns
    -------
    Figure, or None if no value is above 0.
    """
    if not (values > 0).any():
        return None
    accounts, value = _thinned(*_curve(values))
    at = accounts_for(values)
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH_INCHES, 2.9))
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate(
            t("if all were equal"), (0.6, 0.6), xytext=(6, -4), textcoords="offset points", va="top", color=MUTED
        )
        axes.fill_between(accounts, value, accounts, color=GRID, alpha=0.5, linewidth=0)
        axes.plot(accounts, value, color=ACCENT)
        axes.plot([at, at, 0], [0, MARK, MARK], color=INK, linewidth=0.8)
        axes.plot([at], [MARK], "o", color=ACCENT, markersize=5)
        axes.annotate(
            t("{accounts} of accounts", accounts=t.percent(at, 0 if at >= 0.1 else 1)),
            (at, MARK),
            xytext=(8, -12),
            textcoords="offset points",
            fontweight="bold",
        )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda share, _: t.percent(share)))
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=t("Share of accounts, largest first"), ylabel=value_name)
        set_title(axes, title(values, t, value_name=value_name))
    return figure


def alt(values: pd.Series, t: Translator, *, value_name: str) -> str:
    """Return what the picture shows, for readers who cannot see it."""
    v = values[values > 0].sort_values(ascending=False)
    top = max(1, round(len(v) / 10))
    return t(
        "Lorenz curve of {n} accounts. {finding}. The largest tenth of the accounts brings {top}.",
        n=len(v),
        finding=title(values, t, value_name=value_name),
        top=t.percent(v.iloc[:top].sum() / v.sum()),
    )
