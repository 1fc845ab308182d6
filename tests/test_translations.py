"""Every language says everything: complete catalogues, the same placeholders, its own units, a document that prints."""

import re
import string
from datetime import date

import pandas as pd
import pypdfium2
import pytest
from babel.messages.catalog import Catalog
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po
from nbformat.v4 import new_code_cell, new_notebook, new_output
from test_i18n import load_script

from kamlab import i18n
from kamlab.figures import segment_profile
from kamlab.reports import blocks as b
from kamlab.reports.export import to_document
from kamlab.reports.pdf import compile_pdf
from kamlab.tables import SCHEMAS
from kamlab.terms import TABLES

LANGUAGES = ("es", "vi", "zh")
NAMES = {
    "SQL",
    "parent",
    "BG",
    "NBD",
    "CNBD",
    "BIC",
    "Ward",
    "Gamma",
    "kamlab",
    "lifetimes",
    "strategies",
    "quarantine",
    "medium",
    "ABC",
    "RFM",
    "VIP",
    *("tables", "account", "table", "parquet", "kind", "kinds", "date", "format", "decimal"),
    *SCHEMAS,
    *TABLES,
}
"""Names of models, schemes, libraries, tables, files and settings, and date formats: no language translates them."""
ALIKE = {
    "es": {"medium", "no", "No", "Marketing", "Provisional", "Plan", "plan"},
    "vi": {"Log-likelihood"},
    "zh": {"medium"},
}
"""Words that a language shares with English."""
ENGLISH = re.compile(r"\b(the|of|and|with|is|are|from|that|their|for|by)\b")


def catalogue(language: str) -> Catalog:
    with (i18n.LOCALE_DIR / language / "LC_MESSAGES" / "kamlab.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def texts(found: str | tuple[str, ...]) -> tuple[str, ...]:
    return found if isinstance(found, tuple) else (found,)


def pairs(language: str) -> list[tuple[str, str]]:
    """Each translation beside the English sentence whose placeholders it must hold."""
    return [(texts(m.id)[-1], said) for m in catalogue(language) if m.id for said in texts(m.string) if said]


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def words(text: str) -> str:
    return re.sub(r"\{\w+\}", "", text)


def test_reports_can_be_written_in_four_languages():
    assert i18n.languages() == ["en", *LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_and_up_to_date(language):
    found = catalogue(language)
    assert {m.id for m in found if m.id} == {m.id for m in load_script("messages").catalogue() if m.id}
    assert [m.id for m in found if m.id and not all(texts(m.string))] == []
    assert [m.id for m in found if m.id and m.fuzzy] == []
    assert list(found.obsolete) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_language(language):
    found = catalogue(language)
    assert (found.num_plurals, found.plural_expr) == tuple(get_plural(str(found.locale)))[:2]
    assert {len(m.string) for m in found if m.pluralizable} == {found.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_placeholders_and_marks(language):
    for english, said in pairs(language):
        assert fields(said) == fields(english), english
        assert said.count("**") == english.count("**"), english
        assert re.match(r"#* ?", said)[0] == re.match(r"#* ?", english)[0], english
        assert said == said.strip(), english
        assert (said.endswith((".", "。"))) == english.endswith("."), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(language):
    for english, said in pairs(language):
        if re.search("[A-Za-z]{2}", words(english)) and english not in ALIKE[language]:
            assert said != english
        assert not ENGLISH.search(words(said)), said
        if language == "zh":
            assert set(re.findall("[A-Za-z]{2,}", words(said))) <= NAMES, said


@pytest.mark.parametrize(
    ("language", "amount", "text"),
    [
        ("es", 456_000, "456 mil CNY"),
        ("es", -1_234_567, "−1,23 M CNY"),
        ("es", 1_234_567_890, "1.230 M CNY"),
        ("vi", 456_000, "456 nghìn CNY"),
        ("vi", 1_234_567, "1,23 triệu CNY"),
        ("vi", 1_234_567_890, "1,23 tỷ CNY"),
        ("zh", 9_999, "CNY 1.00万"),
        ("zh", 1_234_567, "CNY 123万"),
        ("zh", 1_234_567_890, "CNY 12.3亿"),
    ],
)
def test_money_is_written_as_readers_expect(language, amount, text):
    assert i18n.Translator(language, currency="CNY").money(amount).replace("\u00a0", " ") == text


def test_days_are_written_as_readers_expect():
    written = {lang: i18n.Translator(lang).date(date(2025, 3, 1)).replace("\u00a0", " ") for lang in LANGUAGES}
    assert written == {"es": "1 mar 2025", "vi": "01/03/2025", "zh": "2025年3月1日"}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "One. Two; three, four, five"),
        ("es", "One. Two; three, four, five"),
        ("vi", "One. Two; three, four, five"),
        ("zh", "One.Two；three、four、five"),
    ],
)
def test_parts_are_joined_as_the_language_joins_them(language, said):
    t = i18n.Translator(language)
    items = t.join(i18n.SEMICOLONS, ["Two", t.join(i18n.COMMAS, ["three", "four", "five"])])
    assert t.join(i18n.SENTENCES, ["One.", items]) == said
    assert t.join(i18n.COMMAS, ["alone"]) == "alone"
    assert t.join(i18n.COMMAS, []) == ""


def test_changed_sentences_are_to_be_translated_again_and_the_others_stay(tmp_path):
    messages = load_script("messages")
    path = tmp_path / "kamlab.po"
    old = Catalog(locale="es", fuzzy=False)
    old.add("Kept", "Quedó")
    old.add("Gone", "Fuera")
    old.add(("{n} day", "{n} days"), ("{n} día", "{n} días"))
    old.add("Guessed", "¿Quizá?", flags=["fuzzy"])
    path.write_bytes(messages.template(old))
    new = Catalog()
    for message in ("Kept", "New", ("{n} day", "{n} working days"), "Guessed"):
        new.add(message)
    path.write_bytes(messages.template(messages.updated(path, new)))
    with path.open("rb") as file:
        found = {m.id: m.string for m in read_po(file) if m.id}
    assert found == {"Kept": "Quedó", "New": "", ("{n} day", "{n} working days"): ("", ""), "Guessed": ""}


PROFILE = pd.DataFrame(
    {
        "segment": [1, 2],
        "segment_name": ["Large regular buyers", "Small silent buyers, less frequent"],
        "share_accounts": [0.2, 0.8],
        "share_contribution": [0.9, 0.1],
        "expected_contribution": [4e6, 2e4],
        "silence": [10.0, 500.0],
    }
)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("es", ["Informe de clientes clave", "Al 31 dic 2025", "Página 2 de 2", "Tabla 1", "12 clientes", "10 d"]),
        ("vi", ["Báo cáo khách hàng trọng điểm", "Tính đến ngày 31/12/2025", "Trang 2/2", "Bảng 1", "12 khách hàng"]),
        ("zh", ["重点客户报告", "截至2025年12月31日", "第2页,共2页", "表1", "12个客户", "定期购买的大型客户"]),
    ],
)
def test_a_document_prints_in_every_language(language, expected):
    t = i18n.Translator(language, currency="CNY")
    counted = t.plural("{n} account", "{n} accounts", 12)
    table = pd.DataFrame({"name": [t("Large regular buyers")], "value": [t.money(1.5e8)]})
    columns = [b.TableColumn("name", t("Segment")), b.TableColumn("value", t("Expected contribution"), "right")]
    report = b.cover(t("Key-account report"), translator=t, company="Acme", as_of=date(2025, 12, 31))
    items = [
        report,
        b.text(t("# The answers") + "\n\n" + t("**Contribution.** No costs are known: values are revenue.")),
        b.kpis([b.Kpi(t("At risk"), t.money(9.61e7), counted)]),
        b.table(table, columns=columns, caption=t("Accounts to promote, by headroom.")),
        b.figure(
            segment_profile.draw(PROFILE, t),
            caption=t("What is typical of each segment."),
            alt=segment_profile.alt(PROFILE, t),
        ),
    ]
    outputs = [new_output("display_data", data={b.MIME: item.to_json()}) for item in items]
    document = to_document(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=outputs)]))
    (heading, paragraph) = document["body"][:2]
    assert heading["kind"] == "heading"
    assert paragraph["runs"][0]["strong"]
    assert "*" not in "".join(run["text"] for run in paragraph["runs"])
    data, replaced = compile_pdf(document, timestamp=date(2025, 12, 31))
    assert replaced == []
    printed = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))
    squeezed = re.sub(r"\s", "", printed).replace("，", ",")
    for phrase in expected:
        assert re.sub(r"\s", "", phrase) in squeezed
