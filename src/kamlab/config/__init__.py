"""The configuration file, validated: unknown keys are refused, all faults come in one message."""

from kamlab.config.reading import Frozen, freeze, load, thaw
from kamlab.config.settings import Company, Config, Levels, Period, Planning, Plans, Strategies, Value
from kamlab.config.tables import (
    MOST_QUARANTINED,
    CheckedTable,
    ControlTotals,
    File,
    Join,
    Source,
    Table,
    Transactions,
)
from kamlab.look import Report

__all__ = [
    "MOST_QUARANTINED",
    "CheckedTable",
    "Company",
    "Config",
    "ControlTotals",
    "File",
    "Frozen",
    "Join",
    "Levels",
    "Period",
    "Planning",
    "Plans",
    "Report",
    "Source",
    "Strategies",
    "Table",
    "Transactions",
    "Value",
    "freeze",
    "load",
    "thaw",
]
