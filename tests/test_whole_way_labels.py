"""Every label of the sample follows from its rule and inputs, in the tables and in the workbook."""

import pandas as pd
import plain_playbook
import pytest
import rules_by_hand
from sample_report import plain, tables

from kamlab.i18n import Translator


def test_every_label_carries_its_rule_and_inputs(sample):
    labels = tables(sample)["strategies"]
    assert labels["strategy"].notna().all()
    for column in ("strategy_rule", "strategy_inputs"):
        assert (labels[column].str.len() > 0).all()
    typed = labels[labels["type_000"].notna()]
    assert (typed["type_000_inputs"].str.len() > 0).all()
    assert set(labels["account"]) == set(tables(sample)["accounts"]["account"])


def test_every_label_follows_from_the_values_printed_beside_the_accounts_labels(sample):
    """Applied anew by plain ifs to what is printed, the playbook gives the same label by the same rule."""
    labels = tables(sample)["labels"]
    different = []
    for account, rows in labels.groupby("account"):
        again = plain_playbook.labels(plain_playbook.parsed(rows["inputs"]))
        different += [
            (account, row.scheme) for row in rows.itertuples() if again.get(row.scheme) != (row.label, row.rule)
        ]
    assert different == []


def test_every_label_is_the_one_that_the_rules_written_by_hand_give(sample):
    found = tables(sample)
    cuts, weighed = found["tiers"], found["handling"].drop(columns="abc_004")
    accounts = found["account_table"].merge(weighed, on="account", how="left")
    fitted = cuts[(cuts["axis"] == "contribution") & (cuts["scheme"] == "fitted")].set_index("cut")["value"]
    volume = accounts.loc[accounts["has_bought"], "volume_90"].median()
    labels = {a: dict(zip(g["scheme"], g["label"], strict=True)) for a, g in found["labels"].groupby("account")}
    rows = accounts.astype(object).where(accounts.notna(), None).to_dict("records")
    assert len(rows) == len(labels) > 500
    for row in rows:
        by_hand = rules_by_hand.labels(row, cut_high=fitted["high"], volume_median=volume)
        assert labels[row["account"]] == by_hand, row["account"]


def test_the_workbook_holds_every_account_with_its_labels_and_the_tables_values(sample):
    import openpyxl

    book = openpyxl.load_workbook(sample.link / "workbook.xlsx", read_only=True)
    header, *rows = book["All accounts"].iter_rows(values_only=True)
    # Empty cells at the end of a row are not in the file.
    padded = [row + (None,) * (len(header) - len(row)) for row in rows]
    whole = pd.DataFrame(padded, columns=header).set_index("Account")
    found = tables(sample)
    labels = found["labels"].set_index(["scheme", "account"])
    known = found["account_table"].set_index("account")
    assert list(whole.index) == list(known.index)
    assert whole["Type"].dropna().equals("Type " + labels.loc["type_000", "label"])
    chance = whole["Strategy, probability"].astype(float)
    assert chance.to_numpy() == pytest.approx(labels.loc["strategy", "probability"].reindex(whole.index).to_numpy())
    for heading, column in (("Expected revenue", "expected_revenue"), ("Headroom a year", "headroom")):
        assert whole[heading].astype(float).to_numpy() == pytest.approx(known[column].to_numpy(), nan_ok=True)
    assert whole["Why this strategy"].notna().all()
    schemes = found["scheme_list"]
    assert len(book.sheetnames) == 2 + labels.index.unique("scheme").size + schemes["applied"].sum() + 5
    [unusable] = [name for name in book.sheetnames if name.startswith("Lines that cannot")]
    assert sum(row[1] for row in book[unusable].iter_rows(min_row=2, values_only=True)) == len(found["quarantine"])
    # Every column says which table and column of the run it is from.
    for _, heading, origin in book["Where it comes from"].iter_rows(min_row=2, values_only=True):
        table, column = origin.split(".")
        assert column in found[table].columns or "…" in column, heading


def test_the_workbook_of_too_many_accounts_lists_those_worth_most_and_counts_the_others(sample, monkeypatch):
    from kamlab import runs
    from kamlab.reports.workbook import contents

    monkeypatch.setattr(contents, "MOST_LISTED", 100)
    found, sheets = tables(sample), contents.sheets(runs.open(sample.folder), Translator("en", currency="EUR"))
    by_title = {sheet.title: sheet for sheet in sheets}
    known = found["account_table"]
    most = known.sort_values("expected_contribution", ascending=False)["account"].head(100)
    assert by_title["100 accounts worth most"].rows["account"].tolist() == sorted(most)
    counted = by_title["Strategy"].rows
    assert counted["accounts"].sum() == (found["labels"]["scheme"] == "strategy").sum()
    said = by_title["Where it comes from"].rows["origin"].iloc[-1]
    assert plain(said) == f"The lines of all {len(known)} accounts stand in tables/account_table.parquet."
