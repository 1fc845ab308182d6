"""Labels of accounts against the rules as they are written down, by hand and over every state."""

import itertools

import numpy as np
import pandas as pd
import pytest
from strategy_accounts import CUT, LOSS, ORDINARY, PEAK_HIGH, SILENT, UNKNOWN, flags, label, state, table

from kamlab import terms
from kamlab.strategies import assign, load_playbook
from kamlab.strategies.fields import INPUTS
from kamlab.strategies.states import derive

# ------------------------------------------------------------------------------------------------ quantities


@pytest.mark.parametrize(
    ("p_alive", "days_since_last", "longest_gap", "expected"),
    [
        (0.49, 126, 100, True),
        (0.50, 126, 100, False),  # p* itself is alive
        (0.49, 125, 100, False),  # exactly 1.25 gaps are not longer than 1.25 gaps
        (0.10, 289, 300, False),  # a seasonal buyer before its season
        (0.10, 366, UNKNOWN, True),  # no gap of its own: twelve months
        (0.10, 365, UNKNOWN, False),
        (UNKNOWN, 999, 100, False),
    ],
)
def test_silent_needs_both_the_model_and_its_own_rhythm(p_alive, days_since_last, longest_gap, expected):
    assert state("silent", p_alive=p_alive, days_since_last=days_since_last, longest_gap=longest_gap) is expected


@pytest.mark.parametrize(
    ("days_known", "trailing", "prior_peak", "expected"),
    [
        (730, 7e6, 10e6, True),
        (729, 7e6, 10e6, False),
        (730, 7.01e6, 10e6, False),
        (2000, 0, 0, False),  # nothing bought in 36 months: no year to shrink from
    ],
)
def test_shrinking(days_known, trailing, prior_peak, expected):
    given_values = {"days_known": days_known, "trailing_revenue": trailing, "prior_peak_revenue": prior_peak}
    assert state("shrinking", **given_values) is expected


def test_decline_needs_three_order_days():
    assert [state("decline", **SILENT, purchase_days=n) for n in (2, 3)] == [False, True]


@pytest.mark.parametrize(
    ("p_negative", "trailing_days", "expected"),
    [(0.8, 1, True), (0.79, 1, False), (1.0, 0, False), (UNKNOWN, 1, False)],
)
def test_negative_is_a_loss_while_it_buys(p_negative, trailing_days, expected):
    assert state("negative", p_negative=p_negative, trailing_purchase_days=trailing_days) is expected


@pytest.mark.parametrize(
    ("days", "known", "expected"), [(2, 1000, True), (3, 364, True), (3, 365, False), (1, 10, True)]
)
def test_new(days, known, expected):
    assert state("new", purchase_days=days, days_known=known) is expected


@pytest.mark.parametrize(
    ("peak", "margin", "expected"),
    [
        (20e6, 0.1, True),  # exactly the cut is High
        (19.9e6, 0.1, False),
        (2e6, UNKNOWN, True),  # no margin: revenue against the cut
        (1.9e6, UNKNOWN, False),
        (90e6, -0.1, False),
        (UNKNOWN, 0.1, False),
    ],
)
def test_peak_high(peak, margin, expected):
    assert state("peak_high", peak_revenue=peak, margin_rate=margin) is expected


@pytest.mark.parametrize(
    ("potential", "share", "contribution", "more", "expected"),
    [
        ("Mid", 0.7, "High", {}, True),
        ("High", 0.71, "High", {}, False),
        ("Low", 0.1, "Low", {}, False),
        (None, 0.1, "Low", {}, False),
        ("High", UNKNOWN, "Low", {}, True),
        ("High", UNKNOWN, "Mid", {}, False),
        ("High", 0.1, "Low", SILENT, False),
        ("High", 0.1, "Low", LOSS, False),
    ],
)
def test_future(potential, share, contribution, more, expected):
    classes = {"potential_class": potential, "contribution_class": contribution}
    assert state("future", wallet_share=share, **classes, **more) is expected


def test_returning_until_the_third_order():
    assert [state("returning", days_since_return=n) for n in (1, 2, 3, UNKNOWN)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purchase_days": 2, "longest_gap": 400.0, **PEAK_HIGH}, True),
        ({"purchase_days": 3, "longest_gap": 400.0, **PEAK_HIGH}, False),
        ({"purchase_days": 2, "longest_gap": 300.0, **PEAK_HIGH}, False),
        ({"purchase_days": 2, "longest_gap": 400.0}, False),
    ],
)
def test_two_large_orders_in_different_years_are_reviewed_and_not_won_back(changes, expected):
    lost = {"p_alive": 0.1, "days_since_last": 900, "trailing_revenue": 0, "trailing_purchase_days": 0}
    assert ("review" in flags(**changes, **lost)) is expected
    if expected:
        assert label(**changes, **lost)["strategy"] == "static"


# -------------------------------------------------------------------------------------------- levels and types


NINE_BOX = {
    ("High", "Low"): "B",
    ("High", "Mid"): "A",
    ("High", "High"): "A",
    ("Mid", "Low"): "B",
    ("Mid", "Mid"): "B",
    ("Mid", "High"): "A",
    ("Low", "Low"): "D",
    ("Low", "Mid"): "C",
    ("Low", "High"): "C",
}


@pytest.mark.parametrize(("cell", "expected"), NINE_BOX.items(), ids=str)
def test_type_is_the_cell_of_the_nine_box(cell, expected):
    got = label(contribution_class=cell[0], potential_class=cell[1])
    assert (got["nine_box"], got["type_000"]) == ("/".join(cell), expected)
    assert got["type_000_rule"] == f"type_000.{cell[0]}_{cell[1]}".lower()


def test_ten_of_fifty_million_is_mid_with_headroom_on_the_nine_box():
    """The worked example of document 000, on the revenue basis with its thresholds of 5 and 10 M."""
    example = {
        "trailing_revenue": 10e6,
        "peak_revenue": 10e6,
        "expected_contribution": 10e6,
        "margin_rate": UNKNOWN,
        "contribution_class": "High",
        "potential_revenue": 50e6,
        "wallet_share": 10e6 / 50e6,
    }
    got = assign(table(example, example | {"wallet_share": 0.2001}), contribution_cut_high=10e6)
    assert list(got["nine_box"]) == ["Mid/High", "High/High"]
    assert ["headroom" in f for f in got["flags"]] == [True, False]
    peaks = derive(table(example), playbook=load_playbook(), contribution_cut_high=10e6)
    assert peaks[["peak_high", "contribution_class"]].to_dict("records") == [
        {"peak_high": True, "contribution_class": "High"}
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"potential_source": "declared"}, False),
        ({"potential_source": "own_peak", "wallet_share": UNKNOWN}, True),
        ({"potential_source": "unknown", "wallet_share": UNKNOWN, "potential_class": None}, True),
        ({"potential_source": None, "wallet_share": UNKNOWN, "potential_class": None}, True),
        ({"days_known": 100}, True),
    ],
)
def test_provisional(changes, expected):
    got = label(**changes)
    assert got["provisional"] == expected == ("provisional" in got["flags"])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"contribution_class": "High", "potential_class": "Mid"}, "plan.type_a"),
        ({"contribution_class": "Low", "potential_class": "High"}, "plan.important_c"),
        ({"contribution_class": "Low", "potential_class": "Low", **SILENT, **PEAK_HIGH}, "plan.win_back"),
        ({"contribution_class": "Low", "potential_class": "Mid"}, "plan.none"),
        ({"has_bought": False, "potential_class": "High"}, "plan.none"),
    ],
)
def test_plan_required(changes, rule):
    got = label(**changes)
    assert (got["plan_required_rule"], got["plan_required"]) == (rule, rule != "plan.none")


# ---------------------------------------------------------------------------------------------- five strategies


@pytest.mark.parametrize(
    ("changes", "expected", "with_flags"),
    [
        ({"has_bought": False, "potential_class": "Mid"}, "acquire", set()),
        ({"has_bought": False, "potential_class": "Low"}, "static", set()),
        ({"has_bought": False, "potential_class": None}, "static", {"collect_data"}),
        (LOSS | {"strategic": True}, "retain", {"bz_strategic", "repair"}),
        (LOSS, "static", {"repair"}),
        (LOSS | SILENT | PEAK_HIGH, "static", {"repair"}),
        (SILENT | PEAK_HIGH, "win_back", set()),
        (SILENT | PEAK_HIGH | {"days_known": 300, "contribution_class": "Low"}, "static", {"lapsed", "new"}),
        ({"trailing_revenue": 1e6} | PEAK_HIGH, "win_back", set()),
        (SILENT | {"contribution_class": "High"}, "retain", {"watch"}),
        (SILENT | {"contribution_class": "Mid"}, "static", {"lapsed"}),
        ({"contribution_class": "Low", "potential_class": "Low"}, "static", set()),
        ({"contribution_class": "Low", "potential_class": "Mid"}, "static", set()),
        ({"contribution_class": "Low", "potential_class": "Mid", "wallet_share": 0.3}, "promote", {"future"}),
        ({"contribution_class": "Mid", "wallet_share": 0.3}, "promote", {"future"}),
        ({"contribution_class": "High", "wallet_share": 0.2}, "promote", {"future", "headroom"}),
        ({"contribution_class": "High", "wallet_share": 0.3}, "retain", {"future"}),
        ({"contribution_class": "Mid"}, "retain", set()),
        ({"contribution_class": "Mid", "wallet_share": 0.8}, "retain", {"saturated"}),
    ],
)
def test_strategy_and_flags(changes, expected, with_flags):
    got = label(**changes)
    assert got["strategy"] == expected
    assert set(filter(None, got["flags"].split(", "))) - {"provisional"} == with_flags


def test_without_margins_nothing_is_negative_and_peaks_are_revenue():
    got = label(margin_rate=UNKNOWN, p_negative=UNKNOWN, expected_contribution=9e6, **SILENT)
    assert got["strategy_rule"] == "win_back.silent"
    assert "peak_contribution=10000000.00; contribution_cut_high=2000000.00" in got["strategy_inputs"]


@pytest.mark.parametrize(
    ("owners", "flagged"),
    [
        (["Li Na", ""], [False, True]),
        (["Li Na", "  "], [False, True]),
        (["Li Na", None], [False, True]),
        (["", ""], [True, True]),
        ([None, None], [False, False]),  # no owners kept at all
    ],
)
def test_no_owner(owners, flagged):
    got = assign(table(*({"owner": owner} for owner in owners)), contribution_cut_high=CUT)
    assert [text.startswith("no_owner") for text in got["flags"]] == flagged


def test_a_table_with_the_least_columns_is_enough():
    optional = [name for name, field in INPUTS.items() if not field.required]
    least = table({}).drop(columns=["name", "owner", *optional], errors="ignore")
    got = assign(least, contribution_cut_high=CUT).iloc[0]
    assert (got["name"], got["owner"], got["type_000"], got["flags"]) == ("A0", "", "B", "provisional")


# ------------------------------------------------------------------------------------------------ every state


def expected_by_the_rules(row):
    """Type, strategy and rule-given flags, written straight from the rules with plain ifs."""
    judged = row.p_alive < 0.5 or row.purchase_days == 1 or row.trailing_purchase_days == 0
    silent = judged and (
        row.days_since_last > 1.25 * row.longest_gap or (np.isnan(row.longest_gap) and row.days_since_last > 365)
    )
    shrinking = row.days_known >= 730 and row.trailing_revenue <= 0.7 * row.prior_peak_revenue
    decline = (silent or shrinking) and row.purchase_days >= 3
    negative = row.p_negative >= 0.8 and row.trailing_purchase_days > 0
    new = row.purchase_days < 3 or row.days_known < 365
    peak_high = row.peak_revenue * row.margin_rate >= CUT
    roomy = row.wallet_share <= 0.7 or (np.isnan(row.wallet_share) and row.contribution_class == "Low")
    future = row.potential_class in ("Mid", "High") and roomy and not silent and not negative
    if not row.has_bought:
        if row.potential_class in ("Mid", "High"):
            return None, "acquire", set(), False
        return None, "static", set() if row.potential_class == "Low" else {"collect_data"}, False
    level = "Mid" if row.contribution_class == "High" and row.wallet_share <= 0.2 else row.contribution_class
    type_000 = NINE_BOX[level, row.potential_class if isinstance(row.potential_class, str) else "Low"]
    if negative:
        strategy, given_flags = ("retain", {"bz_strategic", "repair"}) if row.strategic else ("static", {"repair"})
    elif decline and peak_high and not new:
        strategy, given_flags = "win_back", set()
    elif silent:
        strategy, given_flags = ("retain", {"watch"}) if row.contribution_class == "High" else ("static", {"lapsed"})
    elif type_000 == "D" or (type_000 == "C" and not future):
        strategy, given_flags = "static", set()
    elif (type_000 == "C" or level == "Mid") and future:
        strategy, given_flags = "promote", set()
    else:
        strategy, given_flags = "retain", set()
    plan = type_000 == "A" or (type_000 == "C" and row.potential_class == "High") or strategy == "win_back"
    return type_000, strategy, given_flags, plan


def every_state():
    """Both sides of every threshold, in all combinations."""
    axes = {
        ("has_bought",): [(True,), (False,)],
        ("strategic",): [(True,), (False,)],
        ("p_alive", "days_since_last", "longest_gap"): [
            (0.9, 10, 30.0),
            (0.3, 30, 30.0),
            (0.3, 100, 30.0),
            (0.3, 400, UNKNOWN),
        ],
        ("trailing_revenue", "prior_peak_revenue"): [(9e6, 10e6), (7e6, 10e6)],
        ("days_known",): [(100,), (400,), (800,)],
        ("purchase_days",): [(2,), (5,)],
        ("trailing_purchase_days", "p_negative"): [(0, 0.9), (3, 0.9), (3, 0.1), (3, UNKNOWN)],
        ("peak_revenue",): [(20e6,), (10e6,)],
        ("contribution_class",): [(level,) for level in terms.LEVELS],
        ("potential_class",): [(level,) for level in (*terms.LEVELS, None)],
        ("wallet_share",): [(UNKNOWN,), (0.1,), (0.5,), (0.75,), (0.9,)],
    }
    names = [name for group in axes for name in group]
    rows = [sum(parts, ()) for parts in itertools.product(*axes.values())]
    states = pd.DataFrame(rows, columns=names)
    rest = {name: value for name, value in ORDINARY.items() if name not in (*names, "account")}
    return states.assign(**rest, account=[f"S{i}" for i in range(len(states))])


def test_every_state_has_one_label_and_it_is_the_one_of_the_rules():
    states = every_state()
    assert len(states) == 2 * 2 * 4 * 2 * 3 * 2 * 4 * 2 * 3 * 4 * 5
    got = assign(states, contribution_cut_high=CUT)
    wanted = [expected_by_the_rules(row) for row in states.itertuples()]
    rule_flags = {"collect_data", "bz_strategic", "repair", "watch", "lapsed"}
    by_text = {text: set(text.split(", ")) & rule_flags for text in got["flags"].unique()}
    types = [label if isinstance(label, str) else None for label in got["type_000"]]
    labels = list(zip(types, got["strategy"], got["flags"].map(by_text), got["plan_required"], strict=True))
    different = [i for i, (a, b) in enumerate(zip(labels, wanted, strict=True)) if a != b]
    assert not different, states.iloc[different[0]].to_dict() | {"got": labels[different[0]]}
    # Every rule of the five strategies is the first to fit somewhere: none is dead. (Here no prospect has a grade, and
    # nobody has only sent goods back.)
    strategy = next(scheme for scheme in load_playbook().schemes if scheme.id == "strategy")
    assert set(got["strategy_rule"]) == {rule.id for rule in strategy.rules} - {"prospect.graded", "returner.wait"}


@pytest.mark.parametrize(("grade", "strategy"), [("A", "acquire"), ("B", "acquire"), ("C", "static"), (None, "static")])
def test_a_prospect_whose_potential_nobody_knows_is_judged_by_its_pipeline(grade, strategy):
    unknown = {"has_bought": False, "potential_class": None, "potential_source": None, "prospect_004": grade}
    assert label(**unknown)["strategy"] == strategy


@pytest.mark.parametrize("potential", ["High", "Low", None])
def test_whoever_has_only_sent_goods_back_is_no_prospect(potential):
    returned = {"has_bought": False, "only_returned": True, "potential_class": potential, "prospect_004": "A"}
    got = label(**returned)
    assert (got["strategy"], got["strategy_rule"], got["flags"]) == ("static", "returner.wait", "collect_data")
    assert not state("prospect", **returned)


def test_an_owner_who_has_left_is_no_owner():
    assert label(owner="Li Na", owner_left=True)["flags"].startswith("no_owner")
    assert "no_owner" not in label(owner="Li Na", owner_left=False)["flags"]


def test_labels_never_contradict_the_states():
    states = every_state()
    got = assign(states, contribution_cut_high=CUT)
    is_ = derive(states, playbook=load_playbook(), contribution_cut_high=CUT)
    strategy, bought = got["strategy"], states["has_bought"]
    sells_more = strategy.isin(["promote", "win_back", "acquire"])
    assert not (is_["negative"] & sells_more).any()
    assert not (is_["silent"] & ((strategy == "promote") | is_["future"])).any()
    assert not (is_["saturated"] & ((strategy == "promote") | is_["future"])).any()
    assert not (is_["new"] & (strategy == "win_back")).any()
    assert not ((strategy == "promote") & ~is_["future"]).any()
    assert not ((strategy == "static") & is_["future"]).any()
    high = bought & (states["contribution_class"] == "High") & ~is_["negative"]
    assert not (high & (strategy == "static")).any()
    assert set(strategy[~bought]) == {"acquire", "static"}
    assert set(strategy[bought]) == {"promote", "retain", "win_back", "static"}


def test_a_one_time_buyer_is_silent_after_a_year_whatever_the_model_says():
    """BG/NBD gives every one-time buyer P(alive) = 1 by construction."""
    once = {"purchase_days": 1, "longest_gap": UNKNOWN, "p_alive": 1.0, "trailing_purchase_days": 0}
    assert label(**once, days_since_last=366, days_known=366)["strategy_rule"].startswith("silent.")
    assert not label(**once, days_since_last=300, days_known=300)["strategy_rule"].startswith("silent.")


def test_a_loss_that_is_likely_but_not_certain_is_flagged():
    assert "check_margin" in label(p_negative=0.6)["flags"]
    assert "check_margin" not in label(p_negative=0.4)["flags"]
    certain = label(p_negative=0.9)["flags"]
    assert "repair" in certain
    assert "check_margin" not in certain


def test_a_year_without_a_purchase_is_silence_even_where_the_model_sees_nobody_leave():
    quiet = {"p_alive": 1.0, "trailing_purchase_days": 0, "days_since_last": 400, "days_known": 900}
    assert label(**quiet, longest_gap=60)["strategy_rule"].endswith((".silent", ".watch", ".lapsed"))
    # Who orders every second year is not silent after 400 days.
    assert not label(**quiet, longest_gap=700)["strategy_rule"].startswith("silent.")
