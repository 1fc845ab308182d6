"""From classes to a type and a strategy for every account, by rules that stand in a file."""

from kamlab.strategies.engine import assign
from kamlab.strategies.labels import assign_all, left_out
from kamlab.strategies.model import Playbook
from kamlab.strategies.playbook import load_playbook
from kamlab.strategies.proof import Proof, prove

__all__ = ["Playbook", "Proof", "assign", "assign_all", "left_out", "load_playbook", "prove"]
