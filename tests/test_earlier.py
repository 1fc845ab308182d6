"""Runs at earlier dates, and companies that are hard to divide, from the log to the classes."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

import kamlab as kl
from kamlab import earlier, potential, quarters, schemes, terms, tiers
from kamlab.reports.sections import evidence as evidence_section
from kamlab.reports.sections import levels

AS_OF = pd.Timestamp("2024-12-31")
PERIOD = kl.StudyPeriod(AS_OF)
COLUMNS = {"account": "account", "date": "date", "amount": "amount", "cost": "cost", "quantity": "quantity"}
FIXED = {"contribution": (5000.0, 20_000.0), "potential": (5000.0, 20_000.0)}


def company(n=60, *, years=3, seed=0, size=None):
    """Order lines of n accounts that buy at rates and sizes of their own; some of them leave."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(6, 1, n) if size is None else size
    rows = []
    for i in range(n):
        ends = int(years * 365 * (0.5 if rng.random() < 0.2 else 1.0))
        days = np.cumsum(rng.exponential(rng.uniform(20, 90), 200))
        for day in days[days < ends].astype(int):
            amount = round(size[i] * rng.uniform(0.7, 1.3), 2)
            rows.append((f"A{i:03d}", AS_OF - pd.Timedelta(days=years * 365 - int(day)), amount))
    lines = pd.DataFrame(rows, columns=["account", "date", "amount"])
    return lines.assign(cost=(lines["amount"] * 0.7).round(2), quantity=1.0)


def settings_for(lines):
    ids = sorted(lines["account"].unique())
    units = pd.DataFrame({"account": ids, "channel": None, "territory": None})
    return earlier.Settings(units, pd.DataFrame({"member": ids, "account": ids}), FIXED)


@pytest.fixture(scope="module")
def lines():
    return company()


@pytest.fixture(scope="module")
def past(lines):
    return earlier.look_back(kl.read_ledger(lines, columns=COLUMNS), PERIOD, settings_for(lines))


def test_each_date_holds_what_was_known_and_what_came(lines, past):
    assert list(past.columns) == earlier.columns()
    dates = [AS_OF - pd.Timedelta(days=365 * back) for back in (2, 1)]
    assert past.groupby("back")["origin"].first().tolist() == dates[::-1]
    for origin in dates:
        rows = past[past["origin"] == origin].set_index("account")
        assert set(rows.index) == set(lines.loc[lines["date"] <= origin, "account"])
        year = lines[(lines["date"] > origin) & (lines["date"] <= origin + pd.Timedelta(days=365))]
        came = (year["amount"] - year["cost"]).groupby(year["account"]).sum().reindex(rows.index).fillna(0)
        np.testing.assert_allclose(rows["next_value"], came, atol=0.01)
        days = year.groupby("account")["date"].nunique().reindex(rows.index).fillna(0)
        assert (rows["next_purchases"] == days).all()
    assert past[["contribution_class", "abc_004", "rfm_segment", "revenue_tenth"]].notna().all().all()


def test_of_too_many_accounts_a_sample_is_looked_back_on(lines, past, monkeypatch):
    monkeypatch.setattr(earlier, "MAX_ACCOUNTS", 50)
    some = earlier.look_back(kl.read_ledger(lines, columns=COLUMNS), PERIOD, settings_for(lines))
    facts = ["trailing_revenue", "trailing_purchase_days", "next_purchases", "next_value"]
    for back, rows in some.groupby("back"):
        assert 40 < rows["account"].nunique() <= 50
        whole = past[past["back"] == back].set_index("account").loc[rows["account"], facts]
        np.testing.assert_allclose(rows[facts].astype(float), whole.astype(float))


def test_nothing_after_a_date_enters_what_is_said_as_of_it(lines, past):
    later = lines["date"] > AS_OF - pd.Timedelta(days=365)
    changed = lines.assign(
        amount=lines["amount"].where(~later, lines["amount"] * 50), cost=lines["cost"].where(~later, 1.0)
    )
    ledger = kl.read_ledger(changed[~(later & (lines.index % 2 == 0))], columns=COLUMNS)
    other = earlier.look_back(ledger, PERIOD, settings_for(lines))
    newest = past["back"] == 1
    pd.testing.assert_frame_equal(other[~newest], past[~newest])
    said = [c for c in past if not c.startswith("next_")]
    pd.testing.assert_frame_equal(other.loc[newest, said], past.loc[newest, said])
    assert (other.loc[newest, "next_value"] > past.loc[newest, "next_value"]).any()


def test_classes_are_held_against_the_quarter_before(lines):
    ledger, settings = kl.read_ledger(lines, columns=COLUMNS), settings_for(lines)
    future = earlier._values(ledger, PERIOD, settings, with_soon=False)
    cuts = earlier.contribution_cuts(future, None, FIXED["contribution"], n_boot=20)
    moved = quarters.transitions(ledger, PERIOD, settings, future, {"contribution_class": cuts})
    assert list(moved.columns) == [c.name for c in terms.TABLES["transitions"]]
    assert set(moved["column"]) == {"contribution_class"}
    assert moved["held"].notna().all()
    np.testing.assert_allclose(moved["value"], future["expected_contribution"])
    quarter = AS_OF - pd.Timedelta(days=91)
    known = set(lines.loc[lines["date"] <= quarter, "account"])
    assert set(moved.loc[moved["before"].notna(), "account"]) == known
    stays = moved["why"] == "stays"
    assert (moved.loc[stays, "before"] == moved.loc[stays, "held"]).all()


def test_potentials_are_held_too_and_what_sales_declares_counts_at_once(lines):
    ledger, base = kl.read_ledger(lines, columns=COLUMNS), settings_for(lines)
    prospects = pd.DataFrame({"account": ["P1", "P2"], "channel": None, "territory": None})
    units = pd.concat([base.units, prospects], ignore_index=True)

    def master(**declared):
        return units.assign(declared_potential=units["account"].map(declared).astype(float))

    asked = []

    def then(period):
        asked.append(period.calibration_end)
        return master(A000=1e3, A001=9e6, A002=9e6, P1=8e3), {"P2": 25e3}

    values = earlier._values(ledger, PERIOD, base, with_soon=False)
    deals = {"P2": 25e3, "A002": 9e5}
    worth = potential.estimate(values, master(A000=9e6, P1=8e3), pipeline=deals)
    today = values.merge(schemes.with_sure_potential(worth), on="account", how="outer")
    borders = {"potential_class": tiers.by_hand((5e3, 5e6))}
    moved = quarters.transitions(ledger, PERIOD, replace(base, then=then), today, borders)
    found = moved.set_index("account")
    assert set(moved["column"]) == {"potential_class"}
    assert [AS_OF.date() - day for day in asked] == [timedelta(days=182), timedelta(days=91)]
    # A001 lost its declaration and stands at its own peak, A002 at its deals: neither is sure, so both wait
    assert found.loc[["A000", "A001", "A002", "P1", "P2"], ["before", "now", "held", "why"]].to_numpy().tolist() == [
        ["Low" if found.at["A000", "value_before"] < 5e3 else "Mid", "High", "High", "cleared"],
        ["High", found.at["A001", "now"], "High", "waits"],
        ["High", "Mid", "High", "waits"],
        ["Mid", "Mid", "Mid", "stays"],
        ["Mid", "Mid", "Mid", "stays"],
    ]
    assert found.at["A001", "now"] != "High"


def test_the_cost_to_serve_of_the_time_is_taken_off_at_earlier_dates_too(lines):
    ledger, base = kl.read_ledger(lines, columns=COLUMNS), settings_for(lines)
    before = replace(PERIOD, calibration_end=PERIOD.calibration_end - timedelta(days=91))
    day = pd.Timestamp(before.calibration_end)
    costs = pd.DataFrame({"account": ["A000", "A001"], "date": [day, day + pd.Timedelta(days=1)], "amount": 700.0})
    plain, less = (
        earlier._values(ledger, before, settings, with_soon=False).set_index("account")["expected_contribution"]
        for settings in (base, replace(base, costs=costs))
    )
    assert less["A000"] < plain["A000"]
    # what was spent the day after was not known
    assert less["A001"] == plain["A001"]


def test_what_selling_on_credit_took_is_known_at_earlier_dates_too(lines):
    ledger, base = kl.read_ledger(lines, columns=COLUMNS), settings_for(lines)
    before = replace(PERIOD, calibration_end=PERIOD.calibration_end - timedelta(days=91))
    sold = pd.Timestamp(before.calibration_end) - pd.Timedelta(days=100)
    owed = pd.DataFrame({"account": "A000", "date": sold, "due": sold, "amount": 1.0, "invoice": ["1"]})
    # Paid after the earlier date: by then it was 100 days old, which one invoice says of everybody.
    paid = owed[["account", "amount", "invoice"]].assign(date=sold + pd.Timedelta(days=150))
    plain, less = (
        earlier._values(ledger, before, settings, with_soon=False).set_index("account")["expected_contribution"]
        for settings in (base, replace(base, books=(owed, paid), discount_rate_annual=0.2))
    )
    margin = earlier._values(ledger, before, base, with_soon=False).set_index("account")["margin_rate"]
    rate = 1 - 1.2 ** (-100 / 365)
    assert (less / plain).to_numpy() == pytest.approx((1 - rate / margin).to_numpy())


def test_a_short_log_gives_no_earlier_date_and_every_class_by_its_value():
    lines = company(45, years=0.45)
    ledger, settings = kl.read_ledger(lines, columns=COLUMNS), settings_for(lines)
    table = earlier.look_back(ledger, PERIOD, settings)
    assert table.empty
    assert list(table.columns) == earlier.columns()
    future = earlier._values(ledger, PERIOD, settings, with_soon=False)
    borders = {"contribution_class": tiers.by_hand(FIXED["contribution"])}
    moved = quarters.transitions(ledger, PERIOD, settings, future, borders)
    assert set(moved["why"]) == {"first_seen"}
    assert (moved["held"] == moved["now"]).all()


def test_a_company_with_losses_and_one_account_that_has_nearly_all_goes_the_whole_way(tmp_path):
    lines = company(40, years=1.6, size=np.append(np.full(39, 100.0), 400_000.0))
    at_a_loss = lines["account"] < "A015"
    lines["cost"] = lines["cost"].where(~at_a_loss, lines["amount"] * 2)
    lines.to_csv(tmp_path / "lines.csv", index=False)
    columns = ", ".join(f'{name} = "{name}"' for name in COLUMNS)
    (tmp_path / "kamlab.toml").write_text(
        f'[company]\nname = "Hard"\n[source.transactions]\npath = "lines.csv"\ncolumns = {{ {columns} }}\n'
        f"[period]\nas_of = {date(2024, 12, 31)}\n[levels]\ncontribution = [5000, 20000]\n",
        "utf-8",
    )
    (tmp_path / "reports").mkdir()
    run = kl.runs.open("", config=tmp_path / "kamlab.toml", accept_stale=True)
    classes, forecast = run.read("schemes").set_index("account"), run.read("forecast").set_index("account")
    listing = run.read("scheme_list").set_index("column")
    for column in listing.index[listing["applied"]]:
        assert classes[column].notna().all(), column
        assert not classes[column].isin(["nan", "NaN", "None", "<NA>"]).any()
    assert listing.loc[~listing["applied"], ["lacks", "reason"]].ne("").any(axis=1).all()
    assert (forecast.loc["A000":"A014", "expected_contribution"] < 0).all()
    assert (classes.loc["A000":"A014", ["contribution_class", "abc_004"]] == ["Low", "C"]).all().all()
    assert classes.at["A039", "contribution_class"] == "High"
    chances = run.read("class_probabilities").set_index("account")
    np.testing.assert_allclose(chances[["Low", "Mid", "High"]].sum(axis=1), 1)
    t = run.translator("en")
    blocks = [
        block
        for section in (
            levels.borders,
            levels.near_borders,
            levels.flows,
            levels.concentration,
            levels.all_schemes,
            levels.classes,
        )
        for block in section(run, t)
    ]
    parts = (evidence_section.verdict, evidence_section.against_fixed, evidence_section.all_schemes)
    blocks += [block for section in (*parts, evidence_section.movers) for block in section(run, t)]
    assert all(block.to_json() for block in blocks)
