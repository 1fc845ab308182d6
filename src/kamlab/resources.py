"""Where the notebooks and the sample company are (in the repository or the installed package), and safe writing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_PACKAGE = Path(__file__).parent
_REPOSITORY = _PACKAGE.parents[1]


def notebooks() -> Path:
    """Return the folder of the notebooks."""
    installed = _PACKAGE / "_notebooks"
    return installed if installed.is_dir() else _REPOSITORY / "notebooks"


def sample() -> Path:
    """Return the folder of the sample company."""
    installed = _PACKAGE / "_sample"
    return installed if installed.is_dir() else _REPOSITORY / "data" / "sample"


def is_packaged(folder: Path) -> bool:
    """Whether a folder lies inside the installed package, where nothing may be written."""
    return folder.resolve().is_relative_to(_PACKAGE.resolve())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put it in its place once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV in one step, with the mark by which spreadsheets see that it is UTF-8."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")
