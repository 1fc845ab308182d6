"""Which segment a prospect would join: shares counted by hand, and how often the guess is right."""

import numpy as np
import pandas as pd
import pytest

from kamlab import prospect_segments
from kamlab.terms import TABLES

COLUMNS = [column.name for column in TABLES["prospect_segments"]]


def units(*kinds):
    """Accounts from (prefix, count, channel, industry, region)."""
    rows = [(f"{p}{i:02d}", channel, industry, region) for p, n, channel, industry, region in kinds for i in range(n)]
    return pd.DataFrame(rows, columns=["account", "channel", "industry", "region"])


def segments(**by_prefix):
    """Segment of all accounts of a prefix: number, or numbers in turn."""

    def of(accounts):
        table = accounts[accounts["account"].str[0].isin(list(by_prefix))][["account"]].reset_index(drop=True)
        found = [by_prefix[a[0]][int(a[1:]) % len(by_prefix[a[0]])] for a in table["account"]]
        return table.assign(segment=found, segment_name=[f"segment {n}" for n in found])

    return of


def test_shares_among_the_customers_most_alike_by_hand():
    accounts = units(
        ("a", 15, "end user", "feed", "north"),
        ("b", 10, "end user", "feed", "south"),
        ("c", 40, "end user", "food", "south"),
        ("d", 40, "distributor", "feed", "north"),
        ("p", 1, "end user", "feed", "north"),
        ("q", 1, "end user", None, "south"),
        ("r", 1, "end user", "pharma", "west"),
        ("s", 1, "agent", "feed", "north"),
    )
    of = segments(a=[1, 1, 2], b=[2, 3], c=[3], d=[1])
    table, _ = prospect_segments.likely(accounts, of(accounts))
    assert list(table) == COLUMNS
    # p: the 15 that agree in both are too few, so the 10 of feed elsewhere count too: 10 × 1, 5 + 5 × 2, 5 × 3 of 25.
    # Of c, which agrees in nothing, nobody. All end users: 10, 10 and 45 of 65.
    p = table[table["account"] == "p00"]
    assert p["segment"].tolist() == [1, 2, 3]
    assert p["share"].tolist() == pytest.approx([10 / 25, 10 / 25, 5 / 25])
    assert p["usual"].tolist() == pytest.approx([10 / 65, 10 / 65, 45 / 65])
    assert p["customers"].tolist() == [25] * 3
    assert p["rank"].tolist() == [1, 2, 3], "of two equally likely the more valuable segment stands first"
    # q: b and c agree in all that is known of it.
    q = table[table["account"] == "q00"]
    assert q["share"].tolist() == pytest.approx([45 / 50, 5 / 50])
    assert q["segment_name"].tolist() == ["segment 3", "segment 2"]
    # r agrees with nobody in anything; nobody of s's channel buys; a distributor's segment is not asked.
    assert set(table["account"]) == {"p00", "q00"}


def test_the_record_tries_every_customer_without_itself():
    accounts = units(("a", 3, "c", "feed", "n"), ("b", 2, "c", "food", "s"))
    table, record = prospect_segments.likely(accounts, segments(a=[1, 1, 2], b=[2])(accounts))
    assert table.empty
    # a00 and a01 see 1 and 2 once each, and the tie goes to 1: right. a02 sees 1 twice: wrong. Each b sees the other.
    # The largest segment of all others: a00 sees 1 once and 2 three times: wrong; a02 and each b see both twice: wrong.
    assert record == {"customers": 5, "right": pytest.approx(4 / 5), "naive": pytest.approx(0.0), "better": 0}


def test_the_guess_is_right_as_often_as_the_truth_allows():
    rng = np.random.default_rng(0)
    n = 2000
    industry = rng.choice(["feed", "food", "pharma"], n)
    own = pd.Series(industry).map({"feed": 1, "food": 2, "pharma": 3}).to_numpy()
    segment = np.where(rng.random(n) < 0.7, own, rng.integers(1, 4, n))
    accounts = pd.DataFrame({"account": [f"A{i:04d}" for i in range(n)], "channel": "c", "industry": industry})
    found = accounts[["account"]].assign(segment=segment, segment_name="x")
    _, record = prospect_segments.likely(accounts, found)
    # Right where the industry decides (70 %), and in a third of the rest by luck; four standard errors.
    assert record["right"] == pytest.approx(0.8, abs=4 * np.sqrt(0.8 * 0.2 / n))
    assert record["naive"] == pytest.approx(1 / 3, abs=0.05)
    assert record["better"] == 1
    # Where industries say nothing, the guess is no better than one that does not look.
    shuffled = found.assign(segment=rng.integers(1, 4, n))
    _, blind = prospect_segments.likely(accounts, shuffled)
    assert blind["right"] == pytest.approx(1 / 3, abs=0.05)
    assert blind["better"] == 0


def test_nothing_is_said_where_nothing_is_known():
    accounts = units(("a", 3, None, None, None), ("p", 1, None, None, None))
    table, record = prospect_segments.likely(accounts, segments(a=[1])(accounts))
    assert table.empty
    assert list(table) == COLUMNS
    assert record == {}
