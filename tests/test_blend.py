"""The blend of the model with the account's recent purchases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamlab.blend import WEIGHTS, Origin, choose_weight, ratio, scale_counts


def test_by_hand():
    # Expected 4; alive with 0.5 and 6 recent purchases: 0.25 · 4 + 0.75 · 0.5 · 6 = 3.25.
    (scale,) = ratio(np.array([4.0]), np.array([0.5]), np.array([6.0]), 0.25)
    assert 4 * scale == pytest.approx(3.25)


@given(
    expected=st.floats(0, 1e4),
    p_alive=st.floats(0, 1),
    recent=st.integers(0, 5000),
    weight=st.sampled_from(WEIGHTS),
)
def test_a_blend_is_finite_and_between_its_parts(expected, p_alive, recent, weight):
    (scale,) = ratio(np.array([expected]), np.array([p_alive]), np.array([float(recent)]), weight)
    assert np.isfinite(scale)
    if expected > 1e-9:
        low, high = sorted([expected, p_alive * recent])
        assert low * (1 - 1e-9) <= expected * scale <= high * (1 + 1e-9)


def origin(expected, recent, actual):
    n = len(expected)
    return Origin(np.array(expected), np.ones(n), np.array(recent), np.ones(n), np.array(actual))


def test_the_weight_follows_what_was_right_before():
    model_right = origin([10.0, 2.0], [0.0, 8.0], [10.0, 2.0])
    middle_right = origin([10.0, 2.0], [0.0, 8.0], [5.0, 5.0])
    recent_right = origin([10.0, 2.0], [0.0, 8.0], [0.0, 8.0])
    assert choose_weight([model_right]) == 1.0
    assert choose_weight([middle_right]) == 0.5
    assert choose_weight([recent_right]) == 0.25  # the model is never left out
    assert choose_weight([]) == 1.0


def test_of_equal_weights_the_model_alone_is_taken():
    same = origin([3.0, 4.0], [3.0, 4.0], [1.0, 9.0])
    assert choose_weight([same]) == 1.0


def test_bounds_are_rounded_outwards():
    lower, upper = scale_counts([2, 0], [5, 3], np.array([0.7, 1.0]))
    assert lower.tolist() == [1, 0]
    assert upper.tolist() == [4, 3]
