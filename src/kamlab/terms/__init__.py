"""Names and meanings of every table and column that kamlab writes; docs/data-dictionary.md is made from here."""

from __future__ import annotations

from kamlab.terms import accounts, classes, intake, planning, value
from kamlab.terms.column import Column
from kamlab.terms.names import (
    ABC,
    AUTO,
    COVARIATES,
    CREDIT_CLASSES,
    EXCLUDED,
    FORECASTERS,
    IDS,
    LEVELS,
    LINE_KINDS,
    POTENTIAL_SOURCES,
    REVENUE_KINDS,
    STRATEGIES,
    TYPES,
)

__all__ = [
    "ABC",
    "AUTO",
    "COVARIATES",
    "CREDIT_CLASSES",
    "EXCLUDED",
    "FORECASTERS",
    "IDS",
    "LEVELS",
    "LINE_KINDS",
    "POTENTIAL_SOURCES",
    "REVENUE_KINDS",
    "STRATEGIES",
    "TABLES",
    "TYPES",
    "Column",
]

TABLES: dict[str, tuple[Column, ...]] = {
    **intake.TABLES,
    **value.TABLES,
    **classes.TABLES,
    **accounts.TABLES,
    **planning.TABLES,
}
"""Every table that a run writes, by its columns in order."""
