"""Optional tables beside the transaction log: one declarative schema each, all faults said at once."""

from kamlab.tables.declared import RATES, SCHEMAS
from kamlab.tables.reading import TableReading, given, read, read_as, read_rows
from kamlab.tables.schema import Field, Schema

__all__ = ["RATES", "SCHEMAS", "Field", "Schema", "TableReading", "given", "read", "read_as", "read_rows"]
