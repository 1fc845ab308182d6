"""Whom to act on now: the top ten of each strategy, the reason in one line, and urgent facts."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from kamlab.i18n import N_, Translator
from kamlab.reports.blocks import Block, TableColumn, escape, table, text
from kamlab.reports.sections.source import Source, at_risk, has_flag, labelled, reachable, value_word
from kamlab.strategies import texts

TOP = 10


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Whom to act on now"))]


def win_back(run: Source, t: Translator) -> list[Block]:
    """Accounts that are leaving, by what leaves with them."""
    rows = at_risk(labelled(run))
    return _list(
        run,
        t,
        rows,
        heading=t("### Win back and protect"),
        empty=t("No account of high value is leaving."),
        caption=t("Accounts that are leaving, by the yearly revenue that leaves with them."),
        figures={"loss": t("Revenue at risk a year"), "expected_contribution": value_word(run, t)},
    )


def promote(run: Source, t: Translator) -> list[Block]:
    """Accounts that could buy more, by headroom."""
    return _list(
        run,
        t,
        reachable(labelled(run)),
        heading=t("### Promote"),
        empty=t("No account has room to grow that can be seen in this data."),
        caption=t("Accounts to promote, by headroom."),
        figures={"headroom": t("Headroom a year"), "expected_contribution": value_word(run, t)},
    )


def acquire(run: Source, t: Translator) -> list[Block]:
    """Prospects worth winning, by potential."""
    accounts = labelled(run)
    rows = accounts[accounts["strategy"] == "acquire"].sort_values(
        ["potential_revenue", "account"], ascending=[False, True]
    )
    return _list(
        run,
        t,
        rows,
        heading=t("### Acquire"),
        empty=t("The data names no prospect with a potential that is worth a campaign."),
        caption=t("Prospects to acquire, by what they could buy a year."),
        figures={"potential_revenue": t("Potential a year")},
    )


def repair(run: Source, t: Translator) -> list[Block]:
    """Accounts that lose money while they buy."""
    accounts = labelled(run)
    rows = accounts[has_flag(accounts, "repair")].sort_values(["trailing_revenue", "account"], ascending=[False, True])
    facts = run.read_facts("freshness")
    return _list(
        run,
        t,
        rows,
        heading=t("### Repair"),
        empty=t("No account loses money with the certainty that the rule asks for.")
        if facts["has_cost"]
        else t("No costs are known, so no account can be found to lose money."),
        caption=t("Accounts that lose money while they buy: price, terms and cost before volume."),
        figures={"trailing_revenue": t("Revenue, last 12 months"), "margin_rate": t("Margin rate")},
    )


def retain(run: Source, t: Translator) -> list[Block]:
    """The most valuable accounts to keep."""
    accounts = labelled(run)
    rows = accounts[(accounts["strategy"] == "retain") & ~has_flag(accounts, "watch")].sort_values(
        ["expected_contribution", "account"], ascending=[False, True]
    )
    return _list(
        run,
        t,
        rows,
        heading=t("### Retain"),
        empty=t("No account stands under this strategy."),
        caption=t("The most valuable accounts to keep."),
        figures={"expected_contribution": value_word(run, t), "p_alive": t("Still buys with probability")},
    )


def urgent(run: Source, t: Translator) -> list[Block]:
    """Facts that somebody has to settle first: accounts without an owner, orders that returned, reviews by hand."""
    accounts = labelled(run)
    lines = []
    if accounts["owner"].notna().any():
        orphans = accounts[has_flag(accounts, "no_owner") & accounts["plan_required"]]
        if len(orphans):
            lines.append(
                t.plural(
                    "{n} account that needs a plan has no owner: {names}.",
                    "{n} accounts that need a plan have no owner: {names}.",
                    len(orphans),
                    names=_names(orphans),
                )
            )
    for flag, one, many in _URGENT:
        marked = accounts[has_flag(accounts, flag)]
        if len(marked):
            lines.append(t.plural(one, many, len(marked), names=_names(marked)))
    if not lines:
        return []
    return [text(t("### Urgent facts") + "\n\n" + "\n".join(f"- {line}" for line in lines))]


_URGENT = (
    (
        "returning",
        N_("{n} account has come back after more than a year: {names}."),
        N_("{n} accounts have come back after more than a year: {names}."),
    ),
    (
        "review",
        N_("{n} account with two large orders in different years has to be judged by hand: {names}."),
        N_("{n} accounts with two large orders in different years have to be judged by hand: {names}."),
    ),
    (
        "override",
        N_("{n} account is decided by hand against the rule: {names}."),
        N_("{n} accounts are decided by hand against the rule: {names}."),
    ),
)


def _names(rows: pd.DataFrame, limit: int = 8) -> str:
    ordered = rows.sort_values(["trailing_revenue", "account"], ascending=[False, True])
    names = ", ".join(escape(name) for name in ordered["name"].head(limit))
    return f"{names} …" if len(rows) > limit else names


def _list(
    run: Source,
    t: Translator,
    rows: pd.DataFrame,
    *,
    heading: str,
    empty: str,
    caption: str,
    figures: dict[str, str],
) -> list[Block]:
    """One heading, and under it the first ten accounts or the reason why there are none."""
    if rows.empty:
        return [text(f"{heading}\n\n{empty}")]
    first = rows.head(TOP)
    write: dict[str, Callable[[float], str]] = {"margin_rate": t.percent, "p_alive": t.percent}

    def whole(money: float) -> str:
        """Write cents as nothing: they are what a forecast leaves of an account that is gone."""
        return t.money(money if abs(money) >= 1 else 0.0)

    printed = pd.DataFrame(
        {
            "name": first["name"].astype(str),
            "type": first["type_000"].where(first["type_000"].notna(), None),
            **{key: [write.get(key, whole)(v) for v in first[key]] for key in figures},
            "owner": first["owner"].where(first["owner"].notna(), None),
            "reason": [texts.reason(t, row) for row in first.to_dict("records")],
        }
    )
    columns = [TableColumn("name", t("Account"), width=24)]
    if first["type_000"].notna().any():
        columns.append(TableColumn("type", t("Type"), "center", width=5))
    columns += [TableColumn(key, label, "right", width=11) for key, label in figures.items()]
    if run.read("accounts")["owner"].notna().any():
        columns.append(TableColumn("owner", t("Owner"), width=13))
    columns.append(TableColumn("reason", t("Why"), width=34))
    note = t.plural(
        "{n} more account in the table strategies.", "{n} more accounts in the table strategies.", len(rows) - TOP
    )
    return [
        text(heading),
        table(printed, columns=columns, caption=caption, note=note if len(rows) > TOP else ""),
    ]
