"""Words, numbers, dates and money in the reader's language; English sentences are the keys of the catalogue.

A language is one file, `locale/<language>/LC_MESSAGES/kamlab.po`, read as it is. Its header `Language` names
the locale whose numbers and dates are written.
"""

from __future__ import annotations

import gettext
import math
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from functools import cached_property, lru_cache, reduce
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from kamlab.errors import ConfigError, did_you_mean

LOCALE_DIR = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"
SOURCE_LOCALE = "en_GB"  # English for an international reader: day before month
MISSING = "–"
NO_BREAK_SPACE = "\u00a0"
SIGNIFICANT_DIGITS = 3
EXACT = Context(prec=64)  # the ledger's money has up to 38 digits


def N_(message: str) -> str:
    """Mark a message for the catalogue that is translated later, and return it unchanged."""
    return message


# Translators: units of large amounts with their powers of ten; Chinese would write "万:4, 亿:8".
UNITS = N_("k:3, M:6, bn:9")
# Translators: a number and its unit, such as "1.23 M".
AMOUNT_WITH_UNIT = N_("{number} {unit}")
# Translators: a currency code and an amount, such as "CNY 1.23 M".
CURRENCY_WITH_AMOUNT = N_("{currency} {amount}")
# Translators: how a day is written: a name or pattern of Unicode's CLDR, such as medium or dd/MM/yyyy.
DATE_FORMAT = N_("medium")
# Translators: two sentences after each other; Chinese has no space between them.
SENTENCES = N_("{first} {second}")
# Translators: two items of a list, such as names.
COMMAS = N_("{first}, {second}")
# Translators: two items of a list that hold commas themselves.
SEMICOLONS = N_("{first}; {second}")


def languages(catalogues: Path = LOCALE_DIR) -> list[str]:
    """Return the languages that reports can be written in, English first."""
    found = sorted(p.parents[1].name for p in catalogues.glob("*/LC_MESSAGES/kamlab.po"))
    return [SOURCE_LANGUAGE, *(name for name in found if name != SOURCE_LANGUAGE)]


@lru_cache(maxsize=16)
def _read_catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT, NA or infinite."""
    try:
        return value is None or bool(value != value) or math.isinf(value)
    except TypeError:  # a date has no infinity; pandas' NA has no truth
        return not isinstance(value, date)


class _Formatter(string.Formatter):
    """`str.format` with named fields only; plain numbers and dates are written in the reader's language."""

    def __init__(self, translator: Translator):
        self.translator = translator

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs[key]  # type: ignore[index]

    def format_field(self, value: Any, format_spec: str) -> str:
        return format(value, format_spec) if format_spec else self.translator._plain(value)


@dataclass(frozen=True)
class Translator:
    """Writes sentences, numbers, dates and money for one language.

    Parameters
    ----------
    language : str
        One of `languages()`.
    currency : str
        Currency code printed with money; nothing is printed where it is empty.
    catalogues : pathlib.Path
        Folder of the languages' catalogues.

    Raises
    ------
    ConfigError
        If there is no catalogue for the language.
    """

    language: str = SOURCE_LANGUAGE
    currency: str = ""
    catalogues: Path = LOCALE_DIR

    def __post_init__(self) -> None:
        """Refuse a language without a catalogue."""
        known = languages(self.catalogues)
        if self.language not in known:
            raise ConfigError(
                f'There is no language "{self.language}". Choose from: {", ".join(known)}.'
                f"{did_you_mean(self.language, known)}"
            )

    @cached_property
    def _catalogue(self) -> Catalog | None:
        path = self.catalogues / self.language / "LC_MESSAGES" / "kamlab.po"
        return _read_catalogue(path) if path.is_file() else None

    @cached_property
    def locale(self) -> Locale:
        """Locale whose numbers and dates are written."""
        if self._catalogue is not None and self._catalogue.locale is not None:
            return self._catalogue.locale
        return Locale.parse(SOURCE_LOCALE if self.language == SOURCE_LANGUAGE else self.language)

    def _translation(self, message: str) -> Any:
        found = self._catalogue.get(message) if self._catalogue is not None else None
        return found.string if found is not None and not found.fuzzy else None

    def _fill(self, text: str, values: Mapping[str, Any]) -> str:
        return _Formatter(self).vformat(text, (), values) if values else text

    def _plain(self, value: Any) -> str:
        """Write a value that a sentence holds without a format: whole numbers and dates by locale."""
        if isinstance(value, str):
            return value
        if isinstance(value, date):
            return self.date(value)
        if isinstance(value, bool):
            raise TypeError("A sentence cannot hold True or False; choose between two sentences instead.")
        whole = _is_missing(value) or value == int(value)
        return self.number(value, digits=0 if whole else 2)

    def __call__(self, message: str, /, **values: Any) -> str:
        """Translate a sentence and fill its named placeholders; without values they stay as they are.

        Numbers given as such are written in the reader's language, so a year must be given as a string. Of a message
        with plural forms this is the first.
        """
        translated = self._translation(message)
        return self._fill((translated[0] if isinstance(translated, tuple) else translated) or message, values)

    def plural(self, singular: str, plural: str, n: int, /, **values: Any) -> str:
        """Translate the form of a sentence that fits the number `n`, which fills its placeholder `{n}`."""
        forms = self._translation(singular)
        text = singular if n == 1 else plural
        if self._catalogue is not None and isinstance(forms, tuple) and all(forms):
            text = forms[gettext.c2py(self._catalogue.plural_expr)(n)]
        return self._fill(text, {"n": n, **values})

    def join(self, pattern: str, parts: Iterable[str]) -> str:
        """Join written parts by one of the patterns SENTENCES, COMMAS and SEMICOLONS."""
        found = list(parts)
        return reduce(lambda first, second: self(pattern, first=first, second=second), found) if found else ""

    def number(self, value: Any, digits: int = 0) -> str:
        """Write a number with grouped thousands and `digits` decimals; a missing one is a dash."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return self._write(format_decimal, value, digits, pattern)

    def percent(self, value: Any, digits: int = 0) -> str:
        """Write a share (0.123) in per cent (12 %)."""
        pattern = self.locale.percent_formats[None].pattern
        if digits:
            pattern = pattern.replace("0", "0." + "0" * digits)
        return self._write(format_percent, value, digits + 2, pattern)

    def _write(self, function: Callable[..., str], value: Any, digits: int, pattern: str) -> str:
        """Round half to even, drop the sign of a zero, and format by locale."""
        if _is_missing(value):
            return MISSING
        with localcontext(EXACT):
            rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits))
            return _typeset(function(rounded or abs(rounded), pattern, locale=self.locale))

    def date(self, value: date | None) -> str:
        """Write a day, such as 31 Dec 2025, or a dash."""
        if _is_missing(value):
            return MISSING
        return format_date(value, self(DATE_FORMAT), locale=self.locale).replace(" ", NO_BREAK_SPACE)

    def money(self, value: Any, digits: int = SIGNIFICANT_DIGITS) -> str:
        """Write an amount with its currency in thousands, millions or billions, to `digits` significant digits.

        Two decimals at most; an amount that rounds up to the next unit is written in that unit. Fewer digits suit
        round values such as a chart's ticks.
        """
        if _is_missing(value):
            return MISSING
        amount = _significant(Decimal(str(float(value))), digits)
        size = amount.adjusted() if amount else 0
        pairs = [part.strip().rsplit(":", 1) for part in self(UNITS).split(",")]
        units = {int(power): unit for unit, power in pairs}
        power = max((p for p in units if p <= size), default=0)
        decimals = min(2, max(0, digits - 1 - (size - power))) if amount else 0
        text = self.number(amount.scaleb(-power), decimals)
        if power:
            text = self(AMOUNT_WITH_UNIT, number=text, unit=units[power])
        return self._with_currency(text)

    def money_exact(self, value: Any, digits: int = 0) -> str:
        """Write an amount with its currency and all its digits."""
        return MISSING if _is_missing(value) else self._with_currency(self.number(value, digits))

    def _with_currency(self, amount: str) -> str:
        if self.currency:
            amount = self(CURRENCY_WITH_AMOUNT, currency=self.currency, amount=amount)
        return _typeset(amount)


def _significant(value: Decimal, digits: int) -> Decimal:
    """Round to significant digits, before the unit is chosen: 999,999 is a million."""
    return round(value, digits - 1 - value.adjusted()) if value else Decimal(0)


def _typeset(text: str) -> str:
    """Keep an amount on one line, and write a true minus sign, which is as wide as a digit."""
    return text.replace(" ", NO_BREAK_SPACE).replace("-", "−")
