"""How each account stands with us, from optional tables and the log: rivals, joint work, range, losses, owner."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from kamlab import margins, receivables, side_tables, tables
from kamlab.buying import bought_lines, with_returns
from kamlab.config import Config
from kamlab.ids import among
from kamlab.ledger import Ledger
from kamlab.period import StudyPeriod
from kamlab.summary import summarize
from kamlab.terms import TABLES

QUARTER_DAYS = 91
"""A review is held every quarter."""

SURE = 0.8
"""Probability of a loss from which a review counts an account as losing money."""

INCUMBENT_SHARE = 0.5
"""Rivals hold the place where they have at least this share of what an account buys, or an unknown one."""

STANDARD_QUANTILE = 0.25
"""Standard service costs what the cheaper quarter of all accounts costs, as a share of revenue."""

USUAL_SHARE = 0.1
"""A product line applies to a channel if at least this share of its buyers has bought it in 12 months."""

ENDED = frozenset({"finished", "done", "closed", "cancelled", "lost", "paused"})
"""What sources call projects on which nobody works, in small letters."""

_OF_MARGINS = (
    *("costed_revenue", "margin", "margin_rate_var", "costed_lines"),
    *("trailing_purchase_days", "trailing_revenue"),
)


def table(
    ledger: Ledger,
    config: Config,
    period: StudyPeriod,
    *,
    units: pd.DataFrame,
    accounts: pd.DataFrame,
    summary: pd.DataFrame,
) -> pd.DataFrame:
    """Say how each account stands with us.

    Parameters
    ----------
    ledger : Ledger
    config : Config
        Names the optional tables owners, competitors, projects, costs, invoices and payments; what needs one that is
        not given is missing.
    period : StudyPeriod
    units : pandas.DataFrame
        Table "accounts" of `terms`.
    accounts : pandas.DataFrame
        Columns member, account: who is judged together.
    summary : pandas.DataFrame
        Table "summary", of the same period.

    Returns
    -------
    pandas.DataFrame
        Table "position" of `terms`, ordered by account.

    Raises
    ------
    DataError
        If a table cannot be read.
    """
    known = units[["account"]].sort_values("account", ignore_index=True)
    ids = known["account"]
    sent_back = among(ids, with_returns(ledger, period, accounts=accounts))
    # Their purchases lie before the log, or net to nothing; whoever only got samples is a prospect.
    found = known.assign(only_returned=sent_back & ~among(ids, summary["account"]))
    given = {name: _rows(config, name, period, accounts) for name in ("competitors", "projects", "costs")}
    owner = units.set_index("account")["owner"].reindex(ids).fillna("")
    people = side_tables.active_people(config, period, owner[owner != ""])
    found["owner_left"] = False if people is None else ((owner != "") & ~owner.isin(people)).to_numpy()
    rivals, projects = given["competitors"], given["projects"]
    found["rival_share"], found["incumbent_rival"] = _rivals(rivals, ids)
    found["joint_project"] = False if projects is None else among(ids, _running(projects, period))
    channels = units.set_index("account")["channel"].fillna("")
    found["product_share"] = _range(ledger, period, accounts, channels).reindex(ids).to_numpy()
    losses = _losses(ledger, config, period, accounts, channels, given["costs"], summary)
    found = found.merge(losses, on="account", how="left")
    found["negative_before"] = found["p_negative_before"] >= SURE
    return found[[column.name for column in TABLES["position"]]]


def _rows(config: Config, name: str, period: StudyPeriod, accounts: pd.DataFrame) -> pd.DataFrame | None:
    """Return a table's rows under the accounts that decisions are taken for; None where it is not given."""
    if name not in tables.given(config):
        return None
    return side_tables.of_units(tables.read(config, name, as_of=period.calibration_end).rows, accounts)


def _rivals(rows: pd.DataFrame | None, ids: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return the rivals' share of what each account buys (missing where nobody knows), and whether they hold the place.

    Of each rival and product line the newest word counts; shares of several lines are averaged, not added.
    """
    if rows is None or rows.empty:
        return pd.Series(np.nan, ids.index), np.zeros(len(ids), dtype=bool)
    newest = rows.sort_values("date", kind="stable", na_position="first")
    newest = newest.drop_duplicates(["account", "competitor", "product_line"], keep="last")
    by_line = newest.groupby(["account", newest["product_line"].fillna("")])["share"].sum(min_count=1)
    share = ids.map(by_line.groupby("account").mean()).astype(float)
    there = among(ids, newest["account"])
    return share, there & (share.isna() | (share >= INCUMBENT_SHARE)).to_numpy()


def _running(rows: pd.DataFrame, period: StudyPeriod) -> pd.Series:
    """Return the accounts with a project on which they and we work at the as-of date."""
    day = pd.Timestamp(period.calibration_end)
    status = rows["status"].fillna("").str.strip().str.lower()
    begun, open_end = rows["start"].isna() | (rows["start"] <= day), rows["end"].isna() | (rows["end"] >= day)
    return rows.loc[begun & open_end & ~status.isin(ENDED), "account"]


def _range(ledger: Ledger, period: StudyPeriod, accounts: pd.DataFrame, channels: pd.Series) -> pd.Series:
    """Return the share of the product lines that apply to its channel that each account has bought in 12 months."""
    bought = bought_lines(ledger, period, accounts=accounts)
    if bought.empty:
        return pd.Series(dtype=float)
    bought["channel"] = bought["account"].map(channels).fillna("")
    buyers = bought.groupby("channel")["account"].nunique()
    counts = bought.groupby(["channel", "product_line"])["account"].nunique()
    usual = counts[counts >= USUAL_SHARE * counts.index.get_level_values("channel").map(buyers)]
    applies = usual.groupby("channel").size()
    has = bought[pd.MultiIndex.from_frame(bought[["channel", "product_line"]]).isin(usual.index)]
    owned = has.groupby("account").size().reindex(bought["account"].unique(), fill_value=0)
    return owned / owned.index.map(channels).fillna("").map(applies).to_numpy(dtype=float)


def _losses(
    ledger: Ledger,
    config: Config,
    period: StudyPeriod,
    accounts: pd.DataFrame,
    channels: pd.Series,
    costs: pd.DataFrame | None,
    summary: pd.DataFrame,
) -> pd.DataFrame:
    """Return the probability of a loss at standard service, and that of a loss at the review a quarter before."""
    books = side_tables.invoices_and_payments(config, period, accounts=accounts)

    def p_negative(at: StudyPeriod, known: pd.DataFrame, served: pd.Series | None) -> pd.Series:
        """Return the probability that each account loses money given that it buys; missing without costs."""
        ids, rate, owed = known["account"], config.value.discount_rate_annual, None
        if books is not None:
            owed = receivables.rates(*books, ids, as_of=at.calibration_end, discount_rate_annual=rate)
        found = margins.rates(known, groups=channels.reindex(ids), costs=served, receivables=owed)
        return found.set_index("account")["p_negative"].astype(float)

    served = None if costs is None else margins.cost_to_serve(costs, period, accounts=accounts)
    standard = None if served is None else standard_cost(served, summary)
    now = p_negative(period, summary, standard).rename("p_negative_standard")
    before = StudyPeriod(period.calibration_end - timedelta(days=QUARTER_DAYS), period.horizon_days, period.unit)
    if not ledger.has_cost or summary["first_purchase"].min() > pd.Timestamp(before.calibration_end):
        return now.reset_index().assign(p_negative_before=np.nan)
    past = summarize(ledger, before, accounts=accounts, columns=_OF_MARGINS)
    served = None if costs is None else margins.cost_to_serve(costs, before, accounts=accounts)
    then = p_negative(before, past, served).rename("p_negative_before")
    return pd.concat([now, then], axis=1).rename_axis("account").reset_index()


def standard_cost(served: pd.Series, summary: pd.DataFrame) -> pd.Series:
    """Return what standard service would cost each account: the cheaper quarter's share of revenue, at most its own.

    Parameters
    ----------
    served : pandas.Series
        Cost to serve of the last 12 months (currency) by account.
    summary : pandas.DataFrame
        account, trailing_revenue (currency).
    """
    revenue = summary.set_index("account")["trailing_revenue"].reindex(served.index).clip(lower=0)
    rate = (served / revenue.where(revenue > 0)).quantile(STANDARD_QUANTILE)
    return served if pd.isna(rate) else np.minimum(served, rate * revenue.fillna(0.0))
