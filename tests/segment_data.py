"""Companies with known segments and without any, for the tests of segments."""

from functools import cache

import numpy as np
import pandas as pd

from kamlab import segments

GROUPS = {
    # accounts, contribution, silence, growth, interval, regularity, tenure
    "key": (40, 2e6, 10, 0.0, 20, 0.8, 6.0),
    "fading": (80, 1e5, 60, -0.9, 60, 0.5, 5.0),
    "lost": (120, 2e3, 900, -1.5, 150, 0.5, 4.0),
}


def company(seed=0, groups=GROUPS):
    """Accounts in separated groups, in shuffled order."""
    rng = np.random.default_rng(seed)
    parts = []
    for truth, (n, value, silence, growth, interval, regularity, tenure) in groups.items():
        parts.append(
            pd.DataFrame(
                {
                    "expected_contribution": value * rng.lognormal(0, 0.3, n),
                    "silence": silence * rng.lognormal(0, 0.3, n),
                    "growth": growth + rng.normal(0, 0.15, n),
                    "order_interval": interval * rng.lognormal(0, 0.2, n),
                    "regularity": np.clip(regularity + rng.normal(0, 0.05, n), 0.05, 1),
                    "tenure": tenure + rng.normal(0, 0.4, n),
                    "breadth": 3.0,
                    "truth": truth,
                }
            )
        )
    table = pd.concat(parts).sample(frac=1, random_state=seed).reset_index(drop=True)
    table.insert(0, "account", [f"A{i:04d}" for i in range(len(table))])
    return table.drop(columns="truth"), table["truth"].to_numpy()


@cache
def fitted():
    """The segments of `company()`, found once for several tests."""
    return segments.fit(company()[0])


def structureless(seed, n=250):
    """One cloud: every feature depends on size and activity, without any gap."""
    rng = np.random.default_rng(seed)
    size, activity, noise = rng.normal(size=(3, n))
    return pd.DataFrame(
        {
            "account": [f"A{i:04d}" for i in range(n)],
            "expected_contribution": np.exp(10 + 1.2 * size + 0.4 * activity),
            "silence": np.exp(3.5 - activity),
            "order_interval": np.exp(4 - 0.7 * activity + 0.3 * noise),
            "growth": 0.3 * rng.normal(size=n),
            "tenure": 4 + rng.normal(size=n),
        }
    )


def tilted(seed, n=200):
    """Four kinds whose numbers hang together within a kind, in each kind otherwise: clouds of any slant."""
    rng = np.random.default_rng(seed)
    # log value, log silence, growth, log interval, tenure
    centres = np.array([[12, 2, 0, 3, 8], [9, 3.5, 0.3, 4.5, 1], [9, 6, -0.8, 4.5, 6], [6.5, 4.5, 0, 5.2, 4]])
    truth = rng.choice(4, n, p=[0.15, 0.3, 0.25, 0.3])
    spread = rng.normal(size=(n, 5))
    for kind in range(4):
        slant = np.linalg.qr(rng.normal(size=(5, 5)))[0]
        spread[truth == kind] = spread[truth == kind] * rng.uniform(0.6, 1.2, 5) @ slant
    return _accounts(centres[truth] + spread * [0.5, 0.4, 0.2, 0.35, 0.8]), truth


def lopsided(seed, n=200):
    """Three kinds with long tails to one side, even on the scales that they are compared on."""
    rng = np.random.default_rng(seed)
    centres = np.array([[12, 2, 0, 3, 8], [8, 4, -0.6, 4.6, 4], [6, 6.2, 0, 5.2, 1.5]])
    truth = rng.choice(3, n, p=[0.2, 0.4, 0.4])
    tails = (rng.gamma(3, size=(n, 5)) - 3) / 3**0.5
    return _accounts(centres[truth] + tails * [0.5, 0.4, 0.25, 0.3, 0.7]), truth


def _accounts(x):
    return pd.DataFrame(
        {
            "account": [f"A{i:04d}" for i in range(len(x))],
            "expected_contribution": np.exp(x[:, 0]),
            "silence": np.exp(x[:, 1]),
            "growth": x[:, 2],
            "order_interval": np.exp(x[:, 3]),
            "tenure": np.maximum(x[:, 4], 0.05),
        }
    )
