"""A document → PDF: a fixed Typst template reads the document as data and nothing in it is evaluated.

Every file is PDF/A-2a (archival) and PDF/UA-1 (accessible) in one, and the same document gives the same bytes.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import typst

from kamlab.errors import ReportError
from kamlab.i18n import MISSING
from kamlab.look import ACCENT
from kamlab.progress import track
from kamlab.reports.glyphs import FONTS_DIR, Replaced, clean_document

TEMPLATE = Path(__file__).parent / "template" / "report.typ"
STANDARDS: list[Any] = ["a-2a", "ua-1"]
SUSPECTS = b"/Suspects false"
"""That no tag is in doubt, which is so without saying; poppler's tools take the words for a syntax error. Blanks stand
in their place, so that nothing in the file moves."""

# Width of a cell's text in characters, from which columns take their share of the page.
LONGEST_TEXT = 30.0
SHORTEST_TEXT = 3.0
BOLD = 1.12  # how much wider bold letters are


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS_DIR)])


def write_pdf(document: dict[str, Any], path: Path | str, *, timestamp: date) -> list[Replaced]:
    """Write a document as PDF.

    Parameters
    ----------
    document : dict
        What `export.to_document` returns.
    path : path-like
        File to write; its folder must exist.
    timestamp : datetime.date or datetime.datetime
        Printed nowhere, but stored as the file's time of making; take the as-of date. Naive times are UTC.

    Returns
    -------
    list of Replaced
        Characters that the fonts lack, which print as a box; to be logged.

    Raises
    ------
    ReportError
        If Typst refuses the document or warns of anything.
    """
    data, replaced = compile_pdf(document, timestamp=timestamp)
    Path(path).write_bytes(data)
    return replaced


def write_pdfs(documents: Mapping[Path, dict[str, Any]], *, timestamp: date) -> dict[Path, list[Replaced]]:
    """Write several documents at once, each as `write_pdf` does: Typst runs beside Python, a document a core."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = {path: pool.submit(write_pdf, found, path, timestamp=timestamp) for path, found in documents.items()}
        try:
            return {path: job.result() for path, job in track(jobs.items(), "files written")}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def compile_pdf(document: dict[str, Any], *, timestamp: date) -> tuple[bytes, list[Replaced]]:
    """Return a document as the bytes of a PDF, and the characters that were replaced; see `write_pdf`."""
    printable, replaced = clean_document(document)
    meta = printable["meta"]
    meta["title"] = meta["title"].strip() or meta["company"].strip() or MISSING
    # A heading of invisible characters has nothing left to print, and the standard forbids an empty one.
    printable["body"] = [e for e in printable["body"] if e["kind"] != "heading" or _has_text(e["runs"])]
    for element in printable["body"]:
        if element["kind"] == "table":
            element["widths"] = _column_widths(element)
    try:
        data, warnings = typst.compile_with_warnings(
            TEMPLATE,
            root=TEMPLATE.parent,
            font_paths=_fonts(),
            format="pdf",
            sys_inputs={"document": json.dumps(printable, ensure_ascii=False), "accent": meta["accent"] or ACCENT},
            pdf_standards=STANDARDS,
            timestamp=_seconds(timestamp),
        )
    except typst.TypstError as error:
        raise ReportError(_complaint(printable, [error.message, *error.hints])) from error
    if warnings:
        raise ReportError(_complaint(printable, [warning.message for warning in warnings]))
    return data.replace(SUSPECTS, b" " * len(SUSPECTS)), replaced


def _has_text(runs: list[dict[str, Any]]) -> bool:
    return any(run.get("text", "").strip() for run in runs)


def _complaint(document: dict[str, Any], messages: list[str]) -> str:
    return f'The report "{document["meta"]["title"]}" cannot be set as PDF: {"; ".join(messages)}'


def _seconds(moment: date) -> int:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def _column_widths(table: dict[str, Any]) -> list[float]:
    """Return the room that each column of a table needs, in characters.

    Numbers are never broken, so they need their longest cell; text needs its longest cell up to
    `LONGEST_TEXT`. A heading may take two lines. A width that the column itself names goes first.
    """
    widths = []
    for i, column in enumerate(table["columns"]):
        cells = [row[i] for row in table["rows"]]
        limit = LONGEST_TEXT if column["align"] == "left" else 2 * LONGEST_TEXT
        need = min(limit, max(map(_characters, cells), default=0.0))
        label = column["label"]
        heading = BOLD * max(_characters(label) / 2, *map(_characters, label.split(" ")))
        widths.append(column["width"] or max(SHORTEST_TEXT, need, min(limit, heading)))
    return widths


def _characters(text: str) -> float:
    """Return how wide a text is, in average Latin letters; Chinese characters are about twice as wide.

    Between Chinese and other characters Typst leaves a quarter of the type's size.
    """
    wide = [unicodedata.east_asian_width(c) in "WF" for c in text]
    return sum(1.8 if each else 1.0 for each in wide) + sum(0.5 for pair in pairwise(wide) if pair[0] != pair[1])
