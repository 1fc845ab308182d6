"""What a reader must know before any number: a stale log, a forecast without proof, types that tell nothing."""

from __future__ import annotations

import pandas as pd

from kamlab.backtest import BASELINES
from kamlab.backtest.names import NEVER_CHOSEN
from kamlab.i18n import SEMICOLONS, SENTENCES, Translator
from kamlab.reports.blocks import Block, callout, text
from kamlab.reports.sections.data import stale
from kamlab.reports.sections.names import forecaster_name, group_name, signed
from kamlab.reports.sections.source import Source, record

TOO_NARROW = 0.8
"""Share of results inside their 90 % intervals below which the intervals are called too narrow."""

CROWDED = 0.25
"""Share of the customers in type A above which the type sets nobody apart."""

CLOSER = 0.99
"""A rule is closer for a group where its error is below this part of the forecast's."""

FAR_OFF = 0.2
"""A total that missed by more than this share is said before anything else."""


def warnings(run: Source, t: Translator) -> list[Block]:
    """What must be known before any number, most harmful first."""
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
                    "“{rule}” had an error of {rule_error} per account, this report's forecast {model_error}. Both were "
                    "made on {origin}. Take the forecasts of single accounts below with care.",
                    rule=forecaster_name(best, t),
                    rule_error=_error(rows.loc[best], t),
                    model_error=_error(rows.loc[choice["forecaster"]], t),
                    origin=pd.Timestamp(rows.loc[best, "origin"]).date(),
                ),
            )
        )
    rows = record(run)
    if choice["few"]:
        bought = run.read("summary")
        blocks.append(
            callout(
                "warning",
                t("Too few accounts for a model"),
                t.plural(
                    "{n} account has bought, {again} again. Models need 30 that have bought and 10 that have bought again. "
                    "The forecast rests on its last 12 months and on what is assumed of companies at large; it has never "
                    "been tested, and its intervals are wide.",
                    "{n} accounts have bought, {again} of them again. Models need 30 and 10. The forecast rests on their "
                    "last 12 months and on what is assumed of companies at large; it has never been tested, and its "
                    "intervals are wide.",
                    len(bought),
                    again=t.number(int((bought["frequency"] > 0).sum())),
                ),
            )
        )
    elif rows.empty:
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
    return [*blocks, *_weak_proof(run, t), *_crowded(run, t)]


def nearest_rule(run: Source) -> str | None:
    """Return the simple rule whose total came nearest on the record, where it was nearer than the forecast's.

    Percentages that are printed alike count as equal.
    """
    rows = record(run)
    if rows.empty:
        return None
    off = rows["bias"].abs().round(2)
    rules = off[off.index.isin(BASELINES) & (off.index != NEVER_CHOSEN)].dropna()
    if rules.empty or not rules.min() < off[run.read_facts("choice")["forecaster"]]:
        return None
    return str(rows.loc[rules.index, "bias"].abs().idxmin())


def nearer_total(run: Source, t: Translator) -> list[Block]:
    """Say before all else which simple rule forecast the total of all accounts better, by how much, and from when."""
    rule = nearest_rule(run)
    if rule is None:
        return []
    rows = record(run)
    return [
        text(
            t(
                "The simple rule “{rule}” forecast the total better: from {origin} on it missed what came by {rule_bias}, "
                "this report's forecast by {bias}.",
                origin=pd.Timestamp(rows.loc[rule, "origin"]).date(),
                rule=forecaster_name(rule, t),
                rule_bias=signed(rows.loc[rule, "bias"], t),
                bias=signed(rows.loc[run.read_facts("choice")["forecaster"], "bias"], t),
            )
        )
    ]


def _weak_proof(run: Source, t: Translator) -> list[Block]:
    """Warn of a rule in force, a single date, and intervals that held too seldom: one box for all three."""
    choice, rows = run.read_facts("choice"), record(run)
    if rows.empty:
        return []
    row, lines = rows.loc[choice["forecaster"]], []
    if choice["forecaster"] in BASELINES:
        lines.append(
            t(
                "It is the simple rule “{rule}”: it carries the past on, and does not see which account is leaving.",
                rule=forecaster_name(choice["forecaster"], t),
            )
        )
    if choice["chosen_by"] == "only":
        lines.append(t("It was chosen and measured on one and the same date: no independent proof."))
    if row["coverage_recalibrated"] < TOO_NARROW:
        lines.append(
            t(
                "Only {share} of the accounts came out inside their {level} interval at the last test: take the intervals "
                "of single accounts as too narrow.",
                share=t.percent(row["coverage_recalibrated"]),
                level=t.percent(row["level"]),
            )
        )
    return [callout("warning", t("The forecast stands on weak ground"), t.join(SENTENCES, lines))] if lines else []


def _crowded(run: Source, t: Translator) -> list[Block]:
    """Warn where so many customers stand in type A that it tells nobody where to begin."""
    types = run.read("strategies", columns=["type_000"])["type_000"].dropna()
    share = float((types == "A").mean()) if len(types) else 0.0
    if share <= CROWDED:
        return []
    return [
        callout(
            "warning",
            t("Type A sets few accounts apart"),
            t(
                "{share} of the customers stand in type A, which is to come first. Not all can: go by expected value within "
                "the type.",
                share=t.percent(share),
            ),
        )
    ]


def lost_groups(run: Source, t: Translator) -> list[str]:
    """Say for which groups of accounts the forecast in force was further off than “same as in the last period”."""
    groups = run.read("record_groups")
    lost = groups.loc[groups["naive_rmse"] < CLOSER * groups["rmse"], "group"]
    if lost.empty:
        return []
    return [
        t(
            "For some groups of accounts “same as in the last period” was closer, by root mean square error: {groups}.",
            groups=t.join(SEMICOLONS, (group_name(group, t) for group in lost)),
        )
    ]


def declining(run: Source, t: Translator) -> list[str]:
    """Say how far off the forecast of declining accounts was, where “same as in the last period” was no further off."""
    groups = run.read("record_groups")
    rows = groups[(groups["group"] == "declining") & groups["bias"].notna()]
    if rows.empty:
        return []
    row = rows.iloc[0]
    if row["naive_rmse"] >= CLOSER * row["rmse"] and abs(row["bias"]) <= abs(row["naive_bias"]):
        return []
    return [
        t(
            "At the last test the forecast of declining accounts was off by {bias}, and by account no closer than “same as in "
            "the last period”: take the sums as rough.",
            bias=signed(row["bias"], t),
        )
    ]


def _error(row: pd.Series, t: Translator) -> str:
    return t.money(row["rmse"]) if row["target"] == "revenue" else t.number(row["rmse"], 2)
