import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from known_data import CDNOW_COLUMNS, CDNOW_LOG
from scipy.stats import norm, t

import kamlab as kl
from kamlab import backtest
from kamlab.errors import ModelError
from kamlab.terms import TABLES

COLUMNS = [column.name for column in TABLES["backtest"]]


@pytest.fixture(scope="module")
def cdnow():
    columns = {name: name for name in ("account", "date", "amount")}
    ledger = kl.read_ledger(
        CDNOW_LOG, columns=columns, delimiter="whitespace", header=CDNOW_COLUMNS, purchase="nonnegative"
    )
    return backtest.choose(ledger, kl.StudyPeriod("1998-06-30", horizon_days=39 * 7))


def log(n=120, years=4, seed=3, value=100.0):
    """A steady company: purchases by a BG/NBD story over the years up to 2024-12-31."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-12-31") - pd.Timedelta(days=365 * years - 1)
    rows = []
    for i in range(n):
        day = float(rng.integers(0, 200))
        rate, leaving = rng.gamma(3.0, 1 / 90), rng.beta(0.5, 10)
        while day < 365 * years:
            rows.append(
                (f"A{i:03d}", start + pd.Timedelta(days=int(day)), round(value * rng.gamma(4.0, 0.25), 2) + 0.01)
            )
            if rng.random() < leaving:
                break
            day += 1 + rng.exponential(1 / rate)
    return pd.DataFrame(rows, columns=["account", "date", "amount"])


def ledger_of(frame):
    return kl.read_ledger(frame, columns={name: name for name in frame.columns})


@pytest.fixture(scope="module")
def steady():
    return backtest.choose(ledger_of(log()), kl.StudyPeriod("2024-12-31"))


def rows_of(choice, target):
    record = choice.record
    return record[record["target"] == target].set_index("forecaster")


# The published table of what a forecast must beat on CDNOW's holdout: bias, MAE, RMSE, MSLE


@pytest.mark.parametrize(
    ("forecaster", "bias", "mae", "rmse", "msle"),
    [
        ("bg_nbd", -0.122, 0.7855, 1.608, 0.234),
        ("same_count", 0.306, 0.897, 1.971, 0.349),
        ("rate", 0.557, 1.024, 2.212, 0.401),
        ("always_0", -1.0, 0.7985, 2.206, 0.463),
    ],
)
def test_cdnow_gives_the_published_table(cdnow, forecaster, bias, mae, rmse, msle):
    row = rows_of(cdnow, "purchases").loc[forecaster]
    assert row["bias"] == pytest.approx(bias, abs=0.0006)  # −12.15 % here, published as −12.2 %
    assert row["mae"] == pytest.approx(mae, abs=0.0005)
    assert row["rmse"] == pytest.approx(rmse, abs=0.0005)
    assert row["msle"] == pytest.approx(msle, abs=0.0005)


def test_cdnow_record_is_complete(cdnow):
    assert list(cdnow.record.columns) == COLUMNS
    assert (cdnow.record["origin"] == pd.Timestamp("1997-09-30")).all()
    assert (cdnow.record["role"] == "record").all()
    assert (cdnow.record["accounts"] == 2357).all()
    assert rows_of(cdnow, "purchases").loc["bg_nbd", "actual"] == 1882
    assert rows_of(cdnow, "revenue").loc["bg_nbd", "actual"] == pytest.approx(70_976.39)
    assert rows_of(cdnow, "revenue")["msle"].isna().all()
    assert cdnow.beaten_by == ()
    assert cdnow.target == "revenue"
    assert cdnow.notes == (backtest.NOTE_ONE_ORIGIN,)


def test_cdnow_intervals_cover(cdnow):
    # With the true model and parameters central 90 % intervals cover 96 % of counts on such data.
    assert 0.88 <= rows_of(cdnow, "purchases").loc["bg_nbd", "coverage"] <= 0.98
    assert 0.88 <= rows_of(cdnow, "revenue").loc["bg_nbd", "coverage"] <= 0.98
    assert cdnow.record.loc[cdnow.record["kind"] == "baseline", ["coverage", "level"]].isna().all(axis=None)


def test_relative_rmse_is_against_the_last_horizon(cdnow):
    for target in ("purchases", "revenue"):
        rows = rows_of(cdnow, target)
        assert rows["relative_rmse"].to_numpy() == pytest.approx(rows["rmse"] / rows.loc["last_horizon", "rmse"])


# Origins


def test_three_origins_and_the_newest_is_the_record(steady):
    origins = steady.record.groupby("role")["origin"].unique()
    assert origins["record"].tolist() == [pd.Timestamp("2024-01-01")]
    assert sorted(origins["choice"]) == [pd.Timestamp("2022-01-01"), pd.Timestamp("2023-01-01")]
    assert steady.notes == ()
    assert len(steady.record) == 3 * 2 * 5


def test_baselines_by_hand():
    frame = log()
    record = backtest.choose(ledger_of(frame), kl.StudyPeriod("2024-12-31"), origins=1).record
    origin = pd.Timestamp("2024-01-01")
    days = frame.groupby(["account", "date"], as_index=False)["amount"].sum()
    before = days[days["date"] <= origin]
    known = before["account"].unique()
    came = days[(days["date"] > origin) & days["account"].isin(known)]
    rows = record[record["target"] == "revenue"].set_index("forecaster")
    assert rows["actual"].to_numpy() == pytest.approx([came["amount"].sum()] * 5)
    year = before[before["date"] > origin - pd.Timedelta(days=365)]
    assert rows.loc["last_horizon", "forecast"] == pytest.approx(year["amount"].sum())
    error = year.groupby("account")["amount"].sum().reindex(known, fill_value=0) - came.groupby("account")[
        "amount"
    ].sum().reindex(known, fill_value=0)
    assert rows.loc["last_horizon", "rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert rows.loc["last_horizon", "mae"] == pytest.approx(error.abs().mean())
    orders = before.groupby("account")
    x, mean = orders.size() - 1, orders["amount"].mean()
    assert rows.loc["same_count", "forecast"] == pytest.approx((x * mean).sum())
    age = (origin - orders["date"].min()).dt.days
    assert rows.loc["rate", "forecast"] == pytest.approx((x * mean / age * 365)[age > 0].sum())


def test_nothing_after_the_as_of_date_is_read():
    frame = log()
    later = pd.DataFrame({"account": ["A001", "NEW"], "date": pd.Timestamp("2025-03-01"), "amount": [1e6, 1e6]})
    period = kl.StudyPeriod("2024-12-31")
    plain = backtest.choose(ledger_of(frame), period, origins=1)
    more = backtest.choose(ledger_of(pd.concat([frame, later])), period, origins=1)
    pd.testing.assert_frame_equal(plain.record, more.record)
    assert plain.transactions.params_ == more.transactions.params_
    assert plain.level_sd == more.level_sd


def test_a_log_under_two_horizons_is_still_checked_and_said():
    period = kl.StudyPeriod("2024-12-31", horizon_days=450)
    choice = backtest.choose(ledger_of(log(years=2)), period)
    assert choice.record["origin"].unique().tolist() == [pd.Timestamp("2023-10-08")]
    assert choice.notes == (backtest.NOTE_SHORT, backtest.NOTE_ONE_ORIGIN)


def test_a_log_too_short_for_any_origin_is_forecast_and_said():
    choice = backtest.choose(ledger_of(log(years=2)), kl.StudyPeriod("2024-12-31", horizon_days=720))
    assert choice.record.empty
    assert list(choice.record.columns) == COLUMNS
    assert choice.notes == (backtest.NOTE_NO_ORIGIN,)
    assert choice.beaten_by == ()
    # The prior alone: 20 %, widened by Student's t on two degrees of freedom.
    assert choice.level_sd == pytest.approx(0.2 * t(2).ppf(0.95) / norm.ppf(0.95))


def test_too_few_accounts_at_the_as_of_date_are_an_error():
    with pytest.raises(ModelError, match="There are 20 accounts; at least 30"):
        backtest.choose(ledger_of(log(n=20)), kl.StudyPeriod("2024-12-31"))


def test_groups_are_forecast_as_one_account():
    frame = log()
    ids = sorted(frame["account"].unique())
    membership = pd.DataFrame({"member": ids, "account": [f"G{i // 2:03d}" for i in range(len(ids))]})
    period = kl.StudyPeriod("2024-12-31")
    choice = backtest.choose(ledger_of(frame), period, accounts=membership, origins=1)
    assert (choice.record["accounts"] == 60).all()


def test_without_money_purchases_are_compared():
    choice = backtest.choose(ledger_of(log()[["account", "date"]]), kl.StudyPeriod("2024-12-31"))
    assert choice.spend is None
    assert choice.target == "purchases"
    assert set(choice.record["target"]) == {"purchases"}
    assert choice.notes == ()


def test_free_goods_alone_give_purchases_and_a_note():
    frame = log().assign(amount=0.0)
    ledger = kl.read_ledger(frame, columns={name: name for name in frame.columns}, purchase="nonnegative")
    choice = backtest.choose(ledger, kl.StudyPeriod("2024-12-31"), origins=1)
    assert choice.spend is None
    assert choice.notes == (backtest.NOTE_NO_SPEND, backtest.NOTE_ONE_ORIGIN)


# What is told of it


def record_of(rows):
    table = pd.DataFrame(rows, columns=["forecaster", "origin", "role", "target", "actual", "forecast", "rmse"])
    return table.reindex(columns=COLUMNS)


def test_level_sd_by_hand():
    record = record_of(
        [
            ("bg_nbd", date(2022, 1, 1), "choice", "revenue", 100.0, 125.0, 1.0),
            ("bg_nbd", date(2023, 1, 1), "record", "revenue", 150.0, 100.0, 1.0),
            ("bg_nbd", date(2023, 1, 1), "record", "purchases", 5.0, 1.0, 1.0),
            ("rate", date(2023, 1, 1), "record", "revenue", 9.0, 1.0, 1.0),
        ]
    )
    mean_square = (2 * 0.2**2 + np.log(0.8) ** 2 + np.log(1.5) ** 2) / 4
    expected = np.sqrt(mean_square) * t(4).ppf(0.95) / norm.ppf(0.95)
    assert backtest.level_sd(record, "revenue") == pytest.approx(expected)


def test_nothing_came_leaves_the_level_error_finite():
    record = record_of([("bg_nbd", date(2023, 1, 1), "record", "revenue", 0.0, 100.0, 1.0)])
    assert 1 < backtest.level_sd(record, "revenue") < 4


def test_baselines_that_beat_the_model_on_the_record_are_named_best_first(steady):
    rows = [
        ("bg_nbd", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 10.0),
        ("last_horizon", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 9.0),
        ("rate", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 8.0),
        ("same_count", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 11.0),
        ("always_0", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 1.0),
        ("same_count", date(2022, 1, 1), "choice", "revenue", 1.0, 1.0, 1.0),
        ("same_count", date(2023, 1, 1), "record", "purchases", 1.0, 1.0, 1.0),
    ]
    choice = backtest.Choice("bg_nbd", steady.transactions, steady.spend, record_of(rows), "revenue", 0.2, ())
    assert choice.beaten_by == ("rate", "last_horizon")


def test_facts_are_json(steady):
    facts = json.loads(json.dumps(steady.facts()))
    assert facts["forecaster"] == "bg_nbd"
    assert facts["target"] == "revenue"
    assert facts["level_sd"] == steady.level_sd
    assert facts["notes"] == []
