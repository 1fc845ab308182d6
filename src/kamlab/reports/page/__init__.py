"""A document → one self-contained HTML page: from the same elements as the PDF, with nothing fetched from elsewhere.

Every string of the document is escaped; figures keep only what draws; a content security policy lets the page's own
style and script run and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any

from kamlab.reports.page import fonts
from kamlab.reports.page.elements import Renderer, cleaned

ASSETS = Path(__file__).parent


def write_page(document: dict[str, Any], path: Path | str) -> None:
    """Write a document as a self-contained HTML page, as UTF-8.

    Parameters
    ----------
    document : dict
        What `export.to_document` returns.
    path : path-like
        File to write; its folder must exist.
    """
    Path(path).write_bytes(render_page(document).encode("utf-8"))


def render_page(document: dict[str, Any]) -> str:
    """Return a document as the text of a self-contained HTML page; the same document gives the same text."""
    document = cleaned(document)
    meta = document["meta"]
    lang = meta["locale"].replace("_", "-")
    renderer = Renderer(meta["locale"])
    body = "".join(map(renderer.element, document["body"]))
    style = fonts.faces(document, chinese=lang.startswith("zh")) + _asset("page.css") + _accent(meta["accent"])
    script = _asset("sort.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    title = meta["title"].strip() or meta["company"].strip() or "–"
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{_head(document, title)}{_contents(renderer, meta)}<main>{body}</main>\n"
        f"<footer>{escape(meta['confidentiality'])}</footer>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


def _accent(colour: str) -> str:
    """Return the rule that sets the company's colour; nothing but a colour enters the style."""
    return f":root{{--accent:{colour}}}\n" if re.fullmatch("#[0-9a-f]{6}", colour) else ""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"


def _head(document: dict[str, Any], title: str) -> str:
    """Return the page's head: whose report, its title, its day and its facts."""
    meta, cover = document["meta"], document["cover"] or {}
    subtitle = f'<p class="subtitle">{escape(cover["subtitle"])}</p>' if cover.get("subtitle") else ""
    facts = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in cover.get("facts", ()))
    company, as_of = (f'<p class="{n}">{escape(meta[n])}</p>' if meta[n] else "" for n in ("company", "as_of"))
    logo = ""
    if cover.get("logo"):
        data = base64.b64encode(cover["logo"].encode("utf-8")).decode()
        logo = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(cover["logo_alt"])}">'
    return (
        f"<header>{logo}{company}<h1>{escape(title)}</h1>{subtitle}{as_of}"
        f"{f'<dl>{facts}</dl>' if facts else ''}</header>\n"
    )


def _contents(renderer: Renderer, meta: dict[str, Any]) -> str:
    """Return links to the chapters, where there is more than one."""
    if len(renderer.chapters) < 2:
        return ""
    links = "".join(f'<li><a href="#{key}">{escape(text)}</a></li>' for key, text in renderer.chapters)
    label = escape(meta["words"]["contents"])
    return f'<nav aria-label="{label}"><p>{label}</p><ul>{links}</ul></nav>\n'
