"""Files as programs really leave them: read as they mean, or refused by a sentence that says what to do."""

import datetime
import sqlite3
import subprocess
import sys
from decimal import Decimal

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import kamlab as kl
from kamlab.errors import DataError
from kamlab.sources import canonical, from_frame, read_table

COLUMNS = {"account": "customer", "date": "date", "amount": "amount"}
LOG = "customer,date,amount\n" + "".join(f"00{i % 7},2025-0{1 + i % 9}-10,{i}.50\n" for i in range(40))


def written(folder, text, name="log.csv", encoding="utf-8"):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return folder / name


def settled(raw):
    return {key: value for reading in raw.readings for key, value in reading.what}


@pytest.mark.parametrize(
    "above",
    ["sep=,\n", "Sales by customer,,\n\nPrinted on 2 November,,\n,,\n", "Sales; all customers\n"],
)
def test_what_stands_above_the_header_is_left_out_and_said(above, tmp_path):
    raw = read_table(written(tmp_path, "\ufeff" + above + LOG))
    assert raw.columns == ["customer", "date", "amount"]
    assert settled(raw)["header_line"] == str(above.count("\n") + 1)
    assert raw.lines[0].as_py() == above.count("\n") + 2
    assert raw.rows.num_rows == 40


def test_a_header_of_one_column_is_one(tmp_path):
    raw = read_table(written(tmp_path, "customer\nA\nB\n"))
    assert (raw.columns, raw.rows.num_rows) == (["customer"], 2)


def test_the_header_again_is_no_row(tmp_path):
    lines = LOG.splitlines(keepends=True)
    raw = read_table(written(tmp_path, "".join([*lines[:20], lines[0], *lines[20:], lines[0]])))
    assert raw.rows.num_rows == 40
    assert settled(raw)["header_again"] == "2"
    assert raw.lines.to_pylist()[18:20] == [20, 22]


def test_a_quotation_mark_that_is_never_closed_costs_its_line_and_a_closed_one_nothing(tmp_path):
    broken = LOG + '"C,2025-01-01,5\n' + LOG.partition("\n")[2]
    raw = read_table(written(tmp_path, broken))
    assert [(row.line, row.reason) for row in raw.ragged] == [(42, "a quotation mark is not closed")]
    assert raw.rows.num_rows == 80
    last = LOG + '"several\nlines\nof text",2025-01-01,5\n'
    assert read_table(written(tmp_path, last)).rows["customer"].to_pylist()[-1] == "several\nlines\nof text"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (LOG.replace("001", "0\x001").encode(), r"no text \(0x00, first in line 3\).*UTF-16 without a mark"),
        (LOG.encode("utf-16-le"), r"no text \(0x00, first in line 1\)"),
        (LOG.encode() + "Công ty\n".encode() * 9 + "Müller\n".encode("cp1252"), r"UTF-8 text but for byte 0xfc"),
    ],
)
def test_bytes_that_are_no_text_are_named(data, said, tmp_path):
    with pytest.raises(DataError, match=said):
        read_table(written(tmp_path, data))


def test_ten_thousand_columns_are_read(tmp_path):
    wide = "".join(line + ",x" * 10_000 + "\n" for line in LOG.splitlines()[1:])
    head = "customer,date,amount," + ",".join(f"c{i}" for i in range(10_000)) + "\n"
    ledger = kl.read_ledger(written(tmp_path, head + wide), columns=COLUMNS)
    assert ledger.lines.num_rows == 40


def workbook(folder, rows):
    book = openpyxl.Workbook()
    for row in [["customer", "date", "amount"], *rows]:
        book.active.append(row)
    book.save(folder / "log.xlsx")
    return folder / "log.xlsx"


def test_day_numbers_of_spreadsheets_are_dates(tmp_path):
    # 45658 is 1 January 2025, as LibreOffice and Excel show it; 60 days more is 2 March.
    for file in (
        workbook(tmp_path, [["0012", 45658, 5], ["0012", 45718.75, 6]]),
        written(tmp_path, "customer,date,amount\n0012,45658,5\n0012,45718.75,6\n"),
    ):
        lines = kl.read_ledger(file, columns=COLUMNS).lines
        assert lines["date"].to_pylist() == [datetime.date(2025, 1, 1), datetime.date(2025, 3, 2)]
        assert lines["account"].to_pylist() == ["0012", "0012"]
    raw, _ = canonical(read_table(file), COLUMNS, dates=["date"])
    assert "a spreadsheet's number of the day (date)" in settled(raw)["dates"]


def test_formulas_that_nothing_has_computed_are_missing_amounts(tmp_path):
    file = workbook(tmp_path, [["A", datetime.date(2025, 1, 1), "=1+1"], ["B", datetime.date(2025, 1, 1), 5]])
    ledger = kl.read_ledger(file, columns=COLUMNS, max_quarantined_share=0.5)
    assert ledger.quarantine["reason"].tolist() == ["amount is missing or not a number"]


def test_a_workbook_with_a_password_is_said_to_have_one(tmp_path):
    # Encrypted workbooks are compound files, as .xls is.
    file = written(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "log.xlsx")
    with pytest.raises(DataError, match=r"protected by a password.*save it as \.xlsx without a password"):
        read_table(file)


def test_ids_that_a_spreadsheet_has_shortened_are_quarantined(tmp_path):
    text = LOG + "8.93E+11,2025-01-01,5\n1E+15,2025-01-01,5\n1E5,2025-01-01,5\n12E+03,2025-01-01,5\n"
    ledger = kl.read_ledger(written(tmp_path, text), columns=COLUMNS)
    assert ledger.quarantine["line"].tolist() == [42, 43]
    assert ledger.quarantine["reason"].unique().tolist() == ["account is a shortened number, such as 1.23E+05"]
    assert {"1E5", "12E+03", "000"} <= set(ledger.accounts_until())


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.234,50-", "(1.234,50)", "5,00", "(7)", "9-"], ["-1234.50", "-1234.50", "5.00", "-7", "-9"]),
        (["$1,234.50", "-$5.00", "($7.25)", "$ -8", "9"], ["1234.50", "-5.00", "-7.25", "-8", "9"]),
        (["1.234,50 €", "−3,25 €", "5,00 €-"], ["1234.50", "-3.25", "-5.00"]),
        (["1.000.000 ₫", "25.000 ₫", "đang chờ"], ["1000000", "25000", "?"]),
        # Two currencies in one column, a range, a mark of its own: no numbers.
        (["$5.50", "€5.50", "1-2", "(-5.5)", "5.5)"], ["?", "?", "?", "?", "?"]),
    ],
)
def test_amounts_with_signs_behind_in_brackets_and_with_a_currency(texts, numbers):
    raw, columns = canonical(from_frame(pa.table({"n": texts})), {"amount": "n"}, numbers=["amount"])
    assert raw.rows[columns["amount"]].to_pylist() == numbers


def test_parquet_of_every_make_is_read(tmp_path):
    n = 6
    table = pa.table(
        {
            "customer": pa.array(["007", "8"] * 3).dictionary_encode(),
            "date": pa.array([datetime.datetime(2025, 1, 1 + i) for i in range(n)], pa.timestamp("ns")),
            "amount": pa.array([Decimal(f"{i}.25") for i in range(n)], pa.decimal128(18, 4)),
            "nested": [{"a": 1, "b": [1, 2]}] * n,
            "bytes": [b"\xff\x00"] * n,
        }
    )
    pq.write_table(table, tmp_path / "log.parquet", use_deprecated_int96_timestamps=True)
    ledger = kl.read_ledger(tmp_path / "log.parquet", columns=COLUMNS)
    assert ledger.lines["account"].to_pylist() == ["007", "8"] * 3
    assert ledger.lines["date"].to_pylist()[-1] == datetime.date(2025, 1, 6)
    assert sum(ledger.lines["amount"].to_pylist()) == Decimal("16.5")
    assert read_table(tmp_path / "log.parquet").columns == table.column_names


def test_a_database_that_another_program_has_open_is_said_to_be(tmp_path):
    duckdb.connect(str(tmp_path / "a.duckdb")).execute("CREATE TABLE t AS SELECT 1 AS a").close()
    holds = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holds, str(tmp_path / "a.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(DataError, match="no other program has it open"):
            read_table("duckdb:///a.duckdb", base=tmp_path, table="t")
        other.communicate()
    assert read_table("duckdb:///a.duckdb", base=tmp_path, table="t").rows.num_rows == 1


def test_a_file_that_only_calls_itself_a_database_is_refused(tmp_path):
    written(tmp_path, b"SQLite format 3\x00" + b"x" * 200, "a.sqlite")
    with pytest.raises(DataError, match="file is not a database"):
        read_table("sqlite:///a.sqlite", base=tmp_path, table="t")
    sqlite3.connect(tmp_path / "b.sqlite").close()
    with pytest.raises(DataError, match='has no table "t"'):
        read_table("sqlite:///b.sqlite", base=tmp_path, table="t")


@pytest.mark.parametrize("password", ["s3cr€t/@x", "p#w?d", "a:b c", "100%25"])
def test_no_password_of_any_signs_is_shown(password, monkeypatch):
    monkeypatch.setenv("KAMLAB_TEST_PASSWORD", password)
    with pytest.raises(DataError) as error:
        # Nobody listens at port 1.
        read_table("postgresql://reader:${KAMLAB_TEST_PASSWORD}@127.0.0.1:1/sales", table="t")
    assert "postgresql://127.0.0.1:1/sales[t] cannot be opened" in str(error.value)
    assert not any(part in str(error.value) for part in (password, "s3cr", "p#w", "a:b"))
    assert error.value.__suppress_context__
