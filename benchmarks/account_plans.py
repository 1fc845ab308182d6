"""Time 300 account plans, one PDF of all and one each: python benchmarks/account_plans.py [RUN]."""

import argparse
import json
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook, new_output, writes

import kamlab as kl
from kamlab import plans
from kamlab.buying import product_mix
from kamlab.config import Plans
from kamlab.plans.notes import NOTHING
from kamlab.reports import export_pdf
from kamlab.reports.sections import plans as section

N = 300
READ = ("labels", "lifetime", "targets", "segments", "prospect_segments")
"""Tables that pages read beside those of plans: a draft makes them when they are first asked for, before the clock."""


class Everybody:
    """A run in which the first accounts that have bought all get a plan."""

    def __init__(self, run: kl.runs.Run) -> None:
        self._run, self.config, self.period, self.read_facts = run, run.config, run.period, run.read_facts
        self._tables: dict[str, pd.DataFrame] = {}

    def read(
        self, name: str, *, columns: Sequence[str] = (), where: Mapping[str, Collection[str]] | None = None
    ) -> pd.DataFrame:
        if name not in self._tables:
            return self._run.read(name, columns=columns, where=where)
        table = self._tables[name]
        for column, values in (where or {}).items():
            table = table[table[column].isin(values)]
        return table[list(columns)] if columns else table

    def known(self) -> plans.Known:
        run = self._run
        for name in READ:
            run.read(name)
        labels = run.read("strategies").drop(columns=["name", "owner"])
        accounts = run.read("account_table").merge(labels, on="account")
        accounts = accounts[accounts["has_bought"]].head(N).assign(plan_required=True)
        mix = product_mix(run.ledger(), run.period, accounts=run.read("membership"))
        names = ("credit", "cadence", "pipeline")
        return plans.Known(accounts, *map(run.read, names), mix, {}, NOTHING)

    def make(self, known: plans.Known) -> None:
        settings = Plans(plans_per_owner=N, without_owner=N)
        self._tables |= plans.make(known, settings, as_of=self.period.calibration_end)


@contextmanager
def timed(what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"{what:<34}{time.perf_counter() - wall:8.2f} s {time.process_time() - cpu:8.2f} s of a core", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", default="", help="folder of a finished run; a draft of the sample without it")
    run = Everybody(kl.runs.open(parser.parse_args().run, config=kl.runs.find_config()))
    known, t = run.known(), kl.i18n.Translator("en", currency=run.config.company.currency)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with timed(f"tables of {N} plans"):
            run.make(known)
        with timed("their pages"):
            shown = [*section.title_page(run, t), *section.overview(run, t), *section.plans(run, t)]
        outputs = [new_output("display_data", data=json.loads(json.dumps(b._repr_mimebundle_()))) for b in shown]
        cell = new_code_cell("x", execution_count=1, outputs=outputs)
        (folder / "06.ipynb").write_text(writes(new_notebook(cells=[cell])), "utf-8")
        with timed(f"one PDF of all and {N} of one"):
            export_pdf(
                folder / "06.ipynb", folder / "all.en.pdf", as_of=run.period.calibration_end, parts=folder / "plans"
            )
        size = sum(path.stat().st_size for path in folder.rglob("*.pdf"))
        print(f"{len(list((folder / 'plans').iterdir()))} plans, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
