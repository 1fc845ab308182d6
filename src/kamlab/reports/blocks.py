"""The pieces that a notebook publishes: shown by JupyterLab, printed by the PDF.

Each block is one dataclass and one lower-case function that checks and builds it. A block's strings are data:
nothing in them is evaluated, and only the text of `text` and `callout` is read as Markdown. There `escape` keeps a
customer's name from being read as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import pandas as pd

from kamlab.errors import ReportError, first_ids
from kamlab.i18n import MISSING, Translator
from kamlab.reports import html

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

MIME = "application/vnd.kamlab.block+json"
SCHEMA = 1

Tone = Literal["info", "good", "warning", "danger"]
Align = Literal["left", "right", "center"]


class Block:
    """What all blocks share: a kind, a JSON form, and the forms that Jupyter shows."""

    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON-ready data, with its kind and the version of its form."""
        return {"schema": SCHEMA, "kind": self.kind, **asdict(self)}  # type: ignore[call-overload]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        data = self.to_json()
        return {MIME: data, "text/html": html.render(data), "text/plain": html.plain(data)}


@dataclass(frozen=True)
class Text(Block):
    """Prose in Markdown: headings, paragraphs, lists, strong and emphasised words."""

    kind: ClassVar[str] = "text"
    markdown: str


@dataclass(frozen=True)
class Kpi:
    """One figure that matters: what it is, its value as written, a note below, and how to take it."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "info"


@dataclass(frozen=True)
class Kpis(Block):
    """A row of figures that matter."""

    kind: ClassVar[str] = "kpis"
    items: list[Kpi]


@dataclass(frozen=True)
class TableColumn:
    """A column of a table: its key in the data, its heading, and how it is set.

    Attributes
    ----------
    key : str
        Column of the DataFrame.
    label : str
        Heading that is printed.
    align : {"left", "right", "center"}
        "right" for numbers.
    width : float or None
        Room in characters; None = what its cells need.
    """

    key: str
    label: str
    align: Align = "left"
    width: float | None = None


@dataclass(frozen=True)
class Table(Block):
    """Rows of written cells under headings; the last `total_rows` rows are totals."""

    kind: ClassVar[str] = "table"
    columns: list[TableColumn]
    rows: list[list[str]]
    caption: str
    note: str = ""
    total_rows: int = 0


@dataclass(frozen=True)
class Figure(Block):
    """A picture as SVG text, with its caption and a description for readers who cannot see it.

    `width` is its share of the width of the page's text.
    """

    kind: ClassVar[str] = "figure"
    svg: str
    caption: str
    alt: str
    width: float = 1.0


@dataclass(frozen=True)
class Callout(Block):
    """A framed remark: how to take it, a title, and prose in Markdown."""

    kind: ClassVar[str] = "callout"
    tone: Tone
    title: str
    markdown: str = ""


@dataclass(frozen=True)
class PageBreak(Block):
    """The next block begins a new page."""

    kind: ClassVar[str] = "page_break"


@dataclass(frozen=True)
class Cover(Block):
    """The first page, and what every page says: company, as-of date, confidentiality, and the words around them.

    A document has at most one. `facts` are pairs of a label and a value; `as_of` is a sentence, `date` its day in ISO
    format; `locale` is the language as in "en_GB"; `words` holds the translated words that the document itself needs.
    `logo` is a picture as SVG text, described by `logo_alt`; `accent` is the colour of headings and cover, or empty.
    A `compact` cover is a band across the top of the first page, which then holds the document's beginning too.
    """

    kind: ClassVar[str] = "cover"
    title: str
    company: str
    as_of: str
    date: str
    locale: str
    subtitle: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    confidentiality: str = ""
    words: dict[str, str] = field(default_factory=dict)
    compact: bool = False
    logo: str = ""
    logo_alt: str = ""
    accent: str = ""


@dataclass(frozen=True)
class Part(Block):
    """Blocks of a part of the document that can also be exported as one of its own; it begins a new page.

    `key` names it among the parts, such as an account's id; `blocks` holds its blocks as JSON-ready data.
    """

    kind: ClassVar[str] = "part"
    key: str
    blocks: list[dict[str, Any]]


KINDS: dict[str, type[Block]] = {
    block.kind: block for block in (Text, Kpis, Table, Figure, Callout, PageBreak, Part, Cover)
}


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


def page_break() -> PageBreak:
    """Begin a new page."""
    return PageBreak()


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


def check_json(data: dict[str, Any]) -> None:
    """Refuse JSON data that are no block of this version.

    Raises
    ------
    ReportError
        If the version of the form, the kind or the fields are unknown.
    """
    kind = data.get("kind")
    if data.get("schema") != SCHEMA:
        raise ReportError(
            f"its form has version {data.get('schema')}, not {SCHEMA}; run the notebook again with this kamlab."
        )
    if kind not in KINDS:
        raise ReportError(f'there is no block "{kind}"; the blocks are {", ".join(KINDS)}.')
    expected = {"schema", "kind"} | {f.name for f in fields(KINDS[kind])}  # type: ignore[arg-type]
    if set(data) != expected:
        raise ReportError(f'the block "{kind}" has the fields {sorted(data)}, not {sorted(expected)}.')
    for inner in data["blocks"] if kind == Part.kind else ():
        check_json(inner)


def _check_tones(tones: Iterable[str]) -> None:
    unknown = sorted(set(tones) - set(get_args(Tone)))
    if unknown:
        raise ReportError(f"There is no tone {first_ids(unknown)}; the tones are {', '.join(get_args(Tone))}.")
