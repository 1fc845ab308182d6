"""Rolling-origin contest of the forecasters on the data before the as-of date: the choice and its record.

The contest is imported when it is first asked for: who reads its tables needs no model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kamlab.backtest.names import BASELINES, BLEND, LEVEL, RECORDS, REFERENCE

if TYPE_CHECKING:
    from kamlab.backtest.choice import Choice
    from kamlab.backtest.contest import choose
    from kamlab.backtest.record import SOON_DAYS
    from kamlab.backtest.situation import described

__all__ = ["BASELINES", "BLEND", "LEVEL", "RECORDS", "REFERENCE", "SOON_DAYS", "Choice", "choose", "described"]

_LATER = {"Choice": "choice", "choose": "contest", "SOON_DAYS": "record", "described": "situation"}


def __getattr__(name: str) -> Any:
    """Import what stands behind a name when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    return value
