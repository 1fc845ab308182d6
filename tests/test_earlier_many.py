"""Quarters before of so many accounts that models are fitted to a sample, and bounds drawn for those that move."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from test_earlier import COLUMNS, PERIOD, company, settings_for

import kamlab as kl
from kamlab import backtest, earlier, forecast, margins, quarters, tiers
from kamlab.errors import ModelError


@pytest.fixture(scope="module")
def lines():
    return company(n=120, seed=3)


@pytest.fixture(scope="module")
def then(lines):
    """Return summary, choice and margins of a quarter ago."""
    date = replace(PERIOD, calibration_end=PERIOD.calibration_end - timedelta(days=91))
    ledger = kl.read_ledger(lines, columns=COLUMNS)
    summary = kl.summarize(ledger, date)
    choice = backtest.choose(ledger, date, origins=0, forecaster="mbg_nbd", summary=summary)
    return summary, choice, margins.rates(summary)


def test_means_are_those_of_the_whole_forecast_and_bounds_stand_where_they_are_wanted(then):
    summary, choice, rates = then
    whole = forecast.value(summary, choice, margins=rates, n_draws=400)
    asked = np.arange(len(summary)) % 3 == 0
    some = forecast.value_where(summary, choice, lambda _: asked, margins=rates, n_draws=400)
    means = ["account", "p_alive", "expected_purchases", "expected_spend", "expected_contribution", "clv", "basis"]
    pd.testing.assert_frame_equal(some[means], whole[means])
    for end in ("contribution_lower", "contribution_upper", "revenue_lower", "revenue_upper", "lower", "upper"):
        assert some[end].notna().to_numpy().tolist() == asked.tolist()
    # Other random numbers, the same distribution: 400 draws tell a 95 % quantile to some per cent.
    ratio = some.loc[asked, "contribution_upper"].sum() / whole.loc[asked, "contribution_upper"].sum()
    assert ratio == pytest.approx(1, abs=0.05)


def test_who_is_asked_sees_the_means(then):
    summary, choice, rates = then
    seen = []
    some = forecast.value_where(summary, choice, lambda t: seen.append(t) or t["clv"].gt(5000), margins=rates)
    assert seen[0]["expected_contribution"].notna().all()
    assert (some["lower"].notna() == some["clv"].gt(5000)).all()


def test_a_cost_to_serve_needs_the_draws_of_all(then):
    summary, choice, rates = then
    with pytest.raises(ModelError, match="spent on serving"):
        forecast.value_where(summary, choice, lambda t: t["clv"].gt(0), margins=rates.assign(cost_to_serve=5.0))


def test_classes_of_many_accounts_are_those_of_few(lines, monkeypatch):
    settings = settings_for(lines)
    ledger = kl.read_ledger(lines, columns=COLUMNS)
    today = earlier._values(ledger, PERIOD, settings, with_soon=False)
    borders = tiers.by_hand(tuple(today["expected_contribution"].quantile([0.4, 0.6])))
    cuts = dict.fromkeys(("contribution_class", "tiers_004"), borders)
    few = quarters.transitions(ledger, PERIOD, settings, today, cuts)
    monkeypatch.setattr(earlier, "MAX_ACCOUNTS", 119)
    many = quarters.transitions(ledger, PERIOD, settings, today, cuts)
    keys = ["column", "account"]
    assert many[keys].equals(few[keys])
    # Fitted to all accounts but one; bounds are drawn with other numbers.
    assert (many["now"] == few["now"]).all()
    assert (many["before"] == few["before"]).mean() > 0.97
    assert (many["held"] == few["held"]).mean() > 0.97
    assert few["why"].isin(["cleared", "second_period", "waits"]).sum() >= 10
    assert (many["why"] == few["why"]).mean() > 0.95


def test_bounds_are_drawn_for_those_alone_that_move(lines, monkeypatch):
    settings = settings_for(lines)
    ledger = kl.read_ledger(lines, columns=COLUMNS)
    cuts = {"contribution_class": tiers.by_hand((1500.0, 4000.0))}
    monkeypatch.setattr(earlier, "MAX_ACCOUNTS", 119)
    dates = [replace(PERIOD, calibration_end=PERIOD.calibration_end - timedelta(days=91 * k)) for k in (1, 2)]
    (_, newer), (_, older) = earlier.said_of(ledger, dates, settings, moves=partial(quarters._moved, cuts=cuts))
    assert older["contribution_lower"].isna().all()
    now, was = (np.searchsorted((1500.0, 4000.0), v["expected_contribution"], side="right") for v in (newer, older))
    before = pd.Series(was, older["account"]).reindex(newer["account"]).to_numpy()
    moved = ~np.isnan(before) & (before != now)
    assert 0 < moved.sum() < len(newer) / 2
    assert newer["contribution_lower"].notna().to_numpy().tolist() == moved.tolist()
