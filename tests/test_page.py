"""The HTML page: self-contained, nothing in it evaluated, right headings and tables, sorted by numbers as written."""

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pdf import NAMES, document, frame_table, make_cover, report, scatter

from kamlab.errors import ReportError
from kamlab.figures import style
from kamlab.i18n import Translator
from kamlab.reports import blocks as b
from kamlab.reports.page import render_page
from kamlab.reports.page.elements import Renderer, cleaned
from kamlab.reports.page.sorting import SortKeys
from kamlab.reports.page.svg import drawing

SCRIPT = '<script>alert("x")</script><img src=x onerror=alert(1)>" onclick="x'
VOID = {"meta", "br", "img", "link"}


class Page(HTMLParser):
    """Every element with its attributes, in order; tags must close in the order in which they open."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def page(*items):
    return Page(render_page(document(*items)))


@pytest.fixture(scope="module")
def whole():
    return render_page(document(*report()))


def test_nothing_is_fetched_from_outside_and_the_policy_lets_only_its_own_style_and_script_run(whole):
    found = Page(whole)
    assert len(whole.encode()) < 2_000_000
    for _, attributes in found.found:
        for name in ("src", "href", "xlink:href", "action", "srcset", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    style_sheet, script = (re.search(rf"<{tag}>(.*?)</{tag}>", whole, re.S)[1] for tag in ("style", "script"))
    assert set(re.findall(r"url\((.{10})", style_sheet)) == {"data:font/"}
    assert "@import" not in style_sheet
    [policy] = [m["content"] for m in found.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'"
    for directive, text in (("style-src", style_sheet), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed[directive] == f"'sha256-{digest}'"
    # Such a policy forbids styles and handlers on elements.
    assert not any(name == "style" or name.startswith("on") for _, a in found.found for name in a)


def test_language_title_headings_and_tables_are_as_a_screen_reader_needs_them(whole):
    found = Page(whole)
    assert found.all("html") == [{"lang": "en-GB"}]
    assert "Customer value" in whole.split("<title>")[1][:20]
    levels = [int(name[1]) for name, _ in found.found if re.fullmatch(r"h\d", name)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [a["scope"] for a in found.all("th")] == ["col"] * 2 + ["row"] * 120
    assert len(found.all("caption")) == 1
    assert [a["aria-label"] for a in found.all("svg")] == ["Points rise to the right"]
    targets = {a["id"] for _, a in found.found if "id" in a}
    assert {a["href"][1:] for a in found.all("a")} <= targets


@pytest.mark.parametrize("name", [*NAMES.values(), SCRIPT], ids=[*NAMES, "script"])
def test_hostile_names_are_shown_as_they_are_and_never_evaluated(name, monkeypatch):
    monkeypatch.setattr("kamlab.reports.page.fonts.faces", lambda *_, **__: "")  # they hold no names, and take long
    found = page(
        make_cover(company=name),
        b.text(f"# {b.escape(name)}\n\n- {b.escape(name)}"),
        b.kpis([b.Kpi(name, name, name)]),
        b.callout("good", name, b.escape(name)),
        frame_table([{"name": name, "owner": name}], caption=name),
        scatter(name[:80]),
    )
    harmless = {"script": 1, "img": 0, "b": 0, "iframe": 0}
    assert {tag: len(found.all(tag)) for tag in harmless} == harmless
    shown = " ".join("".join(found.text).split())
    # Company, heading, item, three in the tile, two in the callout, caption, two cells; the figure's breaks no word.
    assert shown.count(" ".join(name.split())) >= 11


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec=None)), min_size=3, max_size=3))
def test_any_text_gives_a_page_whose_tags_close(words):
    label, value, prose = words
    table = frame_table([{"x": value}], caption=label or "c")
    made = document(b.text(prose), b.kpis([b.Kpi(label, value)]), table, b.callout("danger", label, prose))
    found = Page("".join(map(Renderer("en_GB").element, cleaned(made)["body"])))
    assert (len(found.all("table")), len(found.all("script"))) == (1, 0)


def test_marks_of_writing_direction_go_and_arabic_and_emoji_stay():
    text = render_page(document(frame_table([{"name": "مصنع \u202egnp.exe\u202c \x07 😀"}])))
    assert "مصنع gnp.exe  😀" in text


def test_the_same_document_gives_the_same_page(whole):
    assert render_page(document(*report())) == whole


@pytest.mark.parametrize("word", ["Công ty Đường Phố", "臺灣鑫淼“天河”分公司"])
def test_the_page_s_own_fonts_hold_every_character(word):
    text = render_page(document(b.text(f"# {word}\n\n**{word}**"), frame_table([{"name": word}])))
    fonts = re.findall(
        r'family:"([^"]+)";font-weight:(\d+);(?:unicode-range:[^;]+;)?src:url\(data:font/woff;base64,([^)]+)\)', text
    )
    covered = {}
    for _, weight, data in fonts:
        with TTFont(BytesIO(base64.b64decode(data))) as font:
            covered.setdefault(weight, set()).update(map(chr, font.getBestCmap()))
    assert set(covered) == {"400", "700"}
    assert all(set(word) <= found for found in covered.values())


def test_a_figure_keeps_what_draws_and_nothing_else():
    hostile = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
        '<script>x</script><style>*{fill:red}</style><foreignObject><b/></foreignObject><a href="http://x"><path/></a>'
        '<image xlink:href="http://x/y.png"/><use xlink:href="http://x#y"/><g onclick="x" id="a" '
        'style="fill: #fff; background: url(http://x); clip-path: url(#c)"><text>A &lt;b&gt; &amp; c</text>'
        '<use xlink:href="#a" clip-path="url(#c)"/></g></svg>'
    )
    result = drawing(hostile, "f1-", alt='"x" <y>', width=300)
    for gone in ("script", "style", "foreignObject", "http:", "onclick", "background"):
        assert gone not in result
    assert '<g id="f1-a" fill="#fff">' in result
    assert '<use href="#f1-a" clip-path="url(#f1-c)"/>' in result
    assert "A &lt;b&gt; &amp; c" in result
    assert 'aria-label="&quot;x&quot; &lt;y&gt;"' in result
    with pytest.raises(ReportError, match="no SVG"):
        drawing("<svg", "f", alt="a", width=1)


def test_figures_look_the_same_without_styles():
    with style.style():
        figure, axes = plt.subplots(figsize=(6.5, 2))
        axes.plot([0, 1], [0, 1], color="#AE3A1E", linestyle="--")
        axes.set_title("Title", weight="bold")
    block = b.figure(figure, caption="c", alt="a")
    result = drawing(block.svg, "f1-", alt="a", width=720)
    styled = re.findall(r'style="([^"]*)"', block.svg)
    assert len(styled) > 20
    for rule in ("stroke: #ae3a1e", "font-weight: 700"):
        name, value = rule.split(": ")
        assert sum(rule in text for text in styled) == result.count(f'{name}="{value}"') > 0


@pytest.mark.parametrize(
    ("language", "amounts"),
    [("en", [12e9, 3.456e6, -2.5e5, 999, 0]), ("vi", [12e9, 3.456e6, -2.5e5, 999, 0]), ("zh", [1.2e9, 3.4e5, -8, 0]),
     ("es", [12e9, 3.456e6, -2.5e5, 999, 0])],
)  # fmt: skip
def test_amounts_sort_by_what_they_are_worth_in_every_language(language, amounts):
    t = Translator(language, currency="CNY")
    keys = SortKeys(str(t.locale))
    assert keys.of([t.money(a) for a in amounts], "right") == pytest.approx(amounts, rel=5e-3)
    assert keys.of([t.percent(0.125, 1), "–", "+" + t.percent(0.4)], "right") == [12.5, None, 40]
    assert keys.of([t.number(1234567.5, 2)], "right") == [1234567.5]
    assert keys.of([t("{n} d", n="45"), t("{n} y", n="1")], "right") == [45, 365]


def test_words_are_no_numbers():
    keys = SortKeys("en_GB")
    assert keys.of(["3 accounts", "many"], "right") == [None, None]
    assert keys.of(["12", "7"], "left") == [None, None]


def test_missing_cells_carry_no_key_and_totals_stay_below():
    columns = [b.TableColumn("a", "A"), b.TableColumn("v", "V", "right")]
    rows = pd.DataFrame({"a": ["x", "y", "All"], "v": ["2", None, "5"]})
    found = page(b.table(rows, columns=columns, caption="c", total_rows=1))
    assert [a.get("data-key") for a in found.all("td")] == ["2.0", None, "5.0"]
    assert len(found.all("tfoot")) == 1
    assert unescape("".join(found.text)).strip().endswith("All5")
