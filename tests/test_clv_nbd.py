import mpmath
import numpy as np
import pandas as pd
import pytest
from known_data import cdnow_summary, grocery_summary

from kamlab import clv
from kamlab.clv import base
from kamlab.clv.nbd import log_likelihood


def test_params_and_likelihood_on_cdnow_are_those_refitted_from_the_log():
    model = clv.NBD().fit(cdnow_summary())
    assert model.log_likelihood_ == pytest.approx(-9763.65761, abs=1e-3)
    assert list(model.params_) == ["r", "alpha"]
    assert list(model.params_.values()) == pytest.approx([0.384766, 12.072023], rel=1e-4)
    assert model.converged_
    assert model.notes_ == ()


def test_grocery_log_gives_the_btydplus_numbers():
    model = clv.NBD().fit(grocery_summary())
    # Published with two decimals; the parameters with three.
    assert model.log_likelihood_ == pytest.approx(-16376.86, abs=0.006)
    assert list(model.params_.values()) == pytest.approx([0.420, 5.245], abs=6e-4)


@pytest.mark.parametrize(("r", "alpha", "x", "age"), [(0.4, 12.0, 3, 39.0), (1e-3, 1e4, 5000, 1e4), (50.0, 1e-3, 0, 1)])
def test_likelihood_is_the_integral_over_the_gamma_law_of_rates(r, alpha, x, age):
    with mpmath.workdps(40):
        # ∫ λ^x exp(−λT) Gamma(λ; r, alpha) dλ.
        expected = mpmath.gamma(r + x) / mpmath.gamma(r) * mpmath.mpf(alpha) ** r / (mpmath.mpf(alpha) + age) ** (r + x)
        expected = float(mpmath.log(expected))
    value, _ = log_likelihood(np.log([r, alpha]), *(np.array([float(v)]) for v in (x, 0.5 * age, age)))
    assert value[0] == pytest.approx(expected, rel=1e-12, abs=1e-10)


def test_equal_accounts_end_at_the_poisson_law_and_it_is_said():
    table = pd.DataFrame({"frequency": [4] * 40, "recency": [40.0] * 40, "T": [50.0] * 40})
    model = clv.NBD().fit(table)
    assert base.NOTE_BOUNDARY in model.notes_
    # The Poisson law's rate is Σx / ΣT = 0.08 a week.
    assert model.expected_purchases(table, 70) == pytest.approx(np.full(40, 0.8), rel=1e-2)
