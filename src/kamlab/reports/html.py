"""The forms of blocks that JupyterLab shows: HTML, and plain text where there is no HTML."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import mistune

from kamlab.reports.markdown import JOINER, joined_emphasis

TONE_COLOURS = {"info": "#17365d", "good": "#2e7d4f", "warning": "#b7791f", "danger": "#ae3a1e"}
PLAIN_ROWS = 10


def render(block: dict[str, Any]) -> str:
    """Return a block's JSON data as HTML; every string of it is escaped."""
    return f'<div class="kamlab-{block["kind"]}">{_HTML[block["kind"]](block)}</div>'


def plain(block: dict[str, Any]) -> str:
    """Return a block's JSON data as plain text."""
    return _PLAIN[block["kind"]](block)


def _markdown(source: str) -> str:
    joined = joined_emphasis(source)
    written = str(mistune.create_markdown(escape=True)(joined))
    return written if joined == source else written.replace(JOINER, "")


def _text(block: dict[str, Any]) -> str:
    return _markdown(block["markdown"])


def _kpis(block: dict[str, Any]) -> str:
    tiles = "".join(
        f'<div style="border-top:3px solid {TONE_COLOURS[k["tone"]]};padding:6px 12px 8px;min-width:9em;flex:1;'
        'background:rgba(127,127,127,.08)">'
        f"<div>{escape(k['label'])}</div>"
        f'<div style="font-size:1.6em;font-weight:bold;line-height:1.4">{escape(k["value"])}</div>'
        f'<div style="font-size:.9em;opacity:.75">{escape(k["note"])}</div></div>'
        for k in block["items"]
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:10px">{tiles}</div>'


def _table(block: dict[str, Any]) -> str:
    aligns = [column["align"] for column in block["columns"]]

    def line(cells: list[str], tag: str, style: str = "") -> str:
        inner = "".join(
            f'<{tag} style="text-align:{align};vertical-align:top;{style}">{escape(cell)}</{tag}>'
            for cell, align in zip(cells, aligns, strict=True)
        )
        return f"<tr>{inner}</tr>"

    head = line([column["label"] for column in block["columns"]], "th")
    first_total = len(block["rows"]) - block["total_rows"]
    body = "".join(
        line(row, "td", "font-weight:bold" if i >= first_total else "") for i, row in enumerate(block["rows"])
    )
    note = f'<p style="font-size:.9em;opacity:.75">{escape(block["note"])}</p>' if block["note"] else ""
    caption = f'<caption style="text-align:left;font-weight:bold">{escape(block["caption"])}</caption>'
    return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>{note}"


def _figure(block: dict[str, Any]) -> str:
    svg = re.sub(r"^.*?(?=<svg)", "", block["svg"], count=1, flags=re.DOTALL)
    return (
        f'<figure style="margin:0"><figcaption><strong>{escape(block["caption"])}</strong></figcaption>'
        f'<div role="img" aria-label="{escape(block["alt"])}">{svg}</div></figure>'
    )


def _callout(block: dict[str, Any]) -> str:
    return (
        f'<div style="border-left:5px solid {TONE_COLOURS[block["tone"]]};padding:4px 12px;'
        'background:rgba(127,127,127,.08)">'
        f"<strong>{escape(block['title'])}</strong>{_markdown(block['markdown'])}</div>"
    )


def _page_break(block: dict[str, Any]) -> str:
    return '<hr style="border-style:dashed">'


def _part(block: dict[str, Any]) -> str:
    return "".join(render(inner) for inner in block["blocks"])


def _cover(block: dict[str, Any]) -> str:
    facts = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in block["facts"])
    return (
        f"<p>{escape(block['company'])} · {escape(block['as_of'])}</p><h1>{escape(block['title'])}</h1>"
        f"<p>{escape(block['subtitle'])}</p><dl>{facts}</dl><p>{escape(block['confidentiality'])}</p>"
    )


def _plain_table(block: dict[str, Any]) -> str:
    rows = ["\t".join(row) for row in block["rows"]]
    more = [f"… {len(rows) - PLAIN_ROWS} more"] if len(rows) > PLAIN_ROWS else []
    head = "\t".join(column["label"] for column in block["columns"])
    return "\n".join([block["caption"], head, *rows[:PLAIN_ROWS], *more])


_HTML = {
    "text": _text,
    "kpis": _kpis,
    "table": _table,
    "figure": _figure,
    "callout": _callout,
    "page_break": _page_break,
    "part": _part,
    "cover": _cover,
}
_PLAIN = {
    "text": lambda b: b["markdown"],
    "kpis": lambda b: "\n".join(f"{k['label']}: {k['value']} {k['note']}".rstrip() for k in b["items"]),
    "table": _plain_table,
    "figure": lambda b: f"[{b['caption']}] {b['alt']}",
    "callout": lambda b: f"{b['title']}\n{b['markdown']}".rstrip(),
    "page_break": lambda b: "―――",
    "part": lambda b: "\n".join(plain(inner) for inner in b["blocks"]),
    "cover": lambda b: f"{b['title']}\n{b['company']}, {b['as_of']}",
}
