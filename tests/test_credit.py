"""How accounts pay: scores worked out by hand, matching of payments, limits, disputes and losses."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamlab import credit, terms
from kamlab.errors import DataError, ModelError

AS_OF = date(2025, 12, 31)


def invoices(*rows):
    table = pd.DataFrame(rows, columns=["account", "date", "due", "amount"])
    return table.assign(date=pd.to_datetime(table["date"]), due=pd.to_datetime(table["due"]))


def payments(*rows):
    table = pd.DataFrame(rows, columns=["account", "date", "amount"])
    return table.assign(date=pd.to_datetime(table["date"]))


def monthly(account, late, n=12, amount=100.0):
    """Invoices of the first of a month, due on the last day of the next, paid `late` days after that."""
    dates = pd.date_range("2024-10-01", periods=n, freq="MS")
    due = dates + pd.offsets.MonthEnd(2)
    table = pd.DataFrame({"account": account, "date": dates, "due": due, "amount": amount})
    return table, pd.DataFrame({"account": account, "date": due + pd.Timedelta(days=late), "amount": amount})


def only(table):
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize(
    ("late", "score", "grade"),
    [
        (0, 100.0, "AAA"),
        (3, 100 * (0.4 + 0.3 * (1 - 3 / 60) + 0.2) / 0.9, "AAA"),  # three days are still on time
        (4, 100 * (0.3 * (1 - 4 / 60) + 0.2) / 0.9, "none"),  # no limit is known: its weight goes to the others
        (60, 100 * 0.2 / 0.9, "none"),
    ],
)
def test_score_by_hand(late, score, grade):
    row = only(credit.assess(*monthly("a", late), as_of=AS_OF))
    assert row["score"] == pytest.approx(score)
    assert row["credit_002"] == grade
    assert row["days_beyond_terms"] == pytest.approx(late)
    assert list(row.index) == [column.name for column in terms.TABLES["credit"]]


def test_classes_need_more_than_their_border():
    scores = pd.Series([90.01, 90.0, 80.0, 70.01, 70.0, np.nan])
    assert credit._class(scores, pd.Series([9] * 6)).tolist() == ["AAA", "AA", "A", "A", "none", "none"]


def test_who_was_due_three_times_is_a_at_best():
    assert only(credit.assess(*monthly("a", 0, n=3), as_of=AS_OF))["credit_002"] == "A"
    assert only(credit.assess(*monthly("a", 0, n=4), as_of=AS_OF))["credit_002"] == "AAA"


def test_payments_settle_the_oldest_due_invoices_first():
    owed = invoices(("a", "2025-01-01", "2025-02-01", 100), ("a", "2025-02-01", "2025-03-01", 50))
    row = only(credit.assess(owed, payments(("a", "2025-02-01", 60), ("a", "2025-02-11", 60)), as_of=AS_OF))
    assert row["outstanding"] == pytest.approx(30)
    assert row["overdue_90"] == pytest.approx(30)
    # The first is settled 10 days late, the second open for 305 days: (100·10 + 50·305) / 150.
    assert row["days_beyond_terms"] == pytest.approx((100 * 10 + 50 * 305) / 150)


def test_payments_that_name_their_invoice_settle_that_one():
    owed = invoices(("a", "2025-01-01", "2025-02-01", 100), ("a", "2025-02-01", "2025-03-01", 100))
    paid = payments(("a", "2025-03-01", 100)).assign(invoice=["2"])
    row = only(credit.assess(owed.assign(invoice=["1", "2"]), paid, as_of=AS_OF))
    assert row["days_beyond_terms"] == pytest.approx(333 / 2)


def test_the_day_of_payment_in_the_books_needs_no_payments():
    owed = invoices(("a", "2025-01-01", "2025-02-01", 100)).assign(paid=pd.Timestamp("2025-02-21"))
    assert only(credit.assess(owed, as_of=AS_OF))["days_beyond_terms"] == 20
    assert only(credit.assess(owed, as_of=date(2025, 2, 11)))["days_beyond_terms"] == 10, "not yet paid then"


def test_nothing_later_than_the_as_of_date_is_read():
    owed, paid = monthly("a", 0)
    late = invoices(("a", "2026-01-05", "2026-02-01", 1e6))
    pd.testing.assert_frame_equal(
        credit.assess(pd.concat([owed, late]), paid, as_of=AS_OF), credit.assess(owed, paid, as_of=AS_OF)
    )


def test_disputed_amounts_stand_apart():
    owed, paid = monthly("a", 0)
    disputed = invoices(("a", "2025-07-01", "2025-09-02", 30)).assign(disputed=True)
    row = only(credit.assess(pd.concat([owed, disputed]), paid, as_of=AS_OF))
    assert (row["disputed"], row["disputed_90"], row["outstanding"]) == (30, 30, 0)
    assert row["score"] == pytest.approx(100)


def test_a_payment_that_names_a_disputed_invoice_settles_part_of_it():
    owed = invoices(("a", "2025-07-01", "2025-08-01", 15.0)).assign(invoice="I1", disputed=True)
    paid = payments(("a", "2025-08-01", 12.0)).assign(invoice="I1")
    assert only(credit.assess(owed, paid, as_of=AS_OF))["disputed"] == 3
    # Without its number nobody knows that the payment was meant for it.
    assert only(credit.assess(owed, paid.drop(columns="invoice"), as_of=AS_OF))["disputed"] == 15


@pytest.mark.parametrize(
    ("trailing", "peak", "before", "net"),
    [
        (15.0, 15.0, 12.0, (12.0, 12.0)),  # the best year is the last one
        (15.0, 15.0, 14.0, (12.0, 14.0)),  # without the dispute an earlier one is better
        (15.0, 20.0, 20.0, (12.0, 20.0)),
    ],
)
def test_disputed_revenue_is_not_counted(trailing, peak, before, net):
    summary = pd.DataFrame(
        {
            "account": ["a", "b"],
            "trailing_revenue": trailing,
            "peak_revenue": peak,
            "prior_peak_revenue": before,
        }
    )
    old = invoices(("a", "2024-12-30", "2025-01-30", 9.0), ("a", "2025-07-01", "2025-08-01", 3.0)).assign(disputed=True)
    judged = credit.without_disputed(summary, credit.assess(old, payments(), as_of=AS_OF)).set_index("account")
    assert tuple(judged.loc["a", ["trailing_revenue", "peak_revenue"]]) == net
    assert tuple(judged.loc["b", ["trailing_revenue", "peak_revenue"]]) == (trailing, peak)
    assert credit.without_disputed(summary, pd.DataFrame()) is summary


def test_limit_is_the_smaller_of_policy_and_two_months():
    owed = pd.concat([monthly(name, 0)[0] for name in "abc"])
    paid = pd.concat([monthly(name, 0)[1] for name in "abc"])
    got = credit.assess(
        owed,
        paid,
        as_of=AS_OF,
        monthly_spend=pd.Series({"a": 100.0, "b": 100.0}),
        policy_limits=pd.Series({"a": 150.0, "c": 80.0}),
    ).set_index("account")["limit"]
    assert got.to_dict() == {"a": 150.0, "b": 200.0, "c": 80.0}


def test_loss_rates_are_those_of_the_own_history():
    # 100 invoices of 1, due two years ago: 60 paid on time, 20 after 10 days, 10 after 45, 10 never.
    late = np.repeat([0, 10, 45, 700], [60, 20, 10, 10])
    settled = pd.DataFrame({"late_days": late, "amount": 1.0, "age_days": 730})
    rates = credit.loss_rates(settled)
    assert rates["not due"] == pytest.approx(0.10)
    assert rates["0+"] == pytest.approx(10 / 40)
    assert rates["30+"] == pytest.approx(10 / 20)
    assert rates["60+"] == 1, "ten invoices are too few: the worst case stands"


def test_a_log_under_a_year_says_how_much_is_paid_within_90_days():
    # 60 invoices, due 200 days ago: 30 paid on time, 30 after 10 days; nobody was ever 30 days late.
    settled = pd.DataFrame({"late_days": np.repeat([0, 10], 30), "amount": 1.0, "age_days": 200})
    rates = credit.loss_rates(settled)
    assert rates.to_dict() == {"not due": 0, "0+": 0, "30+": 1, "60+": 1, "90+": 1}
    # What was due too lately to be late says nothing of lateness.
    young = pd.DataFrame({"late_days": [0] * 40, "amount": 1.0, "age_days": 10})
    pd.testing.assert_series_equal(credit.loss_rates(pd.concat([settled, young])), rates)
    assert credit.loss_rates(young).isna().all()


def test_what_is_unpaid_for_a_year_is_lost_and_the_rest_by_its_bucket():
    paid = pd.concat([monthly("a", 0, n=19)[0]]).assign(paid=lambda rows: rows["due"])
    old = invoices(("b", "2023-12-01", "2024-01-01", 100), ("b", "2025-12-01", "2026-01-31", 200))
    row = credit.assess(pd.concat([paid, old]), as_of=AS_OF).set_index("account")
    # 11 of the 19 were due 90 days ago or earlier, and b's first: 12 are too few.
    assert row["expected_loss"].isna().all()
    many = pd.concat([paid, paid.assign(account="c")])
    row = credit.assess(pd.concat([many, old]), as_of=AS_OF).set_index("account")
    # Of 2 × 13 + 1 that were due before the day one rolled on, and being alone it counts as rolling on to the end.
    assert row.loc["b", "expected_loss"] == pytest.approx(100 + 200 * 1 / 27)
    due = paid[paid["due"] <= pd.Timestamp(AS_OF)]
    assert row.loc["a", "days_to_pay"] == pytest.approx((due["paid"] - due["date"]).dt.days.mean())


def test_all_faults_come_at_once():
    owed = invoices(("a", "2025-01-01", "2024-02-01", 100), ("b", "2025-01-01", "2025-02-01", -5))
    with pytest.raises(DataError) as error:
        credit.assess(owed, as_of=AS_OF)
    for part in (
        "Neither payments",
        "1 invoices have no amount above 0 (first: b)",
        "due before their date (first: a)",
    ):
        assert part in str(error.value)
    with pytest.raises(DataError, match="lack due"):
        credit.assess(owed.drop(columns="due"), as_of=AS_OF)
    with pytest.raises(ModelError, match="months is 0"):
        credit.assess(*monthly("a", 0), as_of=AS_OF, months=0)


def test_no_invoice_up_to_the_day_gives_an_empty_table():
    got = credit.assess(*monthly("a", 0), as_of=date(2020, 1, 1))
    assert got.empty
    assert list(got) == [column.name for column in terms.TABLES["credit"]]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 600), st.integers(0, 90), st.integers(1, 500)),
        min_size=1,
        max_size=20,
    ),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 700), st.integers(1, 700)), max_size=20),
)
def test_money_owed_is_never_more_than_invoiced_and_scores_stay_in_range(owed, paid):
    first = pd.Timestamp("2024-06-01")
    bills = pd.DataFrame(owed, columns=["account", "day", "terms", "amount"])
    bills = bills.assign(date=first + pd.to_timedelta(bills["day"], "D"))
    bills["due"] = bills["date"] + pd.to_timedelta(bills["terms"], "D")
    money = pd.DataFrame(paid, columns=["account", "day", "amount"])
    money = money.assign(date=first + pd.to_timedelta(money["day"].astype(int), "D"))
    got = credit.assess(bills, money, as_of=AS_OF).set_index("account")
    known = bills[bills["date"] <= pd.Timestamp(AS_OF)]
    received = money[money["date"] <= pd.Timestamp(AS_OF)]
    for account, row in got.iterrows():
        invoiced = known.loc[known["account"] == account, "amount"].sum()
        came = received.loc[received["account"] == account, "amount"].sum()
        # Up to half a per cent of an invoice passes for bank charges.
        assert max(0, invoiced - came) * 0.99 - 3 <= row["outstanding"] <= invoiced
        assert row["overdue_90"] <= row["overdue"] <= row["outstanding"] + 1e-9
        assert np.isnan(row["expected_loss"]) or 0 <= row["expected_loss"] <= row["outstanding"] + 1e-9
        assert np.isnan(row["score"]) or 0 <= row["score"] <= 100
