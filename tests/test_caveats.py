"""What is warned of first, and how the choice of the forecast is explained."""

import pandas as pd
import pytest
from fake_run import GROUPS, FakeRun, T

from kamlab.freshness import ENDS_EARLY
from kamlab.reports.sections import (
    caveats,
    forecast,
)

RECORD = pd.DataFrame(
    {
        "forecaster": ["bg_nbd", "last_horizon", "rate"],
        "target": "revenue",
        "role": "record",
        "rmse": [250.0, 200.0, 100.0],
        "bias": [0.1, 0.0, 0.3],
        "coverage_recalibrated": 0.9,
        "level": 0.9,
        "origin": pd.Timestamp("2024-12-31"),
    }
)


FRESH = {"findings": []}


TYPES = pd.DataFrame({"type_000": ["A", "B", "C", "D", None]})


def choice(beaten, chosen_by="earlier"):
    models = {"beaten_by_models": [], "model": "bg_nbd"}
    return {"beaten_by": beaten, "forecaster": "bg_nbd", "chosen_by": chosen_by, "few": False} | models


def test_a_stale_log_that_was_accepted_is_the_first_thing_said():
    values = {"as_of": "2025-12-31", "last_line": "2025-11-01", "lag_days": 60, "max_lag_days": 7}
    stale = {"findings": [[ENDS_EARLY, values]]}
    run = FakeRun({"backtest": RECORD, "strategies": TYPES}, {"freshness": stale, "choice": choice([])})
    (warning,) = caveats.warnings(run, T)
    assert warning.tone == "danger"
    assert warning.title == "The log is stale or unfinished"
    assert "1 Nov 2025, 60 days before" in warning.markdown.replace("\u00a0", " ")


def test_a_simple_rule_that_was_better_is_named_with_both_errors():
    facts = {"freshness": FRESH, "choice": choice(["last_horizon", "rate"])}
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": TYPES}, facts), T)
    assert warning.tone == "warning"
    said = warning.markdown.replace("\u00a0", " ")
    assert said.startswith(
        "“Rate so far, carried on” had an error of EUR 100 per account, this report's forecast EUR 250."
    )


def test_the_errors_of_a_rule_that_was_better_are_dated():
    facts = {"freshness": FRESH, "choice": choice(["rate"])}
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": TYPES}, facts), T)
    assert "Both were made on 31 Dec 2024." in warning.markdown.replace("\u00a0", " ")


def test_nothing_is_warned_of_where_nothing_is_wrong():
    run = FakeRun({"backtest": RECORD, "strategies": TYPES}, {"freshness": FRESH, "choice": choice([])})
    assert caveats.warnings(run, T) == []


def test_a_rule_that_was_measured_where_it_was_chosen_is_no_proof():
    facts = {"freshness": FRESH, "choice": choice([], chosen_by="only") | {"forecaster": "last_horizon"}}
    record = RECORD.assign(coverage_recalibrated=0.607)
    (warning,) = caveats.warnings(FakeRun({"backtest": record, "strategies": TYPES}, facts), T)
    assert "the simple rule “Same as in the last period”" in warning.markdown
    assert "no independent proof" in warning.markdown
    assert "Only 61% of the accounts came out inside their 90% interval" in warning.markdown.replace("\u00a0", "")


def test_a_type_that_holds_half_of_the_customers_is_called_crowded():
    facts = {"freshness": FRESH, "choice": choice([])}
    many = pd.DataFrame({"type_000": ["A", "A", "B", "C", None]})
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": many}, facts), T)
    assert warning.markdown.replace("\u00a0", "").startswith("50% of the customers stand in type A")


def test_a_choice_that_cannot_be_supported_is_said_first():
    facts = {"freshness": FRESH, "choice": choice([], chosen_by="short")}
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": TYPES}, facts), T)
    assert warning.title == "The choice of the forecast cannot be supported"
    assert "less than two horizons" in warning.markdown


def test_a_total_that_was_far_off_is_said_first():
    record = RECORD.assign(bias=[-0.49, 0.0, 0.3])
    run = FakeRun({"backtest": record, "strategies": TYPES}, {"freshness": FRESH, "choice": choice([])})
    (warning,) = caveats.warnings(run, T)
    assert warning.title == "The last forecast of the whole was far off"
    assert "\u221249%" in warning.markdown.replace("\u00a0", "")


def test_the_reason_of_the_forecast_says_what_it_was_chosen_on():
    said = {by: forecast.reason(FakeRun({}, {"choice": choice([], chosen_by=by)}), T) for by in ("earlier", "only")}
    assert said["earlier"].startswith(
        "The forecast rests on **BG/NBD**: on earlier dates nothing was clearly more accurate"
    )
    assert said["only"].endswith("That date is no independent proof.")
    untested = forecast.reason(FakeRun({}, {"choice": choice([], chosen_by="nothing")}), T)
    assert untested == "The forecast rests on **BG/NBD**; it could not be tested."


@pytest.mark.parametrize(
    ("chosen_by", "why"),
    [
        ("earlier", "This test had no part in the choice"),
        ("only", "but not clearly: of what was as accurate the simplest"),
    ],
)
def test_models_that_came_closer_are_named_with_their_gain_and_the_nearest_is_in_the_table(chosen_by, why):
    nearer = RECORD.iloc[[0, 0]].assign(forecaster=["pareto_nbd", "blend"], rmse=[240.0, 245.0])
    columns = {"forecast": 10.0, "mae": 1.0, "relative_rmse": 1.0, "top_20": 0.5, "actual": 11.0}
    record = pd.concat([RECORD, nearer], ignore_index=True).assign(**columns)
    facts = choice([], chosen_by) | {"beaten_by_models": ["pareto_nbd", "blend"]}
    calibration = pd.DataFrame(columns=["probability", "role", "upper", "accounts"])
    run = FakeRun({"backtest": record, "calibration": calibration}, {"choice": facts})
    said, table, *_ = forecast.contest(run, T)
    assert (
        "**Pareto/NBD, Model and last period, mixed** came closer (the first with an error 4.0% smaller)"
        in said.markdown.replace("\u00a0", "")
    )
    assert why in said.markdown
    assert [row[0] for row in table.rows] == [
        "BG/NBD",
        "Same as in the last period",
        "Rate so far, carried on",
        "Pareto/NBD",
    ]


def test_how_wrong_it_was_is_told_by_group():
    groups = pd.DataFrame(
        {
            "dimension": ["age", "age"],
            "group": ["new", "known"],
            "accounts": [3, 40],
            "actual": [500.0, 950.0],
            "forecast": [25.0, 1045.0],
            "naive": [10.0, 950.0],
            "bias": [-0.5, 0.1],
            "naive_bias": [-0.8, 0.0],
            "rmse": [200.0, 300.0],
            "naive_rmse": [250.0, 280.0],
            "coverage": [0.5, 0.9],
        }
    )
    (table,) = forecast.for_whom(FakeRun({"backtest": RECORD, "record_groups": groups}), T)
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in table.rows] == [
        ["Known for less than a period", "3", "EUR 500", "\u221250%", "\u221280%", "EUR 200", "EUR 250", "50%"],
        ["Known for longer", "40", "EUR 950", "+10%", "0%", "EUR 300", "EUR 280", "90%"],
    ]


def test_groups_for_which_the_simple_rule_was_closer_are_named():
    (said,) = caveats.lost_groups(FakeRun({"record_groups": GROUPS}), T)
    assert said.endswith(": Known for less than a period; Declining by more than a quarter.")
    assert caveats.lost_groups(FakeRun({"record_groups": GROUPS.assign(naive_rmse=900.0)}), T) == []
