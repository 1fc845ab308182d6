"""Every model of `clv.MODELS` with a small table that it can be fitted to, for what holds for all of them."""

from functools import cache

import numpy as np
import pandas as pd
from known_data import cdnow_summary, play

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


TRUTH = {
    "nbd": (0.9, 9.0),
    "bg_nbd": (0.8, 8.0, 0.7, 2.5),
    "mbg_nbd": (0.8, 8.0, 0.7, 2.5),
    "bg_cnbd": (0.8, 4.0, 0.7, 2.5),
    "mbg_cnbd": (0.8, 2.5, 0.7, 2.5),
    "pareto_nbd": (0.8, 8.0, 0.7, 25.0),
}
REGULARITY = {"bg_cnbd": 2, "mbg_cnbd": 3}


def company(name, n, rng, age=(20, 100), horizon=52):
    """Accounts that behave as the model says."""
    params, ages = TRUTH[name], rng.uniform(*age, n)
    rate = rng.gamma(params[0], 1 / params[1], n)
    story = {}
    if "bg" in name:
        story = {"leaving": rng.beta(*params[2:], n), "at_entry": name.startswith("m")}
    elif name == "pareto_nbd":
        story = {"lifetime": rng.standard_exponential(n) / rng.gamma(params[2], 1 / params[3], n)}
    return play(rate, ages, horizon, rng, k=REGULARITY.get(name, 1), **story)
