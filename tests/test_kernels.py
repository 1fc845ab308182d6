"""Kernels that a thread keeps for one notebook after the other: each begins afresh, and none is left over."""

import asyncio
import os
import tempfile

import nbformat
import pytest
from jupyter_core.utils import ensure_event_loop

from kamlab.errors import ReportError
from kamlab.runs.chapters import execute
from kamlab.runs.kernels import Kernels, kernel_environment

SOURCE = """import os, sys
from kamlab.progress import FILE
print(os.getpid(), "left" in globals(), "json.tool" in sys.modules, os.environ[FILE])
import json.tool
left = 1"""


@pytest.fixture
def run_one(tmp_path):
    """Execute a notebook of one cell in a thread's kept kernel; return what the cell printed and its number."""
    kernels = Kernels()
    with kernel_environment(), asyncio.Runner(loop_factory=ensure_event_loop) as loops:
        loops.get_loop()

        def run(name, source=SOURCE, *, keep=True):
            cells = [nbformat.v4.new_code_cell(source)]
            metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / f"{name}.ipynb")
            done = tmp_path / f"{name}.done.ipynb"
            told = tmp_path / f"{name}.told"
            execute(tmp_path / f"{name}.ipynb", done, {}, tmp_path, kernels=kernels, told=told, keep=keep)
            (cell,) = nbformat.read(done, as_version=4).cells
            return cell.outputs[0].text.split(), cell.execution_count

        yield run
        kernels.end()
        kernels.clear()


def alive(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def test_a_kept_kernel_runs_notebook_after_notebook_each_begun_afresh(run_one, tmp_path):
    (first, *fresh), number = run_one("one")
    assert (fresh, number) == (["False", "False", str(tmp_path / "one.told")], 1)
    (second, *fresh), number = run_one("two")
    # The same process with its libraries loaded, but nothing of what the first notebook named.
    assert second == first
    assert (fresh, number) == (["False", "True", str(tmp_path / "two.told")], 1)
    (own, *fresh), _ = run_one("three", keep=False)
    assert own != first
    assert not alive(own)
    assert fresh[1] == "False"


def test_a_notebook_that_fails_leaves_the_kept_kernel_to_the_next(run_one):
    (first, *_), _ = run_one("one")
    with pytest.raises(ReportError, match=r"bad\.ipynb failed in cell 1: ValueError: no"):
        run_one("bad", "raise ValueError('no')")
    (second, *_), number = run_one("two")
    assert (second, number) == (first, 1)


def test_kept_kernels_end_together_with_their_files(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    kernels = Kernels()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; print(os.getpid())")])
    nbformat.write(notebook, tmp_path / "one.ipynb")
    with kernel_environment(), asyncio.Runner(loop_factory=ensure_event_loop) as loops:
        loops.get_loop()
        execute(tmp_path / "one.ipynb", tmp_path / "done.ipynb", {}, tmp_path, kernels=kernels, keep=True)
        pid = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells[0].outputs[0].text
        before = alive(pid), len(list((tmp_path / "temporary").glob("*.json")))
        kernels.end()
        kernels.clear()
    assert before == (True, 1)
    assert not alive(pid)
    assert list((tmp_path / "temporary").iterdir()) == []
