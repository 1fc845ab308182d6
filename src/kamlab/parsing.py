"""Text into dates, decimals and words; what cannot be read becomes missing, never a guess."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from kamlab.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

DATE_REMEDY = (
    'Dates are read as year-month-day unless told otherwise; set date_format, for example "%d/%m/%Y" or "%m/%d/%y"'
)
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


def parse_date(values: pd.Series, date_format: str | None = None) -> pd.Series:
    """Read dates; a time of day after the date is cut off.

    Parameters
    ----------
    values : pandas.Series of str
    date_format : str, optional
        Made of %Y, %y (00–68 are 2000–2068), %m, %d and separators; ISO dates and YYYYMMDD if not given.

    Returns
    -------
    pandas.Series of datetime64[s]
        NaT where the text is no date of the calendar between 1900 and 2200.
    """
    import pandas as pd

    parts = values.str.strip().str.extract(date_pattern(date_format))
    if "y" in parts:
        short = pd.to_numeric(parts["y"])
        parts["Y"] = short.where(short > 68, short + 100) + 1900
    numbers = parts[["Y", "m", "d"]].apply(pd.to_numeric).set_axis(["year", "month", "day"], axis=1)
    dates = pd.to_datetime(numbers, errors="coerce").astype("datetime64[s]")
    return dates.where(dates.dt.year.between(*YEARS))


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


def parse_decimal(values: pd.Series) -> pd.Series:
    """Read plain decimal numbers below 10**24, rounded half to even to four places; anything else is missing."""
    return values.map(_decimal, na_action="ignore").astype(object).where(lambda s: s.notna(), None)


def _decimal(text: str) -> Decimal | None:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return number.quantize(_CENT_OF_CENT, context=EXACT) if number.copy_abs() < _TOO_LARGE else None
