"""Whom to act on now: the top ten of each strategy, the reason in one line, and urgent facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from kamlab.i18n import COMMAS, MISSING, SENTENCES, Translator
from kamlab.reports.blocks import Align, Block, TableColumn, escape, page_break, table, text
from kamlab.reports.sections.caveats import declining
from kamlab.reports.sections.names import ended, probability
from kamlab.reports.sections.source import (
    Source,
    can_see_leaving,
    fading_forecasts,
    has_flag,
    is_contribution,
    labelled,
    leaving,
    losing,
    reachable,
    value_word,
)
from kamlab.segment_names import translated
from kamlab.strategies import wording

TOP = 10


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [page_break(), text(t("## Whom to act on now"))]


def protect(run: Source, t: Translator) -> list[Block]:
    """Accounts that still buy, but clearly less, by the revenue that is slipping away."""
    accounts = labelled(run)
    rows = leaving(accounts)
    rows = rows[~rows["gone"]]
    return _list(
        run,
        t,
        rows,
        heading=t("### Protect"),
        empty=t("No account of high value buys clearly less than it did.")
        if can_see_leaving(accounts)
        else t("Cannot be judged from this log: no account is known for two years."),
        caption=t(
            "Accounts that still buy, but clearly less: the best 12 months before the last 12, less expected revenue, are "
            "slipping away."
        ),
        figures={"loss": t("Slipping away a year"), "expected_revenue": t("Expected revenue")},
        notes=declining(run, t) if len(rows) else (),
    )


def win_back(run: Source, t: Translator) -> list[Block]:
    """Accounts of high value that have gone silent, the latest first."""
    accounts = labelled(run)
    rows = leaving(accounts)
    return _list(
        run,
        t,
        rows[rows["gone"]].sort_values(["days_since_last", "account"]),
        heading=t("### Win back"),
        empty=t("No account of high value has gone silent.")
        if can_see_leaving(accounts)
        else t("Cannot be judged from this log: no account is known for two years."),
        caption=t("Accounts that have gone silent, the latest first: the longer ago, the harder to win back."),
        figures={"peak_revenue": t("Revenue of best 12 months"), "p_alive": t("Still buys with probability")},
    )


def promote(run: Source, t: Translator) -> list[Block]:
    """Accounts that could buy more, by headroom."""
    accounts = labelled(run)
    rows = reachable(accounts)
    full = int((accounts["strategy"] == "promote").sum()) - len(rows)
    return _list(
        run,
        t,
        rows,
        heading=t("### Promote"),
        empty=t("No account has room to grow that can be seen in this data."),
        caption=t("Accounts to promote, by headroom: what they could buy beyond the forecast, at their margin rate.")
        if is_contribution(run)
        else t("Accounts to promote, by headroom: what they could buy beyond the forecast."),
        figures={"headroom": t("Headroom a year"), "expected_contribution": value_word(run, t)},
        notes=[
            t.plural(
                "{n} account under this strategy has no headroom beyond its forecast and is not listed.",
                "{n} accounts under this strategy have no headroom beyond their forecast and are not listed.",
                full,
            )
        ]
        if full
        else (),
    )


def acquire(run: Source, t: Translator) -> list[Block]:
    """Prospects worth winning, by potential."""
    accounts = labelled(run)
    rows = accounts[accounts["strategy"] == "acquire"].sort_values(
        ["potential_revenue", "account"], ascending=[False, True]
    )
    likely, known = run.read("prospect_segments"), run.read_facts("prospect_segments").get("better")
    first = likely[(likely["rank"] == 1) & bool(known)].set_index("account")
    said = {a: translated(n, t) for a, n in first["segment_name"].items()}
    rows = rows.assign(likely=[said.get(account, MISSING) for account in rows["account"]])
    return _list(
        run,
        t,
        rows,
        heading=t("### Acquire"),
        empty=t("The data names no prospect with a potential that is worth a campaign."),
        caption=t("Prospects to acquire, by what they could buy a year."),
        figures={"potential_revenue": t("Potential a year"), **({"likely": t("Likeliest segment")} if said else {})},
    )


def repair(run: Source, t: Translator) -> list[Block]:
    """Accounts that lose money while they buy."""
    accounts = labelled(run)
    rows = losing(accounts)
    rows = rows.assign(own_rate=rows["margin"] / rows["costed_revenue"].where(rows["costed_revenue"] > 0))
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
        figures={"trailing_margin": t("Margin, last 12 months"), "own_rate": t("Margin rate, 3 years")},
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
                    names=_names(orphans, t),
                )
            )
    doubtful = fading_forecasts(accounts)
    if len(doubtful):
        lines.append(
            t.plural(
                "{n} account has probably gone, and is still forecast with {money} of revenue: {names}. Take that off where "
                "you know it.",
                "{n} accounts have probably gone, and are still forecast with {money} of revenue: {names}. Take that off "
                "where you know it.",
                len(doubtful),
                money=t.money(doubtful["expected_revenue"].sum()),
                names=_with_probability(doubtful, t),
            )
        )
    for flag, write in _URGENT.items():
        marked = accounts[has_flag(accounts, flag)]
        if len(marked):
            lines.append(write(t, len(marked), _names(marked, t)))
    if not lines:
        return []
    return [text(t("### Urgent facts") + "\n\n" + "\n".join(f"- {ended(line)}" for line in lines))]


def stale_plans(run: Source, t: Translator) -> list[Block]:
    """Account plans that were written once and that nobody has touched for longer than is allowed."""
    plans = run.read("plans")
    stale = plans[plans["stale"] & plans["updated"].notna()]
    if stale.empty:
        return []
    accounts = labelled(run)
    said = t.plural(
        "{n} account plan has not been touched for longer than is allowed: {names}.",
        "{n} account plans have not been touched for longer than is allowed: {names}.",
        len(stale),
        names=_names(accounts[accounts["account"].isin(stale["account"])], t),
    )
    return [text(f"- {ended(said)}")]


_URGENT: Mapping[str, Callable[[Translator, int, str], str]] = {
    "hold": lambda t, n, names: t.plural(
        "{n} account has owed money for more than 90 days; deliveries on credit are on hold: {names}.",
        "{n} accounts have owed money for more than 90 days; deliveries on credit are on hold: {names}.",
        n,
        names=names,
    ),
    "check_margin": lambda t, n, names: t.plural(
        "{n} account more likely loses money than not, and is not yet to be repaired: {names}.",
        "{n} accounts more likely lose money than not, and are not yet to be repaired: {names}.",
        n,
        names=names,
    ),
    "returning": lambda t, n, names: t.plural(
        "{n} account has come back after more than a year: {names}.",
        "{n} accounts have come back after more than a year: {names}.",
        n,
        names=names,
    ),
    "review": lambda t, n, names: t.plural(
        "{n} account with two large orders in different years has to be judged by hand: {names}.",
        "{n} accounts with two large orders in different years have to be judged by hand: {names}.",
        n,
        names=names,
    ),
    "override": lambda t, n, names: t.plural(
        "{n} account is decided by hand against the rule: {names}.",
        "{n} accounts are decided by hand against the rule: {names}.",
        n,
        names=names,
    ),
}
"""Flag → the sentence that names its accounts."""


def _names(rows: pd.DataFrame, t: Translator, limit: int = 8) -> str:
    ordered = rows.sort_values(["trailing_revenue", "account"], ascending=[False, True])
    names = t.join(COMMAS, map(escape, ordered["name"].head(limit)))
    return t("{list} …", list=names) if len(rows) > limit else names


def _owner(row: Any, t: Translator) -> str | None:
    """Name an account's owner, and say where the owner has left."""
    if pd.isna(row.owner):
        return None
    return t("{name} ({facts})", name=row.owner, facts=t("left")) if row.owner_left else str(row.owner)


def _with_probability(rows: pd.DataFrame, t: Translator, limit: int = 8) -> str:
    """Name accounts, each with the probability that it still buys."""
    first = zip(rows["name"].head(limit), rows["p_alive"].head(limit), strict=True)
    names = t.join(
        COMMAS, (t("{name} ({probability})", name=escape(n), probability=probability(p, t)) for n, p in first)
    )
    return t("{list} …", list=names) if len(rows) > limit else names


def _list(
    run: Source,
    t: Translator,
    rows: pd.DataFrame,
    *,
    heading: str,
    empty: str,
    caption: str,
    figures: dict[str, str],
    notes: Sequence[str] = (),
) -> list[Block]:
    """One heading, and under it the first ten accounts or the reason why there are none."""
    if rows.empty:
        return [text(f"{heading}\n\n{t.join(SENTENCES, [empty, *notes])}")]
    first = rows.head(TOP)
    write: dict[str, Callable[[Any], str]] = {
        "likely": str,
        "own_rate": t.percent,
        "p_alive": lambda p: probability(p, t),
    }

    def whole(money: float) -> str:
        """Write cents as nothing: they are what a forecast leaves of an account that is gone."""
        return t.money(money if abs(money) >= 1 else 0.0)

    printed = pd.DataFrame(
        {
            "name": first["name"].astype(str),
            "type": first["type_000"].where(first["type_000"].notna(), None),
            **{key: [write.get(key, whole)(v) for v in first[key]] for key in figures},
            "owner": [_owner(row, t) for row in first.itertuples()],
            "reason": [wording.reason(t, row) for row in first.to_dict("records")],
        }
    )
    columns = [TableColumn("name", t("Account"))]
    if first["type_000"].notna().any():
        columns.append(TableColumn("type", t("Type"), "center", width=5))
    for key, label in figures.items():
        align: Align = "left" if key == "likely" else "right"
        columns.append(TableColumn(key, label, align))
    if run.read("accounts", columns=["owner"])["owner"].notna().any():
        columns.append(TableColumn("owner", t("Owner")))
    columns.append(TableColumn("reason", t("Why")))
    more = t.plural(
        "{n} more account is in the workbook.",
        "{n} more accounts are in the workbook.",
        len(rows) - TOP,
    )
    said = [more, *notes] if len(rows) > TOP else notes
    return [
        text(heading),
        table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, said)),
    ]
