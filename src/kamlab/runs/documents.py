"""The documents of a run whose chapters have been executed: PDF and HTML of each notebook, and the workbook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from kamlab.config import Frozen

FOLDERS = ("pdf", "html")
"""Folders of a run that hold documents."""

WORKBOOK = "workbook"

PLANS = "06_account_plans"
"""The notebook whose document is written in parts too, one an account, and is for paper alone."""


class Paper(NamedTuple):
    """A document to be written.

    label : its file's name; notebook : executed notebook that it is made from, without suffix, or empty for one that
    is made from the tables; write : writes it and returns lines for the log.
    """

    label: str
    notebook: str
    write: Callable[[], list[str]]


def planned(folder: Path, frozen: Frozen, notebooks: Sequence[tuple[str, str]]) -> list[Paper]:
    """Return the documents to be written.

    Parameters
    ----------
    folder : Path
        The run under way; its folders `pdf` and `html` must exist.
    frozen : Frozen
        What the run was started with.
    notebooks : sequence of (str, str)
        Executed notebooks, without suffix, and the names of their documents.
    """
    papers: list[Paper] = []
    for notebook, document in notebooks:
        executed = folder / "notebooks" / f"{notebook}.ipynb"
        in_parts = notebook.startswith(PLANS)
        parts = folder / "pdf" / "plans" if in_parts else None
        write = partial(_pdf, executed, folder / "pdf" / f"{document}.pdf", frozen, parts)
        papers.append(Paper(f"{document}.pdf", notebook, write))
        if not in_parts:
            write = partial(_page, executed, folder / "html" / f"{document}.html", frozen)
            papers.append(Paper(f"{document}.html", notebook, write))
    for position, lang in enumerate(frozen.languages):
        name = workbook_name(lang, first=position == 0)
        papers.append(Paper(name, "", partial(_workbook, folder, lang, folder / name, frozen)))
    return papers


def workbook_name(lang: str, *, first: bool) -> str:
    """Return the name of a language's workbook: the first language's has none in its name."""
    return f"{WORKBOOK}.xlsx" if first else f"{WORKBOOK}.{lang}.xlsx"


def _pdf(executed: Path, path: Path, frozen: Frozen, parts: Path | None) -> list[str]:
    from kamlab.reports import export_pdf

    return export_pdf(executed, path, as_of=frozen.as_of, sections=frozen.config.report.sections, parts=parts)


def _page(executed: Path, path: Path, frozen: Frozen) -> list[str]:
    from kamlab.reports import export_html

    export_html(executed, path, sections=frozen.config.report.sections)
    return []


def _workbook(folder: Path, lang: str, path: Path, frozen: Frozen) -> list[str]:
    from kamlab.reports import workbook
    from kamlab.runs.folder import open as open_run

    run: Any = open_run(folder)
    t = run.translator(lang)
    title = t("Accounts and their labels")
    company = frozen.config.company.name
    workbook.write(path, workbook.sheets(run, t), t=t, title=title, company=company, as_of=frozen.as_of)
    return []
