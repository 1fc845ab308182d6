"""Features on one scale, so that none counts for more than another; and how each was put there, kept with the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kamlab.errors import DataError, first_ids
from kamlab.feature_list import LOG_FEATURES, MEDIAN, NONE, RESOLUTION, feature
from kamlab.terms import TABLES

MAX_DEVIATIONS = 3.0
"""Scaled features end here, so that a single account does not become a segment."""


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


def rules(
    features: pd.DataFrame, scaler: FeatureScaler | None, used: Sequence[str], left_out: Mapping[str, str]
) -> pd.DataFrame:
    """Return how each feature entered the segments: table "feature_rules" of `terms`.

    Parameters
    ----------
    features : DataFrame
        account and features, in original units.
    scaler : FeatureScaler, optional
        Fitted to the columns `used`; None where nothing was scaled.
    used, left_out : sequence of str, mapping of str to str
        What `usable` returned.
    """
    names = list(features.columns.drop("account"))
    scaled = ["log_unit", "centre", "scale"]
    fitted = pd.DataFrame(columns=scaled, dtype=float)
    if scaler is not None:
        fitted = pd.DataFrame(dict(zip(scaled, (scaler.unit_, scaler.center_, scaler.scale_), strict=True)))
    about = [feature(name) for name in names]
    table = pd.DataFrame(
        {
            "feature": names,
            "meaning": [f.meaning for f in about],
            "unit": [f.unit for f in about],
            "transform": [f.scale for f in about],
            "missing": [MEDIAN if f.name in fitted.index and f.missing == NONE else f.missing for f in about],
            "known": features[names].notna().mean().to_numpy(),
            "used": [name in used for name in names],
            "reason": [left_out.get(name, "") for name in names],
        }
    ).join(fitted, on="feature")
    return table[[column.name for column in TABLES["feature_rules"]]]
