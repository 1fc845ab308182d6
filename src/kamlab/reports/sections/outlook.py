"""Beyond the forecast's 12 months, and the totals of owners and segments."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kamlab.i18n import N_, SENTENCES, Translator
from kamlab.period import DAYS_PER_YEAR
from kamlab.reports.blocks import Block, TableColumn, table, text
from kamlab.reports.sections.names import MODEL_NAMES
from kamlab.reports.sections.source import Interval, Source, is_contribution, value_word
from kamlab.segment_names import translated
from kamlab.totals import COMPANY

YEARS = {1: N_("12 months"), 3: N_("3 years"), 5: N_("5 years")}
TOP = 10
"""Accounts printed."""
CERTAIN = 1 - 1e-9


def has_money(run: Source) -> bool:
    """Whether order values could be modelled, so that there is a value to add up."""
    return not run.read("lifetime_totals").empty


def lifetime(run: Source, t: Translator) -> list[Block]:
    """Table of the lifetime value of all accounts over 1, 3 and 5 years, and what it rests on."""
    if not has_money(run):
        return []
    sums = run.read("lifetime_totals")
    rows = sums[sums["kind"] == COMPANY].set_index("measure")
    shown = [rows.loc[f"clv_{years}y"] for years in YEARS]
    printed = pd.DataFrame(
        {
            "horizon": [t(name) for name in YEARS.values()],
            "value": [t.money(row["expected"]) for row in shown],
            "interval": [Interval(0, row["lower"], row["upper"]).text(t) for row in shown],
        }
    )
    level = t.percent(run.config.value.level)
    columns = [
        TableColumn("horizon", t("The next")),
        TableColumn(
            "value", t("Discounted contribution") if is_contribution(run) else t("Discounted revenue"), "right"
        ),
        TableColumn("interval", t("{level} interval", level=level), "right"),
    ]
    note = t.join(
        SENTENCES,
        [
            t("Today's accounts alone: nobody new is counted."),
            t(
                "Discounted at {rate} a year. Each further year is less certain than the one before: an error of level "
                "stays and new ones are added.",
                rate=t.percent(run.config.value.discount_rate_annual),
            ),
        ],
    )
    caption = t("What today's accounts are worth, all together.")
    return [table(printed, columns=columns, caption=caption, note=note)]


def accounts(run: Source, t: Translator) -> list[Block]:
    """Table of the accounts with the highest value over 5 years."""
    if not has_money(run):
        return []
    rows = run.read("lifetime").sort_values(["clv_5y", "account"], ascending=[False, True]).head(TOP)
    rows = rows.merge(run.read("accounts", columns=["account", "name"]), on="account")
    risky = rows["p_negative_5y"].notna().any()
    printed = pd.DataFrame(
        {
            "name": rows["name"].to_numpy(),
            "one": [t.money(v) for v in rows["clv_1y"]],
            "three": [t.money(v) for v in rows["clv_3y"]],
            "five": [t.money(v) for v in rows["clv_5y"]],
            "interval": [
                Interval(0, a, b).text(t) for a, b in zip(rows["clv_5y_lower"], rows["clv_5y_upper"], strict=True)
            ],
            **({"negative": [t.percent(v) for v in rows["p_negative_5y"]]} if risky else {}),
            "dert": [t.number(v, 1) for v in rows["dert"]],
        }
    )
    level = t.percent(run.config.value.level)
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("one", t("12 months"), "right"),
        TableColumn("three", t("3 years"), "right"),
        TableColumn("five", t("5 years"), "right"),
        TableColumn("interval", t("{level} interval", level=level), "right"),
        *([TableColumn("negative", t("Loss in 5 years"), "right")] if risky else []),
        TableColumn("dert", t("Orders to come"), "right"),
    ]
    caption = t("The accounts with the highest value over 5 years.")
    note = t("Orders to come: all purchase days of the future, each discounted to today.")
    return [table(printed, columns=columns, caption=caption, note=note)]


def groups(run: Source, t: Translator) -> list[Block]:
    """Tables of the next 12 months, and of 3 and 5 years, by owner and by segment, each total with its own interval."""
    if not has_money(run):
        return []
    rows = run.read("totals")
    year = {"contribution": value_word(run, t)}
    beyond = {f"clv_{years}y": t(name) for years, name in YEARS.items() if years > 1}
    apart = t("The intervals of the parts do not add up to that of the whole: not all go wrong together.")
    blocks: list[Block] = []
    for kind, heading, soon, later in (
        (
            "owner",
            t("Owner"),
            t("The next 12 months by owner."),
            t("The next 3 and 5 years by owner, discounted to today."),
        ),
        (
            "segment",
            t("Segment"),
            t("The next 12 months by segment."),
            t("The next 3 and 5 years by segment, discounted to today."),
        ),
    ):
        own = rows[rows["kind"] == kind]
        if own["group"].nunique() < 2:
            continue
        if kind == "segment":
            own = own.assign(group=[translated(name, t) for name in own["group"]])
        blocks.append(_totals(own, year, heading, soon, apart, run, t))
        if own["measure"].isin(beyond).any():
            blocks.append(_totals(own, beyond, heading, later, apart, run, t))
    return blocks


def _totals(
    rows: pd.DataFrame, measures: Mapping[str, str], heading: str, caption: str, note: str, run: Source, t: Translator
) -> Block:
    """Return a table of one kind's groups, with value and interval of each measure; the first one orders it."""
    by = {name: rows[rows["measure"] == name].set_index("group") for name in measures}
    first = next(iter(by.values())).sort_index().sort_values("expected", ascending=False, kind="stable")
    printed: dict[str, list[str]] = {"group": list(first.index), "accounts": [t.number(n) for n in first["accounts"]]}
    columns = [TableColumn("group", heading), TableColumn("accounts", t("Accounts"), "right")]
    level = t("{level} interval", level=t.percent(run.config.value.level))
    for name, word in measures.items():
        own = by[name].loc[first.index]
        printed[name] = [t.money(v) for v in own["expected"]]
        printed[f"{name} interval"] = [
            Interval(0, a, b).text(t) for a, b in zip(own["lower"], own["upper"], strict=True)
        ]
        columns += [TableColumn(name, word, "right"), TableColumn(f"{name} interval", level, "right")]
    return table(pd.DataFrame(printed), columns=columns, caption=caption, note=note)


def one_time(run: Source, t: Translator) -> list[Block]:
    """Say how many accounts with a single purchase the model takes for alive by construction, however long ago it was."""
    rows = run.read("summary", columns=["account", "frequency", "days_since_last"])
    rows = rows[rows["frequency"] == 0].merge(run.read("forecast", columns=["account", "p_alive"]), on="account")
    certain = rows[rows["p_alive"] >= CERTAIN]
    if certain.empty:
        return []
    model = run.read("models")["model"].iloc[0]
    return [
        text(
            t.plural(
                "{n} account has bought only once, and {model} takes it for alive with certainty by its construction; of "
                "these {old} bought more than 12 months ago. Do not read that probability as knowledge.",
                "{n} accounts have bought only once, and {model} takes them for alive with certainty by its construction; "
                "of these {old} bought more than 12 months ago. Do not read that probability as knowledge.",
                len(certain),
                model=MODEL_NAMES.get(model, model),
                old=t.number((certain["days_since_last"] > DAYS_PER_YEAR).sum()),
            )
        )
    ]


def spend(run: Source, t: Translator) -> list[Block]:
    """Say whether order value goes with frequency, and which model of order values follows."""
    facts = run.read_facts("spend")
    if not facts:
        return []
    values = {
        "r": t.number(facts["correlation"], 2),
        "lower": t.number(facts["lower"], 2),
        "upper": t.number(facts["upper"], 2),
    }
    if not facts["dependent"]:
        message = N_(
            "Order value does not clearly depend on how often an account orders (correlation {r}, 95 % interval {lower} "
            "to {upper}): the Gamma-Gamma model may be used."
        )
    elif facts["correlation"] < 0:
        message = N_(
            "Accounts that order more often place smaller orders (correlation {r}, 95 % interval {lower} to {upper}), "
            "which the Gamma-Gamma model rules out: a log-normal model is used that draws an account's order value "
            "towards that of accounts that order as often."
        )
    else:
        message = N_(
            "Accounts that order more often place larger orders (correlation {r}, 95 % interval {lower} to {upper}), "
            "which the Gamma-Gamma model rules out: a log-normal model is used that draws an account's order value "
            "towards that of accounts that order as often."
        )
    return [text(t(message, **values))]
