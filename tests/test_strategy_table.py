"""The table "strategies": columns, order, printed values, faults of the account table, and the sentences beside it."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_accounts import CUT, LOSS, PEAK_HIGH, SILENT, UNKNOWN, label, table

from kamlab import terms
from kamlab.errors import DataError
from kamlab.i18n import Translator
from kamlab.strategies import assign, load_playbook, texts, wording

# ---------------------------------------------------------------------------------------------------- the table


def test_columns_are_those_of_the_data_dictionary():
    got = assign(table({}), contribution_cut_high=CUT)
    assert list(got) == [column.name for column in terms.TABLES["strategies"]]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)))
def test_rows_keep_their_order_and_do_not_touch_each_other(order):
    rows = table(SILENT, PEAK_HIGH | SILENT, LOSS, {"has_bought": False}, *({"wallet_share": i / 8} for i in range(8)))
    once = assign(rows, contribution_cut_high=CUT)
    mixed = assign(rows.iloc[order], contribution_cut_high=CUT)
    pd.testing.assert_frame_equal(mixed, once.iloc[order])


def test_an_empty_table_gives_an_empty_table():
    got = assign(table({}).iloc[:0], contribution_cut_high=CUT)
    assert (len(got), got.columns[0]) == (0, "account")


@pytest.mark.parametrize(
    ("changes", "inputs"),
    [
        (SILENT, "p_alive=0.1; p_gone=0.5; purchase_days=30; trailing_purchase_days=10; "
                 "days_since_last=100; longest_gap=40; contribution_class=Mid; "
                 "peak_contribution=1000000.00; contribution_cut_high=2000000.00"),
        ({"has_bought": False, "potential_class": None, "potential_source": None}, "has_bought=no; only_returned=no; "
                 "potential_source=unknown"),
        ({"wallet_share": UNKNOWN}, "type_000=A; contribution_level=Mid; potential_class=High; wallet_share=unknown; "
                 "p_alive=0.9; days_since_last=20"),
    ],
)  # fmt: skip
def test_the_values_behind_a_strategy_are_printed(changes, inputs):
    assert label(**changes)["strategy_inputs"] == inputs


def test_the_values_behind_a_type_are_printed():
    assert label(wallet_share=0.25)["type_000_inputs"] == (
        "contribution_level=Mid; potential_level=High; expected_contribution=1000000.00; "
        "potential_revenue=40000000.00; potential_source=declared; wallet_share=0.25"
    )


def test_all_faults_of_the_account_table_are_told_at_once():
    rows = table({"contribution_class": None}, {"potential_class": "high"}).assign(account="A7")
    with pytest.raises(DataError) as error:
        assign(rows, contribution_cut_high=UNKNOWN)
    for part in ("1 rows repeat an account (first: A7)", 'have "high"', "no contribution class", "cut of contribution"):
        assert part in str(error.value)
    with pytest.raises(DataError, match="lacks p_alive, longest_gap"):
        assign(rows.drop(columns=["p_alive", "longest_gap"]), contribution_cut_high=CUT)


# --------------------------------------------------------------------------------------------------------- texts


def test_every_label_flag_and_rule_has_its_words():
    book = load_playbook()
    assert set(texts.POTENTIALS) == set(terms.POTENTIAL_SOURCES) - {"unknown"}
    schemes = {scheme.id: scheme for scheme in book.schemes}
    assert set(texts.STRATEGIES) == set(terms.STRATEGIES)
    assert set(texts.TYPES) == set(terms.TYPES)
    assert set(texts.FLAGS) == {flag.id for flag in book.flags}
    assert set(texts.REASONS) == {rule.id for rule in schemes["strategy"].rules} | {"override"}
    assert all(2 <= len(text.tactics) <= 3 for text in texts.STRATEGIES.values())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (SILENT | {"peak_revenue": 48e6}, "Silent for 100 days; bought CNY 48.0 M in its best 12 months."),
        (
            {"trailing_revenue": 24e6, "prior_peak_revenue": 60e6, "peak_revenue": 60e6},
            "Down to CNY 24.0 M in the last 12 months, from CNY 60.0 M in its best 12 months before.",
        ),
        (
            {"contribution_class": "Low", "potential_class": "Mid"},
            "Expected to bring CNY 1.00 M, and buys already 75% of CNY 40.0 M a year (declared).",
        ),
        (
            {"contribution_class": "Low", "potential_source": "own_peak", "wallet_share": UNKNOWN},
            "Expected to bring CNY 1.00 M, and could buy CNY 40.0 M a year (its own best 12 months).",
        ),
    ],
)
def test_reason_is_one_sentence_with_the_accounts_numbers(changes, sentence):
    row = {**table(changes).iloc[0], **label(**changes)}
    assert wording.reason(Translator("en", currency="CNY"), row).replace("\u00a0", " ") == sentence


def test_a_decision_is_told_with_who_took_it_until_when_and_why():
    row = {
        "strategy_rule": "override",
        "strategy_inputs": "owner=Wu Fang; reason=joint plant; new site; until=2025-12-31",
    }
    said = wording.reason(Translator("en"), row).replace("\u00a0", " ")
    assert said == "Decided by Wu Fang, until 31 Dec 2025: joint plant; new site."


def test_every_reason_can_be_written_for_an_account_without_numbers():
    for rule in (*texts.REASONS, "my.rule"):
        sentence = wording.reason(Translator("en"), {"strategy_rule": rule})
        assert "{" not in sentence
        assert sentence.endswith(".")
    own = {"strategy_rule": "my.rule", "strategy_inputs": "a=1; has_bought=yes"}
    assert wording.reason(Translator("en"), own) == "Rule my.rule: a: 1; Has bought: yes."


def test_without_a_given_cut_the_lowest_high_contribution_stands_for_it():
    rows = pd.concat(
        [
            table({"account": "a", "contribution_class": "High", "expected_contribution": 3e6}),
            table({"account": "b", "contribution_class": "Mid", "expected_contribution": 1e6}),
        ],
        ignore_index=True,
    )
    pd.testing.assert_frame_equal(assign(rows), assign(rows, contribution_cut_high=3e6))
