"""What the pages say of the future: totals from joint draws, lifetime value, order value, one-time buyers."""

import numpy as np
import pandas as pd
import pytest
from fake_run import FakeRun, T, printed

from kamlab.reports.sections import (
    answers,
    outlook,
)
from kamlab.reports.sections.source import total


def test_a_total_is_the_quantiles_of_the_summed_draws():
    draws = pd.DataFrame({"account": ["A", "B"]} | {f"d{i}": [float(i), float(100 - i)] for i in range(101)})
    forecast = pd.DataFrame({"account": ["A", "B"], "expected_contribution": [50.0, 49.0]})
    run = FakeRun({"forecast": forecast, "draws": draws})
    whole = total(run)
    # Every draw of A has its complement in B: the sum is always 100, though each alone ranges from 5 to 95.
    assert (whole.value, whole.lower, whole.upper) == (99.0, 100.0, 100.0)
    assert (total(run, ["A"]).lower, total(run, ["A"]).upper) == pytest.approx((5, 95))
    assert np.isnan(total(run, []).value)


@pytest.mark.parametrize(
    ("cost", "waiting", "net"),
    [
        (3.0, np.nan, "after cost to serve (90%"),
        (0.0, np.nan, "of contribution (90%"),
        (0.0, 0.05, "after the cost of selling on credit (90%"),
        (3.0, 0.05, "after the cost of service and of credit (90%"),
    ],
)
def test_what_was_and_what_is_expected_are_one_quantity_of_the_same_customers(cost, waiting, net):
    future = {"account": ["A"], "expected_revenue": [50.0], "expected_contribution": [9.0], "basis": ["contribution"]}
    draws = pd.DataFrame({"account": ["A"], "d0": [9.0], "d1": [9.0]})
    run = FakeRun(
        {
            "summary": pd.DataFrame({"account": ["A"], "trailing_revenue": [40.0], "trailing_margin": [12.0]}),
            "margins": pd.DataFrame(
                {"account": ["A"], "cost_to_serve": cost, "receivables_rate": waiting, "loss_rate": np.nan}
            ),
            "forecast": pd.DataFrame(future | {"cost_to_serve": cost, "receivables_cost": 50 * waiting}),
            "draws": draws,
            "revenue_draws": draws,
        },
        {
            "plan": {"trailing": {}},
            "revenue": {
                "trailing": 70.0,
                "previous": 70.0,
                "trailing_contribution": 20.0,
                "previous_contribution": 10.0,
            },
        },
    )
    (block,) = answers.headline(run, T)
    said = block.markdown.replace("\u00a0", " ")
    assert "today's customers should bring **EUR 9.00**" in said
    # Of the 40 of revenue, waiting took a twentieth, where it is known.
    assert f"against {T.money(12 - cost - (0 if np.isnan(waiting) else 2))} in".replace("\u00a0", " ") in said
    assert net in said
    gross = "Contribution before the cost of service and credit of the last 12 months" in said
    assert gross == (cost > 0 or not np.isnan(waiting))


def sums(*rows):
    names = ["kind", "group", "measure", "accounts", "expected", "lower", "upper"]
    return pd.DataFrame(rows, columns=names).assign(level=0.9, basis="contribution")


def test_lifetime_value_of_the_company_is_printed_with_its_own_interval():
    rows = [("company", "company", f"clv_{y}y", 2, 100.0 * y, 80.0 * y, 130.0 * y) for y in (1, 3, 5)]
    run = FakeRun({"lifetime_totals": sums(*rows), "forecast": pd.DataFrame({"basis": ["contribution"]})})
    said = printed(outlook.lifetime(run, T))
    for part in ("12 months", "5 years", "EUR 500", "EUR 400 to EUR 650", "10%", "nobody new"):
        assert part in said, part


def test_without_money_there_is_no_lifetime_value_to_print():
    run = FakeRun({"lifetime_totals": sums()})
    assert outlook.lifetime(run, T) == outlook.accounts(run, T) == outlook.groups(run, T) == []


def test_accounts_are_printed_by_value_with_the_probability_of_a_loss():
    table = pd.DataFrame({"account": ["A", "B"], "dert": [9.0, 4.0], "p_negative_5y": [0.25, 0.0]})
    for years in (1, 3, 5):
        table[f"clv_{years}y"] = [1.0 * years, 2.0 * years]
    table = table.assign(clv_5y_lower=-1.0, clv_5y_upper=20.0)
    tables = {"lifetime": table, "accounts": pd.DataFrame({"account": ["A", "B"], "name": ["*Star*", "Sun"]})}
    (block,) = outlook.accounts(FakeRun(tables | {"lifetime_totals": sums(("company",) * 3 + (1, 1, 1, 1))}), T)
    said = printed([block])
    assert said.index("Sun") < said.index("*Star*")
    assert "25%" in said


def test_owners_are_printed_with_their_own_intervals_where_there_are_several():
    rows = [("owner", "Ann", "contribution", 2, 10.0, 5.0, 20.0), ("owner", "Bob", "contribution", 1, 30.0, 15.0, 45.0)]
    rows += [("segment", "one", "contribution", 3, 40.0, 30.0, 50.0), ("owner", "Ann", "revenue", 2, 99.0, 98.0, 100.0)]
    tables = {"totals": sums(*rows), "lifetime_totals": sums(("company",) * 3 + (1, 1, 1, 1))}
    (block,) = outlook.groups(FakeRun(tables | {"forecast": pd.DataFrame({"basis": ["contribution"]})}), T)
    said = printed([block])
    assert said.index("Bob") < said.index("Ann")
    assert "EUR 15.0 to EUR 45.0" in said
    assert "99" not in said
    beyond = [
        ("owner", name, f"clv_{y}y", 1, v * y, v * y / 2, v * y * 2)
        for y in (3, 5)
        for name, v in (("Ann", 8), ("Bob", 7))
    ]
    tables["totals"] = sums(*rows, *beyond)
    _, block = outlook.groups(FakeRun(tables | {"forecast": pd.DataFrame({"basis": ["contribution"]})}), T)
    said = printed([block])
    assert said.index("Ann") < said.index("Bob")
    for part in ("EUR 12.0 to EUR 48.0", "EUR 35.0", "EUR 17.5 to EUR 70.0", "3 years", "5 years", "discounted"):
        assert part in said, part


@pytest.mark.parametrize(
    ("r", "dependent", "words"), [(0.02, False, "may be used"), (-0.4, True, "smaller orders"), (0.4, True, "larger")]
)
def test_whether_order_value_goes_with_frequency_is_said(r, dependent, words):
    facts = {"correlation": r, "lower": r - 0.1, "upper": r + 0.1, "dependent": dependent}
    assert words in printed(outlook.spend(FakeRun(facts={"spend": facts}), T))
    assert outlook.spend(FakeRun(facts={"spend": {}}), T) == []


def test_one_time_buyers_who_are_alive_by_construction_are_counted():
    summary = pd.DataFrame({"account": list("ABCD"), "frequency": [0, 0, 0, 3], "days_since_last": [10, 500, 366, 5]})
    models = pd.DataFrame({"model": ["bg_nbd", "gamma_gamma"]})
    future = pd.DataFrame({"account": list("ABCD"), "p_alive": [1.0, 1.0, 0.4, 1.0]})
    run = FakeRun({"summary": summary, "models": models, "forecast": future})
    said = printed(outlook.one_time(run, T))
    assert "2 accounts have bought only once, and BG/NBD" in said
    assert "of these 1 bought more than 12 months ago" in said
    assert outlook.one_time(FakeRun(run.tables | {"forecast": future.assign(p_alive=0.9)}), T) == []
