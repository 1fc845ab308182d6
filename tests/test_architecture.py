"""Imports run one way along the data's way, notebooks are thin, and nothing heavy happens at import."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "kamlab"

# Beneath first; a module imports only what stands before it, or its own package.
ORDER = (
    *(
        "errors",
        "progress",
        "terms",
        "period",
        "ids",
        "threads",
        "resources",
        "i18n",
        "reasons",
        "parsing",
        "parts",
        "engines",
        "sources",
        "calendar",
        "look",
        "config",
        "configured",
        "simulate",
    ),
    *("guess", "tables", "intake", "guess_tables", "first_draft", "guess_files", "folder_tables", "start"),
    *(
        "expressions",
        "ledger",
        "accounts",
        "revenue",
        "ordered_days",
        "account_sums",
        "summary",
        "growth",
        "buying",
        "freshness",
        "beginning",
        "signals",
    ),
    *("clv", "backtest", "margins", "forecast"),
    *("totals", "lifetime"),
    *(
        "look_alikes",
        "potential",
        "credit",
        "receivables",
        "hazards",
        "prospects",
        "side_tables",
        "position",
        "dimensions",
        "personal",
        "feature_list",
        "features",
        "scaling",
        "segment_names",
        "profiles",
        "clusters",
        "selection",
        "segment_rules",
        "segment_identity",
        "segments",
        "prospect_segments",
        "breaks",
        "tiers",
        "hysteresis",
        "schemes",
        "earlier",
        "quarters",
        "evidence",
        "strategies",
        "gains",
        "coverage",
        "handling",
        "planning",
        "targets",
        "effort",
        "past_forecast",
        "history",
        "plans",
        "figures",
        "reports",
    ),
    *("quality", "inputs", "steps", "runs", "checks", "comparison", "display", "cli", "__main__"),
)
LAZY = {"kamlab"}
"""`import kamlab` inside a function or for the version is no arrow."""


def modules():
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room(path):
    """First part of a module's name below the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "kamlab":
                yield from (alias.name for alias in node.names)
            elif node.module.startswith("kamlab."):
                yield node.module.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield room(path)
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("kamlab."))


def test_every_module_has_its_place():
    assert {room(p) for p in modules()} == set(ORDER)


def test_every_module_stands_in_the_architecture_page():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert [name for name in ORDER if name != "__main__" and not re.search(f"`{name}/?`", page)] == []


def test_every_decision_stands_in_their_index():
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text("utf-8")
    titles = {p.name: p.read_text("utf-8").partition("\n")[0].removeprefix("# ") for p in folder.glob("0*.md")}
    assert [name for name, title in titles.items() if f"({name}) | {title} |" not in listed] == []


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path):
    own = ORDER.index(room(path))
    back = {name for name in imported_rooms(path) if name in ORDER and ORDER.index(name) > own}
    allowed = _type_only(path)
    assert back <= allowed, f"{path.name} imports {back}, which stand after it"


def _type_only(path):
    """Modules that are imported for annotations alone."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for child in ast.walk(node):
                if isinstance(child, ast.ImportFrom) and child.module and child.module.startswith("kamlab."):
                    names.add(child.module.split(".")[1])
    return names


def test_lifetimes_has_one_importer():
    importers = [p.name for p in modules() if re.search(r"^\s*(import|from) lifetimes", p.read_text("utf-8"), re.M)]
    assert importers == ["lifetimes_engine.py"]


def test_import_loads_nothing_heavy():
    code = "import sys, kamlab; print([m for m in ('numpy', 'pandas', 'ibis', 'scipy', 'typst') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_there():
    import kamlab as kl

    for name in ("read_ledger", "StudyPeriod", "summarize", "clv", "backtest", "forecast", "segments", "tiers", "runs"):
        assert getattr(kl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = kl.nonsense


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_are_thin_and_stripped(path):
    cells = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    for cell in cells:
        source = "".join(cell["source"])
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        assert not re.search(r"^\s*(def|class)\s", source, re.M)
        assert len(ast.parse(source).body) < 12
    tagged = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert tagged == cells[:1]
    for line in "".join(tagged[0]["source"]).splitlines():
        assert re.fullmatch(r"\w+(: [\w |]+)? = .+  # .+", line), f"{line!r} is no annotated literal with a comment"
