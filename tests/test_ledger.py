"""The ledger: what is accepted, what is quarantined and why, and that nothing is lost."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kamlab as kl
from kamlab.errors import ConfigError, DataError

COLUMNS = {"account": "customer", "date": "day", "amount": "net"}

DIRTY = """id,customer,day,net,sku
1,A,2024-01-05,100.00,x
2,A,2024-02-30,50.00,x
3,B,2024-03-01,"12,5oo",x
4,,2024-03-02,7.25,y
4,B,2024-03-03,10.00,y
5,B,2024-03-04,-4.00,y
6,C,2024-03-05,,z
7,C,,3.10,z
8,C,2024-03-06,5.00
9,C,2024-03-07,0,z
"""


def read(text, tmp_path, **options):
    path = tmp_path / "orders.csv"
    path.write_text(text, "utf-8")
    return kl.read_ledger(path, **({"columns": COLUMNS, "max_quarantined_share": 1} | options))


def test_impossible_lines_are_quarantined_with_file_line_reason_and_original(tmp_path):
    ledger = read(DIRTY, tmp_path, columns=COLUMNS | {"line_id": "id"})
    found = {row.line: row.reason for row in ledger.quarantine.itertuples()}
    assert found == {
        3: "date is missing or impossible",
        4: "amount is missing or not a number",
        6: "line id is repeated",
        8: "amount is missing or not a number",
        9: "date is missing or impossible",
        10: "4 fields where the header has 5",
    }
    assert set(ledger.quarantine["source"]) == {"orders.csv"}
    original = json.loads(ledger.quarantine.loc[1, "original"])
    assert original == {"id": "3", "customer": "B", "day": "2024-03-01", "net": "12,5oo", "sku": "x"}


def test_rows_and_money_reconcile_by_hand(tmp_path):
    ledger = read(DIRTY, tmp_path, columns=COLUMNS | {"line_id": "id"})
    table = ledger.reconciliation(date(2024, 3, 6)).set_index("part")
    assert table["rows"].to_dict() == {
        "read": 10,
        "quarantined": 6,
        "accepted": 4,
        "attributed": 2,
        "unattributed": 1,
        "not_revenue": 0,
        "after_as_of": 1,
    }
    # Quarantined money: lines 3 (50.00), 6 (10.00) and 9 (3.10); the others have no amount that can be read.
    assert table.loc["quarantined", "money"] == Decimal("63.10")
    assert table.loc["attributed", "money"] == Decimal("96.00")
    assert table.loc["unattributed", "money"] == Decimal("7.25")
    assert table.loc["read", "money"] == Decimal("166.35")


def test_equal_lines_without_an_id_are_kept_and_flagged(tmp_path):
    ledger = read("customer,day,net\nA,2024-01-01,5\nA,2024-01-01,5\nA,2024-01-01,6\n", tmp_path)
    assert ledger.lines["repeated"].to_pylist() == [False, True, False]
    assert ledger.lines["amount"].to_pylist() == [Decimal(5), Decimal(5), Decimal(6)]


def test_a_line_that_is_impossible_does_not_push_out_the_one_that_shares_its_id(tmp_path):
    ledger = read("id,customer,day,net\n1,A,oops,5\n1,A,2024-01-01,6\n", tmp_path, columns=COLUMNS | {"line_id": "id"})
    assert ledger.quarantine["line"].to_list() == [2]
    assert ledger.lines["line"].to_pylist() == [3]


def test_returns_are_told_by_their_sign(tmp_path):
    ledger = read("customer,day,net\nA,2024-01-01,5\nA,2024-01-02,-5\n", tmp_path)
    assert ledger.lines["kind"].to_pylist() == ["sale", "return"]


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("2024-02-29", None, date(2024, 2, 29)),
        ("2023-02-29", None, None),
        ("1996-07-04 00:00:00.000", None, date(1996, 7, 4)),
        ("2024-07-04T09:30:00Z", None, date(2024, 7, 4)),
        ("20240704", None, date(2024, 7, 4)),
        ("2024/7/4", None, date(2024, 7, 4)),
        ("0024-07-04", None, None),
        ("04/03/2005", None, None),
        ("04/03/2005", "%d/%m/%Y", date(2005, 3, 4)),
        ("4/3/05 0:00", "%m/%d/%y", date(2005, 4, 3)),
        ("31/12/69", "%d/%m/%y", date(1969, 12, 31)),
        ("31/13/2005", "%m/%d/%Y", None),
        ("05042003", "%d%m%Y", date(2003, 4, 5)),
        ("infinity", None, None),
    ],
)
def test_dates(text, date_format, expected, tmp_path):
    ledger = read(f"customer,day,net\nA,{text},1\n", tmp_path, date_format=date_format)
    assert ledger.lines["date"].to_pylist() == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", Decimal(1000)),
        ("-0.5", Decimal("-0.5")),
        (" 7 ", Decimal(7)),
        (".25", Decimal("0.25")),
        ("1261.39999999999", Decimal("1261.4")),
        ("nan", None),
        ("inf", None),
        ("0x10", None),
        ("12 000", None),
        ("1e40", None),
        ("=1+1", None),
    ],
)
def test_amounts(text, expected, tmp_path):
    ledger = read(f"customer,day,net\nA,2024-01-01,{text}\n", tmp_path)
    assert ledger.lines["amount"].to_pylist() == ([] if expected is None else [expected])


def test_an_unknown_date_format_is_refused_with_an_example(tmp_path):
    with pytest.raises(ConfigError, match=r"%d, %m and %Y or %y"):
        read(DIRTY, tmp_path, date_format="%b %d")


def test_a_log_that_is_mostly_impossible_is_refused_with_a_remedy(tmp_path):
    rows = "".join(f"A,0{i}/02/2024,1\n" for i in range(1, 9))
    with pytest.raises(DataError, match=r"8 of 8 lines of orders\.csv .*lines 2, 3.*set date_format"):
        read("customer,day,net\n" + rows, tmp_path, max_quarantined_share=0.1)


def test_a_mapping_that_does_not_fit_names_every_fault(tmp_path):
    with pytest.raises(DataError) as caught:
        read(DIRTY, tmp_path, columns={"acount": "customer", "date": "daay", "amount": "net"})
    message = str(caught.value)
    assert 'Did you mean "account"?' in message
    assert 'Did you mean "day"?' in message
    assert 'No column is named for "account"' in message
    assert "id, customer, day, net, sku" in message


def test_two_currencies_are_refused(tmp_path):
    text = "customer,day,net,cur\nA,2024-01-01,5,EUR\nA,2024-01-02,5,USD\n"
    with pytest.raises(DataError, match="EUR, USD"):
        read(text, tmp_path, columns=COLUMNS | {"currency": "cur"})


@pytest.mark.parametrize("kind", ["pandas", "arrow", "ibis", "parquet"])
def test_tables_of_other_libraries_give_the_same_ledger(kind, tmp_path):
    frame = pd.DataFrame(
        {
            "customer": [17850.0, 17851.0, None],
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
            "net": [1.5, -2.25, 3.0],
        }
    )
    if kind == "parquet":
        source = tmp_path / "orders.parquet"
        frame.to_parquet(source)
    elif kind == "pandas":
        source = frame
    else:
        source = pa.Table.from_pandas(frame, preserve_index=False)
        if kind == "ibis":
            import ibis

            source = ibis.memtable(source)
    ledger = kl.read_ledger(source, columns=COLUMNS)
    assert ledger.lines["account"].to_pylist() == ["17850", "17851", None]
    assert ledger.lines["amount"].to_pylist() == [Decimal("1.5"), Decimal("-2.25"), Decimal(3)]
    assert ledger.lines["line"].to_pylist() == [1, 2, 3]


def test_the_ledger_survives_parquet(tmp_path):
    ledger = read(DIRTY, tmp_path, purchase="nonnegative", currency="EUR")
    ledger.write_parquet(tmp_path / "ledger.parquet")
    again = kl.ledger.Ledger.from_parquet(tmp_path / "ledger.parquet", ledger.quarantine)
    assert again.lines.equals(ledger.lines)
    assert (again.mapped, again.purchase, again.currency) == (ledger.mapped, "nonnegative", "EUR")


CELL = st.one_of(
    st.sampled_from(
        ["A", "B", "", " ", "2024-01-31", "2024-02-30", "1", "1", "12.345", "-3", "n/a", "1,5", "é", '"', "\n"]
    ),
    st.text(max_size=6),
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=5), min_size=1, max_size=12))
def test_read_is_accepted_plus_quarantined_whatever_the_dirt(rows):
    text = io.StringIO()
    csv.writer(text).writerows([["id", "customer", "day", "net"], *rows])
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    table = pd.DataFrame([row for row in rows if len(row) == 4], columns=["id", "customer", "day", "net"], dtype=str)
    if table.empty:
        return
    ledger = kl.read_ledger(table, columns=COLUMNS | {"line_id": "id"}, max_quarantined_share=1)
    assert ledger.lines.num_rows + len(ledger.quarantine) == len(table)
    from kamlab.sources import _split

    assert [fields for _, fields in _split(text.getvalue(), ",", "x")][1:] == kept
