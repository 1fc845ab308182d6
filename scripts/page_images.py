"""Key pages of the report as images, against which a test holds what is printed.

Usage: python scripts/page_images.py [--freeze RUN] [--layout COMPANY RUN]

Draws tests/pages/<language>-<page>.png from the documents tests/pages/<language>.json.gz; look at the images before
they are committed. With --freeze the documents are taken anew from a finished run in all languages: its first page, and
the page of the nine-box. With --layout a company's whole report is frozen as tests/pages/layout/<company>.<language>
.json.gz, with empty pictures, for the test of how pages are filled.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image

from kamlab.i18n import languages
from kamlab.reports.export import read_document
from kamlab.reports.pdf import compile_pdf

PAGES = Path(__file__).resolve().parents[1] / "tests" / "pages"
LAYOUT = PAGES / "layout"
NOTEBOOK = "05_management_report"
SCALE = 0.9
"""Pixels a point: small files in which a moved line still shows."""
LEVELS = 16
"""Shades of grey that are kept."""


def drawn(language: str) -> list[np.ndarray]:
    """Return the pages of a frozen document as grey images, shape (height, width), 0 = black to 255 = white."""
    document = json.loads(gzip.decompress((PAGES / f"{language}.json.gz").read_bytes()))
    data, _ = compile_pdf(document, timestamp=date.fromisoformat(document["meta"]["date"]))
    with pypdfium2.PdfDocument(data) as pdf:
        return [np.asarray(page.render(scale=SCALE, grayscale=True).to_pil().convert("L")) for page in pdf]


def freeze(run: Path) -> None:
    """Write the documents of a run's key pages."""
    PAGES.mkdir(exist_ok=True)
    for language in languages():
        document = read_document(run / "notebooks" / f"{NOTEBOOK}.{language}.ipynb")
        kept = json.dumps(document | {"body": key_elements(document["body"])}, ensure_ascii=False, sort_keys=True)
        (PAGES / f"{language}.json.gz").write_bytes(gzip.compress(kept.encode("utf-8"), mtime=0))


def key_elements(body: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what stands before the strategies, a page break, and what follows up to the tables of accounts."""
    first_figure = next(i for i, e in enumerate(body) if e["kind"] == "figure" and len(e["svg"]) > 60_000)
    start = max(i for i in range(first_figure) if body[i]["kind"] in ("heading", "table"))
    end = next(i for i in range(first_figure, len(body)) if body[i]["kind"] in ("heading", "page_break"))
    return [*body[:start], {"kind": "page_break", "part": None}, *body[start:end]]


def freeze_layout(company: str, run: Path) -> None:
    """Write a run's whole report in each of its languages, with empty pictures."""
    for notebook in sorted((run / "notebooks").glob(f"{NOTEBOOK}.*.ipynb")):
        write_layout(company, read_document(notebook))


def write_layout(company: str, document: dict[str, Any]) -> None:
    """Write a document with pictures that are as large as they were and hold a dot in their lower corner."""
    LAYOUT.mkdir(exist_ok=True)
    body = [e | {"svg": _emptied(e["svg"])} if e["kind"] == "figure" else e for e in document["body"]]
    kept = json.dumps(document | {"body": body}, ensure_ascii=False, sort_keys=True)
    language = document["meta"]["locale"][:2]
    (LAYOUT / f"{company}.{language}.json.gz").write_bytes(gzip.compress(kept.encode("utf-8"), mtime=0))


def _emptied(svg: str) -> str:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise ValueError("a picture without a viewBox")
    width, height = found.groups()
    dot = f'<text x="1" y="{height}" font-family="Noto Sans" font-size="9">.</text>'
    size = f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{dot}</svg>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freeze", type=Path, metavar="RUN")
    parser.add_argument("--layout", nargs=2, metavar=("COMPANY", "RUN"))
    arguments = parser.parse_args()
    if arguments.layout:
        freeze_layout(arguments.layout[0], Path(arguments.layout[1]))
        return
    if arguments.freeze:
        freeze(arguments.freeze)
    for language in languages():
        for old in PAGES.glob(f"{language}-*.png"):
            old.unlink()
        for number, pixels in enumerate(drawn(language), start=1):
            shades = Image.fromarray(pixels).quantize(LEVELS)
            shades.save(PAGES / f"{language}-{number}.png", optimize=True)


if __name__ == "__main__":
    main()
