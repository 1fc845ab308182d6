"""Divisions of points into groups: four methods, how stable and clear a division is, and what chance would reach."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import softmax
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import PowerTransformer

from kamlab.threads import in_order

METHODS = ("kmeans", "ward", "diagonal", "full")
"""k-means, agglomerative (Ward), and Gaussian mixtures with diagonal and with full covariances, simplest first."""
MIXTURES = ("diagonal", "full")

LARGEST_WARD = 1000
"""Points that the agglomerative method is tried on: its distances grow with their square."""
STARTS, QUICK_STARTS = 10, 3
FLOOR = 0.01
"""Least variance of a mixture's component along any axis, in squared units of the scaled features."""

RESAMPLES, RESAMPLE_SHARE, LARGEST_RESAMPLE = 20, 0.8, 1000
LOOKS, HOPELESS = (5, 10), 0.7
"""After so many resamples a mean under this decides."""
NULL_DRAWS, LARGEST_NULL = 10, 500
LARGEST_INDEX = 1000
"""Points that a mean silhouette is taken of."""
TOGETHER = 5000
"""Points whose distances to others are held in memory at a time."""


class Division(Protocol):
    """A division that any point can be put into."""

    def probabilities(self, z: np.ndarray) -> np.ndarray:
        """Return each point's probability of belonging to each group, shape (points, groups)."""


@dataclass(frozen=True)
class Centres:
    """Groups around centres, equally wide in all directions: k-means, and Ward's method once its groups are known.

    Attributes
    ----------
    centres : ndarray of shape (groups, features)
    variance : float
        Mean squared distance to the own centre, a feature.
    """

    centres: np.ndarray
    variance: float

    def probabilities(self, z: np.ndarray) -> np.ndarray:
        """Return p_ij ∝ exp(−|z_i − c_j|² / 2σ²): the posterior of equally likely spheres of the pooled variance σ²."""
        squared = ((z**2).sum(axis=1)[:, None] - 2 * z @ self.centres.T + (self.centres**2).sum(axis=1)[None, :]) / 2
        return softmax(-squared / max(self.variance, FLOOR), axis=1)


@dataclass(frozen=True)
class Mixture:
    """Normal components of any width; see `sklearn.mixture.GaussianMixture`."""

    model: GaussianMixture

    def probabilities(self, z: np.ndarray) -> np.ndarray:
        """Return the components' posterior probabilities."""
        return self.model.predict_proba(z)


def labels(division: Division, z: np.ndarray) -> np.ndarray:
    """Return each point's most likely group."""
    return division.probabilities(z).argmax(axis=1)


def divide(z: np.ndarray, method: str, k: int, *, seed: int, starts: int = STARTS) -> Division:
    """Divide points into k groups.

    Parameters
    ----------
    z : ndarray of shape (points, features)
    method : str
        One of `METHODS`.
    k, seed, starts : int
        Of `starts` starts of k-means the best counts; a mixture begins at its groups.
    """
    with warnings.catch_warnings():
        # fewer different points than groups, or a mixture that creeps: tiny or unstable, and not eligible
        warnings.simplefilter("ignore", ConvergenceWarning)
        if method == "ward":
            return _centres(z, AgglomerativeClustering(k, linkage="ward").fit_predict(z))
        if method in MIXTURES:
            return _mixture(z, method, k, seed, starts)
        return _centres(z, _k_means(z, k, seed, starts))


def _k_means(z: np.ndarray, k: int, seed: int, starts: int) -> np.ndarray:
    return KMeans(k, n_init=starts, random_state=seed).fit(z).labels_


def _mixture(z: np.ndarray, method: str, k: int, seed: int, starts: int) -> Mixture:
    """Fit a mixture from the groups of k-means, on the axes as they are or made equally long, whichever is likelier."""
    size, axes = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)[1:]
    round_cloud = (z - z.mean(axis=0)) @ axes.T / np.maximum(size / np.sqrt(len(z)), np.sqrt(FLOOR))
    begins = [_Begin.at(z, _k_means(points, k, seed, starts), method) for points in (z, round_cloud)]
    begin = max(begins, key=lambda b: b.likelihood)
    model = GaussianMixture(
        len(begin.weights),
        covariance_type="diag" if method == "diagonal" else "full",
        reg_covar=FLOOR,
        weights_init=begin.weights,
        means_init=begin.means,
        precisions_init=begin.precisions,
        random_state=0,
    )
    return Mixture(model.fit(z))


@dataclass(frozen=True)
class _Begin:
    """Components that are each one group's own normal distribution, and how likely the groups are under them."""

    weights: np.ndarray
    means: np.ndarray
    precisions: np.ndarray
    likelihood: float

    @classmethod
    def at(cls, z: np.ndarray, groups: np.ndarray, method: str) -> _Begin:
        found, sizes = np.unique(groups, return_counts=True)
        d = z.shape[1]
        spreads = np.stack([np.cov(z[groups == g], rowvar=False, ddof=0).reshape(d, d) for g in found])
        spreads += FLOOR * np.eye(d)
        weights = sizes / len(z)
        if method == "diagonal":
            variances = np.diagonal(spreads, axis1=1, axis2=2)
            precisions, volumes = 1 / variances, np.log(variances).sum(axis=1)
        else:
            precisions, volumes = np.linalg.inv(spreads), np.linalg.slogdet(spreads)[1]
        means = np.stack([z[groups == g].mean(axis=0) for g in found])
        return cls(weights, means, precisions, float((weights * (np.log(weights) - volumes / 2)).sum()))


def _centres(z: np.ndarray, groups: np.ndarray) -> Centres:
    found = np.unique(groups)
    centres = np.stack([z[groups == g].mean(axis=0) for g in found])
    within = z - centres[np.searchsorted(found, groups)]
    return Centres(centres, float((within**2).mean()))


def bic(division: Division, z: np.ndarray) -> float:
    """Return a mixture's Bayesian information criterion; missing for other divisions, which have no likelihood."""
    return float(division.model.bic(z)) if isinstance(division, Mixture) else float("nan")


def stability(z: np.ndarray, method: str, k: int, groups: np.ndarray, *, seed: int) -> float:
    """Return the mean adjusted Rand index [1]_ of a division with divisions of 20 subsamples of 80 % of the points.

    Where the first five or ten agree in less than 0.7, they decide.

    References
    ----------
    .. [1] L. Hubert, P. Arabie (1985), Comparing partitions, Journal of Classification 2, equation (5).
    """
    rng = np.random.default_rng(seed)
    size = min(int(RESAMPLE_SHARE * len(z)), LARGEST_RESAMPLE)
    found: list[float] = []
    for turn in range(RESAMPLES):
        part = z[rng.choice(len(z), size, replace=False)]
        again = labels(divide(part, method, k, seed=seed + turn, starts=QUICK_STARTS), z)
        found.append(adjusted_rand_score(groups, again))
        if len(found) in LOOKS and np.mean(found) < HOPELESS:
            break
    return float(np.mean(found))


def clarity(z: np.ndarray, groups: np.ndarray, method: str) -> float:
    """Return the mean silhouette [1]_ of up to 1,000 points; −1 where there is one group only, or as many as points.

    For a mixture, distances are in units of the groups' own pooled spread, because its groups may be long and thin.

    References
    ----------
    .. [1] P. Rousseeuw (1987), Silhouettes, J. Computational and Applied Mathematics 20, section 2.
    """
    step = -(-len(z) // LARGEST_INDEX)
    z, groups = z[::step], groups[::step]
    different = np.unique(groups)
    if not 1 < len(different) < len(z):
        return -1.0
    if method in MIXTURES:
        within = z - np.stack([z[groups == g].mean(axis=0) for g in different])[np.searchsorted(different, groups)]
        spread = within.T @ within / len(z) + FLOOR * np.eye(z.shape[1])
        if method == "diagonal":
            spread = np.diag(np.diag(spread))
        z = np.linalg.solve(np.linalg.cholesky(spread), z.T).T
    return float(silhouette_score(z, groups))


def structureless(z: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw data without groups, else like `z`: clouds as skewed [1]_ and correlated [2]_, and boxes [3]_.

    Returns
    -------
    list of ndarray of shape (up to 500, features)
        In turn, 10 normal clouds with the covariance of `z` once it is made symmetric, bent back to its skewness, and
        10 uniform boxes as wide as `z` along its principal axes.

    References
    ----------
    .. [1] I. Yeo, R. Johnson (2000), A new family of power transformations, Biometrika 87, section 2.
    .. [2] Y. Liu, D. Hayes, A. Nobel, J. Marron (2008), Statistical significance of clustering, JASA 103, section 2.
    .. [3] R. Tibshirani, G. Walther, T. Hastie (2001), Gap statistic, JRSS B 63, section 3, reference (b).
    """
    z = z[rng.choice(len(z), min(len(z), LARGEST_NULL), replace=False)]
    bend = PowerTransformer(method="yeo-johnson").fit(z)
    straight = bend.transform(z)
    low, high = straight.min(axis=0), straight.max(axis=0)
    spread = np.atleast_2d(np.cov(straight, rowvar=False))
    centred = z - z.mean(axis=0)
    axes = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    draws = []
    for _ in range(NULL_DRAWS):
        drawn = rng.multivariate_normal(straight.mean(axis=0), spread, size=len(z), method="svd")
        draws.append(bend.inverse_transform(np.clip(drawn, low, high)))
        draws.append(rng.uniform(axes.min(axis=0), axes.max(axis=0), size=axes.shape))
    return draws


def chance(draws: list[np.ndarray], method: str, k: int, *, enough: float, seed: int) -> float:
    """Return the highest clarity that a method reaches in data without groups; past `enough` the search ends."""
    highest = -1.0
    for draw in draws:
        groups = labels(divide(draw, method, k, seed=seed, starts=QUICK_STARTS), draw)
        highest = max(highest, clarity(draw, groups, method))
        if highest > enough:
            break
    return highest


def silhouettes(z: np.ndarray, groups: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the silhouette of each point against the points in `rows`; 0 for a point alone in its group."""
    k = groups.max() + 1
    members = np.eye(k)[groups[rows]]
    parts = [slice(start, start + TOGETHER) for start in range(0, len(z), TOGETHER)]
    sums = np.vstack(list(in_order(lambda part: pairwise_distances(z[part], z[rows]) @ members, parts)))
    sizes = np.repeat(members.sum(axis=0)[None, :], len(z), axis=0)
    everyone = np.arange(len(z))
    sizes[rows, groups[rows]] -= 1  # the distance to itself is in the sum, but it is no neighbour
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / sizes
        own = mean[everyone, groups].copy()
        mean[everyone, groups] = np.inf
        other = np.fmin.reduce(mean, axis=1)  # past groups that are empty
        return np.nan_to_num((other - own) / np.maximum(own, other))
