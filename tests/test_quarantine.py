"""No row and no money of any table is lost: what was read is what is used, what is known only later, and quarantine."""

import json
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_known_then import AS_OF, DIRT

from kamlab import accounts, config, inputs, tables
from kamlab.checks import check_data
from kamlab.i18n import Translator
from kamlab.period import StudyPeriod
from kamlab.reports.sections import unusable
from kamlab.steps import reading

SCHEMAS = {**tables.SCHEMAS, "rates": tables.RATES, "accounts": accounts.SCHEMA}


def is_later(text):
    """Whether a day or month of the dirt begins after the as-of date."""
    return text in ("2025-07-01", "2025-07-02", "2025-09-28", "2025-07")


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_read_is_used_plus_later_plus_quarantined_in_rows_and_money(name, data):
    schema = SCHEMAS[name]
    row = st.fixed_dictionaries({f.name: st.sampled_from(DIRT[f.kind]) for f in schema.fields})
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    frame, columns = pd.DataFrame(rows, dtype=str), {c: c for c in schema.columns}
    found = tables.read_rows(frame, schema, columns=columns, as_of=AS_OF, decimal=".", date_format="%Y-%m-%d")
    early = [row for row in rows if not is_later(row.get(schema.known_from, ""))]
    assert found.n_read == len(rows)
    assert len(found.rows) + len(found.quarantine) == len(early)
    if schema.money:
        # The value of a deal that is closed later is not known yet.
        days = [day for day, *known in schema.outcomes if schema.money in known]
        known = [row for row in early if not any(is_later(row[day]) for day in days)]
        money = sum(abs(float(row[schema.money])) for row in known if row[schema.money] not in ("", "n/a"))
        parts = found.rows[schema.money].abs().sum() + found.quarantine["amount"].abs().sum()
        assert found.money == pytest.approx(money)
        assert parts == pytest.approx(money)
    # Nothing of a quarantined row is lost.
    assert all(json.loads(original) in rows for original in found.quarantine["original"])


LOG = "who,day,net,cur\n" + "".join(
    f"{who},2025-0{month}-15,{net},{cur}\n"
    for month in range(1, 7)
    for who, net, cur in [("A", 10, "CNY"), ("B", 20, "USD"), ("C", 30, "CNY")]
)
MASTER = """id,name,wallet,parent
A,Alpha,500,
B,Beta,oops,
C,Gamma,700,D
D,Delta,-5,
A,Alpha again,1,
E,too,many,fields,here
F,Phi,900,
"""
RATES = """cur,day,rate
USD,2025-01-01,7
USD,2025-03-01,oops
USD,2025-04-01,8
USD,2025-04-01,9
USD,2025-06-01,-1
USD,2025-06-10,6.5
USD,2025-06-10,6.5
USD,2025-07-01,n/a
"""
TOML = """
[company]
name = "X"
currency = "CNY"
[period]
as_of = 2025-06-30
[source.transactions]
path = "log.csv"
columns = { account = "who", date = "day", amount = "net", currency = "cur" }
MORE
[source.rates]
path = "rates.csv"
columns = { currency = "cur", date = "day", rate = "rate" }
max_quarantined_share = 0.8
[source.accounts]
path = "master.csv"
columns = { account = "id", name = "name", declared_potential = "wallet", parent = "parent" }
max_quarantined_share = SHARE
"""


def company(folder, *, share=0.8, more="", log=LOG, rates=RATES, master=MASTER):
    for name, text in (("log", log), ("rates", rates), ("master", master)):
        (folder / f"{name}.csv").write_text(text, "utf-8")
    path = folder / "kamlab.toml"
    path.write_text(TOML.replace("SHARE", str(share)).replace("MORE", more), "utf-8")
    return config.load(path)


PERIOD = StudyPeriod(date(2025, 6, 30))


def test_faults_in_master_and_rates_are_quarantined_and_the_rest_is_used(tmp_path):
    found = inputs.read_beside(company(tmp_path), PERIOD)
    bad = inputs.table_quarantine(found.values())
    assert [tuple(row) for row in bad[["table", "line", "reason"]].to_numpy()] == [
        ("accounts", 3, "declared_potential is not a number"),
        ("accounts", 5, "declared_potential is below 0"),
        ("accounts", 6, "account is repeated"),
        ("accounts", 7, "5 fields where the header has 4"),
        ("rates", 3, "rate is not a number"),
        # Two rates of one day contradict each other; of two that agree the first counts.
        *[("rates", line, "currency and date are repeated") for line in (4, 5)],
        ("rates", 6, "rate is not above 0"),
        ("rates", 8, "currency and date are repeated"),
    ]
    # B and D have rows that cannot be used: they stand for themselves, as accounts that have none.
    master = found["accounts"].rows
    assert dict(zip(master["account"], master["name"], strict=True)) == {"A": "Alpha", "C": "Gamma", "F": "Phi"}
    units, _ = accounts.decision_units(master, ["A", "B", "C"], level="account", as_of=AS_OF)
    assert units.set_index("account")["name"].to_dict() == {"A": "Alpha", "B": "B", "C": "Gamma", "F": "Phi"}
    ledger, _ = inputs.read_lines(company(tmp_path), as_of=AS_OF)
    foreign = [line["amount"] for line in ledger.lines.to_pylist() if line["account"] == "B"]
    assert foreign == [Decimal(140)] * 5 + [Decimal(130)]


def test_check_says_what_is_wrong_with_master_and_rates_and_how_to_mend_it(tmp_path):
    company(tmp_path)
    said = check_data(tmp_path).text
    for part in (
        "Table accounts (account master): 7 rows read, 3 used, 4 quarantined.",
        "  1 × account is repeated (lines 6), 1.00 concerned: keep one of the rows",
        "Table rates (exchange rates): 8 rows read, 2 used, 1 of later days left out, 5 quarantined.",
        "  1 × rate is not above 0 (lines 6): mend the value",
        "1 accounts with lines are not in it (B).",
    ):
        assert part in said, said


def test_too_many_faults_in_log_and_master_stop_the_run_in_one_message(tmp_path):
    settings = company(tmp_path, share=0.5, log=LOG + "A,oops,1000,CNY\n" * 4)
    ledger, _ = inputs.read_lines(settings, as_of=AS_OF)
    many, much, master = inputs.refusals(ledger, inputs.read_beside(settings, PERIOD).values(), settings, as_of=AS_OF)
    assert many.startswith("4 of 22 lines of log.csv cannot be used (4 × date is missing or impossible; lines 20, 21")
    assert "of the log's money stands in the 4 lines" in much
    assert master.startswith("Table accounts (account master): 7 rows read, 3 used, 4 quarantined.")
    assert master.endswith("leave the table out of the configuration (source.accounts).")
    found = check_data(tmp_path)
    assert found.faults
    assert all(part in found.text for part in (many, much, "That is more than the 50% of rows"))


def test_a_line_without_a_rate_keeps_its_money_in_its_own_currency(tmp_path):
    early = LOG + "B,2024-12-31,1000.5,USD\nC,2025-02-01,9,EUR\nC,2025-02-30,4,EUR\nC,2025-02-30,2,CNY\n"
    settings = company(tmp_path, log=early, more="max_quarantined_share = 1\nmax_quarantined_money = 1")
    ledger, _ = inputs.read_lines(settings, as_of=AS_OF)
    assert ledger.quarantine[["reason", "amount", "currency"]].to_numpy().tolist() == [
        ["no rate for USD on or before its date", Decimal("1000.5"), "USD"],
        ["no rate for EUR on or before its date", Decimal(9), "EUR"],
        ["date is missing or impossible", Decimal(4), "EUR"],
        ["date is missing or impossible", Decimal(2), ""],
    ]
    parts = ledger.reconciliation(AS_OF).set_index("part")
    assert parts.loc["read", "rows"] == 22
    assert parts.loc["quarantined", ["rows", "money"]].tolist() == [4, 2]
    # 6 × (10 + 30) and 20 × (5 × 7 + 6.5): what no rate converts is in none of the sums.
    assert parts.loc["accepted", "money"] == 240 + 830
    assert parts.loc["read", "money"] == 240 + 830 + 2
    assert "1 × no rate for EUR on or before its date (lines 21), 9.00 EUR: add a rate" in check_data(tmp_path).text


def test_the_report_prints_money_that_no_rate_converts_beside_its_sums():
    lines = pd.DataFrame(
        {
            "reason": ["no rate for USD on or before its date", "date is missing or impossible", "line id is repeated"],
            "line": [4, 5, 6],
            "amount": [Decimal("1000.5"), Decimal(4), Decimal(2)],
            "currency": ["USD", "USD", ""],
        }
    )
    t = Translator("en", currency="CNY")

    class Run:
        def read(self, name):
            return lines

    [block] = unusable.of_the_log(Run(), t)
    assert [row[2].replace("\xa0", " ") for row in block.rows] == ["USD 4.00", "CNY 2.00", "USD 1,000.50"]
    [said] = unusable.unconverted(Run(), t)
    assert said.replace("\xa0", " ") == "Not in these sums is money that no rate converts: USD 1,004.50."


LATER = [
    *("A,2025-07-01,n/a,CNY", "A,2025-07-01,5,VND", "B,2025-12-31,,", "C,2026-01-01,1,USD"),
    *("C,2025-07-02,9999999,CNY", "X,2025-08-01,7,CNY"),
]


def test_faulty_lines_of_later_days_are_no_faults_yet(tmp_path):
    undated = "A,someday,1,CNY\n"
    settings = company(tmp_path, log=LOG + undated + "\n".join(LATER) + "\n", more="max_quarantined_money = 0.01")
    ledger, readings = inputs.read_lines(settings, as_of=AS_OF)
    assert ledger.quarantine["line"].tolist() == [20]
    assert any("converted: 6 × USD → CNY" in str(said) for said in readings)
    parts = ledger.reconciliation(AS_OF).set_index("part")["rows"]
    assert (parts["read"], parts["quarantined"], parts["after_as_of"]) == (25, 1, 6)
    known = reading._known_then(ledger.reconciliation(AS_OF)).set_index("part")["money"]
    before = company(tmp_path, log=LOG + undated, more="max_quarantined_money = 0.01")
    alone = inputs.read_lines(before, as_of=AS_OF)[0].reconciliation(AS_OF).set_index("part")["money"]
    assert known.drop("after_as_of").to_dict() == alone.drop("after_as_of").to_dict()
    assert inputs.refusals(ledger, [], settings, as_of=AS_OF) == []
    # On the last of these days all of it is known, and too much of it is wrong.
    every, last = company(tmp_path, log=LOG + undated + "\n".join(LATER) + "\n"), date(2026, 1, 1)
    [said] = inputs.refusals(inputs.read_lines(every, as_of=last)[0], [], every, as_of=last)
    assert said.startswith("4 of 25 lines")
