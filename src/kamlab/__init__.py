"""Customer lifetime value, fitted segments and key-account strategies from a transaction log.

Names are imported when they are first used, so that ``import kamlab`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kamlab.ledger import read_ledger
    from kamlab.period import StudyPeriod
    from kamlab.summary import summarize

_FUNCTIONS = {
    "read_ledger": "kamlab.ledger",
    "StudyPeriod": "kamlab.period",
    "summarize": "kamlab.summary",
}
_MODULES = (
    *(
        "accounts",
        "backtest",
        "clv",
        "config",
        "earlier",
        "errors",
        "evidence",
        "features",
        "figures",
        "forecast",
        "freshness",
        "hysteresis",
        "i18n",
        "ledger",
        "look_alikes",
        "margins",
    ),
    *("period", "plans", "potential", "reports", "runs", "schemes", "segments", "simulate", "sources", "steps"),
    *("strategies", "summary", "terms", "tiers"),
)

__all__ = ["StudyPeriod", "__version__", "read_ledger", "summarize"]


def __getattr__(name: str) -> Any:
    """Import a public name or module when it is first asked for."""
    if name in _FUNCTIONS:
        value = getattr(import_module(_FUNCTIONS[name]), name)
    elif name in _MODULES:
        value = import_module(f"kamlab.{name}")
    else:
        raise AttributeError(f"module 'kamlab' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *_FUNCTIONS, *_MODULES})
