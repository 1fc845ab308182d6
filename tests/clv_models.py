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
SPEND = clv.GammaGamma, clv.LogNormalSpend
SPEND_NAMES = ["gamma_gamma", "log_normal_spend"]
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
    if isinstance(model, SPEND):
        return model.expected_spend(rows)
    return model.predict(rows, 12 if isinstance(model, PeriodModel) else 365)


TRUTH = {
    "nbd": (0.9, 9.0),
    "bg_nbd": (0.8, 8.0, 0.7, 2.5),
    "mbg_nbd": (0.8, 8.0, 0.7, 2.5),
    "bg_cnbd": (0.8, 4.0, 0.7, 2.5),
    "mbg_cnbd": (0.8, 2.5, 0.7, 2.5),
    "pareto_nbd": (0.8, 8.0, 0.7, 25.0),
    "bg_bb": (1.2, 1.5, 0.7, 4.0),
    "sbg": (1.2, 6.0),
    "gamma_gamma": (4.0, 3.0, 200.0),
    "log_normal_spend": (100.0, 0.9, 0.6, 0.5),
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


def periods_company(size, params, n, periods, rng):
    """Play the story occasion by occasion: leave at its beginning, or else buy with the own chance."""
    alpha, beta, gamma, delta = params
    chance, leaving = rng.beta(alpha, beta, size), rng.beta(gamma, delta, size)
    x = t_x = came = np.zeros(size, dtype=int)
    alive = np.ones(size, dtype=bool)
    for period in range(1, n.max() + periods + 1):
        alive &= rng.random(size) >= leaving
        buys = alive & (rng.random(size) < chance)
        known, later = buys & (period <= n), buys & (period > n) & (period <= n + periods)
        x, t_x, came = x + known, np.where(known, period, t_x), came + later
    ids = [f"A{i:06d}" for i in range(size)]
    return pd.DataFrame({"account": ids, "frequency": x, "recency": t_x, "n_periods": n, "came": came})


def contracts_company(size, alpha, beta, age, later, rng):
    """Renew or not, renewal by renewal, up to `age` of each contract and then `later` times more."""
    leaving = rng.beta(alpha, beta, size)
    renewals = came = np.zeros(size, dtype=int)
    there = np.ones(size, dtype=bool)
    active = there
    for renewal in range(1, age.max() + later + 1):
        there = there & (rng.random(size) >= leaving)
        renewals = renewals + (there & (renewal <= age))
        active = np.where(renewal <= age, there, active)
        came = came + (there & (renewal > age) & (renewal <= age + later))
    ids = [f"A{i:05d}" for i in range(size)]
    return pd.DataFrame({"account": ids, "renewals": renewals, "active": active, "came": came})


def orders_company(n, rng):
    """Repeat purchases of each account, their mean value, and the value of the three that come."""
    p, q, gamma = TRUTH["gamma_gamma"]
    x = rng.poisson(4, n)
    nu = rng.gamma(q, 1 / gamma, n)
    # The sum of k orders of shape p is gamma distributed with shape p·k.
    means = rng.gamma(np.maximum(p * x, 1e-9)) / nu / np.maximum(x, 1)
    ids = [f"A{i:05d}" for i in range(n)]
    came = rng.gamma(3 * p, 1 / nu)
    return pd.DataFrame({"account": ids, "frequency": x, "monetary_value": np.where(x > 0, means, 0.0), "came": came})


def levels_company(n, rng):
    """All orders of each account, first and later ones, and the value of the three that come."""
    level, per_doubling, between, within = TRUTH["log_normal_spend"]
    x = rng.poisson(4, n)
    own = np.log(level) + np.log(per_doubling) * np.log2(x + 1) + between * rng.standard_normal(n)
    orders = [
        np.exp(mean - within**2 / 2 + within * rng.standard_normal(k + 4)) for mean, k in zip(own, x, strict=True)
    ]
    return pd.DataFrame(
        {
            "account": [f"A{i:05d}" for i in range(n)],
            "frequency": x,
            "monetary_value": [values[4:].mean() if len(values) > 4 else 0.0 for values in orders],
            "first_value": [values[3] for values in orders],
            "came": [values[:3].sum() for values in orders],
        }
    )


def any_company(name, n, rng):
    """Accounts that behave as the model says, with what comes (`came`)."""
    if name == "bg_bb":
        return periods_company(n, TRUTH[name], rng.integers(6, 25, n), 12, rng)
    if name == "sbg":
        return contracts_company(n, *TRUTH[name], rng.integers(1, 13, n), 6, rng)
    if name in ("gamma_gamma", "log_normal_spend"):
        return {"gamma_gamma": orders_company, "log_normal_spend": levels_company}[name](n, rng)
    return company(name, n, rng)


def futures(model, rows, n_draws, rng):
    """Draws of what `came` may be, shape (accounts, n_draws), the parameters drawn too."""
    params = model.parameter_draws(n_draws, rng)
    if isinstance(model, SPEND):
        orders = model.orders(rows)
        known = orders["orders"].to_numpy(), orders["mean_value"].to_numpy(), np.zeros(len(rows), dtype=bool)
        return model.sample_revenue(np.full((len(rows), n_draws), 3.0), *known, params, rng=rng)
    horizon = {"bg_bb": 12, "sbg": 6}.get(next(k for k, v in clv.MODELS.items() if type(model) is v), 52 * 7)
    return model.sample_purchases(rows, horizon, params, rng=rng)


def covered(name, n, rng, n_draws=400):
    """Whether the 90 % intervals hold each true parameter, and what comes of a company of n accounts in total."""
    rows = any_company(name, n, rng)
    model = new(name)
    if name in REGULARITY:
        model.set_params(k=REGULARITY[name])
    model.fit(rows)
    ends, truth = model.parameter_intervals(), np.array(TRUTH[name])
    inside = dict(zip(model.params_, ends["lower"].le(truth) & ends["upper"].ge(truth), strict=True))
    if name == "gamma_gamma":
        rows = rows[rows["frequency"] > 0]
    lower, upper = np.quantile(futures(model, rows, n_draws, rng).sum(axis=0), [0.05, 0.95])
    return inside | {"total": lower <= rows["came"].sum() <= upper}
