import subprocess
import sys
from collections import namedtuple

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_data import cdnow_days, cdnow_summary, grocery_summary, simulate_bg_nbd
from scipy.stats import kstest

from kamlab import clv
from kamlab.clv import base, lifetimes_engine
from kamlab.clv.beta_geometric import expected_new, log_likelihood, probability_alive, survival
from kamlab.clv.bg_nbd import NOTE_ONE_TIME

History = namedtuple("History", "x t_x T")

CDNOW_PARAMS = np.array([0.242595, 4.413602, 0.792922, 2.425906])  # Fader, Hardie and Lee 2005, refitted
TRUTH = (0.8, 8.0, 0.7, 2.5)

positive = st.floats(-5, 4).map(np.exp)
params_strategy = st.tuples(positive, st.floats(-7, 9).map(np.exp), positive, positive).map(np.array)


@pytest.fixture(scope="module")
def cdnow():
    return clv.BGNBD().fit(cdnow_summary())


def history(x, t_x, age):
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": age})


def purchases(x, t_x, age):
    return History(*(np.atleast_1d(np.asarray(v, dtype=float)) for v in (x, t_x, age)))


# The papers' numbers


def test_params_and_likelihood_on_cdnow_are_those_of_fader_hardie_lee_2005(cdnow):
    assert cdnow.log_likelihood_ == pytest.approx(-9582.42921, abs=1e-3)
    assert list(cdnow.params_) == ["r", "alpha", "a", "b"]
    assert list(cdnow.params_.values()) == pytest.approx(CDNOW_PARAMS, rel=1e-3)
    assert cdnow.converged_
    assert cdnow.n_accounts_ == 2357
    assert cdnow.notes_ == (NOTE_ONE_TIME,)


def test_both_engines_end_at_the_same_optimum(cdnow):
    own = clv.BGNBD(engine="kamlab").fit(cdnow_summary())
    assert own.log_likelihood_ == pytest.approx(-9582.42921, abs=1e-3)
    assert list(own.params_.values()) == pytest.approx(list(cdnow.params_.values()), rel=1e-4)
    assert own.notes_ == (NOTE_ONE_TIME,)


def test_standard_errors_on_cdnow_are_the_delta_methods(cdnow):
    expected = [0.012557, 0.378224, 0.185732, 0.705405]
    assert list(cdnow.standard_errors_.values()) == pytest.approx(expected, rel=1e-3)
    covariance = cdnow.covariance_.to_numpy()
    assert (covariance == covariance.T).all()
    assert (np.linalg.eigvalsh(covariance) > 0).all()


def test_predictions_are_those_of_the_btyd_walkthrough(cdnow):
    # The vignette's own optimum is 1e-6 short of ours in the parameters, which the tails magnify to 1e-4.
    assert cdnow.expected_purchases_new(52 * 7) == pytest.approx(1.444004, rel=1e-4)
    busy = cdnow.predict(history([26], [30 + 6 / 7], [31.0]), 52 * 7).iloc[0]
    assert busy["expected_purchases"] == pytest.approx(25.75659, rel=1e-4)
    assert busy["p_alive"] == pytest.approx(0.9688523, rel=1e-4)
    lapsing = cdnow.expected_purchases(history([10, 15, 20, 25], [20.0] * 4, [39.0] * 4), 52 * 7)
    assert lapsing == pytest.approx([0.3474606, 0.04283391, 0.004158973, 0.0003583685], rel=1e-4)


def test_mean_holdout_purchases_by_frequency_are_those_of_the_btyd_walkthrough(cdnow):
    summary = cdnow_summary()
    expected = cdnow.expected_purchases(summary, 39 * 7)
    by_x = pd.Series(expected).groupby(summary["frequency"].clip(upper=7)).mean()
    published = [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]
    # Printed with three digits.
    assert by_x.to_numpy() == pytest.approx(published, abs=0.0015)


def test_cumulative_repeats_on_cdnow_are_those_of_the_btyd_walkthrough(cdnow):
    born = cdnow_summary()["T"].max() - cdnow_summary()["T"]
    totals = [cdnow.expected_purchases_new(np.maximum(week - born, 0) * 7).sum() for week in (20, 25)]
    assert totals == pytest.approx([1312.458, 1669.6], rel=1e-5)


@pytest.mark.parametrize(("week", "actual"), [(20, 1359), (25, 1672)])
def test_expected_repeats_follow_the_actual_ones(cdnow, week, actual):
    days = cdnow_days()
    repeats = days["date"] > days.groupby("account")["date"].transform("min")
    early = days["date"] < pd.Timestamp("1997-01-01") + pd.Timedelta(weeks=week)
    assert (repeats & early).sum() == actual
    born = cdnow_summary()["T"].max() - cdnow_summary()["T"]
    # The paper's figure 4 shows the model within some 5 % of the actual number.
    assert cdnow.expected_purchases_new(np.maximum(week - born, 0) * 7).sum() == pytest.approx(actual, rel=0.05)


def test_grocery_log_gives_the_btydplus_numbers():
    model = clv.BGNBD().fit(grocery_summary())
    # Published without decimals; the parameters with three.
    assert model.log_likelihood_ == pytest.approx(-15837, abs=1)
    assert list(model.params_.values()) == pytest.approx([0.349, 2.581, 0.504, 3.644], rel=2e-3)


# Numerics against mpmath


def mp_likelihood(params, x, t_x, age):
    """Equation (6) of the paper as printed."""
    r, alpha, a, b = map(mpmath.mpf, params)
    stay = mpmath.beta(a, b + x) / mpmath.beta(a, b) / (alpha + age) ** (r + x)
    left = 0 if x == 0 else mpmath.beta(a + 1, b + x - 1) / mpmath.beta(a, b) / (alpha + t_x) ** (r + x)
    return mpmath.gamma(r + x) * alpha**r / mpmath.gamma(r) * (stay + left)


def mp_conditional_expectation(params, x, t_x, age, t):
    """Equation (10) of the paper as printed."""
    r, alpha, a, b = map(mpmath.mpf, params)
    t_x, age, t = map(mpmath.mpf, (t_x, age, t))
    hyper = mpmath.hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * hyper)
    left = 0 if x == 0 else a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x)
    return top / (1 + left)


@settings(max_examples=60, deadline=None)
@given(params_strategy, st.integers(0, 5000), st.floats(0, 1), st.floats(1, 10_000), st.floats(1, 5000))
def test_conditional_expectation_and_p_alive_against_mpmath(params, x, share, age, t):
    assume(abs(params[2] - 1) > 1e-6)
    t_x = share * age if x else 0.0
    with mpmath.workdps(60):
        expected = float(mp_conditional_expectation(params, x, t_x, age, t))
        r, alpha, a, b = map(mpmath.mpf, params)
        odds = a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x) if x else 0
        alive = float(1 / (1 + odds))
    one = purchases(x, t_x, age)
    # x · ln(…) of up to 1e5 carries its rounding of 1e-16 into the exponent.
    assert probability_alive(params, one.x, one.t_x, one.T)[0] == pytest.approx(alive, rel=1e-8, abs=1e-300)
    r, alpha, a, b = params
    got = probability_alive(params, one.x, one.t_x, one.T) * expected_new(r + one.x, alpha + one.T, a, b + one.x, t)
    assert got[0] == pytest.approx(expected, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("a", [1 - 1e-5, 1 - 1e-9, 1.0, 1 + 1e-12, 1 + 1e-7, 1 + 2e-5])
@pytest.mark.parametrize(("x", "t_x", "age", "t"), [(0, 0, 30, 52), (12, 20, 39, 52), (1000, 5000, 5100, 5200)])
def test_expectation_is_exact_around_a_equal_to_1(a, x, t_x, age, t):
    # A distance of 1e-15 from 1 makes the printed formula usable at 60 digits and changes the value by 1e-15.
    with mpmath.workdps(60):
        params = [0.6, 4.4, mpmath.mpf(a) + mpmath.mpf("1e-15"), 2.4]
        expected = float(mp_conditional_expectation(params, x, t_x, age, t))
    one = purchases(x, t_x, age)
    params = np.array([0.6, 4.4, a, 2.4])
    got = probability_alive(params, one.x, one.t_x, one.T) * expected_new(0.6 + x, 4.4 + age, a, 2.4 + one.x, t)
    assert got[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        (0.2, 3.0, 0.3, 0.7),  # a + b = 1: a pole of the hypergeometric function
        (0.2, 3.0, 0.02, 0.3),
        (0.002, 1e-4, 0.09, 218.0),
        (81.6, 0.036, 760.9, 0.0069),
        (2980.0, 1e4, 2980.0, 2980.0),
        (0.00034, 1e-5, 0.00034, 2980.0),
    ],
)
def test_new_customers_expectation_at_the_border_of_parameters(params):
    r, alpha, a, b = params
    with mpmath.workdps(40):
        # The definition: a customer with chance p of leaving buys (1 − (1 + p·t/alpha)^−r) / p on average.
        z = mpmath.mpf(500) / (alpha + 500)
        c = mpmath.mpf(a) + b - 1 + mpmath.mpf("1e-20")
        expected = (c - (1 - z) ** (a - 1) * c * mpmath.hyp2f1(c - r, a - 1, c, z)) / (mpmath.mpf(a) - 1)
    assert expected_new(r, alpha, a, b, 500.0) == pytest.approx(float(expected), rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(params_strategy, st.integers(0, 300), st.floats(0.01, 1), st.floats(1, 1000))
def test_likelihood_against_mpmath_and_its_gradient(params, x, share, age):
    one = purchases(x, share * age if x else 0.0, age)
    logs = np.log(params)
    value, gradient = log_likelihood(logs, one.x, one.t_x, one.T)
    with mpmath.workdps(40):
        expected = float(mpmath.log(mp_likelihood(params, x, one.t_x[0], age)))
    assert value[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    step = 1e-5 * np.eye(4)
    there, back = ([log_likelihood(logs + s, one.x, one.t_x, one.T)[0][0] for s in steps] for steps in (step, -step))
    numeric = (np.array(there) - np.array(back)) / 2e-5
    # The differences lose digits to the size of the likelihood, which grows with x.
    assert gradient[:, 0] == pytest.approx(numeric, rel=1e-6, abs=1e-5 * (1 + x))


def test_survival_sums_the_probabilities_of_the_papers_equation_8():
    r, alpha, a, b = CDNOW_PARAMS
    t = 30.0

    def pmf(n):
        with mpmath.workdps(30):
            z, stay = mpmath.mpf(t) / (alpha + t), (mpmath.mpf(alpha) / (alpha + t)) ** r
            total = mpmath.beta(a, b + n) / mpmath.beta(a, b) * mpmath.rf(r, n) / mpmath.factorial(n) * stay * z**n
            if n:
                earlier = sum(mpmath.rf(r, j) / mpmath.factorial(j) * z**j for j in range(n))
                total += mpmath.beta(a + 1, b + n - 1) / mpmath.beta(a, b) * (1 - stay * earlier)
            return float(total)

    new = purchases(0, 0, 0)
    for n in (1, 2, 5, 12):
        at_least = 1 - sum(pmf(k) for k in range(n))
        assert survival(CDNOW_PARAMS, *new, t, np.array([n]))[0] == pytest.approx(at_least, rel=1e-9)


# Simulated truth


@pytest.fixture(scope="module")
def company():
    rng = np.random.default_rng(11)
    return simulate_bg_nbd(4000, TRUTH, rng.uniform(20, 100, 4000), 52, rng)


@pytest.fixture(scope="module")
def fitted(company):
    return clv.BGNBD().fit(company)


def test_intervals_cover_and_the_randomised_pit_is_uniform(company, fitted):
    predicted = fitted.predict(company, 52 * 7)
    came = company["came"].to_numpy()
    inside = (came >= predicted["lower"]) & (came <= predicted["upper"])
    # Whole numbers cannot cover 90 % exactly; central intervals of counts cover more.
    assert 0.88 <= inside.mean() <= 0.98
    upper, below = (fitted.probability_at_most(company, came - k, 52 * 7) for k in (0, 1))
    pit = below + np.random.default_rng(3).random(len(came)) * (upper - below)
    assert kstest(pit, "uniform").pvalue > 0.01


def test_bounds_are_the_quantiles_of_the_distribution(company, fitted):
    some = company.head(300)
    predicted = fitted.predict(some, 300, level=0.8)
    for column, probability in (("lower", 0.1), ("upper", 0.9)):
        bound = predicted[column].to_numpy()
        assert (fitted.probability_at_most(some, bound, 300) >= probability - 1e-12).all()
        assert (fitted.probability_at_most(some, bound - 1, 300) < probability).all()


def test_intervals_of_totals_cover(monkeypatch):
    # lifetimes' part is to find a start; without it each fit takes a quarter of the time and ends at the same point.
    monkeypatch.setattr(lifetimes_engine, "fit_bg_nbd", lambda *data, penalizer: None)
    rng = np.random.default_rng(21)
    inside = []
    for _ in range(30):
        company = simulate_bg_nbd(200, TRUTH, rng.uniform(20, 100, 200), 52, rng)
        model = clv.BGNBD().fit(company)
        params = model.parameter_draws(400, rng)
        totals = model.sample_purchases(company, 52 * 7, params, rng=rng).sum(axis=0)
        lower, upper = np.quantile(totals, [0.05, 0.95])
        inside.append(lower <= company["came"].sum() <= upper)
    # 30 companies: three binomial standard errors below 90 %.
    assert np.mean(inside) >= 0.90 - 0.165


def test_parameter_nodes_have_the_mean_and_covariance_of_the_normal_approximation(fitted):
    logs = np.log(fitted.parameter_nodes())
    assert logs.shape == (8, 4)
    assert logs.mean(axis=0) == pytest.approx(np.log(list(fitted.params_.values())))
    assert np.cov(logs.T, bias=True) == pytest.approx(fitted.covariance_.to_numpy())


# Properties


def test_days_and_weeks_give_the_same_forecast(cdnow):
    weeks = cdnow_summary()
    in_days = weeks.assign(recency=weeks["recency"] * 7, T=weeks["T"] * 7)
    model = clv.BGNBD(unit="day").fit(in_days)
    assert model.params_["alpha"] == pytest.approx(7 * cdnow.params_["alpha"], rel=1e-4)
    assert model.expected_purchases(in_days, 100) == pytest.approx(cdnow.expected_purchases(weeks, 100), rel=1e-4)


def test_a_longer_horizon_expects_more(cdnow):
    summary = cdnow_summary().head(200)
    month, year = (cdnow.predict(summary, days) for days in (30, 365))
    assert (month["expected_purchases"] < year["expected_purchases"]).all()
    assert (month["upper"] <= year["upper"]).all()


def test_accounts_may_stand_in_the_index_or_in_an_arrow_table(cdnow):
    import pyarrow as pa

    summary = cdnow_summary().head(20)
    expected = cdnow.predict(summary, 90)
    pd.testing.assert_frame_equal(cdnow.predict(summary.set_index("account"), 90), expected)
    pd.testing.assert_frame_equal(cdnow.predict(pa.Table.from_pandas(summary), 90), expected)


def test_parameter_table(cdnow):
    table = clv.parameter_table([cdnow])
    assert table["parameter"].tolist() == ["r", "alpha", "a", "b"]
    assert (table["model"] == "bg_nbd").all()
    assert table["value"].to_numpy() == pytest.approx(CDNOW_PARAMS, rel=1e-3)
    assert table["note"].str.contains("one-time").all()


# Borders of the parameter range


def test_buyers_who_never_leave_are_found_at_the_border_and_said_so():
    rng = np.random.default_rng(4)
    rate = rng.gamma(3.0, 1 / 12, 200)
    times = [np.cumsum(rng.exponential(1 / s, 400)) for s in rate]
    age = rng.uniform(60, 120, 200)
    counts = np.array([(t <= end).sum() for t, end in zip(times, age, strict=True)])
    last = [t[n - 1] if n else 0.0 for t, n in zip(times, counts, strict=True)]
    table = history(counts, last, age)
    model = clv.BGNBD().fit(table)
    assert model.converged_
    assert base.NOTE_BOUNDARY in model.notes_
    # With no one leaving, the NBD's conditional expectation is (r + x) / (alpha + T) · t. The fit keeps a slight chance
    # that an account leaves after its first repeat.
    often = counts > 1
    r, alpha = model.params_["r"], model.params_["alpha"]
    nbd = 52 * (r + counts) / (alpha + age)
    assert model.expected_purchases(table, 364)[often] == pytest.approx(nbd[often], rel=1e-2)
    assert np.isfinite(model.predict(table, 364)[["lower", "upper"]]).all(axis=None)


def test_equal_accounts_give_a_finite_forecast():
    table = history([4] * 40, [40.0] * 40, [50.0] * 40)
    model = clv.BGNBD().fit(table)
    assert base.NOTE_BOUNDARY in model.notes_
    predicted = model.predict(table, 350)
    assert predicted["expected_purchases"].between(2, 6).all()


def test_where_lifetimes_fails_the_same_optimum_is_found_and_said(monkeypatch, cdnow):
    monkeypatch.setattr(lifetimes_engine, "fit_bg_nbd", lambda *data, penalizer: None)
    model = clv.BGNBD().fit(cdnow_summary())
    assert model.log_likelihood_ == pytest.approx(-9582.42921, abs=1e-3)
    assert model.notes_ == (base.NOTE_OWN_OPTIMISER, NOTE_ONE_TIME)


def test_a_penalty_is_lifetimes_penalty():
    summary = cdnow_summary()
    scale = 1 / summary["T"].max()
    data = [summary[c].to_numpy(dtype=float) for c in ("frequency", "recency", "T")]
    expected = lifetimes_engine.fit_bg_nbd(data[0], data[1] * scale, data[2] * scale, penalizer=0.1)
    model = clv.BGNBD(penalizer=0.1).fit(summary)
    assert list(model.params_.values()) == pytest.approx(expected / [1, scale, 1, 1], rel=1e-3)
    assert model.log_likelihood_ < -9583


def test_nothing_that_lifetimes_does_to_the_process_remains():
    code = (
        "import warnings, pandas as pd, numpy as np\n"
        "def state():\n"
        "    with warnings.catch_warnings():\n"
        "        warnings.simplefilter('ignore')\n"
        "        option = pd.get_option('mode.chained_assignment')\n"
        "    return option, list(warnings.filters), np.geterr()\n"
        "import scipy.optimize, sklearn.base, threadpoolctl, babel, kamlab.i18n\n"
        "before = state()\n"
        "from kamlab import clv\n"
        "x = np.arange(40) % 7\n"
        "clv.BGNBD().fit(pd.DataFrame({'frequency': x, 'recency': x * 3.0, 'T': 20.0 + np.arange(40)}))\n"
        "assert state() == before, (before, state())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
