"""Borders between Low, Mid and High: fitted beside fixed, and who moves."""

from __future__ import annotations

import json

import pandas as pd

from kamlab import schemes
from kamlab.i18n import MISSING, N_, Translator
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.source import Interval, Source, value_word
from kamlab.terms import LEVELS

LEVEL_NAMES = {"Low": N_("Low"), "Mid": N_("Mid"), "High": N_("High")}


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
        TableColumn("interval", t("90 % interval"), "right"),
        TableColumn("unstable", t("Change class by chance"), "right"),
    ]
    fitted = rows[(rows["scheme"] == "fitted") & (rows["cut"] == "mid")]
    reasons = [
        f"- **{axis_name(row.axis, run, t)}.** {t(row.reason, **json.loads(row.reason_values))}"
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
    """Cross-table of fixed against fitted classes, for each axis."""
    blocks: list[Block] = []
    tables = {"contribution": ("forecast", "expected_contribution"), "potential": ("potential", "potential_revenue")}
    for axis, (name, column) in tables.items():
        values = run.read(name).set_index("account")[column]
        cross = schemes.crosstab(run.read("schemes"), axis, money=values)
        if cross.empty:
            continue
        counts = cross.pivot(index="fixed", columns="fitted", values="accounts").reindex(
            index=list(LEVELS), columns=list(LEVELS), fill_value=0
        )
        counts = counts.fillna(0).astype(int)
        movers = cross[cross["fixed"].astype(str) != cross["fitted"].astype(str)]
        printed = pd.DataFrame(
            {
                "fixed": [t(LEVEL_NAMES[level]) for level in LEVELS],
                **{level: [t.number(n) for n in counts[level]] for level in LEVELS},
            }
        )
        columns = [
            TableColumn("fixed", t("By the fixed thresholds")),
            *(TableColumn(level, t("fitted: {level}", level=t(LEVEL_NAMES[level])), "right") for level in LEVELS),
        ]
        caption = t(
            "{axis}: {movers} of {accounts} accounts stand in another class than by the fixed thresholds.",
            axis=axis_name(axis, run, t),
            movers=t.number(movers["accounts"].sum()),
            accounts=t.number(cross["accounts"].sum()),
        )
        blocks.append(table(printed, columns=columns, caption=caption))
    return blocks
