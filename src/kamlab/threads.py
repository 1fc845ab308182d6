"""Work done piece by piece on as many cores as there are, its results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

MOST_THREADS = 4
"""More would need more memory than they save time: each holds a piece with all that it computes of it."""


def in_order(work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> Iterator[Result]:
    """Yield what the work makes of each piece, in the pieces' order, however many threads do it.

    A few pieces are under way at a time, so that results do not pile up; a single one is done without a thread.
    """
    if len(pieces) < 2:
        yield from map(work, pieces)
        return
    n_threads = min(os.cpu_count() or 1, MOST_THREADS, len(pieces))
    with ThreadPoolExecutor(n_threads) as pool:
        under_way: deque[Future[Result]] = deque()
        for piece in pieces:
            under_way.append(pool.submit(work, piece))
            if len(under_way) > n_threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def side_by_side(work: Callable[[Piece], None], pieces: Sequence[Piece]) -> None:
    """Do the work on each piece, as `in_order` does, for what it changes instead of what it returns."""
    deque(in_order(work, pieces), maxlen=0)


def parts(n: int, size: int) -> list[slice]:
    """Return the rows to work on at a time, so many at most of n."""
    return [slice(start, start + size) for start in range(0, n, size)]
