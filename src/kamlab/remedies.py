"""What to do about rows that cannot be used: one remedy for each rule that they break."""

from __future__ import annotations

import re

_REMEDIES = (
    (r"a return above 0", "write returns below 0, or map the column kind otherwise"),
    (r"kind is none of .*", "say under kinds what the column's values mean"),
    (r"date is missing or impossible", "fill in the day, or set date_format to the order in which dates are written"),
    (r"amount is missing or not a number", "fill in the amount, in digits; decimal says which mark is decimal"),
    (r".* is not a number", "write it in digits; decimal says which mark is decimal"),
    (r".* is not a date", "write a day of the calendar, or set date_format to the order in which dates are written"),
    (r".* is not a month", "write it as 2025-01"),
    (r".* is not yes or no", "write yes, no or nothing"),
    (r".* is missing", "fill it in"),
    (r".* (?:is|are) repeated", "keep one of the rows, or map the column that tells them apart"),
    (r".* is (?:below|above) .*", "mend the value, or map the right column"),
    (r".* is before .*", "swap or mend the dates"),
    (r".* fields where the header has .*", "put texts that hold the delimiter into quotes"),
    (r"no row in .* for its .*", "add what is missing to that file"),
    (r"no rate for .*", "add a rate of that day or an earlier one"),
    (r"known before its values are read", "mend the row at its source"),
)


def remedy(reasons: str) -> str:
    """Return what to do about a row's reasons, which are joined by "; "; empty where nothing is known."""
    found = [
        next((said for pattern, said in _REMEDIES if re.fullmatch(pattern, reason)), "")
        for reason in reasons.split("; ")
    ]
    return "; ".join(dict.fromkeys(filter(None, found)))


def with_remedy(sentence: str, reasons: str) -> str:
    """Return a sentence about rows followed by what to do about them."""
    said = remedy(reasons)
    return f"{sentence}: {said}" if said else sentence
