"""Write src/kamlab/locale/kamlab.pot: every sentence for readers in source and notebooks.

Usage: python scripts/messages.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "src" / "kamlab" / "locale" / "kamlab.pot"
KEYWORDS = {"t": None, "plural": (1, 2), "N_": None}
COMMENT_TAG = "Translators:"
HEADER = "# Sentences of kamlab's reports. A language is a copy of this file with its translations."


def sources(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield the path and the Python code of every module and of every notebook's code cells."""
    for path in sorted((root / "src").rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        yield path.relative_to(root).as_posix(), "\n".join(code)


def catalogue(root: Path = ROOT) -> Catalog:
    """Return the messages of all calls of `t`, `t.plural` and `N_` with literal sentences."""
    result = Catalog(project="kamlab", header_comment=HEADER, fuzzy=False)
    for name, code in sources(root):
        found = extract("python", BytesIO(code.encode()), KEYWORDS, [COMMENT_TAG], {"encoding": "utf-8"})
        for line, message, comments, context in found:
            added = result.add(message, locations=[(name, line)], auto_comments=comments, context=context)
            added.flags.discard("python-format")  # a guess from "80 % of"; placeholders are {named}
    return result


def template(messages: Catalog) -> bytes:
    """Return the catalogue as the text of a .pot file that changes only with its messages."""
    buffer = BytesIO()
    write_po(buffer, messages, width=110, sort_output=True, include_lineno=False)
    dates = (b'"POT-Creation-Date', b'"PO-Revision-Date')
    return b"".join(line for line in buffer.getvalue().splitlines(keepends=True) if not line.startswith(dates))


def main() -> None:
    messages = catalogue()
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_bytes(template(messages))
    print(f"{CATALOGUE.relative_to(ROOT)}: {len(messages)} messages")


if __name__ == "__main__":
    main()
