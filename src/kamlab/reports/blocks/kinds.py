"""The kinds of block: one dataclass each, with the forms that Jupyter shows, and the check of their JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

from kamlab.errors import ReportError
from kamlab.reports import html

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
    """The next block begins a new page, unless so many millimetres of this one are left.

    What stands above the first page break of a document with a compact cover is set on one page if it can be.
    """

    kind: ClassVar[str] = "page_break"
    unless_left_mm: float = 85.0


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
