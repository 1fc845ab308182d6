"""Runs: folders that chapters hand over through, and the runner that builds and switches them."""

from kamlab.runs.drafts import find_config
from kamlab.runs.folder import Run, open
from kamlab.runs.identity import run_id, study_period
from kamlab.runs.runner import Result, early_faults, run

__all__ = ["Result", "Run", "early_faults", "find_config", "open", "run", "run_id", "study_period"]
