"""Key accounts that pay for a person of their own, worked out by hand, and what a reader sees of it."""

import numpy as np
import pandas as pd
import pytest
from fake_run import CONFIG
from strategy_accounts import CUT, ORDINARY
from test_owners_section import FakeRun, T, plain, plain_text

from kamlab import gains, handling, terms
from kamlab.errors import ConfigError
from kamlab.reports.sections import coverage, owners
from kamlab.strategies import assign_all, load_playbook
from kamlab.strategies.playbook import parse

# Account, class by amount, expected gain. A person costs 100: A must win more than 100, B than 50, C than 26 2/3.
COMPANY = [
    ("a1", "A", 400.0),
    ("a2", "A", 100.0),  # no more than it costs
    ("a3", "A", 130.0),
    ("b1", "B", 60.0),
    ("b2", "B", 49.0),
    ("c1", "C", 90.0),
    ("c2", "C", 26.0),
    ("n", None, 900.0),  # no class by amount: nothing says how many a person looks after
    ("s", "A", 500.0),  # needs no plan
]


def weighed(cost=100.0, people=None):
    rows = pd.DataFrame(COMPANY, columns=["account", "abc_004", "won"])
    accounts = rows[["account", "abc_004"]].assign(plan_required=rows["account"] != "s")
    won = rows["won"]
    table = pd.DataFrame({"account": rows["account"], "gain_contribution": won})
    table = table.assign(gain_contribution_lower=won / 2, gain_contribution_upper=won * 2)
    return accounts, handling.weigh(accounts, table, cost_per_person=cost, people=people)


def labelled(cost=100.0, people=None):
    """Return the label of coverage of each account, and what stands behind it, by the shipped playbook."""
    accounts, table = weighed(cost, people)
    rows = pd.DataFrame([ORDINARY | {"account": account} for account in accounts["account"]])
    # High contribution of a small share is type A and needs a plan; of low potential it is B and needs none.
    rows = rows.assign(contribution_class="High", abc_004=accounts["abc_004"])
    rows.loc[rows["account"] == "s", "potential_class"] = "Low"
    found = assign_all(rows.merge(table.drop(columns="abc_004"), on="account", how="left"), contribution_cut_high=CUT)
    return table, found[found["scheme"] == "coverage_004"].set_index("account")


def test_the_share_of_a_person_is_held_against_the_gain():
    _, table = weighed(people=10)
    assert list(table) == [column.name for column in terms.TABLES["handling"]]
    table = table.set_index("account")
    assert sorted(table.index) == ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]
    assert table["handling_cost"].to_dict() == pytest.approx(
        {"a1": 100, "a2": 100, "a3": 100, "b1": 50, "b2": 50, "c1": 80 / 3, "c2": 80 / 3}
    )
    # Those that pay, the largest gain first: 400, 130, 90, 60.
    assert table["handling_place"].dropna().to_dict() == {"a1": 1, "a3": 2, "c1": 3, "b1": 4}
    assert table.loc["b1", ["uplift", "uplift_lower", "uplift_upper"]].tolist() == [60, 30, 120]


@pytest.mark.parametrize(
    ("people", "places"),
    [(1, 1), (2, 2), (2.3, 3), (2.7, 3), (10, 4)],  # a1 takes 1, a3 1, c1 0.267, b1 0.5
)
def test_capacity_takes_the_largest_gain_first(people, places):
    _, table = weighed(people=people)
    assert set(table["handling_places"]) == {places}


def test_coverage_by_the_playbook():
    _, found = labelled(people=2)
    assert found["label"].to_dict() == {
        **{"a1": "one", "a2": "pooled", "a3": "one", "b1": "pooled", "b2": "pooled", "c1": "pooled", "c2": "pooled"},
        **{"n": "pooled", "s": "pooled"},
    }
    assert set(found.loc[["a2", "b1", "b2", "c1", "c2"], "rule"]) == {"coverage_004.shared"}
    for part in ("handling_cost=100.00", "uplift=100.00", "handling_place=unknown", "handling_places=2"):
        assert part in found.loc["a2", "inputs"]
    _, roomy = labelled(people=10)
    assert roomy["label"].drop(["n", "s"]).to_dict() == {
        **{"a1": "one", "a2": "pooled", "a3": "one", "b1": "two", "b2": "pooled", "c1": "three_to_five"},
        "c2": "pooled",
    }


def test_without_a_cost_nothing_is_judged_and_capacity_counts_all_the_same():
    table, found = labelled(cost=None, people=None)
    assert table["handling_cost"].isna().all()
    assert table["handling_places"].isna().all()
    assert found["label"].drop(["n", "s"]).tolist() == ["one", "one", "one", "two", "two"] + ["three_to_five"] * 2
    # 400, 130, 100 for whole persons, then 90, which fits no more.
    table, found = labelled(cost=None, people=3)
    assert table.set_index("account")["handling_place"].to_dict() == {
        **{"a1": 1, "a3": 2, "a2": 3, "c1": 4},
        **{"b1": 5, "b2": 6, "c2": 7},
    }
    assert found.index[found["label"] == "one"].tolist() == ["a1", "a2", "a3"]
    assert (found["label"].drop(["a1", "a2", "a3"]) == "pooled").all()


def counted(cost=100.0, people=10):
    table, found = labelled(cost, people)
    accounts = found["label"].rename("coverage_004").reset_index()
    return handling.count(accounts, pd.Series(["Li", "Wu", "", None, "Li", "Li", "Li", "Li", "Li"]), table)


def test_people_had_by_the_ratio_and_affordable():
    got = counted()
    # Ratio: 3 of A, 2 of B, 2 of C, two others in the pool. Paid: a1, a3, b1, c1; five others are pooled.
    assert got.had == 2
    assert (got.least, got.most) == pytest.approx((3 + 1 + 2 / 5 + 2 / 60, 3 + 1 + 2 / 3 + 2 / 60))
    assert got.affordable == pytest.approx(1 + 1 + 1 / 2 + 4 / 15 + 5 / 60)
    assert (got.key, got.handled, got.unpaid, got.beyond, got.pooled) == (7, 4, 3, 0, 5)
    assert got.handled_people == pytest.approx(2.5 + 4 / 15)
    capped = counted(people=2)
    assert (capped.handled, capped.unpaid, capped.beyond, capped.pooled) == (2, 3, 2, 7)
    assert capped.affordable == got.affordable, "what pays does not depend on who is there"
    assert counted(cost=None).affordable is None


def test_an_account_gains_within_the_range_of_its_strategys_share():
    rooms = pd.DataFrame({"account": ["p", "s"], "strategy": ["promote", "static"], "room": 1000.0})
    rooms["room_contribution"] = [200.0, 50.0]
    shares = {"promote": (0.1, 0.2, 0.6)}
    drawn = pd.DataFrame([np.linspace(0.1, 0.6, 101), np.zeros(101)], index=["promote", "static"])
    got = gains.by_account(rooms, drawn, shares, level=0.9)
    assert list(got) == [column.name for column in terms.TABLES["gains"]]
    columns = ["gain", "gain_contribution", "gain_contribution_lower", "gain_contribution_upper"]
    # Mean of the assumption 0.3; 5 and 95 % of the draws are 0.125 and 0.575.
    assert got[columns].to_numpy().tolist() == [pytest.approx([300, 60, 25, 115]), [0, 0, 0, 0]]


def test_strategy_cannot_rest_on_what_follows_from_it():
    from importlib import resources

    text = resources.files("kamlab.strategies").joinpath("playbook.toml").read_text("utf-8")
    wrong = text.replace('label = "acquire"\n', 'label = "acquire"\nflags = ["watch"]\n', 1).replace(
        'id = "watch"\n', 'id = "watch"\nwhen = { field = "handling" }\n'
    )
    wrong = wrong.replace(
        'when.all = [{ field = "contribution_level", in = ["Mid"] }, { field = "future" }]',
        'when.all = [{ field = "contribution_level", in = ["Mid"] }, { field = "future" }, { field = "handling" }]',
    )
    label = 'label = "two" }'
    assert label in wrong
    wrong = wrong.replace(label, 'label = "two", flags = ["watch"] }')
    with pytest.raises(ConfigError) as told:
        parse(wrong, name="mine.toml")
    said = str(told.value)
    assert 'scheme "strategy": it rests on uplift, handling_cost, handling_place, handling_places' in said
    assert 'scheme "plan_required": it rests on' in said, "the plan follows from the strategy"
    assert 'flag "watch": it rests on' in said
    assert 'scheme "coverage_004": it rests on' in said, "its rules set a flag"
    assert 'scheme "type_000"' not in said
    assert load_playbook() == parse(text, name="playbook.toml")


def test_a_reader_sees_gain_cost_and_reason():
    table, found = labelled(people=2)
    names = pd.DataFrame({"account": list(found.index), "name": [f"*{account}*" for account in found.index]})
    labels = found.reset_index()[["account", "label"]]
    run = FakeRun({"handling": table, "labels": labels, "account_table": names})
    run.config = CONFIG
    (block,) = coverage.one_to_one(run, T)
    rows = {row[0]: [plain_text(cell) for cell in row[1:]] for row in block.rows}
    assert list(rows) == ["*a1*", "*a3*", "*a2*", "*c1*", "*b1*", "*b2*", "*c2*"]
    assert rows["*a1*"] == ["A", "CNY 400 (200 to 800)", "CNY 100", "One account a person", "–"]
    assert rows["*a2*"][-2:] == ["Shared team", "the gain does not pay for it"]
    assert rows["*c1*"][-2:] == ["Shared team", "nobody is left for it"]
    without, found = labelled(cost=None, people=2)
    run = FakeRun({"handling": without, "labels": found.reset_index()[["account", "label"]], "account_table": names})
    run.config = CONFIG
    (block,) = coverage.one_to_one(run, T)
    assert "Its share of a person costs" not in [column.label for column in block.columns]


def test_the_sentences_on_people():
    def said(cost, people):
        facts = {"headcount": vars(counted(cost, people))}
        (block,) = owners.people(FakeRun({"reassignment": pd.DataFrame({"reason": []})}, facts), T)
        return plain(block)

    full = said(100.0, 2)
    assert (
        "2 key accounts have a person of their own, or share one with up to four others: the work of 2.0 people."
        in full
    )
    assert "The shared team takes 3 key accounts whose expected gain does not pay their share of a person." in full
    assert "For 2 key accounts, those of the least gain, nobody is left." in full
    unknown = said(None, 10)
    assert "is not judged: no cost of a person is set." in unknown
    assert "does not pay" not in unknown
