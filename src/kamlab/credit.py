"""Invoices + payments → how each account pays: score, class, limit, expected loss, and what is overdue or disputed.

References
----------
.. [1] IFRS 9, B5.5.35: the provision matrix, loss rates by days past due from the company's own history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from kamlab import terms
from kamlab.errors import DataError, ModelError, first_ids
from kamlab.period import DAYS_PER_YEAR

BORDERS = {"AAA": 90.0, "AA": 80.0, "A": 70.0}
"""A class needs a score above its border; nobody under the last one has a class."""

MIN_INVOICES = 4
"""Whoever has been due fewer times than this is A at best: so few say little."""

LIMIT_MONTHS = 2.0
"""Months of expected spend that a limit allows at most."""

WEIGHTS = {"on_time": 0.4, "late_days": 0.3, "overdue": 0.2, "utilisation": 0.1}
"""Of the four parts of the score, each between 0 (worst) and 1."""

LATE_DAYS_WORST = 60.0
"""So many days beyond terms on average, and that part of the score is 0."""

GRACE_DAYS = 3
"""A payment counts as on time up to three days after it was due: banks take as long."""

LONG_OVERDUE_DAYS = 90

BUCKETS = (0, 30, 60, 90)
"""Days past due at which an unpaid invoice enters the next bucket: due, 1–30, 31–60, 61–90 and over 90 days."""

LEAST_BUCKET_AMOUNT = 20
"""A share that rolled on counts from 20 invoices on; before, all that reached a bucket counts as rolling on."""

LOST_AFTER_DAYS = 365
"""What is unpaid a year after it was due counts as lost."""

HISTORY_DAYS = 3 * 365
"""The score looks at what fell due in the last three years."""

_COLUMNS = [column.name for column in terms.TABLES["credit"]]


def assess(
    invoices: pd.DataFrame,
    payments: pd.DataFrame | None = None,
    *,
    as_of: date,
    monthly_spend: pd.Series | None = None,
    policy_limits: pd.Series | None = None,
    months: float = LIMIT_MONTHS,
    borders: Mapping[str, float] = BORDERS,
    least_invoices: int = MIN_INVOICES,
) -> pd.DataFrame:
    """Judge how each account pays.

    The score is 100 × (0.4 · share of due amounts paid on time + 0.3 · (1 − mean days beyond terms / 60, at most 1) +
    0.2 · (1 − share of what is outstanding that is overdue) + 0.1 · (1 − use of the limit beyond it, at most 1)).
    Days beyond terms weigh invoices by amount; an unpaid invoice counts with its days so far. Disputed amounts stand
    apart: they enter neither the score nor what is overdue.

    Parameters
    ----------
    invoices : pandas.DataFrame
        account, date, due (dates), amount (currency, above 0), and optionally invoice (id), disputed (bool), paid
        (date of full payment, where the books say it).
    payments : pandas.DataFrame, optional
        account, date, amount (currency), and optionally invoice. Payments without an invoice settle the account's
        oldest due invoices first. Needed where invoices have no `paid`.
    as_of : date
        Nothing dated later is read.
    monthly_spend : pandas.Series, optional
        Expected spend a month (currency) by account.
    policy_limits : pandas.Series, optional
        Limit that the company's policy sets (currency) by account.
    months : float
        k of the limit: the smaller of the policy's and k × the expected monthly spend.
    borders : mapping
        Class → score that it needs more than, the best class first.
    least_invoices : int
        Whoever has been due fewer times is A at best.

    Returns
    -------
    pandas.DataFrame
        Table "credit" of `terms`, ordered by account: one row for each account with an invoice up to the as-of date.

    Raises
    ------
    DataError
        With all faults at once: missing columns, amounts that are not above 0, due dates before the invoice's date.
    ModelError
        If `months` is not above 0.
    """
    if not months > 0:
        raise ModelError(f"months is {months}; the limit needs a number of months above 0.")
    table = settled(invoices, payments, as_of=as_of)
    if table.empty:
        return pd.DataFrame(columns=_COLUMNS)
    rates = loss_rates(table)
    found = _parts(table, rates).groupby("account", sort=True).sum().reset_index()
    if rates.isna().any():
        found["expected_loss"] = np.nan
    owed = found["due_amount"].where(found["due_amount"] > 0)
    found["on_time_rate"] = found["on_time_amount"] / owed
    found["days_beyond_terms"], found["days_to_pay"] = found["late"] / owed, found["waited"] / owed
    found["limit"] = _limits(found["account"], monthly_spend, policy_limits, months)
    found["utilisation"] = found["outstanding"] / found["limit"].where(found["limit"] > 0)
    found["score"] = _score(found)
    found["credit_002"] = _class(found["score"], found["invoices"], borders, least_invoices)
    return found[_COLUMNS].astype({"account": "str", "credit_002": "str"})


def _parts(table: pd.DataFrame, rates: pd.Series) -> pd.DataFrame:
    """Return what each invoice adds to its account's sums."""
    open_days = table["open_days"].to_numpy()
    undisputed = table["outstanding"].where(~table["disputed"], 0.0)
    in_dispute = table["outstanding"].where(table["disputed"], 0.0)
    due = table["was_due"] & ~table["disputed"]
    amount = table["amount"].where(due, 0.0)
    return pd.DataFrame(
        {
            "account": table["account"],
            "invoices": due.astype(int),
            "due_amount": amount,
            "on_time_amount": amount.where(table["late_days"] <= GRACE_DAYS, 0.0),
            "late": amount * table["late_days"],
            "waited": amount * table["pay_days"],
            "outstanding": undisputed,
            "overdue": undisputed.where(open_days > 0, 0.0),
            "overdue_90": undisputed.where(open_days > LONG_OVERDUE_DAYS, 0.0),
            "disputed": in_dispute,
            "disputed_90": in_dispute.where(open_days > LONG_OVERDUE_DAYS, 0.0),
            "disputed_12m": in_dispute.where(table["is_recent"], 0.0),
            "expected_loss": lost(table, rates).where(~table["disputed"], 0.0),
        }
    )


def lost(table: pd.DataFrame, rates: pd.Series) -> pd.Series:
    """Return what is expected to be lost of each invoice: what is open of it × the loss rate of its days past due.

    Parameters
    ----------
    table : pandas.DataFrame
        From `settled`.
    rates : pandas.Series
        From `loss_rates`. What is unpaid a year after it was due is lost by definition.
    """
    days = table["open_days"].to_numpy()
    rate = rates.to_numpy()[np.searchsorted(BUCKETS, days, side="left")]
    return table["outstanding"] * np.where(days >= LOST_AFTER_DAYS, 1.0, rate)


def without_disputed(summary: pd.DataFrame, credit: pd.DataFrame) -> pd.DataFrame:
    """Take what customers dispute out of the revenue that accounts are judged by.

    The best 12 months lose what was invoiced in the last 12 and is disputed, but stay at least those before; of which
    earlier window an older dispute is part nobody knows, so older windows keep it.

    Parameters
    ----------
    summary : pandas.DataFrame
        Table "summary" of `terms`.
    credit : pandas.DataFrame
        Table "credit"; without rows nothing is disputed.

    Returns
    -------
    pandas.DataFrame
        `summary` with trailing_revenue and peak_revenue (currency) less the disputed amounts.
    """
    if credit.empty:
        return summary
    disputed = summary["account"].map(credit.set_index("account")["disputed_12m"]).fillna(0.0).astype(float)
    trailing = summary["trailing_revenue"] - disputed
    least = np.maximum(trailing, summary["prior_peak_revenue"])
    peak = summary["peak_revenue"].where(disputed == 0, np.maximum(summary["peak_revenue"] - disputed, least))
    return summary.assign(trailing_revenue=trailing, peak_revenue=peak)


def loss_rates(settled: pd.DataFrame) -> pd.Series:
    """Return the share of what reached each bucket of days past due that will be unpaid a year after it was due [1]_.

    The product of the shares that rolled on from bucket to bucket, and from the last one to a year, each taken from the
    invoices that are old enough to have done so: a log of less than a year says how much reached 90 days. A share that
    fewer than 20 invoices tell counts as 1, so that unseen losses are taken at their worst. Index: days at which the
    bucket begins, in rising order, then 90+. All are missing where fewer than 20 invoices were due 90 days ago or
    earlier: then hardly anything has been seen to be paid.
    """
    index = ["not due", *(f"{start}+" for start in BUCKETS)]
    days, age, amount = (settled[name].to_numpy() for name in ("late_days", "age_days", "amount"))
    if (age >= LONG_OVERDUE_DAYS).sum() < LEAST_BUCKET_AMOUNT:
        return pd.Series(np.nan, index=index)
    starts = (-1, *BUCKETS)
    rates, worse = [], 1.0
    for start, end in zip(reversed(starts), reversed((*BUCKETS, LOST_AFTER_DAYS - 1)), strict=True):
        seen = (days > start) & (age > end)
        if seen.sum() >= LEAST_BUCKET_AMOUNT:
            worse *= float(amount[seen & (days > end)].sum() / amount[seen].sum())
        rates.append(worse)
    return pd.Series(rates[::-1], index=index)


def settled(invoices: pd.DataFrame, payments: pd.DataFrame | None = None, *, as_of: date) -> pd.DataFrame:
    """Return the invoices known on a day, each with what is open of it then.

    Parameters
    ----------
    invoices, payments, as_of
        As for `assess`.

    Returns
    -------
    pandas.DataFrame
        The invoices' columns, ordered by account and due date, and paid (day of full payment), outstanding (currency),
        late_days (beyond terms, so far), pay_days (since the invoice, so far), open_days (past due and unpaid),
        age_days (since it was due), is_recent (invoiced in the last 12 months), was_due (due or
        paid, and due in the last three years).

    Raises
    ------
    DataError
        As `assess`.
    """
    return _settled(_read(invoices, payments, as_of), payments, as_of)


def _read(invoices: pd.DataFrame, payments: pd.DataFrame | None, as_of: date) -> pd.DataFrame:
    faults = []
    missing = [name for name in ("account", "date", "due", "amount") if name not in invoices]
    if missing:
        raise DataError(f"The invoices lack {', '.join(missing)}. Map these columns.")
    if payments is None and "paid" not in invoices:
        faults.append("Neither payments nor a day of full payment (paid) are given: map one of them.")
    wrong = ~(invoices["amount"] > 0)
    if wrong.any():
        faults.append(
            f"{int(wrong.sum())} invoices have no amount above 0 (first: {first_ids(invoices['account'][wrong])}); "
            "credit notes belong to the transaction log."
        )
    early = invoices["due"] < invoices["date"]
    if early.any():
        faults.append(
            f"{int(early.sum())} invoices are due before their date (first: {first_ids(invoices['account'][early])})."
        )
    if faults:
        raise DataError(" ".join(faults))
    known = invoices[invoices["date"] <= pd.Timestamp(as_of)]
    table = known.sort_values(["account", "due", "date"], kind="stable").reset_index(drop=True)
    disputed = table["disputed"].astype("boolean").fillna(False).to_numpy(bool) if "disputed" in table else False
    return table.assign(disputed=disputed, amount=table["amount"].astype(float))


def _settled(table: pd.DataFrame, payments: pd.DataFrame | None, as_of: date) -> pd.DataFrame:
    """Add the day each invoice was paid in full, what is open of it, and its days beyond terms."""
    day = pd.Timestamp(as_of)
    if "paid" in table:
        paid = table["paid"].where(table["paid"] <= day)
        outstanding = table["amount"].where(paid.isna(), 0.0)
    else:
        assert payments is not None
        paid, outstanding = _matched(table, payments[payments["date"] <= day])
    end = paid.fillna(day)
    age = (day - table["due"]).dt.days
    return table.assign(
        paid=paid,
        outstanding=outstanding,
        late_days=np.maximum((end - table["due"]).dt.days, 0),
        pay_days=np.maximum((end - table["date"]).dt.days, 0),
        open_days=np.where(paid.isna(), np.maximum(age, 0), 0),
        age_days=age,
        # An invoice that was paid before it fell due has proved itself as well.
        is_recent=table["date"] > day - pd.Timedelta(days=DAYS_PER_YEAR),
        was_due=(age >= 0).where(paid.isna(), other=True) & (age <= HISTORY_DAYS),
    )


def _matched(table: pd.DataFrame, payments: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Settle invoices: by their number where payments name it, else an account's oldest due ones first."""
    by_number = "invoice" in table and "invoice" in payments and payments["invoice"].notna().any()
    key = ["account", "invoice"] if by_number else ["account"]
    payments = payments.sort_values("date", kind="stable")
    sums, days = payments["amount"].to_numpy(dtype=float), payments["date"].to_numpy(dtype="datetime64[ns]")
    amounts = table["amount"].to_numpy(dtype=float)
    paid, outstanding = np.full(len(table), np.datetime64("NaT"), "datetime64[ns]"), amounts.copy()
    received = payments.groupby(key).indices
    # Only a payment that names a disputed invoice settles the undisputed part of it.
    payable = np.arange(len(table)) if by_number else np.flatnonzero(~table["disputed"].to_numpy(dtype=bool))
    for group, rows in table.iloc[payable].groupby(key).indices.items():
        if group not in received:
            continue
        at, came = payable[rows], received[group]
        money, owed = sums[came].cumsum(), amounts[at].cumsum()
        outstanding[at] = np.clip(owed - money[-1], 0.0, amounts[at])
        # Half a per cent covers bank charges and rounding.
        place = np.searchsorted(money, owed - 0.005 * amounts[at])
        full = place < len(money)
        paid[at[full]] = days[came[place[full]]]
        outstanding[at[full]] = 0.0
    return pd.Series(paid, table.index), pd.Series(outstanding, table.index)


def _limits(
    accounts: pd.Series, monthly_spend: pd.Series | None, policy_limits: pd.Series | None, months: float
) -> pd.Series:
    """Return the smaller of the policy's limit and k months' expected spend, whichever are known."""
    known = [
        series.reindex(accounts).to_numpy(dtype=float)
        for series in (policy_limits, None if monthly_spend is None else months * monthly_spend)
        if series is not None
    ]
    if not known:
        return pd.Series(np.nan, index=accounts.index)
    return pd.Series(np.fmin.reduce(known), index=accounts.index)


def _score(found: pd.DataFrame) -> pd.Series:
    """Return the score; parts that cannot be known leave their weight to the others."""
    parts = {
        "on_time": found["on_time_rate"],
        "late_days": 1 - (found["days_beyond_terms"] / LATE_DAYS_WORST).clip(0, 1),
        "overdue": 1 - (found["overdue"] / found["outstanding"].where(found["outstanding"] > 0)).fillna(0.0),
        "utilisation": 1 - (found["utilisation"] - 1).clip(0, 1),
    }
    weighted = sum(part.fillna(0.0) * WEIGHTS[name] for name, part in parts.items())
    weight = sum(part.notna() * WEIGHTS[name] for name, part in parts.items())
    return (100 * weighted / weight).where(found["invoices"] > 0)


def _class(
    score: pd.Series, invoices: pd.Series, borders: Mapping[str, float] = BORDERS, least_invoices: int = MIN_INVOICES
) -> np.ndarray:
    names = np.select([score > border for border in borders.values()], list(borders), "none").astype(object)
    few = (invoices < least_invoices).to_numpy() & np.isin(names, ("AAA", "AA"))
    names[few] = "A"
    names[score.isna().to_numpy()] = "none"
    return names
