"""The probability of an account's class, held against what a simulated company then does."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import kamlab as kl
from kamlab import forecast, schemes, simulate, terms, tiers
from kamlab.summary import holdout

YEAR = 365
LEVELS = list(terms.LEVELS)


@pytest.fixture(scope="module")
def said_and_came():
    """Probability of each class, and the class that the year after fell into, of 1,300 accounts."""
    weeks = {"calibration_weeks": 130.0, "entry_weeks": 78.0, "horizon_weeks": 52.2}
    log = simulate.bg_nbd(1300, r=1.0, alpha=8.0, a=0.8, b=4.0, **weeks, seed=1).log
    ledger = kl.read_ledger(log, columns={name: name for name in ("account", "date", "amount")})
    period = kl.StudyPeriod(log["date"].max() - timedelta(days=YEAR))
    summary = kl.summarize(ledger, period)
    choice = kl.backtest.choose(ledger, period, origins=0, forecaster="bg_nbd")
    future, draws, _ = forecast.value_and_draws(
        summary, choice, margins=None, horizon_days=YEAR, discount_rate_annual=0.1, level=0.9, n_draws=300, seed=0
    )
    cuts = tiers.fit(future["expected_contribution"], n_boot=20)
    said = schemes.probabilities(draws, future, {"contribution_class": cuts}).set_index("account")[LEVELS]
    came = holdout(ledger, period).set_index("account")["revenue"].astype(float).reindex(said.index).fillna(0.0)
    return said, pd.get_dummies(pd.Series(cuts.classify(came), said.index)).astype(float)[LEVELS]


def test_of_the_accounts_with_a_probability_as_many_fall_into_the_class(said_and_came):
    said, came = said_and_came
    judged = 0
    for level in LEVELS:
        for _, part in said[level].groupby(pd.cut(said[level], [0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1])):
            if len(part) >= 30:
                error = np.sqrt((part * (1 - part)).sum()) / len(part)
                # three binomial standard errors, of some fifteen shares
                assert came.loc[part.index, level].mean() == pytest.approx(part.mean(), abs=3 * error), level
                judged += 1
    assert judged >= 12


def test_they_tell_more_than_the_shares_of_the_classes(said_and_came):
    said, came = said_and_came
    brier = ((said - came) ** 2).sum(axis=1).mean()
    assert brier < 0.8 * ((came.mean() - came) ** 2).sum(axis=1).mean()
