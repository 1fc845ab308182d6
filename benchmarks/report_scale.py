"""Time a whole `kamlab report` on a simulated log, chapter by chapter and table by table, with its peaks of memory.

    python benchmarks/report_scale.py --lines 1_000_000 [--accounts 100_000] [--log log.parquet]

A table's seconds are those since the one before it was written. CPU seconds count every process of the run. Peaks are
those of its largest process, and of all its processes at one time, pages that they share counted once.
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

import psutil
from summary_scale import AS_OF, COLUMNS

LEAST_SECONDS = 0.5
"""Of a table that is listed."""

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
        began = time.time()
        at_once = _watched(command)
        seconds, cpu = time.perf_counter() - start, _used() - before
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        timings = json.loads(next(out.glob(".runs/*/log/timings.json")).read_text("utf-8"))
        for step, taken in timings.items():
            print(f"{step:<34}{taken:9.1f} s {taken / seconds:6.0%}")
        written = sorted((path.stat().st_mtime, path.name) for path in out.glob(".runs/*/tables/*"))
        for (earlier, _), (at, name) in zip([(began, ""), *written], written, strict=False):
            if at - earlier >= LEAST_SECONDS:
                print(f"{name:<34}{at - earlier:9.1f} s, written after {at - began:.0f} s")
        print(
            f"whole report: {seconds:.0f} s, {cpu:.0f} CPU s on {os.cpu_count()} cores, largest process {peak:.1f} GB, "
            f"all processes at once {at_once:.1f} GB"
        )


def _watched(command: list[str]) -> float:
    """Run a command; return the most memory that its processes held at one time, in GB."""
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        known = psutil.Process(process.pid)
        while process.poll() is None:
            most = max(most, sum(_held(one) for one in (known, *_children(known))))
            time.sleep(1.0)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return most / 1e9


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _held(process: psutil.Process) -> int:
    """Return a process's own memory and its part of what it shares (Linux), in bytes; 0 where it has just ended."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
