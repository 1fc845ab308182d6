"""Words in pictures: titles that fit the width, amounts on axes, levels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from unicodedata import east_asian_width

from babel.numbers import get_decimal_symbol
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter

from kamlab.i18n import N_, Translator

TITLE_CHARACTERS = 94
"""Latin characters of the title's size that fit the width of the page."""

LEVELS: Mapping[str, str] = {"Low": N_("Low"), "Mid": N_("Mid"), "High": N_("High")}


NEVER_FIRST = "，。、；：！？）》」』”’%…"
NEVER_LAST = "（《「『“‘"
"""Punctuation that no Chinese line begins or ends with."""

TURNS = re.compile(r"(?<=[一-鿿])(?=[A-Za-z0-9+−])|(?<=[A-Za-z0-9%])(?=[一-鿿])(?![万亿])")


def wrapped(text: str, characters: int) -> str:
    """Break a text into lines of at most so many Latin characters; Chinese ones count twice and break anywhere."""
    lines, line, width = [], "", 0
    for piece in _pieces(text):
        size = letters(piece)
        if line and width + size > characters:
            lines.append(line.rstrip())
            line, width = "", 0
            piece = piece.lstrip()
        line, width = line + piece, width + size
    return "\n".join([*lines, line.rstrip()])


def shortened(text: str, characters: int) -> str:
    """Cut a text to so many Latin characters, and say so with an ellipsis; Chinese characters count twice."""
    if letters(text) <= characters:
        return text
    while text and letters(text) >= characters:
        text = text[:-1]
    return text.rstrip() + "…"


def letters(text: str) -> int:
    """Return how many Latin letters a text is wide; Chinese characters count twice."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _pieces(text: str) -> list[str]:
    """Split a text where a line may break: after spaces, and around characters without spaces between words."""
    pieces = [""]
    for c in text:
        wide = east_asian_width(c) in "WF"
        last = -1 if pieces[-1] or len(pieces) == 1 else -2
        if c in NEVER_FIRST and not pieces[last].endswith(" "):
            pieces[last] += c
            if wide and last == -1:
                pieces.append("")
            continue
        if wide and pieces[-1] and pieces[-1][-1] not in NEVER_LAST:
            pieces.append("")
        pieces[-1] += c
        if c == " " or (wide and c not in NEVER_LAST):
            pieces.append("")
    return [p for p in pieces if p]


def set_title(axes: Axes, finding: str) -> None:
    """Write the picture's finding above it, across the width of the page."""
    axes.figure.suptitle(wrapped(apart(finding), TITLE_CHARACTERS), x=0.01, ha="left", fontsize=9.5, fontweight="bold")


def apart(text: str) -> str:
    """Set Chinese characters apart from the Latin ones and figures beside them, as the page's text does by itself."""
    return TURNS.sub(" ", text)


def without_currency(t: Translator) -> Translator:
    """Return a translator that writes amounts without their currency, for axes and cells."""
    return replace(t, currency="")


def brief(amount: float, t: Translator) -> str:
    """Write an amount as short as it can be: without currency and without zeros after the decimal sign."""
    zeros = re.escape(get_decimal_symbol(t.locale)) + r"0+(?!\d)"
    return re.sub(zeros, "", without_currency(t).money(amount))


def money_axis(axis: Axis, t: Translator) -> None:
    """Write the amounts at an axis' ticks in thousands, millions or billions."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: brief(value, t)))


def with_currency(label: str, t: Translator) -> str:
    """Add the currency, if there is one, to the label of an axis of amounts."""
    return t("{label} ({currency})", label=label, currency=t.currency) if t.currency else label
