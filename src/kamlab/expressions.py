"""Text into dates, decimals and words as columns of an engine; what cannot be read becomes missing, never a guess.

The rules are those of `parsing`, which reads small tables; a test holds the two to the same results.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kamlab.parsing import YEARS, date_pattern

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

MONEY = "decimal(38,4)"
PLACES = 4
WHOLE_DIGITS = 24
"""Numbers of 25 digits before the point are typing errors; below it, sums of any log fit into decimal(38,4)."""

# Blanks as Python strips them.
_BLANK = "[\\t-\\r\\x1c-\\x20\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_EDGE = f"^{_BLANK}+|{_BLANK}+$"

_TIME = "(?:[T ]\\s*[0-9]{1,2}:[0-9]{2}.*)?$"
_ISO = "|".join(f"[0-9]{{4}}{s}[0-9]{{1,2}}{s}[0-9]{{1,2}}" for s in ("-", "/", "\\."))
_ISO_DATE = f"^(?:{_ISO}|[0-9]{{8}}){_TIME}"
_ISO_PARTS = "^([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})"

_SHORT_NUMBER = f"^[+-]?(?:[0-9]{{1,{WHOLE_DIGITS}}}(?:\\.[0-9]{{0,{PLACES}}})?|\\.[0-9]{{1,{PLACES}}})$"
_NUMBER = "^[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?$"
_ZEROS = 110
"""More than any exponent of two digits can shift the point, and four places more."""


def is_number(kind: dt.DataType) -> bool:
    """Whether `decimal_of` takes a column of this type as it is, not as text."""
    return kind.is_integer() or kind.is_float64() or (kind.is_decimal() and (kind.scale or 0) <= PLACES)


def text_of(column: ir.Column) -> ir.StringColumn:
    """Return a column as text without blanks around it; an empty text is missing."""
    words = column if column.type().is_string() else column.cast("string")
    # The engines' own trimming knows other blanks than Python, and costs more than to look whether there is any.
    return words.re_search(_EDGE).ifelse(words.re_replace(_EDGE, ""), words).nullif("")


def date_of(column: ir.Column, date_format: str | None = None) -> ir.DateColumn:
    """Return a column as dates from 1900 to 2200; a time of day is cut off.

    Parameters
    ----------
    column : ibis column
        Dates, timestamps, or text as `text_of` returns it: see `parsing.parse_date`.
    date_format : str, optional
        Of text.
    """
    kind = column.type()
    if kind.is_date() or kind.is_timestamp():
        day = column.cast("date")
    else:
        day = _date_of_text(column, date_format)
    return day.year().between(*YEARS).ifelse(day, None)


def _date_of_text(words: ir.StringColumn, date_format: str | None) -> ir.DateColumn:
    if date_format is None:
        pattern, parts, order = _ISO_DATE, _ISO_PARTS, {"Y": 1, "m": 2, "d": 3}
    else:
        named = date_pattern(date_format)
        order = dict(re.compile(named).groupindex)
        # The engines' expressions know groups by their numbers.
        pattern = parts = re.sub(r"\?P<\w+>", "", named)
    year, month, day = (words.re_extract(parts, order[name]) for name in ("y" if "y" in order else "Y", "m", "d"))
    if "y" in order:
        number = year.try_cast("int32")
        year = (number + (number > 68).ifelse(1900, 2000)).cast("string")
    iso = year + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0")
    return words.re_search(pattern).ifelse(iso, None).try_cast("date")


def decimal_of(column: ir.Column, *, decimal: str = ".", thousands: str = "") -> ir.DecimalColumn:
    """Return a column as numbers below 10**24, rounded half to even to four places; anything else is missing.

    Parameters
    ----------
    column : ibis column
        Numbers, or text as `text_of` returns it, with `decimal` as its mark and `thousands` between groups of three
        digits ("": none).
    """
    kind = column.type()
    if kind.is_float64():
        return _decimal_of_float(column)
    if is_number(kind):
        number = column.try_cast(MONEY)
        return (number.abs() < _money("1" + "0" * WHOLE_DIGITS)).ifelse(number, None)
    return _decimal_of_text(_plain(column, decimal, thousands))


def _decimal_of_float(column: ir.FloatingColumn) -> ir.DecimalColumn:
    """Round the shortest text of each number; where no rounding is in doubt, the engine's own conversion is that."""
    scaled = column * 10.0**PLACES
    clear = (scaled.abs() < 2.0**50) & ((scaled - scaled.floor() - 0.5).abs() > 0.1)
    text = _decimal_of_text(column.cast("string"))
    return clear.ifelse(column.try_cast(MONEY), text)


def _plain(words: ir.StringColumn, decimal: str, thousands: str) -> ir.StringColumn:
    """Write numbers of a country with a point and without separators; what is none becomes missing."""
    if decimal == "." and not thousands:
        return words
    mark, between = re.escape(decimal), re.escape(thousands)
    whole = "[0-9]+" + (f"|[0-9]{{1,3}}(?:{between}[0-9]{{3}})+" if thousands else "")
    fits = words.re_search(f"^[+-]?(?:(?:{whole})(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]{{1,2}})?$")
    plain = words.replace(thousands, "") if thousands else words
    return fits.ifelse(plain.replace(decimal, "."), None)


def _decimal_of_text(words: ir.StringColumn) -> ir.DecimalColumn:
    short = words.re_search(_SHORT_NUMBER)
    number = short.ifelse(words, None).try_cast(MONEY)
    return short.ifelse(number, words.re_search(_NUMBER).ifelse(_rounded(words), None))


def _rounded(words: ir.StringColumn) -> ir.DecimalColumn:
    """Round a number of any length exactly, half to even, digit by digit: engines round half away, and twice."""
    import ibis

    digits = words.re_extract("^[+-]?([0-9]*)", 1)
    fraction = words.re_extract("^[+-]?[0-9]*\\.([0-9]*)", 1)
    exponent = words.re_extract("[eE]([+-]?[0-9]{1,2})$", 1).try_cast("int32").fill_null(0)
    zeros = ibis.literal("0" * _ZEROS)
    line = zeros + digits + fraction + zeros
    whole = line.left(exponent + digits.length() + _ZEROS).re_replace("^0+", "")
    decimals = line.right(fraction.length() - exponent + _ZEROS)
    kept = decimals.left(PLACES)
    rest = decimals.right(fraction.length() - exponent + _ZEROS - PLACES).re_replace("0+$", "")
    odd = kept.right(1).isin(["1", "3", "5", "7", "9"])
    up = (rest > "5") | ((rest == "5") & odd)
    size = ("0" + whole + "." + kept).try_cast(MONEY) + up.ifelse(_money("0.0001"), _money("0"))
    size = (whole.length() <= WHOLE_DIGITS).ifelse(size, None)
    return words.startswith("-").ifelse(-size, size)


def _money(text: str) -> ir.DecimalScalar:
    import ibis

    return ibis.literal(text).cast(MONEY)
