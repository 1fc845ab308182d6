"""The pieces that a notebook publishes: shown by JupyterLab, printed by the PDF.

Each block is one dataclass (`kinds`) and one lower-case function that checks and builds it (`building`). A block's
strings are data: nothing in them is evaluated, and only the text of `text` and `callout` is read as Markdown. There
`escape` keeps a customer's name from being read as Markdown.
"""

from kamlab.reports.blocks.building import (
    callout,
    cover,
    escape,
    figure,
    kpis,
    page_break,
    part,
    show,
    table,
    text,
    words,
    written_table,
)
from kamlab.reports.blocks.kinds import (
    KINDS,
    MIME,
    SCHEMA,
    Align,
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
    check_json,
)

__all__ = [
    "KINDS",
    "MIME",
    "SCHEMA",
    "Align",
    "Block",
    "Callout",
    "Cover",
    "Figure",
    "Kpi",
    "Kpis",
    "PageBreak",
    "Part",
    "Table",
    "TableColumn",
    "Text",
    "Tone",
    "callout",
    "check_json",
    "cover",
    "escape",
    "figure",
    "kpis",
    "page_break",
    "part",
    "show",
    "table",
    "text",
    "words",
    "written_table",
]
