"""Written cells → keys that sort: "CNY 1.2 M" stands above "CNY 900 k", whatever the language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from kamlab.i18n import MISSING, UNITS, Translator, languages
from kamlab.period import DAYS_PER_YEAR

_SPACES = re.compile(r"[\s\u00a0\u202f]+")


class SortKeys:
    """Reads numbers with the units of one language."""

    def __init__(self, locale: str):
        found = Locale.parse(locale)
        self._group, self._decimal = get_group_symbol(found), get_decimal_symbol(found)
        matching = [t for t in map(Translator, languages()) if str(t.locale) == locale]
        t = matching[0] if matching else Translator()
        units = {unit: 10.0 ** int(power) for unit, power in (p.strip().rsplit(":", 1) for p in t(UNITS).split(","))}
        # A year counts in days, as beside it a span of days may stand.
        days, years = (_SPACES.sub("", t(form, n="")) for form in ("{n} d", "{n} y"))
        self._units = units | {days: 1.0, years: float(DAYS_PER_YEAR)}
        known = "|".join(re.escape(unit) for unit in sorted(self._units, key=len, reverse=True))
        group = re.escape(self._group) if self._group.strip() else r"[\u00a0\u202f]"
        number = rf"\d+(?:{group}\d{{3}})*(?:{re.escape(self._decimal)}\d+)?"
        self._number = re.compile(rf"([-−]?)({number})[\s\u00a0\u202f]*({known})?(?![^\W\d_])")

    def of(self, cells: Sequence[str], align: str) -> list[float | None]:
        """Return the number that each cell of a column begins with; all None where the column is no numbers.

        A missing value has no key. Only right-aligned columns are numbers.
        """
        keys = [None if cell == MISSING else self.number(cell) for cell in cells]
        if align != "right" or any(k is None and c not in (MISSING, "") for k, c in zip(keys, cells, strict=True)):
            return [None] * len(cells)
        return keys

    def number(self, cell: str) -> float | None:
        """Return the first number of a cell in its unit, or None."""
        found = self._number.search(cell)
        if found is None:
            return None
        sign, digits, unit = found.groups()
        value = float(re.sub(r"[\u00a0\u202f]", "", digits.replace(self._group, "")).replace(self._decimal, "."))
        return round(value * self._units.get(unit, 1.0) * (-1 if sign else 1), 6)
