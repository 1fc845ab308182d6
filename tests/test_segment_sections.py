"""What the pages say of segments and potentials."""

import numpy as np
import pandas as pd
from fake_run import FakeRun, T, plain

from kamlab.reports.sections import (
    potential,
    segments,
)

SEGMENTS = FakeRun(
    {
        "profile": pd.DataFrame(
            {"segment": [1, 2], "segment_id": [4, 2], "segment_name": ["Large regular buyers", "Small silent buyers"]}
        ),
        "segment_rules": pd.DataFrame(
            {
                "rule": [1],
                "segment": [1],
                "conditions": [
                    '[{"feature": "expected_contribution", "at_least": 3200000.0, "under": null}, '
                    '{"feature": "wallet_share", "at_least": null, "under": 0.4}]'
                ],
                "accounts": [5],
                "share_right": [0.8],
            }
        ),
        "segments": pd.DataFrame(
            {
                "account": ["A", "B", "C", "D"],
                "segment": [1, 1, 2, 2],
                "segment_id": [4, 4, 2, 2],
                "probability": [0.55, 0.99, 0.5, 0.98],
                "second_segment": [2.0, 2.0, 1.0, 1.0],
                "second_probability": [0.45, 0.01, 0.5, 0.02],
                "borderline": [True, False, True, False],
                "previous_segment_id": [2.0, 4.0, 7.0, np.nan],
            }
        ),
        "accounts": pd.DataFrame({"account": list("ABCD"), "name": ["Alpha", "Beta", "Gamma", "Delta"]}),
        "forecast": pd.DataFrame(
            {"account": list("ABCD"), "expected_contribution": [1e3, 9e3, 5e3, 1.0], "basis": "contribution"}
        ),
        "features": pd.DataFrame({"account": list("ABCD"), "expected_contribution": [1e3, 9e3, 5e3, 1.0]}),
    },
    {"segmentation": {"reproduced": 0.875, "dominant": "B", "found": True}},
)


def test_rules_print_the_fitted_thresholds_and_what_they_reproduce():
    (table,) = segments.rules(SEGMENTS, T)
    assert [plain(cell) for cell in table.rows[0]] == [
        "Large regular buyers",
        "Expected value ≥ EUR 3.20 M and Share of wallet < 40%",
        "5",
        "80%",
    ]
    assert plain(table.note) == (
        "The rules put 88% of the accounts into their segment. No rule this short tells these apart: "
        "Small silent buyers."
    )


def test_borderline_accounts_are_listed_by_value():
    (table,) = segments.borderline(SEGMENTS, T)
    assert [[plain(cell) for cell in row] for row in table.rows] == [
        ["Gamma", "EUR 5.00 k", "Small silent buyers 50%", "Large regular buyers 50%"],
        ["Alpha", "EUR 1.00 k", "Large regular buyers 55%", "Small silent buyers 45%"],
    ]
    assert table.caption == "2 borderline accounts."


def test_movement_between_runs_follows_the_lasting_numbers():
    said, table = segments.movement(SEGMENTS, T)
    assert said.markdown == "Of 3 accounts that had a segment in the run before, 2 are in another one now."
    assert table.rows == [
        ["Small silent buyers", "Large regular buyers", "1"],
        ["a segment that is gone", "Small silent buyers", "1"],
    ]
    first = FakeRun({"segments": SEGMENTS.tables["segments"].assign(previous_segment_id=np.nan)})
    (alone,) = segments.movement(first, T)
    assert alone.markdown.startswith("No earlier run of this company")


def test_an_account_that_brings_most_of_the_money_is_named():
    (remark,) = segments.dominant(SEGMENTS, T)
    assert remark.tone == "warning"
    assert plain(remark.title).startswith("Beta alone brings 60% of the expected value")
    assert segments.dominant(FakeRun({}, {"segmentation": {"dominant": ""}}), T) == []


def test_potentials_are_printed_by_source_with_the_check_of_the_fit():
    run = FakeRun(
        {
            "potential": pd.DataFrame(
                {
                    "potential_source": ["own_peak", "fitted", "fitted"],
                    "potential_revenue": [5.0, 10.0, 20.0],
                    "wallet_share": [np.nan, 0.2, 0.4],
                    "headroom": [1.0, 2.0, 3.0],
                }
            ),
            "potential_fit": pd.DataFrame(
                {
                    "channel": ["end user"],
                    "given": ["firmographics"],
                    "accounts": [312],
                    "coverage": [0.888],
                    "skill": [0.35],
                    "used": [True],
                    "reason": ["in use"],
                }
            ),
            "look_alikes": pd.DataFrame(
                {"account": ["P", "P"], "rank": [1, 2], "look_alike": ["A", "B"], "revenue": [5e6, 1e3]}
            ),
            "accounts": pd.DataFrame({"account": ["A", "B", "P"], "name": ["Alpha", "Beta", "Pi"]}),
        }
    )
    (table,) = potential.sources(run, T)
    assert [[plain(cell) for cell in row] for row in table.rows] == [
        ["fitted to similar accounts", "2", "EUR 30.0", "30%", "EUR 5.00"],
        ["own best 12 months", "1", "EUR 5.00", "–", "EUR 1.00"],
    ]
    (table,) = potential.fits(run, T)
    assert [plain(cell) for cell in table.rows[0]] == [
        *("end user", "industry, place, size", "312", "88.8%", "35%", "in use")
    ]
    (table,) = potential.look_alikes(run, T)
    assert [plain(cell) for cell in table.rows[0]] == ["Pi", "Alpha (EUR 5.00 M)", "Beta (EUR 1.00 k)"]
    none = FakeRun({"potential_fit": run.tables["potential_fit"].head(0)})
    assert potential.fits(none, T)[0].markdown.startswith("No potential is fitted")
