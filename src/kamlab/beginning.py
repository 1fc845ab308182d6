"""Whether a log begins after its customers did, told from when accounts are first seen and how often they buy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from kamlab.period import StudyPeriod

if TYPE_CHECKING:
    from kamlab.ledger import Ledger

ALARM_P = 0.01
"""Chance is taken to explain what it would bring about in more than 1 % of logs."""

EARLY_DAYS = 90
EARLY_FACTOR = 1.5
"""The first 90 days must show at least this many times the new accounts that they would at the later rate."""
LEAST_ACCOUNTS = 20


@dataclass(frozen=True)
class Truncation:
    """Whether the log begins after its customers did.

    Attributes
    ----------
    first_day : str
        First day of the log (ISO).
    early : int
        Accounts first seen within the first 90 days.
    expected : float
        How many there would be at the rate of the log's later half.
    correlation : float
        Rank correlation of the days until an account is first seen and the mean gap between its purchase days: near 0
        or below where accounts are new, above where those that buy often merely show up first.
    p_early, p_correlation : float
        One-sided.
    known_before : int
        Estimate of the accounts whose first purchases lie before the log; 0 unless truncated.
    accounts : int
    verdict : str
        "truncated"; "unclear" where many are first seen early but not sorted by how often they buy, so that they may
        as well have begun together; or "complete".
    """

    first_day: str
    early: int
    expected: float
    correlation: float
    p_early: float
    p_correlation: float
    known_before: int
    accounts: int
    verdict: str


def truncation(summary: pd.DataFrame, ledger: Ledger, period: StudyPeriod) -> Truncation | None:
    """Compare how many accounts are first seen early and late, and whether those that buy often are seen first.

    A sample of customers who all began at once also shows many at first, but not sorted by how often they buy.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns account, first_purchase, last_purchase, purchase_days of `terms.TABLES["summary"]`.
    ledger : Ledger
    period : StudyPeriod

    Returns
    -------
    Truncation or None
        None for a log of less than 360 days or fewer than 20 accounts, which tell nothing.
    """
    from scipy.stats import binom, spearmanr

    start = pd.Timestamp(ledger.first_date)
    length = (pd.Timestamp(period.calibration_end) - start).days + 1
    if length < 4 * EARLY_DAYS or len(summary) < LEAST_ACCOUNTS:
        return None
    wait = (summary["first_purchase"] - start).dt.days
    half = length / 2
    early, late = int((wait < EARLY_DAYS).sum()), int((wait >= half).sum())
    share = EARLY_DAYS / (EARLY_DAYS + length - half)
    p_early = float(binom.sf(early - 1, early + late, share))
    expected = late * EARLY_DAYS / (length - half)
    gaps = (summary["last_purchase"] - summary["first_purchase"]).dt.days / (summary["purchase_days"] - 1)
    sorted_out = (wait < half) & (summary["purchase_days"] > 1)
    rho, p_sorted = 0.0, 1.0
    if sorted_out.sum() >= LEAST_ACCOUNTS and wait[sorted_out].nunique() > 1 and gaps[sorted_out].nunique() > 1:
        found = spearmanr(wait[sorted_out], gaps[sorted_out], alternative="greater")
        rho, p_sorted = float(found.statistic), float(found.pvalue)
    verdict, before = "complete", 0
    if p_early < ALARM_P and early >= EARLY_FACTOR * expected:
        verdict = "truncated" if p_sorted < ALARM_P else "unclear"
    if verdict == "truncated":
        before = round((wait < half).sum() - late * half / (length - half))
    first_day = ledger.first_date.isoformat()
    return Truncation(first_day, early, expected, rho, p_early, p_sorted, before, len(summary), verdict)
