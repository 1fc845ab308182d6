"""The configuration file, read; and the settings that a run was started with, written and read back."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from kamlab.config.settings import Config, Strategies
from kamlab.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class Frozen:
    """What a run was started with: settings, as-of date, languages, and whether a stale log was accepted."""

    config: Config
    as_of: date
    languages: tuple[str, ...]
    accept_stale: bool


def freeze(frozen: Frozen, path: Path) -> None:
    """Write what a run was started with, as `thaw` reads it back, and its playbook and logo beside it.

    Paths of the data resolve against the same folder as before; playbook and logo are the copies from now on.
    """
    settings = frozen.config.model_dump(mode="json", exclude_none=True)
    # A threshold that nobody set stays unset.
    settings["levels"] = frozen.config.levels.model_dump(mode="json", include=set(frozen.config.set_levels))
    if not settings["levels"]:
        del settings["levels"]
    playbook = frozen.config.strategies.playbook
    if playbook:
        copy = path.with_name("playbook.toml")
        copy.write_bytes(frozen.config.resolve(playbook).read_bytes())
        settings["strategies"]["playbook"] = copy.name
    logo = frozen.config.report.logo
    if logo:
        source = frozen.config.resolve(logo)
        copy = path.with_name(f"logo{source.suffix}")
        copy.write_bytes(source.read_bytes())
        settings["report"]["logo"] = copy.name
    facts = {
        "base": str(frozen.config.base),
        "as_of": frozen.as_of.isoformat(),
        "languages": list(frozen.languages),
        "accept_stale": frozen.accept_stale,
        "settings": settings,
    }
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")


def thaw(path: Path) -> Frozen:
    """Read what `freeze` wrote.

    Raises
    ------
    ConfigError
        If the file is something else, or holds settings that this kamlab does not know.
    """
    try:
        facts = json.loads(path.read_text("utf-8"))
        base, settings = Path(facts["base"]), facts["settings"]
        as_of, languages = date.fromisoformat(facts["as_of"]), tuple(facts["languages"])
        accept_stale = bool(facts["accept_stale"])
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} is not what a run of this kamlab writes. Run kamlab report again.") from None
    config = _validated(settings, path).model_copy(update={"base": base})
    if config.strategies.playbook:
        copy = Strategies(playbook=str(path.with_name(config.strategies.playbook)))
        config = config.model_copy(update={"strategies": copy})
    if config.report.logo:
        beside = {"logo": str(path.with_name(config.report.logo))}
        config = config.model_copy(update={"report": config.report.model_copy(update=beside)})
    return Frozen(config, as_of, languages, accept_stale)


def load(path: str | Path) -> Config:
    """Read a configuration file: TOML, or the JSON that `freeze` wrote.

    Raises
    ------
    ConfigError
        If the file is missing, no TOML, or holds unknown or impossible settings; all of them in one message.
    """
    path = Path(path).expanduser().resolve()
    if path.is_dir():
        raise ConfigError(
            f"{path} is a folder. Name the configuration file in it, such as {path / 'kamlab.toml'}; where there is "
            f"none yet, have one written: kamlab init {path}"
        )
    if not path.is_file():
        raise ConfigError(
            f"There is no configuration file {path}. Check the path. `kamlab init FOLDER` writes one for the data of a "
            "folder; `kamlab report` without --config takes kamlab.toml here, else the sample company's."
        )
    if path.suffix == ".json":
        return thaw(path).config
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    return _validated(settings, path).model_copy(update={"base": path.parent})


def _validated(settings: Any, path: Path) -> Config:
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        faults = [_fault(e) for e in error.errors()]
        raise ConfigError(f"{path} has {len(faults)} fault(s): " + "; ".join(faults) + ".") from None


def _fault(error: Any) -> str:
    """Return one sentence on one validation error, with a suggestion for a misspelt key."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = _keys_at(error["loc"][:-1])
        hint = did_you_mean(str(error["loc"][-1]), known) or f" Known are: {', '.join(known)}."
        return f'"{where}" is no setting.{hint}'.rstrip(".")
    if error["type"] == "missing":
        return f'"{where}" is missing'
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    """Return the setting names of the section at a location."""
    model: Any = Config
    for part in location:
        annotation = model.model_fields[part].annotation
        model = next(a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel))
    return [name for name in model.model_fields if name != "base"]
