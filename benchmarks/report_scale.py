"""Time a whole `kamlab report` on a simulated log, chapter by chapter, with its peak of memory.

    python benchmarks/report_scale.py --lines 1_000_000 [--accounts 100_000] [--log log.parquet]

CPU seconds count every process of the run; the peak is that of its largest process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from summary_scale import AS_OF, COLUMNS

CONFIG = """[company]
name = "Scale"
currency = "EUR"

[source.transactions]
path = "{log}"
columns = {{ {columns} }}

[period]
as_of = "{as_of}"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, help="a tenth of the lines if not given")
    parser.add_argument("--log", type=Path, help="what kamlab.simulate --lines wrote; made if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.log.parent if options.log else None) as folder:
        log = options.log or Path(folder, "log.parquet")
        if options.log is None:
            accounts = ["--accounts", str(options.accounts)] if options.accounts else []
            make = [sys.executable, "-m", "kamlab.simulate", "--lines", str(options.lines), *accounts, str(log)]
            subprocess.run(make, check=True, capture_output=True)
        columns = ", ".join(f'{name} = "{column}"' for name, column in COLUMNS.items())
        config = Path(folder, "kamlab.toml")
        config.write_text(CONFIG.format(log=log.resolve().as_posix(), columns=columns, as_of=AS_OF), "utf-8")
        out = Path(folder, "reports")
        before, start = _used(), time.perf_counter()
        command = [sys.executable, "-m", "kamlab", "report", "--config", str(config), "--out", str(out)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds, cpu = time.perf_counter() - start, _used() - before
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        timings = json.loads(next(out.glob(".runs/*/log/timings.json")).read_text("utf-8"))
        for step, taken in timings.items():
            print(f"{step:<34}{taken:9.1f} s {taken / seconds:6.0%}")
        print(
            f"whole report: {seconds:.0f} s, {cpu:.0f} CPU s on {os.cpu_count()} cores, largest process {peak:.1f} GB"
        )


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
