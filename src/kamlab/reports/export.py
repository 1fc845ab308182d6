"""An executed notebook → a document: JSON data that a PDF or a page is made from.

The document is a dict:

- `schema`: version of this form;
- `meta`: `title`, `company`, `as_of`, `date` (ISO, or empty), `locale`, `confidentiality`, `words`. All of it comes
  from the notebook's `cover` block; without one the title is the first heading and the words are English;
- `cover`: the cover's `title`, `subtitle` and `facts`, or None;
- `body`: elements in reading order, each with its `kind`: `heading` (level, runs), `paragraph` (runs), `list`
  (ordered, start, tight, items = lists of elements), `code` (lines), `kpis` (items), `table` (label, columns, rows,
  caption, note, total_rows), `figure` (label, svg, caption, alt, width), `callout` (tone, title, body = elements) and
  `page_break` (unless_left_mm, or part: key of the part that begins there; None = the end of one).

A run is `{"text": …}` with any of the marks strong, emphasis and code, or `{"break": True}`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from kamlab.errors import ReportError
from kamlab.i18n import Translator
from kamlab.reports import blocks, markdown
from kamlab.reports.markdown import Element

LONGEST_NAME = 60
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""Names that Windows gives to no file."""

SECTION_TAG = "section:"
META_FIELDS = ("title", "company", "as_of", "date", "locale", "confidentiality", "words", "accent")
COVER_FIELDS = ("title", "subtitle", "facts", "compact", "logo", "logo_alt")


def read_document(path: Path | str, *, sections: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the document of an executed notebook file; see `to_document`."""
    return to_document(nbformat.read(path, as_version=4), name=Path(path).name, sections=sections)


def to_document(
    notebook: NotebookNode, *, name: str = "the notebook", sections: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the document that an executed notebook publishes.

    Markdown cells and blocks are taken in order; printed text and other outputs stay in the notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook, version 4.
    name : str
        What errors call it.
    sections : sequence of str, optional
        Which sections are taken, in this order; all in the notebook's order if None. A cell's tag `section:NAME` begins
        a section, which goes on to the next such tag; cells before the first tag come first in any case.

    Returns
    -------
    dict
        The document, as this module describes it.

    Raises
    ------
    ReportError
        If a code cell has not been run or has failed, or a block is unknown; the message names the cell, counted
        from 1 over all cells, and the block.
    """
    body: list[Element] = []
    parts: dict[str, list[Element]] = {"": body}
    cover: dict[str, Any] | None = None
    for number, cell in enumerate(notebook.cells, start=1):
        begun = _section_begun(cell)
        if begun:
            body = parts.setdefault(begun, [])
        if cell.cell_type == "markdown":
            body += markdown.elements(cell.source)
        elif cell.cell_type == "code":
            for block in _blocks(cell, f"{name}, cell {number}"):
                if block["kind"] != "cover":
                    body += _elements(block)
                elif cover is None:
                    cover = block
                else:
                    raise ReportError(f"{name}, cell {number}: a document can have only one cover.")
    body = [element for part in ("", *_chosen(parts, sections)) for element in parts[part]]
    _level_headings(body)
    meta = _meta(cover, body, name)
    _number(body, meta["words"])
    return {
        "schema": blocks.SCHEMA,
        "meta": meta,
        "cover": {key: cover[key] for key in COVER_FIELDS} if cover else None,
        "body": body,
    }


def _section_begun(cell: NotebookNode) -> str:
    """Return the section that a cell's tag begins; empty without such a tag."""
    tags = cell.metadata.get("tags", [])
    return next((tag.removeprefix(SECTION_TAG) for tag in tags if tag.startswith(SECTION_TAG)), "")


def _chosen(parts: dict[str, list[Element]], sections: Sequence[str] | None) -> list[str]:
    """Return the tagged sections that are taken, in order."""
    known = [part for part in parts if part]
    return known if sections is None else [section for section in sections if section in known]


def _blocks(cell: NotebookNode, where: str) -> Iterator[dict[str, Any]]:
    """Yield the blocks among a code cell's outputs."""
    if cell.source.strip() and cell.execution_count is None:
        raise ReportError(f"{where} has not been run. Run the whole notebook before it is exported.")
    position = 0
    for output in cell.outputs:
        if output.output_type == "error":
            raise ReportError(f"{where} failed with {output.ename}: {output.evalue}")
        data = output.get("data", {})
        if blocks.MIME not in data:
            continue
        position += 1
        try:
            blocks.check_json(data[blocks.MIME])
        except ReportError as error:
            raise ReportError(f"{where}, block {position}: {error}") from None
        yield data[blocks.MIME]


def parts(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parts of a document as documents of their own, by key; tables and figures are numbered anew."""
    found: dict[str, list[Element]] = {}
    current: list[Element] | None = None
    for element in document["body"]:
        if element["kind"] == "page_break" and "part" in element:
            current = found.setdefault(element["part"], []) if element["part"] is not None else None
        elif current is not None:
            current.append(dict(element))
    for body in found.values():
        _number(body, document["meta"]["words"])
    meta = document["meta"]
    return {
        key: {
            "schema": document["schema"],
            "meta": meta | {"title": next((_plain(e) for e in body if e["kind"] == "heading"), meta["title"])},
            "cover": None,
            "body": body,
        }
        for key, body in found.items()
    }


def file_names(keys: Iterable[str]) -> dict[str, str]:
    """Return a file's name for each key: its letters, digits, `-` and `_`, and a hash where that is not the key itself.

    Also where two keys differ in small and large letters alone, or a system reserves the name.
    """
    keys = list(keys)
    folded = Counter(key.casefold() for key in keys)
    names = {}
    for key in keys:
        name = re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", key)).strip("-")[:LONGEST_NAME]
        if name != key or folded[key.casefold()] > 1 or name.casefold() in RESERVED:
            name = f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}".lstrip("-")
        names[key] = name
    return names


def _elements(block: dict[str, Any]) -> list[Element]:
    """Return a block as document elements."""
    if block["kind"] == "text":
        return markdown.elements(block["markdown"])
    if block["kind"] == "part":
        inner = [element for child in block["blocks"] for element in _elements(child)]
        return [{"kind": "page_break", "part": block["key"]}, *inner, {"kind": "page_break", "part": None}]
    element = {key: value for key, value in block.items() if key not in ("schema", "markdown")}
    if block["kind"] == "callout":
        element["body"] = markdown.elements(block["markdown"], inside=True)
    return [element]


def _meta(cover: dict[str, Any] | None, body: list[Element], name: str) -> dict[str, Any]:
    if cover:
        return {key: cover[key] for key in META_FIELDS}
    translator = Translator()
    title = next((_plain(e) for e in body if e["kind"] == "heading"), Path(name).stem)
    empty = dict.fromkeys(META_FIELDS, "")
    return empty | {"title": title, "locale": str(translator.locale), "words": blocks.words(translator)}


def _plain(element: Element) -> str:
    return "".join(run.get("text", " ") for run in element["runs"])


def _level_headings(body: list[Element]) -> None:
    """Let headings begin at level 1 and go down one level at a time, as an accessible document must."""
    headings = [e for e in body if e["kind"] == "heading"]
    top = min((h["level"] for h in headings), default=1)
    before = 0
    for heading in headings:
        before = heading["level"] = min(heading["level"] - top + 1, before + 1)


def _number(body: list[Element], words: dict[str, str]) -> None:
    """Give every table and figure its number."""
    for kind in ("table", "figure"):
        numbered = [e for e in body if e["kind"] == kind]
        for number, element in enumerate(numbered, start=1):
            element["label"] = words[kind].format(number=number)
