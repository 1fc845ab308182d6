"""Where a source is: files, folders, patterns; environment variables; data inside Python packages."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from kamlab.errors import DataError, did_you_mean

PACKAGE_PREFIX = "package:"
SUFFIXES = (".csv", ".txt", ".tsv", ".parquet", ".xlsx", ".xls", ".xlsb", ".xlsm", ".ods")
"""Names that are taken for data when a folder is named."""
DEEPEST = 3
"""Folders below the named one that are looked into: those of years, months and days."""
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def expand(text: str) -> str:
    """Fill in environment variables, written ${NAME}.

    Raises
    ------
    DataError
        If one is not set.
    """
    filled = os.path.expandvars(text)
    if "${" in filled:
        raise DataError(
            f"The path {text} names an environment variable that is not set. Set it, or write the path out."
        )
    return filled


def resolve_path(path: str | Path, base: Path | None = None) -> Path:
    """Resolve a path against the configuration's folder.

    `${NAME}` is an environment variable; `package:NAME/FILE` is a file inside a Python package.
    """
    text = expand(str(path))
    if text.startswith(PACKAGE_PREFIX):
        package, _, inside = text.removeprefix(PACKAGE_PREFIX).partition("/")
        try:
            # The package is located, not imported: importing some has side effects.
            spec = find_spec(package)
        except (ImportError, ValueError):  # a package above it is missing; the name is empty or ".."
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise DataError(f'{text} names the package "{package}", which is not installed.')
        return Path(spec.submodule_search_locations[0], inside)
    try:
        return (base or Path()) / Path(text).expanduser()
    except RuntimeError:
        raise DataError(f"The path {text} begins with a user who has no folder here. Write the path out.") from None


def files_in(folder: Path, *, deep: int = DEEPEST) -> list[Path]:
    """Return a folder's data files, in order; hidden ones and what Excel leaves beside open workbooks are none.

    Of a folder that has none itself, they are those of its folders, as of Parquet that is parted by month; `deep` says
    how far down.
    """
    inside = sorted(p for p in folder.iterdir() if not p.name.startswith((".", "~$")))
    here = [p for p in inside if p.suffix.lower() in SUFFIXES and p.is_file()]
    if here or not deep:
        return here
    return [file for p in inside if p.is_dir() for file in files_in(p, deep=deep - 1)]


def parted_by(file: Path) -> dict[str, str | None]:
    """Return what a file's folders say of all its rows: month=2025-01/part-0.parquet has the month 2025-01."""
    pairs = (part.partition("=") for part in file.absolute().parent.parts)
    said = {name: unquote(value) for name, is_pair, value in pairs if name and is_pair}
    return {name: None if value == _NO_VALUE else value for name, value in said.items()}


def files_of(path: Path, content: str = "table") -> list[Path]:
    """Return the files that a path names: itself, a folder's data files, or what a pattern (*, ?) matches, in order.

    Raises
    ------
    DataError
        If there is none, or files of several kinds are mixed.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        found = files_in(path)
        nothing = f"The folder {path} holds no file that ends in {', '.join(SUFFIXES)}; it should hold the {content}."
    elif any(c in str(path) for c in "*?["):
        top = Path(path.anchor or ".")
        pattern = str(path.relative_to(top)) if path.is_absolute() else str(path)
        found = [p for p in top.glob(pattern) if p.is_file()]
        nothing = f"No file matches {path}. Check the pattern; it is taken relative to the configuration file."
    else:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")]) if path.parent.is_dir() else ""
        raise DataError(
            f"There is no file {path}.{near} Check the path; it is taken relative to the configuration file."
        )
    if not found:
        raise DataError(nothing)
    kinds = sorted({p.suffix.lower() for p in found})
    if len(kinds) > 1:
        raise DataError(
            f"{path} names files of {len(kinds)} kinds ({', '.join(kinds)}). Name one kind, such as "
            f"{path.name}/*{kinds[0]}."
        )
    return sorted(found)
