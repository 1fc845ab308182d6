"""Pages as they are set: no page half empty, nothing outside the margins, reports of companies with nearly nothing."""

import json
import re
from functools import partial
from pathlib import Path

import nbformat
import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from test_pdf import AS_OF, NAMES, document, frame_table, make, squeezed

from kamlab import runs
from kamlab.reports import blocks as b
from kamlab.reports import export
from kamlab.reports.page import render_page
from kamlab.reports.pdf import compile_pdf
from kamlab.reports.workbook import sheets, write

ROOT = Path(__file__).parents[1]
TOP, BOTTOM = 842 - 77, 65
"""Of the text on a page, in points."""


def spans(data):
    """Lowest text of each page as a share of the room for text, from the top; headers and footers left out."""
    found = []
    with pypdfium2.PdfDocument(data) as file:
        for page in file:
            text = page.get_textpage()
            lows = [text.get_charbox(i)[1] for i in range(text.count_chars()) if text.get_text_range(i, 1).strip()]
            lows = [low for low in lows if BOTTOM < low < TOP]
            found.append((TOP - min(lows, default=TOP)) / (TOP - BOTTOM))
    return found


@pytest.mark.parametrize("paragraphs", [2, 8, 14, 20])
def test_a_chapter_that_ends_early_is_followed_by_the_next_one_on_the_same_page(paragraphs):
    items = []
    for _ in range(4):
        items += [b.text("# Chapter\n\n" + "Words of prose that fill some lines of the page. " * 8 * paragraphs)]
        items.append(b.page_break())
    filled = spans(make(*items, b.text("# End"))[0])
    assert min(filled[:-1], default=1) > 0.5


def test_a_part_that_is_exported_by_itself_begins_a_page_of_its_own():
    made = document(b.text("# One"), b.page_break(), b.text("# Two"))
    for element in made["body"]:
        if element["kind"] == "page_break":
            element["part"] = "two"
    data, _ = compile_pdf(made, timestamp=AS_OF)
    with pypdfium2.PdfDocument(data) as file:
        assert len(file) == 2


def test_three_hundred_accounts_with_hard_names_stay_inside_the_page_under_repeated_headers():
    hard = [*NAMES.values(), "شركة الكيماويات 😀 Ltd", "A" * 300, "長" * 300]
    rows = [
        {"account": f"{hard[i % len(hard)]} {i}", "owner": hard[-1 - i % 4][:40], "value": f"CNY {i}"}
        for i in range(300)
    ]
    columns = [
        b.TableColumn("account", "Account"),
        b.TableColumn("owner", "Owner"),
        b.TableColumn("value", "Value", "right"),
    ]
    data, replaced = make(frame_table(rows, columns=columns))
    assert "😀" in {r.character for r in replaced}
    left = (210 / 25.4 * 72 - 468) / 2
    seen = ""
    with pypdfium2.PdfDocument(data) as file:
        for page in file:
            text = page.get_textpage()
            boxes = [text.get_charbox(i) for i in range(text.count_chars()) if text.get_text_range(i, 1).strip()]
            assert min(box[0] for box in boxes) >= left - 1
            assert max(box[2] for box in boxes) <= left + 468 + 1
            words = text.get_text_range()
            assert re.search(r"Account\s+Owner\s+Value", words)
            seen += words
    assert [int(n) for n in re.findall(r"CNY (\d+)", seen)] == list(range(300))
    assert squeezed(seen).count("A" * 300) > 10


@pytest.mark.parametrize("case", ["one", "all lost"])
def test_companies_with_nearly_nothing_get_all_documents(case, few, tmp_path, monkeypatch):
    collected = []
    monkeypatch.setattr(b, "show", lambda *blocks: collected.extend(blocks))
    monkeypatch.setattr(runs, "open", partial(runs.open, accept_stale=True))
    namespace = {"run_dir": "", "config": str(few(case)), "as_of": "", "lang": "es"}
    cells = nbformat.read(ROOT / "notebooks" / "05_management_report.ipynb", as_version=4).cells
    for cell in cells:
        if "parameters" not in cell.metadata.get("tags", []):
            exec(cell.source, namespace)
    outputs = [new_output("display_data", data={b.MIME: json.loads(json.dumps(item.to_json()))}) for item in collected]
    made = export.to_document(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=outputs)]))
    data, replaced = compile_pdf(made, timestamp=AS_OF)
    assert replaced == []
    filled = spans(data)
    assert 2 <= len(filled) <= 12
    assert min(filled[:-1]) > 0.4
    assert "nan" not in re.sub(
        r"[a-záéíóú]*nan[a-záéíóú]+|[a-záéíóú]+nan", "", " ".join(map(str, made["body"])).lower()
    )
    assert len(render_page(made).encode()) < 2_000_000
    run: runs.Run = namespace["run"]
    path = tmp_path / "workbook.xlsx"
    write(path, sheets(run, namespace["t"]), t=namespace["t"], title="x", company="x", as_of=AS_OF)
    assert path.stat().st_size > 10_000
