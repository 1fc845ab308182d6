"""The numbers of the printed pages of the sample follow from its tables."""

import json

import numpy as np
import pandas as pd
import pytest
from sample_report import SAMPLE, pdf_text, plain, tables

from kamlab.i18n import Translator


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
