"""All settings of a run, validated."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from kamlab.config.tables import Section, Source
from kamlab.engines import Engine
from kamlab.errors import did_you_mean
from kamlab.look import Report
from kamlab.period import DAYS_PER_YEAR, Unit
from kamlab.terms import AUTO, COVARIATES, FORECASTERS, STRATEGIES

GAINS = {
    "acquire": (0.01, 0.03, 0.08),
    "promote": (0.02, 0.05, 0.10),
    "retain": (0.0, 0.10, 0.20),
    "win_back": (0.05, 0.10, 0.20),
}
"""Least, likely and most share of its room that a year of work is assumed to win, by strategy."""


class Company(Section):
    """Whom the report is about."""

    name: str = Field(min_length=1)
    currency: str = ""
    account_level: Literal["auto", "group", "account"] = "auto"
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    holidays: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _known_holidays(self) -> Company:
        from kamlab.calendar import CALENDARS

        unknown = [name for name in self.holidays if name not in CALENDARS]
        if unknown:
            raise ValueError(f"holidays names {', '.join(unknown)}; known are {', '.join(CALENDARS)}")
        return self


class Period(Section):
    """What is read and how far ahead is looked."""

    as_of: date | None = None
    horizon_days: int = Field(default=DAYS_PER_YEAR, ge=7, le=5 * DAYS_PER_YEAR)
    unit: Unit = "week"
    max_data_lag_days: int = Field(default=7, ge=0)


class Value(Section):
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


class Levels(Section):
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


class Strategies(Section):
    """Which rules map classes to strategies."""

    playbook: str | None = None


class Planning(Section):
    """What planned work is assumed to win: least, likely and most, because nothing in the data shows it."""

    gain: dict[str, tuple[float, float, float]] = Field(default_factory=lambda: dict(GAINS))
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


class Plans(Section):
    """Account plans: where people write, how many a person keeps, and whether personal data is printed."""

    notes: str = "inputs/plan_notes.xlsx"
    hours_per_plan: float = Field(default=200, gt=0)
    plans_per_owner: int = Field(default=5, ge=1)
    without_owner: int = Field(default=10, ge=0)
    stale_after_days: int = Field(default=92, ge=1)
    personal_data: bool = False


class Config(Section):
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
