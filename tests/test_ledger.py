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
from kamlab.steps import reading

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
        "excluded": 0,
        "after_as_of": 1,
    }
    # Quarantined money: lines 3 (50.00), 6 (10.00) and 9 (3.10); the others have no amount that can be read.
    assert table.loc["quarantined", "money"] == Decimal("63.10")
    assert table.loc["attributed", "money"] == Decimal("96.00")
    assert table.loc["unattributed", "money"] == Decimal("7.25")
    assert table.loc["read", "money"] == Decimal("166.35")


def test_large_amounts_are_added_up_exactly(tmp_path):
    large = "999999999999999999999999.0001"
    lines = f"A,2024-01-01,{large}\n" * 3 + f"A,oops,{large}\n" * 2
    money = read("customer,day,net\n" + lines, tmp_path).reconciliation().set_index("part")["money"]
    assert str(money["accepted"]) == "2999999999999999999999997.0003"
    assert str(money["quarantined"]) == "1999999999999999999999998.0002"
    assert str(money["read"]) == "4999999999999999999999995.0005"


def test_equal_lines_without_an_id_are_kept_and_flagged(tmp_path):
    ledger = read("customer,day,net\nA,2024-01-01,5\nA,2024-01-01,5\nA,2024-01-01,6\n", tmp_path)
    assert ledger.lines["repeated"].to_pylist() == [False, True, False]
    assert ledger.lines["amount"].to_pylist() == [Decimal(5), Decimal(5), Decimal(6)]


def test_of_lines_with_an_id_of_their_own_none_is_flagged(tmp_path):
    rows = [",A,2024-01-01,5", "1,A,2024-01-01,5", "2,A,2024-01-01,5", ",A,2024-01-01,5", ",A,2024-01-01,6"]
    ledger = read("\n".join(["id,customer,day,net", *rows]), tmp_path, columns=COLUMNS | {"line_id": "id"})
    assert ledger.lines["line"].to_pylist() == [2, 3, 4, 5, 6]
    assert ledger.lines["repeated"].to_pylist() == [False, False, False, True, False]


def test_of_lines_with_the_same_id_the_earliest_is_kept(tmp_path):
    text = "id,customer,day,net\n1,A,2024-03-01,5\n1,A,2024-01-02,6\n1,A,2024-01-02,7\n1,A,2023-13-01,8\n"
    ledger = read(text, tmp_path, columns=COLUMNS | {"line_id": "id"})
    assert ledger.lines["line"].to_pylist() == [3]
    assert ledger.quarantine["line"].to_list() == [2, 4, 5]
    assert ledger.quarantine["reason"].to_list() == [*["line id is repeated"] * 2, "date is missing or impossible"]


LINE = st.tuples(
    st.sampled_from(["1", "2", ""]), st.integers(1, 9), st.sampled_from(["1", "2", "n/a"]), st.sampled_from(["EUR", ""])
)


@settings(max_examples=30, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=12), as_of=st.integers(1, 9))
def test_lines_after_the_as_of_date_change_nothing_before_it(lines, as_of):
    columns = {"line_id": "id", "account": "a", "date": "d", "amount": "n", "currency": "c"}
    options = {"columns": columns, "currency": "EUR", "max_quarantined_share": 1}

    def known(rows):
        cells = [(i, "A", f"2024-01-0{day}", n, c) for i, day, n, c in rows]
        frame = pd.DataFrame(cells, columns=["id", "a", "d", "n", "c"], dtype=str)
        ledger = kl.read_ledger(frame, as_of=date(2024, 1, as_of), **options)
        table = [row for row in ledger.lines.drop(["line"]).to_pylist() if row["date"] <= date(2024, 1, as_of)]
        return table, ledger.quarantine.drop(columns="line").to_numpy().tolist()

    later = [(i, day, n, "USD") for i, day, n, _ in lines if day > as_of]
    assert known(lines + later) == known([row for row in lines if row[1] <= as_of])


def test_a_line_that_is_impossible_does_not_push_out_the_one_that_shares_its_id(tmp_path):
    ledger = read("id,customer,day,net\n1,A,oops,5\n1,A,2024-01-01,6\n", tmp_path, columns=COLUMNS | {"line_id": "id"})
    assert ledger.quarantine["line"].to_list() == [2]
    assert ledger.lines["line"].to_pylist() == [3]


def test_returns_are_told_by_their_sign(tmp_path):
    ledger = read("customer,day,net\nA,2024-01-01,5\nA,2024-01-02,-5\n", tmp_path)
    assert ledger.lines["kind"].to_pylist() == ["sale", "return"]


def test_a_mapped_kind_wins_over_the_sign_but_no_return_is_above_0(tmp_path):
    text = (
        "customer,day,net,kind\nA,2024-01-01,5,Return\nA,2024-01-02,-5,return\nA,2024-01-03,-5,sale\n"
        "A,2024-01-04,-5,\nA,2024-01-05,0,return\nA,2024-01-06,n/a,return\n"
    )
    ledger = read(text, tmp_path, columns=COLUMNS | {"kind": "kind"})
    assert dict(zip(ledger.lines["line"].to_pylist(), ledger.lines["kind"].to_pylist(), strict=True)) == {
        3: "return",
        4: "sale",
        5: "return",
        6: "return",
    }
    assert dict(zip(ledger.quarantine["line"], ledger.quarantine["reason"], strict=True)) == {
        2: "a return above 0",
        7: "amount is missing or not a number",
    }


def test_an_unknown_purchase_rule_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r'purchase is "positve"; .* Did you mean "positive"\?'):
        read(DIRTY, tmp_path, purchase="positve")


def test_a_log_without_any_line_has_no_first_day(tmp_path):
    ledger = read("customer,day,net\nA,oops,5\nB,oops,5\n", tmp_path)
    with pytest.raises(DataError, match=r"no line that can be used \(2 × date is missing .*; lines 2, 3\)\. Check"):
        _ = ledger.first_date


def test_accounts_are_known_from_their_first_line_on(tmp_path):
    ledger = read("customer,day,net\nB,2024-01-01,5\n,2024-01-01,5\nA,2024-01-02,5\nB,2024-01-03,5\n", tmp_path)
    assert ledger.accounts_until() == ["A", "B"]
    assert ledger.accounts_until(date(2024, 1, 1)) == ["B"]


def test_columns_named_like_the_ledgers_own_do_not_collide(tmp_path):
    columns = {"account": "_source", "date": "_line", "amount": "line"}
    ledger = read("_source,_line,line\nA,2024-01-01,5\nB,oops,5\n", tmp_path, columns=columns)
    assert ledger.lines["account"].to_pylist() == ["A"]
    assert (ledger.lines["source"].to_pylist(), ledger.lines["line"].to_pylist()) == (["orders.csv"], [2])
    assert json.loads(ledger.quarantine.loc[0, "original"]) == {"_source": "B", "_line": "oops", "line": "5"}


def test_an_account_column_of_numbers_and_texts_is_read():
    frame = pd.DataFrame({"customer": [17850, "C1"], "day": ["2024-01-01"] * 2, "net": [1, 2]})
    assert kl.read_ledger(frame, columns=COLUMNS).lines["account"].to_pylist() == ["17850", "C1"]


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("2024-02-29", None, date(2024, 2, 29)),
        ("2023-02-29", None, None),
        ("1996-07-04 00:00:00.000", None, date(1996, 7, 4)),
        ("2024-07-04T09:30:00Z", None, date(2024, 7, 4)),
        ("20240704", None, date(2024, 7, 4)),
        ("20240704 09:30", None, date(2024, 7, 4)),
        ("202411", None, None),
        ("2024111", None, None),
        ("202411 09:30", None, None),
        ("202401011", None, None),
        ("2024-0704", None, None),
        ("２０２４-07-04", None, None),
        ("2024０704", None, None),
        ("٠٤/03/2005", "%d/%m/%Y", None),
        ("2024/7/4", None, date(2024, 7, 4)),
        ("0024-07-04", None, None),
        ("31/03/2005", None, date(2005, 3, 31)),
        ("2005年3月4日", None, date(2005, 3, 4)),
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
        ("12 000", Decimal(12000)),
        ("12 00", None),
        ("1 2 000", None),
        ("1e40", None),
        ("1e99", None),
        ("1e24", None),
        ("-1000000000000000000000000", None),
        ("999999999999999999999999", Decimal(10**24 - 1)),
        ("-999999999999999999999999.12345", Decimal("-999999999999999999999999.1234")),
        ("0." + "1" * 60, Decimal("0.1111")),
        ("9" * 400, None),
        ("１２", None),
        ("٣", None),
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
    rows = "".join(f"A,{i} Feb 2024,1\n" for i in range(1, 9))
    with pytest.raises(DataError, match=r"8 of 8 lines of orders\.csv .*lines 2, 3.*Set date_format"):
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
    given = {"decimal": ".", "date_format": "%Y-%m-%d"}
    ledger = kl.read_ledger(table, columns=COLUMNS | {"line_id": "id"}, max_quarantined_share=1, **given)
    assert ledger.lines.num_rows + len(ledger.quarantine) == len(table)
    from kamlab.sources.text import split

    assert [fields for _, fields in split(text.getvalue(), ",")][1:] == kept


def test_a_copy_up_to_a_day_holds_no_later_line(tmp_path):
    ledger = read("customer,day,net\nA,2024-03-05,10\nA,2024-03-06,7\nB,2024-03-07,99\n", tmp_path)
    ledger.write_parquet(tmp_path / "ledger.parquet", until=date(2024, 3, 6))
    opened = kl.ledger.Ledger.from_parquet(tmp_path / "ledger.parquet", ledger.quarantine)
    assert opened.last_date == date(2024, 3, 6)
    assert opened.has_money
    assert opened.accounts_until() == ["A"]


def test_money_of_later_lines_is_in_no_row_that_is_printed(tmp_path):
    ledger = read("customer,day,net\nA,2024-03-05,10\nB,2024-03-07,99\n", tmp_path)
    found = reading._known_then(ledger.reconciliation(date(2024, 3, 6))).set_index("part")
    assert found.loc["after_as_of", "rows"] == 1
    assert found.loc["after_as_of", "money"] is None
    assert found["money"].dropna().max() == 10
