"""How far a long step has come: told by the step, shown by whoever waits for it.

A step inside a run's notebook writes it to a file that the runner named; a step in this process calls whoever listens.
Where nobody listens it costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

FILE = "KAMLAB_PROGRESS"
"""Environment variable that names the file."""

Listener = Callable[[str], None]
"""Takes how far a step is, such as "3/12 earlier dates tried"; nothing to say is empty."""

T = TypeVar("T")

_listener: ContextVar[Listener | None] = ContextVar("_listener", default=None)


def track(items: Collection[T], what: str) -> Iterator[T]:
    """Yield the items, and tell before each how many are done; nothing more is told once all are.

    Parameters
    ----------
    items : collection
    what : str
        What is done with them, in a word or two.
    """
    try:
        for done, item in enumerate(items):
            _tell(f"{done}/{len(items)} {what}")
            yield item
    finally:
        _tell("")


def _tell(said: str) -> None:
    listener = _listener.get()
    if listener is not None:
        listener(said)
    elif name := os.environ.get(FILE):
        written = Path(f"{name}.new")
        try:
            written.write_text(said, "utf-8")
            written.replace(name)
        except OSError:
            # Nobody waits any more, or the disk is full: no reason for the step to fail.
            return


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Let a listener hear what the steps inside tell."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def read(path: Path) -> str:
    """Return how far a step in another process is, such as "3/12 earlier dates tried"; empty where it says nothing."""
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
