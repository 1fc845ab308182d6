"""A column of a table, declared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, kind of value, unit and meaning."""

    name: str
    kind: str
    meaning: str
    unit: str = ""


def columns(*rows: tuple[str, ...]) -> tuple[Column, ...]:
    """Return columns of name, kind, meaning and, where there is one, unit."""
    return tuple(Column(*row) for row in rows)
