"""What a table declares of its columns, and the check of all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kamlab import reasons

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "date", "month", "flag"]
Rule = Callable[["pd.DataFrame"], "pd.Series"]


@dataclass(frozen=True)
class Field:
    """One column: its kind, whether every row needs it, and its limits: both inclusive, but for `above`.

    A month is kept as its first day, and may be written as any day of it; a flag is yes or no.
    """

    name: str
    kind: Kind = "text"
    meaning: str = ""
    needed: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None


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
        A row is known from this day on; an as-of run does not read it earlier. A row without this day is always known,
        as is every row where no column is named.
    key : tuple of str
        Columns that together occur once; checked where all of them are filled. The first of several rows counts.
    agreeing : str
        Column in which rows of one key must agree for any of them to count; empty where the first counts anyhow.
    money : str
        Column whose sum says how much money a fault concerns; empty if there is none.
    outcomes : tuple of tuple of str
        The first of each is the day from which the others are known; earlier they are read as missing. Without this
        day they are known as long as the row.
    rising : tuple of (str, str)
        Pairs of dates of which the second must not lie before the first.
    rules : tuple of (str, callable)
        Reason, and what says of the table's rows which of them keep the rule.
    """

    name: str
    holds: str
    fields: tuple[Field, ...]
    known_from: str = ""
    key: tuple[str, ...] = ()
    agreeing: str = ""
    money: str = ""
    outcomes: tuple[tuple[str, ...], ...] = ()
    rising: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, Rule], ...] = ()

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
        found["reason"] = found["reason"].where(found["reason"] != "", cases["column"].map(_missing))
        # What cannot be read is not missing as well.
        unread = {(row, _missing(f.name)) for f in schema.fields for row in frame.index[frame[f.name + UNREADABLE]]}
        found = found[[pair not in unread for pair in zip(found["row"], found["reason"], strict=True)]]
        return found.drop_duplicates().sort_values(["row", "reason"], ignore_index=True)
    return pd.DataFrame({"row": pd.Series(dtype="int64"), "reason": pd.Series(dtype=object)})


def _missing(column: str) -> str:
    return reasons.MISSING.say(column=column)


def _reason(check: Any) -> str:
    return "" if check == "not_nullable" else str(check)


def _pandera(frame: pd.DataFrame, schema: Schema, pa: Any) -> Any:
    """Return the schema in pandera's words; the error of each check is the reason that readers see."""
    columns = {}
    for field in schema.fields:
        limits = (
            (pa.Check.ge, reasons.BELOW, field.minimum),
            (pa.Check.le, reasons.ABOVE, field.maximum),
            (pa.Check.gt, reasons.NOT_ABOVE, field.above),
        )
        checks = [
            check(limit, error=reason.say(column=field.name, limit=f"{limit:g}"))
            for check, reason, limit in limits
            if limit is not None
        ]
        columns[field.name] = pa.Column(nullable=not field.needed, checks=checks)
    rules = [_readable(field) for field in schema.fields if field.kind != "text"]
    rules += [*map(_rising, schema.rising), *schema.rules]
    if schema.key:
        rules.append(_once(list(schema.key), schema.agreeing))
    return pa.DataFrameSchema(columns, checks=[pa.Check(keeps, error=told, ignore_na=False) for told, keeps in rules])


def _readable(field: Field) -> tuple[str, Rule]:
    return reasons.UNREADABLE[field.kind].say(column=field.name), lambda df: ~df[field.name + UNREADABLE]


def _rising(pair: tuple[str, str]) -> tuple[str, Rule]:
    first, second = pair
    return reasons.BEFORE.say(column=second, other=first), lambda df: ~(df[second] < df[first])


def _once(key: list[str], agreeing: str) -> tuple[str, Rule]:
    reason = reasons.REPEATED if len(key) == 1 else reasons.ARE_REPEATED

    def keeps(df: pd.DataFrame) -> pd.Series:
        repeated = df.duplicated(key)
        if agreeing:
            repeated |= df.groupby(key)[agreeing].transform("nunique", dropna=False) > 1
        return ~(repeated & df[key].notna().all(axis=1))

    return reason.say(column=" and ".join(key)), keeps
