"""One chapter: a notebook run by papermill, its parameters checked, its errors turned into the user's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kamlab import errors
from kamlab.errors import KamlabError, ReportError, did_you_mean
from kamlab.i18n import Translator
from kamlab.runs.kernels import Kernels

OPTIONAL_PARAMETERS = ("accept_stale",)
"""Parameters that only some chapters have."""

PATIENCE_SECONDS = 120
"""Time that a kernel's output may take after a cell is done, and a kernel to begin: a busy machine is no fault."""

PARAGRAPHS = "\n\n"
"""What parts the paragraphs of a cell."""


def execute(
    notebook: Path,
    executed: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    kernels: Kernels | None = None,
    told: Path | None = None,
    keep: bool = False,
) -> None:
    """Run one chapter by papermill, its prose in the language of its parameter `lang`; several threads may at once.

    Parameters
    ----------
    notebook, executed : Path
        What is run, and where it is written to with its outputs; absolute.
    parameters : mapping
        Of the notebook.
    folder : Path
        Working directory of the kernel.
    kernels : Kernels, optional
        Where the kernel is entered.
    told : Path, optional
        File in which the chapter's steps say how far they are.
    keep : bool
        Whether it runs in the kernel that this thread keeps for one notebook after the other.

    Raises
    ------
    KamlabError
        What the chapter raised, if a user can mend it, without its traceback.
    ReportError
        If the chapter fails otherwise, or its kernel ends or cannot be started; names notebook and cell where known.
    """
    import papermill
    from nbclient.exceptions import CellControlSignal
    from papermill.exceptions import PapermillException, PapermillExecutionError

    known = papermill.inspect_notebook(str(notebook))
    passed = {k: v for k, v in parameters.items() if k in known or k not in OPTIONAL_PARAMETERS}
    unknown = [k for k in passed if k not in known]
    if unknown:
        raise ReportError(
            f'{notebook.name} has no parameter "{unknown[0]}".{did_you_mean(unknown[0], list(known))} '
            f"Its parameters are: {', '.join(known)}."
        )
    _write_translated(notebook, executed, str(passed.get("lang", "")))
    try:
        with (kernels or Kernels()).lent(told, keep=keep) as kernel:
            papermill.execute_notebook(
                str(executed),
                str(executed),
                parameters=passed,
                kernel_name="python3",
                # Not `cwd`, which changes the working directory of this process, for all its threads.
                resources={"metadata": {"path": str(folder)}},
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                start_timeout=PATIENCE_SECONDS,
                iopub_timeout=PATIENCE_SECONDS,
                **kernel,
            )
    except PapermillExecutionError as error:
        kind = getattr(errors, error.ename, None)
        if isinstance(kind, type) and issubclass(kind, KamlabError):
            raise kind(error.evalue.strip()) from None
        raise ReportError(
            f"{notebook.name} failed in cell {error.cell_index + 1}: {error.ename}: {error.evalue}. "
            "Open the notebook in JupyterLab (kamlab lab) and run it there to see where."
        ) from error
    except (RuntimeError, OSError, CellControlSignal, PapermillException) as error:
        raise ReportError(
            f"{notebook.name} could not be run to its end: {type(error).__name__}: {' '.join(str(error).split())}. "
            "If its kernel died, memory may have run out: close other programs, or take a shorter log."
        ) from error


def _write_translated(notebook: Path, path: Path, lang: str) -> None:
    """Write a notebook with the paragraphs of its prose in a language; they stand in the catalogue one by one."""
    import nbformat

    chapter = nbformat.read(notebook, as_version=4)
    if lang:
        t = Translator(lang)
        for cell in chapter.cells:
            if cell.cell_type == "markdown":
                cell.source = PARAGRAPHS.join(map(t, cell.source.split(PARAGRAPHS)))
    nbformat.write(chapter, path)
