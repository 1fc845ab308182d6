"""What the pages say of the data: what could not be used, and what the log shows of itself."""

from decimal import Decimal

import pandas as pd
from fake_run import FakeRun, T, printed

from kamlab.ledger import read_ledger
from kamlab.reports.sections import (
    data,
    signals,
    unusable,
)


def test_reasons_of_the_quarantine_are_printed_by_number_of_lines():
    lines = pd.DataFrame(
        {
            "reason": ["line id is repeated", "5 fields where the header has 4", "line id is repeated"],
            "line": [7, 3, 9],
            "amount": [Decimal("1.5"), None, Decimal(-4)],
        }
    )
    others = pd.DataFrame(
        {
            "table": ["payments", "owners"],
            "reason": ["amount is missing; date is not a date", "active_to is before active_from"],
            "line": [4, 5],
            "amount": [float("nan")] * 2,
        }
    )
    log, other = data.quarantine(FakeRun({"quarantine": lines, "table_quarantine": others}), T)
    keep = "keep one of the rows, or map the column that tells them apart"
    assert [[str(cell).replace("\xa0", " ") for cell in row] for row in log.rows] == [
        ["line id is repeated", "2", "EUR −2.50", "7, 9", keep],
        *[["5 fields where the header has 4", "1", "–", "3", "put texts that hold the delimiter into quotes"]],
    ]
    assert log.caption == "3 lines cannot be used."
    write = "write a day of the calendar, or set date_format to the order in which dates are written"
    assert other.rows == [
        ["owners", "active_to is before active_from", "1", "5", "swap or mend the dates"],
        ["payments", "amount is missing; date is not a date", "1", "4", f"fill it in; {write}"],
    ]
    assert other.caption == "2 rows of the other tables cannot be used."


def test_every_reason_of_the_ledger_has_its_words():
    raw = pd.DataFrame(
        {
            "who": ["A"] * 7,
            "day": ["2025-01-01"] * 6 + ["never"],
            "sum": ["1", "many", "1", "1", "1", "1", "1"],
            "cost": ["1", "1", "dear", "1", "1", "1", "1"],
            "pieces": ["1", "1", "1", "few", "1", "1", "1"],
            "sort": ["sale"] * 4 + ["gift", "return", "sale"],
            "number": ["1", "2", "3", "4", "5", "6", "1"],
        }
    )
    names = ("account", "date", "amount", "cost", "quantity", "kind", "line_id")
    columns = dict(zip(names, raw.columns, strict=True))
    bad = read_ledger(raw, columns=columns, max_quarantined_share=1).quarantine
    assert len(bad) == 6
    assert set(bad["reason"]) <= set(unusable.REASONS)


NAMES = {"accounts": pd.DataFrame({"account": ["A"], "name": ["*Star* & Sons"]})}


def test_every_signal_is_said_with_its_consequence():
    season = {"measure": "revenue", "seasonal": True, "index": [0.5] + [1.0] * 10 + [1.5]}
    order = {"kind": "order", "day": "2025-04-16", "account": "A", "amount": 5e6, "usual": 2e3, "share": 0.024}
    month = {"kind": "month", "day": "2025-04-01", "account": "A", "amount": 9e6, "usual": 4e6, "share": 0.5}
    start = {"verdict": "truncated", "first_day": "2022-01-03", "known_before": 400, "early": 300, "expected": 7.0}
    facts = {"truncation": start, "seasons": [season], "spikes": [order, month]}
    facts["returns"] = {"share": 0.06, "previous_share": 0.02, "rising": True}
    said = printed(signals.signals(FakeRun(NAMES, {"signals": facts}), T))
    for part in (
        "3 Jan 2022",
        "about 400 accounts",
        "December brings 150%",
        "January 50%",
        "16 Apr 2025",
        "April 2025",
    ):
        assert part in said, part
    assert "EUR 5.00 M" in said
    assert "EUR 2.00 k is usual" in said
    assert "may be too high" in said
    assert "*Star*" not in said  # it would be read as emphasis
    unclear = printed(
        signals.signals(FakeRun(NAMES, {"signals": facts | {"truncation": start | {"verdict": "unclear"}}}), T)
    )
    assert "300 accounts are first seen" in unclear


def test_a_quiet_log_is_said_in_one_line():
    facts = {"truncation": None, "seasons": [], "spikes": [], "returns": None}
    assert "Nothing in the log" in printed(signals.signals(FakeRun(NAMES, {"signals": facts}), T))
