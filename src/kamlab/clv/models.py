"""Every model by its name in tables and settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from kamlab.clv import saving
from kamlab.clv.base import FittedModel
from kamlab.clv.bg_bb import BGBB
from kamlab.clv.bg_cnbd import BGCNBD, MBGCNBD
from kamlab.clv.bg_nbd import BGNBD
from kamlab.clv.gamma_gamma import GammaGamma
from kamlab.clv.log_normal_spend import LogNormalSpend
from kamlab.clv.mbg_nbd import MBGNBD
from kamlab.clv.nbd import NBD
from kamlab.clv.pareto_nbd import ParetoNBD
from kamlab.clv.sbg import SBG
from kamlab.terms import TABLES

MODELS: dict[str, type[FittedModel]] = {
    "nbd": NBD,
    "bg_nbd": BGNBD,
    "mbg_nbd": MBGNBD,
    "bg_cnbd": BGCNBD,
    "mbg_cnbd": MBGCNBD,
    "pareto_nbd": ParetoNBD,
    "bg_bb": BGBB,
    "sbg": SBG,
    "gamma_gamma": GammaGamma,
    "log_normal_spend": LogNormalSpend,
}


def load(path: str | Path) -> FittedModel:
    """Read a model that its `save` has written.

    Raises
    ------
    ModelError
        If there is no such file, or it is no saved model, was changed since, or comes from a newer kamlab.
    """
    return saving.load(Path(path), {cls.__name__: cls for cls in MODELS.values()})


def parameter_table(models: Iterable[FittedModel]) -> pd.DataFrame:
    """Return the columns of `terms.TABLES["models"]`, one row a parameter of each fitted model."""
    names = {cls: name for name, cls in MODELS.items()}
    rows = [
        (
            names[type(model)],
            parameter,
            value,
            model.standard_errors_.get(parameter, float("nan")),
            model.log_likelihood_,
            model.n_accounts_,
            model.converged_,
            "\n".join(model.notes_),
        )
        for model in models
        for parameter, value in (model.params_ | _regularity(model)).items()
    ]
    return pd.DataFrame(rows, columns=[column.name for column in TABLES["models"]])


def _regularity(model: FittedModel) -> dict[str, float]:
    """Return the k that a model of regular purchases has chosen; a choice has no standard error."""
    return {"k": float(model.k_)} if isinstance(model, BGCNBD) else {}
