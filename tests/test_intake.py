"""Tables joined by configuration, lines told apart, one currency, net amounts; nothing gets lost on the way."""

import os
import re
import tempfile
import textwrap
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from known_data import CLASSICMODELS

from kamlab import accounts, config, inputs
from kamlab.errors import ConfigError, DataError

CASES = os.environ.get("KAMLAB_CASES")
needs_cases = pytest.mark.skipif(not CASES, reason="KAMLAB_CASES does not name the folder of real data")

LINES = "order,sku,pieces,price\n1,a,2,10.50\n1,b,1,5.00\n2,a,3,10.50\n3,c,1,99.90\n9,a,1,7.50\n"
ORDERS = "order,customer,day,status\n1,A,2024-01-05,Shipped\n2,B,2024-01-06,Cancelled\n3,,2024-01-07,Shipped\n"
PRODUCTS = "sku,line,buy\na,Toys,4.00\nb,Books,2.50\n"

JOINED = """
path = "lines.csv"
columns.account = "customer"
columns.date = "day"
columns.amount = "pieces * price"
columns.cost = "pieces * buy"
columns.product = "sku"
columns.product_line = "line"
joins = [{ path = "orders.csv", on = "order" }, { path = "products.csv", on = "sku" }]
max_quarantined_share = 0.5
max_quarantined_money = 0.5
"""
SIMPLE = 'path = "lines.csv"\ncolumns = { account = "a", date = "d", amount = "n"%s }\n'


def settings(tmp_path, transactions, more="", *, currency="", **files):
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    company = f'[company]\nname = "X"\ncurrency = "{currency}"\n[source.transactions]\n'
    (tmp_path / "kamlab.toml").write_text(f"{company}{transactions}\n{textwrap.dedent(more)}", "utf-8")
    return config.load(tmp_path / "kamlab.toml")


def read(*arguments, **files):
    return inputs.read_lines(settings(*arguments, **files))


def reconciled(ledger):
    return {row.part: (row.rows, row.money) for row in ledger.reconciliation().itertuples()}


def test_lines_orders_and_products_are_joined(tmp_path):
    ledger, readings = read(tmp_path, JOINED, lines=LINES, orders=ORDERS, products=PRODUCTS)
    rows = ledger.lines.select(["account", "amount", "cost", "product", "product_line", "line"]).to_pylist()
    # By hand: pieces × price and pieces × buy; product c stands in no list, so that nothing is known of its cost.
    assert [tuple(row.values()) for row in rows] == [
        ("A", Decimal("21"), Decimal("8"), "a", "Toys", 2),
        ("A", Decimal("5"), Decimal("2.5"), "b", "Books", 3),
        ("B", Decimal("31.5"), Decimal("12"), "a", "Toys", 4),
        (None, Decimal("99.9"), None, "c", None, 5),
    ]
    # Order 9 is in no list of orders: there is no customer and no date, and that is what is said.
    assert ledger.quarantine[["line", "amount"]].to_numpy().tolist() == [[6, Decimal("7.5")]]
    assert ledger.quarantine["reason"][0] == "no row in orders.csv for its order; date is missing or impossible"
    assert '"price": "7.50"' in ledger.quarantine["original"][0]
    assert "kamlab:" not in ledger.quarantine["original"][0]
    said = [str(reading) for reading in readings]
    assert "products.csv: joined on sku, no row for 1 × lines.csv (c)" in said


def test_excluded_orders_are_counted_and_shown(tmp_path):
    text = JOINED + 'exclude = { status = ["cancelled"] }\n'
    ledger, _ = read(tmp_path, text, lines=LINES, orders=ORDERS, products=PRODUCTS)
    assert reconciled(ledger) == {
        "read": (5, Decimal("164.9")),
        "quarantined": (1, Decimal("7.5")),
        "accepted": (4, Decimal("157.4")),
        "attributed": (2, Decimal("26")),
        "unattributed": (1, Decimal("99.9")),
        "not_revenue": (0, 0),
        "excluded": (1, Decimal("31.5")),
        "after_as_of": (0, 0),
    }


def test_where_keeps_what_it_names(tmp_path):
    text = JOINED + 'where = { line = ["Toy*"] }\n'
    ledger, _ = read(tmp_path, text, lines=LINES, orders=ORDERS, products=PRODUCTS)
    assert ledger.lines["kind"].to_pylist() == ["sale", "excluded", "sale", "excluded"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('exclude = { status = ["Canceled"] }', r'"Canceled", which "status" never holds\. Did you mean "Cancelled"\?'),
        ('exclude = { stat = ["x"] }', r'column "stat", which is not there\. Did you mean "status"\?'),
    ],
)
def test_a_misspelt_exclusion_is_refused(wrong, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(tmp_path, JOINED + wrong, lines=LINES, orders=ORDERS, products=PRODUCTS)


def test_a_join_that_would_repeat_lines_is_refused(tmp_path):
    twice = ORDERS + "2,C,2024-01-09,Shipped\n"
    with pytest.raises(DataError, match=r"orders\.csv has 1 value\(s\) of order in more than one row \(2\)"):
        read(tmp_path, JOINED, lines=LINES, orders=twice, products=PRODUCTS)


def test_a_join_on_a_column_that_is_not_there_is_refused(tmp_path):
    text = JOINED.replace('on = "order"', 'on = { order = "ordr" }')
    with pytest.raises(DataError, match=r'orders\.csv has no column "ordr"\. Did you mean "order"\?'):
        read(tmp_path, text, lines=LINES, orders=ORDERS, products=PRODUCTS)


def test_a_product_of_unknown_columns_is_refused(tmp_path):
    text = JOINED.replace("pieces * price", "piece * price")
    with pytest.raises(DataError, match=r'"piece \* price" names piece, .* Did you mean "pieces"\?'):
        read(tmp_path, text, lines=LINES, orders=ORDERS, products=PRODUCTS)


def test_ids_that_became_floats_join_all_the_same(tmp_path):
    lines, customers = "a,d,n,rep\n1,2024-01-05,5,1370.0\n", "no,name\n1370,Ann\n"
    text = 'path = "lines.csv"\ncolumns = { account = "name", date = "d", amount = "n" }\n'
    text += 'joins = [{ path = "reps.csv", on = { rep = "no" } }]'
    ledger, _ = read(tmp_path, text, lines=lines, reps=customers)
    assert ledger.lines["account"].to_pylist() == ["Ann"]


RATES = "cur,day,value\nUSD,2024-01-01,7.1234567\nUSD,2024-02-01,7.2\nVND,2024-01-01,0.00029\n"
FOREIGN = (
    "a,d,n,c,cost\nA,2024-01-15,100.00,USD,50\nA,2024-02-01,100.00,usd,50\nA,2024-02-02,1000000,VND,1\n"
    "A,2024-01-01,8.00,CNY,2\nA,2023-12-31,9.00,USD,1\nA,2024-01-05,4.00,EUR,1\n"
)
WITH_RATES = """
[source.rates]
path = "rates.csv"
columns = { currency = "cur", date = "day", rate = "value" }
"""


def test_currencies_are_converted_by_the_rate_of_the_day(tmp_path):
    text = SIMPLE % ', currency = "c", cost = "cost"' + "max_quarantined_share = 0.5\nmax_quarantined_money = 0.5"
    ledger, readings = read(tmp_path, text, WITH_RATES, currency="CNY", lines=FOREIGN, rates=RATES)
    assert ledger.currency == "CNY"
    # 100 × 7.1234567, 100 × 7.2, 1,000,000 × 0.00029, and what is in CNY already.
    assert ledger.lines["amount"].to_pylist() == [Decimal("712.3457"), Decimal(720), Decimal(290), Decimal(8)]
    assert ledger.lines["cost"].to_pylist()[:2] == [Decimal("356.1728"), Decimal(360)]
    assert ledger.quarantine["reason"].tolist() == [
        "no rate for USD on or before its date",
        "no rate for EUR on or before its date",
    ]
    assert ledger.quarantine["amount"].tolist() == [Decimal(9), Decimal(4)]
    assert any("converted: 3 × USD, 1 × VND, 1 × EUR → CNY" in str(reading) for reading in readings)


def test_several_currencies_are_refused_without_rates(tmp_path):
    with pytest.raises(DataError, match=r"CNY, EUR.*\[source\.rates\]"):
        read(tmp_path, SIMPLE % ', currency = "c"', lines="a,d,n,c\nA,2024-01-01,1,CNY\nA,2024-01-01,1,EUR\n")


def test_rates_need_to_know_the_companys_currency(tmp_path):
    with pytest.raises(ConfigError, match=r"company\.currency"):
        read(tmp_path, SIMPLE % ', currency = "c"', WITH_RATES, lines=FOREIGN, rates=RATES)


@pytest.mark.parametrize(
    ("columns", "more", "amounts"),
    [
        (', tax = "vat"', "", [Decimal(100), Decimal(-50)]),
        ("", "tax_rate = 0.13", [Decimal(100), Decimal(-50)]),
        ("", "", [Decimal(113), Decimal("-56.5")]),
    ],
)
def test_taxes_are_taken_out(columns, more, amounts, tmp_path):
    lines = "a,d,n,vat\nA,2024-01-01,113.00,13.00\nA,2024-01-02,-56.50,-6.50\n"
    assert read(tmp_path, SIMPLE % columns + more, lines=lines)[0].lines["amount"].to_pylist() == amounts


def test_two_taxes_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="the tax comes from one of them"):
        read(tmp_path, SIMPLE % ', tax = "vat"' + "tax_rate = 0.1", lines="a\n")


def test_kinds_are_what_the_configuration_says(tmp_path):
    lines = "a,d,n,k\n" + "".join(
        f"A,2024-01-0{i},{n},{k}\n"
        for i, (n, k) in enumerate([(5, "POST"), (5, "D"), (5, "S1"), (-5, "S2"), (5, ""), (5, "gift_1")], start=1)
    )
    kinds = 'kinds = { post = "freight", D = "rebate", "gift_*" = "free", "*" = "sign" }'
    ledger, _ = read(tmp_path, SIMPLE % ', kind = "k"' + kinds, lines=lines)
    assert ledger.lines["kind"].to_pylist() == ["freight", "rebate", "sale", "return", "sale", "free"]
    known = 'max_quarantined_share = 1\nmax_quarantined_money = 1\nkinds = { POST = "freight" }'
    ledger, _ = read(tmp_path, SIMPLE % ', kind = "k"' + known, lines=lines)
    assert set(ledger.quarantine["reason"]) == {
        "kind is none of sale, return, rebate, free, freight, tax, intercompany"
    }
    with pytest.raises(ConfigError, match="line kinds are sale, return"):
        read(tmp_path, SIMPLE % ', kind = "k"' + 'kinds = { POST = "postage" }', lines=lines)


def test_the_basis_chooses_the_date(tmp_path):
    lines = "a,o,s,n\nA,2024-01-30,2024-02-02,5\n"
    text = 'path = "lines.csv"\ncolumns = { account = "a", order_date = "o", delivery_date = "s", amount = "n" }\n'
    for basis, column, day in (("order", "o", date(2024, 1, 30)), ("delivery", "s", date(2024, 2, 2))):
        ledger, readings = read(tmp_path, text + f'date_basis = "{basis}"', lines=lines)
        assert ledger.first_date == day
        assert f"lines.csv: dated by {basis}_date = {column}" in [str(reading) for reading in readings]
    with pytest.raises(DataError, match='No column is named for "date"'):
        read(tmp_path, text + 'date_basis = "invoice"', lines=lines)


def test_a_log_whose_money_is_mostly_quarantined_is_refused(tmp_path):
    lines = "a,d,n\n" + "A,2024-01-01,1.50\n" * 19 + "A,oops,5000.50\n"
    found = settings(tmp_path, SIMPLE % "", lines=lines)
    ledger, _ = inputs.read_lines(found)
    [said] = inputs.refusals(ledger, [], found)
    assert re.search(r"99% of the log's money .* lines 21: date is missing .* max_quarantined_money", said)
    allowed = settings(tmp_path, SIMPLE % "" + "max_quarantined_money = 1", lines=lines)
    assert inputs.refusals(ledger, [], allowed) == []


WRITTEN = {
    "en": {"delimiter": ",", "point": ".", "group": "", "encoding": "utf-8", "end": "\n", "name": "Smith"},
    "de": {"delimiter": ";", "point": ",", "group": ".", "encoding": "cp1252", "end": "\r\n", "name": "Müller"},
    "vi": {"delimiter": ";", "point": ",", "group": ".", "encoding": "utf-8-sig", "end": "\n", "name": "Trần"},
    "mac": {"delimiter": ",", "point": ".", "group": "", "encoding": "mac_roman", "end": "\r", "name": "Müller"},
}
FAULTS = ("none", "none", "none", "date", "no amount", "words", "long", "short", "cancelled", "nobody", "repeated")
MONEY = st.decimals(-9_999_999, 9_999_999, places=2)


def written(amount, way):
    text = f"{abs(amount):,.2f}".replace(",", "G").replace(".", way["point"]).replace("G", way["group"])
    return ("-" if amount < 0 else "") + text


@hypothesis_settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from(FAULTS), MONEY), max_size=15), lang=st.sampled_from(sorted(WRITTEN)))
def test_no_row_and_no_cent_of_a_dirty_file_is_lost(rows, lang):
    way, lines, money = WRITTEN[lang], [], Decimal(0)
    # Four rows that show how dates and numbers are written, so that what follows is dirt and no other format.
    for number, (fault, amount) in enumerate([("none", Decimal("1234567.89"))] * 4 + rows):
        day = "2024-02-30" if fault == "date" else "2024-02-28"
        net = {"no amount": "", "words": "n/a"}.get(fault, written(amount, way))
        status = "Cancelled" if fault == "cancelled" else "Shipped"
        cells = [str(0 if fault == "repeated" else number), way["name"], day, net, status]
        cells[1] = "" if fault == "nobody" else cells[1]
        cells = {"long": [*cells, "x"], "short": cells[:-1]}.get(fault, cells)
        lines.append(way["delimiter"].join(cells))
        money += amount if fault not in ("no amount", "words", "long", "short") else 0
    with tempfile.TemporaryDirectory() as folder:
        text = way["delimiter"].join(("id", "who", "day", "net", "state")) + way["end"]
        Path(folder, "lines.csv").write_bytes((text + way["end"].join(lines)).encode(way["encoding"]))
        table = """path = "lines.csv"
columns = { line_id = "id", account = "who", date = "day", amount = "net" }
exclude = { state = ["Cancelled"] }
max_quarantined_share = 1
max_quarantined_money = 1"""
        if not any(fault == "cancelled" for fault, _ in rows):
            table = table.replace('exclude = { state = ["Cancelled"] }', "")
        ledger, _ = read(Path(folder), table)
        parts = reconciled(ledger)
    assert parts["read"] == (len(lines), money)
    assert parts["accepted"][0] + parts["quarantined"][0] == len(lines)
    assert parts["accepted"][1] + parts["quarantined"][1] == money
    faults = [fault for fault, _ in rows]
    bad = sum(faults.count(fault) for fault in ("date", "no amount", "words", "long", "short", "repeated"))
    assert parts["quarantined"][0] == bad
    assert parts["excluded"][0] == faults.count("cancelled")
    assert parts["unattributed"][0] == faults.count("nobody")


def test_files_read_by_other_rules_are_hashed_by_what_they_hold(tmp_path):
    from kamlab.runs.identity import input_hashes

    found = settings(tmp_path, JOINED, lines=LINES, orders=ORDERS, products=PRODUCTS)
    before = input_hashes(found)
    assert set(before) == {"lines.csv", "orders.csv", "products.csv"}
    (tmp_path / "products.csv").write_text(PRODUCTS + "c,Toys,1\n", "utf-8")
    after = input_hashes(found)
    assert [name for name in before if before[name] != after[name]] == ["products.csv"]


MASTER = """
columns = { account = "customerNumber", name = "customerName", country = "country", owner = "lastName" }
joins = [{ path = "${KAMLAB_CASES}/classicmodels/employees.csv", on = { salesRepEmployeeNumber = "employeeNumber" } }]
"""


@needs_cases
def test_classicmodels_is_joined_by_configuration(tmp_path):
    (tmp_path / "kamlab.toml").write_text(f'[company]\nname = "X"\n{CLASSICMODELS}{MASTER}', "utf-8")
    found = config.load(tmp_path / "kamlab.toml")
    ledger, _ = inputs.read_lines(found)
    folder = Path(CASES, "classicmodels")
    lines = pd.read_csv(folder / "orderdetails.csv").merge(pd.read_csv(folder / "orders.csv"), on="orderNumber")
    lines = lines.merge(pd.read_csv(folder / "products.csv"), on="productCode")
    out = lines["status"].isin(["Cancelled", "Disputed"])
    money = (lines["quantityOrdered"] * lines["priceEach"]).round(2)
    parts = reconciled(ledger)
    assert parts["read"][0] == 2996
    # The folder's description counts 79 cancelled and 14 disputed lines.
    assert parts["excluded"][0] == 93 == out.sum()
    assert float(parts["excluded"][1]) == pytest.approx(money[out].sum(), abs=0.01)
    assert float(parts["attributed"][1]) == pytest.approx(money[~out].sum(), abs=0.01)
    cost = (lines["quantityOrdered"] * lines["buyPrice"])[~out].sum()
    kept = ledger.lines.to_pandas().query("kind == 'sale'")
    assert float(kept["cost"].sum()) == pytest.approx(cost, abs=0.01)
    master = accounts.read_master(found, as_of=date(2005, 5, 31)).rows.set_index("account")
    assert (len(master), master.loc["103", "owner"]) == (122, "Hernandez")
