"""Where the notebooks and the sample company are: in the repository, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

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
