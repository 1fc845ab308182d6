"""BG/NBD: purchases by a gamma-Poisson process, and a beta-distributed chance of leaving after each purchase.

References
----------
.. [1] Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model,
   Marketing Science 24 (2), 275-284.
.. [2] Fader and Hardie (2007), Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models,
   brucehardie.com/notes/019.
.. [3] Fader, Hardie and Lee (2008), Computing P(alive) using the BG/NBD model, brucehardie.com/notes/021.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kamlab.clv import lifetimes_engine
from kamlab.clv.beta_geometric import BetaGeometricModel
from kamlab.clv.covariates import CovariateModel
from kamlab.clv.histories import Histories
from kamlab.clv.notes import NOTE_ONE_TIME


class BGNBD(CovariateModel, BetaGeometricModel):
    """BG/NBD model of purchase days [1]_.

    The expected purchases of an account are its equation (10), those of a new customer its equation (9); P(alive) is
    the share of staying in the likelihood, its equation (6) [3]_.

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha`.
    engine : {"lifetimes", "kamlab"}
        What finds the optimum; kamlab sharpens that of lifetimes, and takes over where lifetimes fails.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.
    transaction_covariates, dropout_covariates : sequence of str
        Columns of the summary that move the rate of buying and the chance of leaving, see `CovariateModel`: an account
        has alpha · exp(−γ₁'z), a · exp(γ₂'z) and b · exp(γ₃'z) [2]_.
    effect_penalizer : float
        Weight of the sum of squared effects, subtracted from the mean log-likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha, a, b, and effects γ₁ as transaction[…], γ₂ as dropout_a[…], γ₃ as dropout_b[…]. See `FittedModel` for
        the other attributes.
    covariates_ : dict
        How each covariate is coded.

    Examples
    --------
    >>> model = BGNBD().fit(summary)  # doctest: +SKIP
    >>> model.predict(summary, horizon_days=365)  # doctest: +SKIP
    """

    engines = ("lifetimes", "kamlab")
    reach = (
        ("transaction", "transaction", "alpha", -1),
        ("dropout", "dropout_a", "a", 1),
        ("dropout", "dropout_b", "b", 1),
    )

    def __init__(
        self,
        *,
        unit: str = "week",
        engine: str = "lifetimes",
        penalizer: float = 0.0,
        transaction_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        effect_penalizer: float = 0.0,
    ) -> None:
        super().__init__(
            unit=unit,
            engine=engine,
            penalizer=penalizer,
            transaction_covariates=transaction_covariates,
            dropout_covariates=dropout_covariates,
            effect_penalizer=effect_penalizer,
        )

    def _ask_engine(self, rows: Histories) -> np.ndarray | None:
        return lifetimes_engine.fit_bg_nbd(*rows[:4], penalizer=self.penalizer)

    def _remarks(self, rows: Histories) -> tuple[str, ...]:
        return (NOTE_ONE_TIME,) if (rows.x == 0).any() else ()
