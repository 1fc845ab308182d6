"""Why a label was given, in words: every name of the playbook has one, numbers have their units."""

import pytest
from strategy_accounts import CUT, table

from kamlab.i18n import Translator
from kamlab.strategies import assign_all, load_playbook, wording
from kamlab.strategies.fields import DERIVED, INPUTS

T = Translator("en", currency="CNY")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (
            "wallet_share=0.253311; trailing_revenue=18000000.00",
            "Share of wallet: 25%; Revenue, last 12 months: CNY 18.0 M",
        ),
        (
            "has_bought=yes; strategic=no; p_alive=unknown",
            "Has bought: yes; Kept as strategic: no; Chance that it still buys: unknown",
        ),
        ("p_alive=0.995; p_negative=0.8", "Chance that it still buys: over 95%; Chance that it loses money: 80%"),
        ("days_since_last=1200; purchase_days=3", "Days since its last order: 1,200; Days with an order: 3"),
        (
            "potential_source=own_peak; potential_class=High",
            "Where the potential comes from: own best 12 months; Class of potential: High",
        ),
        # The logarithm of a half is a fall by half.
        ("growth_lower=-0.693147", "Growth, lower bound: \u221250%"),
        (
            "type_000=A; strategy=win_back; value_004=BZ_strategic",
            "Type: Type A; Strategy: Win back; Most valuable and growable: Below zero, strategic",
        ),
        ("my_scheme=x", "my_scheme: x"),
        ("", ""),
    ],
)
def test_values_are_written_in_words_with_their_units(inputs, said):
    assert wording.written(T, inputs).replace("\u00a0", " ") == said


def test_every_name_of_the_default_playbook_has_words():
    book = load_playbook()
    assert set(wording.FIELDS) == {*INPUTS, *DERIVED}
    assert set(wording.SCHEMES) == {scheme.id for scheme in book.schemes}
    labels = assign_all(table({}, {"has_bought": False}, {"p_alive": 0.1}), book, contribution_cut_high=CUT)
    for inputs in labels["inputs"]:
        said = wording.written(T, inputs)
        assert "_" not in said, said
        assert "=" not in said, said
        assert said.count(": ") == inputs.count("=")
