"""Value, growth, churn and risk by region, size, product line, salesperson …; and why revenue changed.

References
----------
.. [1] Bennet (1920), The theory of measurement of changes in cost of living, Journal of the Royal Statistical Society
   83: effects of price and quantity that add up to the change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kamlab import terms
from kamlab.errors import DataError
from kamlab.ids import beside, places

UNKNOWN = "unknown"

LEAST_ACCOUNTS = 5
"""With fewer accounts a value's rates are one account's fate: they are left out, and its sums stay."""

EFFECTS = ("new", "lost", "volume", "price", "mix", "unexplained")
"""What the change of revenue is made of; the parts add up to it."""

BRIDGE = ("previous", "lost", "shrunk", "grown", "new", "other", "trailing")
"""From the revenue of one year to that of the next: the two years and the parts between, which add up."""

COLUMNS = ("region", "country", "size", "industry", "territory", "channel", "owner")
"""Columns of the account table that are dimensions."""


def change_by_account(windows: pd.DataFrame, *, by: Sequence[str] = ("account",)) -> pd.DataFrame:
    """Divide each account's change of revenue into its causes; the parts add up exactly.

    Of an account that bought in both windows the change is volume (more or fewer pieces, at its mean price before),
    price (the half-way quantity × the change of price, of the products bought in both windows [1]_) and mix, the rest:
    dearer or cheaper products. Where a quantity is missing or not above 0 its change is unexplained.

    Parameters
    ----------
    windows : pandas.DataFrame
        account, product, revenue_before, revenue_now (currency), quantity_before, quantity_now; one row for each
        account and product bought in either window.
    by : sequence of str
        Columns of `windows` whose values are divided each for itself: with ("account", "product_line") an account that
        begins with a line is new there.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, revenue_before, revenue_now, change and a column for each of `EFFECTS` (currency),
        ordered by those of `by`.
    """
    needed = ["account", "product", "revenue_before", "revenue_now", "quantity_before", "quantity_now"]
    missing = [name for name in needed if name not in windows]
    if missing:
        raise DataError(f"The windows lack {', '.join(missing)}.")
    table = windows.copy()
    table[["revenue_before", "revenue_now"]] = table[["revenue_before", "revenue_now"]].fillna(0.0)
    both = (table["quantity_before"] > 0) & (table["quantity_now"] > 0)
    price_change = table["revenue_now"] / table["quantity_now"] - table["revenue_before"] / table["quantity_before"]
    half_way = (table["quantity_before"] + table["quantity_now"]) / 2
    table["price"] = (half_way * price_change).where(both, 0.0)
    # A line of revenue without pieces, such as a rebate, leaves the account's pieces and prices undefined.
    for when in ("before", "now"):
        odd = (table[f"revenue_{when}"] != 0) & ~(table[f"quantity_{when}"] > 0)
        table[f"odd_{when}"] = odd
    # Numbers are grouped in half the time that texts take.
    code, accounts = pd.factorize(table["account"], sort=True)
    keys = [pd.Series(code, table.index, name=name) if name == "account" else table[name] for name in by]
    sums = table.groupby(keys, sort=True)[[*needed[2:], "price", "odd_before", "odd_now"]].sum().reset_index()
    sums["account"] = accounts[sums["account"]]
    before, now = sums["revenue_before"], sums["revenue_now"]
    change = now - before
    kept = (before > 0) & (now > 0)
    # An account that only sends goods back was lost before the windows begin.
    is_new, is_lost = (before <= 0) & (now > 0), now <= 0
    clear = kept & (sums["odd_before"] == 0) & (sums["odd_now"] == 0)
    pieces = sums["quantity_before"].where(clear)
    volume = ((sums["quantity_now"] - sums["quantity_before"]) * before / pieces).fillna(0.0)
    price = sums["price"].where(clear, 0.0)
    zero = pd.Series(0.0, index=sums.index)
    effects = {
        "new": change.where(is_new, zero),
        "lost": change.where(is_lost, zero),
        "volume": volume,
        "price": price,
        "mix": (change - volume - price).where(clear, zero),
        "unexplained": change.where(~(is_new | is_lost | clear), zero),
    }
    return sums[list(by)].assign(revenue_before=before, revenue_now=now, change=change, **effects)


def bridge(changes: pd.DataFrame, *, previous: float, trailing: float) -> pd.DataFrame:
    """Lead from the revenue of the 12 months before to that of the last 12, by what became of the accounts.

    Parameters
    ----------
    changes : pandas.DataFrame
        From `change_by_account`.
    previous, trailing : float
        The company's revenue of the 12 months before and of the last 12 (currency), that without an account included.

    Returns
    -------
    pandas.DataFrame
        part (of `BRIDGE`), accounts (int), money (currency; losses below 0). The five parts in the middle add up to
        trailing − previous exactly: "other" is revenue without an account, and accounts with returns alone.
    """
    before, now, change = changes["revenue_before"], changes["revenue_now"], changes["change"]
    had, has = before > 0, now > 0
    members = {
        "lost": had & ~has,
        "shrunk": had & has & (change < 0),
        "grown": had & has & (change > 0),
        "new": ~had & has,
    }
    money = {part: float(change[rows].sum()) for part, rows in members.items()}
    counts = {part: int(rows.sum()) for part, rows in members.items()}
    money |= {"previous": previous, "trailing": trailing, "other": trailing - previous - sum(money.values())}
    counts |= {"previous": int(had.sum()), "trailing": int(has.sum()), "other": 0}
    return pd.DataFrame(
        {"part": BRIDGE, "accounts": [counts[part] for part in BRIDGE], "money": [money[part] for part in BRIDGE]}
    )


def table(
    accounts: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    columns: Sequence[str] = COLUMNS,
    p_gone: float = 0.5,
    comparable: bool = True,
    by_line: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Sum value, growth, churn, risk and the causes of change by every value of every dimension.

    Parameters
    ----------
    accounts : pandas.DataFrame
        account, has_bought, p_alive, expected_contribution, clv (currency), and the dimensions' columns.
    changes : pandas.DataFrame
        From `change_by_account`.
    columns : sequence of str
        Dimensions; those that are absent or wholly missing are left out.
    p_gone : float
        An account counts as lost from this probability of being alive downwards.
    comparable : bool
        Whether the log holds both windows whole; else growth and churn are missing.
    by_line : pandas.DataFrame, optional
        `change_by_account` by account and product_line (empty = none). An account's value and risk fall to its lines as
        their revenue of the last 12 months, or of the 12 before where it bought nothing since.

    Returns
    -------
    pandas.DataFrame
        Table "dimensions" of `terms`, ordered by dimension and falling revenue. Every dimension adds up to the company;
        accounts without a value stand under "unknown".
    """
    buyers = accounts[accounts["has_bought"].astype(bool)]
    joined = beside(buyers, changes)
    money = ["revenue_before", "revenue_now", "change", *EFFECTS]
    joined[money] = joined[money].fillna(0.0)
    joined["active_before"] = joined["revenue_before"] > 0
    joined["churned"] = joined["active_before"] & (joined["revenue_now"] <= 0)
    # What an account would bring if it is still there, times the chance that it is not.
    alive = joined["p_alive"].clip(lower=1e-9)
    at_risk = joined["expected_contribution"].clip(lower=0.0) / alive * (1 - joined["p_alive"])
    joined["value_at_risk"] = at_risk.where(joined["p_alive"] > p_gone, 0.0).fillna(0.0)
    parts = [
        _one(joined, name) for name in columns if name in joined and joined[name].replace("", np.nan).notna().any()
    ]
    names = [column.name for column in terms.TABLES["dimensions"]]
    if by_line is not None and (by_line["product_line"] != "").any():
        parts.append(_one(_of_lines(joined, by_line), "product_line"))
    if not parts:
        return pd.DataFrame(columns=names)
    result = pd.concat(parts, ignore_index=True)[names]
    return result if comparable else result.assign(growth=np.nan, churn=np.nan)


def _of_lines(joined: pd.DataFrame, by_line: pd.DataFrame) -> pd.DataFrame:
    """Return one row an account and product line with its part of the account's value; without a line one, unknown."""
    money, value = (
        ["revenue_before", "revenue_now", "change", *EFFECTS],
        ["expected_contribution", "clv", "value_at_risk"],
    )
    place = places(by_line["account"], joined["account"])
    lines = by_line.drop(columns="account").assign(place=place)[place >= 0]
    bought = {when: lines[f"revenue_{when}"].clip(lower=0.0) for when in ("before", "now")}
    sums = {when: column.groupby(lines["place"]).transform("sum") for when, column in bought.items()}
    lately = bought["now"] / sums["now"].where(sums["now"] > 0)
    lines["part"] = lately.fillna(bought["before"] / sums["before"].where(sums["before"] > 0)).fillna(0.0)
    rows = joined[value].assign(place=np.arange(len(joined))).merge(lines, on="place", how="left")
    # Accounts that only sent goods back, or bought nothing in either window.
    rows["part"] = rows["part"].fillna(1.0)
    without = rows.groupby("place")["part"].transform("sum") <= 0
    rows["part"] = rows["part"].mask(without, 1 / rows.groupby("place")["part"].transform("size"))
    rows[value] = rows[value].mul(rows["part"], axis=0)
    rows[money] = rows[money].fillna(0.0)
    rows["active_before"] = rows["revenue_before"] > 0
    rows["churned"] = rows["active_before"] & (rows["revenue_now"] <= 0)
    return rows


def _one(joined: pd.DataFrame, name: str) -> pd.DataFrame:
    value = joined[name].replace("", np.nan).astype("object").fillna(UNKNOWN).astype("str")
    groups = joined.groupby(value, sort=True)
    sums = groups[
        ["revenue_before", "revenue_now", "change", *EFFECTS, "expected_contribution", "clv", "value_at_risk"]
    ].sum()
    result = sums.assign(
        dimension=name,
        value=sums.index,
        accounts=groups.size(),
        active_before=groups["active_before"].sum(),
        churned=groups["churned"].sum(),
    )
    few = result["accounts"] < LEAST_ACCOUNTS
    result["growth"] = (result["change"] / result["revenue_before"].where(result["revenue_before"] > 0)).mask(few)
    base = result["active_before"].where(result["active_before"] >= LEAST_ACCOUNTS)
    result["churn"] = result["churned"] / base
    result["few"] = few
    return result.sort_values(["revenue_now", "value"], ascending=[False, True], ignore_index=True)
