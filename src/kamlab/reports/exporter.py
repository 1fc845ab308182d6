"""`jupyter nbconvert --to kamlab-pdf`: the PDF of one executed notebook."""

from __future__ import annotations

from datetime import date
from typing import Any

from nbconvert.exporters import Exporter
from nbconvert.utils.exceptions import ConversionException
from nbformat import NotebookNode

from kamlab.errors import ReportError
from kamlab.reports.export import to_document
from kamlab.reports.pdf import compile_pdf

UNDATED = date(1980, 1, 1)  # the file's time of making where no cover names an as-of date


class KamlabPDFExporter(Exporter):
    """Makes a PDF from the blocks of an executed notebook."""

    export_from_notebook = "kamlab PDF"
    output_mimetype = "application/pdf"

    def _file_extension_default(self) -> str:
        return ".pdf"

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[Any, dict[str, Any]]:
        """Return the PDF's bytes; characters that the fonts lack are logged as warnings."""
        notebook, resources = super().from_notebook_node(nb, resources, **kw)
        name = resources["metadata"].get("name", "notebook") + ".ipynb"
        try:
            document = to_document(notebook, name=name)
            day = document["meta"]["date"]
            data, replaced = compile_pdf(document, timestamp=date.fromisoformat(day) if day else UNDATED)
        except ReportError as error:
            raise ConversionException(str(error)) from error
        for character in replaced:
            self.log.warning("No font has %s", character)
        return data, resources
