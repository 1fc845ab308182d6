"""Where a notebook that is opened alone finds its configuration, and where its draft lies."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from pathlib import Path

from kamlab import resources
from kamlab.config import Config
from kamlab.errors import ConfigError

DEFAULT_CONFIG = "kamlab.toml"
PARENTS_SEARCHED = 3


def find_config(*, parents: int = 0) -> Path:
    """Return `kamlab.toml` of the working directory or of the first `parents` folders above, else the sample's.

    The search stops at the top of a Git working tree. That the sample is taken is said once, on standard error.
    """
    here = Path.cwd()
    for folder in (here, *here.parents[:parents]):
        if (folder / DEFAULT_CONFIG).is_file():
            return folder / DEFAULT_CONFIG
        if (folder / ".git").exists():
            break
    _say_that_it_is_the_sample()
    return resources.sample() / DEFAULT_CONFIG


@cache
def _say_that_it_is_the_sample() -> None:
    print(f"No {DEFAULT_CONFIG} here: reporting on the sample company.", file=sys.stderr)


def draft_root(config: Config) -> Path:
    """Return where drafts go.

    That is `reports/` beside or above the configuration; for the sample of an installed kamlab, `reports/` in the
    working directory; and where neither can be written, a temporary folder of the user's own.
    """
    if resources.is_packaged(config.base):
        base = Path.cwd()
    else:
        candidates = [config.base, *config.base.parents[:3]]
        base = next((p for p in candidates if _is_writable(p / "reports")), config.base)
    # An existing folder of reports decides; where there is none yet it must be possible to make one.
    reports = base / "reports"
    if _is_writable(reports if reports.exists() else base):
        return reports / ".draft"
    return _private_folder()


def _is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


def _private_folder() -> Path:
    """Return a temporary folder that nobody else can read: drafts hold customers' names and turnovers."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir(), f"kamlab-drafts-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if hasattr(os, "getuid") and (folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077):
        raise ConfigError(
            f"The folder for drafts, {folder}, belongs to somebody else or others can read it. Remove it, or open the "
            "notebook where a folder reports/ can be written."
        )
    return folder
