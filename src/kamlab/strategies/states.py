"""The states of an account: what the strategies' rules may ask about it, true or false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamlab.errors import DataError, first_ids
from kamlab.strategies.conditions import Columns, holds
from kamlab.strategies.fields import DERIVED, INPUTS, Field
from kamlab.strategies.model import Playbook

_LARGEST_NUMBER = 2**62

P_GONE = 0.5
"""P(alive) below which an account counts as gone where the account table does not say it."""


def derive(accounts_table: pd.DataFrame, *, playbook: Playbook, contribution_cut_high: float) -> pd.DataFrame:
    """Say for every account which of the playbook's states it is in.

    Parameters
    ----------
    accounts_table : DataFrame
        One row an account; see `quantities`.
    playbook : Playbook
    contribution_cut_high : float
        Upper cut of expected contribution in force, in currency.

    Returns
    -------
    DataFrame
        Columns account, one bool column a state in the playbook's order (by default prospect, silent,
        shrinking, decline, negative, new, peak_high, small_share, saturated, future, returning, review,
        provisional, no_owner), and the levels contribution_class and potential_class. Rows as in the input.

    Raises
    ------
    DataError
        As `quantities`.
    """
    columns = quantities(accounts_table, contribution_cut_high=contribution_cut_high)
    columns.update(states_of(columns, playbook))
    names = [state.id for state in playbook.states] + ["contribution_class", "potential_class"]
    return pd.DataFrame(
        {"account": accounts_table["account"], **{name: columns[name] for name in names}},
        index=accounts_table.index,
    )


def states_of(columns: Columns, playbook: Playbook) -> Columns:
    """Apply the playbook's states in order; return one bool array of shape (n,) a state."""
    known = dict(columns)
    for state in playbook.states:
        known[state.id] = holds(state.when, known)
    return {state.id: known[state.id] for state in playbook.states}


@dataclass(frozen=True, eq=False)
class Kinds:
    """Accounts that agree in every state, flag and choice.

    kind : int array of shape (n,): number of each account's kind; few : these fields' values, one a kind.
    """

    kind: np.ndarray
    few: Columns


def is_discrete(column: np.ndarray | pd.Categorical) -> bool:
    """Whether a field holds flags or named values."""
    return isinstance(column, pd.Categorical) or column.dtype == bool


def kinds_of(columns: Columns, *, alone: Sequence[int]) -> Kinds:
    """Find the kinds of accounts that occur; those in the rows `alone` share theirs with nobody."""
    discrete = {name: column for name, column in columns.items() if is_discrete(column)}
    kind, size = np.zeros(len(columns["has_bought"]), dtype=np.int64), 1
    for column in discrete.values():
        codes = column.codes + 1 if isinstance(column, pd.Categorical) else column
        values = len(column.categories) + 1 if isinstance(column, pd.Categorical) else 2
        if size * values > _LARGEST_NUMBER:
            kind, seen = pd.factorize(kind)
            size = len(seen)
        kind, size = kind * values + codes, size * values
    kind, seen = pd.factorize(kind)
    kind[alone] = len(seen) + np.arange(len(alone))
    # A kind whose accounts all stand alone has no example left, and needs none: any account stands for it.
    example = np.zeros(len(seen) + len(alone), dtype=np.int64)
    example[kind[::-1]] = np.arange(len(kind))[::-1]
    return Kinds(kind, {name: column[example] for name, column in discrete.items()})


def quantities(accounts_table: pd.DataFrame, *, contribution_cut_high: float) -> Columns:
    """Check the account table and return its fields as arrays, with the derived quantities.

    Parameters
    ----------
    accounts_table : DataFrame
        One row an account, with account and the columns of `fields.INPUTS`: those marked as required, and of
        the others what there is. Numbers may be missing. owner: empty or missing = nobody; a column that is
        absent or holds no value at all means that owners are not kept, and then nobody is missing one.
    contribution_cut_high : float
        Upper cut of expected contribution in force, in currency.

    Returns
    -------
    dict of str to array or Categorical
        All fields of `fields.INPUTS`, and has_owner (bool), loss_share (expected loss of 12
        months / revenue of the last 12), peak_contribution (best 12 months × margin rate,
        or the revenue itself where the margin is unknown), p_gone (column of that name, else 0.5),
        contribution_cut_high, and volume_90_median (median of volume_90 over the accounts that have bought).

    Raises
    ------
    DataError
        With all faults at once: columns that are missing, accounts that stand twice, values that are none of
        a column's, buyers without a contribution class, a cut that is no number.
    """
    faults = _faults_in(accounts_table, contribution_cut_high)
    if faults:
        raise DataError(f"No strategy can be given to these accounts. {' '.join(faults)}")
    n = len(accounts_table)
    columns: Columns = {}
    for name, field in INPUTS.items():
        series = accounts_table[name] if name in accounts_table else pd.Series([None] * n, dtype="object")
        columns[name] = _values(series, field)
    sources = columns["potential_source"]
    assert isinstance(sources, pd.Categorical)
    columns["potential_source"] = sources.fillna("unknown")
    margin = np.asarray(columns["margin_rate"])
    peak = np.asarray(columns["peak_revenue"])
    columns["peak_contribution"] = np.where(np.isnan(margin), peak, peak * margin)
    revenue, expected = np.asarray(columns["trailing_revenue"]), np.asarray(columns["expected_contribution"])
    loss = np.maximum(-expected, 0.0)
    columns["loss_share"] = np.divide(loss, revenue, out=np.full(n, np.nan), where=revenue > 0)
    columns["contribution_cut_high"] = np.full(n, float(contribution_cut_high))
    gone = accounts_table["p_gone"] if "p_gone" in accounts_table else pd.Series(P_GONE, range(n))
    columns["p_gone"] = _values(gone.fillna(P_GONE), DERIVED["p_gone"])
    columns["has_owner"] = _has_owner(accounts_table)
    columns["volume_90_median"] = np.full(n, _median_volume(columns))
    return columns


def _median_volume(columns: Columns) -> float:
    """Return the median of what the customers are about to buy; missing where nobody's volume is known."""
    volume = np.asarray(columns["volume_90"])[np.asarray(columns["has_bought"], dtype=bool)]
    return float(np.nanmedian(volume)) if np.isfinite(volume).any() else np.nan


def _values(series: pd.Series, field: Field) -> np.ndarray | pd.Categorical:
    if field.kind == "choice":
        return pd.Categorical(series.astype("object"), categories=list(field.labels))
    if field.kind == "flag":
        return series.astype("boolean").fillna(False).to_numpy(dtype=bool)
    return pd.to_numeric(series).to_numpy(dtype="float64", na_value=np.nan)


def _has_owner(accounts_table: pd.DataFrame) -> np.ndarray:
    """Return whether somebody is responsible; true for all where owners are not kept at all."""
    if "owner" not in accounts_table or accounts_table["owner"].isna().all():
        return np.ones(len(accounts_table), dtype=bool)
    return accounts_table["owner"].fillna("").astype("str").str.strip().ne("").to_numpy()


def _faults_in(accounts_table: pd.DataFrame, contribution_cut_high: float) -> list[str]:
    needed = ["account", *(name for name, field in INPUTS.items() if field.required)]
    missing = [name for name in needed if name not in accounts_table]
    if missing:
        return [f"It lacks {', '.join(missing)}: merge summary, forecast, potential and schemes first."]
    faults = []
    if not math.isfinite(contribution_cut_high):
        faults.append("The upper cut of contribution is no number: fit or configure the levels first.")
    twice = accounts_table["account"][accounts_table["account"].duplicated()]
    if len(twice):
        faults.append(f"{len(twice)} rows repeat an account (first: {first_ids(twice)}): keep one row an account.")
    for name, field in INPUTS.items():
        if field.kind == "choice" and name in accounts_table:
            column = accounts_table[name]
            foreign = column[column.notna() & ~column.isin(field.labels)]
            if len(foreign):
                ids = first_ids(accounts_table.loc[foreign.index, "account"])
                faults.append(
                    f'{len(foreign)} accounts have "{foreign.iloc[0]}" or the like as {name} (first: {ids}): '
                    f"use {', '.join(field.labels)}."
                )
    bought = accounts_table["has_bought"].astype("boolean").fillna(False)
    bare = accounts_table["account"][bought & accounts_table["contribution_class"].isna()]
    if len(bare):
        faults.append(
            f"{len(bare)} of {len(accounts_table)} accounts have bought and have no contribution class "
            f"(first: {first_ids(bare)}): without amounts in the ledger there is none, and no strategy."
        )
    return faults
