"""Documents side by side: what runs at once, in which order it is told, and what an error or Ctrl-C leaves behind."""

import io
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import nbformat
import pytest

from kamlab import config as settings_module
from kamlab import progress, resources
from kamlab.display import Display
from kamlab.errors import DataError
from kamlab.runs import building, crew, documents

ROOT = Path(__file__).parents[1]
PARAMETERS = 'run_dir = ""  # folder\nconfig = ""  # file\nas_of = ""  # day\nlang = "en"  # language'
TABLE = """
import pathlib, pandas as pd
tables = pathlib.Path(run_dir, "tables")
tables.mkdir(exist_ok=True)
pd.DataFrame({"account": ["A"]}).to_parquet(tables / "summary.parquet")
"""
SLOW = """
import time
from kamlab.progress import track
for _ in track(range(2), "steps"):
    time.sleep(1)
"""
MEET = """
import pathlib, time
pathlib.Path(run_dir, lang).touch()
until = time.monotonic() + 30
while len([p for p in pathlib.Path(run_dir).iterdir() if len(p.name) == 2]) < 2:
    assert time.monotonic() < until, "the other one did not begin"
    time.sleep(0.05)
"""


def written(folder, **sources):
    """Write notebooks of one cell beside their parameters."""
    for name, source in sources.items():
        cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
        cells.append(nbformat.v4.new_code_cell(source))
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / f"{name}.ipynb")


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Build a run of small notebooks: one makes the table, one is a document in two languages."""
    monkeypatch.setattr(resources, "notebooks", lambda: tmp_path)
    monkeypatch.setattr(building, "CHAPTERS", ("tables",))
    monkeypatch.setattr(building, "DOCUMENTS", {"paper": "paper"})
    monkeypatch.setattr(crew.os, "cpu_count", lambda: 2)

    def write(lang):
        return [f"written in {lang}" for _ in progress.track([lang], "files")]

    papers = [
        documents.Paper(f"paper.{lang}.pdf", f"paper.{lang}", lambda lang=lang: write(lang)) for lang in ("en", "vi")
    ]
    papers.append(documents.Paper("workbook.xlsx", "", lambda: ["a workbook"]))
    monkeypatch.setattr(documents, "planned", lambda *_: papers)
    (tmp_path / "kamlab.toml").write_text(
        '[company]\nname = "Acme"\n[source.transactions]\npath = "x.csv"\n'
        'columns = { account = "a", date = "d", amount = "n" }\n',
        "utf-8",
    )
    frozen = settings_module.Frozen(
        settings_module.load(tmp_path / "kamlab.toml"), date(2024, 12, 31), ("en", "vi"), False
    )

    def run(*, tables=TABLE, paper="1", told=None):
        written(tmp_path, tables=tables, paper=paper)
        return building.build(tmp_path / "run", frozen, None, told)

    return run


def test_as_many_documents_at_once_as_there_are_cores_but_told_in_one_order(build, tmp_path):
    told = []
    timings = build(
        tables=TABLE
        + "import time\nfrom kamlab.progress import track\nfor _ in track(range(2), 'steps'): time.sleep(1)",
        paper=MEET + "if lang == 'en': time.sleep(1)",
        told=lambda *step: told.append(step),
    )
    order = ["tables.en", "paper.en", "paper.vi", "tables.vi", "paper.en.pdf", "paper.vi.pdf", "workbook.xlsx"]
    assert list(timings) == order
    assert all(seconds > 0 for seconds in timings.values())
    assert timings["paper.en"] > timings["paper.vi"]
    log = (tmp_path / "run" / "log" / "messages.txt").read_text("utf-8")
    assert log == "written in en\nwritten in vi\na workbook\n"
    assert [number for step, number, _ in told if ":" not in step and step in order] == sorted(
        number for step, number, _ in told if ":" not in step and step in order
    )
    assert {step for step, *_ in told if ":" not in step} == set(order)
    assert ("tables.en: 0/2 steps", 1, 7) in told
    assert ("tables.en: 1/2 steps", 1, 7) in told
    assert [step for step, *_ in told if step.startswith("paper.en.pdf")] == [
        "paper.en.pdf",
        "paper.en.pdf: 0/1 files",
        "paper.en.pdf",
    ]
    # what needs no notebook, and what is ready, does not wait for the slow one
    begun = [step for step, *_ in told]
    assert begun.index("workbook.xlsx") < begun.index("paper.vi.pdf") < begun.index("paper.en.pdf")


def test_with_very_many_accounts_two_documents_are_made_at_a_time(build, monkeypatch):
    monkeypatch.setattr(building, "MANY_ACCOUNTS", 1)
    assert "paper.vi" in build(paper=MEET)


def test_with_very_many_accounts_no_more_documents_are_made_at_a_time_than_memory_holds(build, monkeypatch):
    monkeypatch.setattr(building, "MANY_ACCOUNTS", 1)
    monkeypatch.setattr(building, "MOST_AT_A_TIME", 1)
    told = []
    alone = "import pathlib, time\nfile = pathlib.Path(run_dir, 'at work')\nfile.touch(exist_ok=False)\n"
    build(paper=alone + "time.sleep(0.5)\nfile.unlink()", told=lambda *step: told.append(step))
    begun = {"tables.en", "tables.vi", "paper.en", "paper.vi", "workbook.xlsx", "paper.en.pdf", "paper.vi.pdf"}
    assert {step for step, *_ in told if ":" not in step} == begun


def test_of_several_failures_the_first_in_order_is_said(build, tmp_path):
    fail = "from kamlab.errors import DataError\nif lang == 'en': time.sleep(2)\nraise DataError(f'no {lang}')"
    with pytest.raises(DataError, match=r"^no en$"):
        build(paper="import time\n" + fail)
    assert not (tmp_path / "run" / "log" / "messages.txt").exists()


def test_a_failed_chapter_begins_no_document(build, tmp_path):
    with pytest.raises(DataError, match=r"^no table$"):
        build(tables="from kamlab.errors import DataError\nraise DataError('no table')")
    assert [p.name for p in (tmp_path / "run" / "notebooks").iterdir()] == ["tables.en.ipynb"]


STOPPED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from kamlab import cli, resources, runs
from kamlab.runs import building, documents, identity
inside, out = sys.argv[1:]
resources.notebooks = lambda: Path(inside)
identity._code_hash = lambda: "0"
building.CHAPTERS, building.DOCUMENTS = ("tables",), {"paper": "paper"}
sys.argv[1:] = ["report", "--config", inside + "/kamlab.toml", "--lang", "en,vi", "--out", out]
cli.main()
"""


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def interrupted(inside, out, pids, *, kernels):
    """Run `STOPPED`, press Ctrl-C when so many kernels have left their names in a folder; none of them goes on."""
    running = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(inside), str(out)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    try:
        until = time.monotonic() + 120
        while len(list(pids.iterdir())) < kernels:
            assert running.poll() is None, running.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    finally:
        running.kill()
    assert running.returncode == 128 + signal.SIGINT, said
    assert said.splitlines()[-1] == "kamlab: stopped; nothing was changed."
    until = time.monotonic() + 10  # a process that was killed takes a moment to be gone on a busy machine
    while left := [p.name for p in pids.iterdir() if alive(p.name)]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the kernels' processes in /proc")
def test_documents_that_are_stopped_leave_no_file_and_no_kernel(tmp_path):
    inside, pids = tmp_path / "in", tmp_path / "pids"
    inside.mkdir()
    pids.mkdir()
    written(
        inside,
        tables=TABLE,
        paper=f"import os, pathlib, time\npathlib.Path({str(pids)!r}, str(os.getpid())).touch()\ntime.sleep(300)",
    )
    (inside / "orders.csv").write_text("customer,day,net\nA,2024-12-01,1\n", "utf-8")
    (inside / "kamlab.toml").write_text(
        '[company]\nname = "Acme"\n[source.transactions]\npath = "orders.csv"\n'
        'columns = { account = "customer", date = "day", amount = "net" }\n[period]\nas_of = 2024-12-31\n',
        "utf-8",
    )
    interrupted(inside, tmp_path / "out", pids, kernels=min(2, os.cpu_count() or 1))
    assert not (tmp_path / "out").exists()


def test_pages_are_printed_without_models():
    names = sorted(p.stem for p in (ROOT / "src/kamlab/reports/sections").glob("*.py") if p.stem != "__init__")
    code = (
        "import sys, kamlab.runs, kamlab.reports.blocks\nfrom importlib import import_module\n"
        f"for name in {names}: import_module('kamlab.reports.sections.' + name)\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & "
        "{'scipy', 'sklearn', 'lifetimes', 'duckdb', 'ibis', 'pandera', 'openpyxl', 'xlsxwriter', 'holidays'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_how_far_a_step_is_and_a_log_only_that_it_begins(monkeypatch):
    steps = [("01_data", 1, 9), ("02_value", 2, 9), ("02_value: 3/12 earlier dates tried", 2, 9), ("02_value", 2, 9)]
    log, terminal = io.StringIO(), Terminal()
    for stream in (log, terminal):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("COLUMNS", "100")
        with Display() as display:
            for step in steps:
                display(*step)
                if stream is terminal:
                    display._bar.refresh()
    assert log.getvalue() == "[1/9] 01_data\n[2/9] 02_value\n"
    assert "02_value: 3/12 earlier dates tried" in terminal.getvalue()
    assert "2/9" in terminal.getvalue()


def test_a_step_tells_whoever_listens_and_a_file_that_is_named(tmp_path, monkeypatch):
    heard = []
    with progress.heard(heard.append):
        assert list(progress.track(["a", "b"], "things")) == ["a", "b"]
    assert heard == ["0/2 things", "1/2 things", ""]
    monkeypatch.setenv(progress.FILE, str(tmp_path / "told"))
    steps = progress.track(["a", "b"], "things")
    next(steps)
    assert progress.read(tmp_path / "told") == "0/2 things"
    assert list(steps) == ["b"]
    assert progress.read(tmp_path / "told") == ""
    # a folder that has gone is no reason for a step to fail
    monkeypatch.setenv(progress.FILE, str(tmp_path / "gone" / "told"))
    assert list(progress.track([1], "things")) == [1]
    assert progress.read(tmp_path / "gone" / "told") == ""
