"""How wide the columns of a printed table are, and how large its type is: numbers whole, and rows as low as can be."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise, permutations
from math import ceil, sqrt
from typing import Any

from kamlab.reports.glyphs import FONTS_DIR

TEXT_WIDTH = 468.0
"""Points across a page: 6.5 inches."""
INSET = 4.0
"""Points to the left and to the right of a cell's text."""
SIZES = (8.0, 7.5, 7.0)
"""Points of a table's type, the smaller ones for wide tables."""
CHARACTER = 0.53
"""Width of an average Latin character. As all widths here, it is in the size of the type."""
BOLD = 1.08
"""How much wider bold letters are."""
SLACK = 0.2
"""Room that a cell has beyond its text, so that rounding breaks no line."""
LONGEST_TEXT, SHORTEST_TEXT = 16.0, 1.6
"""What a column of text asks for at most, and what any column gets."""
LONGEST_WORD = 9.5
"""Width of a word up to which it is not broken."""
CHINESE_TOGETHER = 6.0
"""Width that a column of Chinese text keeps, which may break anywhere."""
TURN = 0.25
"""Room between a Chinese character and a Latin letter or a figure."""
UNSTRETCHED = 0.6
"""Share of the page from which on a table is as wide as the page."""
RAGGED = 1.2
"""Room at the end of a line that stays empty, since lines end at words."""
STEPS = (6.0, 4.0, 2.5, 1.5, 1.0)
"""What one column gives to another at a time, while that makes the table lower."""
ROWS_LOOKED_AT = 40


def fit(table: dict[str, Any]) -> dict[str, Any]:
    """Return how a table of a document is set.

    A number is never broken, so its column is as wide as its longest cell; columns of text share what is left so that
    the table is low. A heading may take two lines. A width that a column itself names goes first.

    Parameters
    ----------
    table : dict
        Element of the kind `table`, as `export` describes it.

    Returns
    -------
    dict
        `size` of the type in points, `share` of the page's width, and `columns`, their widths in points.
    """
    columns, rows = table["columns"], table["rows"]
    first_total = len(rows) - table["total_rows"]
    factors = [BOLD if row >= first_total else 1.0 for row in range(len(rows))]
    cells = [[f * _measure(row[i]) for f, row in zip(factors, rows, strict=True)] for i in range(len(columns))]
    needs = [_need(column, widths) for column, widths in zip(columns, cells, strict=True)]
    room = {size: (TEXT_WIDTH - 2 * INSET * len(needs)) / size for size in SIZES}
    size = next((s for s in SIZES if sum(needs) <= room[s]), SIZES[-1])
    texts = [i for i, c in enumerate(columns) if c["align"] == "left" and not c["width"]]
    least = _least(table)
    needs = _squeezed(needs, least, texts, room[size])
    widths = _share_room(needs, {i: cells[i] for i in texts}, least, room[size]) if texts else needs
    points = [width * size + 2 * INSET for width in widths]
    used = sum(points) / TEXT_WIDTH
    return {
        "size": size,
        "share": 1.0 if used > UNSTRETCHED else max(0.4, 1.35 * used),
        "columns": [round(p, 2) for p in points],
    }


def lay_out(elements: Sequence[dict[str, Any]]) -> None:
    """Add to every table among a document's elements how it is set, as `layout`; see `fit`."""
    for element in elements:
        if element["kind"] == "table":
            element["layout"] = fit(element)


def _need(column: dict[str, Any], cells: list[float]) -> float:
    """Return the room that a column asks for."""
    if column["width"]:
        return float(column["width"]) * CHARACTER
    limit = LONGEST_TEXT if column["align"] == "left" else 2 * LONGEST_TEXT
    return max(SHORTEST_TEXT, SLACK + min(limit, max(_heading(column["label"]), *cells, 0.0)))


def _heading(label: str) -> float:
    """Return the width that a heading takes on two lines."""
    words = label.split(" ")
    halves = ((" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words) + 1))
    return BOLD * min(max(map(_measure, half)) for half in halves)


def _least(table: dict[str, Any]) -> list[float]:
    """Return the room that each column must have, so that no word of it is broken but long ones."""
    return [
        SLACK
        + max(
            SHORTEST_TEXT,
            min(LONGEST_WORD, _heading(column["label"])),
            *(_longest_word(row[i]) for row in table["rows"][:ROWS_LOOKED_AT]),
        )
        for i, column in enumerate(table["columns"])
    ]


def _squeezed(needs: list[float], least: list[float], texts: list[int], room: float) -> list[float]:
    """Return what columns ask for, less where columns of text had no room left: intervals take two lines there."""
    rest = [i for i in range(len(needs)) if i not in texts]
    short = sum(least[i] if i in texts else need for i, need in enumerate(needs)) - room
    give = {i: max(0.0, needs[i] - least[i]) for i in rest}
    most = sum(give.values())
    share = min(1.0, short / most) if short > 0 and most > 0 else 0.0
    return [need - share * give.get(i, 0.0) for i, need in enumerate(needs)]


def _share_room(
    needs: list[float], cells: dict[int, list[float]], least_of_all: list[float], room: float
) -> list[float]:
    """Return the widths after the columns of text have shared the room that the others leave."""
    cells = {i: widths[:ROWS_LOOKED_AT] for i, widths in cells.items()}
    left = room - sum(need for i, need in enumerate(needs) if i not in cells)
    wanted = {i: max(needs[i], SLACK + max(cells[i], default=0.0)) for i in cells}
    least = {i: min(least_of_all[i], wanted[i]) for i in cells}
    widths = {i: w * min(1.0, max(left, SHORTEST_TEXT) / sum(least.values())) for i, w in least.items()}
    if sum(wanted.values()) <= left:
        widths = wanted
    # What lines of a text's length take is least where widths are as the roots of the lengths.
    weights = {i: sqrt(sum(cells[i])) for i in cells}
    free = left - sum(widths.values())
    while free > SLACK and (open_ := [i for i in cells if widths[i] < wanted[i]]):
        whole = sum(weights[i] for i in open_) or 1.0
        for i in open_:
            widths[i] = min(wanted[i], widths[i] + free * weights[i] / whole)
        free = left - sum(widths.values())
    widths = _lowest(widths, least, cells)
    return [widths.get(i, need) for i, need in enumerate(needs)]


def _lowest(widths: dict[int, float], least: dict[int, float], cells: dict[int, list[float]]) -> dict[int, float]:
    """Move room from column to column as long as that makes the table lower."""

    def height(tried: dict[int, float]) -> tuple[int, int]:
        lines = [[_lines(n, tried[i]) for n in cells[i]] for i in tried]
        return sum(map(max, zip(*lines, strict=True))), sum(map(sum, lines))

    best = height(widths)
    for step in STEPS:
        improved = len(widths) > 1
        while improved:
            improved = False
            for giver, taker in permutations(widths, 2):
                if widths[giver] - step < least[giver]:
                    continue
                tried = widths | {giver: widths[giver] - step, taker: widths[taker] + step}
                if (now := height(tried)) < best:
                    widths, best, improved = tried, now, True
    return widths


def _lines(length: float, width: float) -> int:
    return 1 if length <= width - SLACK else ceil(length / max(SHORTEST_TEXT, width - RAGGED))


def _longest_word(text: str) -> float:
    return min(LONGEST_WORD, max(map(_word, text.split(" ")), default=0.0))


def _word(word: str) -> float:
    """Return the width of a word; one in Chinese may be broken, but a few characters stay together."""
    chinese = any(unicodedata.east_asian_width(c) in "WF" for c in word)
    return min(_measure(word), CHINESE_TOGETHER) if chinese else _measure(word)


@lru_cache(maxsize=8192)
def _measure(text: str) -> float:
    """Return how wide a text is on one line, with the room that stands between Chinese and Latin letters."""
    advances = _advances()
    turns = sum(1 for pair in pairwise(text) if {*map(_script, pair)} == {"chinese", "latin"})
    return sum(advances.get(ord(c), 1.0) for c in text) + TURN * turns


def _script(character: str) -> str:
    """Return "chinese", "latin", or nothing for spaces and punctuation."""
    if "一" <= character <= "鿿":
        return "chinese"
    return "latin" if character.isalnum() else ""


@lru_cache(maxsize=1)
def _advances() -> dict[int, float]:
    """Return the widths of the Latin font's characters; those of the Chinese one are 1 wide."""
    from fontTools.ttLib import TTFont

    with TTFont(FONTS_DIR / "NotoSans-Regular.ttf", lazy=True) as font:
        widths, whole = font["hmtx"], font["head"].unitsPerEm
        return {code: widths[name][0] / whole for code, name in font.getBestCmap().items()}
