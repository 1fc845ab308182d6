"""Time the playbook on many accounts: `python benchmarks/playbook.py [accounts]`, a million by default."""

import argparse
import os
import time

import numpy as np
import pandas as pd

from kamlab import terms
from kamlab.strategies import assign_all, load_playbook

UPPER_CUT = 2e6


def accounts(n: int, seed: int = 0) -> pd.DataFrame:
    """Draw account tables whose every number is the account's own; one in twenty accounts is a prospect."""
    rng = np.random.default_rng(seed)
    contribution = rng.lognormal(12, 1.5, n)
    levels = np.array(terms.LEVELS)
    table = pd.DataFrame(
        {
            "account": [f"A{i:07d}" for i in range(n)],
            "has_bought": rng.random(n) < 0.95,
            "p_alive": rng.random(n),
            "trailing_revenue": contribution * 6,
            "peak_revenue": contribution * 7,
            "prior_peak_revenue": contribution * rng.uniform(3, 9, n),
            "purchase_days": rng.integers(1, 60, n).astype(float),
            "trailing_purchase_days": rng.integers(0, 20, n).astype(float),
            "days_known": rng.integers(10, 2000, n).astype(float),
            "days_since_last": rng.integers(0, 600, n).astype(float),
            "longest_gap": rng.integers(10, 400, n).astype(float),
            "expected_contribution": contribution,
            "margin_rate": rng.uniform(0, 0.3, n),
            "p_negative": rng.random(n) ** 4,
            "potential_revenue": contribution * 12,
            "potential_source": rng.choice(terms.POTENTIAL_SOURCES, n),
            "wallet_share": rng.random(n),
            "growth_lower": rng.normal(-0.1, 0.2, n),
            "volume_90": contribution * 1.5,
            "abc_004": rng.choice(terms.ABC, n),
            "credit_002": rng.choice(terms.CREDIT_CLASSES, n),
            "contribution_class": levels[np.searchsorted([3e5, UPPER_CUT], contribution)],
            "potential_class": rng.choice(levels, n),
        }
    )
    history = ["p_alive", "trailing_revenue", "peak_revenue", "expected_contribution", "wallet_share", "purchase_days"]
    table.loc[~table["has_bought"], history] = np.nan
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("accounts", type=int, nargs="?", default=1_000_000)
    n = parser.parse_args().accounts
    table = accounts(n)
    chances = pd.DataFrame({"account": table["account"], "Low": 0.3, "Mid": 0.4, "High": 0.3})
    load_playbook()
    before, start = os.times(), time.perf_counter()
    labels = assign_all(table, contribution_cut_high=UPPER_CUT, class_probabilities=chances)
    seconds, after = time.perf_counter() - start, os.times()
    print(
        f"{n:,} accounts, {labels['scheme'].nunique()} schemes, {len(labels):,} labels with rule, inputs and "
        f"probability: {seconds:.1f} s on {os.cpu_count()} cores; {after.user - before.user:.1f} s of work and "
        f"{after.system - before.system:.1f} s of the system's for memory"
    )


if __name__ == "__main__":
    main()
