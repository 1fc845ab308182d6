"""Ctrl-C at any moment of `kamlab report`: a finished run or none, never a half, and the next run works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_building import interrupted, written
from test_runs import TOML

from kamlab.runs import output

ROOT = Path(__file__).parents[1]
PLACES = 20
# The chapters are replaced by a step that writes tables as chapters do. Everything is imported and run once; then the
# signal comes after so many calls of functions, in each trial after more of them.
TRIALS = """
import gc, json, os, signal, sys, tempfile
from pathlib import Path
import pandas as pd
import kamlab.runs
from kamlab.cli import main
from kamlab.runs import runner, identity
from kamlab.resources import replacing

folder, n = Path(sys.argv[1]), int(sys.argv[2])
out = folder / "out"
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["kamlab", "report", "--config", str(folder / "kamlab.toml"), "--out", str(out)]
identity._code_hash = lambda: "0"
calls = made = 0

def build(building, frozen, earlier, progress):
    for part in ("tables", "pdf", "html", "notebooks", "log"):
        (building / part).mkdir(parents=True)
    for name in ("summary", "forecast"):
        with replacing(building / "tables" / f"{name}.parquet") as path:
            pd.DataFrame({"account": ["A"], "trial": [made]}).to_parquet(path)
    if made == 1:
        signal.raise_signal(signal.SIGINT)
    return {}

runner.build = build
run = kamlab.runs.run
stop_at = 0

def count(*_):
    global calls
    calls += 1
    if calls == stop_at:
        signal.raise_signal(signal.SIGINT)

def counted(*args, **options):
    sys.setprofile(count)
    try:
        return run(*args, **options)
    finally:
        sys.setprofile(None)

kamlab.runs.run = counted

def trial(at):
    global calls, made, stop_at
    calls, made, stop_at = 0, made + 1, at
    with open(folder / "orders.csv", "a") as log:
        log.write(f"A,2024-12-{made % 28 + 1:02d},{made}\\n")
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    gc.collect()
    link = out / "acme-2024-12-31"
    newest = int(pd.read_parquet(link / "tables" / "summary.parquet")["trial"][0]) if link.exists() else 0
    left = sorted(p.name for p in out.iterdir()) if out.exists() else []
    runs = sorted(p.name for p in (out / ".runs").iterdir()) if out.exists() else []
    whole = link.exists() and runner.is_intact(link)
    unfinished = [r for r in runs if r.startswith((".building", ".replaced"))]
    return code, made, newest, whole, left, unfinished, os.listdir(tempfile.gettempdir())

first = trial(0)
found = [trial(0)]
found.append(trial(0))
total = calls
found += [trial(total * (i + 1) // (n + 1)) for i in range(n)]
found.append(trial(0))
sys.__stderr__.write("\\n" + json.dumps([first, *found]))
"""


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "data"
    found.mkdir()
    (found / "orders.csv").write_text("customer,day,net\nA,2024-12-01,1\n", "utf-8")
    (found / "kamlab.toml").write_text(TOML, "utf-8")
    return found


def test_whenever_a_run_is_stopped_its_link_points_at_a_finished_one(folder, tmp_path):
    (tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", TRIALS, str(folder), str(PLACES)],
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary"), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, *others = json.loads(done.stderr.splitlines()[-1])
    assert (first[0], first[2], first[4]) == (130, 0, [])
    last = 0
    for code, made, newest, whole, left, unfinished, temporary in others:
        assert (whole, left, unfinished, temporary) == (True, [".runs", "acme-2024-12-31"], [], [])
        # A signal that comes after the switch comes too late.
        assert newest == made if code == 0 else newest in (last, made)
        last = newest
    codes = [code for code, *_ in others]
    assert codes[:2] == [0, 0]
    assert codes[-1] == 0
    assert codes.count(130) > PLACES / 2


def test_a_switch_that_is_stopped_leaves_no_second_link(tmp_path, monkeypatch):
    for name in ("old", "new"):
        (tmp_path / ".runs" / name).mkdir(parents=True)
    link = tmp_path / "acme"
    output.switch(link, tmp_path / ".runs" / "old")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        output.switch(link, tmp_path / ".runs" / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".runs", "acme"]
    assert os.readlink(link) == ".runs/old"


HALF = """
import os, pathlib, pyarrow as pa, pyarrow.parquet as pq
from scipy.optimize import minimize
tables = pathlib.Path(run_dir, "tables")
tables.mkdir()
half = pq.ParquetWriter(tables / ".forecast.parquet.part", pa.schema([("account", pa.string())]))
half.write_table(pa.table({{"account": ["A"]}}))
pathlib.Path({pids!r}, str(os.getpid())).touch()
while True:
    minimize(lambda x: (x ** 2).sum(), [3.0] * 50)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the kernel's process in /proc")
def test_a_run_that_is_stopped_while_it_fits_and_writes_leaves_the_last_good_one(folder, tmp_path):
    pids, out = tmp_path / "pids", tmp_path / "out"
    pids.mkdir()
    good = out / ".runs" / "acme-2024-11-30-12345678"
    good.mkdir(parents=True)
    (good / "manifest.json").write_text('{"company": "Acme", "as_of": "2024-11-30", "outputs": {}}', "utf-8")
    (out / "acme-2024-11-30").symlink_to(good.relative_to(out))
    written(folder, tables=HALF.format(pids=str(pids)), paper="1")
    interrupted(folder, out, pids, kernels=1)
    assert sorted(p.name for p in out.iterdir()) == [".runs", "acme-2024-11-30"]
    assert sorted(p.name for p in (out / ".runs").iterdir()) == [".lock", good.name]
