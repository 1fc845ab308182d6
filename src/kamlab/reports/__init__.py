"""Blocks that notebooks publish, and the way from an executed notebook to a PDF."""

from __future__ import annotations

from datetime import date
from pathlib import Path


def export_pdf(notebook: Path | str, path: Path | str, *, as_of: date, parts: Path | None = None) -> list[str]:
    """Write the PDF of an executed notebook.

    Parameters
    ----------
    notebook : path-like
        Executed notebook (.ipynb).
    path : path-like
        PDF to write; its folder must exist.
    as_of : datetime.date
        Last day of the data: the file's time of making.
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

    document = export.read_document(notebook)
    files = {Path(path): document}
    if parts is not None:
        parts.mkdir(parents=True, exist_ok=True)
        found, endings = export.parts(document), "".join(Path(path).suffixes)
        files |= {parts / f"{name}{endings}": found[key] for key, name in export.file_names(found).items()}
    return [str(line) for line in write_pdfs(files, timestamp=as_of)[Path(path)]]
