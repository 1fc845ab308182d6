"""Where growth and loss come from: the picture's finding and bars, and when the chapter says nothing."""

import pandas as pd
import pytest
from fake_run import FakeRun

from kamlab import dimensions
from kamlab.figures import gains as picture
from kamlab.figures.words import letters, shortened
from kamlab.i18n import Translator
from kamlab.reports.sections import gains

T = Translator("en", currency="CNY")


def rows(**change):
    return pd.DataFrame({"value": list(change), "change": list(map(float, change.values()))})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"north": 5e6, "south": -2e6, "unknown": -9e6},
            "Region: north gained most (CNY 5.00 M), south lost most (CNY 2.00 M)",
        ),
        ({"north": 5e6, "south": 1e6}, "Region: north gained most (CNY 5.00 M); none lost"),
        ({"north": -5e6, "south": 0.0}, "Region: north lost most (CNY 5.00 M); none gained"),
        ({"north": 0.0, "south": 0.0}, "Region: nothing changed"),
    ],
)
def test_the_finding_names_who_gained_and_who_lost_most(change, said):
    assert picture.finding("Region", rows(**change), T).replace("\xa0", " ") == said


def test_the_bars_of_many_values_keep_the_largest_losses_and_add_up():
    change = {f"p{i:02}": 100.0 + i for i in range(12)} | {"minus": -3.0, "less": -40.0}
    found = picture.bars(rows(**change), T)
    assert [name for name, _ in found] == ["p11", "p10", "p09", "p08", "p07", "minus", "less", "All others"]
    assert dict(found)["All others"] == sum(range(100, 107))
    assert sum(amount for _, amount in found) == sum(change.values())


def test_eight_values_have_a_bar_each():
    assert len(picture.bars(rows(**{f"p{i}": i - 4.0 for i in range(8)}), T)) == 8


@pytest.mark.parametrize(
    ("text", "cut"),
    [("Trains", "Trains"), ("Trucks and Buses and Trains", "Trucks and Buses an…"), ("中" * 11, "中" * 9 + "…")],
)
def test_a_long_name_is_cut_visibly(text, cut):
    assert shortened(text, 20) == cut
    assert letters(cut) <= 20


def a_run(*, previous=170.0, **columns):
    windows = pd.DataFrame(
        [
            ("a", "p", "cars", 100.0, 150.0, 10, 15),
            ("b", "p", "cars", 0.0, 40.0, 0, 4),
            ("c", "q", "ships", 70.0, 0.0, 7, 0),
        ],
        columns=[
            "account",
            "product",
            "product_line",
            "revenue_before",
            "revenue_now",
            "quantity_before",
            "quantity_now",
        ],
    )
    changes = dimensions.change_by_account(windows)
    by_line = dimensions.change_by_account(windows, by=("account", "product_line"))
    accounts = pd.DataFrame({"account": list("abc"), "has_bought": True, "p_alive": 0.9, "expected_contribution": 1.0})
    parts = dimensions.table(accounts.assign(clv=1.0, **columns), changes, by_line=by_line)
    facts = {"revenue": {"previous": previous}, "freshness": {"first_line": "2024-01-01"}, "value": {}}
    return FakeRun({"changes": changes, "dimensions": parts, "forecast": pd.DataFrame({"basis": ["revenue"]})}, facts)


def kinds(run):
    return [block.kind for block in gains.section(run, T)]


def test_a_company_with_regions_and_product_lines_sees_both():
    blocks = gains.section(a_run(region=["north", "north", "south"]), T)
    assert [block.kind for block in blocks] == ["page_break", "text", "figure", "table", "table", "table"]
    drawn = blocks[2].to_json()
    for part in ("Region: north gained most (CNY 90.0), south lost most (CNY 70.0)", "Product line: cars gained most"):
        assert part in drawn["alt"].replace("\xa0", " ")
    assert [row[:2] for row in blocks[5].rows] == [["cars", "90.0"], ["ships", "−70.0"], ["All accounts", "20.0"]]


def test_product_lines_alone_are_shown_once():
    assert kinds(a_run()) == ["page_break", "text", "figure", "table"]


def test_a_log_of_one_year_says_why_there_is_no_picture():
    blocks = gains.section(a_run(previous=None), T)
    assert "too short" in blocks[-1].to_json()["markdown"]
    assert "figure" not in [block.kind for block in blocks]
