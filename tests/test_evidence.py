import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from kamlab import evidence, terms
from kamlab.i18n import Translator
from kamlab.reports.sections import evidence as section

DATES = pd.to_datetime(["2023-12-31", "2024-12-31"])


def company(n=60, seed=0, dates=DATES):
    """Accounts with a lasting size: the fitted classes see it, the fixed ones are drawn by lot."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(10, 1.0, n)
    fitted = np.select([size > np.quantile(size, 0.8), size > np.quantile(size, 0.4)], ["High", "Mid"], "Low")
    tables = []
    for back, date in zip(range(len(dates), 0, -1), dates, strict=True):
        bought = rng.random(n) < np.select([fitted == "High", fitted == "Mid"], [0.98, 0.8], 0.4)
        tables.append(
            pd.DataFrame(
                {
                    "account": [f"A{i:03d}" for i in range(n)],
                    "origin": date,
                    "back": back,
                    "contribution_class": fitted,
                    "contribution_class_fixed": rng.choice(["Low", "Mid", "High"], n),
                    "expected_contribution": size,
                    "trailing_revenue": rng.lognormal(10, 1.0, n),
                    "trailing_purchase_days": 5,
                    "next_purchases": bought.astype(int),
                    "next_value": size * bought * rng.uniform(0.8, 1.2, n),
                }
            )
        )
    past = pd.concat(tables, ignore_index=True)
    today = tables[-1][["account", "contribution_class", "contribution_class_fixed"]]
    return past, today


def means(table):
    return table[table["origin"].isna()].set_index(["column", "measure"])


def test_what_is_better_in_truth_is_found_better_and_the_other_way_round():
    past, today = company(300)
    table = evidence.measure(past, today)
    assert list(table.columns) == [c.name for c in terms.TABLES["evidence"]]
    fixed = means(table).loc["contribution_class_fixed"]
    for name in ("share", "explained", "churn", "changed", "missed"):
        assert fixed.loc[name, "verdict"] == "better", name
    assert means(table).loc["contribution_class", "verdict"].unique().tolist() == [""]
    swap = {"contribution_class": "contribution_class_fixed", "contribution_class_fixed": "contribution_class"}
    values = {"expected_contribution": "trailing_revenue", "trailing_revenue": "expected_contribution"}
    other = means(evidence.measure(past.rename(columns={**swap, **values}), today.rename(columns=swap)))
    for name in ("share", "explained", "churn", "changed"):
        assert other.loc[("contribution_class_fixed", name), "verdict"] == "worse", name


def test_two_equal_schemes_do_not_differ():
    past, today = company()
    past["contribution_class_fixed"] = past["contribution_class"]
    past["trailing_revenue"] = past["expected_contribution"]
    today = today.assign(contribution_class_fixed=today["contribution_class"])
    fixed = means(evidence.measure(past, today)).loc["contribution_class_fixed"].loc[list(evidence.MEASURES)[:4]]
    assert (fixed["difference"] == 0).all()
    assert (fixed["verdict"] == "even").all()


def test_each_measure_is_what_it_says():
    past, today = company(40, dates=DATES[:1])
    found = evidence.measure(past, today, n_boot=5)
    found = found[found["column"] == "contribution_class_fixed"].set_index("measure")["value"]
    found = found[~found.index.duplicated()]
    value, fixed = past["next_value"], past["contribution_class_fixed"]
    m = max(10, int((past["contribution_class"] == "High").sum()))
    rank = fixed.map({"Low": 0, "Mid": 1, "High": 2})
    first = past.assign(rank=rank).sort_values(["rank", "trailing_revenue"], ascending=False).index[:m]
    assert found["share"] == pytest.approx(value[first].sum() / value.sum())
    best = value.nlargest(m).index
    assert found["missed"] == pytest.approx(value[best.difference(first)].sum())
    assert found["churn"] == pytest.approx(roc_auc_score(past["next_purchases"] > 0, rank))
    # every account predicted by the mean of the others in its class, against the mean of all others
    errors = totals = 0.0
    for i in past.index:
        others = value.drop(i)
        errors += (value[i] - others[fixed.drop(i) == fixed[i]].mean()) ** 2
        totals += (value[i] - others.mean()) ** 2
    assert found["explained"] == pytest.approx(1 - errors / totals)
    on_top = fixed == "High"
    assert found["own_accounts"] == pytest.approx(on_top.mean())
    assert found["own_share"] == pytest.approx(value[on_top].sum() / value.sum())


def test_accounts_that_change_and_come_back_by_hand():
    past, today = company(40)
    other = {"Low": "Mid", "Mid": "High", "High": "Low"}
    start = past.loc[past["back"] == 2, "contribution_class_fixed"].reset_index(drop=True)
    second = start.copy()
    second[:10] = start[:10].map(other)
    past.loc[past["back"] == 1, "contribution_class_fixed"] = second.to_numpy()
    last = second.copy()
    last[:4] = start[:4]  # four of the ten are back
    today = today.assign(contribution_class_fixed=last)
    found = evidence.measure(past, today, n_boot=5)
    by_date = found[found["column"] == "contribution_class_fixed"].set_index(["measure", "origin"])["value"]
    assert by_date["changed", DATES[0]] == pytest.approx(10 / 40)
    assert by_date["returned", DATES[0]] == pytest.approx(4 / 10)
    assert by_date["changed", DATES[1]] == pytest.approx(4 / 40)


def test_a_scheme_without_classes_at_a_date_is_compared_on_the_others():
    past, today = company(60)
    past.loc[past["origin"] == DATES[0], "contribution_class_fixed"] = None
    found = evidence.measure(past, today)
    rows = found[(found["column"] == "contribution_class_fixed") & (found["measure"] == "explained")]
    assert rows["origin"].tolist()[0] == DATES[1]
    assert rows["difference"].nunique() == 1
    assert len(rows) == 2


def test_equal_keys_share_their_places():
    keys, weights = np.array([[3.0, 2.0, 2.0, 2.0, 1.0]]), np.ones((1, 5))
    # two of five places: the first is sure, the second is one of three equals
    everyone = np.arange(5)
    assert evidence._first(keys, weights, 0.4).of(everyone, 5).tolist() == [[1.0, *[pytest.approx(1 / 3)] * 3, 0.0]]
    doubled = np.array([[2.0, 0.0, 1.0, 1.0, 1.0]])
    assert evidence._first(keys, doubled, 0.4).of(everyone, 5)[0, [0, 2, 4]].tolist() == [1.0, 0.0, 0.0]


def test_the_first_of_a_draw_are_looked_for_as_far_down_as_it_takes():
    value = np.arange(100.0, 0.0, -1.0)
    weights = np.ones((2, 100))
    weights[1, :60], weights[1, 60:] = 0.0, 2.5
    first = evidence._first(value[None, :], weights, 0.05)
    # in the second draw the best sixty are not there, and each other stands for two and a half of the five
    assert first.sums(weights, value).tolist() == [100.0 + 99 + 98 + 97 + 96, 2.5 * (40 + 39)]


def test_the_same_seed_gives_the_same_evidence_and_a_sample_stands_for_very_many(monkeypatch):
    past, today = company(200)
    pd.testing.assert_frame_equal(evidence.measure(past, today), evidence.measure(past, today))
    monkeypatch.setattr(evidence, "MAX_ACCOUNTS", 100)
    sampled = evidence.measure(past, today)
    assert set(sampled["accounts"]) == {100}


def test_too_few_accounts_give_no_evidence_and_the_page_says_so():
    past, today = company(20)
    empty = evidence.measure(past, today)
    assert empty.empty
    assert list(empty.columns) == [c.name for c in terms.TABLES["evidence"]]
    (said,) = section.verdict(Run({"evidence": empty}), Translator("en"))
    assert said.tone == "warning"
    assert "not known whether the fitted borders serve better" in said.markdown


def test_equal_values_classes_and_nobody_leaving_are_no_error():
    past, today = company(40)
    past = past.assign(next_value=5.0, next_purchases=1, contribution_class="Low", contribution_class_fixed="Low")
    found = means(evidence.measure(past, today.assign(contribution_class="Low", contribution_class_fixed="Low")))
    assert "churn" not in found.loc["contribution_class"].index
    assert found.loc[("contribution_class", "share"), "value"] == pytest.approx(10 / 40)


class Run:
    def __init__(self, tables):
        self.tables = tables

    def read(self, name, *, columns=(), where=None):
        return self.tables[name]


def rows(*verdicts):
    return pd.DataFrame(verdicts, columns=["column", "measure", "verdict"])


def test_the_first_sentence_says_where_the_fitted_borders_are_not_better():
    t = Translator("en")
    worse = rows(
        ("contribution_class_fixed", "share", "better"),
        ("abc_004", "churn", "worse"),
        ("contribution_class_fixed", "churn", "worse"),
        ("tiers_004", "share", "even"),
    )
    assert section.first_sentence(worse, t) == (
        "The fitted borders are not better everywhere: in 2 of 4 comparisons another scheme was clearly better (“Who "
        "stays”: Fixed thresholds, ABC by expected amount); in 1 there is no clear difference."
    )
    even = rows(("contribution_class_fixed", "share", "even"), ("abc_004", "share", "better"))
    assert section.first_sentence(even, t) == (
        "The fitted borders are nowhere worse, but in 1 of 2 comparisons not clearly better: “Top class”: Fixed "
        "thresholds."
    )
    assert section.first_sentence(rows(("abc_004", "share", "better")), t) == (
        "The fitted borders were clearly better than every other scheme by every measure."
    )


def test_movers_are_counted_with_what_they_brought():
    past = pd.DataFrame(
        {
            "contribution_class": ["High", "High", "Low", "Mid", "Low"],
            "contribution_class_fixed": ["Low", "Mid", "Mid", "Mid", None],
            "next_value": [100.0, 50.0, 10.0, 7.0, 99.0],
        }
    )
    found = evidence.movers(past)
    assert found["accounts"].to_dict() == {"up": 2, "down": 1, "stays": 1}
    assert found["value"].to_dict() == {"up": 150.0, "down": 10.0, "stays": 7.0}
    assert found.loc["up", "mean"] == 75.0


def test_better_over_all_dates_is_called_better_only_if_the_newest_date_agrees():
    both = rows(("abc_004", "share", "better"), ("abc_004", "churn", "better"), ("abc_004", "returned", "better"))
    newest = both.iloc[:2].assign(origin=pd.Timestamp("2024-12-31"), verdict=["better", "worse"])
    run = Run({"evidence": pd.concat([both.assign(origin=pd.NaT), newest], ignore_index=True)})
    found = section._means(run, Translator("en")).set_index("measure")
    assert found["verdict"].to_dict() == {"share": "better", "churn": "even", "returned": "better"}
    assert found["newest"].to_dict() == {"share": "better", "churn": "worse", "returned": ""}
