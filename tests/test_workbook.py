"""The workbook: texts stay texts, formats are the reader's, filters and headers are there, the same bytes each time."""

import io
import zipfile
from datetime import date

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from kamlab.i18n import Translator
from kamlab.reports.workbook import writing as module
from kamlab.reports.workbook.writing import Sheet, SheetColumn, clean, number_formats, sheet_name, write

AS_OF = date(2025, 12, 31)
T = Translator("en", currency="CNY")
COLUMNS = [
    SheetColumn("name", "Name"),
    SheetColumn("value", "Value", "money"),
    SheetColumn("share", "Share", "percent"),
    SheetColumn("day", "Day", "date"),
]
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "#N/A", '=HYPERLINK("http://x","y")']


def frame(names):
    return pd.DataFrame(
        {
            "name": pd.Series(names, dtype=object),
            "value": [1234.5] * len(names),
            "share": [0.25] * len(names),
            "day": pd.Timestamp("2025-03-04"),
        }
    )


def made(path, names, language="en", title="Accounts"):
    t = Translator(language, currency="CNY")
    write(path, [Sheet(title, COLUMNS, frame(names))], t=t, title="All", company="ACME", as_of=AS_OF)
    return openpyxl.load_workbook(path)


def test_what_looks_like_a_formula_is_text_and_stays_text_when_edited(tmp_path):
    sheet = made(tmp_path / "a.xlsx", HOSTILE)["Accounts"]
    assert [cell.value for cell in sheet["A"][1:]] == [text.strip() for text in HOSTILE]
    assert {cell.data_type for cell in sheet["A"]} == {"s"}
    assert {cell.number_format for cell in sheet["A"][1:]} == {"@"}
    with zipfile.ZipFile(tmp_path / "a.xlsx") as file:
        assert b"<f>" not in b"".join(file.read(name) for name in file.namelist())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(st.characters(codec=None)), min_size=1, max_size=3))
def test_any_text_comes_back_as_it_is_but_for_spaces_and_control_characters(names):
    buffer = io.BytesIO()
    made(buffer, names)
    buffer.seek(0)
    rows = CalamineWorkbook.from_filelike(buffer).get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert [str(row[0]) for row in rows[1:]] == [clean(name) for name in names]


@pytest.mark.parametrize(
    ("language", "money", "share", "day"),
    [
        ("en", '"CNY" #,##0', "0.0%", "dd/mm/yyyy"),
        ("vi", '#,##0 "CNY"', "0.0%", "dd/mm/yyyy"),
        ("zh", '"CNY" #,##0', "0.0%", "yyyy/mm/dd"),
        ("es", '#,##0 "CNY"', "0.0\u00a0%", "dd/mm/yyyy"),
    ],
)
def test_numbers_have_the_formats_of_the_language(tmp_path, language, money, share, day):
    sheet = made(tmp_path / "a.xlsx", ["x"], language)["Accounts"]
    assert [cell.number_format for cell in sheet[2]][1:] == [money, share, day]
    assert [cell.value for cell in sheet[2]][1:3] == [1234.5, 0.25]
    assert sheet["D2"].value.date() == date(2025, 3, 4)
    assert number_formats(Translator(language))["money"] == "#,##0"


def test_header_stays_in_view_and_every_column_can_be_filtered(tmp_path):
    sheet = made(tmp_path / "a.xlsx", ["x", "y", "z"])["Accounts"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:D4"
    assert [cell.value for cell in sheet[1]] == ["Name", "Value", "Share", "Day"]
    assert all(cell.font.bold for cell in sheet[1])


def test_the_same_sheets_give_the_same_bytes(tmp_path, monkeypatch):
    made(tmp_path / "a.xlsx", ["x"])
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    book = made(tmp_path / "b.xlsx", ["x"])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert book.properties.created.date() == book.properties.modified.date() == AS_OF
    assert (book.properties.creator, book.properties.title) == ("ACME", "All")
    assert book.custom_doc_props["Language"].value == "en-GB"


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    book = made(tmp_path / "a.xlsx", ["a", "b", "c", "d", "e"])
    assert book.sheetnames == ["Accounts", "Accounts 2", "Accounts 3"]
    assert [[cell.value for cell in sheet["A"][1:]] for sheet in book] == [["a", "b"], ["c", "d"], ["e"]]


def test_an_empty_sheet_has_its_header(tmp_path):
    assert [cell.value for cell in made(tmp_path / "a.xlsx", [])["Accounts"][1]] == ["Name", "Value", "Share", "Day"]


def test_names_of_sheets_are_short_plain_and_different():
    taken = set()
    names = [sheet_name(title, taken) for title in ("A/B: [c]*?", "a b   c", "x" * 40, "X" * 40, "''")]
    assert names == ["A B c", "a b c (2)", "x" * 31, "X" * 27 + " (2)", "–"]
    assert sheet_name("Los más valiosos y con potencial de crecer", taken) == "Los más valiosos y con…"


def test_the_first_sheet_of_several_leads_to_each_and_says_what_it_shows(tmp_path):
    named = [("Plan A", "All accounts."), ("Bob's list", "=1+1"), ("Contents", "")]
    sheets = [Sheet(title, COLUMNS, frame(["x", "y"]), about=about) for title, about in named]
    write(tmp_path / "a.xlsx", sheets, t=T, title="All", company="ACME", as_of=AS_OF)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Contents", "Plan A", "Bob's list", "Contents (2)"]
    first = book["Contents"]
    assert [cell.value for cell in first[1]] == ["Sheet", "What it shows", "Rows"]
    assert [[cell.value for cell in row] for row in first.iter_rows(min_row=2)] == [
        ["Plan A", "All accounts.", 2],
        ["Bob's list", "=1+1", 2],
        ["Contents", "", 2],
    ]
    assert first["B3"].data_type == "s"
    assert [first[f"A{i}"].hyperlink.location for i in (2, 3, 4)] == [
        "'Plan A'!A1",
        "'Bob''s list'!A1",
        "'Contents (2)'!A1",
    ]


@pytest.mark.parametrize(("columns", "across"), [(4, 1), (24, 2), (81, 7)])
def test_printed_pages_lie_have_the_header_and_are_as_wide_as_can_be_read(tmp_path, columns, across):
    wide = [SheetColumn(f"c{i}", f"Column {i}", "money") for i in range(columns)]
    rows = pd.DataFrame({column.key: [1.0] for column in wide})
    write(tmp_path / "a.xlsx", [Sheet("All", wide, rows, 2)], t=T, title="All", company="A & B " * 60, as_of=AS_OF)
    (sheet,) = openpyxl.load_workbook(tmp_path / "a.xlsx")
    setup = sheet.page_setup
    assert (setup.orientation, setup.paperSize, setup.fitToHeight) == ("landscape", 9, 0)
    assert (setup.fitToWidth or 1) == across
    assert sheet.print_title_rows, sheet.print_title_cols == ("$1:$1", "$A:$B")
    assert sheet.oddFooter.left.text.startswith("A && B A")
    assert (sheet.oddFooter.center.text, sheet.oddFooter.right.text) == ("&A", "&P / &N")


@pytest.mark.parametrize(
    ("label", "height"),
    [("Name", 30), ("Won within two years, probability", 45), ("最近十二个月的收入与预期贡献之比较", 60)],
)
def test_a_heading_has_the_lines_that_it_needs(tmp_path, label, height):
    sheet = Sheet("All", [SheetColumn("a", label, "percent")], pd.DataFrame({"a": [0.1]}))
    write(tmp_path / "a.xlsx", [sheet], t=T, title="All", company="A", as_of=AS_OF)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["All"].row_dimensions[1].height == height
