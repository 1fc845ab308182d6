import numpy as np
import pandas as pd

from kamlab import schemes, terms, tiers
from kamlab.schemes import fitted_000

FIXED = dict.fromkeys(schemes.AXES, (5e6, 10e6))
FITTED = {"contribution": tiers.by_hand((1e6, 4e6)), "potential": tiers.by_hand((2e6, 30e6))}
TABLE = pd.DataFrame(
    {
        "account": ["d", "a", "b", "c", "p"],
        "expected_contribution": [-1e6, 10e6, 5e6, 1.5e6, np.nan],
        "trailing_revenue": [4e6, 10e6, 5e6, 1.5e6, np.nan],
        "potential_revenue": [np.nan, 50e6, 20e6, 10e6, 8e6],
    }
)


def test_both_schemes_class_every_account_side_by_side():
    table = schemes.assign(TABLE, FITTED, FIXED)
    assert list(table.columns) == [c.name for c in terms.TABLES["schemes"]]
    table = table.set_index("account").astype(object).where(lambda t: t.notna(), None)
    assert list(table.index) == ["a", "b", "c", "d", "p"]
    assert list(table["contribution_class_fixed"]) == [
        "High",
        "Mid",
        "Low",
        "Low",
        None,
    ]  # exactly 10 M is High
    assert list(table["contribution_class"]) == ["High", "High", "Mid", "Low", None]
    assert list(table["potential_class_fixed"]) == ["High", "High", "High", None, "Mid"]
    assert list(table["potential_class"]) == ["High", "Mid", "Mid", None, "Mid"]


def test_an_axis_without_borders_has_no_classes():
    table = schemes.assign(TABLE, {"contribution": FITTED["contribution"]}, FIXED)
    assert table["potential_class"].isna().all()
    assert table["potential_class_fixed"].notna().sum() == 4


def test_the_cross_table_counts_every_classed_account_once_with_its_money():
    table = schemes.assign(TABLE, FITTED, FIXED)
    money = TABLE.set_index("account")["expected_contribution"]
    cells = schemes.crosstab(table, "contribution", money=money)
    assert list(zip(cells["fixed"], cells["fitted"], strict=True))[:4] == [
        ("Low", "Low"),
        ("Low", "Mid"),
        ("Low", "High"),
        ("Mid", "Low"),
    ]
    filled = cells[cells["accounts"] > 0].set_index(["fixed", "fitted"])
    assert filled["accounts"].to_dict() == {
        ("Low", "Low"): 1,
        ("Low", "Mid"): 1,
        ("Mid", "High"): 1,
        ("High", "High"): 1,
    }
    assert filled["money"].to_dict() == {
        ("Low", "Low"): -1e6,
        ("Low", "Mid"): 1.5e6,
        ("Mid", "High"): 5e6,
        ("High", "High"): 10e6,
    }
    assert filled["moves"].tolist() == ["stays", "up", "up", "stays"]
    assert cells["moves"].value_counts().to_dict() == {"stays": 3, "up": 3, "down": 3}
    assert schemes.crosstab(table, "potential", money=money)["accounts"].sum() == 4


def test_a_scheme_without_its_columns_is_left_out_and_named():
    table = TABLE.drop(columns="potential_revenue")
    lacking = ("potential_revenue",)
    assert schemes.left_out(table) == {"fitted_000": lacking, "fixed_000": lacking}
    assert schemes.left_out(TABLE) == {}
    assert list(schemes.assign(table, FITTED, FIXED).columns) == ["account"]


def test_each_scheme_is_registered_under_the_name_of_its_file():
    assert list(schemes.SCHEMES) == ["fitted_000", "fixed_000"]
    assert schemes.SCHEMES["fitted_000"] is fitted_000.SCHEME
    files = {s.classify.__module__.rsplit(".", 1)[1] for s in schemes.SCHEMES.values()}
    assert files == set(schemes.SCHEMES)
