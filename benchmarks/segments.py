"""Time the segments of many accounts: `python benchmarks/segments.py [accounts]`, a million by default."""

import argparse
import os
import time

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from kamlab import segments

KINDS = (
    # share, contribution, silence, growth, interval, tenure
    (0.05, 2e6, 10, 0.1, 20, 6.0),
    (0.25, 1e5, 60, -0.9, 60, 5.0),
    (0.40, 2e3, 900, -1.5, 150, 4.0),
    (0.30, 3e4, 20, 0.5, 30, 0.7),
)


def accounts(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Simulate the features of n accounts of four kinds."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(KINDS), n, p=[share for share, *_ in KINDS])
    value, silence, growth, interval, tenure = np.array([rest for _, *rest in KINDS])[kind].T
    table = pd.DataFrame(
        {
            "account": [f"A{i:07d}" for i in range(n)],
            "expected_contribution": value * rng.lognormal(0, 0.6, n),
            "silence": silence * rng.lognormal(0, 0.4, n),
            "growth": growth + rng.normal(0, 0.2, n),
            "order_interval": interval * rng.lognormal(0, 0.3, n),
            "tenure": tenure * rng.lognormal(0, 0.2, n),
            "regularity": rng.uniform(0.3, 0.9, n),
        }
    )
    return table, kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("accounts", type=int, nargs="?", default=1_000_000)
    n = parser.parse_args().accounts
    table, kind = accounts(n)
    start = time.perf_counter()
    found = segments.fit(table)
    seconds = time.perf_counter() - start
    facts, agreement = found.facts(), adjusted_rand_score(kind, found.labels["segment"])
    print(
        f"{n:,} accounts, {len(found.profile)} segments by {facts['method']}: {seconds:.1f} s on {os.cpu_count()} cores"
    )
    print(f"adjusted Rand index with the truth {agreement:.3f}; rules reproduce {facts['reproduced']:.1%}")


if __name__ == "__main__":
    main()
