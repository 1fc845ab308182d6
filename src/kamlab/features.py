"""What accounts are compared by when they are clustered: a few numbers each, and the scale they are put on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kamlab.errors import DataError, first_ids
from kamlab.i18n import N_
from kamlab.period import DAYS_PER_YEAR, days_to_years

MIN_KNOWN_SHARE = 0.5
"""A feature that is known for fewer accounts is left out whole."""
MAX_DEVIATIONS = 3.0
"""Scaled features end here, so that a single account does not become a segment."""


@dataclass(frozen=True)
class Feature:
    """A number by which accounts are compared.

    Attributes
    ----------
    name, meaning, unit : str
        Column, what it says (a sentence of the message catalogue), and currency, days, years, share or "".
    scale : {"log", "linear"}
        Skewed features are compared by ratio, the others by difference.
    missing : str
        What stands for a missing value (a sentence of the message catalogue).
    resolution : float
        Smallest difference, on that scale, that means anything: accounts that all began in one quarter are not told
        apart by their tenure.
    makes_segments : bool
        Whether segments are made from it. The others describe the segments: they vary from account to account without
        any gap, so that each of them would only blur the division into value, activity, rhythm and history.
    """

    name: str
    meaning: str
    scale: Literal["log", "linear"]
    missing: str
    resolution: float
    unit: str = ""
    makes_segments: bool = True


_MEDIAN = N_("The middle value of all accounts stands for it.")
_NEVER = N_("It is known for every account.")

FEATURES = (
    Feature("expected_contribution", N_("Expected contribution, next 12 months"), "log", _NEVER, 0.1, "currency"),
    Feature("p_alive", N_("Chance that it still buys"), "linear", _NEVER, 0.1, "share", makes_segments=False),
    Feature("silence", N_("Time since the last order"), "log", _NEVER, 0.1, "days"),
    Feature("growth", N_("Growth over the year before (log ratio)"), "linear", _MEDIAN, 0.1),
    Feature(
        "order_interval",
        N_("Usual time between orders"),
        "log",
        N_("The time since its only order stands for it, but not less than the middle value of all accounts."),
        0.1,
        "days",
    ),
    Feature("regularity", N_("Regularity of orders, 0 to 1"), "linear", _MEDIAN, 0.05, makes_segments=False),
    Feature("tenure", N_("Time since the first order"), "linear", _NEVER, 0.5, "years"),
    Feature("breadth", N_("Product lines bought in 12 months"), "log", _NEVER, 0.1, makes_segments=False),
    Feature("margin_rate", N_("Margin rate"), "linear", _MEDIAN, 0.02, "share", makes_segments=False),
    Feature("return_rate", N_("Share of value returned"), "log", _NEVER, 0.1, "share", makes_segments=False),
    Feature("headroom", N_("Room to grow"), "log", _MEDIAN, 0.1, "currency", makes_segments=False),
)
"""Every feature, in the order of the columns."""

_DESCRIBING = {f.name for f in FEATURES if not f.makes_segments}
RESOLUTION = {f.name: f.resolution for f in FEATURES}
LOG_FEATURES = tuple(f.name for f in FEATURES if f.scale == "log")

LEFT_OUT = {
    "unknown": N_("known for less than half of the accounts"),
    "constant": N_("the same for all accounts"),
    "describes": N_("describes the segments, but does not make them"),
}


def build(
    summary: pd.DataFrame, forecast: pd.DataFrame, accounts: pd.DataFrame, potential: pd.DataFrame
) -> pd.DataFrame:
    """Compute the features of all accounts that have bought, in original units.

    Parameters
    ----------
    summary, forecast, accounts, potential : DataFrame
        Tables of `terms`, joined by account.

    Returns
    -------
    DataFrame
        account and the columns of `FEATURES`, one row an account of `summary` and `accounts`, ordered by account.
        Growth is ln((R + m) / (P + m)) for revenue R of the last and P of the previous 12 months and the account's
        mean order m, which draws it to 0 where orders are few; it is missing for accounts known for under 24 months
        or without a purchase in them. Regularity is 1 / (1 + variation of the gaps). Headroom counts where the
        potential is declared. Without amounts in the log `expected_contribution` holds expected purchases. Missing
        values stay missing, but for `order_interval`.
    """
    future = ["account", "expected_contribution", "expected_purchases", "p_alive", "margin_rate", "basis"]
    table = (
        summary.merge(accounts[["account"]], on="account")
        .merge(forecast[future], on="account", how="left")
        .merge(potential[["account", "potential_source", "headroom"]], on="account", how="left")
        .sort_values("account", ignore_index=True)
    )
    days_known = (table["last_purchase"] - table["first_purchase"]).dt.days + table["days_since_last"]
    order = (table["revenue"] / table["purchase_days"]).clip(lower=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.log(
            (table["trailing_revenue"].clip(lower=0) + order) / (table["previous_revenue"].clip(lower=0) + order)
        )
    bought = table["trailing_purchase_days"] + table["previous_purchase_days"] > 0
    usual = table["median_gap"].median()
    since_only = table["days_since_last"].clip(lower=usual).clip(lower=1)
    # a log without amounts gives no money: accounts are large by the purchases that are expected of them
    value = table["expected_contribution"].where(table["basis"] != "purchases", table["expected_purchases"])
    result = table[["account", "expected_contribution", "p_alive"]].assign(
        expected_contribution=value,
        silence=table["days_since_last"],
        growth=growth.where((days_known >= 2 * DAYS_PER_YEAR) & bought & np.isfinite(growth)),
        order_interval=table["median_gap"].fillna(since_only),
        regularity=1 / (1 + table["gap_cv"]),
        tenure=days_to_years(days_known),
        breadth=table["product_lines"],
        margin_rate=table["margin_rate"],
        return_rate=table["return_rate"],
        headroom=table["headroom"].where(table["potential_source"] == "declared"),
    )
    return result.astype({f.name: float for f in FEATURES})


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
        If a feature is infinite.
    """
    _refuse_infinite(features)
    used, left_out = [], {}
    for name in features.columns.drop("account", errors="ignore"):
        known = features[name].dropna()
        if len(known) < max(1, MIN_KNOWN_SHARE * len(features)):
            left_out[name] = LEFT_OUT["unknown"]
        elif known.nunique() < 2:
            left_out[name] = LEFT_OUT["constant"]
        elif name in _DESCRIBING:
            left_out[name] = LEFT_OUT["describes"]
        else:
            used.append(name)
    return used, left_out


class FeatureScaler(TransformerMixin, BaseEstimator):
    """Put features on one scale: ratios for skewed ones, middle value 0, deviation 1 at most, ends at ± 3.

    A feature x on log scale becomes sign(x) ln(1 + |x| / m) with the median m of |x| > 0, so that zeros and
    losses keep their place and the currency does not matter.

    Parameters
    ----------
    log_features : tuple of str
        Columns to put on log scale; those of `FEATURES` by default.

    Attributes
    ----------
    unit_ : Series
        m of each log feature.
    center_, scale_ : Series
        Median and standard deviation (not under the feature's resolution) on the scale; missing values become the
        median.
    feature_names_in_ : ndarray of str
    """

    def __init__(self, log_features: tuple[str, ...] = LOG_FEATURES):
        self.log_features = log_features

    def fit(self, X: pd.DataFrame, y: None = None) -> FeatureScaler:
        """Learn units, medians and deviations of the columns of `X` (DataFrame of features only).

        Raises
        ------
        DataError
            If a column is infinite, unknown for every account or constant.
        """
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        _refuse_infinite(X)
        if dead := [c for c in X if X[c].nunique() < 2]:
            raise DataError(f"Missing or constant features cannot be scaled: {first_ids(dead)}. Leave them out.")
        logs = [c for c in X if c in self.log_features]
        size = X[logs].abs()
        self.unit_ = size.where(size > 0).median()
        scaled = self._rescaled(X)
        self.center_ = scaled.median()
        resolution = pd.Series(RESOLUTION).reindex(X.columns, fill_value=0.0)
        self.scale_ = scaled.fillna(self.center_).std(ddof=0).clip(lower=resolution)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the scaled features, rows and columns as in `X`, without missing values."""
        check_is_fitted(self)
        if list(X.columns) != list(self.feature_names_in_):
            fitted, given = (", ".join(map(str, names)) for names in (self.feature_names_in_, X.columns))
            raise DataError(f"The scaler was fitted to {fitted}, not to {given}.")
        _refuse_infinite(X)
        z = (self._rescaled(X).fillna(self.center_) - self.center_) / self.scale_
        return z.clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Return the names of the columns that `transform` returns."""
        check_is_fitted(self)
        return self.feature_names_in_

    def _rescaled(self, X: pd.DataFrame) -> pd.DataFrame:
        logs = {c: np.sign(X[c]) * np.log1p(X[c].abs() / unit) for c, unit in self.unit_.items()}
        return X.astype(float).assign(**logs)


def _refuse_infinite(features: pd.DataFrame) -> None:
    infinite = np.isinf(features.select_dtypes("number")).sum()
    if infinite.any():
        found = ", ".join(f"{name} ({n} accounts)" for name, n in infinite[infinite > 0].items())
        raise DataError(f"Infinite features cannot be compared: {found}. Correct the values they come from.")
