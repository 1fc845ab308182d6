"""Notebooks that are executed side by side, and documents that are written meanwhile."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kamlab import progress as told
from kamlab import resources
from kamlab.runs.chapters import execute
from kamlab.runs.documents import Paper
from kamlab.runs.kernels import Kernels, kernel_environment

MOST_KERNELS = 4
"""At a time: what more of them print, the main thread would not write any sooner, and each has its own tables."""

TICK_SECONDS = 0.2
"""How often those who wait look at how far the chapters are."""

TOLD = ".progress"
"""Ending of the files in which chapters say so."""

Progress = Callable[[str, int, int], None]


@contextmanager
def crew_of(folder: Path, parameters: Mapping[str, Any], *, progress: Progress | None, total: int) -> Iterator[Crew]:
    """Give a crew that works in a run's folder; nothing of it runs any more afterwards.

    Parameters
    ----------
    folder : Path
        Of the run under way.
    parameters : mapping
        Of all notebooks.
    progress : callable, optional
        As `runs.run` takes it.
    total : int
        Number of steps.
    """
    with kernel_environment() as scratch:
        crew = Crew(folder, scratch, parameters, progress or _silent, total)
        try:
            yield crew
        finally:
            crew.dismiss()


def _silent(step: str, number: int, total: int) -> None:
    """Report no progress."""


class Crew:
    """Executes notebooks in threads, so that the main thread can write documents meanwhile and be interrupted.

    Everything but the execution itself happens in the main thread, which alone tells of progress.
    """

    def __init__(
        self, folder: Path, scratch: Path, parameters: Mapping[str, Any], progress: Progress, total: int
    ) -> None:
        self.timings: dict[str, float] = {}
        self._folder, self._scratch, self._parameters = folder, scratch, parameters
        self._progress, self._total = progress, total
        self._kernels = Kernels()
        self._pool = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_KERNELS), "chapter")
        self._notebooks: set[str] = set()
        self._begun: list[str] = []
        self._heard: dict[str, str] = {}

    def start(self, label: str, notebook: str, *, lang: str, keep: bool) -> Future[None]:
        """Have a notebook executed as soon as a core is free, under a label; see `chapters.execute` for `keep`."""
        self._notebooks.add(label)
        return self._pool.submit(self._execute, label, notebook, lang, keep)

    def _execute(self, label: str, notebook: str, lang: str, keep: bool) -> None:
        from jupyter_core.utils import ensure_event_loop

        self._begun.append(label)
        source, target = resources.notebooks() / f"{notebook}.ipynb", self._folder / "notebooks" / f"{label}.ipynb"
        start = time.perf_counter()
        # The event loop is this thread's own: papermill takes it, and leaves tasks behind where a kernel dies.
        with asyncio.Runner(loop_factory=ensure_event_loop) as loops:
            loops.get_loop()
            try:
                execute(
                    source,
                    target,
                    {**self._parameters, "lang": lang},
                    self._folder,
                    kernels=self._kernels,
                    told=self._scratch / f"{label}{TOLD}",
                    keep=keep,
                )
            finally:
                self.timings[label] = time.perf_counter() - start

    def wait(self, jobs: Mapping[str, Future[None]]) -> list[str]:
        """Wait until one of the jobs is done; return the labels of those that are, in the order of the jobs.

        After a failure the others that run are waited for too and the rest does not start: of several that fail, the
        first in order says why.
        """
        while not any(job.done() for job in jobs.values()):
            wait(jobs.values(), timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            self._tell()
        done = [label for label, job in jobs.items() if job.done()]
        if any(jobs[label].exception() for label in done):
            self._pool.shutdown(cancel_futures=True)
            for job in jobs.values():
                if not job.cancelled():
                    job.result()
        return done

    def finish(self, jobs: Mapping[str, Future[None]]) -> None:
        """Wait for all of the jobs."""
        left = dict(jobs)
        while left:
            for label in self.wait(left):
                del left[label]

    def write(self, paper: Paper) -> list[str]:
        """Write a document, here and now; return its lines for the log."""
        self._begun.append(paper.label)
        self._tell()
        start = time.perf_counter()
        with told.heard(partial(self._hear, paper.label)):
            lines = paper.write()
        self.timings[paper.label] = time.perf_counter() - start
        return lines

    def dismiss(self) -> None:
        """End whatever still runs; that a kernel which is ended here has died is no news."""
        log = logging.getLogger("papermill")
        before, log.disabled = log.disabled, True
        try:
            self._kernels.end()
            self._pool.shutdown(cancel_futures=True)
            self._kernels.clear()
        finally:
            log.disabled = before

    def _tell(self) -> None:
        """Tell which steps have begun, and how far the chapters say that they are."""
        for label in self._begun[len(self._heard) :]:
            self._heard[label] = ""
            self._progress(label, len(self._heard), self._total)
        for label in [label for label in self._heard if label in self._notebooks and label not in self.timings]:
            self._say(label, told.read(self._scratch / f"{label}{TOLD}"))

    def _hear(self, label: str, said: str) -> None:
        self._say(label, said)
        self._tell()

    def _say(self, label: str, said: str) -> None:
        if said != self._heard[label]:
            self._heard[label] = said
            self._progress(f"{label}: {said}" if said else label, len(self._heard), self._total)
