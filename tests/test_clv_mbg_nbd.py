import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary, grocery_summary

from kamlab import clv
from kamlab.clv.beta_geometric import expected_new, log_likelihood, probability_alive

positive = st.floats(-5, 4).map(np.exp)
params_strategy = st.tuples(positive, st.floats(-7, 9).map(np.exp), positive, positive).map(np.array)


@pytest.fixture(scope="module")
def cdnow():
    return clv.MBGNBD().fit(cdnow_summary())


def test_params_and_likelihood_on_cdnow_are_the_published_ones(cdnow):
    assert cdnow.log_likelihood_ == pytest.approx(-9582.13572, abs=1e-3)
    assert list(cdnow.params_) == ["r", "alpha", "a", "b"]
    assert list(cdnow.params_.values()) == pytest.approx([0.524843, 6.183085, 0.891359, 1.614002], rel=1e-3)
    assert cdnow.converged_
    assert cdnow.notes_ == ()


def test_grocery_log_gives_the_btydplus_numbers():
    table = grocery_summary()
    model = clv.MBGNBD().fit(table)
    # Published without decimals; the parameters with three.
    assert model.log_likelihood_ == pytest.approx(-15782, abs=0.6)
    assert list(model.params_.values()) == pytest.approx([1.257, 6.038, 0.368, 0.716], rel=2e-3)
    assert np.abs(model.expected_purchases(table, 364) - table["came"]).mean() == pytest.approx(1.513, abs=0.0006)


def mp_terms(params, x, t_x, age):
    """The terms of staying and of having left of the individual likelihood, integrated over both laws ([1] of MBG)."""
    r, alpha, a, b = map(mpmath.mpf, params)
    common = mpmath.gamma(r + x) * alpha**r / mpmath.gamma(r) / mpmath.beta(a, b)
    stay = common * mpmath.beta(a, b + x + 1) / (alpha + age) ** (r + x)
    left = common * mpmath.beta(a + 1, b + x) / (alpha + t_x) ** (r + x)
    return stay, left


@settings(max_examples=50, deadline=None)
@given(params_strategy, st.integers(0, 5000), st.floats(0.001, 1), st.floats(1, 10_000), st.floats(1, 5000))
def test_likelihood_p_alive_and_expectation_against_mpmath(params, x, share, age, t):
    assume(abs(params[2] - 1) > 1e-6)
    t_x = share * age if x else 0.0
    one = [np.array([float(v)]) for v in (x, t_x, age)]
    r, alpha, a, b = params
    with mpmath.workdps(60):
        stay, left = mp_terms(params, x, t_x, age)
        expected, alive = float(mpmath.log(stay + left)), float(stay / (stay + left))
        # The BG/NBD's law of a new customer, eq. (9) of Fader, Hardie and Lee 2005, with r + x, alpha + T, b + x + 1.
        z = mpmath.mpf(t) / (mpmath.mpf(alpha) + age + t)
        hyper = mpmath.hyp2f1(mpmath.mpf(r) + x, mpmath.mpf(b) + x + 1, mpmath.mpf(a) + b + x, z)
        future = float((mpmath.mpf(a) + b + x) / (mpmath.mpf(a) - 1) * (1 - (1 - z) ** (mpmath.mpf(r) + x) * hyper))
    value, _ = log_likelihood(np.log(params), *one, first=1)
    # Differences of log gammas of up to 4e4 carry their rounding of 1e-16.
    assert value[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert probability_alive(params, *one, first=1)[0] == pytest.approx(alive, rel=1e-8, abs=1e-300)
    assert expected_new(r + x, alpha + age, a, b + x + 1, t) == pytest.approx(future, rel=1e-8, abs=1e-300)


def test_a_one_time_buyer_may_be_gone(cdnow):
    r, alpha, a, b = cdnow.params_.values()
    table = cdnow_summary()
    once = table["frequency"] == 0
    predicted = cdnow.predict(table[once], 365)
    odds = a / b * ((alpha + table["T"][once]) / alpha) ** r
    assert predicted["p_alive"].to_numpy() == pytest.approx((1 / (1 + odds)).to_numpy(), rel=1e-12)
