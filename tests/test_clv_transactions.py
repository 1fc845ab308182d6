"""What holds for every model of purchase days."""

import pickle

import numpy as np
import pandas as pd
import pytest
from known_data import cdnow_summary
from sklearn.base import clone

from kamlab import clv
from kamlab.clv import transactions
from kamlab.clv.checks import read_purchases
from kamlab.clv.transactions import TransactionModel, smallest_count
from kamlab.errors import ModelError

NAMES = [name for name, model in clv.MODELS.items() if issubclass(model, TransactionModel)]


def fit(name, summary):
    return clv.MODELS[name](engine="kamlab").fit(summary)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    return fit(request.param, cdnow_summary())


def test_equal_rows_merged_give_the_fit_of_all_rows(fitted, monkeypatch):
    def unmerged(data):
        order = np.arange(len(data.x))
        return transactions.Histories(data.x, data.t_x, data.T, data.weight), order

    monkeypatch.setattr(transactions, "distinct", unmerged)
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
    rows, place = transactions.distinct(data)
    assert len(rows.x) == 1016  # distinct triples, counted by hand with sort | uniq
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
