"""A run's folder, built: chapters that make the tables one after the other, then all documents side by side."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Future
from pathlib import Path

from kamlab.config import Frozen, freeze
from kamlab.runs import documents
from kamlab.runs.crew import Progress, crew_of
from kamlab.runs.folder import FROZEN, SCRATCH
from kamlab.runs.output import hand_on

CHAPTERS = ("01_data_quality", "02_customer_value", "03_segments", "04_strategies")
"""Chapters that make the tables, in order; in the report's further languages they show what stands then."""

DOCUMENTS = {
    "05_management_report": "management-report",
    documents.PLANS: "account-plans",
    "07_period_review": "period-review",
    "08_appendix": "appendix",
}
"""Chapters that read the tables, and the documents that they are exported to, one a language."""

MANY_ACCOUNTS = 200_000
"""From here on few notebooks of documents run at a time: each holds the accounts' tables in memory."""

MOST_AT_A_TIME = 2
"""Of notebooks of documents, where accounts are many."""


def build(folder: Path, frozen: Frozen, earlier: Path | None, progress: Progress | None) -> dict[str, float]:
    """Run the chapters in a new folder and write its documents; return seconds a step, which overlap.

    As many notebooks of documents run at a time as there are cores, up to four, each core's in one kernel that is
    begun afresh for each, and what is finished is written as PDF, HTML and workbook meanwhile. Whatever comes first,
    log and timings have one order.

    Raises
    ------
    KamlabError
        What the first notebook that failed raised, in the order of the steps; all kernels have ended by then, as they
        have after an interruption.
    """
    (folder / "notebooks").mkdir(parents=True)
    (folder / "log").mkdir()
    for name in documents.FOLDERS:
        (folder / name).mkdir()
    if earlier is not None:
        hand_on(earlier, folder)
    # The chapters read what the run was started with, whatever happens to the files meanwhile.
    settings = folder / FROZEN
    freeze(frozen, settings)
    parameters = {
        "run_dir": str(folder),
        "config": str(settings),
        "as_of": frozen.as_of.isoformat(),
        "accept_stale": frozen.accept_stale,
    }
    named = DOCUMENTS | {name: name for name in CHAPTERS}
    labels = {(notebook, lang): f"{notebook}.{lang}" for notebook in named for lang in frozen.languages}
    papers = documents.planned(folder, frozen, [(label, f"{named[n]}.{lang}") for (n, lang), label in labels.items()])
    making = {(name, frozen.languages[0]): labels.pop((name, frozen.languages[0])) for name in CHAPTERS}
    order = [*making.values(), *labels.values(), *(paper.label for paper in papers)]
    with crew_of(folder, parameters, progress=progress, total=len(order)) as crew:
        for (name, lang), label in making.items():
            # Each in a kernel of its own, which gives the memory of its models back.
            crew.finish({label: crew.start(label, name, lang=lang, keep=False)})
        # The plans first, because their files take longest to write.
        first = sorted(labels, key=lambda pair: pair[0] != documents.PLANS)
        many = _accounts(folder) >= MANY_ACCOUNTS
        running: dict[str, Future[None]] = {}
        for name, lang in first:
            label = labels[name, lang]
            under_way = {one: job for one, job in running.items() if not job.done()}
            if many and len(under_way) >= MOST_AT_A_TIME:
                crew.wait(under_way)
            running[label] = crew.start(label, name, lang=lang, keep=not many)
        messages = {paper.label: crew.write(paper) for paper in papers if paper.notebook not in running}
        while running:
            for label in crew.wait(running):
                del running[label]
                messages |= {paper.label: crew.write(paper) for paper in papers if paper.notebook == label}
        timings = {label: crew.timings[label] for label in order}
    # Kernels are ended without ceremony; what their engines left goes here.
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    (folder / "log" / "timings.json").write_text(json.dumps(timings, indent=1), "utf-8")
    lines = [line for paper in papers for line in messages[paper.label]]
    (folder / "log" / "messages.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return timings


def _accounts(folder: Path) -> int:
    """Return how many accounts the tables hold."""
    import pyarrow.parquet as pq

    return pq.read_metadata(folder / "tables" / "summary.parquet").num_rows
