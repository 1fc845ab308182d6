"""Data quality: what was read, what could not be used, how it adds up."""

from __future__ import annotations

from datetime import date

import pandas as pd

from kamlab.i18n import N_, SENTENCES, Translator
from kamlab.period import months_to_days
from kamlab.reports.blocks import Block, Callout, TableColumn, callout, table, text
from kamlab.reports.sections import books, unusable
from kamlab.reports.sections.source import Source

PARTS = {
    "read": N_("Read"),
    "quarantined": N_("not usable (quarantine)"),
    "accepted": N_("Accepted"),
    "attributed": N_("with an account: in this report"),
    "unattributed": N_("without an account: revenue that belongs to nobody"),
    "not_revenue": N_("no revenue (free, freight, tax, within the group)"),
    "excluded": N_("left out by the configuration, such as cancelled orders"),
    "after_as_of": N_("after the as-of date: not read further"),
}
WAYS = {
    "encoding": N_("text encoding"),
    "delimiter": N_("columns parted by"),
    "line_end": N_("line ends"),
    "header_line": N_("header in line"),
    "header_again": N_("lines that repeat the header, left out"),
    "sheet": N_("sheet"),
    "database": N_("table or query"),
    "numbers": N_("numbers written like"),
    "dates": N_("dates written like"),
    "ids": N_("ids read without .0"),
    "joined_on": N_("joined by"),
    "unmatched": N_("without a partner"),
    "ragged": N_("rows left out"),
    "converted": N_("converted"),
    "dated_by": N_("day of a line"),
    "tax": N_("tax taken out"),
}


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Data quality"))]


def reconciliation(run: Source, t: Translator) -> list[Block]:
    """Tables of rows and money: what was read and where it went, and how the log agrees with the books."""
    rows = run.read("reconciliation")
    money = run.read_facts("freshness")["has_money"]
    printed = pd.DataFrame(
        {
            "part": [t(PARTS[part]) for part in rows["part"]],
            "rows": [t.number(n) for n in rows["rows"]],
            "money": [t.money_exact(m, 2) if money and pd.notna(m) else None for m in rows["money"]],
        }
    )
    columns = [TableColumn("part", t("Lines of the log")), TableColumn("rows", t("Lines"), "right")]
    if money:
        columns.append(TableColumn("money", t("Money"), "right"))
    foreign = unusable.unconverted(run, t)
    return [
        table(
            printed,
            columns=columns,
            caption=t("Every line that was read is accounted for."),
            note=t.join(SENTENCES, [t("Read = not usable + accepted; accepted = the parts below it."), *foreign]),
        ),
        *books.comparison(run, t),
    ]


def quarantine(run: Source, t: Translator) -> list[Block]:
    """Tables of the rules that lines of the log and rows of the other tables break."""
    return [*unusable.of_the_log(run, t), *unusable.of_other_tables(run, t)]


def completeness(run: Source, t: Translator) -> list[Block]:
    """Say up to which day the data reaches, and what it does not hold."""
    facts = run.read_facts("freshness")
    last = pd.Timestamp(facts["last_line"]).date()
    first = pd.Timestamp(facts["first_line"]).date()
    sentences = [
        t(
            "The log runs from {first} to {last}; its last {days} days have {lines} lines, where about {norm} were to be "
            "expected.",
            first=first,
            last=last,
            days=months_to_days(1),
            lines=facts["last_month_lines"],
            norm=round(facts["norm_lines"]),
        )
    ]
    if facts["repeated_lines"]:
        sentences.append(
            t.plural(
                "{n} line equals another one in every column and has no number of its own; it is kept.",
                "{n} lines equal another one in every column and have no number of their own; they are kept.",
                facts["repeated_lines"],
            )
        )
    blocks: list[Block] = [text(t.join(SENTENCES, sentences))]
    if facts["findings"]:
        blocks.insert(0, stale(run, t))
    missing = left_out(run, t)
    if missing:
        blocks.append(text("\n".join(f"- {line}" for line in missing)))
    return blocks


def readings(run: Source, t: Translator) -> list[Block]:
    """Table of how the log's files were read, and what of it was found out and not set by the configuration."""
    rows = [
        {"file": source, "what": t(WAYS[key]), "value": value, "set": t("found") if key in found else t("set")}
        for source, ways, found, _ in run.read_facts("freshness").get("readings", [])
        for key, value in ways
    ]
    if not rows:
        return []
    columns = [
        TableColumn("file", t("File")),
        TableColumn("what", t("What")),
        TableColumn("value", t("How")),
        TableColumn("set", t("Found out or set")),
    ]
    return [table(pd.DataFrame(rows), columns=columns, caption=t("How the files of the log were read."))]


def stale(run: Source, t: Translator) -> Callout:
    """Say how old or unfinished the log is that was accepted nevertheless."""
    said = [
        t(sentence, **{name: date.fromisoformat(v) if isinstance(v, str) else v for name, v in values.items()})
        for sentence, values in run.read_facts("freshness")["findings"]
    ]
    return callout("danger", t("The log is stale or unfinished"), t.join(SENTENCES, said))


def left_out(run: Source, t: Translator) -> list[str]:
    """Name what the data does not hold, and what this report therefore leaves out."""
    facts, units = run.read_facts("freshness"), run.read("accounts")
    lines = []
    parts = run.read("reconciliation").set_index("part")["rows"]
    if facts["has_master"] and parts["after_as_of"]:
        lines.append(
            t(
                "The log goes on after the as-of date; its later lines are counted and not read. The account master is "
                "today's: only potentials, owners and flags that have dates are those of the as-of date."
            )
        )
    if facts["has_money"] and not facts["has_cost"]:
        lines.append(t("No costs: values are revenue, not contribution, and no account can be found to lose money."))
    if not facts["has_master"]:
        lines.append(t("No account master: no names, owners, groups, prospects or declared potential."))
    elif units["declared_potential"].isna().all():
        lines.append(
            t("No declared potential: an account's own best 12 months stand for it, and every type is provisional.")
        )
    if facts["unlisted_accounts"]:
        lines.append(
            t.plural(
                "{n} account of the log is not in the account master and goes by its number.",
                "{n} accounts of the log are not in the account master and go by their numbers.",
                facts["unlisted_accounts"],
            )
        )
    if facts["has_master"] and units["owner"].isna().all():
        lines.append(t("No owners: nobody can be named for an account."))
    return lines
