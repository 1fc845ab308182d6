"""Likelihoods summed over merged rows, with their second derivatives, and the climbs that use them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary, play
from scipy.special import gammaln

from kamlab import clv
from kamlab.clv import climb, gamma_gamma, merging, sums
from kamlab.clv.checks import read_purchases
from kamlab.clv.histories import Histories, distinct
from kamlab.errors import ModelError

EXACT = ("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd")

histories = st.lists(
    st.tuples(st.integers(0, 300), st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.5, 20)), min_size=1, max_size=6
)


def rows_of(drawn):
    x, share, age, weight = np.array(drawn, dtype=float).T
    return Histories(x, np.where(x > 0, share * age, 0.0), age, weight, np.zeros((len(x), 0)))


def differences(objective, at):
    step = 1e-5
    units = step * np.eye(len(at))
    return np.array([(objective(at + unit)[1] - objective(at - unit)[1]) / (2 * step) for unit in units])


@pytest.mark.parametrize("name", EXACT)
def test_the_sum_is_that_of_the_histories_and_its_derivatives_are_its_own(name):
    model = clv.MODELS[name](engine="kamlab")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.floats(-4, 4), min_size=4, max_size=4), histories)
    def check(logs, drawn):
        at, rows = np.array(logs[: len(model.parameters)]), rows_of(drawn)
        objective = model._objective(rows)
        value, gradient, second = objective(at)
        single, slopes = model._log_likelihood(at, *rows[:3])
        share = rows.weight / rows.weight.sum()
        # Where a history is next to impossible the two ways to its logarithm differ in the last of 16 digits.
        size = 1 + np.abs(single).max() + np.abs(slopes).max()
        assert value == pytest.approx(-share @ single, abs=1e-11 * size)
        assert gradient == pytest.approx(-slopes @ share, abs=1e-11 * size)
        assert second == pytest.approx(second.T, abs=1e-11 * size**2)
        # Central differences err by step² × the fourth derivative, and by rounding / step.
        assert second == pytest.approx(differences(objective, at), abs=1e-6 * size)

    check()


def test_order_values_sum_to_those_of_the_accounts_and_derivatives_are_their_own():
    @settings(max_examples=40, deadline=None)
    @given(
        st.tuples(st.floats(-3, 5), st.floats(0, 4), st.floats(-5, 5)),
        st.lists(st.tuples(st.integers(1, 50), st.floats(0.01, 50), st.floats(0.5, 9)), min_size=1, max_size=6),
    )
    def check(logs, drawn):
        at, (x, mean_value, weight) = np.array(logs), np.array(drawn, dtype=float).T
        likelihood = gamma_gamma.SummedLikelihood(x, mean_value, weight)
        value, gradient, second = likelihood(at)
        single, slopes = gamma_gamma.log_likelihood(at, x, mean_value)
        share = weight / weight.sum()
        size = 1 + np.abs(single).max() + np.abs(slopes).max() + np.exp(at[0]) * x.max()
        assert value == pytest.approx(share @ single, abs=1e-11 * size)
        assert gradient == pytest.approx(slopes @ share, abs=1e-11 * size)
        assert second == pytest.approx(differences(likelihood, at), abs=1e-6 * size)

    check()


def test_long_counts_are_summed_by_gamma_functions(monkeypatch):
    counts, share = np.array([0.0, 3.0, 3.0, 250.0]), np.array([0.4, 0.1, 0.2, 0.3])
    short = sums.CountTerms([counts, counts + 1], [1.0, -1.0], share)(0.7, 2.5)
    monkeypatch.setattr(sums, "_MOST_STEPS", 100)
    value, first, second = sums.CountTerms([counts, counts + 1], [1.0, -1.0], share)(0.7, 2.5)
    expected = share @ (gammaln(0.7 + counts) - gammaln(0.7) - gammaln(3.5 + counts) + gammaln(2.5))
    assert value == pytest.approx(expected, rel=1e-12)
    assert (value, *first, *second) == pytest.approx((short[0], *short[1], *short[2]), rel=1e-12)


def test_odds_beyond_all_digits_leave_their_logarithm():
    p_left, p_stay, either = sums.logistic(np.array([-np.inf, -800.0, 0.0, 3000.0]))
    assert p_left.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert p_stay[:3].tolist() == [1.0, 1.0, 0.5]
    assert either == pytest.approx([0.0, 0.0, np.log(2), 3000.0], rel=1e-15)


# Weights and merging


@pytest.mark.parametrize("name", [*EXACT, "gamma_gamma"])
def test_weights_fit_as_repeated_rows_do_to_the_last_digits(name):
    some = cdnow_summary().head(600)
    weight = 1 + np.arange(600) % 3
    repeated = some.loc[some.index.repeat(weight)].assign(account=lambda t: [f"{i:04d}" for i in range(len(t))])
    one, other = (clv.MODELS[name](engine="kamlab").fit(table) for table in (some.assign(weight=weight), repeated))
    assert list(one.params_.values()) == pytest.approx(list(other.params_.values()), rel=1e-8)
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-12)
    assert one.covariance_.to_numpy() == pytest.approx(other.covariance_.to_numpy(), rel=1e-8)


def test_order_values_by_first_orders_take_weights_too():
    some = cdnow_summary().head(600)
    weight = 1 + np.arange(600) % 3
    repeated = some.loc[some.index.repeat(weight)].assign(account=lambda t: [f"{i:04d}" for i in range(len(t))])
    one, other = (clv.GammaGamma(p_from="orders").fit(table) for table in (some.assign(weight=weight), repeated))
    assert list(one.params_.values()) == pytest.approx(list(other.params_.values()), rel=1e-8)
    assert one.mean_value_ == pytest.approx(other.mean_value_, rel=1e-12)


def test_an_impossible_weight_of_order_values_is_named():
    table = cdnow_summary().head(100).assign(weight=1.0)
    table.loc[7, "weight"] = np.nan
    with pytest.raises(ModelError, match=f"weight that is no number above 0 .first: {table['account'][7]}"):
        clv.GammaGamma().fit(table)


@pytest.mark.parametrize("order", ["sorted", "mixed"])
def test_repeated_accounts_are_found_in_whatever_order(order):
    table = cdnow_summary().head(100)
    table = pd.concat([table, table.iloc[[40]]])
    table = table.sort_values("account") if order == "sorted" else table.sample(frac=1, random_state=1)
    twice = cdnow_summary()["account"][40]
    with pytest.raises(ModelError, match=f"1 of 101 accounts stand in the table more than once .first: {twice}"):
        clv.NBD().fit(table)


@pytest.mark.parametrize("collide", [False, True])
def test_merged_rows_lead_back_to_all(collide, monkeypatch):
    if collide:
        monkeypatch.setattr(merging, "_code", lambda columns: np.zeros(len(columns[0]), dtype=np.uint64))
    rng = np.random.default_rng(3)
    columns = [rng.integers(0, 4, 300) / 7, np.where(rng.random(300) < 0.5, 0.0, -0.0)]
    weight = rng.random(300)
    merged, total, place = merging.merge(columns, weight)
    assert len(total) == len(set(zip(*(np.abs(column).tolist() for column in columns), strict=True))) == 4
    for one, column in zip(merged, columns, strict=True):
        assert (one[place] == column).all()
    assert total == pytest.approx([weight[place == i].sum() for i in range(4)])


def by_days(n: int = 20_000) -> tuple[list[np.ndarray], np.ndarray]:
    """Columns of counts, days and days in weeks, and weights."""
    rng = np.random.default_rng(8)
    days = np.sort(rng.integers(0, 40, (2, n)), axis=0)
    days[:, :2000] = 0
    return [rng.integers(0, 3, n).astype(float), days[0].astype(float), (days[1] + 100) / 7], rng.random(n) + 0.1


def test_rows_of_whole_days_are_merged_by_counting_as_pandas_groups_them():
    columns, weight = by_days()
    merged, total, place = merging.merge_days(columns, weight)
    grouped = pd.Series(weight).groupby([pd.Series(column) for column in columns]).sum()
    assert list(zip(*merged, strict=True)) == grouped.index.tolist()
    assert total == pytest.approx(grouped.to_numpy(), rel=1e-12)
    for one, column in zip(merged, columns, strict=True):
        assert (one[place] == column).all()


@pytest.mark.parametrize("case", ["a part of a day", "missing", "endless", "far away", "few rows"])
def test_other_rows_are_merged_by_hash(case):
    columns, weight = by_days(9_000 if case == "few rows" else 20_000)
    at = {"a part of a day": 1.1, "missing": np.nan, "endless": np.inf, "far away": 1e15, "few rows": 1.0}[case]
    columns[2][777] = at
    assert merging.merge_days(columns, weight) is None
    merged, total, place = merging.merge(columns, weight)
    assert len(total) == len(set(zip(*columns, strict=True)))
    for one, column in zip(merged, columns, strict=True):
        np.testing.assert_array_equal(one[place], column)


@pytest.mark.parametrize("name", EXACT)
def test_counted_rows_are_fitted_and_forecast_as_hashed_ones_are(name, monkeypatch):
    some = cdnow_summary().head(1000)
    table = some.loc[some.index.repeat(12)].assign(account=lambda t: [f"{i:05d}" for i in range(len(t))])
    counted = clv.MODELS[name](engine="kamlab").fit(table)
    forecast = counted.predict(table, 90)
    monkeypatch.setattr(merging, "_MANY", len(table) + 1)
    hashed = clv.MODELS[name](engine="kamlab").fit(table)
    assert counted.log_likelihood_ == pytest.approx(hashed.log_likelihood_, rel=1e-12)
    assert list(counted.params_.values()) == pytest.approx(list(hashed.params_.values()), rel=1e-8)
    pd.testing.assert_frame_equal(forecast, hashed.predict(table, 90), rtol=1e-6)


def test_an_impossible_history_among_many_equal_ones_is_named():
    some = cdnow_summary().head(1000)
    table = some.loc[some.index.repeat(12)].assign(account=lambda t: [f"{i:05d}" for i in range(len(t))])
    table.iloc[7777, table.columns.get_loc("recency")] = 50.0
    with pytest.raises(ModelError, match=r"1 of 12000 accounts have recency > T \(first: 07777\)"):
        clv.BGNBD().fit(table)


# Forecasts


@pytest.mark.parametrize("name", ["nbd", "bg_nbd", "mbg_nbd", "bg_cnbd", "pareto_nbd"])
def test_point_forecasts_are_those_of_predict(name):
    table = cdnow_summary()
    model = clv.MODELS[name](engine="kamlab").fit(table)
    points, whole = model.point_forecasts(table, 90), model.predict(table, 90)
    pd.testing.assert_frame_equal(points, whole[["account", "p_alive", "expected_purchases"]], rtol=1e-12)


# Climbs


def bowl(centre, curvature):
    curvature = np.asarray(curvature, dtype=float)

    def objective(at):
        off = at - centre
        return 0.5 * off @ curvature @ off, curvature @ off, curvature

    return objective


def test_a_climb_follows_a_bound_to_the_top_on_it():
    objective = bowl(np.array([2.0, 1.0]), [[1.0, -0.9], [-0.9, 1.0]])
    found = climb.climb(objective, np.zeros(2), [(-1, 1), (-5, 5)], 1e-9, exact=True)
    # Where the first is held at 1, the second's slope −0.9 · (1 − 2) + (y − 1) vanishes at 0.1.
    assert found.at == pytest.approx([1.0, 0.1], abs=1e-12)
    assert found.slope < 1e-9


def test_a_climb_leaves_a_saddle():
    def objective(at):
        x, y = at
        value = x**4 / 4 - x**2 / 2 + y**2 / 2
        return value, np.array([x**3 - x, y]), np.array([[3 * x**2 - 1, 0.0], [0.0, 1.0]])

    found = climb.climb(objective, np.array([0.1, 1.0]), [(-5, 5)] * 2, 1e-9, exact=True)
    assert found.at == pytest.approx([1.0, 0.0], abs=1e-8)


def test_where_the_top_is_doubtful_other_starts_are_climbed_from():
    def objective(at):
        # A slope that falls until the bound, and a dent at −3 that is deeper.
        off = at[0] + 3
        dent = np.exp(-(off**2))
        value, slope, bend = -0.1 * at[0] - 2 * dent, -0.1 + 4 * off * dent, 4 * dent * (1 - 2 * off**2)
        return value, np.array([slope]), np.array([[bend]])

    nearest, other = np.array([2.0]), np.array([-1.6])
    assert objective(nearest)[0] < objective(other)[0]
    found = climb.newton_top(objective, [nearest, other], [(-5, 5)], 100.0, None)
    # Four times the distance from −3 is 0.1, but for terms of its square.
    assert found.at[0] == pytest.approx(-2.975, abs=1e-3)


def test_a_start_from_moments_stands_near_the_truth():
    rng = np.random.default_rng(8)
    table = play(rng.gamma(0.8, 1 / 8, 4000), rng.uniform(20, 100, 4000), 1, rng)
    rows, _ = distinct(read_purchases(table))
    log_r, log_alpha, *_ = clv.NBD()._start_by_moments(rows)
    # Simulated with 0.8 and 8, where nobody leaves; the start takes alpha half as large.
    assert (np.exp(log_r), 2 * np.exp(log_alpha)) == pytest.approx((0.8, 8), rel=0.25)
