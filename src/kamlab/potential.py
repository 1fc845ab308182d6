"""What an account could buy in 12 months at most, where that number comes from, and the room it leaves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kamlab.errors import DataError, first_ids
from kamlab.ids import among

COLUMNS = ["account", "potential_revenue", "potential_source", "wallet_share", "partly_declared", "below_own_peak"]

LEAST_ROOM = 1e-9
"""Share of the potential from which room is room, and not what sums of doubles leave of a forecast at its limit."""

ROOM = 0.7
"""Up to this share of wallet an account has room, even where its potential is known in part only."""


def estimate(
    summary: pd.DataFrame,
    accounts: pd.DataFrame,
    *,
    fitted: Mapping[str, float] | None = None,
    pipeline: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Take the potential that sales declared, else the one fitted to look-alikes, else the own best 12 months.

    The own best 12 months are a floor: what was bought once can be bought. A declaration below them keeps its source
    and is flagged, so that sales can correct it; an account that has bought more than is fitted to its look-alikes
    stands at its own peak, which gives no share of wallet. What is declared for some accounts of a group is a floor of
    the group's potential, so its share of wallet is an upper bound: up to 0.7 it shows room and is kept, above that it
    says nothing. Open deals are a floor too: where they are more than anything fitted or bought they stand, without a
    share of wallet.

    Parameters
    ----------
    summary : DataFrame
        account, peak_revenue, trailing_revenue (currency); accounts that have bought.
    accounts : DataFrame
        account, declared_potential (currency a year; NaN if none) and, for groups, members, declared_members (numbers
        of accounts in it, and of those with a declaration); also accounts that never bought.
    fitted : mapping of str to float, optional
        Currency a year by account, such as `look_alikes.upper_revenue` returns.
    pipeline : mapping of str to float, optional
        Value of the open deals (currency) by account.

    Returns
    -------
    DataFrame
        account, potential_revenue (currency a year; NaN if unknown), potential_source (one of
        `terms.POTENTIAL_SOURCES`), wallet_share (0 to 1; NaN unless declared or fitted), partly_declared and
        below_own_peak (bool); one row for each account of either table, ordered by account. `with_headroom` completes
        the table "potential".

    Raises
    ------
    DataError
        If a declared potential is negative or infinite.
    """
    declared = accounts.set_index("account")["declared_potential"].astype(float)
    impossible = declared.index[(declared < 0) | np.isinf(declared)]
    if len(impossible):
        raise DataError(
            f"{len(impossible)} of {len(declared)} accounts have a declared potential that is negative or "
            f"infinite (first: {first_ids(impossible)}). Correct it or leave it empty."
        )
    bought = summary.set_index("account")[["peak_revenue", "trailing_revenue"]].astype(float)
    # Most often all that have bought are known, and in order: to merge a million texts takes seconds.
    every = among(summary["account"], accounts["account"]).all() and declared.index.is_monotonic_increasing
    ids = declared.index if every else bought.index.union(declared.index)
    declared, bought = declared.reindex(ids), bought.reindex(ids).fillna(0.0)

    peak = bought.max(axis=1).clip(lower=0)
    is_declared = declared.notna()
    alike = pd.Series(fitted or {}, dtype=float).reindex(ids)
    deals = pd.Series(pipeline or {}, dtype=float).reindex(ids).clip(lower=0).fillna(0.0)
    floor = np.maximum(peak, deals)
    is_fitted = ~is_declared & (alike > 0) & (alike >= floor)
    # fmax: the floor stands where nothing is declared or fitted
    potential = pd.Series(np.fmax(declared.where(is_declared, alike), floor), ids)
    potential = potential.where(is_declared | is_fitted | (floor > 0))
    share = bought["trailing_revenue"].clip(lower=0) / potential
    partly = is_declared & _partly(accounts).reindex(ids, fill_value=False)
    table = pd.DataFrame(
        {
            "potential_revenue": potential,
            "potential_source": np.select(
                [is_declared, is_fitted, deals > peak, peak > 0],
                ["declared", "fitted", "pipeline", "own_peak"],
                "unknown",
            ),
            "wallet_share": share.where((is_declared | is_fitted) & (potential > 0) & ~(partly & (share > ROOM))),
            "partly_declared": partly,
            "below_own_peak": is_declared & (declared < peak),
        }
    )
    return table.rename_axis("account").reset_index()[COLUMNS]


def _partly(accounts: pd.DataFrame) -> pd.Series:
    """Whether only some accounts of each group have a declared potential; no group where none are counted."""
    units = accounts.set_index("account")
    if not {"members", "declared_members"} <= set(units):
        return pd.Series(False, units.index)
    return units["declared_members"] < units["members"]


def with_headroom(potential: pd.DataFrame, forecast: pd.DataFrame) -> pd.DataFrame:
    """Add the headroom: what lies between expected revenue and potential, at the account's margin rate.

    Accounts without a forecast (prospects) expect no revenue and take the company's margin rate. Where an
    account loses money there is no headroom. Without known costs it is revenue (`basis` of the forecast).

    Parameters
    ----------
    potential : DataFrame
        Result of `estimate`.
    forecast : DataFrame
        account, expected_revenue (currency), margin_rate (share; NaN where no cost is known).

    Returns
    -------
    DataFrame
        `potential` with headroom (currency a year; NaN where the potential is unknown).
    """
    known = forecast.set_index("account")[["expected_revenue", "margin_rate"]].astype(float)
    here = known.reindex(potential["account"])
    expected = here["expected_revenue"].fillna(0.0).to_numpy()
    worth = potential["potential_revenue"].to_numpy(dtype=float)
    room = worth - expected
    room = np.where(room < LEAST_ROOM * worth, 0.0, room)
    rate = here["margin_rate"].fillna(_company_rate(known)).clip(lower=0).to_numpy()
    return potential.assign(headroom=room * rate)


def _company_rate(forecast: pd.DataFrame) -> float:
    """Return the margin rate of the expected revenue, 1 where no cost is known: values are revenue then."""
    costed = forecast[forecast["margin_rate"].notna()]
    if costed.empty:
        return 1.0
    revenue = costed["expected_revenue"].clip(lower=0)
    return float(np.average(costed["margin_rate"], weights=revenue if revenue.sum() > 0 else None))
