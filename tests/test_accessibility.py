"""A reader who listens: the order of the structure, alternative texts, language, and what names a table's cells."""

import io
import re
from collections import defaultdict

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from test_pdf import AS_OF, document, frame_table, make, report

from kamlab.i18n import Translator, languages
from kamlab.reports import blocks as b
from kamlab.reports.pdf import compile_pdf


def marked_texts(data):
    """Text of each marked content, by page number and its number on the page."""
    found = defaultdict(str)
    with pypdfium2.PdfDocument(data) as file:
        for number, page in enumerate(file):
            text = page.get_textpage()
            for item in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT], max_depth=1, textpage=text):
                found[number, pdfium.FPDFPageObj_GetMarkedContentID(item)] += item.extract()
    return found


def structure(data):
    """Kind and text of every leaf of the structure tree, in the tree's order; a figure's text is its alternative."""
    texts = marked_texts(data)
    with pikepdf.open(io.BytesIO(data)) as file:
        pages = {page.objgen: number for number, page in enumerate(file.pages)}
        leaves = []

        def walk(node, kind, page):
            if isinstance(node, pikepdf.Array):
                for child in node:
                    walk(child, kind, page)
            elif isinstance(node, int):
                leaves.append((kind, texts[pages[page.objgen], node]))
            elif node.get("/Type") == "/MCR":
                leaves.append((kind, texts[pages[node.get("/Pg", page).objgen], int(node.MCID)]))
            elif "/S" in node or node.get("/Type") == "/StructTreeRoot":
                kind = str(node.get("/S", ""))
                if "/Alt" in node:
                    leaves.append((kind, str(node.Alt)))
                elif "/K" in node:
                    walk(node.K, kind, node.get("/Pg", page))

        walk(file.Root.StructTreeRoot, "", None)
    return leaves


@pytest.fixture(scope="module")
def made():
    return make(*report())[0]


def test_what_is_heard_stands_in_the_order_of_the_blocks(made):
    heard = re.sub(r"\s+", " ", " ".join(text for _, text in structure(made)))
    written = [
        *("ACME Trading", "Customer value", "Management report", "The answers", "Some bold and italic words."),
        *("one", "two", "Detail", "Deeper"),
        *(word for i in range(6) for word in (f"Label {i}", f"CNY {i} M")),
        *(f"Callout {tone}" for tone in ("info", "good", "warning", "danger")),
        *("What the points are", "Points rise to the right", "Accounts", "Account", "Value"),
        *(f"Account {i} {i}" for i in range(120)),
    ]
    at = 0
    for words in written:
        at = heard.find(words, at)
        assert at >= 0, f"{words!r} is not heard, or earlier than what stands before it"
        at += len(words)


def test_headers_and_footers_are_not_read_aloud(made):
    heard = [text for _, text in structure(made)]
    after_cover = " ".join(heard[heard.index("The answers", heard.index("Confidential, for the management")) :])
    for running in ("ACME Trading", "As of", "Confidential", "Page 2"):
        assert running not in after_cover


def test_a_repeated_table_header_is_heard_once(made):
    heard = [text.strip() for _, text in structure(made)]
    assert heard[heard.index("Points rise to the right") :].count("Account") == 1


def test_every_figure_has_words_and_every_header_cell_a_scope(made):
    with pikepdf.open(io.BytesIO(made)) as file:
        elements = [o for o in file.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/StructElem"]
        assert all(str(o.Alt).strip() for o in elements if o.S == "/Figure" and "/Alt" in o)
        headers = [o for o in elements if o.S == "/TH"]
        assert {str(o.A.Scope if isinstance(o.A, pikepdf.Dictionary) else o.A[0].Scope) for o in headers} == {"/Column"}


@pytest.mark.parametrize("language", languages())
def test_a_document_says_its_language(language):
    t = Translator(language)
    cover = b.cover("Title", translator=t, company="ACME", as_of=AS_OF)
    data, _ = compile_pdf(document(cover, b.text("# A")), timestamp=AS_OF)
    with pikepdf.open(io.BytesIO(data)) as file:
        assert str(file.Root.Lang).split("-")[0] == language
        assert file.Root.ViewerPreferences.DisplayDocTitle
        assert "/Suspects" not in file.Root.MarkInfo
        assert file.Root.MarkInfo.Marked


def test_a_table_s_note_and_caption_belong_to_what_is_heard():
    table = frame_table([{"a": "x"}], caption="What it shows")
    data, _ = make(b.Table(table.columns, table.rows, table.caption, "What to know"))
    heard = [text.strip() for _, text in structure(data)]
    assert heard.index("What to know") > heard.index("x")
    assert any("What it shows" in text for text in heard)
