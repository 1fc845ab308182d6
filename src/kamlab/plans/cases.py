"""All that is known of one account that gets a plan, from a company's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from kamlab.ids import among, places
from kamlab.period import DAYS_PER_YEAR

OVER = frozenset(
    {"finished", "done", "closed", "cancelled", "kết thúc", "hủy", "完成", "取消", "terminado", "cancelado"}
)
"""What sources call projects that are over, in small letters."""


@dataclass(frozen=True)
class Case:
    """One account: its row of the account table with labels, and what stands in the tables beside.

    Attributes
    ----------
    row : mapping
        Columns of table "account_table" and of "strategies".
    credit, cadence : mapping
        Its row of these tables; empty where it has none.
    people, competitors, projects, deals, complaints, actions : pandas.DataFrame
        Its rows.
    mix : pandas.DataFrame
        product_line, share, usual: what it bought in the last 12 months, and what accounts of its industry buy.
    notes : mapping of str to str
        What people wrote.
    company : mapping of str to float
        Quantities of all accounts that one account is held against: margin_rate, low_margin_rate, trailing_revenue.
    asked : frozenset of str
        Optional tables that the company has: without a table nothing is missing from it.
    as_of : datetime.date
    """

    row: Mapping[str, Any]
    credit: Mapping[str, Any]
    cadence: Mapping[str, Any]
    people: pd.DataFrame
    competitors: pd.DataFrame
    projects: pd.DataFrame
    deals: pd.DataFrame
    complaints: pd.DataFrame
    actions: pd.DataFrame
    mix: pd.DataFrame
    notes: Mapping[str, str]
    company: Mapping[str, float]
    asked: frozenset[str]
    as_of: date
    flags: frozenset[str] = field(default=frozenset())

    def number(self, name: str, default: float = float("nan")) -> float:
        """Return a value of its row as a number; `default` where it is missing."""
        value = self.row.get(name)
        return default if value is None or pd.isna(value) else float(value)

    def owed(self, name: str) -> float:
        """Return a value of its credit; 0 where it has none."""
        value = self.credit.get(name)
        return 0.0 if value is None or pd.isna(value) else float(value)

    @property
    def open_complaints(self) -> int:
        """Complaints that are not settled."""
        return int(self.complaints["closed"].isna().sum()) if len(self.complaints) else 0

    @property
    def satisfaction(self) -> tuple[float, int]:
        """Mean satisfaction of the last 12 months (0 to 10), and the number of answers."""
        if self.complaints.empty:
            return float("nan"), 0
        answers = self.complaints["satisfaction"].dropna()
        return (float(answers.mean()) if len(answers) else float("nan")), len(answers)

    @property
    def roles(self) -> frozenset[str]:
        """Roles that somebody we know fills."""
        return frozenset(self.people["role"])


def running_projects(projects: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the projects that are not over on a day."""
    over = projects["status"].fillna("").astype("str").str.strip().str.casefold().isin(OVER)
    ended = projects["end"].notna() & (projects["end"] < pd.Timestamp(as_of))
    return projects[~over & ~ended]


def recent(rows: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the rows (column date) of the last 12 months."""
    return rows[rows["date"] > pd.Timestamp(as_of) - pd.Timedelta(days=DAYS_PER_YEAR)]


def newest_competitors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what was learnt last of each competitor at an account and in a product line, the largest share first."""
    last = rows.sort_values("date", kind="stable", na_position="first")
    last = last.drop_duplicates(["account", "competitor", "product_line"], keep="last")
    return last.sort_values(["account", "share", "competitor"], ascending=[True, False, True], ignore_index=True)


def usual_mix(mix: pd.DataFrame, industries: pd.Series, *, least: int, only: pd.Series) -> pd.DataFrame:
    """Return what some accounts buy, and how many of their industry's buyers buy it.

    Parameters
    ----------
    mix : pandas.DataFrame
        What `buying.product_mix` returns.
    industries : pandas.Series
        Industry by account.
    least : int
        Buyers that an industry needs, so that one can say what is usual in it.
    only : pandas.Series
        The accounts that are wanted; what is usual is counted over all.

    Returns
    -------
    pandas.DataFrame
        account, product_line, share, usual (share of the industry's buyers; missing in industries of fewer buyers);
        one row for each account and line, bought or not.
    """
    industry = industries.reset_index(drop=True).reindex(places(mix["account"], industries.index.to_series()))
    buyers = (mix.drop(columns="account") > 0).groupby(industry.to_numpy())
    usual = buyers.mean()[buyers.size() >= least].rename_axis("industry").reset_index()
    usual = usual.melt("industry", var_name="product_line", value_name="usual")
    wanted = among(mix["account"], only)
    long = mix[wanted].assign(industry=industry.to_numpy()[wanted])
    long = long.melt(["account", "industry"], var_name="product_line", value_name="share")
    return long.merge(usual, on=["industry", "product_line"], how="left").drop(columns="industry")
