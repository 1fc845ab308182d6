"""Targets: revenue against plan, next year's forecast with P80, planned gain, and how the sums of targets agree."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kamlab.figures import quarters
from kamlab.figures.words import with_currency, without_currency
from kamlab.i18n import COMMAS, N_, SENTENCES, Translator
from kamlab.planning import KEYS, OTHER
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.names import signed
from kamlab.reports.sections.source import Interval, Source
from kamlab.totals import COMPANY

TOP = 12
"""Groups printed of a kind."""

QUARTERS = 4
"""Of a fiscal year; the table begins with one."""

MONEY = ("trailing", "forecast", "p50", "p80", "gain", "target", "plan")
"""Columns of amounts by group."""

SUMS = {
    COMPANY: N_("Set for the company (top-down)"),
    "owner": N_("Sum of the owners' targets (bottom-up)"),
    "region": N_("Sum of the regions' targets"),
    "product_line": N_("Sum of the product lines' targets"),
    "account": N_("Sum of the accounts' targets (bottom-up)"),
}

KINDS = {"owner": N_("Owner"), "region": N_("Region"), "product_line": N_("Product line")}


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Targets"))]


def against_plan(run: Source, t: Translator) -> list[str]:
    """Say in one sentence how the revenue of the last 12 months stands against the plan; nothing without a plan."""
    found = run.read_facts("plan")["trailing"]
    if not found or found["plan"] <= 0:
        return []
    over = found["actual"] / found["plan"] - 1
    if abs(over) < 0.005:
        return [t("The plan for these 12 months was {plan}, and it was reached.", plan=t.money(found["plan"]))]
    message = (
        N_("The plan for these 12 months was {plan}; {share} more came.")
        if over > 0
        else N_("The plan for these 12 months was {plan}; {share} of it is missing.")
    )
    return [t(message, plan=t.money(found["plan"]), share=t.percent(abs(over)))]


def next_year(run: Source, t: Translator) -> list[str]:
    """Say what is forecast, what planned work is assumed to add, and how likely the target that was set is."""
    whole = run.read("targets", where={"kind": [COMPANY]}).iloc[0]
    said = [
        t(
            "Next 12 months, all accounts: {forecast} of revenue expected (P50 {p50}, P80 {p80}). Planned work is assumed to "
            "add {gain} ({level} interval: {interval}): a target of {target}, and {stretch} as stretch, which one year in "
            "five exceeds.",
            forecast=t.money(whole["forecast"]),
            p50=t.money(whole["p50"]),
            p80=t.money(whole["p80"]),
            gain=t.money(whole["gain"]),
            level=t.percent(run.config.value.level),
            interval=Interval(0, whole["gain_lower"], whole["gain_upper"]).text(t),
            target=t.money(whole["target"]),
            stretch=t.money(whole["stretch"]),
        )
    ]
    if pd.notna(whole["plan"]):
        said.append(
            t(
                "Set for the company: {plan}; it is reached with a probability of {chance} by the forecast alone, and of "
                "{with_gain} if the planned work brings what is assumed.",
                plan=t.money(whole["plan"]),
                chance=t.percent(whole["chance"]),
                with_gain=t.percent(whole["chance_with_gain"]),
            )
        )
    return said


def outlook(run: Source, t: Translator) -> list[Block]:
    """What is forecast and proposed for the company, in sentences, and what the proposal rests on."""
    rest = t(
        "What planned work adds is an assumption, not a measurement: of what an account could bring more, {shares}. No log "
        "shows what work brings. Customers still to be won count only in that gain.",
        shares=assumption(run, t),
    )
    return [text(t.join(SENTENCES, [*next_year(run, t), rest]))]


def assumption(run: Source, t: Translator) -> str:
    """Write the assumed shares of the room by strategy: likely, with least and most."""
    from kamlab.strategies import texts

    said = [
        t(
            "{strategy} {likely} ({least} to {most})",
            strategy=t(texts.STRATEGIES[name].name),
            likely=t.percent(likely),
            least=t.percent(least),
            most=t.percent(most),
        )
        for name, (least, likely, most) in run.config.planning.gain.items()
    ]
    return t.join(COMMAS, said)


def reconciliation(run: Source, t: Translator) -> list[Block]:
    """Table of what was set, from the top and from below, against the proposal; nothing where nothing was set."""
    sums = run.read_facts("plan")["coming"]
    if not sums:
        return [
            text(
                t(
                    "No targets are set for the next 12 months: map a table of targets to hold them against the forecast."
                )
            )
        ]
    whole = run.read("targets", where={"kind": [COMPANY]}).iloc[0]
    first = next(iter(sums.values()))
    lines = [(t(SUMS[kind]), sums[kind]) for kind in (COMPANY, *KEYS) if kind in sums]
    lines += [(t("Proposed: forecast and planned gain"), whole["target"]), (t("Forecast alone"), whole["forecast"])]
    printed = pd.DataFrame(
        {
            "what": [name for name, _ in lines],
            "amount": [t.money(value) for _, value in lines],
            "difference": [t.money(value - first) for _, value in lines],
            "share": [signed(value / first - 1, t) for _, value in lines],
        }
    )
    columns = [
        TableColumn("what", t("Next 12 months")),
        TableColumn("amount", t("Revenue"), "right"),
        TableColumn("difference", t("Less the first line"), "right"),
        TableColumn("share", t("In per cent"), "right"),
    ]
    caption = t("Targets from the top and from below, and what is forecast and proposed.")
    return [table(printed, columns=columns, caption=caption)]


def by_group(run: Source, t: Translator) -> list[Block]:
    """Tables of forecast, proposal and what was set, by owner, region and product line."""
    rows = run.read("targets", where={"kind": list(KINDS)})
    return [*_tables(rows, t), *_price_and_volume(rows[rows["kind"] == "product_line"], t)]


def _tables(rows: pd.DataFrame, t: Translator) -> list[Block]:
    blocks: list[Block] = []
    for kind, word in KINDS.items():
        own = rows[rows["kind"] == kind].sort_values(["forecast", "group"], ascending=[False, True])
        if len(own) > 1:
            blocks.append(_groups(own, t(word), kind, t))
    return blocks


def _price_and_volume(lines: pd.DataFrame, t: Translator) -> list[Block]:
    """Table of the targets in units and price, by product line; nothing where no quantities are known."""
    own = lines[lines["price"].notna()].sort_values(["target", "group"], ascending=[False, True])
    if own.empty:
        return []
    shown = own.head(TOP)
    sold = shown["trailing"] / shown["price"]
    printed = pd.DataFrame(
        {
            "group": [_name(name, "product_line", t) for name in shown["group"]],
            "price": [t.money(v) for v in shown["price"]],
            "sold": [t.number(v) for v in sold],
            "quantity": [t.number(v) for v in shown["quantity"]],
            "change": [signed(v, t) for v in shown["quantity"] / sold - 1],
        }
    )
    columns = [
        TableColumn("group", t("Product line"), width=22),
        TableColumn("price", t("Mean price of a unit"), "right"),
        TableColumn("sold", t("Units, last 12 months"), "right"),
        TableColumn("quantity", t("Units for the target"), "right"),
        TableColumn("change", t("Change"), "right"),
    ]
    notes = [t("The price is that of the last 12 months; a price one per cent higher needs one per cent fewer units.")]
    if len(lines) > len(shown):
        more = len(lines) - len(shown)
        notes.append(t.plural("{n} more is in the table targets.", "{n} more are in the table targets.", more))
    caption = t("The proposed targets in price and volume, by product line.")
    return [table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, notes))]


def _groups(own: pd.DataFrame, word: str, kind: str, t: Translator) -> Block:
    shown, set_, plain = own.head(TOP), own["plan"].notna().any(), without_currency(t)
    printed = pd.DataFrame(
        {
            "group": [_name(name, kind, t) for name in shown["group"]],
            **{column: [plain.money(v) for v in shown[column]] for column in MONEY},
            "chance": [t.percent(v) for v in shown["chance_with_gain"]],
        }
    )
    columns = [
        TableColumn("group", word),
        TableColumn("trailing", t("Last 12 months"), "right"),
        TableColumn("forecast", t("Forecast"), "right"),
        TableColumn("p50", t("P50"), "right"),
        TableColumn("p80", t("P80"), "right"),
        TableColumn("gain", t("Planned gain"), "right"),
        TableColumn("target", t("Proposed"), "right"),
        *([TableColumn("plan", t("Set"), "right"), TableColumn("chance", t("Reached with"), "right")] if set_ else []),
    ]
    captions = {
        "owner": t("Revenue of the next 12 months and targets by owner"),
        "region": t("Revenue of the next 12 months and targets by region"),
        "product_line": t("Revenue of the next 12 months and targets by product line"),
    }
    notes = [
        t(
            "P50: half of all years bring more; P80: one in five. Both are taken from sums of joint draws; only forecasts and "
            "gains add up."
        )
    ]
    if set_:
        notes.append(t("Reached with: probability that forecast and planned gain reach what was set."))
    if len(own) > TOP:
        notes.append(
            t.plural("{n} more is in the table targets.", "{n} more are in the table targets.", len(own) - TOP)
        )
    caption = with_currency(captions[kind], t)
    return table(printed, columns=columns, caption=caption, note=t.join(SENTENCES, notes))


def _name(name: str, kind: str, t: Translator) -> str:
    return t("not known yet") if kind == "product_line" and name == OTHER else name


def by_quarter(run: Source, t: Translator) -> list[Block]:
    """Picture of the fiscal quarters against plan and last year, and the owners' year so far against theirs."""
    rows = run.read("plan")
    whole = rows[rows["kind"] == COMPANY]
    drawn = quarters.draw(whole, t)
    if drawn is None:
        return []
    caption = (
        t(
            "Revenue of the fiscal quarters, the plan and the year before. A plan of a whole year is spread by the seasons "
            "of the years before it."
        )
        if whole["plan"].notna().any()
        else t("Revenue of the fiscal quarters and of the year before.")
    )
    return [figure(drawn, caption=caption, alt=quarters.alt(whole, t))]


def year_by_owner(run: Source, t: Translator) -> list[Block]:
    """Table of the fiscal year so far against the owners' plans, the largest gap first; nothing without plans."""
    rows = run.read("plan")
    starts = sorted(rows["start"].unique())
    of_year = rows["start"] >= starts[QUARTERS * ((len(starts) - 1) // QUARTERS)]
    year = rows[(rows["kind"] == "owner") & rows["plan"].notna() & of_year]
    if year.empty:
        return []
    sums = year.groupby("group")[["plan", "actual", "last_year"]].sum().reset_index()
    sums["difference"] = sums["actual"] - sums["plan"]
    shown = sums.sort_values(["difference", "group"]).head(TOP)
    everyone = {"group": t("All owners with a plan"), **sums[["plan", "actual", "last_year", "difference"]].sum()}
    lines: list[dict[str, Any]] = [*shown.to_dict("records"), everyone]
    printed = pd.DataFrame(
        {
            "group": [line["group"] for line in lines],
            **{key: [t.money(line[key]) for line in lines] for key in ("plan", "actual", "difference")},
            "share": [t.percent(line["actual"] / line["plan"]) if line["plan"] > 0 else None for line in lines],
            "last_year": [t.money(line["last_year"]) for line in lines],
        }
    )
    columns = [
        TableColumn("group", t("Owner")),
        TableColumn("plan", t("Plan"), "right"),
        TableColumn("actual", t("Came"), "right"),
        TableColumn("difference", t("Difference"), "right"),
        TableColumn("share", t("Share of plan"), "right"),
        TableColumn("last_year", t("A year before"), "right"),
    ]
    caption = t("The fiscal year so far against the owners' plans, those furthest behind first.")
    return [
        table(
            printed,
            columns=columns,
            caption=caption,
            note=t("Revenue counts for the owner that an account has today."),
            total_rows=1,
        )
    ]


def in_short(run: Source, t: Translator) -> list[Block]:
    """The chapter for management: what to expect and to aim at, the quarters, and the targets of one kind of group."""
    groups = _tables(run.read("targets", where={"kind": list(KINDS)}), t)
    said = text(t.join(SENTENCES, next_year(run, t)))
    return [*heading(run, t), said, *by_quarter(run, t), *groups[:1]]


def section(run: Source, t: Translator) -> list[Block]:
    """The whole chapter."""
    return [
        *heading(run, t),
        *outlook(run, t),
        *reconciliation(run, t),
        *by_quarter(run, t),
        *by_group(run, t),
        *year_by_owner(run, t),
    ]
