"""Account plans: which accounts need one, what the data says of each, and what only people can say."""

from kamlab.plans.making import Known, PlanTables, make
from kamlab.plans.need import select

__all__ = ["Known", "PlanTables", "make", "select"]
