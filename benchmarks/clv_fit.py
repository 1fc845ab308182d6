"""Time fits against lifetimes, and clvkit where it is installed, on the same rows: `python benchmarks/clv_fit.py`.

Times are of the process alone. In each of several rounds both libraries fit in turn, kamlab several times because it is
soon done; a round's ratio is that of their best times in it. clvkit stands on CDNOW alone, because
it takes half a minute for 100,000 accounts. kamlab's time includes its checks, the merging of equal rows, the limiting
cases, standard errors and the check of convergence.
"""

import argparse
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from kamlab import clv, simulate

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from known_data import cdnow_summary

N_SIMULATED = 100_000
ROUNDS = 15
OWN_REPEATS = {"CDNOW": 20}


def simulated(n: int, entry_weeks: float) -> pd.DataFrame:
    """Summarise a simulated log by whole days."""
    drawn = simulate.bg_nbd(n, entry_weeks=entry_weeks, calibration_weeks=39.0 + entry_weeks)
    as_of = pd.Timestamp(drawn.as_of)
    days = drawn.log[drawn.log["date"] <= as_of].drop_duplicates(["account", "date"]).groupby("account")["date"]
    first, last = days.min(), days.max()
    table = {"frequency": days.size() - 1, "recency": (last - first).dt.days / 7, "T": (as_of - first).dt.days / 7}
    return pd.DataFrame(table).reset_index()


def with_order_values(table: pd.DataFrame) -> pd.DataFrame:
    """Add mean order values in cents, as the Gamma-Gamma model draws them."""
    rng = np.random.default_rng(7)
    x = table["frequency"].to_numpy()
    level = rng.gamma(3.7, 1 / 15.4, len(x))
    value = rng.gamma(6.2 * np.maximum(x, 1)) / level / np.maximum(x, 1)
    return table.assign(monetary_value=np.where(x > 0, np.maximum(value.round(2), 0.01), 0.0))


def timed(action, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def compare(title: str, own, own_repeats: int, others: dict) -> None:
    own()
    for library, other in others.items():
        rounds = ROUNDS if timed(other, 1) < 3 else 1
        pairs = np.array([(timed(other, 1), timed(own, own_repeats)) for _ in range(rounds)])
        ratios = pairs[:, 0] / pairs[:, 1]
        theirs, ours = pairs.min(axis=0) * 1e3
        print(
            f"{title:50}{library:10}{theirs:10.1f} ms{ours:9.2f} ms{np.median(ratios):8.1f}×"
            f"  ({ratios.min():.1f} to {ratios.max():.1f})",
            flush=True,
        )


def lifetimes_fits(model: str, table: pd.DataFrame) -> dict:
    import lifetimes

    fitter = {
        "BG/NBD": lifetimes.BetaGeoFitter,
        "MBG/NBD": lifetimes.ModifiedBetaGeoFitter,
        "Pareto/NBD": lifetimes.ParetoNBDFitter,
        "Gamma-Gamma": lifetimes.GammaGammaFitter,
    }[model]
    if model == "Gamma-Gamma":
        repeat = table[table["frequency"] > 0]
        return {"lifetimes": lambda: fitter().fit(repeat["frequency"], repeat["monetary_value"])}
    columns = [table[name] for name in ("frequency", "recency", "T")]
    return {"lifetimes": lambda: fitter().fit(*columns)}


def clvkit_fits(model: str, table: pd.DataFrame) -> dict:
    if find_spec("clvkit") is None or model == "Pareto/NBD" or len(table) == N_SIMULATED:
        return {}
    from clvkit.clv import BGNBD, MBGNBD, GammaGamma
    from clvkit.customer_base import CustomerBase

    fitter = {"BG/NBD": BGNBD, "MBG/NBD": MBGNBD, "Gamma-Gamma": GammaGamma}[model]
    data = table.set_index("account")[["frequency", "recency", "T", "monetary_value"]]
    end = pd.Timestamp("2020-01-01")
    base = CustomerBase(data, time_unit="W", observation_period_end=end, has_monetary=True, on_negative="raise")
    return {"clvkit": lambda: fitter().fit(base)}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = {
            "CDNOW": cdnow_summary(),
            f"{N_SIMULATED:,}, one cohort": with_order_values(simulated(N_SIMULATED, 0.0)),
            f"{N_SIMULATED:,}, 12 weeks of cohorts": with_order_values(simulated(N_SIMULATED, 12.0)),
        }
        models = {
            "BG/NBD": lambda: clv.BGNBD(engine="kamlab"),
            "MBG/NBD": clv.MBGNBD,
            "Pareto/NBD": clv.ParetoNBD,
            "Gamma-Gamma": lambda: clv.GammaGamma(engine="kamlab"),
        }
        if find_spec("clvkit") is None:
            print("clvkit cannot be imported here, so it is left out.")
        print(f"{'':50}{'against':10}{'theirs':>13}{'kamlab':>12}{'ratio':>9}  (range over rounds)")
        for model, ours in models.items():
            for rows, table in cases.items():
                others = lifetimes_fits(model, table) | clvkit_fits(model, table)
                repeats = OWN_REPEATS.get(rows, 5)
                compare(f"{model}, {rows}", lambda ours=ours, table=table: ours().fit(table), repeats, others)


if __name__ == "__main__":
    main()
