"""Invoices, payments and deals as a company's files hold them, on their way to credit classes and grades."""

from datetime import date

import pandas as pd
import pytest

from kamlab import config, potential, side_tables
from kamlab.errors import DataError
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


def test_without_payments_nothing_is_said_and_a_dispute_is_yes_or_no(tmp_path):
    settings = company(tmp_path)
    source = settings.source.model_copy(update={"payments": None})
    without = settings.model_copy(update={"source": source})
    assert side_tables.credit(without, PERIOD, accounts=UNITS).empty
    unclear = company(tmp_path, INVOICES.replace("300,yes", "300,perhaps"))
    with pytest.raises(DataError, match=r"1 of 5 invoices say neither yes nor no.*first: 3"):
        side_tables.credit(unclear, PERIOD, accounts=UNITS)


def test_deals_are_won_lost_or_open_whatever_sales_calls_the_stage(tmp_path):
    deals = "no,id,stage,from,to,sum\n1,a1,Engaging,2025-10-01,,500\n2,c,Closed Won,2025-01-01,2025-03-01,70\n"
    deals += "3,c,LOST,2025-01-01,2025-04-01,0\n4,a2,proposal,2025-12-01,,300\n5,b,Won,2025-06-01,,90\n"
    found = side_tables.pipeline(company(tmp_path, deals=deals), PERIOD, accounts=UNITS)
    assert found.deals["deal"].tolist() == ["1", "4"]
    assert found.model == "closing_dates"
    assert found.prospects.set_index("account").loc["A", ["open_deals", "open_value"]].tolist() == [2, 800]


def test_open_deals_are_a_floor_for_those_that_never_bought_alone():
    bought = pd.DataFrame({"account": ["a"], "peak_revenue": [10.0], "trailing_revenue": [10.0]})
    units = pd.DataFrame({"account": list("abcd"), "declared_potential": [None, 5.0, 500.0, None]})
    deals = {"a": 99.0, "b": 80.0, "c": 80.0, "d": 80.0}
    found = potential.estimate(bought, units, pipeline=deals).set_index("account")
    assert found["potential_revenue"].tolist() == [10, 80, 500, 80]
    assert found["potential_source"].tolist() == ["own_peak", "declared", "declared", "pipeline"]


def test_people_who_have_left_are_not_active(tmp_path):
    (tmp_path / "owners.csv").write_text("owner,from,to\nLi,2020-01-01,\nWu,2020-01-01,2025-09-30\nXu,2026-02-01,\n")
    columns = '{ owner = "owner", active_from = "from", active_to = "to" }'
    head = (
        '[company]\nname = "Acme"\n[source.transactions]\npath = "log.csv"\ncolumns = { account = "a", date = "d" }\n'
    )
    (tmp_path / "without.toml").write_text(head)
    (tmp_path / "with.toml").write_text(f'{head}[source.owners]\npath = "owners.csv"\ncolumns = {columns}\n')
    given, without = (config.load(tmp_path / f"{name}.toml") for name in ("with", "without"))
    assert side_tables.active_people(given, PERIOD, pd.Series(["Li", "Wu", None])) == {"Li"}
    # Who owns accounts is named otherwise than in the table: nobody is taken for gone.
    assert side_tables.active_people(given, PERIOD, pd.Series(["E1", None])) is None
    assert side_tables.active_people(without, PERIOD, pd.Series(["Li"])) is None
