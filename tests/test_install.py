"""scripts/install.sh: uv installs the locked requirements, and pip does it wherever uv cannot."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def calls(tmp_path, fails):
    """Run the script with a Python that writes down what it is asked for, and fails at what `fails` begins with."""
    python = tmp_path / "python"
    noted = f'echo "$*" >> {tmp_path}/calls\necho "$UV_SYSTEM_CERTS" >> {tmp_path}/certificates'
    python.write_text(f'#!/bin/sh\n{noted}\ncase "$*" in {fails}*) exit 1;; esac\n', "utf-8")
    python.chmod(0o755)
    done = subprocess.run(
        ["sh", ROOT / "scripts" / "install.sh", python, "requirements/run.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (tmp_path / "calls").read_text("utf-8").splitlines()


def test_uv_itself_is_locked(tmp_path):
    first, *rest = calls(tmp_path, "nothing")
    assert first == "-m pip install --quiet --require-hashes -r requirements/uv.txt"
    assert all(line.startswith("-m uv pip install") for line in rest)
    assert "--require-hashes -r requirements/run.txt" in rest[0]


def test_uv_trusts_what_the_machine_trusts(tmp_path):
    calls(tmp_path, "nothing")
    assert set((tmp_path / "certificates").read_text("utf-8").split()) == {"1"}


@pytest.mark.parametrize("fails", ["'-m pip install --quiet --require-hashes -r requirements/uv.txt'", "'-m uv'"])
def test_pip_reads_the_same_file_where_uv_fails(fails, tmp_path):
    *_, locked, kamlab = calls(tmp_path, fails)
    assert locked == "-m pip install --quiet --require-hashes -r requirements/run.txt"
    assert kamlab == "-m pip install --quiet --no-deps --no-build-isolation -e ."


def test_the_file_of_uv_is_what_the_lock_says():
    alone = (ROOT / "requirements" / "uv.txt").read_text("utf-8")
    assert alone.startswith("uv==")
    assert alone in (ROOT / "requirements" / "run.txt").read_text("utf-8")
