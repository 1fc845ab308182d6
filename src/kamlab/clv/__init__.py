"""Models of customer lifetime value: one a file, fitted alike, with one prediction table.

Each is imported when it is first asked for: what is said of a fitted model can be read without scipy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kamlab.clv.base import FittedModel
    from kamlab.clv.bg_bb import BGBB
    from kamlab.clv.bg_cnbd import BGCNBD, MBGCNBD
    from kamlab.clv.bg_nbd import BGNBD
    from kamlab.clv.gamma_gamma import GammaGamma
    from kamlab.clv.log_normal_spend import LogNormalSpend
    from kamlab.clv.mbg_nbd import MBGNBD
    from kamlab.clv.models import MODELS, load, parameter_table
    from kamlab.clv.nbd import NBD
    from kamlab.clv.pareto_nbd import ParetoNBD
    from kamlab.clv.sbg import SBG, contracts_from_survivors
    from kamlab.clv.transactions import TransactionModel

__all__ = [
    "BGBB",
    "BGCNBD",
    "BGNBD",
    "MBGCNBD",
    "MBGNBD",
    "MODELS",
    "NBD",
    "SBG",
    "FittedModel",
    "GammaGamma",
    "LogNormalSpend",
    "ParetoNBD",
    "TransactionModel",
    "contracts_from_survivors",
    "load",
    "parameter_table",
]

_LATER = {
    "BGBB": "bg_bb",
    "BGCNBD": "bg_cnbd",
    "BGNBD": "bg_nbd",
    "MBGCNBD": "bg_cnbd",
    "MBGNBD": "mbg_nbd",
    "MODELS": "models",
    "NBD": "nbd",
    "SBG": "sbg",
    "FittedModel": "base",
    "GammaGamma": "gamma_gamma",
    "LogNormalSpend": "log_normal_spend",
    "ParetoNBD": "pareto_nbd",
    "TransactionModel": "transactions",
    "contracts_from_survivors": "sbg",
    "load": "models",
    "parameter_table": "models",
}
"""Public names and the modules that hold them."""


def __getattr__(name: str) -> Any:
    """Import what stands behind a name when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
