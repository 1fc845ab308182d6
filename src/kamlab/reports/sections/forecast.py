"""The forecast: revenue over time, the model against simple rules, what limits it."""

from __future__ import annotations

from datetime import date

import pandas as pd

from kamlab.backtest import BLEND, MODEL
from kamlab.figures import forecast_record, revenue_history
from kamlab.i18n import COMMAS, MISSING, SEMICOLONS, Translator
from kamlab.reports.blocks import Block, TableColumn, figure, table, text
from kamlab.reports.sections.answers import forecaster_name, signed
from kamlab.reports.sections.source import Source, total_revenue


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## How good was the forecast?"))]


def contest(run: Source, t: Translator) -> list[Block]:
    """Table of the model and the simple rules at the newest origin that has already passed, and what it says."""
    rows = run.read("backtest")
    if rows.empty:
        return [text(t("The log is too short to test the forecast on a period that has already passed."))]
    target = "revenue" if (rows["target"] == "revenue").any() else "purchases"
    rows = rows[rows["target"] == target]
    origin = rows["origin"].max()
    newest = rows[rows["origin"] == origin].set_index("forecaster")
    write = t.money if target == "revenue" else (lambda v: t.number(v, 2))
    printed = pd.DataFrame(
        {
            "forecaster": [forecaster_name(name, t) for name in newest.index],
            "forecast": [write(v) for v in newest["forecast"]],
            "bias": [signed(v, t) for v in newest["bias"]],
            "mae": [write(v) for v in newest["mae"]],
            "rmse": [write(v) for v in newest["rmse"]],
            "relative": [t.number(v, 2) for v in newest["relative_rmse"]],
            "coverage": [t.percent(v) if pd.notna(v) else MISSING for v in newest["coverage"]],
        }
    )
    columns = [
        TableColumn("forecaster", t("Forecast by")),
        TableColumn("forecast", t("All accounts"), "right"),
        TableColumn("bias", t("Off by"), "right"),
        TableColumn("mae", t("Mean absolute error"), "right"),
        TableColumn("rmse", t("Root mean square error"), "right"),
        TableColumn("relative", t("to “same as last”"), "right"),
        TableColumn("coverage", t("In interval"), "right"),
    ]
    caption = t(
        "Forecast made from the data up to {origin}; what came in the {days} days after it was {actual}.",
        origin=pd.Timestamp(origin).date(),
        days=run.period.horizon_days,
        actual=write(newest["actual"].iloc[0]),
    )
    note = t(
        "“Nobody buys again” is there for measure only: a mean error rewards it where most accounts stay silent. "
        "In interval: share of accounts whose result fell inside the model's own {level} interval.",
        level=t.percent(newest["level"].iloc[0]),
    )
    return [
        text(_verdict(run, t)),
        table(printed, columns=columns, caption=caption, note=note),
        *_earlier(rows, origin, t),
    ]


def _verdict(run: Source, t: Translator) -> str:
    beaten = run.read_facts("choice")["beaten_by"]
    if beaten:
        names = t.join(COMMAS, (forecaster_name(name, t) for name in beaten))
        return t("For single accounts these simple rules were closer than the model, by root mean square error: **{names}**.", names=names)
    return t("For single accounts the model was closer than every simple rule, by root mean square error.")


def _earlier(rows: pd.DataFrame, newest: object, t: Translator) -> list[Block]:
    """Say how far the model's total was off at each earlier origin."""
    model = rows[(rows["kind"] == "model") & (rows["origin"] != newest)].sort_values("origin", ascending=False)
    if model.empty:
        return []
    parts = [
        t("{origin}: {bias}", origin=pd.Timestamp(row.origin).date(), bias=signed(row.bias, t))
        for row in model.itertuples()
    ]
    return [text(t("The model's total from earlier dates was off by: {list}.", list=t.join(SEMICOLONS, parts)))]


def notes(run: Source, t: Translator) -> list[Block]:
    """What limits the forecast: short history, fallbacks, properties of the models."""
    models = run.read("models")
    sentences = [t(note) for note in run.read_facts("choice")["notes"]]
    every = [line for note in models["note"] for line in note.split("\n") if line]
    sentences += [t(note) for note in dict.fromkeys(every)]
    if not sentences:
        return []
    return [text("\n".join(f"- {sentence}" for sentence in sentences))]


def history(run: Source, t: Translator) -> list[Block]:
    """Picture of the company's revenue by month, and what the next 12 months should bring."""
    future, revenue = total_revenue(run), run.read_facts("revenue")
    months = _whole_months(run.read("months"), run.period.calibration_end)
    options = {"expected": future.value, "lower": future.lower, "upper": future.upper}
    options |= {"trailing": revenue["trailing"], "previous": revenue["previous"]}
    return [
        figure(
            revenue_history.draw(months, t, **options),
            caption=t("Revenue by month, and the mean month of each 12 months and of the forecast."),
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
    if run.read_facts("choice")["forecaster"] == BLEND:
        # The model alone stands in the table; the picture compares what is in force.
        rows = rows[rows["forecaster"] != MODEL]
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
