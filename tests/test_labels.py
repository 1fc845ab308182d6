"""One label per account and scheme, with what it rests on and its probability."""

import numpy as np
import pandas as pd
import pytest

from kamlab import terms
from kamlab.strategies import assign, assign_all, left_out, load_playbook

CUT = 2e6
BUYER = {
    "account": "A1",
    "has_bought": True,
    "p_alive": 0.9,
    "trailing_revenue": 10e6,
    "peak_revenue": 10e6,
    "prior_peak_revenue": 10e6,
    "purchase_days": 30,
    "trailing_purchase_days": 10,
    "days_known": 1000,
    "days_since_last": 20,
    "longest_gap": 40.0,
    "expected_contribution": 1e6,
    "margin_rate": 0.1,
    "p_negative": 0.01,
    "potential_revenue": 40e6,
    "potential_source": "declared",
    "wallet_share": 0.25,
    "contribution_class": "Mid",
    "potential_class": "High",
}
PROSPECT = {
    name: None for name in BUYER if name not in ("account", "potential_revenue", "potential_source", "potential_class")
} | {"has_bought": False}
LOSS = {"p_negative": 0.95}
SMALL_LOSS = LOSS | {"contribution_class": "Low", "p_negative_standard": 0.9}


def labels(**changes):
    rows = assign_all(pd.DataFrame([BUYER | changes]), contribution_cut_high=CUT)
    return rows.set_index("scheme")["label"].to_dict()


def test_columns_and_order():
    table = pd.DataFrame([BUYER, BUYER | PROSPECT | {"account": "A2"}])
    got = assign_all(table, contribution_cut_high=CUT)
    assert list(got) == [column.name for column in terms.TABLES["labels"]]
    schemes = [scheme.id for scheme in load_playbook().schemes]
    assert list(dict.fromkeys(got["scheme"])) == [s for s in schemes if s not in ("terms_002", "coverage_004")]
    counts = got.groupby("scheme").size()
    assert counts["strategy"] == 2
    assert counts["four_001"] == 1, "the four strategies are for customers"
    assert not got.duplicated(["account", "scheme"]).any()


def test_the_two_tables_agree():
    rows = pd.DataFrame([BUYER, BUYER | LOSS | {"account": "A2"}, BUYER | {"account": "A3", "wallet_share": 0.1}])
    wide = assign(rows, contribution_cut_high=CUT).set_index("account")
    long = assign_all(rows, contribution_cut_high=CUT).pivot(index="account", columns="scheme", values="label")
    assert list(wide["type_000"]) == list(long["type_000"])
    assert list(wide["strategy"]) == list(long["strategy"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"four_001": "I", "value_004": "growable", "key_003": "cultivate"}),
        ({"growth_lower": 0.1}, {"value_004": "MGC"}),
        ({"growth_lower": 0.1, "purchase_days": 2}, {"value_004": "growable"}),  # two orders are no trend
        ({"contribution_class": "High"}, {"four_001": "I", "value_004": "MVC", "engagement_001": "team"}),
        ({"contribution_class": "High", "wallet_share": 0.9}, {"four_001": "II", "value_004": "MVC"}),
        ({"contribution_class": "Low"}, {"four_001": "III", "value_004": "growable"}),
        ({"contribution_class": "Low", "wallet_share": 0.9}, {"four_001": "IV", "value_004": "other"}),
        (LOSS, {"four_001": "II", "value_004": "BZ", "strategy": "static"}),
        (LOSS | {"strategic": True}, {"value_004": "BZ_strategic", "key_003": "protect"}),
        # The exception is bounded: a loss of a tenth of the revenue of 10 M is borne, and no more.
        (
            LOSS | {"strategic": True, "expected_contribution": -1e6},
            {"value_004": "BZ_strategic", "strategy": "retain"},
        ),
        (LOSS | {"strategic": True, "expected_contribution": -1.01e6}, {"value_004": "BZ", "strategy": "static"}),
        # Share of products x volume to come.
        ({"product_share": 0.6, "volume_90": 1.0}, {"matrix_004": "contact"}),
        ({"product_share": 0.2, "wallet_share": 0.9, "contribution_class": "Low"}, {"matrix_004": "self_service"}),
        ({"product_share": 0.2}, {"matrix_004": "acquire"}),
        (LOSS | {"wallet_share": 0.2}, {"matrix_004": "abandon"}),
        ({"wallet_share": np.nan}, {"matrix_004": "unknown"}),
        # Below zero at two reviews, standard service included, and without value: only then a proposal.
        (SMALL_LOSS, {"remove_list": "watched"}),
        (
            SMALL_LOSS | {"negative_before": True},
            {"remove_list": "proposed", "key_003": "remove"},
        ),
        (
            LOSS | {"contribution_class": "Low", "p_negative_standard": 0.3, "negative_before": True},
            {"remove_list": "no"},
        ),
        (
            LOSS
            | {"contribution_class": "Low", "p_negative_standard": 0.9, "negative_before": True, "strategic": True},
            {"remove_list": "no"},
        ),
        ({"credit_002": "AAA"}, {"terms_002": "open"}),
        ({"credit_002": "none"}, {"terms_002": "deposit"}),
        ({"credit_002": "AAA", "overdue_90": 5.0}, {"terms_002": "stopped"}),
        ({"abc_004": "A", "contribution_class": "High"}, {"coverage_004": "one", "cadence_002": "14"}),
        ({"abc_004": "B", "contribution_class": "High"}, {"coverage_004": "two"}),
        ({"abc_004": "C", "contribution_class": "High"}, {"coverage_004": "three_to_five"}),
        ({"abc_004": "A", "potential_class": "Low"}, {"coverage_004": "pooled"}),  # no plan, so no person of its own
        ({"purchase_days": 2}, {"lifecycle_002": "new"}),
        ({"trailing_revenue": 7e6}, {"lifecycle_002": "at_risk"}),
        ({"p_alive": 0.1, "days_since_last": 100}, {"lifecycle_002": "lost"}),
        (PROSPECT, {"lifecycle_002": "prospect", "key_003": "capture", "engagement_001": "niche"}),
    ],
)
def test_labels_by_the_rules_as_written(changes, expected):
    got = labels(**changes)
    assert {name: got.get(name) for name in expected} == expected


def test_volume_is_large_above_the_median_of_the_customers():
    rows = [BUYER | {"account": f"A{i}", "product_share": 0.9, "volume_90": float(i)} for i in range(1, 6)]
    got = assign_all(pd.DataFrame(rows), contribution_cut_high=CUT)
    matrix = got[got["scheme"] == "matrix_004"]["label"]
    assert list(matrix) == ["contact"] * 3 + ["strengthen"] * 2


def test_a_scheme_without_its_data_is_left_out_and_named():
    table = pd.DataFrame([BUYER])
    assert left_out(table, load_playbook()) == [
        ("coverage_004", "abc_004"),
        ("terms_002", "credit_002, overdue_90, disputed_90"),
    ]
    assert {"terms_002", "coverage_004"}.isdisjoint(labels())
    no_costs = pd.DataFrame([BUYER | {"p_negative": np.nan, "margin_rate": np.nan}])
    assert ("remove_list", "p_negative") in left_out(no_costs, load_playbook())


def test_probability_is_that_of_the_classes_under_which_the_label_comes_out():
    rows = pd.DataFrame([BUYER | {"contribution_class": "High"}, BUYER | PROSPECT | {"account": "A2"}])
    chances = pd.DataFrame({"account": ["A1"], "Low": [0.05], "Mid": [0.15], "High": [0.8]})
    got = assign_all(rows, contribution_cut_high=CUT, class_probabilities=chances)
    of = got[got["account"] == "A1"].set_index("scheme")["probability"]
    assert of["contribution_level"] == pytest.approx(0.8)
    assert of["type_000"] == pytest.approx(0.95)  # A whether Mid or High, because the potential is high
    assert of["four_001"] == pytest.approx(0.95)
    assert of["value_004"] == pytest.approx(0.8)
    assert of["lifecycle_002"] == pytest.approx(1.0)
    assert (got.loc[got["account"] == "A2", "probability"] == 1).all()


def test_what_a_label_rests_on_is_said():
    rows = pd.DataFrame(
        [
            BUYER,
            BUYER | {"account": "A2", "potential_source": "own_peak", "margin_rate": np.nan},
            BUYER | {"account": "A3", "potential_source": None, "purchase_days": 1, "longest_gap": np.nan},
        ]
    )
    got = assign_all(rows, contribution_cut_high=CUT)
    got = got[got["scheme"] == "type_000"].set_index("account")["rests_on"]
    assert got.to_dict() == {"A1": "", "A2": "own_peak, revenue_basis", "A3": "no_potential, short_history"}


def test_every_label_of_a_mixed_table_follows_from_its_printed_inputs():
    """The printed inputs hold all that the rule read: an account with the same inputs gets the same label."""
    rng = np.random.default_rng(3)
    n = 3000
    rows = pd.DataFrame([BUYER] * n).assign(
        account=[f"A{i}" for i in range(n)],
        p_alive=rng.choice([0.2, 0.9], n),
        days_since_last=rng.choice([10.0, 100.0, 400.0], n),
        purchase_days=rng.choice([1, 2, 5], n),
        p_negative=rng.choice([0.1, 0.6, 0.9], n),
        wallet_share=rng.choice([0.1, 0.5, 0.75, 0.9, np.nan], n),
        contribution_class=rng.choice(terms.LEVELS, n),
        potential_class=rng.choice(terms.LEVELS, n),
        peak_revenue=rng.choice([10e6, 30e6], n),
        growth_lower=rng.choice([-0.1, 0.1], n),
    )
    got = assign_all(rows, contribution_cut_high=CUT)
    assert got["inputs"].str.len().min() > 0
    per_inputs = got.groupby(["scheme", "rule", "inputs"])["label"].nunique()
    assert (per_inputs == 1).all()
