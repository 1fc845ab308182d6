import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary, grocery_summary, play

from kamlab import clv
from kamlab.clv.beta_geometric import expected_regular, log_likelihood, probability_alive, stage_weights
from kamlab.clv.bg_cnbd import NOTE_NO_GAPS
from kamlab.errors import ModelError

positive = st.floats(-4, 4).map(np.exp)
params_strategy = st.tuples(positive, st.floats(-7, 9).map(np.exp), positive, positive).map(np.array)
both = pytest.mark.parametrize(("regular", "random"), [(clv.BGCNBD, clv.BGNBD), (clv.MBGCNBD, clv.MBGNBD)])


# The published numbers


@pytest.mark.parametrize(
    ("model", "likelihood", "params"),
    [
        (clv.BGCNBD, -15054, [0.359, 1.129, 0.523, 2.785]),
        (clv.MBGCNBD, -14978, [1.329, 2.813, 0.425, 0.790]),
    ],
)
def test_grocery_log_gives_the_btydplus_numbers(model, likelihood, params):
    fitted = model().fit(grocery_summary())
    assert fitted.k_ == 2
    # Published without decimals; the parameters with three.
    assert fitted.log_likelihood_ == pytest.approx(likelihood, abs=0.6)
    assert list(fitted.params_.values()) == pytest.approx(params, rel=2e-3)
    assert fitted.converged_
    assert fitted.notes_ == ()


@both
def test_k_equal_to_1_is_the_model_of_random_purchases(regular, random):
    summary = cdnow_summary()
    one, other = regular(k=1).fit(summary), random(engine="kamlab").fit(summary)
    assert one.params_ == other.params_
    assert one.log_likelihood_ == other.log_likelihood_
    assert one.k_ == 1
    pd.testing.assert_frame_equal(one.predict(summary, 200), other.predict(summary, 200))


def test_the_customers_of_cdnow_buy_at_random():
    model = clv.BGCNBD().fit(cdnow_summary())
    assert model.k_ == 1
    assert model.log_likelihood_ == pytest.approx(-9582.42921, abs=1e-3)
    assert model.notes_ == ()


# Numerics against mpmath


def mp_terms(params, x, t_x, age, k, at_entry):
    """Staying and leaving of the individual likelihood: Erlang-k gaps and a silence of under k events, integrated."""
    r, alpha, a, b, t_x, age = map(mpmath.mpf, (*params, t_x, age))
    kx, m = k * x, x + at_entry

    def rate_to_the(power, time):
        """E[λ^power · exp(−λ·time)] for λ ~ Gamma(r, alpha)."""
        return mpmath.gamma(r + power) / mpmath.gamma(r) * alpha**r / (alpha + time) ** (r + power)

    silent = sum((age - t_x) ** j / mpmath.factorial(j) * rate_to_the(kx + j, age) for j in range(k))
    stay = mpmath.beta(a, b + m) / mpmath.beta(a, b) * silent
    left = mpmath.beta(a + 1, b + m - 1) / mpmath.beta(a, b) * rate_to_the(kx, t_x) if m else 0
    return stay / mpmath.gamma(k) ** x, left / mpmath.gamma(k) ** x


histories = st.tuples(st.integers(0, 5000), st.floats(0.001, 1), st.floats(1, 10_000))


@settings(max_examples=60, deadline=None)
@given(params_strategy, histories, st.integers(1, 4), st.integers(0, 1))
def test_likelihood_and_p_alive_against_mpmath(params, one, k, first):
    x, share, age = one
    t_x = share * age if x else 0.0
    with mpmath.workdps(60):
        stay, left = mp_terms(params, x, t_x, age, k, first)
        expected, alive = float(mpmath.log(stay + left)), float(stay / (stay + left))
    account = [np.array([float(v)]) for v in (x, t_x, age)]
    value, _ = log_likelihood(np.log(params), *account, k=k, first=first)
    # Differences of log gammas of up to 2e5 carry their rounding of 1e-16.
    assert value[0] == pytest.approx(expected, rel=1e-9, abs=1e-8)
    assert probability_alive(params, *account, k=k, first=first)[0] == pytest.approx(alive, rel=1e-7, abs=1e-300)


@settings(max_examples=25, deadline=None)
@given(params_strategy, st.integers(0, 60), st.floats(0.05, 1), st.floats(1, 300), st.floats(1, 100), st.integers(2, 4))
def test_expectation_is_the_sum_over_negative_binomial_events(params, x, share, age, t, k):
    t_x = share * age if x else 0.0
    r, alpha, a, b = (float(v) for v in params)
    alpha = max(alpha, 1.0)  # keeps the sum short
    account = [np.array([float(v)]) for v in (x, t_x, age)]
    got = expected_regular(np.array([r, alpha, a, b]), *account, t, k=k, first=1)[0]
    stages = np.array(stage_weights(r + k * account[0], alpha, account[1], account[2], k))[:, 0]
    z = t / (alpha + age + t)
    expected = 0.0
    for j, stage in enumerate(stages / stages.sum()):
        # Σ_n P(N ≥ nk − j) · P(stays n − 1 times), by the probabilities of N one after the other.
        shape, n_events = r + k * x + j, np.arange(40_000.0)
        steps = np.log(z) + np.log((shape + n_events[:-1]) / (n_events[:-1] + 1))
        chance = np.exp(shape * np.log1p(-z) + np.concatenate([[0.0], np.cumsum(steps)]))
        chance[-1] += max(1 - chance.sum(), 0.0)
        bought = np.floor((n_events + j) / k).astype(int)
        n = np.arange(1, bought.max() + 1)
        stays = np.exp(np.concatenate([[0.0], np.cumsum(np.log((b + x + n) / (a + b + x + n)))]))[: len(n)]
        expected += stage * (chance * np.concatenate([[0.0], np.cumsum(stays)])[bought]).sum()
    assert got == pytest.approx(expected, rel=1e-7, abs=1e-10)


# Choice of k


def test_the_true_k_is_chosen():
    rng = np.random.default_rng(2)
    rate, leaving = rng.gamma(1.2, 1 / 3, 1500), rng.beta(0.5, 3.0, 1500)
    table = play(rate, np.full(1500, 80.0), 1, rng, k=3, leaving=leaving)
    model = clv.BGCNBD().fit(table)
    assert model.k_ == 3
    by_k = [clv.BGCNBD(k=k).fit(table).log_likelihood_ for k in (1, 2, 3, 4)]
    assert model.log_likelihood_ == max(by_k) == by_k[2]


@both
def test_without_gaps_purchases_are_taken_as_random_and_it_is_said(regular, random):
    summary = cdnow_summary().drop(columns="log_gaps")
    model = regular().fit(summary)
    assert model.k_ == 1
    assert model.notes_[-1] == NOTE_NO_GAPS
    with pytest.raises(ModelError, match="946 of 2357 accounts lack log_gaps"):
        regular(k=2).fit(summary)


def test_gaps_of_another_unit_are_named():
    summary = cdnow_summary()
    days = summary.assign(log_gaps=summary["log_gaps"] + summary["frequency"] * np.log(7))
    with pytest.raises(ModelError, match="have log_gaps above what their recency allows"):
        clv.BGCNBD().fit(days)


@pytest.mark.parametrize("k", [0, 5, 1.5])
def test_an_impossible_k_is_refused(k):
    with pytest.raises(ModelError, match="whole number from 1 to 4"):
        clv.BGCNBD(k=k).fit(cdnow_summary())
