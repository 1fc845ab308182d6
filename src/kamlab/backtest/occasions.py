"""BG/BB among the forecasters: months with a purchase, times the purchase days of such a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from kamlab.backtest.forecasters import worth
from kamlab.backtest.names import BG_BB
from kamlab.backtest.situation import Amounts, Situation
from kamlab.clv import BGBB, GammaGamma
from kamlab.errors import ModelError, first_ids
from kamlab.period import months_to_days

MONTH_DAYS = months_to_days(1)
PRIOR_MONTHS = 3
"""The company's purchase days in a month with a purchase weigh as much as this many such months of an account."""


@dataclass(frozen=True, eq=False)
class Occasions:
    """BG/BB on months counted back from the as-of date, and what a month with a purchase holds.

    It stays outside the distribution: its law is one of months, not of purchases.

    Attributes
    ----------
    model : BGBB
    months : pandas.DataFrame
        Index account; frequency, recency and n_periods in months, as of the date that the model was fitted at, and
        days, the purchase days of a month with a purchase.
    spend : GammaGamma or None
    """

    model: BGBB
    months: pd.DataFrame
    spend: GammaGamma | None
    name: ClassVar[str] = BG_BB

    @classmethod
    def fitted(cls, at: Situation, spend: GammaGamma | None) -> Self | None:
        """Fit to the months before the as-of date; None where no maximum is found or the months are not known."""
        if at.months is None:
            return None
        months = at.months(MONTH_DAYS).set_index("account").loc[at.summary["account"]]
        try:
            model = BGBB().fit(months.reset_index())
        except ModelError:
            return None
        active, bought = months["frequency"].to_numpy() + 1, at.column("purchase_days")
        usual = bought.sum() / active.sum()
        months = months.assign(days=(bought + PRIOR_MONTHS * usual) / (active + PRIOR_MONTHS))
        return cls(model, months, spend) if model.converged_ else None

    def expected(self, at: Situation) -> Amounts:
        """Return expected months with a purchase × purchase days in such a month, at the usual order values.

        Between whole numbers of months the expectation is interpolated.

        Raises
        ------
        ModelError
            If the situation holds accounts that were not known when the model was fitted.
        """
        accounts = at.summary["account"]
        absent = accounts[~accounts.isin(self.months.index)]
        if len(absent):
            raise ModelError(
                f"{len(absent)} of {len(accounts)} accounts were not there when BG/BB was fitted (first: "
                f"{first_ids(absent)}). Choose the forecaster on a log that holds them."
            )
        histories = self.months.loc[accounts].reset_index()
        whole, part = divmod(at.horizon_days / MONTH_DAYS, 1)
        below = self.model.expected_purchases(histories, int(whole)) if whole else np.zeros(len(histories))
        above = self.model.expected_purchases(histories, int(whole) + 1)
        purchases = (below + part * (above - below)) * histories["days"].to_numpy()
        return Amounts(purchases, purchases * worth(at, self.spend))
