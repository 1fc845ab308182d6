"""Ctrl-C at any moment: `kamlab init` and `kamlab check` leave everything or nothing, never a half."""

import json
import os
import subprocess
import sys

import pytest

LOG = "customer,date,amount\n" + "".join(f"C{i % 20},2024-{1 + i % 12:02d}-{1 + i % 28:02d},{i}\n" for i in range(400))
CONFIG = """
[company]
name = "X"
[period]
as_of = 2024-12-28
[source.transactions]
path = "orders.csv"
columns = { account = "customer", date = "date", amount = "amount" }
"""
PLACES = 6

# Everything is imported once; the signal comes after so many calls of functions, in each trial after more of them.
TRIALS = """
import gc, json, os, signal, sys, tempfile
import kamlab.checks, kamlab.start
from kamlab.cli import main

command, n = sys.argv[1:3], int(sys.argv[3])
config = os.path.join(command[1], "kamlab.toml")
made = not os.path.exists(config)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["kamlab", *command]
calls = 0

def trial(stop_at):
    global calls
    calls = 0

    def count(*_):
        global calls
        calls += 1
        if calls == stop_at:
            signal.raise_signal(signal.SIGINT)

    if made and os.path.exists(config):
        os.unlink(config)
    sys.setprofile(count)
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.setprofile(None)
    gc.collect()
    text = open(config, encoding="utf-8").read() if os.path.exists(config) else ""
    return code, sorted(os.listdir(command[1])), os.listdir(tempfile.gettempdir()), text

trial(0)
found = [trial(0)]
total = calls
found += [trial(total * (i + 1) // (n + 1)) for i in range(n)]
sys.__stderr__.write("\\n" + json.dumps(found))
"""


def interrupted(command, folder, temporary):
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", TRIALS, command, str(folder), str(PLACES)],
        env=os.environ | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "data"
    found.mkdir()
    (found / "orders.csv").write_text(LOG, "utf-8")
    return found


def test_init(folder, tmp_path):
    whole, *stopped = interrupted("init", folder, tmp_path / "temporary")
    assert (whole[0], whole[1]) == (0, ["kamlab.toml", "orders.csv"])
    assert 'columns.account = "customer"' in whole[3]
    for code, names, left, text in stopped:
        assert left == []
        assert (names, text) in ((["orders.csv"], ""), (whole[1], whole[3]))
        assert code == 130


def test_check(folder, tmp_path):
    (folder / "kamlab.toml").write_text(CONFIG, "utf-8")
    whole, *stopped = interrupted("check", folder, tmp_path / "temporary")
    assert [code for code, *_ in (whole, *stopped)] == [0, *[130] * PLACES]
    for _, names, left, text in (whole, *stopped):
        assert (names, left, text) == (["kamlab.toml", "orders.csv"], [], CONFIG)
