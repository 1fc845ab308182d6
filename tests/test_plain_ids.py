"""Ids that met a missing value on their way, and so became 1370.0, are those that others write as 1370."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kamlab as kl
from kamlab import tables
from kamlab.accounts import read_accounts
from kamlab.config import load
from kamlab.inputs import read_lines
from kamlab.sources import read_table
from kamlab.sources.formats import plain_ids

AS_OF = date(2025, 6, 30)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1370.0", "", None, " 1166.0 ", "0.0"], ["1370", "", None, "1166", "0"]),
        (["1370.0", "1166"], None),
        (["1370.0", "A1"], None),
        (["1.0", "1.00"], None),
        (["007.0"], None),
        (["-1.0"], None),
        (["1370"], None),
        (["", None], None),
    ],
)
def test_only_a_column_that_holds_nothing_else_is_rewritten(texts, expected):
    found = plain_ids(pa.chunked_array([texts], pa.string()))
    assert (found if found is None else found.to_pylist()) == expected


@given(st.lists(st.sampled_from(["1", "1.0", "10", "10.0", "01.0", "1.00", "x", "", "2.0"])))
def test_no_two_ids_become_one(texts):
    column = pa.chunked_array([texts], pa.string())
    found = plain_ids(column)
    written = texts if found is None else found.to_pylist()
    assert len(set(written)) == len(set(texts))


def test_owners_of_the_master_are_the_people_of_another_table_and_the_check_says_so(tmp_path):
    (tmp_path / "accounts.csv").write_text("id,name,rep\n1,One,1370.0\n2,Two,\n3,Three,1166.0\n", "utf-8")
    raw = read_table(tmp_path / "accounts.csv")
    found = read_accounts(raw, columns={"account": "id", "name": "name", "owner": "rep"}, as_of=AS_OF)
    assert found.rows["owner"].tolist() == ["1370", None, "1166"]
    assert "  accounts.csv: ids as 1370 that are written 1370.0 throughout: rep (found)." in found.said()
    people = read_table(tmp_path / "accounts.csv")
    listed = tables.read_rows(people, tables.SCHEMAS["owners"], columns={"owner": "rep"}, as_of=AS_OF)
    assert set(listed.rows["owner"]) == {"1370", "1166"}


LOG = "who,day,net,order\n" + "".join(f"{10 + i % 3}.0,2025-01-{i + 1:02d},5,{900 + i}.0\n" for i in range(9))


def test_accounts_and_orders_of_a_log_are_read_without_the_point_and_the_reading_says_so(tmp_path):
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    (tmp_path / "kamlab.toml").write_text(
        """
[company]
name = "X"
[source.transactions]
path = "log.csv"
columns = { account = "who", date = "day", amount = "net", order_id = "order" }
""",
        "utf-8",
    )
    ledger, readings = read_lines(load(tmp_path / "kamlab.toml"), as_of=AS_OF)
    assert ledger.accounts_until() == ["10", "11", "12"]
    assert ledger.lines["order_id"].to_pylist() == [str(900 + i) for i in range(9)]
    assert ledger.reconciliation().set_index("part")["money"]["accepted"] == 45
    assert any("1370.0 throughout: who, order (found)" in str(reading) for reading in readings)


def test_where_both_are_written_they_stay_two_accounts(tmp_path):
    (tmp_path / "log.csv").write_text(LOG + "10,2025-02-01,7,1\n", "utf-8")
    columns = {"account": "who", "date": "day", "amount": "net"}
    ledger = kl.read_ledger(tmp_path / "log.csv", columns=columns)
    assert ledger.accounts_until() == ["10", "10.0", "11.0", "12.0"]
