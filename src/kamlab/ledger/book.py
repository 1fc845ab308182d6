"""The ledger: accepted lines in a file that engines scan, quarantined lines in memory, and how they add up."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kamlab.engines import DUCKDB, FACTS_FILE, Engine, Session
from kamlab.errors import DataError, first_ids
from kamlab.parsing import EXACT
from kamlab.terms import EXCLUDED, REVENUE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

PurchaseRule = Literal["positive", "nonnegative"]
ACCEPTED_PARTS = ("attributed", "unattributed", "not_revenue", "excluded", "after_as_of")
ORDER = ("account", "date", "source", "line")
"""What is one account's lies together, which makes every later sum over accounts and days cheaper."""
_METADATA = b"kamlab"


@dataclass(frozen=True, eq=False)
class Ledger:
    """Accepted lines, quarantined lines, and how they add up.

    Attributes
    ----------
    path : Path
        Parquet file of the accepted lines (on Spark a folder of such files), ordered by account, date, source and
        line; columns of `terms.TABLES["ledger"]`.
    quarantine : pandas.DataFrame
        Columns of `terms.TABLES["quarantine"]`.
    mapped : tuple of str
        Ledger columns that the source has.
    purchase : {"positive", "nonnegative"}
        Whether a day that nets exactly 0 is a purchase ("nonnegative": the log's rows are purchases by definition).
    session : Session
        What scans the lines.
    """

    path: Path
    quarantine: pd.DataFrame
    mapped: tuple[str, ...]
    purchase: PurchaseRule
    currency: str
    session: Session = field(repr=False)
    _cache: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def has_money(self) -> bool:
        """Whether the source has amounts."""
        return "amount" in self.mapped

    @property
    def has_cost(self) -> bool:
        """Whether the source has costs."""
        return "cost" in self.mapped

    @property
    def table(self) -> ir.Table:
        """The accepted lines as an Ibis expression."""
        if "table" not in self._cache:
            self._cache["table"] = self.session.read_parquet(self.path)
        return self._cache["table"]

    @property
    def lines(self) -> pa.Table:
        """The accepted lines in memory, ordered by source and line: for logs that fit."""
        import pyarrow.parquet as pq

        return (
            pq.read_table(self.path)
            .replace_schema_metadata(None)
            .sort_by([("source", "ascending"), ("line", "ascending")])
        )

    @property
    def first_date(self) -> date:
        """First day with an accepted line; DataError if there is none."""
        return self._extremes()[0]

    @property
    def last_date(self) -> date:
        """Last day with an accepted line; DataError if there is none."""
        return self._extremes()[1]

    @property
    def repeated_lines(self) -> int:
        """Lines that equal an earlier one in every column and have no id to tell them apart."""
        return int(self.table.filter(self.table.repeated).count().to_pyarrow().as_py())

    def _extremes(self) -> tuple[date, date]:
        if "extremes" not in self._cache:
            t = self.table
            (found,) = t.agg(first=t.date.min(), last=t.date.max()).to_pyarrow().to_pylist()
            self._cache["extremes"] = found["first"], found["last"]
        first, last = self._cache["extremes"]
        if first is None:
            raise DataError(
                f"The log has no line that can be used{why(self.quarantine)}. Check the columns and the date_format "
                "that it is read with."
            )
        return first, last

    def accounts_until(self, as_of: date | None = None) -> list[str]:
        """Return the accounts with a line up to the as-of date, in order: later ones are not known yet."""
        import ibis

        t = self.table.filter(self.table.account.notnull())
        t = t if as_of is None else t.filter(t.date <= ibis.literal(as_of))
        return sorted(t.select("account").distinct().to_pyarrow()["account"].to_pylist())

    def ranges(self, n_rows: int) -> list[tuple[str | None, str | None]]:
        """Divide the accounts into ranges of about so many lines each, from the first up to, without it, the end.

        None stands for no such end. The file's own groups of rows say where; of a folder (Spark) there is one range.
        """
        import pyarrow.parquet as pq

        if self.session.spark is not None:
            return [(None, None)]
        with pq.ParquetFile(self.path) as file:
            column = file.schema_arrow.get_field_index("account")
            groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
            least = [(group.num_rows, group.column(column).statistics) for group in groups]
        borders, upto = set(), 0
        for rows, known in least:
            if upto >= n_rows and known is not None and known.has_min_max:
                borders.add(known.min)
                upto = 0
            upto += rows
        ends = [None, *sorted(borders), None]
        return list(pairwise(ends))

    def of(self, accounts: Collection[str]) -> Ledger:
        """Copy the lines of some accounts into a file of their own: many questions about few need no scan of all.

        Its first and last day stay those of the whole log.
        """
        import ibis
        import pyarrow as pa

        wanted = ibis.memtable(pa.table({"wanted": pa.array(sorted(accounts), pa.string())}))
        lines = self.table.semi_join(wanted, self.table.account == wanted.wanted)
        path = Path(tempfile.mkdtemp(dir=self.session.scratch), "ledger.parquet")
        n_rows = int(lines.count().to_pyarrow().as_py())
        self.session.write_parquet(lines, path, self.facts(), by=ORDER, n_rows=n_rows)
        return replace(self, path=path, _cache={"extremes": self._extremes()})

    def reconciliation(self, as_of: date | None = None) -> pd.DataFrame:
        """Count rows and money of what was read and where it went.

        `read` = `accepted` + `quarantined`; `accepted` = `attributed` + `unattributed` + `not_revenue` + `excluded` +
        `after_as_of`. Money that no rate converts is in none of the sums.

        Returns
        -------
        pandas.DataFrame
            Columns part, rows, money (Decimal; currency), one row a part.
        """
        import ibis
        import pandas as pd

        t = self.table
        later = ibis.literal(False) if as_of is None else t.date > ibis.literal(as_of)
        revenue = t.kind.isin(REVENUE_KINDS)
        part = ibis.cases(
            (later, "after_as_of"),
            (t.kind == EXCLUDED, "excluded"),
            (~revenue, "not_revenue"),
            (t.account.isnull(), "unattributed"),
            else_="attributed",
        )
        sums = (
            t.group_by(part=part).agg(rows=t.count(), money=t.amount.sum()).to_pyarrow().to_pandas().set_index("part")
        )
        quarantined = self.quarantine.loc[self.quarantine["currency"] == "", "amount"].dropna()
        rows = {name: int(sums["rows"].get(name, 0)) for name in ACCEPTED_PARTS}
        money = {name: _decimal(sums["money"].get(name)) for name in ACCEPTED_PARTS}
        rows["accepted"], rows["quarantined"] = sum(rows.values()), len(self.quarantine)
        rows["read"] = rows["accepted"] + rows["quarantined"]
        with localcontext(EXACT):
            money["accepted"], money["quarantined"] = sum(money.values(), Decimal(0)), sum(quarantined, Decimal(0))
            money["read"] = money["accepted"] + money["quarantined"]
        order = ("read", "quarantined", "accepted", *ACCEPTED_PARTS)
        return pd.DataFrame({"part": order, "rows": [rows[p] for p in order], "money": [money[p] for p in order]})

    def facts(self) -> str:
        """Return what `from_parquet` needs beside the lines, as JSON."""
        return facts_text(self.mapped, self.purchase, self.currency)

    def write_parquet(self, path: Path, *, until: date | None = None) -> None:
        """Copy the accepted lines, with what `from_parquet` needs to open them again; on Spark `path` is a folder.

        Lines later than `until` are left out.
        """
        later = until is not None and self.last_date > until
        if self.path.is_dir():
            path.unlink(missing_ok=True)
            # A checksum beside a part would no longer be that of the part.
            shutil.copytree(self.path, path, ignore=shutil.ignore_patterns("*.crc") if later else None)
            for part in path.rglob("*.parquet") if later else ():
                _copy_until(self.path / part.relative_to(path), part, until)
        elif later:
            _copy_until(self.path, path, until)
        else:
            shutil.copyfile(self.path, path)

    @classmethod
    def from_parquet(
        cls, path: Path, quarantine: pd.DataFrame, *, engine: Engine = DUCKDB, scratch: Path | None = None
    ) -> Ledger:
        """Open a ledger that `write_parquet` wrote; `scratch` is where the engine's temporary files go."""
        import pyarrow.parquet as pq

        if path.is_dir():
            facts = json.loads((path / FACTS_FILE).read_text("utf-8"))
        else:
            facts = json.loads(pq.read_metadata(path).metadata[_METADATA])
        session = engine.connect(scratch)
        return cls(path, quarantine, tuple(facts["mapped"]), facts["purchase"], facts["currency"], session)


def _copy_until(source: Path, target: Path, until: date | None) -> None:
    """Copy a file of lines batch by batch, without those later than `until`."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as lines, pq.ParquetWriter(target, lines.schema_arrow, compression="zstd") as kept:
        for batch in lines.iter_batches():
            kept.write_batch(batch.filter(pc.less_equal(batch["date"], until)))


def facts_text(mapped: tuple[str, ...], purchase: PurchaseRule, currency: str) -> str:
    """Return what a ledger's file says beside its lines, as JSON."""
    return json.dumps({"mapped": mapped, "purchase": purchase, "currency": currency})


def why(quarantine: pd.DataFrame) -> str:
    """Return the most frequent reasons and the first lines, in brackets; nothing if there are none."""
    if quarantine.empty:
        return ""
    reasons = "; ".join(f"{n} × {reason}" for reason, n in quarantine["reason"].value_counts().head(5).items())
    return f" ({reasons}; lines {first_ids(quarantine['line'].head(11))})"


def _decimal(value: Any) -> Decimal:
    return Decimal(0) if value is None or value != value else Decimal(value)
