"""What a section needs of a run: its tables, its settings, and a few quantities that several sections print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd

from kamlab import totals
from kamlab.backtest import RECORDS
from kamlab.config import Config
from kamlab.gains import SILENT_RULES
from kamlab.i18n import Translator
from kamlab.ids import beside, places
from kamlab.margins import credit_rate
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.reports.sections.names import signed
from kamlab.terms import STRATEGIES


class Source(Protocol):
    """A run, as far as sections are concerned."""

    config: Config
    period: StudyPeriod

    def read(
        self, name: str, *, columns: Sequence[str] = (), where: Mapping[str, Sequence[str]] | None = None
    ) -> pd.DataFrame:
        """Return a table, or some of its columns and rows."""

    def read_facts(self, name: str) -> dict[str, Any]:
        """Return a step's facts."""


@dataclass(frozen=True)
class Interval:
    """An expected value and the bounds of its interval."""

    value: float
    lower: float
    upper: float

    def text(self, t: Translator) -> str:
        """Write the bounds."""
        return t("{lower} to {upper}", lower=t.money(self.lower), upper=t.money(self.upper))


def uneven_festivals(run: Source, t: Translator) -> list[str]:
    """Say where the last 12 months and the 12 before do not hold the same number of festivals, and what is compared."""
    held = run.read_facts("festivals")
    if held["trailing"] == held["previous"]:
        return []
    said = [
        t(
            "Festivals that stop trade fall {now} times into the last 12 months and {before} times into the 12 before, so "
            "growth between the two comes in part from the calendar.",
            now=t.number(held["trailing"]),
            before=t.number(held["previous"]),
        )
    ]
    end = date.fromisoformat(held["end"])
    if end == run.period.calibration_end:
        return said
    said.append(
        t("The growth of accounts is that of the 12 months to {end}, which hold as many as the 12 before.", end=end)
    )
    if held["compared_previous"] and held["compared_previous"] > 0:
        change = held["compared_trailing"] / held["compared_previous"] - 1
        said.append(t("Between these windows, revenue changed by {change}.", change=signed(change, t)))
    return said


OF_ACCOUNTS = (
    *("account", "name", "owner", "owner_left", "trailing_revenue", "trailing_margin", "margin", "costed_revenue"),
    *("peak_revenue", "prior_peak_revenue", "days_known", "days_since_last", "p_alive", "expected_revenue"),
    *("expected_contribution", "p_negative", "p_negative_standard", "p_negative_before", "potential_revenue"),
    *("potential_source", "wallet_share", "headroom", "rival_share", "contribution_class", "potential_class"),
)
OF_STRATEGIES = (
    *("account", "nine_box", "type_000", "strategy", "strategy_rule", "strategy_inputs", "plan_required"),
    *("provisional", "flags"),
)
"""What sections print and choose accounts by: a third of the columns, read once for all of them."""


def labelled(run: Source) -> pd.DataFrame:
    """Return what sections say of accounts, with the labels of the playbook: one row an account, prospects included.

    Returns
    -------
    pandas.DataFrame
        The columns of `OF_ACCOUNTS` and `OF_STRATEGIES`, ordered by account.
    """
    return beside(run.read("account_table", columns=OF_ACCOUNTS), run.read("strategies", columns=OF_STRATEGIES))


def is_contribution(run: Source) -> bool:
    """Whether values are contribution; else they are revenue, because no costs are known."""
    return bool((run.read("forecast", columns=["basis"])["basis"] == "contribution").any())


def value_word(run: Source, t: Translator) -> str:
    """Return the heading of expected value."""
    return t("Expected contribution") if is_contribution(run) else t("Expected revenue")


def fixed_axes(run: Source) -> list[str]:
    """Return the axes on which fixed thresholds can be compared: they were set, and part the accounts."""
    fixed = {axis: f"{axis}_class_fixed" for axis in run.config.set_levels}
    if not fixed:
        return []
    table = run.read("schemes", columns=list(fixed.values()))
    return [axis for axis, column in fixed.items() if table[column].nunique() > 1]


def why_not_fixed(run: Source, t: Translator) -> str:
    """Say why nothing is compared with fixed thresholds of contribution; empty if it is."""
    if "contribution" in fixed_axes(run):
        return ""
    if "contribution" in run.config.set_levels:
        return t("The fixed thresholds put all accounts into one class, so nothing is compared with them.")
    return t("No fixed thresholds are set, so nothing is compared with them.")


def total(run: Source, accounts: Sequence[str] | None = None) -> Interval:
    """Return the expected value of all accounts, or of some, with the interval of their joint draws.

    Missing where none of them has bought: a prospect has no forecast.
    """
    future, draws = run.read("forecast", columns=["account", "expected_contribution"]), run.read("draws")
    if accounts is None:
        return _summed(run, future["expected_contribution"], draws)
    some = pd.Series(accounts, dtype="str")
    return _of_members(run, future, draws, *(places(each["account"], some) >= 0 for each in (future, draws)))


def _of_members(
    run: Source, future: pd.DataFrame, draws: pd.DataFrame, expected: np.ndarray, drawn: np.ndarray
) -> Interval:
    """Return `total` of the accounts marked in the forecast and in the draws, of which no copy is made."""
    if not expected.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    numbers = draws.drop(columns="account").to_numpy()
    parts = [slice(start, start + _CHUNK) for start in range(0, len(numbers), _CHUNK)]
    sums = np.sum([numbers[rows][drawn[rows]].sum(axis=0, dtype=float) for rows in parts], axis=0)
    bounds = totals.interval(pd.DataFrame([sums]), run.config.value.level).iloc[0]
    value = future.loc[expected, "expected_contribution"].sum()
    return Interval(float(value), float(bounds["lower"]), float(bounds["upper"]))


_CHUNK = 50_000
"""Accounts whose draws are added up at a time."""


def total_revenue(run: Source) -> Interval:
    """Return the expected revenue of all accounts with the interval of their joint draws."""
    expected = run.read("forecast", columns=["expected_revenue"])["expected_revenue"]
    return _summed(run, expected, run.read("revenue_draws"))


@dataclass(frozen=True)
class Past:
    """What today's customers brought in the last 12 months, by the forecast's own definition."""

    revenue: float
    value: float


def past_contribution(run: Source, t: Translator) -> str:
    """Return what the contribution of the last 12 months is called: nothing is deducted from it yet."""
    gross = has_cost_to_serve(run) or has_credit_cost(run)
    return t("Contribution before the cost of service and credit") if gross else t("Contribution")


def past(run: Source) -> Past:
    """Return what the customers that have a forecast bought, and their contribution after the costs it is net of."""
    rows = run.read("summary", columns=["account", "trailing_revenue", "trailing_margin"])
    revenue = float(rows["trailing_revenue"].sum())
    if not is_contribution(run):
        return Past(revenue, revenue)
    rates = run.read("margins").set_index("account").loc[rows["account"]]
    on_credit = float(rows["trailing_revenue"].to_numpy() @ credit_rate(rates))
    return Past(revenue, float(rows["trailing_margin"].sum() - rates["cost_to_serve"].sum()) - on_credit)


def has_cost_to_serve(run: Source) -> bool:
    """Whether the expected contribution is less a cost to serve."""
    return bool((run.read("forecast", columns=["cost_to_serve"])["cost_to_serve"] > 0).any())


def has_credit_cost(run: Source) -> bool:
    """Whether the expected contribution is less the cost of receivables; without invoices and payments it is not."""
    return bool(run.read("forecast", columns=["receivables_cost"])["receivables_cost"].notna().any())


def _summed(run: Source, expected: pd.Series, draws: pd.DataFrame) -> Interval:
    bounds = totals.interval(totals.sums(draws), run.config.value.level).iloc[0]
    return Interval(float(expected.sum()), float(bounds["lower"]), float(bounds["upper"]))


def leaving(table: pd.DataFrame) -> pd.DataFrame:
    """Return accounts to win back or to watch, most money first.

    `gone` is whether the account is silent, else it still buys, only less. `loss` is its best 12 months less the expected
    revenue, not under 0: the best of the last 36 where it is gone; of the 24 before the last 12 where it still buys, as
    the rule that found it compares.
    """
    rows = table[(table["strategy"] == "win_back") | has_flag(table, "watch")].copy()
    rows["gone"] = rows["strategy_rule"].isin(SILENT_RULES)
    best = rows["peak_revenue"].where(rows["gone"], rows["prior_peak_revenue"])
    rows["loss"] = (best - rows["expected_revenue"]).clip(lower=0)
    return rows.sort_values(["loss", "account"], ascending=[False, True])


def can_see_leaving(table: pd.DataFrame) -> bool:
    """Whether the log can show that an account leaves: one is known for two years."""
    return bool((table["days_known"] >= 2 * DAYS_PER_YEAR).any())


def losing(table: pd.DataFrame) -> pd.DataFrame:
    """Return accounts flagged for repair, largest loss of the last 12 months first."""
    return table[has_flag(table, "repair")].sort_values(["trailing_margin", "account"])


def reachable(table: pd.DataFrame) -> pd.DataFrame:
    """Return accounts to promote that have headroom, most first."""
    return table[(table["strategy"] == "promote") & (table["headroom"] > 0)].sort_values(
        ["headroom", "account"], ascending=[False, True]
    )


def fading_forecasts(table: pd.DataFrame) -> pd.DataFrame:
    """Return accounts that have probably gone and are still forecast with much money, most first.

    A simple rule carries the last year on whatever the probability that an account still buys.
    """
    share = table["expected_revenue"] / table["expected_revenue"].sum()
    rows = table[(table["p_alive"] < HARDLY_ALIVE) & (share >= MUCH)]
    return rows.sort_values(["expected_revenue", "account"], ascending=[False, True])


HARDLY_ALIVE = 0.2
"""Probability that an account still buys, under which it has probably gone."""

MUCH = 0.01
"""Share of the whole expected revenue from which one account's part is worth a line of its own."""


def has_flag(table: pd.DataFrame, flag: str) -> pd.Series:
    """Whether each account carries a flag."""
    place, given = pd.factorize(table["flags"])
    return pd.Series(np.array([*(flag in flags.split(", ") for flags in given), False])[place], table.index)


def present_owners(table: pd.DataFrame) -> pd.Series:
    """Return each account's owner, missing where nobody is named or the owner has left."""
    return table["owner"].where(~table["owner_left"].astype(bool))


def by_strategy(run: Source, table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each strategy that has accounts.

    Returns
    -------
    DataFrame
        strategy, accounts, people (owners who have not left), revenue, value, lower, upper and headroom.
    """
    future, draws = run.read("forecast", columns=["account", "expected_contribution"]), run.read("draws")
    found = table[["account", "strategy", "owner", "owner_left", "trailing_revenue", "headroom"]]
    code, strategies = pd.factorize(found["strategy"])
    own = [np.append(code, -1)[places(each["account"], found["account"])] for each in (future, draws)]
    rows = []
    for strategy in STRATEGIES:
        members = found[found["strategy"] == strategy]
        if len(members):
            sums = _of_members(run, future, draws, *(given == list(strategies).index(strategy) for given in own))
            rows.append(
                {
                    "strategy": strategy,
                    "accounts": len(members),
                    "people": present_owners(members).nunique(),
                    "revenue": members["trailing_revenue"].sum(min_count=1),
                    "value": sums.value,
                    "lower": sums.lower,
                    "upper": sums.upper,
                    "headroom": members["headroom"].sum(),
                }
            )
    return pd.DataFrame(rows)


def record(run: Source) -> pd.DataFrame:
    """Return the contest's rows at the newest origin, for the main target; no choice has looked at it, if it can be."""
    table = run.read("backtest")
    target = "revenue" if (table["target"] == "revenue").any() else "purchases"
    rows = table[(table["target"] == target) & table["role"].isin(RECORDS)]
    return rows.set_index("forecaster")
