"""The workbook that people fill: nothing they wrote is lost, and what cannot be read is said."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from kamlab import config, resources
from kamlab.checks import check_data
from kamlab.errors import DataError
from kamlab.i18n import Translator
from kamlab.plans.fields import FIELDS, read_fields
from kamlab.plans.notes import NOTHING, Notes, read_notes, update_notes
from kamlab.runs.plan_notes import notes_mark, offer_notes, refuse_notes

T = Translator()


def accounts(*ids):
    return pd.DataFrame({"account": ids, "name": [f"Name {i}" for i in ids], "owner": "Ann"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inputs" / "plan_notes.xlsx"


def cells(path, sheet="plans"):
    return [list(row) for row in load_workbook(path)[sheet].iter_rows(values_only=True)]


def fill(path, key, **texts):
    """Write as a person does, in the spreadsheet."""
    book = load_workbook(path)
    sheet = book["plans"]
    header = {cell.value: cell.column for cell in sheet[1]}
    (row,) = [r for r in range(2, sheet.max_row + 1) if sheet.cell(r, 1).value == key]
    for name, value in texts.items():
        sheet.cell(row, header[name], value)
    book.save(path)


def test_a_new_workbook_has_one_row_an_account_and_says_what_its_columns_hold(path):
    assert update_notes(path, accounts("A1", "A2"), translator=T) == ("A1", "A2")
    header, *rows = cells(path)
    assert header == ["account", "name", "owner", "updated", *read_fields(personal=False)]
    assert [row[:3] for row in rows] == [["A1", "Name A1", "Ann"], ["A2", "Name A2", "Ann"]]
    legend = {row[0]: row[2] for row in cells(path, "columns")}
    assert set(legend) == set(header)
    assert legend["needs"] == "What it needs and how it uses the products."
    assert read_notes(path) == NOTHING


def test_what_people_wrote_stays_when_accounts_are_added(path):
    update_notes(path, accounts("A1"), translator=T)
    fill(path, "A1", needs="less dust", updated=datetime(2025, 12, 1), strengths="trust")
    book = load_workbook(path)
    book["plans"].cell(1, 40, "our own column")
    book["plans"].cell(2, 40, "kept")
    book["plans"].cell(2, 1).font = Font(color="FF0000")
    book.create_sheet("my sheet").cell(1, 1, "mine")
    book.save(path)
    assert update_notes(path, accounts("A1", "B7"), translator=T) == ("B7",)
    notes = read_notes(path)
    assert notes.entries == {"A1": {"needs": "less dust", "strengths": "trust"}}
    assert notes.updated == {"A1": date(2025, 12, 1)}
    assert notes.unknown == ("our own column",)
    book = load_workbook(path)
    assert book["plans"].cell(2, 40).value == "kept"
    assert book["plans"].cell(2, 1).font.color.rgb == "00FF0000"
    assert book["my sheet"].cell(1, 1).value == "mine"


def test_an_account_that_needs_no_plan_any_more_keeps_its_row(path):
    update_notes(path, accounts("A1", "A2"), translator=T)
    fill(path, "A1", goals="ten tons")
    update_notes(path, accounts("A3"), translator=T)
    assert [row[0] for row in cells(path)[1:]] == ["A1", "A2", "A3"]
    assert read_notes(path).entries == {"A1": {"goals": "ten tons"}}


def test_a_workbook_to_which_nothing_is_to_be_added_is_not_touched(path):
    update_notes(path, accounts("A1"), translator=T)
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert update_notes(path, accounts("A1"), translator=T) == ()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_column_that_somebody_removed_comes_back_and_the_others_stay(path):
    update_notes(path, accounts("A1"), translator=T)
    fill(path, "A1", needs="purity")
    book = load_workbook(path)
    book["plans"].delete_cols(5)
    book.save(path)
    assert "address" not in cells(path)[0]
    update_notes(path, accounts("A1"), translator=T)
    assert "address" in cells(path)[0]
    assert read_notes(path).entries == {"A1": {"needs": "purity"}}


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text and "_x" not in text and "\ufffe" not in text and "\uffff" not in text
)


@settings(deadline=None, max_examples=20)
@given(st.dictionaries(TEXT, TEXT, min_size=1, max_size=4))
def test_any_account_and_any_entry_come_back_as_they_were_written(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("notes") / "plan_notes.xlsx"
    table = pd.DataFrame({"account": list(entries), "name": list(entries.values()), "owner": "=1+1"})
    update_notes(path, table, translator=T)
    book = load_workbook(path)
    for row, text in enumerate(entries.values(), start=2):
        assert book["plans"].cell(row, 2).data_type == "s", "a name that begins with = is no formula"
        book["plans"].cell(row, 5).value = text
        book["plans"].cell(row, 5).data_type = "s"
    book.save(path)
    assert read_notes(path).entries == {account: {"address": text} for account, text in entries.items()}


def test_ids_that_a_spreadsheet_took_for_numbers_are_the_accounts(path):
    update_notes(path, accounts("1001"), translator=T)
    fill(path, "1001", account=1001, needs="x")
    assert read_notes(path).entries == {"1001": {"needs": "x"}}
    assert update_notes(path, accounts("1001"), translator=T) == ()


def test_personal_data_is_offered_and_read_only_where_it_is_switched_on(path):
    personal = {field.name for field in FIELDS if field.personal}
    assert personal == {"birthdays", "interests", "family"}
    update_notes(path, accounts("A1"), translator=T)
    assert not personal & set(cells(path)[0])
    update_notes(path, accounts("A1"), translator=T, personal=True)
    fill(path, "A1", birthdays="4 May", needs="purity")
    assert read_notes(path).entries == {"A1": {"needs": "purity"}}
    assert read_notes(path, personal=True).entries == {"A1": {"needs": "purity", "birthdays": "4 May"}}
    update_notes(path, accounts("A1", "A2"), translator=T)
    assert read_notes(path, personal=True).entries["A1"]["birthdays"] == "4 May", "switched off it stays in the file"


def test_a_row_of_a_later_day_is_not_read():
    notes = Notes({"A": {"needs": "x"}, "B": {"needs": "y"}}, {"A": date(2026, 1, 1), "B": date(2025, 12, 31)})
    assert notes.at(date(2025, 12, 31)).entries == {"B": {"needs": "y"}}


def test_all_faults_of_the_rows_are_said_at_once_and_nothing_is_changed(path):
    update_notes(path, accounts("A1", "A2", "A3"), translator=T)
    fill(path, "A1", updated="last week")
    fill(path, "A2", account="A3")
    before = path.read_bytes()
    with pytest.raises(DataError) as error:
        read_notes(path)
    assert "2 of its rows cannot be read" in str(error.value)
    assert 'row 4 names account "A3" again' in str(error.value)
    assert 'updated is no date in row 2, account "A1"' in str(error.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mark", ["~$plan_notes.xlsx", ".~lock.plan_notes.xlsx#"])
def test_an_open_workbook_is_refused(path, mark):
    update_notes(path, accounts("A1"), translator=T)
    before = path.read_bytes()
    path.with_name(mark).touch()
    with pytest.raises(DataError, match="is open in another program"):
        update_notes(path, accounts("A2"), translator=T)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p.write_bytes(b"no workbook"), "cannot be read as a workbook"),
        (lambda p: Workbook().save(p), 'has no sheet "plans"'),
        (lambda p: headless(p), 'has no column "account"'),
    ],
)
def test_what_is_no_workbook_of_plans_is_refused_and_stays(path, make, said):
    path.parent.mkdir()
    make(path)
    before = path.read_bytes()
    with pytest.raises(DataError, match=said):
        read_notes(path)
    with pytest.raises(DataError, match=said):
        update_notes(path, accounts("A1"), translator=T)
    assert path.read_bytes() == before


def headless(path):
    book = Workbook()
    book.active.title = "plans"
    book.active.cell(1, 1, "id")
    book.save(path)


def test_a_folder_that_cannot_be_written_is_said(path, monkeypatch):
    def broken(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Workbook, "save", broken)
    with pytest.raises(DataError, match="cannot be written: Permission denied"):
        update_notes(path, accounts("A1"), translator=T)
    assert list(path.parent.iterdir()) == []


def test_what_a_person_saves_meanwhile_is_not_overwritten(path, monkeypatch):
    update_notes(path, accounts("A1"), translator=T)
    save = Workbook.save

    def slow(book, target):
        save(book, target)
        monkeypatch.undo()
        fill(path, "A1", needs="saved meanwhile")

    monkeypatch.setattr(Workbook, "save", slow)
    with pytest.raises(DataError, match="was changed by somebody else meanwhile"):
        update_notes(path, accounts("A2"), translator=T)
    assert read_notes(path).entries == {"A1": {"needs": "saved meanwhile"}}
    assert sorted(p.name for p in path.parent.iterdir()) == ["plan_notes.xlsx"]


# What a run makes of it ------------------------------------------------------------------------------------------


@pytest.fixture
def configured(tmp_path):
    (tmp_path / "kamlab.toml").write_text(
        '[company]\nname = "Acme"\n[source.transactions]\npath = "x.csv"\ncolumns = { account = "a", date = "d" }\n'
    )
    return config.load(tmp_path / "kamlab.toml")


@pytest.fixture
def folder(tmp_path):
    table = pd.DataFrame({"account": ["A1", "A2"], "name": "N", "responsible": "Ann", "planned": [True, False]})
    (tmp_path / "run" / "tables").mkdir(parents=True)
    table.to_parquet(tmp_path / "run" / "tables" / "plans.parquet")
    return tmp_path / "run"


def test_a_run_offers_rows_for_the_accounts_with_a_plan_and_says_so(configured, folder, path):
    (message,) = offer_notes(configured, folder, T)
    assert message.startswith(f"{path} has 1 new rows")
    assert [row[0] for row in cells(path)[1:]] == ["A1"]
    assert offer_notes(configured, folder, T) == ()


def test_a_run_that_is_finished_is_not_lost_for_want_of_the_workbook(configured, folder, path):
    path.parent.mkdir()
    path.write_bytes(b"no workbook")
    (message,) = offer_notes(configured, folder, T)
    assert "cannot be read as a workbook" in message


def test_the_folder_of_the_sample_company_stays_as_it_is(folder):
    sample = config.load(resources.sample() / "kamlab.toml")
    before = sorted(Path(resources.sample()).rglob("*"))
    assert offer_notes(sample, folder, T) == ()
    assert sorted(Path(resources.sample()).rglob("*")) == before


def test_a_run_refuses_an_open_workbook_before_it_computes(configured, folder, path):
    offer_notes(configured, folder, T)
    path.with_name("~$plan_notes.xlsx").touch()
    with pytest.raises(DataError, match="Save and close it"):
        refuse_notes(configured)


def test_check_foresees_that_a_report_would_stop_at_the_workbook(tmp_path, path):
    lines = "a,d,v\n" + "".join(f"K{n % 4},2025-{1 + n % 12:02d}-07,{n + 1}\n" for n in range(24))
    (tmp_path / "x.csv").write_text(lines)
    columns = '{ account = "a", date = "d", amount = "v" }'
    (tmp_path / "kamlab.toml").write_text(
        f'[company]\nname = "Acme"\n[source.transactions]\npath = "x.csv"\ncolumns = {columns}\n[period]\n'
        "as_of = 2025-12-31\nmax_data_lag_days = 60\n"
    )
    assert "plan_notes" not in check_data(tmp_path).text
    path.parent.mkdir()
    path.write_bytes(b"no workbook")
    found = check_data(tmp_path)
    assert found.faults
    assert f"No report can be made: {path} cannot be read as a workbook" in found.text


def test_an_empty_form_changes_no_run_and_an_entry_does(configured, folder, path):
    assert notes_mark(configured) == ""
    offer_notes(configured, folder, T)
    assert notes_mark(configured) == ""
    fill(path, "A1", needs="purity")
    first = notes_mark(configured)
    fill(path, "A1", needs="price")
    assert "" != first != notes_mark(configured)
