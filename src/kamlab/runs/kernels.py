"""The kernels that notebooks run in: of this interpreter, encrypted, each thread's own, ended at any moment."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread, local
from typing import Any
from weakref import WeakSet

from kamlab.progress import FILE

AFRESH = """import os
os.environ[{variable!r}] = {told!r}
get_ipython().reset()"""
"""What a kernel runs before each notebook: its names go, its cells are counted from 1, the libraries stay loaded."""


class Kernels:
    """The kernels that a run's threads have started, so that they can be ended together, at any moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._started: WeakSet[Any] = WeakSet()
        self._kept: list[Any] = []
        self._own = local()
        self._ended = False

    @contextmanager
    def lent(self, told: Path | None, *, keep: bool) -> Iterator[dict[str, Any]]:
        """Give what papermill needs to run a notebook in a kernel.

        Parameters
        ----------
        told : Path, optional
            File in which the notebook's steps say how far they are.
        keep : bool
            Whether the kernel is the one that this thread keeps, because most of the time of a small notebook goes into
            starting a kernel and loading libraries; else it is a new one, which ends with the notebook.
        """
        manager = self._own_manager() if keep else self._new_manager()

        def afresh(notebook: Any) -> None:
            code = AFRESH.format(variable=FILE, told=str(told or ""))
            manager.clients[-1].execute(code, silent=True, allow_stdin=False)

        try:
            yield {"km": manager, "on_notebook_start": afresh}
        finally:
            while manager.clients:
                manager.clients.pop().stop_channels()
            if not keep:
                _remove(manager)

    def _own_manager(self) -> Any:
        """Return the manager of the kernel that this thread keeps."""
        if not hasattr(self._own, "manager"):
            self._own.manager = self._new_manager()
            self._kept.append(self._own.manager)
        return self._own.manager

    def _new_manager(self) -> Any:
        manager = _encrypted_kernel_manager()()
        manager.when_started = self._add
        return manager

    def _add(self, manager: Any) -> None:
        """Remember a kernel that has just started; it ends at once if the others have ended meanwhile."""
        with self._lock:
            self._started.add(manager)
            ended = self._ended
        if ended:
            self.end()

    def end(self) -> None:
        """End all kernels, without ceremony; whoever waits for one of them sees it dead."""
        with self._lock:
            self._ended = True
            managers = list(self._started)
        for manager in managers:
            if (provisioner := manager.provisioner) is not None:
                _await(provisioner.kill)

    def clear(self) -> None:
        """Remove what kept kernels leave behind, once no thread uses them any more."""
        while self._kept:
            _remove(self._kept.pop())


def _remove(manager: Any) -> None:
    """End a kernel if it has not ended yet, and remove its files and sockets."""
    if manager.has_kernel:
        _await(manager.shutdown_kernel, now=True)
    else:
        _await(manager.cleanup_resources)


def _await(function: Any, **options: Any) -> None:
    """Wait for a coroutine in a thread, because JupyterLab has an event loop running in this one."""

    def run() -> None:
        asyncio.run(function(**options))

    waiting = Thread(target=run)
    waiting.start()
    waiting.join()


@lru_cache(maxsize=1)
def _encrypted_kernel_manager() -> type:
    """Return a manager whose kernels run this interpreter and speak encrypted.

    A kernel called python3 elsewhere on Jupyter's path would run another Python, perhaps without kamlab; and other
    users of the machine share its loopback device.
    """
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.asynchronous import AsyncKernelClient
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class OwnKernelSpec(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    class EncryptedKernelManager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.clients: list[AsyncKernelClient] = []
            self.when_started: Callable[[Any], None]

        @default("kernel_spec_manager")
        def _this_interpreter(self) -> KernelSpecManager:
            return OwnKernelSpec(parent=self)

        @default("transport_encryption")
        def _encrypted_where_it_can_be(self) -> str:
            return "auto"

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # a coroutine, as its parent's
            await super().start_kernel(**options)
            self.when_started(self)

        def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]  # as its parent's
            self.clients.append(super().client(**options))
            return self.clients[-1]

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
