"""What is sorted, counted or read in a quick way is what the plain way gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import kamlab as kl
from kamlab.backtest.distribution import GRID, Recalibration, bounds
from kamlab.threads import parts, side_by_side

DRAWS = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e9, width=32)),
)


@given(DRAWS, st.sampled_from([0.5, 0.8, 0.9, 0.99]), st.sampled_from([np.float32, np.float64]))
def test_bounds_are_numpys_quantiles(draws, level, precision):
    draws, ends = draws.astype(precision), [(1 - level) / 2, (1 + level) / 2]
    np.testing.assert_array_equal(bounds(draws, level, whole=False), np.quantile(draws, ends, axis=1))
    counts = np.floor(draws)
    np.testing.assert_array_equal(
        bounds(counts, level, whole=True), np.quantile(counts, ends, axis=1, method="inverted_cdf")
    )


@given(DRAWS)
def test_corrected_draws_keep_their_order_and_equal_ones_come_as_they_stood(draws):
    corrected = Recalibration(GRID**2).applied(draws)
    order = np.argsort(draws, axis=1, kind="stable")
    rising = np.take_along_axis(corrected, order, axis=1)
    assert (np.diff(rising, axis=1) >= -1e-9 * rising.max(axis=1, initial=1.0)[:, None]).all()
    np.testing.assert_allclose(corrected.mean(axis=1), draws.mean(axis=1), rtol=1e-9)


def test_work_side_by_side_reaches_every_row_once():
    seen = np.zeros(1001, dtype=int)

    def count(rows):
        seen[rows] += 1

    side_by_side(count, parts(len(seen), 10))
    assert (seen == 1).all()


@pytest.fixture
def ledger():
    days = pd.date_range("2024-01-05", periods=40, freq="7D")
    lines = pd.DataFrame({"account": [f"A{i % 8}" for i in range(40)], "date": days, "amount": np.arange(40) + 0.25})
    return kl.read_ledger(lines, columns={"account": "account", "date": "date", "amount": "amount"})


def test_a_ledger_of_some_accounts_holds_their_lines_and_the_days_of_all(ledger):
    some = ledger.of({"A1", "A7"})
    whole = ledger.lines.to_pandas()
    pd.testing.assert_frame_equal(
        some.lines.to_pandas(), whole[whole["account"].isin(["A1", "A7"])].reset_index(drop=True)
    )
    assert (some.first_date, some.last_date) == (ledger.first_date, ledger.last_date)
    period = kl.StudyPeriod("2024-10-31")
    pd.testing.assert_frame_equal(kl.summarize(some, period), kl.summarize(ledger, period, only={"A1", "A7"}))
