"""The nine-box and what each type means."""

from __future__ import annotations

import pandas as pd

from kamlab import schemes, tiers
from kamlab.figures import nine_box
from kamlab.i18n import SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.source import Source, fixed_axes, is_contribution, labelled, value_word
from kamlab.strategies import texts
from kamlab.terms import TYPES


def types(run: Source, t: Translator) -> list[Block]:
    """Table of the types: accounts, value, and how to treat them."""
    accounts = labelled(run)[["type_000", "provisional", "expected_contribution"]]
    groups = [accounts[accounts["type_000"] == kind] for kind in TYPES]
    printed = pd.DataFrame(
        {
            "type": [t(texts.TYPES[kind].name) for kind in TYPES],
            "accounts": [t.number(len(g)) for g in groups],
            "provisional": [t.number(g["provisional"].sum()) for g in groups],
            "value": [t.money(g["expected_contribution"].sum()) for g in groups],
            "meaning": [t(texts.TYPES[kind].meaning) for kind in TYPES],
        }
    )
    columns = [
        TableColumn("type", t("Type")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("provisional", t("of them provisional"), "right"),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("meaning", t("Stance"), width=44),
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("The four types and how much effort each deserves."),
            note=t("Provisional: the potential is the account's own best year, or its history is short."),
        )
    ]


def picture(run: Source, t: Translator) -> list[Block]:
    """The nine boxes with every account whose potential is known, or the reason why there are none."""
    accounts, levels = labelled(run), run.read("tiers")
    fitted = {axis: cuts for axis in schemes.AXES if (cuts := tiers.borders(levels, axis, "fitted")) is not None}
    rate = _margin_rate(run)
    fixed = {axis: getattr(run.config.levels, axis) for axis in fixed_axes(run)}
    if "contribution" in fixed:
        low, high = fixed.pop("contribution")
        if rate > 0:
            fixed["contribution"] = (low * rate, high * rate)
    drawn = nine_box.draw(accounts, t, fitted=fitted, fixed=fixed, value_name=value_word(run, t))
    if drawn is None:
        return [text(t("No potential is known, so there are no nine boxes."))]
    return [
        figure(
            drawn,
            caption=_caption(accounts, rate if "contribution" in fixed else 1.0, t, dashed=bool(fixed)),
            alt=nine_box.alt(accounts, t, fitted=fitted),
        )
    ]


def _margin_rate(run: Source) -> float:
    """Return the company's margin rate, 1 where values are revenue.

    The fixed thresholds class revenue. At this rate they can be drawn on an axis of contribution.
    """
    future = run.read("forecast", columns=["expected_revenue", "expected_contribution"])
    revenue = future["expected_revenue"].sum()
    return float(future["expected_contribution"].sum() / revenue) if is_contribution(run) and revenue > 0 else 1.0


def _caption(accounts: pd.DataFrame, rate: float, t: Translator, *, dashed: bool) -> str:
    """Say what is drawn, and how many accounts are not."""
    sentences = [
        t(
            "Every account by what it could buy and what it should bring. In each box: customers and their expected "
            "value; fixed borders are dashed."
        )
        if dashed
        else t(
            "Every account by what it could buy and what it should bring. In each box: customers and their expected value."
        )
    ]
    drawn = int(accounts["potential_revenue"].notna().sum())
    if nine_box.every(drawn) > 1:
        sentences.append(
            t(
                "Of each strategy one in {n} accounts is drawn as a point; the ground shows where all of them stand.",
                n=t.number(nine_box.every(drawn)),
            )
        )
    if 0 < rate != 1:
        sentences.append(
            t(
                "The fixed ones are thresholds of revenue, drawn here at the company's margin rate of {rate}.",
                rate=t.percent(rate),
            )
        )
    if unknown := int(accounts["potential_revenue"].isna().sum()):
        sentences.append(
            t.plural(
                "{n} account without a known potential is not drawn.",
                "{n} accounts without a known potential are not drawn.",
                unknown,
            )
        )
    if moved := _moved_by_share(accounts):
        sentences.append(
            t.plural(
                "{n} account that gives us little of what it buys stands in the box that the playbook gives it.",
                "{n} accounts that give us little of what they buy stand in the box that the playbook gives them.",
                moved,
            )
        )
    return t.join(SENTENCES, sentences)


def _moved_by_share(accounts: pd.DataFrame) -> int:
    """Return how many accounts stand in another box than their classes name."""
    placed = accounts.dropna(subset=["nine_box", "contribution_class", "potential_class"])
    own = placed["contribution_class"].astype(str) + "/" + placed["potential_class"].astype(str)
    return int((placed["nine_box"] != own).sum())
