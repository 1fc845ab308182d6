"""Words for every label, and tactics of the company's own."""

from importlib import resources

import pytest

from kamlab.errors import ConfigError
from kamlab.i18n import Translator
from kamlab.strategies import guide, load_playbook
from kamlab.strategies.playbook import parse

SHIPPED = resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8")
EXPLAINED_ELSEWHERE = {
    *("contribution_level", "potential_level", "type_000", "strategy", "plan_required"),
    "cadence_002",
}


def test_every_label_of_every_scheme_has_its_words():
    for scheme in load_playbook().schemes:
        if scheme.id not in EXPLAINED_ELSEWHERE:
            words = guide.SCHEMES.get(scheme.id) or guide.NAMES[scheme.id]
            assert set(words) == set(scheme.labels), scheme.id
    schemes = {scheme.id: scheme for scheme in load_playbook().schemes}
    assert set(guide.ADVICE) == set(schemes["strategy"].labels)
    assert set(guide.EFFORT) == set(schemes["type_000"].labels)
    assert set(guide.ASPECTS) == set(guide.ASPECT_NAMES)
    assert all(set(sentences) == set(schemes["four_001"].labels) for sentences in guide.ASPECTS.values())
    assert set(guide.DEPARTMENTS) == set(guide.DEPARTMENT_NAMES)
    assert all(set(sentences) == set(schemes["strategy"].labels) for sentences in guide.DEPARTMENTS.values())


def test_every_text_has_its_sources():
    with_words = {*guide.SCHEMES, *guide.NAMES, *(f"strategy.{name}" for name in guide.ADVICE)}
    assert with_words <= set(guide.SOURCES)
    assert all(sources for sources in guide.SOURCES.values())


def test_names_in_the_readers_language():
    assert guide.name(Translator("en"), "four_001", "II") == "Maintain efficiently"
    assert guide.name(Translator("en"), "lifecycle_002", "at_risk") == "At risk"
    assert guide.name(Translator("en"), "my_scheme", "my label") == "my label"


def test_a_companys_own_tactics_stand_beside_ours():
    text = SHIPPED + '\n[[tactics]]\nstrategy = "promote"\ntext = "Invite to the plant in Suzhou."\n'
    got = guide.tactics(Translator("en"), "promote", parse(text, name="mine.toml"))
    assert got[-1] == "Invite to the plant in Suzhou."
    assert len(got) == 4
    assert "Invite" not in " ".join(guide.tactics(Translator("en"), "retain", parse(text, name="mine.toml")))


def test_a_tactic_for_no_strategy_is_a_fault():
    text = SHIPPED + '\n[[tactics]]\nstrategy = "promot"\ntext = "Call."\n'
    with pytest.raises(ConfigError, match=r'tactic "Call\.": unknown strategy "promot"\. Did you mean "promote"\?'):
        parse(text, name="mine.toml")
