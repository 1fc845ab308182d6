"""What the pages ask for: the headline, the lists of accounts by strategy, urgent facts, names as they are."""

import re

import pandas as pd
import pytest
from fake_run import GROUPS, FakeRun, T, accounts, run_of

from kamlab.i18n import Translator
from kamlab.reports.sections import (
    actions,
    answers,
    data,
    unusable,
)


def test_a_strategy_without_accounts_says_so_in_one_line():
    run = run_of(accounts())
    for section in (actions.protect, actions.win_back, actions.promote, actions.acquire, actions.repair):
        (block,) = section(run, T)
        heading, _, sentence = block.markdown.partition("\n\n")
        assert heading.startswith("### ")
        assert sentence.endswith(".")


@pytest.mark.parametrize(("better", "columns"), [(1, ["likely"]), (0, [])])
def test_prospects_are_listed_with_their_likeliest_segment_where_such_guesses_are_right(better, columns):
    listed = run_of(accounts(strategy=["acquire"], strategy_rule=["prospect.acquire"]))
    likely = pd.DataFrame({"account": ["A"], "rank": [1], "segment_name": ["Large regular buyers"]})
    run = FakeRun(listed.tables | {"prospect_segments": likely}, {"prospect_segments": {"better": better}})
    _, table = actions.acquire(run, T)
    assert [column.key for column in table.columns if column.key == "likely"] == columns
    assert ("Large regular buyers" in table.rows[0]) == bool(better)


def test_an_account_is_listed_with_its_reason_and_without_an_owner_column_where_nobody_owns():
    _, table = actions.retain(run_of(accounts()), T)
    assert [c.key for c in table.columns] == ["name", "type", "expected_contribution", "p_alive", "reason"]
    row = [cell.replace("\u00a0", " ") for cell in table.rows[0]]
    assert row[:4] == ["*Star* & Sons", "B", "EUR 2.00", "90%"]
    assert row[4].startswith("Expected to bring EUR 2.00")


def test_slipping_revenue_is_counted_from_the_best_year_that_the_reason_names():
    shrunk = accounts(
        strategy=["win_back"], strategy_rule=["win_back.shrinking"], peak_revenue=[200.0], prior_peak_revenue=[100.0]
    )
    _, listed = actions.protect(run_of(shrunk), T)
    row = [cell.replace("\u00a0", " ") for cell in listed.rows[0]]
    assert row[2] == "EUR 92.0"  # 100 less the 8 that are expected
    assert "from EUR 100 in its best 12 months before" in row[-1]
    assert "declining accounts was off by \u221226%" in listed.note.replace("\u00a0", "")
    better = FakeRun(run_of(shrunk).tables | {"record_groups": GROUPS.assign(naive_rmse=999.0)}, {})
    assert actions.protect(better, T)[1].note == ""


def test_a_probability_near_nothing_is_not_printed_as_nothing():
    gone = accounts(strategy=["win_back"], strategy_rule=["win_back.silent"], p_alive=[0.003])
    _, listed = actions.win_back(run_of(gone), T)
    assert listed.rows[0][3].replace("\u00a0", "") == "under 5%"


def test_only_accounts_with_headroom_are_promoted_and_the_others_are_counted():
    two = pd.concat([accounts(), accounts(account=["B"], headroom=[0.0])], ignore_index=True)
    _, listed = actions.promote(run_of(two.assign(strategy="promote", strategy_rule="promote.mid")), T)
    assert len(listed.rows) == 1
    assert listed.note.startswith("1 account under this strategy has no headroom")


def test_an_account_that_has_probably_gone_and_carries_the_forecast_is_an_urgent_fact():
    run = run_of(accounts(p_alive=[0.04], name=["Dunaverde, S.A. de C.V."]))
    (block,) = actions.urgent(run, T)
    said = block.markdown.replace("\u00a0", " ")
    assert "1 account has probably gone, and is still forecast with EUR 8.00 of revenue" in said
    assert "under 5%" in said
    returned = run_of(accounts(name=["Dunaverde, S.A. de C.V."], flags=["returning"]))
    assert actions.urgent(returned, T)[0].markdown.endswith("C\\.V\\.")


def first_page(revenue, **changes):
    """A run whose one account is worth a headline."""
    return FakeRun(run_of(accounts(**changes)).tables, {"revenue": {"trailing": 105.0, "previous": revenue}})


@pytest.mark.parametrize(
    ("previous", "said"),
    [
        (100.0, "# Revenue rose 5% to EUR 105"),
        (210.0, "# Revenue fell 50% to EUR 105"),
        (105.2, "# Revenue held at EUR 105"),
        (None, "# Revenue of the last 12 months: EUR 105"),
    ],
)
def test_the_first_line_says_what_happened_and_what_is_asked(previous, said):
    silent = {"strategy": ["win_back"], "strategy_rule": ["win_back.silent"]}
    (block,) = answers.opening(first_page(previous, **silent), T)
    assert block.markdown.replace("\u00a0", " ") == f"{said}; 1 account puts EUR 12.0 of revenue a year at risk"


def test_names_in_sentences_are_not_read_as_markdown():
    run = run_of(accounts(flags=["returning"]))
    (block,) = actions.urgent(run, T)
    assert "1 account has come back after more than a year: \\*Star\\* \\& Sons." in block.markdown


def test_a_young_log_does_not_claim_that_nobody_leaves():
    young = run_of(accounts(days_known=[300.0]))
    for section in (actions.protect, actions.win_back):
        (block,) = section(young, T)
        assert "Cannot be judged from this log" in block.markdown


def test_chinese_sections_hold_no_latin_words_but_names():
    t = Translator("zh", currency="EUR")
    everything = pd.concat([accounts()] * 5, ignore_index=True).assign(
        account=list("ABCDE"),
        owner=["Wu Fang", None, None, None, None],
        type_000=list("BCBDA"),
        strategy=["retain", "win_back", "promote", "static", "acquire"],
        strategy_rule=["retain.value", "win_back.silent", "promote.mid", "negative.repair", "prospect.acquire"],
        flags=["returning", "override", "no_owner, review", "repair", "check_margin"],
        plan_required=True,
    )
    run = run_of(everything)
    names = ("protect", "win_back", "promote", "acquire", "repair", "retain", "urgent")
    sections = [getattr(actions, name) for name in names]
    printed = [block.to_json() for section in sections for block in section(run, t)]
    reasons = pd.DataFrame({"reason": [*unusable.REASONS, "5 fields where the header has 4; cost is not a number"]})
    lines = reasons.assign(line=range(2, 2 + len(reasons)), amount=None)
    run = FakeRun({"quarantine": lines, "table_quarantine": lines.head(0)})
    printed += [block.to_json() for block in data.quarantine(run, t)]
    said = []

    def collect(node, key=""):
        if isinstance(node, dict):
            for name, value in node.items():
                collect(value, name)
        elif isinstance(node, (list, tuple)):
            for value in node:
                collect(value, key)
        elif isinstance(node, str) and key not in ("kind", "key", "align"):
            said.append(node)

    collect(printed)
    words = set(re.findall("[A-Za-z]{2,}", " ".join(said)))
    settings = {"kind", "kinds", "decimal", "date", "format"}
    assert words == {"EUR", "Star", "Sons", "Wu", "Fang", "quarantine"} | settings
