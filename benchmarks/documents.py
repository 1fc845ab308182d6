"""Time all documents of the sample company in four languages, and a workbook of 100,000 accounts: `make bench`."""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import pandas as pd

from kamlab import runs
from kamlab.config import thaw
from kamlab.i18n import languages
from kamlab.reports import workbook
from kamlab.runs import documents
from kamlab.runs.building import CHAPTERS
from kamlab.runs.folder import FROZEN, MANIFEST

MANY = 100_000
TILED = ("account_table", "strategies", "labels", "segments", "schemes", "class_probabilities", "credit")


class Many:
    """A run with every account many times, as far as a workbook asks."""

    def __init__(self, run, copies):
        self.run, self.copies = run, copies
        self.config, self.period, self.read_facts = run.config, run.period, run.read_facts

    def read(self, name, *, columns=(), where=None):
        table = self.run.read(name)
        if name in TILED:
            copies = [table.assign(account=table["account"] + f"-{i}") for i in range(self.copies)]
            table = pd.concat(copies, ignore_index=True)
        for column, values in (where or {}).items():
            table = table[table[column].isin(values)].reset_index(drop=True)
        return table[list(columns)] if columns else table


def spent() -> float:
    """Return the seconds of a core that this process and those that it has ended took."""
    return sum(used.ru_utime + used.ru_stime for used in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def alone(run: Path, into: Path) -> None:
    """Write every document of a finished run once more, one after the other, and print the slowest of each kind."""
    copy = shutil.copytree(run, into)
    (copy / MANIFEST).unlink()
    notebooks = [path.stem for path in sorted((copy / "notebooks").iterdir())]
    took: dict[str, list[float]] = {}
    for paper in documents.planned(copy, thaw(copy / FROZEN), [(name, name) for name in notebooks]):
        start = time.perf_counter()
        paper.write()
        in_parts = paper.notebook.startswith(documents.PLANS)
        kind = "plans, one file and one each" if in_parts else Path(paper.label).suffix[1:]
        took.setdefault(kind, []).append(time.perf_counter() - start)
    for kind, seconds in took.items():
        print(f"{kind:<30}{len(seconds):4} {sum(seconds):8.1f} s in all, {max(seconds):6.2f} s at most")


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    begun: list[tuple[float, float]] = []

    def progress(step: str, number: int, total: int) -> None:
        if not begun and number > len(CHAPTERS):
            begun.append((time.perf_counter(), spent()))

    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        result = runs.run(out=Path(out, "reports"), languages=languages(), progress=progress)
        (wall, cpu), end = begun[0], time.perf_counter()
        files = sum(len(list((result.link / part).rglob("*.*"))) for part in documents.FOLDERS)
        print(f"chapters with the models {wall - start:8.1f} s")
        print(
            f"all documents after them {end - wall:8.1f} s by the clock, {spent() - cpu:.1f} s of a core; {files} files"
        )
        print(f"load {os.getloadavg()[0]:.1f}; written once more, one after the other:")
        alone(result.folder, Path(out, "again"))
        largest = max(p.stat().st_size for p in (result.link / "html").iterdir())
        print(f"largest page {largest / 1e3:.0f} kB")
        run = runs.open(result.link)
        many = Many(run, -(-MANY // len(run.read("account_table"))))
        start, t = time.perf_counter(), run.translator("en")
        path = Path(out, "many.xlsx")
        sheets = workbook.sheets(many, t)
        workbook.write(path, sheets, t=t, title="Many", company="Many", as_of=run.period.calibration_end)
        seconds, size = time.perf_counter() - start, path.stat().st_size / 1e6
        print(f"workbook of {len(sheets[0].rows):,} accounts: {seconds:.0f} s, {size:.0f} MB")


if __name__ == "__main__":
    main()
