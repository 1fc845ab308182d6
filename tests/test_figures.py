from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from kamlab.figures import (
    flow,
    forecast_record,
    lorenz,
    movement,
    nine_box,
    revenue_history,
    segment_profile,
    style,
    words,
)
from kamlab.i18n import Translator

T = Translator("en", currency="CNY")
FITTED = {"contribution": (1e6, 2e6), "potential": (5e6, 2e7)}
FIXED = {"contribution": (5e6, 1e7), "potential": (5e6, 1e7)}

ACCOUNTS = pd.DataFrame(
    {
        "account": list("abcdefg"),
        #                          High  High  Mid  Low  below  prospect  unknown potential
        "expected_contribution": [6e6, 2e6, 1.5e6, 5e4, -3e5, np.nan, 4e6],
        "potential_revenue": [5e7, 6e6, 3e7, 1e6, 2e4, 2.5e7, np.nan],
        "strategy": ["retain", "retain", "promote", "static", "static", "acquire", "win_back"],
    }
)
NAMES = {"bg_nbd": "Model", "last_horizon": "Same as last year", "rate": "Rate", "always_0": "Nobody"}
BACKTEST = pd.DataFrame(
    [
        ("bg_nbd", "model", "2024-12-31", 100.0, 91.0),
        ("last_horizon", "baseline", "2024-12-31", 100.0, 104.0),
        ("rate", "baseline", "2024-12-31", 100.0, 290.0),
        ("always_0", "baseline", "2024-12-31", 100.0, 0.0),
        ("bg_nbd", "model", "2023-12-31", 80.0, 88.0),
        ("last_horizon", "baseline", "2023-12-31", 80.0, 80.0),
    ],
    columns=["forecaster", "kind", "origin", "actual", "forecast"],
).assign(origin=lambda b: pd.to_datetime(b["origin"]), target="revenue", bias=lambda b: b["forecast"] / b["actual"] - 1)
PROFILE = pd.DataFrame(
    {
        "segment": [1, 2, 3],
        "segment_name": ["Large regular buyers", "Small growing buyers", "Small silent buyers, less frequent"],
        "accounts": [20, 30, 50],
        "share_accounts": [0.2, 0.3, 0.5],
        "contribution": [9e6, 6e5, 4e5],
        "share_contribution": [0.9, 0.06, 0.04],
        "mean_contribution": [4.5e5, 2e4, 8e3],
        "expected_contribution": [4e5, 2e4, 1e4],
        "silence": [10.0, 30.0, 500.0],
        "growth": [0.0, np.log(1.5), np.nan],
        "order_interval": [20.0, 60.0, 90.0],
        "tenure": [5.0, 5.0, 5.1],
        "breadth": [3.0, 3.0, 3.0],
        "margin_rate": [0.24, 0.25, 0.3],
        "p_alive": [0.99, 0.95, 1.0],
    }
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def crosstab():
    cells = {("Low", "Low"): (50, 2e6), ("Low", "Mid"): (7, 3e6), ("Mid", "Low"): (2, 1e6), ("High", "High"): (1, 9e6)}
    order = ["Low", "Mid", "High"]
    rows = []
    for fixed, fitted in product(order, order):
        step = order.index(fitted) - order.index(fixed)
        moves = "stays" if step == 0 else "up" if step > 0 else "down"
        rows.append((fixed, fitted, *cells.get((fixed, fitted), (0, 0.0)), moves))
    return pd.DataFrame(rows, columns=["fixed", "fitted", "accounts", "money", "moves"])


def months(n=30, start="2023-07-01"):
    return pd.DataFrame({"month": pd.date_range(start, periods=n, freq="MS"), "revenue": [1e6] * (n - 12) + [2e6] * 12})


def every_figure():
    """Name → a function that draws it anew."""
    return {
        "nine_box": lambda: nine_box.draw(ACCOUNTS, T, fitted=FITTED, fixed=FIXED, value_name="Contribution"),
        "lorenz": lambda: lorenz.draw(ACCOUNTS["expected_contribution"], T, value_name="Contribution"),
        "movement": lambda: movement.draw(crosstab(), T, axis_name="Contribution"),
        "revenue": lambda: revenue_history.draw(months(), T, expected=2.1e7, lower=1.8e7, upper=2.5e7),
        "record": lambda: forecast_record.draw(BACKTEST, T, names=NAMES),
        "profile": lambda: segment_profile.draw(PROFILE, T),
    }


def written(figure):
    return [text.get_text().replace("\u00a0", " ") for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("name", list(every_figure()))
def test_figures_fit_the_page_and_are_the_same_bytes_each_time(name):
    draw = every_figure()[name]
    figure = draw()
    assert figure.get_size_inches()[0] == style.WIDTH_INCHES
    assert figure.get_suptitle()
    svg = style.to_svg(figure)
    assert svg == style.to_svg(draw())
    with style.style():
        figure = draw()
        figure.canvas.draw()
        box = figure.get_tightbbox()
        assert box.x0 >= -0.01  # inches: nothing is cut off at the sides
        assert box.x1 <= style.WIDTH_INCHES + 0.01


def test_the_nine_box_counts_accounts_and_money_in_each_box():
    figure = nine_box.draw(ACCOUNTS, T, fitted=FITTED, fixed=FIXED, value_name="Contribution")
    texts = written(figure)
    # rows Low, Mid, High contribution; the prospect and the loss stand in the Low row, the unknown nowhere
    assert [w for w in texts if "·" in w] == [
        "2 · −250 k",
        "0 · 0",
        "1 · 0",
        "0 · 0",
        "0 · 0",
        "1 · 1.50 M",
        "0 · 0",
        "1 · 2.00 M",
        "1 · 6.00 M",
    ]
    assert figure.get_suptitle() == (
        "2 accounts of high contribution bring 84% of the total; others with high potential: 2"
    )
    assert {"2 M", "20 M", "10 M", "Retain: 2", "Acquire: 1", "fixed border"} <= set(texts)
    assert "Win back: 1" not in texts
    said = nine_box.alt(ACCOUNTS, T, fitted=FITTED).replace("\u00a0", " ")
    assert "contribution High, potential Mid: accounts 1, CNY 2.00 M" in said
    assert said.endswith("unknown: accounts 1.")


def test_who_stands_in_no_box_is_in_none_of_the_described_ones():
    """A prospect has no box of the playbook; it must not be read out as one of the highest."""
    boxes = [None if name == "acquire" else "Low/Low" for name in ACCOUNTS["strategy"]]
    said = nine_box.alt(ACCOUNTS.assign(nine_box=boxes), T, fitted=FITTED)
    assert "contribution Low, potential Low" in said
    assert "contribution High" not in said


def test_points_stand_at_their_values_and_the_rest_in_the_margin():
    figure = nine_box.draw(ACCOUNTS, T, fitted=FITTED, value_name="Contribution")
    axes = figure.axes[0]
    points = {c.get_label().split(":")[0]: c.get_offsets().data.tolist() for c in axes.collections}
    assert points["Retain"] == [[5e7, 6e6], [6e6, 2e6]]
    ((x, y),) = points["Acquire"]
    assert x == 2.5e7
    assert axes.get_ylim()[0] < y < 5e4  # under the smallest value that is drawn
    assert "fixed border" not in written(figure)


def overlapping(figure, texts):
    """Pairs of texts that cover each other once the figure is drawn."""
    with style.style():
        figure.canvas.draw()
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [(a, b) for i, (a, one) in enumerate(boxes) for b, other in boxes[:i] if one.overlaps(other)]


CLOSE = {"near": (1e6, 1.05e6), "nearer": (1e6, 1.01e6), "far": (1e6, 2e6)}


@pytest.mark.parametrize(("rows", "columns"), [("near", "near"), ("nearer", "far"), ("far", "nearer")])
def test_labels_of_close_borders_do_not_cover_each_other(rows, columns):
    fitted = {"contribution": CLOSE[rows], "potential": tuple(5 * c for c in CLOSE[columns])}
    fixed = {axis: tuple(1.02 * c for c in cuts) for axis, cuts in fitted.items()}
    figure = nine_box.draw(ACCOUNTS, T, fitted=fitted, fixed=fixed, value_name="Contribution")
    assert overlapping(figure, figure.axes[0].texts) == []


def test_without_potential_there_is_no_nine_box():
    unknown = ACCOUNTS.assign(potential_revenue=np.nan)
    assert nine_box.draw(unknown, T, fitted=FITTED, value_name="Revenue") is None
    assert nine_box.draw(ACCOUNTS, T, fitted={"contribution": (1.0, 2.0)}, value_name="Revenue") is None


def test_the_lorenz_curve_finds_who_brings_80_percent():
    # 50 + 30 of 100 come from 2 of 5 accounts; the loss and the missing value do not count
    values = pd.Series([5.0, 50.0, 10.0, 30.0, 5.0, -40.0, np.nan])
    assert lorenz.accounts_for(values) == 0.4
    assert lorenz.accounts_for(values, 0.81) == 0.6
    assert lorenz.accounts_for(pd.Series([7.0] * 10)) == 0.8
    assert lorenz.title(values, T, value_name="Contribution") == "Contribution: 40% of the accounts bring 80%"
    assert lorenz.alt(values, T, value_name="Contribution").endswith("The largest tenth of the accounts brings 50%.")
    assert lorenz.draw(pd.Series([0.0, -1.0]), T, value_name="Contribution") is None


def test_the_cross_table_shows_who_moves_with_the_money():
    figure = movement.draw(crosstab(), T, axis_name="Contribution")
    texts = written(figure)
    assert [w for w in texts if "account" in w and "borders" not in w] == [
        "50 accounts",
        "7 accounts",
        "2 accounts",
        "1 account",
    ]
    assert {"CNY 3.00 M", "higher", "lower", "same class"} <= set(texts)
    assert figure.get_suptitle().replace("\n", " ") == (
        "Contribution: the fitted borders put 7 of 60 accounts higher and 2 lower than the fixed ones"
    )
    assert "fixed Mid, fitted Low: accounts 2" in movement.alt(crosstab(), T, axis_name="Contribution")
    assert movement.draw(crosstab().iloc[:0], T, axis_name="Contribution") is None


def test_the_revenue_history_states_the_year_its_change_and_the_forecast():
    said = revenue_history.title(months(), T, expected=2.1e7).replace("\u00a0", " ")
    assert said == "Revenue of the last 12 months CNY 24.0 M (+100%); next 12 months CNY 21.0 M expected"
    short = revenue_history.title(months(14), T, expected=2.1e7).replace("\u00a0", " ")
    assert short == "Revenue so far CNY 26.0 M; next 12 months CNY 21.0 M expected"
    figure = revenue_history.draw(months(), T, expected=2.1e7)
    assert {"CNY 12.0 M", "CNY 24.0 M", "CNY 21.0 M\nexpected"} <= set(written(figure))
    assert len(figure.axes[0].patches) == 30
    assert "Interval: CNY 18.0 M to CNY 25.0 M." in revenue_history.alt(
        months(), T, expected=2.1e7, lower=1.8e7, upper=2.5e7
    ).replace("\u00a0", " ")


def test_months_without_revenue_are_empty_bars():
    gap = months(30).drop(index=[3, 4])
    heights = [bar.get_height() for bar in revenue_history.draw(gap, T, expected=1.0).axes[0].patches]
    assert heights[2:6] == [1e6, 0, 0, 1e6]
    assert len(heights) == 30


def test_the_record_names_the_miss_of_the_model_and_of_the_nearest_rule():
    assert forecast_record.title(BACKTEST, T, names=NAMES) == (
        "The last forecast of all accounts was off by −9%; the nearest simple rule, “Same as last year”, by +4%"
    )
    figure = forecast_record.draw(BACKTEST, T, names=NAMES)
    axes = figure.axes[0]
    marks = {line.get_label(): line.get_xdata().tolist() for line in axes.lines if not line.get_label().startswith("_")}
    assert marks["Model"] == [91.0, 88.0]
    assert marks["Rate"] == [200.0]  # 290 stands at the end of the axis
    assert "290" in written(figure)
    assert "Nobody" not in marks
    assert [bar.get_width() for bar in axes.patches] == [100.0, 80.0]
    assert "From 31 Dec 2023: Model CNY 88.0, came CNY 80.0." in forecast_record.alt(BACKTEST, T, names=NAMES).replace(
        "\u00a0", " "
    )
    assert forecast_record.draw(BACKTEST.iloc[:0], T, names=NAMES) is None


def test_purchases_are_shown_where_there_is_no_revenue():
    purchases = BACKTEST.assign(target="purchases")
    assert forecast_record.draw(purchases, T, names=NAMES).axes[0].get_xlabel().startswith("Purchases")


def test_the_profile_prints_each_value_in_its_unit_and_shades_by_difference():
    figure = segment_profile.draw(PROFILE, T)
    texts = written(figure)
    assert {"400 k", "10.0 k", "10 d", "500 d", "0%", "+50%", "–", "5.0 y", "30%", "20%", "90%"} <= set(texts)
    assert not {"Product\nlines", "Still\nbuys"} & set(texts)  # the same in all segments; certain of single orders
    shades = figure.axes[0].images[0].get_array()
    heads = [w.get_text() for w in figure.axes[0].get_xticklabels()]
    assert heads[:2] == ["Expected\nvalue", "Last\norder\nago"]
    # ln(1 + v / 20,000): the median value is 20,000
    logs = np.log1p([20, 1, 0.5])
    np.testing.assert_allclose(shades[:, 0], (logs - logs[2]) / (logs[0] - logs[2]), atol=1e-12)
    assert shades.mask.tolist()[2][heads.index("Growth")]
    # a tenth of a year is no difference worth shading: 0.1 / (4 x 0.5) around the middle
    np.testing.assert_allclose(shades[:, heads.index("Known\nfor")], [0.475, 0.475, 0.525])
    assert figure.get_suptitle() == "Large regular buyers: 20% of the accounts bring 90% of the expected value"
    assert "Small silent buyers, less frequent: Expected value 10.0 k" in segment_profile.alt(PROFILE, T).replace(
        "\u00a0", " "
    )
    assert segment_profile.draw(PROFILE.head(1), T) is None


@given(st.text(alphabet="ab 客户（。", max_size=60), st.integers(4, 20))
def test_wrapping_loses_nothing_and_keeps_to_the_width(text, width):
    lines = words.wrapped(text, width).split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        size = sum(2 if ord(c) > 0x2E00 else 1 for c in line)
        assert size <= width or " " not in line.strip()


def test_chinese_titles_break_without_spaces():
    assert words.wrapped("高贡献客户带来大部分价值", 10) == "高贡献客户\n带来大部分\n价值"
    assert words.wrapped("最近12个月，收入（净额）为9亿。", 10) == "最近12个\n月，收入\n（净额）为\n9亿。"


def test_amounts_on_axes_are_as_short_as_they_can_be():
    assert [words.brief(v, T).replace("\u00a0", " ") for v in (1e6, 2.5e6, 1e8, 1e3, 500, 0)] == [
        "1 M",
        "2.50 M",
        "100 M",
        "1 k",
        "500",
        "0",
    ]


MOVES = pd.DataFrame(
    {
        "before": ["Low", "Low", "Mid", "High", "High", None, "Mid"],
        "after": ["Low", "Mid", "High", "High", "Low", "Low", None],
        "money": [1e5, 2e6, 4e6, 9e6, -5e5, 3e5, 1e6],
    }
)


def panel(moves=MOVES):
    return flow.Panel("fixed", "fitted", moves, "{up} accounts higher and {down} lower than by the fixed thresholds")


def test_streams_hold_every_account_with_a_class_and_the_title_says_who_moved():
    streams = panel().streams().set_index(["before", "after"])
    assert streams["accounts"].sum() == 6  # one account has no class afterwards
    assert streams.loc[("unknown", "Low"), "accounts"] == 1
    # a loss has no width, and counts in the sum that is printed
    assert streams.loc[("High", "Low"), ["money", "drawn"]].tolist() == [-500_000.0, 0.0]
    figure = flow.draw([panel(), panel()], T)
    assert len(figure.axes) == 2
    said = "2 accounts higher and 1 lower than by the fixed thresholds"
    assert figure.get_suptitle().replace("\n", " ") == f"{said}; {said}"
    written = " ".join(text.get_text().replace("\u00a0", " ") for text in figure.axes[0].texts)
    assert "High\n2 · CNY 8.50 M" in written
    assert "not yet known\n1 · CNY 300 k" in written
    alt = flow.alt([panel()], T).replace("\u00a0", " ")
    assert "from Low to Mid: accounts 1, CNY 2.00 M" in alt


def test_bars_are_as_high_as_the_value_of_their_class():
    figure = flow.draw([panel()], T)
    heights = [p.get_height() for p in figure.axes[0].patches if hasattr(p, "get_height") and p.get_x() < 0]
    total = MOVES["money"].iloc[:6].clip(lower=0).sum()
    # unknown, Low, Mid, High from the bottom up; the loss is drawn as the thinnest stream
    assert heights == pytest.approx(
        [3e5 / total, 2.1e6 / total + flow.LEAST - 1e5 / total, 4e6 / total, 9e6 / total + flow.LEAST], abs=flow.LEAST
    )
    assert flow.draw([panel(MOVES.assign(after=None))], T) is None


def test_labels_of_thin_classes_and_dates_do_not_cover_each_other():
    thin = pd.DataFrame({"before": [None, "Low", "Mid", "High"], "after": ["Low", "Low", "Mid", "High"]})
    figure = flow.draw([panel(thin.assign(money=[1e2, 1e2, 1e2, 9e6]))] * 2, T)
    for axes in figure.axes:
        assert overlapping(figure, axes.texts) == []


def test_many_accounts_darken_the_ground_of_the_nine_boxes():
    rng = np.random.default_rng(0)
    n = 300
    many = pd.DataFrame(
        {
            "account": [f"A{i}" for i in range(n)],
            "expected_contribution": rng.lognormal(14, 1, n),
            "potential_revenue": rng.lognormal(16, 1, n),
            "strategy": "retain",
        }
    )
    figure = nine_box.draw(many, T, fitted=FITTED, fixed=FIXED, value_name="Value")
    ground = [c for c in figure.axes[0].collections if type(c).__name__ == "PolyCollection"]
    assert len(ground) == 1
    # cells with one account stay white, no cell is counted that the picture does not show
    assert ground[0].get_array().min() >= 2
    assert ground[0].get_array().sum() <= n
    few = nine_box.draw(many.head(50), T, fitted=FITTED, fixed=FIXED, value_name="Value")
    assert not [c for c in few.axes[0].collections if type(c).__name__ == "PolyCollection"]
