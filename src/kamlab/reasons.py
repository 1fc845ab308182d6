"""Why rows cannot be used: each rule as it is told, printed and mended, in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from kamlab.i18n import N_, SEMICOLONS, Translator
from kamlab.terms import LINE_KINDS


@dataclass(frozen=True)
class Reason:
    """A rule that a row can break.

    Attributes
    ----------
    told : str
        As tables and messages tell it; {names} stand for columns, files and values.
    remedy : str
        What to do about it; translatable.
    printed : str
        As reports print it, with the same {names}; translatable. `told` if not given.
    """

    told: str
    remedy: str
    printed: str = ""

    def say(self, **names: object) -> str:
        """Return it as told of a row."""
        return self.told.format(**names)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds it, and its names, in what is told of a row."""
        parts = re.split(r"\{(\w+)\}", self.told)
        return re.compile("".join(f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)))


_NUMBER = N_("write it in digits; decimal says which mark is decimal")
_ONCE = N_("keep one of the rows, or map the column that tells them apart")
_MEND = N_("mend the value, or map the right column")

EARLY = "known before its values are read"
NO_DAY = Reason(
    N_("date is missing or impossible"),
    N_("fill in the day, or set date_format to the order in which dates are written"),
)
NO_AMOUNT = Reason(
    N_("amount is missing or not a number"),
    N_("fill in the amount, in digits; decimal says which mark is decimal"),
)
NO_QUANTITY = Reason(N_("quantity is not a number"), _NUMBER)
NO_COST = Reason(N_("cost is not a number"), _NUMBER)
SHORTENED = Reason(
    N_("account is a shortened number, such as 1.23E+05"), N_("export the column of ids as text, with all its digits")
)
LINE_ID = Reason(N_("line id is repeated"), _ONCE)
NO_KIND = Reason(
    f"kind is none of {', '.join(LINE_KINDS)}",
    N_("say under kinds what the column's values mean"),
    N_("kind is not known"),
)
RETURN_ABOVE = Reason(N_("a return above 0"), N_("write returns below 0, or map the column kind otherwise"))
RAGGED = Reason(
    N_("{fields} fields where the header has {expected}"), N_("put texts that hold the delimiter into quotes")
)
UNCLOSED = Reason(N_("a quotation mark is not closed"), N_("close the quotation mark or take it away"))
NO_PARTNER = Reason(N_("no row in {file} for its {column}"), N_("add what is missing to that file"))
NO_RATE = Reason(N_("no rate for {currency} on or before its date"), N_("add a rate of that day or an earlier one"))
CIRCLE = Reason(N_("parent runs in a circle"), N_("leave parent empty for the uppermost account"))
MISSING = Reason(N_("{column} is missing"), N_("fill it in"))
NO_NUMBER = Reason(N_("{column} is not a number"), _NUMBER)
NO_DATE = Reason(
    N_("{column} is not a date"),
    N_("write a day of the calendar, or set date_format to the order in which dates are written"),
)
NO_MONTH = Reason(N_("{column} is not a month"), N_("write it as 2025-01"))
NO_FLAG = Reason(N_("{column} is not yes or no"), N_("write yes, no or nothing"))
NOT_ABOVE = Reason(N_("{column} is not above {limit}"), _MEND)
BELOW = Reason(N_("{column} is below {limit}"), _MEND)
ABOVE = Reason(N_("{column} is above {limit}"), _MEND)
REPEATED = Reason("{column} is repeated", _ONCE, N_("{column} stands there more than once"))
ARE_REPEATED = Reason("{column} are repeated", _ONCE, N_("{column} stands there more than once"))
BEFORE = Reason(N_("{column} is before {other}"), N_("swap or mend the dates"))

REASONS = (
    *(NO_DAY, NO_AMOUNT, NO_QUANTITY, NO_COST, NO_KIND, RETURN_ABOVE, SHORTENED, LINE_ID, RAGGED, UNCLOSED, NO_PARTNER),
    *(
        NO_RATE,
        CIRCLE,
        MISSING,
        NO_NUMBER,
        NO_DATE,
        NO_MONTH,
        NO_FLAG,
        NOT_ABOVE,
        BELOW,
        ABOVE,
        REPEATED,
        ARE_REPEATED,
        BEFORE,
    ),
)
"""All reasons, the narrower before the wider."""

UNREADABLE = {"number": NO_NUMBER, "date": NO_DATE, "month": NO_MONTH, "flag": NO_FLAG}
"""Kind of a column → what is told of a text that cannot be read as such."""


def _find(told: str) -> tuple[Reason, dict[str, str]] | None:
    """Return the reason that is told of a row, and its names."""
    for reason in REASONS:
        if found := reason.pattern.fullmatch(told):
            return reason, found.groupdict()
    return None


def remedies(reasons: str) -> list[str]:
    """Return what to do about a row's reasons, which are joined by "; ": each remedy once, translatable."""
    found = filter(None, map(_find, reasons.split("; ")))
    return list(dict.fromkeys(reason.remedy for reason, _ in found))


def with_remedy(sentence: str, reasons: str) -> str:
    """Return a sentence about rows followed by what to do about them."""
    said = "; ".join(remedies(reasons))
    return f"{sentence}: {said}" if said else sentence


def printed(reasons: str, t: Translator) -> str:
    """Translate a row's reasons, which are joined by "; "."""
    return t.join(SEMICOLONS, (_printed(told, t) for told in reasons.split("; ")))


def _printed(told: str, t: Translator) -> str:
    found = _find(told)
    return t(found[0].printed or found[0].told, **found[1]) if found else told
