"""The first page: what happened, what is to be expected, what to do, and how sure that is."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import MISSING, N_, SENTENCES, Translator
from kamlab.reports.blocks import Block, Kpi, TableColumn, cover, escape, kpis, table, text
from kamlab.reports.sections.caveats import lost_groups
from kamlab.reports.sections.data import left_out
from kamlab.reports.sections.names import ended, signed
from kamlab.reports.sections.source import (
    Interval,
    Source,
    by_strategy,
    can_see_leaving,
    has_cost_to_serve,
    has_flag,
    is_contribution,
    labelled,
    leaving,
    losing,
    past,
    reachable,
    record,
    total,
    total_revenue,
    uneven_festivals,
    value_word,
)
from kamlab.strategies import texts

DEFAULT_CONFIDENTIALITY = N_("Confidential")
"""The configuration's default is translated; a company's own line is printed as it is."""


def title_page(run: Source, t: Translator) -> list[Block]:
    """The cover: whose report, up to which day, what it rests on."""
    return _cover(run, t, t("Key-account report"), t("Customer value, segments and strategies"))


def appendix_page(run: Source, t: Translator) -> list[Block]:
    """The cover of the analysts' appendix."""
    return _cover(run, t, t("Appendix"), t("How the figures of the key-account report came about"))


def _cover(run: Source, t: Translator, title: str, subtitle: str) -> list[Block]:
    facts, units = run.read_facts("freshness"), run.read("accounts")
    bought = run.read("summary")
    seen = facts["accounts_in_log"]
    returned = [(t("Accounts with returns and the like only"), t.number(seen - len(bought)))]
    return [
        cover(
            title,
            translator=t,
            company=run.config.company.name,
            as_of=run.period.calibration_end,
            subtitle=subtitle,
            facts=[
                (t("Data from"), t.date(pd.Timestamp(facts["first_line"]).date())),
                (t("Data to"), t.date(pd.Timestamp(facts["last_line"]).date())),
                (t("Accounts that have bought"), t.number(len(bought))),
                *(returned if seen > len(bought) else []),
                (t("Prospects"), t.number(len(units) - seen)),
            ],
            confidentiality=t(run.config.report.confidentiality),
        )
    ]


def opening(run: Source, t: Translator) -> list[Block]:
    """Heading of the first page."""
    return [text(t("# The answers"))]


def headline(run: Source, t: Translator) -> list[Block]:
    """One paragraph that answers: what happened, and what is to be expected."""
    revenue, future, before = run.read_facts("revenue"), total_revenue(run), past(run)
    parts = [_happened(t("Revenue"), revenue["trailing"], revenue["previous"], t)]
    if revenue["trailing_contribution"] is not None:
        what = t("Contribution before cost to serve") if has_cost_to_serve(run) else t("Contribution")
        parts.append(_happened(what, revenue["trailing_contribution"], revenue["previous_contribution"], t))
    level = t.percent(run.config.value.level)
    parts.append(
        t(
            "Today's customers should bring **{value}** of revenue in the next 12 months ({level} interval: {interval}); in "
            "the last 12 months they brought {before}. Customers still to be won are not counted.",
            value=t.money(future.value),
            level=level,
            interval=future.text(t),
            before=t.money(before.revenue),
        )
    )
    if is_contribution(run):
        margin = total(run)
        message = (
            N_(
                "Of that **{value}** should be contribution after cost to serve ({level} interval: {interval}), against "
                "{before} in the last 12 months."
            )
            if has_cost_to_serve(run)
            else N_(
                "Of that **{value}** should be contribution ({level} interval: {interval}), against {before} in the last 12 "
                "months."
            )
        )
        parts.append(
            t(
                message,
                value=t.money(margin.value),
                level=level,
                interval=margin.text(t),
                before=t.money(before.value),
            )
        )
    return [text(t.join(SENTENCES, parts))]


def _happened(what: str, now: float, before: float | None, t: Translator) -> str:
    """Say what the last 12 months brought, against the 12 before where the log holds them."""
    if not before or before < 0:
        return t(
            "{what} of the last 12 months was **{now}**; the log does not reach back far enough to compare.",
            what=what,
            now=t.money(now),
        )
    change = now / before - 1
    if abs(change) < 0.005:
        return t("{what} of the last 12 months was **{now}**, as in the 12 months before.", what=what, now=t.money(now))
    message = (
        N_("{what} of the last 12 months was **{now}**, {percent} above the 12 months before.")
        if change > 0
        else N_("{what} of the last 12 months was **{now}**, {percent} below the 12 months before.")
    )
    return t(message, what=what, now=t.money(now), percent=t.percent(abs(change)))


def key_figures(run: Source, t: Translator) -> list[Block]:
    """Revenue, expectation, risk and room, each with what it counts."""
    revenue, future, accounts = run.read_facts("revenue"), total(run), labelled(run)
    fading, room = leaving(accounts), reachable(accounts)
    fading = fading[~fading["gone"]]
    expectation = (
        N_("after cost to serve; the same customers: {before} in the last 12 months")
        if is_contribution(run) and has_cost_to_serve(run)
        else N_("today's customers: {before} in the last 12 months")
    )
    items = [
        Kpi(
            t("Revenue, last 12 months"),
            t.money(revenue["trailing"]),
            t("{before} in the 12 months before", before=t.money(revenue["previous"]))
            if revenue["previous"] is not None
            else t("no full year before it in the log"),
        ),
        Kpi(
            t("{value}, next 12 months", value=value_word(run, t)),
            t.money(future.value),
            t(expectation, before=t.money(past(run).value)),
        ),
        Kpi(
            t("Revenue slipping away"),
            t.money(fading["loss"].sum()),
            t.plural(
                "best 12 months before the last 12, less what is expected, at {n} account that buys clearly less",
                "best 12 months before the last 12, less what is expected, at {n} accounts that buy clearly less",
                len(fading),
            ),
            "danger" if len(fading) else "info",
        ),
        Kpi(
            t("Reachable contribution") if is_contribution(run) else t("Reachable revenue"),
            t.money(room["headroom"].sum()),
            t.plural(
                "a year, if all that {n} account could buy more were won",
                "a year, if all that {n} accounts could buy more were won",
                len(room),
            ),
        ),
    ]
    if fading.empty and not can_see_leaving(accounts):
        items[2] = Kpi(t("Revenue slipping away"), MISSING, t("cannot be judged: no account is known for two years"))
    return [kpis(items)]


def asked(run: Source, t: Translator) -> list[Block]:
    """What is asked of management, one line a decision, with accounts and money."""
    accounts = labelled(run)
    fading, room, loss = leaving(accounts), reachable(accounts), losing(accounts)
    slipping, gone = fading[~fading["gone"]], fading[fading["gone"]]
    prospects = accounts[accounts["strategy"] == "acquire"]
    lines = []
    if len(slipping):
        lines.append(
            t.plural(
                "**Protect {n} account** that still buys, but clearly less: {money} of yearly revenue is slipping away.",
                "**Protect {n} accounts** that still buy, but clearly less: {money} of yearly revenue is slipping away.",
                len(slipping),
                money=t.money(slipping["loss"].sum()),
            )
        )
    if len(gone):
        lines.append(
            t.plural(
                "**Decide on {n} account** that has gone silent: its best 12 months brought {money}.",
                "**Decide on {n} accounts** that have gone silent: their best 12 months brought {money}.",
                len(gone),
                money=t.money(gone["peak_revenue"].sum()),
            )
        )
    if room["headroom"].sum() > 0:
        lines.append(
            t.plural(
                "**Develop {n} account** that could buy more: {money} a year if all were won, {share} of it at {name}.",
                "**Develop {n} accounts** that could buy more: {money} a year if all were won, {share} of it at {name}.",
                len(room),
                money=t.money(room["headroom"].sum()),
                share=t.percent(room["headroom"].iloc[0] / room["headroom"].sum()),
                name=escape(room["name"].iloc[0]),
            )
        )
    if len(prospects):
        lines.append(
            t.plural(
                "**Win {n} prospect** that could buy {money} a year.",
                "**Win {n} prospects** that could buy {money} a year together.",
                len(prospects),
                money=t.money(prospects["potential_revenue"].sum()),
            )
        )
    if len(loss):
        lines.append(
            t.plural(
                "**Repair {n} account** that loses money: {money} in the last 12 months.",
                "**Repair {n} accounts** that lose money: {money} in the last 12 months.",
                len(loss),
                money=t.money(-loss["trailing_margin"].sum()),
            )
        )
    if not lines:
        return []
    return [text(t("## What is asked") + "\n\n" + "\n".join(f"- {ended(line)}" for line in lines))]


def strategy_table(run: Source, t: Translator) -> list[Block]:
    """How many accounts each strategy has, and what they bring."""
    accounts = labelled(run)
    rows = by_strategy(run, accounts)
    whole = total(run)
    sums = {
        "strategy": "",
        "accounts": rows["accounts"].sum(),
        "revenue": rows["revenue"].sum(),
        "value": whole.value,
        "lower": whole.lower,
        "upper": whole.upper,
        "headroom": rows["headroom"].sum(),
    }
    every = pd.concat([rows, pd.DataFrame([sums])], ignore_index=True)
    printed = pd.DataFrame(
        {
            "strategy": [t(texts.STRATEGIES[s].name) for s in rows["strategy"]] + [t("All")],
            "accounts": [t.number(n) for n in every["accounts"]],
            "revenue": [t.money(v) for v in every["revenue"]],
            "value": [t.money(v) for v in every["value"]],
            "interval": [
                Interval(0, a, b).text(t) if pd.notna(a) else None
                for a, b in zip(every["lower"], every["upper"], strict=True)
            ],
            "headroom": [t.money(v) for v in every["headroom"]],
        }
    )
    columns = [
        TableColumn("strategy", t("Strategy")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("revenue", t("Revenue, last 12 months"), "right"),
        TableColumn("value", t("{value}, next 12 months", value=value_word(run, t)), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(run.config.value.level)), "right"),
        TableColumn("headroom", t("Headroom a year"), "right"),
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("The strategies: how many accounts each has, and what they bring."),
            note=t.join(
                SENTENCES,
                [
                    t("Headroom = what the accounts could buy beyond the forecast, at their margin rate.")
                    if is_contribution(run)
                    else t("Headroom = what the accounts could buy beyond the forecast."),
                    t("The intervals of the parts do not add up to that of the whole: not all go wrong together."),
                    *_two_lists(accounts, t),
                    *_outside(run, rows["revenue"].sum(), t),
                ],
            ),
            total_rows=1,
        )
    ]


def _two_lists(accounts: pd.DataFrame, t: Translator) -> list[str]:
    """Say where the accounts of “Win back” are listed: those that still buy stand under “Protect”."""
    rows = leaving(accounts)
    won, watched = rows[rows["strategy"] == "win_back"], rows[rows["strategy"] != "win_back"]
    lines = []
    if len(won):
        lines.append(
            t(
                "“Win back” in this table: {n}; still buying, but less: {still} (list “Protect”); gone silent: {gone} (list "
                "“Win back”).",
                n=t.number(len(won)),
                still=t.number((~won["gone"]).sum()),
                gone=t.number(won["gone"].sum()),
            )
        )
    if len(watched):
        lines.append(
            t.plural(
                "{n} silent account of another strategy is watched and listed with them.",
                "{n} silent accounts of other strategies are watched and listed with them.",
                len(watched),
            )
        )
    return lines


def _outside(run: Source, inside: float, t: Translator) -> list[str]:
    """Say how much of the company's revenue is not in the table: without an account, or of accounts that never bought."""
    rest = run.read_facts("revenue")["trailing"] - inside
    if abs(rest) <= 0.001 * abs(inside):
        return []
    return [
        t(
            "{money} of the company's revenue is not in the table: lines without an account, and accounts that only "
            "returned goods.",
            money=t.money(rest),
        )
    ]


def how_sure(run: Source, t: Translator) -> list[Block]:
    """The forecast's record, the ground under the potential, and what the data lacks."""
    choice, rows = run.read_facts("choice"), record(run)
    lines = []
    if len(rows):
        model, naive = rows.loc[choice["forecaster"]], rows.loc["last_horizon"]
        write = t.money if model["target"] == "revenue" else t.number
        said = {
            "origin": pd.Timestamp(model["origin"]).date(),
            "forecast": write(model["forecast"]),
            "actual": write(model["actual"]),
            "bias": signed(model["bias"], t),
        }
        if choice["forecaster"] == "last_horizon":
            message = N_(
                "The same forecast made on {origin} said {forecast} for the period after it; {actual} came ({bias})."
            )
        else:
            said |= {"naive": write(naive["forecast"]), "naive_bias": signed(naive["bias"], t)}
            message = N_(
                "The same forecast made on {origin} said {forecast} for the period after it; {actual} came "
                "({bias}). “Same as in the last period” said {naive} ({naive_bias})."
            )
        lines += [t(message, **said), *lost_groups(run, t)]
    else:
        lines.append(
            t("Too few accounts have bought to test the forecast on a period that has already passed.")
            if choice["few"]
            else t("The log is too short to test the forecast on a period that has already passed.")
        )
    worth, units = run.read("potential"), run.read("accounts")
    declared, fitted = ((worth["potential_source"] == source).mean() for source in ("declared", "fitted"))
    if fitted:
        lines.append(
            t(
                "What accounts could buy is declared by sales for {declared} of them; for {fitted} it is the level that "
                "one in ten similar accounts exceeds, which is more than most will ever buy. Other customers stand at "
                "their own best 12 months or at their open deals, and their type is provisional.",
                declared=t.percent(declared),
                fitted=t.percent(fitted),
            )
        )
    elif declared:
        lines.append(
            t(
                "What accounts could buy is declared by sales for {share} of them. Other customers stand at their own best "
                "12 months or at their open deals, and their type is provisional.",
                share=t.percent(declared),
            )
        )
    if declared:
        low = int(worth["below_own_peak"].sum())
        if low:
            lines.append(
                t.plural(
                    "{n} declaration lies below what the account has already bought in 12 months; that counts instead.",
                    "{n} declarations lie below what the accounts have already bought in 12 months; that counts instead.",
                    low,
                )
            )
    parts = run.read("reconciliation").set_index("part")
    lines.append(
        t(
            "Of {read} lines read, {bad} cannot be used; {orphans} of revenue has no account.",
            read=t.number(parts.loc["read", "rows"]),
            bad=t.number(parts.loc["quarantined", "rows"]),
            orphans=t.money(float(parts.loc["unattributed", "money"])),
        )
    )
    if len(units) > 0:
        ownerless = int(has_flag(labelled(run), "no_owner").sum())
        if ownerless and units["owner"].notna().any():
            lines.append(
                t.plural("{n} account has no owner in sales.", "{n} accounts have no owner in sales.", ownerless)
            )
    lines += left_out(run, t)
    return [text(t("## How sure is this?") + "\n\n" + "\n".join(f"- {line}" for line in lines))]
