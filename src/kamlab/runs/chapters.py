"""One chapter: a notebook run by papermill, its parameters checked, its errors turned into the user's."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from weakref import WeakSet

from kamlab import errors
from kamlab.errors import KamlabError, ReportError, did_you_mean
from kamlab.progress import FILE

OPTIONAL_PARAMETERS = ("accept_stale",)
"""Parameters that only some chapters have."""


class Kernels:
    """The kernels that a run's threads have started, so that they can be ended together, at any moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._managers: WeakSet[Any] = WeakSet()
        self._ended = False

    def add(self, manager: Any) -> None:
        """Remember a kernel that has just started; it ends at once if the others have ended meanwhile."""
        with self._lock:
            self._managers.add(manager)
            ended = self._ended
        if ended:
            self.end()

    def end(self) -> None:
        """End all kernels, without ceremony; whoever waits for one of them sees it dead."""
        with self._lock:
            self._ended = True
            managers = list(self._managers)
        for manager in managers:
            if (provisioner := manager.provisioner) is not None:
                # In a thread, because JupyterLab has an event loop running in this one.
                ending = Thread(target=lambda kill=provisioner.kill: asyncio.run(kill()))
                ending.start()
                ending.join()


def execute(
    notebook: Path,
    executed: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    kernels: Kernels | None = None,
    told: Path | None = None,
) -> None:
    """Run one chapter by papermill; several threads may, each its own.

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
    try:
        papermill.execute_notebook(
            str(notebook),
            str(executed),
            parameters=passed,
            kernel_name="python3",
            # Not `cwd`, which changes the working directory of this process, for all its threads.
            resources={"metadata": {"path": str(folder)}},
            progress_bar=False,
            log_output=False,
            kernel_manager_class=_kernel_manager(kernels or Kernels(), told),
            shutdown_kernel="immediate",
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


def _kernel_manager(kernels: Kernels, told: Path | None) -> type:
    """Return a manager whose kernels run this interpreter, speak encrypted, and are entered among others.

    A kernel called python3 elsewhere on Jupyter's path would run another Python, perhaps without kamlab; and other
    users of the machine share its loopback device.
    """
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class OwnKernelSpec(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    class EncryptedKernelManager(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _this_interpreter(self) -> KernelSpecManager:
            return OwnKernelSpec(parent=self)

        @default("transport_encryption")
        def _encrypted_where_it_can_be(self) -> str:
            return "auto"

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # a coroutine, as its parent's
            heard = {FILE: str(told)} if told else {}
            await super().start_kernel(env=os.environ | heard, **options)
            kernels.add(self)

    return EncryptedKernelManager


@contextmanager
def kernel_environment() -> Iterator[Path]:
    """Keep Jupyter and matplotlib out of the home folder, which may be read-only, for as long as the chapters run.

    Gives the temporary folder that they have instead.
    """
    with tempfile.TemporaryDirectory(prefix="kamlab-", ignore_cleanup_errors=True) as scratch:
        settings = {
            name: str(Path(scratch, name.lower()))
            for name in (
                "IPYTHONDIR",
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "MPLCONFIGDIR",
            )
        } | {"PYTHONHASHSEED": "0", "JUPYTER_PLATFORM_DIRS": "1", "PYTHONUTF8": "1", "MPLBACKEND": "agg"}
        for value in settings.values():
            if value.startswith(scratch):
                Path(value).mkdir()
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield Path(scratch)
        finally:
            for name, earlier in before.items():
                if earlier is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = earlier
