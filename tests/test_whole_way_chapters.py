"""The analysts' chapters of a finished run, in the reader's language: nothing of English is left but names."""

import re

import nbformat
import pandas as pd
import pikepdf
import pytest
from own_process import without_kernels
from sample_report import tables

from kamlab import resources
from kamlab.feature_list import FEATURES
from kamlab.i18n import Translator
from kamlab.reports import export_html, export_pdf
from kamlab.reports.export import read_document
from kamlab.reports.sections import columns, names
from kamlab.runs.building import CHAPTERS
from kamlab.runs.chapters import execute
from kamlab.schemes import CLASSES
from kamlab.terms import TABLES

WORD = re.compile(r"[A-Za-z][A-Za-z_]+")
FIELDS = {
    "title",
    "company",
    "as_of",
    "subtitle",
    "facts",
    "text",
    "caption",
    "note",
    "label",
    "rows",
    "items",
    "value",
}
"""Fields of a document that are read, beside those that hold them."""
WITHOUT_TRANSLATION = {
    *("CNY", "Ward", "BIC", "Lorenz", "alpha", "gamma", "utf", "LF", "VIP", "ABC", "RFM"),
    *("date_format", "decimal", "csv", "order_lines"),
    *(word for name in names.MODEL_NAMES.values() for word in WORD.findall(name)),
}
"""Units, people's names, parameters, settings and files."""


@pytest.fixture(scope="module")
def chinese(sample, tmp_path_factory):
    """The chapters of the finished run, executed once more in Chinese; the run stays as it is."""
    folder, before = tmp_path_factory.mktemp("zh"), {p: p.stat().st_mtime_ns for p in sample.folder.rglob("*")}
    with without_kernels():
        for name in CHAPTERS:
            parameters = {"run_dir": str(sample.folder), "lang": "zh"}
            execute(resources.notebooks() / f"{name}.ipynb", folder / f"{name}.ipynb", parameters, folder)
    assert {p: p.stat().st_mtime_ns for p in sample.folder.rglob("*")} == before
    return folder


def read(found):
    """Every text that a reader of a document sees, pictures included."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, list):
        for each in found:
            yield from read(each)
    elif isinstance(found, dict):
        for key, value in found.items():
            if key == "svg":
                yield from re.findall(r"<text[^>]*>([^<]+)<", value)
            elif not isinstance(value, str) or key in FIELDS:
                yield from read(value)


def data_words(sample):
    """Words of the company's own data, and the names of tables, columns, schemes, rules and labels' rules."""
    found = tables(sample)
    texts = [found["accounts"][c] for c in ("name", "owner", "channel", "industry", "region", "country", "size")]
    texts += [found["quarantine"]["original"], found["plan"]["group"], found["actions_review"]["text"]]
    texts += [found["labels"]["rule"], found["strategies"]["strategy_rule"], found["prospects"]["account"]]
    words = {w for text in texts for value in text.dropna().unique() for w in WORD.findall(str(value))}
    words |= {w for name, table in found.items() for key in (name, *table.columns) for w in WORD.findall(str(key))}
    return words | {w for column in CLASSES for w in WORD.findall(column)} | {"Niacin", "Trading"}


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_in_chinese_has_no_english_but_names(sample, chinese, name):
    document = read_document(chinese / f"{name}.ipynb")
    assert document["meta"]["locale"].startswith("zh")
    said = set(read([document["meta"]["title"], document["cover"], document["body"]]))
    assert len(said) > 50
    known = data_words(sample) | WITHOUT_TRANSLATION
    assert {text: left for text in said if (left := set(WORD.findall(text)) - known)} == {}
    (heading,) = [e for e in document["body"] if e["kind"] == "heading" and e["level"] == 1]
    source = nbformat.read(resources.notebooks() / f"{name}.ipynb", as_version=4).cells[0].source
    assert "# " + heading["runs"][0]["text"] == Translator("zh")(source.split("\n\n")[0])


def test_a_chapter_prints_as_pdf_and_html_in_its_language(chinese, tmp_path):
    notebook = chinese / "03_segments.ipynb"
    assert export_pdf(notebook, tmp_path / "x.pdf", as_of=pd.Timestamp("2025-12-31").date()) == []
    export_html(notebook, tmp_path / "x.html")
    with pikepdf.open(tmp_path / "x.pdf") as pdf:
        assert str(pdf.Root.Lang) == "zh"
        assert pdf.Root.MarkInfo.Marked
        assert "第3章" in str(pdf.docinfo.Title)
    assert '<html lang="zh' in (tmp_path / "x.html").read_text("utf-8")


def test_numbers_of_the_excerpts_are_those_of_the_tables(sample, chinese):
    document = read_document(sample.folder / "notebooks" / "02_customer_value.en.ipynb")
    table = next(e for e in document["body"] if e["kind"] == "table" and "Table summary" in e["caption"])
    cells = {row[1]: row for row in table["rows"]}
    summary = tables(sample)["summary"]
    known = summary["median_gap"].dropna()
    assert cells["median_gap"][2:4] == [str(len(known)), f"{known.min():.0f}"]
    assert cells["trailing_revenue"][5] == Translator("en").money(summary["trailing_revenue"].mean())
    assert cells["first_purchase"][3] == Translator("en").date(summary["first_purchase"].min().date())
    assert cells["return_rate"][6] == f"{summary['return_rate'].max():.1%}"
    numbers = summary.select_dtypes(["number", "datetime"]).columns
    assert list(cells) == list(numbers)
    document = read_document(sample.folder / "notebooks" / "04_strategies.en.ipynb")
    table = next(e for e in document["body"] if e["kind"] == "table" and "Which rule of the playbook" in e["caption"])
    counted = tables(sample)["strategies"]["strategy_rule"].value_counts()
    assert {row[1]: int(row[2]) for row in table["rows"]} == counted.to_dict()


def test_every_column_that_is_described_has_a_name_of_its_own():
    t = Translator("en")
    for table in ("accounts", "summary", "lifetime"):
        shown = [c.name for c in TABLES[table] if c.name not in ("account", "level", "basis")]
        names_of = {c: columns.label(c, t) for c in shown}
        assert [c for c, said in names_of.items() if said == c] == []
        assert len(set(names_of.values())) == len(shown)
    said = {f.name: columns.label(f.name, t, features=True) for f in FEATURES}
    assert len(set(said.values())) == len(FEATURES)
    assert {name: columns.TIMES[name] for name in columns.TIMES} == {
        f.name: f.unit for f in FEATURES if f.unit in ("days", "years") and f.unit not in f.meaning.lower()
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (1e-9, "0.0000"), (0.01234, "0.0123"), (-7.5, "−7.50"), (12345.6, "12,346"), (3, "3")],
)
def test_a_number_keeps_three_significant_digits(value, written):
    assert columns.significant(value, Translator("en")) == written
