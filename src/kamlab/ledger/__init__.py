"""Any source into the canonical ledger and the quarantine: read = accepted + quarantined, in rows and money.

Written in Ibis, so that the engine does the work, out of core where the log is larger than memory.
"""

from kamlab.ledger.book import Ledger, PurchaseRule
from kamlab.ledger.lines import COLUMNS
from kamlab.ledger.reading import check_columns, mostly_impossible, read_ledger

__all__ = ["COLUMNS", "Ledger", "PurchaseRule", "check_columns", "mostly_impossible", "read_ledger"]
