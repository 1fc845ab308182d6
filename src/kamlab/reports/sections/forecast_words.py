"""What is said of the forecast's record: which forecast is in force and why, what was closer, and how far off it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from kamlab.backtest import BASELINES, RECORDS
from kamlab.i18n import COMMAS, SEMICOLONS, Translator
from kamlab.reports.blocks import Block, text
from kamlab.reports.sections.names import forecaster_name, signed
from kamlab.reports.sections.source import HARDLY_ALIVE, Source

NAMED = 3
"""Models named that came closer than the forecast in force."""


def newest_date(rows: pd.DataFrame, choice: Mapping[str, Any]) -> pd.DataFrame:
    """Return the forecast in force, its model, the nearest other one and the simple rules at the newest date."""
    nearest = choice["beaten_by_models"][:1]
    shown = rows["forecaster"].isin([choice["forecaster"], choice["model"], *nearest, *BASELINES])
    return rows[rows["role"].isin(RECORDS) & shown].set_index("forecaster")


def of_the_record(newest: pd.DataFrame, run: Source, t: Translator) -> str:
    """Say when the forecasts were made, and what came."""
    return t(
        "Forecast made from the data up to {origin}; what came in the {days} days after it was {actual}.",
        origin=pd.Timestamp(newest["origin"].iloc[0]).date(),
        days=run.period.horizon_days,
        actual=writer(newest, t)(newest["actual"].iloc[0]),
    )


def main_target(rows: pd.DataFrame) -> str:
    """Return what forecasts are judged by: revenue, or purchases where no money is known."""
    return "revenue" if (rows["target"] == "revenue").any() else "purchases"


def writer(rows: pd.DataFrame, t: Translator) -> Callable[[float], str]:
    """Return what writes an amount of the main target."""
    return t.money if main_target(rows) == "revenue" else (lambda v: t.number(v, 2))


def reason(run: Source, t: Translator) -> str:
    """Say which forecast is in force, and why."""
    choice = run.read_facts("choice")
    name = forecaster_name(choice["forecaster"], t)
    sentences = {
        "earlier": t(
            "The forecast rests on **{name}**: on earlier dates nothing was clearly more accurate, and of what was as "
            "accurate it is the simplest.",
            name=name,
        ),
        "configuration": t("The forecast rests on **{name}**, because the configuration says so.", name=name),
        "nothing": t("The forecast rests on **{name}**; it could not be tested.", name=name),
    }
    once = t(
        "The forecast rests on **{name}**: on the one date that could be tested nothing was clearly more accurate, and of "
        "what was as accurate it is the simplest. That date is no independent proof.",
        name=name,
    )
    return sentences.get(choice["chosen_by"], once)


def against_rules(run: Source, t: Translator) -> list[str]:
    """Say which simple rules were closer; nothing where the forecast in force is such a rule and none was."""
    choice = run.read_facts("choice")
    beaten = choice["beaten_by"]
    if beaten:
        names = t.join(COMMAS, (forecaster_name(name, t) for name in beaten))
        return [
            t(
                "For single accounts these simple rules were closer than the forecast in force, by root mean square error: "
                "**{names}**.",
                names=names,
            )
        ]
    if choice["forecaster"] in BASELINES:
        return []
    return [t("For single accounts no simple rule was closer than the forecast in force, by root mean square error.")]


def nearer_models(newest: pd.DataFrame, run: Source, t: Translator) -> list[str]:
    """Say which models came closer on the record, by how much, and why they are not in force all the same."""
    choice = run.read_facts("choice")
    nearer = choice["beaten_by_models"]
    if not nearer:
        return []
    gain = 1 - newest.loc[nearer[0], "rmse"] / newest.loc[choice["forecaster"], "rmse"]
    names = t.join(COMMAS, (forecaster_name(name, t) for name in nearer[:NAMED]))
    share = t.percent(gain, 1)
    if choice["chosen_by"] in ("only", "short"):
        return [
            t(
                "**{names}** came closer (the first with an error {share} smaller), but not clearly: of what was as accurate the simplest is "
                "in force.",
                names=names,
                share=share,
            )
        ]
    return [
        t(
            "**{names}** came closer (the first with an error {share} smaller). This test had no part in the choice, so that it stays a fair "
            "one: the winner of a single test is often merely lucky.",
            names=names,
            share=share,
        )
    ]


def low_probabilities(run: Source, t: Translator) -> list[str]:
    """Hold a low probability that an account still buys against what such accounts did."""
    rows = run.read("calibration")
    rows = rows[(rows["probability"] == "alive") & rows["role"].isin(RECORDS) & (rows["upper"] <= HARDLY_ALIVE + 1e-9)]
    n = int(rows["accounts"].sum())
    if not n:
        return []
    said, bought = ((rows[name] * rows["accounts"]).sum() for name in ("predicted", "observed"))
    return [
        t.plural(
            "{n} account stood below {border} probability of still buying ({said}): {bought} of it bought in the period.",
            "{n} accounts stood below {border} probability of still buying ({said} on average): {bought} of them bought in "
            "the period.",
            n,
            border=t.percent(HARDLY_ALIVE),
            said=t.percent(said / n),
            bought=t.percent(bought / n),
        )
    ]


def covered(row: pd.Series, t: Translator) -> str:
    """Say how many results fell inside the intervals that would have been printed."""
    return t(
        "{share} of the accounts came out inside their {level} interval.",
        share=t.percent(row["coverage_recalibrated"]),
        level=t.percent(row["level"]),
    )


def earlier_totals(rows: pd.DataFrame, chosen: str, t: Translator) -> list[Block]:
    """Say how far the forecast's total was off at each earlier date."""
    earlier = rows[(rows["forecaster"] == chosen) & (rows["role"] == "choice")].sort_values("origin", ascending=False)
    if earlier.empty:
        return []
    parts = [
        t("{origin}: {bias}", origin=pd.Timestamp(row.origin).date(), bias=signed(row.bias, t))
        for row in earlier.itertuples()
    ]
    return [text(t("From earlier dates its total was off by: {list}.", list=t.join(SEMICOLONS, parts)))]
