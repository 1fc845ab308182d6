"""P(alive) between draws of parameters that lie close together, against the integral at each of them."""

import numpy as np
import pandas as pd
import pytest

from kamlab.clv.base import CERTAIN
from kamlab.clv.nearby import CLOSE, are_close, at_draws
from kamlab.clv.pareto_nbd import ParetoNBD, log_odds_alive, probability_alive, survival

PUBLISHED = np.log([0.553, 10.578, 0.606, 11.669])
"""Log parameters that Fader and Hardie's note 009 gives for the CDNOW data."""


def _draws(sd: float, n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    # Correlated as estimates are: rate and time go together.
    along = rng.standard_normal((n, 4)) @ np.array([[1, 1, 0, 0], [0, 0.1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0.1]])
    return np.exp(PUBLISHED + sd * along / along.std(axis=0))


def _histories() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    x = np.concatenate([[0, 0, 1, 29, 200, 5], rng.poisson(2, 60)]).astype(float)
    age = np.concatenate([[0, 30, 39, 39, 39, 38], rng.uniform(20, 39, 60)])
    t_x = np.where(x > 0, age * np.concatenate([[0, 0, 1, 0.98, 1, 0.1], rng.random(60)]), 0.0)
    return x[:, None], t_x[:, None], age[:, None]


def test_what_bends_along_each_axis_alone_is_met_exactly() -> None:
    draws = _draws(0.05)

    def said(params: np.ndarray) -> np.ndarray:
        logs = np.log(params)
        return np.stack([2 + 3 * logs[0] - logs[3], np.full(logs.shape[1], 7.0)])

    assert at_draws(said, draws) == pytest.approx(said(draws.T), rel=1e-9)


def test_p_alive_between_close_draws_is_that_of_the_integral() -> None:
    draws, history = _draws(CLOSE * 0.99), _histories()
    model = ParetoNBD()
    model.n_effects_ = 0
    near, exact = model._alive_of_draws(draws.T, *history), probability_alive(draws.T, *history)
    assert np.abs(near - exact).max() < 1e-3
    # The draws tell accounts apart by far more than that.
    assert exact.std(axis=1).max() > 10 * np.abs(near - exact).max()


def test_draws_further_apart_are_taken_one_by_one() -> None:
    far, history = _draws(3 * CLOSE), _histories()
    model = ParetoNBD()
    model.n_effects_ = 0
    assert not are_close(far)
    assert not are_close(_draws(CLOSE / 2, n=12))
    assert (model._alive_of_draws(far.T, *history) == probability_alive(far.T, *history)).all()


def test_an_account_that_has_just_bought_is_alive_for_certain() -> None:
    x, t_x, age = np.array([[3.0]]), np.array([[10.0]]), np.array([[10.0]])
    model = ParetoNBD()
    model.n_effects_ = 0
    assert np.isposinf(log_odds_alive(np.exp(PUBLISHED), x, t_x, age)).all()
    assert (model._alive_of_draws(_draws(CLOSE / 2).T, x, t_x, age) == 1).all()


@pytest.mark.parametrize("correlation", [0.0, 0.99])
def test_parameters_that_are_known_almost_exactly_stand_alone(correlation: float) -> None:
    model = ParetoNBD()
    model.n_effects_, model.posterior_ = 0, None
    model.params_ = dict(zip(model.parameters, np.exp(PUBLISHED), strict=True))
    shape = np.full((4, 4), correlation) + (1 - correlation) * np.eye(4)
    x, t_x, age = (column[:, 0] for column in _histories())

    def bought(sd: float) -> tuple[int, np.ndarray]:
        model.covariance_ = pd.DataFrame(sd**2 * shape)
        nodes = model.parameter_nodes()
        return len(nodes), np.mean([survival(node, x, t_x, age, 12.0, np.ones(len(x))) for node in nodes], axis=0)

    (one, sure), (eight, unsure) = bought(CERTAIN), bought(CERTAIN * 1.001)
    assert (one, eight) == (1, 8)
    assert 0 < np.abs(sure - unsure).max() < 0.001
