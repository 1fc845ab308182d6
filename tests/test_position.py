"""How accounts stand: rivals, joint work, range, losses at two reviews, and people who left, from small tables."""

from datetime import date

import pandas as pd
import pytest

from kamlab import config, position
from kamlab.ledger import read_ledger
from kamlab.period import StudyPeriod
from kamlab.summary import summarize
from kamlab.terms import TABLES

PERIOD = StudyPeriod(date(2025, 12, 31))
TOML = """
[company]
name = "Acme"
[source.transactions]
path = "log.csv"
columns = { account = "account", date = "date", amount = "amount", cost = "cost", product_line = "line" }
[source.owners]
path = "owners.csv"
columns = { owner = "owner", active_to = "active_to" }
[source.competitors]
path = "competitors.csv"
columns = { account = "account", competitor = "competitor", product_line = "line", share = "share", date = "date" }
[source.projects]
path = "projects.csv"
columns = { project = "project", account = "account", status = "status", start = "start", end = "end" }
[source.costs]
path = "costs.csv"
columns = { account = "account", date = "date", amount = "amount" }
[source.complaints]
path = "complaints.csv"
columns = { account = "account", date = "date", satisfaction = "satisfaction" }
"""
FILES = {
    "owners": "owner,active_to\nLi Na,\nWu Fang,2025-09-30\nAna,2025-12-31\n",
    "competitors": """account,competitor,line,share,date
a,X,Feed,0.2,2024-01-01
a,X,Feed,0.6,2025-01-01
b,X,Feed,0.3,2025-01-01
b,Y,Feed,0.1,2025-01-01
c,Y,,,2025-01-01
""",
    "projects": """project,account,status,start,end
1,a,running,2025-01-01,2026-06-30
2,b,Finished,2025-01-01,2026-06-30
3,c,running,2024-01-01,2025-06-30
""",
    "costs": "account,date,amount\nb,2025-03-01,700\na,2025-03-01,10\nc,2025-03-01,10\nd,2025-03-01,10\n",
    "complaints": "account,date,satisfaction\na,2025-05-01,9\na,2025-06-01,10\nb,2024-05-01,2\nc,2025-05-01,\n",
}
OWNERS = {"a": "Li Na", "b": "Wu Fang", "c": "Ana", "d": "Eve", "r": "", "s": None}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """Four buyers, 100 a month at 20 % margin; r only sent goods back, s only got a sample, p is a prospect."""
    folder = tmp_path_factory.mktemp("position")
    rows = []
    for account, lines in {"a": ["Feed", "Food"], "b": ["Feed"], "c": ["Food"], "d": ["Feed", "Pharma"]}.items():
        for day in pd.date_range("2024-01-15", "2025-12-15", freq="MS"):
            rows += [(account, day.date(), 100, 80, line) for line in lines]
    rows += [("r", "2025-02-01", -50, -40, "Feed"), ("s", "2025-02-01", 0, 10, "Feed")]
    log = pd.DataFrame(rows, columns=["account", "date", "amount", "cost", "line"])
    log.to_csv(folder / "log.csv", index=False)
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    (folder / "kamlab.toml").write_text(TOML, "utf-8")
    columns = {"account": "account", "date": "date", "amount": "amount", "cost": "cost", "product_line": "line"}
    ledger = read_ledger(folder / "log.csv", columns=columns)
    units = pd.DataFrame({"account": [*OWNERS, "p"], "owner": [*OWNERS.values(), None], "channel": None})
    membership = pd.DataFrame({"member": [*units["account"], "a1"], "account": [*units["account"], "a"]})
    return config.load(folder / "kamlab.toml"), ledger, units, membership


@pytest.fixture(scope="module")
def found(company):
    settings, ledger, units, membership = company
    summary = summarize(ledger, PERIOD, accounts=membership)
    table = position.table(ledger, settings, PERIOD, units=units, accounts=membership, summary=summary)
    assert list(table) == [column.name for column in TABLES["position"]]
    return table.set_index("account")


def test_who_only_sent_goods_back_has_bought_before_and_whoever_got_a_sample_has_not(found):
    assert found.index[found["only_returned"]].tolist() == ["r"]


def test_whoever_is_not_on_the_list_of_people_has_left(found):
    # Ana's last day is the as-of date; nobody has heard of Eve.
    assert found.index[found["owner_left"]].tolist() == ["b", "c", "d"]


def test_rivals_by_the_newest_word_added_up_within_a_product_line(found):
    assert found.loc[["a", "b"], "rival_share"].tolist() == pytest.approx([0.6, 0.4])
    assert found.loc[["c", "d"], "rival_share"].isna().all()
    # Half and more, or a share that nobody knows, is the place that should be ours.
    assert found.index[found["incumbent_rival"]].tolist() == ["a", "c"]


def test_a_joint_project_runs_today(found):
    assert found.index[found["joint_project"]].tolist() == ["a"]


def test_share_of_the_product_lines_that_are_sold_to_the_channel(found):
    # Feed (a, b, d), Food (a, c) and Pharma (d) are each bought by a tenth or more of the four.
    assert found.loc[list("abcd"), "product_share"].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 2 / 3])
    assert pd.isna(found.loc["p", "product_share"])


def test_a_loss_by_service_alone_is_none_at_standard_service(found):
    """b bought 1,200 at 20 %: 240 are less than 700, and more than the cheap quarter's share of its revenue."""
    assert found.loc["b", "p_negative_standard"] < 0.5
    assert found.loc["b", "p_negative_before"] > 0.9
    assert found.index[found["negative_before"]].tolist() == ["b"]


def test_standard_service_costs_what_the_cheaper_quarter_costs():
    served = pd.Series({"a": 10.0, "b": 90.0, "c": 30.0, "d": 20.0, "e": 5.0})
    summary = pd.DataFrame({"account": list("abcde"), "trailing_revenue": [100.0, 100.0, 100.0, 100.0, 100.0]})
    # Rates of 5, 10, 20, 30 and 90 %: a quarter lies at 10 % or below.
    assert position.standard_cost(served, summary).tolist() == [10.0, 10.0, 10.0, 10.0, 5.0]


def test_who_does_not_pay_loses_us_money_at_any_service(company, tmp_path):
    """Each earns us 20 %: d never paid 20 invoices, a paid all of its 400. Twenty weigh as much as the company."""
    _, ledger, units, membership = company
    rows = [("a", f"a{n}", "2024-02-01") for n in range(400)] + [("d", f"d{n}", "2024-02-01") for n in range(20)]
    owed = pd.DataFrame(rows, columns=["account", "invoice", "date"]).assign(due="2024-03-01", amount=10)
    owed.to_csv(tmp_path / "invoices.csv", index=False)
    paid = owed[owed["account"] == "a"].assign(date="2024-03-01")
    paid[["account", "invoice", "date", "amount"]].to_csv(tmp_path / "payments.csv", index=False)
    columns = 'columns = { account = "account", invoice = "invoice", date = "date", amount = "amount"'
    (tmp_path / "kamlab.toml").write_text(
        f'{TOML.split("[source.owners]")[0]}[source.invoices]\npath = "invoices.csv"\n{columns}, due = "due" }}\n'
        f'[source.payments]\npath = "payments.csv"\n{columns} }}\n',
        "utf-8",
    )
    summary = summarize(ledger, PERIOD, accounts=membership)
    with_books = config.load(tmp_path / "kamlab.toml")
    table = position.table(ledger, with_books, PERIOD, units=units, accounts=membership, summary=summary)
    losing = table.set_index("account")
    # Expected losses: 20 of 420 in the company, so 5 % of b's and c's revenue, and (1 + 20/420) / 2 = 52 % of d's.
    assert losing.index[losing["p_negative_standard"] > 0.99].tolist() == ["d"]
    assert losing.index[losing["negative_before"]].tolist() == ["d"], "a year had passed at the review before, too"


def test_without_the_tables_nothing_is_claimed(company, tmp_path):
    _, ledger, units, membership = company
    (tmp_path / "kamlab.toml").write_text(TOML.split("[source.owners]")[0], "utf-8")
    bare = config.load(tmp_path / "kamlab.toml")
    summary = summarize(ledger, PERIOD, accounts=membership)
    table = position.table(ledger, bare, PERIOD, units=units, accounts=membership, summary=summary)
    assert not table[["owner_left", "incumbent_rival", "joint_project"]].to_numpy().any()
    assert table["rival_share"].isna().all()
