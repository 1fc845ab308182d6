"""Borders between Low, Mid and High: fitted beside fixed, and who moves."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd

from kamlab import schemes
from kamlab.backtest import names
from kamlab.figures import flow, lorenz
from kamlab.figures import movement as cross_table
from kamlab.figures.words import LEVELS
from kamlab.i18n import COMMAS, MISSING, N_, SENTENCES, Translator
from kamlab.ids import beside
from kamlab.period import QUARTER_DAYS
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.source import Interval, Source, fixed_axes, is_contribution, value_word, why_not_fixed

NEAR = 0.6
"""An account whose class has less than this probability stands near a border."""
TOP = 10
SCHEMES_FINDING = N_("Accounts higher than by the fixed thresholds: {up}, lower: {down}")
PERIODS_FINDING = N_("in the last quarter {up} rose and {down} fell")


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    why = why_not_fixed(run, t)
    if why:
        return [text(t("## Borders from the data") + "\n\n" + why)]
    return [text(t("## Borders from the data, beside the fixed ones"))]


def borders(run: Source, t: Translator) -> list[Block]:
    """Table of the borders of both axes by both schemes, with the reason why they are in force."""
    rows = run.read("tiers")
    rows = rows[(rows["scheme"] == "fitted") | rows["axis"].isin(fixed_axes(run))]
    printed = pd.DataFrame(
        {
            "axis": [
                t("Revenue, last 12 months")
                if axis == "contribution" and scheme == "fixed"
                else axis_name(axis, run, t)
                for axis, scheme in zip(rows["axis"], rows["scheme"], strict=True)
            ],
            "scheme": [t("fitted") if s == "fitted" else t("fixed") for s in rows["scheme"]],
            "cut": [t("Low to Mid") if c == "mid" else t("Mid to High") for c in rows["cut"]],
            "value": [t.money(v) for v in rows["value"]],
            "interval": [
                Interval(0, a, b).text(t) if pd.notna(a) else MISSING
                for a, b in zip(rows["lower"], rows["upper"], strict=True)
            ],
            "unstable": [t.percent(v) for v in rows["unstable_share"]],
        }
    )
    columns = [
        TableColumn("axis", t("Axis")),
        TableColumn("scheme", t("Borders")),
        TableColumn("cut", t("Step")),
        TableColumn("value", t("From"), "right"),
        TableColumn("interval", t("{level} interval", level=t.percent(0.9)), "right"),
        TableColumn("unstable", t("Change class by chance"), "right"),
    ]
    fitted = rows[(rows["scheme"] == "fitted") & (rows["cut"] == "mid")]
    reasons = [
        "- "
        + t(
            "**{axis}.** {reason}",
            axis=axis_name(row.axis, run, t),
            reason=t(row.reason, **json.loads(row.reason_values)),
        )
        for row in fitted.itertuples()
    ]
    return [
        table(
            printed,
            columns=columns,
            caption=t("Where each class begins; a value on a border belongs to the upper class."),
        ),
        text("\n".join(reasons)),
    ]


def axis_name(axis: str, run: Source, t: Translator) -> str:
    """Return the name of an axis as readers know it."""
    return value_word(run, t) if axis == "contribution" else t("Potential")


def movement(run: Source, t: Translator) -> list[Block]:
    """Cross-table of fixed against fitted classes, for each axis, as a picture."""
    blocks: list[Block] = []
    tables = {"contribution": ("forecast", "expected_contribution"), "potential": ("potential", "potential_revenue")}
    for axis in fixed_axes(run):
        name, column = tables[axis]
        money = run.read(name, columns=["account", column]).set_index("account")[column]
        classed = run.read("schemes", columns=["account", f"{axis}_class_fixed", f"{axis}_class"])
        cross = schemes.crosstab(classed, axis, money=money)
        drawn = cross_table.draw(cross, t, axis_name=axis_name(axis, run, t))
        if drawn is not None:
            blocks.append(
                figure(
                    drawn,
                    caption=_compared(axis, run, t),
                    alt=cross_table.alt(cross, t, axis_name=axis_name(axis, run, t)),
                )
            )
    return blocks


def _compared(axis: str, run: Source, t: Translator) -> str:
    """Say what each of the two schemes classes."""
    if axis == "potential":
        return t("Class by the fixed thresholds against class by the fitted borders; money: potential a year.")
    return t(
        "Class by the fixed thresholds on last year's revenue, against class by the fitted borders on {value}, which is "
        "also the money in the boxes.",
        value=t("expected contribution") if is_contribution(run) else t("expected revenue"),
    )


def concentration(run: Source, t: Translator) -> list[Block]:
    """Draw the Lorenz curve of the last 12 months: which share of the accounts really brought 80 %."""
    table = run.read("summary", columns=["account", "trailing_revenue", "trailing_margin"]).set_index("account")
    values, name = table["trailing_revenue"], t("Revenue of the last 12 months")
    if is_contribution(run):
        # no line with a known cost: the account's margin rate stands in, as in its forecast
        rate = run.read("forecast", columns=["account", "margin_rate"]).set_index("account")["margin_rate"]
        values, name = table["trailing_margin"].fillna(values * rate), t("Margin of the last 12 months")
    drawn = lorenz.draw(values, t, value_name=name)
    if drawn is None:
        return []
    caption = t(
        "How unequal the accounts are: the share of the total that the largest ones brought; an account that brought "
        "nothing does not count."
    )
    return [figure(drawn, caption=caption, alt=lorenz.alt(values, t, value_name=name))]


def flows(run: Source, t: Translator) -> list[Block]:
    """Draw how value flows from the fixed to the fitted classes, and from the period before to now."""
    both = {"column": [f"{axis}_class" for axis in schemes.AXES]}
    moves = run.read("transitions", columns=["column", "before", "held", "why", "value"], where=both)
    moved = moves[moves["column"] == "contribution_class"]
    labels = run.read("schemes", columns=["account", "contribution_class_fixed", "contribution_class"])
    labels = beside(run.read("forecast", columns=["account", "expected_contribution"]), labels)
    sides = {"before": labels["contribution_class_fixed"], "after": labels["contribution_class"]}
    money = pd.DataFrame({**sides, "money": labels["expected_contribution"]})
    compared = "contribution" in fixed_axes(run)
    panels = [flow.Panel(t("fixed"), t("fitted"), money, SCHEMES_FINDING)] if compared else []
    if moved["before"].notna().any():
        rows = moved.rename(columns={"held": "after", "value": "money"})[["before", "after", "money"]]
        then, now = t.date(_quarter_before(run)), t.date(run.period.calibration_end)
        panels.append(flow.Panel(then, now, rows, PERIODS_FINDING))
    drawn = flow.draw(panels, t)
    if drawn is None:
        return [] if compared else [text(_moved(moves, run, t))]
    value = t("expected contribution") if is_contribution(run) else t("expected revenue")
    if compared:
        caption = t(
            "Accounts and their {value} by class, from the fixed thresholds to the fitted borders, and from one quarter "
            "to the next; streams are as wide as the value that moves.",
            value=value,
        )
    else:
        caption = t(
            "Accounts and their {value} by class, from one quarter to the next; streams are as wide as the value that "
            "moves.",
            value=value,
        )
    return [figure(drawn, caption=caption, alt=flow.alt(panels, t)), text(_moved(moves, run, t))]


def _quarter_before(run: Source) -> date:
    return run.period.calibration_end - timedelta(days=QUARTER_DAYS)


def _moved(moves: pd.DataFrame, run: Source, t: Translator) -> str:
    """Say how many classes changed since the period before on both axes, and how many were held back."""
    moved, worth = (moves[moves["column"] == f"{axis}_class"] for axis in schemes.AXES)
    if moved["before"].isna().all():
        return t("The log is too short to recompute the quarter before, so nothing can be said of movement.")
    step, steps = (_steps(axis) for axis in (moved, worth))
    of_potential = t(
        "In class of potential {up} rose, {down} fell and {waits} are waiting; what sales has declared counts at once.",
        up=t.number((steps > 0).sum()),
        down=t.number((steps < 0).sum()),
        waits=t.number((worth["why"] == "waits").sum()),
    )
    of_many = t(
        "There are so many accounts that the models of the quarters before are fitted to {n} of them, drawn at random.",
        n=t.number(names.LOOKED_BACK_ON),
    )
    return t.join(
        SENTENCES,
        [
            t(
                "Movement since {date}, recomputed from the same log: {up} accounts rose in class, {down} fell, {new} "
                "were not yet known.",
                date=t.date(_quarter_before(run)),
                up=t.number((step > 0).sum()),
                down=t.number((step < 0).sum()),
                new=t.number(moved["before"].isna().sum()),
            ),
            t(
                "An account changes class only if its interval clears the border, or at the second quarter in a row; "
                "{waits} are waiting for that.",
                waits=t.number((moved["why"] == "waits").sum()),
            ),
            *([of_potential] if worth["before"].notna().any() else []),
            *([of_many] if max(len(moved), len(worth)) > names.LOOKED_BACK_ON else []),
        ],
    )


def _steps(moved: pd.DataFrame) -> pd.Series:
    """Return by how many classes each account stands higher than a period before; 0 where it was not known then."""
    after, before = (pd.Categorical(moved[side], categories=list(LEVELS)).codes for side in ("held", "before"))
    known = (after >= 0) & (before >= 0)
    return pd.Series(np.where(known, after.astype(int) - before, 0), moved.index)


def near_borders(run: Source, t: Translator) -> list[Block]:
    """List the accounts of most value whose class is far from certain, with the probability of each class."""
    chances = run.read("class_probabilities", columns=["account", *LEVELS]).set_index("account")
    rows = run.read("schemes", columns=["account", "contribution_class"])
    rows = rows.merge(run.read("forecast", columns=["account", "expected_contribution"]), on="account")
    place = chances.index.get_indexer(pd.Index(rows["account"]))
    known = (place >= 0) & rows["contribution_class"].notna().to_numpy()
    rows, of_each = rows[known], chances.to_numpy()[place[known]]
    own = of_each[np.arange(len(rows)), pd.Index(LEVELS).get_indexer(rows["contribution_class"])]
    near = rows[own < NEAR].sort_values(["expected_contribution", "account"], ascending=[False, True])
    if near.empty:
        return [text(t("No account stands near a border: each keeps its class with at least {p}.", p=t.percent(NEAR)))]
    shown = near.head(TOP).merge(run.read("accounts", columns=["account", "name"]), on="account", how="left")
    printed = pd.DataFrame(
        {
            "account": shown["name"].fillna(shown["account"]),
            "value": [t.money(v) for v in shown["expected_contribution"]],
            "class": [t(LEVELS[c]) for c in shown["contribution_class"]],
            "chances": [probabilities(chances.loc[a], t) for a in shown["account"]],
        }
    )
    columns = [
        TableColumn("account", t("Account")),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("class", t("Class")),
        TableColumn("chances", t("Probability of each class")),
    ]
    caption = t.plural(
        "{n} account is in its class with less than {p}; those of most value.",
        "{n} accounts are in their class with less than {p}; those of most value.",
        len(near),
        p=t.percent(NEAR),
    )
    note = t("Probability that the coming year's value falls into the class, whatever class is in force.")
    return [table(printed, columns=columns, caption=caption, note=note)]


def probabilities(chances: pd.Series, t: Translator) -> str:
    """Write the probabilities of an account's classes of contribution, the likeliest first: "High 83 %, Mid 17 %".

    Parameters
    ----------
    chances : Series
        A row of table "class_probabilities".
    """
    known = chances[list(LEVELS)].astype(float).sort_values(ascending=False, kind="stable")
    parts = [
        t("{level} {probability}", level=t(LEVELS[level]), probability=t.percent(p))
        for level, p in known.items()
        if p >= 0.005
    ]
    return t.join(COMMAS, parts)


def classes(run: Source, t: Translator) -> list[Block]:
    """Table of the classes of every scheme that was applied, with accounts and expected value, the highest first."""
    labels = run.read("schemes").merge(run.read("forecast", columns=["account", "expected_contribution"]), on="account")
    total = labels["expected_contribution"].clip(lower=0).sum()
    rows = []
    hidden = {f"{axis}_class_fixed" for axis in schemes.AXES} - {f"{axis}_class_fixed" for axis in fixed_axes(run)}
    for column, known in schemes.CLASSES.items():
        if column in hidden or labels[column].isna().all():
            continue
        named = dict(zip(known.labels, known.printed or known.labels, strict=True))
        for label in reversed(known.labels):
            mine = labels[labels[column] == label]["expected_contribution"]
            if len(mine):
                share = mine.clip(lower=0).sum() / total if total > 0 else float("nan")
                cells = {"class": t(named[label]), "accounts": t.number(len(mine)), "value": t.money(mine.sum())}
                rows.append({"scheme": t(schemes.TITLES[column]), **cells, "share": t.percent(share)})
    columns = [
        TableColumn("scheme", t("Scheme")),
        TableColumn("class", t("Class")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("share", t("Share"), "right"),
    ]
    return [table(pd.DataFrame(rows), columns=columns, caption=t("The classes of every scheme, the highest first."))]


def all_schemes(run: Source, t: Translator) -> list[Block]:
    """Table of every scheme of the registry: applied to how many accounts, or left out for want of what."""
    rows = run.read("scheme_list")
    kinds = {"fixed": t("set by hand"), "fitted": t("fitted to the data"), "rank": t("place or share")}
    printed = pd.DataFrame(
        {
            "scheme": [t(title) for title in rows["title"]],
            "column": rows["column"],
            "document": rows["document"].replace("", MISSING),
            "kind": [kinds[kind] for kind in rows["kind"]],
            "accounts": [t.number(n) if n else MISSING for n in rows["accounts"]],
            "why": [
                t("left out, no data: {columns}", columns=row.lacks)
                if row.lacks
                else ""
                if row.applied
                else t(row.reason)
                for row in rows.itertuples()
            ],
        }
    )
    columns = [
        TableColumn("scheme", t("Scheme")),
        TableColumn("column", t("Column")),
        TableColumn("document", t("Document")),
        TableColumn("kind", t("Borders")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("why", t("Remark")),
    ]
    return [table(printed, columns=columns, caption=t("All schemes, side by side in the table of schemes."))]
