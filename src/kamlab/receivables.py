"""Invoices + payments → what selling on credit costs each account's revenue: the wait for money, and what is lost.

References
----------
.. [1] IFRS 9, 5.5.15: the loss of trade receivables is that of their whole life, expected from the first day.
.. [2] Bühlmann and Gisler (2005), A Course in Credibility Theory and its Applications, section 3.1: z = n / (n + k).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from kamlab import credit
from kamlab.period import DAYS_PER_YEAR

PRIOR_INVOICES_DAYS = 4.0
"""Invoices at which an account's own days to pay weigh as much as the company's: people pay by habit."""

PRIOR_INVOICES_LOSS = 20.0
"""The same of the share that is lost: losses are rare, so more invoices have to speak."""


def rates(
    invoices: pd.DataFrame,
    payments: pd.DataFrame | None,
    accounts: pd.Series,
    *,
    as_of: date,
    discount_rate_annual: float,
) -> pd.DataFrame:
    """Say what selling on credit takes of each account's revenue.

    Money that comes d days after the invoice is worth (1 + i)^(−d / 365) of it, at the effective annual rate i: the
    receivables cost is the rest. d is the mean of the days from invoice to payment, by amount; what is due and unpaid
    counts with its days so far. The expected credit loss is the share of all that was invoiced in three years that is
    expected never to be paid: nothing of what was paid, and what is open × the loss rate of its days past due [1]_.
    Both are drawn towards the company's with weights z = n / (n + k) [2]_, so that who has no invoice has the
    company's; disputed invoices are left out.

    Parameters
    ----------
    invoices, payments
        As for `credit.assess`.
    accounts : pandas.Series
        Accounts to judge.
    as_of : date
        Nothing dated later is read.
    discount_rate_annual : float
        i, effective a year.

    Returns
    -------
    pandas.DataFrame
        account, receivables_rate and loss_rate (shares of revenue), in the order of `accounts`. Missing where the
        invoices are too few to say: of the loss see `credit.loss_rates`.

    Raises
    ------
    DataError
        As `credit.assess`.
    """
    table = credit.settled(invoices, payments, as_of=as_of)
    table = table[~table["disputed"] & (table["age_days"] <= credit.HISTORY_DAYS)]
    due = table[table["was_due"]]
    days = _drawn(due.assign(part=due["amount"] * due["pay_days"]), accounts, PRIOR_INVOICES_DAYS)
    gone = _drawn(table.assign(part=credit.lost(table, credit.loss_rates(table))), accounts, PRIOR_INVOICES_LOSS)
    return pd.DataFrame(
        {
            "account": accounts.to_numpy(),
            "receivables_rate": 1 - (1 + discount_rate_annual) ** -(days / DAYS_PER_YEAR),
            "loss_rate": gone,
        }
    )


def _drawn(table: pd.DataFrame, accounts: pd.Series, prior: float) -> np.ndarray:
    """Return Σ part / Σ amount of each account, drawn towards that of all; missing without an invoice."""
    total = table["amount"].sum()
    if not total > 0:
        return np.full(len(accounts), np.nan)
    # `min_count` keeps a part that is unknown from counting as nothing.
    company = table["part"].sum(min_count=len(table)) / total
    own = table.groupby("account").agg(part=("part", "sum"), amount=("amount", "sum"), n=("amount", "size"))
    own = own.reindex(accounts)
    z = (own["n"] / (own["n"] + prior)).fillna(0.0)
    return (z * (own["part"] / own["amount"]).fillna(0.0) + (1 - z) * company).to_numpy(dtype=float)
