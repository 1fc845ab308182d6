"""How far a command has come: a bar on a terminal, a line a step in a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Display:
    """Shows the steps of a command on standard error, as `runs.run` tells of them.

    On a terminal: a bar over all steps, the time, and what was told last, such as how many earlier dates a chapter has
    tried. In a log: a line when a step begins, and nothing of what happens inside.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._number = 0

    def __enter__(self) -> Display:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.fields[count]}"), BarColumn(24), TimeElapsedColumn())
            text = TextColumn("{task.description}", markup=False)
            self._bar = Progress(*columns, text, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._all = self._bar.add_task("", total=None, count="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, step: str, number: int, total: int) -> None:
        begins, self._number = number > self._number, number
        if self._bar:
            self._bar.update(self._all, description=step, completed=number - 1, total=total, count=f"{number}/{total}")
        elif begins:
            sys.stderr.write(f"[{number}/{total}] {step}\n")
            sys.stderr.flush()
