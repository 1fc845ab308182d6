"""MBG/NBD: BG/NBD with a chance of leaving after the first purchase too, so that one-time buyers can be gone.

References
----------
.. [1] Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
   analysis, International Journal of Research in Marketing 24 (3), 201-209.
.. [2] Hoppe and Wagner (2007), Customer base analysis: the case for a central variant of the betageometric/NBD model,
   Marketing Journal of Research and Management 3 (2), 75-90.
"""

from __future__ import annotations

from kamlab.clv.beta_geometric import BetaGeometricModel


class MBGNBD(BetaGeometricModel):
    """MBG/NBD model of purchase days [1]_, [2]_.

    An account that is alive after x repeat purchases has survived x + 1 chances of leaving, so its future is that of a
    new BG/NBD customer with parameters (r + x, alpha + T, a, b + x + 1).

    Parameters
    ----------
    unit : {"week", "day"}
        Unit of the summary's `recency` and `T`, and of `alpha`.
    engine : {"kamlab"}
        What finds the optimum.
    penalizer : float
        Weight of the sum of squared parameters (times scaled to a longest T of 1), subtracted from the mean
        log-likelihood; 0 = maximum likelihood.

    Attributes
    ----------
    params_ : dict
        r, alpha, a, b. See `FittedModel` for the other attributes.
    """

    # The second one: most never leave, and a few at once.
    starts = ((0.0, -1.0, -0.5, 1.0), (-0.5, -1.5, -3.0, -2.0))
    _first = 1
