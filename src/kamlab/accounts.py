"""The account master: who the accounts are, which group they belong to, what sales says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.parsing import parse_date, parse_decimal, parse_text
from kamlab.sources import RawTable, from_frame

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_COLUMNS = (
    *("account", "name", "parent", "parent_name", "channel", "industry", "region", "country", "territory"),
    *("size", "owner", "strategic_reason"),
)
DATE_COLUMNS = ("declared_potential_date", "strategic_until")
COLUMNS = (*TEXT_COLUMNS, "declared_potential", "strategic", *DATE_COLUMNS)
"""Columns of the account master that a source column can be mapped to; only account is needed."""

YES = frozenset({"1", "true", "yes", "y", "x"})
NO = frozenset({"0", "false", "no", "n"})
DIMENSIONS = ("channel", "industry", "region", "country", "territory", "size", "owner")


def read_accounts(
    source: RawTable | Any, *, columns: Mapping[str, str], date_format: str | None = None
) -> pd.DataFrame:
    """Read the account master.

    Parameters
    ----------
    source : RawTable, or pandas, Arrow, Polars or Ibis table
    columns : mapping of str to str
        Master column → source column; see `COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        One row an account, ordered by account, with every column of `COLUMNS`: text or None, `declared_potential`
        float (currency a year), `strategic` bool, dates as datetime64.

    Raises
    ------
    DataError
        For all faults at once: unmapped or unknown columns, ids missing or repeated, unreadable numbers, dates, flags.
    """
    raw = source if isinstance(source, RawTable) else from_frame(source)
    _check_mapping(raw.columns, columns)
    frame = raw.rows.to_pandas()
    table = pd.DataFrame({c: parse_text(frame[columns[c]]) if c in columns else None for c in TEXT_COLUMNS})
    faults = [f"line {row.line} has {len(row.fields)} fields where the header has {row.expected}" for row in raw.ragged]
    for name in ("declared_potential", "strategic", *DATE_COLUMNS):
        text = parse_text(frame[columns[name]]) if name in columns else pd.Series(None, frame.index, dtype=object)
        if name == "declared_potential":
            values = parse_decimal(text).astype("float64")
            unreadable = values.isna() | (values < 0)
        elif name == "strategic":
            lower = text.str.lower()
            values, unreadable = lower.isin(YES), ~lower.isin(YES | NO)
        else:
            values = parse_date(text.astype("str").where(text.notna(), None), date_format)
            unreadable = values.isna()
        faults += _unreadable(text, text.notna() & unreadable, name, frame["_line"])
        table[name] = values
    missing = frame["_line"][table["account"].isna()]
    if len(missing):
        faults.append(f"{len(missing)} line(s) have no account id (lines {first_ids(missing)})")
    repeated = table["account"].dropna()[lambda s: s.duplicated()].unique()
    if len(repeated):
        faults.append(f"{len(repeated)} account id(s) stand there more than once ({first_ids(repeated)})")
    if faults:
        raise DataError("The account master cannot be read: " + "; ".join(faults) + ". Mend these lines.")
    return table.sort_values("account", ignore_index=True)


def _check_mapping(have: Sequence[str], columns: Mapping[str, str]) -> None:
    faults = [f'"{key}" is no account column.{did_you_mean(key, COLUMNS)}' for key in columns if key not in COLUMNS]
    faults += [
        f'"{key}" should be in column "{name}", which is not there.{did_you_mean(name, have)}'
        for key, name in columns.items()
        if name not in have
    ]
    if "account" not in columns:
        faults.append('No column is named for "account".')
    if faults:
        raise DataError(
            f"The account master cannot be read: {' '.join(faults)} Its columns are: {first_ids(have, limit=30)}."
        )


def _unreadable(text: pd.Series, bad: pd.Series, name: str, lines: pd.Series) -> list[str]:
    if not bad.any():
        return []
    expected = {"declared_potential": "a number of at least 0", "strategic": "yes or no"}.get(name, "a date")
    examples = ", ".join(f'"{v}"' for v in text[bad].head(3))
    return [f"{name} is not {expected} in {int(bad.sum())} line(s) ({examples}; lines {first_ids(lines[bad])})"]


def decision_units(
    master: pd.DataFrame | None, ledger_accounts: Iterable[str], *, level: str, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Group the accounts into the units that decisions are taken for.

    Parameters
    ----------
    master : DataFrame or None
        As `read_accounts` returns it.
    ledger_accounts : iterable of str
        Accounts with lines; those that the master lacks stand for themselves, under their id.
    level : {"auto", "group", "account"}
        "auto" decides for groups where the master names a parent.
    as_of : date
        Potentials declared, and strategic flags ended, after this day do not count.

    Returns
    -------
    units : DataFrame
        Columns of `terms.TABLES["accounts"]`, ordered by account. A group's potential is the sum of
        its members' if all of them have one; its owner and dimensions are those of its members if they agree, else of
        the parent's own row if there is one, else of the member with the lowest id.
    membership : DataFrame
        Columns member, account.
    """
    known = master if master is not None else pd.DataFrame({c: pd.Series(dtype=object) for c in COLUMNS})
    extra = sorted(set(ledger_accounts) - set(known["account"]))
    rows = known.reindex(columns=list(COLUMNS)).astype({"declared_potential": "float64"})
    if extra:
        unlisted = pd.DataFrame({"account": extra}).reindex(columns=list(COLUMNS))
        rows = pd.concat([rows.astype(object), unlisted.astype(object)], ignore_index=True)
    rows["declared_potential"] = rows["declared_potential"].astype("float64")
    rows["strategic"] = rows["strategic"].eq(True)
    today = pd.Timestamp(as_of)
    declared_later = pd.to_datetime(rows["declared_potential_date"]) > today
    rows["declared_potential"] = rows["declared_potential"].mask(declared_later)
    rows["strategic"] &= ~(pd.to_datetime(rows["strategic_until"]) < today)
    grouped = level == "group" or (level == "auto" and rows["parent"].notna().any())
    unit = rows["parent"].where(rows["parent"].notna(), rows["account"]) if grouped else rows["account"]
    rows = rows.assign(unit=unit.astype(str))
    units = pd.DataFrame([_unit(key, members) for key, members in rows.groupby("unit", sort=True)])
    membership = rows[["account", "unit"]].rename(columns={"account": "member", "unit": "account"})
    return units, membership.sort_values("member", ignore_index=True)


def _unit(key: str, members: pd.DataFrame) -> dict[str, Any]:
    members = members.sort_values("account")
    own_row = members[members["account"] == key]
    lead = own_row.iloc[0] if len(own_row) else members.iloc[0]
    parent_names = members["parent_name"].dropna()
    if (members["parent"] == key).any() and len(parent_names):
        name = parent_names.iloc[0]
    else:
        name = own_row["name"].iloc[0] if len(own_row) else None
    potentials = members["declared_potential"]
    facts = {c: _agreed(members[c], lead[c]) for c in DIMENSIONS}
    return {
        "account": key,
        "name": name if pd.notna(name) else key,
        "members": len(members),
        "member_ids": ", ".join(members["account"]),
        **facts,
        "declared_potential": potentials.sum() if potentials.notna().all() else float("nan"),
        "strategic": bool(members["strategic"].any()),
    }


def _agreed(values: pd.Series, lead: Any) -> Any:
    found = values.dropna().unique()
    if len(found) == 1:
        return found[0]
    return lead if len(found) and pd.notna(lead) else (found[0] if len(found) else None)
