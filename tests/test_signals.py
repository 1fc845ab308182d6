"""Signals of a log: found where they are, and rarely where they are not."""

import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway

import kamlab as kl
from kamlab import beginning, signals
from kamlab.signals import _out_of_line, _season

PERIOD = kl.StudyPeriod("2024-12-31")
START = pd.Timestamp("2022-01-01")


def arrivals(known, new, seed, *, together=False, days=1096):
    """Summary of accounts that the log begins after (`known`), and of new ones: spread evenly, or all in 12 weeks."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(known + new):
        rate = rng.gamma(1.5, 1 / 60)
        first = rng.exponential(1 / rate) if i < known else rng.uniform(0, 84 if together else days)
        if first < days:
            times = [first]
            while (after := times[-1] + 1 + rng.exponential(1 / rate)) < days:
                times.append(after)
            rows.append((f"A{i:04d}", int(first), int(times[-1]), len(times)))
    table = pd.DataFrame(rows, columns=["account", "first_purchase", "last_purchase", "purchase_days"])
    dates = ["first_purchase", "last_purchase"]
    table[dates] = table[dates].apply(lambda c: START + pd.to_timedelta(c, unit="D"))
    return table


def truncation(summary):
    return beginning.truncation(summary, SimpleNamespace(first_date=START.date()), PERIOD)


# The beginning


def test_a_log_that_begins_after_its_customers_says_so():
    found = truncation(arrivals(200, 100, 1))
    assert found.verdict == "truncated"
    assert found.known_before == pytest.approx(200, abs=20)  # two standard errors of the later arrivals
    assert found.correlation > 0.3
    assert found.first_day == "2022-01-01"


def test_new_customers_at_an_even_rate_are_hardly_ever_taken_for_old_ones():
    verdicts = [truncation(arrivals(0, 150, seed)).verdict for seed in range(40)]
    # 1 % each by design for two tests together; one in forty is within two standard errors.
    assert sum(verdict != "complete" for verdict in verdicts) <= 1


def test_customers_who_all_began_together_are_no_proof_of_a_cut():
    verdicts = [truncation(arrivals(0, 150, seed, together=True)).verdict for seed in range(20)]
    assert verdicts.count("unclear") >= 19
    assert truncation(arrivals(0, 150, 3, together=True)).known_before == 0


def test_a_short_log_or_few_accounts_say_nothing():
    assert truncation(arrivals(5, 5, 1)) is None
    assert beginning.truncation(arrivals(50, 50, 1), SimpleNamespace(first_date=date(2024, 6, 1)), PERIOD) is None


# Seasons


def month_table(values, start="2021-01-01"):
    return pd.DataFrame({"month": pd.date_range(start, periods=len(values), freq="MS"), "orders": values})


def test_p_value_is_that_of_the_f_test():
    # Without a trend the test of month effects is the one-way analysis of variance, up to the trend's one parameter.
    rng = np.random.default_rng(2)
    values = np.exp(rng.normal(5, 0.2, 480) + 0.05 * np.tile(np.sin(np.arange(12)), 40))
    found = _season(month_table(values), "orders")
    reference = f_oneway(*np.log(values).reshape(40, 12).T)
    assert found.p_value == pytest.approx(reference.pvalue, rel=0.2)
    assert found.months == 480


def test_a_season_is_found_with_its_index():
    rng = np.random.default_rng(3)
    index = np.array([0.6, 0.7, 1, 1, 1, 1, 1, 1, 1, 1, 1.3, 1.4])
    growth = np.exp(0.3 * np.arange(36) / 12)
    found = _season(month_table(rng.poisson(200 * np.tile(index, 3) * growth)), "orders")
    assert found.seasonal
    assert found.p_value < 1e-6
    assert found.index == pytest.approx(index / index.mean(), abs=0.15)  # two standard errors of three months of 200
    assert np.mean(found.index) == pytest.approx(1.0)
    assert 0.5 < found.strength <= 1


def test_noise_and_growth_alone_are_hardly_ever_a_season():
    rng = np.random.default_rng(4)
    growth = 100 * np.exp(0.4 * np.arange(36) / 12)
    alarms = sum(_season(month_table(rng.poisson(growth)), "orders").seasonal for _ in range(300))
    assert alarms <= 8  # 1 % of 300 by design, and three standard errors


def test_two_years_are_needed_and_a_flat_log_has_no_season():
    assert _season(month_table([50] * 23), "orders") is None
    assert not _season(month_table([50] * 24), "orders").seasonal


# Spikes


def test_an_order_out_of_its_accounts_line_is_named():
    rng = np.random.default_rng(5)
    days = pd.date_range("2024-01-01", periods=20, freq="14D")
    orders = pd.DataFrame({"account": "A", "date": days, "net": 1000 * np.exp(rng.normal(0, 0.3, 20))})
    orders.loc[7, "net"] = 50_000.0
    found = _out_of_line(orders, 100_000.0, pd.Timestamp("2023-01-01"))
    assert [(s.kind, s.day, s.account, s.amount) for s in found] == [("order", "2024-04-08", "A", 50_000.0)]
    assert found[0].usual == pytest.approx(1000, rel=0.2)
    assert found[0].share == 0.5
    assert _out_of_line(orders, 100_000.0, pd.Timestamp("2024-05-01")) == []
    assert _out_of_line(orders, 1e7, pd.Timestamp("2023-01-01")) == []


def test_ordinary_orders_are_hardly_ever_spikes():
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(50):
        sizes = np.exp(rng.normal(7, 1.2, 60))[:, None] * np.exp(rng.normal(0, 0.6, (60, 15)))
        orders = pd.DataFrame({"account": np.repeat(np.arange(60), 15), "net": sizes.ravel()})
        orders["date"] = pd.Timestamp("2024-06-01")
        alarms += bool(_out_of_line(orders, sizes.sum(), pd.Timestamp("2023-01-01")))
    assert alarms <= 2  # 1 % of 50 companies of 900 orders, and three standard errors


# A whole log


def log(*, season=False, spike=False, returns=0.0, years=3):
    rng = np.random.default_rng(7)
    rows = []
    for i in range(60):
        first = rng.uniform(0, 365 * years * 0.8)
        for day in np.arange(first, 365 * years, 20 + rng.uniform(0, 20)):
            when = pd.Timestamp("2025-01-01") - pd.Timedelta(days=365 * years - int(day))
            if season and when.month in (1, 2) and rng.random() < 0.7:
                continue
            value = round(100 * float(np.exp(rng.normal(0, 0.3))), 2)
            rows.append((f"A{i:03d}", when, value))
            late = when > pd.Timestamp("2024-01-01")
            if rng.random() < returns * (1 if late else 0.1):
                rows.append((f"A{i:03d}", when + pd.Timedelta(days=1), -value / 2))
    if spike:
        rows.append(("A003", pd.Timestamp("2024-05-15"), 60_000.0))
    table = pd.DataFrame(rows, columns=["account", "date", "amount"])
    return table[table["date"] <= "2024-12-31"]


def found_in(frame, columns=("account", "date", "amount"), accounts=None):
    ledger = kl.read_ledger(frame, columns={name: name for name in columns})
    return signals.find(ledger, PERIOD, kl.summarize(ledger, PERIOD, accounts=accounts), accounts=accounts)


def test_a_quiet_log_has_no_signals():
    found = found_in(log())
    assert found.truncation.verdict == "complete"
    assert not any(season.seasonal for season in found.seasons)
    assert found.spikes == ()
    assert (found.returns.share, found.returns.rising) == (0.0, False)
    assert json.loads(json.dumps(found.facts()))["spikes"] == []


def test_each_signal_is_found_in_a_whole_log():
    found = found_in(log(season=True, spike=True, returns=0.4))
    orders = found.seasons[0]
    assert orders.measure == "orders"
    assert orders.seasonal
    assert set(np.argsort(orders.index)[:2]) == {0, 1}
    assert {(s.kind, s.day, s.account) for s in found.spikes} == {
        ("order", "2024-05-15", "A003"),
        ("month", "2024-05-01", "A003"),
    }
    assert found.returns.rising
    assert found.returns.share > 0.1 > found.returns.previous_share


def test_groups_are_named_where_decisions_are_taken_for_them():
    frame = log(spike=True)
    ids = sorted(frame["account"].unique())
    groups = pd.DataFrame({"member": ids, "account": ["G1" if name < "A030" else "G2" for name in ids]})
    assert {s.account for s in found_in(frame, accounts=groups).spikes} == {"G1"}


def test_without_money_orders_alone():
    found = found_in(log()[["account", "date"]], ("account", "date"))
    assert [season.measure for season in found.seasons] == ["orders"]
    assert found.spikes == ()
    assert found.returns is None


def test_under_two_years_there_is_nothing_to_compare_with():
    found = found_in(log(years=1, returns=0.4))
    assert found.seasons == ()
    assert found.returns.previous_share is None
