"""Sums straight from an ordered ledger: by hand on generated logs, and the same bits as the engine's."""

import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kamlab as kl
from kamlab import simulate
from kamlab.engines import Engine
from kamlab.ledger import Ledger
from kamlab.ordered_days import MADE, ordered_sums

FOUR = ["frequency", "recency", "T", "monetary_value"]
START = date(2024, 1, 1)
PERIOD = kl.StudyPeriod(START + timedelta(days=8), unit="day")
MONEY = pa.decimal128(38, 4)


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Write lines (account, days after the start, kind, amount) as a ledger's file, three lines a row group."""
    session, path = Engine().connect(), tmp_path_factory.mktemp("ledger") / "ledger.parquet"

    def make(lines, *, purchase="positive", ordered=True):
        rows = (
            sorted(lines, key=lambda line: (line[0] is None, (line[0] or "").encode(), line[1])) if ordered else lines
        )
        accounts, days, kinds, amounts = zip(*rows, strict=True)
        table = {
            "account": pa.array(accounts, pa.string()),
            "date": pa.array([START + timedelta(days=d) for d in days]),
            "kind": pa.array(kinds, pa.string()),
            "amount": pa.array([Decimal(a).scaleb(-4) for a in amounts], MONEY),
            "cost": pa.nulls(len(rows), MONEY),
        }
        pq.write_table(pa.table(table, metadata={"kamlab": json.dumps({})}), path, row_group_size=3)
        return Ledger(path, pd.DataFrame(), ("account", "date", "kind", "amount"), purchase, "EUR", session)

    return make


def by_hand(lines, purchase):
    """First and last day, number of days, value of the first and of the others, of the days that count as purchases."""
    days = defaultdict(lambda: defaultdict(list))
    for account, day, kind, amount in lines:
        if account is not None and day <= 8 and kind in {"sale", "return", "rebate"}:
            days[account][day].append((kind, amount))
    found = {}
    for account, of in days.items():
        net = {day: sum(amount for _, amount in held) for day, held in of.items()}
        least = 0 if purchase == "nonnegative" else 1
        plain = {day: any(k != "return" and a >= least for k, a in held) for day, held in of.items()}
        bought = sorted(day for day in of if plain[day] and net[day] >= least)
        if bought:
            first, *others = (net[day] for day in bought)
            found[account] = (bought[0], bought[-1], len(bought), first / 10**4, sum(others) / 10**4)
    return dict(sorted(found.items(), key=lambda item: item[0].encode()))


amounts = st.one_of(st.integers(-3, 3), st.integers(-(10**12), 10**12))
line = st.tuples(
    st.sampled_from(["A", "B", "a", "Å", "越南客户", "\U0001f600", None]),
    st.integers(0, 10),
    st.sampled_from(["sale", "sale", "return", "rebate", "free"]),
    amounts,
).map(lambda t: (*t[:3], min(t[3], -t[3]) if t[2] == "return" else t[3]))


@settings(max_examples=80, deadline=None)
@given(lines=st.lists(line, min_size=1, max_size=30), purchase=st.sampled_from(["positive", "nonnegative"]))
def test_sums_are_those_by_hand(write, lines, purchase):
    sums = ordered_sums(write(lines, purchase=purchase), PERIOD, None)
    expected = by_hand(lines, purchase)
    if not expected:
        assert sums is None or sums.num_rows == 0
        return
    rows = {
        row["account"]: (
            (row["first_purchase"] - START).days,
            (row["last_purchase"] - START).days,
            row["purchase_days"],
            row["first_value"],
            row["repeat_value"],
        )
        for row in sums.to_pylist()
    }
    assert list(rows.items()) == list(expected.items())


@settings(max_examples=8, deadline=None)
@given(lines=st.lists(line, min_size=1, max_size=30), purchase=st.sampled_from(["positive", "nonnegative"]))
def test_the_engine_gives_the_same_table(write, lines, purchase):
    lines = [*lines, ("A", 1, "sale", 10**13)]
    straight = kl.summarize(write(lines, purchase=purchase), PERIOD, columns=sorted(MADE))
    ledger = write(lines[::-1], purchase=purchase, ordered=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kamlab.summary.ordered_sums", lambda *_: None)
        pd.testing.assert_frame_equal(straight, kl.summarize(ledger, PERIOD, columns=sorted(MADE)), check_exact=True)


@pytest.mark.parametrize(
    "lines",
    [
        [("B", 1, "sale", 5), ("A", 1, "sale", 5)],
        [("A", 2, "sale", 5), ("A", 1, "sale", 5)],
        # equal accounts apart, in row groups of their own
        [("A", 1, "sale", 5), ("A", 2, "sale", 5), ("C", 1, "sale", 5), ("B", 1, "sale", 5)],
        [("A", 1, "sale", 5), ("A", 3, "sale", 5), ("A", 4, "sale", 5), ("A", 2, "sale", 5)],
    ],
)
def test_another_order_is_left_to_the_engine(write, lines):
    ledger = write(lines, ordered=False)
    assert ordered_sums(ledger, PERIOD, None) is None
    table = kl.summarize(ledger, PERIOD, columns=["purchase_days"])
    assert table["purchase_days"].sum() == len(lines)


@pytest.mark.parametrize("amount", [2**53 - 1, 2**53, 2**53 + 1, 2**60 + 7, -(2**60) - 7])
def test_amounts_beyond_what_a_double_holds_have_the_bits_of_the_engine(write, amount):
    lines = [("A", 1, "sale", 3), ("A", 2, "sale", max(amount, 1)), ("A", 3, "sale", 1), ("A", 2, "rebate", amount)]
    straight = kl.summarize(write(lines), PERIOD, columns=[*FOUR, "first_value"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kamlab.summary.ordered_sums", lambda *_: None)
        pd.testing.assert_frame_equal(
            straight, kl.summarize(write(lines), PERIOD, columns=[*FOUR, "first_value"]), check_exact=True
        )


@pytest.mark.parametrize("amounts", [(2**63, 1), (2**62, 2**62), (2**62, 1, 1, 2**62)])
def test_sums_of_more_than_64_bits_are_left_to_the_engine(write, amounts):
    ledger = write([("A", day, "sale", amount) for day, amount in enumerate(amounts)])
    assert ordered_sums(ledger, PERIOD, None) is None
    row = kl.summarize(ledger, PERIOD, columns=["monetary_value"]).iloc[0]
    assert row["monetary_value"] == pytest.approx(sum(amounts[1:]) / 10**4 / (len(amounts) - 1), rel=1e-15)


def test_only_some_accounts(write):
    ledger = write([("A", 1, "sale", 5), ("B", 1, "sale", 5), ("C", 1, "sale", 5)])
    assert kl.summarize(ledger, PERIOD, columns=FOUR, only=["C", "A", "none"])["account"].tolist() == ["A", "C"]
    with pytest.raises(kl.errors.DataError, match="No account has a purchase"):
        kl.summarize(ledger, PERIOD, columns=FOUR, only=["none"])


def test_a_ledger_is_written_in_that_order(tmp_path):
    """Of an account's day, lines of several files lie far apart in the source."""
    simulate.order_lines(3000, tmp_path / "a.parquet", accounts=100, seed=1)
    simulate.order_lines(3000, tmp_path / "b.parquet", accounts=100, seed=2)
    columns = {name: name for name in ("account", "date", "amount")}
    (tmp_path / "log").mkdir()
    for name in ("a.parquet", "b.parquet"):
        (tmp_path / name).rename(tmp_path / "log" / name)
    ledger = kl.read_ledger(tmp_path / "log", columns=columns)
    period = kl.StudyPeriod("2025-06-30")
    sums = ordered_sums(ledger, period, None)
    whole = kl.summarize(ledger, period)
    assert sums.num_rows == len(whole) > 80
    few = kl.summarize(ledger, period, columns=FOUR)
    pd.testing.assert_frame_equal(few, whole[["account", *FOUR]], check_like=True, check_exact=True)
    ledger.write_parquet(tmp_path / "until.parquet", until=date(2024, 12, 31))
    early = Ledger.from_parquet(tmp_path / "until.parquet", pd.DataFrame())
    until_then = ordered_sums(ledger, kl.StudyPeriod("2024-12-31"), None)
    assert ordered_sums(early, period, None).equals(until_then)
    assert not until_then.equals(sums)
    lines = ledger.lines
    pairs = list(zip(lines["source"].to_pylist(), lines["line"].to_pylist(), strict=True))
    assert pairs == sorted(pairs)
