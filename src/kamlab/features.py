"""What accounts are compared by when they are clustered: a few numbers each, and the scale they are put on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kamlab import personal
from kamlab.errors import DataError, first_ids
from kamlab.feature_list import FEATURES, MIX, feature
from kamlab.i18n import N_
from kamlab.ids import among, beside
from kamlab.period import DAYS_PER_YEAR, days_to_years

MIN_KNOWN_SHARE = 0.5
"""A feature that is known for fewer accounts is left out whole."""
IN_WINDOWS = "window_"
"""How the columns begin that growth is computed from."""
COMPARED = (
    "trailing_revenue",
    "previous_revenue",
    "trailing_purchase_days",
    "previous_purchase_days",
    "shift_days",
)

LEFT_OUT = {
    "absent": N_("no data"),
    "unknown": N_("known for less than half of the accounts"),
    "constant": N_("the same for all accounts"),
    "infinite": N_("infinite for some accounts"),
    "describes": N_("describes the segments, but does not make them"),
}


def join(
    summary: pd.DataFrame,
    forecast: pd.DataFrame,
    accounts: pd.DataFrame,
    potential: pd.DataFrame,
    *,
    mix: pd.DataFrame | None = None,
    swings: pd.DataFrame | None = None,
    payments: pd.DataFrame | None = None,
    windows: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Put side by side what features are computed from: one row an account that has bought, ordered by account.

    Parameters
    ----------
    summary, forecast, accounts, potential : DataFrame
        Tables of `terms`, joined by account. Of the accounts only their ids are taken, of persons nothing.
    mix, swings : DataFrame, optional
        What `buying.product_mix` and `buying.swings` return.
    payments : DataFrame, optional
        account, days_beyond_terms (days).
    windows : DataFrame, optional
        What `growth.windows` returns: what growth compares. Without it, the last 12 months and the 12 before.
    """
    future = ["account", "expected_contribution", "expected_purchases", "p_alive", "margin_rate", "basis"]
    future += ["contribution_lower", "contribution_upper", "cost_to_serve"]
    worth = ["account", "potential_source", "headroom", "wallet_share"]
    table = summary[among(summary["account"], accounts["account"])]
    table = beside(table, forecast[[c for c in future if c in forecast]])
    table = beside(table, potential[[c for c in worth if c in potential]])
    if mix is not None:
        table = beside(table, mix.rename(columns={c: f"{MIX}{c}" for c in mix if c != "account"}))
    if swings is not None:
        table = beside(table, swings[["account", "volatility", "discount_depth"]])
    if payments is not None:
        table = beside(table, payments[["account", "days_beyond_terms"]])
    windows = summary.assign(shift_days=0) if windows is None else windows
    compared = windows[["account", *COMPARED]].rename(columns={c: f"{IN_WINDOWS}{c}" for c in COMPARED})
    return beside(table, compared).sort_values("account", ignore_index=True)


class AccountFeatures(TransformerMixin, BaseEstimator):
    """Compute the features of accounts in original units, from the columns that `join` puts side by side.

    Growth is ln((R + m) / (P + m)) for revenue R of the last and P of the previous 12 months (of windows that hold the
    same number of festivals, see `growth`) and the account's mean order m, which draws it to 0 where orders are few; it
    is missing for accounts known for under 24 months or without a purchase in them. Regularity is 1 / (1 + variation of
    the gaps). Headroom and share of wallet count where the potential is declared or fitted. Without amounts in the log
    `expected_contribution` holds expected purchases. Missing values stay missing, but for `order_interval`; columns
    without data are missing throughout.

    Attributes
    ----------
    usual_gap_ : float
        Median of the accounts' median gaps, in days.
    feature_names_out_ : ndarray of str
        `FEATURES` and the shares of the product mix.
    """

    def fit(self, X: pd.DataFrame, y: None = None) -> AccountFeatures:
        """Learn the usual gap, and which product lines there are."""
        self.usual_gap_ = float(X["median_gap"].median())
        mix = [c for c in X if c.startswith(MIX)]
        self.feature_names_out_ = np.asarray([*(f.name for f in FEATURES), *mix], dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the features, rows as in `X`; infinite values, such as rates of nothing, are missing."""
        check_is_fitted(self)
        days_known = (X["last_purchase"] - X["first_purchase"]).dt.days + X["days_since_last"]
        order = (X["revenue"] / X["purchase_days"]).clip(lower=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            now, before = (X[f"{IN_WINDOWS}{name}_revenue"].clip(lower=0) for name in ("trailing", "previous"))
            growth = np.log((now + order) / (before + order))
        bought = X[f"{IN_WINDOWS}trailing_purchase_days"] + X[f"{IN_WINDOWS}previous_purchase_days"] > 0
        whole = days_known - X[f"{IN_WINDOWS}shift_days"] >= 2 * DAYS_PER_YEAR
        since_only = X["days_since_last"].clip(lower=self.usual_gap_).clip(lower=1)
        # a log without amounts gives no money: accounts are large by the purchases that are expected of them
        value = X["expected_contribution"].where(X["basis"] != "purchases", X["expected_purchases"])
        given = X["potential_source"].isin(["declared", "fitted"])
        table = X.reindex(columns=self.feature_names_out_).assign(
            expected_contribution=value,
            silence=X["days_since_last"],
            growth=growth.where(whole & bought),
            order_interval=X["median_gap"].fillna(since_only),
            regularity=1 / (1 + X["gap_cv"]),
            tenure=days_to_years(days_known),
            breadth=X["product_lines"],
        )
        table[["headroom", "wallet_share"]] = table[["headroom", "wallet_share"]].where(given)
        table = table.astype(float)
        return table.where(np.isfinite(table))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Return the names of the columns that `transform` returns."""
        check_is_fitted(self)
        return self.feature_names_out_


def build(
    summary: pd.DataFrame,
    forecast: pd.DataFrame,
    accounts: pd.DataFrame,
    potential: pd.DataFrame,
    *,
    mix: pd.DataFrame | None = None,
    swings: pd.DataFrame | None = None,
    payments: pd.DataFrame | None = None,
    windows: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compute the features of all accounts that have bought: account and the columns of `AccountFeatures`.

    Parameters as in `join`; one row an account of `summary` and `accounts`, ordered by account.
    """
    table = join(summary, forecast, accounts, potential, mix=mix, swings=swings, payments=payments, windows=windows)
    return table[["account"]].join(AccountFeatures().fit_transform(table))


def usable(features: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Return the features that segments can be made from, and the others with the reason.

    Parameters
    ----------
    features : DataFrame
        account and features, such as `build` returns.

    Returns
    -------
    used : list of str
    left_out : dict of str to str
        Feature → reason (a phrase of `LEFT_OUT`). Columns that `FEATURES` does not know make segments.

    Raises
    ------
    DataError
        If a column goes by a name of personal data, or holds no numbers.
    """
    names = features.columns.drop("account", errors="ignore")
    personal.refuse(name for name in names if not name.startswith(MIX))
    if text := [c for c in names if not pd.api.types.is_numeric_dtype(features[c])]:
        raise DataError(f"Features are numbers, and these hold something else: {first_ids(text)}. Leave them out.")
    used, left_out = [], {}
    for name in names:
        known = features[name].dropna()
        if known.empty:
            left_out[name] = LEFT_OUT["absent"]
        elif np.isinf(known).any():
            left_out[name] = LEFT_OUT["infinite"]
        elif len(known) < MIN_KNOWN_SHARE * len(features):
            left_out[name] = LEFT_OUT["unknown"]
        elif known.nunique() < 2:
            left_out[name] = LEFT_OUT["constant"]
        elif not feature(name).makes_segments:
            left_out[name] = LEFT_OUT["describes"]
        else:
            used.append(name)
    return used, left_out


NORMAL_95 = 1.6448536269514722
"""95 % quantile of the standard normal distribution."""


def growth_lower(accounts: pd.DataFrame) -> pd.Series:
    """Return the lower bound (5 %) of the log ratio of the last 12 months' revenue to that of the 12 before.

    Revenue of n purchase days varies about as 2 / n in logarithms: a Poisson number of orders of exponential size.
    Missing for accounts known for under 24 months or without a purchase in either window.

    Parameters
    ----------
    accounts : pandas.DataFrame
        days_known and the columns of `terms.TABLES["growth_windows"]`.
    """
    now, before = accounts["trailing_purchase_days"], accounts["previous_purchase_days"]
    revenue_now, revenue_before = accounts["trailing_revenue"], accounts["previous_revenue"]
    known = accounts["days_known"] - accounts["shift_days"] >= 2 * DAYS_PER_YEAR
    known &= (now > 0) & (before > 0) & (revenue_now > 0) & (revenue_before > 0)
    ratio = np.log(revenue_now.where(known) / revenue_before.where(known))
    return ratio - NORMAL_95 * np.sqrt(2 / now.where(known) + 2 / before.where(known))
