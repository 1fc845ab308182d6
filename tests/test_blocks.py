"""Blocks as Jupyter shows them, and the way from an executed notebook to a document."""

import json
from datetime import date

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kamlab.errors import ReportError
from kamlab.i18n import Translator
from kamlab.reports import blocks as b
from kamlab.reports import export, markdown

HOSTILE = '<script>alert("x")</script> & "quotes"'


def published(*items, count=1, source="x"):
    outputs = [new_output("display_data", data=json.loads(json.dumps(item._repr_mimebundle_()))) for item in items]
    return new_code_cell(source, execution_count=count, outputs=outputs)


def document(*cells):
    return export.to_document(new_notebook(cells=list(cells)), name="chapter.ipynb")


def a_cover():
    return b.cover(
        "Value",
        translator=Translator(),
        company="ACME",
        as_of=date(2025, 12, 31),
        subtitle="Management report",
        facts=[("Accounts", "12")],
        confidentiality="Confidential",
    )


def a_table(rows=2, total_rows=0):
    frame = pd.DataFrame({"name": [f"A{i}" for i in range(rows)], "value": [str(i) for i in range(rows)]})
    columns = [b.TableColumn("name", "Account"), b.TableColumn("value", "Value", "right")]
    return b.table(frame, columns=columns, caption="What accounts bring", total_rows=total_rows)


def a_figure(width=6.5):
    fig, _ = plt.subplots(figsize=(width, 1))
    return b.figure(fig, caption="Caption", alt="Description")


def every_block(words):
    return [
        b.text(words),
        b.kpis([b.Kpi(words, words, words, "good")]),
        b.table(pd.DataFrame({"k": [words]}), columns=[b.TableColumn("k", words)], caption=words, note=words),
        b.Figure("<svg></svg>", words, words),
        b.callout("warning", words, words),
        b.page_break(),
        b.part("A1", [b.text(words), b.callout("info", words)]),
        b.cover(words, translator=Translator(), company=words, as_of=date(2025, 1, 1), facts=[(words, words)]),
    ]


def test_every_kind_of_block_has_three_forms_and_escapes_html():
    items = every_block(HOSTILE)
    assert {item.kind for item in items} == set(b.KINDS)
    for item in items:
        bundle = item._repr_mimebundle_()
        assert set(bundle) == {b.MIME, "text/html", "text/plain"}
        data = json.loads(json.dumps(bundle[b.MIME]))
        assert (data["schema"], data["kind"]) == (1, item.kind)
        b.check_json(data)
        assert "<script>" not in bundle["text/html"]
        if item.kind != "page_break":
            assert "&lt;script&gt;" in bundle["text/html"]
            assert "alert" in bundle["text/plain"]


def test_table_html_and_plain_text_show_its_rows():
    bundle = a_table(12, total_rows=1)._repr_mimebundle_()
    assert bundle["text/html"].count("<tr>") == 13
    assert bundle["text/html"].count('font-weight:bold">') == 3, "caption and the two cells of the total"
    assert bundle["text/plain"].splitlines()[1:3] == ["Account\tValue", "A0\t0"]
    assert bundle["text/plain"].endswith("… 2 more")


def test_figure_block_holds_svg_at_its_share_of_the_page():
    block = a_figure(3.25)
    assert block.width == 0.5
    assert block.svg.startswith("<?xml")
    html = block._repr_mimebundle_()["text/html"]
    assert "<?xml" not in html
    assert 'aria-label="Description"' in html
    assert "<svg" in html


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: b.table(pd.DataFrame({"a": [1.5]}), caption="c"),
            r"columns a hold values that are no strings.*t\.number",
        ),
        (
            lambda: b.table(pd.DataFrame({"a": ["1"]}), columns=[b.TableColumn("z", "Z")], caption="c"),
            "no column z; its columns are: a",
        ),
        (lambda: b.table(pd.DataFrame(), caption="c"), "has no columns"),
        (lambda: b.table(pd.DataFrame({"a": ["1"]}), caption=""), "no caption"),
        (lambda: b.callout("loud", "x"), "no tone loud; the tones are info, good, warning, danger"),
        (lambda: b.kpis([b.Kpi("a", "1", tone="red")]), "no tone red"),
        (lambda: b.kpis([]), "at least one"),
        (lambda: b.figure(plt.figure(), caption="c", alt=" "), "caption and an alt text"),
    ],
)
def test_blocks_refuse_what_cannot_be_printed(make, message):
    with pytest.raises(ReportError, match=message):
        make()
    plt.close("all")


def test_missing_cells_print_as_a_dash():
    frame = pd.DataFrame({"owner": ["Li Wei", None, np.nan]})
    assert b.table(frame, caption="c").rows == [["Li Wei"], ["–"], ["–"]]


def test_document_takes_markdown_and_blocks_in_order_and_drops_other_outputs():
    noisy = published(a_table())
    noisy.outputs.insert(0, new_output("stream", text="printed\n"))
    noisy.outputs.append(new_output("execute_result", data={"text/plain": "42"}, execution_count=1))
    result = document(
        new_markdown_cell("# First\n\nSome *words*."),
        published(a_cover()),
        new_code_cell("", execution_count=None),
        noisy,
        published(b.text("## Second"), a_figure(), b.page_break(), a_table(1)),
        published(b.callout("info", "Title", "# Heading inside\n\n- item"), b.kpis([b.Kpi("a", "1")])),
    )
    kinds = [e["kind"] for e in result["body"]]
    assert kinds == ["heading", "paragraph", "table", "heading", "figure", "page_break", "table", "callout", "kpis"]
    assert [e["label"] for e in result["body"] if "label" in e] == ["Table 1", "Figure 1", "Table 2"]
    assert result["body"][1]["runs"] == [{"text": "Some "}, {"text": "words", "emphasis": True}, {"text": "."}]
    inside = result["body"][7]["body"]
    assert [e["kind"] for e in inside] == ["paragraph", "list"], "no heading of the outline inside a callout"
    assert inside[0]["runs"] == [{"text": "Heading inside", "strong": True}]
    assert result["cover"] == {
        "title": "Value",
        "subtitle": "Management report",
        "facts": [["Accounts", "12"]],
        "compact": False,
        "logo": "",
        "logo_alt": "",
    }
    assert result["meta"] == {
        "title": "Value",
        "company": "ACME",
        "as_of": "As of 31\u00a0Dec\u00a02025",
        "date": "2025-12-31",
        "locale": "en_GB",
        "confidentiality": "Confidential",
        "accent": "",
        "words": {
            "contents": "Contents",
            "page": "Page {page} of {pages}",
            "figure": "Figure {number}",
            "table": "Table {number}",
        },
    }


def test_document_without_cover_is_named_after_its_first_heading():
    result = document(new_markdown_cell("## Data *quality*"))
    assert (result["cover"], result["meta"]["title"], result["meta"]["date"]) == (None, "Data quality", "")
    assert document(published(b.page_break()))["meta"]["title"] == "chapter"


def test_headings_begin_at_level_one_and_never_skip_a_level():
    cells = [new_markdown_cell(f"{marks} x") for marks in ("##", "####", "##", "###", "####")]
    assert [e["level"] for e in document(*cells)["body"]] == [1, 2, 1, 2, 2]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (new_code_cell("x = 1"), r"chapter.ipynb, cell 2 has not been run"),
        (
            new_code_cell(
                "1/0",
                execution_count=1,
                outputs=[new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])],
            ),
            r"chapter.ipynb, cell 2 failed with ZeroDivisionError: division by zero",
        ),
        (
            new_code_cell(
                "x",
                execution_count=1,
                outputs=[
                    new_output("display_data", data=b.page_break()._repr_mimebundle_()),
                    new_output("display_data", data={b.MIME: {"schema": 1, "kind": "video"}}),
                ],
            ),
            r'chapter.ipynb, cell 2, block 2: there is no block "video"; the blocks are text, kpis',
        ),
        (
            new_code_cell(
                "x",
                execution_count=1,
                outputs=[new_output("display_data", data={b.MIME: {"schema": 99, "kind": "text", "markdown": ""}})],
            ),
            r"cell 2, block 1: its form has version 99, not 1",
        ),
        (
            new_code_cell(
                "x",
                execution_count=1,
                outputs=[new_output("display_data", data={b.MIME: {"schema": 1, "kind": "text"}})],
            ),
            r'cell 2, block 1: the block "text" has the fields',
        ),
        (published(a_cover(), a_cover()), "cell 2: a document can have only one cover"),
    ],
)
def test_unfit_cells_are_named(cell, message):
    with pytest.raises(ReportError, match=message):
        document(new_markdown_cell("# Title"), cell)


def test_markdown_becomes_marked_runs_and_never_mathematics_or_html():
    source = "A **bold *both*** `co$de` $x^2$ <b>raw</b> &amp; [link](http://x) ![alt](u)  \nnext\nsoft"
    assert markdown.elements(source) == [
        {
            "kind": "paragraph",
            "runs": [
                {"text": "A "},
                {"text": "bold ", "strong": True},
                {"text": "both", "strong": True, "emphasis": True},
                {"text": " "},
                {"text": "co$de", "code": True},
                {"text": " $x^2$ <b>raw</b> & link alt"},
                {"break": True},
                {"text": "next soft"},
            ],
        }
    ]


def test_markdown_lists_code_and_quotations():
    lists, code, html, quote = markdown.elements(
        "3. three\n   - inner\n\n```\nif x:\n\ty\n```\n\n<div>x</div>\n\n> said\n\n---\n"
    )
    assert (lists["ordered"], lists["start"], lists["tight"]) == (True, 3, True)
    three, inner = lists["items"][0]
    assert three["runs"] == [{"text": "three"}]
    assert (inner["ordered"], inner["items"][0][0]["runs"]) == (False, [{"text": "inner"}])
    assert code == {"kind": "code", "lines": ["if x:", "    y"]}
    assert html["runs"] == [{"text": "<div>x</div>"}]
    assert quote == {"kind": "paragraph", "runs": [{"text": "said"}]}


@given(st.text())
def test_escaped_text_prints_as_it_is(text):
    words = " ".join(text.split())
    found = markdown.elements(f"start {b.escape(text)} end")
    assert [e["kind"] for e in found] == ["paragraph"]
    assert "".join(run["text"] for run in found[0]["runs"]).split() == f"start {words} end".split()
    assert all(set(run) == {"text"} for run in found[0]["runs"])


@given(st.text(alphabet=st.sampled_from("#*_`<>[]()!&;-+1.\n \\|~$x")))
def test_no_markdown_is_refused(text):
    for element in markdown.elements(text):
        assert element["kind"] in ("heading", "paragraph", "list", "code")


def test_a_real_kernel_publishes_blocks(tmp_path):
    source = (
        "from kamlab.reports import blocks as b\n"
        "print('noise')\n"
        "b.show(b.text('# Title'), b.kpis([b.Kpi('Accounts', '12')]))\n"
        "b.callout('info', 'Last')"
    )
    path = tmp_path / "chapter.ipynb"
    notebook = new_notebook(cells=[new_code_cell(source)])
    nbformat.write(NotebookClient(notebook, kernel_name="python3").execute(), path)
    body = export.read_document(path)["body"]
    assert [e["kind"] for e in body] == ["heading", "kpis", "callout"]
