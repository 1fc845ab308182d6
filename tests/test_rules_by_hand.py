"""The playbook's engine against the same rules written by hand, on accounts at and around every border."""

import numpy as np
import pandas as pd
import rules_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_accounts import CUT, ORDINARY

from kamlab import terms
from kamlab.strategies import assign_all, load_playbook

BOOK = load_playbook()
NUMBERS = {
    "p_alive": (0.0, 0.399, 0.4, 0.499, 0.5, 0.9),
    "p_gone": (None, 0.4),
    "trailing_revenue": (0.0, 7e6, 7.01e6, 12e6),
    "peak_revenue": (1e6, 19.9e6, 20e6, 30e6),
    "prior_peak_revenue": (0.0, 10e6),
    "purchase_days": (1, 2, 3, 30),
    "trailing_purchase_days": (0, 1, 4, 5),
    "days_known": (100, 364, 365, 729, 730),
    "days_since_last": (20, 50, 51, 365, 366),
    "longest_gap": (None, 40.0, 400.0),
    "expected_contribution": (1e6, -0.7e6, -0.71e6, -1.3e6),
    "margin_rate": (None, 0.1, -0.2),
    "p_negative": (None, 0.0, 0.5, 0.799, 0.8, 1.0),
    "p_negative_standard": (None, 0.79, 0.8),
    "wallet_share": (None, 0.2, 0.201, 0.49, 0.5, 0.7, 0.71, 0.799, 0.8),
    "growth_lower": (None, -0.1, 0.0, 0.1),
    "product_share": (None, 0.49, 0.5),
    "volume_90": (None, 1.0, 2.0, 3.0),
    "overdue_90": (None, 0.0, 1.0),
    "disputed_90": (None, 0.0, 1.0),
    "uplift": (None, 99.0, 100.0, 101.0),
    "handling_cost": (None, 100.0),
    "handling_place": (None, 1.0, 2.0),
    "handling_places": (None, 1.0),
}
WORDS = {
    "potential_source": terms.POTENTIAL_SOURCES,
    "contribution_class": terms.LEVELS,
    "potential_class": (*terms.LEVELS, None),
    "abc_004": (*terms.ABC, None),
    "credit_002": (*terms.CREDIT_CLASSES, None),
    "prospect_004": (*terms.TYPES, None),
}
FLAGS = ("has_bought", "strategic", "only_returned", "negative_before", "joint_project", "incumbent_rival")
ACCOUNT = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in {**NUMBERS, **WORDS}.items()}
    | {name: st.booleans() for name in FLAGS}
)


def possible(row):
    """Complete a drawn account to one that can be: who never bought has no history, and is in no class."""
    row = ORDINARY | row
    if not row["has_bought"]:
        row |= dict.fromkeys((*NUMBERS, "contribution_class", "abc_004"))
    else:
        row["only_returned"] = False
    return row


@given(st.lists(ACCOUNT, min_size=20, max_size=40))
@settings(max_examples=60)
def test_the_engine_gives_what_the_rules_say(rows):
    table = pd.DataFrame([possible(row) | {"account": f"A{i}"} for i, row in enumerate(rows)])
    table = table.astype({"longest_gap": float, "p_gone": float})
    # Every scheme has data: one account that has everything, which is what leaves none out.
    full = ORDINARY | {"account": "Z", "overdue_90": 0.0, "abc_004": "A", "volume_90": 2.0}
    table = pd.concat([table, pd.DataFrame([full])], ignore_index=True)
    volume = table.loc[table["has_bought"], "volume_90"].astype(float)
    labels = assign_all(table, BOOK, contribution_cut_high=CUT)
    found = {account: dict(zip(g["scheme"], g["label"], strict=True)) for account, g in labels.groupby("account")}
    for row in table.fillna({"p_gone": 0.5}).replace({np.nan: None}).to_dict("records"):
        by_hand = rules_by_hand.labels(row, cut_high=CUT, volume_median=volume.median())
        assert found[row["account"]] == by_hand, row
