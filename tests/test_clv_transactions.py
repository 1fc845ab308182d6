"""What holds for every model of purchase days."""

import pickle

import numpy as np
import pandas as pd
import pytest
from clv_models import REGULARITY, TRUTH, company
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary
from scipy.optimize import approx_fprime
from sklearn.base import clone

from kamlab import clv
from kamlab.clv import transactions
from kamlab.clv.checks import read_purchases
from kamlab.clv.histories import distinct, smallest_count
from kamlab.clv.transactions import TransactionModel
from kamlab.errors import ModelError

NAMES = [name for name, model in clv.MODELS.items() if issubclass(model, TransactionModel)]


def at_truth(name, params=None, sd=0.0):
    """The model with known parameters and their uncertainty."""
    model = clv.MODELS[name]()
    params = TRUTH[name] if params is None else params
    model.params_ = dict(zip(model.parameters, map(float, params), strict=True))
    model.covariance_ = pd.DataFrame(np.eye(len(params)) * max(sd, 1e-9) ** 2)
    model.k_ = REGULARITY.get(name, 1)
    return model


def history(x, t_x, age):
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": age})


def fit(name, summary):
    return clv.MODELS[name](engine="kamlab").fit(summary)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    return fit(request.param, cdnow_summary())


def test_equal_rows_merged_give_the_fit_of_all_rows(fitted, monkeypatch):
    def unmerged(data):
        return transactions.Histories(data.x, data.t_x, data.T, data.weight, data.z)

    monkeypatch.setattr(transactions, "distinct_rows", unmerged)
    whole = clone(fitted).fit(cdnow_summary())
    assert whole.log_likelihood_ == pytest.approx(fitted.log_likelihood_, abs=1e-6)
    # Both stop where the slope is under 1e-9; along flat directions that leaves some 1e-5.
    assert list(whole.params_.values()) == pytest.approx(list(fitted.params_.values()), rel=1e-4)
    some = cdnow_summary().head(60)
    pd.testing.assert_frame_equal(fitted.predict(some, 90), whole.predict(some, 90), rtol=1e-4)


def test_a_weight_stands_for_repeated_rows(fitted):
    some = cdnow_summary().head(400)
    weight = 1 + np.arange(400) % 3
    repeated = some.loc[some.index.repeat(weight)].assign(account=lambda t: np.arange(len(t)))
    assert fitted.converged_
    one, other = clone(fitted).fit(some.assign(weight=weight)), clone(fitted).fit(repeated)
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, abs=1e-6)
    assert list(one.params_.values()) == pytest.approx(list(other.params_.values()), rel=1e-4)
    assert one.covariance_.to_numpy() == pytest.approx(other.covariance_.to_numpy(), rel=1e-3)


def test_an_impossible_weight_is_named():
    table = cdnow_summary().head(100).assign(weight=1.0)
    table.loc[7, "weight"] = -2.0
    with pytest.raises(ModelError, match=f"weight that is no number above 0 .first: {table['account'][7]}"):
        clv.BGNBD().fit(table)


def test_distinct_histories_lead_back_to_every_row():
    data = read_purchases(cdnow_summary())
    rows, place = distinct(data)
    assert len(rows.x) == 1016  # distinct triples, as pandas' drop_duplicates finds
    assert rows.weight.sum() == 2357
    for column, whole in zip(rows[:3], data[1:4], strict=True):
        assert (column[place] == whole).all()


@pytest.mark.parametrize("guess", [0, 3, 4, 5, 17, 1000])
def test_the_smallest_count_is_found_from_any_guess(guess):
    wanted = np.array([0.0, 1.0, 4.0, 5.0, 999.0, 123456.0])
    found = smallest_count(lambda n, rows: n - 1 >= wanted[rows], np.full(6, float(guess)))
    assert found.tolist() == wanted.tolist()


def test_follows_scikit_learn(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    some = cdnow_summary().head(40)
    pd.testing.assert_frame_equal(again.predict(some, 90), fitted.predict(some, 90))
    assert clone(fitted).get_params() == fitted.get_params()
    assert set(fitted.get_params()) >= {"unit", "engine", "penalizer"}
    unfitted = clone(fitted)
    with pytest.raises(ValueError, match="not fitted"):
        unfitted.predict(some)


# The laws, against accounts that are played out


@pytest.mark.parametrize("name", NAMES)
def test_expectation_distribution_and_p_alive_are_those_of_accounts_played_out(name):
    table = company(name, 20_000 if name in REGULARITY else 40_000, np.random.default_rng(5))
    model, days, came = at_truth(name), 52 * 7, table["came"]
    silence = pd.cut(1 - table["recency"] / table["T"], [-1, 0.1, 0.3, 0.6, 1])
    groups = [table["frequency"].clip(upper=8), silence]

    def largest(off, variance):
        by = pd.DataFrame({"off": off, "variance": variance}).groupby(groups, observed=True).sum()
        # Sums of rarer events are not normal.
        by = by[by["variance"] >= 30]
        assert len(by) >= 8
        return (by["off"] / np.sqrt(by["variance"])).abs().max()

    # The largest of some 35 normal errors passes 4.2 once in a thousand times.
    params, rows = model._params(), [table[c].to_numpy() for c in ("frequency", "recency", "T")]
    alive = pd.Series(model._alive(params, *rows))
    if name != "nbd":
        assert largest(table["alive"] - alive, alive * (1 - alive)) < 4.2
    off = came - model.expected_purchases(table, days)
    assert largest(off, off.groupby(groups, observed=True).transform("var")) < 4.2
    rows = (table[c].to_numpy() for c in ("frequency", "recency", "T"))
    for n, more in zip(
        (0, 1, 4), model._survival(model._params(), *rows, 52.0, np.array([[1.0], [2], [5]])), strict=True
    ):
        p = 1 - pd.Series(more)
        assert largest((came <= n) - p, p * (1 - p)) < 4.2


@pytest.mark.parametrize("name", NAMES)
def test_draws_follow_the_distribution(name):
    table = company(name, 400, np.random.default_rng(6)).sort_values("frequency").iloc[::50]
    model, n = at_truth(name, sd=0.05), 20_000
    nodes = model.parameter_nodes()
    params = np.repeat(nodes, n // len(nodes), axis=0)
    drawn = model.sample_purchases(table, 365, params, rng=np.random.default_rng(5))
    for count in (0, 1, 4, 10):
        # Four standard errors of a share of 20,000 draws.
        assert (drawn <= count).mean(axis=1) == pytest.approx(
            model.probability_at_most(table, count, 365), abs=4 * 0.5 / n**0.5
        )


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_recovered(name):
    model = fit(name, company(name, 4000, np.random.default_rng(11)))
    off = np.log(list(model.params_.values())) - np.log(TRUTH[name])
    # Mahalanobis distance of four parameters: 13.3 is the 99 % quantile of chi-squared(4).
    assert off @ np.linalg.solve(model.covariance_.to_numpy(), off) < 13.3
    assert model.converged_


# Properties


def random_params(name):
    """Parameters over the range that a user can get to; times from 1e-3 to 1e4."""
    model = clv.MODELS[name]
    time, other = st.floats(np.log(1e-3), np.log(1e4)), st.floats(-5, 4)
    return st.tuples(*(time if p in model.times else other for p in model.parameters)).map(np.exp)


histories = st.tuples(st.integers(0, 5000), st.floats(0.001, 1), st.floats(1, 10_000)).map(
    lambda h: (float(h[0]), h[1] * h[2] if h[0] else 0.0, h[2])
)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_impossible_leaves_predict(name):
    @settings(max_examples=40, deadline=None)
    @given(random_params(name), histories, st.floats(1, 3650))
    def check(params, one, days):
        x, t_x, age = one
        row = at_truth(name, params, sd=0.1).predict(history([x], [t_x], [age]), days).iloc[0]
        numbers = row[["p_alive", "expected_purchases", "lower", "upper"]].to_numpy(dtype=float)
        assert np.isfinite(numbers).all()
        assert 0 <= row["p_alive"] <= 1
        # No one is expected to buy more than its posterior mean rate, as if it never left; stages of k add under one.
        started = 1 if name in REGULARITY else 1e-9
        assert 0 <= row["expected_purchases"] <= (params[0] + x + started) / (params[1] + age) * days / 7 + started
        assert 0 <= row["lower"] <= row["upper"]

    check()


@pytest.mark.parametrize("name", NAMES)
def test_the_probabilities_of_at_least_n_sum_to_the_expectation(name):
    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 40), st.floats(0.05, 1), st.floats(2, 100), st.floats(1, 100))
    def check(x, share, age, t):
        model = at_truth(name)
        one = np.array([float(x)]), np.array([share * age if x else 0.0]), np.array([age])
        total = model._survival(model._params(), *one, t, np.arange(1.0, 2001)).sum()
        assert total == pytest.approx(model.expected_purchases(history(*one), t * 7)[0], rel=1e-7, abs=1e-12)

    check()


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_the_slope_of_the_likelihood(name):
    @settings(max_examples=40, deadline=None)
    @given(random_params(name), histories)
    def check(params, one):
        assume(one[0] <= 300)
        model, logs, row = at_truth(name), np.log(params), [np.array([v]) for v in one]
        numeric = approx_fprime(logs, lambda p: model._log_likelihood(p, *row)[0][0], 1e-6)
        value, gradient = model._log_likelihood(logs, *row)
        assert np.isfinite(value).all()
        # One-sided differences err by about step × curvature, which grows with x and with the parameters.
        assert gradient[:, 0] == pytest.approx(numeric, abs=1e-4 * (1 + one[0] + max(params[0], *params[2:], 0)))

    check()
