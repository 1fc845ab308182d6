"""The steps that write lifetime values, totals, signals and costs to serve: from the files to the tables."""

import numpy as np
import pandas as pd
import pytest

import kamlab as kl
from kamlab.terms import TABLES

TOML = """
[company]
name = "Acme"
[source.transactions]
path = "orders.csv"
columns = { account = "customer", date = "day", amount = "net", cost = "cost" }
[source.accounts]
path = "accounts.csv"
columns = { account = "id", owner = "rep" }
COSTS
[value]
draws = 100
[period]
as_of = 2024-12-31
"""
COSTS = '[source.costs]\npath = "costs.csv"\ncolumns = { account = "id", date = "day", amount = "spent" }'


def company(folder, costs=COSTS):
    rng = np.random.default_rng(4)
    rows = []
    for i in range(60):
        day = float(rng.uniform(0, 200))
        while day < 730:
            value = 100 * np.exp(rng.normal(0, 0.4) + i / 60)
            rows.append((f"C{i:02d}", pd.Timestamp("2023-01-02") + pd.Timedelta(days=int(day)), round(value, 2)))
            day += rng.exponential(40)
    lines = pd.DataFrame(rows, columns=["customer", "day", "net"])
    lines = lines[lines["day"] <= "2024-12-31"].assign(cost=lambda t: (t["net"] * 0.7).round(2))
    lines.to_csv(folder / "orders.csv", index=False)
    owners = pd.DataFrame({"id": [f"C{i:02d}" for i in range(60)], "rep": ["Ann", "Bob", "Ann"] * 20})
    owners.to_csv(folder / "accounts.csv", index=False)
    (folder / "costs.csv").write_text(
        "id,day,spent\nC05,2024-03-01,900\nC05,2023-03-01,50\nC59,2024-05-01,1.50\n", "utf-8"
    )
    (folder / "kamlab.toml").write_text(TOML.replace("COSTS", costs), "utf-8")
    return kl.runs.open("", config=folder / "kamlab.toml")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return company(tmp_path_factory.mktemp("acme"))


def test_costs_to_serve_go_from_the_file_into_margin_forecast_and_probability_of_a_loss(run):
    rates = run.read("margins").set_index("account")
    assert rates["cost_to_serve"].loc[["C05", "C59", "C00"]].tolist() == [900.0, 1.5, 0.0]
    assert rates["p_negative"]["C05"] > 0.99
    future = run.read("forecast").set_index("account")
    margin = future["expected_revenue"] * future["margin_rate"]
    assert future["expected_contribution"].to_numpy() == pytest.approx((margin - future["cost_to_serve"]).to_numpy())
    assert 0 < future["cost_to_serve"]["C05"] <= 900
    assert future["cost_to_serve"]["C00"] == 0
    assert run.read("lifetime").set_index("account")["p_negative_3y"]["C05"] > 0.8


def test_lifetime_and_its_totals_are_written(run):
    lifetime, sums = run.read("lifetime"), run.read("lifetime_totals")
    assert list(lifetime.columns) == [column.name for column in TABLES["lifetime"]]
    assert sums["group"].tolist() == ["company", "Ann", "Bob"] * 3
    company = sums.set_index(["measure", "group"])["expected"]
    assert company["clv_1y", "company"] == pytest.approx(run.read("forecast")["clv"].sum())
    assert company["clv_5y", "Ann"] + company["clv_5y", "Bob"] == pytest.approx(lifetime["clv_5y"].sum())


def test_totals_of_owners_and_segments_have_intervals_of_joint_draws(run):
    sums = run.read("totals")
    assert sums["measure"].unique().tolist() == ["revenue", "contribution", "clv_3y", "clv_5y"]
    assert set(sums["kind"]) == {"company", "owner", "segment"}
    draws = run.read("draws").drop(columns="account").sum()
    whole = sums[(sums["kind"] == "company") & (sums["measure"] == "contribution")].iloc[0]
    assert (whole["lower"], whole["upper"]) == pytest.approx(tuple(np.quantile(draws, [0.05, 0.95])))
    assert whole["basis"] == "contribution"
    parts = sums[(sums["kind"] == "segment") & (sums["measure"] == "revenue")]
    assert parts["accounts"].sum() == whole["accounts"]
    assert parts["expected"].sum() == pytest.approx(run.read("forecast")["expected_revenue"].sum())
    # Of 5 years too, as the chapter on values had the company and its owners.
    keys = ["measure", "group"]
    found, known = (
        rows[(rows["measure"] == "clv_5y") & (rows["kind"] != "segment")].set_index(keys)[
            ["expected", "lower", "upper"]
        ]
        for rows in (sums, run.read("lifetime_totals"))
    )
    pd.testing.assert_frame_equal(found, known, rtol=1e-5)
    parts = sums[(sums["kind"] == "segment") & (sums["measure"] == "clv_5y")]
    assert parts["expected"].sum() == pytest.approx(run.read("lifetime")["clv_5y"].sum())
    assert (parts["lower"] < parts["expected"]).all()
    assert (parts["expected"] < parts["upper"]).all()


def test_facts_of_signals_and_order_values_are_written(run):
    assert set(run.read_facts("signals")) == {"truncation", "seasons", "spikes", "returns"}
    assert {"correlation", "dependent", "p_value"} <= set(run.read_facts("spend"))
