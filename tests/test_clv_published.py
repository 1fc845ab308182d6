"""Published numbers that belong to no single model: what the data sets hold, and what a forecast must beat.

Sources: Fader, Hardie and Lee (2005) and the data's page at brucehardie.com for CDNOW; the vignettes of BTYD and
BTYDplus for the forecasts. The models' own numbers stand in the models' tests, those of the simple rules on CDNOW's
holdout in `test_backtest.py`.
"""

import numpy as np
import pandas as pd
import pytest
from known_data import CDNOW_LOG, cdnow_days, cdnow_holdout, cdnow_summary, grocery_summary, play

from kamlab import clv


def errors(forecast, came):
    error = forecast - came
    logs = np.log1p(forecast) - np.log1p(came)
    return forecast.sum() / came.sum() - 1, np.abs(error).mean(), np.sqrt((error**2).mean()), (logs**2).mean()


def test_cdnow_holds_what_is_published():
    assert sum(1 for line in CDNOW_LOG.read_text().splitlines() if line.strip()) == 6919
    assert len(cdnow_days()) == 6696
    table = cdnow_summary()
    assert (len(table), table["frequency"].sum(), (table["frequency"] == 0).sum()) == (2357, 2457, 1411)
    assert cdnow_holdout().sum() == 1882
    days = cdnow_days()
    later = days[(days["date"] > "1997-09-30") & (days["date"] <= "1998-06-30")]
    assert later["amount"].sum() == pytest.approx(70976.39, abs=0.005)
    x = table["frequency"].clip(upper=7)
    actual = pd.Series(cdnow_holdout()).groupby(x).mean()
    # Printed with three digits.
    assert actual.to_numpy() == pytest.approx([0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=0.0006)


def test_the_rounded_summary_of_lifetimes_is_another_input():
    table = pd.read_csv(CDNOW_LOG.with_name("cdnow_customers_summary.csv"))
    model = clv.BGNBD(engine="kamlab").fit(table.rename(columns={"ID": "account"}))
    assert model.log_likelihood_ == pytest.approx(-9582.42556, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "bias", "mae", "rmse", "msle"),
    [
        ("bg_nbd", -0.122, 0.7855, 1.608, 0.234),
        ("mbg_nbd", -0.162, 0.7648, 1.607, 0.231),
        ("pareto_nbd", -0.115, 0.7545, 1.603, 0.238),
    ],
)
def test_errors_on_the_holdout_of_cdnow_are_the_published_ones(name, bias, mae, rmse, msle):
    forecast = clv.MODELS[name](engine="kamlab").fit(cdnow_summary()).expected_purchases(cdnow_summary(), 39 * 7)
    got = errors(forecast, cdnow_holdout())
    # Half of the last digit printed; that of BG/NBD's bias, 12.146 %, was rounded up.
    assert got == pytest.approx((bias, mae, rmse, msle), abs=0.00055)
    assert got[1] == pytest.approx(mae, abs=0.00005)


def test_the_grocery_log_holds_what_is_published():
    table = grocery_summary()
    assert len(table) == 1525
    assert table["came"].sum() == 3389


def test_errors_on_the_holdout_of_the_grocery_log_are_the_published_ones():
    table = grocery_summary()
    forecasts = {
        name: clv.MODELS[name](engine="kamlab").fit(table).expected_purchases(table, 364)
        for name in ("pareto_nbd", "mbg_nbd", "bg_nbd")
    }
    # The year before the holdout is as long as the calibration, so that the count of then is the count so far.
    forecasts |= {"same_count": table["frequency"], "always_0": 0 * table["frequency"]}
    published = {"pareto_nbd": 1.508, "mbg_nbd": 1.513, "bg_nbd": 1.577, "same_count": 2.254, "always_0": 2.222}
    got = {name: np.abs(forecast - table["came"]).mean() for name, forecast in forecasts.items()}
    assert got == pytest.approx(published, abs=0.0006)


def test_regular_buyers_are_fitted_far_better_by_the_models_of_regular_purchases():
    table = grocery_summary()
    pairs = [("bg_cnbd", "bg_nbd", 783), ("mbg_cnbd", "mbg_nbd", 804)]
    for regular, random, published in pairs:
        models = [clv.MODELS[name](engine="kamlab").fit(table) for name in (regular, random)]
        # Differences of log-likelihoods printed without decimals.
        assert models[0].log_likelihood_ - models[1].log_likelihood_ == pytest.approx(published, abs=1.1)


def test_intervals_of_counts_cover_more_than_their_level_even_where_the_model_is_true():
    # With the true model and the true parameters central 90 % intervals cover 96 % on data like CDNOW's.
    rng = np.random.default_rng(7)
    n = 20_000
    rate, leaving = rng.gamma(0.242595, 1 / 4.413602, n), rng.beta(0.792922, 2.425906, n)
    table = play(rate, rng.choice(cdnow_summary()["T"], n), 39, rng, leaving=leaving)
    model = clv.BGNBD()
    model.params_ = {"r": 0.242595, "alpha": 4.413602, "a": 0.792922, "b": 2.425906}
    model.covariance_ = pd.DataFrame(np.eye(4) * 1e-18)
    predicted = model.predict(table, 39 * 7)
    inside = (table["came"] >= predicted["lower"]) & (table["came"] <= predicted["upper"])
    # Three standard errors of a share of 20,000.
    assert inside.mean() == pytest.approx(0.96, abs=0.005 + 0.0042)
