"""The whole way from a log to the PDF, as a user walks it: on the sample, on CDNOW and on a real wholesaler."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import checkers
import numpy as np
import pandas as pd
import plain_playbook
import pypdfium2
import pytest
import rules_by_hand
from own_process import without_kernels

from kamlab.i18n import Translator
from kamlab.runs import run
from kamlab.runs.output import is_intact

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample" / "kamlab.toml"
CASES = os.environ.get("KAMLAB_CASES")


@cache
def pdf_text(path):
    document = pypdfium2.PdfDocument(path)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    # What a reader sees as one sentence is several lines on the page; spaces that must not break are spaces too.
    return " ".join(" ".join(pages).replace("\u00a0", " ").replace("\ufffe", "-").split())


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    with without_kernels():
        return run(SAMPLE, out=tmp_path_factory.mktemp("sample") / "reports")


@cache
def read(folder):
    return {p.stem: pd.read_parquet(p) for p in (folder / "tables").glob("*.parquet")}


def tables(result):
    """All tables of a finished run, which are read once; what a test changes becomes its own copy."""
    return {name: table.copy(deep=False) for name, table in read(result.folder).items()}


def test_the_sample_gives_a_report_behind_a_relative_link(sample):
    assert sample.link.name == "niacin-trading-2025-12-31"
    assert not Path(os.readlink(sample.link)).is_absolute()
    assert sample.reports == tuple(
        sample.link / "pdf" / f"{name}.en.pdf"
        for name in ("management-report", "account-plans", "period-review", "appendix")
    )
    assert sample.reports[0].read_bytes().startswith(b"%PDF-")


def test_numbers_on_the_first_page_follow_from_the_tables(sample):
    text, t = pdf_text(sample.reports[0]), Translator("en", currency="CNY")
    found = tables(sample)
    ledger, as_of = found["ledger"], pd.Timestamp("2025-12-31")
    age = (as_of - pd.to_datetime(ledger["date"])).dt.days
    revenue = ledger["amount"].astype(float)
    trailing, before = revenue[age < 365].sum(), revenue[(age >= 365) & (age < 730)].sum()
    assert plain(f"Revenue rose {t.percent(trailing / before - 1)} to {t.money(trailing)}") in text
    forecast = found["forecast"]
    for table, column, sentence in (
        ("revenue_draws", "expected_revenue", "Revenue, next 12 months {money} 90% interval: {interval}; from today's"),
        (
            "draws",
            "expected_contribution",
            "should bring {money} after the cost of service and of credit (90% interval: {interval})",
        ),
    ):
        low, high = np.quantile(found[table].set_index("account").sum(), [0.05, 0.95])
        interval = f"{t.money(low)} to {t.money(high)}"
        assert plain(sentence.format(money=t.money(forecast[column].sum()), interval=interval)) in text
    costs = found["summary"].merge(found["margins"], on="account", validate="one_to_one")
    on_credit = costs["trailing_revenue"] * (costs["receivables_rate"] + costs["loss_rate"].fillna(0))
    kept = (costs["trailing_margin"] - costs["cost_to_serve"] - on_credit.fillna(0)).sum()
    assert plain(f"against {t.money(kept)} in the last 12.") in text
    labels = (
        found["strategies"].merge(forecast, on="account", how="left").merge(found["summary"], on="account", how="left")
    )
    shrinking = labels[labels["strategy_rule"] == "win_back.shrinking"]
    loss = (shrinking["prior_peak_revenue"] - shrinking["expected_revenue"]).clip(lower=0).sum()
    assert plain(f"Protect: buy less {len(shrinking)} {t.money(loss)}") in text
    repair = labels[labels["flags"].str.contains("repair")]
    assert plain(f"Repair: lose money {len(repair)} {t.money(-repair['trailing_margin'].sum())}") in text
    promote = labels.loc[labels["strategy"] == "promote", "account"]
    headroom = found["potential"].set_index("account")["headroom"].reindex(promote)
    assert plain(f"Promote: could buy more {(headroom > 0).sum()} {t.money(headroom.sum())}") in text


def test_the_strategy_table_follows_from_the_tables(sample):
    text, t = pdf_text(sample.reports[0]), Translator("en", currency="CNY")
    found = tables(sample)
    joined = found["strategies"][["account", "strategy"]].merge(found["account_table"], on="account", how="left")
    draws = found["draws"].set_index("account")
    names = {"promote": "Promote", "retain": "Retain", "win_back": "Win back", "static": "Wait and see"}
    for strategy, name in names.items():
        members = joined[joined["strategy"] == strategy]
        present = members[~members["owner_left"].astype(bool)]
        past = found["summary"].set_index("account")["trailing_revenue"].reindex(members["account"]).sum()
        low, high = np.quantile(draws.reindex(members["account"]).dropna().sum(), [0.05, 0.95])
        row = (
            f"{name} {len(members)} {present['owner'].nunique()} {t.money(past)} "
            f"{t.money(members['expected_contribution'].sum())} {t.money(low)} to {t.money(high)}"
        )
        assert plain(row) in text


def test_the_period_review_follows_from_the_tables(sample):
    text, t = pdf_text(sample.link / "pdf" / "period-review.en.pdf"), Translator("en", currency="CNY")
    found = tables(sample)
    revenue = found["ledger"].loc[pd.to_datetime(found["ledger"]["date"]) > "2024-12-31", "amount"].astype(float).sum()
    # The company's own target of 2025, as the input file sets it.
    plan = 1_125_000_000
    assert (
        plain(f"The plan for these 12 months was {t.money(plan)}; {t.percent(1 - revenue / plan)} of it is missing.")
        in text
    )
    company = found["plan"][found["plan"]["kind"] == "company"]
    assert company["actual"].iloc[-4:].sum() == pytest.approx(revenue)
    assert company["plan"].iloc[-4:].sum() == pytest.approx(plan)
    held = found["held_against"].iloc[0]
    said = f"as of 31 Dec 2024: {t.money(held['expected'])} (90% interval: {t.money(held['lower'])} to"
    assert plain(said) in text
    assert plain(f"“Same as the year before” would have said {t.money(held['naive'])}") in text
    actions = pd.read_csv(SAMPLE.parent / "actions.csv", parse_dates=["due", "done"])
    late, missing = (actions["done"] > actions["due"]).sum(), actions["done"].isna()
    overdue = (missing & (actions["due"] < "2025-12-31")).sum()
    assert f"{len(actions) - late - missing.sum()} were done in time, {late} late; {overdue} are overdue" in text
    assert "Association only" in text
    moved = found["transitions"].dropna(subset=["before"])
    if "column" in moved:
        moved = moved[moved["column"] == "contribution_class"]
    assert f"{(moved['before'] != moved['held']).sum()} accounts changed class" in text


def test_the_record_of_the_forecast_follows_from_the_table(sample):
    text, t = pdf_text(sample.reports[0]), Translator("en", currency="CNY")
    record = tables(sample)["backtest"]
    in_force = json.loads((sample.link / "tables" / "choice.json").read_text("utf-8"))["forecaster"]
    row = record[(record["role"] == "record") & (record["target"] == "revenue") & (record["forecaster"] == in_force)]
    forecast, actual = row["forecast"].iloc[0], row["actual"].iloc[0]
    assert plain(f"said {t.money(forecast)} for the period after it; {t.money(actual)} came") in text
    # The actual is what the ledger holds for the accounts that had bought by then.
    ledger = tables(sample)["ledger"]
    membership = tables(sample)["membership"].set_index("member")["account"]
    days = pd.to_datetime(ledger["date"])
    unit = ledger["account"].map(membership)
    known = set(unit[days <= pd.Timestamp("2024-12-31")].dropna())
    inside = (days > pd.Timestamp("2024-12-31")) & (days <= pd.Timestamp("2025-12-31")) & unit.isin(known)
    assert actual == pytest.approx(ledger.loc[inside, "amount"].astype(float).sum(), rel=1e-3)


def test_the_tables_after_the_first_pages_follow_from_the_tables_too(sample):
    text, t = " ".join(pdf_text(p) for p in sample.reports if "plans" not in p.name), Translator("en", currency="CNY")
    found = tables(sample)
    value = found["forecast"].set_index("account")["expected_contribution"]
    typed = found["strategies"].assign(value=found["strategies"]["account"].map(value))
    rows = [
        f"Type {kind} {len(group)} {int(group['provisional'].sum())} {t.money(group['value'].sum())}"
        for kind, group in typed.dropna(subset="type_000").groupby("type_000")
    ]
    assert len(rows) == 4
    segments = found["segments"].assign(value=found["segments"]["account"].map(value))
    for name, group in segments.groupby("segment_name"):
        share = t.percent(group["value"].sum() / value.sum())
        rows.append(f"{name} {len(group)} {t.money(group['value'].sum())} {share}")
    for cut in found["tiers"].itertuples():
        step = "Low to Mid" if cut.cut == "mid" else "Mid to High"
        rows.append(f"{cut.scheme} {step} {t.money(cut.value)}")
    newest = found["backtest"][(found["backtest"]["role"] == "record") & (found["backtest"]["target"] == "revenue")]
    choice = json.loads((sample.link / "tables" / "choice.json").read_text("utf-8"))
    # The other models and combinations are compared in the appendix, by their scores.
    printed = newest[
        (newest["kind"] == "baseline") | newest["forecaster"].isin([choice["forecaster"], choice["model"]])
    ]
    assert len(printed) >= 4
    for row in printed.itertuples():
        sign = "+" if row.bias > 0 else ""
        rows.append(f"{t.money(row.forecast)} {sign}{t.percent(row.bias)} {t.money(row.mae)} {t.money(row.rmse)}")
    for reason, lines in found["quarantine"].groupby("reason"):
        known = lines["amount"].dropna()
        money = t.money_exact(known.sum(), 2) if len(known) else "–"
        rows.append(f"{reason} {len(lines)} {money} {', '.join(map(str, lines['line']))}")
    read = found["reconciliation"].set_index("part").loc["read"]
    rows.append(f"Read {t.number(read['rows'])} {t.money_exact(read['money'], 2)}")
    assert [row for row in rows if plain(row) not in text] == []


def test_each_account_that_has_a_plan_has_its_document_with_its_numbers(sample):
    found, t = tables(sample), Translator("en", currency="CNY")
    plans = found["plans"]
    planned = plans[plans["planned"]]
    files = sorted(path.name for path in (sample.link / "pdf" / "plans").iterdir())
    assert files == sorted(f"{account}.en.pdf" for account in planned["account"])
    assert len(planned) > 30
    whole = pdf_text(sample.link / "pdf" / "account-plans.en.pdf")
    accounts = found["account_table"].set_index("account")
    targets = found["targets"][found["targets"]["kind"] == "account"].set_index("group")
    for row in planned.itertuples():
        assert plain(f"stretch {t.money(targets.loc[row.account, 'stretch'])}") in whole
        assert " ".join(accounts.loc[row.account, "name"].split())[:18] in whole
    first = planned.nlargest(1, "at_stake").iloc[0]
    text = pdf_text(sample.link / "pdf" / "plans" / f"{first['account']}.en.pdf")
    value = accounts.loc[first["account"]]
    for money in ("expected_contribution", "headroom", "previous_revenue", "trailing_revenue"):
        assert plain(t.money(value[money])) in text
    for name in plans.loc[~plans["planned"], "name"]:
        assert name in whole, "those without a plan are listed"


def test_each_list_of_accounts_begins_with_the_one_that_its_table_puts_first(sample):
    text = pdf_text(sample.reports[0]).replace(" ", "")
    found = tables(sample)
    whole = found["account_table"].merge(found["strategies"][["account", "strategy", "strategy_rule"]], on="account")
    whole["loss"] = whole["prior_peak_revenue"] - whole["expected_revenue"]
    lists = {
        "slippingaway.": whole[whole["strategy_rule"] == "win_back.shrinking"].nlargest(1, "loss"),
        "hardertowinback.": whole[whole["strategy_rule"] == "win_back.silent"].nsmallest(1, "days_since_last"),
        "attheirmarginrate.": whole[whole["strategy"] == "promote"].nlargest(1, "headroom"),
        "couldbuyayear.": whole[whole["strategy"] == "acquire"].nlargest(1, "potential_revenue"),
        "accountstokeep.": whole[whole["strategy"] == "retain"].nlargest(1, "expected_contribution"),
    }
    for caption, first in lists.items():
        name = first["name"].iloc[0].replace(" ", "")
        starts = [i for i in range(len(text)) if text.startswith(caption, i)]
        assert any(name in text[i : i + 260] for i in starts), (caption, name)


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


def test_tables_have_their_documented_columns(sample):
    from kamlab.terms import TABLES

    found = tables(sample)
    assert set(found) == set(TABLES)
    for name, columns in TABLES.items():
        documented = [c.name for c in columns if "…" not in c.name]
        assert [c for c in documented if c not in found[name].columns] == [], name
        if not any("…" in c.name for c in columns):
            assert set(found[name].columns) == set(documented), name


def test_the_manifest_names_inputs_settings_and_outputs(sample):
    manifest = json.loads((sample.link / "manifest.json").read_text("utf-8"))
    assert set(manifest["inputs"]) == {path.name for path in SAMPLE.parent.glob("*.csv")}
    assert manifest["as_of"] == "2025-12-31"
    assert manifest["versions"]["kamlab"]
    assert "pdf/management-report.en.pdf" in manifest["outputs"]
    assert "tables/strategies.parquet" in manifest["outputs"]


def test_running_again_changes_nothing(sample):
    before = {p: p.stat().st_mtime_ns for p in sample.folder.rglob("*")}
    again = run(SAMPLE, out=sample.link.parent)
    assert again.reused
    assert {p: p.stat().st_mtime_ns for p in sample.folder.rglob("*")} == before


def test_a_folder_that_was_tampered_with_is_not_taken_for_finished(sample, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(sample.folder, copy)
    assert is_intact(copy)
    (copy / "pdf" / "management-report.en.pdf").write_bytes(b"x")
    assert not is_intact(copy)


@pytest.mark.skipif(not CASES, reason="KAMLAB_CASES does not name the folder of real data")
def test_a_real_wholesaler_with_91_companies(tmp_path):
    with without_kernels():
        result = run(ROOT / "examples" / "northwind" / "kamlab.toml", out=tmp_path)
    text = pdf_text(result.reports[0])
    ledger = pd.read_parquet(result.link / "tables" / "ledger.parquet")
    # Of its 2,155 lines those after 30 April 1998, the as-of date, are not kept.
    assert len(ledger) == 2096
    accounts = pd.read_parquet(result.link / "tables" / "strategies.parquet")
    assert len(accounts) == 91
    # Two of its customers never ordered: they are prospects whose potential nobody has declared.
    assert (accounts["strategy_rule"] == "prospect.unknown").sum() == 2
    assert "Save-a-lot Markets" in text
    assert "No declared potential" in text


@checkers.with_outloud
def test_a_pdf_checker_hears_no_fault(sample, tmp_path):
    plan = sorted((sample.link / "pdf" / "plans").glob("*.pdf"))[0]
    documents = [sample.reports[0], sample.link / "pdf" / "period-review.en.pdf", plan]
    assert checkers.faults_heard([path.resolve() for path in documents], tmp_path) == []


@checkers.with_axe
@pytest.mark.parametrize("name", ["management-report.en", "01_data_quality"])
def test_a_page_checker_sees_no_fault(sample, tmp_path, name):
    faults, passed = checkers.faults_seen((sample.link / "html" / f"{name}.html").resolve(), tmp_path)
    assert faults == []
    assert passed > 20


def kamlab(*arguments, cwd, env=None, **options):
    command = [sys.executable, "-m", "kamlab", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    """The folder in which CDNOW was reported on by the command line, in an empty environment and without a home."""
    folder = tmp_path_factory.mktemp("cdnow")
    (folder / "home").mkdir(mode=0o500)
    (folder / "elsewhere").mkdir()
    done = kamlab(
        *("report", "--config", ROOT / "examples" / "cdnow" / "kamlab.toml", "--out", folder / "out"),
        cwd=folder / "elsewhere",
        env={"LANG": "C", "HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder


def test_the_command_line_works_in_an_empty_environment(cdnow):
    said = (cdnow / "stdout").read_text()
    assert said.strip().endswith("cdnow-1998-06-30/pdf/appendix.en.pdf")
    assert all(Path(path).is_file() for path in said.splitlines())
    steps = [line for line in (cdnow / "stderr").read_text().splitlines() if line.startswith("[")]
    assert steps[0].endswith("] 01_data_quality")
    assert [line.split("]")[0] for line in steps] == [f"[{n}/{len(steps)}" for n in range(1, len(steps) + 1)]
    assert list((cdnow / "home").iterdir()) == []
    assert list((cdnow / "elsewhere").iterdir()) == []


def test_cdnow_gives_a_shorter_report_that_says_what_it_lacks(cdnow):
    link = cdnow / "out" / "cdnow-1998-06-30"
    text = pdf_text(link / "pdf" / "management-report.en.pdf")
    assert "No costs: values are revenue, not contribution" in text
    assert "No account master: no names, owners, groups, prospects or declared potential." in text
    assert "no full year before it in the log" in text
    record = pd.read_parquet(link / "tables" / "backtest.parquet")
    row = record[(record["forecaster"] == "bg_nbd") & (record["target"] == "purchases")].iloc[0]
    # Published for the 39-week holdout of this log: 1,882 purchases, bias −12.2 %, RMSE 1.608.
    assert row["actual"] == 1882
    assert row["bias"] == pytest.approx(-0.122, abs=0.001)
    assert row["rmse"] == pytest.approx(1.608, abs=0.001)


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
    assert len(book.sheetnames) == 1 + labels.index.unique("scheme").size + schemes["applied"].sum() + 5
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


def traced(sample, origin):
    """Rows of the run's tables that an origin or a trace names; of two tables, joined by account."""
    found = tables(sample)
    names = origin.table.split(", ")
    rows = found[names[0]]
    for name in names[1:]:
        rows = rows.merge(
            found[name].drop(columns=[c for c in rows if c in found[name] and c != "account"]), on="account"
        )
    if names == ["ledger"]:
        rows = rows.assign(date=pd.to_datetime(rows["date"]), **rows[["amount", "cost"]].astype(float))
    return rows.query(origin.where) if origin.where else rows


def test_the_numbers_of_the_first_pages_come_again_from_table_column_and_filter(sample):
    from kamlab import runs
    from kamlab.reports.sections.origins import origins

    opened, t = runs.open(sample.link), Translator("en", currency="CNY")
    listed = origins(opened, t)
    assert len(listed) > 40
    text = pdf_text(sample.reports[0])
    for origin in listed:
        rows = traced(sample, origin)
        if origin.how in ("lower", "upper"):
            sums = rows.set_index("account").sum()
            again = np.quantile(sums, 0.05 if origin.how == "lower" else 0.95)
        elif origin.how == "count":
            again = len(rows)
        else:
            values = rows.eval(origin.column)
            values = values.clip(lower=0) if origin.how == "floored" else values
            again = -values.sum() if origin.how == "negative" else values.sum()
        assert again == pytest.approx(origin.value, rel=1e-6), origin
        written = t.number(origin.value) if origin.unit == "number" else t.money(origin.value)
        if origin.table == "changes":
            written = ("+" if origin.value > 0 and origin.unit == "money" else "") + written.removeprefix("CNY\u00a0")
        assert plain(written) in text, origin


SHOWN = {
    "Strategy": "The strategies",
    "Type": "The four types",
    "Protect": "Accounts that still buy, but clearly less",
    "Win back": "Accounts that have gone silent",
    "Promote": "Accounts to promote",
    "Acquire": "Prospects to acquire",
    "Repair": "Accounts that lose money",
    "Retain": "The most valuable accounts",
    "Owner": "Owners by what",
    "Region": "Revenue of the last 12 months less that",
    "Forecast by": "Forecast made from the data",
    "The next": "What today's accounts are worth",
}
LINES = {
    "Wait and see": "static",
    "Win back": "win_back",
    "12 months": "clv_1y",
    "3 years": "clv_3y",
    "5 years": "clv_5y",
    "Model and last period, mixed": "blend",
    "Same as in the last period": "last_horizon",
    "As often as ever before": "same_count",
    "Rate so far, carried on": "rate",
    **{name: name.lower() for name in ("Acquire", "Promote", "Retain")},
    **{f"Type {kind}": kind for kind in "ABCD"},
}
"""A line's first cell → its key in the run's table, where the two differ."""
UNTRACED = {"90% interval", "Why", "Stance", "Owner", "Load is", "Growth", "Likeliest segment"}
"""Columns of words, and those that follow from their neighbours."""


def test_every_cell_of_the_management_report_comes_again_from_table_column_and_filter(sample):
    """The tables are read from the executed notebook, the cells recomputed by what the appendix says of them."""
    from kamlab import runs
    from kamlab.reports.export import read_document
    from kamlab.reports.sections.traces import traces

    t = Translator("en", currency="CNY")
    body = read_document(sample.link / "notebooks" / "05_management_report.en.ipynb")["body"]
    printed = {e["caption"]: e for e in body if e["kind"] == "table" and not e["caption"].startswith("Decisions")}
    listed, seen, cells = traces(runs.open(sample.link), t), set(), 0
    for trace in listed:
        [(caption, table)] = [(c, e) for c, e in printed.items() if c.startswith(SHOWN[trace.shown])]
        labels = [column["label"] for column in table["columns"]]
        seen.add((caption, trace.label))
        rows = traced(sample, trace)
        for line in table["rows"]:
            key = LINES.get(line[0], line[0])
            mine = rows if line[0] in ("All", "All accounts") else rows[rows[trace.line] == key]
            cell = plain(line[labels.index(trace.label)])
            cells += 1
            assert len(mine) or cell == "–", (trace, line)
            assert cell in recomputed(mine, trace, t), (trace, line)
    assert cells > 250
    every = {(c, column["label"]) for c, e in printed.items() for column in e["columns"][1:]}
    assert {(c, label) for c, label in every - seen if label not in UNTRACED} - {(c, "Type") for c in printed} == set()


def recomputed(rows, trace, t):
    """Every way to write what the rows give."""
    if trace.how in ("count", "distinct"):
        return {t.number(len(rows) if trace.how == "count" else rows[trace.column].nunique())}
    values = rows.eval(trace.column).astype(float)
    value = values.sum() if len(rows) != 1 or trace.how == "sum" else values.iloc[0]
    if not len(values.dropna()):
        return {"–"}
    percent = t.percent(value)
    ways = {t.money(value), t.number(value), percent, "+" + percent, t.money(0) if abs(value) < 1 else ""}
    return {plain(way) for way in ways} | ({"under 5%"} if value < 0.05 else set())
