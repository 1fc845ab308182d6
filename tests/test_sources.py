"""Files into rows that know their line: line ends, quotes, encodings, ragged rows."""

import pandas as pd
import pyarrow as pa
import pytest

from kamlab.errors import ConfigError, DataError
from kamlab.sources import from_frame, read_table, resolve_path


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
        (b'a,b\n1,2\n"' + b"x" * 140_000, "cannot be read from line 3 on"),
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


def test_another_encoding_is_guessed_and_shown_but_not_taken(tmp_path):
    path = write(tmp_path, "客户ID,产品名称\n11000,山地自行车\n11001,骑行服\n".encode("gb18030"))
    with pytest.raises(DataError, match=r"not UTF-8 text: byte 0xbf in line 1.*客户ID,产品名称"):
        read_table(path)
    assert read_table(path, encoding="gb18030").columns == ["客户ID", "产品名称"]


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
