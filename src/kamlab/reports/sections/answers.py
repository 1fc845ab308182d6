"""The first page: what happened, what is to be expected, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kamlab.i18n import MISSING, N_, SEMICOLONS, SENTENCES, Translator
from kamlab.reports.blocks import Block, Kpi, kpis, text
from kamlab.reports.sections import books, covers, review, targets
from kamlab.reports.sections.caveats import nearest_rule
from kamlab.reports.sections.data import left_out
from kamlab.reports.sections.decisions import asked_for
from kamlab.reports.sections.names import signed
from kamlab.reports.sections.source import (
    Source,
    can_see_leaving,
    has_cost_to_serve,
    has_credit_cost,
    is_contribution,
    labelled,
    leaving,
    past,
    past_contribution,
    reachable,
    record,
    total,
    total_revenue,
)

SAME = 0.005
"""Half a percent more or less is called the same."""

DEFAULT_CONFIDENTIALITY = N_("Confidential")
"""The configuration's default is translated; a company's own line is printed as it is."""


def title_page(run: Source, t: Translator) -> list[Block]:
    """The cover: whose report, up to which day, what it rests on."""
    return _cover(run, t, t("Key-account report"), t("Customer value, segments and strategies"), compact=True)


def appendix_page(run: Source, t: Translator) -> list[Block]:
    """The cover of the analysts' appendix."""
    return _cover(run, t, t("Appendix"), t("How the figures of the key-account report came about"))


def review_page(run: Source, t: Translator) -> list[Block]:
    """The cover of the period review."""
    return _cover(run, t, t("Period review"), t("Plan, forecast, movement and actions"), compact=True)


def _cover(run: Source, t: Translator, title: str, subtitle: str, *, compact: bool = False) -> list[Block]:
    units, bought = run.read("accounts", columns=["account"]), run.read("summary", columns=["account"])
    seen = run.read_facts("freshness")["accounts_in_log"]
    returned = [(t("Accounts with returns and the like only"), t.number(seen - len(bought)))]
    facts = [
        (t("Accounts that have bought"), t.number(len(bought))),
        *(returned if seen > len(bought) else []),
        (t("Prospects"), t.number(len(units) - seen)),
    ]
    return [covers.page(run, t, title, subtitle, facts, compact=compact)]


def opening(run: Source, t: Translator) -> list[Block]:
    """Heading of the first page, its answer in one sentence: what happened, and what is asked."""
    revenue, found = run.read_facts("revenue"), asked_for(run)
    said = [
        _moved(revenue["trailing"], revenue["previous"], t),
        *_asked(found, t, contribution=is_contribution(run)),
    ]
    return [text("# " + t.join(SEMICOLONS, said))]


def _moved(now: float, before: float | None, t: Translator) -> str:
    """Say in a few words how revenue moved."""
    if not before or before < 0:
        return t("Revenue of the last 12 months: {now}", now=t.money(now))
    change = now / before - 1
    if abs(change) < SAME:
        return t("Revenue held at {now}", now=t.money(now))
    message = N_("Revenue rose {percent} to {now}") if change > 0 else N_("Revenue fell {percent} to {now}")
    return t(message, percent=t.percent(abs(change)), now=t.money(now))


def _asked(found: Mapping[str, tuple[pd.DataFrame, float]], t: Translator, *, contribution: bool) -> list[str]:
    """Say in a few words what is at risk and what can be reached."""
    lines = []
    at_risk = [found[name] for name in ("protect", "win_back") if name in found]
    if at_risk:
        lines.append(
            t.plural(
                "{n} account puts {money} of revenue a year at risk",
                "{n} accounts put {money} of revenue a year at risk",
                sum(len(rows) for rows, _ in at_risk),
                money=t.money(sum(money for _, money in at_risk)),
            )
        )
    if "promote" in found:
        rows, money = found["promote"]
        lines.append(
            t.plural(
                "{n} account could bring {money} more {value}",
                "{n} accounts could bring {money} more {value}",
                len(rows),
                money=t.money(money),
                value=t("contribution") if contribution else t("revenue"),
            )
        )
    return lines


COMING = {
    (False, False): N_(
        "In the next 12 months today's customers should bring **{value}** of contribution ({level} interval: "
        "{interval}), against {before} in the last 12."
    ),
    (True, False): N_(
        "In the next 12 months today's customers should bring **{value}** after cost to serve ({level} interval: "
        "{interval}), against {before} in the last 12."
    ),
    (False, True): N_(
        "In the next 12 months today's customers should bring **{value}** after the cost of selling on credit ({level} "
        "interval: {interval}), against {before} in the last 12."
    ),
    (True, True): N_(
        "In the next 12 months today's customers should bring **{value}** after the cost of service and of credit "
        "({level} interval: {interval}), against {before} in the last 12."
    ),
}
"""What the contribution is called, by whether it is net of the cost to serve and of that of selling on credit."""


def headline(run: Source, t: Translator) -> list[Block]:
    """One paragraph: revenue against plan, and contribution, where costs are known: what it was and is expected to be."""
    revenue, parts = run.read_facts("revenue"), targets.against_plan(run, t)
    if revenue["trailing_contribution"] is not None:
        parts.append(
            _happened(past_contribution(run, t), revenue["trailing_contribution"], revenue["previous_contribution"], t)
        )
    if is_contribution(run):
        margin = total(run)
        parts.append(
            t(
                COMING[has_cost_to_serve(run), has_credit_cost(run)],
                value=t.money(margin.value),
                level=t.percent(run.config.value.level),
                interval=margin.text(t),
                before=t.money(past(run).value),
            )
        )
    return [text(t.join(SENTENCES, parts))] if parts else []


def _happened(what: str, now: float, before: float | None, t: Translator) -> str:
    """Say what the last 12 months brought, against the 12 before where the log holds them."""
    if not before or before < 0:
        return t(
            "{what} of the last 12 months was **{now}**; the log does not reach back far enough to compare.",
            what=what,
            now=t.money(now),
        )
    change = now / before - 1
    if abs(change) < SAME:
        return t("{what} of the last 12 months was **{now}**, as in the 12 months before.", what=what, now=t.money(now))
    message = (
        N_("{what} of the last 12 months was **{now}**, {percent} above the 12 months before.")
        if change > 0
        else N_("{what} of the last 12 months was **{now}**, {percent} below the 12 months before.")
    )
    return t(message, what=what, now=t.money(now), percent=t.percent(abs(change)))


def key_figures(run: Source, t: Translator) -> list[Block]:
    """Revenue, expectation, risk and room, each with what it counts."""
    revenue, future, accounts = run.read_facts("revenue"), total_revenue(run), labelled(run)
    fading, room = leaving(accounts), reachable(accounts)
    fading = fading[~fading["gone"]]
    items = [
        Kpi(
            t("Revenue, last 12 months"),
            t.money(revenue["trailing"]),
            t("{before} in the 12 months before", before=t.money(revenue["previous"]))
            if revenue["previous"] is not None
            else t("no full year before it in the log"),
        ),
        Kpi(
            t("Revenue, next 12 months"),
            t.money(future.value),
            t(
                "{level} interval: {interval}; from today's customers",
                level=t.percent(run.config.value.level),
                interval=future.text(t),
            ),
        ),
        Kpi(
            t("Revenue slipping away"),
            t.money(fading["loss"].sum()),
            t.plural(
                "a year, at {n} account that buys clearly less",
                "a year, at {n} accounts that buy clearly less",
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


def how_sure(run: Source, t: Translator) -> list[Block]:
    """The forecast's record, the ground under the potential, what became of agreed actions, and what the data lacks."""
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
        if "last_horizon" in (choice["forecaster"], nearest_rule(run)):
            # Either there is nothing to compare, or the page has begun with it.
            message = N_(
                "The same forecast made on {origin} said {forecast} for the period after it; {actual} came ({bias})."
            )
        else:
            said |= {"naive": write(naive["forecast"]), "naive_bias": signed(naive["bias"], t)}
            message = N_(
                "The same forecast made on {origin} said {forecast} for the period after it; {actual} came "
                "({bias}). “Same as in the last period” said {naive} ({naive_bias})."
            )
        lines.append(t(message, **said))
    else:
        lines.append(
            t("Too few accounts have bought to test the forecast on a period that has already passed.")
            if choice["few"]
            else t("The log is too short to test the forecast on a period that has already passed.")
        )
    worth = run.read("potential", columns=["potential_source"])
    declared, fitted = ((worth["potential_source"] == source).mean() for source in ("declared", "fitted"))
    if fitted or declared:
        message = (
            N_(
                "What accounts could buy is declared by sales for {declared} of them; for {fitted} it is the level that one in "
                "ten similar accounts exceeds; for the rest, their own best 12 months or open deals."
            )
            if fitted
            else N_(
                "What accounts could buy is declared by sales for {declared} of them; for the rest it is their own best 12 "
                "months or open deals."
            )
        )
        lines.append(t(message, declared=t.percent(declared), fitted=t.percent(fitted)))
    parts = run.read("reconciliation").set_index("part")
    log = [
        t(
            "The data is complete to {day}: of {read} lines read, {bad} cannot be used; {orphans} of the log's revenue has no "
            "account.",
            day=run.period.calibration_end,
            read=t.number(parts.loc["read", "rows"]),
            bad=t.number(parts.loc["quarantined", "rows"]),
            orphans=t.money(float(parts.loc["unattributed", "money"])),
        ),
        books.sentence(run, t),
    ]
    lines.append(t.join(SENTENCES, [sentence for sentence in log if sentence]))
    lines += [*review.actions_in_short(run, t), *left_out(run, t)]
    return [text(t("## How sure is this?") + "\n\n" + "\n".join(f"- {line}" for line in lines))]
