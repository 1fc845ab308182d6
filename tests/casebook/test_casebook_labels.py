"""The casebook's accounts, their numbers worked out by hand, through the playbook alone."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamlab.strategies import assign, assign_all, load_playbook
from kamlab.strategies.fields import INPUTS
from kamlab.strategies.states import derive

M = 1e6
BOOK = tomllib.loads(Path(__file__).with_name("cases.toml").read_text("utf-8"))
CASES = BOOK["cases"]


def account_table(cases):
    rows = []
    for case in cases:
        row = dict.fromkeys(INPUTS, np.nan) | BOOK["ordinary"] | case["given"]
        for name, field in INPUTS.items():
            row[name] = row[name] * M if field.kind == "money" else row[name]
        rows.append(row | {"account": f"case {case['case']}", "name": case["story"]})
    table = pd.DataFrame(rows)
    choices = [name for name, field in INPUTS.items() if field.kind == "choice"]
    return table.astype(dict.fromkeys(choices, "str"))


TABLE = account_table(CASES)
LABELS = assign(TABLE, contribution_cut_high=2.0 * M).set_index("account")
ALL_LABELS = assign_all(TABLE, contribution_cut_high=2.0 * M)
STATES = derive(TABLE, playbook=load_playbook(), contribution_cut_high=2.0 * M).set_index("account")

each_case = pytest.mark.parametrize("case", CASES, ids=[f"case {c['case']}" for c in CASES])


@each_case
def test_labels(case):
    got = LABELS.loc[f"case {case['case']}"]
    assert {name: got[name] for name in case["expected"]} == case["expected"]


@each_case
def test_labels_of_the_other_schemes(case):
    got = ALL_LABELS[ALL_LABELS["account"] == f"case {case['case']}"].set_index("scheme")["label"]
    assert {name: got.get(name) for name in case.get("others", {})} == case.get("others", {})


@each_case
def test_states(case):
    got = STATES.loc[f"case {case['case']}"]
    assert {name: bool(got[name]) for name in case["states"]} == case["states"]


def test_a_prospect_has_no_type():
    got = LABELS.loc["case 5", ["nine_box", "type_000", "type_000_rule", "type_000_inputs"]]
    assert got.isna().all()


def test_the_strategic_account_is_never_promoted_whatever_it_could_buy():
    table = TABLE[TABLE["account"] == "case 4"].drop(columns="potential_class")
    table = pd.concat([table.assign(potential_class=level, account=level) for level in ("Low", "Mid", "High")])
    got = assign(table, contribution_cut_high=2.0 * M)
    assert list(got["strategy"]) == ["retain"] * 3
