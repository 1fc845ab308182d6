"""What a trace is: a printed sentence, figure or table, and for each of its numbers the query that gives it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Trace:
    """Where numbers of one sentence, key figure, picture or table come from.

    `select {numbers[name]} from {table} where {where}` is a query in DuckDB's SQL on the run's tables and gives the
    number, or the two ends of an interval. Several names in `table` are joined by account. Tables of draws are read
    long: account, draw, value. A step's facts (JSON) are tables of one row, and so is `configuration`.

    Attributes
    ----------
    text : str
        Message of the catalogue: the sentence, the label of a key figure, the caption of a table or of a picture.
    numbers : mapping
        Placeholder of the sentence, or heading of the table's column → what is selected; `*` before a placeholder says
        that it is a list of several numbers. `VALUE` names what a key figure says, `DRAWN` what stands in a picture
        beside its finding: as many rows as there are.
    table : str
        After `from`.
    where : str
        Filter of rows; empty = all. `$as_of`, `$year` and `$before` are the last day of the data and the days 365 and
        730 days before it; `$low` and `$high` the quantiles of intervals; `$account` the account that an account plan
        or the line of a list is about. `$place` the number of a table's line,
        `$heading` what the table's first heading names; `$` and a
        placeholder stands for what the sentence prints there.
    line : str
        Columns of the run's table that the first cells of a line name; `$mine` is that condition, and a line of
        totals has none. It is added to `where` if it is not part of the query.
    row : str
        Message that the first cell of the line prints, where only one line of a table is meant.
    fixed : mapping
        Placeholder of the sentence → message that stands there, where only that is meant.
    by : str
        Columns by which what stands in a picture is grouped.
    """

    text: str
    numbers: Mapping[str, str]
    table: str
    where: str = ""
    line: str = ""
    row: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    by: str = ""

    def filled(self, message: str) -> str:
        """Return a message of the trace with what is fixed in its place."""
        for name, words in self.fixed.items():
            message = message.replace(f"{{{name}}}", words)
        return message

    @property
    def said(self) -> str:
        """The message with what is fixed in its place."""
        return self.filled(self.text)


VALUE = "value"
DRAWN = "drawn"


def sums(draws: str, where: str = "") -> str:
    """Return the query of the draws' sums over accounts: draw, total."""
    condition = f" where {where}" if where else ""
    return f"(select draw, sum(value) as total from {draws} join strategies using (account){condition} group by draw)"


BOUNDS = "quantile_cont(total, $low), quantile_cont(total, $high)"
"""The interval of `sums`."""
