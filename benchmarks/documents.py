"""Time all documents of the sample company in four languages, and a workbook of 100,000 accounts: `make bench`."""

import os
import tempfile
import time
from pathlib import Path

import pandas as pd

from kamlab import runs
from kamlab.i18n import languages
from kamlab.reports import workbook
from kamlab.runs.building import CHAPTERS

MANY = 100_000
TILED = ("account_table", "strategies", "labels", "segments", "schemes", "class_probabilities", "credit")


class Many:
    """A run with every account many times, as far as a workbook asks."""

    def __init__(self, run, copies):
        self.run, self.copies = run, copies
        self.config, self.period, self.read_facts = run.config, run.period, run.read_facts

    def read(self, name):
        table = self.run.read(name)
        if name not in TILED:
            return table
        copies = [table.assign(account=table["account"] + f"-{i}") for i in range(self.copies)]
        return pd.concat(copies, ignore_index=True)


def main() -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as out:
        result = runs.run(out=out, languages=languages())
        groups = {".pdf": [], ".html": [], ".xlsx": [], "": []}
        for step, seconds in result.timings.items():
            if step not in CHAPTERS:
                groups[Path(step).suffix if Path(step).suffix in groups else ""].append(seconds)
        for suffix, name in (("", "notebooks"), (".pdf", "PDF"), (".html", "HTML"), (".xlsx", "workbooks")):
            found = groups[suffix]
            print(f"{name:<12}{len(found):4} {sum(found):8.1f} s in all, {max(found):6.2f} s at most")
        print(f"{'documents':<12}{'':4} {sum(map(sum, groups.values())):8.1f} s in all, after the models")
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
