"""The enumeration of a playbook: complete, and a contradiction comes with an account that shows it."""

import re
from importlib import resources

import pytest

from kamlab.errors import ConfigError
from kamlab.strategies import load_playbook, prove
from kamlab.strategies.fields import DERIVED, INPUTS
from kamlab.strategies.playbook import parse

FIELDS = {**INPUTS, **DERIVED}
SHIPPED = resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8")


def changed_text(*pairs):
    text = SHIPPED
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def changed(*pairs):
    return prove(parse(changed_text(*pairs), name="mine.toml"))


def test_the_shipped_playbook_holds():
    proof = prove(load_playbook())
    assert proof.broken == ()
    assert proof.unused == ()
    assert proof.states > 14_880, "at least the states that its rules were first tried on"


def test_a_contradiction_is_named_with_an_account_that_shows_it():
    broken = changed(
        ('{ field = "wallet_share", op = "<=", value = 0.7 }', '{ field = "wallet_share", op = "<=", value = 0.9 }')
    ).broken
    (fault,) = [text for text in broken if text.startswith('"the saturated are not promoted"')]
    assert "has_bought=yes" in fault
    assert "wallet_share=0.8" in fault


def test_a_rule_that_never_comes_first_is_named():
    text = 'id = "silent.watch"\nwhen.all = [{ field = "silent" }, { field = "contribution_class", in = ["High"] }]'
    shadowed = text.replace('{ field = "silent" }', '{ field = "prospect" }')
    (said,) = changed((text, shadowed)).unused
    assert said == (
        'scheme "strategy": rule "silent.watch" is never the first to fit; there is no account that it fits.'
    )


def test_an_overlap_names_both_rules_and_an_account():
    old = '    { id = "key_003.protect",'
    second = '    { id = "key_003.again", when = { field = "strategy", in = ["acquire"] }, label = "serve" },\n'
    (said,) = changed((old, second + old)).unused
    assert said.startswith(
        'scheme "key_003": rule "key_003.again" is never the first to fit; "key_003.capture" (capture) stands before '
        "it and takes, for example, an account with has_bought=no, "
    )


def test_thresholds_out_of_order_are_named_with_the_nearest_account():
    """Whoever is `negative` from 0.8 on cannot be worth a look at its margin from 0.9 on only."""
    old = '{ field = "p_negative", op = ">=", value = 0.5 }'
    (fault,) = changed((old, old.replace("0.5", "0.9"))).broken
    assert fault.startswith('state "check_margin" is true of no account: its thresholds are out of order.')
    assert "p_negative=0.9" in fault


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        (
            '    { not = { field = "negative" } },\n]\n\n[[states]] # back after',
            "]\n\n[[states]] # back after",
            "a future is never left to wait",
        ),
        ('label = "static"\nflags = ["repair"]', 'label = "promote"\nflags = ["repair"]', "promotion needs a future"),
    ],
)
def test_a_rule_taken_out_breaks_what_it_was_there_for(old, new, broken):
    found = changed((old, new)).broken
    assert any(text.startswith(f'"{broken}"') for text in found), found


def test_an_example_is_an_account_that_can_be():
    """No probability above 1, no count below 0, and yes for a flag: an analyst has to recognise the account."""
    losing = '{ id = "plan.none", when = { not = { field = "negative" } }, label'
    hole = changed_text(('{ id = "plan.none", label', losing))
    with pytest.raises(ConfigError, match="An account without a label has") as error:
        parse(hole, name="mine.toml")
    said = re.search(r"without a label has (.*)\.$", str(error.value)).group(1)
    values = dict(part.split("=") for part in said.split(", "))
    assert 0.8 <= float(values["p_negative"]) <= 1
    assert float(values["trailing_purchase_days"]) >= 1
    assert all(0 <= float(values[name]) <= 1 for name in values if FIELDS[name].kind == "probability")
    assert all(float(values[name]) >= 0 for name in values if FIELDS[name].kind in ("count", "days"))
    assert not {"True", "False"} & set(values.values())


def test_a_share_in_per_cent_is_refused():
    old = '{ field = "wallet_share", op = "<=", value = 0.20 }'
    with pytest.raises(ConfigError, match=r'state "small_share": "wallet_share" is a share, where 0.2 stands for 20 %'):
        changed((old, old.replace("0.20", "20")))


def test_a_probability_in_per_cent_is_true_of_nobody():
    old = '{ field = "p_negative", op = ">=", value = 0.8 },\n]\n\n[[states]] # kept for'
    broken = changed((old, old.replace("0.8", "80"))).broken
    assert any(text.startswith('state "negative" is true of no account') for text in broken), broken
