from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from kamlab import segment_names, segments, terms
from kamlab.errors import ConfigError, DataError
from kamlab.i18n import Translator

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
    assert found.candidates.set_index("k")["chosen"].to_dict() == {k: k == 3 for k in range(2, 9)}


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


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_data_without_structure_has_no_segments_worth_naming(seed):
    found = segments.fit(structureless(seed))
    assert not found.found
    assert found.rule_id in ("chance", "unstable")
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
    found = segments.fit(table, k=2, k_max=3)
    assert found.rule_id == "given"
    assert found.labels["segment"].nunique() == 2
    assert found.candidates.loc[found.candidates["chosen"], "k"].tolist() == [2]
    small = segments.fit(table.head(20), k=2, k_max=2)
    assert small.found
    with pytest.raises(ConfigError, match="49 segments of 240 accounts: ask for 2 to 48"):
        segments.fit(table, k=49)


def test_the_same_seed_gives_the_same_segments_in_any_currency():
    table, _ = company(3)
    one, two = (segments.fit(table, k_max=3, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.labels, two.labels)
    pd.testing.assert_frame_equal(one.candidates, two.candidates)
    dear = segments.fit(table.assign(expected_contribution=table["expected_contribution"] * 24_000), k_max=3, seed=5)
    assert dear.labels["segment"].tolist() == one.labels["segment"].tolist()


def test_silhouettes_equal_scikit_learn_and_hold_on_a_sample():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(60, 3)), rng.normal(size=(40, 3)) + 3, np.full((1, 3), 99.0)])
    clusters = np.repeat([0, 1, 2], [60, 40, 1])
    everyone = np.arange(101)
    ours = segments._silhouettes(z, clusters, everyone)
    np.testing.assert_allclose(ours, silhouette_samples(z, clusters), atol=1e-12)
    sampled = segments._silhouettes(z, clusters, np.r_[0:60:2, 60:100:2, 100])
    assert np.abs(sampled - ours).max() < 0.15  # half of the neighbours, hence half of the evidence


def test_many_accounts_are_put_into_the_segments_of_a_sample(monkeypatch):
    monkeypatch.setattr(segments, "SAMPLE", 100)
    table, truth = company()
    found = segments.fit(table, k_max=3)
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
