"""Files into rows that know their line: line ends, quotes, encodings, ragged rows."""

import unicodedata
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from kamlab.errors import ConfigError, DataError
from kamlab.sources import from_frame, parquet_files, read_table, resolve_path
from kamlab.sources.text import find_encoding

ROOT = Path(__file__).parents[1]


def write(tmp_path, data, name="orders.csv"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends(end, tmp_path):
    raw = read_table(write(tmp_path, end.join([b"a,b", b"1,2", b"", b"3,4", b""])))
    assert raw.rows.to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert (raw.source, raw.lines.to_pylist()) == ("orders.csv", [2, 4])


def test_a_quoted_line_end_keeps_the_line_numbers_right(tmp_path):
    raw = read_table(write(tmp_path, b'a,b\n"x\ny",1\nz,2\n'))
    assert raw.lines.to_pylist() == [2, 4]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter, tmp_path):
    raw = read_table(write(tmp_path, f"a{delimiter}b\n1{delimiter}2\n".encode()))
    assert raw.columns == ["a", "b"]


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t"])
def test_a_tab_can_be_named(delimiter, tmp_path):
    assert read_table(write(tmp_path, b"a,x\tb\n1\t2\n"), delimiter=delimiter).columns == ["a,x", "b"]


@pytest.mark.parametrize("delimiter", ["", ",,", "comma", '"', "\n"])
def test_what_is_no_delimiter_is_refused(delimiter, tmp_path):
    with pytest.raises(ConfigError, match='it must be one character such as ";", or "tab", or "whitespace"'):
        read_table(write(tmp_path, b"a,b\n1,2\n"), delimiter=delimiter)


@pytest.mark.parametrize(
    ("encoding", "written"), [(None, "utf-8"), ("utf-8", "utf-8"), ("utf-16", "utf-16"), ("gb18030", "gb18030")]
)
def test_a_byte_order_mark_is_no_part_of_the_first_column(encoding, written, tmp_path):
    path = write(tmp_path, "\ufeffa,b\n1,2\n".encode(written))
    assert read_table(path, encoding=encoding).columns == ["a", "b"]


def test_ragged_rows_are_kept_apart(tmp_path):
    raw = read_table(write(tmp_path, b"a,b\n1\n1,2\n1,2,3\n"))
    assert raw.rows.num_rows == 1
    assert [(r.line, r.fields, r.expected) for r in raw.ragged] == [(2, ("1",), 2), (4, ("1", "2", "3"), 2)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: 0 bytes"),
        (b"\n \n", "nothing but blank lines"),
        (b"a,b\n", "a header and no line under it"),
        (b"a,b,a\n1,2,3\n", r"more than once \(a\)"),
    ],
)
def test_files_that_are_no_log_are_refused(data, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path, data))


@pytest.mark.parametrize("data", [b"", b"\n", b"a,b\n"])
def test_a_file_without_lines_is_called_what_it_should_hold(data, tmp_path):
    with pytest.raises(DataError, match=r"Export the account master again\."):
        read_table(write(tmp_path, data), content="account master")


def test_columns_may_have_any_name(tmp_path):
    raw = read_table(write(tmp_path, b"_source,_line\nx,y\n"))
    assert (raw.columns, raw.rows.to_pylist()) == (["_source", "_line"], [{"_source": "x", "_line": "y"}])
    assert (raw.source, raw.lines.to_pylist()) == ("orders.csv", [2])
    assert from_frame(pd.DataFrame({"_line": ["x"], 0: ["y"]})).rows.to_pylist() == [{"_line": "x", "0": "y"}]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([17850, "C1", None, 17851.0, 2.5], ["17850", "C1", None, "17851", "2.5"]),
        ([True, "x", float("nan")], ["True", "x", None]),
        ([10**30, 1], [str(10**30), "1"]),
        ([["a"], None], ["['a']", None]),
    ],
)
def test_columns_of_mixed_types_are_read_as_text(cells, text):
    assert from_frame(pd.DataFrame({"a": pd.Series(cells, dtype=object)})).rows["a"].to_pylist() == text


@pytest.mark.parametrize("name", ["a", 1])
def test_tables_with_a_column_name_twice_are_refused(name):
    frame = pd.DataFrame([[1, 2]], columns=[name, name])
    with pytest.raises(DataError, match=rf"table has 1 column name\(s\) more than once \({name}\)"):
        from_frame(frame)
    with pytest.raises(DataError, match="more than once"):
        from_frame(pa.table([[1], [2]], names=[str(name)] * 2))


WORDS = {
    "gb18030": ("客户,名称", "C1,山地自行车有限公司"),
    "cp1252": ("cliente,nombre", "C1,Muñoz y Peña S.L. – Cádiz"),
    "mac_roman": ("client,nom", "C1,Société Générale d’Été à Orléans"),
    "cp1258": ("khách,tên", "C1,Công ty Thương mại Đức Phương"),
    "utf-8": ("客户,tên", "C1,Nguyễn Thị Hồng"),
    "utf-16": ("客户,tên", "C1,Nguyễn Thị Hồng"),
}


def encoded(text, encoding):
    if encoding == "cp1258":
        # Windows writes Vietnamese as letters with their hat or horn, and the tone as a sign of its own.
        tones = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
        text = "".join(
            c
            if unicodedata.decomposition(c).split()[-1:] == [] or c in "âêôăơưđÂÊÔĂƠƯĐ"
            else unicodedata.normalize("NFC", "".join(x for x in unicodedata.normalize("NFD", c) if x not in tones))
            + "".join(x for x in unicodedata.normalize("NFD", c) if x in tones)
            for c in text
        )
    return text.encode(encoding)


@pytest.mark.parametrize("encoding", WORDS)
def test_encodings_are_found_and_reported(encoding, tmp_path):
    raw = read_table(write(tmp_path, encoded("\n".join(WORDS[encoding]) + "\n", encoding)))
    assert unicodedata.normalize("NFC", ",".join(raw.columns)) == WORDS[encoding][0]
    assert unicodedata.normalize("NFC", ",".join(raw.rows.to_pylist()[0].values())) == WORDS[encoding][1]
    (reading,) = raw.readings
    assert dict(reading.what) == {"encoding": encoding, "delimiter": '","', "line_end": "LF"}
    assert "(found)" in str(reading)
    assert reading.example in unicodedata.normalize("NFD", " ".join(WORDS[encoding])) + " ".join(WORDS[encoding])


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "gb18030", "cp1258"])
def test_encodings_are_found_in_the_names_of_the_sample_company(encoding, tmp_path):
    lines = (ROOT / "data" / "sample" / "accounts.csv").read_text("utf-8").splitlines()
    country = {"cp1252": "Spain", "mac_roman": "Mexico", "gb18030": "China", "cp1258": "Vietnam"}[encoding]
    chosen = [lines[0], *(line for line in lines if f",{country}," in line)]
    data = b"\r\n".join(encoded(line, encoding) for line in chosen)
    assert find_encoding(data, "accounts.csv") == encoding


def test_utf_8_with_a_broken_byte_is_not_taken_for_another_encoding(tmp_path):
    path = write(tmp_path, "a,b\nMünchen Zürich Genève Düsseldorf,1\nKöln,2\n".encode() + b"\xe9,3\n")
    with pytest.raises(DataError, match=r"UTF-8 text but for byte 0xe9 in line 4\. Mend that line"):
        read_table(path)
    assert read_table(path, encoding="cp1252").rows.num_rows == 3


def test_an_encoding_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"not utf-8 text: byte 0xe9 in line 2\. Leave encoding out"):
        read_table(write(tmp_path, b"a\n\xe9\n"), encoding="utf-8")


def test_a_delimiter_is_the_one_that_splits_rows_alike(tmp_path):
    raw = read_table(write(tmp_path, b"Name, first;Amount\nA;1,5\nB, C;2,5\n"))
    assert raw.columns == ["Name, first", "Amount"]
    assert dict(raw.readings[0].what)["delimiter"] == '";"'


def test_a_folder_and_a_pattern_are_read_as_one_table(tmp_path):
    write(tmp_path, b"a,b\n1,2\n", "2024.csv")
    write(tmp_path, b"b,a\n4,3\n6\n", "2025.csv")
    for place in (tmp_path, tmp_path / "20*.csv"):
        raw = read_table(place)
        assert raw.rows.to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
        assert raw.files.to_pylist() == ["2024.csv", "2025.csv"]
        assert raw.lines.to_pylist() == [2, 2]
        assert [(row.source, row.line) for row in raw.ragged] == [("2025.csv", 3)]
    write(tmp_path, b"a,c\n1,2\n", "2026.csv")
    with pytest.raises(DataError, match=r"1 of the 3 files .* than 2024\.csv \(2026\.csv; differing: b, c"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="No file matches"):
        read_table(tmp_path / "19*.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no file that ends in"):
        read_table(tmp_path / "empty")


def test_parquet_files_of_a_folder_are_one_table(tmp_path):
    for year in (2024, 2025):
        pd.DataFrame({"day": pd.to_datetime([f"{year}-01-31"]), "n": [1.5]}).to_parquet(tmp_path / f"{year}.parquet")
    raw = read_table(tmp_path)
    assert raw.files.to_pylist() == ["2024.parquet", "2025.parquet"]
    assert raw.typed == {"day", "n"}
    assert parquet_files(tmp_path) == [tmp_path / "2024.parquet", tmp_path / "2025.parquet"]


def workbook(path, sheets, merged=()):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    book.save(path)
    return path


def test_a_workbook_with_titles_and_merged_headers(tmp_path):
    rows = [
        ["Sales 2024", None, None, None],
        [],
        ["Customer", "Order", None, "Amount"],
        [None, "No", "Date", None],
        ["C1", 17850, datetime(2024, 1, 31), 12.5],
        ["C2", 17851, datetime(2024, 2, 1, 9, 30), 1000],
    ]
    path = workbook(tmp_path / "sales.xlsx", {"Orders": rows}, ["A1:D1", "A3:A4", "B3:C3", "D3:D4"])
    raw = read_table(path)
    assert raw.columns == ["Customer", "Order No", "Order Date", "Amount"]
    assert [list(row.values()) for row in raw.rows.to_pylist()] == [
        ["C1", "17850", "2024-01-31", "12.5"],
        ["C2", "17851", "2024-02-01 09:30:00", "1000"],
    ]
    assert (raw.source, raw.lines.to_pylist()) == ("sales.xlsx[Orders]", [5, 6])
    assert raw.typed == {"Order No", "Order Date", "Amount"}
    assert str(raw.readings[0]) == "sales.xlsx[Orders]: sheet Orders (found)"


def test_a_sheet_is_never_chosen_among_several(tmp_path):
    sheets = {"Orders": [["a", "b"], [1, 2]], "Notes": [["x", "y"], [1, 2], [3, 4]], "Empty": []}
    path = workbook(tmp_path / "book.xlsx", sheets)
    with pytest.raises(DataError, match=r'sheets with data: Orders \(2 rows\), Notes \(3 rows\)\. .*sheet = "Ord'):
        read_table(path)
    assert read_table(path, sheet="Notes").rows.num_rows == 2
    with pytest.raises(DataError, match=r'no sheet "Oders" with data\. Did you mean "Orders"'):
        read_table(path, sheet="Oders")


def test_a_file_that_only_calls_itself_a_workbook_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read as a workbook"):
        read_table(write(tmp_path, b"a,b\n1,2\n", "orders.xlsx"))


def test_an_unknown_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match="no known encoding"):
        read_table(write(tmp_path, b"a\n1\n"), encoding="utf-nine")


def test_a_misspelt_file_name_is_suggested(tmp_path):
    write(tmp_path, b"a\n1\n")
    with pytest.raises(DataError, match=r'Did you mean "orders\.csv"'):
        read_table(tmp_path / "order.csv")


def test_a_file_that_only_calls_itself_parquet_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(write(tmp_path, b"a,b\n1,2\n", "orders.parquet"))


def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    assert resolve_path("${SOMEWHERE}/x.csv") == tmp_path / "x.csv"
    assert resolve_path("x.csv", tmp_path) == tmp_path / "x.csv"
    assert resolve_path("package:lifetimes/datasets/CDNOW_sample.txt").is_file()
    with pytest.raises(DataError, match="names an environment variable that is not set"):
        resolve_path("${NOWHERE_AT_ALL}/x.csv")
    for package in ("no_such_package", "no_such_package.inside", "json.no_such_module", ""):
        with pytest.raises(DataError, match=f'package "{package}", which is not installed'):
            resolve_path(f"package:{package}/x.csv")
    with pytest.raises(DataError, match="begins with a user who has no folder here"):
        resolve_path("~no-such-user/x.csv")
