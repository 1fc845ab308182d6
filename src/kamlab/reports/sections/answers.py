"""The first page: what happened, what is to be expected, what to do, and how sure that is."""

from __future__ import annotations

import pandas as pd

from kamlab.i18n import MISSING, N_, SENTENCES, Translator
from kamlab.reports.blocks import Block, Kpi, TableColumn, callout, cover, escape, kpis, table, text
from kamlab.reports.sections.data import left_out, stale
from kamlab.reports.sections.source import (
    Interval,
    Source,
    by_strategy,
    can_see_leaving,
    has_flag,
    is_contribution,
    labelled,
    leaving,
    losing,
    reachable,
    record,
    total,
    total_revenue,
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


def warnings(run: Source, t: Translator) -> list[Block]:
    """What a reader must know before any number: a stale log, or a forecast that a simple rule beats."""
    blocks: list[Block] = []
    if run.read_facts("freshness")["findings"]:
        blocks.append(stale(run, t))
    choice = run.read_facts("choice")
    if choice["beaten_by"]:
        rows = record(run)
        best = min(choice["beaten_by"], key=lambda name: rows.loc[name, "rmse"])
        blocks.append(
            callout(
                "warning",
                t("A simple rule forecast the last period better"),
                t(
                    "“{rule}” had an error of {rule_error} per account, this report's forecast {model_error}. "
                    "Take the forecasts of single accounts below with care.",
                    rule=forecaster_name(best, t),
                    rule_error=_error(rows.loc[best], t),
                    model_error=_error(rows.loc[choice["forecaster"]], t),
                ),
            )
        )
    rows = record(run)
    if rows.empty:
        blocks.append(
            callout(
                "warning",
                t("The forecast has never been tested"),
                t(
                    "The log is too short to let it forecast a period that has already passed. Its intervals say how far "
                    "the model doubts itself, not how wrong it may be."
                ),
            )
        )
    elif choice["chosen_by"] == "short":
        blocks.append(
            callout(
                "warning",
                t("The choice of the forecast cannot be supported"),
                t(
                    "The log holds less than two horizons: the forecast was chosen on a test with a shorter history than "
                    "it has now."
                ),
            )
        )
    off = rows.loc[choice["forecaster"], "bias"] if len(rows) else 0.0
    if abs(off) > FAR_OFF:
        blocks.append(
            callout(
                "warning",
                t("The last forecast of the whole was far off"),
                t(
                    "Made on {origin}, it missed what came by {bias}. Types and levels below rest on the same model: take "
                    "them as provisional.",
                    origin=pd.Timestamp(rows.loc[choice["forecaster"], "origin"]).date(),
                    bias=signed(off, t),
                ),
            )
        )
    return blocks


MODEL_NAMES = {
    "nbd": "NBD",
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "bg_cnbd": "BG/CNBD-k",
    "mbg_cnbd": "MBG/CNBD-k",
    "pareto_nbd": "Pareto/NBD",
    "gamma_gamma": "Gamma-Gamma",
    "log_normal_spend": "Log-normal",
}
"""As the papers write them, in every language."""

FAR_OFF = 0.2
"""A total that missed by more than this share is said before anything else."""


def forecaster_name(name: str, t: Translator) -> str:
    """Return the name of a forecaster as readers know it."""
    names = {
        "last_horizon": t("Same as in the last period"),
        "seasonal": t("Same days a year ago"),
        "trailing": t("Last 12 months, scaled"),
        "rate": t("Rate so far, carried on"),
        "same_count": t("As often as ever before"),
        "always_0": t("Nobody buys again"),
        "blend": t("Model and last period, mixed"),
        "combination": t("Mean of model, last 12 months and learner"),
        "supervised": t("Learner (boosted trees)"),
    }
    return names.get(name, MODEL_NAMES.get(name, name))


def _error(row: pd.Series, t: Translator) -> str:
    return t.money(row["rmse"]) if row["target"] == "revenue" else t.number(row["rmse"], 2)


def headline(run: Source, t: Translator) -> list[Block]:
    """One paragraph that answers: what happened, and what is to be expected."""
    revenue, future = run.read_facts("revenue"), total_revenue(run)
    parts = [_happened(t("Revenue"), revenue["trailing"], revenue["previous"], t)]
    if revenue["trailing_contribution"] is not None:
        parts.append(
            _happened(t("Contribution"), revenue["trailing_contribution"], revenue["previous_contribution"], t)
        )
    level = t.percent(run.config.value.level)
    parts.append(
        t(
            "The next 12 months should bring **{value}** of revenue ({level} interval: {interval}).",
            value=t.money(future.value),
            level=level,
            interval=future.text(t),
        )
    )
    if is_contribution(run):
        margin = total(run)
        parts.append(
            t(
                "Of that **{value}** should be contribution ({level} interval: {interval}).",
                value=t.money(margin.value),
                level=level,
                interval=margin.text(t),
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
    before = revenue["trailing_contribution"] if is_contribution(run) else revenue["trailing"]
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
            t("{before} in the last 12 months", before=t.money(before)),
        ),
        Kpi(
            t("Revenue slipping away"),
            t.money(fading["loss"].sum()),
            t.plural(
                "best 12 months less what is expected, at {n} account that buys clearly less",
                "best 12 months less what is expected, at {n} accounts that buy clearly less",
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
    return [text(t("## What is asked") + "\n\n" + "\n".join(f"- {line}" for line in lines))]


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
                    *_outside(run, rows["revenue"].sum(), t),
                ],
            ),
            total_rows=1,
        )
    ]


def _outside(run: Source, inside: float, t: Translator) -> list[str]:
    """Say how much of the company's revenue is not in the table: without an account, or of accounts that never bought."""
    rest = run.read_facts("revenue")["trailing"] - inside
    if abs(rest) < 0.001 * abs(inside):
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
        lines.append(
            t(
                "The same forecast made on {origin} said {forecast} for the period after it; {actual} came "
                "({bias}). “Same as in the last period” said {naive} ({naive_bias}).",
                origin=pd.Timestamp(model["origin"]).date(),
                forecast=write(model["forecast"]),
                actual=write(model["actual"]),
                bias=signed(model["bias"], t),
                naive=write(naive["forecast"]),
                naive_bias=signed(naive["bias"], t),
            )
        )
    else:
        lines.append(t("The log is too short to test the forecast on a period that has already passed."))
    worth, units = run.read("potential"), run.read("accounts")
    declared, fitted = ((worth["potential_source"] == source).mean() for source in ("declared", "fitted"))
    if fitted:
        lines.append(
            t(
                "What accounts could buy is declared by sales for {declared} of them; for {fitted} it is the level that "
                "one in ten similar accounts exceeds, which is more than most will ever buy. Other customers stand at "
                "their own best 12 months, and their type is provisional.",
                declared=t.percent(declared),
                fitted=t.percent(fitted),
            )
        )
    elif declared:
        lines.append(
            t(
                "What accounts could buy is declared by sales for {share} of them. Other customers stand at their own best "
                "12 months, and their type is provisional.",
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


def signed(share: float, t: Translator) -> str:
    """Write a deviation with its sign."""
    return ("+" if share > 0 else "") + t.percent(share)
