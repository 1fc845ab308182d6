"""Margin rate of each account, shrunk to its group's, so that two bad lines make no "−80 %"; and what is taken off it.

References
----------
.. [1] Bühlmann and Gisler (2005), A Course in Credibility Theory and its Applications, chapter 4 (Bühlmann–Straub).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamlab.clv.checks import as_frame, require_columns
from kamlab.errors import DataError, first_ids
from kamlab.period import DAYS_PER_YEAR, StudyPeriod
from kamlab.terms import TABLES

PRIOR_LINES = (5.0, 200.0)
"""Range of the number of lines at which an account's own rate weighs as much as its group's."""

MIN_GROUP_ACCOUNTS = 5
"""A group with fewer costed accounts than this takes the company's rate."""

WIDEST_RATE = 1.0
"""Own rates are cut to ±100 %: beyond, sums near zero divide by each other."""

_COLUMNS = ("costed_revenue", "margin", "margin_rate_var", "costed_lines", "trailing_purchase_days")


def cost_to_serve(costs: pd.DataFrame, period: StudyPeriod, *, accounts: pd.DataFrame | None = None) -> pd.Series:
    """Add up what serving each account has cost in the last 12 months.

    Parameters
    ----------
    costs : pandas.DataFrame
        Columns account, date, amount (currency; above 0 = a cost, below 0 = one taken back).
    period : StudyPeriod
        Nothing after its `calibration_end` counts.
    accounts : pandas.DataFrame, optional
        Columns member, account, as for `summary.summarize`: costs count for the account that decisions are taken for.

    Returns
    -------
    pandas.Series
        cost_to_serve (currency) by account, of the accounts with a cost in these 12 months, in order.

    Raises
    ------
    DataError
        If costs lack an account, a date or a finite amount.
    """
    frame = as_frame(costs)
    require_columns(frame, ("date", "amount"), "the cost to serve")
    date, amount = pd.to_datetime(frame["date"], errors="coerce"), pd.to_numeric(frame["amount"], errors="coerce")
    wrong = date.isna() | ~np.isfinite(amount.astype(float)) | frame["account"].isna() | (frame["account"] == "")
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum())} of {len(frame)} costs to serve have no account, date or amount that is a number "
            f"(first, counted from 0: {first_ids(frame.index[wrong].astype(str))}). Fill or drop them."
        )
    recent = (date >= pd.Timestamp(period.window_start(DAYS_PER_YEAR))) & (date <= pd.Timestamp(period.calibration_end))
    account = frame["account"]
    if accounts is not None:
        account = account.map(accounts.set_index("member")["account"]).fillna(account)
    return amount[recent].astype(float).groupby(account[recent]).sum().rename("cost_to_serve")


def rates(
    summary: pd.DataFrame,
    *,
    groups: pd.Series | None = None,
    costs: pd.Series | None = None,
    receivables: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Estimate margin rates by credibility.

    The own rate m_i (margin / revenue of the costed lines of 36 months) of an account with n_i such lines weighs
    z_i = n_i / (n_i + k) against its group's rate, with k = variance within accounts / variance between accounts,
    estimated from all accounts [1]_ and kept between 5 and 200 lines. The standard error is the root of
    z_i² · s_i² / n_i + (1 − z_i)² · τ², where s_i² is the variance of the account's own lines, itself shrunk to the
    company's in the same way, and τ² the variance between accounts.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns account, costed_revenue, margin (currency), margin_rate_var, costed_lines, trailing_purchase_days; and
        trailing_revenue (currency) where there are costs to serve.
    groups : pandas.Series, optional
        Group (the channel) by account (index); accounts without one, and small groups, take the company's rate.
    costs : pandas.Series, optional
        Cost to serve of the last 12 months (currency) by account (index); accounts that are not there cost nothing.
    receivables : pandas.DataFrame, optional
        account, receivables_rate, loss_rate (shares of revenue), such as `receivables.rates` returns.

    Returns
    -------
    pandas.DataFrame
        Table "margins" of `terms`, in the summary's order: account; margin_rate (share); margin_rate_se (share);
        cost_to_serve (currency a year; 0 without `costs`); receivables_rate, loss_rate (shares; missing where not
        known); p_negative: probability that margin rate × revenue of the last 12 months is less than the cost to serve,
        the receivables cost and the expected credit loss of these 12 months, given that the account buys (normal
        approximation of the rate), 0 without a purchase day in them. Margin rates and probabilities are missing where
        no cost of goods is known at all.
    """
    from scipy.special import ndtr  # reports read this module and need no scipy

    frame = as_frame(summary)
    require_columns(frame, _COLUMNS, "the margin rate")
    table = frame[["account"]].reindex(columns=[column.name for column in TABLES["margins"]]).astype({"account": "str"})
    table["cost_to_serve"] = 0.0 if costs is None else frame["account"].map(costs).fillna(0.0).astype(float)
    if receivables is not None:
        on_credit = receivables.set_index("account").reindex(frame["account"])
        for name in ("receivables_rate", "loss_rate"):
            table[name] = on_credit[name].to_numpy(dtype=float)
    costed = (frame["costed_lines"] > 0) & (frame["costed_revenue"] > 0)
    if not costed.any():
        return table
    n = frame["costed_lines"].where(costed, 0).to_numpy(dtype=float)
    own = (frame["margin"] / frame["costed_revenue"].where(costed)).clip(-WIDEST_RATE, WIDEST_RATE)
    group_rate = _group_rates(frame, costed, groups)
    own = own.fillna(group_rate).to_numpy()
    within = frame["margin_rate_var"].where(costed).fillna(0.0).to_numpy()
    pooled, between = _variances(own, group_rate.to_numpy(), within, n)
    k = float(np.clip(pooled / between if between > 0 else np.inf, *PRIOR_LINES))
    z = n / (n + k)
    rate = z * own + (1 - z) * group_rate.to_numpy()
    spread = (n * within + k * pooled) / (n + k)
    error = np.sqrt(z**2 * spread / np.maximum(n, 1) + (1 - z) ** 2 * between)
    needed = _rate_needed(frame, table["cost_to_serve"]) if costs is not None else np.zeros(len(frame))
    needed = needed + credit_rate(table)
    # Equal rates everywhere leave no doubt about the sign.
    score = np.divide(needed - rate, error, out=np.where(rate < needed, np.inf, -np.inf), where=error > 0)
    silent = frame["trailing_purchase_days"].to_numpy() == 0
    return table.assign(margin_rate=rate, margin_rate_se=error, p_negative=np.where(silent, 0.0, ndtr(score)))


def credit_rate(rates: pd.DataFrame) -> np.ndarray:
    """Return what selling on credit takes of each account's revenue, as a share; 0 as far as it is not known.

    Parameters
    ----------
    rates : pandas.DataFrame
        receivables_rate, loss_rate (shares), as in table "margins" of `terms`.
    """
    return rates[["receivables_rate", "loss_rate"]].astype(float).fillna(0.0).sum(axis=1).to_numpy()


def _rate_needed(frame: pd.DataFrame, cost: pd.Series) -> np.ndarray:
    """Return the margin rate at which an account just pays for its service; infinite where it bought nothing net."""
    require_columns(frame, ("trailing_revenue",), "the cost to serve")
    revenue, cost = frame["trailing_revenue"].to_numpy(dtype=float), cost.to_numpy()
    return np.divide(cost, revenue, out=np.where(cost > 0, np.inf, 0.0), where=revenue > 0)


def _group_rates(frame: pd.DataFrame, costed: pd.Series, groups: pd.Series | None) -> pd.Series:
    """Revenue-weighted rate of each account's group, the company's where the group is unknown or small."""
    sums = frame.loc[costed, ["margin", "costed_revenue"]]
    company = sums["margin"].sum() / sums["costed_revenue"].sum()
    if groups is None:
        return pd.Series(company, index=frame.index)
    group = frame["account"].map(groups)
    by_group = sums.groupby(group[costed]).agg(["sum", "size"])
    large = by_group[("margin", "size")] >= MIN_GROUP_ACCOUNTS
    rate = (by_group[("margin", "sum")] / by_group[("costed_revenue", "sum")])[large]
    return group.map(rate).astype(float).fillna(company)


def _variances(own: np.ndarray, group: np.ndarray, within: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """Variance of lines within accounts, and of rates between accounts of a group: the estimators of [1]_, section 4.8.

    The summary's variance divides by n; n / (n − 1) makes it unbiased.
    """
    several = n > 1
    pooled = float((n[several] * within[several]).sum() / (n[several] - 1).sum()) if several.any() else 0.0
    counted = n > 0
    w = n[counted]
    spare = w.sum() - (w**2).sum() / w.sum()
    if spare <= 0:
        return pooled, 0.0
    mean_off = np.average(own[counted] - group[counted], weights=w)
    squares = float((w * (own[counted] - group[counted] - mean_off) ** 2).sum())
    return pooled, max(0.0, (squares - (counted.sum() - 1) * pooled) / spare)
