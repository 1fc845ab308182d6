"""Simulated companies with known kinds of accounts, from their order lines to the segments."""

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

import kamlab as kl
from kamlab import features, potential, segments

END = pd.Timestamp("2024-12-31")
KINDS = {
    # accounts, days between orders, size of an order, began and ended so many days ago
    "key": (30, 10, 50_000, 1400, 0),
    "steady": (60, 60, 2_000, 1400, 0),
    "lost": (60, 45, 3_000, 1400, 650),
    "new": (40, 15, 4_000, 110, 0),
}


def play(gap, size, began, ended, rng):
    """Order lines of accounts; one entry an account in each argument."""
    rows = []
    for i in range(len(gap)):
        day = began[i]
        while day > ended[i]:
            rows.append((f"A{i:03d}", END - pd.Timedelta(days=int(day)), round(size[i] * rng.lognormal(0, 0.2), 2)))
            day -= rng.gamma(4, gap[i] / 4)
    return pd.DataFrame(rows, columns=["account", "date", "amount"])


def segmented(lines):
    """Everything that a run does on the way from the lines to the segments."""
    ledger = kl.read_ledger(lines, columns={c: c for c in lines})
    period = kl.StudyPeriod(END)
    summary = kl.summarize(ledger, period)
    choice = kl.backtest.choose(ledger, period, origins=0, forecaster="pareto_nbd")
    future = kl.forecast.value(summary, choice, n_draws=50)
    units = pd.DataFrame({"account": summary["account"], "declared_potential": np.nan})
    worth = potential.with_headroom(potential.estimate(summary, units), future)
    return segments.fit(features.build(summary, future, units, worth), k_max=6)


def test_kinds_of_accounts_that_differ_are_recovered_from_their_orders():
    rng = np.random.default_rng(0)
    truth = np.repeat(list(KINDS), [n for n, *_ in KINDS.values()])
    gap, size, began, ended = np.array([KINDS[kind][1:] for kind in truth]).T
    apart = rng.lognormal(0, 0.2, (2, len(truth)))
    found = segmented(play(gap * apart[0], size * apart[1], began * rng.uniform(0.9, 1, len(truth)), ended, rng))
    assert found.found
    assert adjusted_rand_score(truth, found.labels["segment"]) >= 0.8
    names = pd.Series(found.labels["segment_name"].to_numpy()).groupby(truth).agg(lambda s: s.mode()[0])
    assert names["key"].startswith("Large")
    assert "silent" in names["lost"]
    assert "new" in names["new"]


def test_accounts_of_one_kind_are_not_divided():
    rng = np.random.default_rng(1)
    n = 150
    gap, size = 45 * rng.lognormal(0, 0.5, n), 3000 * rng.lognormal(0, 0.8, n)
    found = segmented(play(gap, size, 1200 + 150 * rng.normal(size=n), np.zeros(n), rng))
    assert not found.found
    assert found.rule_id == "none"
