"""A run's tables are made once, and every chapter after that has them as they stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from kamlab.runs import Run


def stands(run: Run, name: str) -> bool:
    """Whether a run's table stays as it is; a draft's is made anew, since whoever works on it may have changed some."""
    return not run.draft and run.has(name)


def once(table: str) -> Callable[[Callable[[Run], pd.DataFrame]], Callable[[Run], pd.DataFrame]]:
    """Let a step make its tables where they are missing, and return one of them, `table`, where they stand.

    So a chapter can be run in every language of the report, and opened on a finished run.
    """

    def made_once(step: Callable[[Run], pd.DataFrame]) -> Callable[[Run], pd.DataFrame]:
        @wraps(step)
        def standing_or_made(run: Run) -> pd.DataFrame:
            if stands(run, table):
                return run.read(table)
            with run.writing():
                return step(run)

        return standing_or_made

    return made_once
