"""The forecast: revenue over time, the model against simple rules, what limits it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from kamlab.backtest import BASELINES, RECORDS
from kamlab.backtest.names import NEVER_CHOSEN
from kamlab.backtest.notes import NOTE_ALIVE
from kamlab.clv.notes import NOTE_ONE_TIME
from kamlab.figures import forecast_record, revenue_history
from kamlab.i18n import MISSING, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.caveats import lost_groups
from kamlab.reports.sections.forecast_words import (
    against_rules,
    covered,
    earlier_totals,
    low_probabilities,
    main_target,
    nearer_models,
    newest_date,
    of_the_record,
    reason,
    writer,
)
from kamlab.reports.sections.names import forecaster_name, group_name, signed
from kamlab.reports.sections.source import Source, total_revenue


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## How good was the forecast?"))]


def contest(run: Source, t: Translator) -> list[Block]:
    """Table of the forecast and the simple rules at the newest date that has already passed, and what it says."""
    rows = run.read("backtest")
    if rows.empty:
        return [text(t("The log is too short to test the forecast on a period that has already passed."))]
    rows = rows[rows["target"] == main_target(rows)]
    choice = run.read_facts("choice")
    newest, write = newest_date(rows, choice), writer(rows, t)
    printed = pd.DataFrame(
        {
            "forecaster": [forecaster_name(name, t) for name in newest.index],
            "forecast": [write(v) for v in newest["forecast"]],
            "bias": [signed(v, t) for v in newest["bias"]],
            "mae": [write(v) for v in newest["mae"]],
            "rmse": [write(v) for v in newest["rmse"]],
            "relative": [t.number(v, 2) for v in newest["relative_rmse"]],
            "top": [t.percent(v) if pd.notna(v) else MISSING for v in newest["top_20"]],
        }
    )
    columns = [
        TableColumn("forecaster", t("Forecast by")),
        TableColumn("forecast", t("All accounts"), "right"),
        TableColumn("bias", t("Off by"), "right"),
        TableColumn("mae", t("Mean absolute error"), "right"),
        TableColumn("rmse", t("Root mean square error"), "right"),
        TableColumn("relative", t("to “same as last”"), "right"),
        TableColumn("top", t("Found in top 20 %"), "right"),
    ]
    note = t(
        "The first row is the forecast in force. “Nobody buys again” is there for measure only: a mean error rewards it "
        "where most accounts stay silent. Found in top 20 %: share of what came from the fifth of the accounts with the "
        "highest forecasts."
    )
    return [
        text(
            t.join(
                SENTENCES,
                [
                    reason(run, t),
                    *against_rules(run, t),
                    *nearer_models(newest, run, t),
                    covered(newest.iloc[0], t),
                    *low_probabilities(run, t),
                ],
            )
        ),
        table(printed, columns=columns, caption=of_the_record(newest, run, t), note=note),
        *earlier_totals(rows, choice["forecaster"], t),
    ]


def record(run: Source, t: Translator) -> list[Block]:
    """Table of the last forecast and the simple rules against what came, and whether it held at earlier dates."""
    rows = run.read("backtest")
    if rows.empty:
        return [text(t("The log is too short to test the forecast on a period that has already passed."))]
    rows = rows[rows["target"] == main_target(rows)]
    choice = run.read_facts("choice")
    newest, write = newest_date(rows, choice), writer(rows, t)
    kept = newest[newest.index.isin([choice["forecaster"], *BASELINES]) & (newest.index != NEVER_CHOSEN)]
    printed = pd.DataFrame(
        {
            "forecaster": [forecaster_name(name, t) for name in kept.index],
            "forecast": [write(v) for v in kept["forecast"]],
            "bias": [signed(v, t) for v in kept["bias"]],
            "mae": [write(v) for v in kept["mae"]],
        }
    )
    columns = [
        TableColumn("forecaster", t("Forecast by")),
        TableColumn("forecast", t("All accounts"), "right"),
        TableColumn("bias", t("Off by"), "right"),
        TableColumn("mae", t("Off by, each account"), "right"),
    ]
    said = [
        *(reason(run, t), *against_rules(run, t), *lost_groups(run, t)),
        covered(newest.iloc[0], t),
    ]
    return [
        text(t.join(SENTENCES, said)),
        table(printed, columns=columns, caption=of_the_record(newest, run, t)),
        *earlier_totals(rows, choice["forecaster"], t),
    ]


def candidates(run: Source, t: Translator) -> list[Block]:
    """Table of all that took part in the contest, nearest first."""
    rows = run.read("contest")
    if rows.empty:
        return []
    printed = pd.DataFrame(
        {
            "forecaster": [forecaster_name(name, t) for name in rows["forecaster"]],
            "score": [t.number(v, 3) for v in rows["score"]],
            "error": [t.number(v, 3) for v in rows["standard_error"]],
            "complexity": [t.number(v) for v in rows["complexity"]],
            "eligible": [t("yes") if v else t("no") for v in rows["eligible"]],
            "chosen": [t("yes") if v else "" for v in rows["chosen"]],
        }
    )
    columns = [
        TableColumn("forecaster", t("Forecast by")),
        TableColumn("score", t("Error to “same as last”"), "right"),
        TableColumn("error", t("Standard error"), "right"),
        TableColumn("complexity", t("Complexity"), "right"),
        TableColumn("eligible", t("Eligible")),
        TableColumn("chosen", t("In force")),
    ]
    caption = t.plural(
        "The contest on {n} date: root mean square error, relative to “same as in the last period”.",
        "The contest on {n} dates: root mean square error, relative to “same as in the last period”, averaged.",
        int(rows["origins"].iloc[0]),
    )
    note = t(
        "Standard error: of the difference from the best. Of those within one standard error of the best the least "
        "complex is in force, unless the configuration names another. Only who did no worse than “same as in the last "
        "period” is eligible."
    )
    return [table(printed, columns=columns, caption=caption, note=note)]


def for_whom(run: Source, t: Translator) -> list[Block]:
    """Table of how wrong the forecast was by groups of accounts."""
    rows = run.read("record_groups")
    if rows.empty:
        return []
    write = writer(run.read("backtest"), t)
    printed = pd.DataFrame(
        {
            "group": [group_name(group, t) for group in rows["group"]],
            "accounts": [t.number(v) for v in rows["accounts"]],
            "actual": [write(v) for v in rows["actual"]],
            "bias": [signed(v, t) for v in rows["bias"]],
            "naive": [signed(v, t) for v in rows["naive_bias"]],
            "rmse": [write(v) for v in rows["rmse"]],
            "naive_rmse": [write(v) for v in rows["naive_rmse"]],
            "coverage": [t.percent(v) for v in rows["coverage"]],
        }
    )
    columns = [
        TableColumn("group", t("Group of accounts")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("actual", t("What came"), "right"),
        TableColumn("bias", t("Off by"), "right"),
        TableColumn("naive", t("“same as last” off by"), "right"),
        TableColumn("rmse", t("Root mean square error"), "right"),
        TableColumn("naive_rmse", t("of “same as last”"), "right"),
        TableColumn("coverage", t("In interval"), "right"),
    ]
    return [table(printed, columns=columns, caption=t("How wrong the last forecast was, and for whom."))]


def probabilities(run: Source, t: Translator) -> list[Block]:
    """Table of the probability of a purchase within 90 days, held against what happened."""
    rows = run.read("calibration")
    rows = rows[(rows["probability"] == "buys_90") & rows["role"].isin(RECORDS)]
    if rows.empty:
        return []
    printed = pd.DataFrame(
        {
            "range": [
                t("{low} to {high}", low=t.percent(a), high=t.percent(b))
                for a, b in zip(rows["lower"], rows["upper"], strict=True)
            ],
            "accounts": [t.number(v) for v in rows["accounts"]],
            "predicted": [t.percent(v) for v in rows["predicted"]],
            "observed": [t.percent(v) for v in rows["observed"]],
        }
    )
    columns = [
        TableColumn("range", t("Probability of a purchase within 90 days")),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("predicted", t("Said, on average"), "right"),
        TableColumn("observed", t("Bought"), "right"),
    ]
    errors = run.read_facts("choice")["calibration_error"]
    note = t(
        "On average the probability was {after} off, {before} before its correction by earlier dates.",
        after=t.percent(errors["buys_90"], 1),
        before=t.percent(errors["buys_90_model"], 1),
    )
    return [table(printed, columns=columns, caption=t("The probability of a purchase, and what happened."), note=note)]


def notes(run: Source, t: Translator) -> list[Block]:
    """What limits the forecast: short history, fallbacks, properties of the models, groups for which a rule was closer."""
    models = run.read("models")
    every = run.read_facts("choice")["notes"] + [line for note in models["note"] for line in note.split("\n") if line]
    # Of one-time buyers `outlook.one_time` says the same with their number.
    sentences = [t(note) for note in dict.fromkeys(every) if note not in (NOTE_ALIVE, NOTE_ONE_TIME)]
    sentences += lost_groups(run, t)
    if not sentences:
        return []
    return [text("\n".join(f"- {sentence}" for sentence in sentences))]


def history(run: Source, t: Translator) -> list[Block]:
    """Picture of the company's revenue by month, and what the next 12 months should bring; none without amounts."""
    if run.read("forecast", columns=["expected_revenue"])["expected_revenue"].isna().all():
        return []
    future, revenue = total_revenue(run), run.read_facts("revenue")
    months = _whole_months(run.read("months"), run.period.calibration_end)
    options = {"expected": future.value, "lower": future.lower, "upper": future.upper}
    options |= {"trailing": revenue["trailing"], "previous": revenue["previous"]}
    return [
        figure(
            revenue_history.draw(months, t, **options),
            caption=t(
                "Revenue by month, and the mean month of each 12 months and of the forecast, which counts today's customers "
                "only."
            ),
            alt=revenue_history.alt(months, t, **options),
        )
    ]


def _whole_months(months: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return every whole month up to the as-of date; a month under way would look like a fall."""
    last = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    every = pd.date_range(months["month"].min(), last, freq="MS", inclusive="left")
    whole = every[every + pd.offsets.MonthBegin(1) <= last]
    filled = months.set_index("month").reindex(whole if len(whole) else every, fill_value=0)
    return filled.rename_axis("month").reset_index()


def picture(run: Source, t: Translator) -> list[Block]:
    """Picture of the forecasts of all accounts together from each earlier date, beside what came."""
    rows = run.read("backtest")
    chosen = rows["forecaster"] == run.read_facts("choice")["forecaster"]
    rows = rows[chosen | rows["forecaster"].isin(BASELINES)]
    # A rule may itself be in force: the picture sets off what is, and shows the other rules beside it.
    rows = rows.assign(kind=np.where(rows["forecaster"] == run.read_facts("choice")["forecaster"], "model", "baseline"))
    names = {name: forecaster_name(name, t) for name in rows["forecaster"].unique()}
    drawn = forecast_record.draw(rows, t, names=names)
    if drawn is None:
        return []
    return [
        figure(
            drawn,
            caption=t("What each forecast said of all accounts together, beside what came."),
            alt=forecast_record.alt(rows, t, names=names),
        )
    ]
