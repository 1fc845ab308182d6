"""Lists for the next review and the playbook in words, as a reader sees them."""

import pandas as pd
import pytest
from fake_run import FakeRun, T

from kamlab.reports.sections import lists, pipeline, words
from kamlab.strategies import guide, load_playbook

ACCOUNTS = pd.DataFrame(
    {
        "account": ["a", "b", "c"],
        "name": ["*Acme*", "Beta", "Gamma"],
        "owner": ["Li Na", None, "Ana"],
        "trailing_revenue": [1e6, 2e6, 3e6],
        "expected_contribution": [1e5, 2e5, 3e5],
        "p_negative": [0.9, 0.95, 0.1],
        "p_negative_standard": [0.85, 0.2, 0.1],
        "p_negative_before": [0.9, float("nan"), 0.1],
        "potential_revenue": [9e6, 8e6, 7e6],
        "wallet_share": [0.1, float("nan"), 0.4],
        "rival_share": [0.6, 0.7, float("nan")],
        "headroom": [5e5, 6e5, 0.0],
        "disputed": [0.0, 3e5, 0.0],
        "overdue_90": [1e5, 0.0, 0.0],
        "disputed_90": [0.0, 3e5, 0.0],
        "abc_004": ["A", None, "A"],
    }
)
STRATEGIES = pd.DataFrame(
    {
        "account": ["a", "b", "c"],
        "name": "x",
        "owner": "x",
        "strategy": ["static", "static", "promote"],
        "type_000": ["D", None, "A"],
        "flags": ["repair, conquest", "check_margin, conquest", ""],
    }
)
LABELS = pd.DataFrame(
    [
        ("a", "remove_list", "proposed"),
        ("b", "remove_list", "watched"),
        ("c", "remove_list", "no"),
        ("a", "coverage_004", "pooled"),
        ("b", "coverage_004", "pooled"),
        ("c", "coverage_004", "one"),
        ("a", "four_001", "IV"),
        ("c", "four_001", "I"),
        ("c", "engagement_001", "team"),
    ],
    columns=["account", "scheme", "label"],
)
DEALS = pd.DataFrame(
    {
        "deal": ["1", "2"],
        "account": ["a", None],
        "product": ["NA", "NB"],
        "owner": ["Li Na", "Ana"],
        "age_days": [400, 20],
        "value": [1e6, 2e6],
        "p_win_30": [0.1, 0.2],
        "p_win_91": [0.2, 0.3],
        "p_win_182": [0.3, 0.4],
        "p_win": [0.4, 0.5],
        "stalled": [True, False],
        "expected_close": [pd.NaT, pd.Timestamp("2026-03-01")],
    }
)


def run(**tables):
    given = {"account_table": ACCOUNTS, "strategies": STRATEGIES, "labels": LABELS, "accounts": ACCOUNTS}
    given |= {"pipeline": DEALS, "forecast": pd.DataFrame({"basis": ["contribution"]})}
    return FakeRun(given | tables, {"left_out": {}, "overrides": {"expired": []}, "pipeline_total": {}})


def rows(block):
    return [[cell.replace("\u00a0", " ") for cell in row] for row in block.to_json()["rows"]]


def test_losses_with_their_probability_today_at_standard_service_and_before():
    (block,) = lists.below_zero(run(), T)
    assert rows(block) == [
        ["Beta", "EUR 2.00 M", "95%", "20%", "–"],
        ["*Acme*", "EUR 1.00 M", "90%", "85%", "90%"],
    ]


def test_the_remove_list_has_two_stages_and_is_a_proposal():
    said, block = lists.removals(run(), T)
    assert "A proposal, not a decision." in said.to_json()["markdown"]
    assert [row[:2] for row in rows(block)] == [["*Acme*", "Proposed for removal"], ["Beta", "Watched"]]
    assert lists.removals(run(labels=LABELS[LABELS["label"] != "proposed"].iloc[1:]), T) == []


def test_customers_to_win_from_rivals_by_headroom():
    (block,) = lists.rivals(run(), T)
    assert [row[0] for row in rows(block)] == ["Beta", "*Acme*"]
    assert rows(block)[1][2:4] == ["10%", "60%"]


def test_calendar_and_stalled_deals():
    likely, dated = pipeline.calendar(run(), T)
    assert rows(likely)[1] == ["within 91 days", "0.5", "EUR 800 k"]  # 0.2 x 1 M + 0.3 x 2 M
    assert rows(dated) == [["1 Mar 2026", "2", "NB", "Ana", "EUR 2.00 M"]]
    (block,) = pipeline.stalled(run(), T)
    assert rows(block) == [["*Acme*", "NA", "Li Na", "400", "EUR 1.00 M", "40%"]]


def test_accounts_on_hold_show_what_they_dispute_beside_their_revenue():
    credit = pd.DataFrame({"outstanding": [1.0], "overdue": [1.0], "overdue_90": [1.0], "disputed": [3e5]})
    *_, block = pipeline.payments(run(credit=credit.assign(expected_loss=0.5)), T)
    assert rows(block) == [
        ["Beta", "EUR 2.00 M", "EUR 300 k", "EUR 0"],
        ["*Acme*", "EUR 1.00 M", "EUR 0", "EUR 100 k"],
    ]


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        ([5e4, 2e4], "EUR 70.0 k of it is expected to be lost, by what has become of earlier invoices."),
        ([float("nan")] * 2, "Too few invoices are old enough to say what of it will be lost."),
    ],
)
def test_what_of_the_unpaid_will_be_lost(loss, sentence):
    credit = pd.DataFrame({"outstanding": [1e6, 1e5], "expected_loss": loss})
    first, *_ = pipeline.payments(run(credit=credit.assign(overdue=0.0, overdue_90=0.0, disputed=0.0)), T)
    assert sentence in first.markdown.replace("\u00a0", " ")


def test_open_deals_stand_among_what_is_to_be_done_where_there_are_any():
    heading, said = pipeline.in_hand(run(), T)
    assert heading.markdown == "### Open deals"
    assert "are open, worth" in said.markdown
    assert pipeline.in_hand(run(pipeline=pd.DataFrame()), T) == []


def test_words_are_those_of_what_is_in_use():
    (types,) = words.types(run(), T)
    assert [row[0] for row in rows(types)] == ["Type A", "Type D"]
    goals, steps, tactics = words.strategies(run(), T)
    assert [row[0] for row in rows(goals)] == [row[0] for row in rows(steps)] == ["Promote", "Wait and see"]
    assert "Acquire" not in tactics.to_json()["markdown"]
    (aspects,) = words.aspects(run(), T)
    assert [column["label"] for column in aspects.to_json()["columns"]] == [
        *("Aspect", "Support and develop", "Serve at lower cost"),
    ]
    (departments,) = words.departments(run(), T)
    assert len(rows(departments)) == len(guide.DEPARTMENTS)
    (engagement,) = words.engagement(run(), T)
    assert [row[:2] for row in rows(engagement)] == [["Team to one", "1"]]
    (principles,) = words.principles(run(), T)
    assert all(sentence in principles.to_json()["markdown"] for sentence in guide.PRINCIPLES.values())


def test_rules_without_effect_are_named():
    told = run()
    assert words.rules(told, T) == []
    told.facts["left_out"] = {"terms_002": "credit_002, overdue_90"}
    told.facts["overrides"] = {"expired": [["A*1", "strategy", "promote", "Wu Fang", "2025-06-30"]]}
    (block,) = words.rules(told, T)
    text = block.to_json()["markdown"].replace("\u00a0", " ")
    assert "“terms_002” is left out: the data hold none of credit_002, overdue_90." in text
    assert r"for A\*1, taken by Wu Fang, ended on 30 Jun 2025 and is ignored." in text


@pytest.mark.parametrize("scheme", ["four_001", "engagement_001"])
def test_the_words_cover_every_label(scheme):
    labels = next(s.labels for s in load_playbook().schemes if s.id == scheme)
    assert set(guide.SCHEMES[scheme]) == set(labels)
