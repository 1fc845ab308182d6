"""Runs whose notebooks are executed in the test's own process.

Kernels that each import everything take half a minute of a run. Those of the run by the command line and of the
notebooks that are opened alone are real ones.
"""

from contextlib import contextmanager
from functools import partial
from threading import Lock
from unittest.mock import patch

from nbformat.v4 import new_output
from papermill.engines import Engine, papermill_engines

ONE_AT_A_TIME = Lock()


class OwnProcess(Engine):
    """Of what a cell shows it keeps the blocks, which is all that documents are made from."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **options):
        names = {}
        for index, cell in enumerate(nb_man.nb.cells):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], index + 1
                nb_man.cell_start(cell, index)
                with ONE_AT_A_TIME, patch("IPython.display.display", partial(keep, cell.outputs)):
                    exec(compile(cell.source, f"cell {index}", "exec"), names)
                nb_man.cell_complete(cell, index)


def keep(outputs, block):
    outputs.append(new_output("display_data", data=block._repr_mimebundle_()))


@contextmanager
def without_kernels():
    with patch.dict(papermill_engines._engines, {None: OwnProcess}):
        yield
