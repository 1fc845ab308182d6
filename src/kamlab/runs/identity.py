"""What a run is: its name, its period, and the hash of all that its results depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import kamlab
from kamlab import resources
from kamlab.config import Config
from kamlab.period import StudyPeriod, end_of_last_complete_month, parse_day
from kamlab.runs.plan_notes import notes_mark
from kamlab.sources import content_hash, is_url

VERSIONED = (
    *(
        "babel",
        "duckdb",
        "ibis-framework",
        "lifetimes",
        "matplotlib",
        "mistune",
        "numpy",
        "openpyxl",
        "pandas",
        "pyarrow",
    ),
    *("scikit-learn", "scipy", "typst", "xlsxwriter"),
)
"""Packages whose version can change a table or a document."""

CODE_SUFFIXES = {".py", ".toml", ".typ", ".po", ".ipynb", ".ttf", ".css", ".js"}


def study_period(config: Config, as_of: str = "", *, today: date | None = None) -> StudyPeriod:
    """Return the period up to the given as-of date, else the configured one, else the last complete month's end."""
    given = parse_day(as_of) if as_of else config.period.as_of
    end = given or end_of_last_complete_month(today or date.today())
    return StudyPeriod(end, config.period.horizon_days, config.period.unit)


def run_id(config: Config, period: StudyPeriod) -> str:
    """Return the run's name: the company in lower-case letters and digits, and the as-of date."""
    letters = "".join(c if c.isalnum() else "-" for c in config.company.name.lower())
    slug = "-".join(part for part in letters.split("-") if part)[:60] or "company"
    return f"{slug}-{period.calibration_end.isoformat()}"


def fingerprint(
    config: Config, period: StudyPeriod, *, inputs: Mapping[str, str], parameters: Mapping[str, object]
) -> str:
    """Return a hash of all that a run's results depend on: inputs, settings, parameters, code and versions.

    Parameters
    ----------
    config : Config
    period : StudyPeriod
    inputs : mapping of str to str
        What `input_hashes` returned.
    parameters : mapping of str to object
        Whatever else was chosen for this run.
    """
    facts = {
        "inputs": dict(inputs),
        "config": config.model_dump(mode="json", exclude={"base"}),
        "period": [str(period.calibration_end), period.horizon_days, period.unit],
        "parameters": {k: str(v) for k, v in sorted(parameters.items())},
        "versions": versions(),
        "code": _code_hash(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return the versions of kamlab, Python and the packages that results depend on."""
    return {"kamlab": kamlab.__version__, "python": python_version()} | {p: version(p) for p in VERSIONED}


def input_hashes(config: Config) -> dict[str, str]:
    """Return the SHA-256 of what each input holds, by the path or address that the configuration gives it."""
    tables = config.source.tables.values()
    files = [file for table in tables for file in (table, *table.joins)]
    found = {
        f"{file.path}[{file.table or file.query}]" if is_url(file.path) else file.path: content_hash(
            file.path, base=config.base, table=file.table, query=file.query
        )
        for file in files
    }
    written = notes_mark(config)
    found |= {config.plans.notes: written} if written else {}
    beside = [path for path in (config.strategies.playbook, config.report.logo) if path]
    return found | {path: content_hash(path, base=config.base) for path in beside}


@cache
def _code_hash() -> str:
    """Return a hash of the package's code, templates, fonts, catalogues and notebooks."""
    package = Path(kamlab.__file__).parent
    digest = hashlib.sha256()
    for root in (package, resources.notebooks()):
        for path in sorted(root.rglob("*")):
            if path.suffix in CODE_SUFFIXES and ".ipynb_checkpoints" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
