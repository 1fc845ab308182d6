"""Logs at the border of what the models can tell: nobody leaves, all accounts are alike, hardly anybody buys again."""

import numpy as np
import pandas as pd
import pytest
from known_data import cdnow_summary, play

from kamlab import clv
from kamlab.clv import base
from kamlab.clv.checks import read_purchases
from kamlab.clv.histories import distinct
from kamlab.clv.limits import NOTE_LIMIT, alike_at_least, no_worse_than_limits
from kamlab.clv.transactions import TransactionModel

NAMES = [name for name, model in clv.MODELS.items() if issubclass(model, TransactionModel)]


def alike(x, t_x, age, n):
    return pd.DataFrame({"frequency": [x] * n, "recency": [t_x] * n, "T": [age] * n})


def never_leave():
    rng = np.random.default_rng(4)
    return play(rng.gamma(3.0, 1 / 12, 300), rng.uniform(60, 120, 300), 1, rng)


def huge():
    rng = np.random.default_rng(4)
    return play(rng.gamma(2.0, 0.2, 60), np.full(60, 10_000.0), 1, rng)


def one_rate():
    rng = np.random.default_rng(4)
    return play(np.full(300, 0.2), rng.uniform(20, 100, 300), 1, rng, leaving=np.full(300, 0.1))


LOGS = {
    "never leave": never_leave,
    "10,000 weeks": huge,
    "one rate": one_rate,
    "all alike": lambda: alike(4, 40.0, 50.0, 40),
    "once": lambda: pd.concat([alike(0, 0.0, 52.0, 500), alike(1, 3.0, 52.0, 12)], ignore_index=True),
    "gone at once": lambda: pd.concat([alike(0, 0.0, 400.0, 60), alike(1, 0.2, 400.0, 60)], ignore_index=True),
}


@pytest.mark.parametrize("case", LOGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_fit_at_the_border_is_no_worse_than_its_limit_and_says_so(name, case):
    table = LOGS[case]()
    model, limit = (clv.MODELS[n](engine="kamlab").fit(table) for n in (name, "nbd"))
    assert model.converged_
    # The least chance of leaving that the bounds allow costs 1e-7 a purchase; here there are half a million at most.
    assert model.log_likelihood_ >= limit.log_likelihood_ - 0.1
    predicted = model.predict(table, 365)
    numbers = predicted.drop(columns="account").to_numpy(dtype=float)
    assert (np.isfinite(numbers) & (numbers >= 0)).all()
    rate = (model.params_["r"] / model.k_ if "cnbd" in name else model.params_["r"]) + table["frequency"] + 1
    rate /= model.params_["alpha"] + table["T"]
    # Nobody is expected to buy more than at its posterior mean rate; with k > 1 one purchase may have begun.
    assert (predicted["expected_purchases"] <= 365 / 7 * rate + 1).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "nbd"])
def test_where_nobody_leaves_forecasts_are_those_of_the_nbd(name):
    table = never_leave()
    model, limit = (clv.MODELS[n](engine="kamlab").fit(table) for n in (name, "nbd"))
    assert base.NOTE_BOUNDARY in model.notes_
    often = table["frequency"] > 2
    expected = limit.expected_purchases(table[often], 365)
    got = model.expected_purchases(table[often], 365)
    # MBG and Pareto/NBD take a silent account or two for perhaps gone.
    assert got == pytest.approx(expected, rel=0.05)
    assert got.sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_equal_rates_end_at_the_border_and_it_is_said():
    model = clv.MBGNBD().fit(one_rate())
    assert base.NOTE_BOUNDARY in model.notes_
    # Simulated with a rate of 0.2.
    assert model.params_["r"] / model.params_["alpha"] == pytest.approx(0.2, rel=0.03)


def test_a_fit_below_its_limit_is_fitted_again_from_there():
    model = clv.MBGNBD()
    rows, _ = distinct(read_purchases(cdnow_summary()))
    objective = model._objective(rows)
    # Accounts that all leave at once: far below the NBD's −9763.66.
    lost = np.array([0.0, 1.0, 6.0, -2.0])
    bad = base.Maximum(lost, objective(lost)[0], np.eye(4), True, ())
    mended = no_worse_than_limits(bad, objective, model.parameters, model.bounds, model.limits, 2357)
    assert mended.notes[0] == NOTE_LIMIT
    assert -2357 * mended.value == pytest.approx(-9582.13572, abs=1e-3)


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "pareto_nbd", "nbd"])
@pytest.mark.parametrize("case", ["never leave", "one rate", "once"])
def test_no_fit_with_one_rate_passes_the_bound_that_rules_it_out(name, case):
    model = clv.MODELS[name](engine="kamlab")
    rows, _ = distinct(read_purchases(LOGS[case]()))
    bound = alike_at_least(rows, model._there(rows), {"r": 8.0})
    objective, rng = model._objective(rows), np.random.default_rng(0)
    low, high = np.array(model.bounds).T
    for at in rng.uniform(low, high, (200, len(low))):
        at[:2] = np.log(1e8), np.log(1e8) + rng.uniform(-3, 8)
        # Rates that differ by 1e-4 of themselves still gain x² / 2e8 on some 100 purchases.
        assert objective(at)[0] >= bound - 1e-4
