"""Log-normal order values whose level between accounts may depend on how often an account buys.

The Gamma-Gamma model takes an account's mean order value to be independent of its frequency. Where frequent buyers
place smaller (or larger) orders, it draws every account towards one mean for all; here an account is drawn towards the
mean of accounts that have bought as often.

References
----------
.. [1] Morris (1983), Parametric empirical Bayes inference: theory and applications, Journal of the American Statistical
   Association 78 (381), 47-55.
.. [2] Fenton (1960), The sum of log-normal probability distributions in scatter transmission systems, IRE Transactions
   on Communications Systems 8 (1), 57-67.
.. [3] Duan (1983), Smearing estimate: a nonparametric retransformation method, Journal of the American Statistical
   Association 78 (383), 605-610.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kamlab.clv.base import NOTE_FEW, FittedModel
from kamlab.clv.checks import MIN_REPEAT_BUYERS, Spend, as_frame, read_order_values, read_spend, require_columns
from kamlab.clv.climb import one_thread, with_prior
from kamlab.clv.saving import data_hash
from kamlab.errors import ModelError

PARAMETERS = ("level", "per_doubling", "between", "within")

# Logs of (level, per_doubling, between, within) with money scaled to a geometric mean of 1.
_BOUNDS = ((-7.0, 7.0), (-2.0, 2.0), (-6.0, 2.0), (-6.0, 1.5))
_STARTS = ((0.0, 0.0, 0.0, -0.5), (0.0, 0.0, -1.0, 0.5))

# Of these logs where accounts are few, around the first start; hardly any dependence on the number of orders.
_FEW_PRIOR_SD = (1.0, 0.05, 0.5, 0.5)


class Orders(NamedTuple):
    """Order values, one entry an account: number n of all orders and log of their mean; number x of later orders.

    `log_ratio` is the log of the first order over the mean of the later ones; it counts where x > 0.
    """

    n: np.ndarray
    log_mean: np.ndarray
    x: np.ndarray
    log_ratio: np.ndarray


def mean_variance(within: Any, n: Any) -> Any:
    """Return the variance of ln(mean of n orders) about its centre, by the moments of [2]_."""
    return np.log1p(np.expm1(within**2) / n)


def log_likelihood(log_params: np.ndarray, orders: Orders) -> tuple[np.ndarray, np.ndarray]:
    """Return each account's log-likelihood, shape (n,), and its gradient by the log parameters, shape (4, n).

    Two normal densities: of the log mean of an account's n orders, around the line in log2(n); and of the log ratio of
    its first order to the mean of the later ones, which tells the variation within accounts from that between them,
    however accounts differ.
    """
    log_level, log_doubling = log_params[:2]
    between, within = np.exp(log_params[2:])
    line = np.log2(orders.n)
    v, dv = _mean_variance(within, orders.n)
    residual = orders.log_mean + v / 2 - log_level - log_doubling * line
    value, by_residual, by_variance = _normal(residual, between**2 + v)
    gradient = np.stack(
        [
            -by_residual,
            -by_residual * line,
            by_variance * 2 * between**2,
            by_residual * dv / 2 + by_variance * dv,
        ]
    )
    several = orders.x > 0
    one, d_one = _mean_variance(within, np.ones(several.sum()))
    later, d_later = _mean_variance(within, orders.x[several])
    ratio, of_residual, of_variance = _normal(orders.log_ratio[several] + (one - later) / 2, one + later)
    value[several] += ratio
    gradient[3, several] += of_residual * (d_one - d_later) / 2 + of_variance * (d_one + d_later)
    return value, gradient


def _mean_variance(within: float, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `mean_variance` and its derivative by ln(within)."""
    grown = np.exp(within**2)
    return mean_variance(within, n), 2 * within**2 * grown / (n + grown - 1)


def _normal(residual: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a normal log-density and its derivatives by residual and variance."""
    square = residual**2 / variance
    return -0.5 * (np.log(2 * np.pi * variance) + square), -residual / variance, 0.5 * (square - 1) / variance


class LogNormalSpend(FittedModel):
    """Empirical-Bayes model [1]_ of the mean value of a purchase day, whose prior mean depends on the number of orders.

    ln(an account's mean order value) is normal around ln(level) + ln(per_doubling) · log2(number of orders) with
    standard deviation `between`; single orders are log-normal around the account's mean with standard deviation
    `within`, and means of n orders are taken as log-normal too [2]_. Expected values carry a factor that makes them
    agree, on average over the accounts of the fit, with what these paid, because real order values are not quite
    log-normal [3]_.

    Parameters
    ----------
    engine : {"kamlab"}
        What finds the optimum.
    penalizer : float
        Weight of the sum of squared parameters (money scaled to a geometric mean of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        level (currency), per_doubling (factor by which a doubled number of orders changes the order value), between,
        within (of natural logarithms). See `FittedModel` for the other attributes.
    mean_value_ : float
        Mean value of the repeat purchase days that entered the fit (currency).
    smearing_ : float
        The factor of agreement.
    """

    engines = ("kamlab",)

    def __init__(self, *, engine: str = "kamlab", penalizer: float = 0.0) -> None:
        self.engine = engine
        self.penalizer = penalizer

    def fit(self, summary: Any, y: None = None) -> LogNormalSpend:
        """Fit to the accounts with an order above 0: columns account, frequency, monetary_value and first_value.

        Raises
        ------
        ModelError
            If values are impossible, or fewer than 10 accounts have a repeat purchase above 0.
        """
        self._check_options()
        return self._fit_orders(summary, read_spend(summary, min_repeat_buyers=MIN_REPEAT_BUYERS), few=False)

    def fit_few(self, summary: Any) -> LogNormalSpend:
        """Fit to any number of accounts with an order above 0; a prior fills in what they do not show.

        The log parameters are normal around the geometric mean of the accounts' order values as level, no dependence on
        the number of orders, between = 1 and within = 0.6. Columns as in `fit`.

        Raises
        ------
        ModelError
            If values are impossible, or no account has an order above 0.
        """
        self._check_options()
        model = self._fit_orders(summary, read_spend(summary), few=True)
        model.notes_ += (NOTE_FEW,)
        return model

    def _fit_orders(self, summary: Any, repeats: Spend, *, few: bool) -> LogNormalSpend:
        known = self._known(summary)
        valued = known[known["ordered"]]
        if valued.empty:
            raise ModelError("No account has an order above 0. A spend model needs one; map the column of amounts.")
        orders_known = (repeats.x, repeats.mean_value) if len(repeats.x) else (valued["orders"], valued["mean_value"])
        self.mean_value_ = float(np.average(orders_known[1], weights=orders_known[0]))
        scale = float(np.log(valued["mean_value"]).mean())
        both = (valued["x"] > 0) & (valued["first"] > 0) & (valued["later"] > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_ratio = np.log(valued["first"] / valued["later"])
        orders = Orders(
            valued["orders"].to_numpy(),
            np.log(valued["mean_value"]).to_numpy() - scale,
            valued["x"].where(both, 0.0).to_numpy(),
            log_ratio.where(both, 0.0).to_numpy(),
        )

        def objective(log_params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, gradient = log_likelihood(log_params, orders)
            penalty = self.penalizer * np.exp(2 * log_params)
            outer = gradient @ gradient.T / len(value) + np.diag(4 * penalty)
            return penalty.sum() - value.mean(), 2 * penalty - gradient.mean(axis=1), outer

        weighed = with_prior(objective, np.array(_STARTS[0]), _FEW_PRIOR_SD, len(valued)) if few else objective
        with one_thread():
            maximum = self._maximise(weighed, lambda: None, _STARTS, _BOUNDS, len(valued))
        params = self._keep(PARAMETERS, maximum, np.array([scale, 0.0, 0.0, 0.0]), len(valued))
        value, _ = log_likelihood(np.log(params), orders._replace(log_mean=orders.log_mean + scale))
        self.log_likelihood_ = float(value.sum())
        self.data_hash_ = data_hash(orders.n, orders.log_mean + scale, orders.x, orders.log_ratio)
        centre, variance = self._posterior(params, valued["orders"].to_numpy(), valued["mean_value"].to_numpy())
        self.smearing_ = float(valued["mean_value"].sum() / np.exp(centre + variance / 2).sum())
        return self

    def expected_spend(self, summary: Any) -> pd.DataFrame:
        """Return each account's expected value of a purchase day.

        Parameters
        ----------
        summary : table
            Columns account, frequency, monetary_value and first_value (currency).

        Returns
        -------
        pandas.DataFrame
            account; expected_spend (currency); spend_basis ("model", or "first_order" where the only order stands for
            the mean).
        """
        orders = self.orders(summary)
        centre, variance = self._posterior(
            np.array(list(self.params_.values())), orders["orders"].to_numpy(), orders["mean_value"].to_numpy()
        )
        expected = self.smearing_ * np.exp(centre + variance / 2)
        return pd.DataFrame(
            {"account": orders["account"], "expected_spend": expected, "spend_basis": orders["spend_basis"]}
        )

    def orders(self, summary: Any) -> pd.DataFrame:
        """Return what the model knows of each account: account, orders (number), mean_value (currency), spend_basis.

        The first order counts here, unlike in the Gamma-Gamma model. Accounts without any order above 0 count as one
        order at the company's mean value.
        """
        self._params()
        read_order_values(summary)
        known = self._known(summary)
        one_order = known["ordered"] & (known["x"] == 0)
        return pd.DataFrame(
            {
                "account": known["account"],
                "orders": known["orders"],
                "mean_value": known["mean_value"].where(known["ordered"], self.mean_value_),
                "spend_basis": np.where(one_order, "first_order", "model"),
            }
        )

    def sample_revenue(
        self,
        purchases: np.ndarray,
        orders: np.ndarray,
        mean_value: np.ndarray,
        alone: np.ndarray,
        params: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the value of a number of purchase days together.

        Parameters
        ----------
        purchases : numpy.ndarray
            Numbers of purchase days, shape (accounts, draws).
        orders, mean_value : numpy.ndarray
            Number of orders known and their mean value (currency), shape (accounts,).
        alone : numpy.ndarray of bool
            Where the account's own orders count alone, so that their mean is expected again.
        params : numpy.ndarray
            From `parameter_draws`, shape (draws, 4); shared by all accounts.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Currency, shape (accounts, draws).
        """
        within = params.T[3]
        centre, variance = self._posterior(params.T, orders[:, None], mean_value[:, None])
        own = mean_variance(within, orders[:, None])
        centre = np.where(alone[:, None], np.log(mean_value)[:, None] - own / 2, centre + np.log(self.smearing_))
        variance = np.where(alone[:, None], own, variance)
        log_mean = centre + np.sqrt(variance) * rng.standard_normal(purchases.shape)
        counts = np.maximum(purchases, 1e-9)
        spread = mean_variance(within, counts)
        total = np.exp(log_mean - spread / 2 + np.sqrt(spread) * rng.standard_normal(purchases.shape))
        return np.where(purchases > 0, counts * total, 0.0)

    def _posterior(self, params: np.ndarray, orders: np.ndarray, mean_value: np.ndarray) -> tuple[Any, Any]:
        """Return mean and variance of ln(mean order value) given the orders known."""
        level, per_doubling, between, within = params
        prior = np.log(level) + np.log(per_doubling) * np.log2(orders)
        own = mean_variance(within, orders)
        weight = between**2 / (between**2 + own)
        return prior + weight * (np.log(mean_value) + own / 2 - prior), weight * own

    def _known(self, summary: Any) -> pd.DataFrame:
        """Return account, x, first, later, orders, mean_value of all orders above 0, and ordered (whether any is)."""
        frame = as_frame(summary)
        require_columns(frame, ("frequency", "monetary_value", "first_value"), "a spend model")
        x, later, first = (pd.to_numeric(frame[c]) for c in ("frequency", "monetary_value", "first_value"))
        # Purchase days of no value, which a log of purchases may hold, say nothing of what an order is worth.
        x = x.where((x > 0) & (later > 0), 0).astype(float)
        firsts = (first > 0).astype(float)
        orders = x + firsts
        total = x * later.where(x > 0, 0.0) + first.where(firsts > 0, 0.0)
        return pd.DataFrame(
            {
                "account": frame["account"],
                "x": x,
                "first": first.astype(float),
                "later": later.astype(float),
                "orders": orders.where(orders > 0, 1.0),
                "mean_value": total / orders.where(orders > 0, 1.0),
                "ordered": orders > 0,
            }
        )
