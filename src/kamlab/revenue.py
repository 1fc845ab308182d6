"""The lines that are revenue, by account and day, and the company's revenue over time: what the summary is made from.

Written in Ibis, so that the engine does the work; sums run over exact decimals and integers, because sums of
doubles on several threads differ from run to run in their last digits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kamlab.engines import fetch
from kamlab.ids import among
from kamlab.ledger import Ledger
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.terms import REVENUE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

MONEY = "decimal(38,4)"
FIRST_DAYS = 14


def revenue_lines(
    ledger: Ledger,
    period: StudyPeriod,
    accounts: pd.DataFrame | None,
    *,
    only: Collection[str] | None = None,
) -> ir.Table:
    """Lines of revenue with an account, up to the as-of date, under the account that decisions are taken for.

    `only` names the accounts whose lines are wanted; None = all.
    """
    import ibis
    import pyarrow as pa

    t = _grouped_lines(ledger, period, accounts)
    if only is None:
        return t
    wanted = ibis.memtable(pa.table({"wanted": pa.array(sorted(only), pa.string())}))
    return t.semi_join(wanted, t.account == wanted.wanted)


def _grouped_lines(ledger: Ledger, period: StudyPeriod, accounts: pd.DataFrame | None) -> ir.Table:
    import ibis
    import pyarrow as pa

    t = ledger.table
    t = t.filter(t.account.notnull(), t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))
    members = moved(accounts)
    if members is None:
        return t
    groups = ibis.memtable(pa.table({"member": members["member"], "group": members["account"]}))
    t = t.left_join(groups, t.account == groups.member)
    return t.mutate(account=ibis.coalesce(t.group, t.account)).drop("group", "member")


def moved(accounts: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the accounts (member, account) that do not stand for themselves; None if there is none."""
    if accounts is None:
        return None
    members = accounts[accounts["member"] != accounts["account"]]
    return None if members.empty else members


def members_of(accounts: pd.DataFrame | None, wanted: Collection[str]) -> frozenset[str]:
    """Return the ledger's accounts (members) behind some of the accounts that decisions are taken for."""
    members = moved(accounts)
    names = frozenset(wanted)
    return names if members is None else names.union(members.loc[among(members["account"], names), "member"])


def unattributed_lines(ledger: Ledger, period: StudyPeriod) -> ir.Table:
    """Lines of revenue without an account, up to the as-of date."""
    import ibis

    t = ledger.table
    return t.filter(t.account.isnull(), t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))


def daily(lines: ir.Table, ledger: Ledger) -> ir.Table:
    """One row per account and day: its net value and whether it is a purchase day."""
    import ibis

    if not ledger.has_money:
        zero = ibis.literal(0).cast(MONEY)
        return lines.group_by("account", "date").agg(net=zero, is_purchase=ibis.literal(True))
    if ledger.purchase == "nonnegative":
        bought, enough = (lines.kind != "return") & (lines.amount >= 0), lines.amount.sum() >= 0
    else:
        bought, enough = (lines.kind != "return") & (lines.amount > 0), lines.amount.sum() > 0
    return lines.group_by("account", "date").agg(net=lines.amount.sum(), is_purchase=bought.any() & enough)


def money_where(condition: ir.BooleanValue, money: ir.DecimalValue) -> ir.DecimalScalar:
    """Sum the money where the condition holds; 0 where it never does."""
    import ibis

    # A bare 0 would make the engine's result and Ibis' idea of its type differ.
    return condition.ifelse(money, ibis.literal(0).cast(MONEY)).cast(MONEY).sum()


def revenue_windows(ledger: Ledger, period: StudyPeriod) -> dict[str, float | None]:
    """Return the company's net revenue of the last 12 months (`trailing`) and of the 12 before (`previous`).

    Revenue without an account counts too; `trailing_unattributed` is that part of the last 12 months. All in currency.
    `trailing_contribution` and `previous_contribution` are revenue less cost on the lines with a known cost, None
    without costs. What concerns the 12 months before is None where the log does not hold them whole.
    """
    import ibis

    t = ledger.table
    t = t.filter(t.kind.isin(REVENUE_KINDS), t.date <= ibis.literal(period.calibration_end))
    last = t.date >= ibis.literal(period.window_start(DAYS_PER_YEAR))
    before = (t.date >= ibis.literal(period.window_start(2 * DAYS_PER_YEAR))) & ~last
    sums = t.agg(
        trailing=money_where(last, t.amount),
        previous=money_where(before, t.amount),
        trailing_unattributed=money_where(last & t.account.isnull(), t.amount),
        trailing_contribution=money_where(last & t.cost.notnull(), t.amount - t.cost),
        previous_contribution=money_where(before & t.cost.notnull(), t.amount - t.cost),
    )
    facts: dict[str, float | None] = {n: float(v or 0) for n, v in sums.to_pyarrow().to_pylist()[0].items()}
    if not ledger.has_cost:
        facts |= {"trailing_contribution": None, "previous_contribution": None}
    # Companies rest at the turn of a year: a first line in the first fortnight makes the year whole.
    if (ledger.first_date - period.window_start(2 * DAYS_PER_YEAR)).days > FIRST_DAYS:
        facts |= {"previous": None, "previous_contribution": None}
    return facts


def monthly_revenue(ledger: Ledger, period: StudyPeriod) -> pd.DataFrame:
    """Return month (first day), lines, accounts and revenue (currency) of each calendar month up to the as-of date."""
    import ibis

    t = ledger.table
    t = t.filter(t.date <= ibis.literal(period.calibration_end), t.kind.isin(REVENUE_KINDS))
    months = t.group_by(month=t.date.truncate("M")).agg(
        lines=t.count(), accounts=t.account.nunique(), revenue=t.amount.sum()
    )
    return fetch(months.order_by("month")).astype({"month": "datetime64[s]", "revenue": "float64"})
