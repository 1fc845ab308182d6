"""The configured log into what the ledger takes: tables joined, lines told apart, one currency, net amounts."""

from kamlab.intake.lines import dated_columns, is_plain, settled, transactions

__all__ = ["dated_columns", "is_plain", "settled", "transactions"]
