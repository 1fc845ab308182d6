import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kamlab.hysteresis import WHY, follow
from kamlab.tiers import by_hand

CUTS = by_hand((10.0, 100.0))


def period(**accounts):
    rows = [(name, *values) for name, values in accounts.items()]
    return pd.DataFrame(rows, columns=["account", "value", "lower", "upper"])


def test_classes_followed_by_hand_over_three_quarters():
    first = period(a=(5, 1, 20), b=(50, 20, 200), c=(5, 1, 8), d=(200, 110, 300), f=(50, 20, 90))
    second = period(a=(50, 8, 90), b=(150, 60, 400), c=(50, 12, 90), d=(-1, -5, 300), e=(5, 1, 9), f=(120, 60, 500))
    third = period(a=(500, 8, 900), b=(50, 60, 400), c=(5, 2, 11), d=(5, 5, 300), e=(5, 1, 9), f=(5, 1, 60))
    tables = [t.set_index("account") for t in follow([first, second, third], CUTS)]
    assert tables[0]["before"].isna().all()
    assert set(tables[0]["why"]) == {"first_seen"}
    assert tables[1]["held"].to_dict() == {"a": "Low", "b": "Mid", "c": "Mid", "d": "Low", "e": "Low", "f": "Mid"}
    assert tables[1]["why"].to_dict() == {
        # c's lower bound is above the border; d has fallen to nothing; e is new; the others stay until it is sure
        **{"a": "waits", "b": "waits", "c": "cleared", "d": "cleared", "e": "first_seen", "f": "waits"},
    }
    # a asked for Mid, then for High: two quarters above Low, of which Mid is the lower; f was above and is now below
    assert tables[2]["held"].to_dict() == {"a": "Mid", "b": "Mid", "c": "Mid", "d": "Low", "e": "Low", "f": "Mid"}
    assert tables[2]["why"].to_dict() == {
        **{"a": "second_period", "b": "stays", "c": "waits", "d": "stays", "e": "stays", "f": "waits"},
    }


def test_a_sure_change_goes_as_far_as_the_interval_is_sure():
    before = period(a=(5, 1, 8), b=(5, 1, 8), c=(500, 200, 900))
    after = period(a=(500, 20, 900), b=(500, 150, 900), c=(2, 0, 50))
    (_, last) = follow([before, after], CUTS)
    assert last["held"].tolist() == ["Mid", "High", "Mid"]
    assert last["now"].tolist() == ["High", "High", "Low"]


bounds = hnp.arrays(float, (3, 8, 3), elements=st.floats(-50, 1000))


@settings(deadline=None, max_examples=20)
@given(numbers=bounds)
def test_a_class_moves_only_towards_the_value_and_no_further(numbers):
    numbers = np.sort(numbers, axis=2)
    accounts = {f"{i}": None for i in range(8)}
    periods = [period(**dict(zip(accounts, p[:, [1, 0, 2]], strict=True))) for p in numbers]
    followed = follow(periods, CUTS)
    rank = {"Low": 0, "Mid": 1, "High": 2}
    for table, values in zip(followed, periods, strict=True):
        before, now, held = (table[c].map(rank) for c in ("before", "now", "held"))
        assert held.notna().all()
        assert set(table["why"]) <= set(WHY)
        known = before.notna()
        assert (held[known] >= np.minimum(before, now)[known]).all()
        assert (held[known] <= np.maximum(before, now)[known]).all()
        assert (held[values["value"] <= 0] == 0).all()
    # what came first does not depend on what came later, and the same again moves nobody from the second time on
    assert all(a.equals(b) for a, b in zip(follow(periods[:2], CUTS), followed[:2], strict=True))
    again = follow([*periods, periods[-1], periods[-1]], CUTS)
    assert (again[-1]["held"] == again[-1]["now"]).all()
    assert (again[-1]["held"] == again[-2]["held"]).all()


def test_a_missing_interval_clears_nothing():
    before, after = period(a=(5, 1, 8)), period(a=(50, np.nan, np.nan))
    assert follow([before, after], CUTS)[-1]["held"].tolist() == ["Low"]
