"""What segments are called, the rules that tell them, and the numbers that they keep from run to run."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_data import company, fitted, structureless

from kamlab import segment_names, segment_rules, segments, steps, terms
from kamlab.config import Company, Config, Source, Transactions
from kamlab.i18n import Translator
from kamlab.period import StudyPeriod
from kamlab.runs.folder import Run


def named(rows, centres=None):
    profile = pd.DataFrame(rows)
    centres = profile.drop(columns="mean_contribution") if centres is None else pd.DataFrame(centres)
    return segment_names.names(profile, centres, 100.0)


def test_names_say_size_and_state():
    usual = {"p_alive": 0.9, "silence": 30.0, "growth": 0.0, "order_interval": 40.0, "regularity": 0.7, "tenure": 4.0}
    rows = [
        {**usual, "mean_contribution": 200.0},
        {**usual, "mean_contribution": 199.0, "p_alive": 0.4},
        {**usual, "mean_contribution": 190.0, "tenure": 0.5},
        {**usual, "mean_contribution": 60.0, "growth": -0.2},
        {**usual, "mean_contribution": 50.0, "growth": 0.2},
        {**usual, "mean_contribution": 49.0, "order_interval": 181.0},
        {**usual, "mean_contribution": 48.0, "regularity": 0.5},
        {**usual, "mean_contribution": -3.0, "silence": 366.0},
        # 61 days without an order where one comes every 40
        {**usual, "mean_contribution": -4.0, "silence": 61.0},
        {**usual, "mean_contribution": -5.0, "silence": 60.0},
        {**usual, "mean_contribution": -6.0, "silence": 300.0, "order_interval": np.nan, "purchase_days": 1.0},
    ]
    assert named(rows) == [
        "Large regular buyers",
        "Mid-size silent buyers",
        "Mid-size new buyers",
        "Mid-size fading buyers",
        "Mid-size growing buyers",
        "Small occasional buyers",
        "Small active buyers",
        "Small silent buyers",
        "Small overdue buyers",
        "Small regular buyers",
        "Small one-time buyers",
    ]


def test_who_brings_nothing_is_small_even_where_the_company_loses_money():
    rows = pd.DataFrame({"mean_contribution": [5.0, 0.0, -40.0, -400.0], "tenure": [4.0, 4.0, 5.0, 6.0]})
    found = segment_names.names(rows, rows[["tenure"]], -90.0)
    assert [name.split()[0] for name in found] == ["Large", "Small", "Small", "Small"]


def test_equal_names_are_told_apart_by_what_differs_most():
    three = [{"mean_contribution": v, "tenure": y} for v, y in ((99.0, 4.0), (98.0, 9.0), (97.0, 6.0))]
    assert named(three) == [
        "Mid-size active buyers, shorter history",
        "Mid-size active buyers, longer history",
        "Mid-size active buyers, medium history",
    ]
    assert named(three[:2]) == ["Mid-size active buyers, shorter history", "Mid-size active buyers, longer history"]
    many = named([{"mean_contribution": 99.0, "tenure": 4.0 + i} for i in range(9)])
    assert len(set(many)) == 9
    assert many[8] == "Mid-size active buyers (9)"


def test_names_are_translated_part_by_part():
    class Shouting(Translator):
        def __call__(self, message, /, **values):
            return super().__call__(message if values else message.upper(), **values)

    t = Shouting("en")
    assert segment_names.translated("Small new buyers", t) == "SMALL NEW BUYERS"
    assert segment_names.translated("Small new buyers, more frequent", t) == "SMALL NEW BUYERS, MORE FREQUENT"
    assert segment_names.translated("Small new buyers (4)", t) == "SMALL NEW BUYERS (4)"


def test_rules_say_the_segments_in_thresholds_that_part_them():
    table, _ = company()
    found = fitted()
    rules = found.rules
    assert list(rules.columns) == [c.name for c in terms.TABLES["segment_rules"]]
    assert rules["accounts"].sum() == 240
    assert found.facts()["reproduced"] == 1.0
    assert set(rules["segment"]) == {1, 2, 3}
    joined = table.merge(found.labels, on="account")
    for row in rules.itertuples():
        meets = np.ones(240, dtype=bool)
        for condition in json.loads(row.conditions):
            value = joined[condition["feature"]]
            low, high = condition["at_least"], condition["under"]
            meets &= (value >= (-np.inf if low is None else low)) & (value < (np.inf if high is None else high))
        assert meets.sum() == row.accounts
        assert (joined.loc[meets, "segment"] == row.segment).mean() == row.share_right


def test_thresholds_are_the_roundest_that_part_the_accounts():
    x = pd.DataFrame(
        {"expected_contribution": [1e6, 2.9e6, 3.3e6, 3.3e6] * 10, "wallet_share": [0.1, 0.37, 0.1, 0.42] * 10}
    )
    rules = segment_rules.explain(x, np.tile([2, 2, 1, 1], 10))
    # 3 M parts 2.9 M from 3.3 M
    assert rules["conditions"].map(json.loads).tolist() == [
        [{"feature": "expected_contribution", "at_least": 3e6, "under": None}],
        [{"feature": "expected_contribution", "at_least": None, "under": 3e6}],
    ]
    rules = segment_rules.explain(x, np.tile([3, 3, 1, 2], 10))
    t = Translator("en", currency="CNY")
    assert {
        row.segment: segment_rules.written(row.conditions, t).replace("\u00a0", " ") for row in rules.itertuples()
    } == {
        1: "Expected value ≥ CNY 3.00 M and Share of wallet < 30%",
        2: "Expected value ≥ CNY 3.00 M and Share of wallet ≥ 30%",
        3: "Expected value < CNY 3.00 M",
    }


def test_less_than_a_year_is_rounded_as_the_days_that_are_printed():
    x = pd.DataFrame({"tenure": np.repeat([31.0, 33.0, 900.0, 1100.0], 10) / 365})
    rules = segment_rules.explain(x, np.repeat([2, 1, 3, 4], 10))
    t = Translator("en")
    assert [segment_rules.written(c, t).replace("\u00a0", " ") for c in rules["conditions"]] == [
        *("32 d ≤ Known for < 1 y", "Known for < 32 d", "1 y ≤ Known for < 3 y", "Known for ≥ 3 y"),
    ]
    assert segment_rules.reproduced(rules) == 1.0


def test_more_segments_take_a_tree_one_step_deeper():
    # the sixteen corners of a cube in four features
    corner = np.repeat(np.arange(16), 10)
    bits = (corner[:, None] >> np.arange(4)) & 1
    x = pd.DataFrame(bits * 10.0 + np.arange(160)[:, None] % 10 / 10, columns=["tenure", "visits", "calls", "growth"])
    assert segment_rules.reproduced(segment_rules.explain(x, corner % 8 + 1)) == 1.0
    assert segment_rules.reproduced(segment_rules.explain(x, corner % 8 // 4 + 1)) == 1.0
    assert len(segment_rules.explain(x, corner + 1)) == 16


@settings(deadline=None, max_examples=20)
@given(
    values=st.lists(st.floats(-1e9, 1e9), min_size=20, max_size=60),
    others=st.lists(st.floats(0, 1), min_size=60, max_size=60),
    seed=st.integers(0, 5),
)
def test_every_account_meets_exactly_one_rule(values, others, seed):
    n = len(values)
    x = pd.DataFrame({"expected_contribution": values, "wallet_share": others[:n]})
    segment = np.random.default_rng(seed).integers(1, 4, n)
    rules = segment_rules.explain(x, segment)
    assert rules["accounts"].sum() == n
    # a single rule would already reproduce the largest segment
    assert segment_rules.reproduced(rules) >= np.bincount(segment).max() / n - segment_rules.NEARLY


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"feature": "silence", "at_least": None, "under": 82.5}, "Last order ago < 82.5 d"),
        ({"feature": "order_interval", "at_least": 30.0, "under": 90.0}, "30 d ≤ Order every < 90 d"),
        ({"feature": "growth", "at_least": float(np.log1p(-0.25)), "under": None}, "Growth ≥ −25%"),
        ({"feature": "tenure", "at_least": 2.6, "under": None}, "Known for ≥ 2.6 y"),
        ({"feature": "tenure", "at_least": None, "under": 96 / 365}, "Known for < 96 d"),
        ({"feature": "wallet_share", "at_least": None, "under": 0.125}, "Share of wallet < 12.5%"),
        ({"feature": "visits", "at_least": 0.75, "under": None}, "visits ≥ 0.75"),
        ({"feature": "mix_Feed", "at_least": 0.5, "under": None}, "Feed ≥ 50%"),
    ],
)
def test_conditions_are_written_in_the_readers_units(condition, expected):
    said = segment_rules.written(json.dumps([condition]), Translator("en"))
    assert said.replace("\u00a0", " ") == expected


def test_numbers_in_rules_follow_the_language():
    condition = [{"feature": "silence", "at_least": None, "under": 82.5}]
    assert "82,5" in segment_rules.written(json.dumps(condition), Translator("vi"))


def test_segments_keep_their_numbers_where_their_profile_stays():
    before = fitted()
    # a year on: the fading accounts are gone, the key accounts doubled, and a new kind has come
    groups = {
        "key": (40, 4e6, 10, 0.1, 20, 0.8, 7.0),
        "lost": (120, 2e3, 950, -1.5, 150, 0.5, 5.0),
        "new": (60, 3e5, 5, 0.0, 400, 0.5, 0.4),
    }
    now = segments.fit(company(4, groups)[0], k_max=4, method="kmeans")
    assert now.profile["segment_id"].tolist() == [1, 2, 3]
    after = now.after(before.profile, before.labels, before.highest_id)
    assert after.profile["segment_id"].tolist() == [1, 4, 3]
    assert after.highest_id == 4
    labels = after.labels
    assert labels.groupby("segment")["segment_id"].unique().map(list).tolist() == [[1], [4], [3]]
    earlier = before.labels.set_index("account")["segment_id"]
    assert labels["previous_segment_id"].tolist() == labels["account"].map(earlier).tolist()
    # a number that was given once is never given again
    assert now.after(before.profile, before.labels, 9).profile["segment_id"].tolist() == [1, 10, 3]


def test_numbers_go_on_after_a_run_without_segments():
    none = segments.fit(structureless(0), k_max=2, method="kmeans").after(fitted().profile, fitted().labels, 5)
    assert none.facts()["highest_id"] == 5
    again = fitted().after(none.profile, none.labels, none.highest_id)
    assert again.profile["segment_id"].tolist() == [6, 7, 8]
    assert again.labels["previous_segment_id"].isna().all()


def test_the_same_data_keep_the_same_numbers_whatever_they_were():
    found = fitted()
    renumbered = found.profile.assign(segment_id=[7, 5, 6])
    after = found.after(renumbered, found.labels, 7)
    assert after.profile["segment_id"].tolist() == [7, 5, 6]
    assert after.highest_id == 7


def test_a_run_takes_the_numbers_of_the_run_before(tmp_path):
    table, _ = company()
    config = Config(
        company=Company(name="Acme"),
        source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
    )
    run = Run(tmp_path, config, StudyPeriod("2025-12-31"))
    run.write("features", table)
    # What the totals of the segments are added up from.
    ids = table[["account"]]
    run.write("accounts", ids.assign(owner=None, channel=None))
    run.write("forecast", ids.assign(expected_revenue=2.0, expected_contribution=1.0, basis="contribution"))
    for name in ("draws", "revenue_draws"):
        run.write(name, ids.assign(d0=1.0, d1=2.0))
    run.write("lifetime", ids.assign(clv_3y=3.0, clv_5y=5.0))
    run.write("lifetime_draws", pd.concat([ids.assign(years=years, d0=1.0, d1=2.0) for years in (3, 5)]))
    before = Run(tmp_path / "log" / "before", config, run.period)
    found = fitted()
    before.write("profile", found.profile.assign(segment_id=[3, 1, 8]))
    before.write("segments", found.labels.assign(segment_id=found.labels["segment"].map({1: 3, 2: 1, 3: 8})))
    before.write_facts("segmentation", found.facts() | {"highest_id": 9})
    labels = steps.segments(run, k=3, method="kmeans")
    assert run.read("profile")["segment_id"].tolist() == [3, 1, 8]
    assert (labels["previous_segment_id"] == labels["segment_id"]).all()
    assert run.read_facts("segmentation")["highest_id"] == 9
    for name in ("segments", "candidates", "profile", "feature_rules", "segment_rules"):
        documented = [c.name for c in terms.TABLES[name] if c.name != "…"]
        assert list(run.read(name).columns)[: len(documented)] == documented
