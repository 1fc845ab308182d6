"""Optional tables: all faults at once, nothing that is dated after the as-of date, and no row lost."""

from datetime import date

import pandas as pd
import pytest

from kamlab import accounts, config, reasons, resources, tables
from kamlab.errors import DataError
from kamlab.i18n import Translator
from kamlab.ledger.lines import REASONS
from kamlab.tables import SCHEMAS, read_rows

AS_OF = date(2025, 6, 30)
INVOICES = {"invoice": "id", "account": "acc", "date": "d", "due": "due", "amount": "n"}


def invoices(rows, **options):
    frame = pd.DataFrame(rows, columns=["id", "acc", "d", "due", "n"], dtype=str)
    return read_rows(frame, SCHEMAS["invoices"], columns=INVOICES, as_of=AS_OF, **options)


GOOD = [(str(i), "A", "2025-01-05", "2025-02-05", "10.50") for i in range(100, 160)]


def test_every_broken_rule_is_said_with_count_places_money_and_remedy():
    bad = [
        ("1", "A", "2025-01-05", "2025-01-01", "5"),
        ("2", "", "oops", "", "6"),
        ("2", "C", "2025-02-01", "", "n/a"),
        ("3", "C", "2025-13-01", "", "7.25"),
    ]
    found = invoices(bad + GOOD)
    assert dict(zip(found.quarantine["line"], found.quarantine["reason"], strict=True)) == {
        1: "due is before date",
        2: "account is missing; date is not a date",
        3: "amount is not a number; invoice is repeated",
        4: "date is not a date",
    }
    assert not found.too_many
    said = found.said()
    assert said[0] == "Table invoices (invoices): 64 rows read, 60 used, 4 quarantined."
    assert "  1 × date is not a date (lines 4), 7.25 concerned: write a day of the calendar, or set date_format" in (
        "\n".join(said)
    )
    worse = invoices(bad + GOOD[:20])
    assert worse.too_many
    remedy = worse.said()[-1]
    assert "more than the 10% of rows or 10% of money" in remedy
    assert "Mend these lines, raise max_quarantined_share or max_quarantined_money" in remedy
    assert "or leave the table out of the configuration (source.invoices)." in remedy


def test_little_in_rows_but_much_in_money_is_too_many():
    assert invoices([("1", "A", "oops", "", "99000"), *GOOD]).too_many
    assert not invoices([("1", "A", "oops", "", "9"), *GOOD]).too_many


def test_how_much_may_be_quarantined_is_configured(tmp_path):
    (tmp_path / "log.csv").write_text("a,d\nA,2025-01-01\n")
    (tmp_path / "pay.csv").write_text("c,d,n\n" + "A,2025-01-31,10\n" * 4 + "A,oops,10\n")
    for share, money, too_many in ((0.1, 0.5, True), (0.5, 0.1, True), (0.2, 0.2, False), (0.19, 0.2, True)):
        (tmp_path / "kamlab.toml").write_text(
            '[company]\nname = "X"\n[source.transactions]\npath = "log.csv"\ncolumns = { account = "a", date = "d" }\n'
            '[source.payments]\npath = "pay.csv"\ncolumns = { account = "c", date = "d", amount = "n" }\n'
            f"max_quarantined_share = {share}\nmax_quarantined_money = {money}\n"
        )
        # One of five rows, 10 of 50: exactly a fifth, which a limit of a fifth allows.
        assert tables.read(config.load(tmp_path / "kamlab.toml"), "payments", as_of=AS_OF).too_many is too_many


def test_rows_of_later_days_are_not_read():
    found = invoices([*GOOD, ("1", "A", "2025-07-01", "", "1"), ("2", "A", "2025-06-30", "2025-07-30", "2")])
    assert (len(found.rows), found.later) == (61, 1)
    assert "1" not in set(found.rows["invoice"])


def test_the_outcome_of_a_deal_is_not_known_before_its_day():
    frame = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "account": ["A", None, "B"],
            "stage": ["Won", "Lost", "Engaging"],
            "from": ["2025-01-01"] * 3,
            "to": ["2025-06-30", "2025-07-01", None],
            "value": [100, 0, None],
        }
    )
    columns = {"deal": "id", "account": "account", "stage": "stage", "opened": "from", "closed": "to", "value": "value"}
    rows = read_rows(frame, SCHEMAS["prospects"], columns=columns, as_of=AS_OF).rows
    assert rows["stage"].tolist() == ["Won", None, "Engaging"]
    assert rows["value"].fillna(-1).tolist() == [100, -1, -1]
    assert rows["closed"].isna().tolist() == [False, True, True]


def test_a_wrong_mapping_names_every_fault():
    with pytest.raises(DataError) as caught:
        read_rows(
            pd.DataFrame({"acc": ["A"]}),
            SCHEMAS["costs"],
            columns={"acount": "acc", "amount": "acd"},
            as_of=AS_OF,
        )
    message = str(caught.value)
    for part in (
        'Did you mean "account"?',
        'No column is named for "date"',
        'Did you mean "acc"?',
        "the source has acc",
    ):
        assert part in message


def test_limits_and_formats_hold():
    frame = pd.DataFrame({"a": ["A"] * 4, "c": ["X", "Y", "Z", "X"], "s": ["0,5", "1,5", "-0,25", "0,5"]})
    columns = {"account": "a", "competitor": "c", "share": "s"}
    found = read_rows(frame, SCHEMAS["competitors"], columns=columns, as_of=AS_OF)
    assert found.quarantine["reason"].tolist() == ["share is above 1", "share is below 0"]
    assert found.rows["share"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_takes_a_row_of_its_own_and_refuses_an_empty_one(name):
    schema = SCHEMAS[name]
    value = {"text": "x", "number": "1", "date": "2025-01-31", "month": "2025-01", "flag": "yes"}
    frame = pd.DataFrame([{f.name: value[f.kind] for f in schema.fields}, dict.fromkeys(schema.columns, "")], dtype=str)
    found = read_rows(frame, schema, columns={c: c for c in schema.columns}, as_of=AS_OF)
    assert (len(found.rows), len(found.quarantine)) == (1, 1)
    assert found.quarantine["reason"][0] == "; ".join(sorted(f"{column} is missing" for column in schema.needed))
    # A table's rules name its own columns.
    named = {
        *schema.key,
        *(c for known in schema.outcomes for c in known),
        *(c for pair in schema.rising for c in pair),
        schema.money,
        schema.known_from,
    }
    assert named - {""} <= set(schema.columns)


def every_rule():
    every = [*SCHEMAS.values(), tables.RATES, accounts.SCHEMA]
    fields = [field for schema in every for field in schema.fields]
    rules = [f"{field.name} is missing" for field in fields if field.needed]
    rules += [
        f"{f.name} is not {'yes or no' if f.kind == 'flag' else 'a ' + f.kind}" for f in fields if f.kind != "text"
    ]
    rules += [f"{f.name} is {side} {limit:g}" for f in fields for side, limit in (("below", 0), ("above", 1))]
    rules += [f"{' and '.join(schema.key)} are repeated" for schema in every if len(schema.key) > 1]
    rules += ["rate is not above 0", "invoice is repeated", "parent runs in a circle", "due is before date"]
    rules += ["3 fields where the header has 5", "no row in orders.csv for its order"]
    # The log says by itself what else is wrong with a line that is known to be faulty early.
    told = [told for name, told in REASONS.items() if name != "early"]
    return [*rules, "no rate for USD on or before its date", *told]


def test_every_rule_has_a_remedy():
    rules = every_rule()
    assert [rule for rule in rules if len(reasons.remedies(rule)) != 1] == []
    both = reasons.remedies("amount is missing or not a number; line id is repeated; invoice is repeated")
    assert [said.partition(",")[0] for said in both] == ["fill in the amount", "keep one of the rows"]


@pytest.mark.parametrize("lang", ["vi", "zh", "es"])
def test_every_rule_and_remedy_is_told_in_each_language(lang):
    t = Translator(lang)
    rules = every_rule()
    assert [rule for rule in rules if reasons.printed(rule, t) == rule] == []
    assert [said for rule in rules for said in reasons.remedies(rule) if t(said) == said] == []


def test_the_sample_company_has_every_optional_table():
    sample = config.load(resources.sample() / "kamlab.toml")
    assert tables.given(sample) == list(SCHEMAS)
    for name in SCHEMAS:
        found = tables.read(sample, name, as_of=date(2025, 12, 31))
        assert (len(found.rows) > 0, len(found.quarantine)) == (True, 0)


def test_rows_without_a_day_are_counted_and_always_read():
    found = read_rows(
        pd.DataFrame({"o": ["Ann", "Bo", "Cy"], "d": ["2025-01-01", "", None]}),
        SCHEMAS["owners"],
        columns={"owner": "o", "active_from": "d"},
        as_of=date(1990, 1, 1),
    )
    assert found.rows["owner"].tolist() == ["Bo", "Cy"]
    assert "  2 rows without active_from: they count on every day." in found.said()


def test_the_tables_of_a_configuration_are_found(tmp_path):
    (tmp_path / "log.csv").write_text("a,d\nA,2025-01-01\n")
    (tmp_path / "pay.csv").write_text("cust;day;sum;no\nA;31/01/2025;1.000,50;7\n")
    (tmp_path / "kamlab.toml").write_text(
        '[company]\nname = "X"\n[source.transactions]\npath = "log.csv"\ncolumns = { account = "a", date = "d" }\n'
        '[source.payments]\npath = "pay.csv"\n'
        'columns = { account = "cust", date = "day", amount = "sum", payment = "no" }\n'
    )
    found = config.load(tmp_path / "kamlab.toml")
    assert tables.given(found) == ["payments"]
    assert not tables.read(found, "payments", as_of=AS_OF).too_many
    rows = tables.read(found, "payments", as_of=AS_OF).rows
    assert rows[["account", "amount"]].to_numpy().tolist() == [["A", 1000.5]]
    assert rows["date"][0] == pd.Timestamp("2025-01-31")
