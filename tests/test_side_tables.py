"""Invoices, payments and deals as a company's files hold them, on their way to credit classes and grades."""

from datetime import date

import pandas as pd
import pytest

from kamlab import config, side_tables, tables
from kamlab.period import StudyPeriod

PERIOD = StudyPeriod(date(2025, 12, 31))
UNITS = pd.DataFrame({"member": ["a1", "a2", "b"], "account": ["A", "A", "b"]})
TOML = """
[company]
name = "Acme"
[source.transactions]
path = "log.csv"
columns = { account = "a", date = "d" }
[source.invoices]
path = "invoices.csv"
columns = { invoice = "no", account = "id", date = "day", due = "due", amount = "sum", disputed = "dispute" }
[source.payments]
path = "payments.csv"
columns = { account = "id", date = "day", amount = "sum", invoice = "no" }
[source.prospects]
path = "deals.csv"
columns = { deal = "no", account = "id", stage = "stage", opened = "from", closed = "to", value = "sum" }
"""
INVOICES = """no,id,day,due,sum,dispute
1,a1,2025-01-10,2025-02-10,100,
2,a2,2025-03-10,2025-04-10,200,
3,b,2025-07-01,2025-08-01,300,yes
4,a1,2025-11-20,2026-01-20,50,no
5,a1,2025-04-20,2025-04-20,-40,
"""
PAYMENTS = """id,day,sum,no
a1,2025-02-01,100,1
a2,2025-05-10,-10,2
"""


def company(folder, invoices=INVOICES, deals="no,id,stage,from,to,sum\n1,a1,Engaging,2025-10-01,,500\n"):
    (folder / "invoices.csv").write_text(invoices, "utf-8")
    (folder / "payments.csv").write_text(PAYMENTS, "utf-8")
    (folder / "deals.csv").write_text(deals, "utf-8")
    (folder / "kamlab.toml").write_text(TOML, "utf-8")
    return config.load(folder / "kamlab.toml")


def test_credit_counts_for_the_group_and_keeps_disputes_apart(tmp_path):
    found = side_tables.credit(company(tmp_path), PERIOD, accounts=UNITS).set_index("account")
    assert found.index.tolist() == ["A", "b"]
    # Invoice 1 is paid, 2 open for 265 days, 4 not due; what was paid back pays nothing.
    assert found.loc["A", ["outstanding", "overdue", "overdue_90", "disputed"]].tolist() == [250, 200, 200, 0]
    assert found.loc["b", ["outstanding", "disputed", "disputed_90"]].tolist() == [0, 300, 300]
    # By amount: (100 · 0 days + 200 · 265 days) / 300.
    assert found.loc["A", "days_beyond_terms"] == pytest.approx(200 * 265 / 300)
    assert found["expected_loss"].isna().all()


def test_the_policys_limit_bounds_that_of_what_is_spent(tmp_path):
    spend = pd.Series({"A": 1200.0, "b": 120.0})
    options = {"accounts": UNITS, "expected_revenue": spend, "policy_limit": 150.0}
    found = side_tables.credit(company(tmp_path), PERIOD, **options).set_index("account")
    # Two months of 100 and of 10 a month, and never above 150.
    assert found["limit"].to_dict() == {"A": 150, "b": 20}


def test_without_payments_nothing_is_said(tmp_path):
    settings = company(tmp_path)
    source = settings.source.model_copy(update={"payments": None})
    without = settings.model_copy(update={"source": source})
    assert side_tables.credit(without, PERIOD, accounts=UNITS).empty


def test_a_dispute_is_yes_or_no_and_counts_from_its_day_on(tmp_path):
    unclear = company(tmp_path, INVOICES.replace("300,yes", "300,perhaps"))
    found = tables.read(unclear, "invoices", as_of=PERIOD.calibration_end)
    assert found.quarantine[["line", "reason"]].to_numpy().tolist() == [[4, "disputed is not yes or no"]]
    dated = INVOICES.replace("dispute\n", "dispute,when\n").replace("300,yes", "300,Sí,{}")
    dated = dated.replace("100,\n", "100,,\n").replace("200,\n", "200,,\n").replace("no\n5", "no,\n5")
    dated = dated.replace("-40,\n", "-40,,\n")
    text = TOML.replace('disputed = "dispute"', 'disputed = "dispute", disputed_on = "when"')
    for day, disputed in (("2025-12-31", 300), ("2026-01-01", 0), ("", 300)):
        settings = company(tmp_path, dated.format(day))
        (tmp_path / "kamlab.toml").write_text(text, "utf-8")
        settings = config.load(tmp_path / "kamlab.toml")
        credit = side_tables.credit(settings, PERIOD, accounts=UNITS).set_index("account")
        assert credit.loc["b", ["outstanding", "disputed"]].tolist() == [300 - disputed, disputed]


def test_deals_are_won_lost_or_open_whatever_sales_calls_the_stage(tmp_path):
    deals = "no,id,stage,from,to,sum\n1,a1,Engaging,2025-10-01,,500\n2,c,Closed Won,2025-01-01,2025-03-01,70\n"
    deals += "3,c,LOST,2025-01-01,2025-04-01,0\n4,a2,proposal,2025-12-01,,300\n5,b,Won,2025-06-01,,90\n"
    found = side_tables.pipeline(company(tmp_path, deals=deals), PERIOD, accounts=UNITS)
    assert found.deals["deal"].tolist() == ["1", "4"]
    assert found.model == "closing_dates"
    assert found.prospects.set_index("account").loc["A", ["open_deals", "open_value"]].tolist() == [2, 800]


def test_attitude_is_the_mean_of_the_last_years_answers_that_were_known(tmp_path):
    settings = company(tmp_path)
    assert side_tables.attitude(settings, PERIOD, accounts=UNITS) is None
    (tmp_path / "complaints.csv").write_text(
        "id,day,end,says\n"
        "a1,2025-02-01,2025-02-05,9\na2,2025-06-01,2025-06-05,4\na1,2024-12-01,2024-12-05,0\n"
        # without an answer, and settled after the as-of date
        "b,2025-03-01,2025-03-05,\nb,2025-12-20,2026-01-05,10\n",
        "utf-8",
    )
    columns = '{ account = "id", date = "day", closed = "end", satisfaction = "says" }'
    more = f'[source.complaints]\npath = "complaints.csv"\ncolumns = {columns}\n'
    (tmp_path / "kamlab.toml").write_text(TOML + more, "utf-8")
    found = side_tables.attitude(config.load(tmp_path / "kamlab.toml"), PERIOD, accounts=UNITS)
    assert found.to_dict() == {"A": 6.5}
