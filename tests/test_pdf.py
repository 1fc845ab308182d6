"""The PDF: standards, outline, pages and text, read back by other libraries."""

import io
import json
import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pikepdf
import pypdfium2
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import get_exporter
from nbconvert.utils.exceptions import ConversionException
from nbformat.v4 import new_code_cell, new_notebook, new_output

from kamlab.errors import ReportError
from kamlab.figures import style
from kamlab.i18n import Translator
from kamlab.reports import blocks as b
from kamlab.reports import export, export_pdf, pdf

AS_OF = date(2025, 12, 31)
LONG_NAME = " ".join(f"Subsidiary{i}" for i in range(24))[:300]
NAMES = {
    "typst code": '#panic("x") #include "/etc/passwd" $x^2$ [*a*] @ref <label> = h',
    "html and paths": r"<b>A</b> &amp; C:\new\table \u{41} // no comment /* x */",
    "vietnamese": "Công ty TNHH Hóa chất Đường Phố Ắẵ",
    "decomposed": "Ti\u0302\u0301ng Vie\u0323\u0302t",
    "traditional": "臺灣鑫淼龘化學股份有限公司",
    "simplified": "广州市恒泰化工有限公司“天河”分公司",
    "spanish": "Química Peñalosa, S.A. de C.V. ¿Año?",
    "one word": "Supercalifragilisticexpialidocious" * 6,
    "300 characters": LONG_NAME,
}


def make_cover(company="ACME Trading"):
    return b.cover(
        "Customer value",
        translator=Translator(),
        company=company,
        as_of=AS_OF,
        subtitle="Management report",
        facts=[("Accounts", "612")],
        confidentiality="Confidential, for the management",
    )


def document(*items):
    outputs = [new_output("display_data", data={b.MIME: item.to_json()}) for item in items]
    return export.to_document(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=outputs)]))


def notebook(*items, **cell):
    outputs = [new_output("display_data", data={b.MIME: item.to_json()}) for item in items]
    return new_notebook(cells=[new_code_cell("x", outputs=outputs, **{"execution_count": 1, **cell})])


def pages(data: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)]


def squeezed(text: str) -> str:
    """Text without spaces and hyphenation marks: lines may be broken anywhere."""
    return re.sub(r"[\s\ufffe]+", "", text)


def make(*items, **options):
    data, replaced = pdf.compile_pdf(document(*items), timestamp=options.get("timestamp", AS_OF))
    return data, replaced


def frame_table(rows, caption="Accounts", columns=None):
    frame = pd.DataFrame(rows)
    columns = columns or [b.TableColumn(c, c.title()) for c in frame.columns]
    return b.table(frame, columns=columns, caption=caption)


def scatter(name="Title", weight="bold"):
    with style.style():
        figure, axes = plt.subplots(figsize=(6.5, 2))
        axes.set_title(name, weight=weight)
    return b.figure(figure, caption="What the points are", alt="Points rise to the right")


def report():
    table = frame_table([{"account": f"Account {i}", "value": f"{i}"} for i in range(120)])
    return [
        make_cover(),
        b.text("# The answers\n\nSome **bold** and *italic* words.\n\n- one\n- two\n\n## Detail\n\n### Deeper"),
        b.kpis([b.Kpi(f"Label {i}", f"CNY {i} M", "note", "danger") for i in range(6)]),
        *(b.callout(tone, f"Callout {tone}", "Body") for tone in ("info", "good", "warning", "danger")),
        scatter(),
        b.text("# Accounts"),
        table,
    ]


@pytest.fixture(scope="module")
def made():
    return make(*report())[0]


def test_file_declares_both_standards_language_and_fixed_time(made):
    with pikepdf.open(io.BytesIO(made)) as file:
        with file.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "2"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["xmp:CreateDate"].startswith("2025-12-31T00:00:00")
        assert str(file.Root.Lang) == "en-GB"
        assert file.Root.MarkInfo.Marked
        assert file.Root.ViewerPreferences.DisplayDocTitle
        assert str(file.docinfo["/Title"]) == "Customer value"
        assert str(file.docinfo["/Author"]) == "ACME Trading"


def test_outline_follows_the_headings(made):
    with pikepdf.open(io.BytesIO(made)) as file, file.open_outline() as outline:
        assert [item.title for item in outline.root] == ["The answers", "Accounts"]
        assert [item.title for item in outline.root[0].children] == ["Detail"]
        assert [item.title for item in outline.root[0].children[0].children] == ["Deeper"]


def test_all_fonts_are_embedded(made):
    fonts = set()
    with pikepdf.open(io.BytesIO(made)) as file:
        for item in file.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor":
                assert "/FontFile2" in item or "/FontFile3" in item
                fonts.add(str(item.FontName).split("+")[1])
    assert fonts == {"NotoSans-Regular", "NotoSans-Bold", "NotoSansItalic-Italic"}


def test_figures_have_their_alt_text_and_tables_their_headers_in_the_structure(made):
    tags, alts = Counter(), []
    with pikepdf.open(io.BytesIO(made)) as file:
        for item in file.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/StructElem":
                tags[str(item.S)] += 1
                if "/Alt" in item:
                    alts.append(str(item.Alt))
    assert "Points rise to the right" in alts
    assert tags["/TH"] == 2
    assert tags["/TD"] == 240
    assert tags["/H1"] == 2


def test_running_header_and_footer_stand_on_every_page_but_the_cover(made):
    first, *others = pages(made)
    assert "Management report" in first
    assert "612" in first
    assert "Contents" in first
    assert "Page 1" not in first
    for number, page in enumerate(others, start=2):
        text = re.sub(r"\s+", " ", page)
        assert "ACME Trading" in text
        assert "As of 31 Dec 2025" in text
        assert "Confidential, for the management" in text
        assert f"Page {number} of {len(others) + 1}" in text


def test_long_table_repeats_its_header_on_each_page(made):
    with_rows = [page for page in pages(made) if re.search(r"Account \d+", page)]
    assert len(with_rows) >= 3
    for page in with_rows:
        assert re.search(r"Account\s+Value", page)
    found = [int(n) for page in with_rows for n in re.findall(r"Account (\d+)", page)]
    assert found == list(range(120))


def test_same_document_gives_the_same_bytes_also_in_another_process(tmp_path):
    assert make(*report())[0] == make(*report())[0]
    code = (
        "import sys, json, datetime; from pathlib import Path; from kamlab.reports import pdf;"
        "document = json.loads(Path(sys.argv[1]).read_text('utf-8'));"
        "pdf.write_pdf(document, sys.argv[2], timestamp=datetime.date(2025, 12, 31))"
    )
    source, here, there = tmp_path / "d.json", tmp_path / "here.pdf", tmp_path / "there.pdf"
    source.write_text(json.dumps(document(*report())), encoding="utf-8")
    pdf.write_pdf(document(*report()), here, timestamp=AS_OF)
    environment = {"LANG": "C", "TZ": "Asia/Shanghai"}
    subprocess.run([sys.executable, "-c", code, source, there], check=True, env=environment, cwd=tmp_path)
    assert here.read_bytes() == there.read_bytes()


def test_timestamp_is_utc_unless_it_says_otherwise():
    noon = datetime(2025, 12, 31, 12, tzinfo=UTC)
    assert make(b.text("x"), timestamp=noon)[0] == make(b.text("x"), timestamp=noon.replace(tzinfo=None))[0]
    assert make(b.text("x"), timestamp=noon)[0] != make(b.text("x"), timestamp=AS_OF)[0]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_hostile_names_print_as_they_are_wherever_they_stand(name):
    data, replaced = make(
        make_cover(company=name),
        b.text(f"# {b.escape(name)}\n\n- {b.escape(name)}"),
        b.kpis([b.Kpi(name, name, name)]),
        b.callout("good", name, b.escape(name)),
        frame_table([{"name": name, "owner": name}], caption=name),
    )
    assert replaced == []
    shown = squeezed(unicodedata.normalize("NFC", name))
    text = squeezed("".join(pages(data)))
    # Cover, contents aside: header, heading, item, three in the tile, two in the callout, caption, two cells.
    assert text.count(shown) >= 10


def test_long_words_and_names_stay_inside_their_columns():
    columns = [b.TableColumn("name", "Account"), b.TableColumn("value", "Value", "right")]
    rows = [
        {"name": NAMES[key], "value": "CNY\u00a01.23\u00a0M"} for key in ("one word", "300 characters", "traditional")
    ]
    data, _ = make(frame_table(rows, columns=columns))
    page = pypdfium2.PdfDocument(data)[0]
    text = page.get_textpage()
    right_edge = (210 / 25.4 * 72 + 468) / 2
    boxes = [(text.get_text_range(i, 1), text.get_charbox(i)) for i in range(text.count_chars())]
    assert all(box[2] <= right_edge + 1 for _, box in boxes)
    start = "".join(c for c, _ in boxes).index("CNY")
    value_column = boxes[start][1][0]
    names = [box for c, box in boxes if c in "pq"]
    assert all(box[2] < value_column for box in names)


def test_missing_characters_print_as_a_box_and_are_listed():
    data, replaced = make(
        b.text("# Emoji 😀 Ltd"), frame_table([{"name": "مصنع \u202egnp.exe\u202c \x07"}]), scatter("Smile 😀")
    )
    # The heading is the document's title too.
    assert [(r.character, r.count) for r in replaced] == [("ص", 1), ("ع", 1), ("م", 1), ("ن", 1), ("😀", 3)]
    text = "".join(pages(data))
    assert "Emoji □ Ltd" in text
    assert "□□□□ gnp.exe" in text
    assert "Smile □" in text


def test_figure_text_is_set_in_the_report_s_fonts():
    with style.style():
        figure, axes = plt.subplots(figsize=(6.5, 2))
        axes.set_title("Title 臺灣龘", weight="bold")
        axes.set_xlabel("Label Đường 广州 $x$", style="italic")
    data, _ = make(b.figure(figure, caption="Caption", alt="Alt"))
    page = pypdfium2.PdfDocument(data)[0]
    text = page.get_textpage()
    content = text.get_text_range()
    assert "Title 臺灣龘" in content
    assert "Label Đường 广州 $x$" in content
    fonts = {}
    for obj in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT], max_depth=8, textpage=text):
        fonts[obj.extract().strip()] = obj.get_font().get_base_name().split("+")[1]
    assert fonts["T"] == "NotoSans-Bold"
    assert fonts["臺"] == "NotoSansSC-Bold"
    assert fonts["龘"] == fonts["广"] == "NotoSansSC-Regular", "what the bold font lacks comes from the regular one"
    assert fonts["ờ"] == "NotoSansItalic-Italic"


def test_headings_and_captions_never_end_a_page():
    table = [{"a": f"Cell {i}"} for i in range(4)]
    items = [
        item
        for i in range(30)
        for item in (
            b.text(f"Filler {i}.\n\n" * (i % 3) + f"## Heading {i}."),
            frame_table(table, caption=f"Caption {i}."),
        )
    ]
    texts = pages(make(*items)[0])
    assert len(texts) > 4
    for i in range(30):
        [page] = [p for p in texts if f"Heading {i}." in p]
        after = page.split(f"Heading {i}.")[1]
        assert re.match(rf"\s*Table {i + 1}\s+Caption {i}\.\s+A\s+Cell 0", after)


def test_chinese_document_takes_quotation_marks_from_the_chinese_font():
    result = document(b.text("# “引号”\n\n这是“引号”与*强调*。"))
    result["meta"]["locale"] = "zh_Hans_CN"
    data, _ = pdf.compile_pdf(result, timestamp=AS_OF)
    used = set()
    for obj in pypdfium2.PdfDocument(data)[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT], max_depth=8):
        used.add(obj.get_font().get_base_name().split("+")[-1])
    assert used == {"NotoSansSC-Regular", "NotoSansSC-Bold", "NotoSans-Regular"}
    with pikepdf.open(io.BytesIO(data)) as file:
        assert str(file.Root.Lang) == "zh-CN"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec=None)), min_size=3, max_size=3))
def test_any_text_can_be_printed(words):
    label, value, prose = words
    data, _ = make(
        b.text(prose),
        b.text(f"# {prose}"),
        b.kpis([b.Kpi(label, value)]),
        frame_table([{"x": value}], caption=label or "c"),
        b.callout("danger", label, prose),
    )
    assert data.startswith(b"%PDF-1.7")


def test_what_typst_refuses_is_a_report_error():
    broken = document(b.text("# Title"))
    broken["body"].append({"kind": "figure", "label": "Figure 1", "svg": "<svg", "caption": "", "alt": "", "width": 1})
    with pytest.raises(ReportError, match='The report "Title" cannot be set as PDF: '):
        pdf.compile_pdf(broken, timestamp=AS_OF)


def test_what_typst_warns_of_is_a_report_error(monkeypatch):
    result = typst.compile_with_warnings(b'#text(font: "nowhere")[x]', format="pdf")
    monkeypatch.setattr(typst, "compile_with_warnings", lambda *_, **__: result)
    with pytest.raises(ReportError, match="unknown font family: nowhere"):
        make(b.text("# Title"))


def test_twelve_pages_take_less_than_a_second():
    table = [{"account": f"Account {i} Trading Company Limited", "value": "1.23"} for i in range(400)]
    items = [make_cover(), *(b.text("Words of prose. " * 120) for _ in range(6)), frame_table(table)]
    prepared = document(*items)
    start = time.perf_counter()
    data, _ = pdf.compile_pdf(prepared, timestamp=AS_OF)
    # Three times the target, since other work may share the cores.
    assert time.perf_counter() - start < 3
    assert len(pages(data)) >= 12


def test_nbconvert_finds_the_exporter_and_logs_replacements(tmp_path, caplog):
    path = tmp_path / "chapter.ipynb"
    nbformat.write(notebook(make_cover(), b.text("# Emoji 😀")), path)
    data, resources = get_exporter("kamlab-pdf")().from_filename(str(path))
    assert resources["output_extension"] == ".pdf"
    assert data == make(make_cover(), b.text("# Emoji 😀"))[0]
    assert "U+1F600 (grinning face), 1 times" in caplog.text


def test_export_pdf_writes_the_file_and_returns_lines_for_the_log(tmp_path):
    nbformat.write(notebook(b.text("# Emoji 😀")), tmp_path / "chapter.ipynb")
    lines = export_pdf(tmp_path / "chapter.ipynb", tmp_path / "chapter.pdf", as_of=AS_OF)
    assert lines == ['U+1F600 (grinning face), 2 times, first in "Emoji □"']
    assert (tmp_path / "chapter.pdf").read_bytes() == make(b.text("# Emoji 😀"))[0]


def test_nbconvert_names_the_cell_that_has_not_been_run():
    with pytest.raises(ConversionException, match=r"cell 1 has not been run"):
        get_exporter("kamlab-pdf")().from_notebook_node(notebook(execution_count=None))
