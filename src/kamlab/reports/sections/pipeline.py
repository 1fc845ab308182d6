"""Open deals and unpaid invoices, in a few lines."""

from __future__ import annotations

from kamlab.i18n import SENTENCES, Translator
from kamlab.prospects import STALLED_SHARE
from kamlab.reports.blocks import Block, text
from kamlab.reports.sections.source import Source


def deals(run: Source, t: Translator) -> list[Block]:
    """What the open deals are worth, weighted with their chances, and which of them have stood still."""
    rows, total = run.read("pipeline"), run.read_facts("pipeline_total")
    if rows.empty:
        return [text(t("No pipeline is given, or none of its deals is open."))]
    lines = [
        t.plural(
            "{n} deal is open, worth {money}.",
            "{n} deals are open, worth {money} together.",
            len(rows),
            money=t.money(rows["value"].sum()),
        )
    ]
    if "total" in total:
        lines.append(
            t(
                "Weighted with their chances, which come from the company's own won and lost deals, that is {money} "
                "({level} interval: {low} to {high}).",
                level=t.percent(0.9),
                money=t.money(total["total"]),
                low=t.money(total["lower"]),
                high=t.money(total["upper"]),
            )
        )
    else:
        lines.append(t("Too few deals have been won and lost to tell their chances; grades follow closing dates alone."))
    stalled = int(rows["stalled"].sum())
    if stalled:
        lines.append(
            t.plural(
                "{n} deal is older than {share} of the won ones were when they were won.",
                "{n} deals are older than {share} of the won ones were when they were won.",
                stalled,
                share=t.percent(STALLED_SHARE),
            )
        )
    nameless = int(rows["account"].isna().sum())
    if nameless:
        lines.append(
            t.plural(
                "{n} deal names no account and counts for none.",
                "{n} deals name no account and count for none.",
                nameless,
            )
        )
    return [text(t.join(SENTENCES, lines))]


def payments(run: Source, t: Translator) -> list[Block]:
    """What is unpaid, overdue and disputed."""
    rows = run.read("credit")
    if rows.empty:
        return [text(t("No invoices and payments are given: nothing is known of how accounts pay."))]
    lines = [
        t(
            "{open} of invoices is unpaid, {late} of it past its due date and {long} for more than 90 days.",
            open=t.money(rows["outstanding"].sum()),
            late=t.money(rows["overdue"].sum()),
            long=t.money(rows["overdue_90"].sum()),
        )
    ]
    if rows["disputed"].sum() > 0:
        lines.append(
            t(
                "Besides, customers dispute {money}; it is part of the revenue in this report, and of no overdue amount.",
                money=t.money(rows["disputed"].sum()),
            )
        )
    held = int(((rows["overdue_90"] > 0) | (rows["disputed_90"] > 0)).sum())
    if held:
        lines.append(
            t.plural(
                "{n} account is on hold: it owes or disputes money for more than 90 days.",
                "{n} accounts are on hold: they owe or dispute money for more than 90 days.",
                held,
            )
        )
    return [text(t.join(SENTENCES, lines))]
