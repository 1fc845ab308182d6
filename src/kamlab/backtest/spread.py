"""Joint draws of all accounts around the chosen means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kamlab.backtest.distribution import EVEN, Recalibration, around, level_error
from kamlab.backtest.forecasters import Parametric
from kamlab.backtest.situation import Amounts, Situation
from kamlab.clv.climb import one_thread
from kamlab.clv.spend import sample_revenue
from kamlab.progress import track
from kamlab.threads import in_order, parts

_CHUNK = 5000
"""Accounts drawn at a time, which bounds the memory beside the draws themselves."""

SINGLE_FROM = 60_000_000
"""So many numbers and more are kept in single precision, which halves their memory; luck moves their third digit."""

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Spread:
    """The best model's distribution, brought to other means.

    Attributes
    ----------
    model : Parametric
        Behind the distribution.
    at : Situation
    wanted : Amounts
        The means that the draws are to have.
    level_sd : float
        Of the logarithm of the factor that all accounts share.
    ranks : mapping of str to Recalibration
        Of "purchases" and "revenue".
    """

    model: Parametric
    at: Situation
    wanted: Amounts
    level_sd: float
    ranks: Mapping[str, Recalibration]

    @property
    def as_the_model(self) -> bool:
        """Whether purchases are the model's own, so that its exact quantiles hold."""
        own = self.model.expected(self.at).purchases
        return not self.ranks.get("purchases", EVEN).changes and bool(
            np.allclose(self.wanted.purchases, own, rtol=1e-9)
        )

    def draws(
        self,
        n_draws: int,
        rng: np.random.Generator,
        make: Callable[[slice, np.ndarray, np.ndarray, np.random.Generator], Made],
    ) -> Iterator[tuple[slice, Made]]:
        """Yield rows, and what is made of their drawn purchases and what they bring, both of shape (accounts, draws).

        What they bring is revenue (currency), or without money the purchases themselves. A draw takes parameters from
        the models' `parameter_draws`, shared by all accounts; each account's purchases and order values from its
        posterior, brought to the wanted mean. Quantiles are then corrected as earlier dates showed. What they bring is
        multiplied by one lognormal factor of mean 1 for the company; the purchases are not.

        Accounts are drawn some thousands at a time, the first by the generator that is given, the others each by one
        of their own, so that the draws do not depend on the number of threads. `make` is called in these threads.
        """
        transactions, spend = self.model.transactions, self.model.spend
        buying = transactions.parameter_draws(n_draws, rng)
        spending = np.empty(0) if spend is None else spend.parameter_draws(n_draws, rng)
        factor = level_error(self.level_sd, n_draws, rng)
        own, values = self.model.expected(self.at).purchases, self.model.values(self.at)

        def drawn(piece: tuple[slice, np.random.Generator]) -> tuple[slice, Made]:
            rows, luck = piece
            counts = transactions.sample_purchases(self.at.summary[rows], self.at.horizon_days, buying, rng=luck)
            wanted = self.wanted.purchases[rows]
            counts = around(counts, own[rows], wanted, luck)
            corrected = self.ranks.get("purchases", EVEN).applied(counts)
            if spend is None or values is None:
                return rows, make(rows, corrected, corrected * factor, luck)
            revenue = sample_revenue(values[rows], spend, counts, spending, rng=luck)
            usual = wanted * values["expected_spend"].to_numpy()[rows]
            scale = np.divide(self.wanted.revenue[rows], usual, out=np.ones_like(usual), where=usual > 0)
            brought = self.ranks.get("revenue", EVEN).applied(revenue * scale[:, None] * factor)
            return rows, make(rows, corrected, brought, luck)

        blocks = parts(len(own), _CHUNK)
        pieces = list(zip(blocks, [rng, *rng.spawn(len(blocks))], strict=False))
        told = track(pieces, "blocks of accounts drawn")
        # Linear algebra on all cores in each of these threads would make them wait for one another.
        with one_thread():
            yield from (part for _, part in zip(told, in_order(drawn, pieces), strict=True))

    def all_draws(self, n_draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return all drawn purchases and what they bring, shape (accounts, draws).

        The mean of the company's total is exactly the wanted one: skew parameters and luck would put it a few per cent
        off.
        """
        shape = len(self.at.summary), n_draws
        precision = np.float32 if shape[0] * shape[1] >= SINGLE_FROM else np.float64
        counts, brought = np.empty(shape, precision), np.empty(shape, precision)

        def kept(rows: slice, bought: np.ndarray, money: np.ndarray, _: np.random.Generator) -> np.ndarray:
            counts[rows], brought[rows] = bought, money
            return money.mean(axis=1)

        mean = np.concatenate([means for _, means in self.draws(n_draws, rng, kept)]).sum()
        wanted = self.wanted.purchases if self.model.spend is None else self.wanted.revenue
        if mean > 0:
            brought *= wanted.sum() / mean
        return counts, brought
