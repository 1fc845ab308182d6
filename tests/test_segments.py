"""Whether there are segments, which accounts are in them, and how sure that is."""

import numpy as np
import pandas as pd
import pytest
from segment_data import company, fitted, lopsided, structureless, tilted
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from kamlab import clusters, segments, terms
from kamlab.errors import ConfigError, DataError
from kamlab.i18n import Translator


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


def test_after_a_single_order_there_is_no_time_between_orders():
    table, _ = company()
    # what stands for the missing interval of the accounts that made one order and nothing since
    once = fitted().labels["segment"] == 3
    table["purchase_days"] = np.where(once, 1, 9)
    since = 200 + table.index / 2
    table["silence"], table["order_interval"] = (table[c].mask(once, since) for c in ("silence", "order_interval"))
    found = segments.fit(table, k=3, method="kmeans")
    assert found.profile["order_interval"].isna().tolist() == [False, False, True]
    assert found.profile["segment_name"].tolist()[2] == "Small one-time buyers"


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
    five = segments.fit(table, k=5)
    assert five.profile["accounts"].tolist() == [20, 40]
    assert Translator("en")(five.facts()["rule"], **five.facts()["rule_values"]) == (
        "Segments found: 2. 5 were asked for, but the accounts do not fall into more."
    )


def test_an_analyst_can_override_the_number():
    table, _ = company()
    found = segments.fit(table, k=2, method="kmeans")
    assert found.rule_id == "given"
    assert found.labels["segment"].nunique() == 2
    assert found.candidates.loc[found.candidates["chosen"], "k"].tolist() == [2]
    small = segments.fit(table.head(20), k=2)
    assert small.found
    with pytest.raises(ConfigError, match="k_max is 1"):
        segments.fit(table, k_max=1)
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
    with pytest.raises(ConfigError, match="at least one feature"):
        segments.fit(table, by=[])


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


def test_columns_that_know_missing_values_of_their_own_are_numbers_too():
    table = company()[0]
    table.loc[table.index % 9 == 0, "growth"] = np.nan
    plain, nullable = (segments.fit(t, k=3, method="kmeans") for t in (table, table.convert_dtypes()))
    pd.testing.assert_frame_equal(nullable.profile, plain.profile)
    assert nullable.labels["segment"].tolist() == plain.labels["segment"].tolist()


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


@pytest.mark.parametrize(("make", "seed", "n"), [(tilted, 1, 300), (lopsided, 1, 300)])
def test_kinds_of_any_slant_and_tail_are_recovered(make, seed, n):
    table, truth = make(seed, n)
    found = segments.fit(table, k_max=4)
    assert found.rule_values == {"k": len(np.unique(truth))}
    assert adjusted_rand_score(truth, found.labels["segment"]) >= 0.8


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
