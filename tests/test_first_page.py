"""The first page: decisions with their money, leader, day and gain; people and what is owed; the bridge in words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from fake_run import CONFIG, FakeRun, T, accounts, plain, run_of

from kamlab import coverage
from kamlab.config import Planning
from kamlab.figures import bridge as picture
from kamlab.reports.sections import actions, bridge, decisions

SURE = Planning(gain={"win_back": (0.1, 0.1, 0.1), "promote": (0.2, 0.2, 0.2)}, cost_per_person=40.0)


def asked():
    """Two accounts to win back and one that loses money, with draws of what they bring."""
    table = pd.concat([accounts()] * 3, ignore_index=True).assign(
        account=list("ABC"),
        name=["Alpha", "Beta", "Gamma"],
        owner=["Wu Fang", "Wu Fang", "Ann"],
        strategy=["win_back", "win_back", "static"],
        strategy_rule=["win_back.silent", "win_back.silent", "negative.repair"],
        flags=["", "hold", "repair"],
        plan_required=[True, True, False],
        trailing_margin=[1.0, 1.0, -7.0],
        expected_contribution=[2.0, 2.0, -5.0],
    )
    run = run_of(table)
    run.config = CONFIG.model_copy(update={"planning": SURE})
    run.tables |= {
        "forecast": table[["account", "expected_contribution"]].assign(basis="contribution"),
        "draws": pd.DataFrame({"account": list("ABC"), "d0": [2.0, 2.0, -4.0], "d1": [2.0, 2.0, 3.0]}),
        "gains": pd.DataFrame(
            {
                "account": list("ABC"),
                "strategy": ["win_back", "win_back", "static"],
                "room_contribution": [30.0, 10.0, 0.0],
                "gain_contribution": [3.0, 1.0, 0.0],
            }
        ),
    }
    return run


def test_each_decision_has_accounts_money_a_leader_a_day_and_a_gain():
    _, table = decisions.table_of_decisions(asked(), T)
    won, repaired = [[plain(cell) for cell in row] for row in table.rows]
    # 20 − 8 each at stake; a tenth of the room of 40 for certain.
    assert won == ["Win back: silent", "2", "EUR 24.0", "1", "Wu Fang", "30 Jan 2026", "EUR 4.00 (4.00 to 4.00)"]
    # Expected to lose 5; of the two draws one loses 4 and one nothing, so the 5 to 95 % quantiles are 0.2 and 3.8.
    assert repaired == ["Repair: lose money", "1", "EUR 7.00", "1", "Ann", "1 Mar 2026", "EUR 5.00 (0.20 to 3.80)"]
    assert "Win back: 10% to 10%" in plain(table.note)


def test_who_has_left_neither_leads_nor_counts():
    run = asked()
    run.tables["account_table"] = run.tables["account_table"].assign(owner_left=[True, True, False])
    _, table = decisions.table_of_decisions(run, T)
    assert [plain(row[4]) for row in table.rows] == ["nobody yet", "Ann"]
    assert [row[3] for row in table.rows] == ["0", "1"]


def test_nobody_leads_where_nobody_owns():
    run = asked()
    run.tables["accounts"]["owner"] = None
    _, table = decisions.table_of_decisions(run, T)
    assert "Led by" not in [column.label for column in table.columns]


def test_without_a_decision_the_page_says_so():
    (block,) = decisions.table_of_decisions(run_of(accounts()), T)
    assert block.markdown.endswith("No account asks for a decision.")


def test_people_there_are_by_the_ratio_and_paid_for():
    run = asked()
    run.facts["headcount"] = {"had": 2, "least": 3.2, "most": 4.9}
    labels = {"account": list("ABC"), "scheme": "coverage_004", "label": ["one", "one", "pooled"]}
    run.tables |= {"labels": pd.DataFrame(labels), "credit": pd.DataFrame()}
    run.tables["gains"]["gain_contribution"] = [41.0, 39.0, 0.0]
    (block,) = decisions.people(run, T)
    said = plain(block.markdown)
    assert said.startswith("- **People:** 2 look after accounts; the ratio")
    # A pays its own person (41 of 40); B does not and is pooled with C: 1 + 2/60.
    assert said.endswith("Expected gains would pay for 1.0, at EUR 40.0 a person and year.")


def test_money_owed_is_that_of_key_accounts():
    run = asked()
    run.facts["headcount"] = {"had": 0}
    owed = {
        "account": list("ABC"),
        "overdue": [5.0, 1.0, 99.0],
        "overdue_90": [2.0, 0.0, 99.0],
        "disputed": [0.0, 3.0, 99.0],
    }
    run.tables["credit"] = pd.DataFrame(owed)
    (block,) = decisions.people(run, T)
    assert plain(block.markdown) == (
        "- **Money owed by key accounts:** EUR 6.00 overdue (EUR 2.00 over 90 days), EUR 3.00 disputed; 1 on hold."
    )


def test_an_account_shares_a_person_by_the_ratio():
    labels = pd.Series(["one", "two", "three_to_five", "pooled", "self_service"])
    gains = pd.Series([100.0, 49.0, np.nan, 0.0, 0.0])
    # Only the first pays its share of 100; the second, half a person, is one short; two and the pooled share the pool.
    assert coverage.affordable(labels, gains, cost_per_person=100.0) == pytest.approx(1 + 3 / 60)


def changes_of(n):
    names = [f"a{i}" for i in range(n)]
    bought = pd.DataFrame({"account": names, "trailing_revenue": [50.0] + [50.0 / (n - 1)] * (n - 1)})
    tables = {"summary": bought, "accounts": pd.DataFrame({"account": names, "name": names})}
    tables["changes"] = pd.DataFrame(
        {"account": names, "revenue_before": 10.0, "revenue_now": bought["trailing_revenue"]}
    ).assign(change=lambda c: c["revenue_now"] - c["revenue_before"])
    return FakeRun(tables, {"revenue": {"trailing": 100.0, "previous": 10.0 * n}})


def test_the_dependence_on_the_largest_accounts_is_said():
    said, drawn = bridge.what_changed(changes_of(26), T)
    # Half of the money is one account's; nine of the 25 others bring 2 each.
    assert "The ten largest of 26 buying accounts brought 68% of the revenue" in plain(said.markdown)
    assert "a0 alone 50%" in plain(said.markdown)
    assert "Grown (EUR 40.0)" in plain(drawn.alt)
    assert "Shrunk (EUR −200)" in plain(drawn.alt)


def test_without_a_year_to_compare_there_is_no_bridge():
    run = changes_of(26)
    run.facts["revenue"]["previous"] = None
    (said,) = bridge.what_changed(run, T)
    assert said.kind == "text"
    assert bridge.dependence(changes_of(8), T) == []


def test_the_bridge_names_what_was_lost_and_won():
    steps = pd.DataFrame(
        {
            "part": ["previous", "lost", "shrunk", "grown", "new", "other", "trailing"],
            "accounts": [4, 1, 1, 1, 1, 0, 4],
            "money": [197.0, -30.0, -20.0, 15.0, 12.0, 0.1, 174.1],
        }
    )
    assert plain(picture.title(steps, T)) == (
        "Lost and shrunk accounts took EUR 50.0 away; grown and new ones brought EUR 27.0"
    )
    figure = picture.draw(steps, T)
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    plt.close(figure)
    assert labels[1] == "Lost\n1 account"
    assert len(labels) == 6, "what has no account is too little for a bar"


def test_who_owes_and_whose_plan_is_stale_is_an_urgent_fact():
    run = asked()
    (block,) = actions.urgent(run, T)
    assert "1 account has owed money for more than 90 days; deliveries on credit are on hold: Beta." in block.markdown
    run.tables["plans"] = pd.DataFrame(
        {"account": list("ABC"), "stale": [True, False, True], "updated": [pd.Timestamp("2025-03-01")] * 2 + [pd.NaT]}
    )
    (block,) = actions.stale_plans(run, T)
    assert block.markdown == "- 1 account plan has not been touched for longer than is allowed: Alpha."
    run.tables["plans"]["stale"] = False
    assert actions.stale_plans(run, T) == []
