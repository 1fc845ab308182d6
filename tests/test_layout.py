"""How pages are filled and tables set, on the reports of three companies, frozen with empty pictures.

`python scripts/page_images.py --layout COMPANY RUN` freezes them anew.
"""

import gzip
import json
from datetime import date

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_form import spans
from test_i18n import load_script
from test_pdf import frame_table, make

from kamlab.i18n import languages
from kamlab.reports import blocks as b
from kamlab.reports import column_widths
from kamlab.reports.pdf import compile_pdf

LAYOUT = load_script("page_images").LAYOUT
REPORTS = sorted(path.name.removesuffix(".json.gz") for path in LAYOUT.glob("*.json.gz"))


@pytest.fixture(scope="module", params=REPORTS)
def frozen(request):
    """A report's document, its bytes as PDF and the words of each page."""
    document = json.loads(gzip.decompress((LAYOUT / f"{request.param}.json.gz").read_bytes()))
    data, _ = compile_pdf(document, timestamp=date.fromisoformat(document["meta"]["date"]))
    return document, data, words(data)


def words(data):
    """The words of each page, without header and footer, one after another without spaces."""
    found = []
    with pypdfium2.PdfDocument(data) as file:
        for page in file:
            text = page.get_textpage().get_text_bounded(bottom=46, top=842 - 70)
            found.append("".join(text.replace("\ufffe", "-").split()))
    return found


def test_three_companies_are_looked_at_in_every_language():
    assert set(REPORTS) == {f"{name}.{lang}" for name in ("sample", "cdnow", "classicmodels") for lang in languages()}


def test_the_report_has_eight_to_twelve_pages_and_a_shorter_one_where_margins_and_potential_are_unknown(frozen):
    document, _, pages = frozen
    assert len(pages) in (range(5, 8) if document["meta"]["company"] == "CDNOW" else range(8, 13))


def test_no_page_but_the_last_is_half_empty(frozen):
    _, data, _ = frozen
    assert min(spans(data)[:-1]) > 0.55


def test_no_page_begins_with_what_belongs_to_the_table_before(frozen):
    document, _, pages = frozen
    notes = ["".join(e["note"].split()) for e in document["body"] if e["kind"] == "table" and e["note"]]
    for page in pages[1:]:
        assert not [note for note in notes if page.startswith(note[:25])]


def test_the_first_page_is_the_whole_answer(frozen):
    document, _, pages = frozen
    body = document["body"]
    strategies = [i for i, e in enumerate(body) if e["kind"] == "table"][1]
    last = next(e for e in reversed(body[:strategies]) if e["kind"] == "list")["items"][-1]
    said = "".join("".join(run["text"] for run in last[0]["runs"]).split())
    assert said[-20:] in pages[0]


@pytest.mark.parametrize("before", range(8, 41, 4))
def test_a_note_has_some_rows_of_its_table_on_its_page(before):
    rows = [{"name": f"row {i}"} for i in range(16)]
    items = [b.text("\n\n".join("Line." for _ in range(before)))]
    table = frame_table(rows, columns=[b.TableColumn("name", "Name")])
    data, _ = make(*items, b.Table(table.columns, table.rows, "Rows.", "The note below."))
    (page,) = [page for page in words(data) if "Thenotebelow." in page]
    assert page.index("row13row14row15") < page.index("Thenotebelow.")
    assert page.index("Name") < page.index("row13")


def table(columns, rows):
    return {"kind": "table", "columns": columns, "rows": rows, "total_rows": 0}


def column(label, align="left", width=None):
    return {"key": label, "label": label, "align": align, "width": width}


TEXTS = st.lists(st.sampled_from(["alpha", "beta", "gamma delta", "有限公司", "Ñandú"]), min_size=0, max_size=30)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 10**9)), min_size=1, max_size=12))
def test_numbers_are_never_broken_and_columns_fit_the_page(rows):
    written = [[" ".join(a), " ".join(c), f"CNY\u00a0{n:,}"] for a, c, n in rows]
    columns = [column("Account"), column("Why"), column("Value", "right")]
    found = column_widths.fit(table(columns, written))
    widths, size = found["columns"], found["size"]
    assert sum(widths) <= column_widths.TEXT_WIDTH + 1
    assert size in column_widths.SIZES
    # Noto Sans: a figure is 0.572 of the type's size wide, a comma 0.268, a space 0.26, C 0.633, N 0.76, Y 0.566
    longest = max(0.633 + 0.76 + 0.566 + 0.26 + sum(0.268 if c == "," else 0.572 for c in f"{n:,}") for *_, n in rows)
    assert widths[2] >= longest * size + 2 * column_widths.INSET


def test_the_column_with_more_text_gets_the_room():
    rows = [["Short name", "Expected to bring CNY 8.85 M; it bought CNY 71.1 M in the last 12 months.", "1"]] * 5
    name, why, _ = column_widths.fit(table([column("Account"), column("Why"), column("n", "right")], rows))["columns"]
    assert why > 3 * name


def test_a_narrow_table_keeps_its_largest_type_and_its_own_width():
    found = column_widths.fit(table([column("A"), column("B", "right")], [["x", "1"]]))
    assert (found["size"], found["share"]) == (column_widths.SIZES[0], 0.4)


def test_a_named_width_goes_first():
    wide, _ = column_widths.fit(table([column("A", width=40), column("B")], [["x", "y"]]))["columns"]
    assert wide == pytest.approx(
        40 * column_widths.CHARACTER * column_widths.SIZES[0] + 2 * column_widths.INSET, abs=0.01
    )


def test_intervals_break_before_columns_of_text_have_no_room():
    rows = [["Next value in the top class, at equal size", *["15.0 M (10.4 M to 21.8 M)"] * 4, "even", "even"]] * 3
    heads = [column("Measure", width=34), *[column(f"n{i}", "right") for i in range(4)], column("Newest date alone")]
    found = column_widths.fit(table([*heads, column("The fitted borders are")], rows))
    assert sum(found["columns"]) <= column_widths.TEXT_WIDTH + 1
    assert min(found["columns"]) > 30
