"""The workbook of a run: every account with its labels, one sheet a scheme, and the lists beside."""

from kamlab.reports.workbook.contents import sheets
from kamlab.reports.workbook.writing import write

__all__ = ["sheets", "write"]
