"""Forecasts against what simulated companies then do: calibration of counts, coverage of intervals and totals."""

import numpy as np
import pytest
from clv_models import NAMES, any_company, covered, futures, new
from scipy.stats import kstest

from kamlab import clv


@pytest.fixture(scope="module", params=NAMES)
def forecast(request):
    """What came of a company's accounts, and draws of what might have come."""
    rng = np.random.default_rng(31)
    # Means tell little of the variation within accounts, so that a sharp answer on spend takes more of them.
    rows = any_company(request.param, 20_000 if request.param == "gamma_gamma" else 2000, rng)
    model = new(request.param).fit(rows)
    rows = rows[rows.get("active", rows.get("frequency", 1) >= 0).astype(bool)]
    if isinstance(model, clv.GammaGamma):
        rows = rows[rows["frequency"] > 0]
    return rows["came"].to_numpy(dtype=float), futures(model, rows, 400, rng)


def test_the_randomised_pit_is_uniform(forecast):
    came, drawn = forecast
    below, upto = ((drawn < came[:, None]).mean(axis=1), (drawn <= came[:, None]).mean(axis=1))
    # A count's chance is spread over its step (Czado, Gneiting and Held 2009); draws leave steps of 1/400.
    pit = below + np.random.default_rng(3).random(len(came)) * np.maximum(upto - below, 1 / drawn.shape[1])
    assert kstest(pit, "uniform").pvalue > 0.01


def test_intervals_of_counts_cover(forecast):
    came, drawn = forecast
    if (came != np.floor(came)).any():
        # Money has no steps to cover more than asked. 20,000 accounts tell p to 5 %, which is a point of coverage.
        lower, upper = np.quantile(drawn, [0.05, 0.95], axis=1)
        assert ((came >= lower) & (came <= upper)).mean() == pytest.approx(0.90, abs=0.025)
        return
    lower, upper = np.quantile(drawn, [0.05, 0.95], axis=1, method="inverted_cdf")
    assert ((came >= lower) & (came <= upper)).mean() >= 0.88


@pytest.mark.parametrize("name", NAMES)
def test_intervals_of_parameters_and_totals_cover(name):
    rng = np.random.default_rng(12)
    # Variation within accounts is hardly seen in the means of 300 of them: Gamma-Gamma's intervals are too short there.
    size = 1000 if name == "gamma_gamma" else 300
    shares = np.array([list(covered(name, size, rng, n_draws=100).values()) for _ in range(30)]).mean(axis=0)
    # 30 companies: three binomial standard errors of 5.5 points around 90 %. `benchmarks/clv_coverage.py` takes more.
    assert (np.abs(shares - 0.90) <= 0.165).all(), shares
    assert np.mean(shares) == pytest.approx(0.90, abs=0.08)
