"""Borders between Low, Mid and High: fitted beside fixed, and who moves."""

from __future__ import annotations

import json

import pandas as pd

from kamlab import schemes
from kamlab.figures import movement as cross_table
from kamlab.i18n import MISSING, Translator
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.source import Interval, Source, is_contribution, value_word


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Borders from the data, beside the fixed ones"))]


def borders(run: Source, t: Translator) -> list[Block]:
    """Table of the borders of both axes by both schemes, with the reason why they are in force."""
    rows = run.read("tiers")
    printed = pd.DataFrame(
        {
            "axis": [
                t("Revenue, last 12 months")
                if axis == "contribution" and scheme == "fixed"
                else axis_name(axis, run, t)
                for axis, scheme in zip(rows["axis"], rows["scheme"], strict=True)
            ],
            "scheme": [t("fitted") if s == "fitted" else t("fixed") for s in rows["scheme"]],
            "cut": [t("Low to Mid") if c == "mid" else t("Mid to High") for c in rows["cut"]],
            "value": [t.money(v) for v in rows["value"]],
            "interval": [
                Interval(0, a, b).text(t) if pd.notna(a) else MISSING
                for a, b in zip(rows["lower"], rows["upper"], strict=True)
            ],
            "unstable": [t.percent(v) for v in rows["unstable_share"]],
        }
    )
    columns = [
        TableColumn("axis", t("Axis")),
        TableColumn("scheme", t("Borders")),
        TableColumn("cut", t("Step")),
        TableColumn("value", t("From"), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(0.9)), "right"),
        TableColumn("unstable", t("Change class by chance"), "right"),
    ]
    fitted = rows[(rows["scheme"] == "fitted") & (rows["cut"] == "mid")]
    reasons = [
        "- "
        + t(
            "**{axis}.** {reason}",
            axis=axis_name(row.axis, run, t),
            reason=t(row.reason, **json.loads(row.reason_values)),
        )
        for row in fitted.itertuples()
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("Where each class begins; a value on a border belongs to the upper class."),
        ),
        text("\n".join(reasons)),
    ]


def axis_name(axis: str, run: Source, t: Translator) -> str:
    """Return the name of an axis as readers know it."""
    return value_word(run, t) if axis == "contribution" else t("Potential")


def movement(run: Source, t: Translator) -> list[Block]:
    """Cross-table of fixed against fitted classes, for each axis, as a picture."""
    blocks: list[Block] = []
    tables = {"contribution": ("forecast", "expected_contribution"), "potential": ("potential", "potential_revenue")}
    for axis, (name, column) in tables.items():
        money = run.read(name).set_index("account")[column]
        cross = schemes.crosstab(run.read("schemes"), axis, money=money)
        drawn = cross_table.draw(cross, t, axis_name=axis_name(axis, run, t))
        if drawn is not None:
            blocks.append(
                figure(
                    drawn,
                    caption=_compared(axis, run, t),
                    alt=cross_table.alt(cross, t, axis_name=axis_name(axis, run, t)),
                )
            )
    return blocks


def _compared(axis: str, run: Source, t: Translator) -> str:
    """Say what each of the two schemes classes."""
    if axis == "potential":
        return t("Class by the fixed thresholds against class by the fitted borders; money: potential a year.")
    return t(
        "Class by the fixed thresholds on last year's revenue, against class by the fitted borders on {value}, which is "
        "also the money in the boxes.",
        value=t("expected contribution") if is_contribution(run) else t("expected revenue"),
    )
