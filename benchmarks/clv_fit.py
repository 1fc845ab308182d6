"""Time fits against lifetimes on the same rows in one run: `python benchmarks/clv_fit.py`.

Each time is the best of several, of the process alone; kamlab's includes its checks and the merging of equal rows.
"""

import sys
import time
import warnings
from pathlib import Path

import pandas as pd

from kamlab import clv, simulate

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from known_data import cdnow_summary

N_SIMULATED = 100_000


def simulated(n: int, entry_weeks: float) -> pd.DataFrame:
    """Summarise a simulated log by whole days."""
    drawn = simulate.bg_nbd(n, entry_weeks=entry_weeks, calibration_weeks=39.0 + entry_weeks)
    as_of = pd.Timestamp(drawn.as_of)
    days = drawn.log[drawn.log["date"] <= as_of].drop_duplicates(["account", "date"]).groupby("account")["date"]
    first, last = days.min(), days.max()
    table = {"frequency": days.size() - 1, "recency": (last - first).dt.days / 7, "T": (as_of - first).dt.days / 7}
    return pd.DataFrame(table).reset_index()


def best(action, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        cases = {
            "CDNOW": (cdnow_summary(), 10),
            f"{N_SIMULATED:,}, one cohort": (simulated(N_SIMULATED, 0.0), 3),
            f"{N_SIMULATED:,}, 12 weeks of cohorts": (simulated(N_SIMULATED, 12.0), 3),
        }
        pairs = {
            "BG/NBD": (lambda: clv.BGNBD(engine="kamlab"), lifetimes.BetaGeoFitter),
            "MBG/NBD": (clv.MBGNBD, lifetimes.ModifiedBetaGeoFitter),
            "Pareto/NBD": (clv.ParetoNBD, lifetimes.ParetoNBDFitter),
        }
        print(f"{'':12}{'rows':32}{'lifetimes':>12}{'kamlab':>12}{'ratio':>8}")
        for model, (ours, theirs) in pairs.items():
            for rows, (table, repeats) in cases.items():
                if model == "Pareto/NBD" and len(table) == N_SIMULATED:
                    repeats = 1
                columns = [table[name] for name in ("frequency", "recency", "T")]
                own = best(lambda ours=ours, table=table: ours().fit(table), repeats)
                other = best(lambda theirs=theirs, columns=columns: theirs().fit(*columns), min(repeats, 3))
                print(f"{model:12}{rows:32}{other * 1e3:9.1f} ms{own * 1e3:9.1f} ms{other / own:7.1f}×", flush=True)


if __name__ == "__main__":
    main()
