"""A few lines that no ledger can take, put into the sample's order lines at known places."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.simulate.export import csv_text

FAULTS: dict[str, tuple[str, ...]] = {
    "invalid_date": ("2024-02-30", "2023-13-04", "2025-06-31", "0000-00-00"),
    "missing_date": ("", "", ""),
    "invalid_amount": ("n/a", "12,5oo", "n/a", "#REF!", "12,5oo"),
    "repeated_line_id": ("", "", "", ""),
    "missing_field": ("price", "product_line", "price", "cost"),
}
"""Kinds of faults, and for each dirty line what stands in its faulty field, or which field is left out."""


def dirty_lines(order_lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make one dirty line for each entry of `FAULTS`, modelled on lines of the file.

    A repeated line id stands on an exact copy directly below its original (exported twice); all others have ids
    of their own, so that the clean lines alone are the truth.

    Parameters
    ----------
    order_lines : pandas.DataFrame
        The clean lines, in the order of the file.
    rng : numpy.random.Generator
        Chooses the places.

    Returns
    -------
    pandas.DataFrame
        `line` (number in the file with the dirty lines in it; the header is 1), `line_id`, `fault`, `text` (the
        raw line); ordered by `line`.
    """
    faults = [(fault, value) for fault, values in FAULTS.items() for value in values]
    faults = [faults[i] for i in rng.permutation(len(faults))]
    places = np.sort(rng.choice(np.arange(1, len(order_lines)), len(faults), replace=False))
    rows = []
    for earlier, (place, (fault, value)) in enumerate(zip(places, faults, strict=True)):
        above = csv_text(order_lines.iloc[[place - 1]], float_format="%.2f", header=False).strip()
        fields = dict(zip(order_lines.columns, above.split(","), strict=True))
        if fault != "repeated_line_id":
            fields["order_id"] = f"S9{earlier:04d}"
            fields["line_id"] = f"S9{earlier:04d}-1"
        if fault == "missing_field":
            del fields[value]
        elif fault in ("invalid_date", "missing_date"):
            fields["order_date"] = value
        elif fault == "invalid_amount":
            fields["amount"] = f'"{value}"' if "," in value else value
        rows.append(
            {
                "line": int(place) + 2 + earlier,
                "line_id": fields["line_id"],
                "fault": fault,
                "text": ",".join(fields.values()),
            }
        )
    return pd.DataFrame(rows)
