"""Write src/kamlab/locale/kamlab.pot: every sentence for readers in source and notebooks; and bring the languages'
catalogues up to date with it.

A sentence that is new or has changed stands untranslated in each language's catalogue, one that is gone is dropped;
all other translations stay.

Usage: python scripts/messages.py
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "src" / "kamlab" / "locale" / "kamlab.pot"
SINGLE, PLURAL = ("t", "N_"), "plural"
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


def messages(code: str) -> Iterator[tuple[int, str | tuple[str, str], list[str]]]:
    """Yield line, message (two for a plural) and comments of all calls of `t`, `t.plural` and `N_` with literals."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        above = lines[node.lineno - 2].strip() if node.lineno > 1 else ""
        comments = [above.removeprefix("# ")] if above.startswith(f"# {COMMENT_TAG}") else []
        if name in SINGLE and texts:
            yield node.lineno, texts[0], comments
        elif name == PLURAL and len(texts) == 2:
            yield node.lineno, (texts[0], texts[1]), comments


def prose(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield the path and the paragraphs of the notebooks' prose, which runs show in the reader's language."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for paragraph in "".join(cell["source"]).split("\n\n"):
                    yield path.relative_to(root).as_posix(), paragraph


def catalogue(root: Path = ROOT) -> Catalog:
    """Return the messages of source and notebooks."""
    result = Catalog(project="kamlab", header_comment=HEADER, fuzzy=False)
    for name, code in sources(root):
        for line, message, comments in messages(code):
            added = result.add(message, locations=[(name, line)], auto_comments=comments)
            added.flags.discard("python-format")  # a guess from "80 % of"; placeholders are {named}
    for name, paragraph in prose(root):
        result.add(paragraph, locations=[(name, 0)])
    return result


def template(messages: Catalog) -> bytes:
    """Return the catalogue as the text of a .pot file that changes only with its messages."""
    buffer = BytesIO()
    write_po(buffer, messages, width=110, sort_output=True, include_lineno=False, ignore_obsolete=True)
    dates = (b'"POT-Creation-Date', b'"PO-Revision-Date')
    return b"".join(line for line in buffer.getvalue().splitlines(keepends=True) if not line.startswith(dates))


def updated(language: Path, messages: Catalog) -> Catalog:
    """Return a language's catalogue with exactly the given messages, translated where they were."""
    with language.open("rb") as file:
        old = read_po(file, abort_invalid=True)
    result = Catalog(locale=old.locale, project="kamlab", header_comment=old.header_comment, fuzzy=False)
    for message in messages:
        if not message.id:
            continue
        known = old.get(message.id[0] if isinstance(message.id, tuple) else message.id)
        same = known is not None and known.id == message.id and not known.fuzzy
        string = known.string if known is not None and same else None
        added = result.add(message.id, string, locations=message.locations, auto_comments=message.auto_comments)
        added.flags.discard("python-format")
    return result


def main() -> None:
    found = catalogue()
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_bytes(template(found))
    print(f"{CATALOGUE.relative_to(ROOT)}: {len(found)} messages")
    for language in sorted(CATALOGUE.parent.glob("*/LC_MESSAGES/kamlab.po")):
        new = updated(language, found)
        language.write_bytes(template(new))
        open_ones = sum(not (all(m.string) if isinstance(m.string, tuple) else m.string) for m in new if m.id)
        print(f"{language.relative_to(ROOT)}: {open_ones} to translate")


if __name__ == "__main__":
    main()
