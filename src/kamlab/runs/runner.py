"""What `kamlab report` does: run the chapters, export the documents, switch the finished folder in one step."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import kamlab
from kamlab import resources
from kamlab.config import Config, freeze
from kamlab.errors import ConfigError, RunLockedError, first_ids
from kamlab.i18n import languages as known_languages
from kamlab.period import StudyPeriod
from kamlab.runs.chapters import execute, kernel_environment
from kamlab.runs.folder import (
    DEFAULT_CONFIG,
    file_hash,
    fingerprint,
    input_hashes,
    load_config,
    run_id,
    study_period,
)

CHAPTERS = ("01_data_quality", "02_customer_value", "03_segments", "04_strategies")
"""Chapters that make the tables, in order."""

MANAGEMENT_REPORT = "05_management_report"
VERSIONED = (
    "duckdb",
    "ibis-framework",
    "lifetimes",
    "matplotlib",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "typst",
)
MANIFEST = "manifest.json"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Result:
    """What a run left behind.

    Attributes
    ----------
    link : Path
        `reports/<run_id>`, which points at `folder`.
    folder : Path
        The finished, unchanging folder.
    reports : tuple of Path
        PDF documents, seen through `link`.
    reused : bool
        Whether a finished run of the same inputs, settings and code was there already.
    timings : mapping of str to float
        Seconds a step; empty if reused.
    """

    link: Path
    folder: Path
    reports: tuple[Path, ...]
    reused: bool
    timings: Mapping[str, float]


def run(
    config: str | Path = DEFAULT_CONFIG,
    *,
    as_of: str = "",
    languages: Sequence[str] = (),
    out: str | Path = "reports",
    accept_stale: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Run all chapters and write the management report in each language.

    Parameters
    ----------
    config : str or Path
        Configuration file; where the default is not there, the sample company's.
    as_of : str
        As-of date; see `runs.study_period`.
    languages : sequence of str
        Languages of the report; the configuration's if empty.
    out : str or Path
        Folder of all runs.
    accept_stale : bool
        Report on a stale log nevertheless.
    progress : callable, optional
        Called with the step's name, its number and the number of steps before each step.

    Returns
    -------
    Result

    Raises
    ------
    KamlabError
        For whatever a user can mend; `out` is then as it was before.
    RunLockedError
        If another run writes to `out`.
    """
    settings = load_config(config)
    period = study_period(settings, as_of)
    langs = tuple(dict.fromkeys(languages or settings.report.languages))
    unknown = [lang for lang in langs if lang not in known_languages()]
    if unknown:
        raise ConfigError(
            f"No report can be written in {first_ids(unknown)}. Languages are: {', '.join(known_languages())}."
        )
    name = run_id(settings, period)
    mark = fingerprint(settings, period, languages=langs, accept_stale=accept_stale)
    out = Path(out).expanduser().resolve()
    with _locked(out):
        target = out / ".runs" / f"{name}-{mark[:8]}"
        reused = _is_intact(target)
        timings: dict[str, float] = {}
        if not reused:
            building = out / ".runs" / f".building-{target.name}"
            shutil.rmtree(building, ignore_errors=True)
            try:
                timings = _build(building, settings, period, langs, accept_stale, progress or _silent)
                _write_manifest(building, settings, period, langs, accept_stale, mark, _current(out / name))
                shutil.rmtree(target, ignore_errors=True)
                building.rename(target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
        _switch(out / name, target)
    reports = tuple(out / name / "pdf" / f"management-report.{lang}.pdf" for lang in langs)
    return Result(out / name, target, reports, reused, timings)


def _silent(step: str, number: int, total: int) -> None:
    """Report no progress."""


def _build(
    folder: Path,
    config: Config,
    period: StudyPeriod,
    langs: Sequence[str],
    accept_stale: bool,
    progress: Progress,
) -> dict[str, float]:
    """Run the chapters in a new folder; return seconds a step."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "log").mkdir()
    # The chapters read the settings that the run was started with, whatever happens to the file meanwhile.
    settings = folder / "log" / "config.json"
    freeze(config, settings)
    parameters = {
        "run_dir": str(folder),
        "config": str(settings),
        "as_of": period.calibration_end.isoformat(),
        "accept_stale": accept_stale,
    }
    steps: list[tuple[str, str, dict[str, Any]]] = [(name, name, {}) for name in CHAPTERS]
    steps += [(MANAGEMENT_REPORT, f"{MANAGEMENT_REPORT}.{lang}", {"lang": lang}) for lang in langs]
    total = len(steps) + len(langs)
    timings: dict[str, float] = {}
    with kernel_environment():
        for number, (notebook, label, extra) in enumerate(steps, start=1):
            progress(label, number, total)
            start = time.perf_counter()
            executed = folder / "notebooks" / f"{label}.ipynb"
            execute(resources.notebooks() / f"{notebook}.ipynb", executed, parameters | extra, folder)
            timings[label] = time.perf_counter() - start
    messages: list[str] = []
    for number, lang in enumerate(langs, start=len(steps) + 1):
        label = f"management-report.{lang}.pdf"
        progress(label, number, total)
        start = time.perf_counter()
        messages += _export(folder / "notebooks" / f"{MANAGEMENT_REPORT}.{lang}.ipynb", folder / "pdf" / label, period)
        timings[label] = time.perf_counter() - start
    (folder / "log" / "timings.json").write_text(json.dumps(timings, indent=1), "utf-8")
    (folder / "log" / "messages.txt").write_text("".join(f"{m}\n" for m in messages), "utf-8")
    return timings


def _export(notebook: Path, path: Path, period: StudyPeriod) -> list[str]:
    """Write a document; return what its fonts lack."""
    from kamlab.reports.export import read_document
    from kamlab.reports.pdf import write_pdf

    path.parent.mkdir(exist_ok=True)
    replaced = write_pdf(read_document(notebook), path, timestamp=period.calibration_end)
    return [str(one) for one in replaced]


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    existed = out.exists()
    try:
        (out / ".runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Nothing can be written to {out}: {error.strerror}. Name another folder with --out."
        ) from None
    lock = FileLock(out / ".runs" / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunLockedError(
            f"Another run is writing to {out}. Wait until it has finished, or name another folder with --out."
        ) from None
    try:
        yield
    finally:
        lock.release()
        if not existed:
            _remove_if_unused(out)


def _remove_if_unused(out: Path) -> None:
    """Leave no folder behind where a failed run made one and wrote nothing."""
    left = [p for p in out.rglob("*") if p.name not in (".runs", ".lock")]
    if not left:
        shutil.rmtree(out, ignore_errors=True)


def _is_intact(folder: Path) -> bool:
    """Whether a finished run is there and its documents and tables are what its manifest says."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    outputs = json.loads(manifest.read_text("utf-8"))["outputs"]
    return all((folder / p).is_file() and file_hash(folder / p) == h for p, h in outputs.items())


def _write_manifest(
    folder: Path,
    config: Config,
    period: StudyPeriod,
    langs: Sequence[str],
    accept_stale: bool,
    mark: str,
    supersedes: str | None,
) -> None:
    outputs = {
        p.relative_to(folder).as_posix(): file_hash(p)
        for part in ("tables", "pdf")
        for p in sorted((folder / part).rglob("*"))
        if p.is_file()
    }
    facts = {
        "company": config.company.name,
        "as_of": str(period.calibration_end),
        "languages": list(langs),
        "accept_stale": accept_stale,
        "inputs": input_hashes(config),
        "settings": config.model_dump(mode="json", exclude={"base"}),
        "seed": config.seed,
        "versions": {"kamlab": kamlab.__version__, "python": python_version()} | {p: version(p) for p in VERSIONED},
        "fingerprint": mark,
        "outputs": outputs,
        "supersedes": supersedes,
    }
    (folder / MANIFEST).write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")


def _current(link: Path) -> str | None:
    return Path(os.readlink(link)).name if link.is_symlink() else None


def _switch(link: Path, target: Path) -> None:
    """Point the link at the finished folder in one step."""
    if link.exists() and not link.is_symlink():
        raise ConfigError(f"{link} is a folder where a link to the newest run should be. Move it away.")
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target.relative_to(link.parent), target_is_directory=True)
    temporary.replace(link)
