"""Write docs/coverage.md: what the documents behind the playbook name, and where kamlab has it."""

from collections import Counter
from importlib import import_module
from pathlib import Path

from kamlab.config import Config
from kamlab.strategies import guide, load_playbook
from kamlab.strategies.catalogue import NEEDS, Row, rows
from kamlab.tables import SCHEMAS
from kamlab.terms import TABLES

TARGET = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"

KINDS = {
    "computed": "computed",
    "carried": "carried by reports or plans",
    "text": "words of the playbook",
}


def text() -> str:
    """Return the page."""
    entries = rows()
    counts = Counter(row.kind for row in entries)
    said = ", ".join(f"{counts[kind]} {name}" for kind, name in KINDS.items())
    lines = [
        "# What the documents name, and where it is",
        "",
        "The documents that the playbook rests on name schemes, rules, numbers, data and outputs; each entry of their",
        f"catalogue has a row here: {len(entries)} rows,",
        f"{said}. Where something is not done, the row says so.",
        "Written by `make docs` from `src/kamlab/strategies/catalogue.toml`; every reference is resolved by a test.",
        "",
        "| id | what | is | where | data | not done |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {' | '.join([row.id, row.meaning, KINDS[row.kind], _where(row), ', '.join(row.needs) or '–', row.lacks])} |"
        for row in entries
    ]
    return "\n".join(lines) + "\n"


def _where(row: Row) -> str:
    return ", ".join(f"{kind} `{name}`" for kind, name in (place.split(":", 1) for place in row.where))


def unresolved() -> list[str]:
    """Return every reference that leads nowhere, as "id: reference"."""
    return [
        *(f"{row.id}: {place}" for row in rows() for place in row.where if not _exists(*place.split(":", 1))),
        *(f"{row.id}: needs {name}" for row in rows() for name in row.needs if name not in {*NEEDS, *SCHEMAS}),
    ]


def _exists(kind: str, name: str) -> bool:
    """Whether a reference leads somewhere."""
    book = load_playbook()
    head, _, tail = name.rpartition(".")
    if kind == "table":
        columns = [column.name for column in TABLES.get(head, ())]
        # Tables marked "…" take over columns that are described elsewhere.
        return tail in columns or ("…" in columns and any(tail in _names(other) for other in TABLES))
    if kind == "setting":
        section = Config.model_fields.get(head)
        return section is not None and tail in getattr(section.annotation, "model_fields", {})
    if kind in ("code", "section"):
        return callable(_found("kamlab." if kind == "code" else "kamlab.reports.sections.", head, tail))
    known = {
        "guide": set(guide.SOURCES),
        "scheme": {scheme.id for scheme in book.schemes},
        "rule": {rule.id for scheme in book.schemes for rule in scheme.all_rules()},
        "flag": {flag.id for flag in book.flags},
    }
    return name in known[kind]


def _names(table: str) -> list[str]:
    return [column.name for column in TABLES[table]]


def _found(package: str, module: str, name: str) -> object:
    """Return what a module holds under a name; None where there is no such module or name."""
    try:
        return getattr(import_module(package + module), name, None)
    except ModuleNotFoundError:
        return None


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
