"""The workbook that people fill beside the company's data: looked at before a run, extended after it."""

from __future__ import annotations

from pathlib import Path

from kamlab import resources
from kamlab.config import Config
from kamlab.errors import DataError
from kamlab.i18n import Translator


def refuse_notes(config: Config) -> None:
    """Refuse a run whose workbook cannot be read, or is open: what stands there may not be saved yet.

    Raises
    ------
    DataError
    """
    from kamlab.plans.notes import refuse_open

    path = config.resolve(config.plans.notes)
    if path.exists():
        refuse_open(path)
        notes_mark(config)


def notes_mark(config: Config) -> str:
    """Return a hash of what people have written in the workbook; empty where that is nothing.

    Raises
    ------
    DataError
        If the workbook cannot be read.
    """
    path = config.resolve(config.plans.notes)
    if not path.exists():
        return ""
    from kamlab.plans.notes import read_notes

    return read_notes(path, personal=config.plans.personal_data).mark()


def offer_notes(config: Config, folder: Path, translator: Translator) -> tuple[str, ...]:
    """Add a finished run's new plans to the workbook, and say so; the sample company's folder stays as it is.

    A workbook that cannot be written is no reason to lose a finished run: the reason is returned.
    """
    import pandas as pd

    from kamlab.plans.notes import update_notes

    table = folder / "tables" / "plans.parquet"
    if config.base.resolve() == resources.sample().resolve() or not table.is_file():
        return ()
    plans = pd.read_parquet(table)
    planned = plans[plans["planned"]].rename(columns={"responsible": "owner"})
    path = config.resolve(config.plans.notes)
    if planned.empty and not path.exists():
        return ()
    try:
        added = update_notes(path, planned, translator=translator, personal=config.plans.personal_data)
    except DataError as error:
        return (str(error),)
    return (f"{path} has {len(added)} new rows: write there what only people can say of an account.",) if added else ()
