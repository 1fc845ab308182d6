"""One function a kind of element; each returns HTML in which every string of the document is escaped."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Any

from kamlab.reports.glyphs import DROPPED_CATEGORIES, SVG_FIELDS
from kamlab.reports.page.sorting import SortKeys
from kamlab.reports.page.svg import drawing

Element = dict[str, Any]

KEPT_FORMATS = frozenset("\u200c\u200d")
"""Joiners, which some scripts and emoji need; all other invisible characters are able to turn a line around."""
SPACES = {"\n": " ", "\t": " "}
PIXELS_WIDE = 720
"""Width of a figure that takes the whole width of the text."""
SIGNS = {"info": "i", "good": "✓", "warning": "!", "danger": "!"}
ALIGNS = {"left": "", "right": ' class="r"', "center": ' class="c"'}


def cleaned(node: Any, key: str = "") -> Any:
    """Return the document without control characters and marks of writing direction; a figure keeps its lines."""
    if isinstance(node, dict):
        return {name: cleaned(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [cleaned(value) for value in node]
    if not isinstance(node, str):
        return node
    lines = "\n" if key in SVG_FIELDS else ""
    return "".join(
        c if c in KEPT_FORMATS or c in lines or unicodedata.category(c) not in DROPPED_CATEGORIES else SPACES.get(c, "")
        for c in node
    )


class Renderer:
    """Turns elements into HTML; remembers the chapters for the list of contents.

    Attributes
    ----------
    chapters : list of (str, str)
        Id and plain text of each heading of the first level, in order.
    """

    def __init__(self, locale: str):
        self.chapters: list[tuple[str, str]] = []
        self._keys = SortKeys(locale)
        self._figures = 0

    def element(self, data: Element) -> str:
        """Return one element."""
        return str(getattr(self, f"_{data['kind']}")(data))

    def _heading(self, data: Element) -> str:
        # The page's title is the only heading of the first level.
        tag = f"h{data['level'] + 1}"
        mark = ""
        if data["level"] == 1:
            name = f"chapter-{len(self.chapters) + 1}"
            self.chapters.append((name, "".join(run.get("text", " ") for run in data["runs"])))
            mark = f' id="{name}"'
        return f"<{tag}{mark}>{_runs(data['runs'])}</{tag}>\n"

    def _paragraph(self, data: Element) -> str:
        return f"<p>{_runs(data['runs'])}</p>\n"

    def _list(self, data: Element) -> str:
        items = "".join(f"<li>{''.join(map(self.element, item))}</li>" for item in data["items"])
        return f'<ol start="{int(data["start"])}">{items}</ol>\n' if data["ordered"] else f"<ul>{items}</ul>\n"

    def _code(self, data: Element) -> str:
        return f"<pre><code>{escape(chr(10).join(data['lines']))}</code></pre>\n"

    def _kpis(self, data: Element) -> str:
        return f'<dl class="kpis">{"".join(map(_kpi, data["items"]))}</dl>\n'

    def _table(self, data: Element) -> str:
        columns, rows = data["columns"], data["rows"]
        keys = [self._keys.of([row[i] for row in rows], column["align"]) for i, column in enumerate(columns)]
        first_total = len(rows) - data["total_rows"]
        head = "".join(f'<th scope="col"{ALIGNS[c["align"]]}>{escape(c["label"])}</th>' for c in columns)

        def line(number: int) -> str:
            cells = []
            for i, (cell, column) in enumerate(zip(rows[number], columns, strict=True)):
                key = f' data-key="{keys[i][number]}"' if keys[i][number] is not None else ""
                tag, scope = ("th", ' scope="row"') if i == 0 else ("td", "")
                cells.append(f"<{tag}{scope}{ALIGNS[column['align']]}{key}>{escape(cell)}</{tag}>")
            return f"<tr>{''.join(cells)}</tr>"

        lines = [line(number) for number in range(len(rows))]
        foot = f"<tfoot>{''.join(lines[first_total:])}</tfoot>" if data["total_rows"] else ""
        note = f'<p class="note">{escape(data["note"])}</p>' if data["note"] else ""
        caption = f"<strong>{escape(data['label'])}</strong> {escape(data['caption'])}"
        name = escape(f"{data['label']} {data['caption']}")
        return (
            f'<div class="wide" role="region" tabindex="0" aria-label="{name}"><table class="sortable">'
            f"<caption><span>{caption}</span></caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(lines[:first_total])}</tbody>{foot}</table></div>{note}\n"
        )

    def _figure(self, data: Element) -> str:
        self._figures += 1
        picture = drawing(data["svg"], f"f{self._figures}-", alt=data["alt"], width=round(PIXELS_WIDE * data["width"]))
        caption = f"<figcaption><strong>{escape(data['label'])}</strong> {escape(data['caption'])}</figcaption>"
        name = escape(f"{data['label']} {data['caption']}")
        region = f'<div class="wide" role="region" tabindex="0" aria-label="{name}">{picture}</div>'
        return f"<figure>{caption}{region}</figure>\n"

    def _callout(self, data: Element) -> str:
        body = "".join(map(self.element, data["body"]))
        sign = f'<span class="sign" aria-hidden="true">{SIGNS[data["tone"]]}</span>'
        title = f"<p><strong>{escape(data['title'])}</strong></p>"
        return f'<div class="callout {data["tone"]}" role="note">{sign}<div>{title}{body}</div></div>\n'

    def _page_break(self, data: Element) -> str:
        return '<div class="page-break"></div>\n'


def _kpi(item: Element) -> str:
    note = f'<dd class="note">{escape(item["note"])}</dd>' if item["note"] else ""
    return (
        f'<div class="{item["tone"]}"><dt>{escape(item["label"])}</dt>'
        f'<dd class="value">{escape(item["value"])}</dd>{note}</div>'
    )


def _runs(runs: list[Element]) -> str:
    return "".join(map(_run, runs))


def _run(data: Element) -> str:
    if "break" in data:
        return "<br>"
    text = escape(data["text"])
    for mark, tag in (("code", "code"), ("emphasis", "em"), ("strong", "strong")):
        if data.get(mark):
            text = f"<{tag}>{text}</{tag}>"
    return text
