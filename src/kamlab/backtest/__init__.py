"""Rolling-origin contest of the forecasters on the data before the as-of date: the choice and its record."""

from kamlab.backtest.choice import RECORDS, Choice
from kamlab.backtest.contest import choose
from kamlab.backtest.forecasters import BASELINES, BLEND, LEVEL, REFERENCE
from kamlab.backtest.record import SOON_DAYS
from kamlab.backtest.situation import described

__all__ = ["BASELINES", "BLEND", "LEVEL", "RECORDS", "REFERENCE", "SOON_DAYS", "Choice", "choose", "described"]
