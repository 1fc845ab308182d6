import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from kamlab import clusters, segment_names, segment_rules, segments, steps, terms
from kamlab.config import Company, Config, Source, Transactions
from kamlab.errors import ConfigError, DataError
from kamlab.i18n import Translator
from kamlab.period import StudyPeriod
from kamlab.runs.folder import Run

GROUPS = {
    # accounts, contribution, silence, growth, interval, regularity, tenure
    "key": (40, 2e6, 10, 0.0, 20, 0.8, 6.0),
    "fading": (80, 1e5, 60, -0.9, 60, 0.5, 5.0),
    "lost": (120, 2e3, 900, -1.5, 150, 0.5, 4.0),
}


def company(seed=0, groups=GROUPS):
    """Accounts in separated groups, in shuffled order."""
    rng = np.random.default_rng(seed)
    parts = []
    for truth, (n, value, silence, growth, interval, regularity, tenure) in groups.items():
        parts.append(
            pd.DataFrame(
                {
                    "expected_contribution": value * rng.lognormal(0, 0.3, n),
                    "silence": silence * rng.lognormal(0, 0.3, n),
                    "growth": growth + rng.normal(0, 0.15, n),
                    "order_interval": interval * rng.lognormal(0, 0.2, n),
                    "regularity": np.clip(regularity + rng.normal(0, 0.05, n), 0.05, 1),
                    "tenure": tenure + rng.normal(0, 0.4, n),
                    "breadth": 3.0,
                    "truth": truth,
                }
            )
        )
    table = pd.concat(parts).sample(frac=1, random_state=seed).reset_index(drop=True)
    table.insert(0, "account", [f"A{i:04d}" for i in range(len(table))])
    return table.drop(columns="truth"), table["truth"].to_numpy()


@cache
def fitted():
    """The segments of `company()`, found once for several tests."""
    return segments.fit(company()[0])


def structureless(seed, n=250):
    """One cloud: every feature depends on size and activity, without any gap."""
    rng = np.random.default_rng(seed)
    size, activity, noise = rng.normal(size=(3, n))
    return pd.DataFrame(
        {
            "account": [f"A{i:04d}" for i in range(n)],
            "expected_contribution": np.exp(10 + 1.2 * size + 0.4 * activity),
            "silence": np.exp(3.5 - activity),
            "order_interval": np.exp(4 - 0.7 * activity + 0.3 * noise),
            "growth": 0.3 * rng.normal(size=n),
            "tenure": 4 + rng.normal(size=n),
        }
    )


def test_separated_groups_are_recovered_numbered_by_value_and_named():
    truth, found = company()[1], fitted()
    assert found.found
    assert found.rule_values == {"k": 3}
    # with groups this far apart an error of one account in 240 would be one too many
    assert adjusted_rand_score(truth, found.labels["segment"]) == 1.0
    assert found.profile["segment_name"].tolist() == [
        "Large regular buyers",
        "Small fading buyers",
        "Small silent buyers",
    ]
    assert list(found.labels.columns) == [c.name for c in terms.TABLES["segments"]]
    assert found.labels["silhouette"].min() > 0.2
    assert found.left_out == {
        "regularity": "describes the segments, but does not make them",
        "breadth": "the same for all accounts",
    }
    assert found.used == ("expected_contribution", "silence", "growth", "order_interval", "tenure")
    assert list(found.candidates.columns) == [c.name for c in terms.TABLES["candidates"]]
    tried = found.candidates
    assert tried.groupby("method")["k"].apply(list).to_dict() == {m: list(range(2, 13)) for m in clusters.METHODS}
    assert tried.loc[tried["chosen"], "k"].tolist() == [3]
    assert (tried["reason"] == "chosen").sum() == 1


def test_the_profile_adds_up_and_holds_medians_in_original_units():
    table, found = company()[0], fitted()
    profile = found.profile.set_index("segment")
    joined = table.merge(found.labels, on="account")
    assert profile["accounts"].to_dict() == {1: 40, 2: 80, 3: 120}
    assert profile["share_accounts"].sum() == pytest.approx(1)
    assert profile["share_contribution"].sum() == pytest.approx(1)
    key = joined[joined["segment"] == 1]
    assert profile.loc[1, "contribution"] == pytest.approx(key["expected_contribution"].sum())
    assert profile.loc[1, "mean_contribution"] == pytest.approx(key["expected_contribution"].mean())
    assert profile.loc[1, "order_interval"] == key["order_interval"].median()
    named = [c.name for c in terms.TABLES["profile"]][:-1]
    assert list(found.profile.columns) == [*named, *table.columns.drop("account")]


def test_a_middle_value_of_few_accounts_is_none_of_the_segment():
    table, _ = company()
    table["volatility"] = np.where(fitted().labels["segment"] == 1, 0.3, np.nan)
    table.loc[(fitted().labels["segment"] == 2) & (table.index % 3 == 0), "volatility"] = 9.0
    found = segments.fit(table, k=3, method="kmeans")
    assert found.profile["volatility"].fillna(-1).tolist() == [0.3, -1, -1]


def heavy_tails(seed, n=250):
    """Independent features with the tails of Student's t with 3 degrees of freedom, money on top of it log-normal."""
    rng = np.random.default_rng(seed)
    tails = rng.standard_t(3, size=(n, 4))
    table = pd.DataFrame(tails, columns=["growth", "tenure", "visits", "calls"])
    table.insert(0, "expected_contribution", np.exp(8 + 1.5 * rng.normal(size=n)))
    table.insert(0, "account", [f"A{i:04d}" for i in range(n)])
    return table


def skewed(seed, n=250):
    """Features that analysts add as they are: log-normal, uniform, exponential, compared by difference."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "account": [f"A{i:04d}" for i in range(n)],
            "expected_contribution": np.exp(8 + rng.normal(size=n)),
            "visits": np.exp(rng.normal(size=n)),
            "calls": rng.exponential(size=n),
            "distance": rng.uniform(size=n),
        }
    )


def blob(seed, n=60):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 4)), columns=["growth", "tenure", "visits", "expected_contribution"])
    return table.assign(account=[f"A{i:04d}" for i in range(n)])


@pytest.mark.parametrize(
    ("make", "seed"), [(structureless, 0), (structureless, 1), (heavy_tails, 0), (skewed, 0), (skewed, 1), (blob, 0)]
)
def test_data_without_structure_has_no_segments_worth_naming(make, seed):
    found = segments.fit(make(seed), k_max=6)
    assert not found.found
    assert found.rule_id == "none"
    assert found.labels["segment"].unique().tolist() == [1]
    assert found.labels["segment_name"].unique().tolist() == ["All accounts"]
    assert found.labels["silhouette"].isna().all()
    assert not found.candidates["chosen"].any()
    assert found.profile["share_contribution"].tolist() == [1.0]
    said = Translator("en")(found.facts()["rule"], **found.facts()["rule_values"])
    assert said.startswith("No cluster structure worth naming")


def test_few_or_equal_accounts_have_no_segments():
    few = segments.fit(company()[0].head(29))
    assert Translator("en")(segments.RULES[few.rule_id], **few.rule_values) == (
        "Too few accounts to look for segments (29); under 30 there are borders and rules only."
    )
    assert list(few.candidates.columns) == [c.name for c in terms.TABLES["candidates"]]
    equal = pd.DataFrame({"account": [f"A{i}" for i in range(40)], "expected_contribution": 5.0})
    found = segments.fit(equal)
    assert found.rule_id == "alike"
    assert len(found.labels) == 40


def test_two_kinds_of_accounts_without_any_spread_are_two_segments():
    table = pd.DataFrame(
        {
            "account": [f"A{i:02d}" for i in range(60)],
            "expected_contribution": [1.0] * 40 + [100.0] * 20,
            "silence": [400.0] * 40 + [3.0] * 20,
        }
    )
    found = segments.fit(table, k_max=3)
    assert found.profile["accounts"].tolist() == [20, 40]


def test_an_analyst_can_override_the_number():
    table, _ = company()
    found = segments.fit(table, k=2, method="kmeans")
    assert found.rule_id == "given"
    assert found.labels["segment"].nunique() == 2
    assert found.candidates.loc[found.candidates["chosen"], "k"].tolist() == [2]
    small = segments.fit(table.head(20), k=2)
    assert small.found
    with pytest.raises(ConfigError, match="49 segments of 240 accounts: ask for 2 to 48"):
        segments.fit(table, k=49)
    by_mixture = segments.fit(table, method="full", k_max=2)
    assert set(by_mixture.candidates["method"]) == {"full"}
    with pytest.raises(ConfigError, match='no method "median"'):
        segments.fit(table, method="median")


def test_an_analyst_can_choose_the_features():
    table, _ = company()
    found = segments.fit(table, by=["regularity"], k=2, method="kmeans")
    assert found.used == ("regularity",)
    assert found.left_out["silence"] == "describes the segments, but does not make them"
    assert "regularity" not in found.left_out
    with pytest.raises(ConfigError, match="cannot be made from breadth"):
        segments.fit(table, by=["breadth"])


def test_the_same_seed_gives_the_same_segments_in_any_currency():
    table, _ = company(3)
    one, two = (segments.fit(table, k=3, method="full", seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.labels, two.labels)
    pd.testing.assert_frame_equal(one.candidates, two.candidates)
    dear = segments.fit(
        table.assign(expected_contribution=table["expected_contribution"] * 24_000), k=3, method="full", seed=5
    )
    assert dear.labels["segment"].tolist() == one.labels["segment"].tolist()


def test_silhouettes_equal_scikit_learn_and_hold_on_a_sample():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(60, 3)), rng.normal(size=(40, 3)) + 3, np.full((1, 3), 99.0)])
    groups = np.repeat([0, 1, 2], [60, 40, 1])
    everyone = np.arange(101)
    ours = clusters.silhouettes(z, groups, everyone)
    np.testing.assert_allclose(ours, silhouette_samples(z, groups), atol=1e-12)
    sampled = clusters.silhouettes(z, groups, np.r_[0:60:2, 60:100:2, 100])
    assert np.abs(sampled - ours).max() < 0.15  # half of the neighbours, hence half of the evidence


def test_many_accounts_are_put_into_the_segments_of_a_sample(monkeypatch):
    monkeypatch.setattr(segments, "SAMPLE", 100)
    table, truth = company()
    found = segments.fit(table, k_max=3, method="kmeans")
    assert adjusted_rand_score(truth, found.labels["segment"]) == 1.0
    assert found.labels["silhouette"].notna().all()


def test_every_account_needs_a_value():
    table, _ = company()
    with pytest.raises(DataError, match="expected_contribution"):
        segments.fit(table.drop(columns="expected_contribution"))
    table.loc[3, "expected_contribution"] = np.nan
    with pytest.raises(DataError, match="Every account needs a value"):
        segments.fit(table)


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
    ]


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


def long_and_thin(seed=0, n=150):
    """Two parallel bands, far longer than they are apart: k-means cuts them across."""
    rng = np.random.default_rng(seed)
    along = rng.normal(0, 3, 2 * n)
    truth = np.repeat([0, 1], n)
    growth = 0.3 * along + truth * 1.4 + rng.normal(0, 0.1, 2 * n)
    table = pd.DataFrame({"expected_contribution": 1.0, "visits": along, "growth": growth})
    return table.assign(account=[f"A{i:04d}" for i in range(2 * n)]), truth


def test_bands_that_k_means_would_cut_across_are_found_by_a_mixture():
    table, truth = long_and_thin()
    found = segments.fit(table, k_max=2)
    assert found.facts()["method"] == "full"
    assert adjusted_rand_score(truth, found.labels["segment"]) >= 0.95  # the bands touch at their ends
    across = segments.fit(table, k=2, method="kmeans")
    assert adjusted_rand_score(truth, across.labels["segment"]) < 0.2


def test_memberships_of_k_means_follow_the_documented_formula():
    centres = clusters.Centres(np.array([[0.0, 0.0], [2.0, 0.0]]), variance=0.5)
    # squared distances 0.25 and 2.25 from (0.5, 0): the odds are exp(2.25 − 0.25) for 2σ² = 1
    odds = np.exp(2.0)
    expected = [[odds / (1 + odds), 1 / (1 + odds)], [0.5, 0.5]]
    np.testing.assert_allclose(centres.probabilities(np.array([[0.5, 0.0], [1.0, 7.0]])), expected)


def test_every_account_has_probabilities_that_add_up_and_its_segment_is_the_likeliest():
    found = fitted()
    chances = found.probabilities.set_index("account")
    assert list(chances.columns) == ["s1", "s2", "s3"]
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    labels = found.labels.set_index("account")
    np.testing.assert_array_equal(chances.to_numpy().argmax(axis=1) + 1, labels["segment"])
    np.testing.assert_allclose(chances.max(axis=1), labels["probability"])
    assert (labels["second_segment"] != labels["segment"]).all()
    assert not labels["borderline"].any()


def test_an_account_between_two_segments_is_borderline():
    growth = [*np.linspace(-1, 1, 60), *np.linspace(4, 6, 60), 2.5]
    table = pd.DataFrame({"growth": growth, "expected_contribution": 1.0, "account": [f"A{i:03d}" for i in range(121)]})
    found = segments.fit(table, k=2, method="kmeans")
    assert found.labels.loc[found.labels["borderline"], "account"].tolist() == ["A120"]
    assert found.facts()["borderline"] == 1


def test_bad_features_are_named_and_never_make_a_class_of_missing_values():
    table, truth = company()
    table["constant"], table["absent"], table["endless"] = 1.0, np.nan, np.where(table.index == 3, np.inf, 2.0)
    table["rare"] = np.where(table.index < 100, table.index, np.nan)
    table.loc[table.index % 7 == 0, "growth"] = np.nan
    found = segments.fit(table, k_max=4, method="kmeans")
    assert {name: found.left_out[name] for name in ("constant", "absent", "endless", "rare")} == {
        "constant": "the same for all accounts",
        "absent": "no data",
        "endless": "infinite for some accounts",
        "rare": "known for less than half of the accounts",
    }
    assert adjusted_rand_score(truth, found.labels["segment"]) >= 0.95  # a seventh of the growth rates is gone
    assert found.labels[["segment", "segment_name", "probability"]].notna().all().all()


def test_repeated_accounts_and_infinite_values_are_named():
    table, _ = company()
    with pytest.raises(DataError, match=r"1 rows repeat an account \(first: A0000\)"):
        segments.fit(pd.concat([table, table.head(1)]))
    table.loc[5, "expected_contribution"] = np.inf
    with pytest.raises(DataError, match=r"1 accounts have an infinite expected_contribution \(first: A0005\)"):
        segments.fit(table)


def test_one_account_with_nearly_all_the_money_is_named_and_hides_nobody():
    table, truth = company()
    giant = int(table["expected_contribution"].idxmax())
    table.loc[giant, "expected_contribution"] = 99 * table["expected_contribution"].drop(giant).sum()
    found = segments.fit(table, k_max=4, method="kmeans")
    assert found.dominant == table.loc[giant, "account"]
    assert adjusted_rand_score(truth, found.labels["segment"]) == 1.0
    # the key accounts are large and the others are not small because of the giant
    assert found.profile["segment_name"].tolist() == [
        "Large regular buyers",
        "Small fading buyers",
        "Small silent buyers",
    ]
    assert fitted().dominant == ""


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
    run.write("accounts", ids.assign(owner=None))
    run.write("forecast", ids.assign(expected_revenue=2.0, expected_contribution=1.0, basis="contribution"))
    for name in ("draws", "revenue_draws"):
        run.write(name, ids.assign(d0=1.0, d1=2.0))
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
