"""What the contest is made of: measures, the spread and its corrections, the level, probabilities, the choice."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, kstest, nbinom, norm, t

import kamlab as kl
from kamlab.backtest import selection, silent
from kamlab.backtest.distribution import EVEN, GRID, UNSURE, Recalibration, around, bounds, bring_to, level_error, ranks
from kamlab.backtest.forecasters import Rule, mixed
from kamlab.backtest.level import factor, level_sd
from kamlab.backtest.measures import bins, calibration_error, gini, measures, top_share
from kamlab.backtest.names import COMPLEXITY, COVARIATE_MODELS, NEVER_CHOSEN, TRANSACTION_MODELS
from kamlab.backtest.occasions import Occasions
from kamlab.backtest.probability import LogitCorrection, gone_below
from kamlab.backtest.situation import Amounts, Situation, came_in, from_ledger, from_summary
from kamlab.backtest.trial import Trial, fitted
from kamlab.clv import MODELS, TransactionModel
from kamlab.errors import ModelError
from kamlab.terms import FORECASTERS


def rng():
    return np.random.default_rng(0)


def test_measures_by_hand():
    forecast, actual = np.array([2.0, 0.0, 4.0]), np.array([1.0, 1.0, 6.0])
    found = measures(forecast, actual, counts=True)
    assert found["bias"] == pytest.approx(6 / 8 - 1)
    assert found["mae"] == pytest.approx((1 + 1 + 2) / 3)
    assert found["rmse"] == pytest.approx(np.sqrt((1 + 1 + 4) / 3))
    assert found["msle"] == pytest.approx((np.log(3 / 2) ** 2 + np.log(2) ** 2 + np.log(5 / 7) ** 2) / 3)
    assert (found["accounts"], found["actual"], found["forecast"]) == (3, 8, 6)
    assert np.isnan(measures(forecast, actual, counts=False)["msle"])


def test_ranking_by_hand():
    actual = np.array([6.0, 3.0, 1.0, 0.0])
    assert gini(actual, actual) == pytest.approx(1.0)
    assert gini(-actual, actual) == pytest.approx(-1.0)
    assert gini(np.ones(4), actual) == pytest.approx(0.0)
    # In order 3, 6, 1, 0: shares .3 .9 1 1 after .25 .5 .75 1; area (0+.3)/8 + (.3+.9)/8 + (.9+1)/8 + 2/8 − .5 = .175;
    # in order 6, 3, 1, 0: (.6 + 1.5 + 1.9 + 2)/8 − .5 = .25.
    assert gini(np.array([2.0, 3.0, 1.0, 0.0]), actual) == pytest.approx(0.175 / 0.25)
    assert top_share(actual, actual, 0.25) == pytest.approx(0.6)
    assert top_share(actual, actual, 0.375) == pytest.approx(0.75)  # half of the second account
    assert top_share(np.ones(4), actual, 0.25) == pytest.approx(0.25)
    assert np.isnan(gini(actual, np.zeros(4)))


def test_bins_by_hand():
    rows = bins(np.array([0.05, 0.07, 0.95, 1.0]), np.array([False, True, True, True]))
    assert [(r["bin"], r["accounts"], r["observed"]) for r in rows] == [(1, 2, 0.5), (10, 2, 1.0)]
    assert rows[0]["predicted"] == pytest.approx(0.06)
    assert calibration_error(np.array([0.06, 0.975]), np.array([0.5, 1.0]), np.array([2, 2])) == pytest.approx(
        (0.44 + 0.025) / 2
    )


# The spread


@given(
    mean=st.floats(0.001, 30),
    wanted=st.floats(0.0, 60),
    shape=st.floats(0.1, 10),
)
def test_draws_are_brought_to_the_wanted_mean_and_stay_whole(mean, wanted, shape):
    counts = nbinom(shape, shape / (shape + mean)).rvs((1, 4000), random_state=1).astype(float)
    found = bring_to(counts, np.array([mean]), np.array([wanted]), rng())
    assert (found >= 0).all()
    assert (found == np.rint(found)).all()
    # What is scaled is the draws, whose mean has luck of its own; five standard errors of both means.
    luck = max(wanted / mean, 1.0) * counts.std() / np.sqrt(4000) + found.std() / np.sqrt(4000)
    assert found.mean() == pytest.approx(wanted, abs=5 * luck + 1e-9)


def test_more_is_expected_first_of_more_draws_then_of_each():
    counts = np.where(np.arange(1000) < 200, 3.0, 0.0)[None]  # alive with 0.2, then 3 purchases
    twice = bring_to(counts, np.array([0.6]), np.array([1.2]), rng())
    assert set(np.unique(twice)) == {0.0, 3.0}
    assert (twice > 0).mean() == pytest.approx(0.4, abs=0.06)  # four standard errors
    tenfold = bring_to(counts, np.array([0.6]), np.array([6.0]), rng())
    assert (tenfold == 6).all()


def test_an_account_that_the_model_has_given_up_gets_what_is_wanted():
    found = bring_to(np.zeros((2, 20_000)), np.zeros(2), np.array([0.3, 4.0]), rng())
    assert found[0].max() == 1
    assert found.mean(axis=1) == pytest.approx([0.3, 4.0], rel=0.05)  # four standard errors
    assert (bring_to(np.ones((1, 50)), np.ones(1), np.zeros(1), rng()) == 0).all()


def test_draws_far_above_what_is_expected_do_not_explode():
    counts = np.where(np.arange(500) < 20, 1.0, 0.0)[None]  # uncertain parameters; 1e-8 expected at the estimates
    for expected in (0.0, 1e-8):
        found = bring_to(counts, np.array([expected]), np.array([5.0]), rng())
        assert found.mean() == pytest.approx(5.0, rel=0.1)
        assert found.max() <= 6


def test_draws_around_a_rule_keep_its_mean_and_are_wider_than_all_brought_to_it():
    counts = nbinom(2.0, 0.4).rvs((5, 20_000), random_state=1).astype(float)  # mean 3
    own, wanted = np.full(5, 3.0), np.array([0.0, 0.9, 2.4, 3.0, 7.5])
    found = around(counts, own, wanted, rng())
    assert found.mean(axis=1) == pytest.approx(wanted, abs=0.12)  # four standard errors of the widest
    assert (found == np.rint(found)).all()
    moved = bring_to(counts, own, wanted, rng())
    assert (found[[1, 2, 4]].var(axis=1) > 1.1 * moved[[1, 2, 4]].var(axis=1)).all()
    assert (found[0] == 0).all()
    # Far more than the model's: half of the draws are still its own, the others at 12.
    assert (found[4] <= 5).mean() > 0.4
    assert around(counts, own, own, rng()) is counts


def test_where_a_rule_holds_half_of_the_truth_its_intervals_cover():
    # Each account buys at a rate of its own; the rule is one year's count, the model knows the rates.
    random = rng()
    rate = random.gamma(2.0, 1.5, 3000)
    rule, came = random.poisson(rate), random.poisson(rate)
    draws = random.poisson(rate[:, None], (3000, 300)).astype(float)
    wanted = np.where(rule > 0, rule, rate)
    shares = []
    for spread in (around, bring_to):
        lower, upper = bounds(spread(draws, rate, wanted, rng()), 0.9, whole=True)
        shares.append(((came >= lower) & (came <= upper)).mean())
    assert shares[0] > 0.9  # of whole numbers central intervals hold a little more
    assert shares[1] < 0.88


def test_what_accounts_at_0_bring_by_hand():
    # 10 accounts brought 6 of 4 expected: (10 · 1.5 + 30) / 40; 5 more brought nothing of 1.
    first, second = (np.full(10, 0.4), np.full(10, 0.6)), (np.full(5, 0.2), np.zeros(5))
    assert silent.factor([first]) == pytest.approx(45 / 40)
    assert silent.factor([first, second]) == pytest.approx(45 / 45)
    assert silent.factor([]) == 1.0
    assert silent.factor([(np.zeros(3), np.ones(3))]) == 1.0
    # A single order of a thousand times what was expected counts as four times.
    assert silent.factor([(np.full(30, 0.1), np.full(30, 100.0))]) == pytest.approx((30 * 4 + 30) / 60)


def test_without_dates_a_rules_quantiles_are_widened_and_dates_outweigh_that():
    draws = rng().normal(10, 1, (1, 4000))
    wide = bounds(Recalibration.learnt([], UNSURE).applied(draws), 0.9, whole=False)
    # Beta(0.6, 0.6) puts 5 % below 0.0121.
    assert wide[0][0] == pytest.approx(10 + norm.ppf(beta(0.6, 0.6).ppf(0.05)), abs=0.25)
    assert wide[1][0] == pytest.approx(10 - norm.ppf(beta(0.6, 0.6).ppf(0.05)), abs=0.25)
    even = rng().random(5000)
    assert Recalibration.learnt([even], UNSURE).below == pytest.approx(GRID, abs=0.02)


def test_ranks_of_what_the_draws_describe_are_even():
    draws = nbinom(1.0, 0.3).rvs((1500, 300), random_state=1)
    came = nbinom(1.0, 0.3).rvs(1500, random_state=2)
    assert kstest(ranks(draws, came, rng().random(1500)), "uniform").pvalue > 0.01


def test_quantiles_are_corrected_by_what_came_earlier():
    # The draws say sd 1, what comes has sd 1.3: the correction learnt on one half is right for the other.
    draws = rng().normal(10, 1, (3000, 400))
    came = np.random.default_rng(1).normal(10, 1.3, 3000)
    place = np.random.default_rng(2).random(3000)
    before = ranks(draws[1500:], came[1500:], place[1500:])
    assert kstest(before, "uniform").pvalue < 1e-6
    found = Recalibration.learnt([ranks(draws[:1500], came[:1500], place[:1500])])
    lower, upper = bounds(found.applied(draws[1500:]), 0.9, whole=False)
    assert ((came[1500:] > lower) & (came[1500:] < upper)).mean() > 0.87
    lower, upper = bounds(draws[1500:], 0.9, whole=False)
    assert ((came[1500:] > lower) & (came[1500:] < upper)).mean() < 0.82


def test_ranks_are_even_after_the_correction():
    # Twice as wide as what comes, so that the draws hold all that is needed.
    draws = rng().normal(10, 2, (6000, 400))
    came = np.random.default_rng(1).normal(10, 1, 6000)
    place = np.random.default_rng(2).random(6000)
    found = Recalibration.learnt([ranks(draws[:4500], came[:4500], place[:4500])])
    after = ranks(found.applied(draws[4500:]), came[4500:], place[4500:])
    assert kstest(ranks(draws[4500:], came[4500:], place[4500:]), "uniform").pvalue < 1e-6
    assert kstest(after, "uniform").pvalue > 0.01


@given(seed=st.integers(0, 2**20), centre=st.floats(0.05, 0.95))
def test_the_correction_keeps_means_and_the_order_of_draws(seed, centre):
    draws = np.random.default_rng(seed).gamma(0.5, 2.0, (3, 60))
    earlier = np.clip(np.random.default_rng(seed).normal(centre, 0.2, 500), 0, 1)
    found = Recalibration.learnt([earlier]).applied(draws)
    assert found.mean(axis=1) == pytest.approx(draws.mean(axis=1))
    for row, old in zip(found, draws, strict=True):
        assert (np.diff(row[np.argsort(old)]) >= -1e-12).all()


def test_nothing_seen_corrects_nothing():
    assert Recalibration.learnt([]).below == pytest.approx(GRID)
    draws = rng().normal(size=(2, 10))
    assert EVEN.applied(draws) is draws


def test_the_error_of_level_has_mean_1():
    found = level_error(0.5, 200_000, rng())
    assert found.mean() == pytest.approx(1.0, abs=0.005)  # four standard errors
    assert np.log(found).std() == pytest.approx(0.5, rel=0.01)


# The level


def test_level_sd_by_hand():
    errors = [np.log(0.8), np.log(1.5)]
    mean_square = (2 * 0.2**2 + errors[0] ** 2 + errors[1] ** 2) / 4
    assert level_sd(errors) == pytest.approx(np.sqrt(mean_square) * t(4).ppf(0.95) / norm.ppf(0.95))
    assert level_sd([]) == pytest.approx(0.2 * t(2).ppf(0.95) / norm.ppf(0.95))
    # A quarter may be another season than the quarters seen.
    assert level_sd([], horizon_days=52 * 7) == level_sd([])
    assert level_sd([], horizon_days=90) == pytest.approx(0.3 * t(2).ppf(0.95) / norm.ppf(0.95))


def seen(*ratios):
    """Dates at which each account brought ratio × forecast."""
    forecast = np.array([10.0, 20.0, 30.0])
    return [(forecast, forecast * ratio) for ratio in ratios]


def test_a_steady_bias_is_corrected_in_part():
    # ln 0.8 twice, drawn towards 0 as if two more dates had shown none.
    assert factor(seen(0.8, 0.8)) == pytest.approx(0.8 ** (2 / 4))
    assert factor(seen(0.8, 0.8, 0.8)) == pytest.approx(0.8 ** (3 / 5))


@pytest.mark.parametrize("ratios", [(), (0.5,), (0.8, 1.3), (1.3, 0.8, 1.1)])
def test_a_bias_that_would_not_have_helped_is_left(ratios):
    assert factor(seen(*ratios)) == 1.0


def test_a_total_corrected_at_the_cost_of_single_accounts_is_left():
    forecast, actual = np.array([100.0, 1.0, 1.0, 1.0]), np.array([100.0, 40.0, 40.0, 40.0])
    dates = [(forecast, actual)] * 2
    assert actual.sum() > 2 * forecast.sum()
    assert factor(dates) == 1.0


# Probabilities


def test_an_overconfident_probability_is_drawn_in():
    random = rng()
    log_odds = random.normal(0, 1.5, 4000)
    happened = random.random(4000) < 1 / (1 + np.exp(-0.5 * log_odds))
    found = LogitCorrection.learnt([(1 / (1 + np.exp(-log_odds)), happened)])
    assert found.slope == pytest.approx(0.5, abs=0.1)  # four standard errors
    assert found.shift == pytest.approx(0.0, abs=0.15)
    assert np.all(np.diff(found.applied(np.linspace(0, 1, 50))) > 0)


def test_without_earlier_dates_probabilities_stay():
    p = np.array([0.0, 0.3, 1.0])
    assert LogitCorrection.learnt([]).applied(p) is p


# BG/BB


def monthly(n=250, months=36, seed=3):
    """A world of months: each account buys in a month or not, and leaves for good between two of them."""
    random = np.random.default_rng(seed)
    end = pd.Timestamp("2024-12-31")
    chance, leaving = random.beta(1.2, 2.0, n), random.beta(0.6, 9.0, n)
    rows = []
    for i in range(n):
        for ago in range(int(random.integers(12, months)), -1, -1):
            first = not rows or rows[-1][0] != f"A{i:03d}"
            if not first and random.random() < leaving[i]:
                break
            if first or random.random() < chance[i]:
                # Two purchase days in each month with a purchase.
                days = random.choice(30, 2, replace=False)
                rows += [(f"A{i:03d}", end - pd.Timedelta(days=30 * ago + int(d)), 10.0) for d in days]
    return pd.DataFrame(rows, columns=["account", "date", "amount"])


@pytest.fixture(scope="module")
def months():
    """The world as it was known 12 months of 30 days before its end."""
    ledger = kl.read_ledger(monthly(), columns={name: name for name in ("account", "date", "amount")})
    return ledger, kl.StudyPeriod(pd.Timestamp("2024-12-31") - pd.Timedelta(days=360), horizon_days=360)


def test_where_months_pass_as_bg_bb_says_its_forecast_is_the_nearest_of_the_models(months):
    ledger, period = months
    at = from_ledger(ledger, period, None, None)
    came = came_in(ledger, period, None, at.summary["account"]).purchases
    model = Occasions.fitted(at, None)
    said = model.expected(at).purchases
    history = kl.summary.summarize_periods(ledger, period, period_days=30)
    # Every month with a purchase holds two days, so that shrinkage has nothing to shrink.
    assert said == pytest.approx(2 * model.model.expected_purchases(history, 12))
    # The total's own spread, of counts that come in twos, is about 7 %; two of them.
    assert said.sum() == pytest.approx(came.sum(), rel=0.14)
    others = [fitted(name, at, None).expected(at).purchases for name in ("bg_nbd", "mbg_nbd", "pareto_nbd")]
    errors = [((expected - came) ** 2).mean() for expected in (said, *others)]
    assert errors[0] == min(errors)


def test_bg_bb_reads_nothing_after_the_date_and_knows_parts_of_months(months):
    ledger, period = months
    frame = monthly()
    cut = frame[frame["date"] <= pd.Timestamp(period.calibration_end)]
    known = kl.read_ledger(cut, columns={name: name for name in cut})
    at, before = from_ledger(ledger, period, None, None), from_ledger(known, period, None, None)
    model, other = Occasions.fitted(at, None), Occasions.fitted(before, None)
    assert model.model.params_ == other.model.params_
    halves = [from_summary(at.summary, days, "week") for days in (30, 45, 60)]
    low, middle, high = (model.expected(part).purchases for part in halves)
    assert middle == pytest.approx((low + high) / 2)
    assert model.expected(from_summary(at.summary, 15, "week")).purchases == pytest.approx(low / 2)


NONE = Amounts(np.zeros(40), np.zeros(40))


def test_the_days_of_a_month_are_drawn_to_the_companys():
    summary = pd.DataFrame({"account": [f"A{i:03d}" for i in range(40)], "purchase_days": [12, *[6] * 39]})
    history = pd.DataFrame({"account": summary["account"], "frequency": 5, "recency": np.arange(40) % 8 + 5})
    at = Situation(summary, 360, "week", NONE, NONE, None, lambda days: history.assign(n_periods=12))
    days = Occasions.fitted(at, None).months["days"]
    usual = (12 + 6 * 39) / 240
    assert days.iloc[:2].tolist() == pytest.approx([(12 + 3 * usual) / 9, (6 + 3 * usual) / 9])


def test_bg_bb_is_left_out_where_it_cannot_be_fitted_and_refuses_strangers(months):
    ledger, period = months
    at = from_ledger(ledger, period, None, None)
    assert Occasions.fitted(from_summary(at.summary, 360, "week"), None) is None
    few = from_ledger(ledger, period, None, frozenset(at.summary["account"].iloc[:20]))
    assert Occasions.fitted(few, None) is None
    stranger = from_summary(at.summary.assign(account="X" + at.summary["account"]), 360, "week")
    with pytest.raises(ModelError, match=r"were not there when BG/BB was fitted \(first: XA000"):
        Occasions.fitted(at, None).expected(stranger)


# The choice


def test_every_forecaster_has_its_name_and_rank():
    assert set(COMPLEXITY) == {*FORECASTERS, NEVER_CHOSEN}
    assert [COMPLEXITY[name] for name in FORECASTERS] == sorted(COMPLEXITY[name] for name in FORECASTERS)
    others = {"bg_bb", "sbg", "gamma_gamma"}  # discrete occasions, contracts, order values
    assert (
        set(TRANSACTION_MODELS) - set(COVARIATE_MODELS)
        == {n for n, c in MODELS.items() if issubclass(c, TransactionModel)} - others
    )


def trial(actual, **said):
    """A date at which each forecaster says what it is given."""
    nothing = np.zeros(len(actual))
    amounts = {name: Amounts(np.asarray(values, dtype=float), nothing) for name, values in said.items()}
    summary = pd.DataFrame({"account": [f"A{i:03d}" for i in range(len(actual))]})
    at = Situation(summary, 365, "week", amounts["last_horizon"], amounts["last_horizon"], None)
    rules = {name: Rule(name, lambda _, values=values: values) for name, values in amounts.items()}
    return Trial(pd.Timestamp("2024-12-31"), at, Amounts(np.asarray(actual, dtype=float), nothing), nothing, rules)


def test_scores_by_hand():
    dates = [
        trial([1, 2], last_horizon=[2, 2], rate=[1, 3], bg_nbd=[1, 2]),
        trial([4, 0], last_horizon=[4, 2], rate=[4, 1], bg_nbd=[2, 2]),
    ]
    table = selection.scores(dates, "purchases").set_index("forecaster")
    assert table["score"].to_dict() == pytest.approx({"last_horizon": 1.0, "rate": 0.75, "bg_nbd": np.sqrt(2) / 2})
    assert table.loc["bg_nbd", "standard_error"] == 0


def test_the_standard_error_is_that_of_resampled_accounts():
    random = rng()
    actual = random.poisson(5, 400)
    one, other = actual + random.normal(0, 1, 400), actual + random.normal(0, 1.1, 400)
    table = selection.scores([trial(actual, last_horizon=other, bg_nbd=one)], "purchases").set_index("forecaster")

    def score(rows):
        return np.sqrt(((one - actual)[rows] ** 2).mean() / ((other - actual)[rows] ** 2).mean())

    expected = np.std([score(random.integers(0, 400, 400)) for _ in range(2000)])
    # Of 300 resamples the spread is known to 4 %; three of them.
    assert table.loc["last_horizon", "standard_error"] == pytest.approx(expected, rel=0.13)


def scored(**rows):
    table = pd.DataFrame([(n, COMPLEXITY[n], *row) for n, row in rows.items()])
    return table.set_axis(["forecaster", "complexity", "score", "standard_error"], axis=1)


def test_within_one_standard_error_the_simpler_is_taken():
    table = scored(last_horizon=(1.0, 0.05), bg_nbd=(0.92, 0.03), blend=(0.9, 0.0), always_0=(0.5, 0.0))
    assert selection.simplest(table, FORECASTERS) == "bg_nbd"
    assert selection.simplest(table.assign(standard_error=0.2), FORECASTERS) == "last_horizon"
    assert selection.simplest(table.assign(standard_error=0.0), FORECASTERS) == "blend"


def test_what_loses_to_the_same_again_is_never_taken():
    table = scored(last_horizon=(1.0, 0.0), same_count=(1.01, 0.5), bg_nbd=(1.02, 0.5))
    assert selection.simplest(table, FORECASTERS) == "last_horizon"
    table = scored(trailing=(1.01, 0.3), last_horizon=(1.0, 0.04), blend=(0.99, 0.0), rate=(1.02, 0.3))
    assert selection.simplest(table, FORECASTERS) == "last_horizon"


def test_a_blend_by_hand():
    # Expected 4; alive with 0.5 and 6 recent purchases: 0.25 · 4 + 0.75 · 0.5 · 6 = 3.25.
    assert mixed(np.array([4.0]), np.array([0.5]), np.array([6.0]), 0.25) == pytest.approx([3.25])


@given(
    expected=st.floats(0, 1e4),
    p_alive=st.floats(0, 1),
    recent=st.integers(0, 5000),
    weight=st.sampled_from([0.25, 0.75]),
)
def test_a_blend_is_between_its_parts(expected, p_alive, recent, weight):
    low, high = sorted([expected, p_alive * recent])
    (found,) = mixed(np.array([expected]), np.array([p_alive]), np.array([float(recent)]), weight)
    assert low * (1 - 1e-9) <= found <= high * (1 + 1e-9)


def calibrated(*rows):
    """Tenths of P(alive): lower border, accounts, share that bought."""
    table = pd.DataFrame(rows, columns=["lower", "accounts", "observed"])
    return table.assign(probability="alive")


@pytest.mark.parametrize(
    ("rows", "threshold"),
    [
        ([(0.0, 50, 0.1), (0.3, 50, 0.4), (0.4, 50, 0.6), (0.9, 50, 0.9)], 0.4),
        # Two dates add up: 30 of 100 and 60 of 100 in one tenth are 45 %.
        ([(0.2, 100, 0.3), (0.2, 100, 0.6), (0.7, 100, 0.8)], 0.7),
        # 80 % below 20 % cannot both hold of a rising share: together they bought half.
        ([(0.1, 100, 0.8), (0.5, 100, 0.2), (0.9, 100, 0.9)], 0.1),
        ([(0.0, 200, 0.7)], 0.1),  # even those who were given up bought: hardly anybody counts as gone
        ([(0.0, 200, 0.1), (0.9, 200, 0.4)], 0.9),
        ([(0.0, 49, 0.1), (0.2, 50, 0.9)], 0.5),  # 99 accounts are too few
        ([], 0.5),
    ],
)
def test_gone_is_who_more_often_did_not_come_back(rows, threshold):
    assert gone_below(calibrated(*rows)) == threshold
    other = calibrated(*rows).assign(probability="buys", observed=0.0)
    assert gone_below(pd.concat([calibrated(*rows), other])) == threshold
