import json
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.mixture import GaussianMixture

from kamlab import breaks, terms, tiers
from kamlab.errors import ConfigError, DataError
from kamlab.i18n import Translator

FIXED = (5e6, 10e6)
amounts = st.floats(min_value=0.01, max_value=1e9)
signed = st.one_of(amounts, st.just(0.0), st.floats(min_value=-1e6, max_value=-0.01), st.just(float("nan")))


def fast(values, **options):
    return tiers.fit(values, **{"configured": FIXED, "n_boot": 10, **options})


def brute_force(x, weights, k, smallest):
    """Smallest weighted sum of squares over all divisions of rising points into k runs that are long enough."""

    def within(part):
        mean = np.average(x[part], weights=weights[part])
        return float(np.sum(weights[part] * (x[part] - mean) ** 2))

    edges = [(0, *inner, len(x)) for inner in combinations(range(1, len(x)), k - 1)]
    edges = [e for e in edges if min(b - a for a, b in pairwise(e)) >= smallest]
    return min((sum(within(slice(a, b)) for a, b in pairwise(e)) for e in edges), default=None)


def cost(x, weights, codes):
    groups = [codes == c for c in np.unique(codes)]
    return sum(np.sum(weights[g] * (x[g] - np.average(x[g], weights=weights[g])) ** 2) for g in groups)


@settings(deadline=None, max_examples=60)
@given(
    values=hnp.arrays(float, st.integers(4, 11), elements=st.floats(0.5, 1e6), unique=True),
    k=st.sampled_from([2, 3, 4]),
    smallest=st.sampled_from([1, 3]),
    way=st.sampled_from(["weighted_log", "sqrt", "log"]),
)
def test_the_borders_are_as_good_as_the_best_of_all_divisions(values, k, smallest, way):
    values = np.sort(values)
    x = np.sqrt(values) if way == "sqrt" else np.log(values)
    weights = values if way == "weighted_log" else np.ones(len(values))
    cuts = breaks.WAYS[way](breaks.compress(values, 100), k, smallest)
    best = brute_force(x, weights, k, smallest)
    if best is None:
        assert cuts is None
        return
    codes = np.searchsorted(cuts, values, side="right")
    assert np.bincount(codes, minlength=k).min() >= smallest
    # two divisions that differ by less than 1e-10 of the total are equally good
    assert cost(x, weights, codes) == pytest.approx(best, rel=1e-9, abs=1e-9 * np.sum(weights) * np.ptp(x) ** 2)


def test_borders_computed_by_hand():
    points = breaks.compress(np.array([1.0, 2.0, 100.0, 200.0, 10_000.0, 20_000.0]), 10)
    # the gaps 2|100 and 200|10,000 are the widest on a log scale; their geometric middles are √200 and √2e6
    assert breaks.WAYS["log"](points, 3, 1) == pytest.approx([200**0.5, 2e6**0.5])
    assert breaks.WAYS["weighted_log"](points, 2, 1) == pytest.approx([2e6**0.5])
    # squares 0, 1, 4, 9, 100, 121: roots 0 1 2 3 | 10 11, so the border's root is 6.5
    roots = breaks.compress(np.array([1.0, 4.0, 9.0, 100.0, 121.0]), 10)
    assert breaks.WAYS["sqrt"](roots, 2, 1) == pytest.approx([6.5**2])


def test_cumulative_shares_computed_by_hand():
    # 50 + 30 bring 80 %; with 10 and 5 they bring 95 %; the two smallest bring the rest
    points = breaks.compress(np.array([50.0, 30.0, 10.0, 5.0, 3.0, 2.0]), 10)
    assert breaks.WAYS["cumulative_80_95"](points, 3, 2) == pytest.approx([15**0.5, 300**0.5])
    assert breaks.WAYS["cumulative_80_95"](points, 3, 3) is None
    assert breaks.WAYS["cumulative_80_95"](breaks.compress(np.array([99.0, 1.0]), 10), 3, 1) is None


def test_bins_keep_accounts_money_and_the_values_at_their_edges():
    values = np.random.default_rng(1).lognormal(10, 2, 5000)
    points = breaks.compress(values, 200)
    assert len(points.value) <= 200
    assert points.count.sum() == 5000
    assert np.sum(points.value * points.count) == pytest.approx(values.sum())
    assert points.low[0] == values.min()
    assert points.high[-1] == values.max()
    assert (points.high[:-1] < points.low[1:]).all()
    # no bin hides more than a hundredth of the money beside its largest account
    assert (points.value * points.count - points.high).max() <= 0.01 * values.sum()


def test_a_mixture_finds_the_classes_that_scikit_learn_finds():
    rng = np.random.default_rng(4)
    x = np.sort(np.concatenate([rng.normal(9, 0.4, 300), rng.normal(11, 0.5, 150), rng.normal(14, 0.3, 40)]))
    cuts = breaks.WAYS["mixture"](breaks.compress(np.exp(x), 1000), 3, 3)
    reference = GaussianMixture(3, means_init=[[9], [11], [14]], tol=1e-6, max_iter=500).fit(x[:, None])
    assert (np.searchsorted(cuts, np.exp(x), side="right") == reference.predict(x[:, None])).all()


def test_a_mixture_that_is_not_monotone_draws_no_borders():
    rng = np.random.default_rng(2)
    # a narrow group inside a wide one: from the left the wide one is likelier, then the narrow one, then the wide one
    values = np.exp(np.concatenate([rng.normal(10, 0.2, 300), rng.normal(10.2, 2, 200)]))
    assert breaks.WAYS["mixture"](breaks.compress(values, 1000), 2, 3) is None


@settings(deadline=None, max_examples=40)
@given(
    values=hnp.arrays(float, st.integers(1, 60), elements=amounts),
    k=st.sampled_from([2, 3, 4]),
    factor=st.sampled_from([0.01, 7.3]),
)
def test_mixtures_keep_ties_order_and_size_whatever_the_currency(values, k, factor):
    cuts = breaks.WAYS["mixture"](breaks.compress(values, 256), k, 3)
    scaled = breaks.WAYS["mixture"](breaks.compress(values * factor, 256), k, 3)
    assert (cuts is None) == (scaled is None)
    if cuts is None:
        return
    assert (np.diff(cuts) > 0).all()
    assert np.bincount(np.searchsorted(cuts, values, side="right"), minlength=k).min() >= 3
    np.testing.assert_allclose(scaled, np.array(cuts) * factor)


def three_groups(seed=0, sizes=(300, 150, 40)):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.lognormal(m, 0.3, n) for m, n in zip((9, 12, 15), sizes, strict=True)])


def test_separated_groups_are_found_and_stable():
    values = three_groups()
    cuts = tiers.fit(values, configured=FIXED)
    assert cuts.method == "weighted_log"
    assert cuts.unstable_share < 0.01
    counts = pd.Series(cuts.classify(values)).value_counts()
    assert counts.to_dict() == {"Low": 300, "Mid": 150, "High": 40}
    assert all(low < high for low, high in cuts.intervals)
    assert Translator("en")(cuts.reason, **cuts.reason_values) == (
        "No earlier period tells the ways to draw borders apart: these come from the first of 4 whose classes are "
        "large enough and stable."
    )


def test_borders_are_round_where_no_account_moves():
    values = three_groups()
    for cut in tiers.fit(values, configured=FIXED).cuts:
        assert cut == float(f"{cut:.2e}")
    # 1.234 and 1.235 leave no room for a round number between them
    close = np.repeat([1.2341, 1.2349, 2.3451, 2.3459], 10)
    assert fast(close, k=2, labels=("Low", "High")).cuts == (1.7,)
    tight = np.repeat([1.23411, 1.23414], 20)
    assert fast(tight, k=2, labels=("Low", "High")).cuts[0] == pytest.approx(1.234125, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(values=hnp.arrays(float, st.integers(1, 60), elements=signed), factor=st.sampled_from([0.01, 7.3, 24_000]))
def test_another_currency_changes_no_class(values, factor):
    here = fast(values, configured=FIXED)
    there = fast(values * factor, configured=tuple(c * factor for c in FIXED))
    assert here.method == there.method
    assert (here.classify(values) == there.classify(values * factor)).sum() == np.isfinite(values).sum()


@settings(deadline=None, max_examples=60)
@given(values=hnp.arrays(float, st.integers(0, 60), elements=signed), seed=st.integers(0, 5))
def test_classes_rise_with_the_value_and_ties_stay_together(values, seed):
    cuts = fast(values, seed=seed)
    assert 0 < cuts.cuts[0] < cuts.cuts[1]
    # on a border counts as above it, just below as below
    assert list(cuts.classify(cuts.cuts).codes) == [1, 2]
    assert list(cuts.classify(np.nextafter(cuts.cuts, 0)).codes) == [0, 1]
    codes = cuts.classify(values).codes
    assert (codes[np.isnan(values)] == -1).all()
    assert (codes[values <= 0] == 0).all()
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(codes[known][order]) >= 0).all()
    frame = pd.DataFrame({"value": values[known], "code": codes[known]})
    assert (frame.groupby("value")["code"].nunique() == 1).all()
    shuffled = np.random.default_rng(seed).permutation(values)
    assert fast(shuffled, seed=seed) == cuts or np.isnan(cuts.unstable_share)


def test_a_value_on_a_border_goes_up_and_a_missing_one_stays_missing():
    classes = tiers.by_hand(FIXED).classify([10e6, 9_999_999.99, 5e6, 0.0, -3e6, np.nan])
    assert list(classes)[:5] == ["High", "Mid", "Mid", "Low", "Low"]
    assert classes.isna().tolist() == [False] * 5 + [True]
    assert list(classes.categories) == list(terms.LEVELS)


@pytest.mark.parametrize("values", [[3.0, 5.0, 9.0], [4.0] * 50, [4.0, 9.0] * 20, [0.0] * 40, [-1.0, 0.0, 2.0], []])
def test_what_cannot_be_divided_takes_the_configured_thresholds_and_says_why(values):
    cuts = fast(values)
    assert cuts.method == "configured"
    assert cuts.cuts == FIXED
    positive = [v for v in values if v > 0]
    assert cuts.reason_values == {"accounts": len(positive), "distinct": len(set(positive))}
    assert Translator("en")(cuts.reason, **cuts.reason_values).endswith(
        f"(accounts above zero: {len(positive)}, different values: {len(set(positive))})."
    )
    with pytest.raises(DataError, match="Give configured thresholds"):
        fast(values, configured=None)


def test_one_account_with_nearly_all_the_money_is_no_class_of_its_own():
    values = np.append(np.random.default_rng(3).lognormal(8, 0.5, 99), 1e8)
    cuts = tiers.fit(values, configured=FIXED)
    assert cuts.method == "weighted_log"
    assert pd.Series(cuts.classify(values)).value_counts().min() >= 3
    assert cuts.classify([1e8]) == ["High"]


def test_unstable_candidates_give_way_to_cumulative_shares():
    candidates = pd.DataFrame(
        {
            "method": list(breaks.WAYS),
            "explained": [0.5, 0.4, 0.3, 0.2, 0.1],
            "eligible": [False, False, False, False, True],
        }
    )
    assert tiers._choose(candidates)[0] == "cumulative_80_95"
    # a perfectly even spread has no natural borders: every bootstrap puts them elsewhere
    attempt = tiers._try(np.linspace(100, 110, 25), 3, breaks.WAYS["log"], 0, 200)
    assert attempt.smallest_class >= 3
    assert attempt.unstable_share > tiers.MAX_UNSTABLE_SHARE
    assert not attempt.eligible


def test_what_the_next_year_shows_decides_between_the_candidates():
    rng = np.random.default_rng(0)
    value = rng.lognormal(10, 1.2, 1500)
    cuts = {w: breaks.WAYS[w](breaks.compress(value, 2000), 3, 8) for w in ("weighted_log", "sqrt", "log")}
    for way, borders in cuts.items():
        classes = np.searchsorted(borders, value, side="right")
        after = np.array([1.0, 5.0, 25.0])[classes] + rng.normal(0, 0.5, 1500)
        fitted = tiers.fit(value, next_values=after, configured=FIXED, n_boot=30)
        assert fitted.method == way
        explained = fitted.candidates.set_index("method")["explained"]
        assert explained[way] == explained.max()
        assert explained[way] > 0.9
        assert fitted.reason_values["percent"] == round(100 * explained[way])
    noise = tiers.fit(value, next_values=rng.normal(size=1500), configured=FIXED, n_boot=30)
    assert (noise.candidates["explained"] < 0).all()
    assert noise.reason == tiers.REASONS["preferred"]


def test_an_earlier_year_can_judge_other_accounts_than_those_divided():
    value = three_groups()
    earlier = three_groups(1, (100, 50, 30))
    cuts = tiers.fit(value, earlier_values=earlier, next_values=earlier * 1.1, configured=FIXED, n_boot=30)
    assert cuts.candidates["explained"].notna().all()
    assert cuts.reason == tiers.REASONS["explained"]


def test_the_same_seed_gives_the_same_cuts():
    values = np.random.default_rng(2).lognormal(10, 1.5, 400)
    assert fast(values, seed=4) == fast(values, seed=4)
    assert fast(values, seed=4).intervals != fast(values, seed=5).intervals


def test_many_accounts_are_divided_like_few():
    few = np.random.default_rng(5).lognormal(10, 1.0, 1900)
    exact = fast(few).cuts
    binned = breaks.WAYS["weighted_log"](breaks.compress(few, 400), 3, 10)
    assert np.mean(np.searchsorted(exact, few) != np.searchsorted(binned, few)) < 0.005


def test_the_table_holds_both_borders_and_why():
    fitted = tiers.fit(three_groups(), configured=FIXED, n_boot=30)
    table = tiers.table({"contribution": fitted}, {"contribution": FIXED})
    assert list(table.columns) == [c.name for c in terms.TABLES["tiers"]]
    assert table["cut"].tolist() == ["mid", "high"] * 2
    assert tiers.borders(table, "contribution", "fitted") == fitted.cuts
    assert tiers.borders(table, "contribution", "fixed") == FIXED
    assert tiers.borders(table, "potential", "fitted") is None
    assert json.loads(table["reason_values"][0]) == fitted.reason_values


@pytest.mark.parametrize("thresholds", [(10e6, 5e6), (5e6,), (0.0, 5e6), (5e6, 5e6)])
def test_thresholds_out_of_order_are_refused(thresholds):
    with pytest.raises(ConfigError, match="rising numbers above zero"):
        tiers.by_hand(thresholds)


def test_impossible_questions_are_refused():
    with pytest.raises(DataError, match="1 of 3 values are infinite"):
        fast([1.0, np.inf, 2.0])
    with pytest.raises(ConfigError, match="k is 4 with 3 labels"):
        fast([1.0], k=4)
