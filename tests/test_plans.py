"""Account plans: who gets one, what the data shows of an account and asks for, and the tables of a small company."""

import json
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamlab.config import Plans
from kamlab.plans import Known, make, select
from kamlab.plans.cases import newest_competitors, running_projects, usual_mix
from kamlab.plans.need import at_stake, capacities
from kamlab.plans.notes import Notes
from kamlab.plans.people import role_of
from kamlab.plans.proposals import agreed, quarter_ends
from kamlab.side_tables import at_work
from kamlab.terms import TABLES

AS_OF = date(2025, 12, 31)
DAY = pd.Timestamp(AS_OF)


def needing(**columns):
    """Accounts that need a plan; what is not given is worth nothing."""
    n = len(columns["account"])
    base = {"owner": ["Ann"] * n, "plan_required": [True] * n, "strategy": ["retain"] * n, "headroom": [0.0] * n}
    base |= {"expected_contribution": [0.0] * n, "peak_revenue": [0.0] * n, "margin_rate": [0.5] * n}
    return pd.DataFrame(base | columns)


def test_what_is_at_stake_is_computed_by_hand():
    accounts = needing(
        account=["kept", "lost", "loss", "unknown"],
        strategy=["promote", "win_back", "retain", "win_back"],
        expected_contribution=[100.0, 5.0, -30.0, None],
        headroom=[40.0, None, 10.0, None],
        peak_revenue=[900.0, 400.0, 100.0, 70.0],
        margin_rate=[0.5, 0.25, 0.5, None],
    )
    # 100 + 40; the best year's 400 at 25 %; a loss counts as nothing; without a margin rate the best year's revenue
    assert at_stake(accounts).tolist() == [140.0, 100.0, 10.0, 70.0]


def test_each_person_keeps_as_many_plans_as_the_hours_allow_those_with_most_at_stake_first():
    accounts = needing(
        account=["A1", "A2", "A3", "B1", "C1"],
        owner=["Ann", "Ann", "Ann", "Bob", "Ann"],
        expected_contribution=[10.0, 30.0, 20.0, 1.0, 99.0],
        plan_required=[True, True, True, True, False],
    )
    owners = pd.DataFrame({"owner": ["Ann", "Bob"], "capacity_hours": [450.0, None], "active_to": pd.NaT})
    capacity = capacities(owners, Plans(hours_per_plan=200))
    assert capacity == {"Ann": 2}
    active = at_work(owners, accounts["owner"], AS_OF)
    chosen = select(accounts, Plans(), capacity=capacity, active=active).set_index("account")
    assert chosen["planned"].to_dict() == {"A1": False, "A2": True, "A3": True, "B1": True}
    assert chosen.loc["A1", ["place", "capacity", "why_not"]].tolist() == [3, 2, "capacity"]
    assert chosen.loc["B1", "capacity"] == Plans().plans_per_owner, "no hours are known"


def test_a_list_of_people_by_other_names_takes_nobody_off_an_account():
    accounts = needing(account=["1", "2"], owner=["1370.0", "1165.0"], expected_contribution=[1.0, 2.0])
    people = pd.DataFrame({"owner": ["1370", "1165"], "active_to": pd.NaT})
    active = at_work(people, accounts["owner"], AS_OF)
    assert select(accounts, Plans(), active=active)["responsible"].tolist() == ["1370.0", "1165.0"]


def test_accounts_of_nobody_and_of_people_who_have_left_are_kept_together():
    accounts = needing(account=["1", "2", "3"], owner=["Ann", None, "Gone"], expected_contribution=[1.0, 2.0, 3.0])
    owners = pd.DataFrame(
        {
            "owner": ["Ann", "Gone"],
            "capacity_hours": [1000.0, 1000.0],
            "active_to": [pd.NaT, DAY - pd.Timedelta(days=1)],
        }
    )
    active = at_work(owners, accounts["owner"], AS_OF)
    chosen = select(accounts, Plans(without_owner=1), active=active).set_index("account")
    assert chosen["responsible"].to_dict() == {"1": "Ann", "2": "", "3": ""}
    assert chosen["why_not"].to_dict() == {"1": "", "2": "no_owner", "3": ""}


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Ann", "Bob", "", None]), st.floats(0, 1e9), st.booleans()), min_size=1, max_size=30
    ),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_no_person_has_more_plans_than_fit_and_none_that_needs_one_is_forgotten(rows, most, unowned):
    accounts = needing(
        account=[f"A{n:02d}" for n in range(len(rows))],
        owner=[owner for owner, _, _ in rows],
        expected_contribution=[value for _, value, _ in rows],
        plan_required=[needed for _, _, needed in rows],
    )
    chosen = select(accounts, Plans(plans_per_owner=most, without_owner=unowned))
    assert set(chosen["account"]) == set(accounts.loc[accounts["plan_required"], "account"])
    for person, own in chosen.groupby("responsible"):
        planned = own[own["planned"]]
        assert len(planned) == min(len(own), most if person else unowned)
        left = own.loc[~own["planned"], "at_stake"]
        assert left.empty or planned.empty or planned["at_stake"].min() >= left.max()
    assert (chosen["why_not"] == "").equals(chosen["planned"])


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Decider", "decider"),
        ("Giám đốc", "decider"),
        ("总经理", "decider"),
        ("purchasing", "buyer"),
        ("Compras", "buyer"),
        ("采购部", "buyer"),
        ("production", "user"),
        ("Kỹ thuật", "technical"),
        ("quality department", "technical"),
        ("Kế toán trưởng", "finance"),
        ("gatekeeper", "other"),
    ],
)
def test_roles_are_understood_in_four_languages(text, role):
    assert role_of(text) == role


def test_projects_that_are_over_are_left_out():
    rows = pd.DataFrame(
        {
            "project": ["on", "finished", "ended", "ends_today", "undated"],
            "status": ["running", "Finished ", "running", "running", None],
            "end": [DAY + pd.Timedelta(days=9), DAY + pd.Timedelta(days=9), DAY - pd.Timedelta(days=1), DAY, pd.NaT],
        }
    )
    assert running_projects(rows, AS_OF)["project"].tolist() == ["on", "ends_today", "undated"]


def test_of_a_competitor_the_last_word_counts():
    rows = pd.DataFrame(
        {
            "account": "A",
            "competitor": ["Rival", "Rival", "Other"],
            "product_line": ["Feed", "Feed", "Food"],
            "share": [0.9, 0.2, 0.3],
            "date": pd.to_datetime(["2024-01-01", "2025-06-01", "2025-01-01"]),
        }
    )
    assert newest_competitors(rows)[["competitor", "share"]].to_numpy().tolist() == [["Other", 0.3], ["Rival", 0.2]]


def test_what_is_usual_in_an_industry_is_said_from_enough_buyers_on():
    mix = pd.DataFrame({"account": list("abcde"), "Feed": [1.0, 0.5, 1.0, 0.0, 1.0], "Food": [0.0, 0.5, 0.0, 1.0, 0.0]})
    industries = pd.Series({"a": "feed", "b": "feed", "c": "feed", "d": "feed", "e": "other"})
    found = usual_mix(mix, industries, least=4, only=mix["account"]).set_index(["account", "product_line"])["usual"]
    assert found["a", "Feed"] == pytest.approx(3 / 4)
    assert found["a", "Food"] == pytest.approx(2 / 4)
    assert pd.isna(found["e", "Feed"])


def test_actions_are_overdue_from_the_day_after_and_done_for_a_quarter():
    rows = pd.DataFrame(
        {
            "account": "A",
            "action": ["late", "today", "old", "new", "undated"],
            "due": [DAY - pd.Timedelta(days=1), DAY, DAY, DAY, pd.NaT],
            "done": [pd.NaT, pd.NaT, DAY - pd.Timedelta(days=92), DAY - pd.Timedelta(days=91), pd.NaT],
        }
    )
    states = agreed(rows, AS_OF).set_index("action")["state"].to_dict()
    assert states == {"late": "overdue", "today": "open", "undated": "open", "new": "done"}


@pytest.mark.parametrize(
    ("as_of", "start", "first"),
    [
        (date(2025, 12, 31), 1, [date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30), date(2026, 12, 31)]),
        (date(2025, 12, 30), 1, [date(2025, 12, 31)]),
        (date(2024, 2, 10), 12, [date(2024, 2, 29), date(2024, 5, 31)]),
        (date(2025, 1, 1), 4, [date(2025, 3, 31), date(2025, 6, 30)]),
    ],
)
def test_plans_are_reviewed_at_the_ends_of_fiscal_quarters(as_of, start, first):
    assert quarter_ends(as_of, fiscal_year_start_month=start, n=len(first)) == first


def company(**side):
    """Three accounts: one to keep with a rival inside, one to win back without an owner, and one that needs no plan."""
    accounts = pd.DataFrame(
        {
            "account": ["A", "B", "C"],
            "name": ["Alpha", "Beta", "Gamma"],
            "owner": ["Ann", None, "Ann"],
            "industry": ["feed", "food", "feed"],
            "channel": "end user",
            "country": "Vietnam",
            "size": "L",
            "type_000": ["A", "B", "D"],
            "strategy": ["retain", "win_back", "static"],
            "strategy_rule": ["retain.value", "win_back.silent", "static.type_d"],
            "plan_required": [True, True, False],
            "plan_required_rule": ["plan.type_a", "plan.win_back", "plan.none"],
            "flags": ["future", "no_owner", ""],
            "expected_contribution": [100.0, 0.0, 1.0],
            "expected_revenue": [400.0, 0.0, 4.0],
            "headroom": [50.0, 300.0, 0.0],
            "peak_revenue": [450.0, 800.0, 5.0],
            "prior_peak_revenue": [300.0, 800.0, 5.0],
            "trailing_revenue": [450.0, 0.0, 4.0],
            "previous_revenue": [300.0, 500.0, 4.0],
            "trailing_purchase_days": [12, 0, 1],
            "trailing_largest_order": [60.0, None, 4.0],
            "days_known": [1200.0, 1200.0, 900.0],
            "growth_lower": [0.1, None, None],
            "margin_rate": [0.4, 0.25, 0.25],
            "p_alive": [0.97, 0.02, 0.5],
            "p_negative": [0.0, 0.0, 0.0],
            "wallet_share": [0.6, None, None],
            "potential_source": ["declared", "own_peak", "own_peak"],
        }
    )
    cadence = pd.DataFrame(
        {"account": ["A", "B", "C"], "interval_days": [14, 14, 90], "last_contact": pd.NaT}
        | {"next_contact": DAY + pd.Timedelta(days=14)}
    )
    credit = pd.DataFrame(
        {"account": ["A"], "credit_002": ["AA"], "overdue_90": [70.0], "disputed": [0.0], "disputed_90": [0.0]}
        | {"days_beyond_terms": [3.0]}
    )
    deals = pd.DataFrame(columns=["account", "deal", "product", "opened", "value", "p_win", "weighted_value"])
    mix = pd.DataFrame({"account": ["A", "C"], "Feed": [1.0, 0.5], "Food": [0.0, 0.5]})
    notes = side.pop("notes", Notes({"A": {"needs": "purity"}}, {"A": date(2025, 12, 1)}))
    return Known(accounts, credit, cadence, deals, mix, side, notes)


PERSONS = pd.DataFrame(
    {
        "account": ["A", "A", "A", "B"],
        "name": ["Ba", "Di", "Left", "Bo"],
        "role": ["buyer", None, "decider", "user"],
        "department": [None, "quality", None, None],
        "active_to": [pd.NaT, pd.NaT, DAY, pd.NaT],
    }
)


def plan(tables, name, account):
    rows = tables[name]
    return rows[rows["account"] == account]


def test_the_tables_have_the_documented_columns_and_nobody_without_a_plan():
    tables = make(company(persons=PERSONS), Plans(), as_of=AS_OF)
    for name, rows in tables.items():
        assert list(rows.columns) == [column.name for column in TABLES[name]], name
        assert set(rows["account"]) <= {"A", "B"}, name


def test_the_card_the_target_and_the_review_are_computed_by_hand():
    tables = make(company(persons=PERSONS), Plans(), as_of=AS_OF, fiscal_year_start_month=1)
    row = plan(tables, "plans", "A").iloc[0]
    # Known are industry, channel, country, size, owner, potential, people and needs, of 16 facts.
    assert row["card_share"] == pytest.approx(8 / 16)
    assert row["card_missing"].startswith("decider, contact, competitors, address")
    assert row["roles_missing"] == "decider, user, finance"
    assert (row["review"], row["updated"]) == (pd.Timestamp("2026-03-31"), pd.Timestamp("2025-12-01"))
    assert not row["stale"]
    assert plan(tables, "plans", "B")["stale"].item(), "nobody has ever written on it"


def test_strengths_weaknesses_opportunities_and_threats_follow_from_the_numbers():
    rivals = pd.DataFrame(
        {"account": ["A"], "competitor": ["Rival"], "product_line": ["Food"], "share": [0.3], "date": [DAY]}
    )
    complaints = pd.DataFrame(
        {"account": ["A", "A"], "date": [DAY, DAY], "closed": [pd.NaT, DAY], "satisfaction": [None, 4.0]}
    )
    tables = make(company(persons=PERSONS, competitors=rivals, complaints=complaints), Plans(), as_of=AS_OF)
    found = plan(tables, "plan_findings", "A")
    codes = found.groupby("part")["finding"].agg(list).to_dict()
    assert codes == {
        "strength": ["share_high", "grown", "faithful"],
        "weakness": ["complaints", "no_decider", "one_line"],
        "opportunity": ["headroom"],
        "threat": ["overdue", "rival", "dependence"],
    }
    values = found.set_index("finding")["finding_values"].map(json.loads)
    assert values["share_high"] == {"share": 0.6}
    assert values["grown"] == {"money": 450.0, "before": 300.0}
    assert values["rival"] == {"name": "Rival", "line": "Food", "share": 0.3}
    assert values["dependence"]["share"] == pytest.approx(450 / 454)
    assert plan(tables, "plan_findings", "B")["finding"].tolist() == [
        *("shrunk", "no_decider", "recover", "headroom", "no_owner", "leaving")
    ]


def test_without_a_table_nothing_is_missing_from_it():
    found = make(company(), Plans(), as_of=AS_OF)
    assert "no_decider" not in set(found["plan_findings"]["finding"])
    assert "find_decider" not in set(found["plan_actions"]["action"])
    assert plan(found, "plans", "A")["roles_missing"].item() == ""


def test_what_is_proposed_has_somebody_who_does_it_and_a_day():
    tables = make(company(persons=PERSONS), Plans(), as_of=AS_OF)
    proposed = plan(tables, "plan_actions", "B").set_index("action")
    assert proposed.index.tolist() == ["name_owner", "ask_reason", "decide_recovery", "find_decider", "ask_potential"]
    assert proposed.loc["name_owner", ["department", "due"]].tolist() == ["management", pd.Timestamp("2026-01-14")]
    assert proposed["who"].isna().all(), "nobody is responsible"
    own = plan(tables, "plan_actions", "A").set_index("action")
    assert own.loc["settle", "action_values"] == '{"money": 70.0}'
    assert own.loc["find_decider", "who"] == "Ann"


def test_a_reason_that_people_gave_is_not_asked_for_again():
    told = Notes({"B": {"reason_lost": "late deliveries"}}, {})
    tables = make(company(notes=told), Plans(), as_of=AS_OF)
    assert "ask_reason" not in plan(tables, "plan_actions", "B")["action"].tolist()
    assert plan(tables, "plan_notes", "B")[["field", "text"]].to_numpy().tolist() == [
        ["reason_lost", "late deliveries"]
    ]


def test_actions_agreed_on_come_first_and_are_counted():
    actions = pd.DataFrame(
        {"account": ["A", "A", "C"], "action": ["1", "2", "3"], "text": ["call", "visit", "other"], "owner": "Ann"}
        | {"created": DAY, "due": [DAY + pd.Timedelta(days=5), DAY - pd.Timedelta(days=5), DAY], "done": pd.NaT}
    )
    tables = make(company(actions=actions), Plans(), as_of=AS_OF)
    assert plan(tables, "plan_actions", "A")["state"].tolist()[:3] == ["overdue", "open", "proposed"]
    row = plan(tables, "plans", "A").iloc[0]
    assert (row["actions_open"], row["actions_overdue"]) == (1, 1)


def test_a_contact_counts_from_the_last_one_on_record():
    contacts = pd.DataFrame({"account": ["A", "A"], "date": [DAY - pd.Timedelta(days=50), DAY - pd.Timedelta(days=30)]})
    tables = make(company(contacts=contacts), Plans(), as_of=AS_OF)
    row = plan(tables, "plans", "A").iloc[0]
    assert row["last_contact"] == DAY - pd.Timedelta(days=30)
    assert row["next_contact"] == DAY - pd.Timedelta(days=16)
    late = plan(tables, "plan_findings", "A").set_index("finding").loc["contact_overdue", "finding_values"]
    assert json.loads(late) == {"number": 16}


def test_a_company_in_which_no_account_needs_a_plan_has_empty_tables():
    known = company()
    none = Known(known.accounts.assign(plan_required=False), *list(vars(known).values())[1:])
    tables = make(none, Plans(), as_of=AS_OF)
    assert all(rows.empty for rows in tables.values())


def test_a_company_that_has_only_its_log_still_has_plans():
    known = company()
    nothing = dict.fromkeys(["margin_rate", "p_negative", "wallet_share", "headroom"], float("nan"))
    nothing |= dict.fromkeys(["owner", "industry", "channel", "country", "size"])
    bare = Known(
        known.accounts.assign(**nothing, potential_source="unknown"),
        known.credit.iloc[:0],
        known.cadence,
        known.deals,
        known.mix[["account"]],
        {},
        Notes({}, {}),
    )
    tables = make(bare, Plans(), as_of=AS_OF)
    assert tables["plan_mix"].empty
    row = plan(tables, "plans", "A").iloc[0]
    assert (row["planned"], row["responsible"], row["card_share"]) == (True, "", 0.0)
    assert "ask_potential" in plan(tables, "plan_actions", "A")["action"].tolist()
