"""Companies with a handful of accounts: a whole report that says what it rests on, and no class without a value."""

import numpy as np
import pandas as pd
import pytest

import kamlab as kl
from kamlab import checks, clv
from kamlab.errors import ModelError
from kamlab.i18n import Translator
from kamlab.reports.sections import caveats
from kamlab.terms import LEVELS, STRATEGIES

TOML = """
[company]
name = "Few"
currency = "EUR"
[source.transactions]
path = "orders.csv"
columns = { account = "account", date = "date", amount = "amount" }
[value]
draws = 100
[period]
as_of = 2025-12-31
"""
END = pd.Timestamp("2025-12-31")


def orders(n, *, last=END, giant=False, once=False, years=1):
    """Orders every 20 to 90 days of about 1,000 each; the giant's are a thousand times as large."""
    rng = np.random.default_rng(n)
    rows = []
    for i in range(n):
        day, gap = END - pd.Timedelta(days=years * 365 + int(rng.integers(20, 50))), int(rng.integers(20, 90))
        size = 1e6 if giant and i == 0 else 1000.0
        while day <= last:
            rows.append((f"K{i:02}", day.date(), round(size * rng.lognormal(0, 0.3), 2)))
            day += pd.Timedelta(days=2000 if once else int(rng.integers(gap // 2, 2 * gap)))
    return pd.DataFrame(rows, columns=["account", "date", "amount"])


CASES = {
    "one": orders(1),
    "three": orders(3),
    "twelve": orders(12, years=3),
    "twenty-nine": orders(29),
    "all lost": orders(12, last=END - pd.Timedelta(days=200)),
    "one has 99 % of the money": orders(12, giant=True),
    "forty, none has bought again": orders(40, once=True),
}


def company(folder, log):
    log.to_csv(folder / "orders.csv", index=False)
    (folder / "kamlab.toml").write_text(TOML, "utf-8")
    return folder / "kamlab.toml"


def words(blocks):
    return " ".join(str(block) for block in blocks)


@pytest.mark.parametrize("case", CASES)
def test_every_account_gets_forecast_classes_and_strategy(case, few):
    n = CASES[case]["account"].nunique()
    run = kl.runs.open("", config=few(case), accept_stale=True)
    future, classes = run.read("forecast"), run.read("schemes")
    assert len(future) == len(classes) == n
    numbers = ["p_alive", "expected_purchases", "expected_revenue", "revenue_lower", "revenue_upper", "clv"]
    assert np.isfinite(future[numbers]).all(axis=None)
    assert (future[numbers] >= 0).all(axis=None)
    assert (future["revenue_lower"] <= future["revenue_upper"]).all()
    for column in ("contribution_class", "potential_class", "contribution_class_fixed"):
        assert classes[column].isin(LEVELS).all()
    assert run.read("strategies")["strategy"].isin(STRATEGIES).all()
    assert run.read_facts("choice")["few"]
    said = words(caveats.warnings(run, Translator("en", currency="EUR")))
    assert "Too few accounts for a model" in said
    assert f"{n} account" in said
    if n < 30:
        assert run.read_facts("segmentation")["rule"].startswith("Too few accounts to look for segments")


def test_the_check_says_so_and_finds_no_fault(tmp_path):
    checked = checks.check_data(company(tmp_path, CASES["three"]))
    assert "3 accounts have bought, 3 of them again; models need 30 and 10" in checked.text
    assert "No report can be made" not in checked.text


HISTORIES = pd.DataFrame(
    {"account": ["a", "b", "c"], "frequency": [20, 0, 2], "recency": [100.0, 0.0, 10.0], "T": [104.0, 50.0, 104.0]}
)


def test_models_themselves_still_refuse_few_accounts():
    with pytest.raises(ModelError, match="There are 3 accounts; at least 30 are needed"):
        clv.BGNBD().fit(HISTORIES)
    with pytest.raises(ModelError, match="There are 3 accounts; at least 30 are needed"):
        clv.MBGNBD().fit(HISTORIES)


def test_with_many_accounts_the_prior_hardly_counts():
    rng = np.random.default_rng(1)
    rows = []
    for i in range(3000):
        rate, leaving, day, bought = rng.gamma(1.2) / 6, rng.beta(0.8, 2.5), 0.0, [0.0]
        while rng.random() > leaving and (day := day + rng.exponential(1 / rate)) < 100:
            bought.append(day)
        rows.append((str(i), len(bought) - 1, bought[-1], 100.0))
    many = pd.DataFrame(rows, columns=list(HISTORIES))
    fitted, prior = clv.MBGNBD().fit(many), clv.MBGNBD().fit_few(many)
    assert prior.params_ == pytest.approx(fitted.params_, rel=0.05)


def test_one_regular_buyer_goes_on_as_before_and_one_that_has_stopped_is_given_up():
    one = pd.DataFrame({"account": ["a"], "frequency": [104], "recency": [104.0], "T": [104.0]})
    said = clv.MBGNBD().fit_few(one).predict(one, horizon_days=364).iloc[0]
    # 52 purchases in each of two years: the next one lies near that, and the interval holds it.
    assert 40 < said["expected_purchases"] < 54
    assert said["lower"] <= 52 <= said["upper"]
    gone = pd.DataFrame({"account": ["a"], "frequency": [52], "recency": [52.0], "T": [156.0]})
    assert clv.MBGNBD().fit_few(gone).predict(gone).iloc[0]["p_alive"] < 0.01


def test_a_single_purchase_yesterday_promises_about_one_a_year():
    new = pd.DataFrame({"account": ["a"], "frequency": [0], "recency": [0.0], "T": [0.1]})
    said = clv.MBGNBD().fit_few(new).predict(new).iloc[0]
    assert 0.3 < said["expected_purchases"] < 2
    assert said["lower"] == 0


def test_order_values_of_one_account_are_expected_again():
    one = pd.DataFrame({"account": ["a"], "frequency": [9], "monetary_value": [500.0], "first_value": [500.0]})
    spend = clv.LogNormalSpend().fit_few(one)
    assert spend.expected_spend(one)["expected_spend"].iloc[0] == pytest.approx(500, rel=0.01)
    with pytest.raises(ModelError, match="No account has an order above 0"):
        clv.LogNormalSpend().fit_few(one.assign(monetary_value=0.0, first_value=0.0))
