"""Accounts that tests of the playbook change one thing of, and their labels, states and flags."""

import pandas as pd

from kamlab.strategies import assign, load_playbook
from kamlab.strategies.states import derive

CUT = 2e6
UNKNOWN = float("nan")
ORDINARY = {
    "account": "A1",
    "name": "Acme",
    "owner": "Li Na",
    "has_bought": True,
    "strategic": False,
    "p_alive": 0.9,
    "trailing_revenue": 10e6,
    "peak_revenue": 10e6,
    "prior_peak_revenue": 10e6,
    "purchase_days": 30,
    "trailing_purchase_days": 10,
    "days_known": 1000,
    "days_since_last": 20,
    "longest_gap": 40.0,
    "days_since_return": UNKNOWN,
    "largest_order": 1e6,
    "expected_contribution": 1e6,
    "margin_rate": 0.1,
    "p_negative": 0.01,
    "potential_revenue": 40e6,
    "potential_source": "declared",
    "wallet_share": 0.75,
    "contribution_class": "Mid",
    "potential_class": "High",
}
SILENT = {"p_alive": 0.1, "days_since_last": 100, "longest_gap": 40.0}
PEAK_HIGH = {"peak_revenue": 20e6}
LOSS = {"p_negative": 0.9, "trailing_purchase_days": 3}


def table(*rows):
    return pd.DataFrame([ORDINARY | {"account": f"A{i}"} | row for i, row in enumerate(rows)])


def label(**changes):
    return assign(table(changes), contribution_cut_high=CUT).iloc[0]


def state(name, **changes):
    return bool(derive(table(changes), playbook=load_playbook(), contribution_cut_high=CUT)[name].iloc[0])


def flags(**changes):
    return set(filter(None, label(**changes)["flags"].split(", ")))
