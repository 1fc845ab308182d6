"""Write docs/data-dictionary.md from kamlab.terms."""

from pathlib import Path

from kamlab.terms import TABLES

TARGET = Path(__file__).resolve().parents[1] / "docs" / "data-dictionary.md"


def text() -> str:
    """Return the page."""
    lines = [
        "# Data dictionary",
        "",
        "Tables of a run, under `tables/` as Parquet. Money is in the company's currency. Written by `make docs`.",
    ]
    for name, columns in TABLES.items():
        lines += ["", f"## {name}", "", "| column | kind | unit | meaning |", "|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.kind} | {c.unit} | {c.meaning} |" for c in columns]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
