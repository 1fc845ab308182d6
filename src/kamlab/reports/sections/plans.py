"""Account plans: one part of one to two pages for each account, and the list of all accounts that need one."""

from __future__ import annotations

import pandas as pd

from kamlab.errors import ConfigError, did_you_mean
from kamlab.i18n import MISSING, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, cover, part, table, text
from kamlab.reports.sections.plan_book import PlanBook
from kamlab.reports.sections.plan_card import blank
from kamlab.reports.sections.plan_page import page
from kamlab.reports.sections.plan_words import WHY_NOT
from kamlab.reports.sections.source import Source, is_contribution
from kamlab.strategies import texts

MOST_WITHOUT = 100
"""Accounts without a plan that are listed at most; the table "plans" has all."""


def title_page(run: Source, t: Translator) -> list[Block]:
    """The cover: whose plans, up to which day, how many."""
    plans = run.read("plans")
    planned = plans[plans["planned"]]
    owners = planned.loc[planned["responsible"] != "", "responsible"].nunique()
    return [
        cover(
            t("Account plans"),
            translator=t,
            company=run.config.company.name,
            as_of=run.period.calibration_end,
            subtitle=t("One plan for each account that needs one"),
            facts=[
                (t("Accounts that need a plan"), t.number(len(plans))),
                (t("With a plan"), t.number(len(planned))),
                (t("People who keep them"), t.number(owners)),
            ],
            confidentiality=t(run.config.report.confidentiality),
        )
    ]


def overview(run: Source, t: Translator) -> list[Block]:
    """Which accounts have a plan, which need one and have none, and how plans are filled."""
    plans = run.read("plans")
    heading = t("# All plans at a glance")
    if plans.empty:
        return [text(f"{heading}\n\n" + t("No account needs a plan by the playbook's rules."))]
    said = [
        t(
            "An account needs a plan where its type is A, where its type is C and its potential high, or where it is to be "
            "won back; the playbook can say otherwise. Each person keeps as many as the hours allow, those with most at "
            "stake first."
        ),
        t(
            "What only people can say is marked {blank}. Write it into {file}, and actions into the table of actions; every "
            "later plan carries it.",
            blank=blank(t),
            file=run.config.plans.notes,
        ),
    ]
    stale = int(plans.loc[plans["planned"], "stale"].sum())
    if stale:
        said.append(
            t.plural(
                "{n} plan has not been touched by its owner for a quarter.",
                "{n} plans have not been touched by their owners for a quarter.",
                stale,
            )
        )
    return [text(f"{heading}\n\n{t.join(SENTENCES, said)}"), *lists(run, t)]


def lists(run: Source, t: Translator, *, most: int = MOST_WITHOUT) -> list[Block]:
    """Tables of the accounts with a plan, and of up to so many that need one and have none, each with its reason."""
    plans = run.read("plans")
    planned, without = plans[plans["planned"]], plans[~plans["planned"]]
    return [
        *([_list(run, t, planned)] if len(planned) else []),
        *([_without(t, without, most)] if len(without) else []),
    ]


def plans(run: Source, t: Translator, account: str = "") -> list[Block]:
    """All plans, those with most at stake first; or the plan of one account.

    Raises
    ------
    ConfigError
        If the account has no plan.
    """
    book = PlanBook(run)
    chosen = book.planned
    if account:
        known = chosen["account"].tolist()
        if account not in known:
            raise ConfigError(f'There is no plan of account "{account}".{did_you_mean(account, known)}')
        chosen = chosen[chosen["account"] == account]
    return [part(plan["account"], page(book.case(plan), t)) for plan in chosen.to_dict("records")]


def _stake(run: Source, t: Translator) -> str:
    if is_contribution(run):
        return t("At stake: expected contribution and headroom of a year, or what can be won back.")
    return t("At stake: expected revenue and headroom of a year, or what can be won back.")


def _list(run: Source, t: Translator, planned: pd.DataFrame) -> Block:
    rows = planned.sort_values(["at_stake", "account"], ascending=[False, True])
    printed = pd.DataFrame(
        {
            "name": rows["name"].astype(str),
            "type": [kind or MISSING for kind in rows["type_000"]],
            "strategy": [t(texts.STRATEGIES[s].name) if s in texts.STRATEGIES else s for s in rows["strategy"]],
            "owner": [name or t("Nobody") for name in rows["responsible"]],
            "stake": [t.money(value) for value in rows["at_stake"]],
            "card": [t.percent(share) for share in rows["card_share"]],
            "overdue": [t.number(n) for n in rows["actions_overdue"]],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("type", t("Type"), "center", width=5),
        TableColumn("strategy", t("Strategy")),
        TableColumn("owner", t("Owner")),
        TableColumn("stake", t("At stake"), "right"),
        TableColumn("card", t("Card complete"), "right"),
        TableColumn("overdue", t("Actions overdue"), "right"),
    ]
    return table(printed, columns=columns, caption=t("Accounts with a plan."), note=_stake(run, t))


def _without(t: Translator, without: pd.DataFrame, most: int) -> Block:
    rows = without.sort_values(["at_stake", "account"], ascending=[False, True]).head(most)
    printed = pd.DataFrame(
        {
            "name": rows["name"].astype(str),
            "owner": [name or t("Nobody") for name in rows["responsible"]],
            "stake": [t.money(value) for value in rows["at_stake"]],
            "why": [t(WHY_NOT[row.why_not], capacity=row.capacity) for row in rows.itertuples()],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("owner", t("Owner")),
        TableColumn("stake", t("At stake"), "right"),
        TableColumn("why", t("Why")),
    ]
    others = len(without) - len(rows)
    more = t.plural("{n} more account is not shown.", "{n} more accounts are not shown.", others) if others else ""
    return table(printed, columns=columns, caption=t("Accounts that need a plan and have none."), note=more)
