"""Where growth and loss come from: by the dimension that divides the accounts best, and by product line."""

from __future__ import annotations

import pandas as pd

from kamlab.dimensions import UNKNOWN
from kamlab.figures import gains as picture
from kamlab.i18n import COMMAS, Translator
from kamlab.reports.blocks import Block, figure, page_break, text
from kamlab.reports.sections import dimensions
from kamlab.reports.sections.owners import DIMENSIONS, changes, dividing
from kamlab.reports.sections.source import Source

LINES = "product_line"


def section(run: Source, t: Translator) -> list[Block]:
    """The whole chapter: a picture, why revenue changed, and what each part is worth and stands to lose."""
    rows = run.read("dimensions")
    name = dividing(rows)
    own, lines = rows[rows["dimension"] == name], _traded(rows, LINES)
    worth = [dimensions.worth(run, own, t(DIMENSIONS[name]), t)] if name and name != LINES else []
    causes = dimensions.causes(run, lines, t(DIMENSIONS[LINES]), t) if name != LINES and _divides(lines) else []
    return [
        page_break(),
        text(t("## Where growth and loss come from")),
        *_picture(run, rows, name, t),
        *changes(run, t),
        *worth,
        *causes,
    ]


def _traded(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a dimension's values that had revenue in either year."""
    traded = (rows["revenue_before"] != 0) | (rows["revenue_now"] != 0)
    return rows[(rows["dimension"] == name) & traded].reset_index(drop=True)


def _divides(own: pd.DataFrame) -> bool:
    return int((own["value"] != UNKNOWN).sum()) > 1


def _picture(run: Source, rows: pd.DataFrame, name: str, t: Translator) -> list[Block]:
    """Gains and losses of at most two dimensions; nothing where there is no year to compare with, or no dimension."""
    if run.read_facts("revenue")["previous"] is None:
        return []
    shown = [key for key in dict.fromkeys((name, LINES)) if key and _divides(_traded(rows, key))]
    parts = {t(DIMENSIONS[key]): _traded(rows, key) for key in shown}
    if not parts:
        return []
    caption = t(
        "Revenue of the last 12 months less that of the 12 before: {dimensions}.", dimensions=t.join(COMMAS, parts)
    )
    return [figure(picture.draw(parts, t), caption=caption, alt=picture.alt(parts, t))]
