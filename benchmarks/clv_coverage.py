"""Coverage on simulated companies: `python benchmarks/clv_coverage.py coverage.jsonl [--companies 400]`.

Each company is drawn from a model at known parameters, with a seed of its own, and fitted anew. Counted is how often
the 90 % interval of each parameter holds its true value, and that of the company's total what then came; of its
accounts, in how many companies the randomised PIT of what came passes for uniform (Kolmogorov-Smirnov p > .01), and
which share of what came fell into their 90 % intervals. What is counted is kept in the file: a run may be broken off
and gone on with. `--models pareto_nbd --truth 0.8 8 2 20` counts one model at other parameters.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kstest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from clv_models import NAMES, REGULARITY, SPEND_NAMES, TRUTH, any_company, futures, new

N_DRAWS = 400


def counted(name: str, size: int, rng: np.random.Generator) -> dict:
    """Count for one company of the model."""
    rows = any_company(name, size, rng)
    model = new(name)
    if name in REGULARITY:
        model.set_params(k=REGULARITY[name])
    model.fit(rows)
    ends, truth = model.parameter_intervals(), np.array(TRUTH[name])
    inside = dict(zip(model.params_, (ends["lower"].le(truth) & ends["upper"].ge(truth)).tolist(), strict=True))
    if name in SPEND_NAMES:
        rows = rows[rows["frequency"] > 0]
    elif name == "sbg":
        rows = rows[rows["active"].astype(bool)]
    drawn, came = futures(model, rows, N_DRAWS, rng), rows["came"].to_numpy(dtype=float)
    lower, upper = np.quantile(drawn.sum(axis=0), [0.05, 0.95])
    below, upto = (drawn < came[:, None]).mean(axis=1), (drawn <= came[:, None]).mean(axis=1)
    pit = below + rng.random(len(came)) * np.maximum(upto - below, 1 / N_DRAWS)
    method = "linear" if name in SPEND_NAMES else "inverted_cdf"
    least, most = np.quantile(drawn, [0.05, 0.95], axis=1, method=method)
    return {
        "parameters": inside,
        "total": bool(lower <= came.sum() <= upper),
        "uniform": bool(kstest(pit, "uniform").pvalue > 0.01),
        "accounts": float(((came >= least) & (came <= most)).mean()),
    }


def printed(lines: list[dict]) -> None:
    """Print a line for each model, shares in per cent with their standard errors."""
    for name, part in pd.DataFrame(lines).groupby("model", sort=False):
        parameters = pd.DataFrame(part["parameters"].tolist())
        shares = parameters.assign(total=part["total"].to_numpy(), uniform=part["uniform"].to_numpy()).mean()
        errors = 100 * np.sqrt(shares * (1 - shares) / len(part))
        cells = "  ".join(f"{what} {100 * share:.1f} ± {errors[what]:.1f}" for what, share in shares.items())
        print(f"{name:17}{len(part):5} companies  {cells}  accounts {100 * part['accounts'].mean():.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="where what is counted is kept")
    parser.add_argument("--companies", type=int, default=400)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--models", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--truth", nargs="+", type=float, help="true parameters of the one model named")
    options = parser.parse_args()
    if options.truth:
        if len(options.models) != 1 or len(options.truth) != len(TRUTH[options.models[0]]):
            parser.error("--truth takes the parameters of one model, which --models names")
        TRUTH[options.models[0]] = tuple(options.truth)
    lines = [json.loads(line) for line in options.file.open()] if options.file.exists() else []
    asked = [
        {
            "model": name,
            "truth": list(TRUTH[name]),
            "accounts_each": options.accounts,
            "seed": options.seed,
            "company": company,
        }
        for name in options.models
        for company in range(options.companies)
    ]
    done = [{key: line.get(key) for key in asked[0]} for line in lines]
    with options.file.open("a") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in asked:
            if one in done:
                continue
            name, size = one["model"], one["accounts_each"]
            rng = np.random.default_rng([one["seed"], size, NAMES.index(name), one["company"]])
            lines.append(one | counted(name, size, rng))
            print(json.dumps(lines[-1]), file=file, flush=True)
    printed([line for line in lines if {key: line.get(key) for key in asked[0]} in asked])


if __name__ == "__main__":
    main()
