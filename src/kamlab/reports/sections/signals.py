"""What the log shows of itself, and what each of that means for the forecast: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.dates import format_date, format_skeleton

from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, escape, text
from kamlab.reports.sections.source import Source
from kamlab.signals import RETURNS_SHARE


def signals(run: Source, t: Translator) -> list[Block]:
    """List of what was found: a beginning cut off, seasons, one-time spikes, returns."""
    facts = run.read_facts("signals")
    names = run.read("accounts").set_index("account")["name"]
    lines = [
        *_beginning(facts["truncation"], t),
        *_seasons(facts["seasons"], t),
        *(_spike(spike, names, t) for spike in facts["spikes"]),
        *_returns(facts["returns"], t),
    ]
    if not lines:
        lines = [t("Nothing in the log calls for special care: no cut beginning, season, one-time spike or returns.")]
    return [text(t("### What the log shows of itself") + "\n\n" + "\n".join(f"- {line}" for line in lines))]


def _beginning(found: Mapping[str, Any] | None, t: Translator) -> list[str]:
    if found is None or found["verdict"] == "complete":
        return []
    start = date.fromisoformat(found["first_day"])
    if found["verdict"] == "unclear":
        return [
            t.plural(
                "{n} account is first seen in the first 90 days from {start} on, where about {expected} were to be "
                "expected at the later pace. Either many began then, or the log begins after them; if so, they have been "
                "customers for longer than the forecast knows.",
                "{n} accounts are first seen in the first 90 days from {start} on, where about {expected} were to be "
                "expected at the later pace. Either many began then, or the log begins after them; if so, they have been "
                "customers for longer than the forecast knows.",
                found["early"],
                start=start,
                expected=t.number(found["expected"]),
            )
        ]
    return [
        t.plural(
            "The log begins on {start}, after its customers did: the first purchases of about {n} account lie before it. "
            "The forecast counts its time from the first purchase that it sees, so how long customers stay is known "
            "for few of them; trust the record of earlier forecasts more than the model's own doubt.",
            "The log begins on {start}, after its customers did: the first purchases of about {n} accounts lie before it. "
            "The forecast counts their time from the first purchase that it sees, so how long customers stay is known "
            "for few of them; trust the record of earlier forecasts more than the model's own doubt.",
            found["known_before"],
            start=start,
        )
    ]


def _seasons(seasons: list[Mapping[str, Any]], t: Translator) -> list[str]:
    found = [season for season in seasons if season["seasonal"]]
    if not found:
        return []
    index = found[-1]["index"]
    best, worst = index.index(max(index)), index.index(min(index))
    # Of any year: only their names are printed.
    names = [format_date(date(2000, month + 1, 1), "MMMM", locale=t.locale) for month in (best, worst)]
    return [
        t(
            "Sales have a season: {best} brings {high} of a mean month, {worst} {low}. The forecast of 12 months holds a "
            "whole year; that of the next 90 days does not know the season.",
            best=names[0],
            high=t.percent(max(index)),
            worst=names[1],
            low=t.percent(min(index)),
        )
    ]


def _spike(spike: Mapping[str, Any], names: Any, t: Translator) -> str:
    day = date.fromisoformat(spike["day"])
    values = {
        "name": escape(str(names.get(spike["account"], spike["account"]))),
        "money": t.money(spike["amount"]),
        "usual": t.money(spike["usual"]),
        "share": t.percent(spike["share"], 1),
    }
    if spike["kind"] == "order":
        return t(
            "One-time order: {name} bought for {money} on {day} ({share} of a year's revenue), where {usual} is usual. Its "
            "expected order value holds it only in part; do not count on a second one.",
            day=day,
            **values,
        )
    return t(
        "One-time month: {month} brought {money}, where about {usual} was usual; {share} of it came from {name}. "
        "Comparisons with that year are flattered or hurt by it.",
        month=format_skeleton("yMMMM", day, locale=t.locale),
        **values,
    )


def _returns(found: Mapping[str, Any] | None, t: Translator) -> list[str]:
    if found is None or found["share"] < RETURNS_SHARE:
        return []
    said = [t("Returns were {share} of what was bought in the last 12 months.", share=t.percent(found["share"], 1))]
    if found["previous_share"] is not None:
        said.append(t("In the 12 months before it was {share}.", share=t.percent(found["previous_share"], 1)))
    said.append(
        t("They are rising; the forecast, which expects the accounts' returns so far, may be too high.")
        if found["rising"]
        else t("Forecasts are net of the accounts' own returns so far.")
    )
    return [t.join(SENTENCES, said)]
