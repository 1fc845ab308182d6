"""scikit-learn's conventions, as far as they apply to models that take a table instead of X and y.

Of scikit-learn's own checks those run that ask for no X and y. The others draw random matrices and labels: a model of
purchases refuses these, as it should, because it reads named columns of a table of accounts (so that it has no
`n_features_in_` either), has no `y`, and is no classifier, regressor or transformer.
"""

import pickle

import numpy as np
import pandas as pd
import pytest
from clv_models import NAMES, PERIODS, fitted, forecast, new, table
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

from kamlab import clv
from kamlab.errors import ModelError

CHECKS = [
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_mixin_order,
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_valid_tag_types,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_scikit_learns_own_check(name, check):
    cls = clv.MODELS[name]
    check(cls.__name__, cls())


@pytest.mark.parametrize("name", NAMES)
def test_fit_returns_the_model_and_leaves_options_and_data_alone(name):
    model, rows = new(name), table(name)
    before, options = rows.copy(deep=True), model.get_params()
    assert model.fit(rows) is model
    assert model.get_params() == options
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_fit_forgets_the_first(name):
    rows = table(name)
    again = new(name).fit(rows.head(100)).fit(rows)
    assert again.params_ == fitted(name).params_
    assert again.notes_ == fitted(name).notes_
    assert vars(again).keys() == vars(fitted(name)).keys()


@pytest.mark.parametrize("name", NAMES)
def test_fitted_values_end_in_an_underscore(name):
    values = set(vars(fitted(name))) - set(fitted(name).get_params())
    assert values >= {"params_", "standard_errors_", "covariance_", "log_likelihood_", "converged_", "n_accounts_"}
    assert all(value.endswith("_") for value in values)


@pytest.mark.parametrize("name", NAMES)
def test_clones_and_pickles(name):
    model, rows = fitted(name), table(name).head(30)
    pd.testing.assert_frame_equal(forecast(pickle.loads(pickle.dumps(model)), rows), forecast(model, rows))
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "params_")


@pytest.mark.parametrize("name", NAMES)
def test_before_the_fit_a_sentence_says_what_to_do(name):
    with pytest.raises(NotFittedError, match=f"This {clv.MODELS[name].__name__} is not fitted yet. Call its `fit`"):
        forecast(new(name), table(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_and_columns_does_not_matter(name):
    rows = table(name)
    shuffled = rows.sample(frac=1, random_state=3)[list(rows)[::-1]]
    # Sums in another order differ in their last digits, which flat directions magnify.
    other = new(name).fit(shuffled)
    assert other.log_likelihood_ == pytest.approx(fitted(name).log_likelihood_, abs=1e-6)
    got = forecast(fitted(name), shuffled).set_index("account").loc[rows["account"]].reset_index()
    pd.testing.assert_frame_equal(got, forecast(fitted(name), rows))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PERIODS])
def test_an_unknown_engine_is_refused(name):
    with pytest.raises(ModelError, match='engine is "stan"'):
        clv.MODELS[name](engine="stan").fit(table(name))


@pytest.mark.parametrize("penalizer", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_an_impossible_penalty_is_refused(name, penalizer):
    with pytest.raises(ModelError, match="penalizer is"):
        clv.MODELS[name](penalizer=penalizer).fit(table(name))


def test_the_table_of_parameters_has_a_row_for_the_chosen_k():
    rows = clv.parameter_table([fitted("bg_cnbd"), fitted("bg_nbd")]).set_index(["model", "parameter"])
    assert rows.loc["bg_cnbd"].index.tolist() == ["r", "alpha", "a", "b", "k"]
    assert rows.loc[("bg_cnbd", "k"), "value"] == 1
    assert np.isnan(rows.loc[("bg_cnbd", "k"), "standard_error"])
    assert rows.loc["bg_nbd"].index.tolist() == ["r", "alpha", "a", "b"]
    assert rows["standard_error"].isna().sum() == 1
