"""Markdown → the elements of a document: headings, paragraphs, lists and code, with marked runs of text.

Nothing that Markdown can hold is refused, since a customer's name may stand in it: raw HTML prints as it is
written, a quotation as its paragraphs, an image as its description; `$` is money and never mathematics.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import mistune

Element = dict[str, Any]
Run = dict[str, Any]

DEEPEST_HEADING = 3
JOINER = "\u3164"
FULL_WIDTH = "，。、；：！？（）《》「」『』“”‘’…"
_STRONG = re.compile(r"\*\*([^*\n]+)\*\*")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")
_parse = mistune.create_markdown(renderer="ast")


def elements(source: str, *, inside: bool = False) -> list[Element]:
    """Return the document elements of a Markdown text.

    Headings `inside` another element, such as a callout, become bold paragraphs: they are no part of the outline.
    """
    joined = joined_emphasis(source)
    found = [element for node in _parse(joined) for element in _block(node, inside)]  # type: ignore[arg-type]
    return found if joined == source else _without_joiners(found)


def joined_emphasis(source: str) -> str:
    """Return the text with a joiner between strong words and full-width punctuation at their ends.

    Markdown takes the stars of "**人数：**17" for no emphasis, since it expects a space behind punctuation; Chinese has
    none. A text that holds the joiner itself, an invisible letter, stays as it is.
    """
    return source if JOINER in source else _STRONG.sub(lambda found: f"**{_joined(found[1])}**", source)


def _joined(words: str) -> str:
    first, last = (JOINER if c in FULL_WIDTH else "" for c in (words[0], words[-1]))
    return f"{first}{words}{last}"


def _without_joiners(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_joiners(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_joiners(value) for value in node]
    return node.replace(JOINER, "") if isinstance(node, str) else node


def _block(node: Element, inside: bool) -> Iterator[Element]:
    kind = node["type"]
    if kind == "heading":
        runs = _runs(node)
        if inside:
            yield {"kind": "paragraph", "runs": [{**run, "strong": True} for run in runs]}
        elif any(run.get("text", "").strip() for run in runs):
            yield {"kind": "heading", "level": min(node["attrs"]["level"], DEEPEST_HEADING), "runs": runs}
    elif kind in ("paragraph", "block_text"):
        yield {"kind": "paragraph", "runs": _runs(node)}
    elif kind == "list":
        items = [[e for child in item["children"] for e in _block(child, True)] for item in node["children"]]
        attributes = node["attrs"]
        yield {
            "kind": "list",
            "ordered": attributes["ordered"],
            "start": attributes.get("start", 1),
            "tight": node["tight"],
            "items": items,
        }
    elif kind == "block_code":
        yield {"kind": "code", "lines": node["raw"].expandtabs(4).rstrip("\n").split("\n")}
    elif kind == "block_html":
        yield {"kind": "paragraph", "runs": [{"text": node["raw"].strip()}]}
    elif kind == "block_quote":
        for child in node["children"]:
            yield from _block(child, inside)


def _runs(node: Element) -> list[Run]:
    """Return the marked runs of a paragraph, neighbours with the same marks joined."""
    result: list[Run] = []
    for run in _inline(node["children"], {}):
        marks = {k: v for k, v in run.items() if k != "text"}
        if result and "text" in run and "text" in result[-1] and marks == _marks(result[-1]):
            result[-1]["text"] += run["text"]
        else:
            result.append(run)
    return result


def _marks(run: Run) -> Run:
    return {k: v for k, v in run.items() if k != "text"}


def _inline(nodes: list[Element], marks: dict[str, bool]) -> Iterator[Run]:
    for node in nodes:
        kind = node["type"]
        if kind in ("strong", "emphasis"):
            yield from _inline(node["children"], {**marks, kind: True})
        elif kind == "linebreak":
            yield {"break": True}
        elif kind == "softbreak":
            yield {"text": " ", **marks}
        elif kind == "codespan":
            yield {"text": html.unescape(node["raw"]), **marks, "code": True}
        elif "children" in node:
            yield from _inline(node["children"], marks)
        elif node["raw"]:
            raw = node["raw"]
            text = _ENTITY.sub(lambda m: html.unescape(m[0]), raw) if kind == "text" else raw
            yield {"text": text, **marks}
