"""What a forecast is measured by, one row a forecaster and target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

TOP_SHARES = (0.1, 0.2)


def measures(forecast: np.ndarray, actual: np.ndarray, *, counts: bool) -> dict[str, Any]:
    """Return accounts, actual, forecast, bias, mae, rmse, msle, gini, top_10 and top_20 of one entry an account.

    `msle` is for counts alone; ratios are missing where nothing came.
    """
    error = forecast - actual
    total = actual.sum()
    came = total > 0
    msle = ((np.log1p(forecast) - np.log1p(np.maximum(actual, 0.0))) ** 2).mean() if counts else np.nan
    return {
        "accounts": len(actual),
        "actual": total,
        "forecast": forecast.sum(),
        "bias": forecast.sum() / total - 1 if came else np.nan,
        "mae": np.abs(error).mean(),
        "rmse": np.sqrt((error**2).mean()),
        "msle": float(msle),
        "gini": gini(forecast, actual),
        **{f"top_{round(100 * share)}": top_share(forecast, actual, share) for share in TOP_SHARES},
    }


def gini(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Return how well the forecast ranks: 1 = as the outcome itself, 0 = as chance does.

    Twice the area between the diagonal and the share of what came, collected over accounts in falling order of their
    forecast, over that in falling order of what came. Accounts with the same forecast share what came of them.
    """
    own, best = _area(forecast, actual), _area(actual, actual)
    return own / best if best > 0 else np.nan


def top_share(forecast: np.ndarray, actual: np.ndarray, share: float) -> float:
    """Return the share of what came that came from the accounts with the highest forecasts.

    The accounts are that share of all, a fraction of an account included; equal forecasts count alike.
    """
    total = actual.sum()
    if not total > 0:
        return np.nan
    accounts, came = _collected(forecast, actual)
    return float(np.interp(share, accounts, came) / total)


def _collected(forecast: np.ndarray, actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve of share of accounts and money collected, from the highest forecast down, ties straight."""
    _, group, sizes = np.unique(-forecast, return_inverse=True, return_counts=True)
    came = np.bincount(group, weights=actual)
    return np.append(0.0, sizes.cumsum() / len(forecast)), np.append(0.0, came.cumsum())


def _area(order: np.ndarray, actual: np.ndarray) -> float:
    total = actual.sum()
    if not total > 0:
        return np.nan
    accounts, came = _collected(order, actual)
    return float(np.trapezoid(came / total, accounts) - 0.5)


def inside(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Return the share of accounts whose result lies in their interval."""
    # Returns can make an account's revenue negative where nothing was forecast: outside, but only beyond a cent.
    return float(((actual >= lower - 0.005) & (actual <= upper + 0.005)).mean())


def with_relative(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Add the errors relative to those of the reference's row."""
    base = table.loc[table["forecaster"] == reference, "rmse"].iloc[0]
    return table.assign(relative_rmse=table["rmse"] / (base if base > 0 else np.nan))


def calibration_error(predicted: np.ndarray, observed: np.ndarray, accounts: np.ndarray) -> float:
    """Return the mean distance between what was said and what came over the bins, weighted by their accounts."""
    return float(np.average(np.abs(predicted - observed), weights=accounts))


def bins(probability: np.ndarray, happened: np.ndarray) -> list[Mapping[str, Any]]:
    """Return bin, lower, upper, accounts, predicted and observed of each tenth of the probability with accounts."""
    place = np.minimum((probability * 10).astype(int), 9)
    return [
        {
            "bin": int(b) + 1,
            "lower": b / 10,
            "upper": (b + 1) / 10,
            "accounts": int((place == b).sum()),
            "predicted": probability[place == b].mean(),
            "observed": happened[place == b].mean(),
        }
        for b in np.unique(place)
    ]
