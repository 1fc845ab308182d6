"""Fits of many rows go over samples of them, and end where a climb over all rows ends."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kamlab import clv
from kamlab.clv import limits
from kamlab.clv.checks import read_purchases
from kamlab.clv.histories import Histories, distinct, samples
from kamlab.clv.limits import NOTE_LIMIT
from kamlab.clv.merging import count_days
from kamlab.clv.transactions import TransactionModel

MODELS = ("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd")


def weighted(n=6000, *, staying=False, seed=5):
    """So many different histories of whole days, some of them of several accounts."""
    rng = np.random.default_rng(seed)
    age = rng.integers(150, 300, n)
    left = np.full(n, np.inf) if staying else rng.exponential(200, n)
    x = rng.poisson(rng.gamma(0.8, 0.03, n) * np.minimum(age, left))
    last = np.floor(np.minimum(age, left) * rng.beta(np.maximum(x, 1), 1))
    x = np.where(last > 0, x, 0)
    table = pd.DataFrame({"frequency": x, "recency": np.where(x > 0, last, 0) / 7, "T": age / 7})
    return table.assign(account=[f"{i:05d}" for i in range(n)], weight=rng.integers(1, 5, n))


@pytest.mark.parametrize("name", MODELS)
def test_a_climb_over_samples_ends_where_one_over_all_rows_ends(name, monkeypatch):
    table = weighted()
    monkeypatch.setattr(clv.MODELS[name], "pilot_rows", (200, 800))
    by_samples = clv.MODELS[name](engine="kamlab").fit(table)
    monkeypatch.setattr(clv.MODELS[name], "pilot_rows", (len(table), len(table)))
    by_all = clv.MODELS[name](engine="kamlab").fit(table)
    assert by_samples.converged_
    assert by_samples.log_likelihood_ == pytest.approx(by_all.log_likelihood_, abs=1e-6)
    assert by_samples.notes_ == by_all.notes_
    assert list(by_samples.params_.values()) == pytest.approx(list(by_all.params_.values()), rel=1e-4)


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_where_nobody_leaves_a_climb_over_samples_ends_no_lower_than_the_limit(name, monkeypatch):
    table = weighted(staying=True)
    limit = clv.NBD().fit(table)
    monkeypatch.setattr(clv.MODELS[name], "pilot_rows", (200, 800))
    fitted = clv.MODELS[name](engine="kamlab").fit(table)
    assert fitted.converged_
    assert (
        fitted.log_likelihood_ > limit.log_likelihood_ - 1e-2
    )  # at the border of its range a chance of leaving is left


def test_a_fit_below_its_limit_is_mended_where_the_limit_was_climbed_to_on_a_sample(monkeypatch):
    table = weighted(staying=True)
    monkeypatch.setattr(clv.BGNBD, "pilot_rows", (200, 800))
    right = clv.BGNBD(engine="kamlab").fit(table)
    found = TransactionModel._maximise

    def too_low(self, *args, **options):
        maximum = found(self, *args, **options)
        there = np.array([0.0, 0.0, 0.0, 0.0])
        return replace(maximum, log_params=there, value=args[0](there)[0])

    asked = []
    real = limits.limit

    def counted(objective, *args, **options):
        point = real(objective, *args, **options)
        asked.append(point)
        return point

    monkeypatch.setattr(TransactionModel, "_maximise", too_low)
    monkeypatch.setattr(limits, "limit", counted)
    mended = clv.BGNBD(engine="kamlab").fit(table)
    assert len(asked) >= 2  # on the sample, and on all rows
    assert NOTE_LIMIT in mended.notes_
    assert mended.log_likelihood_ == pytest.approx(right.log_likelihood_, abs=1e-6)


def test_samples_hold_the_weight_of_all_and_are_taken_of_twice_as_many_rows_alone():
    rows = Histories(*np.random.default_rng(2).random((3, 1000)), np.arange(1000.0) + 1, np.empty((1000, 0)))
    few, more = samples(rows, (100, 500))
    assert few.weight.sum() == pytest.approx(rows.weight.sum(), rel=1e-12)
    assert more.weight.sum() == pytest.approx(rows.weight.sum(), rel=1e-12)
    assert 50 < len(few.x) <= 100
    assert len(more.x) == 500
    assert samples(rows, (501,)) == []


def test_a_heavy_row_is_in_every_sample_with_about_its_own_weight():
    weight = np.ones(10_000)
    weight[[17, 4242]] = [5000.0, 3000.0]
    place = np.arange(10_000.0)
    (some,) = samples(Histories(place, place, place, weight, np.empty((10_000, 0))), (1000,))
    taken = dict(zip(some.x, some.weight, strict=True))
    step = weight.sum() / 1000
    assert taken[17] == pytest.approx(5000, abs=step)
    assert taken[4242] == pytest.approx(3000, abs=step)
    # The light ones are drawn evenly along their order.
    assert some.weight @ some.x / weight.sum() == pytest.approx(weight @ place / weight.sum(), rel=1e-3)


def test_rows_without_weights_count_once_and_their_places_are_found_when_asked_for():
    rng = np.random.default_rng(4)
    columns = [rng.integers(0, 9, 20_000).astype(float), rng.integers(200, 230, 20_000) / 7]
    counted = count_days(columns, None)
    groups = pd.DataFrame(np.column_stack(columns)).groupby([0, 1]).size()
    assert list(zip(*counted.columns, strict=True)) == groups.index.tolist()
    assert counted.weight.tolist() == groups.tolist()
    assert counted.weight.dtype == float
    for merged, column in zip(counted.columns, columns, strict=True):
        assert (merged[counted.place()] == column).all()


def test_days_long_ago_keep_every_digit():
    days = 2.0**52 + np.tile(np.arange(3.0), 5000)
    counted = count_days([days, np.repeat([7.0, 8.0, 9.0], 5000)], None)
    assert set(counted.columns[0]) == set(days)
    assert counted.weight.sum() == len(days)


def test_a_table_is_merged_alike_with_weights_of_1_and_without():
    table = pd.concat([weighted(4000).drop(columns="weight")] * 3).assign(account=np.arange(12_000))
    plain, _ = distinct(read_purchases(table))
    given, _ = distinct(read_purchases(table.assign(weight=1.0)))
    for one, other in zip(plain, given, strict=True):
        np.testing.assert_array_equal(one, other)
