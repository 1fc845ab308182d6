"""Every file of the folder of real data is read or refused as its description says."""

import csv
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from known_data import CLASSICMODELS

from kamlab import accounts, config, configured, inputs, tables
from kamlab.checks import check_data
from kamlab.errors import DataError
from kamlab.sources import read_table
from kamlab.tables import SCHEMAS

CASES = Path(os.environ.get("KAMLAB_CASES", "/nowhere"))
pytestmark = pytest.mark.skipif(
    "KAMLAB_CASES" not in os.environ, reason="KAMLAB_CASES does not name the folder of real data"
)


# What each file holds beside its header; files that are no table of a company are refused as a log (below).
FILES = {
    "groceryElog.csv": 10_483,
    "online_retail_2009_2010.parquet": 525_461,
    "classicmodels/customers.csv": 122,
    "classicmodels/employees.csv": 23,
    "classicmodels/offices.csv": 7,
    "classicmodels/orderdetails.csv": 2_996,
    "classicmodels/orders.csv": 326,
    "classicmodels/payments.csv": 273,
    "classicmodels/productlines.csv": 7,
    "classicmodels/products.csv": 110,
    "northwind/customers.csv": 91,
    "northwind/northwind_lines.csv": 2_155,
    "pipeline/accounts.csv": 85,
    "pipeline/products.csv": 7,
    "pipeline/sales_pipeline.csv": 8_800,
    "pipeline/sales_teams.csv": 35,
    "messy/northwind_neo4j_ragged_orders.csv": 830,
    "messy/sales_data_sample.csv": 2_823,
    "messy/superstore_orders_CRonly.csv": 5_009,
    "messy/wholesale_nbsp_emptycols.csv": 440,
    "messy/zh_orders.csv": 60_398,
}


def test_every_file_is_known_here():
    found = {p.relative_to(CASES).as_posix() for p in CASES.rglob("*") if p.is_file() and p.name != "README.md"}
    assert found == set(FILES)


@pytest.mark.parametrize("name", [name for name in FILES if name != "online_retail_2009_2010.parquet"])
def test_no_row_of_a_file_is_lost(name):
    raw = read_table(CASES / name)
    assert raw.rows.num_rows + len(raw.ragged) == FILES[name]


def test_companies_that_never_ordered_and_orders_that_were_not_shipped(tmp_path):
    (tmp_path / "kamlab.toml").write_text(
        f'[company]\nname = "X"\n{CLASSICMODELS}'
        'columns = { account = "customerNumber", name = "customerName", owner = "salesRepEmployeeNumber" }\n'
    )
    settings = config.load(tmp_path / "kamlab.toml")
    ledger, _ = inputs.read_lines(settings)
    parts = ledger.reconciliation().set_index("part")["rows"]
    assert (parts["read"], parts["excluded"], parts["quarantined"]) == (2_996, 79 + 14, 0)
    master = accounts.read_master(settings, as_of=date(2005, 5, 31)).rows
    assert len(set(master["account"]) - set(ledger.accounts_until())) == 24
    lines = read_table(CASES / "northwind" / "northwind_lines.csv").rows["customerID"].to_pylist()
    customers = read_table(CASES / "northwind" / "customers.csv").rows["customerID"].to_pylist()
    assert len(set(customers) - set(lines)) == 2


def test_a_log_without_money():
    said = check_data(CASES / "groceryElog.csv").text
    assert "Read 10,483 lines: accepted 10,483 lines" in said
    assert "1,525 accounts" in said
    assert "No amounts: nothing about money can be computed." in said


def test_northwind():
    said = check_data(CASES / "northwind" / "northwind_lines.csv").text
    # 1,265,793.04 is what the sample database's invoices come to.
    assert "Read 2,155 lines, 1,265,793.04" in said


@pytest.mark.parametrize(
    ("name", "missing"),
    [("zh_orders.csv", 'No column is named for "date".'), ("wholesale_nbsp_emptycols.csv", 'named for "account".')],
)
def test_files_that_are_no_log_are_refused(name, missing):
    with pytest.raises(DataError, match="cannot be read as a transaction log") as caught:
        check_data(CASES / "messy" / name)
    assert missing in str(caught.value)
    if name.startswith("zh"):
        assert "客户ID, 产品名称" in str(caught.value)


def test_rows_with_a_wrong_number_of_fields_are_quarantined_with_their_lines():
    path = CASES / "messy" / "northwind_neo4j_ragged_orders.csv"
    said = check_data(path).text
    with path.open(encoding="utf-8", newline="") as file:
        bad = [number for number, row in enumerate(csv.reader(file), start=1) if len(row) != 14]
    assert f"accepted {830 - len(bad)} lines; quarantined {len(bad)} lines" in said
    assert f"{len(bad)} × 15 fields where the header has 14 (lines {', '.join(map(str, bad[:10]))} …)" in said


def test_line_ends_of_old_macs_and_their_encoding_are_found():
    said = check_data(CASES / "messy" / "superstore_orders_CRonly.csv").text
    assert "encoding mac_roman (found)" in said
    assert "line ends CR" in said
    assert "Französisch" in said
    assert "dates written like 12/31/25 (order_date) (found)" in said
    text = (CASES / "messy" / "superstore_orders_CRonly.csv").read_bytes().decode("mac_roman")
    total = sum(Decimal(row["grand_total"]) for row in csv.DictReader(text.split("\r")))
    assert f"Read 5,009 lines, {total:,.2f}" in said


def test_dates_with_a_time_and_two_digits_of_the_year_are_found():
    said = check_data(CASES / "messy" / "sales_data_sample.csv").text
    assert "dates written like 12/31/25 (ORDERDATE) (found)" in said
    assert "From 2003-01-06 to 2005-05-31" in said
    table = pd.read_csv(CASES / "messy" / "sales_data_sample.csv", encoding="latin-1")
    assert f"Read 2,823 lines, {table['SALES'].sum():,.2f}" in said


def test_the_pipeline_is_read_and_shows_no_outcome_before_its_day(tmp_path):
    (tmp_path / "log.csv").write_text("a,d\nA,2017-01-01\n")
    (tmp_path / "kamlab.toml").write_text(
        '[company]\nname = "X"\n[source.transactions]\npath = "log.csv"\ncolumns = { account = "a", date = "d" }\n'
        '[source.prospects]\npath = "${KAMLAB_CASES}/pipeline/sales_pipeline.csv"\n'
        'columns = { deal = "opportunity_id", account = "account", owner = "sales_agent", product = "product", '
        'stage = "deal_stage", opened = "engage_date", closed = "close_date", value = "close_value" }\n'
    )
    settings = config.load(tmp_path / "kamlab.toml")
    raw = pd.read_csv(CASES / "pipeline" / "sales_pipeline.csv")
    found = tables.read(settings, "prospects", as_of=date(2017, 12, 31))
    assert (len(found.rows), len(found.quarantine)) == (8800, 0)
    assert found.rows["account"].isna().mean() == pytest.approx(0.16, abs=0.005)
    assert found.rows["value"].sum() == raw["close_value"].sum()
    early = tables.read(settings, "prospects", as_of=date(2017, 6, 30)).rows
    known = raw[~(raw["engage_date"] > "2017-06-30")]
    won = (known["deal_stage"] == "Won") & (known["close_date"] <= "2017-06-30")
    assert (len(early), (early["stage"] == "Won").sum()) == (len(known), won.sum())
    assert not (early["closed"] > "2017-06-30").any()


def test_what_the_pipeline_calls_otherwise_is_said():
    raw = pd.read_csv(CASES / "pipeline" / "sales_pipeline.csv")
    product = {"path": "${KAMLAB_CASES}/pipeline/products.csv", "on": "product"}
    table = config.Table(path="${KAMLAB_CASES}/pipeline/sales_pipeline.csv", columns={}, joins=[product])
    said = [str(reading) for reading in configured.read(table, Path(), "pipeline").readings]
    unknown = int((raw["product"] == "GTXPro").sum())
    assert f"products.csv: joined on product, no row for {unknown} × sales_pipeline.csv (GTXPro)" in said
    assert raw.loc[raw["deal_stage"].isin(["Engaging", "Prospecting"]), "close_date"].isna().all()


def test_reps_costs_and_limits_of_classicmodels():
    raw = read_table(CASES / "classicmodels" / "customers.csv")
    people = read_table(CASES / "classicmodels" / "employees.csv").rows["employeeNumber"].to_pylist()
    reps = raw.rows["salesRepEmployeeNumber"].to_pylist()
    # They met a missing value on their way, and so have a point that the people's numbers have not.
    assert {rep.removesuffix(".0") for rep in reps if rep} <= set(people)
    limits = pd.to_numeric(raw.rows["creditLimit"].to_pandas())
    assert (limits.notna().all(), (limits >= 0).all()) == (True, True)
    lines, header = (read_table(CASES / "classicmodels" / f"{name}.csv").rows for name in ("orderdetails", "orders"))
    status = dict(zip(header["orderNumber"].to_pylist(), header["status"].to_pylist(), strict=True))
    counted = pd.Series([status[number] for number in lines["orderNumber"].to_pylist()]).value_counts()
    assert (counted["Cancelled"], counted["Disputed"]) == (79, 14)


def test_payments_of_classicmodels(tmp_path):
    path = CASES / "classicmodels" / "payments.csv"
    columns = {"account": "customerNumber", "payment": "checkNumber", "date": "paymentDate", "amount": "amount"}
    found = tables.read_rows(read_table(path), SCHEMAS["payments"], columns=columns, as_of=date(2005, 12, 31))
    assert found.rows["amount"].sum() == pytest.approx(pd.read_csv(path)["amount"].sum())
    assert len(found.quarantine) == 0


def test_a_wholesaler_with_cancellations_and_lines_without_a_customer(tmp_path):
    (tmp_path / "kamlab.toml").write_text(
        '[company]\nname = "X"\ncurrency = "GBP"\n[source.transactions]\n'
        'path = "${KAMLAB_CASES}/online_retail_2009_2010.parquet"\n'
        'columns = { account = "CustomerID", date = "InvoiceDate", amount = "Quantity * UnitPrice", '
        'kind = "StockCode" }\n'
        'kinds = { POST = "freight", DOT = "freight", "C2" = "freight", D = "rebate", "*" = "sign" }\n'
        'exclude = { StockCode = ["B", "ADJUST*", "TEST*", "AMAZONFEE", "BANK CHARGES"] }\n'
    )
    ledger, _ = inputs.read_lines(config.load(tmp_path / "kamlab.toml"))
    raw = pd.read_parquet(CASES / "online_retail_2009_2010.parquet")
    parts = ledger.reconciliation().set_index("part")
    assert parts.loc["read", "rows"] == len(raw) == 525_461
    assert float(parts.loc["read", "money"]) == pytest.approx((raw["Quantity"] * raw["UnitPrice"]).sum(), abs=1)
    kinds = ledger.lines["kind"].to_pandas().value_counts()
    codes = raw["StockCode"].astype(str).str.strip()
    assert kinds["freight"] == codes.str.upper().isin(["POST", "DOT", "C2"]).sum()
    out = codes.str.upper().str.match(r"(B|AMAZONFEE|BANK CHARGES)$|ADJUST|TEST")
    assert parts.loc["excluded", "rows"] == out.sum()
    # A fifth of the lines has no customer: that is shown as revenue of nobody, and no error.
    assert raw["CustomerID"].isna().mean() == pytest.approx(0.205, abs=0.001)
    assert ledger.lines["account"].null_count == raw["CustomerID"].isna().sum()
