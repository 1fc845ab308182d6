"""The summary: by hand on a small ledger, and against lifetimes on CDNOW."""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import kamlab as kl
from kamlab import summary
from kamlab.buying import product_mix, swings
from kamlab.errors import ConfigError, DataError
from kamlab.revenue import monthly_revenue, revenue_windows
from kamlab.summary import holdout, summarize_periods

# As-of 2024-12-31: the last 12 months begin on 2024-01-02, the 12 before on 2023-01-02, 36 months on 2022-01-01.
HAND = """account,day,net,cost,line
A,2022-06-01,100,60,x
A,2022-06-01,50,30,y
A,2023-07-10,200,150,x
A,2023-07-20,-40,-30,x
A,2024-02-01,300,150,x
A,2024-08-01,80,90,z
A,2024-08-01,-80,-60,z
A,2024-11-01,0,0,x
A,2025-01-01,999,1,x
B,2024-12-31,10,,x
C,2024-05-05,-25,-5,x
"""


def ledger_of(text, tmp_path, **options):
    path = tmp_path / "lines.csv"
    path.write_text(text, "utf-8")
    columns = {"account": "account", "date": "day", "amount": "net", "cost": "cost", "product_line": "line"}
    return kl.read_ledger(path, columns=columns, **options)


PERIOD = kl.StudyPeriod("2024-12-31", horizon_days=365, unit="day")


def test_a_hand_written_ledger(tmp_path):
    table = kl.summarize(ledger_of(HAND, tmp_path), PERIOD).set_index("account")
    # C only returned something, so it has no purchase day; A's 1 August nets 0 and its 1 November is a free sample.
    assert list(table.index) == ["A", "B"]
    a = table.loc["A"]
    assert (a["frequency"], a["purchase_days"]) == (2, 3)
    assert a["recency"] == 610  # 2022-06-01 to 2024-02-01
    assert a["T"] == 944  # 2022-06-01 to 2024-12-31
    assert a["monetary_value"] == 250  # (200 + 300) / 2
    assert a["first_value"] == 150
    assert a["revenue"] == 610  # 150 + 200 − 40 + 300 + 0 + 0
    assert a["trailing_revenue"] == 300
    assert a["previous_revenue"] == 160
    assert (a["trailing_purchase_days"], a["previous_purchase_days"]) == (1, 1)
    assert a["trailing_order_value"] == 300
    assert (a["largest_order"], a["trailing_largest_order"]) == (300, 300)
    assert a["peak_revenue"] == 460  # a window from July 2023 to July 2024 holds 200 − 40 + 300
    assert a["prior_peak_revenue"] == 160
    assert a["return_rate"] == pytest.approx(120 / 730)
    assert a["days_since_last"] == 334
    assert (a["longest_gap"], a["median_gap"]) == (404, 305)  # gaps of 404 and 206 days
    assert a["gap_cv"] == pytest.approx(99 / 305)
    assert a["log_gaps"] == pytest.approx(math.log(404 * 206), abs=1e-7)
    assert a["days_since_return"] == 2  # 2023-07-10 ended a gap of over a year; it and 2024-02-01 came since
    assert a["product_lines"] == 2  # x and z in the last 12 months
    assert a["costed_revenue"] == 610
    assert a["margin"] == 220  # 610 − (60 + 30 + 150 − 30 + 150 + 90 − 60 + 0)
    assert a["costed_lines"] == 5  # lines above 0 with a cost
    assert a["trailing_margin"] == 120  # 300 − 150 + 80 − 90 − 80 + 60
    rates, weights = [0.4, 0.4, 0.25, 0.5, -0.125], [100, 50, 200, 300, 80]
    mean = np.average(rates, weights=weights)
    assert a["margin_rate_var"] == pytest.approx(np.average((rates - mean) ** 2, weights=weights))
    b = table.loc["B"]
    assert (b["frequency"], b["recency"], b["T"], b["monetary_value"]) == (0, 0, 0, 0)
    assert math.isnan(b["median_gap"])
    assert b["log_gaps"] == 0
    assert b["costed_lines"] == 0


@pytest.mark.parametrize(
    "columns",
    [["frequency", "recency", "T", "monetary_value"], ["revenue"], ["log_gaps", "trailing_order_value"], ["margin"]],
)
def test_columns_asked_for_are_those_of_the_whole_table(columns, tmp_path):
    ledger = ledger_of(HAND, tmp_path)
    whole = kl.summarize(ledger, PERIOD)
    part = kl.summarize(ledger, PERIOD, columns=columns)
    pd.testing.assert_frame_equal(part, whole[["account", *columns]], check_like=True, check_exact=True)


def test_a_column_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r'no column "recencie"\. Did you mean "recency"\?'):
        kl.summarize(ledger_of(HAND, tmp_path), PERIOD, columns=["recencie"])


def test_best_twelve_months_with_returns_equal_a_plain_loop(tmp_path):
    rng = np.random.default_rng(3)
    days = rng.choice(1300, 60, replace=False)
    value = rng.integers(-50, 200, 60)
    end = pd.Timestamp("2024-12-31")
    rows = "".join(f"A,{(end - pd.Timedelta(int(d), 'D')).date()},{v},,\n" for d, v in zip(days, value, strict=True))
    row = kl.summarize(ledger_of("account,day,net,cost,line\n" + rows, tmp_path), PERIOD).iloc[0]
    ends = [round(m * 365 / 12) for m in range(25)]
    sums = [value[(days >= e) & (days < e + 365)].sum() for e in ends]
    assert (row["peak_revenue"], row["prior_peak_revenue"]) == (max(sums), max(sums[12:]))


def test_order_value_trend_is_least_squares(tmp_path):
    days = pd.to_datetime(["2023-01-10", "2023-06-01", "2023-11-15", "2024-04-01", "2024-10-20"])
    values = [100.0, 90.0, 95.0, 70.0, 60.0]
    text = "account,day,net,cost,line\n" + "".join(f"A,{d.date()},{v},,\n" for d, v in zip(days, values, strict=True))
    row = kl.summarize(ledger_of(text, tmp_path), PERIOD).iloc[0]
    years = np.array([(d - days[0]).days / 365 for d in days])
    (slope, _), covariance = np.polyfit(years, np.log(values), 1, cov=True)
    assert row["order_value_trend"] == pytest.approx(slope, rel=1e-6)
    assert row["order_value_trend_se"] == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-6)


def test_equal_order_values_have_no_trend(tmp_path):
    days = pd.date_range("2024-01-05", periods=12, freq="28D")
    text = "account,day,net,cost,line\n" + "".join(f"A,{d.date()},333.33,,\n" for d in days)
    row = kl.summarize(ledger_of(text, tmp_path), PERIOD).iloc[0]
    assert (row["order_value_trend"], row["order_value_trend_se"]) == (0, 0)


def test_groups_stand_for_their_members(tmp_path):
    groups = pd.DataFrame({"member": ["A", "B"], "account": ["G", "G"]})
    table = kl.summarize(ledger_of(HAND, tmp_path), PERIOD, accounts=groups).set_index("account")
    assert list(table.index) == ["G"]
    assert table.loc["G", "purchase_days"] == 4
    assert table.loc["G", "trailing_revenue"] == 310


def test_accounts_asked_for_are_those_of_the_whole_tables(tmp_path):
    ledger = ledger_of(HAND, tmp_path)
    groups = pd.DataFrame({"member": ["A"], "account": ["G"]})
    for make in (
        lambda **options: kl.summarize(ledger, PERIOD, accounts=groups, **options),
        lambda **options: summarize_periods(ledger, PERIOD, period_days=30, accounts=groups, **options),
        lambda **options: holdout(ledger, PERIOD.origin(1), accounts=groups, **options),
    ):
        whole = make()
        assert len(whole) > 1
        wanted = whole[whole["account"] == "G"].reset_index(drop=True)
        pd.testing.assert_frame_equal(make(only=["G", "A", "none"]), wanted, check_exact=True)


def test_company_revenue_of_two_years(tmp_path):
    ledger = ledger_of(HAND + ",2024-12-30,5,,x\n", tmp_path)
    assert revenue_windows(ledger, PERIOD) == {
        "trailing": 290.0,
        "previous": 160.0,
        "trailing_unattributed": 5.0,
        "trailing_contribution": 100.0,  # A 120, C −25 + 5; the others have no cost
        "previous_contribution": 40.0,  # 200 − 150 − 40 + 30
    }
    young = ledger_of("account,day,net,cost,line\nA,2023-06-01,7,,x\nA,2024-06-01,8,,x\n", tmp_path)
    assert revenue_windows(young, PERIOD)["previous"] is None


def test_holdout_counts_only_the_horizon(tmp_path):
    early = kl.StudyPeriod("2023-12-31", horizon_days=366, unit="day")
    table = holdout(ledger_of(HAND, tmp_path), early).set_index("account")
    assert table["purchases"].to_dict() == {"A": 1, "B": 1, "C": 0}
    assert table["revenue"].to_dict() == {"A": 300.0, "B": 10.0, "C": -25.0}


def test_months_hold_unattributed_revenue_too(tmp_path):
    months = monthly_revenue(ledger_of(HAND + ",2024-12-30,5,,x\n", tmp_path), PERIOD).set_index("month")
    assert months.loc[pd.Timestamp("2024-12-01"), "revenue"] == 15.0


def test_an_as_of_date_before_all_purchases_is_refused(tmp_path):
    with pytest.raises(DataError, match="The log runs from 2022-06-01 to 2025-01-01"):
        kl.summarize(ledger_of(HAND, tmp_path), kl.StudyPeriod("2020-01-01"))


def cdnow():
    path = Path(find_spec("lifetimes").submodule_search_locations[0], "datasets", "CDNOW_sample.txt")
    return kl.read_ledger(
        path,
        columns={"account": "sample_id", "date": "date", "amount": "value"},
        delimiter="whitespace",
        header=["master_id", "sample_id", "date", "discs", "value"],
        purchase="nonnegative",
    )


def test_cdnow_has_the_published_totals():
    """Fader and Hardie's 1/10 sample: customers, repeat transactions and customers without repeat; 39-week holdout."""
    ledger, period = cdnow(), kl.StudyPeriod("1997-09-30", horizon_days=273)
    table = kl.summarize(ledger, period)
    assert (len(table), table["frequency"].sum(), (table["frequency"] == 0).sum()) == (2357, 2457, 1411)
    future = holdout(ledger, period)
    assert future["purchases"].sum() == 1882
    assert future["revenue"].sum() == pytest.approx(70976.39)


def test_cdnow_equals_lifetimes():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes.utils import summary_data_from_transaction_data

        ledger = cdnow()
        lines = ledger.lines.select(["account", "date", "amount"]).to_pandas().astype({"amount": float})
        theirs = summary_data_from_transaction_data(
            lines, "account", "date", "amount", observation_period_end="1997-09-30", freq="D"
        )
    ours = kl.summarize(ledger, kl.StudyPeriod("1997-09-30", unit="day")).set_index("account")
    for column in ("frequency", "recency", "T", "monetary_value"):
        np.testing.assert_allclose(ours[column], theirs[column].loc[ours.index], rtol=1e-12, err_msg=column)


def test_the_same_ledger_gives_the_same_bits():
    period = kl.StudyPeriod("1998-06-30")
    pd.testing.assert_frame_equal(kl.summarize(cdnow(), period), kl.summarize(cdnow(), period), check_exact=True)


def test_many_lines_are_summed_up_some_accounts_at_a_time(monkeypatch):
    ledger, period = cdnow(), kl.StudyPeriod("1997-09-30", horizon_days=273)
    at_once = kl.summarize(ledger, period)
    assert ledger.ranges(1000) == [(None, None)]
    # The engine's files have groups of a hundred thousand rows: smaller ones stand for a longer log.
    pq.write_table(pq.read_table(ledger.path), ledger.path, row_group_size=500)
    ranges = ledger.ranges(1000)
    lines = pq.read_table(ledger.path)["account"].to_pandas()
    held = [lines[(lines >= (first or "")) & (lines < (end or "~"))] for first, end in ranges]
    assert len(ranges) == 7
    assert sum(map(len, held)) == len(lines)
    assert all(900 <= len(part) <= 1600 for part in held[:-1])
    monkeypatch.setattr(summary, "LINES_AT_ONCE", 1000)
    pd.testing.assert_frame_equal(kl.summarize(ledger, period), at_once, check_exact=True)


def test_periods_are_counted_back_from_the_as_of_date(tmp_path):
    # Of 91 days each, the last begins on 2024-10-02; counted from it, A bought in periods 10, 5, 3 and not in the last.
    table = summarize_periods(ledger_of(HAND, tmp_path), PERIOD, period_days=91)
    # A: 2022-06-01 is 944 days ago (10), 2023-07-10 540 (5), 2024-02-01 334 (3). B bought on the as-of date alone.
    assert table.to_dict("list") == {
        "account": ["A", "B"],
        "frequency": [2, 0],
        "recency": [7, 0],
        "n_periods": [10, 0],
    }


def test_several_purchases_in_a_period_count_once(tmp_path):
    table = summarize_periods(ledger_of(HAND, tmp_path), PERIOD, period_days=300).set_index("account")
    # 944, 540 and 334 days ago are periods 3, 1 and 1.
    assert table.loc["A"].tolist() == [1, 2, 3]


def test_impossible_periods_are_refused(tmp_path):
    with pytest.raises(DataError, match="period_days is 0"):
        summarize_periods(ledger_of(HAND, tmp_path), PERIOD, period_days=0)
    with pytest.raises(DataError, match="No account has a purchase up to 2020-01-01"):
        summarize_periods(ledger_of(HAND, tmp_path), kl.StudyPeriod("2020-01-01"), period_days=30)


def test_the_product_mix_of_the_last_year(tmp_path):
    ledger = ledger_of(HAND, tmp_path)
    table = product_mix(ledger, PERIOD).set_index("account")
    # of A's last 12 months 300 are x and 80 are z; C only returned something
    assert table.to_dict() == {"x": {"A": 300 / 380, "B": 1.0}, "z": {"A": 80 / 380, "B": 0.0}}
    group = pd.DataFrame({"member": ["A", "B"], "account": ["G", "G"]})
    assert product_mix(ledger, PERIOD, accounts=group).values.tolist() == [["G", 310 / 390, 80 / 390]]


def test_small_product_lines_are_left_out_of_the_mix(tmp_path):
    lines = "".join(f"A,2024-06-01,{i + 1},,line {i}\n" for i in range(10))
    table = product_mix(ledger_of("account,day,net,cost,line\n" + lines, tmp_path), PERIOD)
    assert list(table.columns) == ["account", *(f"line {i}" for i in range(9, 1, -1))]
    assert table["line 9"].tolist() == [10 / 55]  # of all lines, those left out included


def test_without_product_lines_there_is_no_mix(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("account,day,net\nA,2024-06-01,5\n", "utf-8")
    ledger = kl.read_ledger(path, columns={"account": "account", "date": "day", "amount": "net"})
    table = product_mix(ledger, PERIOD)
    assert list(table.columns) == ["account"]
    assert table.empty


def test_swings_of_quarterly_revenue_and_rebates(tmp_path):
    table = swings(ledger_of(HAND, tmp_path), PERIOD).set_index("account")
    # A's last 8 quarters of 91 days hold 160 and 300, the others nothing
    quarters = [160, 300, 0, 0, 0, 0, 0, 0]
    assert table.loc["A", "volatility"] == pytest.approx(np.std(quarters) / np.mean(quarters))
    assert table.loc[["B", "C"], "volatility"].isna().all()  # known for under 8 quarters
    assert table.loc[["A", "B"], "discount_depth"].tolist() == [0.0, 0.0]
    assert math.isnan(table.loc["C", "discount_depth"])
    path = tmp_path / "rebates.csv"
    path.write_text("account,day,net,kind\nA,2024-06-01,200,sale\nA,2024-07-01,-30,rebate\nA,2024-08-01,-9,return\n")
    columns = {"account": "account", "date": "day", "amount": "net", "kind": "kind"}
    assert swings(kl.read_ledger(path, columns=columns), PERIOD)["discount_depth"].tolist() == [0.15]
