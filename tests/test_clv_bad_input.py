"""What no model can use is refused in a sentence with accounts and remedy, all faults at once, by every model."""

import numpy as np
import pandas as pd
import pytest
from clv_models import NAMES, PERIODS, SPEND_NAMES, TRANSACTIONS, fitted, forecast, new, table

from kamlab import clv
from kamlab.errors import ModelError

# Column, impossible value, and what the error says; the account is the sixth of the table.
HISTORIES = [
    ("recency", 1e6, r"recency > T"),
    ("frequency", -1, "negative frequency, recency or T"),
    ("T", -1, "negative frequency, recency or T"),
    ("frequency", 1.5, "fractional frequency"),
    ("frequency", 0, "recency without a repeat purchase"),
    ("recency", 0.0, "repeat purchase at recency 0"),
    ("T", np.nan, "missing or no finite number"),
    ("frequency", np.nan, "missing or no finite number"),
    ("recency", np.inf, "missing or no finite number"),
    ("frequency", "often", "missing or no finite number"),
]
WEIGHT = [("weight", -2.0, "weight that is no number above 0"), ("weight", np.nan, "weight that is no number above 0")]
DOUBLE = [("account", "double", "more than once")]
FAULTS = {
    **dict.fromkeys(TRANSACTIONS, HISTORIES + WEIGHT + DOUBLE),
    "bg_bb": [
        ("recency", 99, "recency > n_periods"),
        ("frequency", -1, "negative or fractional"),
        ("frequency", 1.5, "negative or fractional"),
        ("n_periods", 9.5, "negative or fractional"),
        ("frequency", 0, "recency without a purchase"),
        ("recency", 1, "more purchases than periods"),
        ("n_periods", np.nan, "missing or no finite number"),
        ("recency", np.inf, "missing or no finite number"),
        *WEIGHT,
        *DOUBLE,
    ],
    "sbg": [
        ("renewals", -1, "negative or fractional"),
        ("renewals", 0.5, "negative or fractional"),
        ("renewals", np.nan, "missing or no finite number"),
        ("active", 2, "neither active nor lost"),
        ("active", np.nan, "neither active nor lost"),
        *WEIGHT,
        *DOUBLE,
    ],
    **{
        name: [
            ("monetary_value", -5.0, "monetary_value below 0"),
            ("monetary_value", np.nan, "missing or no finite number"),
            ("monetary_value", np.inf, "missing or no finite number"),
            ("frequency", -1, "negative or fractional"),
            ("frequency", 1.5, "negative or fractional"),
            ("frequency", np.nan, "missing or no finite number"),
            *DOUBLE,
        ]
        for name in SPEND_NAMES
    },
}


def usable(name):
    """A table whose sixth account has bought again and can be spoilt."""
    rows = table(name).assign(weight=1.0)
    if "frequency" in rows:
        rows = rows.sort_values("frequency", ascending=False, kind="stable")
    return rows.drop(columns="log_gaps", errors="ignore").reset_index(drop=True)


def spoilt(name, column, value):
    rows = usable(name).astype({column: object})
    rows.loc[5, column] = rows["account"][0] if value == "double" else value
    return rows, str(rows["account"][5])


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [(name, *fault) for name in NAMES for fault in FAULTS[name]],
)
def test_an_impossible_account_is_named(name, column, value, message):
    rows, account = spoilt(name, column, value)
    with pytest.raises(ModelError, match=message) as caught:
        new(name).fit(rows)
    assert f"1 of {len(rows)} accounts" in str(caught.value)
    assert f"(first: {account})" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [(name, *fault[:2]) for name in NAMES for fault in FAULTS[name] if fault[0] != "account"],
)
def test_an_impossible_account_gets_no_forecast(name, column, value):
    rows, account = spoilt(name, column, value)
    with pytest.raises(ModelError, match=rf"\(first: {account}\)"):
        forecast(fitted(name), rows)


@pytest.mark.parametrize("name", NAMES)
def test_all_faults_are_named_at_once(name):
    rows = usable(name).head(25).astype(object)
    rows.loc[4, "account"] = rows.loc[3, "account"]
    faults = [fault for fault in FAULTS[name] if fault[0] not in ("account", "weight")]
    chosen = [faults[0], next(fault for fault in faults if fault[2] != faults[0][2])]
    for row, (column, value, _) in zip((10, 11), chosen, strict=True):
        rows.loc[row, column] = value
    with pytest.raises(ModelError) as caught:
        new(name).fit(rows)
    message = str(caught.value)
    assert "more than once" in message
    for row, (_, _, what) in zip((10, 11), chosen, strict=True):
        assert what in message
        assert str(rows["account"][row]) in message
    if name not in SPEND_NAMES:
        assert "There are 25 accounts; at least 30 are needed" in message


@pytest.mark.parametrize("name", NAMES)
def test_too_few_accounts_that_tell_something_are_refused(name):
    rows = usable(name)
    if name == "sbg":
        rows["active"] = np.arange(len(rows)) >= 9
        what = "accounts that were not renewed"
    else:
        columns = ["monetary_value"] if name in SPEND_NAMES else ["frequency", "recency"]
        rows.loc[9:, columns] = 0
        what = "accounts with a repeat purchase"
    with pytest.raises(ModelError, match=f"There are 9 {what}.*; at least 10 are needed.*Take a longer log"):
        new(name).fit(rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_column_is_named_with_the_nearest(name):
    column = ({"sbg": "renewals"} | dict.fromkeys(SPEND_NAMES, "monetary_value")).get(name, "frequency")
    rows = usable(name).rename(columns={column: column[:-1]})
    with pytest.raises(ModelError, match=f'"{column}" Did you mean "{column[:-1]}"'):
        new(name).fit(rows)
    with pytest.raises(ModelError, match=f'"{column}" Did you mean "{column[:-1]}"'):
        forecast(fitted(name), rows)


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_an_account_are_counted(name):
    rows = usable(name)
    rows.loc[[3, 8], "account"] = None
    with pytest.raises(ModelError, match=f"2 of {len(rows)} rows have no account"):
        new(name).fit(rows)


@pytest.mark.parametrize("name", TRANSACTIONS + PERIODS)
def test_a_forecast_for_nobody_is_refused(name):
    with pytest.raises(ModelError, match="There are 0 accounts; at least 1"):
        forecast(fitted(name), table(name).head(0))


@pytest.mark.parametrize("name", NAMES)
def test_accounts_that_are_all_alike_are_fitted_and_forecasts_stay_finite(name):
    row = usable(name).iloc[[5]]
    rows = row.loc[row.index.repeat(60)].assign(account=[f"A{i:02d}" for i in range(60)]).reset_index(drop=True)
    if name == "sbg":
        rows["active"] = False
    model = new(name).fit(rows)
    # Nothing tells accounts apart: some parameter ends at its border or stays open, and the model says so.
    assert model.notes_
    numbers = forecast(model, rows).select_dtypes("number").to_numpy()
    assert (np.isfinite(numbers) & (numbers >= 0)).all()
    assert np.isfinite([*model.params_.values(), *model.standard_errors_.values()]).all()


@pytest.mark.parametrize("days", [0, -1, np.nan, np.inf])
@pytest.mark.parametrize("name", TRANSACTIONS)
def test_impossible_horizons_are_refused(name, days):
    with pytest.raises(ModelError, match=r"horizon_days is .*positive number of days"):
        fitted(name).predict(table(name), days)


@pytest.mark.parametrize("periods", [0, 1.5, np.nan, np.inf])
@pytest.mark.parametrize("name", PERIODS)
def test_impossible_numbers_of_periods_are_refused(name, periods):
    with pytest.raises(ModelError, match=r"periods is .*whole number"):
        fitted(name).predict(table(name), periods)


@pytest.mark.parametrize("level", [0, 1, -0.5, 90, np.nan])
@pytest.mark.parametrize("name", TRANSACTIONS + PERIODS)
def test_impossible_levels_are_refused(name, level):
    with pytest.raises(ModelError, match="level is"):
        fitted(name).predict(table(name), 3, level=level)


@pytest.mark.parametrize("unit", ["month", "", None])
@pytest.mark.parametrize("name", TRANSACTIONS)
def test_an_unknown_unit_is_refused(name, unit):
    with pytest.raises(ModelError, match="unit is"):
        clv.MODELS[name](unit=unit).fit(table(name))


# What belongs to one model


def test_periods_too_short_for_bg_bb_are_refused():
    x = np.arange(6000)
    rows = pd.DataFrame({"frequency": 1, "recency": 1 + x % 7, "n_periods": 9000 + x})
    with pytest.raises(ModelError, match="Take longer periods"):
        clv.BGBB().fit(rows)


def test_impossible_discount_rates_are_refused():
    with pytest.raises(ModelError, match="discount rate"):
        fitted("bg_bb").discounted_purchases(table("bg_bb"), 0.0)
    with pytest.raises(ModelError, match="discount rate"):
        fitted("sbg").residual_lifetime(table("sbg"), 0.0)


@pytest.mark.parametrize("survivors", [[100], [100, 120], [100, -1], [100, np.nan], [[3, 2], [2, 1]]])
def test_impossible_survivors_are_refused(survivors):
    with pytest.raises(ModelError, match="at least two numbers"):
        clv.contracts_from_survivors(survivors)


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_spans_and_dates_in_place_of_numbers_are_refused(name):
    # pandas would count them in nanoseconds.
    rows = table(name)
    for wrong in (
        pd.to_timedelta(rows["T"], unit="D"),
        pd.Timestamp("2025-01-01") + pd.to_timedelta(rows["T"], unit="D"),
    ):
        with pytest.raises(
            ModelError, match=f"{len(rows)} of {len(rows)} accounts have a .* missing or no finite number"
        ):
            new(name).fit(rows.assign(T=wrong))


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_stands_there_twice_is_named(name):
    rows = table(name)
    column = rows.columns[1]
    with pytest.raises(ModelError, match=f'1 column.s. more than once .*: "{column}". Keep one of each'):
        new(name).fit(pd.concat([rows, rows[[column]]], axis=1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [None, [1, 2, 3], "summary.csv"])
def test_what_is_no_table_is_refused(name, wrong):
    with pytest.raises(ModelError, match=r"no table\. Take the one that kamlab.summarize returns"):
        new(name).fit(wrong)


def test_rows_without_ids_are_named_by_their_numbers():
    rows = table("nbd").drop(columns="account")
    with pytest.raises(ModelError, match=r"1 of \d+ accounts have recency > T \(first: 3\)"):
        new("nbd").fit(
            rows.assign(recency=rows["recency"].where(rows.index != 3, 1e6), frequency=rows["frequency"] + 1)
        )
