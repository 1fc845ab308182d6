"""Growth compares windows with the same number of festivals: counted in the almanac, revenue by hand."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

import kamlab as kl
from kamlab import features, growth
from kamlab.i18n import Translator
from kamlab.period import StudyPeriod
from kamlab.reports.sections.source import uneven_festivals
from kamlab.revenue import revenue_windows

FESTIVAL = ["spring_festival"]
# First days of the lunar year, from the astronomical almanac.
NEW_YEARS = [date(2021, 2, 12), date(2022, 2, 1), date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29)]
REST_DAYS = 14


def ends(as_of):
    return growth.compared_period(StudyPeriod(as_of), FESTIVAL).calibration_end


def test_windows_move_back_until_both_hold_as_many_festivals():
    # February 2023 to January 2024 holds none, the twelve months before two: 1 February 2022 and 22 January 2023. The
    # later window holds one as soon as it begins on 22 January 2023; the earlier one then still holds the other.
    assert ends(date(2024, 1, 31)) == date(2024, 1, 21)
    # A year later it is two (10 February 2024, 29 January 2025) against none. The later window gives up the newer on 28
    # January; the earlier one reaches back to 22 January 2023, 729 days, only on 20 January.
    assert ends(date(2025, 1, 31)) == date(2025, 1, 20)
    assert ends(date(2025, 12, 31)) == date(2025, 12, 31)


def test_without_festivals_nothing_moves():
    assert growth.compared_period(StudyPeriod("2024-01-31"), []) == StudyPeriod("2024-01-31")


@pytest.mark.parametrize("festival", ["tet", "spring_festival"])
def test_fair_windows_are_found_for_every_day_of_six_years(festival):
    for n in range(0, 6 * 365, 5):
        as_of = date(2020, 1, 1) + timedelta(days=n)
        held = growth.compared_period(StudyPeriod(as_of), [festival])
        starts = [held.window_start(days) for days in (365, 730)]
        stops = [held.calibration_end, starts[0] - timedelta(days=1)]
        first_days = [day for year in range(2017, 2027) for day in kl.calendar.first_days(festival, year)]
        later, earlier = (sum(a <= d <= b for d in first_days) for a, b in zip(starts, stops, strict=True))
        assert later == earlier
        assert (as_of - held.calibration_end).days <= 31


@pytest.fixture(scope="module")
def steady():
    """An account that buys for 10 every day, but for a fortnight from each new year on; and one that began late."""
    days = pd.date_range("2021-01-01", "2024-01-31")
    rest = {first + timedelta(days=n) for first in NEW_YEARS for n in range(REST_DAYS)}
    lines = [("steady", day.date(), 10) for day in days if day.date() not in rest]
    return kl.read_ledger(
        pd.DataFrame([*lines, ("late", date(2024, 1, 25), 5)], columns=["a", "d", "n"]),
        columns={"account": "a", "date": "d", "amount": "n"},
    )


def test_an_account_that_rests_at_new_year_alone_neither_grows_nor_shrinks(steady):
    period = StudyPeriod("2024-01-31")
    summary = kl.summarize(steady, period)
    plain = summary.set_index("account").loc["steady"]
    # 365 days without a rest against 365 of which 14 + 14 were one: 31 January 2023 lies in the rest of 22 January on.
    assert (plain["trailing_revenue"], plain["previous_revenue"]) == (3610, 3410)
    found = growth.windows(steady, period, summary, FESTIVAL).set_index("account")
    assert found.loc["steady"].to_dict() == {
        **{"trailing_revenue": 3510, "previous_revenue": 3510},
        **{"trailing_purchase_days": 351, "previous_purchase_days": 351, "shift_days": 10},
    }
    assert found.loc["late"].tolist() == [0, 0, 0, 0, 10]
    unmoved = growth.windows(steady, period, summary, [])
    pd.testing.assert_frame_equal(unmoved.drop(columns="shift_days"), summary[["account", *growth.COLUMNS]])


def test_features_take_their_growth_from_these_windows(steady):
    period = StudyPeriod("2024-01-31")
    summary = kl.summarize(steady, period)
    names = ["expected_contribution", "expected_purchases", "p_alive", "margin_rate"]
    forecast = summary[["account"]].assign(**dict.fromkeys(names, 1.0), basis="revenue")
    potential = summary[["account"]].assign(potential_source="unknown", headroom=np.nan)
    tables = summary, forecast, summary[["account"]], potential
    fair = features.build(*tables, windows=growth.windows(steady, period, summary, FESTIVAL))
    assert fair["growth"].tolist() == pytest.approx([np.nan, 0.0], nan_ok=True)
    assert features.build(*tables)["growth"][1] == pytest.approx(np.log(3620 / 3420))


def test_the_report_says_what_is_compared(steady):
    period = StudyPeriod("2024-01-31")
    facts = growth.facts(steady, period, FESTIVAL, revenue_windows(steady, period))
    assert facts == {
        **{"trailing": 0, "previous": 2, "end": "2024-01-21"},
        **{"compared_trailing": 3510.0, "compared_previous": 3510.0},
    }

    class Run:
        def read_facts(self, name):
            return {"festivals": facts}[name]

    Run.period = period
    said = " ".join(uneven_festivals(Run(), Translator("en")))
    assert "fall 0 times into the last 12 months and 2 times into the 12 before" in said
    assert "that of the 12 months to 21 Jan 2024, which hold as many" in said.replace("\u00a0", " ")
    assert "Between these windows, revenue changed by 0%." in said
