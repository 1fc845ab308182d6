"""The lower-case functions that check and build blocks, and publish them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, get_args

import pandas as pd

from kamlab.errors import ReportError, first_ids
from kamlab.i18n import MISSING, Translator
from kamlab.reports.blocks.kinds import (
    Block,
    Callout,
    Cover,
    Figure,
    Kpi,
    Kpis,
    PageBreak,
    Part,
    Table,
    TableColumn,
    Text,
    Tone,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure


def words(translator: Translator) -> dict[str, str]:
    """Return the words that a document needs beside its blocks, in the translator's language."""
    t = translator
    return {
        "contents": t("Contents"),
        "page": t("Page {page} of {pages}"),
        "figure": t("Figure {number}"),
        "table": t("Table {number}"),
    }


def text(markdown: str) -> Text:
    """Make a block of prose from Markdown; headings are lines that begin with #, ## or ###."""
    return Text(markdown)


def escape(value: object) -> str:
    """Return a value as Markdown text that prints as it is: for names inside the sentences of `text`."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(value).split()))


def kpis(items: Sequence[Kpi]) -> Kpis:
    """Make a row of figures that matter, four to a line."""
    if not items:
        raise ReportError("kpis() got no items; it needs at least one Kpi.")
    _check_tones(item.tone for item in items)
    return Kpis(list(items))


def table(
    frame: pd.DataFrame,
    *,
    columns: Sequence[TableColumn] | None = None,
    caption: str,
    note: str = "",
    total_rows: int = 0,
) -> Table:
    """Make a table from a DataFrame whose cells are written strings.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a line; the columns named by `columns`, all strings. A missing value prints as a dash.
    columns : sequence of TableColumn, optional
        What is printed, in this order; by default every column under its own name.
    caption, note : str
        Sentence above the table, and remark below it.
    total_rows : int
        How many of the last rows are totals.

    Raises
    ------
    ReportError
        If a column is missing or holds anything but strings, or there is no caption.
    """
    columns = [TableColumn(str(c), str(c)) for c in frame.columns] if columns is None else list(columns)
    absent = [c.key for c in columns if c.key not in frame.columns]
    if absent or not columns:
        raise ReportError(
            f"The table has no column {first_ids(absent)}; its columns are: {first_ids(frame.columns, 30)}."
            if absent
            else "The table has no columns."
        )
    cells = frame[[c.key for c in columns]].astype(object).where(lambda f: f.notna(), MISSING)
    unwritten = [key for key in cells.columns if not cells[key].map(lambda v: isinstance(v, str)).all()]
    if unwritten:
        raise ReportError(
            f"The table's columns {first_ids(unwritten)} hold values that are no strings. "
            "Write them first, for example with t.number, t.money or t.date."
        )
    return written_table(cells.to_numpy().tolist(), columns=columns, caption=caption, note=note, total_rows=total_rows)


def written_table(
    rows: Sequence[list[str]], *, columns: Sequence[TableColumn], caption: str, note: str = "", total_rows: int = 0
) -> Table:
    """Make a table from rows of written cells, one for each of `columns`; see `table`."""
    if not caption:
        raise ReportError("The table has no caption; say in one sentence what it shows.")
    return Table(list(columns), list(rows), caption, note, total_rows)


def figure(fig: MatplotlibFigure, *, caption: str, alt: str) -> Figure:
    """Make a block from a matplotlib figure, which is closed.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Drawn at its final width, at most `figures.style.WIDTH_INCHES`.
    caption : str
        What the picture shows, in one sentence.
    alt : str
        What a reader learns from it, for those who cannot see it.

    Raises
    ------
    ReportError
        If there is no caption or no alt text.
    """
    from kamlab.figures import style

    if not caption.strip() or not alt.strip():
        raise ReportError("A figure needs a caption and an alt text: a sentence for readers who cannot see it.")
    width = min(1.0, fig.get_size_inches()[0] / style.WIDTH_INCHES)
    return Figure(style.to_svg(fig), caption, alt, round(float(width), 4))


def callout(tone: Tone, title: str, markdown: str = "") -> Callout:
    """Make a framed remark in one of the tones info, good, warning, danger."""
    _check_tones([tone])
    return Callout(tone, title, markdown)


def page_break(*, unless_left_mm: float = 85.0) -> PageBreak:
    """Begin a new page unless so many millimetres of this one are left: by default a good third of it."""
    return PageBreak(unless_left_mm)


def part(key: str, blocks: Sequence[Block]) -> Part:
    """Make a part that can be exported as a document of its own; a cover or another part is none of its blocks."""
    unfit = [block.kind for block in blocks if isinstance(block, Cover | Part)]
    if unfit or not blocks:
        raise ReportError(f"A part of a document is made of blocks other than {unfit or 'none'}.")
    return Part(key, [block.to_json() for block in blocks])


def cover(
    title: str,
    *,
    translator: Translator,
    company: str,
    as_of: date,
    subtitle: str = "",
    facts: Iterable[tuple[str, str]] = (),
    confidentiality: str = "",
    compact: bool = False,
    logo: str = "",
    accent: str = "",
) -> Cover:
    """Make the first page; it also sets the document's language, running header and footer.

    Parameters
    ----------
    title, subtitle : str
        What the document is.
    translator : Translator
        The language of the document.
    company : str
        Whose report it is; printed on every page.
    as_of : datetime.date
        Last day of the data; printed on every page, and the document's date.
    facts : iterable of (str, str)
        Labels and values in the middle of the page.
    confidentiality : str
        Line at the foot of every page.
    compact : bool
        Whether it is a band across the top of the first page, not a page of its own.
    logo : str
        The company's logo as SVG text, such as `look.read_logo` returns it.
    accent : str
        Colour of headings, rules and cover, such as "#17365d"; the usual one where it is empty.
    """
    t = translator
    return Cover(
        title=title,
        company=company,
        as_of=t("As of {date}", date=t.date(as_of)),
        date=as_of.isoformat()[:10],
        locale=str(t.locale),
        subtitle=subtitle,
        facts=[(str(label), str(value)) for label, value in facts],
        confidentiality=confidentiality,
        words=words(t),
        compact=compact,
        logo=logo,
        logo_alt=t("Logo of {company}", company=company) if logo else "",
        accent=accent,
    )


def show(*blocks: Block) -> None:
    """Publish several blocks from one cell."""
    from IPython.display import display

    for block in blocks:
        display(block)


def _check_tones(tones: Iterable[str]) -> None:
    unknown = sorted(set(tones) - set(get_args(Tone)))
    if unknown:
        raise ReportError(f"There is no tone {first_ids(unknown)}; the tones are {', '.join(get_args(Tone))}.")
