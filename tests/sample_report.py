"""The finished report of the sample company, as tests read it; the fixture `sample` makes it once a process."""

import os
from functools import cache
from pathlib import Path

import pandas as pd
import pypdfium2

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample" / "kamlab.toml"
CASES = os.environ.get("KAMLAB_CASES")


@cache
def pdf_text(path):
    document = pypdfium2.PdfDocument(path)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    # What a reader sees as one sentence is several lines on the page; spaces that must not break are spaces too.
    return " ".join(" ".join(pages).replace("\u00a0", " ").replace("\ufffe", "-").split())


def plain(text):
    return text.replace("\u00a0", " ")


@cache
def read(folder):
    return {p.stem: pd.read_parquet(p) for p in (folder / "tables").glob("*.parquet")}


def tables(result):
    """All tables of a finished run, which are read once; what a test changes becomes its own copy."""
    return {name: table.copy(deep=False) for name, table in read(result.folder).items()}
