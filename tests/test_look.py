"""Settings of the documents: readable colours, safe logos, known sections; what they change in print."""

import base64
import io
import json
import re
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from test_pdf import pages

from kamlab import look
from kamlab.config import Config, Frozen, freeze, load, thaw
from kamlab.errors import ConfigError
from kamlab.i18n import Translator
from kamlab.reports import blocks as b
from kamlab.reports import export
from kamlab.reports.page import render_page
from kamlab.reports.pdf import compile_pdf
from kamlab.runs.identity import input_hashes

ROOT = Path(__file__).parents[1]
AS_OF = date(2025, 12, 31)
PLAIN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><style>.a{fill:#c00}</style>'
    '<rect class="a" width="40" height="10"/></svg>'
)


def png():
    buffer = io.BytesIO()
    Image.new("RGB", (60, 20), "#00aa55").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def company(tmp_path):
    """Write a configuration with the given [report] settings and load it."""

    def write(report):
        (tmp_path / "log.csv").write_text("account,date,amount\nA,2025-01-01,1\n", "utf-8")
        columns = 'columns = { account = "account", date = "date", amount = "amount" }'
        text = f'[company]\nname = "Acme"\n[source.transactions]\npath = "log.csv"\n{columns}\n[report]\n{report}\n'
        (tmp_path / "kamlab.toml").write_text(text, "utf-8")
        return load(tmp_path / "kamlab.toml")

    return write


@pytest.mark.parametrize(
    ("colour", "expected"),
    # The greys on either side of level AA on white, as WebAIM's checker gives them.
    [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54), ("#777777", 4.48)],
)
def test_contrast_is_that_of_wcag(colour, expected):
    assert look.contrast(colour, "#ffffff") == pytest.approx(expected, abs=0.005)
    assert look.contrast("#ffffff", colour) == look.contrast(colour, "#ffffff")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('colours = { accent = "red" }', r'report.colours.accent: "red" is no colour; write six hexadecimal digits'),
        ('colours = { accent = "#777777" }', r"is too light: text in it on white has a contrast of 4.48 to 1"),
        ('colours = { akzent = "#000000" }', r'"report.colours.akzent" is no setting. Did you mean "accent"'),
        (
            'sections = ["forecasts"]',
            r'there is no section "forecasts". Did you mean "forecast"\?.*Sections are: strategies',
        ),
        ('sections = ["data", "data"]', r"data stand twice"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(company, setting, message):
    with pytest.raises(ConfigError, match=message):
        company(setting)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PLAIN.replace("<rect", "<script>x</script><rect"), r"<script> runs"),
        (PLAIN.replace("<rect", '<rect onload="x"'), r"onload runs"),
        (PLAIN.replace("<rect", '<image href="http://x/y.png"/><rect'), r'it fetches "http://x/y.png"'),
        (PLAIN.replace("fill:#c00", "fill:url(http://x)"), r"its style fetches a file"),
        (PLAIN.replace("<rect", "<text>Acme</text><rect"), r"turn the text into paths"),
        (PLAIN.replace('viewBox="0 0 40 10"', ""), r"no viewBox"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + PLAIN, r"neither a PNG nor an SVG"),
        ("GIF89a", r"neither a PNG nor an SVG"),
        (PLAIN + " " * 200_001, r"has 200 kB; 200 kB are the most"),
    ],
)
def test_a_logo_that_runs_fetches_or_is_no_picture_is_refused(tmp_path, content, message):
    path = tmp_path / "logo.svg"
    path.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=message):
        look.read_logo(path)


def test_a_missing_logo_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"There is no logo .*logo\.png\. Mend report\.logo"):
        look.read_logo(tmp_path / "logo.png")


def branded(logo, compact=True):
    cover = b.cover(
        "Value",
        translator=Translator(),
        company="ACME",
        as_of=AS_OF,
        compact=compact,
        logo=logo,
        accent="#7a1f5c",
    )
    outputs = [new_output("display_data", data={b.MIME: block.to_json()}) for block in (cover, b.text("# Answers"))]
    return export.to_document(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=outputs)]))


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_logo_and_colour_are_printed_with_an_alternative_text(tmp_path, kind, compact):
    path = tmp_path / f"logo.{kind}"
    path.write_bytes(png() if kind == "png" else PLAIN.encode())
    data, _ = compile_pdf(branded(look.read_logo(path), compact), timestamp=AS_OF)
    image = pypdfium2.PdfDocument(data)[0].render(scale=1).to_pil().convert("RGB")
    seen = {colour for _, colour in image.getcolors(1 << 20)}
    assert (0x7A, 0x1F, 0x5C) in seen
    expected = (0x00, 0xAA, 0x55) if kind == "png" else (0xCC, 0x00, 0x00)
    assert any(max(abs(a - e) for a, e in zip(colour, expected, strict=True)) <= 3 for colour in seen)
    with pikepdf.open(io.BytesIO(data)) as file:
        alts = [str(o.Alt) for o in file.objects if isinstance(o, pikepdf.Dictionary) and "/Alt" in o]
    assert "Logo of ACME" in alts


def test_the_page_carries_logo_and_colour():
    text = render_page(branded(PLAIN))
    found = re.search(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="Logo of ACME">', text)
    assert base64.b64decode(found[1]).decode() == PLAIN
    assert "--accent:#7a1f5c" in text


def sectioned(*names):
    cells = []
    for name in ("", "accounts", "forecast", ""):
        outputs = [new_output("display_data", data={b.MIME: b.text(f"# {name or 'untagged'}").to_json()})]
        cell = new_code_cell("x", execution_count=1, outputs=outputs)
        cell.metadata["tags"] = [f"section:{name}"] if name else []
        cells.append(cell)
    found = export.to_document(new_notebook(cells=cells), sections=names or None)
    return [element["runs"][0]["text"] for element in found["body"]]


def test_sections_are_chosen_and_ordered_and_the_first_page_stays_first():
    assert sectioned() == ["untagged", "accounts", "forecast", "untagged"]
    assert sectioned("forecast", "accounts") == ["untagged", "forecast", "untagged", "accounts"]
    assert sectioned("accounts") == ["untagged", "accounts"]


def test_the_notebook_of_the_management_report_holds_the_sections_in_their_usual_order():
    cells = json.loads((ROOT / "notebooks" / "05_management_report.ipynb").read_text("utf-8"))["cells"]
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", []) if tag.startswith("section:")]
    assert tuple(tag.removeprefix("section:") for tag in tags) == look.SECTIONS


def test_a_run_keeps_its_logo_and_another_logo_is_another_run(company, tmp_path):
    (tmp_path / "brand.png").write_bytes(png())
    config: Config = company('logo = "brand.png"')
    hashes = input_hashes(config)
    (tmp_path / "run").mkdir()
    freeze(Frozen(config, AS_OF, ("en",), False), tmp_path / "run" / "config.json")
    (tmp_path / "brand.png").write_text(PLAIN, "utf-8")
    assert input_hashes(config)["brand.png"] != hashes["brand.png"]
    kept = thaw(tmp_path / "run" / "config.json").config
    assert kept.resolve(kept.report.logo).read_bytes() == png()


def test_pages_without_a_logo_are_as_before():
    document = branded("")
    assert document["cover"]["logo_alt"] == ""
    assert "ACME" in pages(compile_pdf(document, timestamp=AS_OF)[0])[0]
