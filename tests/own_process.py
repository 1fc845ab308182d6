"""An engine for papermill that executes a notebook in this process, for runs whose kernels are not what is tested."""

from threading import Lock
from unittest.mock import patch

from nbformat.v4 import new_output
from papermill.engines import Engine

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
                with ONE_AT_A_TIME, patch("IPython.display.display", lambda block: keep(cell, block)):
                    exec(compile(cell.source, f"cell {index}", "exec"), names)
                nb_man.cell_complete(cell, index)


def keep(cell, block):
    cell.outputs.append(new_output("display_data", data=block._repr_mimebundle_()))
