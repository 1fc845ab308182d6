"""The learner: gradient-boosted trees on what the summary shows, taught by earlier dates and what came after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController

from kamlab.backtest.names import SUPERVISED
from kamlab.backtest.situation import Amounts, Situation
from kamlab.period import days_to_units

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

MIN_PAIRS = 100
"""Fewer pairs of features and outcome teach trees nothing."""

_COUNTS = ("frequency", "trailing_purchase_days", "previous_purchase_days", "product_lines")
_MONEY = (
    *("trailing_revenue", "previous_revenue", "peak_revenue", "monetary_value", "first_value", "largest_order"),
    "trailing_largest_order",
)
_OTHERS = ("days_since_last", "median_gap", "gap_cv", "order_value_trend", "return_rate")


@dataclass(frozen=True, eq=False)
class Supervised:
    """Histogram gradient boosting, one set of trees for purchases and one for revenue, on the features that vary.

    The trees learn how far what came departed from the window before, so that with little to learn from they stay near
    that rule.
    """

    purchases: HistGradientBoostingRegressor
    revenue: HistGradientBoostingRegressor
    used: np.ndarray
    horizon_days: int
    name: ClassVar[str] = SUPERVISED

    @classmethod
    def taught(cls, pairs: Sequence[tuple[Situation, Amounts]]) -> Self | None:
        """Teach by earlier situations and what came after each; None where there are too few accounts."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        if sum(len(at.summary) for at, _ in pairs) < MIN_PAIRS:
            return None
        features = np.concatenate([_features(at) for at, _ in pairs])
        used = np.nanmax(features, axis=0, initial=-np.inf) > np.nanmin(features, axis=0, initial=np.inf)
        trees = []
        with ThreadpoolController().limit(limits=1):
            for target in ("purchases", "revenue"):
                departure = [came.target(target) - at.recent.target(target) for at, came in pairs]
                model = HistGradientBoostingRegressor(
                    learning_rate=0.05,
                    max_iter=100,
                    max_leaf_nodes=8,
                    min_samples_leaf=30,
                    l2_regularization=10.0,
                    early_stopping=False,
                    random_state=0,
                )
                trees.append(model.fit(features[:, used], np.concatenate(departure)))
        return cls(trees[0], trees[1], used, pairs[0][0].horizon_days)

    def expected(self, at: Situation) -> Amounts:
        """Return what the trees say, for another horizon than the one taught in proportion to its length."""
        features, share = _features(at)[:, self.used], at.horizon_days / self.horizon_days
        with ThreadpoolController().limit(limits=1):
            departures = [trees.predict(features) * share for trees in (self.purchases, self.revenue)]
        return Amounts(*(np.maximum(r + d, 0.0) for r, d in zip(at.recent, departures, strict=True)))


def _features(at: Situation) -> np.ndarray:
    """Return the columns that trees split on, shape (accounts, features); times in days."""
    day = days_to_units(1, at.unit)
    frame: pd.DataFrame = at.summary
    columns = [frame[name] for name in (*_COUNTS, *_MONEY, *_OTHERS)]
    columns += [frame["T"] / day, frame["recency"] / day, *map(pd.Series, at.recent)]
    return np.column_stack([column.to_numpy(dtype=float) for column in columns])
