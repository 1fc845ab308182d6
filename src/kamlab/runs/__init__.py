"""Runs: folders that chapters hand over through, and the runner that builds and switches them."""

from kamlab.runs.folder import Run, open, run_id, study_period
from kamlab.runs.runner import Result, run

__all__ = ["Result", "Run", "open", "run", "run_id", "study_period"]
