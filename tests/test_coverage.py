"""People by the ratio, loads, moves and contacts, worked out by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from kamlab import coverage, terms
from kamlab.errors import ModelError

AS_OF = date(2025, 12, 31)


def accounts(*rows):
    """Rows: account, owner, coverage_004, expected_contribution, region."""
    table = pd.DataFrame(rows, columns=["account", "owner", "coverage_004", "expected_contribution", "region"])
    return table.assign(plan_required=table["coverage_004"].isin(list(coverage.ACCOUNTS_PER_PERSON)))


def test_the_documents_ratio():
    """A 1:1, B 1:2, C 1:3 to 1:5, everybody else from the pool of 60."""
    labels = pd.Series(["one"] * 4 + ["two"] * 6 + ["three_to_five"] * 15 + ["pooled"] * 120 + ["self_service"] * 500)
    got = coverage.headcount(labels, pd.Series(["Li", "Wu", "", None, "Li"]))
    assert got == coverage.Headcount(had=2, least=4 + 3 + 3 + 2, most=4 + 3 + 5 + 2)


def test_load_and_state():
    rows = [(f"a{i}", "Li", "two", 1.0, "n") for i in range(3)] + [
        ("b", "Wu", "one", 2.0, "n"),
        ("c", "", "one", 2.0, "n"),
    ]
    got = coverage.load(accounts(*rows), active={"Li", "Zhao"}).set_index("owner")
    assert list(got.reset_index()) == [column.name for column in terms.TABLES["coverage"]]
    assert got["load"].to_dict() == {"Li": 1.5, "Wu": 1.0, "Zhao": 0.0}
    assert got["state"].to_dict() == {"Li": "over", "Wu": "absent", "Zhao": "under"}
    assert got.loc["Li", "key_accounts"] == 3


def test_relations_stay_where_they_can():
    rows = [
        *((f"a{i}", "Li", "two", 10.0 - i, "n") for i in range(4)),  # load 2: two may stay, a3 and a2 move
        ("b", "Wu", "two", 5.0, "n"),
        ("c", "", "two", 5.0, "s"),
        ("d", "Gone", "two", 5.0, "s"),
        ("e", "Zhao", "two", 5.0, "s"),
    ]
    got = coverage.reassign(accounts(*rows), active={"Li", "Wu", "Zhao"}).set_index("account")
    assert got["reason"].to_dict() == {"a2": "overload", "a3": "overload", "c": "unassigned", "d": "absent"}
    # Wu and Zhao have room for one more each; both regions keep their accounts, and nobody has room for the rest.
    assert sorted(got["proposed"]) == ["", "", "Wu", "Zhao"]
    assert got.loc[["a2", "a3"], "proposed"].isin(["Wu", ""]).all()
    assert got.loc[["c", "d"], "proposed"].isin(["Zhao", ""]).all()


def test_nobody_is_pushed_over_the_limit():
    rng = np.random.default_rng(4)
    kinds = rng.choice(["one", "two", "three_to_five", "pooled"], 200, p=[0.05, 0.1, 0.15, 0.7])
    owners = rng.choice(["p1", "p2", "p3", "p4", "left", ""], 200)
    rows = [(f"a{i:03}", owners[i], kinds[i], float(rng.random()), "n") for i in range(200)]
    table = accounts(*rows)
    active = {f"p{i}" for i in range(1, 30)}
    moves = coverage.reassign(table, active=active).set_index("account")["proposed"]
    after = table.assign(owner=[moves.get(a, o) for a, o in zip(table["account"], table["owner"], strict=True)])
    assert (coverage.load(after, active=active)["load"] <= coverage.DEFAULT.load[1] + 1e-9).all()
    assert (moves != "").all(), "29 people have room for everybody"


def test_without_people_nothing_is_proposed():
    got = coverage.reassign(accounts(("a", "", "one", 1.0, "n")), active=set())
    assert got[["account", "proposed", "reason"]].to_numpy().tolist() == [["a", "", "unassigned"]]


@pytest.mark.parametrize(
    ("label", "gap", "interval", "basis"),
    [
        ("14", np.nan, 14, "class"),
        ("14", 20.0, 10, "rhythm"),
        ("14", 4.0, 7, "rhythm"),  # never more often than weekly
        ("30", 40.0, 20, "rhythm"),
        ("30", 10.0, 14, "rhythm"),
        ("90", 300.0, 90, "class"),
        ("90", 10.0, 30, "rhythm"),
    ],
)
def test_interval_is_the_classes_or_half_the_accounts_own_gap(label, gap, interval, basis):
    row = pd.DataFrame([{"account": "a", "owner": "Li", "cadence_002": label, "median_gap": gap}])
    got = coverage.cadence(row, as_of=AS_OF).iloc[0]
    assert (got["interval_days"], got["interval_basis"], got["overdue_days"]) == (interval, basis, 0)


def test_overdue_contacts():
    table = pd.DataFrame(
        {
            "account": ["fresh", "late", "never", "prospect"],
            "owner": ["Li", None, "Li", "Li"],
            "cadence_002": "14",
            "median_gap": np.nan,
            "first_purchase": pd.to_datetime(["2024-01-01", "2024-01-01", "2025-12-01", None]),
        }
    )
    dates = pd.to_datetime(["2025-12-25", "2025-12-01", "2026-01-05"])
    contacts = pd.DataFrame({"account": ["fresh", "late", "late"], "date": dates})
    got = coverage.cadence(table, contacts, as_of=AS_OF).set_index("account")
    assert list(got.reset_index()) == [column.name for column in terms.TABLES["cadence"]]
    assert got["overdue_days"].to_dict() == {"fresh": 0, "late": 16, "never": 16, "prospect": 0}
    assert got.loc["late", "last_contact"] == pd.Timestamp("2025-12-01"), "a later contact is not known yet"


def test_an_unknown_interval_is_refused():
    row = pd.DataFrame([{"account": "a", "owner": "Li", "cadence_002": "7", "median_gap": 1.0}])
    with pytest.raises(ModelError, match="cadence_002 has 7; it must be one of 14, 30, 90"):
        coverage.cadence(row, as_of=AS_OF)
