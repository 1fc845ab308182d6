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


def is_packaged(folder: Path) -> bool:
    """Whether a folder lies inside the installed package, where nothing may be written."""
    return folder.resolve().is_relative_to(_PACKAGE.resolve())
