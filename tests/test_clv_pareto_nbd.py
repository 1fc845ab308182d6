import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary, grocery_summary

from kamlab import clv
from kamlab.clv.pareto_nbd import expected_alive, log_likelihood, probability_alive, survival

CDNOW_PARAMS = np.array([0.553277, 10.577684, 0.606240, 11.668739])
positive = st.floats(-5, 4).map(np.exp)
times = st.floats(np.log(1e-3), np.log(1e4)).map(np.exp)
params_strategy = st.tuples(positive, times, positive, times).map(np.array)


@pytest.fixture(scope="module")
def cdnow():
    return clv.ParetoNBD().fit(cdnow_summary())


def history(x, t_x, age):
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": age})


def one_account(x, t_x, age):
    return [np.array([float(v)]) for v in (x, t_x, age)]


# The published numbers


def test_params_and_likelihood_on_cdnow_are_the_published_ones(cdnow):
    assert cdnow.log_likelihood_ == pytest.approx(-9594.97618, abs=1e-3)
    assert list(cdnow.params_) == ["r", "alpha", "s", "beta"]
    assert list(cdnow.params_.values()) == pytest.approx(CDNOW_PARAMS, rel=1e-3)
    assert cdnow.converged_
    assert cdnow.notes_ == ()


def test_standard_errors_on_cdnow_are_those_of_clvtools(cdnow):
    # CLVTools' own Hessian is numerical.
    expected = [0.0476264, 0.8427222, 0.1872594, 6.2105448]
    assert list(cdnow.standard_errors_.values()) == pytest.approx(expected, rel=1e-3)


def test_predictions_are_those_of_the_btyd_walkthrough(cdnow):
    assert cdnow.expected_purchases_new(52 * 7) == pytest.approx(1.473434, rel=1e-4)
    busy = cdnow.predict(history([26], [30 + 6 / 7], [31.0]), 52 * 7).iloc[0]
    assert busy["expected_purchases"] == pytest.approx(25.45647, rel=1e-4)
    assert busy["p_alive"] == pytest.approx(0.997874, rel=1e-4)
    lapsing = cdnow.expected_purchases(history([10, 15, 20, 25], [20.0] * 4, [39.0] * 4), 52 * 7)
    # The vignette's own optimum is 1e-3 short of ours in beta, which moves these by as much.
    assert lapsing == pytest.approx([0.7062289, 0.1442396, 0.02250658, 0.00309267], rel=1e-3)


def test_mean_holdout_purchases_by_frequency_are_those_of_the_btyd_walkthrough(cdnow):
    x = cdnow_summary()["frequency"].clip(upper=7)
    expected = pd.Series(cdnow.expected_purchases(cdnow_summary(), 39 * 7)).groupby(x).mean()
    # Printed with three digits.
    assert expected.to_numpy() == pytest.approx([0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403], abs=0.0015)


def test_cumulative_repeats_on_cdnow_are_those_of_the_btyd_walkthrough(cdnow):
    born = cdnow_summary()["T"].max() - cdnow_summary()["T"]
    totals = [cdnow.expected_purchases_new(np.maximum(week - born, 0) * 7).sum() for week in (20, 25)]
    assert totals == pytest.approx([1308.856, 1674.253], rel=1e-4)


def test_grocery_log_gives_the_btydplus_numbers():
    table = grocery_summary()
    model = clv.ParetoNBD().fit(table)
    assert model.log_likelihood_ == pytest.approx(-15782.39, abs=0.006)
    assert list(model.params_.values()) == pytest.approx([0.786, 5.679, 0.386, 5.717], abs=1.1e-3)
    assert np.abs(model.expected_purchases(table, 364) - table["came"]).mean() == pytest.approx(1.508, abs=0.0006)
    lapsed = model.predict(history([1, 2, 3, 4, 5], [12.0] * 5, [52.0] * 5), 364)
    assert lapsed["expected_purchases"].to_numpy() == pytest.approx([0.448, 0.363, 0.217, 0.109, 0.049], abs=6e-4)
    assert lapsed["p_alive"].to_numpy() == pytest.approx([0.3186, 0.1652, 0.0728, 0.0288, 0.0107], abs=6e-5)


# Numerics against mpmath


def mp_likelihood(params, x, t_x, age):
    """The individual likelihood as Fader and Hardie print it (2005, eqs. (1) to (3)), and its alive term."""
    r, alpha, s, beta, t_x, age = map(mpmath.mpf, (*params, t_x, age))
    total = r + s + x
    high, low = max(alpha, beta), min(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def term(t):
        return mpmath.hyp2f1(total, second, total + 1, (high - low) / (high + t)) / (high + t) ** total

    common = mpmath.gamma(r + x) * alpha**r * beta**s / mpmath.gamma(r)
    stay = common / ((alpha + age) ** (r + x) * (beta + age) ** s)
    return stay + common * s / total * (term(t_x) - term(age)), stay


histories = st.tuples(st.integers(0, 5000), st.floats(0.001, 1), st.floats(1, 10_000))


@settings(max_examples=60, deadline=None)
@given(params_strategy, histories, st.floats(1, 5000))
def test_likelihood_p_alive_and_expectation_against_mpmath(params, one, t):
    x, share, age = one
    t_x = share * age if x else 0.0
    with mpmath.workdps(60):
        likelihood, stay = mp_likelihood(params, x, t_x, age)
        expected, alive = float(mpmath.log(likelihood)), float(stay / likelihood)
        r, alpha, s, beta = map(mpmath.mpf, params)
        # Eq. (9) of the note, for an account that is alive; s is shifted off 1, where it is 0 / 0.
        off = s - 1 + mpmath.mpf("1e-30")
        future = (r + x) * (beta + age) / (alpha + age) / off * (1 - ((beta + age) / (beta + age + t)) ** off)
    value, _ = log_likelihood(np.log(params), *one_account(x, t_x, age))
    assert value[0] == pytest.approx(expected, rel=1e-10, abs=1e-9)
    # An exponent of up to 1e5 carries its rounding of 1e-16.
    assert probability_alive(params, *one_account(x, t_x, age))[0] == pytest.approx(alive, rel=1e-8, abs=1e-300)
    assert expected_alive(params, float(x), age, t) == pytest.approx(float(future), rel=1e-12)


@pytest.mark.parametrize("off", [0.0, 1e-16, 1e-12, -1e-9, 1e-5])
def test_expectation_is_exact_around_s_equal_to_1(off):
    # At s = 1 the integral of the survival function beta / (beta + u) is a logarithm.
    got = expected_alive(np.array([0.6, 10.0, 1 + off, 12.0]), 3.0, 30.0, 52.0)
    assert got == pytest.approx(3.6 / 40 * 42 * np.log(94 / 42), rel=2 * abs(off) + 1e-14)


@settings(max_examples=15, deadline=None)
@given(params_strategy, histories, st.sampled_from([1, 2, 7, 50, 1000]), st.floats(1, 3000))
def test_survival_against_mpmath(params, one, n, t):
    x, _, age = one
    r, alpha, s, beta = map(float, params)
    shape, rate = r + x, alpha + age
    with mpmath.workdps(25):
        # The account leaves at u with density s·b^s/(b + u)^(s+1), and by then has bought n times with chance I.
        centre, width = mpmath.log(n / mpmath.mpf(shape)), mpmath.sqrt(1 / mpmath.mpf(n) + 1 / mpmath.mpf(shape))

        def density(v):
            bell = mpmath.exp(n * v - (n + shape) * mpmath.log1p(mpmath.exp(v))) / mpmath.beta(n, shape)
            return bell * (1 + mpmath.exp(v) * rate / (beta + age)) ** -s

        end = mpmath.log(t / mpmath.mpf(rate))
        steps = [centre + k * width for k in (-80, -30, -12, -6, -3, -1, 0, 1, 3, 6, 12, 30, 80)]
        expected = float(mpmath.quad(density, [v for v in steps if v < end] + [end])) if end > steps[0] else 0.0
    account = one_account(x, age if x else 0.0, age)
    alive = probability_alive(params, *account)[0]
    # Forty-eight nodes; a probability needs no more to find a quantile.
    assert survival(params, *account, t, np.array([float(n)]))[0] == pytest.approx(alive * expected, abs=1e-6)


def test_busy_accounts_that_fell_silent_are_lost_and_not_nan(cdnow):
    predicted = cdnow.predict(history([900, 5000], [300.0, 4000.0], [400.0, 10_000.0]), 365)
    assert (predicted["p_alive"] < 1e-12).all()
    assert (predicted["expected_purchases"] < 1e-9).all()
    assert (predicted["upper"] == 0).all()
