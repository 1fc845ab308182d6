"""The folder of all runs: locked while one builds; finished folders are put in place and linked in one step."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from kamlab.errors import ConfigError, RunLockedError
from kamlab.runs.folder import BEFORE, HANDED_ON, HANDED_ON_TOO, MANIFEST, RUNS
from kamlab.sources import file_hash

LOCK = ".lock"
BUILDING, REPLACED = ".building-", ".replaced-"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock of a folder of runs; remove what killed runs left, and all that is made here if nothing is built.

    Raises
    ------
    ConfigError
        If nothing can be written there.
    RunLockedError
        If another run holds the lock.
    """
    from filelock import FileLock, Timeout

    runs = out / RUNS
    made = [folder for folder in (runs, *runs.parents) if not folder.exists()]
    lock = FileLock(runs / LOCK)
    try:
        try:
            runs.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise RunLockedError(
                f"Another run is writing to {out}. Wait until it has finished, or name another folder with --out."
            ) from None
        except OSError as error:
            raise ConfigError(
                f"Nothing can be written to {out}: {error.strerror}. Name another folder with --out."
            ) from None
        _remove_leftovers(runs)
        yield
    finally:
        # Still under the lock, so that the lock file that goes is nobody else's.
        if lock.is_locked and runs in made and [p.name for p in runs.iterdir()] == [LOCK]:
            (runs / LOCK).unlink()
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()
        lock.release()


def _remove_leftovers(runs: Path) -> None:
    for folder in runs.iterdir():
        if folder.name.startswith((BUILDING, REPLACED)):
            shutil.rmtree(folder, ignore_errors=True)


def refuse_foreign(link: Path, company: str) -> None:
    """Refuse a run whose link is taken: by a folder, or by the run of a company with the same short name.

    Raises
    ------
    ConfigError
    """
    if link.exists() and not link.is_symlink():
        raise ConfigError(f"{link} is a folder where a link to the newest run should be. Move it away.")
    manifest = link / MANIFEST
    if manifest.is_file():
        other = json.loads(manifest.read_text("utf-8"))["company"]
        if other != company:
            raise ConfigError(
                f'{link} is a report on "{other}", and this one is on "{company}": their names differ only in signs '
                "that a folder's name leaves out. Name another folder with --out."
            )


def is_intact(folder: Path) -> bool:
    """Whether a finished run is there and its documents and tables are what its manifest says."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    outputs = json.loads(manifest.read_text("utf-8"))["outputs"]
    return all((folder / p).is_file() and file_hash(folder / p) == h for p, h in outputs.items())


def put_in_place(building: Path, target: Path) -> None:
    """Rename a finished folder to its name; a damaged one of that name goes aside first, and comes back on failure."""
    aside = target.with_name(f"{REPLACED}{target.name}")
    if target.exists():
        target.rename(aside)
    try:
        building.rename(target)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def current(link: Path) -> str | None:
    """Return the name of the folder that a link points at."""
    return Path(os.readlink(link)).name if link.is_symlink() else None


def before(out: Path, company: str, as_of: date) -> Path | None:
    """Return the finished folder of the company's newest run with an earlier as-of date, if there is one."""
    found = {}
    for link in out.iterdir():
        manifest = link / MANIFEST
        if link.is_symlink() and manifest.is_file():
            facts = json.loads(manifest.read_text("utf-8"))
            if facts["company"] == company and date.fromisoformat(facts["as_of"]) < as_of:
                found[facts["as_of"]] = link.resolve()
    return found[max(found)] if found else None


def handed_on(earlier: Path | None) -> dict[str, str]:
    """Return the hashes of what a finished run hands on to the next one, by file; none without a run."""
    if earlier is None or not all((earlier / "tables" / name).is_file() for name in HANDED_ON):
        return {}
    found = [*HANDED_ON, *(name for name in HANDED_ON_TOO if (earlier / "tables" / name).is_file())]
    return {name: file_hash(earlier / "tables" / name) for name in found}


def hand_on(earlier: Path, building: Path) -> None:
    """Copy what the next run needs, because a finished run does not change with another."""
    for name in handed_on(earlier):
        copy = building / BEFORE / "tables" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(earlier / "tables" / name, copy)


def switch(link: Path, target: Path) -> None:
    """Point the link at the finished folder in one step."""
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        temporary.symlink_to(target.relative_to(link.parent), target_is_directory=True)
        temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)
