"""Invoices, payments and deals as a company keeps them → the tables that `credit` and `prospects` judge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from kamlab import credit as _credit
from kamlab import prospects as _prospects
from kamlab import tables
from kamlab.config import Config
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.terms import TABLES

MONTHS_PER_YEAR = 12

WON = frozenset({"won", "closed won", "win", "thắng", "赢单", "成交", "ganado", "ganada"})
LOST = frozenset({"lost", "closed lost", "loss", "thua", "输单", "丢单", "perdido", "perdida"})
"""What sources call deals that are won and lost, in small letters; every other stage is one of an open deal."""


def credit(
    config: Config,
    period: StudyPeriod,
    *,
    accounts: pd.DataFrame,
    expected_revenue: pd.Series | None = None,
    months: float = _credit.LIMIT_MONTHS,
    policy_limit: float | None = None,
    borders: Mapping[str, float] = _credit.BORDERS,
    least_invoices: int = _credit.MIN_INVOICES,
) -> pd.DataFrame:
    """Judge how accounts pay, from the configured invoices and payments; see `invoices_and_payments`.

    Parameters
    ----------
    config : Config
    period : StudyPeriod
    accounts : pandas.DataFrame
        Columns member, account: who is judged together.
    expected_revenue : pandas.Series, optional
        Revenue of the next 12 months (currency) by account, for the limit.
    months, borders, least_invoices
        See `credit.assess`.
    policy_limit : float, optional
        Limit of every account by the company's policy (currency).

    Returns
    -------
    pandas.DataFrame
        Table "credit" of `terms`; without rows where invoices or payments are not given.

    Raises
    ------
    DataError
        If a table cannot be read.
    """
    books = invoices_and_payments(config, period, accounts=accounts)
    if books is None:
        return pd.DataFrame(columns=[column.name for column in TABLES["credit"]])
    spend = None if expected_revenue is None else expected_revenue / MONTHS_PER_YEAR
    return _credit.assess(
        *books,
        as_of=period.calibration_end,
        monthly_spend=spend,
        policy_limits=None if policy_limit is None else pd.Series(policy_limit, accounts["account"].unique()),
        months=months,
        borders=borders,
        least_invoices=least_invoices,
    )


def invoices_and_payments(
    config: Config, period: StudyPeriod, *, accounts: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the configured invoices and payments as `credit` and `receivables` take them.

    Credit notes (invoices of a negative amount) count as payments; payments that were paid back, and invoices without a
    due date, tell nothing of how an account pays and are left out.

    Parameters
    ----------
    config : Config
    period : StudyPeriod
    accounts : pandas.DataFrame
        Columns member, account: who is judged together.

    Returns
    -------
    tuple of pandas.DataFrame, or None
        None where invoices or payments are not given, or no invoice says when it is due.

    Raises
    ------
    DataError
        As `credit`.
    """
    if not {"invoices", "payments"} <= set(tables.given(config)):
        return None
    as_of = period.calibration_end
    read = (tables.read(config, name, as_of=as_of).rows for name in ("invoices", "payments"))
    invoices, payments = (of_units(rows, accounts) for rows in read)
    invoices["disputed"] = invoices["disputed"].eq(True)
    notes = invoices.loc[invoices["amount"] < 0, ["account", "date", "amount", "invoice"]]
    received = payments.loc[payments["amount"] > 0, ["account", "date", "amount", "invoice"]]
    received = pd.concat([received, notes.assign(amount=-notes["amount"])], ignore_index=True)
    owed = invoices[(invoices["amount"] > 0) & invoices["due"].notna()]
    return None if owed.empty else (owed, received)


def attitude(config: Config, period: StudyPeriod, *, accounts: pd.DataFrame) -> pd.Series | None:
    """Return the mean satisfaction that each account has told in the last 12 months, from the configured complaints.

    Parameters
    ----------
    config : Config
    period : StudyPeriod
    accounts : pandas.DataFrame
        Columns member, account.

    Returns
    -------
    pandas.Series or None
        attitude_score (0 to 10) by account, of those that answered; None where no complaints are given.

    Raises
    ------
    DataError
        If the table cannot be read.
    """
    if "complaints" not in tables.given(config):
        return None
    told = of_units(tables.read(config, "complaints", as_of=period.calibration_end).rows, accounts)
    recent = pd.to_datetime(told["date"]) >= pd.Timestamp(period.window_start(DAYS_PER_YEAR))
    told = told[recent & told["satisfaction"].notna()]
    return told["satisfaction"].astype(float).groupby(told["account"]).mean().rename("attitude_score")


def pipeline(
    config: Config,
    period: StudyPeriod,
    *,
    accounts: pd.DataFrame,
    seed: int = 0,
    grade_days: Mapping[str, int] = _prospects.GRADE_DAYS,
    grade_chance: float = _prospects.GRADE_CHANCE,
) -> _prospects.Pipeline | None:
    """Grade prospects and weigh open deals, from the configured pipeline; None where none is given.

    Deals that are won or lost on a day that nobody has written down tell nothing of how long winning takes and are left
    out.

    Parameters
    ----------
    config : Config
    period : StudyPeriod
    accounts : pandas.DataFrame
        Columns member, account.
    seed : int
        Of the draws behind the interval of the total.
    grade_days, grade_chance
        See `prospects.assess`.

    Raises
    ------
    DataError
        If the table cannot be read.
    """
    if "prospects" not in tables.given(config):
        return None
    deals = of_units(tables.read(config, "prospects", as_of=period.calibration_end).rows, accounts)
    # What the source calls a closed deal's stage is its outcome, so it must not predict it.
    stage = deals["stage"].str.strip().str.lower()
    deals["stage"] = "open"
    deals.loc[stage.isin(WON), "stage"] = "won"
    deals.loc[stage.isin(LOST), "stage"] = "lost"
    open_deal = deals["stage"] == "open"
    deals.loc[open_deal, "closed"] = pd.NaT
    dated = deals[open_deal | deals["closed"].notna()].reset_index(drop=True)
    return _prospects.assess(
        dated, as_of=period.calibration_end, seed=seed, grade_days=grade_days, grade_chance=grade_chance
    )


def active_people(config: Config, period: StudyPeriod, owners: pd.Series) -> set[str] | None:
    """Return who works in sales at the as-of date, from the configured table of owners.

    None where there is no such table, or it names nobody of those who own accounts: then it goes by other names.

    Parameters
    ----------
    config : Config
    period : StudyPeriod
    owners : pandas.Series
        Owner of each account.

    Raises
    ------
    DataError
        If the table cannot be read.
    """
    if "owners" not in tables.given(config):
        return None
    return at_work(tables.read(config, "owners", as_of=period.calibration_end).rows, owners, period.calibration_end)


def at_work(people: pd.DataFrame, owners: pd.Series, as_of: date) -> set[str] | None:
    """Return who of the people (owner, active_to) works on a day; None where none of them owns an account.

    Parameters
    ----------
    people : pandas.DataFrame
    owners : pandas.Series
        Owner of each account.
    as_of : datetime.date
    """
    left = people["active_to"] <= pd.Timestamp(as_of)
    known = set(people["owner"].dropna())
    return set(people.loc[~left, "owner"].dropna()) if known & set(owners.dropna()) else None


def contacts(config: Config, period: StudyPeriod, *, accounts: pd.DataFrame) -> pd.DataFrame | None:
    """Return account and date of each contact up to the as-of date; None where no table of contacts is given."""
    if "contacts" not in tables.given(config):
        return None
    return of_units(tables.read(config, "contacts", as_of=period.calibration_end).rows, accounts)[["account", "date"]]


def of_units(rows: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Bring rows (column account) to the accounts that decisions are taken for (columns member, account)."""
    unit = rows["account"].map(accounts.set_index("member")["account"])
    return rows.assign(account=unit.fillna(rows["account"]))
