"""The casebook's accounts as order lines, the whole way from the log to the label."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pandas as pd
import pytest
from casebook_company import AS_OF, M, invoices_and_payments, write

from kamlab import backtest, credit, forecast, growth, margins, potential, schemes, steps, tiers
from kamlab.accounts import decision_units, read_accounts
from kamlab.ledger import read_ledger
from kamlab.period import StudyPeriod
from kamlab.sources import read_table
from kamlab.strategies import assign, load_playbook
from kamlab.strategies.states import derive
from kamlab.summary import summarize

CUTS = {"contribution": (0.8 * M, 2.0 * M), "potential": (5 * M, 20 * M)}
LOG = {"account": "customer", "date": "day", "amount": "amount", "cost": "cost"}
MASTER = {"declared_potential": "potential"} | {c: c for c in ("account", "parent", "owner", "channel", "strategic")}


def decide(folder):
    """Account table with labels and states, indexed by account."""
    write(folder)
    period = StudyPeriod(AS_OF)
    ledger = read_ledger(folder / "orders.csv", columns=LOG)
    master = read_accounts(read_table(folder / "accounts.csv"), columns=MASTER).rows
    ids = ledger.lines["account"].unique().to_pylist()
    units, membership = decision_units(master, ids, level="auto", as_of=AS_OF)
    summary = summarize(ledger, period, accounts=membership)
    choice = backtest.choose(ledger, period, accounts=membership)
    channels = units.set_index("account")["channel"].reindex(summary["account"])
    future = forecast.value(summary, choice, margins=margins.rates(summary, groups=channels), n_draws=50)
    owed, paid = invoices_and_payments()
    paying = credit.assess(owed, paid, as_of=AS_OF)
    judged = credit.without_disputed(summary, paying)
    worth = potential.with_headroom(potential.estimate(judged, units), future)
    values = units[["account"]].merge(future[["account", "expected_contribution"]], on="account", how="left")
    values = values.merge(worth[["account", "potential_revenue"]], on="account", how="left")
    by_hand = {axis: tiers.by_hand(cuts) for axis, cuts in CUTS.items()}
    tables = {
        "accounts": units,
        "summary": summary,
        "growth_windows": growth.windows(ledger, period, summary, [], accounts=membership),
        "forecast": future,
        "potential": worth,
        "schemes": schemes.assign(values, by_hand, CUTS),
        "credit": paying,
        "calibration": choice.calibration,
        "position": pd.DataFrame({"account": units["account"]}),
        # No pipeline is given.
        "prospects": pd.DataFrame(),
    }
    table = steps.account_table(SimpleNamespace(read=tables.__getitem__, period=period))
    cut = CUTS["contribution"][1]
    labels = assign(table, contribution_cut_high=cut, as_of=AS_OF)
    states = derive(table, playbook=load_playbook(), contribution_cut_high=cut)
    states = states.drop(columns=["provisional", "contribution_class", "potential_class"])
    labels = labels.drop(columns=["name", "owner"])
    return table.merge(labels, on="account").merge(states, on="account").set_index("account")


@cache
def decided():
    with TemporaryDirectory() as folder:
        return decide(Path(folder))


@pytest.mark.parametrize(
    ("account", "expected", "flags"),
    [
        ("case 1", {"shrinking": True, "strategy": "win_back", "plan_required": True}, set()),
        ("case 2", {"decline": False, "strategy": "retain"}, set()),
        ("case 3", {"provisional": True}, {"new"}),
        ("case 4", {"negative": True, "strategy": "retain", "plan_required": True}, {"bz_strategic", "repair"}),
        ("case 5", {"strategy": "static"}, {"collect_data"}),
        ("case 6", {"type_000": "A", "strategy": "retain", "contribution_class": "High"}, {"saturated"}),
        ("case 7", {"type_000": "D", "strategy": "static", "negative": False}, set()),
        ("case 8", {"strategy": "retain", "shrinking": False, "negative": False}, {"hold"}),
        ("case 9", {"type_000": "A", "members": 5, "plan_required": True}, set()),
        ("case 10", {"returning": True}, {"returning"}),
        ("case 11", {"provisional": True, "potential_source": "own_peak"}, {"provisional"}),
        ("case 12", {"type_000": "A", "strategy": "retain", "contribution_class": "High"}, {"no_owner"}),
        ("case 13", {"strategy": "win_back", "plan_required": True, "negative": False}, set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_labels(account, expected, flags):
    got = decided().loc[account]
    assert {name: got[name] for name in expected} == expected
    assert flags <= set(got["flags"].split(", "))


def test_the_falling_account_is_not_forecast_above_what_it_bought_last():
    """Orders fell 60 → 40 → 24; a constant rate at the mean order would promise 40."""
    assert decided().loc["case 1", "expected_revenue"] < 1.05 * 24 * M


def test_the_first_order_can_be_taken_out():
    got = decided().loc["case 3"]
    assert got["trailing_revenue"] == got["largest_order"] == 40 * M


def test_the_strategic_loss_stays_a_loss_after_shrinkage():
    got = decided().loc["case 4"]
    assert got["expected_contribution"] < 0
    assert got["contribution_class"] == "Low"


def test_what_is_disputed_is_no_revenue_and_stands_beside_it():
    got = decided().loc["case 8"]
    assert got["trailing_revenue"] == pytest.approx(12 * M, abs=0.01)
    assert got["peak_revenue"] == pytest.approx(12 * M, abs=0.01)
    assert got["potential_revenue"] == pytest.approx(12 * M, abs=0.01)
    assert (got["disputed"], got["disputed_90"], got["overdue_90"]) == (3 * M, 3 * M, 0)


def test_the_group_is_one_account():
    assert not decided().index.str.startswith("case 9 ").any()
    got = decided().loc["case 9"]
    assert got["trailing_revenue"] == pytest.approx(20 * M, abs=0.01)
    assert got["member_ids"] == "case 9 a, case 9 b, case 9 c, case 9 d, case 9 e"


def test_an_own_peak_gives_no_share():
    got = decided().loc["case 11"]
    assert pd.isna(got["wallet_share"])
    assert got["potential_revenue"] == pytest.approx(35 * M, abs=1)
    assert not {"saturated", "headroom"} & set(got["flags"].split(", "))


def test_silence_is_no_loss():
    got = decided().loc["case 13"]
    assert got["strategy_rule"] == "win_back.silent"
    assert "bz_strategic" not in got["flags"]


def test_the_account_without_owner_says_so_first():
    flags = decided()["flags"]
    assert flags.loc["case 12"].startswith("no_owner")
    assert flags[flags.str.contains("no_owner")].index.to_list() == ["case 12"]
