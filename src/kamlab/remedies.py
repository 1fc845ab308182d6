"""What to do about rows that cannot be used: one remedy for each rule that they break."""

from __future__ import annotations

import re

from kamlab.i18n import N_

_REMEDIES = (
    (r"a return above 0", N_("write returns below 0, or map the column kind otherwise")),
    (r"kind is none of .*", N_("say under kinds what the column's values mean")),
    (
        r"date is missing or impossible",
        N_("fill in the day, or set date_format to the order in which dates are written"),
    ),
    (r"amount is missing or not a number", N_("fill in the amount, in digits; decimal says which mark is decimal")),
    (r".* is not a number", N_("write it in digits; decimal says which mark is decimal")),
    (
        r".* is not a date",
        N_("write a day of the calendar, or set date_format to the order in which dates are written"),
    ),
    (r".* is not a month", N_("write it as 2025-01")),
    (r".* is not yes or no", N_("write yes, no or nothing")),
    (r".* is missing", N_("fill it in")),
    (r".* (?:is|are) repeated", N_("keep one of the rows, or map the column that tells them apart")),
    (r".* is (?:below|above) .*", N_("mend the value, or map the right column")),
    (r".* is before .*", N_("swap or mend the dates")),
    (r".* fields where the header has .*", N_("put texts that hold the delimiter into quotes")),
    (r"no row in .* for its .*", N_("add what is missing to that file")),
    (r"no rate for .*", N_("add a rate of that day or an earlier one")),
    (r"known before its values are read", N_("mend the row at its source")),
)


def remedies(reasons: str) -> list[str]:
    """Return what to do about a row's reasons, which are joined by "; ": each remedy once."""
    found = (
        next((said for pattern, said in _REMEDIES if re.fullmatch(pattern, reason)), "")
        for reason in reasons.split("; ")
    )
    return list(dict.fromkeys(filter(None, found)))


def with_remedy(sentence: str, reasons: str) -> str:
    """Return a sentence about rows followed by what to do about them."""
    said = "; ".join(remedies(reasons))
    return f"{sentence}: {said}" if said else sentence
