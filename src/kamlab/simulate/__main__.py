"""Write the sample company, `python -m kamlab.simulate data/sample`, or a large log with `--lines 10_000_000`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kamlab.simulate import SAMPLE_SEED, company, order_lines, write


def main() -> None:
    """Read the arguments, simulate one company and write its files."""
    parser = argparse.ArgumentParser(
        prog="python -m kamlab.simulate", description="Write a simulated company with its truth as CSV files."
    )
    parser.add_argument("path", type=Path, help="folder to write to, made if missing; with --lines a Parquet file")
    parser.add_argument("--seed", type=int, default=SAMPLE_SEED, help="seed (default: the sample company's)")
    parser.add_argument("--accounts", type=int, help="number of accounts (default: 600; with --lines a tenth of them)")
    parser.add_argument("--lines", type=int, help="write a log of about this many order lines, and nothing else")
    options = parser.parse_args()
    if options.lines is not None:
        written = order_lines(options.lines, options.path, accounts=options.accounts, seed=options.seed)
        print(f"{written:,} lines  {options.path.stat().st_size:,} bytes  {options.path}")
        return
    for path in write(company(options.accounts or 600, seed=options.seed), options.path):
        print(f"{path.stat().st_size:>9,} bytes  {path}")


if __name__ == "__main__":
    main()
