"""Two real companies from their files to plans and pipeline, without the documents: what comes out was in them."""

import os
from pathlib import Path

import pandas as pd
import pytest
from known_data import CLASSICMODELS

import kamlab as kl
from kamlab.reports.sections import segments

CASES = Path(os.environ.get("KAMLAB_CASES", "/nowhere"))
pytestmark = pytest.mark.skipif(
    "KAMLAB_CASES" not in os.environ, reason="KAMLAB_CASES does not name the folder of real data"
)

COMPANY = """
[company]
name = "Classic Models"
currency = "USD"
"""
SIDE_TABLES = """
columns = { account = "customerNumber", name = "customerName", owner = "salesRepEmployeeNumber", country = "country" }
[source.owners]
path = "${KAMLAB_CASES}/classicmodels/employees.csv"
columns = { owner = "employeeNumber", name = "lastName" }
[source.payments]
path = "${KAMLAB_CASES}/classicmodels/payments.csv"
columns = { account = "customerNumber", payment = "checkNumber", date = "paymentDate", amount = "amount" }
[source.invoices]
path = "invoices.csv"
columns = { invoice = "orderNumber", account = "customerNumber", date = "orderDate", due = "due", amount = "amount" }
[period]
as_of = 2005-05-31
[value]
draws = 100
"""
DEALS = """
[company]
name = "Deals"
[source.transactions]
path = "${KAMLAB_CASES}/pipeline/sales_pipeline.csv"
columns = { account = "account", date = "close_date", amount = "close_value", product = "product" }
exclude = { deal_stage = ["Lost", "Engaging", "Prospecting"] }
# Deals that are open have neither a day nor an amount.
max_quarantined_share = 0.3
[source.accounts]
path = "${KAMLAB_CASES}/pipeline/accounts.csv"
columns = { account = "account", name = "account", industry = "sector", country = "office_location" }
[source.prospects]
path = "${KAMLAB_CASES}/pipeline/sales_pipeline.csv"
[source.prospects.columns]
deal = "opportunity_id"
account = "account"
owner = "sales_agent"
product = "product"
stage = "deal_stage"
opened = "engage_date"
closed = "close_date"
value = "close_value"
[period]
as_of = 2017-12-31
[value]
draws = 100
"""


@pytest.fixture(scope="module")
def orders():
    """What each order of classicmodels that was not cancelled came to."""
    lines = pd.read_csv(CASES / "classicmodels" / "orderdetails.csv")
    came = (lines["quantityOrdered"] * lines["priceEach"]).groupby(lines["orderNumber"]).sum()
    table = pd.read_csv(CASES / "classicmodels" / "orders.csv", parse_dates=["orderDate"])
    table = table[~table["status"].isin(["Cancelled", "Disputed"])]
    return table.assign(amount=table["orderNumber"].map(came), due=table["orderDate"] + pd.Timedelta(days=30))


@pytest.fixture(scope="module")
def classic(tmp_path_factory, orders):
    folder = tmp_path_factory.mktemp("classic")
    orders[["orderNumber", "customerNumber", "orderDate", "due", "amount"]].to_csv(folder / "invoices.csv", index=False)
    (folder / "kamlab.toml").write_text(COMPANY + CLASSICMODELS + SIDE_TABLES, "utf-8")
    return kl.runs.open("", config=folder / "kamlab.toml", accept_stale=True)


@pytest.fixture(scope="module")
def deals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deals")
    (folder / "kamlab.toml").write_text(DEALS, "utf-8")
    return kl.runs.open("", config=folder / "kamlab.toml", accept_stale=True)


def test_every_account_has_every_label_and_those_that_never_ordered_wait(classic):
    labels = classic.read("labels")
    counts = labels.groupby("account").size()
    assert len(counts) == 122
    strategies = classic.read("strategies").set_index("account")
    assert (strategies["strategy_rule"] == "prospect.unknown").sum() == 24
    # Nobody's potential is declared, so every type of a customer is provisional.
    assert strategies.loc[strategies["type_000"].notna(), "provisional"].all()


def test_what_is_unpaid_is_what_was_ordered_less_what_came(classic, orders):
    paid = pd.read_csv(CASES / "classicmodels" / "payments.csv", parse_dates=["paymentDate"])
    paid = paid[paid["paymentDate"] <= "2005-05-31"].groupby("customerNumber")["amount"].sum()
    known = orders[orders["orderDate"] <= "2005-05-31"].groupby("customerNumber")["amount"].sum()
    open_ = (known - paid.reindex(known.index).fillna(0)).clip(lower=0)
    found = classic.read("credit").set_index("account")["outstanding"]
    assert found.sum() == pytest.approx(open_.sum(), rel=0.01)  # half a per cent an invoice passes for bank charges
    future = classic.read("forecast").set_index("account")
    lost = future["receivables_cost"] + future["credit_loss"]
    margin = future["expected_revenue"] * future["margin_rate"]
    assert (margin - future["expected_contribution"]).to_numpy() == pytest.approx(lost.to_numpy())
    assert 0.001 < lost.sum() / future["expected_revenue"].sum() < 0.1


def test_owners_whom_the_master_writes_as_1370_0_are_the_people_of_the_list(classic):
    plans = classic.read("plans")
    named = classic.read("accounts").set_index("account")["owner"].reindex(plans["account"])
    people = pd.read_csv(CASES / "classicmodels" / "employees.csv", dtype=str)["employeeNumber"]
    assert len(set(named.dropna())) == 15
    assert set(named.dropna()) <= set(people)
    assert (plans["responsible"].to_numpy() == named.fillna("").to_numpy()).all()
    assert plans["planned"].sum() > 10


def test_a_seller_to_key_accounts_falls_into_segments_that_a_manager_can_read(classic):
    profile, t = classic.read("profile"), classic.translator("en")
    # 98 of the 122 have bought
    assert profile["accounts"].sum() == 98
    assert len(profile) >= 2
    assert profile["segment_name"].is_unique
    assert not profile["segment_name"].str.contains("[0-9]").any()
    best = profile.iloc[0]
    assert best["share_contribution"] > 1.2 * best["share_accounts"]
    assert classic.read_facts("segmentation")["reproduced"] > 0.85
    (rules,) = segments.rules(classic, t)
    assert all(any(sign in row[1] for sign in "≥<") for row in rules.rows)
    assert any("USD" in row[1] for row in rules.rows)
    # whose middle account bought nothing for a year is called silent
    silent = classic.read("segments").merge(classic.read("features")[["account", "silence"]], on="account")
    gone = silent.groupby("segment_name")["silence"].median()
    assert all("silent" in name for name in gone.index[gone > 365])
    assert (gone > 365).any()


def test_open_deals_are_weighted_by_what_became_of_earlier_ones(deals):
    raw = pd.read_csv(CASES / "pipeline" / "sales_pipeline.csv")
    table = deals.read("pipeline")
    assert len(table) == raw["deal_stage"].isin(["Engaging", "Prospecting"]).sum()
    assert table["account"].isna().sum() == raw.loc[raw["close_date"].isna(), "account"].isna().sum()
    grades = deals.read("prospects").set_index("account")["prospect_004"]
    best = table.dropna(subset="account").groupby("account")["prospect_004"].min()
    pd.testing.assert_series_equal(grades, best, check_names=False, check_dtype=False)
    record = deals.read("pipeline_record")
    chosen = record[record["model"] == deals.read_facts("pipeline_total")["model"]]
    # Where the record says how many of the open deals were won within 91 days, the chances said about as many.
    newest = chosen[chosen["role"] == "record"].iloc[0]
    rate = record[(record["model"] == "win_rate") & (record["role"] == "record")].iloc[0]
    assert abs(newest["predicted"] - newest["won"]) < abs(rate["predicted"] - rate["won"])
    assert newest["brier"] < rate["brier"]
    total = deals.read_facts("pipeline_total")
    assert total["lower"] < total["total"] < total["upper"] < table["value"].sum()


def test_accounts_of_the_pipeline_have_strategies(deals):
    strategies = deals.read("strategies")
    assert len(strategies) == 85
    assert strategies["strategy"].notna().all()
