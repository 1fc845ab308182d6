"""A run whose tables stand in memory, for sections that only read."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from kamlab.config import Company, Config, Source, Transactions
from kamlab.i18n import Translator
from kamlab.period import StudyPeriod

T = Translator("en", currency="EUR")
CONFIG = Config(
    company=Company(name="Acme", currency="EUR"),
    source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
)


@dataclass
class FakeRun:
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    config: Config = CONFIG
    period: StudyPeriod = field(default_factory=lambda: StudyPeriod(date(2025, 12, 31)))

    def read(self, name, *, columns=(), where=None):
        table = self.tables[name]
        for column, values in (where or {}).items():
            table = table[table[column].isin(values)]
        return table[[name for name in columns if name in table]] if columns else table

    def read_facts(self, name):
        return self.facts[name]


GROUPS = pd.DataFrame(
    {
        "group": ["new", "growing", "declining"],
        "bias": [-0.5, 0.1, -0.26],
        "naive_bias": [-0.5, 0.0, -0.3],
        "rmse": [900.0, 100.0, 182.0],
        "naive_rmse": [800.0, 150.0, 171.0],
    }
)


def accounts(**columns):
    base = {
        "account": ["A"],
        "name": ["*Star* & Sons"],
        "owner": [None],
        "owner_left": [False],
        "type_000": ["B"],
        "strategy": ["retain"],
        "strategy_rule": ["retain.value"],
        "strategy_inputs": [""],
        "flags": [""],
        "plan_required": [False],
        "trailing_revenue": [10.0],
        "peak_revenue": [20.0],
        "prior_peak_revenue": [5.0],
        "expected_revenue": [8.0],
        "expected_contribution": [2.0],
        "headroom": [1.0],
        "margin_rate": [0.25],
        "potential_revenue": [20.0],
        "potential_source": ["own_peak"],
        "wallet_share": [np.nan],
        "p_alive": [0.9],
        "days_since_last": [3.0],
        "days_known": [900.0],
        "margin": [1.0],
        "trailing_margin": [1.0],
        "costed_revenue": [10.0],
    }
    return pd.DataFrame(base | columns)


def run_of(table):
    labels = ["type_000", "strategy", "strategy_rule", "strategy_inputs", "flags", "plan_required"]
    return FakeRun(
        {
            "account_table": table.drop(columns=labels),
            "strategies": table[["account", "name", "owner", *labels]],
            "accounts": table[["account", "owner"]],
            "forecast": pd.DataFrame({"basis": ["contribution"]}),
            "record_groups": GROUPS,
            "prospect_segments": pd.DataFrame(columns=["account", "rank", "segment_name"]),
        },
        {"freshness": {"has_cost": True}, "prospect_segments": {}},
    )


def printed(blocks):
    return " ".join(json.dumps(block.to_json(), ensure_ascii=False) for block in blocks).replace("\xa0", " ")


def plain(text):
    return text.replace("\u00a0", " ")
