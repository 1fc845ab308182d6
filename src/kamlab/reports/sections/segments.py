"""Segments: how many, by which rule, and what each is like."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from kamlab.features import FEATURES
from kamlab.figures import segment_profile
from kamlab.i18n import MISSING, Translator
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.source import Source, value_word
from kamlab.segment_names import translated
from kamlab.strategies import texts

PURE = 0.7
"""A segment takes the strategy of at least this share of its expected value, else it is mixed."""


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Segments"))]


def rule(run: Source, t: Translator) -> str:
    """Return the sentence on how the number of segments came about."""
    facts = run.read_facts("segmentation")
    return t(facts["rule"], **facts["rule_values"])


def candidates(run: Source, t: Translator) -> list[Block]:
    """Table of all numbers of segments tried."""
    rows = run.read("candidates")
    if rows.empty:
        return [text(rule(run, t))]
    printed = pd.DataFrame(
        {
            "k": [t.number(k) for k in rows["k"]],
            "silhouette": [t.number(v, 3) for v in rows["silhouette"]],
            "null": [t.number(v, 3) for v in rows["null_silhouette"]],
            "stability": [t.number(v, 2) for v in rows["stability"]],
            "smallest": [t.percent(v, 1) for v in rows["smallest_share"]],
            "eligible": [t("yes") if v else t("no") for v in rows["eligible"]],
            "chosen": [t("chosen") if v else "" for v in rows["chosen"]],
        }
    )
    columns = [
        TableColumn("k", t("Segments"), "right"),
        TableColumn("silhouette", t("Silhouette"), "right"),
        TableColumn("null", t("without structure"), "right"),
        TableColumn("stability", t("Stability"), "right"),
        TableColumn("smallest", t("Smallest"), "right"),
        TableColumn("eligible", t("Eligible")),
        TableColumn("chosen", ""),
    ]
    return [table(printed, columns=columns, caption=t("Numbers of segments tried.")), text(rule(run, t))]


def profile(run: Source, t: Translator) -> list[Block]:
    """Table of the segments: size, value, and what is typical of them."""
    return _profile(run, t, {})


def profile_and_strategy(run: Source, t: Translator) -> list[Block]:
    """Table of the segments, with the strategy that most of their value asks for."""
    return _profile(run, t, {t("Mostly"): lambda segment: _strategy(segment, run, t)})


def _profile(run: Source, t: Translator, more: Mapping[str, Callable[[int], str]]) -> list[Block]:
    rows = run.read("profile")
    if not run.read_facts("segmentation")["found"]:
        return [text(rule(run, t))]
    write: dict[str, Callable[[float], str]] = {
        "currency": t.money,
        "share": t.percent,
        "days": lambda v: t("{n} d", n=t.number(v)),
        "years": lambda v: t("{n} y", n=t.number(v, 1)),
    }
    known = [name for name in rows if rows[name].notna().any()]
    shown = [
        f for f in FEATURES if f.name in ("silence", "order_interval", "tenure", "margin_rate") and f.name in known
    ]
    growth = "growth" in known
    printed = pd.DataFrame(
        {
            "name": [translated(name, t) for name in rows["segment_name"]],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "value": [t.money(v) for v in rows["contribution"]],
            "share": [t.percent(v) for v in rows["share_contribution"]],
            **{f.name: [write[f.unit](v) for v in rows[f.name]] for f in shown},
            **({"growth": [_ratio(v, t) for v in rows["growth"]]} if growth else {}),
            **{label: [write_one(segment) for segment in rows["segment"]] for label, write_one in more.items()},
        }
    )
    short = {
        "silence": t("Last order"),
        "order_interval": t("Order every"),
        "tenure": t("Known for"),
        "margin_rate": t("Margin rate"),
    }
    columns = [
        TableColumn("name", t("Segment"), width=22),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("share", t("Share"), "right"),
        *(TableColumn(f.name, short[f.name], "right") for f in shown),
        *([TableColumn("growth", t("Growth"), "right")] if growth else []),
        *(TableColumn(label, label) for label in more),
    ]
    drawn = segment_profile.draw(rows, t)
    picture = (
        [figure(drawn, caption=t("What is typical of each segment."), alt=segment_profile.alt(rows, t))]
        if drawn
        else []
    )
    return [
        table(
            printed,
            columns=columns,
            caption=t("The segments: size, value, and the middle account of each."),
            note=t("Growth: last 12 months against the 12 before, drawn towards none where purchases are few.")
            if growth
            else "",
        ),
        *picture,
    ]


def _ratio(log_ratio: float, t: Translator) -> str:
    from math import expm1

    if pd.isna(log_ratio):
        return MISSING
    share = expm1(log_ratio)
    return ("+" if share > 0 else "") + t.percent(share)


def _strategy(segment: int, run: Source, t: Translator) -> str:
    """Return the strategy of most of the segment's expected value, or that it is mixed."""
    labels = run.read("segments").merge(run.read("strategies")[["account", "strategy"]], on="account")
    labels = labels.merge(run.read("forecast")[["account", "expected_contribution"]], on="account")
    members = labels[labels["segment"] == segment]
    value = members["expected_contribution"].clip(lower=0).groupby(members["strategy"]).sum()
    if value.sum() <= 0:
        value = members.groupby("strategy").size()
    best = str(value.idxmax())
    name = t(texts.STRATEGIES[best].name)
    share = value[best] / value.sum()
    return name if share >= PURE else t("mixed: {strategy} {share}", strategy=name, share=t.percent(share))
