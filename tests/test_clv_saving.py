"""Fitted models as files: what comes back predicts the same, and what is no such file is refused in a sentence."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from clv_models import NAMES, SPEND_NAMES, fitted, forecast, new, table

import kamlab
from kamlab import clv
from kamlab.clv.saving import data_hash
from kamlab.errors import ModelError


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_is_the_saved_one(name, tmp_path):
    model = fitted(name)
    model.save(tmp_path / "model.json")
    again = clv.load(tmp_path / "model.json")
    assert type(again) is clv.MODELS[name]
    assert again.get_params() == model.get_params()
    assert again.params_ == model.params_
    assert again.notes_ == model.notes_
    rows = table(name).head(60)
    pd.testing.assert_frame_equal(forecast(again, rows), forecast(model, rows), check_exact=True)
    drawn = [m.parameter_draws(3, np.random.default_rng(1)).tolist() for m in (model, again)]
    assert drawn[0] == drawn[1]
    pd.testing.assert_frame_equal(clv.parameter_table([again]), clv.parameter_table([model]))


def test_covariates_come_back_too(tmp_path):
    rows = table("bg_nbd").assign(region=lambda t: np.where(t.index % 3 == 0, "north", "south"), size=lambda t: t.index)
    options = {"transaction_covariates": ("region", "size"), "dropout_covariates": ["region"]}
    model = clv.ParetoNBD(**options).fit(rows)
    model.save(tmp_path / "model.json")
    again = clv.load(tmp_path / "model.json")
    pd.testing.assert_frame_equal(again.predict(rows, 90), model.predict(rows, 90), check_exact=True)
    assert again.covariates_ == model.covariates_


def test_options_may_be_numbers_of_numpy(tmp_path):
    clv.BGCNBD(k=np.int64(1), penalizer=np.float64(0.1)).fit(table("bg_cnbd")).save(tmp_path / "model.json")
    assert clv.load(tmp_path / "model.json").get_params()["k"] == 1


def test_the_file_reads_as_text(tmp_path):
    model = fitted("pareto_nbd")
    path = tmp_path / "model.json"
    model.save(path)
    document = json.loads(path.read_text("utf-8"))
    assert document["kamlab_version"] == kamlab.__version__
    assert document["model"] == "ParetoNBD"
    assert document["options"]["unit"] == "week"
    assert document["fitted"]["params_"] == model.params_
    assert document["fitted"]["n_accounts_"] == len(table("pareto_nbd"))
    assert re.fullmatch("[0-9a-f]{64}", document["fitted"]["data_hash_"])


@pytest.mark.parametrize("name", NAMES)
def test_the_hash_tells_the_data_apart(name):
    rows = table(name)
    assert new(name).fit(rows).data_hash_ == fitted(name).data_hash_
    columns = {"sbg": "renewals", "bg_bb": "n_periods"} | dict.fromkeys(SPEND_NAMES, "monetary_value")
    column = columns.get(name, "T")
    other = rows.assign(**{column: rows[column] + 1})
    assert new(name).fit(other).data_hash_ != fitted(name).data_hash_


def test_the_hash_is_that_of_the_numbers():
    one = data_hash(np.array([1, 2]), np.array([3.0]))
    assert one == data_hash(np.array([1.0, 2.0]), np.array([3]))
    assert one != data_hash(np.array([1.0]), np.array([2.0, 3.0]))


def changed(path, change):
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["fitted"]["params_"].update(r=99.0), "was changed or damaged"),
        (lambda d: d["options"].update(unit="day"), "was changed or damaged"),
        (lambda d: d.pop("sha256"), "was changed or damaged"),
        (lambda d: d.update(format_version=2, kamlab_version="9.1"), "written by kamlab 9.1.*Update kamlab"),
        (lambda d: d.update(model="NewModel"), "Update kamlab"),
        (lambda d: d.update(format="recipe"), "no model that kamlab saved"),
    ],
)
def test_what_was_changed_or_is_newer_is_refused(tmp_path, change, message):
    path = tmp_path / "model.json"
    fitted("nbd").save(path)
    changed(path, change)
    with pytest.raises(ModelError, match=message):
        clv.load(path)


def test_another_layout_of_the_same_file_is_no_change(tmp_path):
    path = tmp_path / "model.json"
    fitted("nbd").save(path)
    changed(path, lambda d: None)
    assert clv.load(path).params_ == fitted("nbd").params_


@pytest.mark.parametrize("content", [b"", b"frequency,recency\n1,2\n", b"[1, 2]", b"\xff\xfe\x00\x80", b'{"a": 1}'])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.json is no model that kamlab saved"):
        clv.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nothing\.json cannot be read"):
        clv.load(tmp_path / "nothing.json")


def test_a_write_that_fails_leaves_the_last_file(tmp_path):
    path = tmp_path / "model.json"
    fitted("nbd").save(path)
    before = path.read_bytes()
    broken = clv.NBD().fit(table("nbd"))
    broken.log_likelihood_ = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        broken.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.json"]


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        clv.ParetoNBD().fit(table("pareto_nbd")).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_fitted_models_are_saved(tmp_path):
    with pytest.raises(ValueError, match="BGNBD is not fitted yet"):
        clv.BGNBD().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []
