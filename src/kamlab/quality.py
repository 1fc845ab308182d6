"""Whether what could be read is enough to be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamlab.errors import DataError, first_ids

if TYPE_CHECKING:
    from kamlab.ledger import Ledger


def refuse_much_money(ledger: Ledger, limit: float) -> None:
    """Refuse a log of whose money too much is quarantined: a report on the rest would mislead.

    Money is the sum of the amounts without their signs, as far as they can be read.

    Raises
    ------
    DataError
    """
    if not ledger.has_money:
        return
    amounts = ledger.quarantine["amount"].dropna().map(abs)
    out = sum(amounts)
    accepted = ledger.table.amount.abs().sum().to_pyarrow().as_py() or 0
    if out <= limit * float(out + accepted):
        return
    largest = ledger.quarantine.loc[amounts.sort_values(ascending=False).index]
    where = f"the largest in lines {first_ids(largest['line'])}: {first_ids(largest['reason'].unique(), 3)}"
    raise DataError(
        f"{float(out / (out + accepted)):.0%} of the log's money stands in the {len(ledger.quarantine):,} lines that "
        f"cannot be used ({where}), more than the {limit:.0%} up to which a report on the rest can be trusted. Mend "
        "these lines, or raise max_quarantined_money."
    )
