"""What a reader sees of targets, of dimensions and of the period review."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from test_history import COLUMNS

from kamlab import history
from kamlab.config import Company, Config, Source, Transactions
from kamlab.i18n import Translator
from kamlab.period import StudyPeriod
from kamlab.reports.sections import dimensions, moved, review, targets
from kamlab.terms import TABLES

T = Translator("en", currency="EUR")
M = 1e6


class FakeRun:
    config = Config(
        company=Company(name="Acme", currency="EUR"),
        source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
    )
    period = StudyPeriod(date(2025, 12, 31))

    def __init__(self, tables=None, facts=None):
        self._tables, self._facts = tables or {}, facts or {}

    def read(self, name, *, columns=(), where=None):
        return self._tables.get(name, pd.DataFrame(columns=[column.name for column in TABLES[name]]))

    def read_facts(self, name):
        return self._facts.get(name, {})


def plain(text):
    return str(text).replace("\\xa0", " ").replace("\xa0", " ")


def said(blocks):
    return " ".join(plain(block.to_json()) for block in blocks)


def rows_of(name, *rows):
    return pd.DataFrame(rows, columns=[column.name for column in TABLES[name]])


@pytest.mark.parametrize(
    ("actual", "sentence"),
    [
        (110.0, "The plan for these 12 months was EUR 100 M; 10% more came."),
        (93.0, "The plan for these 12 months was EUR 100 M; 7% of it is missing."),
        (100.2, "The plan for these 12 months was EUR 100 M, and it was reached."),
    ],
)
def test_revenue_against_plan_in_one_sentence(actual, sentence):
    run = FakeRun(facts={"plan": {"trailing": {"plan": 100 * M, "actual": actual * M, "by": "owner"}}})
    assert [plain(line) for line in targets.against_plan(run, T)] == [sentence]


def test_without_a_plan_nothing_is_said_of_one():
    assert targets.against_plan(FakeRun(facts={"plan": {"trailing": {}}}), T) == []


def proposal(kind, group, **values):
    row = dict.fromkeys((column.name for column in TABLES["targets"]), np.nan)
    return {**row, "kind": kind, "group": group, "accounts": 2, **values}


def set_targets():
    money = {"trailing": 80 * M, "forecast": 90 * M, "p50": 88 * M, "p80": 99 * M, "gain": 6 * M}
    money |= {"gain_lower": 4 * M, "gain_upper": 9 * M, "target": 96 * M, "stretch": 106 * M}
    chances = {"plan": 100 * M, "chance": 0.2, "chance_with_gain": 0.35}
    rows = [proposal("company", "company", **money, **chances)]
    rows += [proposal("product_line", name, **money, price=4.0, quantity=24 * M) for name in ("Food", "other")]
    coming = {"company": 100 * M, "owner": 92 * M}
    return FakeRun({"targets": pd.DataFrame(rows)}, {"plan": {"trailing": {}, "coming": coming}})


def test_the_proposal_names_forecast_gain_and_the_chance_of_what_was_set():
    text = said(targets.outlook(set_targets(), T))
    for part in (
        "EUR 90.0 M of revenue expected (P50 EUR 88.0 M, P80 EUR 99.0 M)",
        "assumed to add EUR 6.00 M (90% interval: EUR 4.00 M to EUR 9.00 M)",
        "a target of EUR 96.0 M, and EUR 106 M as stretch",
        "Set for the company: EUR 100 M; it is reached with a probability of 20% by the forecast alone, and of 35%",
        "an assumption, not a measurement",
        "Promote 5% (2% to 10%)",
    ):
        assert part in text


def test_top_down_against_bottom_up_prints_the_difference():
    (block,) = targets.reconciliation(set_targets(), T)
    assert [[plain(cell) for cell in row] for row in block.rows] == [
        ["Set for the company (top-down)", "EUR 100 M", "EUR 0", "0%"],
        ["Sum of the owners' targets (bottom-up)", "EUR 92.0 M", "EUR −8.00 M", "−8%"],
        ["Proposed: forecast and planned gain", "EUR 96.0 M", "EUR −4.00 M", "−4%"],
        ["Forecast alone", "EUR 90.0 M", "EUR −10.0 M", "−10%"],
    ]
    (nothing,) = targets.reconciliation(FakeRun(facts={"plan": {"coming": {}}}), T)
    assert "No targets are set for the next 12 months" in plain(nothing.markdown)


def test_targets_stand_in_price_and_volume_where_lines_have_quantities():
    by_line, block = targets.by_group(set_targets(), T)
    assert by_line.rows[1][0] == "not known yet"
    # EUR 80 M at 4.00 were 20 M units; 96 M take 24 M, a fifth more.
    assert [plain(cell) for cell in block.rows[0]] == ["Food", "EUR 4.00", "20,000,000", "24,000,000", "+20%"]
    assert block.rows[1][0] == "not known yet"
    unpriced = FakeRun({"targets": set_targets().read("targets").assign(price=np.nan)})
    assert len(targets.by_group(unpriced, T)) == 1


def plan_rows():
    quarters = [("2024-10-01", "2024-12-31"), ("2025-01-01", "2025-03-31"), ("2025-04-01", "2025-05-31")]
    rows = []
    for group, aim, came in (("Li", 10.0, 8.0), ("Wu", 5.0, 6.0)):
        for n, (start, end) in enumerate(quarters):
            plan = aim * M if n else np.nan
            rows.append(("owner", group, pd.Timestamp(start), pd.Timestamp(end), plan, came * M, 0.0, 0.0, M))
    return pd.DataFrame(rows, columns=[column.name for column in TABLES["plan"]])


def test_owners_against_plan_stand_by_the_size_of_the_gap():
    (block,) = targets.year_by_owner(FakeRun({"plan": plan_rows()}), T)
    assert [[plain(cell) for cell in row[:5]] for row in block.rows] == [
        ["Li", "EUR 20.0 M", "EUR 16.0 M", "EUR −4.00 M", "80%"],
        ["Wu", "EUR 10.0 M", "EUR 12.0 M", "EUR 2.00 M", "120%"],
        ["All owners with a plan", "EUR 30.0 M", "EUR 28.0 M", "EUR −2.00 M", "93%"],
    ]
    assert block.total_rows == 1


def held(expected, actual, naive):
    day = pd.Timestamp("2024-12-31")
    return rows_of(
        "held_against",
        ("company", "company", day, 365, 9, expected * M, 60 * M, 150 * M, actual * M, naive * M, 0.9),
    )


def brief(**tables):
    facts = {"revenue": {"trailing": 110 * M, "previous": 100 * M}, "plan": {"trailing": {}}}
    return said(review.brief(FakeRun(tables, facts), T))


def test_a_simple_rule_that_was_nearer_is_said():
    text = brief(held_against=held(90, 100, 99))
    assert "as of 31 Dec 2024: EUR 90.0 M (90% interval: EUR 60.0 M to EUR 150 M)" in text
    assert (
        "EUR 100 M came (forecast −10%). “Same as the year before” would have said EUR 99.0 M (−1%) and was nearer."
        in text
    )
    assert "and was nearer" not in brief(held_against=held(99, 100, 90))
    assert "too short to test the forecast" in brief()
    assert "EUR 110 M**, against EUR 100 M in the 12 before (+10%)" in brief()


def test_actions_are_counted_and_called_association_only():
    facts = {"actions_review": {"agreed": 9, "done": 3, "late": 2, "overdue": 1, "open": 3}}
    result = rows_of("actions_result", ("done", 4, 10 * M, 12 * M, 0.2, -0.1, 0.5))
    late = rows_of(
        "actions_review",
        ("A1", "a", "*call*", "Li", pd.NaT, pd.Timestamp("2025-12-01"), pd.NaT, "overdue", 30),
        ("A2", "b", "visit", "Wu", pd.NaT, pd.Timestamp("2026-12-01"), pd.NaT, "open", 0),
    )
    names = pd.DataFrame({"account": ["a"], "name": ["Ace"]})
    run = FakeRun({"actions_result": result, "actions_review": late, "accounts": names}, facts)
    text = said(review.actions(run, T))
    for part in (
        "Of 9 actions agreed on, due or done in the last 12 months, 3 were done in time, 2 late; 1 are overdue",
        "Association only",
        "'+20%', '−10% to +50%'",
        "1 action is overdue.",
        "'Ace', '*call*', 'Li', '1 Dec 2025', '30'",
    ):
        assert part in text
    assert "visit" not in text
    assert "No actions are given" in said(review.actions(FakeRun(), T))


def test_stale_plans_are_listed_with_what_is_at_stake():
    plans = pd.DataFrame(
        {
            "account": ["a", "b", "c"],
            "name": ["Ace", "Bee", "Cee"],
            "responsible": ["Li", "", "Li"],
            "strategy": ["retain", "promote", "retain"],
            "at_stake": [5 * M, 9 * M, 70 * M],
            "planned": True,
            "stale": [True, True, False],
            "updated": [pd.Timestamp("2025-06-01"), pd.NaT, pd.Timestamp("2025-12-01")],
            "last_contact": [pd.Timestamp("2025-11-01"), pd.NaT, pd.NaT],
        }
    )
    _, sentence, block = review.stale_plans(FakeRun({"plans": plans}), T)
    assert "2 of 3 account plans are stale" in plain(sentence.markdown)
    assert "1 never" in plain(sentence.markdown)
    assert [row[:2] for row in block.rows] == [["Bee", "–"], ["Ace", "Li"]]
    assert plain(block.rows[0][-2]) == "never"
    assert "Every account plan" in said(review.stale_plans(FakeRun({"plans": plans.assign(stale=False)}), T))


def two_runs():
    before = pd.DataFrame(
        [
            ("a", "Ace", "Li", 9 * M, 5 * M, "High", "A", "retain", "retain.value"),
            ("b", "Bee", "Li", 2 * M, 1 * M, "Low", "D", "static", "static.type_d"),
        ],
        columns=COLUMNS,
    )
    now = pd.DataFrame(
        [
            ("a", "Ace", "Li", 3 * M, 1 * M, "Low", "D", "win_back", "win_back.shrinking"),
            ("b", "Bee", "Li", 2 * M, 2 * M, "Mid", "B", "retain", "retain.value"),
            ("n", "New", "Li", 2 * M, 2 * M, "Mid", "B", "retain", "retain.value"),
        ],
        columns=COLUMNS,
    )
    return history.compare(*(table.assign(as_of=pd.Timestamp("2025-09-30")) for table in (before, now)))


def account_facts():
    rules = ["win_back.shrinking", "retain.value", "retain.value"]
    table = pd.DataFrame({"account": list("abn"), "trailing_revenue": [3 * M, 2 * M, 2 * M], "strategy_rule": rules})
    return table.assign(prior_peak_revenue=9 * M, expected_contribution=2 * M, strategy_inputs="")


def test_who_moved_since_the_run_before_and_why():
    facts = account_facts()
    tables = {
        "comparison": two_runs(),
        "accounts": pd.DataFrame({"account": list("abn"), "name": ["Ace", "Bee", "New"]}),
        "account_table": facts.drop(columns=["strategy_rule", "strategy_inputs"]),
        "strategies": facts[["account", "strategy_rule", "strategy_inputs"]].assign(name="", owner=""),
    }
    run = FakeRun(tables, {"comparison": {"since": "2025-09-30 00:00:00"}})
    text = said(moved.section(run, T))
    for part in (
        "Since the run of 30 Sept 2025, 1 accounts rose in class (expected value EUR 1.00 M → EUR 2.00 M), 1 fell "
        "(EUR 5.00 M → EUR 1.00 M).",
        "'Retain', 'Win back', '1', 'EUR −4.00 M'",
        "2 accounts changed class",
        "'Ace', 'High → Low', '5.00 M → 1.00 M', 'Down to EUR 3.00 M in the last 12 months, from EUR 9.00 M",
        "1 accounts rose in class and 1 fell",
    ):
        assert part in text


def test_without_a_run_before_movement_is_recomputed_and_said_to_be():
    rows = rows_of("transitions").reindex(columns=["account", "value_before", "value", "before", "now", "held", "why"])
    rows.loc[0] = ["a", 1 * M, 2 * M, "Low", "Mid", "Mid", "second_period"]
    rows.loc[1] = ["b", 1 * M, 2 * M, None, "Mid", "Mid", "first_seen"]
    rows.loc[2] = ["c", 2 * M, 1.9 * M, "Mid", "Low", "Mid", "waits"]
    names = pd.DataFrame({"account": list("abc"), "name": list("ABC")})
    run = FakeRun({"transitions": rows, "accounts": names})
    (line,) = moved.line(run, T)
    assert plain(line).startswith("Since 1 Oct 2025, recomputed from the same log, 1 accounts rose in class")
    assert moved.moves(run).moved["account"].tolist() == ["a"]
    empty = FakeRun({"transitions": rows.assign(before=None), "accounts": names})
    assert "too short" in moved.line(empty, T)[0]


def test_every_dimension_is_printed_with_its_causes():
    columns = [column.name for column in TABLES["dimensions"]]
    rows = pd.DataFrame(
        [
            {
                **{"dimension": "region", "value": value, "accounts": n, "revenue_now": now, "revenue_before": M},
                **{"change": now - M, "new": 0.0, "lost": 0.0, "volume": now - M, "price": 0.0, "mix": 0.0},
                **{"growth": growth, "churn": growth, "expected_contribution": M, "value_at_risk": M / 2},
            }
            for value, n, now, growth in (("*north*", 9, 3 * M, 2.0), ("unknown", 2, M, np.nan))
        ]
    ).reindex(columns=columns)
    tables = {"dimensions": rows.fillna({"unexplained": 0.0}), "forecast": pd.DataFrame({"basis": ["revenue"]})}
    run = FakeRun(tables, {"revenue": {"previous": M}})
    _, worth, causes = dimensions.section(run, T)
    assert [plain(cell) for cell in worth.rows[0]] == ["*north*", "9", "3.00 M", "+200%", "200%", "1.00 M", "500 k"]
    assert [plain(cell) for cell in worth.rows[1]][:5] == ["unknown", "2", "1.00 M", "–", "–"]
    assert [plain(cell) for cell in causes.rows[-1]] == ["All accounts", "2.00 M", "2.00 M"]
    assert causes.total_rows == 1
    _, line = dimensions.section(FakeRun(facts={"revenue": {"previous": M}}), T)
    assert "names neither regions" in plain(line.markdown)
