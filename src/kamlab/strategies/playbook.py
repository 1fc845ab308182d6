"""The playbook file: loading, and a check that reports every fault at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kamlab.errors import ConfigError, did_you_mean
from kamlab.strategies.checks import faults_of, with_examples
from kamlab.strategies.conditions import Condition
from kamlab.strategies.model import Coherence, Flag, Numbers, Override, Part, Playbook, Rule, Scheme, State, Tactic

VERSION = 1

_SECTIONS: Mapping[str, type[Part]] = {
    "states": State,
    "schemes": Scheme,
    "flags": Flag,
    "coherence": Coherence,
    "overrides": Override,
    "tactics": Tactic,
}

_SINGLE = ("version", "numbers")
"""Keys that stand once in a playbook."""


@cache
def _shipped() -> Playbook:
    text = resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8")
    return parse(text, name="playbook.toml")


def load_playbook(path: str | Path | None = None) -> Playbook:
    """Read and check a playbook file.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; the one that kamlab ships with, `strategies/playbook.toml`, if none is given. That file explains
        its sections.

    Raises
    ------
    ConfigError
        If the file cannot be read, or with all its faults at once: each names the state, rule, flag,
        coherence rule or override that it is in.
    """
    if path is None:
        return _shipped()
    try:
        text = Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"The playbook {path} is no text in UTF-8. Save it as TOML in UTF-8.") from None
    except OSError as error:
        raise ConfigError(
            f"The playbook {path} cannot be read: {error.strerror}. Check the path, which a configuration gives as "
            "playbook under [strategies]."
        ) from None
    return parse(text, name=str(path))


def parse(text: str, *, name: str) -> Playbook:
    """Check the text of a playbook called `name`; see `load_playbook`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The playbook {name} is no valid TOML: {error}.") from None
    faults = [
        f'unknown section "{key}".{did_you_mean(key, [*_SECTIONS, *_SINGLE])}'
        for key in raw
        if key not in _SECTIONS and key not in _SINGLE
    ]
    if raw.get("version") != VERSION:
        faults.append(f"version is {raw.get('version')!r}; this kamlab reads version = {VERSION}.")
    unread: list[str] = []
    parts: dict[str, Any] = {}
    for key, model in _SECTIONS.items():
        parts[key] = _build(model, raw.get(key, []), key, faults, unread)
    numbers = raw.get("numbers", {})
    if isinstance(numbers, dict):
        found_numbers = _build(Numbers, [numbers], "numbers", faults, unread)
        parts |= {"numbers": found_numbers[0]} if found_numbers else {}
    else:
        faults.append("numbers: write them under [numbers], one a line.")
    book = Playbook.model_validate(parts)
    # What only follows from an entry that could not be read would mislead.
    found = faults_of(book)
    if not faults and found:
        found = with_examples(found, book)
    faults += [fault for fault in found if not any(f'"{ident}"' in fault for ident in unread)]
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise ConfigError(f"The playbook {name} has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{listed}")
    return book


_P = TypeVar("_P", bound=Part)


def _build(model: type[_P], items: Any, section: str, faults: list[str], unread: list[str]) -> list[_P]:
    """Build the entries of one section that have the right shape; note the others' faults and ids."""
    if not isinstance(items, list):
        faults.append(f"{section}: write each entry under its own [[{section}]].")
        return []
    built = []
    for number, item in enumerate(items, start=1):
        try:
            built.append(model.model_validate(item))
        except ValidationError as error:
            ident = item.get("id") or item.get("account") if isinstance(item, dict) else None
            unread += [ident] if ident else []
            where = f'{section} "{ident}"' if ident else section if section in _SINGLE else f"{section} no. {number}"
            faults += [f"{where}: {_explain(fault, item, model)}" for fault in error.errors()]
    return built


def _explain(fault: Any, item: Any, model: type[BaseModel]) -> str:
    """Say in plain words what pydantic found, and at which place inside the entry."""
    place: list[str] = []
    for step in fault["loc"]:
        if step == "rules":
            model = Rule
        elif step in ("all", "any", "not", "when", "never", "applies_to"):
            model = Condition
        inner = item[step] if isinstance(step, int) and isinstance(item, list | tuple) else None
        item = inner if inner is not None else item.get(step) if isinstance(item, dict) else None
        named = item.get("id") if isinstance(item, dict) else None
        if isinstance(step, int) and place:
            place[-1] += f' "{named}"' if named else f"[{step}]"
        else:
            place.append(str(step))
    if fault["type"] == "extra_forbidden":
        keys = [field.alias or key for key, field in model.model_fields.items()]
        unknown = place.pop()
        text = f'unknown key "{unknown}".{did_you_mean(unknown, keys)}'
    elif fault["type"] == "missing":
        text = f'"{place.pop()}" is missing.'
    else:
        text = f"{fault['msg'].removeprefix('Value error, ')}."
    return f"{', '.join(place)}: {text}" if place else text
