"""The first page of a document: whose report it is, up to which day, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kamlab.i18n import Translator
from kamlab.look import read_logo
from kamlab.reports.blocks import Block, Cover, cover
from kamlab.reports.sections.source import Source

CHAPTERS = 4
"""Analysts' chapters, which make the tables."""

Fact = tuple[str, str]


def chapter_page(run: Source, t: Translator, number: int) -> list[Block]:
    """The cover of an analysts' chapter; needs the table of the ledger alone."""
    title = t("For analysts, chapter {number} of {chapters}", number=number, chapters=CHAPTERS)
    return [page(run, t, title, compact=True)]


def page(
    run: Source, t: Translator, title: str, subtitle: str = "", facts: Sequence[Fact] = (), *, compact: bool = False
) -> Cover:
    """A cover in the company's look, which says how far the data reaches and further facts."""
    look, known = run.config.report, run.read_facts("freshness")
    reach = [
        (t("Data from"), t.date(pd.Timestamp(known["first_line"]).date())),
        (t("Data to"), t.date(pd.Timestamp(known["last_line"]).date())),
    ]
    return cover(
        title,
        translator=t,
        company=run.config.company.name,
        as_of=run.period.calibration_end,
        subtitle=subtitle,
        facts=[*reach, *facts],
        confidentiality=t(look.confidentiality),
        compact=compact,
        logo=read_logo(run.config.resolve(look.logo)) if look.logo else "",
        accent=look.colours.accent,
    )
