"""The account master: who the accounts are, which group they belong to, what sales says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from kamlab import reasons, tables
from kamlab.config import Config
from kamlab.sources import RawTable
from kamlab.tables import Field, Schema, TableReading

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_COLUMNS = (
    *("account", "name", "parent", "parent_name", "channel", "industry", "region", "country", "territory"),
    *("size", "owner", "previous_owner", "strategic_reason"),
)
DATE_COLUMNS = ("owner_since", "declared_potential_date", "strategic_since", "strategic_until")
COLUMNS = (*TEXT_COLUMNS, "declared_potential", "strategic", *DATE_COLUMNS)
"""Columns of the account master that a source column can be mapped to; only account is needed."""

DIMENSIONS = ("channel", "industry", "region", "country", "territory", "size", "owner")


def _in_no_circle(master: pd.DataFrame) -> pd.Series:
    """Whether an account's parents do not lead back to itself."""
    parents = _parents(master)
    turning = {account for account in parents if len(path := _climb(account, parents)) > 1 and path[0] == path[-1]}
    return ~master["account"].isin(turning)


SCHEMA = Schema(
    "accounts",
    "account master",
    (
        *(Field(name, needed=name == "account") for name in TEXT_COLUMNS),
        Field("declared_potential", "number", minimum=0),
        Field("strategic", "flag"),
        *(Field(name, "date") for name in DATE_COLUMNS),
    ),
    key=("account",),
    money="declared_potential",
    outcomes=(
        ("declared_potential_date", "declared_potential"),
        ("strategic_since", "strategic", "strategic_reason", "strategic_until"),
    ),
    rules=((reasons.CIRCLE.told, _in_no_circle),),
)
"""What the account master holds. An account whose row cannot be used stands for itself, as one that has none."""


def read_accounts(
    source: RawTable | Any,
    *,
    columns: Mapping[str, str],
    as_of: date = date.max,
    date_format: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> TableReading:
    """Read an account master.

    Parameters
    ----------
    source : RawTable, or pandas, Arrow, Polars or Ibis table
    columns : mapping of str to str
        Master column → source column; see `COLUMNS`.
    as_of : date
        Potentials declared later and flags set later are missing.
    date_format, decimal, thousands : str, optional
        How dates and numbers are written; found if not given.

    Returns
    -------
    TableReading
        Its rows are one an account, ordered by account, with every column of `COLUMNS`: text or None,
        `declared_potential` float (currency a year), `strategic` bool, dates as datetime64. Where the source has a
        column strategic_until, a flag without a date in it is none.

    Raises
    ------
    DataError
        If columns are unmapped, unknown or not there: every fault at once.
    """
    formats = {"date_format": date_format, "decimal": decimal, "thousands": thousands}
    return _settled(tables.read_rows(source, SCHEMA, columns=columns, as_of=as_of, **formats), columns)


def read_master(config: Config, *, as_of: date) -> TableReading | None:
    """Read the configured account master as `read_accounts` does; None where none is given."""
    table = config.source.accounts
    return None if table is None else _settled(tables.read_as(config, SCHEMA, as_of=as_of), table.columns)


def _settled(found: TableReading, columns: Mapping[str, str]) -> TableReading:
    """Settle which flags count, and the order of the accounts."""
    strategic = found.rows["strategic"].eq(True)
    if "strategic_until" in columns:
        strategic &= found.rows["strategic_until"].notna()
    rows = found.rows.assign(strategic=strategic).sort_values("account", ignore_index=True)
    return replace(found, rows=rows)


def decision_units(
    master: pd.DataFrame | None, ledger_accounts: Iterable[str], *, level: str, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Group the accounts into the units that decisions are taken for.

    Parameters
    ----------
    master : DataFrame or None
        Rows of `read_accounts`.
    ledger_accounts : iterable of str
        Accounts with lines; those that the master lacks stand for themselves, under their id.
    level : {"auto", "group", "account"}
        A group is all accounts below the same uppermost parent; "auto" decides for groups where the master names a
        parent.
    as_of : date
        Nothing that is dated later counts: a potential declared, a flag set, an owner who took over after this day; the
        previous owner stands for the latter. A flag that has ended before counts no more.

    Returns
    -------
    units : DataFrame
        Columns of `terms.TABLES["accounts"]`, ordered by account. A group's potential is the sum of
        its `declared_members`', at least that much; its owner and dimensions are those of its members if they agree,
        else of the parent's own row if there is one, else of the member with the lowest id.
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
    rows["strategic"] &= ~(pd.to_datetime(rows["strategic_since"]) > today)
    rows["owner"] = rows["owner"].mask(pd.to_datetime(rows["owner_since"]) > today, rows["previous_owner"])
    unit = rows["account"]
    if level == "group" or (level == "auto" and rows["parent"].notna().any()):
        parents = _parents(rows)
        unit = rows["account"].map(lambda account: _climb(account, parents)[-1])
    rows = rows.assign(unit=unit.astype(str))
    membership = rows[["account", "unit"]].rename(columns={"account": "member", "unit": "account"})
    return _units(rows.sort_values("account")), membership.sort_values("member", ignore_index=True)


def _units(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum up the accounts, ordered by id, by their column unit; most stand alone, which takes no summing up."""
    alone = (rows["unit"] == rows["account"]) & ~rows["unit"].duplicated(keep=False)
    parts = [part for part in (_alone(rows[alone]), _grouped(rows[~alone])) if len(part)]
    units = pd.concat(parts).sort_index() if len(parts) > 1 else parts[0] if parts else _grouped(rows)
    texts = {c: units[c].astype(object).where(units[c].notna(), None).tolist() for c in ("name", *DIMENSIONS)}
    return units.assign(**texts).rename_axis("account").reset_index()


def _alone(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the accounts as units of their own; one that names itself as its parent bears the name that it gives."""
    rows = rows.set_index("unit")
    own = rows["parent_name"].where(rows["parent"] == rows.index).astype(object)
    name = own.where(own.notna(), rows["name"])
    return pd.DataFrame(
        {
            "name": name.where(name.notna(), rows.index),
            "members": 1,
            "member_ids": rows["account"].astype("str"),
            **rows[list(DIMENSIONS)],
            "declared_potential": rows["declared_potential"],
            "declared_members": rows["declared_potential"].notna().astype("int64"),
            "strategic": rows["strategic"],
        }
    )


def _grouped(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the units of several accounts, or of those below a parent that is none itself."""
    groups = rows.groupby("unit", sort=True)
    first = groups[["account", *DIMENSIONS]].first()
    own = rows[rows["account"] == rows["unit"]].set_index("unit").reindex(first.index)
    lead = own.where(own["account"].notna(), rows.drop_duplicates("unit").set_index("unit").reindex(first.index))
    disputed = groups[list(DIMENSIONS)].nunique() > 1
    dimensions = first[list(DIMENSIONS)].mask(disputed & lead[list(DIMENSIONS)].notna(), lead[list(DIMENSIONS)])
    children = rows[rows["parent"] == rows["unit"]].groupby("unit")["parent_name"].first()
    name = children.reindex(first.index).astype(object)
    name = name.where(name.notna(), own["name"])
    return pd.DataFrame(
        {
            "name": name.where(name.notna(), name.index),
            "members": groups.size(),
            "member_ids": groups["account"].agg(", ".join),
            **dimensions,
            "declared_potential": groups["declared_potential"].sum(min_count=1),
            "declared_members": groups["declared_potential"].count(),
            "strategic": groups["strategic"].any(),
        }
    )


def _parents(master: pd.DataFrame) -> dict[str, str]:
    """Return account → parent; an account that names itself is a top."""
    known = master.drop_duplicates("account")
    known = known[known["account"].notna() & known["parent"].notna() & (known["parent"] != known["account"])]
    return dict(zip(known["account"], known["parent"], strict=True))


def _climb(account: str, parents: Mapping[str, str]) -> list[str]:
    """Return the account, its parent, the parent's parent, up to the top or to the first that comes twice."""
    path = [account]
    while path[-1] in parents and path[-1] not in path[:-1]:
        path.append(parents[path[-1]])
    return path
