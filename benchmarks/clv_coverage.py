"""Coverage of 90 % intervals on simulated companies: `python benchmarks/clv_coverage.py [companies]`.

Each company is drawn from the model at known parameters and fitted anew; counted is how often the interval of each
parameter holds its true value, and that of the company's total what then came. Of 500 companies a share of 90 % has a
standard error of 1.3 points.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from clv_models import NAMES, covered

SIZES = (200, 1000)


def main() -> None:
    companies = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"Share of {companies} companies whose 90 % interval holds the truth")
    for name in NAMES:
        for size in SIZES:
            rng = np.random.default_rng(size)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                share = pd.DataFrame([covered(name, size, rng) for _ in range(companies)]).mean()
            figures = "  ".join(f"{what} {value:6.1%}" for what, value in share.items())
            print(f"{name:12}{size:6} accounts  {figures}", flush=True)


if __name__ == "__main__":
    main()
