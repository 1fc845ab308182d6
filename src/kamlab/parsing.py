"""Text into dates, decimals and words; what cannot be read becomes missing, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from kamlab.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

DATE_REMEDY = 'Set date_format to the order in which dates are written, for example "%d/%m/%Y" or "%m/%d/%y"'
YEARS = (1900, 2200)
"""Dates outside these years are typing errors, not transactions."""

# Digits are 0 to 9 alone: \d would take those of every script, which are no numbers to what comes after.
# Without separators all eight digits are needed: 202411 could be 1 January or November.
_ISO = (
    r"^(?=[0-9]{4}[-/.]|[0-9]{8}(?![0-9]))"
    r"(?P<Y>[0-9]{4})(?P<sep>[-/.]?)(?P<m>[0-9]{1,2})(?P=sep)(?P<d>[0-9]{1,2})"
)
_TIME = r"(?:[T ]\s*[0-9]{1,2}:[0-9]{2}.*)?$"
_PARTS = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%y": r"(?P<y>[0-9]{2})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_CENT_OF_CENT = Decimal("0.0001")
_TOO_LARGE = Decimal(10) ** 24
"""Numbers of 25 digits before the point are typing errors; below it, sums of any log fit into decimal(38,4)."""

EXACT = Context(prec=64)
"""Arithmetic in which no amount of a ledger is rounded, whatever the caller's context is."""


def parse_text(values: pd.Series) -> pd.Series:
    """Strip blanks; an empty text is missing."""
    stripped = values.str.strip()
    return stripped.where(stripped != "", None).astype(object).where(lambda s: s.notna(), None)


YES = frozenset({"1", "true", "yes", "y", "x", "có", "是", "sí", "si"})
NO = frozenset({"0", "false", "no", "n", "không", "否"})


def parse_flag(values: pd.Series) -> pd.Series:
    """Read yes and no in four languages as True and False; anything else is missing."""
    words = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    return values.map(lambda text: words.get(text.strip().casefold()), na_action="ignore").astype(object)


def parse_date(values: pd.Series, date_format: str | None = None) -> pd.Series:
    """Read dates; a time of day after the date is cut off.

    Parameters
    ----------
    values : pandas.Series of str
    date_format : str, optional
        Made of %Y, %y (00–68 are 2000–2068), %m, %d and separators, or `DAY_NUMBER`; ISO dates and YYYYMMDD if not
        given.

    Returns
    -------
    pandas.Series of datetime64[s]
        NaT where the text is no date of the calendar between 1900 and 2200.
    """
    import pandas as pd

    if date_format == DAY_NUMBER:
        days = values.str.strip().str.extract(_DAY_NUMBER)["days"].astype("float64")
        return (pd.Timestamp(1899, 12, 30) + pd.to_timedelta(days, unit="D")).astype("datetime64[s]")
    parts = values.str.strip().str.extract(date_pattern(date_format))
    if "y" in parts:
        short = pd.to_numeric(parts["y"])
        parts["Y"] = short.where(short > 68, short + 100) + 1900
    numbers = parts[["Y", "m", "d"]].apply(pd.to_numeric).set_axis(["year", "month", "day"], axis=1)
    dates = pd.to_datetime(numbers, errors="coerce").astype("datetime64[s]")
    return dates.where(dates.dt.year.between(*YEARS))


DAY_NUMBER = "day_number"
"""Format of dates that a spreadsheet shows as the number of days since 1899-12-30: 45658 is 2025-01-01."""
_DAY_NUMBER = re.compile(r"^(?P<days>[2-7][0-9]{4})(?:\.[0-9]+)?$")
_YEAR_MONTH = re.compile(r"(?P<Y>[0-9]{4})(?:\s?[-/.年]\s?(?P<m>[0-9]{1,2})月?|(?P<mm>[0-9]{2}))")
_MONTH_YEAR = re.compile(r"(?P<m>[0-9]{1,2})[-/.](?P<Y>[0-9]{4})")


def first_of_month(text: str) -> str:
    """Write a month that stands alone, such as 2025-01, 01/2025 or 2025年1月, as its first day; else the text."""
    found = _YEAR_MONTH.fullmatch(text.strip()) or _MONTH_YEAR.fullmatch(text.strip())
    if not found:
        return text
    parts = found.groupdict()
    return f"{parts['Y']}-{int(parts['m'] or parts['mm']):02d}-01"


def date_pattern(date_format: str | None) -> str:
    """Return the regular expression of a date format, with groups Y or y, m and d."""
    if date_format is None:
        return _ISO + _TIME
    directives = re.findall(r"%.", date_format)
    if sorted(d.lower() for d in directives) != ["%d", "%m", "%y"] or not set(directives) <= set(_PARTS):
        raise ConfigError(
            f'date_format is "{date_format}"; it must hold %d, %m and %Y or %y, once each, for example "%d/%m/%Y".'
        )
    if date_format.replace("%", "") == "".join(d[1] for d in directives):
        # Without separators each part has its full width.
        fixed = {"%m": r"(?P<m>[0-9]{2})", "%d": r"(?P<d>[0-9]{2})"}
        return "^" + "".join((_PARTS | fixed)[d] for d in directives) + _TIME
    pieces = re.split(r"(%.)", date_format)
    return "^" + "".join(_PARTS.get(piece, re.escape(piece)) for piece in pieces) + _TIME


def date_sample(date_format: str | None) -> str:
    """Write the last day of 2025 in a format: 31/12/2025."""
    if date_format == DAY_NUMBER:
        return "46022, a spreadsheet's number of the day"
    parts = {"%Y": "2025", "%y": "25", "%m": "12", "%d": "31"}
    text = date_format or "%Y-%m-%d"
    for directive, digits in parts.items():
        text = text.replace(directive, digits)
    return text


def date_format_of(texts: Iterable[str], *, where: str) -> str | None:
    """Find the order of a date's parts.

    Parameters
    ----------
    texts : iterable of str
        The different texts of a column.
    where : str
        File and column, for messages.

    Returns
    -------
    str or None
        A format as `parse_date` takes it; None for year-month-day, and where no text looks like a date. Numbers of
        five digits are taken for the days that spreadsheets count.

    Raises
    ------
    DataError
        If day and month cannot be told apart (03/04/2005), or some dates fit one order only and others another only.
    """
    found: dict[str, list[tuple[str, int, int, str]]] = {}
    n_iso = n_other = n_numbers = 0
    for text in texts:
        match = _ANY_ORDER.match(text.strip())
        if match:
            n_other += 1
            sep, year = match["sep"], "%Y" if len(match["year"]) == 4 else "%y"
            found.setdefault(f"{{}}{sep}{{}}{sep}{year}", []).append((text, int(match["a"]), int(match["b"]), year))
        elif _CHINESE.match(text.strip()):
            found.setdefault("%Y年%m月%d日", []).append((text, 0, 0, ""))
            n_other += 1
        elif re.match(_ISO + _TIME, text.strip()):
            n_iso += 1
        elif _DAY_NUMBER.match(text.strip()):
            n_numbers += 1
    if n_numbers > n_iso + n_other:
        return DAY_NUMBER
    if n_iso >= n_other or not found:
        return None
    frame = max(found, key=lambda key: len(found[key]))
    if "{}" not in frame:
        return frame
    rows = found[frame]
    day_first = [text for text, a, b, _ in rows if 12 < a <= 31 and b <= 12]
    month_first = [text for text, a, b, _ in rows if 12 < b <= 31 and a <= 12]
    choices = {order: frame.format(*order) for order in (("%d", "%m"), ("%m", "%d"))}
    by_day, by_month = choices.values()
    if bool(day_first) == bool(month_first):
        if day_first:
            why = f'"{day_first[0]}" has the day first, "{month_first[0]}" the month'
        else:
            why = f'"{rows[0][0]}" may have the day first or the month, and no other date tells which'
        raise DataError(
            f'{where}: {why}. Set date_format = "{by_day}" (day first) or date_format = "{by_month}" (month first).'
        )
    return by_day if day_first else by_month


_ANY_ORDER = re.compile(
    r"^(?P<a>[0-9]{1,2})(?P<sep>[-/.])(?P<b>[0-9]{1,2})(?P=sep)(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])" + _TIME
)
_CHINESE = re.compile(r"^[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日")

GROUPING = ".,'’ \u00a0\u2009\u202f"
"""Signs that part thousands somewhere: point, comma, apostrophes, blank, no-break, thin and narrow blank."""

MINORITY = 0.05
"""Up to this share, numbers that contradict the others are typing errors, which the quarantine takes."""


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written: the decimal mark, and the signs that may part thousands."""

    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        """Refuse marks that cannot be told apart."""
        wrong = [sign for sign in self.thousands if sign not in GROUPING or sign == self.decimal]
        if self.decimal not in (".", ",") or wrong:
            raise ConfigError(
                f'decimal is "{self.decimal}" and thousands "{self.thousands}"; decimal must be "." or ",", and '
                'thousands another sign: ".", ",", "\'" or a blank.'
            )

    @property
    def pattern(self) -> str:
        """A regular expression that whole numbers of this format match, in the syntax of Python and of RE2."""
        decimal = re.escape(self.decimal)
        plain = rf"[0-9]+(?:{decimal}[0-9]*)?|{decimal}[0-9]+"
        grouped = [rf"[0-9]{{1,3}}(?:{re.escape(sign)}[0-9]{{3}})+(?:{decimal}[0-9]*)?" for sign in self.thousands]
        return rf"^[+-]?(?:{'|'.join([plain, *grouped])})(?:[eE][+-]?[0-9]{{1,2}})?$"

    @property
    def sample(self) -> str:
        """A number written this way: 1.234,50."""
        return f"1{self.thousands[:1]}234{self.decimal}50"


def shape(text: str) -> str:
    """Return a number's shape: 9 for every digit, z for a 0 that stands alone before the first mark."""
    return re.sub(r"[0-9]", "9", re.sub(r"^([+-]?)0([.,])", r"\1z\2", text.strip()))


_GROUPED = re.compile(rf"[+-]?9{{1,3}}(?P<g>[{GROUPING}])999(?:(?P=g)999)*(?:(?P<d>[.,])9*)?")
_DECIMAL = re.compile(r"[+-]?[9z]*(?P<d>[.,])9*(?:[eE][+-]?9{1,2})?")


def number_format_of(shapes: Mapping[str, tuple[int, str]], *, where: str) -> NumberFormat:
    """Find the decimal mark and the signs that part thousands.

    Parameters
    ----------
    shapes : mapping of str to (int, str)
        `shape` → how many numbers have it, and one of them.
    where : str
        File and columns, for messages.

    Raises
    ------
    DataError
        If nothing tells whether 1.234 is a thousand or a little more than one, or both marks are used for decimals.
    """
    votes = {".": 0, ",": 0}
    examples: dict[str, str] = {}
    groups: set[str] = set()
    unclear: list[tuple[str, str]] = []
    for found, (count, example) in shapes.items():
        grouped, plain = _GROUPED.fullmatch(found), _DECIMAL.fullmatch(found)
        if grouped and grouped["d"] != grouped["g"]:
            mark, sign = grouped["d"], grouped["g"]
            if plain and mark is None:
                unclear.append((sign, example))
                continue
            groups.add(sign)
            mark = mark or {".": ",", ",": "."}.get(sign)
        elif plain:
            mark = plain["d"]
        else:
            continue
        if mark:
            votes[mark] += count
            examples.setdefault(mark, example)
    total = sum(votes.values())
    if total and min(votes.values()) > MINORITY * total:
        raise DataError(
            f'{where}: "{examples["."]}" has a decimal point, "{examples[","]}" a decimal comma. Set decimal = "." or '
            'decimal = ","; numbers that are written the other way are then quarantined.'
        )
    if not total and unclear:
        sign, example = unclear[0]
        other = "." if sign == "," else ","
        raise DataError(
            f'{where}: "{example}" may be {example.replace(sign, "")} or {example.replace(sign, ".")}, and no other '
            f'number tells which. Set decimal = "{other}" (it is {example.replace(sign, "")}) or decimal = "{sign}" '
            f"(it is {example.replace(sign, '.')})."
        )
    decimal = "," if votes[","] > votes["."] else "."
    groups |= {sign for sign, _ in unclear}
    return NumberFormat(decimal, "".join(sign for sign in GROUPING if sign in groups - {decimal}))


def parse_decimal(values: pd.Series) -> pd.Series:
    """Read plain decimal numbers below 10**24, rounded half to even to four places; anything else is missing."""
    return values.map(_decimal, na_action="ignore").astype(object).where(lambda s: s.notna(), None)


def _decimal(text: str) -> Decimal | None:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return number.quantize(_CENT_OF_CENT, context=EXACT) if number.copy_abs() < _TOO_LARGE else None
