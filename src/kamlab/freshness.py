"""Is the log complete up to the as-of date? An unfinished export would label every account declining."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Any

from kamlab.errors import DataError
from kamlab.i18n import N_
from kamlab.period import MONTHS_PER_YEAR, StudyPeriod, end_of_last_complete_month, months_to_days
from kamlab.terms import REVENUE_KINDS

if TYPE_CHECKING:
    from kamlab.ledger import Ledger

MIN_SHARE_OF_NORM = 0.6
"""A last month below this share of its seasonal norm is taken for an unfinished export."""

ENDS_EARLY = N_(
    "The newest line up to the as-of date {as_of} is of {last_line}, {lag_days} days before; at most {max_lag_days} "
    "are allowed (max_data_lag_days)."
)
LAST_MONTH_SHORT = N_(
    "The last month ({start} to {as_of}) has {lines} lines where about {norm} were to be expected: the export looks "
    "unfinished."
)


@dataclass(frozen=True)
class Freshness:
    """How complete the end of the log is.

    Attributes
    ----------
    last_line : date
        Newest line up to the as-of date.
    lag_days : int
        Days from there to the as-of date.
    last_month_lines : int
        Lines of the last twelfth of a year.
    norm_lines : float
        What was to be expected there.
    findings : tuple of (str, dict)
        Why the log should not be reported on, empty if it is complete: a sentence of the message catalogue, and the
        whole numbers and days (ISO format) that fill its placeholders.
    """

    last_line: date
    lag_days: int
    last_month_lines: int
    norm_lines: float
    findings: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """The findings as English sentences."""
        return tuple(sentence.format(**values) for sentence, values in self.findings)


def assess(ledger: Ledger, period: StudyPeriod, *, max_data_lag_days: int) -> Freshness:
    """Compare the log's end with the as-of date and with its own seasonal norm.

    The norm of the last month is the same month a year ago times the trend of the eleven months between; under two
    years of history, the median of the three months before. A month counts as incomplete below 60 % of the norm, and
    only where three standard deviations of a Poisson count with that mean do not explain it.

    Raises
    ------
    DataError
        If no line can be used, the as-of date lies before the log's first line, or no line up to it counts as revenue.
    """
    as_of = period.calibration_end
    if as_of < ledger.first_date:
        raise DataError(
            f"The as-of date {as_of} lies before the first line of the log, {ledger.first_date}. The log runs to "
            f"{ledger.last_date}; choose an as-of date inside it."
        )
    counts = _monthly_lines(ledger, period)
    last_line = _last_line(ledger, as_of)
    lag = (as_of - last_line).days
    norm = _norm(counts)
    findings: list[tuple[str, dict[str, Any]]] = []
    values: dict[str, Any] = {"as_of": as_of.isoformat()}
    if lag > max_data_lag_days:
        values |= {"last_line": last_line.isoformat(), "lag_days": lag, "max_lag_days": max_data_lag_days}
        findings.append((ENDS_EARLY, values))
    elif counts[0] < MIN_SHARE_OF_NORM * norm and counts[0] < norm - 3 * sqrt(norm):
        start = as_of - timedelta(days=months_to_days(1) - 1)
        values |= {"start": start.isoformat(), "lines": counts[0], "norm": round(norm)}
        findings.append((LAST_MONTH_SHORT, values))
    return Freshness(last_line, lag, counts[0], norm, tuple(findings))


def remedy(freshness: Freshness, period: StudyPeriod) -> str:
    """Say what can be done about a log that is stale or unfinished, with an as-of date that it does reach."""
    ended = any(sentence == ENDS_EARLY for sentence, _ in freshness.findings)
    day = freshness.last_line if ended else end_of_last_complete_month(period.calibration_end - timedelta(days=1))
    return (
        f"Export the data again, set an earlier as-of date (--as-of {day}, or as_of = {day} under [period] in the "
        "configuration), or accept it with --accept-stale; the report then says so on its first page."
    )


def refuse_stale(freshness: Freshness, period: StudyPeriod) -> None:
    """Raise DataError, with the remedy, if the log should not be reported on."""
    if freshness.faults:
        said = " ".join(freshness.faults)
        raise DataError(f"{said} Every account would look as if it were leaving. {remedy(freshness, period)}")


def _last_line(ledger: Ledger, as_of: date) -> date:
    import ibis

    t = ledger.table
    return t.filter(t.date <= ibis.literal(as_of)).date.max().to_pyarrow().as_py()


def _monthly_lines(ledger: Ledger, period: StudyPeriod) -> list[int]:
    """Count the lines of each twelfth of a year, counted back; the partial first one is left out."""
    import ibis

    as_of = period.calibration_end
    t = ledger.table
    t = t.filter(t.date <= ibis.literal(as_of), t.kind.isin(REVENUE_KINDS))
    days = t.group_by("date").agg(n=t.count()).to_pyarrow().to_pylist()
    if not days:
        kinds = ", ".join(sorted(ledger.table.select("kind").distinct().to_pyarrow()["kind"].to_pylist()))
        raise DataError(
            f"The log has no line up to the as-of date {as_of} that counts as revenue ({', '.join(REVENUE_KINDS)}); "
            f"its lines are of kind {kinds}. Choose a later as-of date, or map the column kind to one that tells sales "
            "from other lines."
        )
    edges = [months_to_days(m) for m in range(2 * MONTHS_PER_YEAR + 1)]
    ages = {(as_of - row["date"]).days: row["n"] for row in days}
    history = max(ages) + 1
    windows = [(a, b) for a, b in pairwise(edges) if b <= history or a == 0]
    return [sum(n for age, n in ages.items() if a <= age < b) for a, b in windows]


def _norm(counts: list[int]) -> float:
    if len(counts) >= 2 * MONTHS_PER_YEAR:
        recent, earlier = sum(counts[1:12]), sum(counts[13:24])
        return counts[12] * recent / earlier if earlier else 0.0
    before = sorted(counts[1:4])
    return float(before[len(before) // 2]) if before else 0.0
