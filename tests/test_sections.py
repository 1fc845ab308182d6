"""What the sections say: warnings first, empty lists in one line, names as they are."""

import json
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kamlab.config import Company, Config, Source, Transactions
from kamlab.freshness import ENDS_EARLY
from kamlab.i18n import Translator
from kamlab.ledger import read_ledger
from kamlab.ledger.lines import REASONS
from kamlab.period import StudyPeriod
from kamlab.reports.sections import (
    actions,
    answers,
    caveats,
    data,
    forecast,
    outlook,
    potential,
    segments,
    signals,
)
from kamlab.reports.sections.source import total

T = Translator("en", currency="EUR")
CONFIG = Config(
    company=Company(name="Acme", currency="EUR"),
    source=Source(transactions=Transactions(path="x.csv", columns={"account": "a", "date": "d"})),
)


@dataclass
class FakeRun:
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    config: Config = CONFIG
    period: StudyPeriod = field(default_factory=lambda: StudyPeriod(date(2025, 12, 31)))

    def read(self, name, *, columns=(), where=None):
        table = self.tables[name]
        for column, values in (where or {}).items():
            table = table[table[column].isin(values)]
        return table

    def read_facts(self, name):
        return self.facts[name]


RECORD = pd.DataFrame(
    {
        "forecaster": ["bg_nbd", "last_horizon", "rate"],
        "target": "revenue",
        "role": "record",
        "rmse": [250.0, 200.0, 100.0],
        "bias": [0.1, 0.0, 0.3],
        "coverage_recalibrated": 0.9,
        "level": 0.9,
        "origin": pd.Timestamp("2024-12-31"),
    }
)


FRESH = {"findings": []}
TYPES = pd.DataFrame({"type_000": ["A", "B", "C", "D", None]})


def choice(beaten, chosen_by="earlier"):
    models = {"beaten_by_models": [], "model": "bg_nbd"}
    return {"beaten_by": beaten, "forecaster": "bg_nbd", "chosen_by": chosen_by, "few": False} | models


def test_a_stale_log_that_was_accepted_is_the_first_thing_said():
    values = {"as_of": "2025-12-31", "last_line": "2025-11-01", "lag_days": 60, "max_lag_days": 7}
    stale = {"findings": [[ENDS_EARLY, values]]}
    run = FakeRun({"backtest": RECORD, "strategies": TYPES}, {"freshness": stale, "choice": choice([])})
    (warning,) = caveats.warnings(run, T)
    assert warning.tone == "danger"
    assert warning.title == "The log is stale or unfinished"
    assert "1 Nov 2025, 60 days before" in warning.markdown.replace("\u00a0", " ")


def test_a_simple_rule_that_was_better_is_named_with_both_errors():
    facts = {"freshness": FRESH, "choice": choice(["last_horizon", "rate"])}
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": TYPES}, facts), T)
    assert warning.tone == "warning"
    said = warning.markdown.replace("\u00a0", " ")
    assert said.startswith(
        "“Rate so far, carried on” had an error of EUR 100 per account, this report's forecast EUR 250."
    )


def test_nothing_is_warned_of_where_nothing_is_wrong():
    run = FakeRun({"backtest": RECORD, "strategies": TYPES}, {"freshness": FRESH, "choice": choice([])})
    assert caveats.warnings(run, T) == []


def test_a_rule_that_was_measured_where_it_was_chosen_is_no_proof():
    facts = {"freshness": FRESH, "choice": choice([], chosen_by="only") | {"forecaster": "last_horizon"}}
    record = RECORD.assign(coverage_recalibrated=0.607)
    (warning,) = caveats.warnings(FakeRun({"backtest": record, "strategies": TYPES}, facts), T)
    assert "the simple rule “Same as in the last period”" in warning.markdown
    assert "no independent proof" in warning.markdown
    assert "Only 61% of the accounts came out inside their 90% interval" in warning.markdown.replace("\u00a0", "")


def test_a_type_that_holds_half_of_the_customers_is_called_crowded():
    facts = {"freshness": FRESH, "choice": choice([])}
    many = pd.DataFrame({"type_000": ["A", "A", "B", "C", None]})
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": many}, facts), T)
    assert warning.markdown.replace("\u00a0", "").startswith("50% of the customers stand in type A")


def test_a_choice_that_cannot_be_supported_is_said_first():
    facts = {"freshness": FRESH, "choice": choice([], chosen_by="short")}
    (warning,) = caveats.warnings(FakeRun({"backtest": RECORD, "strategies": TYPES}, facts), T)
    assert warning.title == "The choice of the forecast cannot be supported"
    assert "less than two horizons" in warning.markdown


def test_a_total_that_was_far_off_is_said_first():
    record = RECORD.assign(bias=[-0.49, 0.0, 0.3])
    run = FakeRun({"backtest": record, "strategies": TYPES}, {"freshness": FRESH, "choice": choice([])})
    (warning,) = caveats.warnings(run, T)
    assert warning.title == "The last forecast of the whole was far off"
    assert "\u221249%" in warning.markdown.replace("\u00a0", "")


def test_the_reason_of_the_forecast_says_what_it_was_chosen_on():
    said = {by: forecast.reason(FakeRun({}, {"choice": choice([], chosen_by=by)}), T) for by in ("earlier", "only")}
    assert said["earlier"].startswith(
        "The forecast rests on **BG/NBD**: on earlier dates nothing was clearly more accurate"
    )
    assert said["only"].endswith("That date is no independent proof.")
    untested = forecast.reason(FakeRun({}, {"choice": choice([], chosen_by="nothing")}), T)
    assert untested == "The forecast rests on **BG/NBD**; it could not be tested."


@pytest.mark.parametrize(
    ("chosen_by", "why"),
    [
        ("earlier", "This test had no part in the choice"),
        ("only", "but not clearly: of what was as accurate the simplest"),
    ],
)
def test_models_that_came_closer_are_named_with_their_gain_and_the_nearest_is_in_the_table(chosen_by, why):
    nearer = RECORD.iloc[[0, 0]].assign(forecaster=["pareto_nbd", "blend"], rmse=[240.0, 245.0])
    columns = {"forecast": 10.0, "mae": 1.0, "relative_rmse": 1.0, "top_20": 0.5, "actual": 11.0}
    record = pd.concat([RECORD, nearer], ignore_index=True).assign(**columns)
    facts = choice([], chosen_by) | {"beaten_by_models": ["pareto_nbd", "blend"]}
    calibration = pd.DataFrame(columns=["probability", "role", "upper", "accounts"])
    run = FakeRun({"backtest": record, "calibration": calibration}, {"choice": facts})
    said, table, *_ = forecast.contest(run, T)
    assert (
        "**Pareto/NBD, Model and last period, mixed** came closer (the first with an error 4.0% smaller)"
        in said.markdown.replace("\u00a0", "")
    )
    assert why in said.markdown
    assert [row[0] for row in table.rows] == [
        "BG/NBD",
        "Same as in the last period",
        "Rate so far, carried on",
        "Pareto/NBD",
    ]


def test_how_wrong_it_was_is_told_by_group():
    groups = pd.DataFrame(
        {
            "dimension": ["age", "age"],
            "group": ["new", "known"],
            "accounts": [3, 40],
            "actual": [500.0, 950.0],
            "forecast": [25.0, 1045.0],
            "naive": [10.0, 950.0],
            "bias": [-0.5, 0.1],
            "naive_bias": [-0.8, 0.0],
            "rmse": [200.0, 300.0],
            "naive_rmse": [250.0, 280.0],
            "coverage": [0.5, 0.9],
        }
    )
    (table,) = forecast.for_whom(FakeRun({"backtest": RECORD, "record_groups": groups}), T)
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in table.rows] == [
        ["Known for less than a period", "3", "EUR 500", "\u221250%", "\u221280%", "EUR 200", "EUR 250", "50%"],
        ["Known for longer", "40", "EUR 950", "+10%", "0%", "EUR 300", "EUR 280", "90%"],
    ]


def test_a_total_is_the_quantiles_of_the_summed_draws():
    draws = pd.DataFrame({"account": ["A", "B"]} | {f"d{i}": [float(i), float(100 - i)] for i in range(101)})
    forecast = pd.DataFrame({"account": ["A", "B"], "expected_contribution": [50.0, 49.0]})
    run = FakeRun({"forecast": forecast, "draws": draws})
    whole = total(run)
    # Every draw of A has its complement in B: the sum is always 100, though each alone ranges from 5 to 95.
    assert (whole.value, whole.lower, whole.upper) == (99.0, 100.0, 100.0)
    assert (total(run, ["A"]).lower, total(run, ["A"]).upper) == pytest.approx((5, 95))
    assert np.isnan(total(run, []).value)


def test_reasons_of_the_quarantine_are_printed_by_number_of_lines():
    lines = pd.DataFrame(
        {
            "reason": ["line id is repeated", "5 fields where the header has 4", "line id is repeated"],
            "line": [7, 3, 9],
            "amount": [Decimal("1.5"), None, Decimal(-4)],
        }
    )
    others = pd.DataFrame(
        {
            "table": ["payments", "owners"],
            "reason": ["amount is missing; date is not a date", "active_to is before active_from"],
            "line": [4, 5],
            "amount": [float("nan")] * 2,
        }
    )
    log, other = data.quarantine(FakeRun({"quarantine": lines, "table_quarantine": others}), T)
    keep = "keep one of the rows, or map the column that tells them apart"
    assert [[str(cell).replace("\xa0", " ") for cell in row] for row in log.rows] == [
        ["line id is repeated", "2", "EUR −2.50", "7, 9", keep],
        *[["5 fields where the header has 4", "1", "–", "3", "put texts that hold the delimiter into quotes"]],
    ]
    assert log.caption == "3 lines cannot be used."
    write = "write a day of the calendar, or set date_format to the order in which dates are written"
    assert other.rows == [
        ["owners", "active_to is before active_from", "1", "5", "swap or mend the dates"],
        ["payments", "amount is missing; date is not a date", "1", "4", f"fill it in; {write}"],
    ]
    assert other.caption == "2 rows of the other tables cannot be used."


def accounts(**columns):
    base = {
        "account": ["A"],
        "name": ["*Star* & Sons"],
        "owner": [None],
        "owner_left": [False],
        "type_000": ["B"],
        "strategy": ["retain"],
        "strategy_rule": ["retain.value"],
        "strategy_inputs": [""],
        "flags": [""],
        "plan_required": [False],
        "trailing_revenue": [10.0],
        "peak_revenue": [20.0],
        "prior_peak_revenue": [5.0],
        "expected_revenue": [8.0],
        "expected_contribution": [2.0],
        "headroom": [1.0],
        "margin_rate": [0.25],
        "potential_revenue": [20.0],
        "potential_source": ["own_peak"],
        "wallet_share": [np.nan],
        "p_alive": [0.9],
        "days_since_last": [3.0],
        "days_known": [900.0],
        "margin": [1.0],
        "trailing_margin": [1.0],
        "costed_revenue": [10.0],
    }
    return pd.DataFrame(base | columns)


GROUPS = pd.DataFrame(
    {
        "group": ["new", "growing", "declining"],
        "bias": [-0.5, 0.1, -0.26],
        "naive_bias": [-0.5, 0.0, -0.3],
        "rmse": [900.0, 100.0, 182.0],
        "naive_rmse": [800.0, 150.0, 171.0],
    }
)


def run_of(table):
    labels = ["type_000", "strategy", "strategy_rule", "strategy_inputs", "flags", "plan_required"]
    return FakeRun(
        {
            "account_table": table.drop(columns=labels),
            "strategies": table[["account", "name", "owner", *labels]],
            "accounts": table[["account", "owner"]],
            "forecast": pd.DataFrame({"basis": ["contribution"]}),
            "record_groups": GROUPS,
            "prospect_segments": pd.DataFrame(columns=["account", "rank", "segment_name"]),
        },
        {"freshness": {"has_cost": True}, "prospect_segments": {}},
    )


def test_a_strategy_without_accounts_says_so_in_one_line():
    run = run_of(accounts())
    for section in (actions.protect, actions.win_back, actions.promote, actions.acquire, actions.repair):
        (block,) = section(run, T)
        heading, _, sentence = block.markdown.partition("\n\n")
        assert heading.startswith("### ")
        assert sentence.endswith(".")


@pytest.mark.parametrize(("better", "columns"), [(1, ["likely"]), (0, [])])
def test_prospects_are_listed_with_their_likeliest_segment_where_such_guesses_are_right(better, columns):
    listed = run_of(accounts(strategy=["acquire"], strategy_rule=["prospect.acquire"]))
    likely = pd.DataFrame({"account": ["A"], "rank": [1], "segment_name": ["Large regular buyers"]})
    run = FakeRun(listed.tables | {"prospect_segments": likely}, {"prospect_segments": {"better": better}})
    _, table = actions.acquire(run, T)
    assert [column.key for column in table.columns if column.key == "likely"] == columns
    assert ("Large regular buyers" in table.rows[0]) == bool(better)


def test_an_account_is_listed_with_its_reason_and_without_an_owner_column_where_nobody_owns():
    _, table = actions.retain(run_of(accounts()), T)
    assert [c.key for c in table.columns] == ["name", "type", "expected_contribution", "p_alive", "reason"]
    row = [cell.replace("\u00a0", " ") for cell in table.rows[0]]
    assert row[:4] == ["*Star* & Sons", "B", "EUR 2.00", "90%"]
    assert row[4].startswith("Expected to bring EUR 2.00")


def test_slipping_revenue_is_counted_from_the_best_year_that_the_reason_names():
    shrunk = accounts(
        strategy=["win_back"], strategy_rule=["win_back.shrinking"], peak_revenue=[200.0], prior_peak_revenue=[100.0]
    )
    _, listed = actions.protect(run_of(shrunk), T)
    row = [cell.replace("\u00a0", " ") for cell in listed.rows[0]]
    assert row[2] == "EUR 92.0"  # 100 less the 8 that are expected
    assert "from EUR 100 in its best 12 months before" in row[-1]
    assert "declining accounts was off by \u221226%" in listed.note.replace("\u00a0", "")
    better = FakeRun(run_of(shrunk).tables | {"record_groups": GROUPS.assign(naive_rmse=999.0)}, {})
    assert actions.protect(better, T)[1].note == ""


def test_a_probability_near_nothing_is_not_printed_as_nothing():
    gone = accounts(strategy=["win_back"], strategy_rule=["win_back.silent"], p_alive=[0.003])
    _, listed = actions.win_back(run_of(gone), T)
    assert listed.rows[0][3].replace("\u00a0", "") == "under 5%"


def test_only_accounts_with_headroom_are_promoted_and_the_others_are_counted():
    two = pd.concat([accounts(), accounts(account=["B"], headroom=[0.0])], ignore_index=True)
    _, listed = actions.promote(run_of(two.assign(strategy="promote", strategy_rule="promote.mid")), T)
    assert len(listed.rows) == 1
    assert listed.note.startswith("1 account under this strategy has no headroom")


def test_an_account_that_has_probably_gone_and_carries_the_forecast_is_an_urgent_fact():
    run = run_of(accounts(p_alive=[0.04], name=["Dunaverde, S.A. de C.V."]))
    (block,) = actions.urgent(run, T)
    said = block.markdown.replace("\u00a0", " ")
    assert "1 account has probably gone, and is still forecast with EUR 8.00 of revenue" in said
    assert "under 5%" in said
    returned = run_of(accounts(name=["Dunaverde, S.A. de C.V."], flags=["returning"]))
    assert actions.urgent(returned, T)[0].markdown.endswith("C\\.V\\.")


def test_groups_for_which_the_simple_rule_was_closer_are_named():
    (said,) = caveats.lost_groups(FakeRun({"record_groups": GROUPS}), T)
    assert said.endswith(": Known for less than a period; Declining by more than a quarter.")
    assert caveats.lost_groups(FakeRun({"record_groups": GROUPS.assign(naive_rmse=900.0)}), T) == []


@pytest.mark.parametrize(
    ("cost", "waiting", "net"),
    [
        (3.0, np.nan, "after cost to serve (90%"),
        (0.0, np.nan, "of contribution (90%"),
        (0.0, 0.05, "after the cost of selling on credit (90%"),
        (3.0, 0.05, "after the cost of service and of credit (90%"),
    ],
)
def test_what_was_and_what_is_expected_are_one_quantity_of_the_same_customers(cost, waiting, net):
    future = {"account": ["A"], "expected_revenue": [50.0], "expected_contribution": [9.0], "basis": ["contribution"]}
    draws = pd.DataFrame({"account": ["A"], "d0": [9.0], "d1": [9.0]})
    run = FakeRun(
        {
            "summary": pd.DataFrame({"account": ["A"], "trailing_revenue": [40.0], "trailing_margin": [12.0]}),
            "margins": pd.DataFrame(
                {"account": ["A"], "cost_to_serve": cost, "receivables_rate": waiting, "loss_rate": np.nan}
            ),
            "forecast": pd.DataFrame(future | {"cost_to_serve": cost, "receivables_cost": 50 * waiting}),
            "draws": draws,
            "revenue_draws": draws,
        },
        {
            "plan": {"trailing": {}},
            "revenue": {
                "trailing": 70.0,
                "previous": 70.0,
                "trailing_contribution": 20.0,
                "previous_contribution": 10.0,
            },
        },
    )
    (block,) = answers.headline(run, T)
    said = block.markdown.replace("\u00a0", " ")
    assert "today's customers should bring **EUR 9.00**" in said
    # Of the 40 of revenue, waiting took a twentieth, where it is known.
    assert f"against {T.money(12 - cost - (0 if np.isnan(waiting) else 2))} in".replace("\u00a0", " ") in said
    assert net in said
    gross = "Contribution before the cost of service and credit of the last 12 months" in said
    assert gross == (cost > 0 or not np.isnan(waiting))


def first_page(revenue, **changes):
    """A run whose one account is worth a headline."""
    return FakeRun(run_of(accounts(**changes)).tables, {"revenue": {"trailing": 105.0, "previous": revenue}})


@pytest.mark.parametrize(
    ("previous", "said"),
    [
        (100.0, "# Revenue rose 5% to EUR 105"),
        (210.0, "# Revenue fell 50% to EUR 105"),
        (105.2, "# Revenue held at EUR 105"),
        (None, "# Revenue of the last 12 months: EUR 105"),
    ],
)
def test_the_first_line_says_what_happened_and_what_is_asked(previous, said):
    silent = {"strategy": ["win_back"], "strategy_rule": ["win_back.silent"]}
    (block,) = answers.opening(first_page(previous, **silent), T)
    assert block.markdown.replace("\u00a0", " ") == f"{said}; 1 account puts EUR 12.0 of revenue a year at risk"


def test_names_in_sentences_are_not_read_as_markdown():
    run = run_of(accounts(flags=["returning"]))
    (block,) = actions.urgent(run, T)
    assert "1 account has come back after more than a year: \\*Star\\* \\& Sons." in block.markdown


def test_a_young_log_does_not_claim_that_nobody_leaves():
    young = run_of(accounts(days_known=[300.0]))
    for section in (actions.protect, actions.win_back):
        (block,) = section(young, T)
        assert "Cannot be judged from this log" in block.markdown


def test_every_reason_of_the_ledger_has_its_words():
    raw = pd.DataFrame(
        {
            "who": ["A"] * 7,
            "day": ["2025-01-01"] * 6 + ["never"],
            "sum": ["1", "many", "1", "1", "1", "1", "1"],
            "cost": ["1", "1", "dear", "1", "1", "1", "1"],
            "pieces": ["1", "1", "1", "few", "1", "1", "1"],
            "sort": ["sale"] * 4 + ["gift", "return", "sale"],
            "number": ["1", "2", "3", "4", "5", "6", "1"],
        }
    )
    names = ("account", "date", "amount", "cost", "quantity", "kind", "line_id")
    columns = dict(zip(names, raw.columns, strict=True))
    bad = read_ledger(raw, columns=columns, max_quarantined_share=1).quarantine
    assert len(bad) == 6
    assert set(bad["reason"]) <= set(REASONS.values())


def sums(*rows):
    names = ["kind", "group", "measure", "accounts", "expected", "lower", "upper"]
    return pd.DataFrame(rows, columns=names).assign(level=0.9, basis="contribution")


def printed(blocks):
    return " ".join(json.dumps(block.to_json(), ensure_ascii=False) for block in blocks).replace("\xa0", " ")


def test_lifetime_value_of_the_company_is_printed_with_its_own_interval():
    rows = [("company", "company", f"clv_{y}y", 2, 100.0 * y, 80.0 * y, 130.0 * y) for y in (1, 3, 5)]
    run = FakeRun({"lifetime_totals": sums(*rows), "forecast": pd.DataFrame({"basis": ["contribution"]})})
    said = printed(outlook.lifetime(run, T))
    for part in ("12 months", "5 years", "EUR 500", "EUR 400 to EUR 650", "10%", "nobody new"):
        assert part in said, part


def test_without_money_there_is_no_lifetime_value_to_print():
    run = FakeRun({"lifetime_totals": sums()})
    assert outlook.lifetime(run, T) == outlook.accounts(run, T) == outlook.groups(run, T) == []


def test_accounts_are_printed_by_value_with_the_probability_of_a_loss():
    table = pd.DataFrame({"account": ["A", "B"], "dert": [9.0, 4.0], "p_negative_5y": [0.25, 0.0]})
    for years in (1, 3, 5):
        table[f"clv_{years}y"] = [1.0 * years, 2.0 * years]
    table = table.assign(clv_5y_lower=-1.0, clv_5y_upper=20.0)
    tables = {"lifetime": table, "accounts": pd.DataFrame({"account": ["A", "B"], "name": ["*Star*", "Sun"]})}
    (block,) = outlook.accounts(FakeRun(tables | {"lifetime_totals": sums(("company",) * 3 + (1, 1, 1, 1))}), T)
    said = printed([block])
    assert said.index("Sun") < said.index("*Star*")
    assert "25%" in said


def test_owners_are_printed_with_their_own_intervals_where_there_are_several():
    rows = [("owner", "Ann", "contribution", 2, 10.0, 5.0, 20.0), ("owner", "Bob", "contribution", 1, 30.0, 15.0, 45.0)]
    rows += [("segment", "one", "contribution", 3, 40.0, 30.0, 50.0), ("owner", "Ann", "revenue", 2, 99.0, 98.0, 100.0)]
    tables = {"totals": sums(*rows), "lifetime_totals": sums(("company",) * 3 + (1, 1, 1, 1))}
    (block,) = outlook.groups(FakeRun(tables | {"forecast": pd.DataFrame({"basis": ["contribution"]})}), T)
    said = printed([block])
    assert said.index("Bob") < said.index("Ann")
    assert "EUR 15.0 to EUR 45.0" in said
    assert "99" not in said
    beyond = [
        ("owner", name, f"clv_{y}y", 1, v * y, v * y / 2, v * y * 2)
        for y in (3, 5)
        for name, v in (("Ann", 8), ("Bob", 7))
    ]
    tables["totals"] = sums(*rows, *beyond)
    _, block = outlook.groups(FakeRun(tables | {"forecast": pd.DataFrame({"basis": ["contribution"]})}), T)
    said = printed([block])
    assert said.index("Ann") < said.index("Bob")
    for part in ("EUR 12.0 to EUR 48.0", "EUR 35.0", "EUR 17.5 to EUR 70.0", "3 years", "5 years", "discounted"):
        assert part in said, part


@pytest.mark.parametrize(
    ("r", "dependent", "words"), [(0.02, False, "may be used"), (-0.4, True, "smaller orders"), (0.4, True, "larger")]
)
def test_whether_order_value_goes_with_frequency_is_said(r, dependent, words):
    facts = {"correlation": r, "lower": r - 0.1, "upper": r + 0.1, "dependent": dependent}
    assert words in printed(outlook.spend(FakeRun(facts={"spend": facts}), T))
    assert outlook.spend(FakeRun(facts={"spend": {}}), T) == []


def test_one_time_buyers_who_are_alive_by_construction_are_counted():
    summary = pd.DataFrame({"account": list("ABCD"), "frequency": [0, 0, 0, 3], "days_since_last": [10, 500, 366, 5]})
    models = pd.DataFrame({"model": ["bg_nbd", "gamma_gamma"]})
    future = pd.DataFrame({"account": list("ABCD"), "p_alive": [1.0, 1.0, 0.4, 1.0]})
    run = FakeRun({"summary": summary, "models": models, "forecast": future})
    said = printed(outlook.one_time(run, T))
    assert "2 accounts have bought only once, and BG/NBD" in said
    assert "of these 1 bought more than 12 months ago" in said
    assert outlook.one_time(FakeRun(run.tables | {"forecast": future.assign(p_alive=0.9)}), T) == []


NAMES = {"accounts": pd.DataFrame({"account": ["A"], "name": ["*Star* & Sons"]})}


def test_every_signal_is_said_with_its_consequence():
    season = {"measure": "revenue", "seasonal": True, "index": [0.5] + [1.0] * 10 + [1.5]}
    order = {"kind": "order", "day": "2025-04-16", "account": "A", "amount": 5e6, "usual": 2e3, "share": 0.024}
    month = {"kind": "month", "day": "2025-04-01", "account": "A", "amount": 9e6, "usual": 4e6, "share": 0.5}
    start = {"verdict": "truncated", "first_day": "2022-01-03", "known_before": 400, "early": 300, "expected": 7.0}
    facts = {"truncation": start, "seasons": [season], "spikes": [order, month]}
    facts["returns"] = {"share": 0.06, "previous_share": 0.02, "rising": True}
    said = printed(signals.signals(FakeRun(NAMES, {"signals": facts}), T))
    for part in (
        "3 Jan 2022",
        "about 400 accounts",
        "December brings 150%",
        "January 50%",
        "16 Apr 2025",
        "April 2025",
    ):
        assert part in said, part
    assert "EUR 5.00 M" in said
    assert "EUR 2.00 k is usual" in said
    assert "may be too high" in said
    assert "*Star*" not in said  # it would be read as emphasis
    unclear = printed(
        signals.signals(FakeRun(NAMES, {"signals": facts | {"truncation": start | {"verdict": "unclear"}}}), T)
    )
    assert "300 accounts are first seen" in unclear


def test_a_quiet_log_is_said_in_one_line():
    facts = {"truncation": None, "seasons": [], "spikes": [], "returns": None}
    assert "Nothing in the log" in printed(signals.signals(FakeRun(NAMES, {"signals": facts}), T))


def test_chinese_sections_hold_no_latin_words_but_names():
    t = Translator("zh", currency="EUR")
    everything = pd.concat([accounts()] * 5, ignore_index=True).assign(
        account=list("ABCDE"),
        owner=["Wu Fang", None, None, None, None],
        type_000=list("BCBDA"),
        strategy=["retain", "win_back", "promote", "static", "acquire"],
        strategy_rule=["retain.value", "win_back.silent", "promote.mid", "negative.repair", "prospect.acquire"],
        flags=["returning", "override", "no_owner, review", "repair", "check_margin"],
        plan_required=True,
    )
    run = run_of(everything)
    names = ("protect", "win_back", "promote", "acquire", "repair", "retain", "urgent")
    sections = [getattr(actions, name) for name in names]
    printed = [block.to_json() for section in sections for block in section(run, t)]
    told = [told for name, told in REASONS.items() if name != "early"]
    lines = pd.DataFrame({"reason": [*told, "5 fields where the header has 4; cost is not a number"]})
    lines = lines.assign(line=range(2, 2 + len(lines)), amount=None)
    run = FakeRun({"quarantine": lines, "table_quarantine": lines.head(0)})
    printed += [block.to_json() for block in data.quarantine(run, t)]
    said = []

    def collect(node, key=""):
        if isinstance(node, dict):
            for name, value in node.items():
                collect(value, name)
        elif isinstance(node, (list, tuple)):
            for value in node:
                collect(value, key)
        elif isinstance(node, str) and key not in ("kind", "key", "align"):
            said.append(node)

    collect(printed)
    words = set(re.findall("[A-Za-z]{2,}", " ".join(said)))
    settings = {"kind", "kinds", "decimal", "date", "format"}
    assert words == {"EUR", "Star", "Sons", "Wu", "Fang", "quarantine"} | settings


SEGMENTS = FakeRun(
    {
        "profile": pd.DataFrame(
            {"segment": [1, 2], "segment_id": [4, 2], "segment_name": ["Large regular buyers", "Small silent buyers"]}
        ),
        "segment_rules": pd.DataFrame(
            {
                "rule": [1],
                "segment": [1],
                "conditions": [
                    '[{"feature": "expected_contribution", "at_least": 3200000.0, "under": null}, '
                    '{"feature": "wallet_share", "at_least": null, "under": 0.4}]'
                ],
                "accounts": [5],
                "share_right": [0.8],
            }
        ),
        "segments": pd.DataFrame(
            {
                "account": ["A", "B", "C", "D"],
                "segment": [1, 1, 2, 2],
                "segment_id": [4, 4, 2, 2],
                "probability": [0.55, 0.99, 0.5, 0.98],
                "second_segment": [2.0, 2.0, 1.0, 1.0],
                "second_probability": [0.45, 0.01, 0.5, 0.02],
                "borderline": [True, False, True, False],
                "previous_segment_id": [2.0, 4.0, 7.0, np.nan],
            }
        ),
        "accounts": pd.DataFrame({"account": list("ABCD"), "name": ["Alpha", "Beta", "Gamma", "Delta"]}),
        "forecast": pd.DataFrame(
            {"account": list("ABCD"), "expected_contribution": [1e3, 9e3, 5e3, 1.0], "basis": "contribution"}
        ),
        "features": pd.DataFrame({"account": list("ABCD"), "expected_contribution": [1e3, 9e3, 5e3, 1.0]}),
    },
    {"segmentation": {"reproduced": 0.875, "dominant": "B", "found": True}},
)


def test_rules_print_the_fitted_thresholds_and_what_they_reproduce():
    (table,) = segments.rules(SEGMENTS, T)
    assert [plain(cell) for cell in table.rows[0]] == [
        "Large regular buyers",
        "Expected value ≥ EUR 3.20 M and Share of wallet < 40%",
        "5",
        "80%",
    ]
    assert plain(table.note) == (
        "The rules put 88% of the accounts into their segment. No rule this short tells these apart: "
        "Small silent buyers."
    )


def test_borderline_accounts_are_listed_by_value():
    (table,) = segments.borderline(SEGMENTS, T)
    assert [[plain(cell) for cell in row] for row in table.rows] == [
        ["Gamma", "EUR 5.00 k", "Small silent buyers 50%", "Large regular buyers 50%"],
        ["Alpha", "EUR 1.00 k", "Large regular buyers 55%", "Small silent buyers 45%"],
    ]
    assert table.caption == "2 borderline accounts."


def test_movement_between_runs_follows_the_lasting_numbers():
    said, table = segments.movement(SEGMENTS, T)
    assert said.markdown == "Of 3 accounts that had a segment in the run before, 2 are in another one now."
    assert table.rows == [
        ["Small silent buyers", "Large regular buyers", "1"],
        ["a segment that is gone", "Small silent buyers", "1"],
    ]
    first = FakeRun({"segments": SEGMENTS.tables["segments"].assign(previous_segment_id=np.nan)})
    (alone,) = segments.movement(first, T)
    assert alone.markdown.startswith("No earlier run of this company")


def test_an_account_that_brings_most_of_the_money_is_named():
    (remark,) = segments.dominant(SEGMENTS, T)
    assert remark.tone == "warning"
    assert plain(remark.title).startswith("Beta alone brings 60% of the expected value")
    assert segments.dominant(FakeRun({}, {"segmentation": {"dominant": ""}}), T) == []


def test_potentials_are_printed_by_source_with_the_check_of_the_fit():
    run = FakeRun(
        {
            "potential": pd.DataFrame(
                {
                    "potential_source": ["own_peak", "fitted", "fitted"],
                    "potential_revenue": [5.0, 10.0, 20.0],
                    "wallet_share": [np.nan, 0.2, 0.4],
                    "headroom": [1.0, 2.0, 3.0],
                }
            ),
            "potential_fit": pd.DataFrame(
                {
                    "channel": ["end user"],
                    "given": ["firmographics"],
                    "accounts": [312],
                    "coverage": [0.888],
                    "skill": [0.35],
                    "used": [True],
                    "reason": ["in use"],
                }
            ),
            "look_alikes": pd.DataFrame(
                {"account": ["P", "P"], "rank": [1, 2], "look_alike": ["A", "B"], "revenue": [5e6, 1e3]}
            ),
            "accounts": pd.DataFrame({"account": ["A", "B", "P"], "name": ["Alpha", "Beta", "Pi"]}),
        }
    )
    (table,) = potential.sources(run, T)
    assert [[plain(cell) for cell in row] for row in table.rows] == [
        ["fitted to similar accounts", "2", "EUR 30.0", "30%", "EUR 5.00"],
        ["own best 12 months", "1", "EUR 5.00", "–", "EUR 1.00"],
    ]
    (table,) = potential.fits(run, T)
    assert [plain(cell) for cell in table.rows[0]] == [
        *("end user", "industry, place, size", "312", "88.8%", "35%", "in use")
    ]
    (table,) = potential.look_alikes(run, T)
    assert [plain(cell) for cell in table.rows[0]] == ["Pi", "Alpha (EUR 5.00 M)", "Beta (EUR 1.00 k)"]
    none = FakeRun({"potential_fit": run.tables["potential_fit"].head(0)})
    assert potential.fits(none, T)[0].markdown.startswith("No potential is fitted")


def plain(text):
    return text.replace("\u00a0", " ")
