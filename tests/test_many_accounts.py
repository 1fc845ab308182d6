"""Companies of very many accounts: what is done in pieces, on all cores, in part or by a sample says the same."""

import threading
import time
from datetime import date

import numpy as np
import pandas as pd
import pytest

from kamlab import forecast, threads
from kamlab.backtest import distribution, spread
from kamlab.backtest.forecasters import Parametric
from kamlab.backtest.situation import Amounts, every_nth, from_summary
from kamlab.clv import MBGNBD
from kamlab.config import Config
from kamlab.figures import lorenz
from kamlab.period import StudyPeriod
from kamlab.runs.folder import Run

HISTORIES = pd.DataFrame(
    {
        "account": [f"A{i:03d}" for i in range(120)],
        "frequency": np.arange(120) % 7,
        "recency": np.where(np.arange(120) % 7 == 0, 0.0, 20.0 + np.arange(120) % 40),
        "T": 70.0 + np.arange(120) % 20,
    }
)


@pytest.fixture(scope="module")
def around_the_model():
    model = Parametric("mbg_nbd", MBGNBD().fit(HISTORIES), None)
    at = from_summary(HISTORIES, 365, "week")
    wanted = model.expected(at).purchases * 1.2
    return spread.Spread(model, at, Amounts(wanted, wanted), 0.1, {})


def test_results_come_in_order_whichever_thread_is_done_first(monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 3)
    used = set()

    def work(piece):
        used.add(threading.get_ident())
        time.sleep(0.002 * (5 - piece))
        return piece * 10

    assert list(threads.in_order(work, range(5))) == [0, 10, 20, 30, 40]
    assert threading.get_ident() not in used
    assert list(threads.in_order(lambda piece: threading.get_ident(), [1])) == [threading.get_ident()]
    assert list(threads.in_order(work, [])) == []


def test_what_fails_in_a_thread_fails_here():
    with pytest.raises(ZeroDivisionError):
        list(threads.in_order(lambda piece: 1 / piece, [1, 0, 2]))


def test_joint_draws_do_not_depend_on_the_number_of_threads(around_the_model, monkeypatch):
    whole = around_the_model.all_draws(60, np.random.default_rng(3))
    monkeypatch.setattr(spread, "_CHUNK", 50)
    found = []
    for n in (1, 4):
        monkeypatch.setattr(threads.os, "cpu_count", lambda n=n: n)
        found.append(around_the_model.all_draws(60, np.random.default_rng(3)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    # Each part has luck of its own, and the same distribution: the total is the wanted one.
    assert not np.array_equal(found[0][0][50:], whole[0][50:])
    assert found[0][1].mean(axis=1).sum() == pytest.approx(around_the_model.wanted.purchases.sum())


def test_single_precision_moves_the_seventh_digit_alone(around_the_model, monkeypatch):
    double = around_the_model.all_draws(60, np.random.default_rng(3))
    monkeypatch.setattr(spread, "SINGLE_FROM", 1)
    single = around_the_model.all_draws(60, np.random.default_rng(3))
    for one, other in zip(single, double, strict=True):
        assert one.dtype == np.float32
        assert one == pytest.approx(other, rel=1e-6)


def test_bounds_of_many_rows_are_those_of_each(monkeypatch):
    monkeypatch.setattr(distribution, "_CHUNK", 2)
    draws = np.array([np.arange(101.0), np.full(101, 7.0), np.arange(101.0)[::-1] * 2])
    lower, upper = distribution.bounds(draws, 0.9, whole=False)
    assert lower == pytest.approx([5.0, 7.0, 10.0])
    assert upper == pytest.approx([95.0, 7.0, 190.0])


@pytest.mark.parametrize(
    ("accounts", "draws"), [(1, 500), (200_000, 500), (250_000, 400), (1_000_000, 100), (9_000_000, 100)]
)
def test_more_accounts_get_fewer_draws_but_never_under_a_hundred(accounts, draws):
    assert forecast.affordable_draws(500, accounts) == draws


def test_at_earlier_dates_forty_draws_are_the_least():
    assert forecast.affordable_draws(200, 100_000, most_cells=20_000_000, least=40) == 200
    assert forecast.affordable_draws(200, 1_000_000, most_cells=20_000_000, least=40) == 40
    assert forecast.affordable_draws(30, 1_000_000, most_cells=20_000_000, least=40) == 30


def test_some_accounts_stand_evenly_for_all():
    at = from_summary(HISTORIES, 365, "week")
    some = every_nth(at, 8)
    # 119 / 7 = 17 from one to the next.
    assert some.summary["account"].tolist() == [f"A{i:03d}" for i in range(0, 120, 17)]
    assert every_nth(at, 120) is at


def test_the_curve_of_many_accounts_is_drawn_through_some_of_its_points():
    values = pd.Series(np.random.default_rng(0).pareto(1.2, 50_000))
    accounts, value = lorenz._curve(values)
    drawn, height = lorenz._thinned(accounts, value)
    assert len(drawn) <= lorenz.MOST_POINTS
    assert np.interp(accounts, drawn, height) == pytest.approx(value, abs=0.001)
    assert (drawn[0], height[0], drawn[-1], height[-1]) == (0.0, 0.0, 1.0, pytest.approx(1.0))


def test_some_columns_and_rows_of_a_table(tmp_path):
    (tmp_path / "tables").mkdir()
    settings = {"company": {"name": "x"}, "source": {"transactions": {"path": "x.csv", "columns": {}}}}
    run = Run(tmp_path, Config.model_construct(**settings), StudyPeriod(date(2025, 12, 31)))
    table = pd.DataFrame({"account": ["a", "b", "c"], "scheme": ["x", "y", "x"], "probability": [0.5, np.nan, 0.25]})
    run.write("labels", table)
    assert run.read("labels", columns=["probability", "account"]).columns.tolist() == ["probability", "account"]
    pd.testing.assert_frame_equal(run.read("labels"), table.astype({"account": "str", "scheme": "str"}))
    assert run.read("labels", columns=["scheme"])["scheme"].tolist() == ["x", "y", "x"]
    some = run.read("labels", where={"scheme": ["x"]})
    assert some["account"].tolist() == ["a", "c"]
    assert run.read("labels", columns=["account"], where={"scheme": ["y"]}).to_dict("list") == {"account": ["b"]}
    none = run.read("labels", columns=["account", "probability"], where={"account": []})
    pd.testing.assert_frame_equal(none, run.read("labels", columns=["account", "probability"]).iloc[:0])
    changed = run.read("labels", columns=["account"])
    changed["account"] = "z"
    assert run.read("labels")["account"].tolist() == ["a", "b", "c"]
