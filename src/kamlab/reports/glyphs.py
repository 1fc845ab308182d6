"""Keeps every character printable: what the report's fonts lack is replaced visibly and listed."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FONTS_DIR = Path(__file__).parent / "fonts"
REPLACEMENT = "□"
EXAMPLE_LENGTH = 60
# Controls, marks of writing direction, joiners, halves of surrogate pairs: invisible, and able to turn a line
# of text around or to end it.
DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
SPACES = frozenset("\n\r\t\v\f\u0085\u2028\u2029")
SVG_FIELDS = ("svg", "logo")
VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))


@dataclass(frozen=True)
class Replaced:
    """A character that no font of the report has, how often it stood there, and the first text that held it."""

    character: str
    count: int
    example: str

    def __str__(self) -> str:
        name = unicodedata.name(self.character, "unnamed").lower()
        return f'U+{ord(self.character):04X} ({name}), {self.count} times, first in "{self.example}"'


@lru_cache(maxsize=1)
def covered() -> frozenset[str]:
    """Return all characters that the report's fonts can print."""
    from fontTools.ttLib import TTFont

    codes: set[int] = set()
    for path in sorted(FONTS_DIR.glob("*.ttf")):
        with TTFont(path, lazy=True) as font:
            codes |= set(font.getBestCmap())
    return frozenset(map(chr, codes))


def clean(text: str) -> tuple[str, Counter[str]]:
    """Return `text` as the fonts can print it, and the characters that had to be replaced.

    The text is composed (NFC) and on one line; control characters and marks of writing direction are dropped.
    """
    return _translate(text, {ord(c): " " for c in SPACES})


def clean_document(document: dict[str, Any]) -> tuple[dict[str, Any], list[Replaced]]:
    """Clean every string of a document, figures included.

    Returns
    -------
    document : dict
        The same document with printable strings.
    replaced : list of Replaced
        The characters that were replaced, by code point.
    """
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}

    def walk(node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {name: walk(value, name) for name, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        if not isinstance(node, str):
            return node
        # A figure's lines stay: an image in it is base64 text that may be broken over lines.
        text, missing = _translate(node, {ord("\n"): "\n"}) if key in SVG_FIELDS else clean(node)
        for character in missing:
            if character not in examples:
                examples[character] = _example(node, character, markup=key in SVG_FIELDS)
        counts.update(missing)
        return text

    result = walk(document)
    return result, [Replaced(c, counts[c], examples[c]) for c in sorted(counts)]


def _translate(text: str, table: dict[int, str]) -> tuple[str, Counter[str]]:
    text = unicodedata.normalize("NFC", text)
    missing = set()
    for character in set(text):
        if ord(character) in table:
            continue
        if character in VARIATION_SELECTORS or unicodedata.category(character) in DROPPED_CATEGORIES:
            table[ord(character)] = ""
        elif character not in covered():
            table[ord(character)] = REPLACEMENT
            missing.add(character)
    return text.translate(table), Counter(c for c in text if c in missing) if missing else Counter()


def _example(text: str, character: str, *, markup: bool) -> str:
    """Return the words around the first replaced character, as printed."""
    text = unicodedata.normalize("NFC", text)
    at = text.index(character)
    start = text.rfind(">", 0, at) + 1 if markup else max(0, at - EXAMPLE_LENGTH // 2)
    end = text.find("<", at) if markup else start + EXAMPLE_LENGTH
    return clean(text[start:end])[0].strip()
