"""Write the sample company: `python -m kamlab.simulate data/sample`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kamlab.simulate import SAMPLE_SEED, company, write


def main() -> None:
    """Read the arguments, simulate one company and write its files."""
    parser = argparse.ArgumentParser(
        prog="python -m kamlab.simulate", description="Write a simulated company with its truth as CSV files."
    )
    parser.add_argument("folder", type=Path, help="folder to write to; made if missing")
    parser.add_argument("--seed", type=int, default=SAMPLE_SEED, help="seed (default: the sample company's)")
    parser.add_argument("--accounts", type=int, default=600, help="number of accounts (default: 600)")
    options = parser.parse_args()
    for path in write(company(options.accounts, seed=options.seed), options.folder):
        print(f"{path.stat().st_size:>9,} bytes  {path}")


if __name__ == "__main__":
    main()
