"""Companies with known truth: what tests and the sample report are measured against."""

from kamlab.simulate.company import SAMPLE_SEED, Company, company
from kamlab.simulate.export import write
from kamlab.simulate.large import order_lines
from kamlab.simulate.models import SimulatedLog, bg_nbd

__all__ = ["SAMPLE_SEED", "Company", "SimulatedLog", "bg_nbd", "company", "order_lines", "write"]
