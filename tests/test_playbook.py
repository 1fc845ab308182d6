"""The playbook file: what it refuses, what it says then, and people's decisions in it."""

from datetime import date
from importlib import resources

import pandas as pd
import pytest

from kamlab.errors import ConfigError
from kamlab.strategies import assign, load_playbook
from kamlab.strategies.playbook import parse

SHIPPED = resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8")
NO_PLAN = next(line for line in SHIPPED.splitlines(keepends=True) if '"plan.none"' in line)
AS_OF = date(2025, 12, 31)
OVERRIDE = """
[[overrides]]
account = "{account}"
label = "{label}"
owner = "Wu Fang"
reason = "joint plant in 2026"
until = {until}
"""


def changed(old, new):
    assert SHIPPED.count(old) == 1
    return SHIPPED.replace(old, new)


def faults(text):
    with pytest.raises(ConfigError) as error:
        parse(text, name="mine.toml")
    head, *lines = str(error.value).split("\n")
    assert head == f"The playbook mine.toml has {len(lines)} fault{'s' if len(lines) > 1 else ''}:"
    return [line.removeprefix("- ") for line in lines]


def accounts(**changes):
    row = {
        "account": "A1",
        "has_bought": True,
        "p_alive": 0.9,
        "trailing_revenue": 1e6,
        "peak_revenue": 1e6,
        "prior_peak_revenue": 1e6,
        "purchase_days": 9,
        "trailing_purchase_days": 4,
        "days_known": 900,
        "days_since_last": 10,
        "longest_gap": 90,
        "expected_contribution": 1e6,
        "contribution_class": "Low",
        "potential_class": "Low",
        "potential_source": "declared",
        "wallet_share": 0.3,
    }
    return pd.DataFrame([row | changes])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            changed('field = "p_alive", op = "<"', 'field = "p_alvie", op = "<"'),
            'state "silent": unknown field "p_alvie". Did you mean "p_alive"?',
        ),
        (
            changed('field = "p_alive", op = "<"', 'feild = "p_alive", op = "<"'),
            'states "silent": when, all[0], any[0]: unknown key "feild". Did you mean "field"?',
        ),
        (
            changed(
                'id = "silent.lapsed"\nwhen = { field = "silent" }',
                'id = "silent.lapsed"\nwhen = { field = "p_alive" }',
            ),
            'rule "silent.lapsed": "p_alive" is neither true nor false; compare it with "op" or "in".',
        ),
        (
            changed(
                'id = "silent.lapsed"\nwhen = { field = "silent" }',
                'id = "silent.lapsed"\nwhen = { field = "p_alive", op = "<", value = 0.5 }',
            ),
            'rule "silent.lapsed": "p_alive" is a number; only a state may compare numbers, '
            "and a rule names that state.",
        ),
        (
            changed('id = "promote.mid"\nwhen.all = [{ field = "contribution_level", in = ["Mid"] }',
                    'id = "promote.mid"\nwhen.all = [{ field = "contribution_level", in = ["mid"] }'),
            'rule "promote.mid": "contribution_level" is never "mid". Did you mean "Mid"?',
        ),
        (
            changed('id = "static.type_d"\nwhen = { field = "type_000", in = ["D"] }', 'id = "static.type_d"'),
            'scheme "strategy": the last rule, and no other, must be without "when", so that every account gets '
            'exactly one label. Last is "retain.value"; without "when": static.type_d, retain.value.',
        ),
        (
            changed('Mid = { Low = "B", Mid = "B", High = "A" }', 'Mid = { Low = "B", High = "A" }'),
            'scheme "type_000": no cell for contribution_level Mid, potential_level Mid.',
        ),
        (
            changed('Mid = { Low = "B", Mid = "B", High = "A" }', 'Mid = { Low = "B", Mid = "E", High = "A" }'),
            'rule "type_000.mid_mid": unknown label "E".',
        ),
        (
            changed('flags = ["watch"]', 'flags = ["wach"]'),
            'rule "silent.watch": unknown flag "wach". Did you mean "watch"?',
        ),
        (
            changed('id = "silent.watch"', 'id = "silent.lapsed"'),
            'rule "silent.lapsed": this name is given already.',
        ),
        (
            changed('id = "small_share"', 'id = "wallet_share"').replace('"small_share"', '"saturated"'),
            'state "wallet_share": this name is given already.',
        ),
        (
            changed('labels = ["A", "B", "C", "D"]', 'labels = ["A", "B", "C", "D", "E"]'),
            'scheme "type_000": its labels must be A, B, C, D.',
        ),
        (changed("version = 1\n", "version = 1\n[[flag]]\n"), 'unknown section "flag". Did you mean "flags"?'),
        (changed("version = 1", "version = 2"), "version is 2; this kamlab reads version = 1."),
        (
            SHIPPED + OVERRIDE.format(account="A1", label="promot", until="2026-06-30"),
            'override "A1": unknown label "promot". Did you mean "promote"?',
        ),
        (
            SHIPPED + OVERRIDE.format(account="A1", label="promote", until='"soon"'),
            'overrides "A1": until: Input should be a valid date or datetime, input is too short.',
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(text, expected):
    assert expected in faults(text)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('{ field = "p_alive", op = "<" }', '"op" compares with either "value" or "of"'),
        ('{ field = "p_alive", value = 0.5 }', '"op" compares with either "value" or "of"'),
        ('{ field = "p_alive", op = "=<", value = 0.5 }', 'op is "=<"; it must be one of <, <=, >, >=, =='),
        ('{ field = "p_alive", op = "<", value = 0.5, known = true }', 'takes one of "op", "in" and "known"'),
        ('{ field = "p_alive", op = "<", value = 0.5, times = 2 }', '"times" multiplies the field named by "of"'),
        ('{ field = "p_alive", all = [{ field = "silent" }] }', 'needs exactly one of "all", "any", "not" and "field"'),
        ("{ all = [] }", "when, all: Tuple should have at least 1 item"),
        ('{ field = "strategic", op = "<", value = 1 }', '"strategic" is no number; "<" cannot compare it.'),
        ('{ field = "p_alive", in = ["Low"] }', '"p_alive" has no named values; "in" cannot be used.'),
    ],
)
def test_a_condition_has_one_form(condition, expected):
    text = changed("version = 1\n", f'version = 1\n[[states]]\nid = "mine"\nwhen = {condition}\n')
    (fault,) = faults(text)
    assert 'state "mine"' in fault or 'states "mine"' in fault
    assert expected in fault


def test_a_hole_is_named_with_an_account_that_falls_into_it():
    (fault,) = faults(changed(NO_PLAN, ""))
    said, example = fault.split(" An account without a label has ")
    assert said == (
        'scheme "plan_required": the last rule, and no other, must be without "when", so that every account gets '
        'exactly one label. Last is "plan.win_back"; without "when": none.'
    )
    fields = dict(part.split("=") for part in example.removesuffix(".").split(", "))
    known = {"contribution_class": str, "potential_class": str, "wallet_share": float, "p_alive": float}
    table = accounts(**{name: kind(fields[name]) for name, kind in known.items() if name in fields})
    table["has_bought"] = fields["has_bought"] == "yes"
    assert not assign(table, contribution_cut_high=9e6)["plan_required"].any()


def test_all_faults_come_at_once_without_those_that_only_follow():
    text = changed('field = "p_alive", op = "<"', 'feild = "p_alive", op = "<"')
    text = text.replace('flags = ["watch"]', 'flags = ["wach"]')
    text = text.replace('"Mid", "High"] }]\nlabel = "acquire"', '"Mid", "High"] }]\nlabel = "aquire"')
    assert faults(text) == [
        'states "silent": when, all[0], any[0]: unknown key "feild". Did you mean "field"?',
        'rule "prospect.acquire": unknown label "aquire". Did you mean "acquire"?',
        'rule "silent.watch": unknown flag "wach". Did you mean "watch"?',
    ]


def test_a_file_that_is_no_playbook(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_playbook(tmp_path / "none.toml")
    path = tmp_path / "mine.toml"
    path.write_text("states = [")
    with pytest.raises(ConfigError, match=r"mine\.toml is no valid TOML"):
        load_playbook(path)
    path.write_text("states = 3\nversion = 1")
    with pytest.raises(ConfigError, match=r"states: write each entry under its own \[\[states\]\]"):
        load_playbook(path)


def test_a_changed_threshold_changes_the_label(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        changed('field = "p_alive", op = "<", of = "p_gone"', 'field = "p_alive", op = "<", value = 0.95'), "utf-8"
    )
    quiet = accounts(days_since_last=300)
    got = [assign(quiet, book, contribution_cut_high=9e6)["flags"].iloc[0] for book in (None, path)]
    assert got == ["", "lapsed"]


def test_a_decision_holds_until_its_day_and_not_longer():
    book = parse(SHIPPED + OVERRIDE.format(account="A1", label="retain", until="2025-12-31"), name="mine.toml")
    got = assign(accounts(), book, contribution_cut_high=2e6, as_of=AS_OF).iloc[0]
    assert (got["strategy"], got["strategy_rule"], got["flags"]) == ("retain", "override", "override")
    assert got["strategy_inputs"] == "owner=Wu Fang; reason=joint plant in 2026; until=2025-12-31"
    later = assign(accounts(), book, contribution_cut_high=2e6, as_of=date(2026, 1, 1)).iloc[0]
    assert (later["strategy"], later["strategy_rule"], later["flags"]) == ("static", "static.type_d", "")
    in_force, expired = book.overrides_at(date(2026, 1, 1))
    assert ([o.account for o in in_force], [o.account for o in expired]) == ([], ["A1"])


def test_a_plan_follows_the_decision():
    book = parse(SHIPPED + OVERRIDE.format(account="A1", label="win_back", until="2026-06-30"), name="mine.toml")
    got = assign(accounts(), book, contribution_cut_high=2e6, as_of=AS_OF).iloc[0]
    assert (got["strategy"], got["plan_required_rule"]) == ("win_back", "plan.win_back")


def test_a_decision_cannot_contradict_the_states():
    book = parse(SHIPPED + OVERRIDE.format(account="A1", label="promote", until="2026-06-30"), name="mine.toml")
    with pytest.raises(ConfigError, match=r'"a loss is never sold more of" by 1 accounts \(first: A1\)'):
        assign(accounts(p_negative=0.9), book, contribution_cut_high=2e6, as_of=AS_OF)


def test_a_decision_needs_its_account_and_the_as_of_date():
    book = parse(SHIPPED + OVERRIDE.format(account="A9", label="retain", until="2026-06-30"), name="mine.toml")
    with pytest.raises(ConfigError, match=r"name accounts that the data do not have \(first: A9\)"):
        assign(accounts(), book, contribution_cut_high=2e6, as_of=AS_OF)
    with pytest.raises(ConfigError, match="give the as-of date"):
        assign(accounts(), book, contribution_cut_high=2e6)


def test_a_state_that_names_one_further_down_is_told_so():
    text = changed('id = "silent"\nwhen.all = [', 'id = "silent"\nwhen.all = [\n    { not = { field = "negative" } },')
    assert faults(text) == [
        'state "silent": "negative" stands further down; only fields and what stands above can be named.'
    ]
