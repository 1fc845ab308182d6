"""A simulated company as CSV files: the same company, the same bytes, on every machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from kamlab.simulate.company import Company


def csv_text(table: pd.DataFrame, *, float_format: str, header: bool = True) -> str:
    """Return a table as CSV text with LF line ends."""
    return table.to_csv(index=False, header=header, float_format=float_format, lineterminator="\n")


def write(company: Company, folder: Path) -> list[Path]:
    """Write a company's tables and its truth as UTF-8 CSV files.

    Parameters
    ----------
    company : Company
        As made by `company`.
    folder : pathlib.Path
        Made if missing; files of the same names are replaced, others stay.

    Returns
    -------
    list of pathlib.Path
        `accounts.csv`, `order_lines.csv` with the dirty lines in their places, `truth/accounts.csv`,
        `truth/dirty_lines.csv`, and one file for each table of `beside.tables`.
    """
    from kamlab.simulate.beside import tables

    rows = csv_text(company.order_lines, float_format="%.2f").splitlines()
    for line, text in zip(company.dirty_lines["line"], company.dirty_lines["text"], strict=True):
        rows.insert(line - 1, text)
    texts = {
        "accounts.csv": csv_text(company.accounts, float_format="%.0f"),
        "order_lines.csv": "\n".join(rows) + "\n",
        "truth/accounts.csv": csv_text(company.truth, float_format="%.10g"),
        "truth/dirty_lines.csv": csv_text(company.dirty_lines, float_format="%.0f"),
    }
    texts |= {f"{name}.csv": csv_text(table, float_format="%.15g") for name, table in tables(company).items()}
    paths = [folder / name for name in texts]
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8", newline="\n")
    return paths
