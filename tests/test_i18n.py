"""Words, numbers, dates and money; expected strings are written by hand or taken from CLDR's tables."""

import importlib.util
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from kamlab import i18n
from kamlab.errors import ConfigError

ROOT = Path(__file__).parents[1]
NBSP = "\u00a0"

HEADER = 'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Plural-Forms: nplurals={n}; plural={plural};\\n"\n\n'
CHINESE = HEADER.format(language="zh_Hans", n=1, plural=0) + (
    'msgid "k:3, M:6, bn:9"\nmsgstr "万:4, 亿:8"\n\n'
    'msgid "{number} {unit}"\nmsgstr "{number}{unit}"\n\n'
    'msgid "At risk: {amount}"\nmsgstr "风险：{amount}"\n\n'
    'msgid "{n} account"\nmsgid_plural "{n} accounts"\nmsgstr[0] "{n} 家客户"\n'
)
SPANISH = HEADER.format(language="es", n=2, plural="(n != 1)") + (
    'msgid "{currency} {amount}"\nmsgstr "{amount} {currency}"\n\n'
    'msgid "k:3, M:6, bn:9"\nmsgstr "mil:3, M:6, mil M:9"\n\n'
    'msgid "{n} account"\nmsgid_plural "{n} accounts"\nmsgstr[0] "{n} cuenta"\nmsgstr[1] "{n} cuentas"\n\n'
    '#, fuzzy\nmsgid "Low"\nmsgstr "Bajo?"\n'
)
VIETNAMESE = HEADER.format(language="vi", n=1, plural=0)


def translator(folder: Path, language: str, text: str) -> i18n.Translator:
    path = folder / language / "LC_MESSAGES" / "kamlab.po"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return i18n.Translator(language, currency="CNY", catalogues=folder)


def load_script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "CNY 0"),
        (0.126, "CNY 0.13"),
        (9.5, "CNY 9.50"),
        (95.44, "CNY 95.4"),
        (950, "CNY 950"),
        (999.6, "CNY 1.00 k"),
        (456_000, "CNY 456 k"),
        (999_499, "CNY 999 k"),
        (999_500, "CNY 1.00 M"),
        (1_234_567.8, "CNY 1.23 M"),
        (-1_234_567.8, "CNY −1.23 M"),
        (12_345_678_901, "CNY 12.3 bn"),
        (1.5e13, "CNY 15,000 bn"),
        (float("nan"), "–"),
        (None, "–"),
        (pd.NA, "–"),
        (float("inf"), "–"),
    ],
)
def test_money_has_three_significant_digits_and_a_unit(amount, text):
    t = i18n.Translator("en", currency="CNY")
    assert t.money(amount) == text.replace(" ", NBSP)


def test_money_without_currency_and_with_fewer_digits():
    assert i18n.Translator().money(1_234_567) == f"1.23{NBSP}M"
    assert i18n.Translator().money(10_000_000, digits=2) == f"10{NBSP}M"


@given(st.floats(min_value=0.01, max_value=1e14), st.floats(min_value=0.01, max_value=1e14))
def test_money_keeps_the_order_of_amounts(a, b):
    t = i18n.Translator()
    scale = {"": 1, "k": 1e3, "M": 1e6, "bn": 1e9}

    def read(text: str) -> float:
        number, _, unit = text.partition(NBSP)
        return float(number.replace(",", "")) * scale[unit]

    low, high = sorted((a, b))
    assert read(t.money(low)) <= read(t.money(high))
    # Three significant digits are at most half a unit in the third digit off; two decimals half a hundredth.
    assert abs(read(t.money(a)) - a) <= max(0.005 * a, 0.005) + 1e-9 * a


def test_numbers_shares_and_dates_in_english():
    t = i18n.Translator("en", currency="CNY")
    assert t.number(1234567.5, digits=1) == "1,234,567.5"
    assert t.number(np.int64(-1234)) == "−1,234"
    assert t.number(-0.001, digits=2) == "0.00"
    assert t.number(float("nan")) == "–"
    assert t.percent(0.123) == "12%"
    assert t.percent(-0.1234, digits=1) == "−12.3%"
    assert t.money_exact(1234567.8) == f"CNY{NBSP}1,234,568"
    assert t.money_exact(12345678901234567890123456789012345) == (
        f"CNY{NBSP}12,345,678,901,234,567,890,123,456,789,012,345"
    )
    assert t.date(date(2025, 12, 31)) == f"31{NBSP}Dec{NBSP}2025"
    assert t.date(pd.Timestamp("2025-02-01")) == f"1{NBSP}Feb{NBSP}2025"
    assert t.date(pd.NaT) == t.date(None) == "–"


def test_numbers_money_and_dates_follow_the_locale(tmp_path):
    chinese = translator(tmp_path, "zh", CHINESE)
    assert chinese.money(1_234_567) == f"CNY{NBSP}123万"
    assert chinese.money(123_456_789) == f"CNY{NBSP}1.23亿"
    assert chinese.date(date(2025, 12, 31)) == "2025年12月31日"
    spanish = translator(tmp_path, "es", SPANISH)
    assert spanish.money(-1_234_567) == f"−1,23{NBSP}M{NBSP}CNY"
    assert spanish.money(1_234_567_890) == f"1,23{NBSP}mil{NBSP}M{NBSP}CNY"
    assert spanish.percent(0.123, digits=1) == f"12,3{NBSP}%"
    vietnamese = translator(tmp_path, "vi", VIETNAMESE)
    assert vietnamese.number(1234567.5, digits=1) == "1.234.567,5"
    assert vietnamese.date(date(2025, 12, 31)) == "31 thg 12, 2025".replace(" ", NBSP)


def test_sentences_are_translated_filled_and_fall_back_to_english(tmp_path):
    chinese = translator(tmp_path, "zh", CHINESE)
    assert chinese("At risk: {amount}", amount="1") == "风险：1"
    assert chinese("Not in the catalogue: {amount}", amount="1") == "Not in the catalogue: 1"
    spanish = translator(tmp_path, "es", SPANISH)
    assert spanish("Low") == "Low", "a fuzzy translation is not used"
    assert spanish("{n} accounts", n=1234567) == "1.234.567 accounts"


def test_plural_takes_the_language_s_form(tmp_path):
    t = i18n.Translator()
    assert [t.plural("{n} account", "{n} accounts", n) for n in (0, 1, 1234)] == [
        "0 accounts",
        "1 account",
        "1,234 accounts",
    ]
    spanish = translator(tmp_path, "es", SPANISH)
    assert [spanish.plural("{n} account", "{n} accounts", n) for n in (1, 2)] == ["1 cuenta", "2 cuentas"]
    chinese = translator(tmp_path, "zh", CHINESE)
    assert [chinese.plural("{n} account", "{n} accounts", n) for n in (1, 2)] == ["1 家客户", "2 家客户"]


def test_values_are_only_ever_printed():
    t = i18n.Translator()
    assert t("{name} buys", name="{0.__class__} {name} %s") == "{0.__class__} {name} %s buys"
    assert t("On {day}: {share:.1%} of {n}", day=date(2025, 1, 2), share=0.5, n=np.int64(1000)) == (
        f"On 2{NBSP}Jan{NBSP}2025: 50.0% of 1,000"
    )
    assert t("Page {page} of {pages}") == "Page {page} of {pages}"
    assert t("{n} at {share}", n=float("nan"), share=0.256) == "– at 0.26"
    with pytest.raises(KeyError):
        t("{} positional", name="x")
    with pytest.raises(TypeError, match="two sentences"):
        t("It is {true}", true=True)


def test_unknown_language_names_the_available_ones(tmp_path):
    translator(tmp_path, "es", SPANISH)
    with pytest.raises(ConfigError, match=r'no language "ess"\. Choose from: en, es\. Did you mean "es"\?'):
        i18n.Translator("ess", catalogues=tmp_path)


def test_every_string_is_in_the_catalogue():
    found = {m.id for m in load_script("messages").catalogue() if m.id}
    with (i18n.LOCALE_DIR / "kamlab.pot").open("rb") as file:
        written = {m.id for m in read_po(file) if m.id}
    assert written == found, "run scripts/messages.py"
    assert {"Contents", i18n.UNITS} <= found


def test_extraction_reads_source_and_notebooks(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "src" / "a.py").write_text(
        't("One")\nrun.t("Two {n}", n=1)\nt.plural("{n} day", "{n} days", 3)\nN_("Low")\nother("No")\n'
    )
    (tmp_path / "notebooks" / "b.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# Four\\n", "\\n", "Five,\\n", "six."]},'
        ' {"cell_type": "code", "source": ["t(\\"Three\\")\\n", "x = 1"]}]}'
    )
    messages = load_script("messages")
    catalogue = messages.catalogue(tmp_path)
    code = {"One", "Two {n}", ("{n} day", "{n} days"), "Low", "Three"}
    assert {m.id for m in catalogue if m.id} == code | {"# Four", "Five,\nsix."}
    assert messages.template(catalogue) == messages.template(messages.catalogue(tmp_path))
