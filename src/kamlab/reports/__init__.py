"""Blocks that notebooks publish, and the way from an executed notebook to a PDF or a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path


def export_pdf(
    notebook: Path | str,
    path: Path | str,
    *,
    as_of: date,
    sections: Sequence[str] | None = None,
    parts: Path | None = None,
) -> list[str]:
    """Write the PDF of an executed notebook.

    Parameters
    ----------
    notebook : path-like
        Executed notebook (.ipynb).
    path : path-like
        PDF to write; its folder must exist.
    as_of : datetime.date
        Last day of the data: the file's time of making.
    sections : sequence of str, optional
        Which sections are printed, in this order; all if None.
    parts : path-like, optional
        Folder for one PDF of each part of the document, named after its key and with the endings of `path`; made if
        missing.

    Returns
    -------
    list of str
        One line for each character that the fonts lack and that prints as a box; for the log.

    Raises
    ------
    ReportError
        If the notebook is not fully executed, or a block or the document cannot be set.
    """
    from kamlab.reports import export
    from kamlab.reports.pdf import write_pdfs

    document = export.read_document(notebook, sections=sections)
    files = {Path(path): document}
    if parts is not None:
        parts.mkdir(parents=True, exist_ok=True)
        found, endings = export.parts(document), "".join(Path(path).suffixes)
        files |= {parts / f"{name}{endings}": found[key] for key, name in export.file_names(found).items()}
    return [str(line) for line in write_pdfs(files, timestamp=as_of)[Path(path)]]


def export_html(notebook: Path | str, path: Path | str, *, sections: Sequence[str] | None = None) -> None:
    """Write an executed notebook as one self-contained HTML page, from the same blocks as its PDF.

    Parameters
    ----------
    notebook : path-like
        Executed notebook (.ipynb).
    path : path-like
        Page to write; its folder must exist.
    sections : sequence of str, optional
        Which sections are shown, in this order; all if None.

    Raises
    ------
    ReportError
        If the notebook is not fully executed, or a block cannot be shown.
    """
    from kamlab.reports.export import read_document
    from kamlab.reports.page import write_page

    write_page(read_document(notebook, sections=sections), path)
