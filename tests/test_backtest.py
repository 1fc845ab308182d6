"""The contest as a whole: published figures, worlds whose best forecast is known, no leakage, what is told."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from known_data import CDNOW_COLUMNS, CDNOW_LOG

import kamlab as kl
from kamlab import backtest
from kamlab.backtest import contest
from kamlab.backtest.forecasters import RULES, rules_at
from kamlab.backtest.names import BASELINES
from kamlab.backtest.situation import from_ledger
from kamlab.errors import ConfigError, ModelError
from kamlab.simulate.models import bg_nbd
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
def steady_log():
    return log()


@pytest.fixture(scope="module")
def steady_ledger(steady_log):
    return ledger_of(steady_log)


@pytest.fixture(scope="module")
def steady(steady_ledger):
    return backtest.choose(steady_ledger, kl.StudyPeriod("2024-12-31"))


@pytest.fixture(scope="module")
def two_years():
    return ledger_of(log(n=60, years=2))


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
    assert (cdnow.record["role"] == "only").all()
    assert (cdnow.record["accounts"] == 2357).all()
    assert rows_of(cdnow, "purchases").loc["bg_nbd", "actual"] == 1882
    assert rows_of(cdnow, "revenue").loc["bg_nbd", "actual"] == pytest.approx(70_976.39)
    assert rows_of(cdnow, "revenue")["msle"].isna().all()
    assert cdnow.beaten_by == ()
    assert cdnow.target == "revenue"
    assert cdnow.notes == (contest.NOTE_ONE_ORIGIN,)
    assert cdnow.chosen_by == "only"


@pytest.mark.parametrize(
    ("forecaster", "mae", "rmse", "msle"), [("mbg_nbd", 0.7648, 1.607, 0.231), ("pareto_nbd", 0.7545, 1.603, 0.238)]
)
def test_cdnow_gives_the_published_errors_of_the_other_models(cdnow, forecaster, mae, rmse, msle):
    row = rows_of(cdnow, "purchases").loc[forecaster]
    assert (row["mae"], row["rmse"], row["msle"]) == pytest.approx((mae, rmse, msle), abs=0.0006)


def test_on_cdnow_a_model_that_knows_leaving_is_chosen(cdnow):
    assert cdnow.forecaster in {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    assert cdnow.candidates.set_index("forecaster").loc[cdnow.forecaster, "score"] < 0.5
    # Regularity of order 1 is the same model: the simpler one is taken.
    errors = rows_of(cdnow, "revenue")["rmse"]
    assert errors["bg_cnbd"] == pytest.approx(errors["bg_nbd"])


def test_cdnow_intervals_cover(cdnow):
    # With the true model and parameters central 90 % intervals cover 96 % of counts on such data.
    for target in ("purchases", "revenue"):
        assert 0.88 <= rows_of(cdnow, target).loc[cdnow.forecaster, "coverage"] <= 0.98
    assert 0.88 <= rows_of(cdnow, "purchases").loc["bg_nbd", "coverage"] <= 0.98
    assert cdnow.record.loc[cdnow.record["kind"] == "baseline", ["coverage", "level"]].isna().all(axis=None)


def test_cdnow_probability_of_a_purchase_soon_is_calibrated(cdnow):
    assert cdnow.calibration_errors()["buys_90"] < 0.04
    rows = cdnow.calibration[cdnow.calibration["probability"] == "buys_90"]
    assert rows["accounts"].sum() == 2357


def test_relative_rmse_is_against_the_last_horizon(cdnow):
    for target in ("purchases", "revenue"):
        rows = rows_of(cdnow, target)
        assert rows["relative_rmse"].to_numpy() == pytest.approx(rows["rmse"] / rows.loc["last_horizon", "rmse"])


def test_groups_add_up(cdnow):
    sums = cdnow.groups.groupby("dimension")[["accounts", "actual", "forecast"]].sum()
    assert sums["accounts"].tolist() == [2357] * 3
    assert sums["actual"].to_numpy() == pytest.approx([70_976.39] * 3)
    row = rows_of(cdnow, "revenue").loc[cdnow.forecaster]
    assert sums["forecast"].to_numpy() == pytest.approx([row["forecast"]] * 3)


# Origins


def test_three_origins_and_the_newest_is_the_record(steady):
    origins = steady.record.groupby("role")["origin"].unique()
    assert origins["record"].tolist() == [pd.Timestamp("2024-01-01")]
    assert sorted(origins["choice"]) == [pd.Timestamp("2022-01-01"), pd.Timestamp("2023-01-01")]
    assert steady.notes == ()
    assert (steady.candidates["origins"] == 2).all()
    assert steady.chosen_by == "earlier"


def test_scores_are_of_the_earlier_dates_alone(steady):
    rows = steady.record[(steady.record["target"] == "revenue") & (steady.record["role"] == "choice")]
    others = rows[rows["forecaster"] != steady.forecaster]  # whose rows hold the correction of its level
    means = others.groupby("forecaster")["relative_rmse"].mean()
    scores = steady.candidates.set_index("forecaster")["score"]
    for name in scores.index.intersection(means.index):
        assert scores[name] == pytest.approx(means[name])


def test_the_learner_is_there_where_an_earlier_date_could_teach_it(steady):
    origins = steady.record.loc[steady.record["forecaster"] == "supervised", "origin"].unique()
    assert sorted(origins) == [pd.Timestamp("2023-01-01"), pd.Timestamp("2024-01-01")]


def test_baselines_by_hand(steady, steady_log):
    frame = steady_log
    origin = pd.Timestamp("2024-01-01")
    days = frame.groupby(["account", "date"], as_index=False)["amount"].sum()
    before = days[days["date"] <= origin]
    known = before["account"].unique()
    came = days[(days["date"] > origin) & days["account"].isin(known)]
    record = steady.record
    rows = record[(record["target"] == "revenue") & (record["role"] == "record")].set_index("forecaster")
    assert rows["actual"].to_numpy() == pytest.approx([came["amount"].sum()] * len(rows))
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
    # In a horizon of one year the same days a year ago are the last horizon, and stand once.
    assert "seasonal" not in rows.index
    assert "trailing" not in rows.index


def test_the_same_days_a_year_ago_by_hand():
    frame = log(n=40, years=2)
    origin = pd.Timestamp("2024-10-02")
    at = from_ledger(ledger_of(frame), kl.StudyPeriod(origin, horizon_days=90), None, None)
    assert [rule.name for rule in rules_at(at)] == list(BASELINES)
    start = origin - pd.Timedelta(days=365)
    window = frame[(frame["date"] > start) & (frame["date"] <= start + pd.Timedelta(days=90))]
    assert RULES["seasonal"].expected(at).revenue.sum() == pytest.approx(window["amount"].sum())
    year = frame[(frame["date"] <= origin) & (frame["date"] > start)]
    assert RULES["trailing"].expected(at).revenue.sum() == pytest.approx(year["amount"].sum() * 90 / 365)


# What a forecaster may know


def test_nothing_after_the_as_of_date_is_read_and_all_is_the_same_again():
    frame, period = log(n=105, years=3), kl.StudyPeriod("2024-12-31")
    later = pd.DataFrame({"account": ["A001", "NEW"], "date": pd.Timestamp("2025-03-01"), "amount": [1e6, 1e6]})
    one, more = (backtest.choose(ledger_of(table), period, origins=1) for table in (frame, pd.concat([frame, later])))
    assert "supervised" in one.record["forecaster"].to_list()
    for name in ("record", "candidates", "calibration", "groups"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(more, name))
    assert one.transactions.params_ == more.transactions.params_
    assert (one.level_sd, one.factors, one.silent, one.soon) == (more.level_sd, more.factors, more.silent, more.soon)


def test_the_record_has_no_part_in_the_choice(steady, steady_log):
    frame = steady_log
    # All that came after the record's origin is turned upside down.
    outcome = frame["date"] > pd.Timestamp("2024-01-01")
    amounts = np.where(outcome, frame["amount"].to_numpy()[::-1] * 50, frame["amount"])
    other = backtest.choose(ledger_of(frame.assign(amount=amounts)), kl.StudyPeriod("2024-12-31"))
    assert other.forecaster == steady.forecaster
    pd.testing.assert_frame_equal(other.candidates, steady.candidates)
    earlier = [c.record[c.record["role"] == "choice"].reset_index(drop=True) for c in (other, steady)]
    pd.testing.assert_frame_equal(*earlier)
    # What was said at the record's origin is the same too, interval ends included where they are compared with another
    # outcome: only actuals and errors differ.
    said = [c.record.loc[c.record["role"] == "record", ["forecaster", "target", "forecast"]] for c in (other, steady)]
    pd.testing.assert_frame_equal(*(part.reset_index(drop=True) for part in said))
    assert not other.record["actual"].equals(steady.record["actual"])


# Worlds whose best forecast is known


def test_where_everybody_orders_in_his_season_as_ever_the_same_again_is_taken():
    rng = np.random.default_rng(5)
    rows = []
    for i in range(40):
        value, orders = 50 * rng.gamma(2.0), rng.choice(60, rng.integers(2, 8), replace=False)
        days = (rng.integers(0, 300) + orders)[None] + 365 * np.arange(4)[:, None]
        rows += [
            (f"A{i:03d}", pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(d)), round(value, 2)) for d in days.flat
        ]
    ledger = ledger_of(pd.DataFrame(rows, columns=["account", "date", "amount"]))
    period = kl.StudyPeriod("2024-12-30")  # four times 365 days
    choice = backtest.choose(ledger, period, origins=2)
    assert choice.forecaster == "last_horizon"
    assert choice.factors == {"purchases": 1.0, "revenue": 1.0}
    summary = kl.summarize(ledger, period)
    table, draws, _ = kl.forecast.value_and_draws(summary, choice, n_draws=400)
    assert table["expected_revenue"].to_numpy() == pytest.approx(summary["trailing_revenue"])
    assert table["expected_purchases"].to_numpy() == pytest.approx(summary["trailing_purchase_days"])
    # The distribution is the best model's, brought to that mean.
    means = draws.set_index("account").mean(axis=1).sum()
    assert means == pytest.approx(summary["trailing_revenue"].sum())


@pytest.mark.parametrize(
    ("forecaster", "first", "last"),
    [("last_horizon", "2024-10-03", "2024-12-31"), ("seasonal", "2024-01-02", "2024-03-31")],
)
def test_a_rule_delivers_for_the_horizon_of_the_contest_what_it_said_there(steady_log, forecaster, first, last):
    ledger = ledger_of(steady_log)
    period = kl.StudyPeriod("2024-12-31", horizon_days=90)
    choice = backtest.choose(ledger, period, origins=1, forecaster=forecaster)
    summary = kl.summarize(ledger, period)
    said = steady_log[steady_log["date"].between(first, last)].groupby("account")["amount"].sum()
    at = choice.situation(summary, 90)
    table = choice.source.expected(at).revenue
    assert table == pytest.approx(said.reindex(summary["account"]).fillna(0.0).to_numpy(), abs=1e-6)
    # Of another horizon, or of some accounts, it says what it can.
    year = choice.source.expected(choice.situation(summary, 365)).revenue
    assert year == pytest.approx(summary["trailing_revenue"])
    some = choice.source.expected(choice.situation(summary.iloc[[7, 3]], 90)).revenue
    assert some == pytest.approx(table[[7, 3]])


def test_where_customers_leave_as_the_model_says_a_model_or_a_mixture_is_taken():
    world = bg_nbd(350, r=0.8, alpha=6.0, a=0.8, b=2.0, calibration_weeks=110, entry_weeks=60, horizon_weeks=1, seed=4)
    ledger = ledger_of(world.log[["account", "date", "amount"]])
    choice = backtest.choose(ledger, kl.StudyPeriod(world.as_of, horizon_days=26 * 7), origins=2)
    assert choice.forecaster not in BASELINES
    assert choice.candidates.set_index("forecaster").loc[choice.forecaster, "score"] < 0.9
    # The untouched record agrees, and its intervals, corrected by the earlier dates, hold.
    newest = choice.record[choice.record["role"] == "record"]
    held = newest.loc[newest["forecaster"] == choice.forecaster, "coverage_recalibrated"]
    assert ((held > 0.87) & (held < 0.99)).all()
    assert choice.beaten_by == ()
    assert rows_of(choice, "revenue").loc[choice.forecaster, "relative_rmse"].iloc[0] < 0.9


# Short logs, configured forecasters, logs without money


def test_a_log_under_two_horizons_is_still_checked_and_said(two_years):
    choice = backtest.choose(two_years, kl.StudyPeriod("2024-12-31", horizon_days=450))
    assert choice.record["origin"].unique().tolist() == [pd.Timestamp("2023-10-08")]
    assert choice.notes[:2] == (contest.NOTE_SHORT, contest.NOTE_ONE_ORIGIN)
    assert choice.chosen_by == "short"


def test_a_log_too_short_for_any_origin_shrinks_to_the_last_twelve_months(two_years):
    ledger, period = two_years, kl.StudyPeriod("2024-12-31", horizon_days=720)
    choice = backtest.choose(ledger, period)
    assert choice.record.empty
    assert list(choice.record.columns) == COLUMNS
    assert choice.notes[:2] == (contest.NOTE_NO_ORIGIN, contest.NOTE_DEFAULT)
    assert choice.beaten_by == ()
    assert (choice.forecaster, choice.weight, choice.chosen_by) == ("blend", 0.5, "nothing")
    summary = kl.summarize(ledger, period)
    at = choice.situation(summary, 365)
    own = choice.transactions.predict(summary, 365)
    recent = own["p_alive"] * summary["trailing_purchase_days"]
    assert choice.expected(at).purchases == pytest.approx((own["expected_purchases"] + recent) / 2)


def test_too_few_accounts_at_the_as_of_date_are_forecast_with_a_prior_and_noted():
    choice = backtest.choose(ledger_of(log(n=20)), kl.StudyPeriod("2024-12-31"))
    assert choice.few
    assert choice.model.name == "mbg_nbd"
    assert contest.NOTE_FEW in choice.notes
    assert choice.record.empty


def test_an_unknown_forecaster_is_refused_with_a_suggestion(steady_ledger):
    with pytest.raises(ConfigError, match=r'no forecaster "parato_nbd". Did you mean "pareto_nbd"\?'):
        backtest.choose(steady_ledger, kl.StudyPeriod("2024-12-31"), forecaster="parato_nbd")


def test_of_many_groups_a_sample_is_looked_at_and_all_are_fitted(monkeypatch, steady_log, steady_ledger):
    monkeypatch.setattr(contest, "MAX_ACCOUNTS", 45)
    ids = sorted(steady_log["account"].unique())
    membership = pd.DataFrame({"member": ids, "account": [f"G{i // 2:03d}" for i in range(len(ids))]})
    choice = backtest.choose(steady_ledger, kl.StudyPeriod("2024-12-31"), accounts=membership, origins=1)
    assert (choice.record["accounts"] == 45).all()
    assert choice.sampled == 45
    assert contest.NOTE_SAMPLED in choice.notes
    assert choice.transactions.n_accounts_ == 60  # two accounts each


def test_a_configured_forecaster_is_in_force_and_without_money_purchases_are_compared():
    ledger = ledger_of(log(n=40, years=2)[["account", "date"]])
    choice = backtest.choose(ledger, kl.StudyPeriod("2024-12-31"), origins=1, forecaster="rate")
    assert choice.spend is None
    assert choice.target == "purchases"
    assert set(choice.record["target"]) == {"purchases"}
    assert choice.forecaster == "rate"
    assert choice.chosen_by == "configuration"
    assert contest.NOTE_CONFIGURED in choice.notes
    assert contest.NOTE_NO_SPEND not in choice.notes
    assert choice.candidates.loc[choice.candidates["chosen"], "forecaster"].tolist() == ["rate"]
    assert choice.record["forecaster"].iloc[0] == "rate"
    assert choice.record.loc[choice.record["forecaster"] == "rate", "coverage_recalibrated"].notna().all()


def test_accounts_at_0_by_the_rule_in_force_get_an_interval_that_earlier_dates_taught(two_years):
    period = kl.StudyPeriod("2024-12-31", horizon_days=120)
    choice = backtest.choose(two_years, period, origins=2, forecaster="last_horizon")
    assert contest.NOTE_SILENT in choice.notes
    summary = kl.summarize(two_years, period)
    at = from_ledger(two_years, period, None, None)
    at_0 = at.recent.purchases == 0
    assert 0 < at_0.sum() < len(summary)
    own, said = choice.model.expected(at), RULES["last_horizon"].expected(at)
    wanted = choice.expected(at)
    for target in ("purchases", "revenue"):
        # What came of such accounts at both dates, relative to what the model expected there, drawn to 1.
        expected = np.where(at_0, own.target(target) * choice.silent[target], said.target(target))
        assert wanted.target(target) == pytest.approx(expected * choice.factors[target])
    draws = choice.spread(choice.model, at, wanted).all_draws(200, np.random.default_rng(0))[0]
    assert (np.quantile(draws[at_0], 0.99, axis=1) > 0).mean() > 0.5
    rows = choice.record[choice.record["role"] == "record"].set_index("forecaster").loc["last_horizon"]
    assert (rows["coverage_recalibrated"] > 0.85).all()


def test_free_goods_alone_give_purchases_and_a_note():
    frame = log(n=40, years=2).assign(amount=0.0)
    ledger = kl.read_ledger(frame, columns={name: name for name in frame.columns}, purchase="nonnegative")
    choice = backtest.choose(ledger, kl.StudyPeriod("2024-12-31"), origins=1)
    assert choice.spend is None
    assert choice.notes[:2] == (contest.NOTE_NO_SPEND, contest.NOTE_ONE_ORIGIN)


# What is told of it


def record_of(rows):
    table = pd.DataFrame(rows, columns=["forecaster", "origin", "role", "target", "actual", "forecast", "rmse"])
    return table.reindex(columns=COLUMNS)


def test_rules_and_models_that_beat_the_choice_on_the_record_are_named_best_first(steady):
    rows = [
        ("bg_nbd", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 10.0),
        ("last_horizon", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 9.0),
        ("rate", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 8.0),
        ("same_count", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 11.0),
        ("blend", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 9.5),
        ("pareto_nbd", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 8.5),
        ("mbg_nbd", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 10.5),
        ("always_0", date(2023, 1, 1), "record", "revenue", 1.0, 1.0, 1.0),
        ("same_count", date(2022, 1, 1), "choice", "revenue", 1.0, 1.0, 1.0),
        ("same_count", date(2023, 1, 1), "record", "purchases", 1.0, 1.0, 1.0),
    ]
    choice = backtest.Choice("bg_nbd", steady.transactions, steady.spend, record_of(rows), "revenue", 0.2, ())
    assert choice.beaten_by == ("rate", "last_horizon")
    assert choice.beaten_by_models == ("pareto_nbd", "blend")


def test_facts_are_json(steady):
    facts = json.loads(json.dumps(steady.facts()))
    assert facts["forecaster"] == steady.forecaster
    assert facts["model"] in kl.clv.MODELS
    assert facts["target"] == "revenue"
    assert facts["level_sd"] == steady.level_sd
    assert 0 <= facts["calibration_error"]["buys_90"] <= 1
    assert facts["notes"] == []


def two_industries(n=200, years=2, seed=5):
    """Workshops leave for good after an order or two; retailers order at the same rate and hardly ever leave."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-12-31") - pd.Timedelta(days=365 * years - 1)
    rows, known = [], []
    for i in range(n):
        leaving, day = (0.5, 0.02)[i % 2], float(rng.integers(0, 365 * years - 30))
        known.append((f"A{i:03d}", ("works", "retail")[i % 2]))
        while day < 365 * years:
            rows.append((f"A{i:03d}", start + pd.Timedelta(days=int(day))))
            if rng.random() < leaving:
                break
            day += 1 + rng.exponential(60)
    return pd.DataFrame(rows, columns=["account", "date"]), pd.DataFrame(known, columns=["account", "industry"])


@pytest.fixture(scope="module")
def industries():
    frame, known = two_industries()
    ledger = ledger_of(frame)
    return ledger, known, backtest.choose(ledger, kl.StudyPeriod("2024-12-31"), covariates=known, origins=1)


def test_where_the_industry_decides_who_stays_a_model_that_knows_it_is_the_nearest(industries):
    ledger, known, choice = industries
    rows = rows_of(choice, "purchases")
    assert {"bg_nbd_covariates", "pareto_nbd_covariates"} <= set(rows.index)
    assert rows.loc["bg_nbd_covariates", "rmse"] < 0.95 * rows.loc["bg_nbd", "rmse"]
    summary = backtest.described(kl.summarize(ledger, kl.StudyPeriod("2024-12-31")), known)
    once = summary[summary["frequency"] == 0].set_index("account")
    model = choice.transactions
    assert choice.facts()["model"] in ("bg_nbd_covariates", "pareto_nbd_covariates")
    assert model.n_effects_
    expected = pd.Series(model.expected_purchases(once.reset_index(), 365), once.index).groupby(once["industry"]).mean()
    # Of those seen once a workshop stays with a chance of one half, a retailer of 98 %.
    assert expected["retail"] > 1.5 * expected["works"]


def test_without_covariates_no_model_takes_them(steady):
    assert not {"bg_nbd_covariates", "pareto_nbd_covariates"} & set(steady.record["forecaster"])


def test_covariates_that_tell_nothing_are_refused_with_the_reason(industries):
    ledger, known, _ = industries
    with pytest.raises(ModelError, match=r'The covariate "industry" is the same for all accounts\. Leave it out'):
        backtest.choose(ledger, kl.StudyPeriod("2024-12-31"), covariates=known.assign(industry="works"))
