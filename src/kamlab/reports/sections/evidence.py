"""Whether the fitted borders serve better than other schemes, judged on the company's own past."""

from __future__ import annotations

import pandas as pd

from kamlab import evidence as judged
from kamlab.figures.words import with_currency, without_currency
from kamlab.i18n import COMMAS, MISSING, N_, SEMICOLONS, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, callout, page_break, table, text
from kamlab.reports.sections.source import Source, is_contribution, why_not_fixed
from kamlab.schemes import TITLES

FIXED = "contribution_class_fixed"
MONEY = ("missed",)
SHOWN = 2
"""Comparisons named in the first sentence; the tables hold all."""

NAMES = {
    "share": N_("Next value in the top class, at equal size"),
    "explained": N_("Next value explained"),
    "churn": N_("Tells who stays from who leaves"),
    "changed": N_("Change class"),
    "returned": N_("Of these come back"),
    "missed": N_("Value put too low"),
}
HEADS = {
    "share": N_("Top class"),
    "explained": N_("Explained"),
    "churn": N_("Who stays"),
    "changed": N_("Change"),
    "returned": N_("Come back"),
    "missed": N_("Put too low"),
}
MEANINGS = (
    N_(
        "**Top class**: share of the next period's value from as many accounts as the fitted top class holds, 10 at least."
    ),
    N_("**Explained**: share of the variance of the next period's value that the classes explain."),
    N_(
        "**Who stays**: chance that an account which buys again stands in a higher class than one that does not; 50 % is "
        "a coin's."
    ),
    N_(
        "**Change**, **Come back**: accounts in another class one period later, and those of them back after two; by the "
        "value alone, before the report holds a class until a change is sure."
    ),
    N_("**Put too low**: value of accounts that proved to be among the best, and were not put in the top class."),
)
MOVERS = {
    (True, True): N_(
        "Who moves: as of {date}, accounts that the fitted borders put higher than the fixed thresholds: {up}, with "
        "{up_each} an account in the {days} days after; lower: {down}, with {down_each} an account."
    ),
    (True, False): N_(
        "Who moves: as of {date}, accounts that the fitted borders put higher than the fixed thresholds: {up}, with "
        "{up_each} an account in the {days} days after; lower: none."
    ),
    (False, True): N_(
        "Who moves: as of {date}, accounts that the fitted borders put lower than the fixed thresholds: {down}, with "
        "{down_each} an account in the {days} days after; higher: none."
    ),
    (False, False): N_(
        "Who moves: as of {date} the fitted borders put nobody higher or lower than the fixed thresholds."
    ),
}
"""Whether accounts stand higher, and lower, by the fitted borders → what is said of them."""
MARKS = {"better": "+", "even": "=", "worse": "−", "": ""}


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [page_break(), text(t("## Do the fitted borders serve better?"))]


def verdict(run: Source, t: Translator) -> list[Block]:
    """Say first where the fitted borders are not better, then on what the judgement stands."""
    found = _means(run, t)
    if found.empty:
        return [callout("warning", t("Nothing to judge by"), t(NO_EVIDENCE))]
    rows = found[found["verdict"] != ""]
    why = [why_not_fixed(run, t)] if why_not_fixed(run, t) else []
    if rows.empty:
        return [text(t.join(SENTENCES, why))]
    return [text(t.join(SENTENCES, [first_sentence(rows, t), *_against(rows, t), *why, *_basis(run, t)]))]


def in_short(run: Source, t: Translator) -> list[Block]:
    """Say in one line how the fitted borders stand against the fixed thresholds, and against all other schemes."""
    found = _means(run, t)
    rows = found[found["verdict"] != ""]
    fixed = rows[rows["column"] == FIXED]["verdict"]
    if fixed.empty:
        return verdict(run, t)
    count = {name: int((fixed == name).sum()) for name in ("better", "worse", "even")}
    said = t(
        "Against the fixed thresholds, on the company's own past, the fitted borders are clearly better by {better} of "
        "{all} measures and clearly worse by {worse}; against all other schemes another one is clearly better in "
        "{others} of {comparisons} comparisons.",
        better=count["better"],
        worse=count["worse"],
        all=len(fixed),
        others=int((rows["verdict"] == "worse").sum()),
        comparisons=len(rows),
    )
    return [text(said)]


NO_EVIDENCE = N_(
    "The log does not reach back to a date with at least 30 accounts and half a horizon of history, so it is not known "
    "whether the fitted borders serve better than fixed thresholds."
)


def first_sentence(rows: pd.DataFrame, t: Translator) -> str:
    """Return where the fitted borders are worse or no better; only where they are better everywhere, that.

    Parameters
    ----------
    rows : DataFrame
        Rows of table "evidence" that carry a verdict, those over all dates.
    """
    worse, even = (rows[rows["verdict"] == verdict] for verdict in ("worse", "even"))
    if len(worse):
        return t(
            "The fitted borders are not better everywhere: in {worse} of {all} comparisons another scheme was clearly "
            "better ({named}); in {even} there is no clear difference.",
            named=_named(worse, t),
            worse=len(worse),
            all=len(rows),
            even=len(even),
        )
    if len(even):
        return t(
            "The fitted borders are nowhere worse, but in {even} of {all} comparisons not clearly better: {named}.",
            named=_named(even, t),
            even=len(even),
            all=len(rows),
        )
    return t("The fitted borders were clearly better than every other scheme by every measure.")


def _against(rows: pd.DataFrame, t: Translator) -> list[str]:
    """Say by which measures the fitted borders are better than the fixed thresholds, worse, or neither."""
    sentences = {
        "better": N_("Against the fixed thresholds they are clearly better by {measures}."),
        "worse": N_("Against the fixed thresholds they are clearly worse by {measures}."),
        "even": N_("No clear difference from the fixed thresholds by {measures}."),
    }
    fixed = rows[rows["column"] == FIXED].set_index("measure")["verdict"]
    said = []
    for verdict, sentence in sentences.items():
        measures = [t("“{measure}”", measure=t(HEADS[m])) for m in judged.MEASURES if fixed.get(m) == verdict]
        if measures:
            said.append(t(sentence, measures=t.join(COMMAS, measures)))
    return said


def _named(rows: pd.DataFrame, t: Translator) -> str:
    """Name measures with the schemes concerned, fixed thresholds first."""
    order = {FIXED: -1}
    parts = []
    for measure in judged.MEASURES:
        mine = rows[rows["measure"] == measure]
        columns = sorted(mine["column"], key=lambda c: (order.get(c, 0), list(TITLES).index(c)))
        if columns:
            shown = t.join(COMMAS, [t(TITLES[c]) for c in columns[:SHOWN]])
            more = t("{shown} and {n} more", shown=shown, n=len(columns) - SHOWN)
            shown = more if len(columns) > SHOWN else shown
            parts.append(t("“{measure}”: {schemes}", measure=t(HEADS[measure]), schemes=shown))
    return t.join(SEMICOLONS, parts)


def _basis(run: Source, t: Translator) -> list[str]:
    rows = run.read("evidence")
    dates = sorted(rows["origin"].dropna().unique())
    accounts = rows[rows["origin"].notna()].drop_duplicates("origin")["accounts"]
    value = t("margin") if is_contribution(run) else t("revenue")
    return [
        t.plural(
            "Judged from {n} earlier date ({dates}) on {accounts} accounts by the {value} of the {days} days after it. "
            "Every scheme knew the sales up to that date alone; the forecaster is the one in force today.",
            "Judged from {n} earlier dates ({dates}) on {accounts} accounts a date by the {value} of the {days} days "
            "after each. Every scheme knew the sales up to that date alone; the forecaster is the one in force today.",
            len(dates),
            dates=t.join(COMMAS, [t.date(pd.Timestamp(d).date()) for d in dates]),
            accounts=t.number(accounts.mean()),
            value=value,
            days=run.period.horizon_days,
        )
    ]


def against_fixed(run: Source, t: Translator) -> list[Block]:
    """Table of fitted against fixed borders, each figure with its interval."""
    found = _means(run, t).set_index(["column", "measure"])
    if FIXED not in found.index:
        return []
    rows = []
    for measure, name in NAMES.items():
        if (FIXED, measure) not in found.index or (judged.REFERENCE, measure) not in found.index:
            continue
        fitted, fixed = found.loc[(judged.REFERENCE, measure)], found.loc[(FIXED, measure)]
        verdicts = {"better": t("better"), "even": t("even"), "worse": t("worse"), "": MISSING}
        rows.append(
            {
                "measure": with_currency(t(name), t) if measure in MONEY else t(name),
                "fitted": _with_interval(fitted, ("value", "lower", "upper"), measure, t),
                "fixed": _with_interval(fixed, ("value", "lower", "upper"), measure, t),
                "difference": _with_interval(
                    fixed, ("difference", "difference_lower", "difference_upper"), measure, t, signed=True
                ),
                "newest": verdicts[str(fixed["newest"])],
                "verdict": verdicts[str(fixed["verdict"])],
            }
        )
    columns = [
        TableColumn("measure", t("Measure")),
        TableColumn("fitted", t("fitted"), "right"),
        TableColumn("fixed", t("fixed"), "right"),
        TableColumn("difference", t("Difference"), "right"),
        TableColumn("newest", t("Newest date alone")),
        TableColumn("verdict", t("The fitted borders are")),
    ]
    caption = t(
        "Fitted borders against fixed thresholds, with {level} intervals over accounts; a difference counts as clear "
        "where its interval does not hold zero.",
        level=t.percent(0.9),
    )
    note = t("Better only where the mean over the dates and the newest date alone agree.")
    return [table(pd.DataFrame(rows), columns=columns, caption=caption, note=note)]


def all_schemes(run: Source, t: Translator) -> list[Block]:
    """Table of all schemes by all measures, and what the measures mean."""
    found = _means(run, t)
    if found.empty:
        return []
    rows = []
    for column, mine in found.groupby("column", sort=False):
        by_measure = mine.set_index("measure")
        cells = {m: _cell(by_measure.loc[m], m, t) if m in by_measure.index else MISSING for m in judged.MEASURES}
        rows.append({"scheme": t(TITLES[str(column)]), **cells, "first": column != judged.REFERENCE})
    printed = pd.DataFrame(rows).sort_values("first", kind="stable").drop(columns="first")
    columns = [
        TableColumn("scheme", t("Scheme")),
        *(
            TableColumn(m, with_currency(t(HEADS[m]), t) if m in MONEY else t(HEADS[m]), "right")
            for m in judged.MEASURES
        ),
    ]
    note = t("Beside each figure: the fitted borders are clearly better (+), clearly worse (−), or neither (=).")
    return [
        table(printed, columns=columns, caption=t("Every scheme, judged on the same accounts and dates."), note=note),
        text("\n".join("- " + t(meaning) for meaning in MEANINGS)),
    ]


def movers(run: Source, t: Translator) -> list[Block]:
    """Say what the accounts brought that the fitted borders had put higher or lower than the fixed ones."""
    past = run.read("earlier")
    if past.empty or why_not_fixed(run, t):
        return []
    newest = past[past["back"] == 1]
    rows = judged.movers(newest)
    if rows.empty:
        return []
    sentence = MOVERS[bool(rows.loc["up", "accounts"]), bool(rows.loc["down", "accounts"])]
    said = t(
        sentence,
        date=t.date(newest["origin"].iloc[0].date()),
        up=t.number(rows.loc["up", "accounts"]),
        up_each=t.money(rows.loc["up", "mean"]),
        days=run.period.horizon_days,
        down=t.number(rows.loc["down", "accounts"]),
        down_each=t.money(rows.loc["down", "mean"]),
    )
    return [text(said)]


def _means(run: Source, t: Translator) -> pd.DataFrame:
    """Return the rows over all dates, with the verdict of the newest date alone as `newest`.

    What is better over all dates and not at the newest one is not called better.
    """
    rows = run.read("evidence")
    rows = rows[rows["measure"].isin(list(judged.MEASURES))]
    if (rows["column"] == FIXED).any() and why_not_fixed(run, t):
        rows = rows[rows["column"] != FIXED]
    keys = ["column", "measure"]
    last = rows[rows["origin"] == rows["origin"].max()].set_index(keys)["verdict"]
    found = rows[rows["origin"].isna()].copy()
    # A measure that needs two later dates has no verdict at the newest one.
    newest = last.reindex(pd.MultiIndex.from_frame(found[keys])).fillna("")
    found["newest"] = newest.to_numpy()
    doubtful = (found["verdict"] == "better") & ~found["newest"].isin(["better", ""])
    found["verdict"] = found["verdict"].mask(doubtful, "even")
    return found


def _written(value: float, measure: str, t: Translator, *, signed: bool = False) -> str:
    if pd.isna(value):
        return MISSING
    written = without_currency(t).money(value) if measure in MONEY else t.percent(value)
    return "+" + written if signed and value > 0 else written


def _with_interval(
    row: pd.Series, names: tuple[str, str, str], measure: str, t: Translator, *, signed: bool = False
) -> str:
    value, lower, upper = (_written(row[name], measure, t, signed=signed) for name in names)
    return t("{value} ({lower} to {upper})", value=value, lower=lower, upper=upper)


def _cell(row: pd.Series, measure: str, t: Translator) -> str:
    written = _written(row["value"], measure, t)
    mark = MARKS[str(row["verdict"])]
    return t("{value} {mark}", value=written, mark=mark) if mark else written
