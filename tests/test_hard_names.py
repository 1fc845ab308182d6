"""Account names that look like code, formulas or another script, through every document of a company of twelve."""

import json
from functools import partial
from pathlib import Path

import nbformat
import openpyxl
import pandas as pd
import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from test_few_accounts import TOML, orders
from test_pdf import AS_OF, NAMES, squeezed

from kamlab import runs
from kamlab.reports import blocks as b
from kamlab.reports import export
from kamlab.reports.page import render_page
from kamlab.reports.pdf import compile_pdf
from kamlab.reports.workbook import sheets, write

ROOT = Path(__file__).parents[1]
HARD = [
    NAMES["typst code"],
    "<script>alert(1)</script> & <b>Sons</b>",
    "**Star** _Co_ | [x](https://example.org) `y` ~~z~~",
    "=HYPERLINK(1+1)",
    "@SUM(A1)",
    "-2+3",
    "bell\x07 and\x1b[31m red",
    "two\nlines",
    "A" * 300,
    "شركة الكيماويات",
    "Smile 😀 Ltd",
    "長" * 120,
]
NOTEBOOKS = ("05_management_report", "06_account_plans", "07_period_review", "08_appendix")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hard")
    orders(12, years=3).to_csv(folder / "orders.csv", index=False)
    master = pd.DataFrame({"account": [f"K{i:02}" for i in range(12)], "name": HARD, "owner": HARD[::-1]})
    master.assign(potential=1e6).to_csv(folder / "accounts.csv", index=False)
    accounts = 'columns = { account = "account", name = "name", owner = "owner", declared_potential = "potential" }'
    (folder / "kamlab.toml").write_text(f'{TOML}\n[source.accounts]\npath = "accounts.csv"\n{accounts}\n', "utf-8")
    opened = runs.open("", config=folder / "kamlab.toml", accept_stale=True)
    opened.read("plans")
    return opened


@pytest.fixture(scope="module", params=NOTEBOOKS)
def document(request, run):
    """A notebook's document, executed on the run in Chinese."""
    collected = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(b, "show", lambda *blocks: collected.extend(blocks))
        patch.setattr(runs, "open", partial(lambda *_, **__: run))
        namespace = {"run_dir": "", "config": "", "as_of": "", "lang": "zh", "account": ""}
        for cell in nbformat.read(ROOT / "notebooks" / f"{request.param}.ipynb", as_version=4).cells:
            if "parameters" not in cell.metadata.get("tags", []):
                exec(cell.source, namespace)
    outputs = [new_output("display_data", data={b.MIME: json.loads(json.dumps(item.to_json()))}) for item in collected]
    return export.to_document(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=outputs)]))


def test_a_document_prints_hard_names_as_they_are(document):
    data, replaced = compile_pdf(document, timestamp=AS_OF)
    assert {found.character for found in replaced} <= {"😀", *"شركة الكيماويات", "\x07", "\x1b"}
    with pypdfium2.PdfDocument(data) as file:
        printed = squeezed("".join(page.get_textpage().get_text_range() for page in file))
    named = json.dumps(document, ensure_ascii=False)
    for name in HARD[:6]:
        if json.dumps(name)[1:-1] in named:
            assert squeezed(name) in printed


def test_a_page_evaluates_nothing_that_a_name_holds(document):
    page = render_page(document)
    assert "<script>alert" not in page
    assert "<b>Sons" not in page
    assert 'href="https://example.org' not in page


def test_cells_of_the_workbook_are_text(run, tmp_path):
    t = run.translator("zh")
    write(tmp_path / "book.xlsx", sheets(run, t), t=t, title="x", company="x", as_of=AS_OF)
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    texts = {cell.value for cell in cells}
    assert {"=HYPERLINK(1+1)", "@SUM(A1)", "-2+3"} <= texts
