"""Cost of fits and forecasts by the number of accounts: `python benchmarks/clv_scale.py [--largest 10000000]`.

Simulated daily logs with 12 weeks of cohorts. Reading, checking and merging go by accounts; what follows, by distinct
histories. Rows that are merged already, one for each history with its weight, as a GROUP BY in a database makes them,
are fitted at the cost of distinct histories alone. Elasticities are ln(cost ratio) / ln(ratio of distinct histories)
from one size to the next: 1 = the cost grows as distinct histories do.
"""

import argparse
import gc
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamlab import clv
from kamlab.clv.checks import read_purchases
from kamlab.clv.histories import distinct_rows

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
MODELS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
RATE, LEAVING, LIFETIME = (0.8, 8.0), (0.7, 2.5), (0.7, 25.0)
"""Of the simulated accounts, in weeks: r and alpha; a and b; s and beta."""

COHORT_DAYS, AGE_DAYS = 84, 273
HORIZON_DAYS = 365
CHUNK = 1_000_000
MEMORY_ROWS = 1_000_000
ROUNDS = 3


def summary(n: int, *, model: str = "bg_nbd", by_day: bool = True, seed: int = 3) -> pd.DataFrame:
    """Summarise accounts that behave as a model says, by whole days, or by the instant: no two histories are alike."""
    rng = np.random.default_rng(seed)
    parts = [_histories(min(CHUNK, n - start), model, by_day, rng) for start in range(0, n, CHUNK)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    account = pc.utf8_lpad(pa.array(np.arange(n)).cast(pa.string()), 9, "0")
    table = pd.DataFrame(dict(zip(("frequency", "recency", "T"), columns, strict=True)))
    table.insert(0, "account", pd.array(account, dtype="str"))
    return table


def _histories(n: int, model: str, by_day: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rate = rng.gamma(RATE[0], 1 / (7 * RATE[1]), n)
    leaving, left = np.zeros(n), np.full(n, np.inf)
    if model == "pareto_nbd":
        left = 7 * rng.standard_exponential(n) / rng.gamma(LIFETIME[0], 1 / LIFETIME[1], n)
    else:
        leaving = rng.beta(*LEAVING, n)
        left[(rng.random(n) < leaving) & (model == "mbg_nbd")] = 0.0
    age = AGE_DAYS + (rng.integers(0, COHORT_DAYS, n) if by_day else rng.uniform(0, COHORT_DAYS, n))
    end = np.minimum(age, left)
    t, last, x = np.zeros(n), np.zeros(n), np.zeros(n)
    on = np.flatnonzero(end > 0)
    while on.size:
        t[on] += rng.standard_exponential(on.size) / np.maximum(rate[on], 1e-300)
        day = np.ceil(t[on]) if by_day else t[on]
        kept = (t[on] <= end[on]) & (day <= age[on])
        on, day = on[kept], day[kept]
        x[on] += day > last[on]
        last[on] = day
        on = on[rng.random(on.size) >= leaving[on]]
    return x, last / 7, age / 7


def timed(action) -> float:
    gc.collect()
    start = time.process_time()
    action()
    return time.process_time() - start


def grouped(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each distinct history, weighted with the accounts that share it."""
    rows = distinct_rows(read_purchases(table))
    return pd.DataFrame({"frequency": rows.x, "recency": rows.t_x, "T": rows.T, "weight": rows.weight})


def curve(largest: int) -> None:
    print("Seconds of process time, best of rounds (and elasticity by distinct histories)")
    titles = ("read and merge", "fit, merged", "fit, whole", "point forecasts", "with intervals")
    print(f"{'model':12}{'accounts':>12}{'distinct':>10}" + "".join(f"{title:>18}" for title in titles))
    for name in MODELS:
        before: tuple[int, list[float]] | None = None
        for n in (size for size in SIZES if size <= largest):
            table = summary(n, model=name)
            merged = grouped(table)
            model = clv.MODELS[name](engine="kamlab")
            actions = (
                lambda table=table: distinct_rows(read_purchases(table)),
                lambda model=model, merged=merged: model.fit(merged),
                lambda model=model, table=table: model.fit(table),
                lambda model=model, table=table: model.point_forecasts(table, HORIZON_DAYS),
                lambda model=model, table=table: model.predict(table, HORIZON_DAYS),
            )
            # Intervals cost so much that one round tells enough.
            rounds = [ROUNDS] * (len(actions) - 1) + [1]
            costs = [min(timed(action) for _ in range(times)) for times, action in zip(rounds, actions, strict=True)]
            elastic = [""] * len(costs)
            if before:
                more = np.log(len(merged) / before[0])
                elastic = [f"({np.log(cost / old) / more:.2f})" for cost, old in zip(costs, before[1], strict=True)]
            cells = "".join(f"{cost:11.3f}{of:>7}" for cost, of in zip(costs, elastic, strict=True))
            print(f"{name:12}{n:12,}{len(merged):10,}{cells}", flush=True)
            before = len(merged), costs


def against_lifetimes(n: int, repeats: int = 3) -> None:
    """Compare point forecasts of the same rows."""
    import lifetimes

    table = summary(n)
    columns = [table[name] for name in ("frequency", "recency", "T")]
    theirs = lifetimes.BetaGeoFitter()
    theirs.fit(*(column.head(20_000) for column in columns))
    model = clv.BGNBD(engine="kamlab").fit(table.head(20_000))
    pairs = []
    for _ in range(repeats):
        ours = timed(lambda: model.point_forecasts(table, HORIZON_DAYS))
        other = timed(
            lambda: (
                theirs.conditional_expected_number_of_purchases_up_to_time(HORIZON_DAYS / 7, *columns),
                theirs.conditional_probability_alive(*columns),
            )
        )
        pairs.append((other / ours, other, ours))
    ratio, other, ours = np.median(pairs, axis=0)
    print(f"Point forecasts of {n:,} accounts: lifetimes {other:.2f} s, kamlab {ours:.2f} s, {ratio:.1f}×")


def memory() -> None:
    """Print the peak memory of a process that makes the table of forecasts of a million accounts, none alike."""
    for name in MODELS:
        command = [sys.executable, __file__, "--peak", name]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="", flush=True)


def peak(name: str) -> None:
    table = summary(MEMORY_ROWS, model=name, by_day=False)
    model = clv.MODELS[name](engine="kamlab").fit(table.head(20_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    cost = timed(lambda: model.predict(table, HORIZON_DAYS))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = f"{len(table):,} different histories"
    print(f"{name}: {rows} with intervals: {cost:.0f} s, peak {after:.2f} GB ({before:.2f} before)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=1_000_000, help="accounts in the largest log")
    parser.add_argument("--peak", choices=MODELS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if options.peak:
            peak(options.peak)
            return
        curve(options.largest)
        against_lifetimes(min(options.largest, 1_000_000))
        memory()


if __name__ == "__main__":
    main()
