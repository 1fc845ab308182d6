"""A stale or unfinished log is found; a quiet or young one is not mistaken for it."""

import json
from datetime import date, timedelta

import pandas as pd
import pytest

import kamlab as kl
from kamlab.errors import DataError
from kamlab.freshness import assess, refuse_stale


def ledger_of(counts_by_day):
    rows = [(f"C{i % 7}", day) for day, n in counts_by_day.items() for i in range(n)]
    frame = pd.DataFrame(rows, columns=["account", "date"])
    return kl.read_ledger(frame, columns={"account": "account", "date": "date"})


def daily(first, last, lines=10):
    return {first + timedelta(days=i): lines for i in range((last - first).days + 1)}


FIRST, LAST = date(2022, 1, 1), date(2025, 12, 31)
PERIOD = kl.StudyPeriod(LAST)


def faults(days, period=PERIOD, lag=7):
    return assess(ledger_of(days), period, max_data_lag_days=lag).faults


def test_a_complete_log_has_no_fault():
    assert faults(daily(FIRST, LAST)) == ()


def test_a_log_that_ends_early_is_stale():
    found = assess(ledger_of(daily(FIRST, date(2025, 12, 20))), PERIOD, max_data_lag_days=7)
    assert found.lag_days == 11
    with pytest.raises(DataError, match=r"2025-12-20, 11 days before.*--as-of 2025-12-20.*--accept-stale"):
        refuse_stale(found, PERIOD)
    assert faults(daily(FIRST, date(2025, 12, 24))) == ()


def test_a_last_month_at_half_its_norm_is_unfinished():
    days = daily(FIRST, LAST) | daily(date(2025, 12, 2), LAST, lines=5)
    (fault,) = faults(days)
    # A twelfth of a year is 30 days here: 30 × 5 lines where the year before had 30 × 10.
    assert "150 lines where about 300" in fault
    found = assess(ledger_of(days), PERIOD, max_data_lag_days=7)
    with pytest.raises(DataError, match="--as-of 2025-11-30, or as_of = 2025-11-30"):
        refuse_stale(found, PERIOD)


def test_findings_are_sentences_of_the_catalogue_with_plain_values():
    early = assess(ledger_of(daily(FIRST, date(2025, 12, 20))), PERIOD, max_data_lag_days=7)
    ((sentence, values),) = early.findings
    assert values == {"as_of": "2025-12-31", "last_line": "2025-12-20", "lag_days": 11, "max_lag_days": 7}
    assert early.faults == (sentence.format(**values),)
    days = daily(FIRST, LAST) | daily(date(2025, 12, 2), LAST, lines=5)
    ((sentence, values),) = assess(ledger_of(days), PERIOD, max_data_lag_days=7).findings
    assert values == {"start": "2025-12-02", "as_of": "2025-12-31", "lines": 150, "norm": 300}
    assert json.loads(json.dumps(values)) == values


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (["oops", "2025-02-30"], r"no line that can be used \(2 × date is missing .* Check the columns"),
        (
            ["2025-12-01", "2025-12-30"],
            r"no line up to .* 2025-12-31 that counts as revenue .* of kind freight\. Choose",
        ),
    ],
)
def test_a_log_without_any_sale_is_refused(days, message):
    frame = pd.DataFrame({"account": "A", "date": days, "kind": "freight"})
    columns = {c: c for c in frame.columns}
    ledger = kl.read_ledger(frame, columns=columns, max_quarantined_share=1)
    with pytest.raises(DataError, match=message):
        assess(ledger, PERIOD, max_data_lag_days=7)


def test_a_last_month_just_above_sixty_per_cent_is_complete():
    assert faults(daily(FIRST, LAST) | daily(date(2025, 12, 2), LAST, lines=7)) == ()


def test_a_season_is_no_fault():
    days = daily(FIRST, LAST)
    for year in range(2022, 2026):
        days |= daily(date(year, 12, 1), date(year, 12, 31), lines=2)
    assert faults(days) == ()


def test_few_lines_prove_nothing():
    days = {FIRST + timedelta(days=30 * i): 1 for i in range(48)} | {LAST: 1}
    assert faults(days) == ()


def test_a_young_log_is_compared_with_the_months_before():
    young = daily(date(2025, 7, 1), LAST) | daily(date(2025, 12, 2), LAST, lines=3)
    assert len(faults(young)) == 1
    assert faults(daily(date(2025, 12, 1), LAST)) == ()


def test_an_as_of_date_before_the_log_is_refused():
    with pytest.raises(DataError, match="lies before the first line of the log, 2022-01-01"):
        faults(daily(FIRST, LAST), kl.StudyPeriod("2021-12-31"))


def test_lines_after_the_as_of_date_do_not_hide_a_gap():
    days = daily(FIRST, date(2025, 5, 31)) | daily(date(2025, 8, 1), LAST)
    (fault,) = faults(days, kl.StudyPeriod("2025-06-30"))
    assert "2025-05-31, 30 days before" in fault
