"""The configuration file, validated: unknown keys are refused, all faults come in one message."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kamlab.engines import Engine, EngineName
from kamlab.errors import ConfigError, did_you_mean
from kamlab.look import Report
from kamlab.period import DAYS_PER_YEAR, Unit
from kamlab.terms import AUTO, COVARIATES, EXCLUDED, FORECASTERS, LINE_KINDS, STRATEGIES

MOST_QUARANTINED = 0.1
"""A table of whose rows, or of whose money, more than this cannot be used would mislead, unless its reader says not."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(_Section):
    """Whom the report is about."""

    name: str = Field(min_length=1)
    currency: str = ""
    account_level: Literal["auto", "group", "account"] = "auto"
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    holidays: list[str] = []

    @model_validator(mode="after")
    def _known_holidays(self) -> Company:
        from kamlab.calendar import CALENDARS

        unknown = [name for name in self.holidays if name not in CALENDARS]
        if unknown:
            raise ValueError(f"holidays names {', '.join(unknown)}; known are {', '.join(CALENDARS)}")
        return self


class File(_Section):
    """Where a table is and how its file is written."""

    path: str
    delimiter: str | None = None
    header: list[str] | None = None
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _no_password(self) -> File:
        from kamlab.sources import is_url, refuse_written_password

        if is_url(self.path):
            try:
                refuse_written_password(self.path)
            except ConfigError as error:
                raise ValueError(str(error).removesuffix(".")) from None
        return self


class Join(File):
    """A table whose columns are added to another's rows: at most one of its rows belongs to each of them."""

    on: str | list[str] | dict[str, str]

    @property
    def keys(self) -> dict[str, str]:
        """Column of the rows → column of the joined table."""
        if isinstance(self.on, dict):
            return self.on
        return {name: name for name in ([self.on] if isinstance(self.on, str) else self.on)}


class Table(File):
    """A table, what is joined to it, and what its columns are called."""

    columns: dict[str, str]
    joins: list[Join] = []
    date_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None


class CheckedTable(Table):
    """A table whose impossible rows go to the quarantine, up to a share of rows and of money."""

    max_quarantined_share: float = Field(default=MOST_QUARANTINED, ge=0, le=1)
    max_quarantined_money: float = Field(default=MOST_QUARANTINED, ge=0, le=1)


class ControlTotals(CheckedTable):
    """The books' monthly totals: a month that cannot be read is not compared, which misleads nobody."""

    max_quarantined_share: float = Field(default=1, ge=0, le=1)
    max_quarantined_money: float = Field(default=1, ge=0, le=1)


class Transactions(CheckedTable):
    """The transaction log."""

    purchase: Literal["positive", "nonnegative"] = "positive"
    date_basis: Literal["order", "delivery", "invoice"] = "order"
    kinds: dict[str, str] = {}
    where: dict[str, list[str]] = {}
    exclude: dict[str, list[str]] = {}
    tax_rate: float | None = Field(default=None, ge=0, lt=1)

    @model_validator(mode="after")
    def _known_kinds(self) -> Transactions:
        known = (*LINE_KINDS, EXCLUDED, "sign")
        unknown = sorted({kind for kind in self.kinds.values() if kind not in known})
        if unknown:
            raise ValueError(f"kinds names {', '.join(unknown)}; line kinds are {', '.join(known)}")
        if self.tax_rate is not None and "tax" in self.columns:
            raise ValueError("tax_rate and a column of taxes are both given; the tax comes from one of them")
        return self


class Source(_Section):
    """Where the data is, and what computes the big tables: DuckDB within a memory limit, or Spark on a master."""

    confirmed: bool = True
    engine: EngineName = "duckdb"
    memory_limit: str = Field(default="3GB", pattern=r"^[0-9]+(\.[0-9]+)? ?[KMGT]i?B$")
    master: str = "local[*]"
    transactions: Transactions
    accounts: Table | None = None
    rates: Table | None = None
    controls: ControlTotals | None = None
    owners: CheckedTable | None = None
    prospects: CheckedTable | None = None
    projects: CheckedTable | None = None
    invoices: CheckedTable | None = None
    payments: CheckedTable | None = None
    costs: CheckedTable | None = None
    effort: CheckedTable | None = None
    contacts: CheckedTable | None = None
    persons: CheckedTable | None = None
    complaints: CheckedTable | None = None
    competitors: CheckedTable | None = None
    targets: CheckedTable | None = None
    actions: CheckedTable | None = None
    products: CheckedTable | None = None

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that are given, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: table for name, table in found.items() if isinstance(table, Table)}

    @property
    def side_tables(self) -> dict[str, CheckedTable]:
        """The optional tables that are given and have a quarantine of their own, by name."""
        return {n: t for n, t in self.tables.items() if isinstance(t, CheckedTable) and n != "transactions"}


class Period(_Section):
    """What is read and how far ahead is looked."""

    as_of: date | None = None
    horizon_days: int = Field(default=DAYS_PER_YEAR, ge=7, le=5 * DAYS_PER_YEAR)
    unit: Unit = "week"
    max_data_lag_days: int = Field(default=7, ge=0)


class Value(_Section):
    """How future value is counted."""

    forecaster: str = AUTO
    covariates: tuple[str, ...] = ()
    discount_rate_annual: float = Field(default=0.10, ge=0, lt=1)
    level: float = Field(default=0.90, gt=0.5, lt=1)
    draws: int = Field(default=500, ge=100, le=5000)

    @field_validator("forecaster")
    @classmethod
    def _known(cls, name: str) -> str:
        known = (AUTO, *FORECASTERS)
        if name not in known:
            raise ValueError(
                f'there is no forecaster "{name}".{did_you_mean(name, known)} Known are: {", ".join(known)}'
            )
        return name

    @field_validator("covariates")
    @classmethod
    def _of_the_master(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [f'"{name}"{did_you_mean(name, COVARIATES)}' for name in names if name not in COVARIATES]
        if unknown:
            raise ValueError(f"there is no covariate {', '.join(unknown)} Known are: {', '.join(COVARIATES)}")
        if len(set(names)) < len(names):
            raise ValueError(f"a covariate stands there twice: {', '.join(names)}")
        return names

    @model_validator(mode="after")
    def _described(self) -> Value:
        if self.forecaster.endswith("_covariates") and not self.covariates:
            raise ValueError(f'forecaster = "{self.forecaster}" needs covariates, such as covariates = ["industry"]')
        return self


class Levels(_Section):
    """The fixed thresholds that the fitted cuts are held against; in the company's currency a year."""

    contribution: tuple[float, float] = (5e6, 10e6)
    potential: tuple[float, float] = (5e6, 10e6)

    @model_validator(mode="after")
    def _rising(self) -> Levels:
        for axis in ("contribution", "potential"):
            low, high = getattr(self, axis)
            if not 0 < low < high:
                raise ValueError(f"{axis} = [{low:g}, {high:g}]: the thresholds must be above 0 and rise")
        return self


class Strategies(_Section):
    """Which rules map classes to strategies."""

    playbook: str | None = None


class Planning(_Section):
    """What planned work is assumed to win: least, likely and most, because nothing in the data shows it."""

    gain: dict[str, tuple[float, float, float]] = {
        "acquire": (0.01, 0.03, 0.08),
        "promote": (0.02, 0.05, 0.10),
        "retain": (0.0, 0.10, 0.20),
        "win_back": (0.05, 0.10, 0.20),
    }
    effort_elasticity: tuple[float, float, float] = (0.1, 0.3, 0.5)
    cost_per_person: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _shares(self) -> Planning:
        faults = [f'there is no strategy "{name}".{did_you_mean(name, STRATEGIES)}' for name in self.gain]
        faults = [fault for fault, name in zip(faults, self.gain, strict=True) if name not in STRATEGIES]
        for name, three in {**self.gain, "effort_elasticity": self.effort_elasticity}.items():
            if not 0 <= three[0] <= three[1] <= three[2] < 1:
                faults.append(f"{name} = {list(three)}: least, likely and most must rise from 0 and stay under 1")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Plans(_Section):
    """Account plans: where people write, how many a person keeps, and whether personal data is printed."""

    notes: str = "inputs/plan_notes.xlsx"
    hours_per_plan: float = Field(default=200, gt=0)
    plans_per_owner: int = Field(default=5, ge=1)
    without_owner: int = Field(default=10, ge=0)
    stale_after_days: int = Field(default=92, ge=1)
    personal_data: bool = False


class Config(_Section):
    """All settings of a run.

    Attributes
    ----------
    base : Path
        Folder of the configuration file, against which paths resolve.
    """

    company: Company
    source: Source
    period: Period = Period()
    value: Value = Value()
    levels: Levels = Levels()
    strategies: Strategies = Strategies()
    planning: Planning = Planning()
    plans: Plans = Plans()
    report: Report = Report()
    seed: int = 0
    base: Path = Field(Path(), exclude=True)

    @property
    def set_levels(self) -> tuple[str, ...]:
        """Axes whose fixed thresholds the configuration sets."""
        if "levels" not in self.model_fields_set:
            return ()
        return tuple(axis for axis in Levels.model_fields if axis in self.levels.model_fields_set)

    @property
    def engine(self) -> Engine:
        """What computes the big tables."""
        return Engine(self.source.engine, self.source.memory_limit, self.source.master)

    def resolve(self, path: str) -> Path:
        """Resolve a path of the configuration."""
        from kamlab.sources import resolve_path

        return resolve_path(path, self.base)


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
    if not path.is_file():
        raise ConfigError(
            f"There is no configuration file {path}. Name one with --config, or leave it out to use the sample company."
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
