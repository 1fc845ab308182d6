"""Hours spread over accounts: by hand, against a general optimiser, and as a reader sees it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from kamlab import effort
from kamlab.config import Company, Config, Source, Transactions
from kamlab.effort import LEAST_KEPT, MOST_GIVEN, spread
from kamlab.i18n import Translator
from kamlab.reports.sections import effort as section

T = Translator("en", currency="EUR")


def test_inside_the_bounds_marginal_gains_are_equal():
    # hours ∝ stake^(1 / (1 − e)): with e = 0.5 hours of 1.1² : 1 stand as 1.21 : 1.
    found = spread(np.array([1.1, 1.0]), np.array([110.5, 110.5]), usual=100, power=0.5)
    assert found.tolist() == pytest.approx([121, 100])


def test_against_a_general_optimiser():
    rng = np.random.default_rng(3)
    stake, hours, usual, power = rng.gamma(0.5, 100, 6), rng.gamma(1, 30, 6), 30.0, 0.3
    high = MOST_GIVEN * np.maximum(hours, usual)
    best = minimize(
        lambda h: -(stake * (h / usual) ** power).sum(),
        hours,
        bounds=list(zip(LEAST_KEPT * hours, high, strict=True)),
        constraints={"type": "eq", "fun": lambda h: h.sum() - hours.sum()},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    found = spread(stake, hours, usual=usual, power=power)
    assert (stake * (found / usual) ** power).sum() == pytest.approx(-best.fun, rel=1e-6)
    assert found == pytest.approx(best.x, abs=0.05)  # the optimum is flat: hours agree less closely than gains


numbers = st.floats(0, 1e6).map(lambda x: round(x, 3))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8), st.floats(0.05, 0.9))
def test_hours_are_kept_within_bounds_and_never_won_by_less(rows, power):
    stake, hours = np.array(rows).T
    usual = hours[hours > 0].mean() if (hours > 0).any() else 1.0
    found = spread(stake, hours, usual=usual, power=power)
    assert found.sum() == pytest.approx(hours.sum())
    assert (found >= LEAST_KEPT * hours - 1e-6 * hours.sum()).all()
    assert (found <= np.maximum(hours, MOST_GIVEN * np.maximum(hours, usual)) + 1e-6 * hours.sum()).all()
    won, wins = ((stake * (h / usual) ** power).sum() for h in (hours, found))
    assert wins >= won * (1 - 1e-9)


ACCOUNTS = pd.DataFrame(
    {
        "account": list("abcd"),
        "owner": ["Li", "Li", "Wu", None],
        "expected_contribution": [100.0, 50.0, 80.0, 10.0],
        "p_alive": [0.9, 0.8, 0.9, 0.9],
    }
)
ROOMS = pd.DataFrame(
    {
        "account": list("abcd"),
        "strategy": ["promote", "static", "retain", "promote"],
        "room_contribution": [900.0, 0, 8, 70],
    }
)
SHARES = {"promote": (0.1, 0.1, 0.1), "retain": (0.2, 0.2, 0.2)}
HOURS = pd.Series({"a": 10.0, "b": 32.0, "d": 18.0})


def proposal(**options):
    return effort.propose(ACCOUNTS, ROOMS, HOURS, shares=SHARES, elasticity=(0.5, 0.5, 0.5), **options)


def test_hours_move_within_an_owner_and_the_gain_is_said():
    shift = proposal()
    table = shift.table.set_index("account")
    assert shift.usual_hours == 20
    # b keeps three quarters of 32; a gets the rest; Wu has no hours, and d nobody who could move them.
    assert table["hours_proposed"].to_dict() == pytest.approx({"a": 18, "b": 24, "c": 0, "d": 18})
    # At risk: a 100 / 0.9 × 0.1, b 50 / 0.8 × 0.2; c's is its room.
    assert table["value_at_risk"].to_dict() == pytest.approx({"a": 100 / 9, "b": 12.5, "c": 0, "d": 10 / 9})
    a = (90 + 0.2 * 100 / 9) * (np.sqrt(18 / 20) - np.sqrt(10 / 20))
    b = 0.2 * 12.5 * (np.sqrt(24 / 20) - np.sqrt(32 / 20))
    assert table["gain"].to_dict() == pytest.approx({"a": a, "b": b, "c": 0, "d": 0})
    assert (shift.gain, shift.lower, shift.upper) == pytest.approx((a + b,) * 3)
    assert shift.at_stake == 50
    assert shift.facts()["moved"] == pytest.approx(8)


def test_the_interval_holds_the_range_of_the_assumptions():
    shares = {"promote": (0.0, 0.1, 0.2), "retain": (0.2, 0.2, 0.2)}
    shift = effort.propose(ACCOUNTS, ROOMS, HOURS, shares=shares, elasticity=(0.1, 0.5, 0.9), n_draws=4000)
    assert shift.lower < shift.gain < shift.upper
    again = effort.propose(ACCOUNTS, ROOMS, HOURS, shares=shares, elasticity=(0.1, 0.5, 0.9), n_draws=4000)
    pd.testing.assert_frame_equal(shift.table, again.table)


def test_nothing_moves_where_nothing_is_at_stake():
    rooms = ROOMS.assign(strategy="static", room_contribution=0.0)
    shift = effort.propose(ACCOUNTS.assign(p_alive=1.0), rooms, HOURS, shares=SHARES, elasticity=(0.1, 0.3, 0.5))
    assert shift.facts()["moved"] == 0
    assert shift.gain == 0


class FakeRun:
    config = Config(
        company=Company(name="Acme", currency="EUR"),
        source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
    )

    def __init__(self, tables, facts):
        self._tables, self._facts = tables, facts

    def read(self, name, *, columns=(), where=None):
        return self._tables[name]

    def read_facts(self, name):
        return self._facts[name]


def said(blocks):
    return " ".join(str(block.to_json()) for block in blocks).replace("\\xa0", " ").replace("\xa0", " ")


def test_the_section_names_the_assumption_and_where_it_breaks():
    shift = proposal()
    tables = {
        "effort": shift.table,
        "accounts": pd.DataFrame({"account": list("abcd"), "name": ["*Ace*", "B", "C", "D"]}),
    }
    tables["forecast"] = pd.DataFrame({"basis": ["contribution"]})
    run = FakeRun(tables, {"effort": {**shift.facts(), "capacity": 100.0, "beyond": 1}})
    text = said(section.section(run, T))
    for part in (
        "53% of the hours go to accounts under “Wait and see”, where 1% of the headroom and value at risk lies",
        "Moving 8 of 60 hours",
        "is an assumption, no measurement",
        "The gain is gone if accounts that get fewer hours bring",
        "60 hours of the 100",
        "*Ace*",
        "1 account would get fewer hours.",
    ):
        assert part in text


def test_without_hours_one_line_says_so():
    empty = FakeRun({"effort": proposal().table.iloc[:0]}, {"effort": {}})
    assert "No hours are given" in said(section.section(empty, T))
    assert section.line(empty, T) == []
