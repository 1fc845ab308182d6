"""From classes to a type and a strategy for every account, by rules that stand in a file."""

from kamlab.strategies.engine import assign
from kamlab.strategies.model import Playbook
from kamlab.strategies.playbook import load_playbook

__all__ = ["Playbook", "assign", "load_playbook"]
