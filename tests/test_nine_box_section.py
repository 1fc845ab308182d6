"""What the report says beside the nine boxes."""

import pandas as pd

from kamlab.i18n import Translator
from kamlab.reports.sections.nine_box import _caption


def test_an_account_of_unknown_potential_is_not_said_to_give_little_of_what_it_buys():
    accounts = pd.DataFrame(
        {
            "potential_revenue": [10.0, 20.0, float("nan")],
            "nine_box": ["High/Mid", "Mid/Low", "Low/Low"],
            "contribution_class": ["High", "High", "Low"],
            "potential_class": ["Mid", "Low", None],
        }
    )
    said = _caption(accounts, 1.0, Translator("en"), dashed=False)
    assert "1 account without a known potential is not drawn." in said
    assert "1 account that gives us little of what it buys stands in the box" in said
