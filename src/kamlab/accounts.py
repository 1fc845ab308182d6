"""The account master: who the accounts are, which group they belong to, what sales says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from kamlab.errors import DataError, did_you_mean, first_ids
from kamlab.parsing import parse_date, parse_decimal, parse_flag, parse_text
from kamlab.sources import RawTable, canonical, from_frame

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


def read_accounts(
    source: RawTable | Any,
    *,
    columns: Mapping[str, str],
    date_format: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> pd.DataFrame:
    """Read the account master.

    Parameters
    ----------
    source : RawTable, or pandas, Arrow, Polars or Ibis table
    columns : mapping of str to str
        Master column → source column; see `COLUMNS`.
    date_format, decimal, thousands : str, optional
        How dates and numbers are written; found if not given.

    Returns
    -------
    pandas.DataFrame
        One row an account, ordered by account, with every column of `COLUMNS`: text or None, `declared_potential`
        float (currency a year), `strategic` bool, dates as datetime64. Where the source has a column strategic_until,
        a flag without a date in it is none.

    Raises
    ------
    DataError
        For all faults at once: unmapped or unknown columns, ids missing or repeated, unreadable numbers, dates, flags,
        parents that run in a circle.
    """
    raw = source if isinstance(source, RawTable) else from_frame(source)
    _check_mapping(raw.columns, columns)
    formats = {"date_format": date_format, "decimal": decimal, "thousands": thousands}
    plain, plain_columns = canonical(raw, columns, numbers=["declared_potential"], dates=DATE_COLUMNS, **formats)
    plainly = plain.rows.to_pandas()
    frame, lines = raw.rows.to_pandas(), pd.Series(raw.lines.to_numpy())
    table = pd.DataFrame({c: parse_text(frame[columns[c]]) if c in columns else None for c in TEXT_COLUMNS})
    faults = [f"line {row.line} has {len(row.fields)} fields where the header has {row.expected}" for row in raw.ragged]
    for name in ("declared_potential", "strategic", *DATE_COLUMNS):
        text = parse_text(frame[columns[name]]) if name in columns else pd.Series(None, frame.index, dtype=object)
        written = parse_text(plainly[plain_columns[name]]) if name in columns else text
        if name == "declared_potential":
            values = parse_decimal(written).astype("float64")
            unreadable = values.isna() | (values < 0)
        elif name == "strategic":
            known = parse_flag(text)
            values, unreadable = known.eq(True), known.isna()
        else:
            values = parse_date(written.astype("str").where(written.notna(), None))
            unreadable = values.isna()
        faults += _unreadable(text, text.notna() & unreadable, name, lines)
        table[name] = values
    if "strategic_until" in columns:
        table["strategic"] &= table["strategic_until"].notna()
    missing = lines[table["account"].isna()]
    if len(missing):
        faults.append(f"{len(missing)} line(s) have no account id (lines {first_ids(missing)})")
    repeated = table["account"].dropna()[lambda s: s.duplicated()].unique()
    if len(repeated):
        faults.append(f"{len(repeated)} account id(s) stand there more than once ({first_ids(repeated)})")
    circles = _circles(_parents(table))
    if circles:
        faults.append(f"the parents of some accounts run in a circle ({first_ids(circles)})")
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
    known = master[master["account"].notna() & master["parent"].notna() & (master["parent"] != master["account"])]
    return dict(zip(known["account"], known["parent"], strict=True))


def _climb(account: str, parents: Mapping[str, str]) -> list[str]:
    """Return the account, its parent, the parent's parent, up to the top or to the first that comes twice."""
    path = [account]
    while path[-1] in parents and path[-1] not in path[:-1]:
        path.append(parents[path[-1]])
    return path


def _circles(parents: Mapping[str, str]) -> list[str]:
    """Return the circles in which parents run, each once."""
    paths = (_climb(account, parents) for account in sorted(parents))
    return [" → ".join(path) for path in paths if len(path) > 1 and path[0] == path[-1] == min(path)]
