"""Where tables are, how they are written and what their columns are called: the settings of the sources."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kamlab.engines import EngineName
from kamlab.errors import ConfigError
from kamlab.terms import EXCLUDED, LINE_KINDS

MOST_QUARANTINED = 0.1
"""A table of whose rows, or of whose money, more than this cannot be used would mislead, unless its reader says not."""


NOT_BESIDE = ("transactions", "accounts", "rates")


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class File(Section):
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


class Source(Section):
    """Where the data is, and what computes the big tables: DuckDB within a memory limit, or Spark on a master."""

    confirmed: bool = True
    engine: EngineName = "duckdb"
    memory_limit: str = Field(default="3GB", pattern=r"^[0-9]+(\.[0-9]+)? ?[KMGT]i?B$")
    master: str = "local[*]"
    transactions: Transactions
    accounts: CheckedTable | None = None
    rates: CheckedTable | None = None
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
    def side_tables(self) -> dict[str, Table]:
        """The optional tables that are given, by name: those beside the log, the account master and the rates."""
        return {name: table for name, table in self.tables.items() if name not in NOT_BESIDE}
