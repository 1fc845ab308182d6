"""Static covariates on buying and leaving, for BG/NBD and Pareto/NBD (Fader and Hardie 2007)."""

import mpmath
import numpy as np
import pandas as pd
import pytest
from clv_models import COVARIATES, new
from hypothesis import given, settings
from hypothesis import strategies as st
from known_data import cdnow_summary, play
from scipy.optimize import approx_fprime
from scipy.stats import chi2, kstest

from kamlab import clv
from kamlab.clv.base import NOTE_OWN_OPTIMISER
from kamlab.clv.covariates import NOTE_RARE
from kamlab.clv.histories import distinct
from kamlab.errors import ModelError

BOTH = {"transaction_covariates": ("industry", "size"), "dropout_covariates": ("industry",)}

# Base parameters, and what "retail" and one standard deviation of the log size add.
TRUTH = {
    "bg_nbd": {
        **{"r": 0.9, "alpha": 9.0, "a": 0.8, "b": 3.0},
        **{"transaction[industry=retail]": 0.7, "transaction[size]": 0.4},
        **{"dropout_a[industry=retail]": 0.8, "dropout_b[industry=retail]": -0.2},
    },
    "pareto_nbd": {
        **{"r": 0.9, "alpha": 9.0, "s": 0.8, "beta": 25.0},
        **{"transaction[industry=retail]": 0.7, "transaction[size]": 0.4},
        **{"dropout[industry=retail]": 0.8},
    },
}


def company(name, n, rng, horizon=52):
    """Accounts that behave as the model says, of two industries and different size."""
    truth = TRUTH[name]
    retail, size = rng.random(n) < 0.4, rng.standard_normal(n)
    size = (size - size.mean()) / size.std()
    faster = np.exp(truth["transaction[industry=retail]"] * retail + truth["transaction[size]"] * size)
    rate = rng.gamma(truth["r"], 1 / truth["alpha"], n) * faster
    if name == "bg_nbd":
        a, b = (truth[p] * np.exp(truth[f"dropout_{p}[industry=retail]"] * retail) for p in "ab")
        story = {"leaving": rng.beta(a, b)}
    else:
        leaving = rng.gamma(truth["s"], 1 / truth["beta"], n) * np.exp(truth["dropout[industry=retail]"] * retail)
        story = {"lifetime": rng.standard_exponential(n) / leaving}
    table = play(rate, rng.uniform(20, 100, n), horizon, rng, **story)
    return table.assign(industry=np.where(retail, "retail", "works"), size=size)


def small(n=60, seed=3):
    """A table with three industries and a size, some entries missing."""
    rng = np.random.default_rng(seed)
    table = cdnow_summary().sort_values("frequency").iloc[:: -2357 // n].reset_index(drop=True)
    industry = rng.choice(["food", "retail", "works"], len(table), p=[0.5, 0.3, 0.2])
    return table.assign(industry=industry, size=rng.lognormal(3, 1, len(table)))


def at(name, effects=(), codings=None, sd=1e-9, **base):
    """A model with known parameters and codings."""
    model = new(name).set_params(**BOTH)
    known = {p: TRUTH[name][p] for p in model.parameters} | base
    model.covariates_ = codings or {
        "industry": {"level": {"works": "works", "retail": "retail"}, "reference": "works", "levels": ["retail"]},
        "size": {"mean": 0.0, "sd": 1.0, "low": -5.0, "high": 5.0, "missing": False},
    }
    names = [effect.name for effect in model._effects()]
    model.n_columns_, model.n_effects_ = 2, len(names)
    model.params_ = known | dict(zip(names, effects, strict=True))
    model.covariance_ = pd.DataFrame(np.eye(len(model.params_)) * sd**2)
    return model


def plain(name, **params):
    model = new(name)
    model.params_ = {p: params[p] for p in model.parameters}
    model.covariance_ = pd.DataFrame(np.eye(4) * 1e-18)
    return model


@pytest.fixture(scope="module", params=COVARIATES)
def recovered(request):
    rng = np.random.default_rng(17)
    table = company(request.param, 4000, rng)
    return request.param, table, new(request.param).set_params(**BOTH).fit(table)


# What the model is


@pytest.mark.parametrize("name", COVARIATES)
def test_without_effects_it_is_the_plain_model(name):
    table = small()
    model = at(name, np.zeros(len(TRUTH[name]) - 4))
    table["industry"] = table["industry"].replace("food", "works")
    expected = plain(name, **model.params_).predict(table, 200)
    pd.testing.assert_frame_equal(model.predict(table, 200), expected, rtol=1e-9)
    assert model.expected_purchases_new(200) == pytest.approx(plain(name, **model.params_).expected_purchases_new(200))


@pytest.mark.parametrize("name", COVARIATES)
def test_an_account_is_one_of_the_plain_model_with_its_own_parameters(name):
    effects = [v for key, v in TRUTH[name].items() if "[" in key]
    model = at(name, effects)
    table = pd.DataFrame({"frequency": [0, 3, 40], "recency": [0.0, 20.0, 50.0], "T": [30.0, 45.0, 52.0]})
    table = table.assign(account=list("ABC"), industry=["retail", "works", "retail"], size=[1.5, -0.3, 0.2])
    for i, (retail, size) in enumerate([(1, 1.5), (0, -0.3), (1, 0.2)]):
        own = {p: TRUTH[name][p] for p in model.parameters}
        own["alpha"] *= np.exp(-0.7 * retail - 0.4 * size)
        if name == "bg_nbd":
            own["a"] *= np.exp(0.8 * retail)
            own["b"] *= np.exp(-0.2 * retail)
        else:
            own["beta"] *= np.exp(-0.8 * retail)
        row, one = table.iloc[[i]].reset_index(drop=True), plain(name, **own)
        pd.testing.assert_frame_equal(model.predict(row, 300), one.predict(row, 300), rtol=1e-9)
        assert model.probability_at_most(row, 2, 300) == pytest.approx(one.probability_at_most(row, 2, 300))
    draws = np.tile(list(model.params_.values()), (20_000, 1))
    drawn = model.sample_purchases(table, 300, draws, rng=np.random.default_rng(1))
    for count in (0, 2, 8):
        # Four standard errors of a share of 20,000 draws.
        expected = model.probability_at_most(table, count, 300)
        assert (drawn <= count).mean(axis=1) == pytest.approx(expected, abs=4 * 0.5 / 20_000**0.5)


def mp_bg_nbd(own, x, t_x, age):
    """Equation (6) of Fader, Hardie and Lee 2005."""
    r, alpha, a, b = (own[p] for p in ("r", "alpha", "a", "b"))
    stay = mpmath.beta(a, b + x) / mpmath.beta(a, b) / (alpha + age) ** (r + x)
    left = 0 if x == 0 else mpmath.beta(a + 1, b + x - 1) / mpmath.beta(a, b) / (alpha + t_x) ** (r + x)
    return mpmath.gamma(r + x) * alpha**r / mpmath.gamma(r) * (stay + left)


def mp_pareto_nbd(own, x, t_x, age):
    """The integral over the time of leaving, with both gamma laws integrated out."""
    r, alpha, s, beta = (own[p] for p in ("r", "alpha", "s", "beta"))
    stay = (alpha + age) ** -(r + x) * (beta / (beta + age)) ** s
    left = mpmath.quad(lambda t: (alpha + t) ** -(r + x) * s * beta**s / (beta + t) ** (s + 1), [t_x, age])
    return mpmath.gamma(r + x) * alpha**r / mpmath.gamma(r) * (stay + left)


@pytest.mark.parametrize(("name", "likelihood"), [("bg_nbd", mp_bg_nbd), ("pareto_nbd", mp_pareto_nbd)])
def test_the_likelihood_is_the_sum_over_accounts_with_their_own_parameters(name, likelihood):
    table = small(200)
    table.loc[::9, "size"] = np.nan
    model = new(name).set_params(**BOTH).fit(table)
    g = model.params_
    known = table["size"].dropna()
    z = ((table["size"] - known.mean()) / known.std(ddof=0)).fillna(0.0)
    unknown = table["size"].isna().astype(float)
    # "food" has most repeat buyers and is the reference.
    industries = {one: (table["industry"] == one).astype(float) for one in ("retail", "works")}

    def moved(label):
        return sum(g[f"{label}[industry={one}]"] * flag for one, flag in industries.items())

    faster = moved("transaction") + g["transaction[size]"] * z + g["transaction[size=unknown]"] * unknown
    own = pd.DataFrame({p: g[p] for p in model.parameters}, index=table.index)
    own["alpha"] *= np.exp(-faster)
    if name == "bg_nbd":
        own["a"], own["b"] = own["a"] * np.exp(moved("dropout_a")), own["b"] * np.exp(moved("dropout_b"))
    else:
        own["beta"] *= np.exp(-moved("dropout"))
    with mpmath.workdps(20):
        rows = zip(own.to_dict("records"), *(table[c] for c in ("frequency", "recency", "T")), strict=True)
        total = sum(mpmath.log(likelihood(p, int(x), t_x, age)) for p, x, t_x, age in rows)
    assert model.log_likelihood_ == pytest.approx(float(total), abs=1e-6)


@pytest.mark.parametrize("name", COVARIATES)
def test_a_copy_of_the_company_in_slow_motion_has_the_known_effect(name):
    # With all times three times as long the rates are a third: the same company to the likelihood, which is then twice
    # that of one copy, less the logarithm of the times' unit at each purchase.
    one = cdnow_summary()
    slow = one.assign(account=one["account"] + "b", recency=one["recency"] * 3, T=one["T"] * 3, copy="slow")
    table = pd.concat([one.assign(copy="first"), slow], ignore_index=True)
    dropout = () if name == "bg_nbd" else ("copy",)
    model = new(name).set_params(transaction_covariates=("copy",), dropout_covariates=dropout).fit(table)
    alone = new(name).fit(one)
    # The first copy is the reference: both have the same number of buyers.
    for effect in list(model.params_)[4:]:
        assert model.params_[effect] == pytest.approx(-np.log(3), abs=1e-5)
    assert list(model.params_.values())[:4] == pytest.approx(list(alone.params_.values()), rel=1e-4)
    expected = 2 * alone.log_likelihood_ - one["frequency"].sum() * np.log(3)
    assert model.log_likelihood_ == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", COVARIATES)
def test_the_gradient_is_the_slope_of_the_objective(name):
    model = new(name).set_params(**BOTH, effect_penalizer=0.3, penalizer=0.01)
    data = model._learn(small(150))
    rows, _ = distinct(data)
    objective = model._objective(rows)
    at_point = np.append(np.log([TRUTH[name][p] for p in model.parameters]), np.linspace(-0.5, 0.5, model.n_effects_))
    _, gradient, outer = objective(at_point)
    assert gradient == pytest.approx(approx_fprime(at_point, lambda p: objective(p)[0], 1e-7), abs=2e-5)
    assert outer.shape == (len(at_point),) * 2
    assert np.linalg.eigvalsh(outer)[0] > 0


# Recovery


def test_parameters_are_recovered(recovered):
    name, _, model = recovered
    assert model.converged_
    assert set(model.params_) == set(TRUTH[name])
    off = model._logs(model._params()) - model._logs(np.array([TRUTH[name][p] for p in model.params_]))
    # Mahalanobis distance against the 99 % quantile of chi-squared.
    assert off @ np.linalg.solve(model.covariance_.to_numpy(), off) < chi2.ppf(0.99, len(off))
    assert model.standard_errors_["transaction[size]"] < 0.05
    assert model.standard_errors_["transaction[industry=retail]"] < 0.1


def test_forecasts_are_calibrated_within_each_industry(recovered):
    name, table, model = recovered
    came = table["came"].to_numpy()

    def chances(fitted):
        """P(X < came) and P(X = came)."""
        upper, below = (fitted.probability_at_most(table, came - k, 52 * 7) for k in (0, 1))
        return below, upper - below

    below, exactly = chances(model)
    pit = below + np.random.default_rng(3).random(len(came)) * exactly
    for industry in ("retail", "works"):
        assert kstest(pit[(table["industry"] == industry).to_numpy()], "uniform").pvalue > 0.01
    _, ignorant = chances(new(name).fit(table))
    assert np.log(exactly).mean() > np.log(ignorant).mean()
    predicted = model.predict(table, 52 * 7)
    assert 0.88 <= ((came >= predicted["lower"]) & (came <= predicted["upper"])).mean() <= 0.98


@pytest.mark.parametrize("name", COVARIATES)
def test_a_covariate_without_effect_gains_what_chance_gives(name):
    table = cdnow_summary()
    base = new(name).fit(table).log_likelihood_
    rng, gains = np.random.default_rng(5), []
    for _ in range(8):
        noise = table.assign(noise=rng.standard_normal(len(table)))
        gains.append(2 * (new(name).set_params(transaction_covariates=("noise",)).fit(noise).log_likelihood_ - base))
    # Twice the gain is chi-squared(1) distributed (Wilks).
    assert min(gains) >= -1e-6
    assert kstest(gains, chi2(1).cdf).pvalue > 0.01


def test_a_covariate_with_effect_gains_more(recovered):
    name, table, model = recovered
    gain = 2 * (model.log_likelihood_ - new(name).fit(table).log_likelihood_)
    assert gain > chi2.ppf(0.99999, model.n_effects_)
    assert not model.notes_ or NOTE_RARE not in model.notes_


@pytest.mark.parametrize("name", COVARIATES)
def test_a_penalty_pulls_effects_to_nothing(name):
    table = company(name, 600, np.random.default_rng(2))
    free, held, none = (new(name).set_params(**BOTH, effect_penalizer=weight).fit(table) for weight in (0.0, 0.05, 1e6))
    effects = [np.array(list(model.params_.values()))[4:] for model in (free, held, none)]
    assert np.linalg.norm(effects[1]) < np.linalg.norm(effects[0])
    assert effects[2] == pytest.approx(0.0, abs=1e-5)
    base = new(name).fit(table)
    assert none.log_likelihood_ == pytest.approx(base.log_likelihood_, abs=1e-3)
    assert none.expected_purchases(table, 90) == pytest.approx(base.expected_purchases(table, 90), rel=1e-3)


@pytest.mark.parametrize("name", COVARIATES)
def test_a_weight_stands_for_repeated_rows(name):
    some = company(name, 300, np.random.default_rng(8))
    weight = 1 + np.arange(300) % 3
    repeated = some.loc[some.index.repeat(weight)].assign(account=lambda t: np.arange(len(t)))
    # Sizes of a few levels, so that rows merge.
    some, repeated = (t.assign(size=t["size"].round(), weight=1) for t in (some, repeated))
    model = new(name).set_params(transaction_covariates=("industry",), dropout_covariates=("industry",))
    one = model.fit(some.assign(weight=weight))
    params = list(one.params_.values())
    other = new(name).set_params(**model.get_params()).fit(repeated)
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, abs=1e-6)
    assert params == pytest.approx(list(other.params_.values()), rel=1e-3, abs=1e-4)


def test_the_other_engine_finds_the_start_and_is_not_blamed(monkeypatch):
    table = company("bg_nbd", 400, np.random.default_rng(2))
    own, other = (clv.BGNBD(engine=engine, **BOTH).fit(table) for engine in ("kamlab", "lifetimes"))
    assert own.log_likelihood_ == pytest.approx(other.log_likelihood_, abs=1e-6)
    assert own.notes_ == other.notes_
    monkeypatch.setattr("kamlab.clv.lifetimes_engine.fit_bg_nbd", lambda *data, penalizer: None)
    assert clv.BGNBD(**BOTH).fit(table).notes_[0] == NOTE_OWN_OPTIMISER


# Coding


def test_the_category_with_most_repeat_buyers_is_the_reference_and_rare_ones_are_joined():
    table = small(400)
    buyers = table.index[table["frequency"] > 0]
    table["industry"] = "food"
    table.loc[buyers[:60], "industry"] = "works"
    table.loc[buyers[60:69], "industry"] = "mining"
    table.loc[buyers[69:74], "industry"] = None
    model = clv.ParetoNBD(transaction_covariates=["industry"]).fit(table)
    coding = model.covariates_["industry"]
    assert coding["level"] == {"food": "food", "mining": "other", "unknown": "other", "works": "works"}
    assert coding["reference"] == ("works" if len(buyers) < 134 else "food")
    assert NOTE_RARE in model.notes_
    assert len(model.params_) == 4 + 2


def test_few_rare_accounts_count_as_the_reference():
    table = small(400)
    table["industry"] = np.where(np.arange(len(table)) % 2, "food", "works")
    table.loc[table.index[table["frequency"] > 0][:3], "industry"] = "mining"
    model = clv.ParetoNBD(dropout_covariates=["industry"]).fit(table)
    coding = model.covariates_["industry"]
    assert coding["level"]["mining"] == coding["reference"]
    assert NOTE_RARE in model.notes_


@pytest.mark.parametrize("name", COVARIATES)
def test_missing_entries_are_the_mean_and_the_reference(name):
    table = small(300)
    model = new(name).set_params(**BOTH).fit(table)
    reference = model.covariates_["industry"]["reference"]
    mean = table["size"].mean()
    for empty in (None, np.nan, "", " "):
        got = model.predict(table.assign(industry=empty, size=np.nan), 90)
        pd.testing.assert_frame_equal(got, model.predict(table.assign(industry=reference, size=mean), 90))


def test_numbers_beyond_those_of_the_fit_count_as_the_nearest():
    table = small(300)
    model = clv.ParetoNBD(transaction_covariates=["size"]).fit(table)
    far, edge = (model.predict(table.assign(size=size), 90) for size in (1e300, table["size"].max()))
    pd.testing.assert_frame_equal(far, edge)


def test_the_scale_of_a_number_does_not_matter():
    table = small(300)
    models = [
        clv.ParetoNBD(transaction_covariates=["size"]).fit(table.assign(size=table["size"] * factor))
        for factor in (1.0, 1e9, 1e-6)
    ]
    for model in models[1:]:
        assert model.log_likelihood_ == pytest.approx(models[0].log_likelihood_, abs=1e-6)
        assert model.params_["transaction[size]"] == pytest.approx(models[0].params_["transaction[size]"], abs=1e-4)


def test_true_and_false_are_categories_and_categorical_columns_are_read():
    table = small(300)
    table["key"] = np.arange(len(table)) % 3 == 0
    table["industry"] = table["industry"].astype("category")
    model = clv.ParetoNBD(transaction_covariates=["key", "industry"]).fit(table)
    assert "transaction[key=True]" in model.params_
    assert model.predict(table, 90)["upper"].notna().all()


# Properties


@pytest.mark.parametrize("name", COVARIATES)
def test_nothing_impossible_leaves_predict(name):
    effects = len(TRUTH[name]) - 4
    times, other = st.floats(np.log(1e-3), np.log(1e4)), st.floats(-5, 4)
    model_class = clv.MODELS[name]
    params = st.tuples(*(times if p in model_class.times else other for p in model_class.parameters)).map(np.exp)
    history = st.tuples(st.integers(0, 5000), st.floats(0.001, 1), st.floats(1, 10_000))

    @settings(max_examples=30, deadline=None)
    @given(params, st.tuples(*[st.floats(-1.6, 1.6)] * effects), history, st.floats(-5, 5), st.floats(1, 3650))
    def check(base, gammas, one, size, days):
        x, share, age = one
        model = at(name, gammas, sd=0.1, **dict(zip(model_class.parameters, base, strict=True)))
        row = pd.DataFrame({"frequency": [x], "recency": [share * age if x else 0.0], "T": [age]})
        row = model.predict(row.assign(industry="retail", size=size), days).iloc[0]
        numbers = row[["p_alive", "expected_purchases", "lower", "upper"]].to_numpy(dtype=float)
        assert np.isfinite(numbers).all()
        assert 0 <= row["p_alive"] <= 1
        assert row["expected_purchases"] >= 0
        assert 0 <= row["lower"] <= row["upper"]

    check()


def test_a_group_that_never_buys_again_gets_a_finite_effect_and_says_so():
    rng = np.random.default_rng(3)
    table = company("pareto_nbd", 600, rng).drop(columns="log_gaps")
    # Ten accounts of retail buy again, at the last moment that the rule for a category of its own leaves.
    retail = table.index[table["industry"] == "retail"]
    table.loc[retail[10:], ["frequency", "recency"]] = 0
    table.loc[retail[:10], ["frequency", "recency"]] = [1, 0.01]
    for model in (clv.BGNBD(engine="kamlab", **BOTH).fit(table), clv.ParetoNBD(**BOTH).fit(table)):
        predicted = model.predict(table, 365)
        assert np.isfinite(predicted[["expected_purchases", "upper"]]).all(axis=None)
        assert all(np.isfinite(v) for v in [*model.params_.values(), *model.standard_errors_.values()])
        few = predicted["expected_purchases"].groupby(table["industry"]).mean()
        assert few["retail"] < few["works"]


# Bad input


def test_a_category_that_the_fit_did_not_see_is_named_with_the_accounts():
    table = small(300)
    model = clv.ParetoNBD(transaction_covariates=["industry"]).fit(table)
    new_one = table.head(4).assign(industry=["space", "food", "sea", "space"])
    first = ", ".join(new_one["account"].iloc[[0, 2, 3]])
    with pytest.raises(ModelError) as caught:
        model.predict(new_one, 90)
    message = str(caught.value)
    assert '3 of 4 accounts have a category of "industry" that the model was not fitted to (space, sea)' in message
    assert f"(first: {first}). Fit the model to them too, or leave the entry empty." in message


@pytest.mark.parametrize("name", COVARIATES)
def test_faults_of_covariates_and_histories_are_named_at_once(name):
    table = small(100).assign(size=5.0, region="north")
    table.loc[3, "recency"] = 1e6
    table["revenue"] = np.where(np.arange(len(table)) == 7, np.inf, 1.0 + np.arange(len(table)))
    with pytest.raises(ModelError) as caught:
        new(name).set_params(transaction_covariates=("size", "region"), dropout_covariates=("revenue",)).fit(table)
    message = str(caught.value)
    assert "recency > T" in message
    assert 'The covariate "size" is the same for all accounts' in message
    assert 'The covariate "region" is the same for all accounts' in message
    assert f'have no finite "revenue" (first: {table["account"][7]})' in message


@pytest.mark.parametrize("name", COVARIATES)
def test_covariates_that_say_the_same_are_named(name):
    table = small(300).assign(twice=lambda t: 3 * t["size"] + 1)
    with pytest.raises(ModelError, match=r"say the same twice: (size|twice) follow"):
        new(name).set_params(transaction_covariates=("size", "twice")).fit(table)


@pytest.mark.parametrize("name", COVARIATES)
def test_more_covariates_than_repeat_buyers_carry_are_refused(name):
    table = small(100)
    columns = [f"n{i}" for i in range(9)]
    rng = np.random.default_rng(1)
    table[columns] = rng.standard_normal((len(table), 9))
    have = int((table["frequency"] > 0).sum())
    with pytest.raises(ModelError, match=f"There are {have} accounts with a repeat purchase; at least 100 are needed"):
        new(name).set_params(dropout_covariates=columns).fit(table)


@pytest.mark.parametrize("name", COVARIATES)
def test_a_missing_column_is_named_with_the_nearest(name):
    with pytest.raises(ModelError, match='"industri" Did you mean "industry"'):
        new(name).set_params(transaction_covariates=["industri"]).fit(small())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transaction_covariates": "industry"}, "must be a list of column names"),
        ({"dropout_covariates": [1]}, "must be a list of column names"),
        ({"dropout_covariates": ["size", "size"]}, "names a column twice"),
        ({"effect_penalizer": -1.0}, "effect_penalizer is -1"),
    ],
)
@pytest.mark.parametrize("name", COVARIATES)
def test_impossible_options_are_refused(name, options, message):
    with pytest.raises(ModelError, match=message):
        new(name).set_params(**options).fit(small())
