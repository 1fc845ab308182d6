"""Two runs held against each other, actions reviewed, and last year's forecast against what came."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from kamlab import forecast, history
from kamlab.cli import app
from kamlab.comparison import compare_runs
from kamlab.errors import ConfigError, ModelError
from kamlab.ledger import read_ledger
from kamlab.past_forecast import held_against
from kamlab.period import StudyPeriod
from kamlab.runs.folder import HANDED_ON
from kamlab.runs.output import hand_on, handed_on

COLUMNS = [
    "account",
    "name",
    "owner",
    "revenue",
    "value",
    "contribution_class",
    "type_000",
    "strategy",
    "strategy_rule",
]
BEFORE = pd.DataFrame(
    [
        ("a", "Ace", "Li", 100.0, 50.0, "Mid", "B", "retain", "retain.value"),
        ("b", "Bee", "Li", 80.0, 40.0, "Mid", "B", "retain", "retain.value"),
        ("c", "Cee", "Wu", 10.0, 5.0, "Low", "D", "static", "static.type_d"),
        ("d", "Dee", "Wu", 20.0, 7.0, "Low", "D", "static", "static.type_d"),
        ("p", "Pea", None, None, None, None, None, "acquire", "prospect.acquire"),
    ],
    columns=COLUMNS,
).assign(as_of=pd.Timestamp("2025-09-30"))
NOW = pd.DataFrame(
    [
        ("a", "Ace", "Li", 30.0, 10.0, "Low", "D", "win_back", "win_back.shrinking"),
        ("b", "Bee", "Li", 95.0, 48.0, "Mid", "B", "retain", "retain.value"),
        ("c", "Cee Ltd", "Li", 60.0, 35.0, "Mid", "B", "retain", "retain.value"),
        ("n", "New", "Wu", 9.0, 4.0, "Low", "D", "static", "static.type_d"),
        ("p", "Pea", "Li", 12.0, 6.0, "Low", "C", "promote", "promote.type_c"),
    ],
    columns=COLUMNS,
).assign(as_of=pd.Timestamp("2025-12-31"))


def test_who_moved_and_by_how_much():
    rows = history.compare(BEFORE, NOW).set_index("account")
    assert rows["value_change"].to_dict() == {"a": -40, "c": 30, "b": 8, "d": -7, "p": 6, "n": 4}
    assert list(rows.index) == ["a", "c", "b", "d", "p", "n"]
    assert rows["value_change"].sum() == NOW["value"].sum() - BEFORE["value"].sum()
    assert rows["status"].to_dict() == {"a": "both", "b": "both", "c": "both", "p": "both", "d": "gone", "n": "new"}
    assert rows.index[rows["moved"]].tolist() == ["a", "c", "d", "p", "n"]
    assert rows.loc["c", ["name", "owner"]].tolist() == ["Cee Ltd", "Li"]
    assert rows.loc["d", "name"] == "Dee"


def test_moves_add_up_to_the_accounts_that_moved():
    found = history.moves(history.compare(BEFORE, NOW), "strategy")
    assert found.values.tolist() == [
        ["retain", "win_back", 1, -40.0],
        ["static", "retain", 1, 30.0],
        ["static", "", 1, -7.0],
        ["acquire", "promote", 1, 6.0],
        ["", "static", 1, 4.0],
    ]


def test_nothing_moved_between_a_run_and_itself():
    rows = history.compare(NOW, NOW)
    assert not rows["moved"].any()
    assert rows["value_change"].abs().sum() == 0


@pytest.fixture
def two_runs(tmp_path):
    folders = []
    for name, table, company in (("old", BEFORE, "Acme"), ("new", NOW, "Acme"), ("other", NOW, "Else")):
        folder = tmp_path / name
        (folder / "tables").mkdir(parents=True)
        table.to_parquet(folder / "tables" / "standing.parquet")
        as_of = str(table["as_of"].iloc[0].date())
        settings = {"company": {"currency": "EUR"}}
        (folder / "manifest.json").write_text(json.dumps({"company": company, "as_of": as_of, "settings": settings}))
        folders.append(folder)
    return folders


def test_the_command_says_what_changed_whichever_run_is_named_first(two_runs):
    old, new, _ = two_runs
    done = CliRunner().invoke(app, ["compare", str(new), str(old)])
    assert done.exit_code == 0
    said = done.output.replace("\u00a0", " ")
    for part in (
        "Acme: 30 Sept 2025 → 31 Dec 2025",
        "Accounts: 5 → 5 (1 new, 1 gone)",
        "Revenue of 12 months: EUR 210 → EUR 206 (-1.9%)",
        "Expected value of the next 12 months: EUR 102 → EUR 103 (+1.0%)",
        "new accounts +EUR 4.00 (1), gone accounts EUR −7.00 (1), worth more +EUR 44.0 (3), worth less EUR −40.0 (1)",
        "Strategy: 3 of 4 accounts moved",
        "retain → win_back",
        "a Ace: Mid → Low; B → D; retain → win_back; value EUR −40.0, revenue EUR 100 → EUR 30.0",
        "p Pea: none → Low; none → C; acquire → promote; value +EUR 6.00, revenue – → EUR 12.0; rule promote.type_c",
    ):
        assert part in said


def test_what_cannot_be_compared_is_said(two_runs, tmp_path):
    old, _, other = two_runs
    with pytest.raises(ConfigError, match=r"runs of one company in one currency"):
        compare_runs(old, other)
    with pytest.raises(ConfigError, match="is no finished run"):
        compare_runs(old, tmp_path / "nowhere")
    (other / "tables" / "standing.parquet").unlink()
    with pytest.raises(ConfigError, match="older kamlab"):
        compare_runs(old, other)


def test_a_run_hands_on_its_standing_where_it_has_one(tmp_path):
    earlier, building = tmp_path / "earlier", tmp_path / "building"
    (earlier / "tables").mkdir(parents=True)
    assert handed_on(earlier) == {}
    for name in HANDED_ON:
        (earlier / "tables" / name).write_text("of an older kamlab")
    assert set(handed_on(earlier)) == set(HANDED_ON)
    BEFORE.to_parquet(earlier / "tables" / "standing.parquet")
    hand_on(earlier, building)
    found = pd.read_parquet(building / "log" / "before" / "tables" / "standing.parquet")
    assert found["account"].tolist() == BEFORE["account"].tolist()


def actions(*rows):
    columns = ["action", "account", "text", "owner", "created", "due", "done"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(("created", "due", "done"), "datetime64[s]"))


def test_what_became_of_actions():
    table = actions(
        ("1", "a", "call", "Li", "2025-01-10", "2025-03-01", "2025-03-01"),
        ("2", "a", "visit", "Li", "2025-02-10", "2025-03-01", "2025-03-05"),
        ("3", "b", "offer", "Li", "2023-02-10", "2025-12-01", None),
        ("4", "c", "offer", "Wu", "2025-12-10", "2026-01-31", None),
        ("5", "c", "offer", "Wu", "2025-12-10", None, None),
        ("6", "d", "old", "Wu", "2023-12-10", "2024-01-10", "2024-01-09"),
    )
    found = history.reviewed(table, as_of=date(2025, 12, 31), days=365).set_index("action")
    assert found["state"].to_dict() == {"1": "done", "2": "late", "3": "overdue", "4": "open", "5": "open"}
    assert found["days_late"].to_dict() == {"1": 0, "2": 4, "3": 30, "4": 0, "5": 0}


def test_growth_beside_actions_is_counted_by_account():
    table = actions(
        ("1", "a", "call", "Li", "2025-01-10", None, "2025-03-01"),
        ("2", "a", "visit", "Li", "2025-02-10", None, None),
        ("3", "b", "offer", "Li", "2025-02-10", "2025-12-01", None),
    )
    review = history.reviewed(table, as_of=date(2025, 12, 31), days=365)
    summary = pd.DataFrame(
        {
            "account": list("abcde"),
            "previous_revenue": [100.0, 50.0, 10.0, 30.0, 0.0],
            "trailing_revenue": [120.0, 25.0, 20.0, 30.0, 0.0],
        }
    )
    found = history.results(review, summary, seed=1).set_index("group")
    assert found["accounts"].to_dict() == {"done": 1, "not_done": 1, "none": 2}
    assert found["growth"].to_dict() == pytest.approx({"done": 0.2, "not_done": -0.5, "none": 0.25})
    assert found.loc["none", "lower"] == pytest.approx(0.0)
    assert found.loc["none", "upper"] == pytest.approx(1.0)


@pytest.fixture(scope="module")
def steady():
    """Sixty accounts that order for 10 every ten days, two years and a half; then the half of Wu stops."""
    rng = np.random.default_rng(5)
    days = pd.date_range("2023-01-01", "2025-12-31")
    rows = []
    for account in range(60):
        for day in days[rng.integers(0, 10) :: 10]:
            if account >= 30 and day >= pd.Timestamp("2025-07-01"):
                break
            rows.append((f"c{account:02d}", day.date().isoformat(), 10.0 + 0.1 * (account % 7)))
    return read_ledger(
        pd.DataFrame(rows, columns=["account", "date", "amount"]), columns={n: n for n in ("account", "date", "amount")}
    )


def test_last_years_forecast_knows_nothing_of_what_came(steady):
    accounts = [f"c{n:02d}" for n in range(60)]
    members = pd.DataFrame({"member": accounts, "account": accounts})
    owner = pd.Series({a: "Li" if n < 30 else "Wu" for n, a in enumerate(accounts)})
    record = pd.DataFrame({"origin": [pd.Timestamp("2023-12-31")], "forecaster": ["trailing"], "target": ["revenue"]})
    record = record.assign(forecast=100.0, actual=101.0)
    found = held_against(
        steady,
        StudyPeriod(date(2025, 12, 31)),
        membership=members,
        forecaster="trailing",
        record=record,
        groups={"owner": owner},
    ).set_index("group")
    assert found["made_on"].unique().tolist() == [pd.Timestamp("2024-12-31")]
    # 36 or 37 orders a year of 10.3 on average; Wu's stop half-way could not be known.
    assert found.loc["Li", "expected"] == pytest.approx(30 * 36.6 * 10.3, rel=0.03)  # the rule counts 365 days
    assert found.loc["Wu", "expected"] == pytest.approx(found.loc["Li", "expected"], rel=0.02)
    assert found.loc["Li", "actual"] == pytest.approx(30 * 36.5 * 10.3, rel=0.03)
    assert found.loc["Wu", "actual"] == pytest.approx(found.loc["Li", "actual"] / 2, rel=0.05)
    assert found.loc["company", "actual"] == pytest.approx(found.loc[["Li", "Wu"], "actual"].sum())
    assert found.loc["company", "naive"] == pytest.approx(found.loc["company", "expected"], rel=0.03)
    assert (found["lower"] < found["expected"]).all()
    assert (found["upper"] > found["expected"]).all()


@pytest.mark.parametrize("n_seen", [60, 20])
def test_the_contests_own_forecast_of_the_same_days_stands_if_it_was_of_all_accounts(steady, n_seen):
    accounts = [f"c{n:02d}" for n in range(60)]
    record = pd.DataFrame({"origin": [pd.Timestamp("2024-12-31")], "forecaster": ["trailing"], "target": ["revenue"]})
    found = held_against(
        steady,
        StudyPeriod(date(2025, 12, 31)),
        membership=pd.DataFrame({"member": accounts, "account": accounts}),
        forecaster="trailing",
        record=record.assign(forecast=25_000.0, actual=17_000.0, accounts=n_seen),
        groups={"owner": pd.Series({a: a[:2] for a in accounts})},
    )
    if n_seen < 60:
        assert found.loc[0, "expected"] == pytest.approx(60 * 36.6 * 10.3, rel=0.03)
        return
    assert found.loc[0, "expected"] == pytest.approx(25_000)
    assert found.loc[1:, "expected"].sum() == pytest.approx(25_000)
    assert found.loc[0, "lower"] < 25_000 < found.loc[0, "upper"]


def test_errors_of_a_third_of_a_year_are_judged_as_such(steady, monkeypatch):
    accounts = [f"c{n:02d}" for n in range(60)]
    record = pd.DataFrame({"origin": [pd.Timestamp("2024-12-31")], "forecaster": ["trailing"], "target": ["revenue"]})
    choices = []

    def kept(summary, choice, **options):
        choices.append(choice)
        raise ModelError("The choice is all that is asked for.")

    monkeypatch.setattr(forecast, "revenue_and_draws", kept)
    held_against(
        steady,
        StudyPeriod(date(2025, 12, 31), 120),
        membership=pd.DataFrame({"member": accounts, "account": accounts}),
        forecaster="trailing",
        record=record.assign(forecast=100.0, actual=100.0),
        groups={},
        days=120,
    )
    # Under a year a company is taken to miss by 30 %, a belief worth two dates; one date missed nothing. Widened by
    # Student's t on 3 degrees of freedom over the normal at 95 %.
    assert choices[0].level_sd == pytest.approx(np.sqrt(2 / 3) * 0.3 * 2.3534 / 1.6449, rel=1e-4)


def test_a_log_of_half_a_year_holds_no_forecast_of_last_year(steady):
    accounts = ["c00"]
    found = held_against(
        steady,
        StudyPeriod(date(2023, 12, 31)),
        membership=pd.DataFrame({"member": accounts, "account": accounts}),
        forecaster="trailing",
        record=pd.DataFrame({"origin": [], "forecaster": [], "target": []}),
        groups={},
    )
    assert found.empty
