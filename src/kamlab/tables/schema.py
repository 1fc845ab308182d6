"""What a table declares of its columns, and the check of all of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "date", "month", "flag"]


@dataclass(frozen=True)
class Field:
    """One column: its kind, whether every row needs it, and its limits (both inclusive).

    A month is kept as its first day, and may be written as any day of it; a flag is yes or no.
    """

    name: str
    kind: Kind = "text"
    meaning: str = ""
    needed: bool = False
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Schema:
    """A table: its columns and the rules that bind several of them.

    Attributes
    ----------
    name : str
        As in the configuration: source.NAME.
    holds : str
        What it holds, for readers.
    fields : tuple of Field
    known_from : str
        A row is known from this day on; an as-of run does not read it earlier. A row without this day is always known.
    key : tuple of str
        Columns that together occur once; checked where all of them are filled.
    money : str
        Column whose sum says how much money a fault concerns; empty if there is none.
    outcome : tuple of str
        The first is the day from which the others are known; earlier they are read as missing. Without this day they
        are known as long as the row.
    rising : tuple of (str, str)
        Pairs of dates of which the second must not lie before the first.
    """

    name: str
    holds: str
    fields: tuple[Field, ...]
    known_from: str
    key: tuple[str, ...] = ()
    money: str = ""
    outcome: tuple[str, ...] = ()
    rising: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(f.name for f in self.fields)

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the columns that must be mapped."""
        return tuple(f.name for f in self.fields if f.needed)

    def of_kind(self, kind: Kind) -> tuple[str, ...]:
        """Names of the columns of a kind."""
        return tuple(f.name for f in self.fields if f.kind == kind)


MISSING = " is missing"
UNREADABLE = " unreadable"
"""Ends the name of the column that says where a column's text could not be read."""


def faults(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Check all rules of a schema.

    Parameters
    ----------
    frame : DataFrame
        The schema's columns, and one more for each, which ends in `UNREADABLE`.

    Returns
    -------
    DataFrame
        Columns row (label in `frame`'s index) and reason, one row a fault.
    """
    import pandas as pd
    import pandera.pandas as pa

    try:
        _pandera(frame, schema, pa).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        found = pd.DataFrame({"row": cases["index"].astype("int64"), "reason": cases["check"].map(_reason)})
        found["reason"] = found["reason"].where(found["reason"] != "", cases["column"] + MISSING)
        # What cannot be read is not missing as well.
        unread = {(row, f.name + MISSING) for f in schema.fields for row in frame.index[frame[f.name + UNREADABLE]]}
        found = found[[pair not in unread for pair in zip(found["row"], found["reason"], strict=True)]]
        return found.drop_duplicates().sort_values(["row", "reason"], ignore_index=True)
    return pd.DataFrame({"row": pd.Series(dtype="int64"), "reason": pd.Series(dtype=object)})


def _reason(check: Any) -> str:
    return "" if check == "not_nullable" else str(check)


def _pandera(frame: pd.DataFrame, schema: Schema, pa: Any) -> Any:
    """Return the schema in pandera's words; the error of each check is the reason that readers see."""
    columns = {}
    for field in schema.fields:
        checks = []
        if field.minimum is not None:
            checks.append(pa.Check.ge(field.minimum, error=f"{field.name} is below {field.minimum:g}"))
        if field.maximum is not None:
            checks.append(pa.Check.le(field.maximum, error=f"{field.name} is above {field.maximum:g}"))
        columns[field.name] = pa.Column(nullable=not field.needed, checks=checks)
    rules = [_readable(field, pa) for field in schema.fields if field.kind != "text"]
    rules += [_rising(pair, pa) for pair in schema.rising]
    if schema.key:
        rules.append(_once(schema.key, pa))
    return pa.DataFrameSchema(columns, checks=rules)


def _readable(field: Field, pa: Any) -> Any:
    what = {"flag": "yes or no"}.get(field.kind, f"a {field.kind}")
    return pa.Check(lambda df: ~df[field.name + UNREADABLE], error=f"{field.name} is not {what}", ignore_na=False)


def _rising(pair: tuple[str, str], pa: Any) -> Any:
    first, second = pair
    return pa.Check(lambda df: ~(df[second] < df[first]), error=f"{second} is before {first}", ignore_na=False)


def _once(key: tuple[str, ...], pa: Any) -> Any:
    columns = list(key)
    name = " and ".join(columns)
    return pa.Check(
        lambda df: ~(df.duplicated(columns) & df[columns].notna().all(axis=1)),
        error=f"{name} {'is' if len(columns) == 1 else 'are'} repeated",
        ignore_na=False,
    )
