"""Every model of `clv.MODELS` with a small table that it can be fitted to, for what holds for all of them."""

from functools import cache

import numpy as np
import pandas as pd
from known_data import cdnow_summary

from kamlab import clv
from kamlab.clv.discrete import PeriodModel
from kamlab.clv.transactions import TransactionModel

NAMES = list(clv.MODELS)
TRANSACTIONS = [name for name, model in clv.MODELS.items() if issubclass(model, TransactionModel)]
PERIODS = [name for name, model in clv.MODELS.items() if issubclass(model, PeriodModel)]
COVARIATES = ["bg_nbd", "pareto_nbd"]


@cache
def table(name):
    """Accounts that the model can be fitted to, each with an id."""
    if name == "bg_bb":
        i = np.arange(120)
        x = i % 7
        whole = {"frequency": x, "recency": np.where(x > 0, np.minimum(x + i % 5, 12), 0), "n_periods": 12}
        return pd.DataFrame({"account": [f"P{k:03d}" for k in i], **whole})
    if name == "sbg":
        i = np.arange(120)
        return pd.DataFrame({"account": [f"C{k:03d}" for k in i], "renewals": i % 6, "active": (i % 3 > 0)})
    return cdnow_summary().iloc[::4].reset_index(drop=True)


def new(name):
    """The model, without the search of another library where it would be asked."""
    cls = clv.MODELS[name]
    return cls(engine="kamlab") if "engine" in cls().get_params() else cls()


@cache
def fitted(name):
    return new(name).fit(table(name))


def forecast(model, rows):
    """What the model says of accounts: purchases, renewals or spend."""
    if isinstance(model, clv.GammaGamma):
        return model.expected_spend(rows)
    return model.predict(rows, 12 if isinstance(model, PeriodModel) else 365)
