"""What selling on credit takes of revenue: days to pay and losses by hand, drawn towards the company's."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamlab import credit, receivables
from kamlab.errors import DataError

AS_OF = date(2025, 12, 31)
DAY = pd.Timestamp(AS_OF)


def bills(account, n, *, paid_after, age=500, terms=60, amount=100.0):
    """Return n invoices of a day `age` days ago, due after `terms` days, paid after some days or never (None)."""
    day = DAY - pd.Timedelta(days=age)
    paid = pd.NaT if paid_after is None else day + pd.Timedelta(days=paid_after)
    one = {"account": account, "date": day, "due": day + pd.Timedelta(days=terms), "amount": amount, "paid": paid}
    return pd.DataFrame([one] * n)


def rates(table, accounts, rate=0.10):
    found = receivables.rates(table, None, pd.Series(list(accounts)), as_of=AS_OF, discount_rate_annual=rate)
    assert found["account"].tolist() == list(accounts)
    return found.set_index("account")


def test_waiting_for_money_costs_its_discount():
    table = pd.concat([bills("a", 4, paid_after=30), bills("c", 4, paid_after=90)])
    found = rates(table, "abc")["receivables_rate"]
    # The company waits 60 days; four invoices weigh as much as it: (30 + 60) / 2, nothing of its own, (90 + 60) / 2.
    assert found.to_dict() == pytest.approx({x: 1 - 1.1 ** (-d / 365) for x, d in {"a": 45, "b": 60, "c": 75}.items()})
    assert (rates(table, "abc", rate=0.0)["receivables_rate"] == 0).all(), "money that costs nothing may come late"


def test_large_invoices_weigh_more():
    table = pd.concat([bills("a", 1, paid_after=0, amount=900.0), bills("a", 1, paid_after=100, amount=100.0)])
    # One account is the company: 10 days.
    assert rates(table, "a")["receivables_rate"].item() == pytest.approx(1 - 1.1 ** (-10 / 365))


def test_losses_are_drawn_towards_those_of_the_company():
    table = pd.concat([bills("a", 18, paid_after=60), bills("a", 2, paid_after=None), bills("b", 20, paid_after=60)])
    # 200 of 4,000 are unpaid a year after they were due: 5 %. Twenty invoices weigh as much as the company.
    assert rates(table, "abc")["loss_rate"].to_dict() == pytest.approx({"a": 0.075, "b": 0.025, "c": 0.05})


def test_what_is_open_counts_by_its_days_past_due():
    old = pd.concat([bills("a", 20, paid_after=60), bills("b", 20, paid_after=None)])
    fresh = bills("c", 20, paid_after=None, age=10)
    # Half of what fell due was never paid, so half of what is not yet due is expected to be lost.
    found = rates(pd.concat([old, fresh]), "abc")["loss_rate"]
    company = (20 + 10) / 60
    own = {"a": 0.0, "b": 1.0, "c": 0.5}
    assert found.to_dict() == pytest.approx({x: (p + company) / 2 for x, p in own.items()})


def test_too_few_old_invoices_say_nothing_of_losses():
    found = rates(bills("a", 19, paid_after=30), "ab")
    assert found["loss_rate"].isna().all()
    assert found["receivables_rate"].notna().all()
    none = rates(bills("a", 5, paid_after=None, age=5), "a")
    assert none["receivables_rate"].isna().all(), "nothing is due, so nobody knows how long it takes"


def test_disputes_and_what_was_due_more_than_three_years_ago_are_left_out():
    usual = bills("a", 20, paid_after=60)
    other = pd.concat([bills("a", 5, paid_after=None).assign(disputed=True), bills("a", 5, paid_after=None, age=1300)])
    pd.testing.assert_frame_equal(
        rates(pd.concat([usual.assign(disputed=False), other.fillna({"disputed": False})]), "a"), rates(usual, "a")
    )


def test_nothing_later_is_read():
    table = pd.concat([bills("a", 20, paid_after=60), bills("a", 3, paid_after=80, age=90)])
    early = date(2025, 11, 1)
    later = bills("a", 9, paid_after=0, age=1)
    found = [
        receivables.rates(rows, None, pd.Series(["a"]), as_of=early, discount_rate_annual=0.1)
        for rows in (table, pd.concat([table, later]))
    ]
    pd.testing.assert_frame_equal(*found)


def test_faults_are_those_of_the_credit_table():
    with pytest.raises(DataError, match="lack due"):
        rates(bills("a", 3, paid_after=1).drop(columns="due"), "a")


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 900), st.integers(0, 90), st.none() | st.integers(0, 400)),
        min_size=1,
        max_size=40,
    )
)
def test_rates_are_shares(rows):
    table = pd.concat([bills(who, 1, age=age, terms=terms, paid_after=paid) for who, age, terms, paid in rows])
    found = rates(table, "abc")
    for column in ("receivables_rate", "loss_rate"):
        known = found[column].dropna()
        assert known.between(0, 1).all()
        # Somebody without an invoice has the company's, which lies between the others'.
        if {"a", "b"} <= set(table["account"]) and len(known) == 3:
            assert known[["a", "b"]].min() - 1e-12 <= known["c"] <= known[["a", "b"]].max() + 1e-12
    settled = credit.settled(table, as_of=AS_OF)
    assert len(settled) == len(table)
