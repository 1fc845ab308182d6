"""Books against log, names that may be one customer, festivals in a window: by hand and by the calendar."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

import kamlab as kl
from kamlab import calendar, config, inputs, quality
from kamlab.i18n import Translator
from kamlab.reports.sections import books as section
from kamlab.tables import SCHEMAS, read_rows

LOG = pd.DataFrame(
    [
        ("A", "2025-01-03", "10.00", ""),
        ("A", "2025-01-31", "-2.50", ""),
        ("", "2025-01-15", "4.00", ""),
        ("B", "2025-01-16", "3.00", "freight"),
        ("B", "2025-02-01", "7.00", "excluded"),
        ("B", "2025-02-02", "1.00", ""),
    ],
    columns=["a", "d", "n", "k"],
)


def books(rows):
    return controls(rows).rows


def controls(rows):
    frame = pd.DataFrame(rows, columns=["when", "sum"], dtype=str)
    columns = {"month": "when", "amount": "sum"}
    return read_rows(frame, SCHEMAS["controls"], columns=columns, as_of=date(2025, 12, 31))


def test_books_and_log_are_compared_month_by_month():
    ledger = kl.read_ledger(LOG, columns={"account": "a", "date": "d", "amount": "n", "kind": "k"})
    table = quality.compare_with_books(ledger, books([("2025-02", "8.00"), ("2025-01-31", "15.00"), ("2025/03", "1")]))
    # By hand: January 10 − 2.5 with an account, 4 without, 3 of freight; February 1 and 7 left out.
    assert table.to_numpy().tolist() == [
        ["2025-01", Decimal(15), Decimal("7.5"), Decimal(4), Decimal(3), Decimal("14.5"), Decimal("-0.5")],
        ["2025-02", Decimal(8), Decimal(1), Decimal(0), Decimal(7), Decimal(8), Decimal(0)],
        ["2025-03", Decimal(1), Decimal(0), Decimal(0), Decimal(0), Decimal(0), Decimal(-1)],
    ]


def test_months_that_end_after_the_as_of_date_are_not_compared():
    ledger = kl.read_ledger(LOG, columns={"account": "a", "date": "d", "amount": "n", "kind": "k"})
    totals = books([("2025-01", "14.50"), ("2025-02", "8.00")])
    assert quality.compare_with_books(ledger, totals, until=date(2025, 2, 27))["month"].tolist() == ["2025-01"]
    assert quality.compare_with_books(ledger, totals, until=date(2025, 2, 28))["month"].tolist() == [
        "2025-01",
        "2025-02",
    ]


@dataclass
class BooksRun:
    table: pd.DataFrame

    def read(self, name):
        return {"books": self.table}[name]


def test_the_report_says_where_log_and_books_differ():
    ledger = kl.read_ledger(LOG, columns={"account": "a", "date": "d", "amount": "n", "kind": "k"})
    t = Translator("en", currency="EUR")
    off = BooksRun(quality.compare_with_books(ledger, books([("2025-01", "15.00"), ("2025-02", "8.00")])))
    found = section.totals(off)
    # By hand: the log holds 14.50 and 8.00.
    assert (found.books, found.log, found.difference) == (23.0, 22.5, -0.5)
    assert (found.attributed, found.unattributed, found.excluded) == (8.5, 4.0, 10.0)
    assert found.share == pytest.approx(0.5 / 23)
    said = section.sentence(off, t).replace("\u00a0", " ")
    assert said == "Log and books differ in 1 of 2 months: the log says EUR 22.50, the books EUR 23.00."
    (table,) = section.comparison(off, t)
    assert [row[0] for row in table.rows] == ["2025-01", "All 2 months"]
    even = BooksRun(quality.compare_with_books(ledger, books([("2025-01", "14.50")])))
    assert section.sentence(even, t) == "The log agrees with the books in the 1 month compared."
    none = BooksRun(off.table.head(0))
    assert (section.totals(none), section.sentence(none, t)) == (None, "")
    (text,) = section.comparison(none, t)
    assert "was not held against them" in text.markdown


def test_control_totals_that_cannot_be_read_are_quarantined_and_never_stop_a_run(tmp_path):
    found = controls([("2025-01", "1"), ("2025-01", "2"), ("2025-02", "3"), ("soon", "4"), ("2026-01", "5")])
    assert found.quarantine[["line", "reason"]].to_numpy().tolist() == [
        [2, "month is repeated"],
        [4, "month is not a month"],
    ]
    assert (found.rows["amount"].tolist(), found.later) == ([1.0, 3.0], 1)
    LOG.to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "books.csv").write_text("when,sum\nsoon,1\n2025-02,8\n", "utf-8")
    (tmp_path / "kamlab.toml").write_text(
        '[company]\nname = "X"\n[source.transactions]\npath = "log.csv"\n'
        'columns = { account = "a", date = "d", amount = "n", kind = "k" }\n'
        '[source.controls]\npath = "books.csv"\ncolumns = { month = "when", amount = "sum" }\n',
        "utf-8",
    )
    settings, period = config.load(tmp_path / "kamlab.toml"), kl.StudyPeriod("2025-02-28")
    assert inputs.table_quarantine(inputs.read_beside(settings, period).values())["reason"].tolist() == [
        "month is not a month"
    ]
    ledger, _ = inputs.read_lines(settings)
    table = inputs.compare_with_books(settings, ledger, period)
    assert table[["month", "difference"]].to_numpy().tolist() == [["2025-02", Decimal(0)]]


@pytest.mark.parametrize("month", ["2025-03", "2025/3", "202503", "03/2025", "3.2025", "2025年3月", "2025-03-31"])
def test_months_are_read_as_books_write_them(month):
    # 13 digits and four decimals are as many as books ever write.
    (row,) = books([(month, "-9876543210123.25")]).itertuples()
    assert (row.month, row.amount) == (
        pd.Timestamp(f"2025-03-{'31' if month.endswith('31') else '01'}"),
        -9876543210123.25,
    )


NAMES = [
    ("1", "GTX Pro", None),
    ("2", "GTXPro", None),
    ("3", "Müller & Söhne GmbH", None),
    ("4", "Muller und Sohne", None),
    ("5", "MULLER & SOHNE", None),
    ("6", "广州三氯植物保护有限公司", None),
    ("7", "广州三氯植物保护股份有限公司", None),
    ("8", "Branch 1 of Long Name Ltd", None),
    ("9", "Branch 2 of Long Name Ltd", None),
    ("10", "Alpha Chemicals", "G"),
    ("11", "Alpha Chemical", "G"),
    ("12", "ABC", None),
    ("13", "ABD", None),
    ("14", None, None),
    ("15", "Betasoloin", None),
    ("16", "Betasolin", None),
]


def test_spelling_variants_are_suggested_and_nothing_else():
    found = quality.duplicate_names(pd.DataFrame(NAMES, columns=["account", "name", "parent"]))
    pairs = {frozenset(pair) for pair in zip(found["account"], found["other"], strict=True)}
    assert pairs == {frozenset(pair) for pair in (("1", "2"), ("3", "5"), ("6", "7"), ("15", "16"))}


# First days of the lunar year, from the astronomical almanac.
@pytest.mark.parametrize("day", ["2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17"])
def test_festivals_begin_on_the_first_day_of_the_lunar_year(day):
    first = date.fromisoformat(day)
    assert calendar.first_days("spring_festival", first.year) == (first,)
    assert calendar.first_days("tet", first.year) == (first,)


def test_twelve_months_may_hold_no_festival_or_two():
    both = ("tet", "spring_festival")
    # From February 2023 to January 2024 there is none, from February 2024 to January 2025 there are two.
    assert calendar.festivals_in(date(2023, 2, 1), date(2024, 1, 31), ("tet",)) == 0
    assert calendar.festivals_in(date(2024, 2, 1), date(2025, 1, 31), ("tet",)) == 2
    assert calendar.festivals_in(date(2024, 2, 10), date(2024, 2, 10), both) == 2
    windows = (date(2024, 2, 1), date(2025, 1, 31), date(2023, 2, 1), date(2024, 1, 31))
    assert not calendar.comparable(*windows, ("tet",))
    assert calendar.comparable(*windows, ())


@pytest.mark.parametrize(
    ("month", "day", "year", "bounds"),
    [
        (1, date(2025, 3, 31), 2025, (date(2025, 1, 1), date(2025, 12, 31))),
        (4, date(2025, 3, 31), 2025, (date(2024, 4, 1), date(2025, 3, 31))),
        (4, date(2025, 4, 1), 2026, (date(2025, 4, 1), date(2026, 3, 31))),
        (12, date(2025, 12, 1), 2026, (date(2025, 12, 1), date(2026, 11, 30))),
    ],
)
def test_fiscal_years_are_named_after_their_end(month, day, year, bounds):
    assert calendar.fiscal_year(day, month) == year
    assert calendar.fiscal_year_bounds(year, month) == bounds
