"""The characters of one page, cut out of the report's fonts, so that it looks the same wherever it is opened."""

from __future__ import annotations

import base64
from functools import lru_cache
from io import BytesIO
from typing import Any

from kamlab.reports.glyphs import FONTS_DIR

FACES = (
    ("Noto Sans", 400, "NotoSans-Regular.ttf"),
    ("Noto Sans", 700, "NotoSans-Bold.ttf"),
    ("Noto Sans SC", 400, "NotoSansSC-Regular.ttf"),
    ("Noto Sans SC", 700, "NotoSansSC-Bold.ttf"),
)
FULL_WIDTH = frozenset(map(chr, (*range(0x2010, 0x2028), *range(0x2030, 0x203C))))
"""Quotation marks and dashes, which a Chinese text takes from the Chinese font."""
LETTERS = frozenset(
    map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x180), 0x1A0, 0x1A1, 0x1AF, 0x1B0, *range(0x1EA0, 0x1EFA)))
) | frozenset("‐‑–—‘’“”„•…‹›€−×")
"""What pages in English, Vietnamese and Spanish are written with. Every page has all of it, some 13 kB a weight: so
pages share one cut font, and to cut it takes longer than all else on a page."""


def faces(document: Any, *, chinese: bool) -> str:
    """Return the style rules of the fonts that hold a document's characters, as data in the rules themselves.

    Parameters
    ----------
    document : dict or list
        Whatever holds the page's strings.
    chinese : bool
        Whether its language is Chinese.
    """
    used = _characters(document) | LETTERS
    rules = []
    for family, weight, name in FACES:
        latin = family == "Noto Sans"
        wanted = used - FULL_WIDTH if latin and chinese else used
        rules.append(_rule(family, weight, name, wanted & _covered(name) - (set() if latin else _covered(FACES[0][2]))))
    # A browser does not look for a missing bold character among the regular ones.
    regular, bold = (_covered(name) for family, _, name in FACES if family == "Noto Sans SC")
    rare = used & regular - bold - _covered(FACES[0][2])
    rules.append(_rule("Noto Sans SC", 700, "NotoSansSC-Regular.ttf", rare, ranged=True))
    return "".join(rules)


def _rule(family: str, weight: int, name: str, characters: set[str], *, ranged: bool = False) -> str:
    """Return the style rule of a font cut down to some characters; empty without any."""
    if not characters:
        return ""
    said = f"unicode-range:{','.join(f'U+{ord(c):X}' for c in sorted(characters))};" if ranged else ""
    return (
        f'@font-face{{font-family:"{family}";font-weight:{weight};{said}'
        f"src:url(data:font/woff;base64,{_subset(name, ''.join(sorted(characters)))}) format('woff')}}\n"
    )


def _characters(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*map(_characters, node.values()))
    if isinstance(node, list | tuple):
        return set().union(*map(_characters, node))
    return set(node) if isinstance(node, str) else set()


@lru_cache(maxsize=len(FACES))
def _covered(name: str) -> frozenset[str]:
    from fontTools.ttLib import TTFont

    with TTFont(FONTS_DIR / name, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


@lru_cache(maxsize=16)
def _subset(name: str, characters: str) -> str:
    """Return a font with these characters only, as WOFF in base64."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(
        hinting=False, name_IDs=[], layout_features=["kern", "mark", "mkmk", "ccmp", "locl"], notdef_outline=True
    )
    with TTFont(FONTS_DIR / name, lazy=True, recalcTimestamp=False) as font:
        worker = subset.Subsetter(options)
        worker.populate(text=characters)
        worker.subset(font)
        font.flavor = "woff"
        buffer = BytesIO()
        font.save(buffer, reorderTables=False)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
